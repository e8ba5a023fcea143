/* SPDX-License-Identifier: MIT */
/* explain_cmd - `mtatop explain`; see explain_cmd.h. Reads a line at a time; what it prints is made safe to show. */
#include "tui/explain_cmd.h"

#include "store/base/fmt.h"
#include "store/base/jsonout.h"
#include "store/base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX_BYTES                                                                              \
	(1u << 20) /* one explanation: the text in JSON takes six times its length at most */
#define LINE_MAX_BYTES                                                                             \
	65536 /* a longer line is cut: no reply is that long (RFC 5321 4.5.3.1.5: 512) */

struct run {
	const struct explain_options *o;
	struct explain_rules *rules;
	struct explain_query query;
	bool json;
	struct buf out;
};

static void text_line(struct buf *out, const char *name, const char *value)
{
	if (!value[0])
		return;
	buf_printf(out, "%-10s ", name);
	utf8_show_text(out, str_of(value), false);
	buf_add_char(out, '\n');
}

static void as_text(const struct run *x, const struct explain_result *r, struct buf *out)
{
	text_line(out, "meaning", r->meaning);
	text_line(out, "next step", r->todo);
	buf_printf(out, "%-10s %s\n", "side", explain_side_word(r->side));
	buf_printf(out, "%-10s %s\n", "cause", explain_cause_word(r->cause));
	buf_printf(out, "%-10s %s\n", "action", explain_action_word(r->action));
	buf_printf(out, "%-10s %s\n", "category", explain_category_word(r->category));
	if (r->key) {
		buf_printf(out, "%-10s ", "code");
		fmt_code_key(out, r->key);
		buf_add_char(out, '\n');
	}
	text_line(out, "stage", explain_stage_word(r->stage));
	text_line(out, "provider", explain_provider_name(x->rules, r->provider));
	buf_printf(out, "%-10s %s%s%s%s\n", "rule", r->rule_name, r->rule_name[0] ? " (" : "",
		explain_layer_word(r->layer), r->rule_name[0] ? ")" : "");
	text_line(out, "link", r->link);
}

/* member - a word of the rules; "?" is what they do not know. */
static void member(struct buf *out, const char *name, const char *value)
{
	jsonout_words(out, name, value[0] && strcmp(value, "?") != 0 ? value : NULL);
}

static void as_json(
	const struct run *x, struct str text, const struct explain_result *r, struct buf *out)
{
	struct buf code;

	buf_init(&code, 64);
	if (r->key)
		fmt_code_key(&code, r->key);
	buf_add_z(out, "{\"text\":");
	jsonout_value(out, text);
	buf_printf(out, ",\"category\":\"%s\"", explain_category_word(r->category));
	member(out, "action", explain_action_word(r->action));
	member(out, "cause", explain_cause_word(r->cause));
	member(out, "side", explain_side_word(r->side));
	member(out, "code", buf_z(&code));
	member(out, "stage", explain_stage_word(r->stage));
	member(out, "provider", explain_provider_name(x->rules, r->provider));
	member(out, "meaning", r->meaning);
	member(out, "next_step", r->todo);
	member(out, "link", r->link);
	member(out, "rule", r->rule_name);
	member(out, "matched", r->rule_name[0] ? explain_layer_word(r->layer) : "");
	buf_add_z(out, "}\n");
	buf_done(&code);
}

static int one(struct run *x, struct str text, struct mt_error *reterr)
{
	struct explain_result result;

	x->query.text = text;
	explain(x->rules, &x->query, &result);
	buf_clear(&x->out);
	if (x->json)
		as_json(x, text, &result, &x->out);
	else
		as_text(x, &result, &x->out);
	if (x->out.err)
		return mt_error_set(reterr, x->out.err, "the text is too long");
	if (fwrite(x->out.p, 1, x->out.n, x->o->out) != x->out.n)
		return mt_error_sys(reterr, errno, "standard output");
	return 0;
}

static int lines(struct run *x, struct mt_error *reterr)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = 0;
	bool first = true;

	while (rc == 0 && (n = getline(&line, &cap, x->o->in)) >= 0) {
		struct str text = str_first(str_trim(str_make(line, (size_t)n)), LINE_MAX_BYTES);

		if (!x->json && !first)
			fputc('\n', x->o->out);
		first = false;
		rc = one(x, text, reterr);
	}
	if (rc == 0 && ferror(x->o->in))
		rc = mt_error_sys(reterr, errno, "standard input");
	free(line);
	return rc;
}

static int options(struct run *x, struct mt_error *reterr)
{
	const char *format = x->o->format;

	if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return mt_error_set(reterr, MT_ECONFIG, "explain prints text or json");
	x->json = format ? format[0] == 'j' : !x->o->text;
	x->query.host = x->o->host ? str_of(x->o->host) : (struct str){NULL, 0};
	if (!x->o->dsn)
		return 0;
	x->query.key = explain_code(str_of(x->o->dsn));
	return x->query.key
		       ? 0
		       : mt_error_set(reterr, MT_ECONFIG,
				 "--dsn takes an enhanced code as 5.1.1, or a basic one as 550");
}

int explain_run(const struct explain_options *o, struct mt_error *reterr)
{
	struct run x = {.o = o};
	char *path = explain_path(o->config_path);
	int rc = options(&x, reterr);

	buf_init(&x.out, OUT_MAX_BYTES);
	if (rc == 0)
		rc = explain_load(path, &x.rules, reterr);
	if (rc == 0)
		rc = o->text ? one(&x, str_first(str_of(o->text), LINE_MAX_BYTES), reterr)
			     : lines(&x, reterr);
	buf_done(&x.out);
	explain_free(x.rules);
	free(path);
	return rc;
}
