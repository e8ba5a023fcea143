/* SPDX-License-Identifier: MIT */
/* sockets - see sockets.h. */
#include "backends/sockets.h"

#include "backends/sockstat.h"
#include "store/base/buf.h"

#include <string.h>

#define INTERVAL_MS 5000
#define COST_FACTOR 100 /* a walk's share of the interval: one hundredth */
#define PORTS_MAX 64
#define DETAIL_MAX_BYTES 256

struct sockets_state {
	const struct backend_env *env;
	struct sockstat *stat;
	bool by_proc; /* netlink is not to be had: said once, not tried again */
	int64_t cost_ms; /* of the last walk */
	struct buf detail;
};

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct sockets_state *s = state;
	int32_t ports[PORTS_MAX];

	(void)reterr;
	s->env = env;
	s->stat = sockstat_new(ports, store_ports(env->store, ports, PORTS_MAX));
	buf_init(&s->detail, DETAIL_MAX_BYTES);
	return 0;
}

static int walk(struct sockets_state *s, struct mt_error *reterr)
{
	int rc;

	sockstat_begin(s->stat);
	if (!s->by_proc) {
		rc = sockdiag_walk(sockstat_add, s->stat, reterr);
		if (rc != MT_ENOTSUP)
			return rc;
		s->by_proc = true;
		sockstat_begin(s->stat);
	}
	return procnet_walk("/proc/self/net", sockstat_add, s->stat, reterr);
}

static void describe(struct sockets_state *s)
{
	buf_clear(&s->detail);
	buf_add_z(&s->detail, s->by_proc ? "/proc/net/tcp: states alone, no bytes and no times"
					 : "TCP sockets of this machine, from the kernel");
	if (sockstat_left_out(s->stat))
		buf_printf(&s->detail, "; %zu more are left out", sockstat_left_out(s->stat));
}

static int step(void *state, struct mt_error *reterr)
{
	struct sockets_state *s = state;
	int64_t start_ms = clock_mono_ms(s->env->clock);
	struct socket_sample sample;
	int rc = walk(s, reterr);

	if (rc == 0)
		rc = sockstat_end(s->stat, !s->by_proc, start_ms, &sample, reterr);
	if (rc == 0)
		rc = store_sockets(s->env->store, s->env->provider, &sample, reterr);
	s->cost_ms = clock_mono_ms(s->env->clock) - start_ms;
	if (rc < 0)
		return rc;
	describe(s);
	return STEP_DONE;
}

static int64_t interval(const void *state)
{
	const struct sockets_state *s = state;

	return s->cost_ms * COST_FACTOR > INTERVAL_MS ? s->cost_ms * COST_FACTOR : 0;
}

static void health(const void *state, struct source_health *out)
{
	const struct sockets_state *s = state;

	if (s->detail.n)
		out->detail = buf_z(&s->detail);
}

static void done(void *state)
{
	struct sockets_state *s = state;

	sockstat_free(s->stat);
	s->stat = NULL;
	buf_done(&s->detail);
}

const struct source_ops socketsource = {
	.name = "sockets",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct sockets_state),
	.init = init,
	.step = step,
	.interval = interval,
	.health = health,
	.done = done,
};
