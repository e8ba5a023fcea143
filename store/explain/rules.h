/* SPDX-License-Identifier: MIT */
/* rules - the insides of struct explain_rules, shared by the files of store/explain only. */
#ifndef MT_STORE_EXPLAIN_RULES_H
#define MT_STORE_EXPLAIN_RULES_H

#include "store/base/arena.h"
#include "store/base/map.h"
#include "store/explain/explain.h"
#include "store/explain/pattern.h"

#define RULES_MAX 4096
#define RULES_FILE_MAX_BYTES (1u << 20) /* some ten thousand lines */
#define DSN_FIRST 1000000 /* keys below are basic codes, see code_key */
#define CODE_ANY (-1)

struct rule_code { /* one word of code = */
	int16_t class_digit, subject,
		detail; /* CODE_ANY; basic codes: class_digit and rest in basic */
	int16_t basic; /* 200..599, 4 or 5 for 4xx, 5xx; 0: an enhanced code */
};

struct alternative { /* pieces that must follow each other in the text */
	uint32_t first, n; /* in piece_ids */
	uint32_t anchor; /* the first of them */
};

struct condition { /* a line text = or not =: any of its alternatives */
	uint32_t first, n; /* in alternatives */
	bool negated;
};

struct rule {
	const char *name, *meaning, *todo, *link;
	struct str
		host; /* as written: a provider's id or a suffix with a leading dot; absent any */
	int provider; /* 1.., 0 none */
	enum explain_layer layer;
	enum explain_category category;
	enum explain_cause cause;
	enum explain_side side;
	enum explain_action action;
	uint32_t first_code, ncodes, first_condition, nconditions;
	uint32_t stages; /* set of 1 << enum smtp_stage; 0 any */
	int line;
	bool own, has_category, has_cause, has_side, off, weak;
};

struct provider {
	const char *id, *name;
	struct str hosts; /* suffixes, space separated */
	struct condition marks; /* n 0: none */
	int line;
	bool own;
};

struct example {
	const char *rule, *text; /* rule: its name */
	int line;
	bool own;
};

struct list { /* growing array */
	void *p;
	size_t n, cap, item;
};

struct explain_rules {
	struct arena arena;
	struct list rules, providers, codes, conditions, alternatives, piece_ids, pieces, examples;
	struct map names; /* of rules -> number */
	struct map host_of; /* suffix of host names, lower case, with its dot -> provider */
	struct map piece_of; /* folded text with its edges -> number */
	struct automaton *automaton;
	uint32_t *anchor_first, *anchor_rules; /* of a piece: rules it may lead to; npieces + 1 */
	struct list coded; /* struct coded, sorted: rules that look at codes alone */
	struct list always; /* uint32_t: rules with neither */
	uint64_t hash;
};

struct coded {
	int32_t key; /* subject * 1000 + detail; basic codes: -code */
	uint32_t rule;
};

static inline void *list_at(const struct list *l, size_t i)
{
	return (char *)l->p + i * l->item;
}

/* list_add - a zeroed item at the end; the list's earlier addresses end. */
void *list_add(struct list *l);
/* rules_read - parse text into r. own: a person's. MT_EINVAL with the line, MT_ELIMIT. */
int rules_read(
	struct explain_rules *r, struct str text, bool own, struct mt_error *reterr) MT_MUST_CHECK;
/* rules_index - once all are read: names resolved, order, automaton. */
int rules_index(struct explain_rules *r, struct mt_error *reterr) MT_MUST_CHECK;
/* rules_host_ends - ".google.com" fits mx.google.com and google.com. */
bool rules_host_ends(struct str host, struct str suffix);
/* rules_code - "4.7.28", "x.7.28", "x.7.*", "550", "4xx". */
bool rules_code(struct str word, struct rule_code *out);
bool rules_stage(struct str word, enum smtp_stage *ret);
/* words of the enums into values */
bool rules_category(struct str word, enum explain_category *ret);
bool rules_cause(struct str word, enum explain_cause *ret);
bool rules_side(struct str word, enum explain_side *ret);
bool rules_action(struct str word, enum explain_action *ret);
enum explain_cause category_cause(enum explain_category category);
enum explain_side category_side(enum explain_category category);

/* explain_new_over - explain_new with other texts (ends with NULL) in place of the built-in ones: a small base, for
 * fuzzing. */
int explain_new_over(const char *const *base, struct str own, const char *name,
	struct explain_rules **ret, struct mt_error *reterr) MT_MUST_CHECK;

extern const char *const explain_builtin[]; /* made by assets/explain/embed.py; ends with NULL */

#endif
