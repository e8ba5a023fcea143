/* SPDX-License-Identifier: MIT */
/* parse - see parse.h: the way into a body, what all shapes share, scopes, names and errors. */
#include "backends/sendgrid/parse.h"

#include "backends/sendgrid/json.h"

#include <stdio.h>

int sendgrid_odd(struct parse *p)
{
	p->result->odd++;
	return 0;
}

void sendgrid_seen(struct parse *p, int64_t t_ms)
{
	struct sendgrid_result *r = p->result;

	if (t_ms == EVENT_UNKNOWN)
		return;
	if (r->newest_ms == EVENT_UNKNOWN || t_ms > r->newest_ms)
		r->newest_ms = t_ms;
	if (r->oldest_ms == EVENT_UNKNOWN || t_ms < r->oldest_ms)
		r->oldest_ms = t_ms;
}

int sendgrid_each_row(struct parse *p, const json_t *list, row_fn fn)
{
	size_t n = json_array_size(list);
	int rc = 0;

	if (!json_is_array(list))
		return mt_error_set(p->error, MT_EPROTO, "the answer holds no list");
	p->result->rows = n;
	for (size_t i = 0; i < n && rc == 0; i++) {
		const json_t *row = json_array_get(list, i);

		rc = !json_is_object(row) ? sendgrid_odd(p) : fn ? fn(p, row) : 0;
	}
	return rc;
}

static int parse_scopes(struct parse *p, const json_t *root)
{
	const json_t *list = json_object_get(root, "scopes");
	size_t n = json_array_size(list);
	int rc = 0;

	if (!json_is_array(list))
		return mt_error_set(p->error, MT_EPROTO, "the answer holds no list of scopes");
	p->result->rows = n;
	for (size_t i = 0; i < n && rc == 0; i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_string(v))
			sendgrid_odd(p);
		else if (p->sink->scope)
			rc = p->sink->scope(p->sink->ctx,
				str_make(json_string_value(v), json_string_length(v)));
	}
	return rc;
}

static int subuser(struct parse *p, const json_t *row)
{
	struct str name = api_json_text(row, "username");

	if (name.n == 0)
		return sendgrid_odd(p);
	return p->sink->subuser ? p->sink->subuser(p->sink->ctx, name, api_json_number(row, "id"))
				: 0;
}

static int parse_subusers(struct parse *p, const json_t *root)
{
	return sendgrid_each_row(p, root, subuser);
}

static int parse_pools(struct parse *p, const json_t *root)
{
	char text[32];
	struct str value = {text, 0};
	int rc;

	if (!json_is_array(root))
		return mt_error_set(p->error, MT_EPROTO, "the answer holds no list of pools");
	p->result->rows = json_array_size(root);
	value.n = (size_t)snprintf(text, sizeof(text), "%zu", p->result->rows);
	rc = p->sink->account ? p->sink->account(p->sink->ctx, STR_LIT("IP pools"), value) : 0;
	return rc;
}

static int parse_username(struct parse *p, const json_t *root)
{
	struct str name = api_json_text(root, "username");

	if (name.n == 0)
		return mt_error_set(p->error, MT_EPROTO, "the answer holds no username");
	p->result->rows = 1;
	return p->sink->account ? p->sink->account(p->sink->ctx, STR_LIT("username"), name) : 0;
}

/* The scopes by https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions */
static const struct {
	const char *name, *scope;
	int (*parse)(struct parse *p, const json_t *root);
} endpoints[SENDGRID__ENDPOINTS] = {
	[SENDGRID_SCOPES] = {"scopes", NULL, parse_scopes},
	[SENDGRID_STATS] = {"stats", "stats.read", sendgrid_days},
	[SENDGRID_MAILBOXES] = {"mailbox providers", "mailbox_providers.stats.read", sendgrid_days},
	[SENDGRID_CATEGORIES] = {"categories", "categories.stats.read", sendgrid_days},
	[SENDGRID_CLASSES] = {"bounce classes", "suppression.bounces.read", sendgrid_classes},
	[SENDGRID_BOUNCES] = {"bounces", "suppression.bounces.read", sendgrid_suppressions},
	[SENDGRID_BLOCKS] = {"blocks", "suppression.blocks.read", sendgrid_suppressions},
	[SENDGRID_INVALID] = {"invalid", "suppression.invalid_emails.read", sendgrid_suppressions},
	[SENDGRID_SPAM] = {"spam reports", "suppression.spam_reports.read", sendgrid_suppressions},
	[SENDGRID_UNSUBSCRIBES] = {"unsubscribes", "suppression.unsubscribes.read",
		sendgrid_suppressions},
	[SENDGRID_LOGS] = {"logs", "messages.read", sendgrid_messages},
	[SENDGRID_LOG] = {"log", "messages.read", sendgrid_message},
	[SENDGRID_MESSAGES] = {"activity", "email_activity.read", sendgrid_messages},
	[SENDGRID_IPS] = {"ips", "ips.read", sendgrid_ips},
	[SENDGRID_POOLS] = {"pools", "ips.pools.read", parse_pools},
	[SENDGRID_WARMUP] = {"warm-up", "ips.warmup.read", sendgrid_warmup},
	[SENDGRID_ACCOUNT] = {"account", "user.account.read", sendgrid_account},
	[SENDGRID_CREDITS] = {"credits", "user.credits.read", sendgrid_credits},
	[SENDGRID_USERNAME] = {"username", "user.username.read", parse_username},
	[SENDGRID_SUBUSERS] = {"subusers", "subusers.read", parse_subusers},
	[SENDGRID_REPUTATIONS] = {"reputations", "subusers.reputations.read", sendgrid_reputations},
};

const char *sendgrid_endpoint_name(enum sendgrid_endpoint endpoint)
{
	return endpoints[endpoint].name;
}

const char *sendgrid_endpoint_scope(enum sendgrid_endpoint endpoint)
{
	return endpoints[endpoint].scope;
}

static json_t *load(struct str body, struct mt_error *reterr)
{
	json_error_t error;
	json_t *root = json_loadb(body.p ? body.p : "", body.n, JSON_ALLOW_NUL, &error);

	if (!root)
		mt_error_set(reterr, MT_EPROTO, "no JSON at byte %d of %zu: %.80s", error.position,
			body.n, error.text);
	return root;
}

int sendgrid_parse(const struct sendgrid_ask *ask, struct str body,
	const struct sendgrid_sink *sink, struct sendgrid_result *ret, struct mt_error *reterr)
{
	struct sendgrid_result own;
	struct parse p = {ask, sink, ret ? ret : &own, reterr};
	json_t *root = load(body, reterr);
	int rc;

	*p.result = (struct sendgrid_result){.newest_ms = EVENT_UNKNOWN,
		.oldest_ms = EVENT_UNKNOWN,
		.first_day = INT64_MAX,
		.last_day = INT64_MIN};
	if (!root)
		return MT_EPROTO;
	rc = endpoints[ask->endpoint].parse(&p, root);
	api_json_done(root);
	return rc;
}

static bool has(const json_t *row, const char *name)
{
	return json_object_get(row, name) != NULL;
}

static enum sendgrid_endpoint guess_row(const json_t *row)
{
	const json_t *stats = json_object_get(row, "stats"), *first = json_array_get(stats, 0);

	if (json_is_array(stats)) {
		struct str type = api_json_text(first, "type");

		return str_eq(type, STR_LIT("mailbox_provider")) ? SENDGRID_MAILBOXES
		       : str_eq(type, STR_LIT("category"))       ? SENDGRID_CATEGORIES
								 : SENDGRID_STATS;
	}
	if (has(row, "created") && has(row, "email"))
		return has(row, "status")   ? SENDGRID_BOUNCES
		       : has(row, "reason") ? SENDGRID_INVALID
		       : has(row, "ip")     ? SENDGRID_SPAM
					    : SENDGRID_UNSUBSCRIBES;
	if (has(row, "ip"))
		return has(row, "pools") || has(row, "subusers") ? SENDGRID_IPS : SENDGRID_WARMUP;
	if (has(row, "reputation") && has(row, "username"))
		return SENDGRID_REPUTATIONS;
	if (has(row, "username") && has(row, "id"))
		return SENDGRID_SUBUSERS;
	return has(row, "name") ? SENDGRID_POOLS : SENDGRID__ENDPOINTS;
}

static enum sendgrid_endpoint guess_object(const json_t *root)
{
	static const struct {
		const char *member;
		enum sendgrid_endpoint endpoint;
	} members[] = {{"scopes", SENDGRID_SCOPES}, {"messages", SENDGRID_LOGS},
		{"events", SENDGRID_LOG}, {"remain", SENDGRID_CREDITS}};
	const json_t *result = json_array_get(json_object_get(root, "result"), 0);

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (has(root, members[i].member))
			return members[i].endpoint;
	if (json_is_array(json_object_get(root, "stats")))
		return guess_row(root);
	if (result)
		return has(result, "ip")      ? SENDGRID_IPS
		       : has(result, "stats") ? SENDGRID_CLASSES
					      : SENDGRID_POOLS;
	if (has(root, "username"))
		return SENDGRID_USERNAME;
	if (has(root, "ip"))
		return guess_row(root);
	return has(root, "reputation") ? SENDGRID_ACCOUNT : SENDGRID__ENDPOINTS;
}

enum sendgrid_endpoint sendgrid_guess(struct str body)
{
	json_t *root = load(body, NULL);
	enum sendgrid_endpoint found = SENDGRID__ENDPOINTS;

	if (json_is_array(root) && json_array_size(root) == 0)
		found = SENDGRID_STATS; /* nothing, of whatever it was asked */
	else if (json_is_array(root))
		found = guess_row(json_array_get(root, 0));
	else if (root)
		found = guess_object(root);
	api_json_done(root);
	return found;
}

void sendgrid_refusal(struct str body, char *text, size_t size)
{
	json_t *root = load(body, NULL);
	const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
	struct str message = api_json_text(first, "message");

	snprintf(text, size, "%.*s", STR_ARG(str_first(message, size - 1)));
	api_json_done(root);
}
