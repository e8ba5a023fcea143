/* SPDX-License-Identifier: MIT */
/*
 * read_ports - figures by port: inbound by service tag through table service, outbound by relay port.
 *
 * Definitions. A tag that table service does not know has the port of its stock name. Several tags on one port
 * are one row. Where postscreen is seen on a port, its CONNECT lines alone are the port's connections, since
 * clients it passes on are logged by smtpd again. TLS of a row is unknown when it had connections but neither TLS
 * lines nor session counters were seen: "no TLS" and "not logged" must not look alike.
 */
#include "store/ports.h"
#include "store/read_rows.h"
#include "store/read_slots.h"

#include "store/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#define TAGS_MAX_BYTES 4096
#define PORT_TEXT_BYTES 12

enum {
	COL_CONNECTIONS,
	COL_ACCEPTED,
	COL_REJECTED,
	COL_AUTH_OK,
	COL_AUTH_FAILED,
	COL_TLS,
	COL_LOST,
	COL_COUNTED
};
enum { COL_SENT, COL_DEFERRED, COL_BOUNCED, COL_TLS_OUT };

struct known { /* a row of table service */
	int provider;
	int64_t dict;
	int32_t port;
	enum port_source source;
	struct str note; /* in the arena */
	bool used;
};

struct inbound {
	struct port_row row;
	int64_t smtpd_connections, postscreen_connections;
	bool postscreen, tls_told;
};

struct ports {
	struct reader *r;
	const struct query *q;
	struct arena *arena;
	struct rows known, in, out;
	struct mt_error *reterr;
};

static int load_known(struct ports *p)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(p->r, READ_SERVICES, &stmt, p->reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, p->q->provider);
	while ((rc = rd_step(p->r, stmt, p->reterr)) > 0) {
		struct known *k = rows_add(&p->known);
		int64_t source = rd_id(stmt, 3);

		if (!k)
			continue;
		k->provider = (int)rd_id(stmt, 0);
		k->dict = rd_id(stmt, 1);
		k->port = (int32_t)rd_num(stmt, 2);
		k->source = source >= PORT_UNKNOWN && source <= PORT_AMBIGUOUS
				    ? (enum port_source)source
				    : PORT_UNKNOWN;
		k->note = give_str(p->arena, rd_str(stmt, 5), &rc);
	}
	return rc < 0 ? rc : 0;
}

static struct known *find_known(struct ports *p, int provider, int64_t dict)
{
	struct known *k = (void *)p->known.p;

	for (size_t i = 0; i < p->known.n; i++)
		if (k[i].provider == provider && k[i].dict == dict)
			return &k[i];
	return NULL;
}

/* Port of a tag: what the instance's own master.cf says, else the stock name's. */
static void place(struct port_row *row, const struct known *k, struct str tag)
{
	row->port = EVENT_UNKNOWN;
	row->source = PORT_UNKNOWN;
	if (k && k->source != PORT_UNKNOWN) {
		row->port = k->source == PORT_AMBIGUOUS ? EVENT_UNKNOWN : k->port;
		row->source = k->source;
		row->note = k->note;
	} else {
		row->port = ports_stock(tag, NULL);
		row->source = row->port > 0 ? PORT_BY_STOCK_NAME : PORT_UNKNOWN;
	}
}

static void join_tag(struct buf *out, struct str tag)
{
	if (out->n)
		buf_add_z(out, ", ");
	buf_add_str(out, tag);
}

static bool tag_before(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order < 0 || (order == 0 && a.n < b.n);
}

/* Tags of one port stand in the order of their names, whatever the order they were met in. */
static int join_tags(struct ports *p, struct inbound *in, struct str tag)
{
	struct str rest = in->row.service;
	bool placed = false;
	int rc = 0;

	buf_clear(&p->r->text);
	while (rest.n > 0) {
		struct str one = str_first(rest, str_find_char(rest, ','));

		if (!placed && tag_before(tag, one)) {
			join_tag(&p->r->text, tag);
			placed = true;
		}
		join_tag(&p->r->text, one);
		rest = str_skip(rest, one.n + 2 <= rest.n ? one.n + 2 : rest.n);
	}
	if (!placed)
		join_tag(&p->r->text, tag);
	if (p->r->text.n <= TAGS_MAX_BYTES)
		in->row.service = give_str(p->arena, buf_str(&p->r->text), &rc);
	return rc < 0 ? arena_full(p->reterr) : 0;
}

/* The row a tag belongs to: that of its port, or one of its own where the port is not known. */
static int inbound_row(
	struct ports *p, int provider, const struct known *k, struct str tag, struct inbound **ret)
{
	struct inbound *all = (void *)p->in.p, *in;
	struct port_row placed = {.provider = provider};
	int rc = 0;

	place(&placed, k, tag);
	for (size_t i = 0; placed.port > 0 && i < p->in.n; i++)
		if (all[i].row.provider == provider && all[i].row.port == placed.port) {
			*ret = &all[i];
			if (placed.source == PORT_FROM_MASTER)
				all[i].row.source = PORT_FROM_MASTER;
			return join_tags(p, &all[i], tag);
		}
	in = rows_add(&p->in);
	if (!in)
		return mt_error_set(p->reterr, MT_ENOMEM, "not enough memory for the ports");
	in->row = placed;
	in->row.service = give_str(p->arena, tag, &rc);
	in->row.sent = in->row.deferred = in->row.bounced = EVENT_UNKNOWN;
	*ret = in;
	return rc < 0 ? arena_full(p->reterr) : 0;
}

static int add_tag(struct ports *p, int provider, int64_t dict, const int64_t *n)
{
	struct known *k = find_known(p, provider, dict);
	struct inbound *in = NULL;
	struct str tag;
	int rc = dict_text(p->r, dict, &tag, p->reterr);

	if (k)
		k->used = true;
	if (rc < 0 || !str_present(tag) || (!k && !ports_listens(tag)))
		return rc;
	rc = inbound_row(p, provider, k, tag, &in);
	if (rc < 0)
		return rc;
	if (str_ends(tag, STR_LIT("postscreen"))) {
		in->postscreen = in->postscreen || n[COL_CONNECTIONS] > 0;
		in->postscreen_connections += n[COL_CONNECTIONS];
	} else {
		in->smtpd_connections += n[COL_CONNECTIONS];
		in->tls_told = in->tls_told || n[COL_TLS] > 0 || n[COL_COUNTED] > 0;
	}
	in->row.accepted += n[COL_ACCEPTED];
	in->row.rejected += n[COL_REJECTED];
	in->row.auth_ok += n[COL_AUTH_OK];
	in->row.auth_failed += n[COL_AUTH_FAILED];
	in->row.tls += n[COL_TLS];
	in->row.lost += n[COL_LOST];
	return 0;
}

static int inbound(struct ports *p, const struct window *w)
{
	static const enum metric metrics[] = {METRIC_CONNECTIONS, METRIC_RECEIVED, METRIC_REJECTED,
		METRIC_AUTH_OK, METRIC_AUTH_FAILED, METRIC_TLS, METRIC_LOST,
		METRIC_COUNTED_SESSIONS};
	static const int64_t none[SUM_COLUMNS];
	struct known *known;
	struct sums sums;
	int rc = sums_read(
		p->r, w, DIM_SERVICE, p->q->provider, true, metrics, SUM_COLUMNS, &sums, p->reterr);

	if (rc < 0)
		return rc;
	sums_pack(&sums);
	for (size_t i = 0; rc == 0 && i < sums.n; i++)
		rc = add_tag(p, sums.row[i].provider, sums.row[i].key, sums.row[i].n);
	known = (void *)p->known.p;
	for (size_t i = 0; rc == 0 && i < p->known.n; i++)
		if (!known[i].used)
			rc = add_tag(p, known[i].provider, known[i].dict, none);
	sums_done(&sums);
	return rc;
}

static void settle(struct inbound *in)
{
	struct port_row *row = &in->row;

	row->connections = in->postscreen ? in->postscreen_connections : in->smtpd_connections;
	/* a log that tells of messages, not of sessions (Exim without +smtp_connection) */
	if (row->connections == 0 && row->accepted + row->rejected > 0 &&
		str_find_char(row->service, '/') == row->service.n) {
		row->connections = EVENT_UNKNOWN;
		row->tls = in->tls_told ? row->tls : EVENT_UNKNOWN;
	}
	if (!in->tls_told && in->smtpd_connections > 0)
		row->tls = EVENT_UNKNOWN;
	if (!in->tls_told && in->smtpd_connections == 0 && in->postscreen)
		row->tls = EVENT_UNKNOWN; /* postscreen's own TLS is not told apart */
}

/* hide_untold - as in the totals: what the log of the row's provider never told is unknown. */
static int hide_untold(struct ports *p, struct port_row *row)
{
	const struct {
		enum metric metric;
		int64_t *n;
	} told[] = {{METRIC_CONNECTIONS, &row->connections}, {METRIC_REJECTED, &row->rejected},
		{METRIC_AUTH_OK, &row->auth_ok}, {METRIC_AUTH_FAILED, &row->auth_failed},
		{METRIC_TLS, &row->tls}, {METRIC_LOST, &row->lost}};
	uint64_t untold = 0;
	int rc = untold_metrics(p->r, row->provider, &untold, p->reterr);

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (untold >> told[i].metric & 1)
			*told[i].n = EVENT_UNKNOWN;
	return rc;
}

static int outbound(struct ports *p, const struct window *w)
{
	static const enum metric metrics[] = {
		METRIC_SENT, METRIC_DEFERRED, METRIC_BOUNCED, METRIC_TLS_OUT};
	struct sums sums;
	int64_t any_tls = 0;
	int rc = sums_read(p->r, w, DIM_RELAY_PORT, p->q->provider, true, metrics, COL_TLS_OUT + 1,
		&sums, p->reterr);

	if (rc < 0)
		return rc;
	sums_pack(&sums);
	for (size_t i = 0; i < sums.n; i++)
		any_tls += sums.row[i].n[COL_TLS_OUT];
	for (size_t i = 0; rc == 0 && i < sums.n; i++) {
		const int64_t *n = sums.row[i].n;
		struct port_row *row;

		if (n[COL_SENT] <= 0 && n[COL_DEFERRED] <= 0 && n[COL_BOUNCED] <= 0)
			continue;
		row = rows_add(&p->out);
		if (!row) {
			rc = mt_error_set(p->reterr, MT_ENOMEM, "not enough memory for the ports");
			break;
		}
		*row = (struct port_row){.provider = sums.row[i].provider,
			.port = (int32_t)sums.row[i].key,
			.outbound = true,
			.connections = EVENT_UNKNOWN,
			.accepted = n[COL_SENT],
			.rejected = sums.row[i].key > 0 ? n[COL_BOUNCED] : EVENT_UNKNOWN,
			.auth_ok = EVENT_UNKNOWN,
			.auth_failed = EVENT_UNKNOWN,
			.tls = any_tls > 0 ? n[COL_TLS_OUT] : EVENT_UNKNOWN,
			.lost = EVENT_UNKNOWN,
			.sent = n[COL_SENT],
			.deferred = n[COL_DEFERRED],
			.bounced = n[COL_BOUNCED]};
	}
	sums_done(&sums);
	return rc;
}

static int port_order(const void *left, const void *right)
{
	const struct port_row *a = left, *b = right;
	uint32_t pa = (uint32_t)a->port, pb = (uint32_t)b->port; /* unknown last */

	if (a->outbound != b->outbound)
		return a->outbound ? 1 : -1;
	if (pa != pb)
		return pa < pb ? -1 : 1;
	if (a->provider != b->provider)
		return a->provider < b->provider ? -1 : 1;
	if (a->service.n != b->service.n)
		return a->service.n < b->service.n ? -1 : 1;
	return a->service.n ? memcmp(a->service.p, b->service.p, a->service.n) : 0;
}

static bool passes(const struct query *q, const struct port_row *row)
{
	char port[PORT_TEXT_BYTES];

	if (q->port && row->port != q->port)
		return false;
	if (str_present(q->service) && (row->outbound || !text_has(row->service, q->service)))
		return false;
	if (q->text.n == 0)
		return true;
	snprintf(port, sizeof(port), "%d", (int)row->port);
	return (text_has(row->service, q->text) || text_has(str_of(port), q->text)) !=
	       q->text_invert;
}

/* Filters that no bucket by port serves: the rows stand, their figures are unknown. */
static void blank(struct port_row *row)
{
	row->connections = row->accepted = row->rejected = row->auth_ok = row->auth_failed =
		EVENT_UNKNOWN;
	row->tls = row->lost = row->sent = row->deferred = row->bounced = EVENT_UNKNOWN;
}

static int give_ports(struct ports *p, struct port_row **ret, size_t *ret_n)
{
	const struct query *q = p->q;
	bool unserved = str_present(q->domain) || str_present(q->relay_host) ||
			str_present(q->sender_domain) || str_present(q->user) ||
			str_present(q->reply_template) || str_present(q->egress) || q->plan ||
			q->code_key != 0;
	struct inbound *in = (void *)p->in.p;
	struct port_row *out = (void *)p->out.p;
	struct port_row *all = arena_alloc(p->arena, (p->in.n + p->out.n) * sizeof(*all) + 1);
	size_t n = 0;

	if (!all)
		return arena_full(p->reterr);
	for (size_t i = 0; i < p->in.n; i++) {
		int rc;

		settle(&in[i]);
		rc = hide_untold(p, &in[i].row);
		if (rc < 0)
			return rc;
		if (passes(q, &in[i].row))
			all[n++] = in[i].row;
	}
	for (size_t i = 0; i < p->out.n; i++)
		if (passes(q, &out[i]))
			all[n++] = out[i];
	for (size_t i = 0; unserved && i < n; i++)
		blank(&all[i]);
	if (n)
		qsort(all, n, sizeof(*all), port_order);
	*ret = all;
	*ret_n = n;
	return 0;
}

int read_ports(struct reader *r, const struct query *q, struct arena *a, struct port_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct ports p = {.r = r,
		.q = q,
		.arena = a,
		.reterr = reterr,
		.known = {.item = sizeof(struct known)},
		.in = {.item = sizeof(struct inbound)},
		.out = {.item = sizeof(struct port_row)}};
	struct window w;
	int rc = window_read(r, q, &w, reterr);

	if (rc == 0)
		rc = load_known(&p);
	if (rc == 0)
		rc = inbound(&p, &w);
	if (rc == 0)
		rc = outbound(&p, &w);
	if (rc == 0)
		rc = give_ports(&p, ret, ret_n);
	rows_free(&p.known);
	rows_free(&p.in);
	rows_free(&p.out);
	return rc;
}
