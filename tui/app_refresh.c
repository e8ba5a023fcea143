/* SPDX-License-Identifier: MIT */
/*
 * app_refresh - when what is shown is read anew, and what happens to a key that comes meanwhile: it ends the read,
 * which then has changed nothing, and goes first.
 *
 * Invariant: all that is shown is of one snapshot. A refresh that keys have held up for LATE_MS goes before them, so
 * none is put off for ever.
 */
#include "tui/app.h"

#include <stdio.h>

#define MS_PER_MIN 60000
#define REFRESH_COST_FACTOR 4 /* reading may take at most a fifth of the time */
#define TICK_SLACK_MS 50 /* a timer that comes a little early is on time */
#define VIEW_PCT 65 /* of the interval: an opened view is read anew so soon */
#define LATE_MS 3000

static void resolve_provider(struct app *a)
{
	if (a->provider_wanted[0] == '\0')
		return;
	for (size_t i = 0; i < a->status.nproviders; i++) {
		if (str_ieq(a->status.providers[i].name, str_of(a->provider_wanted))) {
			a->provider = a->status.providers[i].id;
			a->provider_wanted[0] = '\0';
			return;
		}
	}
}

/* All that is shown, of one snapshot; what was shown before can still be put back. */
static void read_all(struct app *a)
{
	struct arena old = a->status.arena;

	a->status.arena = a->status.spare;
	a->status.spare = old;
	status_refresh(a);
	resolve_provider(a);
	if (app_top(a)->pane)
		frame_read(a, app_top(a));
	else
		overview_read(a);
}

static void end_all(struct app *a, const struct status *before)
{
	struct arena made = a->status.arena;

	if (before) {
		a->status = *before;
		a->status.spare = made;
	}
	if (app_top(a)->pane && before)
		frame_undo(app_top(a));
	else if (app_top(a)->pane)
		frame_keep(app_top(a));
	else
		overview_end(a, before == NULL);
}

/* stoppable: a key that comes meanwhile ends it, as if it had not begun; it is due again after the key. */
static void refresh(struct app *a, bool stoppable)
{
	int64_t begun = clock_mono_ms(a->opt.clock);
	struct status before = a->status;
	struct mt_error err = {0};
	bool stopped;
	int rc;

	reader_stop_when(a->opt.reader, stoppable ? a->opt.key_waits : NULL, a->opt.key_waits_ctx);
	rc = reader_begin(a->opt.reader, &err);
	if (rc == 0)
		read_all(a);
	stopped = reader_stopped(a->opt.reader);
	if (rc == 0)
		end_all(a, stopped ? &before : NULL);
	reader_end(a->opt.reader);
	if (stopped)
		return;
	a->stale = a->asked = false;
	a->dirty = true;
	if (rc < 0)
		app_message(a, STYLE_BAD, "the cache can't be read: %s", err.text);
	a->refreshed_mono_ms = begun;
	a->refresh_cost_ms = clock_mono_ms(a->opt.clock) - begun;
	a->refreshed_minute = clock_utc_ms(a->opt.clock) / MS_PER_MIN;
}

/*
 * Counted from the begin of the last one. The overview's falls on the tick of the clock: one wake-up for both, and no
 * more bytes than figures that change each second need. An opened view is where one waits for a line: with the
 * collector's 200 ms before it, it must be there within a second.
 */
int64_t refresh_due_mono_ms(const struct app *a)
{
	int64_t least = a->refresh_cost_ms * (1 + REFRESH_COST_FACTOR);
	int64_t period = a->stack[a->depth - 1].pane ? a->refresh_ms * VIEW_PCT / 100
						     : a->refresh_ms - TICK_SLACK_MS;

	return a->refreshed_mono_ms + (least > period ? least : period);
}

/* Keys have held it up for long enough. */
static bool refresh_late(const struct app *a, int64_t mono_ms)
{
	int64_t due = refresh_due_mono_ms(a);

	return mono_ms >= (due > a->stale_mono_ms ? due : a->stale_mono_ms) + LATE_MS;
}

/* What a key asked for is read to the end: the next key may be about it. */
void refresh_if_due(struct app *a, int64_t mono_ms)
{
	const struct frame *top = app_top(a);
	bool late = refresh_late(a, mono_ms);

	if (!a->stale)
		return;
	if (a->asked)
		refresh(a, false);
	else if (!a->paused && (!a->keyed || late) && mono_ms >= refresh_due_mono_ms(a))
		refresh(a, !late && (!top->pane || frame_stoppable(top)));
}

void refresh_wanted(struct app *a, int64_t mono_ms)
{
	if (!a->stale)
		a->stale_mono_ms = mono_ms;
	a->stale = true;
}
