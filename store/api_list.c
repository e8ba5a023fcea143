/* SPDX-License-Identifier: MIT */
/* api_list - lists of a vendor into their tables: suppressions, sending IPs, domains, the account, request budgets. */
#include "store/api_private.h"

#define ADDRESS_MAX_BYTES 512

static struct str lower(struct str text, char room[static ADDRESS_MAX_BYTES])
{
	text = str_first(text, ADDRESS_MAX_BYTES);
	for (size_t i = 0; i < text.n; i++)
		room[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + ('a' - 'A')
								      : text.p[i]);
	return (struct str){room, text.n};
}

static struct str or_empty(struct str text)
{
	return str_present(text) ? text : (struct str){"", 0};
}

/* Rows that this walk did not meet. */
static int drop_unseen(
	struct store *s, int provider, const struct list_op *op, struct mt_error *reterr)
{
	enum sql_id id = op->list == API_LIST_IPS       ? SQL_SENDING_IP_UNSEEN
			 : op->list == API_LIST_DOMAINS ? SQL_SENDING_DOMAIN_UNSEEN
							: SQL_SUPPRESSION_UNSEEN;
	sqlite3_stmt *stmt = db_stmt(&s->db, id, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, op->list);
	bind_str(stmt, 3, or_empty(op->scope));
	return db_run(&s->db, stmt, reterr);
}

static int walk(
	struct store *s, int provider, const struct list_op *op, bool end, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = end && op->complete ? drop_unseen(s, provider, op, reterr) : 0;

	if (rc < 0)
		return rc;
	stmt = db_stmt(&s->db, end ? SQL_API_WALK_END : SQL_API_WALK_BEGIN, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, op->list);
	bind_str(stmt, 3, or_empty(op->scope));
	bind_int(stmt, 4, end ? op->complete : op->resume);
	if (end)
		bind_int(stmt, 5, clock_utc_ms(s->clock));
	return db_run(&s->db, stmt, reterr);
}

static int suppression(
	struct store *s, int provider, const struct api_suppression *row, struct mt_error *reterr)
{
	char room[ADDRESS_MAX_BYTES];
	struct str address = lower(row->address, room);
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SUPPRESSION_PUT, reterr);
	size_t at = str_rfind_char(address, '@');

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, row->list);
	bind_str(stmt, 3, or_empty(row->scope));
	bind_str(stmt, 4, address);
	bind_str(stmt, 5, at < address.n ? str_skip(address, at + 1) : address);
	bind_str(stmt, 6, row->reason);
	bind_str(stmt, 7, row->code);
	bind_known(stmt, 8, row->created_ms);
	return db_run(&s->db, stmt, reterr);
}

static int suppression_gone(
	struct store *s, int provider, const struct list_op *op, struct mt_error *reterr)
{
	char room[ADDRESS_MAX_BYTES];
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SUPPRESSION_GONE, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, op->list);
	bind_str(stmt, 3, or_empty(op->scope));
	bind_str(stmt, 4, lower(op->address, room));
	return db_run(&s->db, stmt, reterr);
}

static int sending_ip(
	struct store *s, int provider, const struct api_ip *row, struct mt_error *reterr)
{
	const int64_t figures[] = {row->dedicated, row->enabled, row->warming, row->stage,
		row->stages, row->day, row->limit, row->limit_per_s, row->hourly_limit,
		row->percent, row->started_ms, row->stage_started_ms};
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SENDING_IP_PUT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, row->ip);
	bind_str(stmt, 3, row->rdns);
	bind_str(stmt, 4, row->pools);
	bind_str(stmt, 5, row->region);
	for (int i = 0; i < (int)(sizeof(figures) / sizeof(figures[0])); i++)
		bind_known(stmt, 6 + i, figures[i]);
	bind_int(stmt, 18, clock_utc_ms(s->clock));
	bind_int(stmt, 19, API_LIST_IPS);
	return db_run(&s->db, stmt, reterr);
}

static int sending_domain(
	struct store *s, int provider, const struct api_domain *row, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_SENDING_DOMAIN_PUT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, row->name);
	bind_str(stmt, 3, row->state);
	bind_str(stmt, 4, row->subaccount);
	bind_str(stmt, 5, row->disabled);
	bind_known(stmt, 6, row->dns_valid);
	bind_known(stmt, 7, row->dns_invalid);
	bind_known(stmt, 8, row->dns_unknown);
	bind_str(stmt, 9, row->dns_wrong);
	bind_known(stmt, 10, row->queue_disabled);
	bind_known(stmt, 11, row->queue_until_ms);
	bind_str(stmt, 12, row->queue_reason);
	bind_int(stmt, 13, clock_utc_ms(s->clock));
	bind_int(stmt, 14, API_LIST_DOMAINS);
	return db_run(&s->db, stmt, reterr);
}

static int account(
	struct store *s, int provider, const struct account_op *op, struct mt_error *reterr)
{
	bool gone = !str_present(op->value);
	sqlite3_stmt *stmt = db_stmt(&s->db, gone ? SQL_ACCOUNT_DELETE : SQL_ACCOUNT_SET, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, op->name);
	if (!gone) {
		bind_str(stmt, 3, op->value);
		bind_int(stmt, 4, clock_utc_ms(s->clock));
	}
	return db_run(&s->db, stmt, reterr);
}

static int budget(
	struct store *s, int provider, const struct api_budget *row, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_API_BUDGET_PUT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, row->endpoint);
	bind_str(stmt, 3, row->source);
	bind_known(stmt, 4, row->used);
	bind_known(stmt, 5, row->limit);
	bind_known(stmt, 6, row->remaining);
	bind_known(stmt, 7, row->window_s);
	bind_known(stmt, 8, row->reset_ms);
	bind_known(stmt, 9, row->last_ms);
	bind_known(stmt, 10, row->next_ms);
	bind_int(stmt, 11, row->requests);
	bind_int(stmt, 12, row->health);
	bind_str(stmt, 13, row->missing);
	bind_str(stmt, 14, row->detail);
	bind_int(stmt, 15, clock_utc_ms(s->clock));
	return db_run(&s->db, stmt, reterr);
}

int api_write_sizes(struct store *s, struct mt_error *reterr)
{
	const struct api_op *ops = s->batch.api.p;
	uint64_t done[API_LIST__SUPPRESSIONS] = {
		0}; /* the newest provider counted of each list, and a few more */
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->batch.api.n; i++) {
		sqlite3_stmt *stmt;
		int list = ops[i].kind == OP_SUPPRESSION
				   ? (int)((const struct api_suppression *)ops[i].row)->list
			   : ops[i].kind == OP_SUPPRESSION_GONE || ops[i].kind == OP_LIST_END
				   ? (int)((const struct list_op *)ops[i].row)->list
				   : API_LIST__SUPPRESSIONS;

		if (list >= API_LIST__SUPPRESSIONS || done[list] == (uint64_t)ops[i].provider)
			continue;
		done[list] = (uint64_t)ops[i].provider;
		stmt = db_stmt(&s->db, SQL_SUPPRESSION_COUNT, reterr);
		if (!stmt)
			return (int)reterr->code;
		bind_int(stmt, 1, ops[i].provider);
		bind_int(stmt, 2, list);
		rc = db_run(&s->db, stmt, reterr);
	}
	return rc;
}

int api_write_list(struct store *s, const struct api_op *op, struct mt_error *reterr)
{
	switch (op->kind) {
	case OP_LIST_BEGIN:
	case OP_LIST_END:
		return walk(s, op->provider, op->row, op->kind == OP_LIST_END, reterr);
	case OP_SUPPRESSION:
		return suppression(s, op->provider, op->row, reterr);
	case OP_SUPPRESSION_GONE:
		return suppression_gone(s, op->provider, op->row, reterr);
	case OP_IP:
		return sending_ip(s, op->provider, op->row, reterr);
	case OP_DOMAIN:
		return sending_domain(s, op->provider, op->row, reterr);
	case OP_ACCOUNT:
		return account(s, op->provider, op->row, reterr);
	case OP_BUDGET:
		return budget(s, op->provider, op->row, reterr);
	case OP_COVER:
	case OP_COUNTS:
	case OP_ATTEMPT_CHANGED:
	case OP_TALLY:
	case OP_NOTE:
		break;
	}
	return 0;
}
