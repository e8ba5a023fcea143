/* SPDX-License-Identifier: MIT */
/* alert - what becomes of a rule when its figure moves; see alert.h. */
#include "store/alert.h"

#include "store/base/timefmt.h"

#include <math.h>

static const enum alert_unit units[] = {
#define ALERT_FIGURE_UNIT(id, word, unit) ALERT_##unit,
	ALERT_FIGURE_LIST(ALERT_FIGURE_UNIT)
#undef ALERT_FIGURE_UNIT
};

enum alert_unit alert_unit(const struct alert_rule *rule)
{
	return (unsigned)rule->figure < ALERT_FIGURE__COUNT ? units[rule->figure] : ALERT_COUNT;
}

bool alert_falls(const struct alert_rule *rule)
{
	return rule->figure == ALERT_FIGURE_CERTIFICATE_DAYS;
}

/* past - on the side of the line where it fires. */
static bool past(const struct alert_rule *rule, double value, double line)
{
	return alert_falls(rule) ? value < line : value > line;
}

static bool says_something(const struct alert_rule *rule, const struct alert_value *v)
{
	return v->n == EVENT_UNKNOWN || v->n >= rule->min_n;
}

static enum alert_event firing(const struct alert_rule *rule, struct alert_state *s,
	const struct alert_value *v, int64_t now_ms)
{
	if (past(rule, v->value, rule->clear) && says_something(rule, v)) {
		s->below_ms = 0;
		return ALERT_NOTHING;
	}
	if (s->below_ms == 0 || s->below_ms > now_ms) /* the clock was set back */
		s->below_ms = now_ms;
	if (now_ms - s->below_ms < rule->for_ms)
		return ALERT_NOTHING;
	*s = (struct alert_state){.phase = ALERT_QUIET, .mark = s->mark};
	return ALERT_CLEARED;
}

enum alert_event alert_step(const struct alert_rule *rule, struct alert_state *s,
	const struct alert_value *v, int64_t now_ms)
{
	if (!v->known) {
		s->pending_ms = s->below_ms = 0;
		s->phase = s->phase == ALERT_PENDING ? ALERT_QUIET : s->phase;
		return ALERT_NOTHING;
	}
	if (s->phase == ALERT_FIRING)
		return firing(rule, s, v, now_ms);
	if (!past(rule, v->value, rule->over) || !says_something(rule, v)) {
		s->phase = ALERT_QUIET;
		s->pending_ms = 0;
		return ALERT_NOTHING;
	}
	if (s->pending_ms == 0 || s->pending_ms > now_ms) /* the clock was set back */
		s->pending_ms = now_ms;
	s->phase = ALERT_PENDING;
	if (now_ms - s->pending_ms < rule->for_ms)
		return ALERT_NOTHING;
	*s = (struct alert_state){.phase = ALERT_FIRING, .since_ms = now_ms, .mark = s->mark};
	return ALERT_FIRED;
}

void alert_number(struct buf *out, enum alert_unit unit, double value)
{
	if (unit == ALERT_TIME)
		timefmt_age(out, (int64_t)value);
	else if (unit == ALERT_PERCENT)
		(void)buf_printf(out, "%.*f%%", fabs(value - round(value)) < 0.05 ? 0 : 1, value);
	else
		(void)buf_printf(out, "%.0f", value);
}

void alert_condition(struct buf *out, const struct alert_rule *rule)
{
	(void)buf_printf(out, "%s %c ", rule->word, alert_falls(rule) ? '<' : '>');
	alert_number(out, alert_unit(rule), rule->over);
	if (rule->for_ms > 0) {
		(void)buf_add_z(out, " for ");
		timefmt_age(out, rule->for_ms);
	}
	if (past(rule, rule->over, rule->clear)) {
		(void)buf_add_z(out, ", clears at ");
		alert_number(out, alert_unit(rule), rule->clear);
	}
}

const char *alert_phase_word(enum alert_phase phase)
{
	return phase == ALERT_FIRING ? "FIRING" : phase == ALERT_PENDING ? "pending" : "ok";
}

const char *alert_event_word(enum alert_event event)
{
	static const char *const words[] = {"", "fired", "cleared", "acknowledged", "hook failed"};

	return (unsigned)event <= ALERT_HOOK_FAILED ? words[event] : "?";
}

const char *alert_severity_word(enum alert_severity severity)
{
	return severity == ALERT_CRITICAL ? "critical" : "warning";
}
