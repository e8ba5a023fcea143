/* SPDX-License-Identifier: MIT */
/*
 * instances - the providers to watch: found by the families, or the files given on the command line.
 * Copies every definition, since discovery only lends them.
 */
#ifndef MT_BACKENDS_INSTANCES_H
#define MT_BACKENDS_INSTANCES_H

#include "backends/backend.h"

struct instance {
	struct instance_def def; /* strings owned here */
	const struct backend_ops *family;
};

struct instances {
	struct instance **all; /* owned */
	size_t n;
};

/*
 * instances_find - with logs: one provider named by its family, reading them all; which family is told by the
 * first lines. Else every family's discovery.
 * *ret is filled also on failure; end with instances_done. MT_ENOENT: nothing found; MT_EINVAL: a log that is of
 * no known family (its first bytes are told).
 */
int instances_find(const struct conf *conf, const char *const *logs, size_t nlogs,
	struct instances *ret, struct mt_error *reterr) MT_MUST_CHECK;
/* instances_add - one more, not found by any discovery (the demo's). Copies the definition. */
void instances_add(
	struct instances *list, const struct backend_ops *family, const struct instance_def *def);
void instances_done(struct instances *i);

/*
 * instance_owns - is the event of this instance? Several may write into one log under names of their own: the longest
 * name its tag begins with decides; what is nobody's (another program, an instance not known here) goes to the
 * first of them, so that every line counts exactly once.
 */
bool instance_owns(const struct instance_def *def, const struct event *e);

#endif
