/* SPDX-License-Identifier: MIT */
/* reject - one refusal: who came, from whom, to whom, at which stage, and the words the client was told, in full. */
#include "tui/panes/lines.h"

#include <stdio.h>

#define TEXT_MAX_BYTES 4096

struct reject {
	int64_t id;
};

static int open_reject(void *state, const struct view *v, int64_t object)
{
	struct reject *s = state;

	(void)v;
	s->id = object;
	return 0;
}

static void address(struct lines *l, struct buf *b, const char *what, struct str text)
{
	lines_address(b, text);
	lines_wrap(l, STYLE_NORMAL, what, buf_str(b));
}

static void link_rejects(
	struct lines *l, size_t first, const char *label, struct str domain, struct str service)
{
	struct pane_target to = lines_target(l, "rejects", label);

	to.query.domain = domain;
	to.query.service = service;
	lines_link(l, first, &to);
}

static void write_page(struct lines *l, const struct reject_row *x)
{
	bool refused = x->action == REJECT_REJECT;
	int64_t key = code_key(x->dsn, x->code);
	size_t first, at = str_rfind_char(x->rcpt, '@');
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	timefmt_date_clock(&b, x->t_ms);
	buf_add_z(&b, "  ");
	buf_add_str(&b, x->word);
	buf_add_char(&b, ' ');
	fmt_code_key(&b, key);
	if (x->stage != STAGE_NONE)
		buf_printf(&b, "  at %s", stage_word(x->stage));
	if (refused && x->code > 0)
		buf_add_z(&b, x->code / 100 == 4 ? "  (the client may try again)"
						 : "  (the client is told not to try again)");
	lines_wrap(l, refused ? STYLE_BAD : STYLE_WARN, "refusal", buf_str(&b));
	lines_wrap(l, STYLE_NORMAL, "client", x->client);
	address(l, &b, "helo", x->helo);
	address(l, &b, "from", x->from);
	first = l->t->nrows;
	address(l, &b, "to", x->rcpt);
	if (at < x->rcpt.n)
		link_rejects(l, first, "domain", str_skip(x->rcpt, at + 1), (struct str){NULL, 0});
	first = l->t->nrows;
	lines_wrap(l, STYLE_NORMAL, "service", x->service);
	if (str_present(x->service))
		link_rejects(l, first, "service", (struct str){NULL, 0}, x->service);
	lines_wrap(l, STYLE_NORMAL, "queue id",
		str_present(x->qid) ? x->qid : STR_LIT("none: refused before it had one"));
	lines_wrap(l, refused ? STYLE_BAD : STYLE_WARN, "reply", x->reply);
	lines_explain(l, &(struct explain_query){.text = x->reply, .key = key, .stage = x->stage});
	buf_done(&b);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	const struct reject *s = state;
	struct query q = {.limit = 1};
	struct reject_row *rows;
	struct lines l;
	size_t n = 0;
	int rc = s->id ? read_rejects(r, &q, s->id + 1, &t->arena, &rows, &n, reterr) : 0;

	lines_begin(&l, t, v);
	t->empty = STR_LIT("choose a refusal in :rejects");
	if (rc == 0 && n == 1 && rows[0].id == s->id)
		write_page(&l, &rows[0]);
	else if (s->id)
		t->empty = STR_LIT("this refusal is no longer in the cache");
	return rc;
}

const struct pane_ops pane_reject = {
	.name = "reject",
	.title = "Refusal",
	.help = "One refusal at our own door, with the reply in full. The meaning is that of its "
		"code; side and "
		"advice are the client's: what it would have to mend. Enter on \"to\" or "
		"\"service\" "
		"lists the refusals there.",
	.columns = lines_columns,
	.ncolumns = LINES_COLUMNS,
	.state_bytes = sizeof(struct reject),
	.open = open_reject,
	.refresh = refresh,
	.enter = lines_enter,
};
