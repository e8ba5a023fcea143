/* SPDX-License-Identifier: MIT */
/* alerts - what each rule is at, firing ones first, and below it what happened, newest first; a acknowledges. */
#include "store/alert.h"
#include "tui/panes/cells.h"

#include <stdio.h>

#define HISTORY_ROWS 1000
#define HISTORY_IDS 1000000 /* of row ids */

enum col { COL_WHEN, COL_NAME, COL_STATE, COL_SEVERITY, COL_WHAT, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"when", 10, ALIGN_LEFT, 2, true,
		"since when it fires, or when the figure was looked at; of history, when it was"},
	{"alert", 16, ALIGN_LEFT, 1, false,
		"[alert NAME] of mtatop.conf, or one of the default set"},
	{"state", 12, ALIGN_LEFT, 1, false,
		"FIRING, seen (firing and acknowledged), pending (over the line, not for long "
		"enough), ok; of history: fired, cleared, acknowledged, hook failed"},
	{"severity", 8, ALIGN_LEFT, 3, false, "critical is shown before warning"},
	{"what", 0, ALIGN_LEFT, 1, false, "what was found, and the rule's line"},
};

static const enum request requests[] = {REQ_ACKNOWLEDGE, REQ_NONE};

struct alerts {
	char note[160]; /* what came of a key */
	bool bad;
};

static bool firing(const struct alert_row *row)
{
	return row->id == 0 && row->phase == ALERT_FIRING;
}

static enum style style_of(const struct alert_row *row)
{
	if (row->id > 0)
		return row->event == ALERT_FIRED         ? STYLE_WARN
		       : row->event == ALERT_HOOK_FAILED ? STYLE_BAD
							 : STYLE_DIM;
	if (!firing(row))
		return row->phase == ALERT_PENDING ? STYLE_WARN : STYLE_NORMAL;
	return row->ack_ms != EVENT_UNKNOWN      ? STYLE_NORMAL
	       : row->severity == ALERT_CRITICAL ? STYLE_BAD
						 : STYLE_WARN;
}

static struct cell state_cell(const struct alert_row *row)
{
	if (row->id > 0)
		return cell_words(alert_event_word((enum alert_event)row->event));
	if (firing(row) && row->ack_ms != EVENT_UNKNOWN)
		return cell_words("seen");
	return cell_words(row->known || row->phase == ALERT_FIRING
				  ? alert_phase_word((enum alert_phase)row->phase)
				  : "not known");
}

static void what(struct buf *out, const struct alert_row *row)
{
	(void)buf_add_str(out, row->text);
	if (row->id > 0)
		return;
	(void)buf_printf(out, "%s%.*s", row->text.n ? "; " : "", STR_ARG(row->condition));
	if (firing(row) && str_present(row->ack_user) && row->ack_user.n)
		(void)buf_printf(out, "; seen by %.*s", STR_ARG(row->ack_user));
}

static void fill(struct table *t, const struct view *v, const struct alert_row *row, uint64_t id)
{
	struct cell *c = cells_row(t, COL__COUNT, id, style_of(row), row);
	struct buf b;

	if (!c)
		return;
	buf_init(&b, 8192);
	c[COL_WHEN] = cell_when(t, firing(row) ? row->since_ms : row->t_ms, v->now_ms);
	c[COL_NAME] = cell_text(t, row->name);
	c[COL_STATE] = state_cell(row);
	c[COL_SEVERITY] =
		row->id > 0 && row->event == ALERT_ACKNOWLEDGED
			? cell_words("")
			: cell_words(alert_severity_word((enum alert_severity)row->severity));
	what(&b, row);
	c[COL_WHAT] = cell_text(t, buf_str(&b));
	buf_done(&b);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct alert_row *rules, *past;
	size_t n = 0, npast = 0;
	int rc = read_alerts(r, &t->arena, &rules, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = read_alert_log(r, HISTORY_ROWS, &t->arena, &past, &npast, reterr);
	if (rc == 0)
		rc = cells_begin(t, n + npast);
	for (size_t i = 0; rc == 0 && i < n; i++)
		fill(t, v, &rules[i], i + 1);
	for (size_t i = 0; rc == 0 && i < npast; i++)
		fill(t, v, &past[i], HISTORY_IDS + (uint64_t)past[i].id);
	t->presorted = true;
	t->total = EVENT_UNKNOWN;
	t->empty = STR_LIT("no alert has been looked at: a running collector does");
	return rc;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct alerts *s = state;

	(void)v;
	(void)t;
	if (!s->note[0])
		return 0;
	canvas_text(c, area.x + 1, area.y, area.w - 1, s->bad ? STYLE_WARN : STYLE_DIM,
		str_of(s->note));
	return 1;
}

static unsigned request(void *state, enum request req, const struct view *v,
	const struct row *selected, const struct row *const *tagged, size_t ntagged,
	struct pane_target *ret)
{
	struct alerts *s = state;
	const struct alert_row *row = selected ? selected->ref : NULL;
	struct mt_error error = {0};

	(void)tagged;
	(void)ntagged;
	(void)ret;
	if (req != REQ_ACKNOWLEDGE)
		return REQRES_NONE;
	s->bad = true;
	if (!row || !firing(row))
		snprintf(s->note, sizeof(s->note), "only an alert that fires can be acknowledged");
	else if (!v->services || !v->services->acknowledge)
		snprintf(s->note, sizeof(s->note), "it can't be acknowledged from here");
	else if (v->services->acknowledge(v->services->ctx, row->name, &error) < 0)
		snprintf(s->note, sizeof(s->note), "%.150s", error.text);
	else
		s->note[0] = '\0';
	return REQRES_HANDLED | REQRES_REFRESH;
}

/* Where what the figure is made of can be looked at. */
static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	static const struct {
		const char *begins, *pane;
	} ways[] = {{"queue", "queue"}, {"silence", "providers"}, {"health", "providers"},
		{"gate", "warmup"}, {"new-signature", "replies"}, {"listing", "dns"},
		{"bounce", "errors"}, {"deferral", "errors"}, {"certificate", "probes"}};
	const struct alert_row *row = selected->ref;
	struct str by = row->id > 0 ? row->name : row->condition;

	(void)state;
	(void)v;
	ret->pane = "delivery";
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (str_starts(by, str_of(ways[i].begins))) {
			ret->pane = ways[i].pane;
			break;
		}
	target_label(ret, "%.*s", STR_ARG(row->name));
	return true;
}

const struct pane_ops pane_alerts = {
	.name = "alerts",
	.title = "Alerts",
	.help = "Rules on figures, [alert NAME] of mtatop.conf over a default set: what each is "
		"at, "
		"the firing ones first, and below them what happened. The collector looks at "
		"the figures every few seconds. A rule fires when its figure was over the line "
		"for its time, and ends when it was at or under its lower line for as long; a "
		"figure that is not known changes nothing. a acknowledges the alert under the "
		"cursor: line 2 shows the next one. Enter opens what the figure is made of.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_WHEN,
	.requests = requests,
	.state_bytes = sizeof(struct alerts),
	.refresh = refresh,
	.draw = draw,
	.request = request,
	.enter = enter,
};
