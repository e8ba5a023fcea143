/* SPDX-License-Identifier: MIT */
/*
 * dashboard - from the options main hands over to an app, on a terminal, as one text board, or
 * driven by a script. Owns the reader; knows no backend.
 */
#include "tui/dashboard.h"

#include "store/base/scan.h"
#include "store/base/timefmt.h"
#include "tui/app.h"
#include "tui/loop.h"
#include "tui/screen_curses.h"
#include "tui/screen_text.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ONCE_COLUMNS 80
#define ONCE_ROWS 40
#define ONCE_MAX_BYTES (16u << 20)
#define DELAY_MIN_MS 250
#define DELAY_MAX_MS 60000

static const struct conf_key keys[] = {
	{.section = "screen",
		.name = "bell",
		.type = CONF_BOOL,
		.fallback = "no",
		.help = "Ring the terminal's bell when an alert begins to fire"},
	{.section = "screen",
		.name = "clipboard",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Let y copy a row through the terminal (OSC 52)"},
	{.section = "screen",
		.name = "delay",
		.type = CONF_DURATION,
		.fallback = "1s",
		.min = DELAY_MIN_MS,
		.max = DELAY_MAX_MS,
		.help = "Refresh the overview at most this often, an opened view after 0.65 of it "
			"(--delay)"},
	{.section = "screen",
		.name = "mouse",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Use the mouse (--no-mouse)"},
	{.section = "screen",
		.name = "theme",
		.type = CONF_CHOICE,
		.fallback = "default",
		.choices = "default|contrast|mono",
		.help = "Colours: default follows the terminal's own 16 colours; NO_COLOR and "
			"--no-color mean mono"},
	{.section = "screen",
		.name = "unicode",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Braille graphs and line drawing where the locale is UTF-8 (--no-unicode)"},
	{.section = "screen",
		.name = "window",
		.type = CONF_CHOICE,
		.fallback = "1h",
		.choices = "5m|15m|1h|6h|24h|7d|30d",
		.help = "Time window at the start (--window)"},
};

const struct conf_table dashboard_conf = {keys, sizeof(keys) / sizeof(keys[0])};

struct setting { /* what is read from options, held for the app's life */
	struct clock clock;
	struct reader *reader;
	struct app *app;
	char *rules_path; /* owned */
	char host[256];
	bool color;
};

static enum app_theme theme_by_name(const char *name)
{
	if (strcmp(name, "contrast") == 0)
		return THEME_CONTRAST;
	return strcmp(name, "mono") == 0 ? THEME_MONO : THEME_DEFAULT;
}

static const char *given(const char *arg, const struct conf *conf, const char *name)
{
	return arg ? arg : conf_text(conf, "screen", NULL, name);
}

static bool locale_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int set_clock(struct setting *s, const struct dashboard_options *o, struct mt_error *reterr)
{
	int64_t utc_ms;

	s->clock = o->clock ? *o->clock : clock_real();
	if (!o->args->fake_now)
		return 0;
	if (timefmt_parse_when(str_of(o->args->fake_now), clock_utc_ms(&s->clock), &utc_ms) < 0)
		return mt_error_set(
			reterr, MT_ECONFIG, "--fake-now: not a time: %s", o->args->fake_now);
	s->clock = clock_fake(utc_ms);
	return 0;
}

static int open_setting(
	struct setting *s, const struct dashboard_options *o, bool once, struct mt_error *reterr)
{
	const struct args *args = o->args;
	const char *no_color = getenv("NO_COLOR");
	struct app_options ao = {0};
	int err = set_clock(s, o, reterr);

	if (err == 0)
		err = reader_open(o->cache_path, &s->reader, reterr);
	if (err < 0)
		return err;
	if (gethostname(s->host, sizeof(s->host) - 1) < 0)
		s->host[0] = '\0';
	s->color = !args->no_color && !(no_color && no_color[0]);
	s->rules_path = explain_path(args->config);
	ao = (struct app_options){.reader = s->reader,
		.warmups = o->warmups,
		.rules_path = s->rules_path,
		.clock = &s->clock,
		.services = o->services,
		.version = MTATOP_VERSION,
		.host = s->host,
		.notice = o->notice,
		.provider = args->provider,
		.filter = args->filter,
		.sort_key = args->sort_key,
		.conf = o->conf,
		.conf_path = o->conf_path,
		.window = app_window_by_name(str_of(given(args->window, o->conf, "window"))),
		.refresh_ms = args->delay_ms ? args->delay_ms
					     : conf_int(o->conf, "screen", NULL, "delay"),
		.theme = theme_by_name(given(args->theme, o->conf, "theme")),
		.utf8 = locale_is_utf8() && !args->no_unicode &&
			conf_bool(o->conf, "screen", NULL, "unicode"),
		.clipboard = conf_bool(o->conf, "screen", NULL, "clipboard"),
		.mouse = !args->no_mouse && conf_bool(o->conf, "screen", NULL, "mouse"),
		.read_write = o->services && o->services->read_write,
		.demo = o->demo,
		.once = once};
	s->app = app_new(&ao);
	return 0;
}

static void close_setting(struct setting *s)
{
	app_free(s->app);
	reader_close(s->reader);
	free(s->rules_path);
}

static int run_on_terminal(
	struct setting *s, const struct dashboard_options *o, struct mt_error *reterr)
{
	struct screen_options so = {
		.theme = s->app->opt.theme, .color = s->color, .mouse = s->app->opt.mouse};
	struct screen *screen = NULL;
	int err = screen_open(&so, &screen, reterr);

	if (err < 0)
		return err;
	err = loop_run(s->app, screen, o, s->color, reterr);
	screen_close(screen);
	loop_end_grace();
	return err;
}

int dashboard_run(const struct dashboard_options *o, struct mt_error *reterr)
{
	struct setting s = {0};
	int err;

	if (!o->args->script && !screen_usable(reterr))
		return MT_ENOTSUP;
	err = open_setting(&s, o, false, reterr);
	if (err < 0)
		return err;
	if (o->attached && !o->notice)
		app_message(s.app, STYLE_DIM,
			"another mtatop collects into this cache; this one watches");
	err = o->args->script ? script_run(s.app, o->args->script, o->notify_fd, reterr)
			      : run_on_terminal(&s, o, reterr);
	close_setting(&s);
	return err;
}

/* A number of the environment, or fallback when it is unset or no sane size. */
static int env_size(const char *name, int fallback, uint64_t max)
{
	uint64_t n;

	return scan_all_u64(str_of(getenv(name)), max, &n) && n > 0 ? (int)n : fallback;
}

int dashboard_once(const struct dashboard_options *o, FILE *out, struct mt_error *reterr)
{
	struct setting s = {0};
	struct buf text;
	int err = open_setting(&s, o, true, reterr);

	if (err < 0)
		return err;
	app_resize(s.app, env_size("COLUMNS", ONCE_COLUMNS, CANVAS_MAX_COLUMNS),
		env_size("LINES", ONCE_ROWS, CANVAS_MAX_ROWS));
	app_step(s.app);
	buf_init(&text, ONCE_MAX_BYTES);
	if (o->notice)
		buf_printf(&text, "%s\n", o->notice);
	err = screen_text_write(app_draw(s.app), &text);
	if (err == 0 && (fwrite(text.p, 1, text.n, out) != text.n || fflush(out) != 0) &&
		errno != EPIPE)
		err = mt_error_sys(reterr, errno, "can't write the board");
	buf_done(&text);
	close_setting(&s);
	return err;
}
