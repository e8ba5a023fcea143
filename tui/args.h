/* SPDX-License-Identifier: MIT */
/* args - the command line, parsed. Strings are borrowed from argv. */
#ifndef MT_TUI_ARGS_H
#define MT_TUI_ARGS_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command {
	COMMAND_DASHBOARD,
	COMMAND_COLLECT,
	COMMAND_REPORT,
	COMMAND_DOCTOR,
	COMMAND_EXPLAIN,
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_REPLAY,
	COMMAND_DUMP_CONFIG,
	COMMAND_CHECK,
	COMMAND_EXPORT,
	COMMAND_WARMUP,
	COMMAND_ALERTS,
	COMMAND_PROBE,
	COMMAND_DNS
};

struct args {
	enum command command;
	const char *cache, *config, *provider, *window, *filter, *sort_key,
		*theme; /* NULL = not given */
	const char *format, *since, *until;
	const char *replay_family, *replay_file;
	const char *check_what, *warning, *critical; /* of check */
	const char *what; /* of warmup: plan or status */
	const char *output, *listen; /* of export */
	int64_t max_age_ms, interval_ms, timeout_ms; /* 0 = not given */
	int64_t min_n; /* negative = not given */
	const char *script, *fake_now; /* for tests, not in --help */
	const char *host, *dsn, *text; /* explain */
	char *const *targets; /* of probe and dns; borrowed */
	size_t ntargets;
	const char **logs; /* owned array, NULL-terminated */
	size_t nlogs;
	int64_t delay_ms; /* 0 = not given */
	bool demo, once, read_write, no_mouse, no_color, no_unicode, until_caught_up;
};

/* args_parse - fill *out (end with args_done). MT_ECONFIG with a sentence for wrong usage. */
int args_parse(int argc, char **argv, struct args *out, struct mt_error *reterr) MT_MUST_CHECK;
void args_done(struct args *a);
/* args_usage - what --help prints. */
const char *args_usage(void);

#endif
