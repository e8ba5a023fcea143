/* SPDX-License-Identifier: MIT */
/*
 * egress - by which way mail leaves: attempts of smtp(8) by service tag and mailbox provider, the replies that open a
 * gate of a warm-up, and from which IP a tag sends (table egress).
 *
 * A tag's IP is a matter of configuration and changes with it: rows tell since when, so that old counts keep theirs.
 */
#include "store/writer.h"

#include "store/warmup.h"

#define EGRESS_MAX 1000 /* tags of one instance */

/* The mailbox provider of a relay host, worked out once a host: hosts come in runs. */
static enum mailbox box_of(struct store *s, int32_t relay_host, struct str host)
{
	struct box_known *known = &s->boxes[(uint32_t)relay_host % BOXES_KNOWN];

	if (relay_host == 0)
		return MAILBOX_OTHER;
	if (known->relay_host != relay_host)
		*known = (struct box_known){relay_host, (uint8_t)mailbox_of(host)};
	return (enum mailbox)known->box;
}

void egress_count(struct store *s, const struct at *at, const struct event *e, int32_t relay_host,
	enum metric metric)
{
	enum mailbox box;
	enum warmup_gate gate;

	if (!str_eq(e->process, STR_LIT("smtp")) || !at->service)
		return;
	box = box_of(s, relay_host, e->relay_host);
	count_add(&s->counts, at->p->id, at->minute, DIM_EGRESS_MAILBOX,
		egress_key(at->service, (int)box), metric, 1);
	if (metric == METRIC_SENT || box == MAILBOX_OTHER)
		return;
	gate = gate_signal(box, e->code, e->dsn, e->reply);
	if (gate != GATE__COUNT)
		count_add(&s->counts, at->p->id, at->minute, DIM_GATE,
			egress_key(at->service, (int)gate), metric, 1);
}

/* Is what is known of the tag last what the row says? ret_first: nothing is known. */
static int is_known(struct store *s, int provider, const struct egress_row *row, bool *ret_same,
	bool *ret_first, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_EGRESS_LAST, reterr);
	int rc;

	*ret_same = false;
	*ret_first = true;
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, row->tag);
	rc = db_row(&s->db, stmt, reterr);
	if (rc > 0) {
		*ret_first = false;
		*ret_same = str_eq(column_str(stmt, 0), row->ip) &&
			    str_eq(column_str(stmt, 1), row->note);
		sqlite3_reset(stmt);
		rc = 0;
	}
	return rc;
}

static int set(struct store *s, int provider, const struct egress_row *row, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	bool same, first;
	int rc = is_known(s, provider, row, &same, &first, reterr);

	if (rc < 0 || same)
		return rc;
	stmt = db_stmt(&s->db, SQL_EGRESS_SET, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, row->tag);
	bind_int(stmt, 3, first ? 0 : clock_utc_ms(s->clock));
	bind_str(stmt, 4, row->ip);
	bind_str(stmt, 5, row->note);
	return db_run(&s->db, stmt, reterr);
}

int store_egress(struct store *s, int provider, const struct egress_row *rows, size_t n,
	struct mt_error *reterr)
{
	struct mt_error local;
	int rc;

	reterr = reterr ? reterr : &local;
	if (!provider_state(s, provider))
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	rc = txn_begin(s, reterr);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n && i < EGRESS_MAX; i++)
		rc = set(s, provider, &rows[i], reterr);
	return txn_end(s, rc, reterr);
}
