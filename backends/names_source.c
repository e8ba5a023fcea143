/* SPDX-License-Identifier: MIT */
/*
 * names_source - the source `dns`: a round of checks of own addresses and domains now and then; see sockets.h for its
 * place. Nothing of it waits: the collector's poll has the resolver's sockets.
 */
#include "backends/names_plan.h"
#include "backends/names_source.h"

#include <string.h>

#define INTERVAL_MS (30 * 60000)
#define DETAIL_MAX_BYTES 160
#define WAIT_MAX_MS 1000

struct names_state {
	const struct backend_env *env;
	struct dns *dns; /* owned */
	struct names_plan plan;
	struct names_round *round; /* owned; NULL between rounds */
	bool planned;
	struct buf detail;
};

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct names_state *s = state;
	struct dns_options o = {
		.servers = conf_text(env->conf, "dns", NULL, "servers"), .clock = env->clock};

	s->env = env;
	buf_init(&s->detail, DETAIL_MAX_BYTES);
	return dns_new(&o, &s->dns, reterr);
}

static void end_round(struct names_state *s)
{
	names_round_free(s->round);
	s->round = NULL;
	if (s->planned)
		names_plan_done(&s->plan);
	s->planned = false;
}

static void begin_round(struct names_state *s)
{
	names_plan_init(&s->plan);
	s->planned = true;
	names_plan_own(&s->plan, s->env->conf, s->env->store);
	s->round = names_round_new(s->dns, s->env->clock, s->plan.items, s->plan.n);
}

static void describe(struct names_state *s, const struct names_results *r)
{
	size_t cant = 0;

	for (size_t i = 0; i < r->n; i++)
		cant += r->rows[i].verdict == NAME_CANT;
	buf_clear(&s->detail);
	if (s->plan.n == 0)
		buf_add_z(
			&s->detail, "no own address or domain is known: set [dns] of mtatop.conf");
	else
		buf_printf(&s->detail, "%zu addresses and %zu domains checked in the DNS",
			s->plan.naddresses, s->plan.ndomains);
	if (cant > 0)
		buf_printf(&s->detail, "; %zu of %zu checks could not be made", cant, r->n);
}

static int step(void *state, struct mt_error *reterr)
{
	struct names_state *s = state;
	const struct names_results *r;
	int rc;

	if (!s->round)
		begin_round(s);
	if (!names_round_step(s->round))
		return STEP_WAIT;
	r = names_round_results(s->round);
	rc = store_names(s->env->store, r->rows, r->n, reterr);
	describe(s, r);
	end_round(s);
	return rc < 0 ? rc : STEP_DONE;
}

static size_t fds(const void *state, struct pollfd *out, size_t max)
{
	const struct names_state *s = state;

	return s->round ? dns_fds(s->dns, out, max) : 0;
}

static int64_t wait(const void *state)
{
	const struct names_state *s = state;
	int64_t ms = names_round_fresh(s->round) ? 0 : dns_wait_ms(s->dns);

	return ms < 0 || ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms;
}

static int64_t interval(const void *state)
{
	const struct names_state *s = state;

	return conf_int(s->env->conf, "dns", NULL, "interval");
}

static void health(const void *state, struct source_health *out)
{
	const struct names_state *s = state;

	out->detail = s->detail.n ? buf_z(&s->detail) : "own addresses and domains in the DNS";
}

static void done(void *state)
{
	struct names_state *s = state;

	end_round(s);
	dns_free(s->dns);
	s->dns = NULL;
	buf_done(&s->detail);
}

const struct source_ops namesource = {
	.name = "dns",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct names_state),
	.init = init,
	.step = step,
	.fds = fds,
	.interval = interval,
	.wait = wait,
	.health = health,
	.done = done,
};
