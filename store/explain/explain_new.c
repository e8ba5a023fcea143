/* SPDX-License-Identifier: MIT */
/* explain_new - rules from the built-in texts and a person's file: read, checked by their own examples, indexed. */
#include "store/explain/rules.h"

#include "store/base/buf.h"
#include "store/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define RULES_ARENA_MAX_BYTES (8u << 20) /* a person's file and the built-in ones, copied */
#define HASH_SEED UINT64_C(0x6d7461746f7031) /* any, but the same every time: the hash is on disk */

static struct explain_rules *blank(void)
{
	struct explain_rules *r = xcalloc(1, sizeof(*r));

	arena_init(&r->arena, RULES_ARENA_MAX_BYTES);
	map_init(&r->names);
	map_init(&r->host_of);
	map_init(&r->piece_of);
	r->rules.item = sizeof(struct rule);
	r->providers.item = sizeof(struct provider);
	r->codes.item = sizeof(struct rule_code);
	r->conditions.item = sizeof(struct condition);
	r->alternatives.item = sizeof(struct alternative);
	r->piece_ids.item = sizeof(uint32_t);
	r->pieces.item = sizeof(struct piece);
	r->examples.item = sizeof(struct example);
	r->coded.item = sizeof(struct coded);
	r->always.item = sizeof(uint32_t);
	r->hash = HASH_SEED;
	return r;
}

void explain_free(struct explain_rules *r)
{
	if (!r)
		return;
	automaton_free(r->automaton);
	free(r->anchor_first);
	free(r->anchor_rules);
	free(r->rules.p);
	free(r->providers.p);
	free(r->codes.p);
	free(r->conditions.p);
	free(r->alternatives.p);
	free(r->piece_ids.p);
	free(r->pieces.p);
	free(r->examples.p);
	free(r->coded.p);
	free(r->always.p);
	map_done(&r->names);
	map_done(&r->host_of);
	map_done(&r->piece_of);
	arena_done(&r->arena);
	free(r);
}

static const char *example_host(
	const struct explain_rules *r, const struct example *e, struct buf *b)
{
	int number = explain_rule(r, str_of(e->rule));
	const struct rule *rule;
	struct str suffix;

	buf_clear(b);
	if (number < 0)
		return "";
	rule = list_at(&r->rules, (size_t)number);
	suffix = rule->host;
	if (rule->provider)
		suffix = ((struct provider *)list_at(&r->providers, (size_t)rule->provider - 1))
				 ->hosts;
	suffix = str_first(suffix, str_find_char(suffix, ' '));
	if (suffix.n)
		buf_printf(b, "mx%.*s", STR_ARG(suffix));
	return buf_z(b);
}

void explain_examples(const struct explain_rules *rules,
	void (*each)(void *ctx, int rule, const char *host, const char *text), void *ctx)
{
	struct buf host;

	buf_init(&host, FOLD_MAX_BYTES);
	for (size_t i = 0; i < rules->examples.n; i++) {
		const struct example *e = list_at(&rules->examples, i);
		int number = explain_rule(rules, str_of(e->rule));

		if (number >= 0)
			each(ctx, number, example_host(rules, e, &host), e->text);
	}
	buf_done(&host);
}

struct own_check {
	const struct explain_rules *r;
	int wrong; /* rule number, -1 none */
};

static void check_own(void *ctx, int rule, const char *host, const char *text)
{
	struct own_check *c = ctx;
	struct explain_query q = {.text = str_of(text), .host = str_of(host)};
	struct explain_result result;

	if (c->wrong >= 0 || !((const struct rule *)list_at(&c->r->rules, (size_t)rule))->own)
		return;
	explain(c->r, &q, &result);
	if (result.rule != rule)
		c->wrong = rule;
}

/* A person's rule that does not fit its own example is a mistake of theirs: better told than found out later. */
static int check_examples(const struct explain_rules *r, struct mt_error *reterr)
{
	struct own_check c = {r, -1};

	explain_examples(r, check_own, &c);
	if (c.wrong < 0)
		return 0;
	return mt_error_set(reterr, MT_EINVAL,
		"line %d: another rule fits the example, or none does",
		((const struct rule *)list_at(&r->rules, (size_t)c.wrong))->line);
}

static int read_all(
	struct explain_rules *r, const char *const *base, struct str own, struct mt_error *reterr)
{
	int rc = 0;

	if (str_present(own)) {
		r->hash = map_hash(own, r->hash);
		rc = rules_read(r, own, true, reterr);
	}
	for (size_t i = 0; base[i] && rc == 0; i++) {
		r->hash = map_hash(str_of(base[i]), r->hash);
		rc = rules_read(r, str_of(base[i]), false, reterr);
	}
	if (rc == 0)
		rc = rules_index(r, reterr);
	if (rc == 0 && str_present(own))
		rc = check_examples(r, reterr);
	return rc;
}

int explain_new_over(const char *const *base, struct str own, const char *name,
	struct explain_rules **ret, struct mt_error *reterr)
{
	struct explain_rules *r = blank();
	struct mt_error error = {0};
	int rc = read_all(r, base, own, &error);

	if (rc < 0) {
		explain_free(r);
		return mt_error_set(reterr, (enum mt_err)rc, "%s: %s",
			str_present(own) ? name : "the built-in rules", error.text);
	}
	*ret = r;
	return 0;
}

int explain_new(
	struct str own, const char *name, struct explain_rules **ret, struct mt_error *reterr)
{
	return explain_new_over(explain_builtin, own, name, ret, reterr);
}

char *explain_path(const char *config_path)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;

	if (config_path) {
		size_t folder = str_rfind_char(str_of(config_path), '/');
		bool bare = config_path[folder] == '\0';

		return xasprintf(
			"%.*s/explain.conf", bare ? 1 : (int)folder, bare ? "." : config_path);
	}
	if (xdg && xdg[0] == '/')
		path = xasprintf("%s/mtatop/explain.conf", xdg);
	else if (home && home[0] == '/')
		path = xasprintf("%s/.config/mtatop/explain.conf", home);
	if (path && explain_stamp(path))
		return path;
	free(path);
	return xstrdup("/etc/mtatop/explain.conf");
}

uint64_t explain_stamp(const char *path)
{
	struct stat st;
	int64_t figures[4];

	if (stat(path, &st) < 0)
		return 0;
	figures[0] = st.st_size;
	figures[1] = st.st_mtim.tv_sec;
	figures[2] = st.st_mtim.tv_nsec;
	figures[3] = (int64_t)st.st_ino;
	return map_hash(str_make((const char *)figures, sizeof(figures)), HASH_SEED) | 1;
}

static int read_file(FILE *f, struct buf *text)
{
	char block[4096];
	size_t n;
	int rc = 0;

	while (rc == 0 && (n = fread(block, 1, sizeof(block), f)) > 0)
		rc = buf_add(text, block, n);
	return rc < 0 ? rc : ferror(f) ? MT_EIO : 0;
}

int explain_load(const char *path, struct explain_rules **ret, struct mt_error *reterr)
{
	FILE *f = fopen(path, "re");
	struct buf text;
	int rc;

	if (!f && errno == ENOENT)
		return explain_new((struct str){NULL, 0}, path, ret, reterr);
	if (!f)
		return mt_error_set(reterr, MT_EPERM, "%s can't be read", path);
	buf_init(&text, RULES_FILE_MAX_BYTES);
	rc = read_file(f, &text);
	fclose(f);
	if (rc < 0)
		rc = mt_error_set(reterr, (enum mt_err)rc, "%s %s", path,
			rc == MT_EIO ? "can't be read" : "is too long");
	else
		rc = explain_new(str_make(buf_z(&text), text.n), path, ret, reterr);
	buf_done(&text);
	return rc;
}
