/* SPDX-License-Identifier: MIT */
/*
 * warmup - is the warming up of a sending IP on its plan? Pure: plan, counts by day and now in, verdict out.
 *
 * Words: a stage is one cap of the plan; the clock moves from stage to stage, by calendar days (as a vendor's automatic
 * warm-up does) or by sending days: then a day on which nothing was sent does not count, and a stage is passed by a day
 * with >= WARMUP_PASS_PCT of its cap delivered and no gate open (SparkPost's written rule, the only one found).
 * A calendar clock never stalls.
 * Volume is recipients with a final outcome (sent + bounced): what the receivers have seen; it is what caps are of.
 * A rate gate speaks when the lower Wilson bound of its rate (95 %) is over the line and there were WARMUP_MIN_N
 * attempts; a signal (a reply of a mailbox provider) speaks when it was met once.
 */
#ifndef MT_STORE_WARMUP_H
#define MT_STORE_WARMUP_H

#include "store/base/buf.h"
#include "store/mailbox.h"

#include <stddef.h>
#include <stdint.h>

#define WARMUP_MIN_N                                                                               \
	100 /* attempts before a rate says anything: 1 bounce in 20 is 5 % and means nothing */
#define WARMUP_PASS_PCT 90 /* delivered of a stage's cap: SparkPost */
#define WARMUP_STALL_DAYS 10 /* sending days without advance: SparkPost */
#define WARMUP_COLD_DAYS 30 /* idle: SendGrid */
#define WARMUP_NEXT 5 /* caps shown ahead */
#define WARMUP_CAPS_MAX 400 /* days of a plan */
#define WARMUP_GATES_MAX (2 * MAILBOX__COUNT + GATE__COUNT + GATE_KIND__COUNT + GATE_TOLD__COUNT)

enum warmup_gate { /* signals: on disk, in the order of assets/warmup_gates.def */
#define SIGNAL(id, box, colour, code, dsn, words, but, name, source) GATE_##id,
#define RATE(...)
#define TOLD(...)
#include "assets/warmup_gates.def"
#undef SIGNAL
#undef TOLD
	GATE__COUNT
};

enum { /* numbers mean nothing */
#define SIGNAL(...)
#define TOLD(box, ...) GATE_TOLD_##box,
#include "assets/warmup_gates.def"
#undef SIGNAL
#undef RATE
#undef TOLD
	GATE_TOLD__COUNT
};

enum gate_colour { GATE_GREEN, GATE_UNKNOWN, GATE_YELLOW, GATE_RED };
enum gate_kind {
	GATE_KIND_BOUNCE,
	GATE_KIND_DEFERRAL,
	GATE_KIND_SIGNAL,
	GATE_KIND_TOLD, /* elsewhere only */
	GATE_KIND_SES_BOUNCE,
	GATE_KIND_COMPLAINT, /* of what was delivered by vendors that tell of complaints */
	GATE_KIND__COUNT
};

enum warmup_state {
	WARMUP_COLD,
	WARMUP_ON_TRACK,
	WARMUP_BEHIND,
	WARMUP_AHEAD,
	WARMUP_HOLD,
	WARMUP_BACK_OFF,
	WARMUP_STALLED,
	WARMUP_DONE,
	WARMUP__STATES
};

struct warmup_caps {
	const int64_t *cap; /* borrowed; the last one goes on */
	size_t n; /* 0: none of its own */
};

struct warmup_growth { /* of levels past the table */
	int days; /* stages a level takes */
	const int64_t *step; /* pairs, ascending: below this cap, percent more */
	size_t n; /* of step */
};

struct warmup_plan { /* all borrowed */
	const char *name; /* of the section */
	const char *schedule; /* "sparkpost", "own" */
	const char *source; /* who published it */
	struct warmup_caps caps;
	bool hourly; /* caps are of an hour, else of a day */
	const struct warmup_growth *growth; /* after the last cap; NULL: that goes on */
	bool calendar; /* clock */
	struct warmup_caps track[MAILBOX__COUNT]; /* of a day */
	int64_t target; /* messages a day at which it is done; 0: the end of the caps */
	int cold_days; /* idle; 0: WARMUP_COLD_DAYS */
	int year, month, day; /* start */
	bool has_only;
	enum mailbox only; /* the whole plan is about this mailbox provider */
	const char *const *egress; /* IPs, service tags, providers */
	size_t negress;
};

struct warmup_counts { /* recipients, tries */
	int64_t sent, bounced, deferred;
};

struct warmup_day {
	int64_t start_ms, end_ms; /* local midnights: 23 to 25 h */
	bool known; /* false: before the cache's first record */
	struct warmup_counts all, box[MAILBOX__COUNT];
	int64_t peak_hour; /* most volume in one hour */
	int64_t signal[GATE__COUNT];
	bool complaints_known; /* a vendor's counters tell of them */
	int64_t complaints, complaints_of; /* and what those vendors delivered */
};

struct gate_result {
	enum gate_kind kind;
	enum warmup_gate signal; /* of SIGNAL */
	int box; /* enum mailbox; -1: all together */
	enum gate_colour colour;
	int64_t k, n; /* EVENT_UNKNOWN (-1) of n: not a rate */
	double low, high; /* Wilson bounds, 0..1 */
	double yellow, red; /* lines, 0..1 */
	bool enough; /* n >= WARMUP_MIN_N */
	bool before; /* of the last sending day, today has too few yet */
	bool published; /* else convention */
	const char *name, *source;
};

struct warmup_box {
	bool used; /* mail went there today, or it has a cap of its own */
	enum gate_colour colour;
	int64_t volume, cap; /* cap -1: none of its own */
};

struct warmup_status {
	enum warmup_state state;
	size_t stage, stages; /* 0-based; stages = m of "day n of m" */
	int64_t limit; /* of the stage in force, an hour or a day as the plan says */
	int64_t cap; /* of today: limit, times 24 when hourly */
	int64_t volume, delivered; /* today */
	int64_t pace; /* what is due by now: cap by the part of the day that is over */
	int64_t next[WARMUP_NEXT]; /* limits of the days to come, if all goes well */
	size_t nnext;
	int64_t eta_ms; /* start of the day the target may be reached, at the earliest; -1 not known */
	int64_t days, sending_days, unknown_days; /* since the start, today included */
	int64_t stalled; /* sending days since the last advance */
	int64_t idle_days;
	bool today; /* anything tried today */
	bool begun; /* now >= start */
	int over; /* AHEAD: the mailbox provider over its own cap, -1 the whole plan */
	struct gate_result gate[WARMUP_GATES_MAX]; /* worst first */
	size_t ngates;
	struct warmup_box box[MAILBOX__COUNT];
};

/* warmup_limit - cap of a stage in the plan's own unit; warmup_cap - of a day. Growth ends at 2^53. */
int64_t warmup_limit(const struct warmup_plan *p, size_t stage);
int64_t warmup_cap(const struct warmup_plan *p, size_t stage);
/* warmup_track - a mailbox provider's own cap on that stage's day; -1 none. */
int64_t warmup_track(const struct warmup_plan *p, enum mailbox box, size_t stage);
/* warmup_stages - how many stages lead to the target. At least 1. */
size_t warmup_stages(const struct warmup_plan *p);

/*
 * warmup_judge - the verdict.
 * days   from the plan's start to today, in order; n 0: it has not begun.
 * now_ms within the last day.
 */
void warmup_judge(const struct warmup_plan *p, const struct warmup_day *days, size_t n,
	int64_t now_ms, struct warmup_status *out);
/* warmup_history - the caps that were in force: cap[i] of days[i], for graphs. */
void warmup_history(
	const struct warmup_plan *p, const struct warmup_day *days, size_t n, int64_t *cap);
/* warmup_state_word - "ON TRACK". gate_colour_word - "ok", "?", "HOLD", "BACK OFF". */
const char *warmup_state_word(enum warmup_state state);
const char *gate_colour_word(enum gate_colour colour);

/* --- plans --- */
/* warmup_builtin - fill caps, tracks, clock, source and what else is published from a schedule; a first cap of 0 is
 * for the caller to set. false: no such word.
 * warmup_builtin_word - the i-th word, NULL at the end. */
bool warmup_builtin(struct str word, struct warmup_plan *out);
const char *warmup_builtin_word(size_t i);

/* --- gates --- */
/* gate_signal - what a failed attempt's reply says about the sending IP; GATE__COUNT nothing. dsn: DSN_MAKE, 0 none. */
enum warmup_gate gate_signal(enum mailbox box, int32_t code, int32_t dsn, struct str reply);
enum mailbox gate_mailbox(enum warmup_gate gate);
/* wilson - bounds of k in n at 95 % (z = 1.96); n 0: 0 and 1. E. B. Wilson, J. Am. Stat. Assoc. 22 (1927). */
void wilson(int64_t k, int64_t n, double *ret_low, double *ret_high);
/* gates_of - every gate of a day, worst first; at most WARMUP_GATES_MAX. Returns how many. */
size_t gates_of(const struct warmup_day *day, struct gate_result *out);
/* gates_colour - the worst of a day. */
enum gate_colour gates_colour(const struct warmup_day *day);

#endif
