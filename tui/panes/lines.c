/* SPDX-License-Identifier: MIT */
/* lines - see lines.h. */
#include "tui/panes/lines.h"

#include <stdio.h>

#define WHAT_COLUMNS 12
#define WRAP_MIN_COLUMNS 20
#define MARGIN_COLUMNS (WHAT_COLUMNS + 3) /* the cursor's mark, a gap, one to spare */
#define ROWS_FIRST 256
#define ROWS_MAX 200000 /* a message of 10,000 attempts has about 80,000 */
#define SECTION_IDS 65536
#define TEXT_MAX_BYTES 65536

const struct column lines_columns[LINES_COLUMNS] = {
	{"", WHAT_COLUMNS, ALIGN_LEFT, 1, false, "what the line tells"},
	{"", 0, ALIGN_LEFT, 1, false, "its text; replies are shown in full, as received"},
};

void lines_begin(struct lines *l, struct table *t, const struct view *v)
{
	*l = (struct lines){.t = t, .v = v};
	t->presorted = true;
	t->total = EVENT_UNKNOWN;
}

void lines_section(struct lines *l, uint64_t id)
{
	l->base = id * SECTION_IDS;
	l->nsection = 0;
}

/* Arenas don't grow in place: twice as many rows each time, the old ones stay behind. */
static bool room(struct lines *l)
{
	size_t cap = l->cap ? l->cap * 2 : ROWS_FIRST;
	struct row *rows;

	if (l->t->nrows < l->cap)
		return true;
	rows = cap <= ROWS_MAX ? arena_alloc(&l->t->arena, cap * sizeof(*rows)) : NULL;
	if (!rows)
		return false;
	if (l->t->nrows)
		memcpy(rows, l->t->rows, l->t->nrows * sizeof(*rows));
	l->t->rows = rows;
	l->cap = cap;
	return true;
}

void lines_add(struct lines *l, enum style style, const char *what, struct str text)
{
	struct cell *c =
		room(l) ? cells_row(l->t, LINES_COLUMNS, l->base + ++l->nsection, style, NULL)
			: NULL;

	if (!c)
		return;
	c[0] = cell_words(what);
	c[1] = cell_text(l->t, text);
}

/* How many bytes of text go on a line: up to a space if there is one, never within a UTF-8 sequence. */
static size_t line_bytes(struct str text, size_t columns)
{
	size_t n = columns;

	if (text.n <= columns)
		return text.n;
	while (n > columns / 2 && text.p[n] != ' ')
		n--;
	if (n > columns / 2)
		return n;
	for (n = columns; n > 1 && ((unsigned char)text.p[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

void lines_wrap(struct lines *l, enum style style, const char *what, struct str text)
{
	int columns = l->v->width - MARGIN_COLUMNS;
	size_t width = columns > WRAP_MIN_COLUMNS ? (size_t)columns : WRAP_MIN_COLUMNS;

	if (!str_present(text))
		text = STR_LIT("?");
	do {
		size_t n = line_bytes(text, width);

		lines_add(l, style, what, str_first(text, n));
		text = str_skip(text, n);
		while (text.n && text.p[0] == ' ')
			text = str_skip(text, 1);
		what = "";
	} while (text.n);
}

void lines_say(struct lines *l, enum style style, const char *what, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	lines_wrap(l, style, what, str_of(text));
}

void lines_link(struct lines *l, size_t first, const struct pane_target *target)
{
	struct pane_target *copy = arena_alloc(&l->t->arena, sizeof(*copy));

	if (!copy)
		return;
	*copy = *target;
	for (size_t i = first; i < l->t->nrows; i++)
		l->t->rows[i].ref = copy;
}

struct pane_target lines_target(const struct lines *l, const char *pane, const char *label)
{
	const struct query *q = &l->v->query;
	struct pane_target target = {.pane = pane,
		.query = {.t0_ms = q->t0_ms, .t1_ms = q->t1_ms, .provider = q->provider}};

	target_label(&target, "%s", label);
	return target;
}

bool lines_enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct pane_target *target = selected->ref;

	(void)state;
	(void)v;
	if (!target)
		return false;
	*ret = *target;
	return true;
}

void lines_address(struct buf *out, struct str address)
{
	bool ascii = true;

	for (size_t i = 0; i < address.n; i++)
		ascii = ascii && (unsigned char)address.p[i] < 0x80;
	buf_clear(out);
	buf_add_str(
		out, str_present(address) ? (address.n ? address : STR_LIT("<>")) : STR_LIT("?"));
	if (!ascii)
		buf_add_z(out, "  (non-ASCII bytes)");
	if (str_find(address, STR_LIT("xn--")) < address.n)
		buf_add_z(out, "  (an internationalised domain, in its ASCII form)");
}

void lines_explain(struct lines *l, const struct explain_query *q)
{
	const struct explain_rules *rules = l->v->rules;
	struct explain_result r;

	explain(rules, q, &r);
	lines_say(l, STYLE_NORMAL, "  meaning", "%s", r.meaning);
	if (r.action != ACTION_ACCEPTED)
		lines_say(l, STYLE_NORMAL, "  side", "%s (cause: %s; %s)",
			explain_side_word(r.side), explain_cause_word(r.cause),
			explain_action_word(r.action));
	if (r.todo[0])
		lines_say(l, STYLE_BOLD, "  next step", "%s", r.todo);
	if (r.link[0])
		lines_say(l, STYLE_NORMAL, "  link", "%s", r.link);
	if (r.rule_name[0])
		lines_say(l, STYLE_DIM, "  rule", "%s (%s%s)", r.rule_name,
			r.layer == LAYER_PROVIDER ? explain_provider_name(rules, r.provider) : "",
			r.layer == LAYER_PROVIDER ? "'s own list" : explain_layer_word(r.layer));
}

void lines_blocklist(struct lines *l, struct str reply)
{
	const char *list = name_list_named(reply);
	struct pane_target to = lines_target(l, "dns", "block list");
	size_t first = l->t->nrows;

	if (!list)
		return;
	snprintf(to.filter, sizeof(to.filter), "%s", list);
	lines_say(l, STYLE_KEY, "  block list", "%s is named: what it says of own addresses", list);
	lines_link(l, first, &to);
}
