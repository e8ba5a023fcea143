/* SPDX-License-Identifier: MIT */
/*
 * alerts - see alerts.h. What fires, and that its hook is still to be run, is in the cache in one transaction; the hook is
 * taken off there right before it is started: over kill -9 an alert fires once and no hook is run twice.
 */
#include "backends/alerts.h"

#include "backends/backend.h"
#include "backends/hook.h"
#include "store/base/log.h"
#include "store/base/mem.h"
#include "store/base/utf8.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define IDLE_MS 30000 /* without news; silence and durations move on by themselves */
#define JSON_MAX_BYTES 65536
#define USER_MAX_BYTES 64
#define PASSWD_MAX_BYTES 16384

struct alerts {
	struct alert_watch *watch;
	struct hooks *hooks;
	const struct clock *clock;
	char host[256];
	int64_t looked_mono_ms, hook_mono_ms[ALERTS_MAX];
	bool looked, news;
	bool hook_ran[ALERTS_MAX];
	struct log_repeat fault;
};

static int check_hooks(const struct alert_rules *rules, struct mt_error *reterr)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct alert_rule *r = &rules->rule[i];
		const char *why;

		if (r->hook[0] && !hook_trusted(r->hook, &why))
			return mt_error_set(reterr, MT_ECONFIG, "[alert %s] hook: %s: %s", r->name,
				r->hook, why);
	}
	return 0;
}

int alerts_new(struct store *s, const char *cache_path, const struct alert_rules *rules,
	const struct warmup_plans *plans, const struct clock *clock, struct alerts **ret,
	struct mt_error *reterr)
{
	struct alerts *a = xcalloc(1, sizeof(*a));
	int rc = check_hooks(rules, reterr);

	a->clock = clock;
	a->hooks = hooks_new(0);
	if (gethostname(a->host, sizeof(a->host) - 1) < 0)
		a->host[0] = '\0';
	if (rc == 0)
		rc = alert_watch_open(s, cache_path, rules, plans, &a->watch, reterr);
	if (rc < 0) {
		alerts_free(a);
		return rc;
	}
	*ret = a;
	return 0;
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	hooks_free(a->hooks);
	alert_watch_close(a->watch);
	free(a);
}

int alerts_acknowledge(const char *cache_path, struct str name, struct mt_error *reterr)
{
	const struct clock clock = clock_real();
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	char user[USER_MAX_BYTES];
	struct passwd entry, *found = NULL;
	char *room = xmalloc(PASSWD_MAX_BYTES);

	if (sudo && sudo[0])
		snprintf(user, sizeof(user), "%s", sudo);
	else if (getpwuid_r(getuid(), &entry, room, PASSWD_MAX_BYTES, &found) == 0 && found)
		snprintf(user, sizeof(user), "%s", entry.pw_name);
	else
		snprintf(user, sizeof(user), "uid %u", (unsigned)getuid());
	free(room);
	return store_alert_acknowledge_at(cache_path, name, user, clock_utc_ms(&clock), reterr);
}

static int64_t mono(const struct alerts *a)
{
	return clock_mono_ms(a->clock);
}

int64_t alerts_due_mono_ms(const struct alerts *a)
{
	return a->looked ? a->looked_mono_ms + (a->news ? ALERT_EVAL_INTERVAL_MS : IDLE_MS)
			 : mono(a);
}

size_t alerts_fds(const struct alerts *a, struct pollfd *out, size_t max)
{
	return hooks_fds(a->hooks, out, max);
}

/* One line: a stranger's bytes in it are shown, not sent. */
static void tell_syslog(const struct alert_entry *e, enum alert_event event)
{
	struct buf text;

	buf_init(&text, JSON_MAX_BYTES);
	if (utf8_show_text(&text, str_of(e->value.text), true) == 0)
		syslog(LOG_DAEMON | (event == ALERT_CLEARED                       ? LOG_NOTICE
					    : e->rule->severity == ALERT_CRITICAL ? LOG_ERR
										  : LOG_WARNING),
			"mtatop: alert %s %s: %s", e->rule->name, alert_event_word(event),
			buf_z(&text));
	buf_done(&text);
}

static void hook_ended(void *ctx, const char *name, const char *why)
{
	struct alerts *a = ctx;
	struct mt_error error = {0};
	struct alert_entry *all;
	size_t n;

	if (!why)
		return;
	log_write(LOG_LEVEL_WARNING, "alert %s: %s", name, why);
	all = alert_watch_entries(a->watch, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].rule->name, name) == 0 &&
			alert_watch_told(a->watch, &all[i], clock_utc_ms(a->clock), why, &error) <
				0)
			log_write(LOG_LEVEL_WARNING, "alert %s: %s", name, error.text);
}

static void run_hook(struct alerts *a, struct alert_entry *e)
{
	struct mt_error error = {0}, ignored;
	enum alert_event event = e->hook_due;
	struct buf json;

	buf_init(&json, JSON_MAX_BYTES);
	if (hook_json(&json, e, event, clock_utc_ms(a->clock), a->host) < 0)
		buf_clear(&json);
	/* Told first: a hook is rather lost in a crash than rung for ever by a cache that can't be written. */
	if (alert_watch_told(a->watch, e, clock_utc_ms(a->clock), NULL, &ignored) == 0 &&
		hooks_start(a->hooks, e->rule->hook, e->rule->name, buf_str(&json), mono(a),
			&error) < 0)
		hook_ended(a, e->rule->name, error.text);
	buf_done(&json);
}

static void run_hooks(struct alerts *a)
{
	size_t n;
	struct alert_entry *all = alert_watch_entries(a->watch, &n);

	for (size_t i = 0; i < n; i++) {
		bool rested = !a->hook_ran[i] ||
			      mono(a) - a->hook_mono_ms[i] >= all[i].rule->hook_interval_ms;

		if (all[i].hook_due == ALERT_NOTHING || !rested ||
			!hooks_may_start(a->hooks, mono(a)))
			continue;
		a->hook_ran[i] = true;
		a->hook_mono_ms[i] = mono(a);
		run_hook(a, &all[i]);
	}
}

static bool look(struct alerts *a)
{
	enum alert_phase before[ALERTS_MAX];
	struct mt_error error = {0};
	size_t n;
	struct alert_entry *all = alert_watch_entries(a->watch, &n);
	bool changed = false;

	for (size_t i = 0; i < n; i++)
		before[i] = all[i].state.phase;
	if (alert_watch_step(a->watch, clock_utc_ms(a->clock), &changed, &error) < 0) {
		log_repeated(&a->fault, "alerts: %s", error.text);
		return false;
	}
	for (size_t i = 0; changed && i < n; i++) {
		bool was = before[i] == ALERT_FIRING, is = all[i].state.phase == ALERT_FIRING;

		if (was == is)
			continue;
		log_write(LOG_LEVEL_INFO, "alert %s %s", all[i].rule->name,
			alert_event_word(is ? ALERT_FIRED : ALERT_CLEARED));
		if (all[i].rule->syslog)
			tell_syslog(&all[i], is ? ALERT_FIRED : ALERT_CLEARED);
	}
	return changed;
}

bool alerts_step(struct alerts *a, bool news)
{
	bool changed = false;

	a->news = a->news || news;
	hooks_step(a->hooks, hook_ended, a);
	if (mono(a) >= alerts_due_mono_ms(a) - ROUND_SLACK_MS) {
		a->looked = true;
		a->news = false;
		a->looked_mono_ms = mono(a);
		changed = look(a);
		run_hooks(a);
	}
	return changed;
}
