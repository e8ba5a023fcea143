/* SPDX-License-Identifier: MIT */
/* clock - real and fake time; see clock.h. */
#include "store/base/clock.h"

#include <assert.h>
#include <time.h>

#define MS_PER_S 1000
#define NS_PER_MS 1000000

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * MS_PER_S + ts.tv_nsec / NS_PER_MS;
}

struct clock clock_real(void)
{
	return (struct clock){.fake = false};
}

struct clock clock_fake(int64_t utc_ms)
{
	return (struct clock){.fake = true, .fake_utc_ms = utc_ms};
}

void clock_advance(struct clock *c, int64_t ms)
{
	assert(c->fake);
	c->fake_utc_ms += ms;
	c->fake_mono_ms += ms;
}

int64_t clock_utc_ms(const struct clock *c)
{
	return c->fake ? c->fake_utc_ms : read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(const struct clock *c)
{
	return c->fake ? c->fake_mono_ms : read_ms(CLOCK_MONOTONIC);
}
