/* SPDX-License-Identifier: MIT */
/* The queue source as the collector runs it, into a real cache, with a postqueue of our own. Needs postconf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/postfix/config.h"
#include "backends/postfix/queue.h"
#include "backends/spawn.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 256
#define TEXT_MAX_BYTES (1u << 20)
#define POLL_MS 10000
#define STEPS_MAX 100000
#define NOW_MS INT64_C(1767268800000)

struct fixture {
	char dir[PATH_BYTES], cache[PATH_BYTES + 16];
	struct clock clock;
	struct conf *conf;
	struct store *store;
	struct instance_def def;
	struct backend_env env;
	uint64_t offset; /* of the log */
	void *state; /* of the source */
	struct mt_error err;
};

static char *path_of(const struct fixture *f, const char *name, char path[PATH_BYTES * 2])
{
	snprintf(path, PATH_BYTES * 2, "%s/%s", f->dir, name);
	return path;
}

static void write_file(const struct fixture *f, const char *name, const char *content, mode_t mode)
{
	char path[PATH_BYTES * 2];
	int fd = open(path_of(f, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void program(const struct fixture *f, const char *body)
{
	struct buf script;

	buf_init(&script, TEXT_MAX_BYTES);
	assert_int_equal(buf_printf(&script, "#!/bin/sh\ncd '%s' || exit 99\n%s", f->dir, body), 0);
	write_file(f, "postqueue", buf_z(&script), 0755);
	buf_done(&script);
}

static void write_main_cf(const struct fixture *f)
{
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	assert_int_equal(buf_printf(&text,
				 "compatibility_level = 3\ncommand_directory = %s\nqueue_directory "
				 "= %s/spool\n"
				 "minimal_backoff_time = 5m\nmaximal_backoff_time = "
				 "4000s\nmaximal_queue_lifetime = 2d\n"
				 "bounce_queue_lifetime = 1d\nmyhostname = "
				 "mail.example.test\nmynetworks = 127.0.0.1\n",
				 f->dir, f->dir),
		0);
	write_file(f, "main.cf", buf_z(&text), 0644);
	write_file(f, "master.cf", "", 0644);
	buf_done(&text);
}

static int setup(void **state)
{
	static const struct conf_table table[] = {{postfix_keys, POSTFIX_NKEYS}};
	struct fixture *f = calloc(1, sizeof(*f));
	struct store_options options = {0};

	if (!f)
		return -1;
	*state = f;
	snprintf(f->dir, sizeof(f->dir), "/tmp/mtatop-test-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	write_main_cf(f);
	snprintf(f->cache, sizeof(f->cache), "%s/cache.db", f->dir);
	f->clock = clock_fake(NOW_MS);
	f->conf = conf_new(table, 1);
	options.path = f->cache;
	options.clock = &f->clock;
	if (store_open(&options, &f->store, &f->err) < 0)
		return -1;
	f->def =
		(struct instance_def){.family = "postfix", .name = "postfix", .config_dir = f->dir};
	f->env = (struct backend_env){
		.store = f->store, .clock = &f->clock, .conf = f->conf, .def = &f->def};
	if (store_provider(f->store, "postfix", "postfix", NULL, &f->env.provider, &f->err) < 0 ||
		store_source(f->store, f->env.provider, "queue", &f->env.source, &f->err) < 0)
		return -1;
	f->state = calloc(1, postfix_queue_source.state_bytes);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"/bin/rm", "-rf", f->dir, NULL};
	struct buf out;

	postfix_queue_source.done(f->state);
	free(f->state);
	store_close(f->store);
	conf_free(f->conf);
	buf_init(&out, TEXT_MAX_BYTES);
	(void)!postfix_run_text(argv, (struct str){0}, &out, NULL, NULL);
	buf_done(&out);
	free(f);
	return 0;
}

static bool init(struct fixture *f)
{
	char *postconf = spawn_find_tool("postconf");

	free(postconf);
	if (!postconf) {
		print_message("skipped: no postconf here\n");
		return false;
	}
	if (postfix_queue_source.init(f->state, &f->env, &f->err) < 0)
		fail_msg("%s", f->err.text);
	return true;
}

/* Step as the collector does until the round is done. */
static int run_round(struct fixture *f)
{
	for (int i = 0; i < STEPS_MAX; i++) {
		struct pollfd fds[8];
		int rc = postfix_queue_source.step(f->state, &f->err);

		if (rc == STEP_DONE || rc < 0)
			return rc;
		if (rc == STEP_WAIT) {
			size_t n = postfix_queue_source.fds(f->state, fds, 8);

			assert_true(n > 0);
			assert_true(poll(fds, (nfds_t)n, POLL_MS) > 0);
		}
	}
	fail_msg("the source never ends");
	return 0;
}

static void check_sql(const struct fixture *f, const char *sql, const char *want)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	struct buf got;

	buf_init(&got, TEXT_MAX_BYTES);
	assert_int_equal(sqlite3_open_v2(f->cache, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const unsigned char *text = sqlite3_column_text(stmt, i);

			(void)buf_printf(
				&got, "%s%s", i ? "|" : "", text ? (const char *)text : "NULL");
		}
		(void)buf_add_char(&got, ';');
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	assert_string_equal(buf_z(&got), want);
	buf_done(&got);
}

static const char *detail(const struct fixture *f)
{
	struct source_health h = {.health = HEALTH_FRESH};

	postfix_queue_source.health(f->state, &h);
	assert_non_null(h.detail);
	return h.detail;
}

#define ROW(id, queue, arrival, sender)                                                            \
	"{\"queue_name\": \"" queue "\", \"queue_id\": \"" id "\", \"arrival_time\": " arrival     \
	", \"message_size\": 9, \"forced_expire\": false, \"sender\": \"" sender                   \
	"\", \"recipients\": [{\"address\": \"u@x.test\", \"delay_reason\": \"said: 450\"}]}\n"

/* 1767268790 is ten seconds before now. */
#define ROWS                                                                                       \
	ROW("A1B2C3D4E5", "deferred", "1767268790", "a@b.test")                                    \
	ROW("A1B2C3D4E6", "deferred", "1767268790", "MAILER-DAEMON")                               \
	ROW("A1B2C3D4E7", "hold", "1767268000", "a@b.test")                                        \
	ROW("A1B2C3D4E8", "maildrop", "1767268790", "a@b.test")

#define LISTED                                                                                     \
	"SELECT qid, queue, next_retry_ms, expires_ms, sender FROM queue_message ORDER BY qid"
#define DEPTH                                                                                      \
	"SELECT source, maildrop, incoming, active, deferred, hold, corrupt, oldest_ms FROM "      \
	"queue_sample ORDER BY t_ms DESC LIMIT 1"

/* No spool at all: everything from postqueue, the next try by the rule. */
static void test_postqueue_only(void **state)
{
	struct fixture *f = *state;

	write_file(f, "rows", ROWS, 0644);
	program(f, "cat rows\n");
	if (!init(f))
		return;
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, LISTED,
		"A1B2C3D4E5|3|1767269090000|1767441590000|a@b.test;A1B2C3D4E6|3|1767269090000|"
		"1767355190000|;"
		"A1B2C3D4E7|4|NULL|NULL|a@b.test;A1B2C3D4E8|0|NULL|1767441590000|a@b.test;");
	check_sql(f, DEPTH, "2|1|0|0|2|1|NULL|1767268000000;");
	assert_non_null(strstr(detail(f), "4 listed"));
	assert_non_null(strstr(detail(f), "estimated"));
	/* one left: the others are gone after a whole listing */
	write_file(f, "rows", ROW("A1B2C3D4E6", "active", "1767268790", "MAILER-DAEMON"), 0644);
	clock_advance(&f->clock, 10000);
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, LISTED, "A1B2C3D4E6|2|NULL|1767355190000|;");
	check_sql(f, DEPTH, "2|0|0|1|0|0|NULL|1767268790000;");
}

/* A readable spool: depth by names, the next try from the file's own time stamp. */
static void test_spool(void **state)
{
	const struct timespec times[2] = {{.tv_sec = 1767269999}, {.tv_sec = 1767269999}};
	struct fixture *f = *state;
	char path[PATH_BYTES * 2];

	write_file(f, "rows", ROWS, 0644);
	program(f, "cat rows\n");
	assert_int_equal(mkdir(path_of(f, "spool", path), 0755), 0);
	assert_int_equal(mkdir(path_of(f, "spool/deferred", path), 0755), 0);
	assert_int_equal(mkdir(path_of(f, "spool/deferred/A", path), 0755), 0);
	assert_int_equal(mkdir(path_of(f, "spool/corrupt", path), 0755), 0);
	write_file(f, "spool/deferred/A/A1B2C3D4E5", "", 0600);
	write_file(f, "spool/corrupt/A1B2C3D4E0", "", 0600);
	assert_int_equal(
		utimensat(AT_FDCWD, path_of(f, "spool/deferred/A/A1B2C3D4E5", path), times, 0), 0);
	if (!init(f))
		return;
	assert_int_equal(run_round(f), STEP_DONE);
	/* the first round ends with a sample that knows the listing's oldest */
	check_sql(f, DEPTH, "1|0|0|0|1|0|1|1767268000000;");
	check_sql(f, "SELECT qid, next_retry_ms FROM queue_message WHERE queue = 3 ORDER BY qid",
		"A1B2C3D4E5|1767269999000;A1B2C3D4E6|1767269090000;");
	clock_advance(&f->clock, 5000);
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, DEPTH, "1|0|0|0|1|0|1|1767268000000;");
}

/* An empty spool after an empty listing: no program is run to find nothing again, until there is something. */
static void test_nothing_to_list(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES * 2];

	program(f, "echo x >>ran\n");
	assert_int_equal(mkdir(path_of(f, "spool", path), 0755), 0);
	assert_int_equal(mkdir(path_of(f, "spool/deferred", path), 0755), 0);
	if (!init(f))
		return;
	assert_int_equal(run_round(f), STEP_DONE);
	assert_int_equal(access(path_of(f, "ran", path), F_OK), 0);
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i < 3; i++) {
		clock_advance(&f->clock, 60000);
		assert_int_equal(run_round(f), STEP_DONE);
	}
	assert_int_equal(access(path, F_OK), -1);
	assert_non_null(strstr(detail(f), "nothing to list"));
	/* the listing is as new as if it had been run */
	check_sql(f, "SELECT count(*) FROM queue_message", "0;");
	write_file(f, "spool/deferred/A1B2C3D4E5", "", 0600);
	write_file(f, "rows", ROWS, 0644);
	program(f, "echo x >>ran; cat rows\n");
	clock_advance(&f->clock, 60000);
	assert_int_equal(run_round(f), STEP_DONE);
	assert_int_equal(access(path_of(f, "ran", path), F_OK), 0);
	check_sql(f, "SELECT count(*) FROM queue_message", "4;");
}

/* Postfix down, cut, slow to say no: nothing that was known is forgotten, and the failure is told. */
static void test_failures_keep_the_list(void **state)
{
	struct fixture *f = *state;

	write_file(f, "rows", ROWS, 0644);
	program(f, "cat rows\n");
	if (!init(f))
		return;
	assert_int_equal(run_round(f), STEP_DONE);
	clock_advance(&f->clock, 10000);
	program(f, "echo 'postqueue: fatal: Queue report unavailable - mail system is down' >&2; "
		   "exit 69\n");
	assert_int_equal(run_round(f), MT_ENET);
	assert_non_null(strstr(f->err.text, "Postfix is down"));
	assert_non_null(strstr(detail(f), "Postfix is down"));
	check_sql(f, "SELECT count(*) FROM queue_message", "4;");
	check_sql(f, "SELECT count(*) FROM queue_sample", "1;");
	clock_advance(&f->clock, 10000);
	program(f, "head -c 200 rows\n");
	assert_int_equal(run_round(f), MT_EPROTO);
	check_sql(f, "SELECT count(*) FROM queue_message", "4;");
	clock_advance(&f->clock, 10000);
	program(f, "cat rows\n");
	assert_int_equal(run_round(f), STEP_DONE);
	assert_null(strstr(detail(f), "down"));
}

/* While the spool can be read, a failed listing is no failure of the source. */
static void test_failure_with_spool(void **state)
{
	struct fixture *f = *state;
	struct source_health h = {.health = HEALTH_FRESH};
	char path[PATH_BYTES * 2];

	assert_int_equal(mkdir(path_of(f, "spool", path), 0755), 0);
	program(f, "exit 75\n");
	if (!init(f))
		return;
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, DEPTH, "1|0|0|0|0|0|0|NULL;");
	postfix_queue_source.health(f->state, &h);
	assert_int_equal(h.health, HEALTH_LATE);
	assert_non_null(strstr(h.detail, "listing failed: postqueue: exit 75"));
}

static void test_old_postqueue(void **state)
{
	struct fixture *f = *state;

	write_file(f, "rows",
		"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
		"A1B2C3D4E5      318 Thu Jan  1 11:00:00 a@b.test\n(said: 450)\n"
		"                                         u@x.test\n\n-- 0 Kbytes in 1 Request.\n",
		0644);
	program(f, "[ \"$3\" = -p ] && exec cat rows\necho \"postqueue: invalid option -- 'j'\" "
		   ">&2; exit 69\n");
	if (!init(f))
		return;
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, "SELECT qid, queue, arrival_ms FROM queue_message",
		"A1B2C3D4E5|3|1767265200000;");
	check_sql(f, DEPTH, "2|NULL|0|0|1|0|NULL|1767265200000;");
}

/* A listing under way when the source ends: the child is ended too, the cache stays whole. */
static void test_done_while_listing(void **state)
{
	struct fixture *f = *state;
	int rc = STEP_AGAIN;

	write_file(f, "rows", ROWS, 0644);
	program(f, "cat rows; exec sleep 60\n");
	if (!init(f))
		return;
	while (rc == STEP_AGAIN)
		rc = postfix_queue_source.step(f->state, &f->err);
	assert_int_equal(rc, STEP_WAIT);
	/* teardown's done() must neither hang nor leave the child */
}

#define BY_LOG                                                                                     \
	"SELECT m.qid, queue, sender, nrcpt, m.rcpt, r.reason, next_retry_ms FROM queue_message "  \
	"AS m LEFT JOIN queue_recipient AS r USING (qid) ORDER BY m.qid"

static void put(struct fixture *f, struct event *e)
{
	static const struct str host = STR_INIT("mx1");

	e->host = host;
	e->t_utc_ms = NOW_MS - 10000;
	e->line_offset = (uint64_t)(f->offset += 100);
	assert_int_equal(store_event(f->store, f->env.provider, e, &f->err), 0);
	assert_int_equal(store_commit(f->store, &f->err), 0);
}

static struct event event_of(enum event_kind kind, const char *qid)
{
	struct event e;

	event_init(&e);
	e.kind = kind;
	e.service = STR_LIT("postfix/qmgr");
	e.process = STR_LIT("qmgr");
	e.queue_id = str_of(qid);
	return e;
}

/* A line of the log: in the active queue; with an address, deferred for it (and once sent to another). */
static void put_open(struct fixture *f, const char *qid, const char *deferred)
{
	struct event e = event_of(EVENT_QUEUED, qid);

	if (deferred)
		e.from = STR_LIT("a@b.test");
	e.nrcpt = 2;
	put(f, &e);
	if (!deferred)
		return;
	for (int i = 0; i < 3; i++) {
		e = event_of(EVENT_ATTEMPT, qid);
		e.to = i == 1 ? STR_LIT("sent@x.test") : str_of(deferred);
		e.status = i == 1 ? STATUS_SENT : STATUS_DEFERRED;
		e.reply = i == 2 ? STR_LIT("said: 450 busy") : STR_LIT("said: 421 before");
		put(f, &e);
	}
}

static void put_end(struct fixture *f, const char *qid)
{
	struct event e = event_of(EVENT_REMOVED, qid);

	put(f, &e);
}

static void test_log_only(void **state)
{
	struct fixture *f = *state;

	f->def.config_dir = NULL;
	assert_int_equal(postfix_queue_source.init(f->state, &f->env, &f->err), 0);
	put_open(f, "A1", NULL);
	put_open(f, "A2", "u@x.test");
	put_open(f, "A3", "v@y.test");
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, BY_LOG,
		"A1|2|?|0|NULL|NULL|NULL;A2|3|a@b.test|1|u@x.test|said: 450 "
		"busy|NULL;A3|3|a@b.test|1|v@y.test|said: 450 busy|NULL;");
	check_sql(f, DEPTH, "3|NULL|0|1|2|0|NULL|1767268790000;");
	assert_non_null(strstr(detail(f), "only the log is known"));
	assert_non_null(strstr(detail(f), "3 open by the log"));
	/* nothing new: nothing is written; then one leaves */
	clock_advance(&f->clock, 10000);
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, "SELECT count(*) FROM queue_sample WHERE t_ms=1767268810000", "0;");
	put_end(f, "A1");
	clock_advance(&f->clock, 10000);
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, DEPTH, "3|NULL|0|0|2|0|NULL|1767268790000;");
	check_sql(f, "SELECT qid FROM queue_message", "A2;A3;");
}

/* The demo's server: retries and lifetimes as Postfix comes. */
static void test_made_up(void **state)
{
	struct fixture *f = *state;

	f->def.config_dir = NULL;
	f->def.made_up = true;
	assert_int_equal(postfix_queue_source.init(f->state, &f->env, &f->err), 0);
	put_open(f, "A2", "u@x.test");
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, LISTED, "A2|3|1767269090000|1767700790000|a@b.test;");
}

/* Not in authorized_mailq_users: at once by the log, whatever was listed before; and back. */
static void test_denied(void **state)
{
	struct fixture *f = *state;
	struct source_health h = {.health = HEALTH_FRESH};

	write_file(f, "rows", ROWS, 0644);
	program(f, "cat rows\n");
	if (!init(f))
		return;
	put_open(f, "A2", "u@x.test");
	assert_int_equal(run_round(f), STEP_DONE);
	program(f,
		"echo 'postqueue: fatal: User nobody(65534) is not allowed to view the mail queue' "
		">&2; exit 77\n");
	clock_advance(&f->clock, 10000);
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, "SELECT qid, expires_ms - arrival_ms FROM queue_message", "A2|172800000;");
	check_sql(f, DEPTH, "3|NULL|0|0|1|0|NULL|1767268790000;");
	assert_non_null(strstr(detail(f), "authorized_mailq_users"));
	postfix_queue_source.health(f->state, &h);
	assert_int_equal(h.health, HEALTH_LATE);
	program(f, "cat rows\n");
	clock_advance(&f->clock, 10000);
	assert_int_equal(run_round(f), STEP_DONE);
	check_sql(f, "SELECT count(*) FROM queue_message", "4;");
	check_sql(f, DEPTH, "2|1|0|0|2|1|NULL|1767268000000;");
}

/* The pause after a long listing is 120 times what it took, by the source's own clock. */
static void test_interval(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES * 2];
	int go;

	program(f, "exec sleep 60\n");
	if (!init(f))
		return;
	assert_true(postfix_queue_source.interval(f->state) <= 1);
	while (postfix_queue_source.step(f->state, &f->err) != STEP_WAIT)
		continue;
	clock_advance(&f->clock, 600); /* it "takes" six tenths of a second */
	program(f, "read line <go\n");
	assert_int_equal(mkfifo(path_of(f, "go", path), 0600), 0);
	go = open(path, O_RDWR | O_CLOEXEC);
	assert_true(go >= 0);
	postfix_queue_source.done(f->state);
	assert_int_equal(postfix_queue_source.init(f->state, &f->env, &f->err), 0);
	while (postfix_queue_source.step(f->state, &f->err) != STEP_WAIT)
		continue;
	clock_advance(&f->clock, 600);
	assert_int_equal(write(go, "\n", 1), 1);
	assert_int_equal(run_round(f), STEP_DONE);
	assert_int_equal(postfix_queue_source.interval(f->state),
		59400); /* the spool is tried again first */
	clock_advance(&f->clock, 59400);
	assert_int_equal(run_round(f), STEP_DONE);
	assert_int_equal(postfix_queue_source.interval(f->state), 12600);
	close(go);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_postqueue_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures_keep_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure_with_spool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_postqueue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_done_while_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_denied, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interval, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
