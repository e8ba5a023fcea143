/* SPDX-License-Identifier: MIT */
/* probe_source - see probe_source.h. */
#include "backends/probe_source.h"

#include "backends/probe_conf.h"
#include "backends/probe_plan.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION "probe"
#define INTERVAL_MS 300000
#define STRICT_INTERVAL_MS                                                                         \
	INT64_C(86400000) /* chains that led nowhere are tried again once a day */
#define DETAIL_MAX_BYTES 256

struct probe_state {
	const struct backend_env *env;
	struct probe_round *round; /* owned; NULL between rounds */
	int64_t far_mono_ms, strict_mono_ms; /* when these are due */
	struct buf detail;
};

/* far_due - how long until hosts elsewhere may be probed, by the cache: a restart is no reason. */
static int64_t far_wait_ms(const struct probe_state *s)
{
	int64_t every_ms = conf_int(s->env->conf, SECTION, NULL, "mx_interval");
	int64_t ago_ms = clock_utc_ms(s->env->clock) - store_probe_newest(s->env->store, PROBE_MX);

	return ago_ms < 0 || ago_ms >= every_ms ? 0 : every_ms - ago_ms;
}

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct probe_state *s = state;
	int64_t now_ms = clock_mono_ms(env->clock);

	(void)reterr;
	s->env = env;
	s->far_mono_ms = now_ms + far_wait_ms(s);
	s->strict_mono_ms = now_ms + STRICT_INTERVAL_MS;
	buf_init(&s->detail, DETAIL_MAX_BYTES);
	return 0;
}

static int begin(struct probe_state *s, struct mt_error *reterr)
{
	const struct backend_env *env = s->env;
	int64_t now_ms = clock_mono_ms(env->clock);
	struct probe_plan plan = {
		.conf = env->conf, .store = env->store, .strict = now_ms >= s->strict_mono_ms};
	struct probe_options o = {.clock = env->clock};
	int rc;

	probe_conf_options(env->conf, &o);
	if (!o.helo[0] && env->def->host && strchr(env->def->host, '.'))
		o.helo = env->def->host;
	rc = probe_round_new(&o, &s->round, reterr);
	if (rc == 0)
		rc = probe_plan_near(&plan, s->round, reterr);
	if (rc == 0 && now_ms >= s->far_mono_ms) {
		s->far_mono_ms = now_ms + conf_int(env->conf, SECTION, NULL, "mx_interval");
		rc = probe_plan_far(&plan, clock_utc_ms(env->clock), s->round, reterr);
	}
	if (plan.strict)
		s->strict_mono_ms = now_ms + STRICT_INTERVAL_MS;
	return rc;
}

static void describe(struct probe_state *s, const struct probe_result *results, size_t n)
{
	size_t up = 0, all = 0;

	for (size_t i = 0; i < n; i++) {
		if (results[i].role == PROBE_WITNESS)
			continue;
		all++;
		up += probe_up(&results[i]);
	}
	buf_clear(&s->detail);
	if (all)
		(void)buf_printf(&s->detail, "%zu of %zu targets are open (:probes)", up, all);
	else
		(void)buf_add_z(&s->detail,
			"nothing to probe: no listener on 25, 465 or 587, no [probe] targets");
}

/* watch_certificates - another certificate where the chain was not checked: checked in the next round. */
static void watch_certificates(struct probe_state *s, const struct probe_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct probe_memory memory;

		if ((results[i].flags & PROBE_F_UNTRUSTED) &&
			store_probe_memory(
				s->env->store, results[i].host, results[i].port, &memory) &&
			memory.not_after_ms != results[i].not_after_ms)
			s->strict_mono_ms = 0;
	}
}

static int finish(struct probe_state *s, struct mt_error *reterr)
{
	size_t n;
	const struct probe_result *results = probe_round_results(s->round, &n);
	int rc = 0;

	watch_certificates(s, results, n);
	describe(s, results, n);
	if (n)
		rc = store_probes(s->env->store, results, n, reterr);
	probe_round_free(s->round);
	s->round = NULL;
	return rc < 0 ? rc : STEP_DONE;
}

static int step(void *state, struct mt_error *reterr)
{
	struct probe_state *s = state;
	int rc = 0;

	if (s->env->until_caught_up) /* reads what there is, and looks at nothing else */
		return STEP_DONE;
	if (!s->round)
		rc = begin(s, reterr);
	if (rc < 0) {
		probe_round_free(s->round);
		s->round = NULL;
		return rc;
	}
	return probe_set_step(probe_round_set(s->round)) > 0 ? STEP_WAIT : finish(s, reterr);
}

static size_t fds(const void *state, struct pollfd *out, size_t max)
{
	const struct probe_state *s = state;

	return s->round ? probe_set_fds(probe_round_set(s->round), out, max) : 0;
}

static int64_t wait_ms(const void *state)
{
	const struct probe_state *s = state;

	return s->round ? probe_set_wait_ms(probe_round_set(s->round)) : INTERVAL_MS;
}

static int64_t interval(const void *state)
{
	const struct probe_state *s = state;

	return conf_int(s->env->conf, SECTION, NULL, "interval");
}

static void health(const void *state, struct source_health *out)
{
	const struct probe_state *s = state;

	if (s->detail.n)
		out->detail = buf_z(&s->detail);
}

static void done(void *state)
{
	struct probe_state *s = state;

	probe_round_free(s->round);
	s->round = NULL;
	buf_done(&s->detail);
}

const struct source_ops probesource = {
	.name = "probe",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct probe_state),
	.init = init,
	.step = step,
	.fds = fds,
	.interval = interval,
	.wait = wait_ms,
	.health = health,
	.done = done,
};

/* --- on demand --- */

static enum probe_role role_of(struct str word)
{
	for (int i = 0; i < PROBE_ROLE__COUNT; i++)
		if (str_eq(word, str_of(probe_role_word((enum probe_role)i))))
			return (enum probe_role)i;
	return PROBE_ASKED;
}

static int add_asked(const struct probe_plan *plan, const struct job_request *request,
	struct probe_round *round, struct mt_error *reterr)
{
	int rc = 0;

	if (request->nids == 0)
		return probe_plan_near(plan, round, reterr);
	for (size_t i = 0; rc == 0 && i < request->nids; i++) {
		const struct job_id *id = &request->ids[i];
		char *host = xmemdup(id->qid.p, id->qid.n);

		rc = probe_plan_one(
			plan, host, (int)id->arrival_ms, role_of(id->sender), round, reterr);
		free(host);
	}
	return rc;
}

static int tell(struct job_output *out, const struct probe_result *r)
{
	char line[400];

	snprintf(line, sizeof(line), "%.*s:%d %s", STR_ARG(str_first(r->host, 253)), r->port,
		probe_outcome_word(r->outcome));
	return out->add(out->ctx, str_of(line), 0);
}

int probe_job(const struct job_request *request, struct job_output *out, struct mt_error *reterr)
{
	const struct clock clock = clock_real();
	const struct probe_plan plan = {.conf = out->conf, .strict = true};
	struct probe_options o = {.clock = &clock};
	struct probe_round *round = NULL;
	const struct probe_result *results;
	size_t n = 0, up = 0;
	int rc;

	probe_conf_options(out->conf, &o);
	rc = probe_round_new(&o, &round, reterr);
	if (rc == 0)
		rc = add_asked(&plan, request, round, reterr);
	if (rc == 0)
		rc = probe_set_finish(probe_round_set(round), out->canceled, out->ctx, reterr);
	if (rc == 0) {
		results = probe_round_results(round, &n);
		for (size_t i = 0; rc == 0 && i < n; i++) {
			up += probe_up(&results[i]);
			rc = tell(out, &results[i]);
		}
		if (rc == 0 && n && out->cache_path)
			rc = store_probes_at(
				out->cache_path, results, n, clock_utc_ms(&clock), reterr);
		snprintf(out->summary, sizeof(out->summary), "%zu of %zu probed are open", up, n);
	}
	probe_round_free(round);
	return rc;
}
