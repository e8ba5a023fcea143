/* SPDX-License-Identifier: MIT */
/*
 * jobs - what a screen asks for beyond the cache, each in a thread of its own: raw log lines, queue files, actions.
 *
 * A job's result is read by its starter only after its state says it is done. Dropping a running job cancels it
 * and waits for its thread, which looks at the flag between slices.
 */
#include "backends/alerts.h"
#include "backends/collector.h"
#include "backends/demo_vendor.h"
#include "backends/instances.h"
#include "backends/logfind.h"
#include "backends/probe_source.h"
#include "store/base/arena.h"
#include "store/base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 20000
#define ARENA_MAX_BYTES (32u << 20)

struct jobs {
	struct services services;
	const struct conf *conf;
	char *cache_path;
	const char *const *logs;
	size_t nlogs;
	bool demo;
};

struct job {
	struct jobs *owner;
	struct job_request request;
	struct job_id *ids;
	char *provider; /* owned; name, NULL = the first */
	struct arena arena;
	struct job_line *lines;
	size_t nlines, cap;
	struct job_output output;
	pthread_t thread;
	atomic_int state; /* enum job_state */
	atomic_bool canceled;
	struct mt_error error;
};

static int add_line(void *ctx, struct str line, int64_t offset)
{
	struct job *j = ctx;
	struct str copy = arena_str(&j->arena, line);

	if (!str_present(copy) || j->nlines >= LINES_MAX)
		return MT_ELIMIT;
	if (j->nlines == j->cap) {
		j->cap = j->cap ? j->cap * 2 : 64;
		j->lines = xrealloc(j->lines, j->cap * sizeof(j->lines[0]));
	}
	j->lines[j->nlines++] = (struct job_line){copy, offset};
	return 0;
}

static bool is_canceled(void *ctx)
{
	struct job *j = ctx;

	return atomic_load(&j->canceled);
}

/* instance_of - by name; without one only where there is no choice: an action must never hit another instance. */
static const struct instance *instance_of(const struct instances *list, const struct job *j)
{
	for (size_t i = 0; i < list->n && j->provider; i++)
		if (strcmp(list->all[i]->def.name, j->provider) == 0)
			return list->all[i];
	return list->n == 1 && !j->provider ? list->all[0] : NULL;
}

static int run(struct job *j)
{
	struct instances list;
	const struct instance *instance;
	int rc;

	if (j->request.kind == JOB_PROBE) /* of the machine, not of a provider */
		return probe_job(&j->request, &j->output, &j->error);
	rc = instances_find(j->owner->conf, j->owner->logs, j->owner->nlogs, &list, &j->error);

	if (rc == 0 && j->owner->demo)
		demo_vendors_add(&list);
	instance = rc < 0 ? NULL : instance_of(&list, j);
	if (rc == 0 && !instance)
		rc = mt_error_set(&j->error, MT_ENOENT, "this provider is not on this machine");
	if (rc == 0 && (j->request.kind == JOB_LOG_TAIL || j->request.kind == JOB_LOG_FIND))
		rc = logfind_run(
			instance->family, &instance->def, &j->request, &j->output, &j->error);
	else if (rc == 0 && instance->family->job)
		rc = instance->family->job(&instance->def, &j->request, &j->output, &j->error);
	else if (rc == 0)
		rc = mt_error_set(&j->error, MT_ENOTSUP, "this provider can't do that");
	instances_done(&list);
	return rc;
}

static void *job_thread(void *ctx)
{
	struct job *j = ctx;

	atomic_store(&j->state, run(j) < 0 ? JOB_FAILED : JOB_DONE);
	return NULL;
}

static void copy_request(struct job *j, const struct job_request *request)
{
	j->request = *request;
	j->ids = xcalloc(request->nids + 1, sizeof(j->ids[0]));
	for (size_t i = 0; i < request->nids; i++) {
		j->ids[i].qid = arena_str(&j->arena, request->ids[i].qid);
		j->ids[i].sender = arena_str(&j->arena, request->ids[i].sender);
		j->ids[i].arrival_ms = request->ids[i].arrival_ms;
	}
	j->request.ids = j->ids;
	if (str_present(request->provider_name))
		j->provider = xmemdup(request->provider_name.p, request->provider_name.n);
	j->request.provider_name = str_of(j->provider);
}

static void drop(struct job *j)
{
	if (!j)
		return;
	atomic_store(&j->canceled, true);
	pthread_join(j->thread, NULL);
	arena_done(&j->arena);
	free(j->lines);
	free(j->ids);
	free(j->provider);
	free(j);
}

static int start(
	void *ctx, const struct job_request *request, struct job **ret, struct mt_error *reterr)
{
	struct jobs *owner = ctx;
	struct job *j;

	if (request->kind >= JOB_HOLD && request->kind != JOB_DETAIL &&
		request->kind != JOB_PROBE && !owner->services.read_write)
		return mt_error_set(
			reterr, MT_EPERM, "start mtatop with --read-write to act on the queue");
	j = xcalloc(1, sizeof(*j));
	j->owner = owner;
	arena_init(&j->arena, ARENA_MAX_BYTES);
	copy_request(j, request);
	j->output = (struct job_output){.add = add_line,
		.canceled = is_canceled,
		.ctx = j,
		.conf = owner->conf,
		.cache_path = owner->cache_path};
	atomic_init(&j->state, JOB_RUNNING);
	atomic_init(&j->canceled, false);
	if (pthread_create(&j->thread, NULL, job_thread, j) != 0) {
		arena_done(&j->arena);
		free(j->ids);
		free(j->provider);
		free(j);
		return mt_error_set(reterr, MT_EIO, "can't start a thread");
	}
	*ret = j;
	return 0;
}

static enum job_state state(struct job *j, struct mt_error *ret_error)
{
	enum job_state now = (enum job_state)atomic_load(&j->state);

	if (now == JOB_FAILED && ret_error)
		*ret_error = j->error;
	return now;
}

static const struct job_line *lines(struct job *j, size_t *ret_n)
{
	*ret_n = j->nlines;
	return j->lines;
}

static const char *summary(struct job *j)
{
	return j->output.summary;
}

static int acknowledge(void *ctx, struct str name, struct mt_error *reterr)
{
	const struct jobs *owner = ctx;

	return alerts_acknowledge(owner->cache_path, name, reterr);
}

struct services *services_new(const struct conf *conf, const char *cache_path,
	const char *const *logs, size_t nlogs, bool read_write)
{
	struct jobs *s = xcalloc(1, sizeof(*s));

	s->services = (struct services){.ctx = s,
		.read_write = read_write,
		.start = start,
		.state = state,
		.lines = lines,
		.summary = summary,
		.acknowledge = acknowledge,
		.drop = drop};
	s->conf = conf;
	s->cache_path = xstrdup(cache_path);
	s->logs = logs;
	s->nlogs = nlogs;
	return &s->services;
}

void services_demo(struct services *s)
{
	((struct jobs *)s->ctx)->demo = true;
}

void services_free(struct services *s)
{
	struct jobs *owner = s ? s->ctx : NULL;

	if (!owner)
		return;
	free(owner->cache_path);
	free(owner);
}
