/* SPDX-License-Identifier: MIT */
/* api - what a provider behind a web API tells, into the batch: counters, lists, figures of the account. */
#include "store/api_private.h"

#define SLOT_DAY_MIN_S (23 * RES_HOUR) /* the days on which clocks are changed */
#define SLOT_DAY_MAX_S (25 * RES_HOUR)
#define TIME_MAX_S (TIME_MAX_MS / 1000)
#define DOMAIN_MAX_BYTES 255
#define TEXT_MAX_BYTES 2048
/* What no vendor's counter may set: figures that only a log tells. */
#define METRICS_OF_APIS                                                                            \
	(UINT64_C(1) << METRIC_SENT | UINT64_C(1) << METRIC_DEFERRED |                             \
		UINT64_C(1) << METRIC_BOUNCED | UINT64_C(1) << METRIC_FIRST_TRY |                  \
		(~UINT64_C(0) << METRIC_REQUESTS & ((UINT64_C(1) << METRIC__COUNT) - 1)))

_Static_assert(METRIC__COUNT < 64, "sets of metrics are 64 bits");

static int no_room(struct mt_error *reterr)
{
	return mt_error_set(reterr, MT_ENOMEM, "cache: the batch is too large");
}

void *api_op(struct store *s, int provider, enum api_op_kind kind, size_t row_bytes,
	struct mt_error *reterr)
{
	void *row = NULL;
	struct api_op *op;

	if (!provider_state(s, provider)) {
		mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
		return NULL;
	}
	row = arena_alloc(&s->batch.arena, row_bytes);
	if (!row) {
		no_room(reterr);
		return NULL;
	}
	memset(row, 0, row_bytes);
	op = vec_add(&s->batch.api);
	*op = (struct api_op){.kind = kind, .provider = provider, .row = row};
	s->batch.api_rows++;
	return row;
}

/* Copy of a text that may be cut; absent stays absent. */
static struct str keep(struct store *s, struct str text)
{
	return batch_str(s, str_first(text, TEXT_MAX_BYTES));
}

int store_api_provider(
	struct store *s, int provider, const struct api_provider *p, struct mt_error *reterr)
{
	struct mt_error local;
	sqlite3_stmt *stmt;
	struct str zone = str_of(p->time_zone ? p->time_zone : "");
	bool recut = false;
	int rc;

	reterr = reterr ? reterr : &local;
	rc = txn_begin(s, reterr);
	if (rc < 0)
		return rc;
	stmt = db_stmt(&s->db, SQL_PROVIDER_SLOTS, reterr);
	if (!stmt)
		return txn_end(s, (int)reterr->code, reterr);
	bind_int(stmt, 1, provider);
	rc = db_row(&s->db, stmt, reterr);
	if (rc > 0) {
		recut = sqlite3_column_int64(stmt, 0) != p->finest_bucket_s ||
			!str_eq(column_str(stmt, 1), zone);
		sqlite3_reset(stmt);
	}
	/* slots cut elsewhere would overlap the new ones and count twice: they are asked for again */
	for (int i = 0; rc >= 0 && recut && i < 2; i++) {
		stmt = db_stmt(&s->db, i ? SQL_API_COVER_CLEAR : SQL_API_SLOTS_CLEAR, reterr);
		if (stmt)
			bind_int(stmt, 1, provider);
		rc = stmt ? db_run(&s->db, stmt, reterr) : (int)reterr->code;
	}
	stmt = rc < 0 ? NULL : db_stmt(&s->db, SQL_PROVIDER_API, reterr);
	if (!stmt)
		return txn_end(s, rc < 0 ? rc : (int)reterr->code, reterr);
	bind_int(stmt, 1, provider);
	bind_int(stmt, 2, p->finest_bucket_s);
	bind_str(stmt, 3, zone);
	bind_int(stmt, 4, p->demo);
	return txn_end(s, db_run(&s->db, stmt, reterr), reterr);
}

static int dict_of(enum bucket_dim dim)
{
	static const signed char kinds[DIM__COUNT] = {[DIM_DOMAIN] = DICT_DOMAIN + 1,
		[DIM_SENDER] = DICT_DOMAIN + 1,
		[DIM_MAILBOX] = DICT_MAILBOX + 1,
		[DIM_IP] = DICT_IP + 1,
		[DIM_TAG] = DICT_TAG + 1,
		[DIM_SUBACCOUNT] = DICT_SUBACCOUNT + 1,
		[DIM_CLASS] = DICT_CLASS + 1};

	return kinds[dim] - 1;
}

/* Key of a dimension from the vendor's name. */
static int key_of(struct store *s, enum bucket_dim dim, struct str name, int64_t *ret,
	struct mt_error *reterr)
{
	struct at at = {.day = (int32_t)(clock_utc_ms(s->clock) / MS_PER_DAY)};
	char address[DOMAIN_MAX_BYTES + 1] = "@";
	struct str local;
	int32_t id = 0;
	int kind, rc;

	*ret = 0;
	if (dim == DIM_TOTAL)
		return 0;
	kind = (unsigned)dim < DIM__COUNT ? dict_of(dim) : -1;
	if (kind < 0)
		return mt_error_set(
			reterr, MT_EINVAL, "cache: no counters by dimension %d", (int)dim);
	name = str_first(name, kind == DICT_DOMAIN ? DOMAIN_MAX_BYTES : TEXT_MAX_BYTES);
	if (kind == DICT_DOMAIN && name.n)
		memcpy(address + 1, name.p, name.n);
	if (kind == DICT_DOMAIN)
		rc = join_domain(s, &at, (struct str){address, name.n + 1}, &local, &id, reterr);
	else
		rc = join_id(
			s, &at, (enum dict_kind)kind, str_first(name, TEXT_MAX_BYTES), &id, reterr);
	*ret = id;
	return rc;
}

static bool fits(int res, int64_t from_s, int64_t length_s)
{
	if (from_s < 0 || from_s > TIME_MAX_S)
		return false;
	if (res == RES_SLOT_DAY)
		return length_s >= SLOT_DAY_MIN_S && length_s <= SLOT_DAY_MAX_S;
	return length_s == res - 1 && from_s % (res - 1) == 0;
}

int store_api_covered(
	struct store *s, int provider, const struct api_cover *c, struct mt_error *reterr)
{
	struct mt_error local;
	struct cover_op *op;
	int64_t key = 0;
	int rc;

	reterr = reterr ? reterr : &local;
	if (c->to_s <= c->from_s || c->from_s < 0 || c->to_s > TIME_MAX_S ||
		(c->metrics & ~METRICS_OF_APIS))
		return mt_error_set(reterr, MT_EINVAL, "cache: no such range of counters");
	rc = key_of(s, c->dim, c->key, &key, reterr);
	if (rc < 0)
		return rc;
	op = api_op(s, provider, OP_COVER, sizeof(*op), reterr);
	if (!op)
		return (int)reterr->code;
	*op = (struct cover_op){.dim = c->dim,
		.key = str_present(c->key) && c->dim != DIM_TOTAL ? key : KEY_ALL,
		.from_s = c->from_s,
		.to_s = c->to_s,
		.fetched_ms = c->fetched_ms,
		.metrics = c->metrics};
	return 0;
}

int store_api_counts(struct store *s, int provider, const struct api_slot *slot,
	const struct api_figure *figures, size_t n, struct mt_error *reterr)
{
	struct mt_error local;
	struct counts_op *op;
	int64_t key = 0;
	int res = slot_resolution(slot->length_s), rc;

	reterr = reterr ? reterr : &local;
	if (res == 0 || !fits(res, slot->start_s, slot->length_s))
		return mt_error_set(reterr, MT_EINVAL, "cache: no slot of %lld s at %lld",
			(long long)slot->length_s, (long long)slot->start_s);
	if (n > METRIC__COUNT)
		return mt_error_set(reterr, MT_EINVAL, "cache: too many figures of a slot");
	for (size_t i = 0; i < n; i++)
		if ((unsigned)figures[i].metric >= METRIC__COUNT ||
			!(METRICS_OF_APIS >> figures[i].metric & 1))
			return mt_error_set(reterr, MT_EINVAL, "cache: no vendor counts metric %d",
				(int)figures[i].metric);
	rc = key_of(s, slot->dim, slot->key, &key, reterr);
	if (rc < 0)
		return rc;
	op = api_op(s, provider, OP_COUNTS, sizeof(*op) + n * sizeof(op->figure[0]), reterr);
	if (!op)
		return (int)reterr->code;
	op->dim = slot->dim;
	op->res = res;
	op->key = key;
	op->start_s = slot->start_s;
	op->length_s = slot->length_s;
	for (size_t i = 0; i < n; i++)
		if (figures[i].n >= 0)
			op->figure[op->n++] = figures[i];
	return 0;
}

static int list_op(struct store *s, int provider, enum api_op_kind kind, const struct list_op *of,
	struct mt_error *reterr)
{
	struct mt_error local;
	struct list_op *op;

	reterr = reterr ? reterr : &local;
	if ((unsigned)of->list >= API_LIST__COUNT)
		return mt_error_set(reterr, MT_EINVAL, "cache: no list %d", (int)of->list);
	op = api_op(s, provider, kind, sizeof(*op), reterr);
	if (!op)
		return (int)reterr->code;
	*op = *of;
	op->scope = keep(s, of->scope);
	op->address = keep(s, of->address);
	return 0;
}

int store_api_list_begin(struct store *s, int provider, enum api_list list, struct str scope,
	bool resume, struct mt_error *reterr)
{
	return list_op(s, provider, OP_LIST_BEGIN,
		&(struct list_op){.list = list, .scope = scope, .resume = resume}, reterr);
}

int store_api_list_end(struct store *s, int provider, enum api_list list, struct str scope,
	bool complete, struct mt_error *reterr)
{
	return list_op(s, provider, OP_LIST_END,
		&(struct list_op){.list = list, .scope = scope, .complete = complete}, reterr);
}

int store_api_suppression_gone(struct store *s, int provider, enum api_list list, struct str scope,
	struct str address, struct mt_error *reterr)
{
	return list_op(s, provider, OP_SUPPRESSION_GONE,
		&(struct list_op){.list = list, .scope = scope, .address = address}, reterr);
}

/* A row copied whole, then its texts made the batch's own. */
static void *copy_row(struct store *s, int provider, enum api_op_kind kind, const void *row,
	size_t bytes, struct str *const *texts, size_t ntexts, struct mt_error *reterr)
{
	char *op = api_op(s, provider, kind, bytes, reterr);

	if (!op)
		return NULL;
	memcpy(op, row, bytes);
	for (size_t i = 0; i < ntexts; i++) {
		size_t at = (size_t)((const char *)texts[i] - (const char *)row);
		struct str kept = keep(s, *texts[i]);

		memcpy(op + at, &kept, sizeof(kept));
	}
	return op;
}
#define COPY_ROW(s, provider, kind, of, ...)                                                       \
	(copy_row(s, provider, kind, &(of), sizeof(of), (struct str *const[]){__VA_ARGS__},        \
		 sizeof((struct str *const[]){__VA_ARGS__}) / sizeof(struct str *), reterr)        \
			? 0                                                                        \
			: (int)reterr->code)

int store_api_suppression(
	struct store *s, int provider, const struct api_suppression *row, struct mt_error *reterr)
{
	struct mt_error local;
	struct api_suppression r = *row;

	reterr = reterr ? reterr : &local;
	if ((unsigned)r.list >= API_LIST__SUPPRESSIONS || r.address.n == 0)
		return mt_error_set(reterr, MT_EINVAL, "cache: no such suppression");
	return COPY_ROW(s, provider, OP_SUPPRESSION, r, &r.scope, &r.address, &r.reason, &r.code);
}

int store_api_ip(struct store *s, int provider, const struct api_ip *row, struct mt_error *reterr)
{
	struct mt_error local;
	struct api_ip r = *row;

	reterr = reterr ? reterr : &local;
	if (r.ip.n == 0)
		return mt_error_set(reterr, MT_EINVAL, "cache: a sending IP without address");
	return COPY_ROW(s, provider, OP_IP, r, &r.ip, &r.rdns, &r.pools, &r.region);
}

int store_api_domain(
	struct store *s, int provider, const struct api_domain *row, struct mt_error *reterr)
{
	struct mt_error local;
	struct api_domain r = *row;

	reterr = reterr ? reterr : &local;
	if (r.name.n == 0)
		return mt_error_set(reterr, MT_EINVAL, "cache: a sending domain without name");
	return COPY_ROW(s, provider, OP_DOMAIN, r, &r.name, &r.state, &r.subaccount, &r.disabled,
		&r.dns_wrong, &r.queue_reason);
}

int store_api_account(
	struct store *s, int provider, struct str name, struct str value, struct mt_error *reterr)
{
	struct mt_error local;
	struct account_op r = {name, value};

	reterr = reterr ? reterr : &local;
	return COPY_ROW(s, provider, OP_ACCOUNT, r, &r.name, &r.value);
}

int store_api_budget(
	struct store *s, int provider, const struct api_budget *row, struct mt_error *reterr)
{
	struct mt_error local;
	struct api_budget r = *row;

	reterr = reterr ? reterr : &local;
	return COPY_ROW(s, provider, OP_BUDGET, r, &r.endpoint, &r.source, &r.missing, &r.detail);
}

static bool is_count(const struct api_op *op)
{
	return op->kind == OP_COVER || op->kind == OP_COUNTS;
}

int api_write(struct store *s, struct mt_error *reterr)
{
	const struct api_op *ops = s->batch.api.p;
	int rc = 0;

	for (size_t i = 0; i < s->nproviders; i++)
		s->providers[i].api_counted = false;
	for (size_t i = 0; rc == 0 && i < s->batch.api.n; i++) {
		if (is_count(&ops[i])) {
			struct provider_state *p = provider_state(s, ops[i].provider);

			/* counters are worked out a provider at a time, at its first operation */
			if (p && !p->api_counted)
				rc = api_write_counts(s, ops[i].provider, reterr);
			if (p)
				p->api_counted = true;
		} else if (ops[i].kind >= OP_ATTEMPT_CHANGED) {
			rc = api_write_event(s, &ops[i], reterr);
		} else {
			rc = api_write_list(s, &ops[i], reterr);
		}
	}
	if (rc == 0)
		rc = api_write_ids(s, reterr);
	return rc == 0 && s->batch.api.n ? api_write_sizes(s, reterr) : rc;
}
