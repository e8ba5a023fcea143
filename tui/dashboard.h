/* SPDX-License-Identifier: MIT */
/*
 * dashboard - the way from main into the screens: everything they need, handed over once.
 *
 * The screens know the cache and these fields; they include nothing of backends/.
 */
#ifndef MT_TUI_DASHBOARD_H
#define MT_TUI_DASHBOARD_H

#include "store/base/clock.h"
#include "store/base/conf.h"
#include "store/service.h"
#include "tui/args.h"

#include <stdio.h>

struct dashboard_options { /* all borrowed for the run */
	const struct args *args;
	const struct conf *conf;
	const char *conf_path; /* the file conf was read from, NULL if none */
	const struct warmup_plans *warmups; /* may be NULL */
	const struct clock *clock;
	const char *cache_path;
	int notify_fd; /* readable after each commit of this process; -1 = none */
	const struct services *services; /* may be NULL */
	const char *notice; /* one sentence to show at the start, or NULL */
	bool demo; /* label everything DEMO */
	bool attached; /* another process collects */
	bool (*collector_failed)(
		void *ctx, struct mt_error *ret_error); /* has the collector thread ended? NULL */
	const char *(*takes_over)(
		void *ctx); /* attached: told once that this process collects now, else NULL. NULL */
	void *collector_ctx;
};

/* dashboard_run - the interactive screen until the user quits. 0, or MT_ENOTSUP when the terminal can't do it
 * (dumb, unknown TERM): the caller prints the board once instead. */
int dashboard_run(const struct dashboard_options *o, struct mt_error *reterr) MT_MUST_CHECK;

/* dashboard_once - the overview as text, COLUMNS wide (80 if unset), to out. */
int dashboard_once(
	const struct dashboard_options *o, FILE *out, struct mt_error *reterr) MT_MUST_CHECK;

/* dashboard_conf_keys - the [screen] section: theme, mouse, unicode, delay, window. */
extern const struct conf_table dashboard_conf;

#endif
