/* SPDX-License-Identifier: MIT */
/*
 * views - how long the dashboard takes over a cache: the first frame, a refresh of each view, a key to its
 * frame. Everything but the terminal itself: the app is driven as tui/loop.c drives it.
 * usage: views CACHE               first frame, and each view at three windows, JSON on stdout
 *        views CACHE LOG SECONDS   keys while the collector catches up LOG into CACHE in this process
 *        views CACHE --config FILE SECONDS   the same while it pages in what FILE names
 *
 * A refresh is timed after a commit of another connection, as live: nothing kept from the frame before counts.
 */
#include "store/base/mem.h"
#include "store/base/scan.h"
#include "tui/app.h"
#include "tui/main_session.h"

#include <inttypes.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 7
#define WIDTH 120
#define HEIGHT 40
#define SECONDS_MAX 3600
#define KEYS_MAX 200000
#define KEY_EVERY_US                                                                               \
	20000 /* 50 keys a second: faster than a person, slower than a held key's repeat at worst */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The same of this thread's work alone: what other programs of the machine take is not in it. */
static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* percentile - nearest rank; sorts v. */
static double percentile(double *v, size_t n, double pct)
{
	size_t rank = (size_t)(pct / 100 * (double)n + 0.999999);

	qsort(v, n, sizeof(*v), by_value);
	return n ? v[rank > 0 ? rank - 1 : 0] : 0;
}

static void check(int rc, const struct mt_error *error)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "views: %s\n", error->text);
	exit(1);
}

static struct app *open_app(const char *cache, const struct clock *clock, struct reader **reader)
{
	struct app_options o = {
		.clock = clock, .version = "bench", .host = "mx1", .window = -1, .utf8 = true};
	struct mt_error error = {0};
	struct app *a;

	check(reader_open(cache, reader, &error), &error);
	o.reader = *reader;
	a = app_new(&o);
	app_resize(a, WIDTH, HEIGHT);
	return a;
}

static double next_key_ms = 1e300; /* when the next key is there, as poll would tell tui/loop.c */

static bool key_waits(void *ctx)
{
	(void)ctx;
	return now_ms() >= next_key_ms;
}

static void press(struct app *a, const char *name)
{
	struct key_event e = {.key = key_by_name(str_of(name))};

	app_key(a, &e);
}

/* A commit of another connection, so that the reader sees a changed cache. */
static void commit(sqlite3 *db)
{
	static const char sql[] = "INSERT INTO meta(key, value) VALUES('bench','1') ON CONFLICT DO "
				  "UPDATE SET value=value+1";

	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "views: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
}

struct view_time {
	const char *name, *keys; /* keys: pressed one by one from the overview */
};

static const struct view_time views[] = {
	{"overview", ""},
	{"queue", "1"},
	{"delivery", "2"},
	{"errors", "3"},
	{"errors > replies", "3 Enter"},
	{"errors > replies > failures", "3 Enter Enter"},
	{"ports", "4"},
	{"failures", "5"},
	{"destinations", "6"},
	{"destinations > domain", "6 Enter"},
	{"messages", "7"},
	{"messages > message", "7 Enter"},
	{"deliveries", ": d e l i v e r i e s Enter"},
	{"destinations by relay", "6 b b"},
	{"relays > mxhost", ": r e l a y s Enter Enter"},
	{"relays > mxhost > domain", ": r e l a y s Enter Enter Enter"},
	{"mxhosts", ": m x h o s t s Enter"},
	{"mx by domain", ": m x Enter b"},
	{"senders > domain", ": s e n d e r s Enter Enter"},
	{"ports > port > refused", "4 Enter Down Down Enter"},
	{"delivery > bounced", "2 Down Down Enter"},
	{"samples", ": s a m p l e s Enter"},
	{"delays", ": d e l a y s Enter"},
	{"rejects", ": r e j e c t s Enter"},
	{"providers", "9"},
	{"errors, filter gone99", "3 \\ g o n e 9 9 Enter"},
	{"failures, filter gone99", "5 \\ g o n e 9 9 Enter"},
	{"destinations, filter n99", "6 \\ n 9 9 Enter"},
	{"messages, filter gone99", "7 \\ g o n e 9 9 Enter"},
	{"rejects, filter gone99", ": r e j e c t s Enter \\ g o n e 9 9 Enter"},
};

static void press_all(struct app *a, struct str keys)
{
	while ((keys = str_trim(keys)).n > 0) {
		struct str name = str_first(keys, str_find_char(keys, ' '));
		struct key_event e = {.key = key_by_name(name)};

		keys = str_skip(keys, name.n);
		app_draw(a);
		app_key(a, &e);
		app_step(a);
	}
}

struct times {
	double median, max, cpu; /* ms */
};

/* Refreshes of the view that is open, each after a commit. */
static struct times refresh_times(struct app *a, sqlite3 *db)
{
	double times[ROUNDS], cpu[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double from, cpu_from;

		commit(db);
		from = now_ms();
		cpu_from = cpu_ms();
		app_touch(a);
		app_step(a);
		app_draw(a);
		times[i] = now_ms() - from;
		cpu[i] = cpu_ms() - cpu_from;
	}
	return (struct times){percentile(times, ROUNDS, 50), percentile(times, ROUNDS, 100),
		percentile(cpu, ROUNDS, 50)};
}

static void time_views(
	const char *cache, sqlite3 *db, const struct clock *clock, const char *window)
{
	const char *only = getenv("BENCH_VIEW"),
		   *separator = ""; /* one view alone, for a profiler */

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		struct reader *reader;
		struct app *a;
		struct times t;

		if (only && strcmp(only, views[i].name) != 0)
			continue;
		a = open_app(cache, clock, &reader);
		app_set_window(a, app_window_by_name(str_of(window)));
		app_step(a);
		press_all(a, str_of(views[i].keys));
		t = refresh_times(a, db);
		printf("%s  {\"window\": \"%s\", \"view\": \"%s\", \"refresh_ms\": %.1f, "
		       "\"max_ms\": %.1f, "
		       "\"cpu_ms\": %.1f}",
			separator, window, views[i].name, t.median, t.max, t.cpu);
		separator = ",\n";
		app_free(a);
		reader_close(reader);
	}
}

static double first_frame(const char *cache, const struct clock *clock)
{
	double times[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct reader *reader;
		double from = now_ms();
		struct app *a = open_app(cache, clock, &reader);

		app_step(a);
		app_draw(a);
		times[i] = now_ms() - from;
		app_free(a);
		reader_close(reader);
	}
	return percentile(times, ROUNDS, 50);
}

static int run_views(const char *cache)
{
	static const char *const windows[] = {"1h", "24h", "7d"};
	struct clock clock = clock_real();
	sqlite3 *db;

	if (sqlite3_open(cache, &db) != SQLITE_OK)
		return 1;
	printf("{\"first_frame_ms\": %.1f, \"views\": [\n", first_frame(cache, &clock));
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		time_views(cache, db, &clock, windows[i]);
		printf(i + 1 < sizeof(windows) / sizeof(windows[0]) ? ",\n" : "\n]}\n");
	}
	sqlite3_close(db);
	return 0;
}

/* The next wake-up of the loop: the app's own deadline, the pipe, or the next key. */
static void idle_until(struct app *a, int notify_fd, double until_ms)
{
	while (now_ms() < until_ms) {
		struct pollfd fd = {.fd = app_wants_commits(a) ? notify_fd : -1, .events = POLLIN};
		double left_ms = until_ms - now_ms();
		int left = left_ms > 0 ? (int)left_ms : 0, wait = app_wait_ms(a);
		char bytes[256];

		if (poll(&fd, 1, left < wait ? left : wait) > 0 && (fd.revents & POLLIN))
			(void)!read(notify_fd, bytes, sizeof(bytes));
		app_step(a);
		app_draw(a);
	}
}

static int run_keys(const char *cache, const char *log, const char *config, int seconds)
{
	static const char *const keys[] = {"2", "Down", "Down", "3", "Enter", "Down", "Esc", "4",
		"5", "PageDown", "End", "Home", "6", "Down", "Enter", "Esc", "7", "s", "Esc", "w",
		"W", "1", "0"};
	const char *logs[] = {log, NULL};
	struct args args = {.command = COMMAND_DASHBOARD,
		.cache = cache,
		.config = config,
		.logs = logs,
		.nlogs = log != NULL};
	double *times = xmalloc(KEYS_MAX * sizeof(*times)), *cpu = xmalloc(KEYS_MAX * sizeof(*cpu));
	double end_ms, catching_up_ms, cpu_from;
	struct mt_error error = {0};
	struct session s;
	struct reader *reader;
	struct app *a;
	size_t n = 0;

	check(session_open(&s, &args, &error), &error);
	check(session_collect(&s, false, &error), &error);
	a = open_app(cache, &s.clock, &reader);
	a->opt.key_waits = key_waits;
	app_set_window(a, app_window_by_name(STR_LIT("24h")));
	end_ms = now_ms() + seconds * 1e3;
	catching_up_ms = now_ms();
	while (now_ms() < end_ms && n < KEYS_MAX) {
		double due_ms = now_ms() + KEY_EVERY_US / 1e3, from;

		next_key_ms = due_ms;
		idle_until(a, s.notify[0], due_ms);
		next_key_ms = 1e300;
		/* a key that came while the app worked waits for it: count from when it was due */
		from = due_ms;
		cpu_from = cpu_ms();
		press(a, keys[n % (sizeof(keys) / sizeof(keys[0]))]);
		app_step(a);
		app_draw(a);
		cpu[n] = cpu_ms() - cpu_from;
		if (getenv("BENCH_KEYS"))
			fprintf(stderr, "%s wall %.1f cpu %.1f\n",
				keys[n % (sizeof(keys) / sizeof(keys[0]))], now_ms() - from,
				cpu[n]);
		times[n++] = now_ms() - from;
	}
	catching_up_ms = now_ms() - catching_up_ms;
	printf("{\"keys\": %zu, \"seconds\": %.1f, \"p50_ms\": %.2f, \"p90_ms\": %.2f, \"p99_ms\": "
	       "%.2f, "
	       "\"max_ms\": %.2f, \"p99_cpu_ms\": %.2f}\n",
		n, catching_up_ms / 1e3, percentile(times, n, 50), percentile(times, n, 90),
		percentile(times, n, 99), percentile(times, n, 100), percentile(cpu, n, 99));
	app_free(a);
	reader_close(reader);
	session_close(&s);
	free(times);
	free(cpu);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t seconds;

	if (argc == 2)
		return run_views(argv[1]);
	if (argc == 4 && scan_all_u64(str_of(argv[3]), SECONDS_MAX, &seconds))
		return run_keys(argv[1], argv[2], NULL, (int)seconds);
	if (argc == 5 && strcmp(argv[2], "--config") == 0 &&
		scan_all_u64(str_of(argv[4]), SECONDS_MAX, &seconds))
		return run_keys(argv[1], NULL, argv[3], (int)seconds);
	fprintf(stderr, "usage: views CACHE [LOG SECONDS | --config FILE SECONDS]\n");
	return 2;
}
