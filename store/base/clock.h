/* SPDX-License-Identifier: MIT */
/*
 * clock - time as data: the real clocks, or a fake one a test moves by hand.
 *
 * UTC milliseconds are for what is stored and shown; durations and deadlines come from the
 * monotonic clock alone, so that a set clock never stalls or storms a schedule.
 */
#ifndef MT_BASE_CLOCK_H
#define MT_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
	bool fake;
	int64_t fake_utc_ms;
	int64_t fake_mono_ms;
};

/* clock_real - a clock that asks the system. */
struct clock clock_real(void);
/* clock_fake - a clock that stands at utc_ms (and mono 0) until moved with clock_advance. */
struct clock clock_fake(int64_t utc_ms);
/* clock_advance - move a fake clock by ms (both scales). Must not be called on a real one. */
void clock_advance(struct clock *c, int64_t ms);
/* clock_utc_ms - milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_utc_ms(const struct clock *c);
/* clock_mono_ms - milliseconds on a scale that never goes back; for durations only. */
int64_t clock_mono_ms(const struct clock *c);

#endif
