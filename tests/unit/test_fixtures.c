/* SPDX-License-Identifier: MIT */
/*
 * test_fixtures - each tests/fixtures/BACKEND/NN-name.in through its parser: the events are those of
 * NN-name.events, and the same however the bytes are cut.
 *
 * A cut is tried at every byte (every few bytes of a large file), then byte by byte, then at random. With
 * FIXTURES_UPDATE=1 the .events are written anew; see tests/fixtures/update.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "backends/registry.h"
#include "backends/replay.h"
#include "store/base/mem.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/fixtures"
#define IN_MAX_BYTES (4u << 20)
#define EVENTS_MAX_BYTES (64u << 20)
#define NOW_UTC_MS                                                                                 \
	INT64_C(1795435200000) /* 2026-11-23 12:00: no stamp without year is later than a day on */
#define CUTS_BYTES                                                                                 \
	(16u << 20) /* parsed for the cuts of one fixture; a larger one is cut at fewer places */
#define BYTEWISE_MAX_BYTES 12000
#define RANDOM_CUTS 50

struct parsed { /* one pass: what the sink needs to number lines */
	const struct backend_ops *family;
	void *state;
	struct str all;
	size_t base; /* offset of the piece being parsed */
	size_t counted;
	int64_t line;
	struct buf events;
};

static void read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char bytes[65536];
	size_t n;

	buf_clear(out);
	if (!f)
		return;
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		assert_int_equal(buf_add(out, bytes, n), 0);
	fclose(f);
}

static int emit(void *ctx, const struct event *e)
{
	struct parsed *p = ctx;

	for (; p->counted < p->base + e->line_offset; p->counted++)
		p->line += p->all.p[p->counted] == '\n';
	return replay_event(&p->events, p->line, e);
}

static void parse_begin(struct parsed *p)
{
	struct parse_options options = {.now_utc_ms = NOW_UTC_MS};

	p->family->parse_init(p->state, &options);
	p->base = p->counted = 0;
	p->line = 1;
	buf_clear(&p->events);
}

/* Everything up to end, as far as it is complete; what is not is given again with more behind it. */
static void parse_to(struct parsed *p, size_t end, bool final)
{
	struct event_sink sink = {emit, p};
	struct str piece = str_skip(str_first(p->all, end), p->base);
	size_t consumed = 0;

	assert_int_equal(p->family->parse(p->state, piece, final, &sink, &consumed), 0);
	assert_true(consumed <= piece.n);
	assert_true(!final || consumed == piece.n);
	p->base += consumed;
}

static void parse_cut(struct parsed *p, size_t cut)
{
	parse_begin(p);
	parse_to(p, cut, false);
	parse_to(p, p->all.n, true);
}

static void same_events(const struct parsed *p, struct str want, const char *how, size_t cut)
{
	if (str_eq(buf_str(&p->events), want))
		return;
	print_error("%s at byte %zu gives other events:\n%.2000s\n", how, cut, buf_z(&p->events));
	fail();
}

static void cuts(struct parsed *p, struct str want)
{
	size_t step = 1 + p->all.n * p->all.n / CUTS_BYTES;
	uint32_t seed = 1;

	for (size_t cut = 0; cut < p->all.n; cut += step) {
		parse_cut(p, cut);
		same_events(p, want, "cut", cut);
	}
	if (p->all.n <= BYTEWISE_MAX_BYTES) {
		parse_begin(p);
		for (size_t end = 1; end <= p->all.n; end++)
			parse_to(p, end, false);
		parse_to(p, p->all.n, true);
		same_events(p, want, "byte by byte", 0);
	}
	parse_begin(p);
	for (int i = 0; i < RANDOM_CUTS; i++) {
		size_t left = p->all.n - p->base;

		seed = seed * 1664525 + 1013904223; /* Numerical Recipes' generator */
		parse_to(p, p->base + (left ? seed % left : 0), false);
	}
	parse_to(p, p->all.n, true);
	same_events(p, want, "random cuts", 0);
}

static void write_file(const char *path, struct str bytes)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
}

static struct str take_line(struct str *rest)
{
	struct str line = str_first(*rest, str_find_char(*rest, '\n'));

	*rest = str_skip(*rest, line.n + 1);
	return line;
}

static void same_lines(struct str got, struct str want)
{
	while (got.n || want.n) {
		struct str a = take_line(&got), b = take_line(&want);

		if (str_eq(a, b))
			continue;
		print_error("read: %.*s\nwant: %.*s\n", STR_ARG(a), STR_ARG(b));
		fail();
	}
}

static const struct backend_ops *family_of(const char *path)
{
	struct str rest = str_skip(str_of(path), sizeof(FOLDER));
	char name[64];

	rest = str_first(rest, str_find_char(rest, '/'));
	assert_true(rest.n < sizeof(name));
	memcpy(name, rest.p, rest.n);
	name[rest.n] = '\0';
	return backend_find(name);
}

static void fixture(void **state)
{
	const char *in_path = *state;
	struct str stem = str_first(str_of(in_path), strlen(in_path) - 3);
	struct parsed p = {.family = family_of(in_path)};
	struct buf path, in, want;

	if (!p.family) { /* a build without it: -Dbackends= */
		print_message("skipped: %s's family is not built in\n", in_path);
		return; /* meson takes cmocka's skip() for a failure */
	}
	buf_init(&path, 4096);
	buf_init(&in, IN_MAX_BYTES);
	buf_init(&want, EVENTS_MAX_BYTES);
	buf_init(&p.events, EVENTS_MAX_BYTES);
	assert_int_equal(buf_add_str(&path, stem), 0);
	assert_int_equal(buf_add_z(&path, ".events"), 0);
	read_file(in_path, &in);
	p.all = buf_str(&in);
	assert_true(p.all.n > 0);
	p.state = xcalloc(1, p.family->parse_state_bytes);
	parse_cut(&p, 0);
	if (getenv("FIXTURES_UPDATE"))
		write_file(buf_z(&path), buf_str(&p.events));
	read_file(buf_z(&path), &want);
	same_lines(buf_str(&p.events), buf_str(&want));
	cuts(&p, buf_str(&want));
	if (p.family->parse_done)
		p.family->parse_done(p.state);
	free(p.state);
	buf_done(&path);
	buf_done(&in);
	buf_done(&want);
	buf_done(&p.events);
}

/* The family that is surest of a head, as instances.c picks it. */
static const char *surest(struct str head)
{
	const char *name = NULL;
	int best = 0;

	for (size_t i = 0; backend_table[i]; i++) {
		int sure = backend_table[i]->looks_like ? backend_table[i]->looks_like(head) : 0;

		name = sure > best ? backend_table[i]->name : name;
		best = sure > best ? sure : best;
	}
	return name;
}

static void looks_like_its_family(void **state)
{
	static const struct {
		const char *head, *family;
	} cases[] = {
		{"Nov 21 10:00:00 mx1 postfix/smtpd[1]: connect from x[192.0.2.1]\n", "postfix"},
		{"Nov 21 10:00:00 mx1 postfix-out/qmgr[1]: 4A1B2C3D4E: removed\n", "postfix"},
		{"Nov 21 10:00:00 mx1 mail-out/qmgr[1]: 4A1B2C3D4E: removed\n", "postfix"},
		{"{\"log\":\"Nov 21 10:00:00 mx1 postfix/smtpd[1]: connect from x[192.0.2.1]\\n\"}",
			"postfix"},
		{"<22>1 2026-03-02T09:11:12Z mx1 postfix/qmgr 4711 - - 3A0F21C0B2: removed",
			"postfix"},
		{"2026-11-21 10:00:00 1vLaB1-0001Xy-2Z <= a@example.org H=x [192.0.2.1] S=1\n",
			"exim"},
		{"2026-11-21 10:00:00.123 +0100 [7] 1vLaB1-00000001XyZ-2Z00 Completed\n", "exim"},
		{"2026-11-21 10:00:00 Start queue run: pid=7\n", "exim"},
		{"2026-11-21 10:00:00 H=[192.0.2.1] F=<a@b> rejected RCPT <c@d>: no\n", "exim"},
		{"Nov 21 10:00:00 mx1 exim[1]: 1vLaB1-0001Xy-2Z Completed\n", "exim"},
		{"Nov 21 10:00:00 mx1 smtpd[1]: 5df87c903d709659 smtp connected address=local "
		 "host=x\n",
			"opensmtpd"},
		{"Nov 21 10:00:00 mx1 smtpd[1]: relay: Ok for 4296f49012345678: from=<>\n",
			"opensmtpd"},
		{"\xef\xbb\xbf#Software: Microsoft Exchange Server\r\n#Version: 15.02\r\n"
		 "#Log-type: Message Tracking Log\r\n",
			"exchange"},
		{"#Software: Microsoft Exchange Server\r\n#Log-type: SMTP Send Protocol Log\r\n",
			"exchange"},
		{"#Software: Microsoft Exchange Server\r\n#Log-type: Agent Log\r\n"
		 "#Fields: Timestamp,SessionId\r\n",
			NULL},
		{"2026-11-21T10:00:00.000Z,EX1\\Default EX1,08DE000000000001,0,192.0.2.1:25,"
		 "192.0.2.2:5000,+,,\r\n",
			"exchange"},
		{"2026-11-21T10:00:00.000Z,a,table,of,six,columns\r\n", NULL},
		{"2026-11-21 10:00:00 a program of another kind\n", NULL},
		{"Nov 21 10:00:00 mx1 sendmail[17]: t5288U8x003159: from=<a@b>\n", "sendmail"},
		{"Nov 21 10:00:00 mx1 sm-mta[17]: starting daemon (8.17.1): SMTP\n", "sendmail"},
		{"Nov 21 10:00:00 mx1 sm-notify[17]: Version 2.6\n", NULL}, {"", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = surest(str_of(cases[i].head));

		if (cases[i].family && !backend_find(cases[i].family))
			continue;
		if (!got != !cases[i].family || (got && strcmp(got, cases[i].family) != 0))
			fail_msg("%s: %s", got ? got : "none", cases[i].head);
	}
}

int main(void)
{
	struct CMUnitTest *tests;
	glob_t found;
	int failed;

	if (glob(FOLDER "/*/*.in", 0, NULL, &found) != 0) {
		fprintf(stderr, "no fixtures; run from the top folder\n");
		return 1;
	}
	tests = xcalloc(found.gl_pathc + 1, sizeof(*tests));
	for (size_t i = 0; i < found.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){.name = strrchr(found.gl_pathv[i], '/') + 1,
			.test_func = fixture,
			.initial_state = found.gl_pathv[i]};
	tests[found.gl_pathc] =
		(struct CMUnitTest){.name = "looks_like", .test_func = looks_like_its_family};
	failed = _cmocka_run_group_tests("fixtures", tests, found.gl_pathc + 1, NULL, NULL);
	free(tests);
	globfree(&found);
	return failed;
}
