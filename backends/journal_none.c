/* SPDX-License-Identifier: MIT */
/* journal_none - in place of journal.c where there is no libsystemd: says so wherever the journal is asked for. */
#include "backends/journal.h"

static int missing(struct mt_error *reterr)
{
	return mt_error_set(reterr, MT_ENOTSUP,
		"this mtatop is built without libsystemd: it can't read the journal");
}

bool journal_built_in(void)
{
	return false;
}

static int none_init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	(void)state;
	(void)env;
	return missing(reterr);
}

static int none_step(void *state, struct mt_error *reterr)
{
	(void)state;
	return missing(reterr);
}

static void none_done(void *state)
{
	(void)state;
}

int journal_check(const struct instance_def *def, bool *ret_entries, struct mt_error *reterr)
{
	(void)def;
	(void)ret_entries;
	return missing(reterr);
}

int journal_find(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	(void)def;
	(void)request;
	(void)out;
	return missing(reterr);
}

const struct source_ops journalsource = {
	.name = "log",
	.interval_ms = 60000,
	.state_bytes = 1,
	.init = none_init,
	.step = none_step,
	.done = none_done,
};
