/* SPDX-License-Identifier: MIT */
/* sockstat - see sockstat.h. */
#include "backends/sockstat.h"

#include "store/base/mem.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PORTS_MAX 64
#define PEER_TEXT_BYTES 64
#define P50 50
#define P95 95
#define PCT 100

static const int32_t well_known[] = {25, 465, 587, 2525}; /* in as out */
#define NWELL_KNOWN (sizeof(well_known) / sizeof(well_known[0]))

struct kept { /* a socket of the walk before */
	uint64_t cookie, received, acked;
	uint32_t retransmits;
};

struct one { /* a socket of this walk that counts */
	const struct sock *sock; /* in all */
	uint64_t place; /* direction, port, first bytes of the peer: what it is sorted by */
	int32_t port;
	bool outbound;
	uint64_t in, out; /* moved since the walk before */
	uint32_t retransmits;
	bool opened;
};

struct peer_text {
	char text[PEER_TEXT_BYTES];
};

struct sockstat {
	int32_t ports[PORTS_MAX];
	size_t nports;
	bool listening[UINT16_MAX + 1];
	struct sock *all;
	size_t nall, cap, left_out;
	struct one *counted, *spare; /* kept over walks */
	size_t ncounted, room; /* room in either */
	struct kept *before; /* in the order of its walk */
	size_t nbefore, at; /* at: what the next socket is likely to be */
	uint32_t *index; /* cookie -> number in before + 1, open addressing; NULL until asked */
	size_t nindex; /* a power of two */
	bool had_before;
	int64_t before_mono_ms;
	struct socket_port *rows;
	struct socket_peer *peers;
	struct peer_text *texts;
	size_t nrows, npeers, ntexts;
};

static bool watched(const struct sockstat *s, int32_t port)
{
	for (size_t i = 0; i < s->nports; i++)
		if (s->ports[i] == port)
			return true;
	return false;
}

static bool is_well_known(int32_t port)
{
	for (size_t i = 0; i < NWELL_KNOWN; i++)
		if (well_known[i] == port)
			return true;
	return false;
}

struct sockstat *sockstat_new(const int32_t *ports, size_t nports)
{
	struct sockstat *s = xcalloc(1, sizeof(*s));

	memcpy(s->ports, well_known, sizeof(well_known));
	s->nports = NWELL_KNOWN;
	for (size_t i = 0; i < nports && s->nports < PORTS_MAX; i++)
		if (ports[i] > 0 && ports[i] <= UINT16_MAX && !watched(s, ports[i]))
			s->ports[s->nports++] = ports[i];
	return s;
}

static void drop_figures(struct sockstat *s)
{
	free(s->rows);
	free(s->peers);
	free(s->texts);
	s->rows = NULL;
	s->peers = NULL;
	s->texts = NULL;
	s->ncounted = s->nrows = s->npeers = s->ntexts = 0;
}

void sockstat_free(struct sockstat *s)
{
	if (!s)
		return;
	drop_figures(s);
	free(s->all);
	free(s->counted);
	free(s->spare);
	free(s->before);
	free(s->index);
	free(s);
}

void sockstat_begin(struct sockstat *s)
{
	drop_figures(s);
	s->nall = s->left_out = 0;
	memset(s->listening, 0, sizeof(s->listening));
}

/* plain - an IPv4 peer of an IPv6 socket is the same peer as of an IPv4 one (RFC 4291 2.5.5.2). */
static void plain(struct sock *s)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (s->family != AF_INET6 || memcmp(s->remote, mapped, sizeof(mapped)) != 0)
		return;
	s->family = AF_INET;
	memmove(s->remote, s->remote + sizeof(mapped), 4);
	memset(s->remote + 4, 0, sizeof(s->remote) - 4);
}

int sockstat_add(void *ctx, const struct sock *one)
{
	struct sockstat *s = ctx;

	if (one->state == TCP_LISTEN) {
		s->listening[one->local_port] = true;
		return 0;
	}
	if (!watched(s, one->local_port) && !is_well_known(one->remote_port))
		return 0;
	if (s->nall >= SOCKSTAT_SOCKETS_MAX) {
		s->left_out++;
		return 0;
	}
	if (s->nall == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->all = xrealloc(s->all, s->cap * sizeof(s->all[0]));
	}
	s->all[s->nall] = *one;
	plain(&s->all[s->nall++]);
	return 0;
}

size_t sockstat_left_out(const struct sockstat *s)
{
	return s->left_out;
}

static bool is_over(int state)
{
	return state == TCP_TIME_WAIT || state == TCP_CLOSE;
}

/* place - which side of which port; false: of none. */
static bool place(const struct sockstat *s, const struct sock *one, struct one *out)
{
	bool ours = watched(s, one->local_port) &&
		    (s->listening[one->local_port] || !is_well_known(one->remote_port));

	if (!ours && !is_well_known(one->remote_port))
		return false;
	*out = (struct one){
		.sock = one, .outbound = !ours, .port = ours ? one->local_port : one->remote_port};
	out->place = (uint64_t)out->outbound << 63 | (uint64_t)out->port << 32 |
		     (uint64_t)one->remote[0] << 24 | (uint64_t)one->remote[1] << 16 |
		     (uint64_t)one->remote[2] << 8 | one->remote[3];
	return true;
}

static uint32_t *slot_of(const struct sockstat *s, uint64_t cookie)
{
	size_t i = (size_t)(cookie * 0x9e3779b97f4a7c15u >> 32) & (s->nindex - 1);

	while (s->index[i] && s->before[s->index[i] - 1].cookie != cookie)
		i = (i + 1) & (s->nindex - 1);
	return &s->index[i];
}

static void make_index(struct sockstat *s)
{
	for (s->nindex = 64; s->nindex < 2 * s->nbefore;)
		s->nindex *= 2;
	s->index = xcalloc(s->nindex, sizeof(s->index[0]));
	for (size_t i = 0; i < s->nbefore; i++)
		*slot_of(s, s->before[i].cookie) = (uint32_t)i + 1;
}

/* kept_of - of the walk before; NULL none. The kernel's order hardly changes: mostly it is the one after the last. */
static const struct kept *kept_of(struct sockstat *s, uint64_t cookie)
{
	uint32_t found;

	if (s->at < s->nbefore && s->before[s->at].cookie == cookie)
		return &s->before[s->at++];
	if (!s->index)
		make_index(s);
	found = *slot_of(s, cookie);
	if (!found)
		return NULL;
	s->at = found;
	return &s->before[found - 1];
}

/* since_before - what a socket moved since the walk before; all of it when it was opened since. */
static void since_before(struct sockstat *s, struct one *o)
{
	const struct kept *k;

	if (is_over(o->sock->state) || o->sock->cookie == 0 || !s->had_before)
		return;
	k = kept_of(s, o->sock->cookie);
	o->opened = !k;
	if (!o->sock->has_info)
		return;
	o->in = o->sock->bytes_received - (k ? k->received : 0);
	o->out = o->sock->bytes_sent - (k ? k->acked : 0);
	o->retransmits = o->sock->retransmits - (k ? k->retransmits : 0);
	if (k && o->sock->bytes_received < k->received)
		o->in = 0; /* a kernel that counts otherwise: nothing rather than 2^64 */
	if (k && o->sock->bytes_sent < k->acked)
		o->out = 0;
	if (k && o->sock->retransmits < k->retransmits)
		o->retransmits = 0;
}

static void keep(struct sockstat *s, bool known, int64_t now_mono_ms)
{
	free(s->index);
	s->index = NULL;
	s->nbefore = s->at = 0;
	s->before = xrealloc(s->before, (s->ncounted + 1) * sizeof(s->before[0]));
	for (size_t i = 0; known && i < s->ncounted; i++) {
		const struct sock *k = s->counted[i].sock;

		if (k->cookie && !is_over(k->state))
			s->before[s->nbefore++] = (struct kept){
				k->cookie, k->bytes_received, k->bytes_sent, k->retransmits};
	}
	s->had_before = known;
	s->before_mono_ms = now_mono_ms;
}

struct order { /* small: sorting moves these */
	uint64_t place;
	uint32_t i;
};

static int by_place(const void *left, const void *right)
{
	const struct order *a = left, *b = right;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return (a->i > b->i) - (a->i < b->i);
}

static int by_peer(const void *left, const void *right)
{
	const struct one *a = left, *b = right;

	return memcmp(a->sock->remote, b->sock->remote, sizeof(a->sock->remote));
}

/* By direction, port and peer: rows and peers are runs. Of an IPv6 peer the place holds a part alone. */
static void sort_counted(struct sockstat *s, struct order *order)
{
	struct one *room = s->spare;
	size_t n = s->ncounted, from = 0;

	for (size_t i = 0; i < n; i++)
		order[i] = (struct order){s->counted[i].place, (uint32_t)i};
	if (n)
		qsort(order, n, sizeof(order[0]), by_place);
	for (size_t i = 0; i < n; i++)
		room[i] = s->counted[order[i].i];
	for (size_t i = 0, v6 = 0; i < n; i++) {
		v6 += room[i].sock->family == AF_INET6;
		if (i + 1 < n && room[i + 1].place == room[i].place)
			continue;
		if (v6)
			qsort(room + from, i + 1 - from, sizeof(room[0]), by_peer);
		from = i + 1;
		v6 = 0;
	}
	s->spare = s->counted;
	s->counted = room;
}

static bool same_row(const struct one *a, const struct one *b)
{
	return a->outbound == b->outbound && a->port == b->port;
}

static int by_number(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

/* Nearest rank. */
static int64_t percentile(const uint32_t *sorted, size_t n, size_t pct)
{
	return n ? (int64_t)sorted[(n * pct + PCT - 1) / PCT - 1] : EVENT_UNKNOWN;
}

static void round_trips(struct socket_port *row, const struct one *first, size_t n, uint32_t *room)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (first[i].sock->has_info && first[i].sock->state == TCP_ESTABLISHED &&
			first[i].sock->rtt_us)
			room[m++] = first[i].sock->rtt_us;
	if (m)
		qsort(room, m, sizeof(room[0]), by_number);
	row->rtt_p50_us = percentile(room, m, P50);
	row->rtt_p95_us = percentile(room, m, P95);
}

static void count_state(struct socket_port *row, int state)
{
	if (state == TCP_ESTABLISHED)
		row->established++;
	else if (state == TCP_SYN_SENT || state == TCP_SYN_RECV ||
		 state == 12) /* TCP_NEW_SYN_RECV */
		row->opening++;
	else
		row->closing++;
}

static struct socket_port sum_row(const struct one *first, size_t n, bool moved)
{
	struct socket_port row = {.port = first->port, .outbound = first->outbound};

	for (size_t i = 0; i < n; i++) {
		count_state(&row, first[i].sock->state);
		row.opened += first[i].opened;
		row.bytes_in += (int64_t)first[i].in;
		row.bytes_out += (int64_t)first[i].out;
		row.retransmits += first[i].retransmits;
	}
	if (!moved)
		row.opened = row.bytes_in = row.bytes_out = row.retransmits = EVENT_UNKNOWN;
	return row;
}

static int by_connections(const void *left, const void *right)
{
	const struct socket_peer *a = left, *b = right;

	if (a->connections != b->connections)
		return a->connections < b->connections ? 1 : -1;
	if (a->bytes_in + a->bytes_out != b->bytes_in + b->bytes_out)
		return a->bytes_in + a->bytes_out < b->bytes_in + b->bytes_out ? 1 : -1;
	return strcmp(a->peer.p, b->peer.p);
}

static void name_peer(const struct sock *s, struct peer_text *out)
{
	if (!inet_ntop(s->family, s->remote, out->text, sizeof(out->text)))
		out->text[0] = '\0';
}

static bool same_peer(const struct one *a, const struct one *b)
{
	return memcmp(a->sock->remote, b->sock->remote, sizeof(a->sock->remote)) == 0;
}

/* peers_of - the peers of one row, those with most connections, behind the ones there are. */
static void peers_of(struct sockstat *s, const struct one *first, size_t n, bool moved)
{
	struct socket_peer *mine = &s->peers[s->npeers];
	size_t m = 0;

	for (size_t i = 0, from = 0; i < n; i++) {
		struct socket_peer *p = &mine[m];
		struct peer_text *text = &s->texts[s->ntexts + m];

		if (i == from) {
			name_peer(first[i].sock, text);
			*p = (struct socket_peer){.port = first->port,
				.outbound = first->outbound,
				.peer = str_of(text->text),
				.rtt_us = EVENT_UNKNOWN};
		}
		p->connections += first[i].sock->state == TCP_ESTABLISHED;
		p->bytes_in += (int64_t)first[i].in;
		p->bytes_out += (int64_t)first[i].out;
		if (first[i].sock->has_info && first[i].sock->rtt_us > p->rtt_us)
			p->rtt_us = first[i].sock->rtt_us;
		if (i + 1 < n && same_peer(&first[i], &first[i + 1]))
			continue;
		if (!moved)
			p->bytes_in = p->bytes_out = EVENT_UNKNOWN;
		from = i + 1;
		m += p->connections > 0;
	}
	if (m)
		qsort(mine, m, sizeof(mine[0]), by_connections);
	s->ntexts += m;
	s->npeers += m < SOCKSTAT_PEERS_MAX ? m : SOCKSTAT_PEERS_MAX;
}

static void sum_all(struct sockstat *s, bool moved, uint32_t *room)
{
	for (size_t i = 0, n; i < s->ncounted; i += n) {
		struct socket_port *row = &s->rows[s->nrows++];

		for (n = 1; i + n < s->ncounted && same_row(&s->counted[i], &s->counted[i + n]);)
			n++;
		*row = sum_row(&s->counted[i], n, moved);
		round_trips(row, &s->counted[i], n, room);
		peers_of(s, &s->counted[i], n, moved);
	}
}

/* A port that listens has a row even when nobody is connected: 0 is known there. */
static void add_quiet(struct sockstat *s, bool moved)
{
	size_t busy = s->nrows;

	for (size_t i = 0; i < s->nports; i++) {
		bool there = !s->listening[s->ports[i]];

		for (size_t k = 0; k < busy; k++)
			there |= !s->rows[k].outbound && s->rows[k].port == s->ports[i];
		if (there)
			continue;
		s->rows[s->nrows++] = (struct socket_port){.port = s->ports[i],
			.opened = moved ? 0 : EVENT_UNKNOWN,
			.bytes_in = moved ? 0 : EVENT_UNKNOWN,
			.bytes_out = moved ? 0 : EVENT_UNKNOWN,
			.retransmits = moved ? 0 : EVENT_UNKNOWN,
			.rtt_p50_us = EVENT_UNKNOWN,
			.rtt_p95_us = EVENT_UNKNOWN};
	}
}

int sockstat_end(struct sockstat *s, bool known, int64_t now_mono_ms, struct socket_sample *out,
	struct mt_error *reterr)
{
	bool moved = known && s->had_before;
	uint32_t *room = malloc((s->nall + 1) * sizeof(room[0]));
	struct order *order = malloc((s->nall + 1) * sizeof(order[0]));

	if (s->room < s->nall + 1) {
		s->room = s->nall + 1;
		s->counted = xrealloc(s->counted, s->room * sizeof(s->counted[0]));
		s->spare = xrealloc(s->spare, s->room * sizeof(s->spare[0]));
	}
	s->rows = malloc((s->nall + PORTS_MAX) * sizeof(s->rows[0]));
	s->peers = malloc((s->nall + 1) * sizeof(s->peers[0]));
	s->texts = malloc((s->nall + 1) * sizeof(s->texts[0]));
	if (!room || !order || !s->rows || !s->peers || !s->texts) {
		free(room);
		free(order);
		return mt_error_set(
			reterr, MT_ENOMEM, "not enough memory for %zu sockets", s->nall);
	}
	for (size_t i = 0; i < s->nall; i++)
		if (place(s, &s->all[i], &s->counted[s->ncounted]))
			since_before(s, &s->counted[s->ncounted++]);
	*out = (struct socket_sample){.source = known ? SOCKETS_NETLINK : SOCKETS_PROC,
		.interval_ms = moved ? now_mono_ms - s->before_mono_ms : EVENT_UNKNOWN};
	keep(s, known, now_mono_ms); /* in the walk's order */
	sort_counted(s, order);
	sum_all(s, moved, room);
	add_quiet(s, moved);
	free(room);
	free(order);
	out->ports = s->rows;
	out->nports = s->nrows;
	out->peers = s->peers;
	out->npeers = s->npeers;
	return 0;
}
