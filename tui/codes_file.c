/* SPDX-License-Identifier: MIT */
/*
 * codes_file - a person's own rules for codes: codes.conf beside mtatop.conf, see codes_load in codes.h.
 *
 * A file with a mistake is refused whole, with its line; the built-in tables then hold.
 */
#include "tui/codes_priv.h"

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX_BYTES (1u << 20) /* some ten thousand rules */
#define RULES_MAX 10000
#define FIELDS 6
#define DSN_FIRST 1000000
#define DSN_PART_MAX 999
#define CODE_MAX 599

struct rule {
	int64_t key; /* code; 0 any. With any_class: an enhanced code of class 0 */
	bool any_class;
	struct str provider, needle; /* empty: any */
	enum code_side side;
	const char *meaning, *todo;
};

struct codes {
	struct arena arena;
	struct rule *rules;
	size_t n, cap;
};

static bool code_fits(const struct rule *rule, int64_t key)
{
	if (rule->any_class)
		return key >= DSN_FIRST && key % DSN_FIRST == rule->key;
	return rule->key == 0 || rule->key == key;
}

static bool provider_fits(const struct rule *rule, struct str host, const char *provider)
{
	if (rule->provider.n == 0)
		return true;
	if (rule->provider.p[0] == '.')
		return codes_host_ends(host, rule->provider);
	return str_ieq(rule->provider, str_of(provider));
}

bool codes_own(const struct codes *own, int64_t key, struct str host, const char *provider,
	struct str reply, struct code_info *out)
{
	for (size_t i = 0; own && i < own->n; i++) {
		const struct rule *rule = &own->rules[i];

		if (!code_fits(rule, key) || !provider_fits(rule, host, provider) ||
			!codes_has(reply, rule->needle))
			continue;
		*out = (struct code_info){CODE_OWN, rule->side, rule->meaning, rule->todo, NULL};
		return true;
	}
	return false;
}

static bool read_part(struct str *rest, uint64_t *ret)
{
	struct str part = str_first(*rest, str_find_char(*rest, '.'));

	*rest = str_skip(*rest, part.n + 1);
	return scan_all_u64(part, DSN_PART_MAX, ret);
}

/* "4.7.28", "x.7.28", "550", "*". */
static bool read_code(struct str text, struct rule *out)
{
	uint64_t parts[3] = {0, 0, 0};

	if (str_eq(text, STR_LIT("*")))
		return true;
	if (str_find_char(text, '.') == text.n) {
		if (!scan_all_u64(text, CODE_MAX, &parts[0]))
			return false;
		out->key = (int64_t)parts[0];
		return out->key > 0;
	}
	out->any_class = str_starts(text, STR_LIT("x.")) || str_starts(text, STR_LIT("X."));
	if (out->any_class)
		text = str_skip(text, 2);
	else if (!read_part(&text, &parts[0]) || parts[0] < 2 || parts[0] > 5)
		return false;
	if (!read_part(&text, &parts[1]) || !read_part(&text, &parts[2]) || text.n > 0)
		return false;
	out->key = DSN_MAKE((int64_t)parts[0], (int64_t)parts[1], (int64_t)parts[2]);
	return true;
}

static bool read_side(struct str text, enum code_side *ret)
{
	for (int i = 0; i < SIDE__COUNT; i++) {
		if (!str_ieq(text, str_of(code_side_word((enum code_side)i))))
			continue;
		*ret = (enum code_side)i;
		return true;
	}
	return false;
}

static struct str any_or_copy(struct codes *c, struct str text)
{
	return str_eq(text, STR_LIT("*")) ? STR_LIT("") : arena_str(&c->arena, text);
}

/* NULL: fine; else what is wrong. */
static const char *read_rule(struct codes *c, struct str line)
{
	struct str fields[FIELDS] = {{NULL, 0}};
	struct rule rule = {0};
	size_t n = 0;

	for (struct str rest = line; n < FIELDS && str_present(rest); n++) {
		size_t at = n + 1 < FIELDS ? str_find_char(rest, '|') : rest.n;

		fields[n] = str_trim(str_first(rest, at));
		rest = at < rest.n ? str_skip(rest, at + 1) : (struct str){NULL, 0};
	}
	if (n < FIELDS)
		return "six fields are needed: code | provider | words | side | meaning | to do";
	if (!read_code(fields[0], &rule))
		return "the code is none of 4.7.28, x.7.28, 550, *";
	if (!read_side(fields[3], &rule.side))
		return "the side is not one of those in mtatop.conf(5)";
	if (fields[4].n == 0)
		return "the meaning is empty";
	rule.provider = any_or_copy(c, fields[1]);
	rule.needle = any_or_copy(c, fields[2]);
	rule.meaning = arena_z(&c->arena, fields[4]);
	rule.todo = arena_z(&c->arena, fields[5]);
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 16;
		c->rules = xrealloc(c->rules, c->cap * sizeof(c->rules[0]));
	}
	c->rules[c->n++] = rule;
	return c->n > RULES_MAX ? "too many rules" : NULL;
}

int codes_parse(struct str text, struct codes **ret, struct mt_error *reterr)
{
	struct codes *c = xcalloc(1, sizeof(*c));

	arena_init(&c->arena, 2 * FILE_MAX_BYTES);
	for (int number = 1; text.n > 0; number++) {
		struct str line = str_first(text, str_find_char(text, '\n'));
		const char *wrong = NULL;

		text = str_skip(text, line.n + 1);
		line = str_trim(line);
		if (line.n > 0 && line.p[0] != '#')
			wrong = read_rule(c, line);
		if (wrong) {
			codes_free(c);
			return mt_error_set(reterr, MT_EINVAL, "line %d: %s", number, wrong);
		}
	}
	*ret = c;
	return 0;
}

int codes_load(const char *path, struct codes **ret, struct mt_error *reterr)
{
	struct mt_error parse_error = {0};
	FILE *f = fopen(path, "re");
	struct buf text;
	char block[4096];
	size_t n;
	int rc = 0;

	if (!f)
		return mt_error_set(
			reterr, errno == ENOENT ? MT_ENOENT : MT_EPERM, "%s can't be read", path);
	buf_init(&text, FILE_MAX_BYTES);
	while (rc == 0 && (n = fread(block, 1, sizeof(block), f)) > 0)
		rc = buf_add(&text, block, n);
	fclose(f);
	if (rc < 0)
		rc = mt_error_set(reterr, MT_ELIMIT, "%s is too long", path);
	else if ((rc = codes_parse(buf_str(&text), ret, &parse_error)) < 0)
		rc = mt_error_set(reterr, (enum mt_err)rc, "%s: %s", path, parse_error.text);
	buf_done(&text);
	return rc;
}

/* path is freed. MT_ENOENT only when there is no such file. */
static int load_and_free(char *path, struct codes **ret, struct mt_error *reterr)
{
	int rc = codes_load(path, ret, reterr);

	free(path);
	return rc;
}

int codes_load_found(const char *config_path, struct codes **ret, struct mt_error *reterr)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int rc = MT_ENOENT;

	if (config_path) {
		size_t folder = str_rfind_char(str_of(config_path), '/');
		bool bare = config_path[folder] == '\0';

		rc = load_and_free(xasprintf("%.*s/codes.conf", bare ? 1 : (int)folder,
					   bare ? "." : config_path),
			ret, reterr);
	} else {
		if (xdg && xdg[0] == '/')
			rc = load_and_free(xasprintf("%s/mtatop/codes.conf", xdg), ret, reterr);
		else if (home && home[0] == '/')
			rc = load_and_free(
				xasprintf("%s/.config/mtatop/codes.conf", home), ret, reterr);
		if (rc == MT_ENOENT)
			rc = codes_load("/etc/mtatop/codes.conf", ret, reterr);
	}
	if (rc != MT_ENOENT)
		return rc;
	*ret = NULL;
	return 0;
}

void codes_free(struct codes *own)
{
	if (!own)
		return;
	arena_done(&own->arena);
	free(own->rules);
	free(own);
}
