/* SPDX-License-Identifier: MIT */
/* explain_cmd - `mtatop explain`: pasted replies, said what they mean. */
#ifndef MT_TUI_EXPLAIN_CMD_H
#define MT_TUI_EXPLAIN_CMD_H

#include "store/explain/explain.h"

#include <stdio.h>

struct explain_options {
	const char *config_path; /* as of --config; explain.conf lies beside it; NULL */
	const char *host, *dsn; /* --host, --dsn; NULL not given */
	const char *format; /* text, json; NULL: text of one given text, json of lines read */
	const char *text; /* NULL: lines of `in` */
	FILE *in, *out;
};

/*
 * explain_run - one explanation a text. As JSON one object a line: text, category, action, cause, side, code, stage,
 * provider, meaning, next_step, link, rule, matched (which table); unknown is null.
 * MT_ECONFIG: a wrong --dsn or --format; MT_EIO; errors of explain_load.
 */
int explain_run(const struct explain_options *o, struct mt_error *reterr) MT_MUST_CHECK;

#endif
