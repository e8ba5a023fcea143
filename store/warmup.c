/* SPDX-License-Identifier: MIT */
/* warmup - the days since the start played through, and the verdict of today; see warmup.h. */
#include "store/warmup.h"

#include <string.h>

#define PCT 100
#define RECENT_DAYS 14 /* for how many days of the calendar a sending day takes */

struct play { /* where the plan stands before a day */
	size_t stage; /* in force; of a calendar clock after going back one for a red day */
	size_t base; /* calendar: the day stage 0 began */
	int64_t stalled, idle, sending, unknown, recent_sending, recent_days;
	bool reached; /* the target, or the end of the plan */
	bool ever;
	enum gate_colour colour; /* of the last sending day */
	size_t last; /* that day */
};

static int64_t volume_of(const struct warmup_counts *c)
{
	return c->sent + c->bounced;
}

static bool any(const struct warmup_day *d)
{
	return volume_of(&d->all) + d->all.deferred > 0;
}

static int cold_days(const struct warmup_plan *p)
{
	return p->cold_days ? p->cold_days : WARMUP_COLD_DAYS;
}

static bool passes(const struct warmup_plan *p, int64_t delivered, size_t stage)
{
	return delivered * PCT >= warmup_cap(p, stage) * WARMUP_PASS_PCT;
}

/* The stage a calendar clock is at on a day: one back after a red day. */
static size_t calendar_stage(const struct play *s, size_t day)
{
	size_t stage = day - s->base;

	return s->colour == GATE_RED && stage > 0 ? stage - 1 : stage;
}

static void begin_anew(struct play *s, size_t day)
{
	s->base = day;
	s->stage = 0;
	s->stalled = 0;
	s->reached = false;
	s->colour = GATE_GREEN;
}

static void reach(const struct warmup_plan *p, struct play *s, int64_t delivered)
{
	if ((p->target > 0 && delivered >= p->target) || s->stage >= warmup_stages(p))
		s->reached = true;
}

/* A whole day. */
static void pass_day(
	const struct warmup_plan *p, struct play *s, const struct warmup_day *d, size_t i)
{
	bool passed;

	if (!d->known || !any(d)) {
		s->unknown += !d->known;
		s->idle = d->known ? s->idle + 1 : 0;
		return;
	}
	if (s->idle >= cold_days(p))
		begin_anew(s, i);
	if (p->calendar)
		s->stage = calendar_stage(s, i);
	s->ever = true;
	s->idle = 0;
	s->sending++;
	s->last = i;
	s->colour = gates_colour(d);
	passed = s->colour == GATE_GREEN && passes(p, d->all.sent, s->stage);
	s->stalled = passed ? 0 : s->stalled + 1;
	if (!p->calendar && passed)
		s->stage++;
	else if (!p->calendar && s->colour == GATE_RED && s->stage > 0)
		s->stage--;
	reach(p, s, d->all.sent);
}

static void start_today(
	const struct warmup_plan *p, struct play *s, const struct warmup_day *days, size_t today)
{
	if (s->idle >= cold_days(p) && any(&days[today]))
		begin_anew(s, today);
	if (p->calendar) {
		if (today - s->base >= warmup_stages(p) && s->ever)
			s->reached = true; /* a vendor's clock runs out by age alone */
		s->stage = calendar_stage(s, today);
	}
	for (size_t i = today + 1 > RECENT_DAYS ? today + 1 - RECENT_DAYS : 0; i < today; i++) {
		s->recent_days += days[i].known;
		s->recent_sending += days[i].known && any(&days[i]);
	}
}

void warmup_history(
	const struct warmup_plan *p, const struct warmup_day *days, size_t n, int64_t *cap)
{
	struct play s = {.colour = GATE_GREEN};

	for (size_t i = 0; i < n; i++) {
		if (p->calendar)
			s.stage = calendar_stage(&s, i);
		cap[i] = warmup_cap(p, s.stage);
		pass_day(p, &s, &days[i], i);
	}
}

/* Gates of today; while it has too few tries to tell, those of the last sending day speak with them. */
static enum gate_colour gates(const struct play *s, const struct warmup_day *days, size_t today,
	struct warmup_status *out)
{
	const struct warmup_day *now = &days[today];
	struct gate_result before[WARMUP_GATES_MAX];
	enum gate_colour colour = gates_colour(now);
	size_t n;

	out->ngates = gates_of(now, out->gate);
	if (!s->ever || s->colour == GATE_GREEN || colour > GATE_UNKNOWN ||
		volume_of(&now->all) + now->all.deferred >= WARMUP_MIN_N)
		return colour;
	n = gates_of(&days[s->last], before);
	for (size_t i = 0; i < n && before[i].colour > GATE_UNKNOWN; i++) {
		if (out->ngates == WARMUP_GATES_MAX)
			out->ngates--;
		memmove(out->gate + i + 1, out->gate + i, (out->ngates - i) * sizeof(out->gate[0]));
		out->gate[i] = before[i];
		out->gate[i].before = true;
		out->ngates++;
	}
	return s->colour;
}

static void boxes(
	const struct warmup_plan *p, const struct warmup_day *now, struct warmup_status *out)
{
	int64_t rest = 0;

	out->over = -1;
	for (int i = 0; i < MAILBOX__COUNT; i++)
		if (i == MAILBOX_OTHER || p->track[i].n == 0)
			rest += volume_of(&now->box[i]);
	for (int i = 0; i < MAILBOX__COUNT; i++) {
		struct warmup_box *b = &out->box[i];

		b->cap = warmup_track(p, (enum mailbox)i, out->stage);
		b->volume = i == MAILBOX_OTHER && b->cap >= 0 ? rest : volume_of(&now->box[i]);
		b->used = b->cap >= 0 || b->volume + now->box[i].deferred > 0;
		if (b->cap >= 0 && b->volume > b->cap && out->over < 0)
			out->over = i;
	}
	for (size_t i = 0; i < out->ngates; i++) {
		const struct gate_result *g = &out->gate[i];

		if (g->box >= 0 && g->colour > out->box[g->box].colour && g->colour > GATE_UNKNOWN)
			out->box[g->box].colour = g->colour;
	}
}

static enum warmup_state state_of(const struct warmup_plan *p, const struct play *s,
	enum gate_colour colour, const struct warmup_status *o, const struct warmup_day *now)
{
	/* of a vendor's days no hour is known, but more than 24 caps is over one of them */
	bool ahead = o->volume > o->cap || (p->hourly && now->peak_hour > o->limit);
	bool kept = o->delivered * PCT >= o->pace * WARMUP_PASS_PCT;

	if (s->idle >= cold_days(p) && !o->today)
		return WARMUP_COLD;
	if (s->reached || (p->target > 0 && o->delivered >= p->target))
		return WARMUP_DONE;
	if (!s->ever && !o->today)
		return WARMUP_COLD;
	if (colour == GATE_RED)
		return WARMUP_BACK_OFF;
	if (colour == GATE_YELLOW)
		return WARMUP_HOLD;
	if (ahead || o->over >= 0)
		return WARMUP_AHEAD;
	if (!p->calendar && s->stalled >= WARMUP_STALL_DAYS)
		return WARMUP_STALLED;
	if (!o->today && !p->calendar && s->ever) /* the day has not begun for its clock */
		kept = s->stalled == 0;
	return kept ? WARMUP_ON_TRACK : WARMUP_BEHIND;
}

static int64_t eta(const struct warmup_plan *p, const struct play *s, const struct warmup_day *days,
	const struct warmup_day *now, const struct warmup_status *o)
{
	int64_t left = (int64_t)o->stages - (int64_t)o->stage, length = 86400000;

	(void)days;
	if (o->state == WARMUP_DONE || o->state == WARMUP_STALLED || o->state == WARMUP_COLD)
		return -1;
	if (!p->calendar && s->recent_sending > 0)
		left = (left * s->recent_days + s->recent_sending - 1) / s->recent_sending;
	return now->start_ms + (left > 0 ? left : 0) * length;
}

void warmup_judge(const struct warmup_plan *p, const struct warmup_day *days, size_t n,
	int64_t now_ms, struct warmup_status *out)
{
	struct play s = {.colour = GATE_GREEN};
	const struct warmup_day *now;
	enum gate_colour colour;
	int64_t length;

	*out = (struct warmup_status){.state = WARMUP_COLD,
		.stages = warmup_stages(p),
		.limit = warmup_limit(p, 0),
		.cap = warmup_cap(p, 0),
		.eta_ms = -1,
		.over = -1};
	for (size_t i = 0; i < WARMUP_NEXT && i < out->stages; i++)
		out->next[out->nnext++] = warmup_limit(p, i);
	if (n == 0)
		return;
	now = &days[n - 1];
	for (size_t i = 0; i + 1 < n; i++)
		pass_day(p, &s, &days[i], i);
	start_today(p, &s, days, n - 1);
	out->begun = true;
	out->today = any(now);
	colour = gates(&s, days, n - 1, out);
	/* Red today: what may still be sent is the stage before. */
	out->stage = s.stage;
	if (gates_colour(now) == GATE_RED && out->stage > 0)
		out->stage--;
	out->limit = warmup_limit(p, out->stage);
	out->cap = warmup_cap(p, out->stage);
	out->volume = volume_of(&now->all);
	out->delivered = now->all.sent;
	length = now->end_ms - now->start_ms;
	out->pace = length > 0 && now_ms > now->start_ms
			    ? (int64_t)((double)out->cap *
					(double)((now_ms < now->end_ms ? now_ms : now->end_ms) -
						 now->start_ms) /
					(double)length)
			    : 0;
	boxes(p, now, out);
	out->days = (int64_t)n;
	out->sending_days = s.sending + out->today;
	out->unknown_days = s.unknown + !now->known;
	out->stalled = s.stalled;
	out->idle_days = out->today ? 0 : s.idle;
	out->state = state_of(p, &s, colour, out, now);
	out->eta_ms = eta(p, &s, days, now, out);
	out->nnext = 0;
	for (size_t i = out->stage + 1; out->nnext < WARMUP_NEXT && i < out->stages; i++)
		out->next[out->nnext++] = warmup_limit(p, i);
}

const char *warmup_state_word(enum warmup_state state)
{
	static const char *const words[WARMUP__STATES] = {
		"COLD", "ON TRACK", "BEHIND", "AHEAD", "HOLD", "BACK OFF", "STALLED", "DONE"};

	return (unsigned)state < WARMUP__STATES ? words[state] : "?";
}
