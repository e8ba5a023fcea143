/* SPDX-License-Identifier: MIT */
/*
 * help - the ? screen: what this pane shows, its columns, and every key; made from the pane's own
 * texts and request.def, so it can't say something else than the program does.
 *
 * Laid out anew at each draw for the width there is. Keeps only the scroll position.
 */
#include "tui/app.h"

#include <stdio.h>

#define KEYS_COLUMNS 18 /* "Esc Backspace" and a margin */
#define NAME_COLUMNS 18

struct writer { /* writes wrapped lines; those outside the page are only counted */
	struct canvas *c;
	struct rect r;
	int top, line;
};

static void put(struct writer *w, int indent, enum style style, struct str text)
{
	int y = w->line - w->top;

	if (y >= 0 && y < w->r.h)
		canvas_text(w->c, w->r.x + indent, w->r.y + y, w->r.w - indent, style, text);
}

/* Text wrapped at spaces behind indent; a newline in it ends a paragraph. Bytes for columns: our texts are ASCII. */
static void wrap(struct writer *w, int indent, enum style style, struct str text)
{
	size_t width = w->r.w - indent > 8 ? (size_t)(w->r.w - indent) : 8;

	while (text.n > 0) {
		struct str line = str_first(text, str_find_char(text, '\n'));
		size_t skip = line.n + (line.n < text.n);

		if (line.n > width) {
			size_t cut = str_rfind_char(str_first(line, width + 1), ' ');

			line.n = skip = cut <= width && cut > 0 ? cut : width;
		}
		put(w, indent, style, line);
		w->line++;
		text = str_skip(text, skip);
		while (text.n > 0 && text.p[0] == ' ')
			text = str_skip(text, 1);
	}
}

static void heading(struct writer *w, const char *text)
{
	if (w->line > 0)
		w->line++;
	put(w, 1, STYLE_TITLE, str_of(text));
	w->line++;
}

static void entry(struct writer *w, struct str name, int columns, const char *text)
{
	put(w, 2, STYLE_KEY, str_first(name, (size_t)columns));
	wrap(w, 2 + columns, STYLE_NORMAL, str_of(text));
}

static void write_pane(struct writer *w, const struct pane_ops *pane)
{
	heading(w, pane->title);
	if (pane->help)
		wrap(w, 2, STYLE_NORMAL, str_of(pane->help));
	if (!pane->columns)
		return;
	heading(w, "Columns");
	for (size_t i = 0; i < pane->ncolumns; i++)
		if (pane->columns[i].help && pane->columns[i].name[0])
			entry(w, str_of(pane->columns[i].name), NAME_COLUMNS,
				pane->columns[i].help);
}

static bool own(const struct pane_ops *pane, enum request req)
{
	for (const enum request *r = pane ? pane->requests : NULL; r && *r != REQ_NONE; r++)
		if (*r == req)
			return true;
	return false;
}

static void write_keys(struct writer *w, const struct pane_ops *pane)
{
	const char *group = "";
	char title[64];

	heading(w, "Keys");
	for (int req = REQ_NONE + 1; req < REQ__COUNT; req++) {
		const struct request_info *info = request_info((enum request)req);

		if (strcmp(group, info->group) != 0) {
			group = info->group;
			snprintf(title, sizeof(title), "%s", group);
			put(w, 2, STYLE_DIM, str_of(title));
			w->line++;
		}
		put(w, 2, STYLE_GOOD, own(pane, (enum request)req) ? STR_LIT("*") : STR_LIT(" "));
		put(w, 4, STYLE_KEY, str_of(info->keys));
		wrap(w, 4 + KEYS_COLUMNS, STYLE_NORMAL, str_of(info->help));
	}
	entry(w, STR_LIT("1-9 0"), KEYS_COLUMNS + 2, "open a view by its number; 0: the overview");
	wrap(w, 2, STYLE_DIM,
		STR_LIT("* = this view has a use of its own for the key. Mouse: click a tile, a "
			"tab, a "
			"row or a column head; the wheel scrolls; off with --no-mouse."));
}

static void write_views(struct writer *w)
{
	char name[32];

	heading(w, "Views");
	for (size_t i = 0; pane_table[i]; i++) {
		if (pane_table[i]->number)
			snprintf(name, sizeof(name), "%d :%s", pane_table[i]->number,
				pane_table[i]->name);
		else
			snprintf(name, sizeof(name), "  :%s", pane_table[i]->name);
		entry(w, str_of(name), NAME_COLUMNS, pane_table[i]->title);
	}
	heading(w, "Command line (:)");
	wrap(w, 2, STYLE_NORMAL,
		STR_LIT("A view (queue), a provider (postfix, all), a window (5m 15m 1h 6h 24h 7d "
			"30d), "
			"an instant (03:12, -2h, 2026-11-23 03:12), live, sort COLUMN, filter "
			"TEXT, "
			"pause, setup, quit. Tab completes."));
}

/* The board itself: what its two lines and its tiles say. */
static void write_board(struct writer *w)
{
	heading(w, "The board");
	wrap(w, 2, STYLE_NORMAL,
		STR_LIT("Line 1: the providers (the one in [ ] is shown; ALL adds up what can be "
			"added), the time window, and LIVE, AT the instant looked at, or PAUSED.\n"
			"Line 2: for each provider its health, how long ago it was last read, and "
			"its "
			"finest bucket where that is not a minute; at the right the loudest "
			"alert.\n"
			"fresh: read on time; late: over two of its intervals ago; stale: over "
			"five; "
			"FAILING, STOPPED: see :providers; reading back: old log lines are being "
			"read, "
			"with how much of them is done.\n"
			"Bounce rate over 3%: a convention of senders, no provider publishes it; "
			"given "
			"with the number of final outcomes (sent, bounced, expired) it is of, and "
			"not "
			"at all below 100 of them.\n"
			"? in place of a figure: not known. A filter is shown as FILTERED as long "
			"as it "
			"holds. Arrows compare with the window before this one."));
}

static const struct pane_ops *pane_in_focus(struct app *a)
{
	if (app_top(a)->pane)
		return app_top(a)->pane;
	return a->overview.n ? a->overview.tiles[a->overview.focus].pane : NULL;
}

void help_draw(struct app *a, struct canvas *c, struct rect r)
{
	struct help *h = &a->help;
	const struct pane_ops *pane = pane_in_focus(a);
	struct writer w = {.c = c, .r = {r.x, r.y, r.w, r.h - 1}, .top = h->top};

	if (!app_top(a)->pane)
		write_board(&w);
	if (pane)
		write_pane(&w, pane);
	write_views(&w);
	write_keys(&w, pane);
	h->lines = w.line;
	h->page = w.r.h > 0 ? w.r.h : 1;
	canvas_printf(c, r.x + 1, r.y + r.h - 1, r.w - 1, STYLE_DIM,
		"help: lines %d-%d of %d; arrows and PgDn scroll, Esc closes", h->top + 1,
		h->top + h->page < h->lines ? h->top + h->page : h->lines, h->lines);
}

void help_key(struct app *a, int32_t key)
{
	struct help *h = &a->help;
	enum request req = key_request(key);
	int last = h->lines > h->page ? h->lines - h->page : 0;

	if (req == REQ_DOWN)
		h->top++;
	else if (req == REQ_UP)
		h->top--;
	else if (req == REQ_PAGE_DOWN || req == REQ_HALF_DOWN || req == REQ_TAG)
		h->top += h->page;
	else if (req == REQ_PAGE_UP || req == REQ_HALF_UP)
		h->top -= h->page;
	else if (req == REQ_TOP)
		h->top = 0;
	else if (req == REQ_BOTTOM)
		h->top = last;
	else if (req == REQ_QUIT_ALL)
		a->quit = true;
	else if (req == REQ_BACK || req == REQ_QUIT || req == REQ_HELP)
		h->open = false;
	h->top = h->top > last ? last : h->top;
	h->top = h->top < 0 ? 0 : h->top;
	a->dirty = true;
}
