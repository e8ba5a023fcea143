/* SPDX-License-Identifier: MIT */
/* hook - see hook.h. */
#include "backends/hook.h"

#include "backends/spawn.h"
#include "store/base/jsonout.h"
#include "store/base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES 64
#define MINUTE_MS 60000

struct hook_run {
	struct spawn *spawn; /* NULL: free */
	char name[NAME_MAX_BYTES];
};

struct hooks {
	struct hook_run run[HOOKS_RUNNING_MAX];
	int64_t timeout_ms;
	int64_t started_mono_ms[HOOKS_PER_MINUTE]; /* ring */
	size_t nstarted;
};

static bool only_ours(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return false;
	/* in a sticky folder others can't replace what is not theirs */
	return !(st->st_mode & (S_IWGRP | S_IWOTH)) ||
	       (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX));
}

bool hook_trusted(const char *path, const char **ret_why)
{
	char real[PATH_MAX];
	struct stat st;

	*ret_why = "it is no regular file that can be run";
	if (path[0] != '/' || !realpath(path, real) || stat(real, &st) < 0 ||
		!S_ISREG(st.st_mode) || access(real, X_OK) < 0)
		return false;
	*ret_why = "others can change it or a folder on the way: make it root's or your own, and "
		   "chmod go-w";
	for (;;) {
		char *slash = strrchr(real, '/');

		if (stat(real[0] ? real : "/", &st) < 0 || !only_ours(&st))
			return false;
		if (!slash)
			return true;
		*slash = '\0';
	}
}

int hook_json(struct buf *out, const struct alert_entry *e, enum alert_event event, int64_t now_ms,
	const char *host)
{
	static const char *const units[] = {"count", "percent", "ms"};
	struct buf condition;

	buf_init(&condition, 512);
	alert_condition(&condition, e->rule);
	(void)buf_add_z(out, "{\"schema\":1");
	jsonout_words(out, "alert", e->rule->name);
	jsonout_words(out, "event", alert_event_word(event));
	jsonout_words(out, "severity", alert_severity_word(e->rule->severity));
	jsonout_words(out, "host", host);
	jsonout_words(out, "figure", e->rule->word);
	jsonout_words(out, "condition", buf_z(&condition));
	jsonout_words(out, "provider", e->rule->provider);
	jsonout_words(out, "unit", units[alert_unit(e->rule)]);
	(void)buf_add_z(out, ",\"value\":");
	if (e->value.known)
		(void)buf_printf(out, "%.3f", e->value.value);
	else
		(void)buf_add_z(out, "null");
	(void)buf_printf(
		out, ",\"over\":%.3f,\"clear\":%.3f,\"n\":", e->rule->over, e->rule->clear);
	if (e->value.n >= 0)
		(void)buf_printf(out, "%lld", (long long)e->value.n);
	else
		(void)buf_add_z(out, "null");
	jsonout_words(out, "text", e->value.text);
	jsonout_time(out, "since", e->state.since_ms);
	jsonout_time(out, "now", now_ms);
	(void)buf_add_z(out, "}\n");
	buf_done(&condition);
	return out->err;
}

struct hooks *hooks_new(int64_t timeout_ms)
{
	struct hooks *h = xcalloc(1, sizeof(*h));

	h->timeout_ms = timeout_ms ? timeout_ms : HOOK_TIMEOUT_MS;
	return h;
}

void hooks_free(struct hooks *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < HOOKS_RUNNING_MAX; i++)
		spawn_close(h->run[i].spawn);
	free(h);
}

size_t hooks_running(const struct hooks *h)
{
	size_t n = 0;

	for (size_t i = 0; i < HOOKS_RUNNING_MAX; i++)
		n += h->run[i].spawn != NULL;
	return n;
}

bool hooks_may_start(struct hooks *h, int64_t now_mono_ms)
{
	int64_t oldest = h->started_mono_ms[h->nstarted % HOOKS_PER_MINUTE];

	return hooks_running(h) < HOOKS_RUNNING_MAX &&
	       (h->nstarted < HOOKS_PER_MINUTE || now_mono_ms - oldest >= MINUTE_MS);
}

int hooks_start(struct hooks *h, const char *path, const char *name, struct str input,
	int64_t now_mono_ms, struct mt_error *reterr)
{
	const char *argv[] = {path, NULL}, *why;
	struct spawn_request request = {.argv = argv,
		.input = input,
		.timeout_ms = h->timeout_ms,
		.max_bytes = HOOK_OUTPUT_MAX_BYTES,
		.merge_stderr = true};

	if (!hook_trusted(path, &why))
		return mt_error_set(reterr, MT_EPERM, "hook %s: %s", path, why);
	for (size_t i = 0; i < HOOKS_RUNNING_MAX; i++) {
		if (h->run[i].spawn)
			continue;
		h->started_mono_ms[h->nstarted++ % HOOKS_PER_MINUTE] = now_mono_ms;
		snprintf(h->run[i].name, sizeof(h->run[i].name), "%s", name);
		return spawn_open(&request, &h->run[i].spawn, reterr);
	}
	return mt_error_set(reterr, MT_EBUSY, "too many hooks run");
}

size_t hooks_fds(const struct hooks *h, struct pollfd *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < HOOKS_RUNNING_MAX; i++)
		if (h->run[i].spawn && n < max)
			n += spawn_fds(h->run[i].spawn, out + n, max - n);
	return n;
}

static int swallow(void *ctx, struct str bytes)
{
	(void)ctx;
	(void)bytes;
	return 0;
}

void hooks_step(
	struct hooks *h, void (*ended)(void *ctx, const char *name, const char *why), void *ctx)
{
	for (size_t i = 0; i < HOOKS_RUNNING_MAX; i++) {
		struct hook_run *run = &h->run[i];
		struct mt_error error = {0};
		char why[NAME_MAX_BYTES];
		int rc = run->spawn ? spawn_step(run->spawn, swallow, NULL, &error) : 1;
		int code = rc == 0 ? spawn_exit_code(run->spawn) : 0;

		if (rc > 0)
			continue;
		if (rc == 0)
			snprintf(why, sizeof(why), "the hook ended with status %d", code);
		else
			snprintf(why, sizeof(why), "%s",
				rc == MT_ECANCELED ? "the hook took too long and was ended"
				: rc == MT_ELIMIT  ? "the hook wrote too much and was ended"
						   : "the hook could not be run to its end");
		spawn_close(run->spawn);
		run->spawn = NULL;
		ended(ctx, run->name, rc == 0 && code == 0 ? NULL : why);
	}
}
