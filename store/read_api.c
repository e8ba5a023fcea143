/* SPDX-License-Identifier: MIT */
/* read_api - what providers behind a web API told of themselves: IPs, domains, account, budgets, notes on a message. */
#include "store/read_rows.h"
#include "store/read_slots.h"

#include <stdlib.h>

/* A list read row by row: fill takes a row of the statement into an item, texts copied. */
struct listed {
	struct reader *r;
	struct arena *a;
	const struct query *q; /* NULL: no text filter */
	size_t item;
	/* returns true when the row passes the text filter; *rc: arena full */
	bool (*fill)(const struct listed *l, sqlite3_stmt *stmt, void *item, int *rc);
};

static bool filtered(const struct listed *l, struct str a, struct str b, struct str c)
{
	if (!l->q || l->q->text.n == 0)
		return true;
	return (text_has(a, l->q->text) || text_has(b, l->q->text) || text_has(c, l->q->text)) !=
	       l->q->text_invert;
}

static int list(const struct listed *l, enum read_sql id, int64_t key, int64_t limit, void **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct rows rows = {.item = l->item};
	sqlite3_stmt *stmt;
	int rc = rd_prepare(l->r, id, &stmt, reterr);

	*ret = NULL;
	*ret_n = 0;
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, key);
	rd_bind(stmt, 2, limit);
	while ((rc = rd_step(l->r, stmt, reterr)) > 0) {
		void *item = rows_add(&rows);
		int full = 0;

		if (!item) {
			rc = mt_error_set(reterr, MT_ENOMEM, "not enough memory for the list");
			break;
		}
		if (!l->fill(l, stmt, item, &full))
			rows.n--;
		if (full < 0) {
			rc = arena_full(reterr);
			break;
		}
	}
	sqlite3_reset(stmt);
	if (rc == 0)
		rc = rows_give(&rows, rows.n, l->a, ret, ret_n, reterr);
	rows_free(&rows);
	return rc;
}

static bool ip_row(const struct listed *l, sqlite3_stmt *stmt, void *item, int *rc)
{
	struct sending_ip_row *row = item;
	int64_t *const figures[] = {&row->dedicated, &row->enabled, &row->warming, &row->stage,
		&row->stages, &row->day, &row->limit, &row->limit_per_s, &row->hourly_limit,
		&row->percent, &row->started_ms, &row->stage_started_ms, &row->t_ms};

	row->provider = (int)rd_id(stmt, 0);
	row->ip = give_str(l->a, rd_str(stmt, 1), rc);
	row->rdns = give_str(l->a, rd_str(stmt, 2), rc);
	row->pools = give_str(l->a, rd_str(stmt, 3), rc);
	row->region = give_str(l->a, rd_str(stmt, 4), rc);
	for (int i = 0; i < (int)(sizeof(figures) / sizeof(figures[0])); i++)
		*figures[i] = rd_num(stmt, 5 + i);
	return filtered(l, row->ip, row->rdns, row->pools);
}

int read_sending_ips(struct reader *r, const struct query *q, struct arena *a,
	struct sending_ip_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct listed l = {r, a, q, sizeof(struct sending_ip_row), ip_row};
	void *given;
	int rc = list(
		&l, READ_SENDING_IPS, q->provider, (int64_t)read_limit(q), &given, ret_n, reterr);

	*ret = given;
	return rc;
}

static bool domain_row(const struct listed *l, sqlite3_stmt *stmt, void *item, int *rc)
{
	struct sending_domain_row *row = item;

	*row = (struct sending_domain_row){.provider = (int)rd_id(stmt, 0),
		.dns_valid = rd_num(stmt, 7),
		.dns_invalid = rd_num(stmt, 8),
		.dns_unknown = rd_num(stmt, 9),
		.queue_disabled = rd_num(stmt, 10),
		.queue_until_ms = rd_num(stmt, 11),
		.t_ms = rd_num(stmt, 12)};
	row->name = give_str(l->a, rd_str(stmt, 1), rc);
	row->state = give_str(l->a, rd_str(stmt, 2), rc);
	row->subaccount = give_str(l->a, rd_str(stmt, 3), rc);
	row->disabled = give_str(l->a, rd_str(stmt, 4), rc);
	row->dns_wrong = give_str(l->a, rd_str(stmt, 5), rc);
	row->queue_reason = give_str(l->a, rd_str(stmt, 6), rc);
	return filtered(l, row->name, row->state, row->dns_wrong);
}

int read_sending_domains(struct reader *r, const struct query *q, struct arena *a,
	struct sending_domain_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct listed l = {r, a, q, sizeof(struct sending_domain_row), domain_row};
	void *given;
	int rc = list(&l, READ_SENDING_DOMAINS, q->provider, (int64_t)read_limit(q), &given, ret_n,
		reterr);

	*ret = given;
	return rc;
}

static bool account_row(const struct listed *l, sqlite3_stmt *stmt, void *item, int *rc)
{
	struct account_row *row = item;

	*row = (struct account_row){.provider = (int)rd_id(stmt, 0), .t_ms = rd_num(stmt, 3)};
	row->name = give_str(l->a, rd_str(stmt, 1), rc);
	row->value = give_str(l->a, rd_str(stmt, 2), rc);
	return filtered(l, row->name, row->value, row->value);
}

int read_account(struct reader *r, const struct query *q, struct arena *a, struct account_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct listed l = {r, a, q, sizeof(struct account_row), account_row};
	void *given;
	int rc = list(&l, READ_ACCOUNT, q->provider, (int64_t)read_limit(q), &given, ret_n, reterr);

	*ret = given;
	return rc;
}

static bool budget_row(const struct listed *l, sqlite3_stmt *stmt, void *item, int *rc)
{
	struct budget_row *row = item;
	int64_t health = rd_id(stmt, 13);

	*row = (struct budget_row){.provider = (int)rd_id(stmt, 0),
		.used = rd_num(stmt, 5),
		.limit = rd_num(stmt, 6),
		.remaining = rd_num(stmt, 7),
		.window_s = rd_num(stmt, 8),
		.reset_ms = rd_num(stmt, 9),
		.last_ms = rd_num(stmt, 10),
		.next_ms = rd_num(stmt, 11),
		.requests = rd_num(stmt, 12),
		.health = health < HEALTH__COUNT ? (enum health)health : HEALTH_UNKNOWN};
	row->endpoint = give_str(l->a, rd_str(stmt, 1), rc);
	row->source = give_str(l->a, rd_str(stmt, 2), rc);
	row->missing = give_str(l->a, rd_str(stmt, 3), rc);
	row->detail = give_str(l->a, rd_str(stmt, 4), rc);
	return filtered(l, row->endpoint, row->missing, row->detail);
}

int read_budgets(struct reader *r, const struct query *q, struct arena *a, struct budget_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct listed l = {r, a, q, sizeof(struct budget_row), budget_row};
	void *given;
	int rc = list(&l, READ_BUDGETS, q->provider, (int64_t)read_limit(q), &given, ret_n, reterr);

	*ret = given;
	return rc;
}

static bool note_row(const struct listed *l, sqlite3_stmt *stmt, void *item, int *rc)
{
	struct note_row *row = item;
	int64_t kind = rd_id(stmt, 1);

	row->t_ms = rd_num(stmt, 0);
	row->kind = kind < API_EVENT__COUNT ? (enum api_event_kind)kind : API_EVENT_OTHER;
	row->text = give_str(l->a, rd_str(stmt, 2), rc);
	return true;
}

int read_notes(struct reader *r, int64_t message, struct arena *a, struct note_row **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	struct listed l = {r, a, NULL, sizeof(struct note_row), note_row};
	void *given;
	int rc = list(&l, READ_NOTES, message, LIST_ROWS_DEFAULT, &given, ret_n, reterr);

	*ret = given;
	return rc;
}

static int most_first(const void *left, const void *right)
{
	const struct domain_row *a = left, *b = right;
	int64_t na = (a->sent > 0 ? a->sent : 0) + (a->deferred > 0 ? a->deferred : 0) +
		     (a->bounced > 0 ? a->bounced : 0);
	int64_t nb = (b->sent > 0 ? b->sent : 0) + (b->deferred > 0 ? b->deferred : 0) +
		     (b->bounced > 0 ? b->bounced : 0);

	if (na != nb)
		return na > nb ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

static int64_t if_known(uint64_t known, enum metric metric, int64_t n)
{
	return known >> metric & 1 ? n : EVENT_UNKNOWN;
}

int read_vendor_groups(struct reader *r, const struct query *q, enum bucket_dim dim,
	struct arena *a, struct domain_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	static const enum metric metrics[] = {METRIC_SENT, METRIC_DEFERRED, METRIC_BOUNCED};
	struct rows rows = {.item = sizeof(struct domain_row)};
	struct sums sums = {0};
	struct window w;
	uint64_t known = 0;
	bool any;
	void *given = NULL;
	int rc = window_read(r, q, &w, reterr);

	if (rc == 0)
		rc = slots_metrics(r, q->provider, &w, dim, &known, &any, reterr);
	if (rc == 0)
		rc = sums_read(r, &w, dim, q->provider, false, metrics, 3, &sums, reterr);
	for (size_t i = 0; rc == 0 && i < sums.cap; i++) {
		struct domain_row *row;
		struct str name;

		if (!sums.row[i].used)
			continue;
		rc = dict_text(r, sums.row[i].key, &name, reterr);
		if (rc < 0 || (q->text.n && text_has(name, q->text) == q->text_invert))
			continue;
		row = rows_add(&rows);
		if (!row) {
			rc = mt_error_set(reterr, MT_ENOMEM, "not enough memory for the list");
			break;
		}
		*row = (struct domain_row){.key = sums.row[i].key,
			.domain = give_str(a, name, &rc),
			.sent = if_known(known, METRIC_SENT, sums.row[i].n[0]),
			.deferred = if_known(known, METRIC_DEFERRED, sums.row[i].n[1]),
			.bounced = if_known(known, METRIC_BOUNCED, sums.row[i].n[2]),
			.before_sent = EVENT_UNKNOWN,
			.delay_p50_cs = EVENT_UNKNOWN,
			.delay_p90_cs = EVENT_UNKNOWN};
	}
	sums_done(&sums);
	if (rc == 0 && rows.n)
		qsort(rows.p, rows.n, sizeof(struct domain_row), most_first);
	if (rc == 0)
		rc = rows_give(&rows, read_limit(q), a, &given, ret_n, reterr);
	*ret = given;
	rows_free(&rows);
	return rc;
}
