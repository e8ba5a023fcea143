/* SPDX-License-Identifier: MIT */
/*
 * read_clusters_rows - failures and refusals in groups counted from rows, newest first, where a filter is set that buckets
 * do not serve; and the domains and egress that signatures hit. What a reply means is asked once a wording and relay.
 */
#include "store/read_clusters.h"

#include "store/reply.h"

#define MS_PER_S 1000
#define HIT_ROWS_MAX 10000 /* newest failures whose domains and egress are counted: 10 ms */

enum hit_kind { HIT_DOMAIN, HIT_TAG, HIT_IP };

struct record { /* what tells records of different reason apart */
	int64_t reply, relay, code, stage, refusal;
};

static int explain_record(
	struct clusters *c, const struct record *rec, struct str args, struct cluster_info *out)
{
	struct explain_query q = {.key = rec->code, .stage = (enum smtp_stage)rec->stage};
	struct explain_result why;
	struct str text, mailbox;
	int rc = dict_text(c->r, rec->reply, &text, c->reterr);

	*out = (struct cluster_info){.reply = rec->reply,
		.code = rec->code,
		.relay = rec->relay,
		.stage = (enum smtp_stage)rec->stage,
		.refusal = rec->refusal != 0,
		.first_ms = EVENT_UNKNOWN,
		.last_ms = EVENT_UNKNOWN};
	buf_clear(&c->r->text);
	if (rc == 0)
		rc = reply_join(text, args, &c->r->text);
	if (rc == 0)
		rc = dict_text(c->r, rec->relay, &q.host, c->reterr);
	if (rc < 0)
		return rc;
	q.text = buf_str(&c->r->text);
	explain(c->rules, &q, &why);
	out->category = why.category;
	out->cause = why.cause;
	out->side = why.side;
	out->suppressed = why.action == ACTION_SUPPRESSED;
	out->args = give_str(c->a, args, &rc);
	out->rule = give_str(c->a, str_of(why.rule_name), &rc);
	mailbox = str_of(explain_provider_name(c->rules, why.provider));
	if (rc == 0 && mailbox.n)
		rc = dict_find(c->r, DICT_MAILBOX, mailbox, &out->mailbox, c->reterr);
	return rc;
}

/* The signature of a record, asked once; *ret_number of it. */
static int info_number(
	struct clusters *c, const struct record *rec, struct str args, uint64_t *ret_number)
{
	struct str name = {(const char *)rec, sizeof(*rec)};
	struct cluster_info info, *kept;
	int rc;

	if (map_get(&c->info_of, name, ret_number))
		return 0;
	rc = explain_record(c, rec, args, &info);
	if (rc == 0)
		rc = clusters_join(c, &info);
	if (rc < 0)
		return rc;
	kept = rows_add(&c->infos);
	if (!kept)
		return mt_error_set(c->reterr, MT_ENOMEM, "not enough memory for the errors");
	*kept = info;
	*ret_number = c->infos.n - 1;
	map_set(&c->info_of, name, *ret_number);
	return 0;
}

static int add_record(struct clusters *c, const struct record *rec, struct str args, int64_t t_ms,
	const struct cluster_counts *n, int64_t key)
{
	struct cluster_info *info;
	struct cluster_group *g;
	uint64_t number;
	int rc = info_number(c, rec, args, &number);

	if (rc < 0)
		return rc;
	info = &((struct cluster_info *)(void *)c->infos.p)[number];
	if (info->group < 0)
		return 0;
	if (c->by >= CLUSTER_DESTINATION)
		info->group = clusters_group(c, key, true);
	if (info->group < 0)
		return mt_error_set(c->reterr, MT_ENOMEM, "not enough memory for the errors");
	g = clusters_at(c, info->group);
	clusters_add(g, info, n);
	if (t_ms > g->row.last_ms)
		g->row.last_ms = t_ms;
	return 0;
}

static int64_t key_of(
	const struct clusters *c, const struct raw_attempt *a, const struct raw_message *m)
{
	return c->by == CLUSTER_DESTINATION ? a->dom
	       : c->by == CLUSTER_EGRESS    ? a->egress
	       : m                          ? m->from_dom
					    : 0;
}

static int owner_of(struct clusters *c, const struct raw_attempt *a, int64_t *ret_from)
{
	struct raw_message m;
	int rc = raw_message_get(c->r, a->message, false, &m, c->reterr);

	if (rc == 0)
		*ret_from = m.from_dom;
	return rc == MT_ENOENT ? 0 : rc;
}

static int attempt_seen(void *ctx, const struct raw_attempt *a, const struct raw_message *m)
{
	struct clusters *c = ctx;
	struct cluster_counts n = {a->status == STATUS_DEFERRED, a->status == STATUS_BOUNCED, 0};
	struct record rec = {a->reply, a->relay, code_key(a->dsn, a->code), (int64_t)a->stage, 0};
	int64_t key = key_of(c, a, m);
	int rc = 0;

	if (n.deferred + n.bounced == 0)
		return 0;
	if (c->by == CLUSTER_SENDER && !m)
		rc = owner_of(c, a, &key);
	return rc < 0 ? rc : add_record(c, &rec, a->args, a->t_ms, &n, key);
}

static int one_reject(
	struct clusters *c, const struct filter *f, const struct window *w, sqlite3_stmt *stmt)
{
	const struct cluster_counts one = {0, 0, 1};
	struct record rec;
	struct raw_reject x;
	int rc;

	raw_reject_read(stmt, &x);
	if (x.t_ms < w->from_s * MS_PER_S || x.t_ms >= w->to_s * MS_PER_S ||
		x.action != REJECT_REJECT || (f->q->provider && x.provider != f->q->provider))
		return 0;
	rc = filter_reject(c->r, f, &x, c->reterr);
	rec = (struct record){x.reply, 0, code_key(x.dsn, x.code), (int64_t)x.stage, 1};
	return rc > 0 ? add_record(c, &rec, x.args, x.t_ms, &one, 0) : rc;
}

static int scan_rejects(struct clusters *c, const struct window *w)
{
	struct filter f;
	struct id_range ids;
	sqlite3_stmt *stmt;
	bool cut;
	int rc = filter_init(c->r, c->q, &f, c->reterr);

	if (rc == 0)
		rc = window_ids(c->r, c->q->provider, w->from_s * MS_PER_S, w->to_s * MS_PER_S,
			MARK_REJECT, &ids, c->reterr);
	if (rc < 0 || f.impossible || str_present(c->q->egress))
		return rc;
	rc = rejects_newest(
		c->r, &f, &ids, REJECT_REJECT, count_rows_max(c->q), &stmt, &cut, c->reterr);
	if (rc < 0)
		return rc;
	while ((rc = rd_step(c->r, stmt, c->reterr)) > 0) {
		rc = one_reject(c, &f, w, stmt);
		if (rc < 0)
			break;
	}
	c->r->truncated = c->r->truncated || cut;
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

int clusters_of_rows(struct clusters *c, const struct window *w)
{
	int rc = scan_failures(c->r, c->q, w, count_rows_max(c->q), attempt_seen, c, c->reterr);

	if (rc == 0 && c->by < CLUSTER_DESTINATION && c->q->status == STATUS_NONE)
		rc = scan_rejects(c, w);
	if (rc == 0 && c->by == CLUSTER_SIGNATURE)
		rc = clusters_hits(c, w);
	return rc;
}

static void count_hit(struct clusters *c, int64_t group, int64_t id, enum hit_kind kind, int64_t *n)
{
	struct {
		int64_t group, id, kind;
	} hit = {group, id, kind};
	bool new;

	map_ref(&c->hits, (struct str){(const char *)&hit, sizeof(hit)}, &new);
	*n = (*n < 0 ? 0 : *n) + new;
}

/* The IP an attempt left by: the number of the first row that has it, + 1; 0 not known. */
static int ip_number(struct clusters *c, const struct raw_attempt *a, int64_t *ret)
{
	struct str tag, ip;
	int64_t since, until;
	int rc = c->nknown ? dict_text(c->r, a->egress, &tag, c->reterr) : 0;

	*ret = 0;
	if (rc < 0 || c->nknown == 0)
		return rc;
	ip = egress_ip(c->known, c->nknown, a->provider, tag, a->t_ms, &since, &until);
	for (size_t i = 0; str_present(ip) && i < c->nknown && *ret == 0; i++)
		if (str_eq(c->known[i].ip, ip))
			*ret = (int64_t)i + 1;
	return 0;
}

static int hit_seen(void *ctx, const struct raw_attempt *a, const struct raw_message *m)
{
	struct clusters *c = ctx;
	int64_t group = clusters_group(c, a->reply * 2, false), ip;
	struct cluster_row *row;
	int rc;

	(void)m;
	if (group < 0 || (a->status != STATUS_DEFERRED && a->status != STATUS_BOUNCED))
		return 0;
	rc = ip_number(c, a, &ip);
	row = &clusters_at(c, group)->row;
	count_hit(c, group, a->dom, HIT_DOMAIN, &row->ndomains);
	count_hit(c, group, ip ? ip : a->egress, ip ? HIT_IP : HIT_TAG, &row->negress);
	return rc;
}

int clusters_hits(struct clusters *c, const struct window *w)
{
	bool truncated = c->r->truncated;
	int rc;

	c->r->truncated = false;
	rc = scan_failures(c->r, c->q, w, HIT_ROWS_MAX, hit_seen, c, c->reterr);
	for (size_t i = 0; i < c->groups.n; i++)
		clusters_at(c, (int64_t)i)->row.at_least = c->r->truncated;
	c->r->truncated = truncated;
	return rc;
}
