/* SPDX-License-Identifier: MIT */
/*
 * view - open panes: the stack, what each is asked to show, refresh and draw of one.
 *
 * A frame keeps its list and its pane's state while it is covered, so going back is exact. The
 * filter a frame was opened under comes back with the frame below it.
 */
#include "tui/app.h"

#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define TABLE_MAX_BYTES                                                                            \
	(64u << 20) /* 1,000 rows of long replies are 2 MiB; the log view keeps more */
#define QUERY_MAX_BYTES (64u << 10) /* the few strings of one query */
#define ROWS_LIMIT 1000
#define TILE_ROWS_LIMIT 200 /* all tiles are read anew each second; opened, a list has the rest */

const struct pane_ops *pane_by_name(struct str name)
{
	for (size_t i = 0; pane_table[i]; i++)
		if (str_ieq(name, str_of(pane_table[i]->name)))
			return pane_table[i];
	return NULL;
}

const struct pane_ops *pane_by_number(int number)
{
	for (size_t i = 0; pane_table[i] && number > 0; i++)
		if (pane_table[i]->number == number)
			return pane_table[i];
	return NULL;
}

static void copy_query(struct frame *f, const struct query *from)
{
	struct query *q = &f->narrow;

	*q = *from;
	q->text = (struct str){NULL, 0}; /* the filter is the app's */
	q->qid = arena_str(&f->arena, from->qid);
	q->domain = arena_str(&f->arena, from->domain);
	q->relay_host = arena_str(&f->arena, from->relay_host);
	q->service = arena_str(&f->arena, from->service);
	q->sender_domain = arena_str(&f->arena, from->sender_domain);
	q->user = arena_str(&f->arena, from->user);
	q->reply_template = arena_str(&f->arena, from->reply_template);
	q->egress = arena_str(&f->arena, from->egress);
}

/* --sort-key: by heading, of the panes that have such a column. */
static void start_sort(const struct app *a, struct frame *f)
{
	for (size_t i = 0; a->opt.sort_key && i < f->pane->ncolumns; i++) {
		if (str_ieq(str_of(a->opt.sort_key), str_of(f->pane->columns[i].name))) {
			f->list.sort = (int)i;
			f->list.descending = f->pane->columns[i].descending;
		}
	}
}

void frame_open(struct app *a, struct frame *f, const struct pane_ops *pane,
	const struct pane_target *target)
{
	struct view v;
	int err = 0;

	*f = (struct frame){.pane = pane};
	arena_init(&f->arena, QUERY_MAX_BYTES);
	arena_init(&f->table.arena, TABLE_MAX_BYTES);
	arena_init(&f->before.table.arena, TABLE_MAX_BYTES);
	f->table.total = EVENT_UNKNOWN;
	snprintf(f->label, sizeof(f->label), "%s",
		target && target->label[0] ? target->label : pane->name);
	snprintf(f->filter_before, sizeof(f->filter_before), "%s", a->filter);
	if (target) {
		copy_query(f, &target->query);
		f->object = target->object;
		f->own_provider =
			target->query.provider != 0 && target->query.provider != a->provider;
		f->own_window = target->query.t1_ms != 0;
		if (target->filter[0])
			snprintf(a->filter, sizeof(a->filter), "%s", target->filter);
	}
	list_init(&f->list, pane->columns, pane->ncolumns, pane->default_sort);
	start_sort(a, f);
	f->state = xcalloc(1, pane->state_bytes ? pane->state_bytes : 1);
	f->before.state = xcalloc(1, pane->state_bytes ? pane->state_bytes : 1);
	frame_view(a, f, &v);
	if (pane->open)
		err = pane->open(f->state, &v, f->object);
	if (err < 0) {
		f->failed = true;
		mt_error_set(&f->error, (enum mt_err)err, "%s can't be opened: %s", pane->title,
			mt_strerror(err));
	}
}

void frame_close(struct frame *f)
{
	if (f->pane && f->state && f->pane->close)
		f->pane->close(f->state);
	free(f->state);
	free(f->before.state);
	list_done(&f->list);
	arena_done(&f->table.arena);
	arena_done(&f->before.table.arena);
	arena_done(&f->arena);
	*f = (struct frame){0};
}

static bool is_tile(const struct app *a, const struct frame *f)
{
	for (size_t i = 0; i < a->overview.n; i++)
		if (f == &a->overview.tiles[i])
			return true;
	return false;
}

void frame_view(const struct app *a, const struct frame *f, struct view *out)
{
	struct str text = str_of(a->filter);
	bool invert = text.n > 0 && text.p[0] == '!';
	int64_t now = app_now_ms(a);

	*out = (struct view){.query = f->narrow,
		.now_ms = now,
		.live = a->live && !a->paused && !f->own_window,
		.utf8 = a->canvas.utf8,
		.width = a->canvas.w,
		.providers = a->status.providers,
		.nproviders = a->status.nproviders,
		.services = a->opt.services,
		.rules = a->rules,
		.warmups = a->opt.warmups,
		.read_write = a->opt.read_write};
	if (!f->own_window) {
		out->query.t0_ms = now - app_window_ms(a->window);
		out->query.t1_ms = now;
	} else {
		out->now_ms = f->narrow.t1_ms;
	}
	if (!f->own_provider)
		out->query.provider = a->provider;
	text = invert ? str_skip(text, 1) : text;
	if (text.n > 0) {
		out->query.text = text;
		out->query.text_invert = invert;
	}
	out->query.limit = is_tile(a, f) ? TILE_ROWS_LIMIT : ROWS_LIMIT;
	out->query.sort = f->list.sort;
	out->query.descending = f->list.descending;
	page_view(f, out);
}

/* A pane that frees something at its end may have started a job or dropped a buffer while it read. */
bool frame_stoppable(const struct frame *f)
{
	return !f->pane->close;
}

/* The old table stays whole in an arena of its own: the state's strings lie in it. */
static void frame_remember(struct frame *f)
{
	struct arena spare = f->before.table.arena;

	memcpy(f->before.state, f->state, f->pane->state_bytes);
	f->before.table = f->table;
	f->before.error = f->error;
	f->before.failed = f->failed;
	f->before.truncated = f->truncated;
	f->before.pending = true;
	arena_reset(&spare);
	f->table = (struct table){.arena = spare, .total = EVENT_UNKNOWN};
}

void frame_keep(struct frame *f)
{
	if (!f->before.pending)
		return;
	f->before.pending = false;
	f->read = true;
	list_update(&f->list, &f->table);
	page_arrived(f);
}

void frame_undo(struct frame *f)
{
	struct arena spare = f->table.arena;

	if (!f->before.pending)
		return;
	f->before.pending = false;
	memcpy(f->state, f->before.state, f->pane->state_bytes);
	f->table = f->before.table;
	f->before.table.arena = spare;
	f->error = f->before.error;
	f->failed = f->before.failed;
	f->truncated = f->before.truncated;
}

void frame_read(struct app *a, struct frame *f)
{
	struct view v;
	int err = 0;

	frame_view(a, f, &v);
	frame_remember(f);
	f->error = (struct mt_error){0};
	if (f->pane->refresh)
		err = f->pane->refresh(f->state, a->opt.reader, &v, &f->table, &f->error);
	f->failed = err < 0;
	if (f->failed) {
		f->table.rows = NULL;
		f->table.nrows = 0;
		if (f->error.text[0] == '\0')
			snprintf(f->error.text, sizeof(f->error.text), "%s", mt_strerror(err));
	}
	f->truncated = !f->failed && reader_truncated(a->opt.reader);
}

void frame_draw(struct app *a, struct frame *f, struct canvas *c, struct rect r, bool focused)
{
	struct view v;
	int used = 0;

	if (f->failed) {
		canvas_printf(c, r.x, r.y, r.w, STYLE_BAD, "can't read: %s", f->error.text);
		return;
	}
	frame_view(a, f, &v);
	if (f->pane->draw)
		used = f->pane->draw(f->state, &v, &f->table, c, r);
	if (f->pane->columns && used < r.h)
		list_draw(&f->list, &f->table, c, (struct rect){r.x, r.y + used, r.w, r.h - used},
			focused);
}

/* --- the stack --- */

bool view_push(struct app *a, const struct pane_ops *pane, const struct pane_target *target)
{
	if (a->depth >= APP_STACK_MAX) {
		app_message(a, STYLE_WARN, "%d views are open: go back first (Esc)", APP_STACK_MAX);
		return false;
	}
	frame_open(a, &a->stack[a->depth], pane, target);
	a->depth++;
	app_touch(a);
	return true;
}

bool view_pop(struct app *a)
{
	if (a->depth <= 1)
		return false;
	a->depth--;
	snprintf(a->filter, sizeof(a->filter), "%s", a->stack[a->depth].filter_before);
	frame_close(&a->stack[a->depth]);
	app_touch(a);
	return true;
}

void view_home(struct app *a)
{
	char filter[APP_TEXT_BYTES];

	snprintf(filter, sizeof(filter), "%s",
		a->filter); /* going home is no way back: the filter stays */
	while (view_pop(a))
		;
	snprintf(a->filter, sizeof(a->filter), "%s", filter);
}

static bool open_target(struct app *a, const struct frame *from, struct pane_target *target)
{
	const struct pane_ops *pane = pane_by_name(str_of(target->pane));
	struct view v;

	if (!pane) {
		app_message(
			a, STYLE_WARN, "there is no view \"%s\"", target->pane ? target->pane : "");
		return false;
	}
	frame_view(a, from, &v);
	/* A window that is the common one stays the common one: it moves on with the clock. */
	if (!from->own_window && target->query.t0_ms == v.query.t0_ms &&
		target->query.t1_ms == v.query.t1_ms)
		target->query.t0_ms = target->query.t1_ms = 0;
	return view_push(a, pane, target);
}

bool view_enter(struct app *a, struct frame *f)
{
	const struct row *row = list_selected(&f->list, &f->table);
	struct pane_target target = {0};
	struct view v;

	if (!row || !f->pane->enter)
		return false;
	frame_view(a, f, &v);
	target.query = v.query;
	if (!f->pane->enter(f->state, &v, row, &target))
		return false;
	f->list.search_shown = false; /* it has led somewhere; n goes on with it */
	list_select_id(&f->list, &f->table, row->id); /* the way back leads to this row */
	return open_target(a, f, &target);
}

static bool handles(const struct pane_ops *pane, enum request req)
{
	for (const enum request *r = pane->requests; r && *r != REQ_NONE; r++)
		if (*r == req)
			return true;
	return false;
}

static unsigned turn_pane(struct app *a, struct frame *f)
{
	struct view v;

	frame_view(a, f, &v);
	f->pane->turn(f->state, &v);
	app_touch(a);
	a->dirty = true;
	return REQRES_HANDLED | REQRES_REFRESH;
}

unsigned view_pane_request(struct app *a, struct frame *f, enum request req)
{
	struct pane_target target = {0};
	const struct row **tagged;
	struct view v;
	unsigned res;
	size_t n;

	if (!f->pane || !handles(f->pane, req))
		return REQRES_NONE;
	if (req == REQ_BY_SENDER && f->pane->turn)
		return turn_pane(a, f);
	if (!f->pane->request)
		return REQRES_NONE;
	frame_view(a, f, &v);
	target.query = v.query;
	tagged = xcalloc(f->table.nrows + 1, sizeof(const struct row *));
	n = list_tagged(&f->list, &f->table, tagged);
	res = f->pane->request(
		f->state, req, &v, list_selected(&f->list, &f->table), tagged, n, &target);
	free((void *)tagged);
	if (res & REQRES_OPEN)
		open_target(a, f, &target);
	if (res & REQRES_BACK)
		view_pop(a);
	if (res & REQRES_REFRESH)
		app_touch(a);
	if (res != REQRES_NONE)
		a->dirty = true;
	return res;
}
