/* SPDX-License-Identifier: MIT */
/* explain - which rule fits a reply; see explain.h. Pure but for what explain_new allocates. */
#include "store/explain/rules.h"

#include "store/base/mem.h"
#include "store/explain/facts.h"

#include <stdlib.h>

#define HOST_MAX_BYTES 255 /* RFC 1035 2.3.4 */

struct asked { /* a reply, prepared */
	const struct explain_rules *r;
	struct reply_facts facts;
	struct str host;
	int provider;
	int32_t dsn, code; /* 0 none */
	struct str folded;
	struct piece_hits hits;
	uint64_t candidates[RULES_MAX / 64];
	char folded_bytes[FOLD_MAX_BYTES];
};

bool rules_host_ends(struct str host, struct str suffix)
{
	host = str_first(host, str_find_char(host, '['));
	if (host.n + 1 == suffix.n) /* the suffix itself, without its dot */
		return str_ieq(host, str_skip(suffix, 1));
	return host.n >= suffix.n && str_ieq(str_skip(host, host.n - suffix.n), suffix);
}

static bool has_piece(const struct asked *q, uint32_t piece)
{
	return q->hits.set[piece / 64] >> (piece % 64) & 1;
}

/* Its first piece is there; are the others, and behind each other? */
static bool all_follow(const struct asked *q, const struct alternative *a)
{
	const uint32_t *ids = list_at(&q->r->piece_ids, a->first);
	size_t from = 0;

	for (uint32_t i = 1; i < a->n; i++)
		if (!has_piece(q, ids[i]))
			return false;
	for (uint32_t i = 0; i < a->n && a->n > 1; i++) {
		const struct piece *piece = list_at(&q->r->pieces, ids[i]);
		size_t first = q->hits.end[ids[i]];

		from = first >= from + piece->text.n ? first : piece_find(piece, q->folded, from);
		if (from == 0)
			return false;
	}
	return true;
}

static bool condition_fits(const struct asked *q, const struct condition *c)
{
	const struct alternative *a = (const struct alternative *)q->r->alternatives.p + c->first;

	for (const struct alternative *end = a + c->n; a < end; a++)
		if (has_piece(q, a->anchor) && all_follow(q, a))
			return !c->negated;
	return c->negated;
}

static bool code_fits(const struct asked *q, const struct rule_code *c)
{
	int32_t digit = q->dsn ? q->dsn / DSN_FIRST : q->code / 100;

	if (c->basic)
		return c->basic < 10 ? c->basic == digit : c->basic == q->code;
	return q->dsn && (c->class_digit == CODE_ANY || c->class_digit == digit) &&
	       c->subject == q->dsn / 1000 % 1000 &&
	       (c->detail == CODE_ANY || c->detail == q->dsn % 1000);
}

static bool host_fits(const struct asked *q, const struct rule *rule)
{
	if (!str_present(rule->host))
		return true;
	if (rule->provider)
		return rule->provider == q->provider;
	return rules_host_ends(q->host, rule->host);
}

static bool rule_fits(const struct asked *q, const struct rule *rule)
{
	bool code = rule->ncodes == 0;

	if (!host_fits(q, rule) || (rule->stages && !(rule->stages >> q->facts.stage & 1)))
		return false;
	for (uint32_t i = 0; i < rule->ncodes && !code; i++)
		code = code_fits(q, list_at(&q->r->codes, rule->first_code + i));
	for (uint32_t i = 0; i < rule->nconditions && code; i++)
		code = condition_fits(q, list_at(&q->r->conditions, rule->first_condition + i));
	return code;
}

static void propose(struct asked *q, uint32_t rule)
{
	q->candidates[rule / 64] |= UINT64_C(1) << (rule % 64);
}

static void propose_coded(struct asked *q, int32_t key)
{
	const struct coded *all = q->r->coded.p;
	size_t low = 0, high = q->r->coded.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < q->r->coded.n && all[low].key == key; low++)
		propose(q, all[low].rule);
}

static const struct rule *first_fitting(struct asked *q, size_t *ret)
{
	const struct explain_rules *r = q->r;

	memset(q->candidates, 0, (r->rules.n + 63) / 64 * sizeof(q->candidates[0]));
	for (size_t i = 0; i < q->hits.n; i++)
		for (uint32_t k = r->anchor_first[q->hits.list[i]];
			k < r->anchor_first[q->hits.list[i] + 1]; k++)
			propose(q, r->anchor_rules[k]);
	if (q->dsn)
		propose_coded(q, q->dsn % DSN_FIRST);
	if (q->code)
		propose_coded(q, -q->code);
	for (size_t i = 0; i < r->always.n; i++)
		propose(q, *(uint32_t *)list_at(&r->always, i));
	for (size_t word = 0; word < (r->rules.n + 63) / 64; word++)
		for (uint64_t left = q->candidates[word]; left; left &= left - 1) {
			size_t number = word * 64 + (size_t)__builtin_ctzll(left);

			if (!rule_fits(q, list_at(&r->rules, number)))
				continue;
			*ret = number;
			return list_at(&r->rules, number);
		}
	return NULL;
}

/* The longest suffix of the host that is some provider's. */
static int provider_of(const struct explain_rules *r, struct str host)
{
	char lower[HOST_MAX_BYTES + 1];
	uint64_t provider;

	if (host.n == 0 || host.n > HOST_MAX_BYTES)
		return 0;
	lower[0] = '.';
	for (size_t i = 0; i < host.n; i++)
		lower[i + 1] = (char)(host.p[i] >= 'A' && host.p[i] <= 'Z' ? host.p[i] + ('a' - 'A')
									   : host.p[i]);
	for (size_t i = 0; i <= host.n; i++)
		if (lower[i] == '.' &&
			map_get(&r->host_of, str_make(lower + i, host.n + 1 - i), &provider))
			return (int)provider;
	return 0;
}

/* A pasted reply: some providers sign their words. */
static int provider_by_marks(const struct asked *q)
{
	for (size_t i = 0; i < q->r->providers.n; i++) {
		const struct provider *p = list_at(&q->r->providers, i);

		if (p->marks.n && condition_fits(q, &p->marks))
			return (int)i + 1;
	}
	return 0;
}

static struct str host_name(struct str relay)
{
	struct str host = str_first(relay, str_find_char(relay, '['));

	return str_find_char(host, '.') < host.n ? host : (struct str){NULL, 0};
}

/* prepare - the record's own code counts unless it says nothing (x.0.0) and the text says more. */
static void prepare(struct asked *q, const struct explain_query *in)
{
	bool enhanced = in->key >= DSN_FIRST;
	size_t n;

	facts_of(in->text, &q->facts);
	q->dsn = q->facts.dsn;
	q->code = q->facts.code;
	if (enhanced && (in->key % DSN_FIRST != 0 || q->dsn == 0))
		q->dsn = (int32_t)in->key;
	if (!enhanced && in->key > 0)
		q->code = (int32_t)in->key;
	if (in->stage != STAGE_NONE)
		q->facts.stage = in->stage;
	q->host = host_name(in->host);
	if (!str_present(q->host))
		q->host = q->facts.host;
	n = fold(q->facts.words, q->facts.code, false, q->folded_bytes);
	q->folded = str_make(q->folded_bytes, n);
	automaton_find(q->r->automaton, q->folded, &q->hits);
	q->provider = provider_of(q->r, q->host);
	if (q->provider == 0 && !str_present(q->host))
		q->provider = provider_by_marks(q);
}

static int32_t class_digit(const struct asked *q)
{
	return q->dsn ? q->dsn / DSN_FIRST : q->code / 100;
}

static enum explain_action action_by_category(enum explain_category category)
{
	switch (category) {
	case CATEGORY_NETWORK:
	case CATEGORY_GREYLISTED:
	case CATEGORY_RATE_LIMITED:
	case CATEGORY_SERVER_ERROR:
	case CATEGORY_SERVER_FULL:
	case CATEGORY_TLS_ERROR:
		return ACTION_RETRYING;
	case CATEGORY_EXPIRED:
	case CATEGORY_LOOP:
	case CATEGORY_USER_UNKNOWN:
		return ACTION_FINAL;
	case CATEGORY_UNKNOWN:
	case CATEGORY_MAILBOX_FULL:
	case CATEGORY_MAILBOX_DISABLED:
	case CATEGORY_DNS_ERROR:
	case CATEGORY_IP_BLOCKED:
	case CATEGORY_SPAM:
	case CATEGORY_VIRUS:
	case CATEGORY_AUTH_POLICY:
	case CATEGORY_POLICY_REJECT:
	case CATEGORY_SENDER_REJECTED:
	case CATEGORY_RELAY_DENIED:
	case CATEGORY_MESSAGE_TOO_BIG:
	case CATEGORY_CONTENT_ERROR:
	case CATEGORY_PROTOCOL_ERROR:
	case CATEGORY__COUNT:
	default:
		return ACTION_UNKNOWN;
	}
}

static enum explain_action action_of(
	const struct asked *q, const struct rule *rule, enum event_status status)
{
	int32_t digit = class_digit(q);

	if (rule && rule->action == ACTION_SUPPRESSED)
		return ACTION_SUPPRESSED;
	if (status == STATUS_DEFERRED)
		return ACTION_RETRYING;
	if (status == STATUS_BOUNCED || status == STATUS_EXPIRED)
		return ACTION_FINAL;
	if (status == STATUS_SENT)
		return ACTION_ACCEPTED;
	if (rule && rule->action != ACTION_UNKNOWN)
		return rule->action;
	if (digit == 4 || digit == 5)
		return digit == 4 ? ACTION_RETRYING : ACTION_FINAL;
	return action_by_category(rule ? rule->category : CATEGORY_UNKNOWN);
}

static void no_rule(const struct asked *q, struct explain_result *out)
{
	int32_t digit = class_digit(q);

	out->layer = LAYER_NONE;
	out->rule = -1;
	out->rule_name = "";
	out->link = "";
	out->todo = "read the reply";
	out->meaning = digit == 0   ? "no code, and words that no rule knows"
		       : digit == 4 ? "refused for now"
		       : digit == 5 ? "refused for good"
				    : "not a code of SMTP";
}

static void accepted(struct explain_result *out)
{
	out->layer = LAYER_NONE;
	out->rule = -1;
	out->rule_name = out->link = out->todo = "";
	out->meaning = "accepted by the next server";
	out->action = ACTION_ACCEPTED;
}

void explain(const struct explain_rules *rules, const struct explain_query *q,
	struct explain_result *out)
{
	struct asked asked;
	const struct rule *rule;
	size_t number = 0;

	if (!rules) {
		*out = (struct explain_result){.layer = LAYER_NONE,
			.rule = -1,
			.rule_name = "",
			.meaning = "no rules",
			.todo = "",
			.link = "",
			.stage = q->stage,
			.key = q->key};
		return;
	}
	asked.r = rules;
	prepare(&asked, q);
	*out = (struct explain_result){.stage = asked.facts.stage, .provider = asked.provider};
	out->key = code_key(asked.dsn, asked.code);
	if (q->status == STATUS_SENT || (q->status == STATUS_NONE && class_digit(&asked) == 2)) {
		accepted(out);
		return;
	}
	rule = first_fitting(&asked, &number);
	out->action = action_of(&asked, rule, q->status);
	if (!rule) {
		no_rule(&asked, out);
		return;
	}
	out->layer = rule->layer;
	out->category = rule->category;
	out->cause = rule->cause;
	out->side = rule->side;
	explain_rule_texts(rules, (int)number, out);
}

int explain_provider(const struct explain_rules *rules, struct str host)
{
	return rules ? provider_of(rules, host_name(host)) : 0;
}

const char *explain_provider_name(const struct explain_rules *rules, int provider)
{
	const struct provider *p;

	if (!rules || provider <= 0 || (size_t)provider > rules->providers.n)
		return "";
	p = list_at(&rules->providers, (size_t)provider - 1);
	return p->name;
}

int explain_rule(const struct explain_rules *rules, struct str name)
{
	uint64_t number;

	return map_get(&rules->names, name, &number) ? (int)number : -1;
}

int explain_rule_count(const struct explain_rules *rules)
{
	return (int)rules->rules.n;
}

void explain_rule_texts(const struct explain_rules *rules, int number, struct explain_result *out)
{
	const struct rule *rule = list_at(&rules->rules, (size_t)number);

	out->rule = number;
	out->rule_name = rule->name;
	out->meaning = rule->meaning;
	out->todo = rule->todo;
	out->link = rule->link;
}

uint64_t explain_hash(const struct explain_rules *rules)
{
	return rules->hash;
}
