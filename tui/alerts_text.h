/* SPDX-License-Identifier: MIT */
/* alerts_text - `mtatop alerts`: what each rule is at and what happened, as text or JSON. */
#ifndef MT_TUI_ALERTS_TEXT_H
#define MT_TUI_ALERTS_TEXT_H

#include "store/base/clock.h"
#include "store/base/err.h"

#include <stdio.h>

struct alerts_command {
	const char *cache_path;
	const struct clock *clock;
	bool json;
	FILE *out;
};

/* alerts_command_run - print it. Errors as reader_open, MT_EIO. */
int alerts_command_run(const struct alerts_command *o, struct mt_error *reterr) MT_MUST_CHECK;

#endif
