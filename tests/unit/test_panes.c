/* SPDX-License-Identifier: MIT */
/*
 * test_panes - every view over the known cache (cachefix), over an empty one and over a long one: it opens, says why
 * it is empty, each of its rows leads to a view that opens, and a figure leads to a message in two more Enters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/warmup_conf.h"
#include "tests/unit/cachefix.h"
#include "tui/app.h"
#include "tui/panes/cells.h"
#include "tui/screen_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SCREEN_MAX_BYTES (4u << 20)
#define ROWS_WALKED 4 /* a view's rows that are opened, each with what is behind it */
#define DEPTH_WALKED 2
#define LONG_MESSAGES 2500

struct fixture {
	char folder[64], cache[96];
	struct clock clock;
	struct warmup_plans plans;
	struct conf *conf;
	struct reader *reader;
	struct app *a;
	struct buf screen;
};

static const char *screen(struct fixture *f)
{
	buf_clear(&f->screen);
	assert_int_equal(screen_text_write(app_draw(f->a), &f->screen), 0);
	return buf_z(&f->screen);
}

static bool shows(struct fixture *f, const char *text)
{
	return strstr(screen(f), text) != NULL;
}

/* A line of the screen is cut at its width: look for words, not for whole sentences. */
static void expect(struct fixture *f, const char *text)
{
	if (!shows(f, text))
		fail_msg("\"%s\" is not on the screen:\n%s", text, buf_z(&f->screen));
}

static void open_cache(struct fixture *f)
{
	struct app_options o = {.clock = &f->clock,
		.version = "1.0",
		.host = "mx1.example.net",
		.window = -1,
		.utf8 = true};

	f->clock = clock_fake(FIX_NOW_MS);
	assert_int_equal(reader_open(f->cache, &f->reader, NULL), 0);
	f->conf = cachefix_warmup_plans(&f->plans);
	o.warmups = &f->plans;
	o.reader = f->reader;
	f->a = app_new(&o);
	app_resize(f->a, 120, 40);
	app_step(f->a);
}

static void step(struct fixture *f)
{
	for (int i = 0; i < 8 && !app_idle(f->a); i++)
		app_step(f->a);
	app_draw(f->a);
}

static void press(struct fixture *f, enum request req)
{
	app_draw(f->a); /* as on a screen: a list knows its height from its last drawing */
	app_request(f->a, req);
	step(f);
}

static struct frame *open_pane(struct fixture *f, const struct pane_ops *pane)
{
	view_home(f->a);
	assert_true(view_push(f->a, pane, NULL));
	step(f);
	if (app_top(f->a)->failed)
		fail_msg("%s: %s", pane->name, app_top(f->a)->error.text);
	return app_top(f->a);
}

/* Open what is behind the first rows of the top view, and so on. Returns how many views were opened. */
static int walk(struct fixture *f, int depth)
{
	struct frame *top = app_top(f->a);
	int opened = 0;

	for (size_t i = 0; i < top->table.nrows && i < ROWS_WALKED && depth > 0; i++) {
		size_t before = f->a->depth;

		assert_true(list_select_id(
			&top->list, &top->table, top->table.rows[top->list.order[i]].id));
		app_request(f->a, REQ_OPEN);
		assert_null(strstr(f->a->message, "there is no view"));
		if (f->a->depth == before)
			continue;
		step(f);
		if (app_top(f->a)->failed)
			fail_msg("%s > %s: %s", top->pane->name, app_top(f->a)->pane->name,
				app_top(f->a)->error.text);
		assert_true(app_top(f->a)->label[0] != '\0');
		opened += 1 + walk(f, depth - 1);
		assert_true(view_pop(f->a));
		step(f);
	}
	return opened;
}

static void test_every_row_leads_somewhere(void **state)
{
	static const char *const no_list_by_itself[] = {"message", "queued", "reject", "plan",
		"port", "probe", "account", "classes", "dnscheck", "domains", "ips", "requests",
		"suppressed", "suppressions", NULL}; /* the last of vendors' accounts */
	struct fixture *f = *state;

	for (size_t i = 0; pane_table[i]; i++) {
		struct frame *top = open_pane(f, pane_table[i]);
		bool alone = false;

		for (size_t k = 0; no_list_by_itself[k]; k++)
			alone = alone || strcmp(pane_table[i]->name, no_list_by_itself[k]) == 0;
		/* The log needs the machine's services; the others show one thing they are opened for. */
		if (!alone && strcmp(pane_table[i]->name, "log") != 0 && top->table.nrows == 0)
			fail_msg("%s is empty over the known cache", pane_table[i]->name);
		if (top->table.nrows > 0 && walk(f, DEPTH_WALKED) == 0)
			fail_msg("no row of %s leads anywhere", pane_table[i]->name);
	}
}

/* From an open view: in at most two Enters to a message or a refusal with the words of it. */
static void test_two_enters_to_the_words(void **state)
{
	static const struct {
		const char *pane, *row, *words;
	} ways[] = {
		{"errors", "5.1.1", "The email account that you"},
		{"errors", "4.7.650", "temporarily rate"},
		{"failures", "nobody@gmail.com", "The email account that you"},
		{"deliveries", "nobody@gmail.com", "The email account that you"},
		{"destinations", "outlook.com", "temporarily rate"},
		{"relays", "mail.legacy.example", "451 try again later"},
		{"senders", "corp.example", "attempt"},
		{"users", "info", "attempt"},
		{"rejects", "unknown[198.51.100.66]", "meaning"},
		{"delivery", "bounced", "attempt"},
		{"delivery", "rejected", "meaning"},
		{"queue", "4FD0D0", "temporarily rate"},
		{"messages", "4FE0E0", "attempt"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct frame *top = open_pane(f, pane_by_name(str_of(ways[i].pane)));
		bool found = list_search(&top->list, &top->table, str_of(ways[i].row));
		int enters = 0;

		if (!found)
			fail_msg("no row \"%s\" in %s:\n%s", ways[i].row, ways[i].pane, screen(f));
		/* The first Enter opens the figure; two more lead to the words. */
		for (; enters < 3 && !shows(f, "next step  ") && !shows(f, "attempt   "); enters++)
			press(f, REQ_OPEN);
		expect(f, ways[i].words);
		while (enters-- > 0)
			press(f, REQ_BACK);
		assert_ptr_equal(app_top(f->a)->pane, pane_by_name(str_of(ways[i].pane)));
	}
}

static void test_filter_that_matches_nothing(void **state)
{
	struct fixture *f = *state;

	app_set_filter(f->a, STR_LIT("no such text anywhere"));
	for (size_t i = 0; pane_table[i]; i++) {
		struct frame *top = open_pane(f, pane_table[i]);

		if (top->table.nrows == 0 && top->table.empty.n == 0)
			fail_msg("%s does not say why it is empty", pane_table[i]->name);
	}
	open_pane(f, pane_by_name(STR_LIT("failures")));
	expect(f, "with \"no such text anywhere\": the filter may be why");
	app_set_filter(f->a, STR_LIT(""));
	step(f);
	expect(f, "nobody@gmail.com");
}

static void test_past_instant_and_providers(void **state)
{
	struct fixture *f = *state;
	struct frame *top;

	app_set_instant(f->a, FIX_NOW_MS - 60 * FIX_MINUTE_MS);
	for (size_t i = 0; pane_table[i]; i++)
		open_pane(f, pane_table[i]);
	top = open_pane(f, pane_by_name(STR_LIT("failures")));
	assert_int_equal(top->table.nrows, 3); /* of the hour before: one bounce, two deferrals */
	app_set_instant(f->a, FIX_NOW_MS);
	app_set_provider(f->a, 2);
	for (size_t i = 0; pane_table[i]; i++)
		open_pane(f, pane_table[i]);
	top = open_pane(f, pane_by_name(STR_LIT("deliveries")));
	assert_int_equal(top->table.nrows, 4);
	open_pane(f, pane_by_name(STR_LIT("failures")));
	expect(f, "at this provider");
	app_set_provider(f->a, 0);
	step(f);
	top = open_pane(f, pane_by_name(STR_LIT("ports")));
	app_resize(f->a, 200, 60);
	step(f);
	expect(f, "25 and 10025 share the name");
}

/* Of what has not been read it is not said that there is none. */
static void test_empty_list_of_unread_log(void **state)
{
	struct fixture *f = *state;
	struct provider_row p = {
		.id = 1, .health = HEALTH_CATCHING_UP, .last_ok_ms = EVENT_UNKNOWN};
	struct view v = {.providers = &p, .nproviders = 1};
	struct table t = {0};

	open_pane(f, pane_by_name(STR_LIT("failures")));
	expect(f, "nothing is known yet");
	assert_false(shows(f, "no failure"));
	open_pane(f, pane_by_name(STR_LIT("errors")));
	expect(f, "nothing is known yet");
	arena_init(&t.arena, 1 << 16);
	cells_empty(&t, &v, "no failure");
	assert_true(str_starts(t.empty, STR_LIT("none so far: the log is still being read")));
	p.health = HEALTH_UNKNOWN;
	cells_empty(&t, &v, "no failure");
	assert_true(str_starts(t.empty, STR_LIT("nothing is known yet")));
	p.health = HEALTH_FRESH;
	cells_empty(&t, &v, "no failure");
	assert_true(str_starts(t.empty, STR_LIT("no failure (w widens")));
	arena_done(&t.arena);
}

static void test_unknown_is_not_zero(void **state)
{
	struct fixture *f = *state;
	struct frame *top;

	for (size_t i = 0; pane_table[i]; i++) {
		top = open_pane(f, pane_table[i]);
		if (pane_table[i]->columns && top->table.nrows == 0)
			assert_true(top->table.empty.n > 0);
	}
	top = open_pane(f, pane_by_name(STR_LIT("figures")));
	assert_true(top->table.nrows > 20);
	for (size_t i = 0; i < top->table.nrows; i++)
		assert_string_equal(top->table.rows[i].cells[1].text.p, "?");
	top = open_pane(f, pane_by_name(STR_LIT("delays")));
	for (size_t i = 0; i < top->table.nrows; i++)
		assert_string_equal(top->table.rows[i].cells[1].text.p, "?");
}

static void test_help_defines_every_figure(void **state)
{
	struct fixture *f = *state;

	(void)f;
	for (size_t i = 0; pane_table[i]; i++) {
		const struct pane_ops *pane = pane_table[i];

		assert_true(pane->help && pane->help[0]);
		for (size_t k = 0; k < pane->ncolumns; k++)
			if (pane->columns[k].name[0] &&
				!(pane->columns[k].help && pane->columns[k].help[0]))
				fail_msg("%s: column %s has no definition", pane->name,
					pane->columns[k].name);
	}
}

static uint64_t row_id(const struct frame *f, size_t at)
{
	return f->table.rows[f->list.order[at]].id;
}

static void test_pages(void **state)
{
	struct fixture *f = *state;
	struct frame *top = open_pane(f, pane_by_name(STR_LIT("deliveries")));
	uint64_t first = row_id(top, 0), last;

	assert_int_equal(top->table.nrows, 1000);
	expect(f, "older ones below the last row");
	press(f, REQ_BOTTOM);
	last = row_id(top, 999);
	assert_int_equal(list_selected(&top->list, &top->table)->id, last);
	press(f, REQ_DOWN); /* the next thousand */
	assert_int_equal(top->table.nrows, 1000);
	assert_true(row_id(top, 0) != last);
	expect(f, "page 2");
	assert_int_equal(top->list.cursor, 0);
	press(f, REQ_BOTTOM);
	press(f, REQ_PAGE_DOWN);
	assert_int_equal(top->table.nrows, LONG_MESSAGES - 2000);
	expect(f, "page 3; the last");
	press(f, REQ_BOTTOM);
	press(f, REQ_DOWN); /* there is no more */
	expect(f, "page 3; the last");
	press(f, REQ_TOP);
	assert_int_equal(row_id(top, 0), first);
	press(f, REQ_BOTTOM);
	press(f, REQ_DOWN);
	press(f, REQ_UP); /* back: on the last row of the first page */
	assert_int_equal(list_selected(&top->list, &top->table)->id, last);
	/* Every row once. */
	app_set_window(f->a, app_window_by_name(STR_LIT("24h")));
	step(f);
	assert_int_equal(row_id(top, 0), first);
	for (size_t i = 0; pane_table[i]; i++)
		assert_true(open_pane(f, pane_table[i])->table.nrows <= 1000);
}

/* styled - are the first bytes of text, on a line of ASCII, in the style of this letter (tui/screen_text.c)? */
static bool styled(struct fixture *f, const char *text, char letter)
{
	const char *at = strstr(screen(f), text), *line = at;
	size_t row = 0, column = 0;
	struct str styles;
	struct buf b;
	bool found;

	assert_non_null(at);
	while (line > buf_z(&f->screen) && line[-1] != '\n')
		line--;
	column = (size_t)(at - line);
	for (const char *p = buf_z(&f->screen); p < line; p++)
		row += *p == '\n';
	buf_init(&b, SCREEN_MAX_BYTES);
	assert_int_equal(screen_text_styles(app_draw(f->a), &b), 0);
	styles = buf_str(&b);
	while (row-- > 0)
		styles = str_skip(styles, str_find_char(styles, '\n') + 1);
	found = styles.n > column && styles.p[column] == letter;
	buf_done(&b);
	return found;
}

/* The words come where a person looks for what is short, once nothing of the machine is. */
static void test_active_queue_near_its_limit(void **state)
{
	struct fixture *f = *state;
	struct fix fix;

	f->a->provider = 1;
	open_pane(f, pane_by_name(STR_LIT("queue")));
	expect(f, "active 1 of 20,000");
	assert_false(styled(f, "active 1 of 20,000", 'w'));
	fix_reopen(&fix, f->cache);
	fix_exec(&fix, "DELETE FROM host_minute");
	fix_close(&fix);
	open_pane(f, pane_by_name(STR_LIT("host")));
	assert_false(shows(f, "bottleneck"));
	fix_reopen(&fix, f->cache);
	fix_exec(&fix, "UPDATE provider SET active_limit=1 WHERE id=1");
	fix_close(&fix);
	open_pane(f, pane_by_name(STR_LIT("host")));
	expect(f, "qmgr's active queue is full (100% of qmgr_message_active_limit)");
	open_pane(f, pane_by_name(STR_LIT("queue")));
	assert_true(styled(f, "active 1 of 1 ", 'w'));
}

/* --- caches --- */

static struct fixture *make_fixture(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	buf_init(&f->screen, SCREEN_MAX_BYTES);
	snprintf(f->folder, sizeof(f->folder), "/tmp/mtatop-panes-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->cache, sizeof(f->cache), "%s/cache.db", f->folder);
	return f;
}

static int setup_known(void **state)
{
	struct fixture *f = make_fixture();

	cachefix_make(f->cache);
	open_cache(f);
	*state = f;
	return 0;
}

static int setup_empty(void **state)
{
	struct fixture *f = make_fixture();
	struct fix fix;

	fix_open(&fix, f->cache);
	fix_close(&fix);
	open_cache(f);
	*state = f;
	return 0;
}

/* A message with one delivery each, half a second apart, up to now. */
static int setup_long(void **state)
{
	struct fixture *f = make_fixture();
	struct fix fix;

	fix_open(&fix, f->cache);
	fix_exec(&fix, "INSERT INTO provider(id, name, kind, host, finest_bucket_s) "
		       "VALUES(1,'postfix','postfix','mx1.example.com',60)");
	for (int i = 0; i < LONG_MESSAGES; i++) {
		int64_t t_ms = FIX_NOW_MS - (LONG_MESSAGES - i) * 500;
		struct fix_message m = {.provider = 1,
			.t_ms = t_ms,
			.end_ms = t_ms + 100,
			.qid = "4F0001",
			.from = "a@corp.example",
			.service = "postfix/smtpd",
			.size = 1,
			.nrcpt = 1,
			.nsent = 1};
		struct fix_attempt a = {.t_ms = t_ms + 50,
			.provider = 1,
			.status = STATUS_SENT,
			.rcpt = "b@example.org",
			.relay = "mail.example.org[192.0.2.25]:25",
			.relay_host = "mail.example.org",
			.relay_port = 25,
			.sender_domain = "corp.example",
			.egress = "postfix/smtp",
			.reply = "250 2.0.0 Ok",
			.dsn = DSN_MAKE(2, 0, 0),
			.code = 250,
			.cs = {5, 1, 1, 1, 2},
			.run = 1,
			.inline_row = true};

		a.message = fix_message(&fix, &m);
		fix_attempt(&fix, &a);
	}
	fix_close(&fix);
	open_cache(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
	struct fixture *f = *state;
	char path[128];

	app_free(f->a);
	reader_close(f->reader);
	warmup_plans_done(&f->plans);
	conf_free(f->conf);
	buf_done(&f->screen);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", f->cache, endings[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static void says(struct cell cell, const char *want)
{
	assert_int_equal(cell.text.n, strlen(want));
	assert_memory_equal(cell.text.p, want, cell.text.n);
}

/* In a list the remote server's own words come first, whichever server of ours logged them. */
static void test_replies_in_lists(void **state)
{
	struct table t = {.nrows = 0};

	(void)state;
	arena_init(&t.arena, 65536);
	says(cell_reply(&t, STR_LIT("host mx.a.example[192.0.2.1] said: 451 4.7.1 later")),
		"451 4.7.1 later");
	says(cell_reply(&t, STR_LIT("SMTP error from remote mail server after RCPT "
				    "TO:<b@a.example>: 451 4.7.1 later")),
		"451 4.7.1 later");
	says(cell_reason(
		     &t, STR_LIT("SMTP error from remote mail server after end of data: 552 x: y")),
		"552 x: y");
	says(cell_reason(&t, STR_LIT("host mx said: 4")), "host mx said: 4");
	says(cell_reason(&t, STR_LIT("SMTP error from remote mail server after ")),
		"SMTP error from remote mail server after ");
	says(cell_reason(&t, STR_LIT("")), "");
	arena_done(&t.arena);
}

#define OVER(setup, test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER(setup_known, test_every_row_leads_somewhere),
		OVER(setup_known, test_two_enters_to_the_words),
		OVER(setup_known, test_filter_that_matches_nothing),
		OVER(setup_known, test_past_instant_and_providers),
		OVER(setup_empty, test_empty_list_of_unread_log),
		OVER(setup_empty, test_unknown_is_not_zero),
		OVER(setup_known, test_help_defines_every_figure),
		OVER(setup_known, test_active_queue_near_its_limit),
		OVER(setup_long, test_pages),
		cmocka_unit_test(test_replies_in_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
