/* SPDX-License-Identifier: MIT */
/* event - store_event: time and line accounting common to all kinds, then one function a kind. */
#include "store/writer.h"

#define CLOCK_AHEAD_MS MS_PER_DAY /* a line later than that does not move the log's own time */
#define MS_PER_HOUR 3600000
#define BATCH_EVENTS_LIMIT                                                                         \
	(4 * BATCH_EVENTS_MAX) /* the caller ought to have committed long since */

static void add_total(struct store *s, const struct at *at, enum metric metric)
{
	count_add(&s->counts, at->p->id, at->minute, DIM_TOTAL, 0, metric, 1);
}

static int64_t event_time(struct store *s, const struct provider_state *p, const struct event *e)
{
	int64_t t = e->t_utc_ms;

	if (t < TIME_MIN_MS)
		t = p->newest_ms > 0 ? p->newest_ms : clock_utc_ms(s->clock);
	return t < TIME_MIN_MS ? TIME_MIN_MS : t > TIME_MAX_MS ? TIME_MAX_MS : t;
}

/* Messages that a lost "removed" left open are closed in the end; looked for once an hour of the log. */
static void move_time(struct store *s, const struct at *at)
{
	struct provider_state *p = at->p;
	int64_t hour;

	if (at->t_ms <= p->newest_ms)
		return;
	if (at->t_ms > s->clock_limit_ms)
		s->clock_limit_ms = clock_utc_ms(s->clock) + CLOCK_AHEAD_MS;
	if (at->t_ms > s->clock_limit_ms)
		return;
	p->newest_ms = at->t_ms;
	depth_minute(s, p, at->t_ms);
	hour = p->newest_ms / MS_PER_HOUR;
	if (hour != p->last_age_hour) {
		p->last_age_hour = hour;
		messages_age(s, at);
	}
}

/* One line may give several events; only the first is a line. */
static bool count_line(struct store *s, const struct at *at, const struct event *e)
{
	struct provider_state *p = at->p;

	if (p->has_offset && p->last_offset == e->line_offset)
		return false;
	p->has_offset = true;
	p->last_offset = e->line_offset;
	p->warned_line = false;
	add_total(s, at, METRIC_LINES);
	mark_row(s, p->id, at->t_ms, 0, 0, 0);
	return true;
}

static void count_warning(struct store *s, const struct at *at, const struct event *e)
{
	if ((e->severity < SEVERITY_WARNING && e->kind != EVENT_AUTH_FAILED) || at->p->warned_line)
		return;
	at->p->warned_line = true;
	add_total(s, at, METRIC_WARNINGS);
	if (at->service)
		count_add(&s->counts, at->p->id, at->minute, DIM_SERVICE, at->service,
			METRIC_WARNINGS, 1);
}

static int host_failure(
	struct store *s, const struct at *at, const struct event *e, struct mt_error *reterr)
{
	struct counts *c = &s->counts;
	int32_t relay = 0;
	int rc = join_id(s, at, DICT_RELAY_HOST, e->relay_host, &relay, reterr);

	add_total(s, at, METRIC_HOST_FAILURES);
	count_add(c, at->p->id, at->minute, DIM_EGRESS, at->service, METRIC_HOST_FAILURES, 1);
	if (e->relay_port > 0 || !e->runless)
		count_add(c, at->p->id, at->minute, DIM_RELAY_PORT,
			e->relay_port > 0 ? e->relay_port : 0, METRIC_HOST_FAILURES, 1);
	if (relay)
		count_add(c, at->p->id, at->minute, DIM_RELAY, relay, METRIC_HOST_FAILURES, 1);
	mx_failure(s, at, e, relay);
	batch_sample(s, at, e, e->text.n ? e->text : e->reply);
	return rc;
}

static bool needs_service(enum event_kind kind)
{
	return kind != EVENT_NONE && kind != EVENT_FOREIGN && kind != EVENT_OVERSIZE &&
	       kind != EVENT_MESSAGE_ID && kind != EVENT_QUEUED && kind != EVENT_REMOVED &&
	       kind != EVENT_STATISTICS && kind != EVENT_POSTSCREEN;
}

static int one_kind(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	switch (e->kind) {
	case EVENT_UNPARSED:
		add_total(s, at, METRIC_UNPARSED);
		batch_sample(s, at, e, e->text);
		return 0;
	case EVENT_FOREIGN:
		add_total(s, at, METRIC_FOREIGN);
		return 0;
	case EVENT_OVERSIZE:
		add_total(s, at, METRIC_OVERSIZE);
		batch_sample(s, at, e, e->text);
		return 0;
	case EVENT_RECEIVED:
	case EVENT_MESSAGE_ID:
	case EVENT_QUEUED:
	case EVENT_REMOVED:
	case EVENT_HOLD:
		return join_event(s, at, e, reterr);
	case EVENT_ATTEMPT:
		return attempt_event(s, at, e, reterr);
	case EVENT_EXPIRED:
		return expired_event(s, at, e, reterr);
	case EVENT_NOTIFICATION:
		return link_notification(s, at, e, reterr);
	case EVENT_REJECT:
		return reject_event(s, at, e, reterr);
	case EVENT_CONNECT:
	case EVENT_DISCONNECT:
	case EVENT_LOST:
	case EVENT_AUTH_FAILED:
	case EVENT_AUTH_OK:
	case EVENT_ACCEPTED:
	case EVENT_TLS:
		return session_event(s, at, e, reterr);
	case EVENT_HOST_FAILURE:
		return host_failure(s, at, e, reterr);
	case EVENT_WARNING:
		if (e->severity >= SEVERITY_WARNING)
			batch_sample(s, at, e, e->text);
		return 0;
	case EVENT_SERVER:
		batch_sample(s, at, e, e->text);
		return 0;
	case EVENT_NONE:
	case EVENT_POSTSCREEN:
	case EVENT_STATISTICS:
	case EVENT__COUNT:
	default:
		return 0;
	}
}

int store_event(struct store *s, int provider, const struct event *e, struct mt_error *reterr)
{
	struct mt_error local;
	struct at at = {.p = provider_state(s, provider)};
	int rc;

	reterr = reterr ? reterr : &local;
	if (!at.p)
		return mt_error_set(reterr, MT_EINVAL, "cache: no provider %d", provider);
	if (s->batch.events >= BATCH_EVENTS_LIMIT)
		return mt_error_set(reterr, MT_ELIMIT, "cache: the batch is full; commit first");
	s->batch.events++;
	at.t_ms = event_time(s, at.p, e);
	at.minute = count_minute(at.t_ms);
	at.day = (int32_t)(at.t_ms / MS_PER_DAY);
	move_time(s, &at);
	count_line(s, &at, e);
	if (e->kind == EVENT_NONE && e->severity < SEVERITY_WARNING)
		return 0;
	rc = join_id(s, &at, DICT_HOST, e->host, &at.host, reterr);
	if (rc == 0 && needs_service(e->kind))
		rc = join_id(s, &at, DICT_SERVICE, e->service, &at.service, reterr);
	if (rc < 0)
		return rc;
	count_warning(s, &at, e);
	return one_kind(s, &at, e, reterr);
}
