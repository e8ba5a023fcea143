/* SPDX-License-Identifier: MIT */
/* dns - see dns.h. */
#include "backends/dns.h"

#include "store/base/map.h"
#include "store/base/mem.h"

#include <ares.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define TRIES 2
#define LATE_LOOK_MS 100
#define TRY_MS 1500 /* of the first try with a server; c-ares doubles it */
#define ARENA_MAX_BYTES (1u << 20)
#define KEY_MAX_BYTES (8 + 4 * DNS_NAME_MAX_BYTES)
#define QUESTION_MAX_BYTES 512
#define MS_PER_S 1000

enum state { WAITING, ASKED, KNOWN };

struct entry {
	struct dns *owner;
	enum state state;
	enum dns_type type;
	unsigned hops; /* aliases followed by questions of our own */
	bool authentic; /* all answers on the way so far */
	uint32_t ttl_s; /* the least so far */
	int64_t deadline_mono_ms, end_mono_ms; /* ASKED; KNOWN: TTL */
	char *name; /* owned: as asked now, an alias's target after the first */
	char *key; /* owned */
	struct entry *next; /* of the waiting ones */
	struct flight *flight; /* ASKED: the question c-ares has */
	struct dns_answer answer; /* rr owned, in one piece with its data */
	size_t bytes;
};

struct flight { /* c-ares calls back exactly once, maybe after nobody cares */
	struct entry *entry; /* NULL: given up */
	struct dns *owner;
};

struct dns {
	ares_channel channel;
	const struct clock *clock;
	int64_t deadline_ms;
	unsigned parallel, under_way, timeouts;
	struct map index; /* key -> place in entries + 1 */
	struct entry **entries;
	size_t n, cap, kept_bytes;
	struct entry *first, **last; /* WAITING */
	size_t waiting, news;
	int64_t late_mono_ms; /* of the next look for questions over their deadline */
	struct arena arena;
	struct dns_answer none; /* CROWD, NONAME */
};

static int64_t now_ms(const struct dns *d)
{
	return clock_mono_ms(d->clock);
}

static void entry_free(struct entry *e)
{
	if (e->flight)
		e->flight->entry = NULL;
	free(e->name);
	free(e->key);
	free((void *)(uintptr_t)e->answer.rr);
	free(e);
}

/* keep - the answer's records into one piece of memory that is the entry's. */
static void keep(struct entry *e, const struct dns_answer *a)
{
	size_t bytes = a->n * sizeof(struct dns_rr);
	struct dns_rr *rr;
	char *at;

	for (size_t i = 0; i < a->n; i++)
		bytes += a->rr[i].data.n + 1;
	e->answer = *a;
	e->answer.rr = NULL;
	e->bytes = bytes;
	if (a->n == 0)
		return;
	rr = xmalloc(bytes);
	at = (char *)(rr + a->n);
	for (size_t i = 0; i < a->n; i++) {
		rr[i] = a->rr[i];
		if (rr[i].data.n)
			memcpy(at, a->rr[i].data.p, a->rr[i].data.n);
		at[rr[i].data.n] = '\0';
		rr[i].data.p = at;
		at += rr[i].data.n + 1;
	}
	e->answer.rr = rr;
}

static void known(struct entry *e, const struct dns_answer *a)
{
	struct dns *d = e->owner;

	keep(e, a);
	if (dns_failed(a))
		e->answer.ttl_s = DNS_FAILURE_TTL_S;
	e->state = KNOWN;
	e->end_mono_ms = now_ms(d) + (int64_t)e->answer.ttl_s * MS_PER_S;
	d->kept_bytes += e->bytes;
	d->news++;
}

static void failed(struct entry *e, enum dns_status status)
{
	struct dns_answer a = {.status = status};

	known(e, &a);
}

static void wait_in_line(struct entry *e)
{
	struct dns *d = e->owner;

	e->state = WAITING;
	e->next = NULL;
	*d->last = e;
	d->last = &e->next;
	d->waiting++;
}

static enum dns_status status_of(int ares)
{
	switch (ares) {
	case ARES_ETIMEOUT:
		return DNS_TIMEOUT;
	case ARES_ESERVFAIL:
		return DNS_SERVFAIL;
	case ARES_EREFUSED:
	case ARES_ENOTIMP:
		return DNS_REFUSED;
	case ARES_ECONNREFUSED:
		return DNS_UNREACHABLE;
	default:
		return DNS_BAD;
	}
}

/* taken - a message came for the entry: known, or on to the next name. */
static void taken(struct entry *e, struct str message)
{
	struct dns *d = e->owner;
	struct dns_answer a;
	struct str alias;

	arena_reset(&d->arena);
	dnsmsg_read(message, str_of(e->name), e->type, &d->arena, &a, &alias);
	a.authentic = a.authentic && e->authentic;
	a.ttl_s = a.ttl_s < e->ttl_s ? a.ttl_s : e->ttl_s;
	if (!str_present(alias)) {
		known(e, &a);
		return;
	}
	if (++e->hops > DNS_HOPS_MAX) {
		failed(e, DNS_LOOP);
		return;
	}
	e->authentic = a.authentic;
	e->ttl_s = a.ttl_s;
	free(e->name);
	e->name = xmemdup(alias.p, alias.n);
	wait_in_line(e);
}

static void on_answer(void *ctx, int status, int timeouts, unsigned char *bytes, int nbytes)
{
	struct flight *f = ctx;
	struct entry *e = f->entry;

	(void)timeouts;
	f->owner->under_way--;
	if (e) {
		e->flight = NULL;
		if (status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED)
			f->owner->timeouts++;
		else
			f->owner->timeouts = 0;
		if (status == ARES_SUCCESS && bytes && nbytes > 0)
			taken(e, str_make((const char *)bytes, (size_t)nbytes));
		else
			failed(e, status_of(status));
	}
	free(f);
}

/* Since 1.28 ares_send has a successor that the systems of today lack. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void ask(struct dns *d, const char *bytes, size_t n, struct flight *f)
{
	ares_send(d->channel, (const unsigned char *)bytes, (int)n, on_answer, f);
}

static int sockets_of(const struct dns *d, ares_socket_t fds[ARES_GETSOCK_MAXNUM])
{
	return ares_getsock(d->channel, fds, ARES_GETSOCK_MAXNUM);
}

/* What ares_getsock() says of socket i. Its own macros shift a signed 1 by 31 places for the last one. */
static bool wants_read(int bits, int i)
{
	return (unsigned)bits >> i & 1u;
}

static bool wants_write(int bits, int i)
{
	return (unsigned)bits >> (i + ARES_GETSOCK_MAXNUM) & 1u;
}
#pragma GCC diagnostic pop

static void send_one(struct entry *e)
{
	struct dns *d = e->owner;
	struct buf question;
	uint16_t id = 0;

	if (d->timeouts >= DNS_DEAD_AFTER) {
		failed(e, DNS_TIMEOUT);
		return;
	}
	buf_init(&question, QUESTION_MAX_BYTES);
	/* An id that can't be guessed is half of what keeps a forged answer out; the source port is the other. */
	if (getrandom(&id, sizeof(id), 0) != sizeof(id) ||
		dnsmsg_question(&question, str_of(e->name), e->type, id) < 0) {
		failed(e, DNS_NONAME);
	} else {
		struct flight *f = xmalloc(sizeof(*f));

		*f = (struct flight){e, d};
		e->flight = f;
		e->state = ASKED;
		if (e->hops == 0)
			e->deadline_mono_ms = now_ms(d) + d->deadline_ms;
		d->under_way++;
		ask(d, question.p, question.n, f);
	}
	buf_done(&question);
}

static void send_waiting(struct dns *d)
{
	/* One that ends at once may wait again: each does so DNS_HOPS_MAX times at most. */
	while (d->first && (d->under_way < d->parallel || d->timeouts >= DNS_DEAD_AFTER)) {
		struct entry *e = d->first;

		d->first = e->next;
		if (!d->first)
			d->last = &d->first;
		d->waiting--;
		send_one(e);
	}
}

static void end_late(struct dns *d)
{
	int64_t now = now_ms(d);

	if (now < d->late_mono_ms)
		return;
	d->late_mono_ms = now + LATE_LOOK_MS;
	for (size_t i = 0; i < d->n && d->under_way > 0; i++) {
		struct entry *e = d->entries[i];

		if (e->state != ASKED || now < e->deadline_mono_ms)
			continue;
		e->flight->entry = NULL;
		e->flight = NULL;
		d->timeouts++;
		failed(e, DNS_TIMEOUT);
	}
}

static struct entry *entry_new(struct dns *d, struct str key, struct str name, enum dns_type type)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	e->owner = d;
	e->type = type;
	e->authentic = true;
	e->ttl_s = DNS_TTL_MAX_S;
	e->name = xmemdup(name.p, name.n);
	e->key = xmemdup(key.p, key.n);
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->entries = xrealloc(d->entries, d->cap * sizeof(struct entry *));
	}
	d->entries[d->n++] = e;
	map_set(&d->index, key, d->n);
	wait_in_line(e);
	return e;
}

/* key_of - type and name in lower case. */
static struct str key_of(char key[KEY_MAX_BYTES], struct str name, enum dns_type type)
{
	size_t n = 0;

	key[n++] = (char)('A' + (unsigned)type);
	for (size_t i = 0; i < name.n; i++)
		key[n++] =
			name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i];
	if (n > 1 && key[n - 1] == '.')
		n--;
	return str_make(key, n);
}

static const struct dns_answer *look(void *ctx, struct str name, enum dns_type type)
{
	struct dns *d = ctx;
	char key[KEY_MAX_BYTES];
	struct str k;
	uint64_t place;

	if (name.n == 0 || name.n > 4 * DNS_NAME_MAX_BYTES || memchr(name.p, '\0', name.n)) {
		d->none.status = DNS_NONAME;
		return &d->none;
	}
	k = key_of(key, name, type);
	if (map_get(&d->index, k, &place)) {
		const struct entry *e = d->entries[place - 1];

		return e->state == KNOWN ? &e->answer : NULL;
	}
	if (d->n >= DNS_ENTRIES_MAX || d->kept_bytes > DNS_KEPT_MAX_BYTES) {
		d->none.status = DNS_CROWD;
		return &d->none;
	}
	entry_new(d, k, name, type);
	return NULL;
}

struct dns_view dns_view(struct dns *d)
{
	return (struct dns_view){look, d};
}

void dns_round(struct dns *d)
{
	int64_t now = now_ms(d);
	size_t n = 0;

	d->timeouts = 0;
	map_clear(&d->index);
	for (size_t i = 0; i < d->n; i++) {
		struct entry *e = d->entries[i];

		if (e->state == KNOWN && e->end_mono_ms <= now) {
			d->kept_bytes -= e->bytes;
			entry_free(e);
			continue;
		}
		d->entries[n++] = e;
		map_set(&d->index, str_of(e->key), n);
	}
	d->n = n;
}

size_t dns_step(struct dns *d)
{
	ares_socket_t fds[ARES_GETSOCK_MAXNUM];
	int bits = sockets_of(d, fds);
	bool any = false;
	size_t news;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		bool in = wants_read(bits, i), out = wants_write(bits, i);
		struct pollfd p = {.fd = in || out ? fds[i] : -1,
			.events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};

		if (p.fd < 0 || poll(&p, 1, 0) <= 0)
			continue;
		any = true;
		ares_process_fd(d->channel,
			p.revents & (POLLIN | POLLERR | POLLHUP) ? p.fd : ARES_SOCKET_BAD,
			p.revents & POLLOUT ? p.fd : ARES_SOCKET_BAD);
	}
	if (!any)
		ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	end_late(d);
	send_waiting(d);
	news = d->news;
	d->news = 0;
	return news;
}

size_t dns_fds(const struct dns *d, struct pollfd *out, size_t max)
{
	ares_socket_t fds[ARES_GETSOCK_MAXNUM];
	int bits = sockets_of(d, fds);
	size_t n = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM && n < max; i++) {
		bool in = wants_read(bits, i), o = wants_write(bits, i);

		if (in || o)
			out[n++] = (struct pollfd){.fd = fds[i],
				.events = (short)((in ? POLLIN : 0) | (o ? POLLOUT : 0))};
	}
	return n;
}

int64_t dns_wait_ms(const struct dns *d)
{
	struct timeval room, *tv;

	if (d->news > 0 || (d->waiting > 0 && d->under_way < d->parallel))
		return 0;
	if (d->under_way == 0)
		return -1;
	tv = ares_timeout(d->channel, &(struct timeval){TRY_MS / MS_PER_S, 0}, &room);
	return tv ? (int64_t)tv->tv_sec * MS_PER_S + tv->tv_usec / 1000 + 1 : TRY_MS;
}

void dns_wait(const struct dns *d, int64_t max_ms)
{
	struct pollfd fds[ARES_GETSOCK_MAXNUM];
	size_t n = dns_fds(d, fds, ARES_GETSOCK_MAXNUM);
	int64_t wait = dns_wait_ms(d);

	if (wait < 0 || wait > max_ms)
		wait = max_ms;
	(void)poll(fds, n, (int)wait);
}

int dns_new(const struct dns_options *o, struct dns **ret, struct mt_error *reterr)
{
	/* NOCHECKRESP: else SERVFAIL and REFUSED come as a refused connection, and are no longer told apart. */
	struct ares_options opt = {
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOCHECKRESP,
		.timeout = TRY_MS,
		.tries = TRIES,
		.ednspsz = DNS_UDP_BYTES};
	struct dns *d;
	int rc;

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return mt_error_set(reterr, MT_ENOMEM, "c-ares does not start");
	d = xcalloc(1, sizeof(*d));
	d->clock = o->clock;
	d->deadline_ms = o->deadline_ms > 0 ? o->deadline_ms : DNS_DEADLINE_MS;
	d->parallel = o->parallel ? o->parallel : DNS_PARALLEL;
	d->last = &d->first;
	map_init(&d->index);
	arena_init(&d->arena, ARENA_MAX_BYTES);
	rc = ares_init_options(&d->channel, &opt,
		ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ);
	if (rc == ARES_SUCCESS && o->servers && o->servers[0])
		rc = ares_set_servers_ports_csv(d->channel, o->servers);
	if (rc != ARES_SUCCESS) {
		mt_error_set(reterr, MT_ECONFIG, "DNS servers \"%.80s\": %s",
			o->servers ? o->servers : "", ares_strerror(rc));
		dns_free(d);
		return MT_ECONFIG;
	}
	*ret = d;
	return 0;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		entry_free(d->entries[i]);
	if (d->channel)
		ares_destroy(d->channel); /* calls back for all that is under way */
	ares_library_cleanup();
	free(d->entries);
	map_done(&d->index);
	arena_done(&d->arena);
	free(d);
}
