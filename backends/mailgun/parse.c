/* SPDX-License-Identifier: MIT */
/* parse - see parse.h: the way into a body, its shapes by name and by look, what all shapes share. */
#include "backends/mailgun/parse.h"

#include "backends/api_members.h"
#include "backends/mailgun/private.h"

#define MARK_SEED 0x6d61726b

struct shape {
	const char *name;
	int (*parse)(struct parse *p, const json_t *root);
	const char *const *members; /* that are read; NULL: all are handed on */
};

static const struct shape shapes[MAILGUN__SHAPES] = {
	[MAILGUN_METRICS] = {"metrics", mailgun_parse_metrics, NULL},
	[MAILGUN_STATS] = {"stats", mailgun_parse_stats, NULL},
	[MAILGUN_LOGS] = {"logs", mailgun_parse_logs, mailgun_event_members},
	[MAILGUN_EVENTS] = {"events", mailgun_parse_events, mailgun_event_members},
	[MAILGUN_BOUNCES] = {"bounces", mailgun_parse_suppressions, NULL},
	[MAILGUN_COMPLAINTS] = {"complaints", mailgun_parse_suppressions, NULL},
	[MAILGUN_UNSUBSCRIBES] = {"unsubscribes", mailgun_parse_suppressions, NULL},
	[MAILGUN_ALLOW] = {"whitelists", mailgun_parse_suppressions, NULL},
	[MAILGUN_DOMAINS] = {"domains", mailgun_parse_domains, NULL},
	[MAILGUN_DOMAIN] = {"domain", mailgun_parse_domain, NULL},
	[MAILGUN_QUEUES] = {"sending_queues", mailgun_parse_queues, NULL},
	[MAILGUN_IPS] = {"ips", mailgun_parse_ips, NULL},
	[MAILGUN_IP] = {"ip", mailgun_parse_ip, NULL},
	[MAILGUN_POOLS] = {"ip_pools", mailgun_parse_pools, NULL},
	[MAILGUN_WARMUPS] = {"ip_warmups", mailgun_parse_warmups, NULL},
	[MAILGUN_WARMUP] = {"ip_warmup", mailgun_parse_warmup, NULL},
	[MAILGUN_LIMIT] = {"limit", mailgun_parse_limit, NULL},
	[MAILGUN_ME] = {"me", mailgun_parse_me, NULL},
};

const char *mailgun_shape_name(enum mailgun_shape shape)
{
	return shape < MAILGUN__SHAPES ? shapes[shape].name : "";
}

enum mailgun_shape mailgun_shape_of(struct str name)
{
	for (int i = 0; i < MAILGUN__SHAPES; i++)
		if (str_eq(name, str_of(shapes[i].name)))
			return (enum mailgun_shape)i;
	return MAILGUN__SHAPES;
}

int mailgun_odd(struct parse *p)
{
	p->result->odd++;
	return 0;
}

int mailgun_misshaped(struct parse *p, const char *what)
{
	return mt_error_set(p->error, MT_EPROTO, "the answer of %s has no %s",
		shapes[p->ask->shape].name, what);
}

/* mark - of the first and last row, whatever stands around them (paging URLs, dates). */
static void mark(struct parse *p, const json_t *list)
{
	size_t n = json_array_size(list);

	p->result->mark = api_json_hash(
		json_array_get(list, n - 1), api_json_hash(json_array_get(list, 0), MARK_SEED + n));
}

int mailgun_each(struct parse *p, const json_t *list, mailgun_row fn)
{
	const json_t *row;
	size_t i;
	int rc = 0;

	if (!json_is_array(list))
		return mailgun_misshaped(p, "list of rows");
	mark(p, list);
	json_array_foreach(list, i, row)
	{
		p->result->rows++;
		rc = json_is_object(row) ? fn(p, row) : mailgun_odd(p);
		if (rc < 0)
			break;
	}
	return rc;
}

int mailgun_next(struct parse *p, struct str place)
{
	return place.n && p->sink->next ? p->sink->next(p->sink->ctx, place) : 0;
}

static int load(enum mailgun_shape shape, struct str body, json_t **ret, struct mt_error *reterr)
{
	struct buf less;
	int rc;

	if (!shapes[shape].members)
		return api_json_body(body, ret, reterr);
	buf_init(&less, body.n);
	rc = api_members(body, shapes[shape].members, &less);
	rc = rc < 0 ? mt_error_set(reterr, (enum mt_err)rc, "no room for the answer")
		    : api_json_body(buf_str(&less), ret, reterr);
	buf_done(&less);
	return rc;
}

int mailgun_parse(const struct mailgun_ask *ask, struct str body, const struct mailgun_sink *sink,
	struct mailgun_result *ret, struct mt_error *reterr)
{
	struct mailgun_result result = {.total = EVENT_UNKNOWN, .newest_ms = EVENT_UNKNOWN};
	struct parse p = {ask, sink, &result, reterr};
	json_t *root;
	int rc = load(ask->shape, body, &root, reterr);

	if (rc == 0) {
		rc = json_is_object(root) ? shapes[ask->shape].parse(&p, root)
					  : mailgun_misshaped(&p, "object");
		api_json_done(root);
	}
	if (ret)
		*ret = result;
	return rc;
}

static bool has(const json_t *o, const char *name)
{
	return json_object_get(o, name) != NULL;
}

static enum mailgun_shape guess_list(const json_t *root)
{
	const json_t *row = json_array_get(json_object_get(root, "items"), 0);

	if (has(root, "assignable_to_pools") || has(root, "details") || json_is_string(row))
		return MAILGUN_IPS;
	if (has(row, "metrics"))
		return MAILGUN_METRICS;
	if (has(row, "event"))
		return has(row, "@timestamp") ? MAILGUN_LOGS : MAILGUN_EVENTS;
	if (has(row, "stage_number") || has(row, "sent_within_stage"))
		return MAILGUN_WARMUPS;
	if (has(row, "address"))
		return has(row, "tags")                        ? MAILGUN_UNSUBSCRIBES
		       : has(row, "error") || has(row, "code") ? MAILGUN_BOUNCES
							       : MAILGUN_COMPLAINTS;
	if (has(row, "value") && has(row, "type"))
		return MAILGUN_ALLOW;
	if (has(root, "pagination") && has(root, "dimensions"))
		return MAILGUN_METRICS;
	if (has(row, "state") || has(root, "total_count"))
		return MAILGUN_DOMAINS;
	return has(root, "pagination") ? MAILGUN_LOGS
	       : has(root, "paging")   ? MAILGUN_BOUNCES
				       : MAILGUN__SHAPES;
}

static enum mailgun_shape guess(const json_t *root)
{
	if (has(root, "items"))
		return guess_list(root);
	if (has(root, "event"))
		return has(root, "@timestamp") ? MAILGUN_LOGS : MAILGUN_EVENTS;
	if (has(root, "stats"))
		return MAILGUN_STATS;
	if (has(root, "sending_dns_records"))
		return MAILGUN_DOMAIN;
	if (has(root, "regular") || has(root, "scheduled"))
		return MAILGUN_QUEUES;
	if (has(root, "ip_pools"))
		return MAILGUN_POOLS;
	if (has(root, "details"))
		return MAILGUN_WARMUP;
	if (has(root, "ip") && (has(root, "rdns") || has(root, "dedicated")))
		return MAILGUN_IP;
	if (has(root, "limit") && has(root, "current"))
		return MAILGUN_LIMIT;
	return has(root, "account_id") && has(root, "role") ? MAILGUN_ME : MAILGUN__SHAPES;
}

enum mailgun_shape mailgun_guess(struct str body)
{
	json_t *root;
	enum mailgun_shape shape = MAILGUN__SHAPES;

	if (api_json_body(body, &root, NULL) == 0) {
		shape = guess(root);
		api_json_done(root);
	}
	return shape;
}
