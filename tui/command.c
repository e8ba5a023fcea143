/* SPDX-License-Identifier: MIT */
/*
 * command - the `:` line: a view, a provider, a window, an instant, or one of a few words.
 *
 * What is looked up first wins: words, views, providers, windows, instants. Pure but for the app it acts on.
 */
#include "tui/app.h"

#include "store/base/timefmt.h"

#include <stdio.h>

static void do_quit(struct app *a)
{
	a->quit = true;
}

static void do_live(struct app *a)
{
	app_set_instant(a, INT64_MAX);
	a->instant_ms = 0;
}

static void do_all(struct app *a)
{
	app_set_provider(a, 0);
}

static void do_help(struct app *a)
{
	app_request(a, REQ_HELP);
}

static void do_pause(struct app *a)
{
	app_request(a, REQ_PAUSE);
}

static void do_setup(struct app *a)
{
	app_request(a, REQ_SETUP);
}

static const struct {
	const char *word;
	void (*run)(struct app *a);
} words[] = {
	{"all", do_all},
	{"help", do_help},
	{"live", do_live},
	{"overview", view_home},
	{"pause", do_pause},
	{"q", do_quit},
	{"quit", do_quit},
	{"setup", do_setup},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static bool sort_by_name(struct app *a, struct str name, char *error)
{
	struct frame *f = app_list_frame(a);

	for (size_t i = 0; f && i < f->list.ncolumns; i++) {
		if (str_ieq(name, str_of(f->list.columns[i].name))) {
			f->list.sort = (int)i;
			f->list.descending = f->list.columns[i].descending;
			app_touch(a);
			return true;
		}
	}
	snprintf(error, APP_TEXT_BYTES, "no such column here");
	return false;
}

static bool set_provider_by_name(struct app *a, struct str name)
{
	for (size_t i = 0; i < a->status.nproviders; i++) {
		if (str_ieq(name, a->status.providers[i].name)) {
			app_set_provider(a, a->status.providers[i].id);
			return true;
		}
	}
	return false;
}

/* "sort COLUMN", "filter TEXT". -1: neither. */
static int run_with_argument(struct app *a, struct str line, char *error)
{
	size_t at = str_find_char(line, ' ');
	struct str verb = str_first(line, at), rest = str_trim(str_skip(line, at));

	if (str_eq(verb, STR_LIT("sort")))
		return sort_by_name(a, rest, error);
	if (str_eq(verb, STR_LIT("filter"))) {
		app_set_filter(a, rest);
		return true;
	}
	return -1;
}

static bool run_instant(struct app *a, struct str line, char *error)
{
	int64_t when_ms, now = clock_utc_ms(a->opt.clock);

	if (timefmt_parse_when(line, now, &when_ms) < 0) {
		snprintf(error, APP_TEXT_BYTES,
			"no such view, provider, window or time (Tab lists them; 03:12, -2h)");
		return false;
	}
	if (when_ms > now) {
		snprintf(error, APP_TEXT_BYTES, "that is in the future");
		return false;
	}
	app_set_instant(a, when_ms);
	return true;
}

/* "03:12" or "03:12:30": the latest such moment of the last 24 hours, local time. */
static bool run_clock(struct app *a, struct str line)
{
	int64_t now = clock_utc_ms(a->opt.clock), day_ms = 86400000, when_ms;
	struct buf full;
	bool ok;

	if (line.n < 4 || line.n > 8 || str_find_char(line, ':') > 2)
		return false;
	buf_init(&full, 64);
	timefmt_date_clock(&full, now);
	if (full.n > 10)
		full.n = 11; /* "2026-11-23 " */
	buf_add_str(&full, line);
	ok = timefmt_parse_when(buf_str(&full), now, &when_ms) == 0;
	buf_done(&full);
	if (!ok)
		return false;
	app_set_instant(a, when_ms > now ? when_ms - day_ms : when_ms);
	return true;
}

bool command_run(struct app *a, struct str line, char *error)
{
	const struct pane_ops *pane;
	int window, with_argument;

	line = str_trim(line);
	if (line.n == 0)
		return true;
	for (size_t i = 0; i < WORDS; i++) {
		if (str_ieq(line, str_of(words[i].word))) {
			words[i].run(a);
			return true;
		}
	}
	with_argument = run_with_argument(a, line, error);
	if (with_argument >= 0)
		return with_argument;
	pane = pane_by_name(line);
	if (pane) {
		view_home(a);
		return view_push(a, pane, NULL);
	}
	if (set_provider_by_name(a, line))
		return true;
	window = app_window_by_name(line);
	if (window >= 0) {
		app_set_window(a, window);
		return true;
	}
	return run_clock(a, line) || run_instant(a, line, error);
}

/* --- completion --- */

struct completion {
	struct str prefix;
	char common[APP_TEXT_BYTES];
	size_t n;
	struct buf list;
};

static void consider(struct completion *cp, struct str word)
{
	size_t k = 0;

	if (word.n >= APP_TEXT_BYTES || !str_ieq(str_first(word, cp->prefix.n), cp->prefix))
		return;
	if (cp->n++ == 0) {
		memcpy(cp->common, word.p, word.n);
		cp->common[word.n] = '\0';
	}
	while (k < word.n && cp->common[k] == word.p[k])
		k++;
	cp->common[k] = '\0';
	buf_add_str(&cp->list, word);
	buf_add_char(&cp->list, ' ');
}

void command_complete(
	struct app *a, char *text, size_t text_bytes, char *candidates, size_t candidates_bytes)
{
	struct completion cp = {.prefix = str_of(text)};

	buf_init(&cp.list, 4096);
	for (size_t i = 0; i < WORDS; i++)
		consider(&cp, str_of(words[i].word));
	for (size_t i = 0; pane_table[i]; i++)
		consider(&cp, str_of(pane_table[i]->name));
	for (size_t i = 0; i < a->status.nproviders; i++)
		consider(&cp, a->status.providers[i].name);
	for (int i = 0; i < app_window_count(); i++)
		consider(&cp, str_of(app_window_name(i)));
	consider(&cp, STR_LIT("sort "));
	consider(&cp, STR_LIT("filter "));
	candidates[0] = '\0';
	if (cp.n == 0)
		snprintf(candidates, candidates_bytes, "nothing begins so");
	else if (strlen(cp.common) > cp.prefix.n || cp.n == 1)
		snprintf(text, text_bytes, "%s", cp.common);
	if (cp.n > 1)
		snprintf(candidates, candidates_bytes, "%s", buf_z(&cp.list));
	buf_done(&cp.list);
}
