/* SPDX-License-Identifier: MIT */
/*
 * sandbox - what this process gives up before it reads what strangers wrote.
 *
 * NO_NEW_PRIVS, no program may be started, files are read in the folders named and a few of the system alone,
 * written in the cache's folder alone (Landlock, Linux 5.13 or later). It holds for the calling thread and those it
 * starts from then on, and for good: call it before the first thread, after the helper (helper.h) was forked.
 */
#ifndef MT_BACKENDS_SANDBOX_H
#define MT_BACKENDS_SANDBOX_H

#include "backends/collector.h"

#include <stdbool.h>

struct sandbox_state { /* what is in force */
	bool no_new_privs;
	int landlock_abi; /* 0: the kernel has none, or refuses */
};

struct sandbox_options { /* all borrowed */
	const char *cache_path, *config_path; /* config_path: --config, or NULL */
	const char *ca_file; /* stays readable; NULL or empty: none */
	const struct conf
		*conf; /* whose logs stay readable when there is no collector; NULL: none */
	const char *const *logs; /* --log FILE... */
	size_t nlogs;
};

/*
 * sandbox_enter - for this collector (its logs and spools stay readable), or without one for those that are found.
 * What the kernel lacks is left out, without a word: no failure here keeps a monitor from its work; doctor tells.
 */
void sandbox_enter(const struct collector *collector, const struct sandbox_options *options,
	struct sandbox_state *ret);

/* sandbox_probe - what sandbox_enter would reach here, tried in a child process: for doctor. */
void sandbox_probe(const char *cache_path, struct sandbox_state *ret);

#endif
