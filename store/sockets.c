/* SPDX-License-Identifier: MIT */
/*
 * sockets - samples of the kernel's TCP sockets into the cache: the newest one whole, what moved added to its minute;
 * and how the machine fares.
 * A quiet server costs two small transactions a minute.
 */
#include "store/writer.h"

#define SAME_SAMPLE_MS 30000
#define MS_PER_MINUTE 60000
#define S_PER_MINUTE 60

static bool port_moved(const struct socket_port *p)
{
	return p->established > 0 || p->opening > 0 || p->closing > 0 || p->opened > 0 ||
	       p->bytes_in > 0 || p->bytes_out > 0;
}

static bool moved(const struct socket_sample *sample)
{
	for (size_t i = 0; i < sample->nports; i++)
		if (port_moved(&sample->ports[i]))
			return true;
	return false;
}

static int run_for(struct store *s, enum sql_id id, int provider, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, id, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	return db_run(&s->db, stmt, reterr);
}

static int put_port(struct store *s, int provider, const struct socket_sample *sample,
	const struct socket_port *p, int64_t now_ms, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SOCKET_PORT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, p->port);
	bind_int(stmt, 3, p->outbound);
	bind_int(stmt, 4, now_ms);
	bind_int(stmt, 5, sample->source);
	bind_known(stmt, 6, sample->interval_ms);
	bind_known(stmt, 7, p->opened);
	bind_known(stmt, 8, p->bytes_in);
	bind_known(stmt, 9, p->bytes_out);
	bind_known(stmt, 10, p->retransmits);
	bind_int(stmt, 11, p->established);
	bind_int(stmt, 12, p->opening);
	bind_int(stmt, 13, p->closing);
	bind_known(stmt, 14, p->rtt_p50_us);
	bind_known(stmt, 15, p->rtt_p95_us);
	return db_run(&s->db, stmt, reterr);
}

static int add_minute(struct store *s, int provider, const struct socket_sample *sample,
	const struct socket_port *p, int64_t now_ms, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;

	if (sample->interval_ms < 0) /* nothing to compare with yet */
		return 0;
	stmt = db_stmt(&s->db, SQL_SOCKET_MINUTE, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, now_ms / MS_PER_MINUTE * S_PER_MINUTE);
	bind_int(stmt, 3, p->port);
	bind_int(stmt, 4, p->outbound);
	bind_int(stmt, 5, sample->interval_ms);
	bind_int(stmt, 6, p->opened > 0 ? p->opened : 0);
	bind_int(stmt, 7, p->bytes_in > 0 ? p->bytes_in : 0);
	bind_int(stmt, 8, p->bytes_out > 0 ? p->bytes_out : 0);
	bind_int(stmt, 9, p->retransmits > 0 ? p->retransmits : 0);
	bind_int(stmt, 10, p->established);
	bind_known(stmt, 11, p->rtt_p50_us);
	bind_known(stmt, 12, p->rtt_p95_us);
	return db_run(&s->db, stmt, reterr);
}

static int put_peer(
	struct store *s, int provider, const struct socket_peer *p, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SOCKET_PEER, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, p->port);
	bind_int(stmt, 3, p->outbound);
	bind_str(stmt, 4, p->peer);
	bind_int(stmt, 5, p->connections);
	bind_known(stmt, 6, p->bytes_in);
	bind_known(stmt, 7, p->bytes_out);
	bind_known(stmt, 8, p->rtt_us);
	return db_run(&s->db, stmt, reterr);
}

static int put_sample(struct store *s, int provider, const struct socket_sample *sample,
	int64_t now_ms, struct mt_error *reterr)
{
	int rc = run_for(s, SQL_SOCKET_PORT_CLEAR, provider, reterr);

	if (rc == 0)
		rc = run_for(s, SQL_SOCKET_PEER_CLEAR, provider, reterr);
	for (size_t i = 0; rc == 0 && i < sample->nports; i++)
		rc = put_port(s, provider, sample, &sample->ports[i], now_ms, reterr);
	for (size_t i = 0; rc == 0 && i < sample->nports; i++)
		rc = add_minute(s, provider, sample, &sample->ports[i], now_ms, reterr);
	for (size_t i = 0; rc == 0 && i < sample->npeers; i++)
		rc = put_peer(s, provider, &sample->peers[i], reterr);
	return rc;
}

int store_sockets(
	struct store *s, int provider, const struct socket_sample *sample, struct mt_error *reterr)
{
	struct provider_state *p = provider_state(s, provider);
	int64_t now_ms = clock_utc_ms(s->clock);
	struct mt_error local;
	bool quiet = !moved(sample);
	int rc;

	reterr = reterr ? reterr : &local;
	if (!p)
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	if (quiet && p->told_quiet_sockets && now_ms >= p->told_sockets_ms &&
		now_ms < p->told_sockets_ms + SAME_SAMPLE_MS)
		return 0;
	rc = txn_begin(s, reterr);
	if (rc == 0)
		rc = txn_end(s, put_sample(s, provider, sample, now_ms, reterr), reterr);
	if (rc == 0) {
		p->told_sockets_ms = now_ms;
		p->told_quiet_sockets = quiet;
	}
	return rc;
}

static int put_host(struct store *s, int provider, const int64_t gauge[HOST__COUNT], int64_t now_ms,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_HOST_MINUTE, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, now_ms / MS_PER_MINUTE * S_PER_MINUTE);
	bind_int(stmt, 3, now_ms);
	for (int i = 0; i < HOST__COUNT; i++)
		bind_known(stmt, 4 + i, gauge[i]);
	return db_run(&s->db, stmt, reterr);
}

int store_host(
	struct store *s, int provider, const int64_t gauge[HOST__COUNT], struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	rc = txn_begin(s, reterr);
	return rc < 0 ? rc
		      : txn_end(s, put_host(s, provider, gauge, clock_utc_ms(s->clock), reterr),
				reterr);
}

size_t store_ports(struct store *s, int32_t *out, size_t max)
{
	struct mt_error ignored;
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SERVICE_PORTS, &ignored);
	size_t n = 0;

	while (stmt && n < max && sqlite3_step(stmt) == SQLITE_ROW)
		out[n++] = (int32_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return n;
}
