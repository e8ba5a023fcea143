/* SPDX-License-Identifier: MIT */
/* read_warmups - every plan of the configuration with its days and verdict; see warmup_board.h. */
#include "store/base/mem.h"
#include "store/warmup_board.h"

#include <stdlib.h>

static int full(struct mt_error *reterr)
{
	return mt_error_set(reterr, MT_ELIMIT, "too many days of warm-up plans");
}

static int read_one(struct reader *r, const struct warmup_plan *p, int64_t now_ms, struct arena *a,
	struct warmup_row *out, struct mt_error *reterr)
{
	struct warmup_day *days = xcalloc(WARMUP_DAYS_MAX, sizeof(days[0]));
	size_t n = warmup_days(p, now_ms, days, WARMUP_DAYS_MAX);
	int rc = read_warmup(r, p, days, n, &out->known, reterr);

	out->plan = p;
	out->ndays = n;
	out->days = arena_alloc(a, n * sizeof(days[0]) + 1);
	out->caps = arena_alloc(a, n * sizeof(out->caps[0]) + 1);
	if (rc == 0 && (!out->days || !out->caps))
		rc = full(reterr);
	if (rc == 0) {
		if (n)
			memcpy(out->days, days, n * sizeof(days[0]));
		warmup_history(p, days, n, out->caps);
		warmup_judge(p, days, n, now_ms, &out->status);
		if (n) /* what may be sent today, gates of today counted */
			out->caps[n - 1] = out->status.cap;
	}
	free(days);
	return rc;
}

int read_warmups(struct reader *r, const struct warmup_plans *plans, int64_t now_ms,
	struct arena *a, struct warmup_row **ret, size_t *ret_n, struct mt_error *reterr)
{
	size_t n = plans ? plans->n : 0;
	struct warmup_row *rows = arena_alloc(a, n * sizeof(rows[0]) + 1);
	int rc = rows ? 0 : full(reterr);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = read_one(r, &plans->plan[i], now_ms, a, &rows[i], reterr);
	*ret = rows;
	*ret_n = rc == 0 ? n : 0;
	return rc;
}

static void gate_reason(struct buf *out, const struct gate_result *g)
{
	struct buf b;

	buf_init(&b, 64);
	if (g->box >= 0)
		buf_printf(out, "%s ", mailbox_name((enum mailbox)g->box));
	buf_add_z(out, g->name);
	if (g->n != EVENT_UNKNOWN) {
		fmt_pct(&b, g->k, g->n);
		buf_printf(out, " %s", buf_z(&b));
		buf_clear(&b);
		fmt_count(&b, g->n);
		buf_printf(out, " of %s", buf_z(&b));
	} else if (g->k != EVENT_UNKNOWN) {
		fmt_count(&b, g->k);
		buf_printf(out, ", %s times", buf_z(&b));
	}
	if (g->before)
		buf_add_z(out, " (last sending day)");
	buf_done(&b);
}

void warmup_reason(struct buf *out, const struct warmup_row *row)
{
	const struct warmup_status *s = &row->status;

	switch (s->state) {
	case WARMUP_COLD:
		if (!s->begun)
			buf_add_z(out, "the plan has not begun");
		else if (s->sending_days == 0)
			buf_add_z(out, row->known ? "nothing was sent since the start"
						  : "no mail of this egress was ever met");
		else
			buf_printf(out, "nothing was sent for %lld days: begin anew",
				(long long)s->idle_days);
		break;
	case WARMUP_DONE:
		buf_add_z(out, "the target is reached");
		break;
	case WARMUP_HOLD:
	case WARMUP_BACK_OFF:
		if (s->ngates)
			gate_reason(out, &s->gate[0]);
		break;
	case WARMUP_AHEAD:
		buf_printf(out, "over the cap%s%s: a risk", s->over >= 0 ? " of " : "",
			s->over >= 0 ? mailbox_name((enum mailbox)s->over) : "");
		break;
	case WARMUP_STALLED:
		buf_printf(out, "%lld sending days without passing a stage", (long long)s->stalled);
		break;
	case WARMUP_BEHIND:
		buf_add_z(out, "less than 90% of the pace delivered: harmless");
		break;
	case WARMUP_ON_TRACK:
	case WARMUP__STATES:
		break;
	}
}
