/* SPDX-License-Identifier: MIT */
/* read_sockets - TCP sockets by port: the newest sample and what moved over the window; who is connected. */
#include "store/read_rows.h"
#include "store/read_window.h"

#include <stdlib.h>

#define MS_PER_S 1000
#define MS_PER_MINUTE 60000

static void blank_now(struct socket_row *row)
{
	row->t_ms = row->established = row->opening = row->closing = EVENT_UNKNOWN;
	row->opened_per_min = row->in_per_s = row->out_per_s = EVENT_UNKNOWN;
	row->retransmits_per_min = row->rtt_p50_us = row->rtt_p95_us = EVENT_UNKNOWN;
}

static void blank_window(struct socket_row *row)
{
	row->covered_ms = row->opened = row->bytes_in = row->bytes_out = EVENT_UNKNOWN;
	row->retransmits = row->established_max = EVENT_UNKNOWN;
}

/* rate - n over interval_ms as so many each per_ms. */
static int64_t rate(int64_t n, int64_t interval_ms, int64_t per_ms)
{
	return n < 0 || interval_ms <= 0 ? EVENT_UNKNOWN : n * per_ms / interval_ms;
}

static void take_now(struct socket_row *row, sqlite3_stmt *stmt)
{
	int64_t interval_ms = rd_num(stmt, 5);

	row->t_ms = rd_id(stmt, 3);
	row->source = (enum socket_source)rd_id(stmt, 4);
	row->opened_per_min = rate(rd_num(stmt, 6), interval_ms, MS_PER_MINUTE);
	row->in_per_s = rate(rd_num(stmt, 7), interval_ms, MS_PER_S);
	row->out_per_s = rate(rd_num(stmt, 8), interval_ms, MS_PER_S);
	row->retransmits_per_min = rate(rd_num(stmt, 9), interval_ms, MS_PER_MINUTE);
	row->established = rd_num(stmt, 10);
	row->opening = rd_num(stmt, 11);
	row->closing = rd_num(stmt, 12);
	row->rtt_p50_us = rd_num(stmt, 13);
	row->rtt_p95_us = rd_num(stmt, 14);
}

static struct socket_row *row_of(struct rows *rows, sqlite3_stmt *stmt)
{
	struct socket_row *all = (void *)rows->p, *row;
	int provider = (int)rd_id(stmt, 0);
	int32_t port = (int32_t)rd_id(stmt, 1);
	bool outbound = rd_id(stmt, 2) != 0;

	for (size_t i = 0; i < rows->n; i++)
		if (all[i].provider == provider && all[i].port == port &&
			all[i].outbound == outbound)
			return &all[i];
	row = rows_add(rows);
	if (!row)
		return NULL;
	*row = (struct socket_row){.provider = provider, .port = port, .outbound = outbound};
	blank_now(row);
	blank_window(row);
	return row;
}

static int no_room(struct mt_error *reterr)
{
	return mt_error_set(reterr, MT_ENOMEM, "not enough memory for the ports");
}

static int now_rows(
	struct reader *r, const struct query *q, struct rows *rows, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_SOCKET_PORTS, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, q->provider);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		struct socket_row *row = row_of(rows, stmt);

		if (!row) {
			sqlite3_reset(stmt);
			return no_room(reterr);
		}
		if (q->t1_ms == 0 || q->t1_ms >= rd_id(stmt, 3) - SOCKET_LIVE_MS)
			take_now(row, stmt);
	}
	return rc;
}

static int window_rows(struct reader *r, const struct query *q, const struct window *w,
	struct rows *rows, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_SOCKET_MINUTES, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, q->provider);
	rd_bind(stmt, 2, w->from_s);
	rd_bind(stmt, 3, w->to_s);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		struct socket_row *row = row_of(rows, stmt);

		if (!row) {
			sqlite3_reset(stmt);
			return no_room(reterr);
		}
		row->covered_ms = rd_num(stmt, 3);
		row->opened = rd_num(stmt, 4);
		row->bytes_in = rd_num(stmt, 5);
		row->bytes_out = rd_num(stmt, 6);
		row->retransmits = rd_num(stmt, 7);
		row->established_max = rd_num(stmt, 8);
	}
	return rc;
}

static int by_place(const void *left, const void *right)
{
	const struct socket_row *a = left, *b = right;

	if (a->outbound != b->outbound)
		return a->outbound ? 1 : -1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return (a->provider > b->provider) - (a->provider < b->provider);
}

int read_sockets(struct reader *r, const struct query *q, struct arena *a, struct socket_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct socket_row)};
	struct window w;
	int rc = window_read(r, q, &w, reterr);

	if (rc == 0)
		rc = now_rows(r, q, &rows, reterr);
	if (rc == 0)
		rc = window_rows(r, q, &w, &rows, reterr);
	if (rc == 0 && rows.n)
		qsort(rows.p, rows.n, sizeof(struct socket_row), by_place);
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, (void **)ret, ret_n, reterr);
	rows_free(&rows);
	return rc;
}

static bool asked_for(const struct query *q, const struct socket_peer_row *p)
{
	if (q->port && (p->outbound || p->port != q->port))
		return false;
	if (q->relay_port && (!p->outbound || p->port != q->relay_port))
		return false;
	return q->text.n == 0 || text_has(p->peer, q->text) != q->text_invert;
}

int read_socket_peers(struct reader *r, const struct query *q, struct arena *a,
	struct socket_peer_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct socket_peer_row)};
	size_t limit = q->limit > 0 ? (size_t)q->limit : LIST_ROWS_DEFAULT;
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_SOCKET_PEERS, &stmt, reterr), full = 0;

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, q->provider);
	while (rows.n < limit && (rc = rd_step(r, stmt, reterr)) > 0) {
		struct socket_peer_row p = {.provider = (int)rd_id(stmt, 0),
			.port = (int32_t)rd_id(stmt, 1),
			.outbound = rd_id(stmt, 2) != 0,
			.connections = rd_num(stmt, 4),
			.bytes_in = rd_num(stmt, 5),
			.bytes_out = rd_num(stmt, 6),
			.rtt_us = rd_num(stmt, 7)};
		struct socket_peer_row *row;

		p.peer = rd_str(stmt, 3);
		if (!asked_for(q, &p))
			continue;
		row = rows_add(&rows);
		if (!row)
			break;
		p.peer = give_str(a, p.peer, &full);
		*row = p;
	}
	sqlite3_reset(stmt);
	if (rc >= 0)
		rc = full < 0 ? arena_full(reterr)
			      : rows_give(&rows, rows.n, a, (void **)ret, ret_n, reterr);
	rows_free(&rows);
	return rc;
}
