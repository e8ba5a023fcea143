/* SPDX-License-Identifier: MIT */
/*
 * app - the dashboard as a state machine: keys and commits in, a canvas out. No terminal, no
 * threads, no clock of its own, so tests drive it with a fake clock and read the canvas.
 *
 * The struct is open to the files of the tui core (view, overview, status, command, prompt, help,
 * setup, action); panes and main use the functions alone.
 */
#ifndef MT_TUI_APP_H
#define MT_TUI_APP_H

#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/conf.h"
#include "tui/keys.h"
#include "tui/layout.h"
#include "tui/list.h"

#define APP_STACK_MAX 32 /* drill-downs deep; further ones are refused with a message */
#define PAGES_MAX 1000 /* of 1,000 rows: more is no list to walk through */
#define APP_TEXT_BYTES 256 /* filter, prompt and message texts */
#define APP_LABEL_BYTES 80 /* as pane_target.label */
#define APP_TABS_MAX 64

enum app_theme { THEME_DEFAULT, THEME_CONTRAST, THEME_MONO, THEME__COUNT };

struct app_options { /* all borrowed for the app's life */
	struct reader *reader;
	const struct clock *clock;
	const struct services *services; /* may be NULL */
	const struct warmup_plans *warmups; /* of the configuration; may be NULL */
	const char *rules_path; /* a person's explain.conf; NULL: the built-in rules alone */
	const char *version, *host;
	const char *notice; /* a sentence to show at the start, or NULL */
	const char *provider; /* name to start with, or NULL */
	const char *filter; /* or NULL */
	const char *sort_key; /* column heading lists start sorted by, or NULL */
	const struct conf *conf; /* shown in setup, or NULL */
	const char *conf_path; /* the file it was read from, or NULL */
	int window; /* index, see app_window_by_name; -1 = 1h */
	int64_t refresh_ms; /* 0 = 1 s */
	enum app_theme theme;
	bool utf8, mouse, clipboard, read_write, demo;
	bool once; /* one picture: no hints, no cursor */
	bool (*key_waits)(
		void *ctx); /* has a person or a signal something to say? May be NULL: never */
	void *key_waits_ctx;
};

struct frame { /* one view on the way: an open pane, or the overview (pane NULL) */
	const struct pane_ops *pane;
	void *state; /* owned, pane->state_bytes */
	struct list list;
	struct table table;
	struct arena arena; /* strings of narrow */
	struct query narrow; /* what the drill-down narrowed; window and text come from the app */
	bool own_window, own_provider;
	int64_t object;
	char label[APP_LABEL_BYTES];
	char filter_before[APP_TEXT_BYTES]; /* restored when the frame is left */
	struct {
		int64_t ms, id;
	} pages[PAGES_MAX]; /* keys of the pages gone through, page.c */
	int npages;
	bool land_bottom; /* after the next refresh: cursor to the last row */
	bool truncated; /* the reader stopped at its scan limit */
	bool read; /* a refresh has filled it */
	bool failed;
	struct mt_error error;
	struct { /* what a refresh that is under way puts back if a key stops it */
		void *state; /* owned; pane->state_bytes */
		struct table table; /* its arena is the spare one while no refresh is under way */
		struct mt_error error;
		bool pending, failed, truncated;
	} before;
};

struct overview {
	struct frame tiles[LAYOUT_TILES_MAX];
	struct rect rects[LAYOUT_TILES_MAX]; /* of the last draw; w 0 = not shown */
	size_t n, focus;
	bool laid_out; /* rects are of a draw */
};

struct status {
	struct arena arena;
	struct provider_row *providers;
	size_t nproviders;
	struct alert_row *alerts; /* firing first; in arena */
	size_t nalerts;
	int64_t rung_ms; /* newest alert the bell was rung for; 0: before the first look */
	bool looked, ring; /* ring: to be done by the loop */
	struct totals totals; /* of the provider and window shown */
	struct queue_figures queue;
	bool known;
	struct arena spare; /* of the refresh before, or of the one to come */
	struct {
		struct rect where;
		int provider;
	} tabs[APP_TABS_MAX];
	size_t ntabs;
};

enum prompt_kind {
	PROMPT_NONE,
	PROMPT_SEARCH,
	PROMPT_FILTER,
	PROMPT_COMMAND,
	PROMPT_TAG,
	PROMPT_CONFIRM
};
struct prompt {
	enum prompt_kind kind;
	char text[APP_TEXT_BYTES];
	size_t n, at; /* bytes; cursor */
	char error[APP_TEXT_BYTES];
};

struct action { /* hold, release ... : asked for, then running */
	enum job_kind kind;
	int provider;
	struct arena arena;
	struct job_id *ids;
	size_t nids;
	struct job *job; /* owned while running */
};

struct help {
	bool open;
	int top, lines, page;
};
struct setup {
	bool open;
	int item; /* of this session's settings */
	int top, page; /* of the configuration shown under them */
};

enum app_effect {
	EFFECT_NONE,
	EFFECT_COPY,
	EFFECT_LOFI,
	EFFECT_REDRAW
}; /* for the terminal's owner to do */

struct app {
	struct app_options opt;
	struct canvas canvas;
	struct frame stack[APP_STACK_MAX];
	size_t depth; /* frames in use, >= 1 */
	struct overview overview;
	struct status status;
	struct prompt prompt;
	struct action action;
	bool tagged_only; /* ";" was the key before: the action is for tagged rows, never for the cursor's */
	struct help help;
	struct setup setup;
	char message[APP_TEXT_BYTES];
	char alarm[2 * APP_TEXT_BYTES]; /* stays on line 2 until cleared: the collector has ended */
	enum style message_style;
	int64_t message_until_mono_ms;
	int window; /* index of the window table */
	int provider; /* 0 = all */
	char provider_wanted[APP_TEXT_BYTES]; /* a name not seen yet */
	char filter[APP_TEXT_BYTES];
	bool live, paused, tiny;
	int64_t instant_ms; /* looked at when not live */
	int64_t paused_ms;
	bool stale; /* the cache or the query changed: refresh when due */
	int64_t stale_mono_ms; /* since when */
	bool asked; /* by a person: refresh at once, even when paused */
	bool keyed; /* a key came since the last step: its picture goes before what is merely due */
	bool dirty; /* the picture is old */
	bool quit;
	int64_t refresh_ms, refreshed_mono_ms, refresh_cost_ms, refreshed_minute, drawn_second,
		ticked_mono_ms;
	struct explain_rules *rules; /* owned; app_rules.c */
	uint64_t rules_stamp;
	int64_t rules_looked_mono_ms;
	enum app_effect effect;
	struct buf effect_text;
};

/* app_new - the app on its overview, nothing read yet. Gives *ret. */
struct app *app_new(const struct app_options *options);
void app_free(struct app *a);
/* app_resize - the size to draw at. */
void app_resize(struct app *a, int w, int h);
/* app_key - one key or mouse event. */
void app_key(struct app *a, const struct key_event *e);
/* app_request - what a key asks for, by its meaning. */
void app_request(struct app *a, enum request req);
/* app_step - look whether the cache changed, read again if it is time, poll jobs. Call on every wake-up. */
void app_step(struct app *a);
/* app_wait_ms - how long nothing is to do, 0..1000, unless a key or a commit comes. */
int app_wait_ms(const struct app *a);
/* app_wants_commits - would a commit be shown at once? Else don't wake up for it: the next tick finds it. */
bool app_wants_commits(const struct app *a);
/* app_draw - the picture, drawn anew if it is old. Borrowed until the next call. */
const struct canvas *app_draw(struct app *a);
/* app_idle - nothing to read, no job running: what is shown is final until something happens. */
bool app_idle(const struct app *a);
/* app_message - a line for the person, in the place of the hints for some seconds or until a key. */
void app_message(struct app *a, enum style style, const char *fmt, ...) MT_PRINTF(3, 4);
/* app_window_by_name - index of "1h" ...; -1. app_window_name, app_window_ms - of an index. app_window_count. */
int app_window_by_name(struct str name);
const char *app_window_name(int window);
int64_t app_window_ms(int window);
int app_window_count(void);

/* ---- within the tui core ---- */
int64_t app_now_ms(const struct app *a); /* end of the window */
struct frame *app_top(struct app *a);
/* app_list_frame - frame whose list the keys move: the top, or the focused list tile; NULL if none. */
struct frame *app_list_frame(struct app *a);
int app_shown_provider(const struct app *a); /* of the top view; 0 = all */
void app_touch(struct app *a); /* the query changed: read again at once */
void app_set_window(struct app *a, int window);
void app_set_provider(struct app *a, int provider);
void app_set_instant(struct app *a, int64_t utc_ms);
void app_set_filter(struct app *a, struct str text);

/* app_refresh.c. refresh_wanted - the cache has changed: read it when that is due. refresh_if_due - read all that is
 * shown, if it is wanted and time. refresh_due_mono_ms - not before. */
void refresh_wanted(struct app *a, int64_t mono_ms);
void refresh_if_due(struct app *a, int64_t mono_ms);
int64_t refresh_due_mono_ms(const struct app *a);

/* view.c */
void frame_open(struct app *a, struct frame *f, const struct pane_ops *pane,
	const struct pane_target *target);
void frame_close(struct frame *f);
void frame_view(const struct app *a, const struct frame *f, struct view *out);
/* frame_read - the pane's model anew; then frame_keep shows it, or frame_undo brings back the one before. frame_stoppable
 * - may frame_read be undone? Not where the pane owns more than bytes. */
void frame_read(struct app *a, struct frame *f);
void frame_keep(struct frame *f);
void frame_undo(struct frame *f);
bool frame_stoppable(const struct frame *f);
void frame_draw(struct app *a, struct frame *f, struct canvas *c, struct rect r, bool focused);
const struct pane_ops *pane_by_name(struct str name);
const struct pane_ops *pane_by_number(int number);
bool view_push(struct app *a, const struct pane_ops *pane, const struct pane_target *target);
bool view_pop(struct app *a);
void view_home(struct app *a);
bool view_enter(struct app *a, struct frame *f);
unsigned view_pane_request(struct app *a, struct frame *f, enum request req);

/* page.c: keyset paging and the position line */
void page_reset(struct app *a); /* the question changed: first pages again */
void page_view(const struct frame *f, struct view *out);
/* page_turn - a movement past the first or last row: the page is turned, true. */
bool page_turn(struct app *a, struct frame *f, enum request req);
void page_arrived(struct frame *f); /* after a refresh */
/* page_draw - the position line at the bottom of r when not everything is shown; returns the lines used. */
int page_draw(const struct frame *f, struct canvas *c, struct rect r);

/* overview.c */
void overview_init(struct app *a);
void overview_done(struct app *a);
/* overview_read - the tiles that have a place. overview_end - keep what was read, or undo it. */
void overview_read(struct app *a);
void overview_end(struct app *a, bool keep);
void overview_draw(struct app *a, struct canvas *c, struct rect r);
bool overview_request(struct app *a, enum request req);
bool overview_click(struct app *a, int x, int y);
void overview_focus(struct app *a, int x, int y);

/* status.c: header, crumbs, footer, the one line of a tiny screen */
void status_refresh(struct app *a);
int status_draw_head(struct app *a, struct canvas *c);
void status_draw_foot(struct app *a, struct canvas *c, int y);
void status_draw_tiny(struct app *a, struct canvas *c);
bool status_click(struct app *a, int x, int y);

/* prompt.c, command.c */
void prompt_open(struct app *a, enum prompt_kind kind, const char *text);
void prompt_key(struct app *a, const struct key_event *e);
void prompt_draw(struct app *a, struct canvas *c, int y);
/* command_run - one command line; false: *error (APP_TEXT_BYTES) says why. command_complete - longest common completion. */
bool command_run(struct app *a, struct str line, char *error);
void command_complete(
	struct app *a, char *text, size_t text_bytes, char *candidates, size_t candidates_bytes);

/* app_rules.c: why replies are given */
void app_rules_open(struct app *a);
/* app_rules_look - has the file changed? Then it is read anew; one with a mistake is told and not used. */
void app_rules_look(struct app *a);

/* help.c, setup.c, action.c */
void help_draw(struct app *a, struct canvas *c, struct rect r);
void help_key(struct app *a, int32_t key);
void setup_draw(struct app *a, struct canvas *c, struct rect r);
void setup_key(struct app *a, int32_t key);
void action_begin(struct app *a, enum request req);
void action_confirm(struct app *a, struct str typed);
void action_cancel(struct app *a);
void action_step(struct app *a);
void action_draw(struct app *a, struct canvas *c, struct rect r);

#endif
