/* SPDX-License-Identifier: MIT */
/* words - the vocabulary of explanations as words, and words of rule files as values. */
#include "store/explain/rules.h"

#include "store/base/scan.h"
#include "store/explain/facts.h"

static const char *const categories[CATEGORY__COUNT] = {
#define CATEGORY_WORD(id, word, cause, side) [CATEGORY_##id] = word,
	CATEGORY_LIST(CATEGORY_WORD)
#undef CATEGORY_WORD
};
static const char *const causes[CAUSE__COUNT] = {
#define CAUSE_WORD(id, word) [CAUSE_##id] = word,
	CAUSE_LIST(CAUSE_WORD)
#undef CAUSE_WORD
};
static const char *const sides[SIDE__COUNT] = {
#define SIDE_WORD(id, word) [SIDE_##id] = word,
	SIDE_LIST(SIDE_WORD)
#undef SIDE_WORD
};
static const char *const actions[ACTION__COUNT] = {
#define ACTION_WORD(id, word) [ACTION_##id] = word,
	ACTION_LIST(ACTION_WORD)
#undef ACTION_WORD
};
static const char *const stages[STAGE__COUNT] = {
	"", "connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end-of-data", "other"};

enum explain_class explain_class(enum explain_category category)
{
	static const enum explain_class of[CATEGORY__COUNT] = {
		[CATEGORY_USER_UNKNOWN] = CLASS_HARD,
		[CATEGORY_MAILBOX_DISABLED] = CLASS_HARD,
		[CATEGORY_SENDER_REJECTED] = CLASS_HARD,
		[CATEGORY_RELAY_DENIED] = CLASS_HARD,
		[CATEGORY_MESSAGE_TOO_BIG] = CLASS_HARD,
		[CATEGORY_CONTENT_ERROR] = CLASS_HARD,
		[CATEGORY_LOOP] = CLASS_HARD,
		[CATEGORY_EXPIRED] = CLASS_HARD,
		[CATEGORY_PROTOCOL_ERROR] = CLASS_HARD,
		[CATEGORY_DNS_ERROR] = CLASS_HARD,
		[CATEGORY_MAILBOX_FULL] = CLASS_SOFT,
		[CATEGORY_NETWORK] = CLASS_SOFT,
		[CATEGORY_TLS_ERROR] = CLASS_SOFT,
		[CATEGORY_SERVER_ERROR] = CLASS_SOFT,
		[CATEGORY_SERVER_FULL] = CLASS_SOFT,
		[CATEGORY_IP_BLOCKED] = CLASS_BLOCK,
		[CATEGORY_SPAM] = CLASS_BLOCK,
		[CATEGORY_VIRUS] = CLASS_BLOCK,
		[CATEGORY_AUTH_POLICY] = CLASS_BLOCK,
		[CATEGORY_POLICY_REJECT] = CLASS_BLOCK,
		[CATEGORY_GREYLISTED] = CLASS_THROTTLE,
		[CATEGORY_RATE_LIMITED] = CLASS_THROTTLE,
	};

	return of[category];
}

const char *explain_class_word(enum explain_class class)
{
	static const char *const words[CLASS__COUNT] = {"?", "hard", "soft", "block", "throttle"};

	return words[class];
}

const char *explain_category_word(enum explain_category category)
{
	return categories[category];
}

const char *explain_cause_word(enum explain_cause cause)
{
	return causes[cause];
}

const char *explain_side_word(enum explain_side side)
{
	return sides[side];
}

const char *explain_action_word(enum explain_action action)
{
	return actions[action];
}

const char *explain_stage_word(enum smtp_stage stage)
{
	return stages[stage];
}

int64_t explain_code(struct str word)
{
	uint64_t basic;
	int32_t dsn = facts_dsn(word);

	if (dsn)
		return dsn;
	return word.n == 3 && scan_all_u64(word, 599, &basic) && basic >= 200 ? (int64_t)basic : 0;
}

const char *explain_layer_word(enum explain_layer layer)
{
	static const char *const layers[] = {"your explain.conf", "the provider's list",
		"the reply's words", "the IANA registry", "the reply's words", "the IANA registry",
		"the basic code", "no rule"};

	return layers[layer];
}

enum explain_cause category_cause(enum explain_category category)
{
	static const enum explain_cause of[CATEGORY__COUNT] = {
#define CATEGORY_CAUSE(id, word, cause, side) [CATEGORY_##id] = CAUSE_##cause,
		CATEGORY_LIST(CATEGORY_CAUSE)
#undef CATEGORY_CAUSE
	};

	return of[category];
}

enum explain_side category_side(enum explain_category category)
{
	static const enum explain_side of[CATEGORY__COUNT] = {
#define CATEGORY_SIDE(id, word, cause, side) [CATEGORY_##id] = SIDE_##side,
		CATEGORY_LIST(CATEGORY_SIDE)
#undef CATEGORY_SIDE
	};

	return of[category];
}

static bool find_word(const char *const *words, size_t n, struct str word, size_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (!str_ieq(str_of(words[i]), word))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

bool rules_category(struct str word, enum explain_category *ret)
{
	size_t i;

	if (!find_word(categories, CATEGORY__COUNT, word, &i))
		return false;
	*ret = (enum explain_category)i;
	return true;
}

bool rules_cause(struct str word, enum explain_cause *ret)
{
	size_t i;

	if (!find_word(causes, CAUSE__COUNT, word, &i))
		return false;
	*ret = (enum explain_cause)i;
	return true;
}

bool rules_side(struct str word, enum explain_side *ret)
{
	size_t i;

	if (!find_word(sides, SIDE__COUNT, word, &i))
		return false;
	*ret = (enum explain_side)i;
	return true;
}

bool rules_action(struct str word, enum explain_action *ret)
{
	size_t i;

	if (!find_word(actions, ACTION__COUNT, word, &i))
		return false;
	*ret = (enum explain_action)i;
	return true;
}

bool rules_stage(struct str word, enum smtp_stage *ret)
{
	size_t i;

	if (word.n == 0 || !find_word(stages, STAGE__COUNT, word, &i))
		return false;
	*ret = (enum smtp_stage)i;
	return true;
}

static bool read_part(struct str *rest, int16_t *ret)
{
	struct str part = str_first(*rest, str_find_char(*rest, '.'));
	uint64_t value;

	*rest = str_skip(*rest, part.n + 1);
	*ret = CODE_ANY;
	if (str_eq(part, STR_LIT("*")))
		return true;
	if (part.n > 3 || !scan_all_u64(part, 999, &value))
		return false;
	*ret = (int16_t)value;
	return true;
}

/* 550, 4xx */
static bool read_basic(struct str word, struct rule_code *out)
{
	uint64_t value;

	if (word.n == 3 && (word.p[0] == '4' || word.p[0] == '5') &&
		str_ieq(str_skip(word, 1), STR_LIT("xx"))) {
		out->basic = (int16_t)(word.p[0] - '0');
		return true;
	}
	if (word.n != 3 || !scan_all_u64(word, 599, &value) || value < 200)
		return false;
	out->basic = (int16_t)value;
	return true;
}

bool rules_code(struct str word, struct rule_code *out)
{
	*out = (struct rule_code){0};
	if (str_find_char(word, '.') == word.n)
		return read_basic(word, out);
	if (str_ieq(str_first(word, 2), STR_LIT("x."))) {
		out->class_digit = CODE_ANY;
		word = str_skip(word, 2);
	} else if (!read_part(&word, &out->class_digit) ||
		   (out->class_digit != 2 && out->class_digit != 4 && out->class_digit != 5)) {
		return false;
	}
	return read_part(&word, &out->subject) && word.n > 0 && read_part(&word, &out->detail) &&
	       word.n == 0 && out->subject != CODE_ANY;
}
