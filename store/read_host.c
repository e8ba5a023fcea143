/* SPDX-License-Identifier: MIT */
/* read_host - how the machine fares: the newest figures up to the window's end, and the worst of the window. */
#include "store/read_window.h"

#define MS_PER_S 1000

int read_host(
	struct reader *r, const struct query *q, struct host_figures *out, struct mt_error *reterr)
{
	struct host_figures f = {.t_ms = EVENT_UNKNOWN};
	sqlite3_stmt *stmt;
	struct window w;
	int rc = window_read(r, q, &w, reterr);

	for (int i = 0; i < HOST__COUNT; i++)
		f.now[i] = f.worst[i] = EVENT_UNKNOWN;
	if (rc == 0)
		rc = rd_prepare(r, READ_HOST_NOW, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, q->provider);
	rd_bind(stmt, 2, w.to_s);
	rc = rd_step(r, stmt, reterr);
	if (rc > 0 && rd_id(stmt, 0) >= w.to_s * MS_PER_S - HOST_LIVE_MS) {
		f.t_ms = rd_id(stmt, 0);
		for (int i = 0; i < HOST__COUNT; i++)
			f.now[i] = rd_num(stmt, 1 + i);
	}
	sqlite3_reset(stmt);
	if (rc >= 0)
		rc = rd_prepare(r, READ_HOST_WORST, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, q->provider);
	rd_bind(stmt, 2, w.from_s);
	rd_bind(stmt, 3, w.to_s);
	rc = rd_step(r, stmt, reterr);
	for (int i = 0; rc > 0 && i < HOST__COUNT; i++)
		f.worst[i] = rd_num(stmt, i);
	sqlite3_reset(stmt);
	*out = f;
	return rc < 0 ? rc : 0;
}
