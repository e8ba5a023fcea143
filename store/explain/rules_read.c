/* SPDX-License-Identifier: MIT */
/*
 * rules_read - the text of a rule file into rules, whole or not at all; the format is in mtatop.conf(5) and at the head
 * of assets/explain/10-providers.rules.
 *
 * Not libinih: replies hold ';' and '#', which it takes for comments.
 */
#include "store/explain/rules.h"

#include "store/base/mem.h"

#include <stdlib.h>

#define TEXT_MAX_BYTES 600 /* of a sentence */
#define ALTERNATIVES_MAX 20000

enum section { SECTION_NONE, SECTION_RULE, SECTION_PROVIDER, SECTION_SKIPPED };

struct reading {
	struct explain_rules *r;
	enum section section;
	bool own;
	int line;
	size_t at; /* number of the rule or provider */
};

void *list_add(struct list *l)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->p = xrealloc(l->p, l->cap * l->item);
	}
	memset((char *)l->p + l->n * l->item, 0, l->item);
	return (char *)l->p + l->n++ * l->item;
}

static struct rule *rule_of(const struct reading *x)
{
	return list_at(&x->r->rules, x->at);
}

static struct provider *provider_of(const struct reading *x)
{
	return list_at(&x->r->providers, x->at);
}

/* A folded literal is kept once; its edges are part of what it is. */
static const char *add_piece(struct explain_rules *r, struct str raw, bool first, bool last)
{
	char folded[FOLD_MAX_BYTES + 1];
	size_t n = fold(raw, 0, true, folded), id;
	struct piece *piece;
	uint64_t *known;
	bool new;

	if (n < 2 || n > PIECE_MAX_BYTES)
		return "a phrase must have 2 to 120 letters or digits";
	first = first || raw.p[0] == ' ';
	last = last || raw.p[raw.n - 1] == ' ';
	folded[n] = (char)('0' + (first ? 1 : 0) + (last ? 2 : 0));
	known = map_ref(&r->piece_of, str_make(folded, n + 1), &new);
	if (new) {
		if (r->pieces.n >= PIECES_MAX)
			return "too many phrases";
		*known = r->pieces.n;
		piece = list_add(&r->pieces);
		*piece = (struct piece){arena_str(&r->arena, str_make(folded, n)), first, last};
		if (!str_present(piece->text))
			return "the file is too large";
	}
	id = (size_t)*known;
	*(uint32_t *)list_add(&r->piece_ids) = (uint32_t)id;
	return NULL;
}

/* "a phrase*another": the pieces must follow each other; a star at an end lifts that end's word edge. */
static const char *add_alternative(struct explain_rules *r, struct str text)
{
	struct alternative *a = list_add(&r->alternatives);
	bool first = true;

	*a = (struct alternative){.first = (uint32_t)r->piece_ids.n};
	if (r->alternatives.n > ALTERNATIVES_MAX)
		return "too many phrases";
	while (text.n > 0) {
		struct str raw = str_first(text, str_find_char(text, '*'));
		bool last = raw.n == text.n;
		const char *wrong = NULL;

		text = str_skip(text, raw.n + 1);
		if (str_trim(raw).n > 0) {
			wrong = add_piece(r, raw, first, last);
			if (wrong)
				return wrong;
			a->n++;
			a->anchor = *(uint32_t *)list_at(&r->piece_ids, a->first);
		}
		first = false;
	}
	return a->n ? NULL : "there is no phrase";
}

static const char *add_condition(
	struct explain_rules *r, struct str value, bool negated, struct condition *out)
{
	*out = (struct condition){(uint32_t)r->alternatives.n, 0, negated};
	while (str_present(value)) {
		size_t at = str_find_char(value, '|');
		const char *wrong = add_alternative(r, str_trim(str_first(value, at)));

		if (wrong)
			return wrong;
		out->n++;
		value = at < value.n ? str_skip(value, at + 1) : (struct str){NULL, 0};
	}
	return NULL;
}

static const char *rule_condition(struct reading *x, struct str value, bool negated)
{
	struct condition condition;
	const char *wrong = add_condition(x->r, value, negated, &condition);

	if (wrong)
		return wrong;
	*(struct condition *)list_add(&x->r->conditions) = condition;
	rule_of(x)->nconditions++;
	return NULL;
}

/* or = : more phrases for the line before. */
static const char *rule_or(struct reading *x, struct str value)
{
	struct condition *last, more;
	const char *wrong;

	if (rule_of(x)->nconditions == 0)
		return "or = without text = or not = before";
	wrong = add_condition(x->r, value, false, &more);
	last = list_at(&x->r->conditions, x->r->conditions.n - 1);
	last->n += more.n;
	return wrong;
}

static struct str take_word(struct str *rest)
{
	size_t n = 0;
	struct str word;

	*rest = str_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t' && rest->p[n] != ',')
		n++;
	word = str_first(*rest, n);
	*rest = str_skip(*rest, n + 1);
	return word;
}

static const char *rule_codes(struct reading *x, struct str value)
{
	while (str_trim(value).n > 0) {
		struct rule_code code;

		if (!rules_code(take_word(&value), &code))
			return "a code is none of 4.7.28, x.7.28, x.7.*, 550, 5xx";
		*(struct rule_code *)list_add(&x->r->codes) = code;
		rule_of(x)->ncodes++;
	}
	return NULL;
}

static const char *rule_stages(struct reading *x, struct str value)
{
	while (str_trim(value).n > 0) {
		enum smtp_stage stage;

		if (!rules_stage(take_word(&value), &stage))
			return "a stage is none of connect, ehlo, starttls, auth, mail, rcpt, "
			       "data, "
			       "end-of-data, other";
		rule_of(x)->stages |= 1u << stage;
	}
	return NULL;
}

static const char *sentence(struct reading *x, struct str value, const char **field)
{
	if (value.n > TEXT_MAX_BYTES)
		return "the text is too long";
	*field = arena_z(&x->r->arena, value);
	return NULL;
}

static const char *add_example(struct reading *x, struct str value)
{
	struct example *e = list_add(&x->r->examples);

	*e = (struct example){.rule = rule_of(x)->name, .line = x->line, .own = x->own};
	return value.n > FOLD_MAX_BYTES ? "the text is too long"
					: (e->text = arena_z(&x->r->arena, value), NULL);
}

static const char *yes_or_no(struct str value, bool *ret)
{
	*ret = str_eq(value, STR_LIT("yes"));
	return *ret || str_eq(value, STR_LIT("no")) ? NULL : "this key is yes or no";
}

static const char *rule_word(struct reading *x, struct str key, struct str value)
{
	struct rule *rule = rule_of(x);

	if (str_eq(key, STR_LIT("category"))) {
		rule->has_category = true;
		return rules_category(value, &rule->category) ? NULL : "no such category";
	}
	if (str_eq(key, STR_LIT("cause"))) {
		rule->has_cause = true;
		return rules_cause(value, &rule->cause) ? NULL : "no such cause";
	}
	if (str_eq(key, STR_LIT("side"))) {
		rule->has_side = true;
		return rules_side(value, &rule->side) ? NULL : "no such side";
	}
	if (str_eq(key, STR_LIT("action")))
		return rules_action(value, &rule->action) ? NULL : "no such action";
	if (str_eq(key, STR_LIT("off")))
		return yes_or_no(value, &rule->off);
	if (str_eq(key, STR_LIT("weak")))
		return yes_or_no(value, &rule->weak);
	return "a key of no rule";
}

static const char *rule_line(struct reading *x, struct str key, struct str value)
{
	struct rule *rule = rule_of(x);

	if (str_eq(key, STR_LIT("text")))
		return rule_condition(x, value, false);
	if (str_eq(key, STR_LIT("not")))
		return rule_condition(x, value, true);
	if (str_eq(key, STR_LIT("or")))
		return rule_or(x, value);
	if (str_eq(key, STR_LIT("code")))
		return rule_codes(x, value);
	if (str_eq(key, STR_LIT("stage")))
		return rule_stages(x, value);
	if (str_eq(key, STR_LIT("host"))) {
		rule->host = arena_str(&x->r->arena, value);
		return value.n ? NULL : "the host is empty";
	}
	if (str_eq(key, STR_LIT("say")))
		return sentence(x, value, &rule->meaning);
	if (str_eq(key, STR_LIT("do")))
		return sentence(x, value, &rule->todo);
	if (str_eq(key, STR_LIT("link")))
		return sentence(x, value, &rule->link);
	if (str_eq(key, STR_LIT("example")))
		return add_example(x, value);
	return rule_word(x, key, value);
}

/* The first provider of a suffix has it. */
static const char *provider_hosts(struct reading *x, struct str value)
{
	char lower[256];

	provider_of(x)->hosts = arena_str(&x->r->arena, value);
	while (str_trim(value).n > 0) {
		struct str suffix = take_word(&value);
		uint64_t *known;
		bool new;

		if (suffix.n < 2 || suffix.n > sizeof(lower) || suffix.p[0] != '.')
			return "a host is not an end of a name with a leading dot";
		for (size_t i = 0; i < suffix.n; i++)
			lower[i] = (char)(suffix.p[i] >= 'A' && suffix.p[i] <= 'Z'
						  ? suffix.p[i] + ('a' - 'A')
						  : suffix.p[i]);
		known = map_ref(&x->r->host_of, str_make(lower, suffix.n), &new);
		if (new)
			*known = x->at + 1;
	}
	return NULL;
}

static const char *provider_line(struct reading *x, struct str key, struct str value)
{
	struct provider *p = provider_of(x);

	if (str_eq(key, STR_LIT("name")))
		return sentence(x, value, &p->name);
	if (str_eq(key, STR_LIT("hosts")))
		return provider_hosts(x, value);
	if (str_eq(key, STR_LIT("marks")))
		return add_condition(x->r, value, false, &p->marks);
	return "a key of no provider: name, hosts, marks";
}

/* What a section lacks. */
static const char *end_section(struct reading *x)
{
	const struct rule *rule = x->section == SECTION_RULE ? rule_of(x) : NULL;

	if (x->section == SECTION_PROVIDER && provider_of(x)->name[0] == '\0')
		return "the provider before has no name";
	if (!rule || rule->off)
		return NULL;
	if (!rule->has_category)
		return "the rule before has no category";
	if (rule->meaning[0] == '\0')
		return "the rule before says nothing";
	if (rule->nconditions + rule->ncodes + rule->stages == 0 && !str_present(rule->host))
		return "the rule before has no text, code, stage or host";
	return NULL;
}

static const char *begin_provider(struct reading *x, struct str id)
{
	struct provider *p;

	for (size_t i = 0; i < x->r->providers.n; i++)
		if (str_eq(id, str_of(((struct provider *)list_at(&x->r->providers, i))->id))) {
			x->section = SECTION_SKIPPED;
			return x->own ? "there is a provider of this name already" : NULL;
		}
	x->section = SECTION_PROVIDER;
	x->at = x->r->providers.n;
	p = list_add(&x->r->providers);
	*p = (struct provider){
		.id = arena_z(&x->r->arena, id), .name = "", .line = x->line, .own = x->own};
	return NULL;
}

static const char *begin_section(struct reading *x, struct str line)
{
	static const struct str provider = STR_INIT("provider ");
	struct str name = str_trim(str_first(str_skip(line, 1), line.n - 2));
	const char *wrong = end_section(x);
	struct rule *rule;
	uint64_t *number;
	bool new;

	if (wrong)
		return wrong;
	if (line.p[line.n - 1] != ']' || name.n == 0 || name.n > 64)
		return "a section is [NAME], of 64 characters at most";
	if (str_starts(name, provider))
		return begin_provider(x, str_trim(str_skip(name, provider.n)));
	number = map_ref(&x->r->names, name, &new);
	if (!new) { /* a person's rule of the same name holds instead */
		x->section = SECTION_SKIPPED;
		rule = list_at(&x->r->rules, (size_t)*number);
		return rule->own == x->own ? "there is a rule of this name already" : NULL;
	}
	if (x->r->rules.n >= RULES_MAX)
		return "too many rules";
	x->section = SECTION_RULE;
	x->at = x->r->rules.n;
	*number = x->at;
	rule = list_add(&x->r->rules);
	*rule = (struct rule){.name = arena_z(&x->r->arena, name),
		.meaning = "",
		.todo = "",
		.link = "",
		.first_code = (uint32_t)x->r->codes.n,
		.first_condition = (uint32_t)x->r->conditions.n,
		.line = x->line,
		.own = x->own};
	return NULL;
}

static const char *read_line(struct reading *x, struct str line)
{
	size_t at = str_find_char(line, '=');
	struct str key = str_trim(str_first(line, at)), value = str_trim(str_skip(line, at + 1));

	if (line.p[0] == '[')
		return begin_section(x, line);
	if (at == line.n)
		return "neither [NAME] nor KEY = VALUE";
	if (x->section == SECTION_RULE)
		return rule_line(x, key, value);
	if (x->section == SECTION_PROVIDER)
		return provider_line(x, key, value);
	return x->section == SECTION_SKIPPED ? NULL : "before the first [NAME]";
}

int rules_read(struct explain_rules *r, struct str text, bool own, struct mt_error *reterr)
{
	struct reading x = {.r = r, .own = own};
	const char *wrong = NULL;

	if (text.n > RULES_FILE_MAX_BYTES)
		return mt_error_set(reterr, MT_ELIMIT, "too long");
	while (text.n > 0 && !wrong) {
		struct str line = str_first(text, str_find_char(text, '\n'));

		x.line++;
		text = str_skip(text, line.n + 1);
		line = str_trim(line);
		if (line.n > 0 && line.p[0] != '#')
			wrong = read_line(&x, line);
	}
	if (!wrong)
		wrong = end_section(&x);
	return wrong ? mt_error_set(reterr, MT_EINVAL, "line %d: %s", x.line, wrong) : 0;
}
