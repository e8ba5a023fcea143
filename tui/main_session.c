/* SPDX-License-Identifier: MIT */
/*
 * main_session - see main_session.h. The thread shares with the screen the database, the notify pipe and
 * what session.lock is over: that it has given up, and, in the place of a collector that ended, that it collects.
 */
#include "tui/main_session.h"

#include "backends/probe_conf.h"
#include "backends/sandbox.h"
#include "store/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define COLLECTOR_NICE 10 /* a tenth of the screen's share, where both want the same core */
#define LOOK_INTERVAL_MS 3000
#define GRACE_MS 12000 /* a service that is started anew goes first: RestartSec=10s of its unit */

static int load_conf(struct session *s, struct mt_error *reterr)
{
	const char *home = getenv("XDG_CONFIG_HOME");
	char *path = NULL;
	int rc;

	if (s->args->config) {
		s->conf_path = xstrdup(s->args->config);
		return conf_load(s->conf, s->args->config, reterr);
	}
	if (home && home[0] == '/')
		path = xasprintf("%s/mtatop/mtatop.conf", home);
	else if (getenv("HOME"))
		path = xasprintf("%s/.config/mtatop/mtatop.conf", getenv("HOME"));
	rc = path ? conf_load(s->conf, path, reterr) : MT_ENOENT;
	if (rc == MT_ENOENT) {
		free(path);
		path = xstrdup("/etc/mtatop/mtatop.conf");
		rc = conf_load(s->conf, path, reterr);
	}
	if (rc == 0)
		s->conf_path = path;
	else
		free(path);
	return rc == MT_ENOENT ? 0 : rc;
}

static int load_alerts(struct session *s, struct mt_error *reterr)
{
	int rc = alert_rules_load(s->conf, &s->alerts, reterr);
	size_t n = 0;

	for (size_t i = 0; rc == 0 && i < s->alerts.n; i++)
		if (s->alerts.rule[i].hook[0])
			s->hooks[n++] = s->alerts.rule[i].hook;
	return rc;
}

int session_open(struct session *s, const struct args *args, struct mt_error *reterr)
{
	size_t ntables;
	int rc;

	*s = (struct session){.args = args, .clock = clock_real(), .notify = {-1, -1}};
	pthread_mutex_init(&s->lock, NULL);
	ntables = main_conf_tables(s->tables, sizeof(s->tables) / sizeof(s->tables[0]));
	s->conf = conf_new(s->tables, ntables);
	rc = load_conf(s, reterr);
	if (rc == 0)
		rc = warmup_plans_load(s->conf, &s->warmups, reterr);
	if (rc == 0)
		rc = load_alerts(s, reterr);
	if (rc == 0)
		rc = probe_conf_check(s->conf, reterr);
	if (rc < 0)
		return rc;
	s->cache_path = main_cache_path(args, s->conf);
	s->rules_path = explain_path(args->config);
	s->logs = args->logs;
	s->nlogs = args->nlogs;
	return 0;
}

/* Made-up traffic runs no program and tells no log; what it has to show it shows at once. */
static void demo_alerts(struct alert_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		rules->rule[i].hook = "";
		rules->rule[i].syslog = false;
		rules->rule[i].for_ms = 0;
	}
}

int session_demo(struct session *s, bool live, struct mt_error *reterr)
{
	int rc = demo_start(clock_utc_ms(&s->clock), live, &s->demo, reterr);

	if (rc < 0)
		return rc;
	free(s->cache_path);
	s->cache_path = xstrdup(demo_cache(s->demo));
	s->demo_logs[0] = demo_log(s->demo);
	s->demo_logs[1] = NULL;
	s->logs = s->demo_logs;
	s->nlogs = 1;
	demo_alerts(&s->alerts);
	return 0;
}

static struct collector_options collector_options(struct session *s)
{
	return (struct collector_options){.conf = s->conf,
		.clock = &s->clock,
		.cache_path = s->cache_path,
		.rules_path = s->rules_path,
		.logs = s->logs,
		.nlogs = s->nlogs,
		.made_up = s->demo != NULL,
		.alerts = &s->alerts,
		.warmups = &s->warmups,
		.notify_fd = s->notify[1]};
}

static void give_up(struct session *s, const struct mt_error *error)
{
	pthread_mutex_lock(&s->lock);
	s->failed = true;
	s->error = *error;
	pthread_mutex_unlock(&s->lock);
}

/* take_over - the collector in the place of the one that ended; NULL: failed, or the screen is closing. */
static struct collector *take_over(struct session *s)
{
	struct collector_options o = collector_options(s);
	struct collector *c = NULL;
	struct mt_error error = {0};
	bool closing;

	o.lock = s->left;
	s->left = NULL;
	if (collector_new(&o, &c, &error) < 0) {
		give_up(s, &error);
		return NULL;
	}
	pthread_mutex_lock(&s->lock);
	closing = s->closing;
	if (!closing)
		s->collector = c;
	pthread_mutex_unlock(&s->lock);
	if (!closing)
		return c;
	collector_free(c);
	return NULL;
}

static void *collector_thread(void *ctx)
{
	struct session *s = ctx;
	struct mt_error error = {0};
	struct collector *c;

	/* Linux: of this thread alone. Catching up takes all it gets; a key must not wait for it. */
	(void)setpriority(PRIO_PROCESS, 0, COLLECTOR_NICE);
	c = s->left ? take_over(s) : s->collector;
	if (c && collector_run(c, &error) < 0)
		give_up(s, &error);
	return NULL;
}

static int start_thread(struct session *s, struct mt_error *reterr)
{
	sigset_t all, old;
	int rc;

	/* Signals are the screen's business: the thread is born with all of them blocked. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, collector_thread, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return mt_error_sys(reterr, rc, "can't start the collector's thread");
	s->thread_started = true;
	return 0;
}

static int open_notify(struct session *s, struct mt_error *reterr)
{
	if (pipe2(s->notify, O_CLOEXEC | O_NONBLOCK) < 0)
		return mt_error_sys(reterr, errno, "can't make a pipe");
	return 0;
}

void session_confine(struct session *s)
{
	bool reads_no_log = s->args->command == COMMAND_REPORT || s->args->command == COMMAND_PROBE;
	const struct sandbox_options o = {.cache_path = s->cache_path,
		.config_path = s->args->config,
		.ca_file = conf_text(s->conf, "probe", NULL, "ca_file"),
		.conf = reads_no_log ? NULL : s->conf,
		.logs = s->logs,
		.nlogs = s->nlogs};
	struct sandbox_state state;

	/* The demo made up what it reads, and takes its own folder away at the end. */
	if (!s->demo)
		sandbox_enter(s->collector, &o, &state);
}

int session_collect(struct session *s, bool until_caught_up, struct mt_error *reterr)
{
	struct collector_options o;
	int rc = 0;

	if (!until_caught_up)
		rc = open_notify(s, reterr);
	o = collector_options(s);
	o.until_caught_up = until_caught_up;
	if (rc == 0)
		rc = collector_new(&o, &s->collector, reterr);
	s->attached = rc == MT_EBUSY;
	if (rc < 0 && !s->attached)
		return rc;
	session_confine(s);
	if (s->attached)
		return 0;
	if (collector_notice(s->collector))
		s->notice = xstrdup(collector_notice(s->collector));
	return until_caught_up ? collector_run(s->collector, reterr) : start_thread(s, reterr);
}

bool session_failed(void *ctx, struct mt_error *ret_error)
{
	struct session *s = ctx;
	bool failed;

	pthread_mutex_lock(&s->lock);
	failed = s->failed;
	if (failed && ret_error)
		*ret_error = s->error;
	pthread_mutex_unlock(&s->lock);
	return failed;
}

/* place_left - is the other collector gone, and has nobody come in its place for GRACE_MS? Then its lock is s->left. */
static bool place_left(struct session *s)
{
	int64_t now = clock_mono_ms(&s->clock);
	struct mt_error ignored;

	if (now < s->next_look_mono_ms)
		return false;
	s->next_look_mono_ms = now + LOOK_INTERVAL_MS;
	if (collector_lock(s->cache_path, &s->left, &ignored) < 0) {
		s->left = NULL;
		s->free_mono_ms = 0;
		return false;
	}
	if (!s->free_mono_ms)
		s->free_mono_ms = now;
	if (now - s->free_mono_ms >= GRACE_MS)
		return true;
	collector_unlock(s->left);
	s->left = NULL;
	return false;
}

const char *session_takes_over(void *ctx)
{
	struct session *s = ctx;
	struct mt_error error = {0};
	const char *notice = NULL;

	if (!s->attached)
		return NULL;
	if (!s->thread_started) {
		if (place_left(s) && start_thread(s, &error) < 0) {
			collector_unlock(s->left);
			s->left = NULL;
			s->free_mono_ms = 0;
		}
		return NULL;
	}
	pthread_mutex_lock(&s->lock);
	s->attached = s->collector == NULL;
	if (s->collector)
		notice = collector_notice(s->collector);
	pthread_mutex_unlock(&s->lock);
	if (s->attached)
		return NULL;
	return notice ? notice : "the collector ended; this mtatop collects now";
}

static void end_thread(struct session *s)
{
	if (!s->thread_started)
		return;
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	if (s->collector)
		collector_stop(s->collector);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

void session_close(struct session *s)
{
	end_thread(s);
	services_free(s->services);
	collector_free(s->collector);
	demo_stop(s->demo);
	for (int i = 0; i < 2; i++)
		if (s->notify[i] >= 0)
			close(s->notify[i]);
	free(s->notice);
	free(s->cache_path);
	free(s->rules_path);
	free(s->conf_path);
	warmup_plans_done(&s->warmups);
	conf_free(s->conf);
	pthread_mutex_destroy(&s->lock);
}
