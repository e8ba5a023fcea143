/* SPDX-License-Identifier: MIT */
/*
 * collector - see collector.h. Sources take turns in slices; the store commits at the end of a round, when the
 * batch is full, or after a second, whichever comes first.
 *
 * A store that can't write (disk full, locked) keeps its batch: sources rest until a commit goes through.
 */
#include "backends/collector.h"

#include "backends/collector_private.h"
#include "backends/journal.h"
#include "backends/logsource.h"
#include "store/base/log.h"
#include "store/base/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMIT_INTERVAL_MS 500 /* while catching up; a round's end commits at once */
#define COMMIT_HEAVY_MS                                                                            \
	3000 /* ids of a vendor's events lie all over their table: fewer, larger batches write less of it */
#define STEP_GAP_MS 200 /* a busy log is looked at five times a second, not at every line */
#define PRUNE_INTERVAL_MS 60000
#define PRUNE_ROWS 5000
#define RULES_INTERVAL_MS 5000 /* one stat(2) of a person's rules */
#define EXPLAIN_ROWS 2000 /* signatures asked again in one transaction: 20 ms */
#define STOP_BYTE 's'
#define RELOAD_BYTE 'r'
#define RETRY_COMMIT_MS 2000
#define HEALTH_INTERVAL_MS                                                                         \
	10000 /* unchanged health is written this seldom: an idle disk stays idle */
#define PROGRESS_INTERVAL_MS 200
#define BULK_MIN_BYTES (32 << 20) /* what is left to read that makes larger checkpoints pay */
#define BULK_END_BYTES (1 << 20) /* and when it ends */
#define HEAVY_ROWS 10000 /* of one commit: the same for who can't tell what is left */
#define HEAVY_END_ROWS 1000
#define POLL_FDS_MAX 256
#define WAIT_MAX_MS 60000

static int64_t now_mono(const struct collector *c)
{
	return clock_mono_ms(c->clock);
}

/* write_health - true when it was written. */
static bool write_health(struct collector *c, struct slot *s, bool force)
{
	struct source_health h = {.done_bytes = -1, .total_bytes = -1};
	struct mt_error error = {0};
	int64_t utc_ms = clock_utc_ms(c->clock);

	h.health = schedule_health(&s->schedule, utc_ms);
	h.last_try_ms = utc_ms;
	h.last_ok_ms = s->schedule.ok_utc_ms;
	h.interval_ms = s->schedule.interval_ms;
	if (s->schedule.due_mono_ms != INT64_MAX)
		h.next_due_ms = utc_ms + s->schedule.due_mono_ms - now_mono(c);
	if (s->ready && s->ops->health)
		s->ops->health(s->state, &h);
	if (s->schedule.failures || s->schedule.stopped) {
		h.detail = s->error.text;
		h.health = s->schedule.stopped ? HEALTH_STOPPED : HEALTH_FAILING;
	}
	if (!force && h.health == s->told_health && h.newest_ms == s->told_newest_ms &&
		now_mono(c) < s->next_health_mono_ms)
		return false;
	s->told_health = h.health;
	s->told_newest_ms = h.newest_ms;
	s->next_health_mono_ms = now_mono(c) + HEALTH_INTERVAL_MS;
	if (store_health(c->store, s->env.source, &h, &error) < 0)
		log_write(LOG_LEVEL_WARNING, "health of %s: %s", s->ops->name, error.text);
	return true;
}

static void notify(struct collector *c)
{
	if (c->notify_fd >= 0 && write(c->notify_fd, "c", 1) < 0 && errno != EAGAIN)
		log_write(LOG_LEVEL_DEBUG, "the screen does not listen");
}

static void tell_progress(struct collector *c)
{
	struct collector_progress p = {0, 0, "the log"};

	if (!c->progress || now_mono(c) < c->next_progress_mono_ms)
		return;
	c->next_progress_mono_ms = now_mono(c) + PROGRESS_INTERVAL_MS;
	for (size_t i = 0; i < c->nslots; i++) {
		struct source_health h = {.done_bytes = 0, .total_bytes = 0};

		if (c->slots[i].ready && c->slots[i].ops->health)
			c->slots[i].ops->health(c->slots[i].state, &h);
		p.done_bytes += h.done_bytes > 0 ? h.done_bytes : 0;
		p.total_bytes += h.total_bytes > 0 ? h.total_bytes : 0;
	}
	c->progress(c->progress_ctx, &p);
}

/* left_bytes - of logs that are being read. */
static int64_t left_bytes(const struct collector *c)
{
	int64_t left = 0;

	for (size_t i = 0; i < c->nslots; i++) {
		struct source_health h = {0};

		if (c->slots[i].ready && c->slots[i].again && c->slots[i].ops->health) {
			c->slots[i].ops->health(c->slots[i].state, &h);
			left += h.total_bytes - h.done_bytes;
		}
	}
	return left;
}

/* commit - 0, or negative while the store can't write: the batch is kept and tried again. */
static int commit(struct collector *c, struct mt_error *reterr)
{
	size_t rows = store_batch_rows(c->store);
	bool news = rows > 0;
	int rc;

	for (size_t i = 0; i < c->nslots; i++)
		news |= write_health(c, &c->slots[i], false);
	rc = store_commit(c->store, reterr);
	c->heavy = rc == 0 && rows > (c->heavy ? HEAVY_END_ROWS : HEAVY_ROWS) && left_bytes(c) == 0;
	c->next_commit_mono_ms = now_mono(c) + (rc < 0            ? RETRY_COMMIT_MS
						       : c->heavy ? COMMIT_HEAVY_MS
								  : COMMIT_INTERVAL_MS);
	c->uncommitted = rc < 0;
	if (rc < 0) {
		log_repeated(&c->commit_fault, "can't write the cache: %s", reterr->text);
		c->stalled = true;
		return rc;
	}
	if (c->stalled)
		log_recovered(&c->commit_fault, "the cache can be written again");
	c->stalled = false;
	c->committed = true;
	if (news) /* a quiet log wakes nobody */
		notify(c);
	return 0;
}

static void stop_slot(struct slot *s)
{
	if (s->ready)
		s->ops->done(s->state);
	s->ready = false;
}

static int start_slot(struct slot *s, struct mt_error *reterr)
{
	int rc;

	memset(s->state, 0, s->ops->state_bytes);
	rc = s->ops->init(s->state, &s->env, reterr);
	s->ready = true;
	if (rc < 0)
		stop_slot(s); /* done accepts what init left */
	return rc;
}

/* undo - after a failure of the store inside a batch: forget it and let every source begin at its cursor again. */
static int undo(struct collector *c, struct mt_error *reterr)
{
	int rc = store_rollback(c->store, reterr);

	c->store_failed = false;
	for (size_t i = 0; i < c->nslots && rc == 0; i++) {
		stop_slot(&c->slots[i]);
		rc = start_slot(&c->slots[i], reterr);
		schedule_failed(&c->slots[i].schedule, MT_EIO, 0, now_mono(c));
	}
	return rc;
}

static bool is_log(const struct slot *s)
{
	return s->ops == &logsource || s->ops == &journalsource;
}

/* step_slot - one slice. Returns enum step_result or a negative mt_err of the store. */
static int step_slot(struct collector *c, struct slot *s, struct mt_error *reterr)
{
	int rc = s->ready ? 0 : start_slot(s, &s->error);

	if (rc == 0)
		rc = s->ops->step(s->state, &s->error);

	s->stepped_mono_ms = now_mono(c);
	s->again = rc == STEP_AGAIN;
	s->waiting = rc == STEP_WAIT;
	if (rc == STEP_WAIT) /* else a round that is overdue would be due all the time */
		s->schedule.due_mono_ms =
			now_mono(c) + (s->ops->wait ? s->ops->wait(s->state) : STEP_GAP_MS);
	if (rc == STEP_DONE) {
		/* Of all there is a part failed: that stays its health. */
		if (!c->until_caught_up || s->schedule.failures == 0)
			schedule_done(&s->schedule,
				s->ops->interval ? s->ops->interval(s->state) : 0, now_mono(c),
				clock_utc_ms(c->clock));
		s->rounds++;
	} else if (rc < 0) {
		log_repeated(
			&s->fault, "%s %s: %s", s->instance->def.name, s->ops->name, s->error.text);
		schedule_failed(&s->schedule, rc, (unsigned)(now_mono(c) % 1000), now_mono(c));
		if (c->store_failed)
			return undo(c, reterr);
		if (c->until_caught_up) {
			/* Behind a damaged file come others: the log's end is STEP_DONE. */
			s->again = s->ready && s->ops == &logsource;
			s->rounds += !s->again;
			/* A queue that can't be looked at is told by its health; a log or an API not read is a failure. */
			if (!c->failed_once && (is_log(s) || !s->instance->family->parse)) {
				c->failed_once = true;
				c->first_error = s->error;
			}
		}
	}
	c->uncommitted |= rc != STEP_WAIT;
	return rc < 0 ? STEP_DONE : rc;
}

/* Reading all there is, what is in the queue can be told only once the logs have been read. */
static bool too_early(const struct collector *c, const struct slot *s)
{
	if (!c->until_caught_up || is_log(s) ||
		!s->instance->family->parse) /* an API waits for no log */
		return false;
	if (c->uncommitted && !s->rounds && !s->again)
		return true;
	for (size_t i = 0; i < c->nslots; i++)
		if (is_log(&c->slots[i]) && (!c->slots[i].rounds || c->slots[i].again))
			return true;
	return false;
}

static bool due(const struct collector *c, const struct slot *s)
{
	int64_t now = now_mono(c);

	if (too_early(c, s))
		return false;
	if (s->again)
		return true;
	if (s->poked && now - s->stepped_mono_ms >= STEP_GAP_MS)
		return true;
	return now >= s->schedule.due_mono_ms - (s->waiting ? WAIT_SLACK_MS : ROUND_SLACK_MS) &&
	       !(c->until_caught_up && s->rounds);
}

static int64_t next_due(const struct collector *c)
{
	int64_t now = now_mono(c), at = now + WAIT_MAX_MS;

	for (size_t i = 0; i < c->nslots; i++) {
		const struct slot *s = &c->slots[i];

		if (too_early(c, s))
			continue;
		if (s->again)
			return now;
		if (s->poked && s->stepped_mono_ms + STEP_GAP_MS < at)
			at = s->stepped_mono_ms + STEP_GAP_MS;
		if (s->schedule.due_mono_ms < at && !(c->until_caught_up && s->rounds))
			at = s->schedule.due_mono_ms;
	}
	if (c->uncommitted && c->next_commit_mono_ms < at)
		at = c->next_commit_mono_ms;
	if (c->alerts && alerts_due_mono_ms(c->alerts) < at)
		at = alerts_due_mono_ms(c->alerts);
	at = c->next_rules_mono_ms < at ? c->next_rules_mono_ms : at;
	return c->next_prune_mono_ms < at ? c->next_prune_mono_ms : at;
}

/* wait_for_work - poll the sources' fds and the stop pipe until something is due. */
static void wait_for_work(struct collector *c)
{
	struct pollfd fds[POLL_FDS_MAX] = {{.fd = c->stop_pipe[0], .events = POLLIN}};
	size_t owner[POLL_FDS_MAX];
	size_t n = 1, nslots;
	int64_t wait = next_due(c) - now_mono(c);

	for (size_t i = 0; i < c->nslots && n < POLL_FDS_MAX; i++) {
		struct slot *s = &c->slots[i];
		size_t more = s->ready && !s->poked && s->ops->fds
				      ? s->ops->fds(s->state, fds + n, POLL_FDS_MAX - n)
				      : 0;

		for (size_t k = 0; k < more; k++)
			owner[n++] = i;
	}
	nslots = n;
	if (c->alerts) /* hooks under way: any of it ends the wait */
		n += alerts_fds(c->alerts, fds + n, POLL_FDS_MAX - n);
	if (poll(fds, n, wait < 0 ? 0 : wait > WAIT_MAX_MS ? WAIT_MAX_MS : (int)wait) <= 0)
		return;
	for (size_t i = 1; i < nslots; i++) {
		if (fds[i].revents) {
			c->slots[owner[i]].poked = true;
			if (c->slots[owner[i]].waiting)
				c->slots[owner[i]].stepped_mono_ms = 0;
		}
	}
}

static bool all_caught_up(const struct collector *c)
{
	for (size_t i = 0; i < c->nslots; i++)
		if (c->slots[i].rounds == 0 || c->slots[i].again)
			return false;
	return true;
}

static void prune(struct collector *c)
{
	struct mt_error error = {0};
	bool more = false;

	if (now_mono(c) < c->next_prune_mono_ms - WAIT_SLACK_MS || c->stalled)
		return;
	if (store_prune(c->store, PRUNE_ROWS, &more, &error) < 0)
		log_write(LOG_LEVEL_WARNING, "pruning: %s", error.text);
	c->next_prune_mono_ms = now_mono(c) + (more ? STEP_GAP_MS : PRUNE_INTERVAL_MS);
}

/* look_at_rules - has a person's file changed? Then what the past means is worked out anew, a slice a round. */
static void look_at_rules(struct collector *c)
{
	struct mt_error error = {0};
	bool changed = false, more = false;

	if (now_mono(c) < c->next_rules_mono_ms - WAIT_SLACK_MS || c->stalled)
		return;
	if (store_rules_look(c->store, &changed, &error) < 0)
		log_write(LOG_LEVEL_WARNING, "%s; the rules before hold", error.text);
	else if (changed)
		log_write(LOG_LEVEL_INFO, "rules read anew");
	if (!c->uncommitted && store_explain_again(c->store, EXPLAIN_ROWS, &more, &error) < 0)
		log_write(LOG_LEVEL_WARNING, "rules: %s", error.text);
	c->next_rules_mono_ms =
		now_mono(c) + (more || c->uncommitted ? STEP_GAP_MS : RULES_INTERVAL_MS);
}

/* bulk_mode - larger checkpoints while much is left to read. */
static void bulk_mode(struct collector *c)
{
	int64_t left = left_bytes(c);
	bool bulk = left > (c->bulk ? BULK_END_BYTES : BULK_MIN_BYTES) || c->heavy;

	if (bulk == c->bulk)
		return;
	if (store_bulk(c->store, bulk, NULL) == 0) {
		c->bulk = bulk;
		if (!bulk)
			notify(c); /* the last batch is in the cache only now */
	} else {
		c->uncommitted = true; /* commit() is told why, and tries again */
	}
}

/* After a commit, so that figures and alerts agree; not while the store can't write. */
static void look_at_alerts(struct collector *c)
{
	if (!c->alerts || c->stalled)
		return;
	if (alerts_step(c->alerts, c->committed))
		notify(c);
	c->committed = false;
}

static int round_of_steps(struct collector *c, struct mt_error *reterr)
{
	for (size_t i = 0; i < c->nslots; i++) {
		struct slot *s = &c->slots[i];
		int rc;

		if (c->stalled || !due(c, s))
			continue;
		s->poked = false;
		rc = step_slot(c, s, reterr);
		if (rc < 0)
			return rc;
		if (rc == STEP_DONE)
			c->next_commit_mono_ms = 0;
	}
	return 0;
}

static bool stop_asked(struct collector *c)
{
	char byte;

	while (read(c->stop_pipe[0], &byte, 1) == 1) {
		if (byte == STOP_BYTE)
			return true;
		c->next_rules_mono_ms = 0;
	}
	return false;
}

int collector_run(struct collector *c, struct mt_error *reterr)
{
	struct mt_error error = {0};
	int rc = 0;

	while (rc == 0 && !stop_asked(c)) {
		rc = round_of_steps(c, reterr);
		if (rc == 0 && c->uncommitted &&
			(now_mono(c) >= c->next_commit_mono_ms ||
				store_batch_rows(c->store) >= BATCH_EVENTS_MAX) &&
			commit(c, &error) < 0 && c->until_caught_up)
			rc = mt_error_set(reterr, error.code, "%s", error.text);
		bulk_mode(c);
		prune(c);
		look_at_alerts(c);
		look_at_rules(c);
		tell_progress(c);
		if (c->until_caught_up && all_caught_up(c) && !c->uncommitted)
			break;
		wait_for_work(c);
	}
	if (rc == 0 && c->uncommitted)
		rc = commit(c, reterr);
	if (rc == 0 && c->bulk)
		rc = store_bulk(c->store, false, reterr);
	if (rc == 0 && c->failed_once)
		rc = mt_error_set(reterr, c->first_error.code, "%s", c->first_error.text);
	return rc;
}

/* Async-signal-safe; a full pipe has said it already. */
static void tell(struct collector *c, char byte)
{
	ssize_t n = write(c->stop_pipe[1], &byte, 1);

	(void)n;
}

void collector_reload(struct collector *c)
{
	tell(c, RELOAD_BYTE);
}

void collector_stop(struct collector *c)
{
	tell(c, STOP_BYTE);
}

const char *collector_notice(const struct collector *c)
{
	return store_notice(c->store);
}

void collector_free(struct collector *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->nslots; i++) {
		stop_slot(&c->slots[i]);
		free(c->slots[i].state);
	}
	free(c->slots);
	alerts_free(c->alerts);
	store_lock_free(c->lock);
	store_close(c->store);
	instances_done(&c->instances);
	for (int i = 0; i < 2; i++)
		if (c->stop_pipe[i] >= 0)
			close(c->stop_pipe[i]);
	free(c);
}
