/* SPDX-License-Identifier: MIT */
/*
 * prompt - the one-line editor at the foot: search, filter, tag, command, confirmation.
 *
 * The text is UTF-8 typed by the person; at is a byte offset that never lies within a code point.
 */
#include "tui/app.h"

#include "store/base/utf8.h"

#include <stdio.h>

static const char *const labels[] = {
	[PROMPT_NONE] = "",
	[PROMPT_SEARCH] = "/",
	[PROMPT_FILTER] = "filter: ",
	[PROMPT_COMMAND] = ":",
	[PROMPT_TAG] = "tag rows with: ",
	[PROMPT_CONFIRM] = "> ",
};

void prompt_open(struct app *a, enum prompt_kind kind, const char *text)
{
	a->prompt = (struct prompt){.kind = kind};
	snprintf(a->prompt.text, sizeof(a->prompt.text), "%s", text);
	a->prompt.n = a->prompt.at = strlen(a->prompt.text);
	a->dirty = true;
}

static size_t step_left(const struct prompt *p, size_t at)
{
	if (at > 0)
		at--;
	while (at > 0 && ((unsigned char)p->text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static size_t step_right(const struct prompt *p, size_t at)
{
	if (at < p->n)
		at++;
	while (at < p->n && ((unsigned char)p->text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void erase(struct prompt *p, size_t from, size_t to)
{
	memmove(p->text + from, p->text + to, p->n - to + 1);
	p->n -= to - from;
	p->at = from;
}

static void insert(struct prompt *p, int32_t cp)
{
	struct buf bytes;

	buf_init(&bytes, 8);
	if (utf8_encode(&bytes, cp) == 0 && p->n + bytes.n < sizeof(p->text)) {
		memmove(p->text + p->at + bytes.n, p->text + p->at, p->n - p->at + 1);
		memcpy(p->text + p->at, bytes.p, bytes.n);
		p->n += bytes.n;
		p->at += bytes.n;
	}
	buf_done(&bytes);
}

static void tag_matching(struct app *a, struct frame *f, struct str text)
{
	size_t n = list_tag_matching(&f->list, &f->table, text);

	if (n == 0)
		app_message(a, STYLE_WARN, "no row matches, none is tagged");
	else
		app_message(a, STYLE_NORMAL, "%zu row%s tagged", n, n == 1 ? " is" : "s are");
}

/* Enter. */
static void accept(struct app *a)
{
	struct prompt done = a->prompt;
	struct frame *f = app_list_frame(a);
	struct str text = str_make(done.text, done.n);

	if (done.kind == PROMPT_COMMAND) {
		char error[APP_TEXT_BYTES] = "";

		a->prompt.kind = PROMPT_NONE;
		if (!command_run(a, text, error)) { /* stay, so that it can be mended */
			a->prompt = done;
			snprintf(a->prompt.error, sizeof(a->prompt.error), "%s", error);
		}
		return;
	}
	a->prompt.kind = PROMPT_NONE;
	if (done.kind == PROMPT_FILTER)
		app_set_filter(a, text);
	else if (done.kind == PROMPT_CONFIRM)
		action_confirm(a, text);
	else if (done.kind == PROMPT_SEARCH && f && !list_search(&f->list, &f->table, text) &&
		 text.n > 0)
		app_message(
			a, STYLE_WARN, "not found among the rows shown (\\ filters all there are)");
	else if (done.kind == PROMPT_TAG && f)
		tag_matching(a, f, text);
}

static void complete(struct app *a)
{
	struct prompt *p = &a->prompt;

	if (p->kind != PROMPT_COMMAND)
		return;
	command_complete(a, p->text, sizeof(p->text), p->error, sizeof(p->error));
	p->n = p->at = strlen(p->text);
}

static void edit(struct app *a, int32_t key)
{
	struct prompt *p = &a->prompt;

	if (key == KEYCODE_BACKSPACE)
		erase(p, step_left(p, p->at), p->at);
	else if (key == KEYCODE_DELETE)
		erase(p, p->at, step_right(p, p->at));
	else if (key == KEYCODE_LEFT)
		p->at = step_left(p, p->at);
	else if (key == KEYCODE_RIGHT)
		p->at = step_right(p, p->at);
	else if (key == KEYCODE_HOME || key == 'A' - '@')
		p->at = 0;
	else if (key == KEYCODE_END || key == 'E' - '@')
		p->at = p->n;
	else if (key == 'U' - '@')
		erase(p, 0, p->at);
	else if (key == KEYCODE_TAB)
		complete(a);
	else if (key >= ' ' && key < KEYCODE_SPECIAL && utf8_width(key) >= 0)
		insert(p, key);
}

void prompt_key(struct app *a, const struct key_event *e)
{
	struct prompt *p = &a->prompt;

	a->dirty = true;
	if (e->pasted && (e->key < ' ' || e->key >= KEYCODE_SPECIAL || p->kind == PROMPT_CONFIRM))
		return; /* a pasted line end must not run a command, nor a paste confirm a deletion */
	if (e->key != KEYCODE_TAB)
		p->error[0] = '\0';
	if (e->key == KEYCODE_ENTER) {
		accept(a);
	} else if (e->key == KEYCODE_ESC || e->key == 'G' - '@' ||
		   (e->key == KEYCODE_BACKSPACE && p->n == 0)) {
		if (p->kind == PROMPT_CONFIRM)
			action_cancel(a);
		p->kind = PROMPT_NONE;
	} else {
		edit(a, e->key);
	}
}

void prompt_draw(struct app *a, struct canvas *c, int y)
{
	struct prompt *p = &a->prompt;
	int x, before, room, shift = 0;

	canvas_fill(c, (struct rect){0, y, c->w, 1}, STYLE_NORMAL);
	x = canvas_printf(c, 0, y, c->w, STYLE_KEY, "%s", labels[p->kind]);
	room = c->w - x - 1;
	before = (int)utf8_show_width(str_make(p->text, p->at), !c->utf8);
	if (before > room)
		shift = before - room;
	canvas_clip(c, (struct rect){x, y, c->w - x, 1});
	canvas_text(c, x - shift, y, c->w + shift, STYLE_NORMAL, str_make(p->text, p->n));
	canvas_restyle(c, (struct rect){x + before - shift, y, 1, 1}, STYLE_SELECTED);
	canvas_clip(c, (struct rect){0, 0, c->w, c->h});
	if (p->error[0]) {
		int columns = (int)utf8_show_width(str_of(p->error), !c->utf8);
		int free_columns = c->w - x - before + shift - 3;

		columns = columns > free_columns ? free_columns : columns;
		canvas_text(c, c->w - columns, y, columns, STYLE_WARN, str_of(p->error));
	}
}
