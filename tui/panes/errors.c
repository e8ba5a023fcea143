/* SPDX-License-Identifier: MIT */
/*
 * errors - failures by code: how many, more or fewer than before, what the code says, whose side; Enter lists them.
 * What it means comes first when there is little room.
 */
#include "tui/panes/cells.h"

#include <stdio.h>

enum col {
	COL_CODE,
	COL_STATUS,
	COL_N,
	COL_DELTA,
	COL_TREND,
	COL_STAGE,
	COL_CAUSE,
	COL_SIDE,
	COL_MEANING,
	COL__COUNT
};

#define TREND_SLOTS 12
#define TREND_ROWS                                                                                 \
	60 /* one series a row is read: of the most frequent ones, more than a screen has */
#define TREND_MIN_COLUMNS 110 /* the column is hidden on a narrower screen */

static const struct column columns[COL__COUNT] = {
	{"code", 8, ALIGN_LEFT, 1, false,
		"enhanced status code (RFC 3463), else the basic reply code"},
	{"status", 8, ALIGN_LEFT, 2, false,
		"deferred: tried again; bounced: given up; rejected: refused at the door"},
	{"n", 9, ALIGN_RIGHT, 1, true, "records with this code and status in the window"},
	{"change", 7, ALIGN_RIGHT, 4, true,
		"against the window before, by how many; new: none then; ? not covered by the "
		"cache"},
	{"trend", TREND_SLOTS, ALIGN_LEFT, 6, false,
		"how many over the window, oldest first, each row on a scale of its own; of the "
		"most "
		"frequent ones, as far as minutes are counted by code"},
	{"stage", 8, ALIGN_LEFT, 5, false, "SMTP command the reply was given to"},
	{"cause", 13, ALIGN_LEFT, 4, false,
		"why: address, mailbox, remote system, network, protocol, content, auth, "
		"reputation, rate, access or local"},
	{"side", 9, ALIGN_LEFT, 3, false, "who can mend it: sender, recipient, remote, network"},
	{"meaning", -26, ALIGN_LEFT, 1, false,
		"what it means by the most frequent reply: the provider's own list, the reply's "
		"words, the IANA "
		"registry, the basic code, in this order"},
};

/* A filter on anything but the code: buckets do not have it, so there is no trend to show. */
static bool is_filtered(const struct query *q)
{
	return str_present(q->domain) || str_present(q->relay_host) || str_present(q->service) ||
	       str_present(q->sender_domain) || str_present(q->user) ||
	       str_present(q->reply_template) || q->text.n > 0 || q->port != 0 ||
	       q->relay_port != 0;
}

static enum metric metric_of(enum event_status status)
{
	return status == STATUS_DEFERRED  ? METRIC_DEFERRED
	       : status == STATUS_BOUNCED ? METRIC_BOUNCED
					  : METRIC_REJECTED;
}

static int trend(struct cell *c, struct table *t, struct reader *r, const struct view *v,
	const struct code_row *row, struct mt_error *reterr)
{
	int64_t *slots = arena_alloc(&t->arena, TREND_SLOTS * sizeof(*slots));

	if (!slots)
		return MT_ELIMIT;
	c->spark = slots;
	c->nspark = TREND_SLOTS;
	return read_series_key(r, &v->query, DIM_CODE, row->key, metric_of(row->status), slots,
		TREND_SLOTS, reterr);
}

static int fill(struct table *t, struct reader *r, const struct view *v,
	const struct code_row *rows, size_t n, struct mt_error *reterr)
{
	bool trends = v->width >= TREND_MIN_COLUMNS && !is_filtered(&v->query);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		uint64_t id = (uint64_t)rows[i].key * STATUS__COUNT + (uint64_t)rows[i].status;
		struct explain_query q = {.text = rows[i].reply,
			.host = rows[i].relay,
			.key = rows[i].key,
			.stage = rows[i].stage,
			.status = rows[i].status};
		struct explain_result info;
		struct cell *c;

		if (rows[i].status == STATUS_SENT)
			continue;
		explain(v->rules, &q, &info);
		c = cells_row(t, COL__COUNT, id, status_style(rows[i].status), &rows[i]);
		if (!c)
			return MT_ELIMIT;
		c[COL_CODE] = cell_code(t, rows[i].key);
		c[COL_STATUS] = cell_words(status_word(rows[i].status));
		c[COL_N] = cell_count(t, rows[i].n);
		c[COL_DELTA] = cell_delta(t, v, rows[i].n, rows[i].before);
		c[COL_TREND] = cell_words("?");
		if (trends && t->nrows <= TREND_ROWS)
			rc = trend(&c[COL_TREND], t, r, v, &rows[i], reterr);
		c[COL_STAGE] = cell_words(stage_word(rows[i].stage));
		c[COL_CAUSE] = cell_words(explain_cause_word(info.cause));
		c[COL_SIDE] = cell_words(explain_side_word(info.side));
		c[COL_MEANING] = cell_meaning(t, v, &info);
	}
	return rc;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct code_row *rows;
	size_t n = 0;
	int rc = read_codes(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	if (rc == 0)
		rc = fill(t, r, v, rows, n, reterr);
	t->total = EVENT_UNKNOWN;
	cells_empty(t, v, "no failure and no refusal in this window");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct code_row *row = selected->ref;
	struct buf code;

	(void)state;
	(void)v;
	ret->pane = "replies";
	ret->object = row->status == STATUS_NONE; /* refusals */
	ret->query.code_key = row->key;
	ret->query.status = row->status;
	buf_init(&code, 64);
	fmt_code_key(&code, row->key);
	snprintf(ret->label, sizeof(ret->label), "%s %s", status_word(row->status), buf_z(&code));
	buf_done(&code);
	return true;
}

static const enum request requests[] = {REQ_BY_SENDER, REQ_NONE};

static unsigned request(void *state, enum request req, const struct view *v,
	const struct row *selected, const struct row *const *tagged, size_t ntagged,
	struct pane_target *ret)
{
	(void)state;
	(void)v;
	(void)selected;
	(void)tagged;
	(void)ntagged;
	if (req != REQ_BY_SENDER)
		return REQRES_NONE;
	ret->pane = "causes";
	target_label(ret, "causes");
	return REQRES_HANDLED | REQRES_OPEN;
}

const struct pane_ops pane_errors = {
	.name = "errors",
	.title = "Errors",
	.help = "Failed attempts and refusals by code. Deferred attempts are tries that will be "
		"repeated, bounced ones "
		"recipients given up on, rejected ones refusals at our own door. Enter: the "
		"wordings of "
		"the replies with that code, then their records, then the message. b: by "
		"signature, "
		"class, cause, side, stage, mailbox provider, destination, egress, sender.",
	.number = 3,
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_N,
	.requests = requests,
	.tile_hint = {.priority = 3, .min_w = 60, .min_h = 5, .want_w = 82, .want_h = 14},
	.refresh = refresh,
	.request = request,
	.enter = enter,
};
