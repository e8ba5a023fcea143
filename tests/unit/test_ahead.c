/* SPDX-License-Identifier: MIT */
/* The parsing thread gives the same events, in the same order, as the parser called directly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/ahead.h"
#include "backends/registry.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

#include <stdlib.h>

#define TEXT_MAX_BYTES (16u << 20)
#define BASE 5000 /* of the first byte in its file */

static const struct parse_options options = {.now_utc_ms = 1795608000000, .timezone = "UTC"};

static const char *const lines[] = {
	"Nov 25 10:00:00 mx1 postfix/smtpd[7]: connect from a.example[192.0.2.1]\n",
	"Nov 25 10:00:00 mx1 postfix/smtpd[7]: 4FABC12345: client=a.example[192.0.2.1]\n",
	"Nov 25 10:00:01 mx1 postfix/cleanup[8]: 4FABC12345: message-id=<x1@a.example>\n",
	"Nov 25 10:00:01 mx1 postfix/qmgr[9]: 4FABC12345: from=<u@a.example>, size=512, nrcpt=1 "
	"(queue active)\n",
	"Nov 25 10:00:02 mx1 postfix/smtp[10]: 4FABC12345: to=<v@b.example>, "
	"relay=mx.b.example[198.51.100.2]:25, delay=1.2, delays=0.1/0.01/0.5/0.6, dsn=2.0.0, "
	"status=sent (250 2.0.0 Ok: queued as 9XYZ)\n",
	"Nov 25 10:00:02 mx1 postfix/qmgr[9]: 4FABC12345: removed\n",
	"Nov 25 10:00:03 mx1 sshd[1]: something else\n",
	"no stamp at all\n",
	"\n",
	"\n",
};

struct seen {
	struct event *event;
	size_t n, cap;
};

static int see(void *ctx, const struct event *e)
{
	struct seen *s = ctx;

	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 1024;
		s->event = xrealloc(s->event, s->cap * sizeof(s->event[0]));
	}
	memcpy(&s->event[s->n++], e, sizeof(*e));
	return 0;
}

static const struct backend_ops *family(void)
{
	const struct backend_ops *found = backend_find("postfix");

	assert_non_null(found);
	return found;
}

/* What the parser says of text when it is called directly. */
static void directly(struct str text, bool final, struct seen *out)
{
	struct parser p = {0};
	struct event_sink sink = {see, out};
	size_t consumed;

	parser_ready(&p, family(), true, &options);
	assert_int_equal(p.family->parse(p.state, text, final, &sink, &consumed), 0);
	assert_int_equal(consumed, text.n);
	parser_done(&p);
	for (size_t i = 0; i < out->n; i++)
		out->event[i].line_offset += BASE;
}

static void compare_next(struct ahead_batch *batch, const struct seen *want, size_t *at)
{
	struct event e;

	while (ahead_event(batch, &e)) {
		assert_true(*at < want->n);
		assert_memory_equal(&e, &want->event[*at], sizeof(e));
		++*at;
	}
}

/* The same through the thread, cut into jobs of about job_bytes. */
static void check(struct str text, size_t job_bytes)
{
	struct seen want = {0};
	struct parser p = {.family = family()};
	struct ahead *a = ahead_new(&p);
	struct ahead_job job[64];
	size_t given = 0, landed = 0, at = 0, from = 0;

	assert_non_null(a);
	directly(text, true, &want);
	while (landed < given || from < text.n) {
		struct ahead_batch *batch;

		while (from < text.n && ahead_room(a)) {
			struct str rest = str_skip(text, from);
			size_t n =
				rest.n <= job_bytes
					? rest.n
					: job_bytes +
						  str_find_char(str_skip(rest, job_bytes), '\n') +
						  1;
			n = n > rest.n ? rest.n : n;
			job[given % 64] = (struct ahead_job){.bytes = (char *)(uintptr_t)rest.p,
				.n = n,
				.offset = (int64_t)from + BASE,
				.final = n == rest.n,
				.restart = given == 0,
				.options = options};
			ahead_give(a, &job[given++ % 64]);
			from += n;
		}
		batch = ahead_take(a);
		compare_next(batch, &want, &at);
		landed += batch->last;
		ahead_return(a, batch);
	}
	assert_int_equal(at, want.n);
	ahead_free(a);
	parser_done(&p);
	free(want.event);
}

static void same_text(struct str have, struct str want)
{
	assert_int_equal(have.n, want.n);
	if (want.n)
		assert_memory_equal(have.p, want.p, want.n);
}

/* Lines that were JSON strings (docker) are written anew by the parser: the events of a batch keep their own of them. */
static void wrapped_lines(void **state)
{
	struct parser p = {.family = family()};
	struct ahead *a = ahead_new(&p);
	struct seen want = {0};
	struct ahead_job job;
	struct buf plain, json;
	bool last = false;
	size_t at = 0;

	(void)state;
	assert_non_null(a);
	buf_init(&plain, TEXT_MAX_BYTES);
	buf_init(&json, TEXT_MAX_BYTES);
	for (int i = 0; i < 5000; i++) {
		size_t from = plain.n;

		buf_printf(&plain,
			"Nov 25 10:00:02 mx1 postfix/smtp[10]: %X: to=<u%d@d%d.example>, "
			"relay=mx%d[192.0.2.1]:25, "
			"delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx%d said: 550 "
			"no u%d)\n",
			0xabc000 + i, i, i % 50, i, i, i);
		buf_printf(&json, "{\"log\":\"%.*s\\n\",\"stream\":\"stdout\"}\n",
			(int)(plain.n - from - 1), plain.p + from);
	}
	directly(buf_str(&plain), true, &want);
	job = (struct ahead_job){
		.bytes = json.p, .n = json.n, .final = true, .restart = true, .options = options};
	ahead_give(a, &job);
	while (!last) {
		struct ahead_batch *batch = ahead_take(a);
		struct event e;

		for (; ahead_event(batch, &e); at++) {
			const struct event *w = &want.event[at];

			assert_true(at < want.n);
			same_text(e.queue_id, w->queue_id);
			same_text(e.to, w->to);
			same_text(e.relay, w->relay);
			same_text(e.reply, w->reply);
			same_text(e.service, w->service);
			same_text(e.host, w->host);
		}
		last = batch->last;
		ahead_return(a, batch);
	}
	assert_int_equal(at, 5000);
	ahead_free(a);
	parser_done(&p);
	free(want.event);
	buf_done(&plain);
	buf_done(&json);
}

static void same_events(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, TEXT_MAX_BYTES);
	for (int i = 0; i < 20000; i++)
		buf_add_z(&text, lines[(i * 7 + i / 3) % (int)(sizeof(lines) / sizeof(lines[0]))]);
	check(buf_str(&text), 100000);
	check(buf_str(&text), 1000);
	check(str_first(buf_str(&text), 200000), 1);
	buf_clear(&text);
	for (int i = 0; i < 300000; i++) /* a line a byte */
		buf_add_char(&text, '\n');
	check(buf_str(&text), 128u << 10);
	buf_clear(&text); /* a line longer than many slices, and an end without a newline */
	buf_add_z(&text, lines[0]);
	for (int i = 0; i < 50000; i++)
		buf_add_z(&text, "long ");
	buf_add_z(&text, "\n");
	buf_add_z(&text, lines[5]);
	buf_add_z(&text, "Nov 25 10:00:09 mx1 postfix/qmgr[9]: 4FABC12345: removed");
	check(buf_str(&text), 64u << 10);
	buf_done(&text);
}

/* Ended with jobs waiting, a batch half read, or before anything was given. */
static void ends_at_once(void **state)
{
	(void)state;
	for (int given = 0; given < 12; given++) {
		struct parser p = {.family = family()};
		struct ahead *a = ahead_new(&p);
		struct ahead_job job[12];
		struct buf text;

		assert_non_null(a);
		buf_init(&text, TEXT_MAX_BYTES);
		for (int i = 0; i < 40000; i++)
			buf_add_z(&text, lines[i % 6]);
		for (int i = 0; i < given; i++) {
			job[i] = (struct ahead_job){
				.bytes = text.p, .n = text.n, .restart = true, .options = options};
			ahead_give(a, &job[i]);
		}
		if (given > 3)
			assert_true(ahead_take(a)->n > 0);
		ahead_free(a);
		parser_done(&p);
		buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_events),
		cmocka_unit_test(wrapped_lines),
		cmocka_unit_test(ends_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
