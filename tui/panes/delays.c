/* SPDX-License-Identifier: MIT */
/* delays - where deliveries spend their time: percentiles of each part of delay=, the longest named. */
#include "tui/panes/cells.h"

enum col { COL_PART, COL_P50, COL_P90, COL_P99, COL_MAX, COL_N, COL_WHAT, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"part", 10, ALIGN_LEFT, 1, false, "a, b, c, d of delays=, and their total delay="},
	{"p50", 8, ALIGN_RIGHT, 2, true, "half of the deliveries took no longer (nearest rank)"},
	{"p90", 8, ALIGN_RIGHT, 1, true, "nine of ten took no longer"},
	{"p99", 8, ALIGN_RIGHT, 2, true, "all but one of a hundred took no longer"},
	{"longest", 8, ALIGN_RIGHT, 3, true, "the longest of the window"},
	{"deliveries", 11, ALIGN_RIGHT, 4, true,
		"sent records of the window; deferred tries are not in it"},
	{"what it is, and what makes it long", 0, ALIGN_LEFT, 1, false,
		"the part's meaning; a ! is behind the part that is longest at p90"},
};

static const char *const parts[DELAY__COUNT] = {
	[DELAY_TOTAL] = "from arrival to the end of the delivery",
	[DELAY_A] = "before the queue manager: receiving the message; long: slow clients, content "
		    "filters "
		    "before the queue, or a message that lay deferred",
	[DELAY_B] = "in the queue manager: waiting for a turn; long: concurrency limits, a busy "
		    "destination, a full active queue",
	[DELAY_C] = "connection set-up: DNS, TCP, TLS, EHLO; long: slow resolver, greeting delays, "
		    "dead hosts tried first",
	[DELAY_D] = "transmission: the message itself and the reply; long: slow line, or a remote "
		    "filter that looks at it",
};

static const char *const longest_words[DELAY__COUNT] = {
	"", "before !", "queue !", "connect !", "transmit !"};

struct delays {
	struct delay_figures figures[DELAY__COUNT];
};

static int worst_part(const struct delay_figures *figures)
{
	int worst = DELAY_A;

	for (int i = DELAY_B; i < DELAY__COUNT; i++)
		if (figures[i].p90_cs > figures[worst].p90_cs)
			worst = i;
	return figures[worst].p90_cs > 0 ? worst : DELAY_TOTAL;
}

static int fill(struct table *t, const struct delay_figures *figures)
{
	int worst = worst_part(figures), rc = cells_begin(t, DELAY__COUNT);

	for (int i = 0; i < DELAY__COUNT && rc == 0; i++) {
		const struct delay_figures *f = &figures[i];
		bool longest = i == worst && i != DELAY_TOTAL;
		struct cell *c = cells_row(
			t, COL__COUNT, (uint64_t)i + 1, longest ? STYLE_WARN : STYLE_NORMAL, f);
		const char *word = i == DELAY_TOTAL ? "total" : delay_word((enum delay_part)i);

		if (!c)
			return MT_ELIMIT;
		c[COL_PART] =
			(struct cell){.text = str_of(longest ? longest_words[i] : word), .sort = i};
		c[COL_P50] = cell_delay(t, f->p50_cs);
		c[COL_P90] = cell_delay(t, f->p90_cs);
		c[COL_P99] = cell_delay(t, f->p99_cs);
		c[COL_MAX] = cell_delay(t, f->max_cs);
		c[COL_N] = cell_count(t, f->n);
		c[COL_WHAT] = cell_words(parts[i]);
	}
	return rc;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct delays *s = state;
	int rc = read_delays(r, &v->query, s->figures, reterr);

	if (rc == 0)
		rc = fill(t, s->figures);
	t->total = (int64_t)t->nrows;
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	(void)state;
	(void)v;
	(void)selected;
	ret->pane = "deliveries";
	ret->query.status = STATUS_SENT;
	target_label(ret, "sent");
	return true;
}

const struct pane_ops pane_delays = {
	.name = "delays",
	.title = "Delays",
	.help = "Percentiles of delay= and of its parts a/b/c/d over the sent records of the "
		"window (Postfix logs two "
		"significant digits). Percentiles of parts don't add up to that of the total. With "
		"a filter they are "
		"not known (?): they are counted over all deliveries. Enter lists deliveries with "
		"their delays: "
		"sort by delay (s).",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_PART,
	.state_bytes = sizeof(struct delays),
	.refresh = refresh,
	.enter = enter,
};
