/* SPDX-License-Identifier: MIT */
/* rules_index - what makes asking cheap: rules in order of their layer, and which rules a phrase or code leads to. */
#include "store/explain/rules.h"

#include "store/base/mem.h"

#include <stdlib.h>

static struct rule *rule_at(const struct explain_rules *r, size_t i)
{
	return list_at(&r->rules, i);
}

static int find_provider(const struct explain_rules *r, struct str id)
{
	for (size_t i = 0; i < r->providers.n; i++)
		if (str_eq(id, str_of(((struct provider *)list_at(&r->providers, i))->id)))
			return (int)i + 1;
	return 0;
}

static bool any_positive(const struct explain_rules *r, const struct rule *rule)
{
	for (uint32_t i = 0; i < rule->nconditions; i++)
		if (!((struct condition *)list_at(&r->conditions, rule->first_condition + i))
				->negated)
			return true;
	return false;
}

static enum explain_layer layer_of(const struct explain_rules *r, const struct rule *rule)
{
	const struct rule_code *code;

	if (rule->own)
		return LAYER_OWN;
	if (str_present(rule->host))
		return LAYER_PROVIDER;
	if (rule->weak)
		return LAYER_WEAK;
	if (any_positive(r, rule) || rule->ncodes == 0)
		return LAYER_WORDS;
	code = list_at(&r->codes, rule->first_code);
	if (code->basic)
		return LAYER_BASIC;
	return code->detail > 0 ? LAYER_ENHANCED : LAYER_SUBJECT;
}

static int settle(struct explain_rules *r, struct rule *rule, struct mt_error *reterr)
{
	if (!rule->has_cause)
		rule->cause = category_cause(rule->category);
	if (!rule->has_side)
		rule->side = category_side(rule->category);
	rule->layer = layer_of(r, rule);
	if (!str_present(rule->host) || rule->host.p[0] == '.')
		return 0;
	rule->provider = find_provider(r, rule->host);
	if (rule->provider == 0)
		return mt_error_set(reterr, MT_EINVAL,
			"line %d: the host of this rule is no provider's name and no .suffix",
			rule->line);
	return 0;
}

/* Stable by layer; rules that are off are left out. */
static void sort_rules(struct explain_rules *r)
{
	struct list sorted = {.item = r->rules.item};

	for (int layer = 0; layer <= LAYER_NONE; layer++)
		for (size_t i = 0; i < r->rules.n; i++)
			if ((int)rule_at(r, i)->layer == layer && !rule_at(r, i)->off)
				*(struct rule *)list_add(&sorted) = *rule_at(r, i);
	free(r->rules.p);
	r->rules = sorted;
	map_clear(&r->names);
	for (size_t i = 0; i < r->rules.n; i++)
		map_set(&r->names, str_of(rule_at(r, i)->name), i);
}

/* The pieces that lead to a rule: the first of each alternative of its first positive condition. */
static void each_anchor(const struct explain_rules *r, size_t number,
	void (*take)(struct explain_rules *r, uint32_t piece, uint32_t rule),
	struct explain_rules *out)
{
	const struct rule *rule = rule_at(r, number);

	for (uint32_t i = 0; i < rule->nconditions; i++) {
		const struct condition *c = list_at(&r->conditions, rule->first_condition + i);

		if (c->negated)
			continue;
		for (uint32_t k = 0; k < c->n; k++) {
			const struct alternative *a = list_at(&r->alternatives, c->first + k);

			take(out, *(uint32_t *)list_at(&r->piece_ids, a->first), (uint32_t)number);
		}
		return;
	}
}

static void count_anchor(struct explain_rules *r, uint32_t piece, uint32_t rule)
{
	(void)rule;
	r->anchor_first[piece + 1]++;
}

/* anchor_first[p] is where the next rule of p goes; behind all of them it is where p + 1 began. */
static void put_anchor(struct explain_rules *r, uint32_t piece, uint32_t rule)
{
	r->anchor_rules[r->anchor_first[piece]++] = rule;
}

static void make_anchors(struct explain_rules *r)
{
	size_t n = r->pieces.n;

	r->anchor_first = xcalloc(n + 2, sizeof(uint32_t));
	for (size_t i = 0; i < r->rules.n; i++)
		each_anchor(r, i, count_anchor, r);
	for (size_t p = 0; p < n; p++)
		r->anchor_first[p + 1] += r->anchor_first[p];
	r->anchor_rules = xcalloc(r->anchor_first[n] + 1, sizeof(uint32_t));
	for (size_t i = 0; i < r->rules.n; i++)
		each_anchor(r, i, put_anchor, r);
	for (size_t p = n; p > 0; p--)
		r->anchor_first[p] = r->anchor_first[p - 1];
	r->anchor_first[0] = 0;
}

/* A rule that looks at codes alone is found by them; wildcards, stages and hosts alone are looked at always. */
static void add_coded(struct explain_rules *r, size_t number)
{
	const struct rule *rule = rule_at(r, number);

	for (uint32_t i = 0; i < rule->ncodes; i++) {
		const struct rule_code *code = list_at(&r->codes, rule->first_code + i);

		if (code->basic ? code->basic < 200 : code->detail == CODE_ANY) {
			*(uint32_t *)list_add(&r->always) = (uint32_t)number;
			return;
		}
	}
	for (uint32_t i = 0; i < rule->ncodes; i++) {
		const struct rule_code *code = list_at(&r->codes, rule->first_code + i);
		struct coded *c = list_add(&r->coded);

		c->key = code->basic ? -code->basic : code->subject * 1000 + code->detail;
		c->rule = (uint32_t)number;
	}
	if (rule->ncodes == 0)
		*(uint32_t *)list_add(&r->always) = (uint32_t)number;
}

static int by_key(const void *left, const void *right)
{
	const struct coded *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->rule > b->rule) - (a->rule < b->rule);
}

static int make_automaton(struct explain_rules *r, struct mt_error *reterr)
{
	return automaton_new(r->pieces.p, r->pieces.n, &r->automaton, reterr);
}

int rules_index(struct explain_rules *r, struct mt_error *reterr)
{
	int rc = 0;

	for (size_t i = 0; i < r->rules.n && rc == 0; i++)
		rc = settle(r, rule_at(r, i), reterr);
	if (rc < 0)
		return rc;
	sort_rules(r);
	make_anchors(r);
	for (size_t i = 0; i < r->rules.n; i++)
		if (!any_positive(r, rule_at(r, i)))
			add_coded(r, i);
	if (r->coded.n)
		qsort(r->coded.p, r->coded.n, r->coded.item, by_key);
	return make_automaton(r, reterr);
}
