/* SPDX-License-Identifier: MIT */
/* plan_egress - see plan_egress.h; and the rows of table egress. */
#include "store/plan_egress.h"

#include "store/base/mem.h"
#include "store/reply.h"

#include <stdlib.h>

#define ARENA_MAX_BYTES (1u << 20)
#define HOUR_MS INT64_C(3600000)

int read_egress(struct reader *r, struct arena *a, struct egress_known **ret, size_t *ret_n,
	struct mt_error *reterr)
{
	struct rows rows = {.item = sizeof(struct egress_known)};
	sqlite3_stmt *stmt;
	void *given = NULL;
	int full = 0, rc = rd_prepare(r, READ_EGRESS, &stmt, reterr);

	while (rc == 0 && (rc = rd_step(r, stmt, reterr)) > 0) {
		struct egress_known *row = rows_add(&rows);

		rc = 0;
		if (!row) {
			rc = mt_error_set(reterr, MT_ENOMEM, "not enough memory for the list");
			sqlite3_reset(stmt);
			break;
		}
		*row = (struct egress_known){.provider = (int)rd_id(stmt, 0),
			.tag = give_str(a, rd_str(stmt, 1), &full),
			.since_ms = rd_id(stmt, 2),
			.ip = give_str(a, rd_str(stmt, 3), &full),
			.note = give_str(a, rd_str(stmt, 4), &full)};
	}
	if (rc == 0)
		rc = rows_give(&rows, rows.n, a, &given, ret_n, reterr);
	*ret = given;
	rows_free(&rows);
	return rc == 0 && full < 0 ? arena_full(reterr) : rc;
}

struct str egress_ip(const struct egress_known *known, size_t n, int provider, struct str tag,
	int64_t t_ms, int64_t *ret_since, int64_t *ret_until)
{
	struct str ip = {NULL, 0};

	*ret_since = INT64_MIN;
	*ret_until = INT64_MAX;
	for (size_t i = 0; i < n; i++) {
		const struct egress_known *e = &known[i];

		if (e->provider != provider || !str_eq(e->tag, tag))
			continue;
		if (e->since_ms <= t_ms) {
			ip = e->ip;
			*ret_since = e->since_ms;
		} else if (e->since_ms < *ret_until) {
			*ret_until = e->since_ms;
		}
	}
	return ip;
}

struct str egress_one_ip(
	const struct egress_known *known, size_t n, struct str tag, int64_t from_ms, int64_t to_ms)
{
	struct str ip = {NULL, 0};

	for (size_t i = 0; i < n; i++) {
		int64_t since, until;
		struct str at;

		if (!str_eq(known[i].tag, tag) || known[i].since_ms >= to_ms)
			continue;
		at = egress_ip(known, n, known[i].provider, tag, from_ms, &since, &until);
		if (until < to_ms || !str_present(at) || (str_present(ip) && !str_eq(ip, at)))
			return (struct str){NULL, 0};
		ip = at;
	}
	return ip;
}

static struct str provider_name(const struct plan_egress *e, int provider)
{
	for (size_t i = 0; i < e->nproviders; i++)
		if (e->providers[i].id == provider)
			return e->providers[i].name;
	return (struct str){NULL, 0};
}

/* "postfix-out" is the head of "postfix-out/smtp" and of "postfix-out/relay/smtp". */
static bool names_tag(struct str word, struct str tag)
{
	return str_eq(word, tag) ||
	       (tag.n > word.n && tag.p[word.n] == '/' && str_starts(tag, word));
}

/* One of the addresses, which are space separated. */
static bool has_ip(struct str ips, struct str word)
{
	while (ips.n > 0) {
		struct str ip = str_first(ips, str_find_char(ips, ' '));

		if (str_eq(ip, word))
			return true;
		ips = str_skip(ips, ip.n + 1);
	}
	return false;
}

static bool wanted(const struct plan_egress *e, int provider, struct str tag, struct str ip)
{
	for (size_t i = 0; i < e->plan->negress; i++) {
		struct str word = str_of(e->plan->egress[i]);

		if (names_tag(word, tag) || has_ip(ip, word) ||
			str_eq(word, provider_name(e, provider)))
			return true;
	}
	return false;
}

int plan_egress_open(struct reader *r, const struct warmup_plan *plan, struct plan_egress *out,
	struct mt_error *reterr)
{
	int rc;

	*out = (struct plan_egress){.r = r, .plan = plan, .last_key = -1};
	arena_init(&out->arena, ARENA_MAX_BYTES);
	rc = read_egress(r, &out->arena, &out->known, &out->nknown, reterr);
	if (rc == 0)
		rc = read_providers(r, &out->arena, &out->providers, &out->nproviders, reterr);
	return rc;
}

void plan_egress_done(struct plan_egress *e)
{
	arena_done(&e->arena);
	*e = (struct plan_egress){0};
}

/* Keys of one service come together. */
int plan_egress_has(struct plan_egress *e, int provider, int64_t service, int64_t t_ms, bool *ret,
	struct mt_error *reterr)
{
	struct str tag;
	int rc;

	if (e->last_key == service && e->last_provider == provider && t_ms >= e->last_since &&
		t_ms < e->last_until) {
		*ret = e->last_answer;
		return 0;
	}
	rc = dict_text(e->r, service, &tag, reterr);
	if (rc < 0)
		return rc;
	e->last_key = service;
	e->last_provider = provider;
	e->last_answer = wanted(e, provider, tag,
		egress_ip(
			e->known, e->nknown, provider, tag, t_ms, &e->last_since, &e->last_until));
	*ret = e->last_answer;
	return 0;
}

bool plan_egress_provider(const struct plan_egress *e, int provider)
{
	struct str name = provider_name(e, provider);

	for (size_t i = 0; i < e->plan->negress; i++)
		if (str_eq(str_of(e->plan->egress[i]), name))
			return true;
	return false;
}

bool plan_egress_ip(const struct plan_egress *e, struct str ip)
{
	for (size_t i = 0; i < e->plan->negress; i++)
		if (str_eq(str_of(e->plan->egress[i]), ip))
			return true;
	return false;
}

bool plan_egress_met(const struct plan_egress *e)
{
	for (size_t i = 0; i < e->nknown; i++)
		if (wanted(e, e->known[i].provider, e->known[i].tag, e->known[i].ip))
			return true;
	return false;
}

int plan_attempts_begin(struct reader *r, const struct warmup_plan *plan, struct mt_error *reterr)
{
	plan_attempts_done(r);
	r->plan = xcalloc(1, sizeof(*r->plan));
	return plan_egress_open(r, plan, r->plan, reterr);
}

void plan_attempts_done(struct reader *r)
{
	if (r->plan)
		plan_egress_done(r->plan);
	free(r->plan);
	r->plan = NULL;
}

/* Counted were the records of smtp(8): of a row its tag tells, whose last part names the program or transport. */
static bool is_smtp(struct str tag, bool has_relay)
{
	static const char *const others[] = {
		"lmtp", "local", "virtual", "pipe", "error", "retry", "discard", "bounce"};
	size_t slash = str_rfind_char(tag, '/');
	struct str last = slash < tag.n ? str_skip(tag, slash + 1) : tag;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (str_eq(last, str_of(others[i])))
			return false;
	return has_relay || str_eq(last, STR_LIT("smtp")) || str_eq(last, STR_LIT("mta"));
}

/* The gate that the reply of an attempt opens. */
static int signal_of(struct reader *r, const struct raw_attempt *a, enum mailbox box, int *ret,
	struct mt_error *reterr)
{
	struct str text;
	int rc = dict_text(r, a->reply, &text, reterr);

	buf_clear(&r->text);
	if (rc == 0 && reply_join(text, a->args, &r->text) < 0)
		rc = mt_error_set(reterr, MT_ENOMEM, "not enough memory for a reply");
	*ret = (int)gate_signal(box, a->code, a->dsn, buf_str(&r->text));
	return rc;
}

int plan_attempt(struct reader *r, const struct query *q, const struct raw_attempt *a, bool *ret,
	struct mt_error *reterr)
{
	struct str tag, relay;
	enum mailbox box;
	int opens = 0;
	bool ours = false;
	/* counts are of hours, and an IP is that of the hour's beginning */
	int rc = plan_egress_has(
		r->plan, a->provider, a->egress, a->t_ms - a->t_ms % HOUR_MS, &ours, reterr);

	*ret = false;
	if (rc < 0 || !ours || (a->status != STATUS_DEFERRED && a->status != STATUS_BOUNCED))
		return rc;
	rc = dict_text(r, a->egress, &tag, reterr);
	ours = rc == 0 && is_smtp(tag, a->relay != 0);
	if (rc == 0)
		rc = dict_text(r, a->relay, &relay, reterr);
	if (rc < 0 || !ours)
		return rc;
	box = mailbox_of(relay_host(relay));
	if ((q->gate_box && (int)box != q->gate_box - 1) ||
		(q->plan->has_only && box != q->plan->only))
		return 0;
	if (q->gate_signal)
		rc = signal_of(r, a, box, &opens, reterr);
	*ret = rc == 0 && (!q->gate_signal || opens == q->gate_signal - 1);
	return rc;
}
