/* SPDX-License-Identifier: MIT */
/*
 * main - the commands. Alone in tui/ (with main_*.c) it may know the backends; it starts the collector
 * and hands the screens what they need. Exit status: 0 well, 1 failed, 2 usage or configuration.
 */
#include "backends/helper.h"
#include "store/base/buf.h"
#include "store/base/log.h"
#include "store/base/secret.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"
#include "store/store_read.h"
#include "tui/check.h"
#include "tui/dashboard.h"
#include "tui/explain_cmd.h"
#include "tui/export.h"
#include "tui/main_session.h"
#include "tui/report.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define SAID_MAX_BYTES 16384 /* an error's text, each byte escaped */

static struct collector *collector_to_stop; /* for the signal handler of `mtatop collect` only */
static volatile int stop_export; /* the same of `mtatop export` */

/* say - a text that may quote a log or a file: nothing of it reaches the terminal raw. */
static void say(const char *text, const char *more)
{
	struct buf shown;

	buf_init(&shown, SAID_MAX_BYTES);
	if (utf8_show_text(&shown, str_of(text), false) == 0)
		fprintf(stderr, "mtatop: %s%s\n", buf_z(&shown), more);
	buf_done(&shown);
}

static int fail(const struct mt_error *error)
{
	say(error->text, "");
	return error->code == MT_ECONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static void on_signal(int number)
{
	(void)number;
	stop_export = 1;
	if (collector_to_stop)
		collector_stop(collector_to_stop);
}

static void on_reload(int number)
{
	(void)number;
	if (collector_to_stop)
		collector_reload(collector_to_stop);
}

/* on_terminal - then SIGHUP tells that it is gone, and without one that the rules are to be read anew. */
static bool on_terminal(void)
{
	return isatty(STDIN_FILENO) == 1 || isatty(STDERR_FILENO) == 1;
}

static void handle(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void show_progress(void *ctx, const struct collector_progress *p)
{
	(void)ctx;
	if (p->total_bytes <= 0)
		return;
	fprintf(stderr, "\rmtatop: reading %s: %lld of %lld MB (%lld%%)\033[K",
		p->what ? "the log" : "", (long long)(p->done_bytes / 1000000),
		(long long)(p->total_bytes / 1000000),
		(long long)(p->done_bytes * 100 / p->total_bytes));
	fflush(stderr);
}

static int run_collect(struct session *s)
{
	bool tty = isatty(STDERR_FILENO) == 1;
	struct collector_options o = {.conf = s->conf,
		.clock = &s->clock,
		.cache_path = s->cache_path,
		.rules_path = s->rules_path,
		.logs = s->logs,
		.nlogs = s->nlogs,
		.until_caught_up = s->args->until_caught_up,
		.alerts = &s->alerts,
		.warmups = &s->warmups,
		.notify_fd = -1,
		.progress = tty && s->args->until_caught_up ? show_progress : NULL};
	struct mt_error error = {0};
	int rc;

	if (log_open(LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO, &error) < 0)
		return fail(&error);
	rc = collector_new(&o, &s->collector, &error);
	if (rc < 0)
		return fail(&error);
	session_confine(s);
	if (collector_notice(s->collector))
		say(collector_notice(s->collector), "");
	collector_to_stop = s->collector;
	handle(SIGTERM, on_signal);
	handle(SIGINT, on_signal);
	handle(SIGHUP, on_terminal() ? on_signal : on_reload);
	rc = collector_run(s->collector, &error);
	handle(SIGTERM, SIG_DFL);
	handle(SIGINT, SIG_DFL);
	handle(SIGHUP, SIG_DFL);
	collector_to_stop = NULL;
	if (o.progress)
		fputc('\n', stderr);
	return rc < 0 ? fail(&error) : EXIT_OK;
}

static int parse_when(const char *text, int64_t now_ms, int64_t *ret, struct mt_error *reterr)
{
	if (text && timefmt_parse_when(str_of(text), now_ms, ret) < 0)
		return mt_error_set(reterr, MT_ECONFIG,
			"this is not a time: %.60s (see man mtatop, --since)", text);
	return 0;
}

static int run_report(struct session *s)
{
	struct report_options o = {.cache_path = s->cache_path,
		.format = REPORT_TEXT,
		.provider = s->args->provider,
		.since_ms = REPORT_UNSET,
		.until_ms = REPORT_UNSET,
		.clock = &s->clock,
		.out = stdout};
	int64_t now_ms = clock_utc_ms(&s->clock);
	struct mt_error error = {0};

	if (s->args->format)
		o.format = s->args->format[0] == 'j'   ? REPORT_JSON
			   : s->args->format[0] == 'c' ? REPORT_CSV
						       : REPORT_TEXT;
	if (parse_when(s->args->since, now_ms, &o.since_ms, &error) < 0 ||
		parse_when(s->args->until, now_ms, &o.until_ms, &error) < 0)
		return fail(&error);
	if (s->args->demo) {
		int rc = session_demo(s, false, &error);

		if (rc == 0)
			rc = session_collect(s, true, &error);
		if (rc < 0)
			return fail(&error);
		o.cache_path = s->cache_path;
		o.demo = true;
	}
	session_confine(s);
	return report_run(&o, &error) < 0 ? fail(&error) : EXIT_OK;
}

static int run_check(struct session *s)
{
	const struct args *a = s->args;
	struct check_options o = {.cache_path = s->cache_path,
		.what = a->check_what,
		.warning = a->warning,
		.critical = a->critical,
		.provider = a->provider,
		.host = a->host,
		.max_age_ms = a->max_age_ms,
		.min_n = a->min_n,
		.clock = &s->clock,
		.out = stdout};
	struct mt_error error = {0};

	if (a->window && conf_parse_duration_ms(str_of(a->window), &o.window_ms) < 0)
		return fail(&error);
	return (int)check_run(&o);
}

/* check_refused - what a plugin says when it was called wrongly: on standard output, UNKNOWN. */
static int check_refused(const struct mt_error *error)
{
	printf("MTATOP UNKNOWN - %s\n", error->text);
	return CHECK_UNKNOWN;
}

static int run_export(struct session *s)
{
	const struct args *a = s->args;
	struct export_options o = {.cache_path = s->cache_path,
		.output = a->output,
		.listen = a->listen,
		.interval_ms = a->interval_ms,
		.clock = &s->clock};
	struct mt_error error = {0};
	int fd, rc;

	if (o.output && o.listen) {
		mt_error_set(&error, MT_ECONFIG, "export takes --output or --listen, not both");
		return fail(&error);
	}
	if (log_open(LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO, &error) < 0)
		return fail(&error);
	handle(SIGTERM, on_signal);
	handle(SIGINT, on_signal);
	if (o.listen) {
		rc = export_listen(o.listen, &fd, &error);
		if (rc == 0)
			rc = export_serve(&o, fd, &stop_export, &error);
	} else {
		rc = o.output && o.interval_ms ? export_loop(&o, &stop_export, &error)
					       : export_once(&o, &error);
	}
	return rc < 0 ? fail(&error) : EXIT_OK;
}

static int run_probe(struct session *s)
{
	struct mt_error error = {0};
	bool up = false;

	if (main_probe(s, &up, &error) < 0)
		return fail(&error);
	return up ? EXIT_OK : EXIT_FAILED;
}

static struct dashboard_options screen_options(struct session *s)
{
	return (struct dashboard_options){.args = s->args,
		.conf = s->conf,
		.conf_path = s->conf_path,
		.warmups = &s->warmups,
		.clock = &s->clock,
		.cache_path = s->cache_path,
		.notify_fd = s->notify[0],
		.services = s->services,
		.notice = s->notice,
		.demo = s->demo != NULL,
		.attached = s->attached,
		.collector_failed = session_failed,
		.takes_over = session_takes_over,
		.collector_ctx = s};
}

static int print_once(struct session *s)
{
	struct dashboard_options o = screen_options(s);
	struct mt_error error = {0};

	return dashboard_once(&o, stdout, &error) < 0 ? fail(&error) : EXIT_OK;
}

/* collect_or_demo - the collector, or where there is nothing to collect, the demo, said on one line. */
static int collect_or_demo(struct session *s, bool once, struct mt_error *reterr)
{
	int rc = 0;

	if (!s->args->demo) {
		rc = session_collect(s, once, reterr);
		if (rc != MT_ENOENT || s->args->nlogs)
			return rc;
		say(reterr->text, "; showing the demo");
		for (int i = 0; i < 2; i++) {
			if (s->notify[i] >= 0)
				close(s->notify[i]);
			s->notify[i] = -1;
		}
	}
	rc = session_demo(s, !once, reterr);
	return rc < 0 ? rc : session_collect(s, once, reterr);
}

static int run_dashboard(struct session *s)
{
	bool once = s->args->once || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	struct mt_error error = {0};
	struct dashboard_options o;
	int rc = collect_or_demo(s, once, &error);

	if (rc < 0)
		return fail(&error);
	s->services = services_new(
		s->conf, s->cache_path, s->logs, s->nlogs, s->args->read_write && !s->demo);
	if (s->demo)
		services_demo(s->services);
	if (once)
		return print_once(s);
	o = screen_options(s);
	rc = dashboard_run(&o, &error);
	if (rc == MT_ENOTSUP) {
		say(error.text, "; printing the board once");
		return print_once(s);
	}
	return rc < 0 ? fail(&error) : EXIT_OK;
}

static int run_replay(const struct args *args)
{
	struct mt_error error = {0};

	return replay_run(args->replay_family, args->replay_file, &error) < 0 ? fail(&error)
									      : EXIT_OK;
}

static int run_explain(const struct args *args)
{
	const struct explain_options o = {.config_path = args->config,
		.host = args->host,
		.dsn = args->dsn,
		.format = args->format,
		.text = args->text,
		.in = stdin,
		.out = stdout};
	struct mt_error error = {0};

	return explain_run(&o, &error) < 0 ? fail(&error) : EXIT_OK;
}

/* start_helper - before anything a stranger wrote is read: it alone may run Postfix's tools, and the hooks the
 * configuration names, once this process has given that up. */
static int start_helper(const struct session *s, struct mt_error *reterr)
{
	const struct args *args = s->args;
	const struct helper_options o = {.read_write = args->read_write, .hooks = s->hooks};
	bool collects = args->command == COMMAND_DASHBOARD || args->command == COMMAND_COLLECT;
	bool asks_postfix = (collects || args->command == COMMAND_DOCTOR) && !args->nlogs;

	return !args->demo && (asks_postfix || (collects && s->hooks[0])) ? helper_start(&o, reterr)
									  : 0;
}

static int run_with_session(const struct args *args)
{
	struct session s;
	struct mt_error error = {0};
	int code;

	if (session_open(&s, args, &error) < 0) {
		code = EXIT_USAGE;
		if (args->command == COMMAND_CHECK)
			code = check_refused(&error);
		else
			fail(&error);
	} else if (start_helper(&s, &error) < 0) {
		code = fail(&error);
	} else if (args->command == COMMAND_CHECK) {
		code = run_check(&s);
	} else if (args->command == COMMAND_EXPORT) {
		code = run_export(&s);
	} else if (args->command == COMMAND_ALERTS) {
		code = main_alerts(&s, &error) < 0 ? fail(&error) : EXIT_OK;
	} else if (args->command == COMMAND_PROBE) {
		code = run_probe(&s);
	} else if (args->command == COMMAND_WARMUP) {
		code = main_warmup(&s, &error) < 0 ? fail(&error) : EXIT_OK;
	} else if (args->command == COMMAND_DNS) {
		code = main_dns(&s, &error) < 0 ? fail(&error) : EXIT_OK;
	} else if (args->command == COMMAND_COLLECT) {
		code = run_collect(&s);
	} else if (args->command == COMMAND_REPORT) {
		code = run_report(&s);
	} else if (args->command == COMMAND_DOCTOR) {
		code = doctor_run(s.conf, s.cache_path) ? EXIT_FAILED : EXIT_OK;
	} else if (args->command == COMMAND_DUMP_CONFIG) {
		main_dump_config(s.conf);
		code = EXIT_OK;
	} else {
		code = run_dashboard(&s);
	}
	session_close(&s);
	return code;
}

/* keep_private - the memory holds addresses and, later, keys: they must not end in a core file. */
static void keep_private(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef MT_KEEP_DUMPABLE
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	umask(077); /* what is written is this user's alone */
}

/* lent_rights - is this file setuid or setgid? Then whoever runs it would read the mail log with its rights. */
static bool lent_rights(void)
{
	return getuid() != geteuid() || getgid() != getegid();
}

int main(int argc, char **argv)
{
	struct args args;
	struct mt_error error = {0};
	int code;

	if (lent_rights()) {
		fputs("mtatop: must not be setuid or setgid; run: chmod ug-s on its file\n",
			stderr);
		return EXIT_USAGE;
	}
	secret_take_environment(); /* before there is a child or a thread */
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC,
		"C"); /* a figure has a point, in JSON and on the command line, whatever the locale */
	store_setup();
	handle(SIGPIPE, SIG_IGN);
	handle(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk: told, not died of */
	if (args_parse(argc, argv, &args, &error) < 0)
		return argc > 1 && strcmp(argv[1], "check") == 0 ? check_refused(&error)
								 : fail(&error);
	if (args.command == COMMAND_HELP) {
		fputs(args_usage(), stdout);
		code = EXIT_OK;
	} else if (args.command == COMMAND_VERSION) {
		puts("mtatop " MTATOP_VERSION);
		code = EXIT_OK;
	} else if (args.command == COMMAND_REPLAY) {
		code = run_replay(&args);
	} else if (args.command == COMMAND_EXPLAIN) {
		code = run_explain(&args);
	} else {
		keep_private();
		code = run_with_session(&args);
		helper_stop();
	}
	args_done(&args);
	if (fflush(stdout) != 0 && errno != EPIPE && code == EXIT_OK)
		code = EXIT_FAILED;
	return code;
}
