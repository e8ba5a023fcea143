/* SPDX-License-Identifier: MIT */
/* Listing and actions against programs of our own in place of postqueue and postsuper: every way to fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/postfix/act.h"
#include "backends/postfix/queue_list.h"
#include "backends/postfix/queue_scan.h"
#include "backends/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 20000
#define TEXT_MAX_BYTES (1u << 20)
#define PATH_BYTES 128

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
#define FLAT_MAX_KIB (32 << 10) /* 200,000 ids are remembered, 10 MiB */
#endif

struct fixture {
	char dir[PATH_BYTES];
	struct postfix_config config;
	struct buf rows; /* what was listed, as text */
	size_t max_rcpt;
	int stop_with; /* given back by the row callback */
};

static void write_file(const struct fixture *f, const char *name, const char *content, mode_t mode)
{
	char path[PATH_BYTES * 2];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void program(const struct fixture *f, const char *name, const char *body)
{
	struct buf script;

	buf_init(&script, TEXT_MAX_BYTES);
	assert_int_equal(buf_printf(&script, "#!/bin/sh\ncd '%s' || exit 99\n%s", f->dir, body), 0);
	write_file(f, name, buf_z(&script), 0755);
	buf_done(&script);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct buf line;

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/mtatop-test-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	postfix_config_init(&f->config, "/nonexistent/etc");
	buf_init(&line, TEXT_MAX_BYTES);
	buf_init(&f->rows, TEXT_MAX_BYTES);
	(void)buf_printf(&line,
		"command_directory = %s\nempty_address_recipient = MAILER-DAEMON\nmail_version = "
		"3.7.11\n",
		f->dir);
	postfix_config_parse(&f->config, buf_str(&line));
	buf_done(&line);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[PATH_BYTES * 2];
	const char *argv[] = {"/bin/rm", "-rf", f->dir, NULL};
	struct buf out;

	(void)command;
	buf_init(&out, TEXT_MAX_BYTES);
	(void)!postfix_run_text(argv, (struct str){0}, &out, NULL, NULL);
	buf_done(&out);
	postfix_config_done(&f->config);
	buf_done(&f->rows);
	free(f);
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD
		       ? 0
		       : -1; /* no zombie left by any test */
}

static int on_row(void *ctx, struct queue_row *row, struct mt_error *reterr)
{
	struct fixture *f = ctx;

	if (f->stop_with < 0)
		return mt_error_set(reterr, (enum mt_err)f->stop_with, "stopped by the test");
	if (row->nrcpt > f->max_rcpt)
		f->max_rcpt = row->nrcpt;
	assert_int_equal(buf_printf(&f->rows, "%.*s %s <%.*s>\n", STR_ARG(row->qid),
				 queue_name_text(row->queue), STR_ARG(row->sender)),
		0);
	return 0;
}

static int list(struct fixture *f, bool text, int64_t timeout_ms, struct queue_list_stats *stats,
	struct mt_error *err)
{
	struct queue_list_request r = {.config = &f->config,
		.text = text,
		.now_utc_ms = INT64_C(1767268800000),
		.timeout_ms = timeout_ms,
		.row = on_row,
		.ctx = f};
	struct queue_list *l = NULL;
	int rc = queue_list_open(&r, &l, err);

	if (rc < 0)
		return rc;
	rc = queue_list_wait(l, err);
	*stats = *queue_list_stats(l);
	queue_list_close(l);
	return rc;
}

#define ROW(id, queue, sender)                                                                     \
	"{\"queue_name\": \"" queue "\", \"queue_id\": \"" id                                      \
	"\", \"arrival_time\": 1700000000, \"message_size\": 9, "                                  \
	"\"forced_expire\": false, \"sender\": \"" sender                                          \
	"\", \"recipients\": [{\"address\": \"u@x\"}]}\n"

static void test_list(void **state)
{
	struct fixture *f = *state;
	struct queue_list_stats stats;
	struct mt_error err = {0};

	write_file(f, "rows",
		ROW("A1B2C3D4E5", "maildrop", "a@b") ROW("A1B2C3D4E6", "deferred",
			"MAILER-DAEMON") "junk\n\n" ROW("A1B2C3D4E6", "active", "MAILER-DAEMON")
			ROW("A1B2C3D4E7", "deferred", "c@d"),
		0644);
	program(f, "postqueue",
		"[ \"$1 $2 $3\" = '-c /nonexistent/etc -j' ] || exit 98\ncat rows\n");
	assert_int_equal(list(f, false, TIMEOUT_MS, &stats, &err), 0);
	assert_string_equal(buf_z(&f->rows),
		"A1B2C3D4E5 maildrop <a@b>\nA1B2C3D4E6 deferred <>\nA1B2C3D4E7 deferred <c@d>\n");
	assert_int_equal(stats.rows, 3);
	assert_int_equal(stats.n[QUEUE_DEFERRED], 2);
	assert_int_equal(stats.n[QUEUE_MAILDROP], 1);
	assert_int_equal(stats.n[QUEUE_ACTIVE], 0);
	assert_int_equal(stats.n[QUEUE_CORRUPT], EVENT_UNKNOWN);
	assert_int_equal(stats.oldest_ms, INT64_C(1700000000000));
	assert_int_equal(stats.bad, 2);
	assert_false(stats.direct);
}

static void test_list_empty(void **state)
{
	struct fixture *f = *state;
	struct queue_list_stats stats;
	struct mt_error err = {0};

	program(f, "postqueue", "exit 0\n");
	assert_int_equal(list(f, false, TIMEOUT_MS, &stats, &err), 0);
	assert_int_equal(stats.rows, 0);
	assert_int_equal(stats.oldest_ms, EVENT_UNKNOWN);
	program(f, "postqueue", "echo 'Mail queue is empty'\n");
	assert_int_equal(list(f, true, TIMEOUT_MS, &stats, &err), 0);
	assert_int_equal(stats.n[QUEUE_MAILDROP], EVENT_UNKNOWN);
	/* -p that ends without its last line was cut */
	program(f, "postqueue", "exit 0\n");
	assert_int_equal(list(f, true, TIMEOUT_MS, &stats, &err), MT_EPROTO);
}

static void test_list_failures(void **state)
{
	static const struct {
		const char *body;
		int want;
		const char *words;
	} cases[] = {
		{"echo 'postqueue: fatal: Queue report unavailable - mail system is down' >&2; "
		 "exit 69",
			MT_ENET, "Postfix is down"},
		{"echo 'postqueue: fatal: Connect to the Postfix showq service: Permission denied' "
		 ">&2; exit 69",
			MT_ENET, "Permission denied"},
		{"echo 'postqueue: warning: x' >&2; echo 'postqueue: fatal: try later' >&2; exit "
		 "75",
			MT_ENET, "try later"},
		{"echo 'postqueue: fatal: User nobody(65534) is not allowed to view the mail "
		 "queue' >&2; exit 77",
			MT_EPERM, "authorized_mailq_users"},
		{"echo \"postqueue: invalid option -- 'j'\" >&2; echo 'postqueue: fatal: usage: "
		 "postqueue -f' >&2; exit 69",
			MT_ENOTSUP, "no -j"},
		{"exit 1", MT_EIO, "exit 1"},
		{"kill -SEGV $$", MT_EIO, "exit 139"},
		{"head -c 60 rows", MT_EPROTO, "middle"},
		{"cat rows; head -c 60 rows; exit 0", MT_EPROTO, "middle"},
		{"i=0; while [ $i -lt 30000 ]; do echo 'postqueue: warning: flood' >&2; "
		 "i=$((i+1)); done; exit 1",
			MT_EIO, "flood"},
	};
	struct fixture *f = *state;

	write_file(f, "rows", ROW("A1B2C3D4E5", "hold", "a@b"), 0644);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct queue_list_stats stats;
		struct mt_error err = {0};

		program(f, "postqueue", cases[i].body);
		assert_int_equal(list(f, false, TIMEOUT_MS, &stats, &err), cases[i].want);
		if (!strstr(err.text, cases[i].words))
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void test_list_missing(void **state)
{
	struct fixture *f = *state;
	struct queue_list_stats stats;
	struct mt_error err = {0};

	assert_int_equal(list(f, false, TIMEOUT_MS, &stats, &err), MT_ENOENT);
}

static void test_list_hangs(void **state)
{
	struct fixture *f = *state;
	struct queue_list_stats stats;
	struct mt_error err = {0};

	write_file(f, "rows", ROW("A1B2C3D4E5", "hold", "a@b"), 0644);
	program(f, "postqueue", "cat rows; exec sleep 60\n");
	assert_int_equal(list(f, false, 300, &stats, &err), MT_ECANCELED);
	assert_int_equal(stats.rows, 1);
}

static int count_row(void *ctx, struct queue_row *row, struct mt_error *reterr)
{
	(void)row;
	(void)reterr;
	++*(int64_t *)ctx;
	return 0;
}

/* Streamed: what is remembered of a million messages is bounded. */
static void test_list_million(void **state)
{
	struct fixture *f = *state;
	int64_t rows = 0;
	struct queue_list_request r = {.config = &f->config,
		.timeout_ms = 10 * TIMEOUT_MS,
		.row = count_row,
		.ctx = &rows};
	struct queue_list *l = NULL;
	struct mt_error err = {0};
	struct rusage before, after;

	program(f, "postqueue",
		"seq 1000000 1999999 | sed 's/.*/{\"queue_name\": \"deferred\", \"queue_id\": "
		"\"A1B&\", \"arrival_time\": 1700000000, \"message_size\": 9, \"sender\": "
		"\"a@b\", \"recipients\": [{\"address\": \"u@x.test\"}]}/'\n");
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(queue_list_open(&r, &l, &err), 0);
	assert_int_equal(queue_list_wait(l, &err), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(rows, 1000000);
	assert_int_equal(queue_list_stats(l)->n[QUEUE_DEFERRED], 1000000);
	assert_int_equal(queue_list_stats(l)->bad, 0);
	queue_list_close(l);
#ifdef FLAT_MAX_KIB
	assert_true(after.ru_maxrss - before.ru_maxrss < FLAT_MAX_KIB);
#endif
}

/* The PATH of whoever starts mtatop is never searched, and the child gets one of ours. */
static void test_list_hostile_path(void **state)
{
	struct fixture *f = *state;
	struct queue_list_stats stats;
	struct mt_error err = {0};
	char *old = getenv("PATH"), *saved = old ? strdup(old) : NULL;

	program(f, "postqueue",
		"[ \"$PATH\" = /usr/sbin:/usr/bin:/sbin:/bin ] || exit 97\ncat rows\n");
	write_file(f, "rows", ROW("A1B2C3D4E5", "hold", "a@b"), 0644);
	write_file(f, "cat", "#!/bin/sh\nexit 96\n", 0755);
	write_file(f, "postconf", "#!/bin/sh\nexit 96\n", 0755);
	assert_int_equal(setenv("PATH", f->dir, 1), 0);
	assert_int_equal(list(f, false, TIMEOUT_MS, &stats, &err), 0);
	assert_int_equal(stats.rows, 1);
	old = spawn_find_tool("postconf");
	assert_true(!old || strncmp(old, f->dir, strlen(f->dir)) != 0);
	free(old);
	if (saved)
		setenv("PATH", saved, 1);
	free(saved);
}

static void test_list_callback_stops(void **state)
{
	struct fixture *f = *state;
	struct queue_list_stats stats;
	struct mt_error err = {0};

	write_file(f, "rows", ROW("A1B2C3D4E5", "hold", "a@b"), 0644);
	program(f, "postqueue", "while :; do cat rows; done\n");
	f->stop_with = MT_EFULL;
	assert_int_equal(list(f, false, TIMEOUT_MS, &stats, &err), MT_EFULL);
	assert_string_equal(err.text, "stopped by the test");
}

static void test_list_direct(void **state)
{
	struct fixture *f = *state;
	struct queue_list_stats stats;
	struct mt_error err = {0};

	program(f, "postqueue",
		"echo 'postqueue: warning: Mail system is down -- accessing queue directly (x)' "
		">&2\n");
	assert_int_equal(list(f, false, TIMEOUT_MS, &stats, &err), 0);
	assert_true(stats.direct);
}

/* 50,000 recipients in one line, and a line past the cap between good ones. */
static void test_list_long_lines(void **state)
{
	struct fixture *f = *state;
	struct queue_list_stats stats;
	struct mt_error err = {0};

	write_file(f, "rows", ROW("A1B2C3D4E5", "hold", "a@b"), 0644);
	program(f, "postqueue",
		"cat rows\n"
		"awk 'BEGIN { printf \"{\\\"queue_id\\\": \\\"A1B2C3D4E6\\\", "
		"\\\"arrival_time\\\": 5, "
		"\\\"queue_name\\\": \\\"active\\\", \\\"sender\\\": \\\"\\\", \\\"recipients\\\": "
		"[\"; "
		"for (i = 0; i < 50000; i++) printf \"%s{\\\"address\\\": \\\"u%d@x.test\\\", "
		"\\\"delay_reason\\\": \\\"host mx said: 450 later\\\"}\", i ? \", \" : \"\", i; "
		"print \"]}\" }'\n"
		"head -c 40000000 /dev/zero | tr '\\0' x; echo\n"
		"sed s/A1B2C3D4E5/A1B2C3D4E7/ rows\n");
	assert_int_equal(list(f, false, TIMEOUT_MS, &stats, &err), 0);
	assert_int_equal(stats.rows, 3);
	assert_int_equal(stats.bad, 1);
	assert_int_equal(f->max_rcpt, 50000);
	assert_string_equal(buf_z(&f->rows),
		"A1B2C3D4E5 hold <a@b>\nA1B2C3D4E6 active <>\nA1B2C3D4E7 hold <a@b>\n");
}

/* ---- actions */

static int add_line(void *ctx, struct str line, int64_t offset)
{
	struct fixture *f = ctx;

	(void)offset;
	assert_int_equal(buf_add_str(&f->rows, line), 0);
	return buf_add_char(&f->rows, '\n');
}

static bool yes(void *ctx)
{
	(void)ctx;
	return true;
}

static void read_file(const struct fixture *f, const char *name, struct buf *out)
{
	char path[PATH_BYTES * 2], bytes[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	buf_clear(out);
	if (fd < 0)
		return;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		assert_int_equal(buf_add(out, bytes, (size_t)n), 0);
	close(fd);
}

#define SUPER                                                                                      \
	"echo \"$@\" > super.args; cat > super.in\n"                                               \
	"n=0; while read -r id; do echo \"postsuper: $id: removed\" >&2; n=$((n+1)); done < "      \
	"super.in\n"                                                                               \
	"echo \"postsuper: Deleted: $n messages\" >&2\n"

static void test_act_checks_identity(void **state)
{
	const int64_t t = INT64_C(1700000000000);
	const struct job_id ids[] = {{STR_LIT("A1B2C3D4E5"), STR_LIT("a@b"), t}, /* same */
		{STR_LIT("A1B2C3D4E6"), STR_LIT(""), t + 999}, /* same second, <> */
		{STR_LIT("A1B2C3D4E7"), STR_LIT("c@d"), t - 1000}, /* other arrival */
		{STR_LIT("A1B2C3D4E8"), STR_LIT("not@c"), t}, /* other sender */
		{STR_LIT("A1B2C3D4E9"), STR_LIT("a@b"), t}, /* gone */
		{STR_LIT("ALL"), STR_LIT("a@b"), t}, {STR_LIT("-d"), STR_LIT("a@b"), t},
		{STR_LIT("A1B2C3D4E5\nALL"), STR_LIT("a@b"), t},
		{STR_LIT("A1B2C3D4E5"), STR_LIT("a@b"), t}};
	struct fixture *f = *state;
	struct job_request r = {
		.kind = JOB_DELETE, .ids = ids, .nids = sizeof(ids) / sizeof(ids[0])};
	struct job_output out = {.add = add_line, .ctx = f};
	struct act_result result;
	struct mt_error err = {0};
	struct buf got;

	buf_init(&got, TEXT_MAX_BYTES);
	write_file(f, "rows",
		ROW("A1B2C3D4E5", "deferred", "a@b") ROW("A1B2C3D4E6", "deferred", "MAILER-DAEMON")
			ROW("A1B2C3D4E7", "deferred", "c@d") ROW("A1B2C3D4E8", "deferred", "c@d")
				ROW("FFFFFFFFFF", "deferred", "c@d"),
		0644);
	program(f, "postqueue", "cat rows\n");
	program(f, "postsuper", SUPER);
	assert_int_equal(act_on_ids(&f->config, &r, &out, &result, &err), 0);
	read_file(f, "super.in", &got);
	assert_string_equal(buf_z(&got), "A1B2C3D4E5\nA1B2C3D4E6\n");
	read_file(f, "super.args", &got);
	assert_string_equal(buf_z(&got), "-c /nonexistent/etc -d -\n");
	assert_int_equal(result.asked, 8); /* one was named twice */
	assert_int_equal(result.passed, 2);
	assert_int_equal(result.done, 2);
	assert_int_equal(result.changed, 2);
	assert_int_equal(result.gone, 1);
	assert_int_equal(result.malformed, 3);
	assert_non_null(strstr(buf_z(&f->rows), "A1B2C3D4E9: no longer in the queue\n"));
	assert_non_null(strstr(buf_z(&f->rows), "A1B2C3D4E7: is another message now\n"));
	assert_non_null(strstr(buf_z(&f->rows), "postsuper: Deleted: 2 messages\n"));
	buf_done(&got);
}

static void test_act_options(void **state)
{
	static const struct {
		enum job_kind kind;
		const char *option;
	} cases[] = {{JOB_HOLD, "-h"}, {JOB_RELEASE, "-H"}, {JOB_REQUEUE, "-r"}, {JOB_DELETE, "-d"},
		{JOB_EXPIRE, "-e"}};
	const struct job_id id = {STR_LIT("A1B2C3D4E5"), STR_LIT("a@b"), INT64_C(1700000000000)};
	struct fixture *f = *state;
	struct buf got, want;

	buf_init(&got, TEXT_MAX_BYTES);
	buf_init(&want, TEXT_MAX_BYTES);
	write_file(f, "rows", ROW("A1B2C3D4E5", "deferred", "a@b"), 0644);
	program(f, "postqueue", "cat rows\n");
	program(f, "postsuper", SUPER);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct job_request r = {.kind = cases[i].kind, .ids = &id, .nids = 1};
		struct job_output out = {.summary = ""};
		struct act_result result;
		struct mt_error err = {0};

		assert_int_equal(act_on_ids(&f->config, &r, &out, &result, &err), 0);
		read_file(f, "super.args", &got);
		buf_clear(&want);
		assert_int_equal(
			buf_printf(&want, "-c /nonexistent/etc %s -\n", cases[i].option), 0);
		assert_string_equal(buf_z(&got), buf_z(&want));
	}
	buf_done(&got);
	buf_done(&want);
}

/* Nothing is touched when the queue can't be listed, the job was canceled or no id is left. */
static void test_act_refuses(void **state)
{
	const struct job_id id = {STR_LIT("A1B2C3D4E5"), STR_LIT("a@b"), INT64_C(1700000000000)};
	struct fixture *f = *state;
	struct job_request r = {.kind = JOB_DELETE, .ids = &id, .nids = 1};
	struct job_output out = {.summary = ""};
	struct act_result result;
	struct mt_error err = {0};
	struct buf got;

	buf_init(&got, TEXT_MAX_BYTES);
	write_file(f, "rows", ROW("A1B2C3D4E5", "deferred", "a@b"), 0644);
	program(f, "postsuper", SUPER);
	program(f, "postqueue", "head -c 90 rows\n");
	assert_int_equal(act_on_ids(&f->config, &r, &out, &result, &err), MT_EPROTO);
	program(f, "postqueue", "exit 69\n");
	assert_int_equal(act_on_ids(&f->config, &r, &out, &result, &err), MT_ENET);
	program(f, "postqueue", "cat rows\n");
	out.canceled = yes;
	assert_int_equal(act_on_ids(&f->config, &r, &out, &result, &err), MT_ECANCELED);
	out.canceled = NULL;
	program(f, "postqueue", "exit 0\n");
	assert_int_equal(act_on_ids(&f->config, &r, &out, &result, &err), 0);
	assert_int_equal(result.gone, 1);
	read_file(f, "super.args", &got);
	assert_int_equal(got.n, 0);
	/* postsuper's own refusal, and a flood before its sum */
	program(f, "postqueue", "cat rows\n");
	program(f, "postsuper",
		"echo 'postsuper: fatal: use of this command is reserved for the superuser' >&2; "
		"exit 1\n");
	assert_int_equal(act_on_ids(&f->config, &r, &out, &result, &err), MT_EIO);
	assert_non_null(strstr(err.text, "reserved for the superuser"));
	program(f, "postsuper",
		"i=0; while [ $i -lt 5000 ]; do echo 'postsuper: A1B2C3D4E5: requeued' >&2; "
		"i=$((i+1)); done\n"
		"head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2; echo 'postsuper: Requeued: 1 "
		"message' >&2\n");
	assert_int_equal(act_on_ids(&f->config, &r, &out, &result, &err), 0);
	assert_int_equal(result.done, 1);
	buf_done(&got);
}

static void test_done_count(void **state)
{
	(void)state;
	assert_int_equal(act_done_count(STR_LIT("postsuper: Placed on hold: 1 message")), 1);
	assert_int_equal(
		act_done_count(STR_LIT("postsuper: Released from hold: 115 messages")), 115);
	assert_int_equal(act_done_count(STR_LIT("postsuper: Force-expired: 0 messages")), 0);
	assert_int_equal(act_done_count(STR_LIT("postsuper: A1B2C3D4E5: removed")), EVENT_UNKNOWN);
	assert_int_equal(act_done_count(STR_LIT("postsuper: Deleted: x messages")), EVENT_UNKNOWN);
	assert_int_equal(
		act_done_count(STR_LIT("postsuper: Deleted: 99999999999999999999 messages")),
		EVENT_UNKNOWN);
	assert_int_equal(act_done_count(STR_LIT("")), EVENT_UNKNOWN);
}

/* ---- depth */

static void make_dir(const struct fixture *f, const char *name)
{
	char path[PATH_BYTES * 2];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void scan(const struct fixture *f, struct queue_scan *s)
{
	queue_scan_begin(s, f->dir);
	for (int i = 0; queue_scan_step(s); i++)
		assert_true(i < 1000);
	queue_scan_done(s);
}

static void test_scan(void **state)
{
	struct fixture *f = *state;
	struct queue_scan s;
	char path[PATH_BYTES * 2], target[PATH_BYTES * 2];

	make_dir(f, "active");
	make_dir(f, "incoming");
	make_dir(f, "hold");
	make_dir(f, "deferred");
	make_dir(f, "deferred/A");
	make_dir(f, "deferred/A/1");
	make_dir(f, "deferred/B");
	make_dir(f, "deferred/tmp");
	write_file(f, "deferred/A/1/A1B2C3D4E5", "", 0600);
	write_file(f, "deferred/B/4jYRht5SfXz1bYWS", "", 0600);
	write_file(f, "deferred/D4F2023DB", "", 0600); /* not hashed yet */
	write_file(f, "deferred/tmp/A1B2C3D4E6", "", 0600); /* no hash folder */
	write_file(f, "deferred/B/12345.67", "", 0600); /* a temporary file */
	write_file(f, "deferred/B/README", "", 0600);
	write_file(f, "hold/A1B2C3D4E7", "", 0600);
	snprintf(path, sizeof(path), "%s/hold/H", f->dir);
	snprintf(target, sizeof(target), "%s/deferred/B", f->dir);
	assert_int_equal(symlink(target, path), 0); /* not followed */
	scan(f, &s);
	assert_int_equal(s.n[QUEUE_DEFERRED], 3);
	assert_int_equal(s.n[QUEUE_HOLD], 1);
	assert_int_equal(s.n[QUEUE_ACTIVE], 0);
	assert_int_equal(s.n[QUEUE_INCOMING], 0);
	assert_int_equal(s.n[QUEUE_MAILDROP], 0); /* no folder yet */
	assert_true(queue_scan_complete(&s));
}

static void test_scan_unreadable(void **state)
{
	struct fixture *f = *state;
	struct queue_scan s;

	write_file(f, "corrupt", "", 0600); /* not a folder: neither root can read it */
	make_dir(f, "hold");
	write_file(f, "hold/A1B2C3D4E7", "", 0600);
	scan(f, &s);
	assert_int_equal(s.n[QUEUE_CORRUPT], EVENT_UNKNOWN);
	assert_int_equal(s.n[QUEUE_HOLD], 1);
	assert_true(queue_scan_complete(&s));
	write_file(f, "active", "", 0600);
	scan(f, &s);
	assert_false(queue_scan_complete(&s));
	queue_scan_begin(&s, "/nonexistent/spool");
	assert_false(queue_scan_step(&s));
	assert_int_equal(s.n[QUEUE_DEFERRED], EVENT_UNKNOWN);
	assert_false(queue_scan_complete(&s));
	queue_scan_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_million, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_hostile_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_callback_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_direct, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_long_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_act_checks_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_act_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_act_refuses, setup, teardown),
		cmocka_unit_test(test_done_count),
		cmocka_unit_test_setup_teardown(test_scan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scan_unreadable, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
