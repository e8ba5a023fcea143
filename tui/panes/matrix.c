/* SPDX-License-Identifier: MIT */
/* matrix - recipients in the queue by domain and age, as qshape(1) counts them; Enter lists a domain's messages. */
#include "tui/panes/queue_parts.h"

#define AGE_COLUMN(name, priority, help)                                                           \
	{                                                                                          \
		name, 5, ALIGN_RIGHT, priority, true, help                                         \
	}

enum col { COL_DOMAIN, COL_TOTAL, COL_AGE, COL__COUNT = COL_AGE + QSHAPE_BUCKETS };

static const struct column columns[COL__COUNT] = {
	{"domain", 0, ALIGN_LEFT, 1, false,
		"of the recipient; by key b of the sender, (none) for notifications"},
	{"total", 5, ALIGN_RIGHT, 1, true, "recipients in the queue; by sender: messages"},
	AGE_COLUMN("<5m", 4, "queued for less than 5 minutes"),
	AGE_COLUMN("<10m", 3, "5 to 10 minutes"),
	AGE_COLUMN("<20m", 2, "10 to 20 minutes"),
	AGE_COLUMN("<40m", 2, "20 to 40 minutes"),
	AGE_COLUMN("<80m", 2, "40 to 80 minutes"),
	AGE_COLUMN("<160m", 2, "80 to 160 minutes"),
	AGE_COLUMN("<5h", 2, "160 to 320 minutes"),
	AGE_COLUMN("<11h", 2, "320 to 640 minutes"),
	AGE_COLUMN("<21h", 2, "640 to 1280 minutes"),
	AGE_COLUMN("older", 2, "1280 minutes and more"),
};

static const enum request requests[] = {REQ_BY_SENDER, REQ_NONE};

struct matrix {
	bool by_sender;
	struct queue_depths depths;
};

static uint64_t identity(struct str domain)
{
	uint64_t h = UINT64_C(1469598103934665603);

	for (size_t i = 0; i < domain.n; i++)
		h = (h ^ (unsigned char)domain.p[i]) * UINT64_C(1099511628211);
	return h;
}

static void fill(struct table *t, const struct shape_row *row, int64_t most)
{
	struct cell *c = cells_row(t, COL__COUNT, identity(row->domain), STYLE_NORMAL, row);

	if (!c)
		return;
	c[COL_DOMAIN] = cell_text(t, row->domain.n ? row->domain : STR_LIT("(none)"));
	c[COL_TOTAL] = cell_count(t, row->total);
	for (int b = 0; b < QSHAPE_BUCKETS; b++) {
		if (row->n[b] > 0)
			c[COL_AGE + b] = cell_count(t, row->n[b]);
		c[COL_AGE + b].sort = row->n[b];
		c[COL_AGE + b].shade = 1 + matrix_level(row->n[b], most);
	}
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct matrix *s = state;
	struct shape_row *rows = NULL;
	size_t n = 0;
	int rc = queue_depths_read(&s->depths, r, v, reterr);

	if (rc == 0)
		rc = read_queue_shape(r, &v->query, s->by_sender, &t->arena, &rows, &n, reterr);
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, &rows[i], matrix_most(rows, n));
	t->empty = STR_LIT(
		"no message is listed: the queue is empty, or it can't be read (see :providers)");
	return rc;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct matrix *s = state;

	(void)t;
	queue_depths_line(&s->depths, v, c, (struct rect){area.x + 1, area.y, area.w - 1, 1});
	canvas_printf(c, area.x + 1, area.y + 1, area.w - 1, STYLE_DIM, "by %s domain (b: by %s)%s",
		s->by_sender ? "sender" : "recipient", s->by_sender ? "recipient" : "sender",
		v->live ? "" : ", as of now, not of the instant looked at");
	return 2;
}

static void turn(void *state, const struct view *v)
{
	struct matrix *s = state;

	(void)v;
	s->by_sender = !s->by_sender;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct matrix *s = state;
	const struct shape_row *row = selected->ref;

	(void)v;
	if (row->domain.n == 0)
		return false;
	ret->pane = "queue";
	if (s->by_sender)
		ret->query.sender_domain = row->domain;
	else
		ret->query.domain = row->domain;
	target_label(ret, "%s%.*s", s->by_sender ? "from " : "", STR_ARG(row->domain));
	return true;
}

const struct pane_ops pane_matrix = {
	.name = "matrix",
	.title = "Queue by age and domain",
	.help = "Recipients in all queues by their domain and for how long they have been there, "
		"as "
		"qshape(1) counts them: a wide domain on the right is one that does not take mail. "
		"By sender domain (b) it is messages: who fills the queue.\n"
		"Made at the end of each listing of the queue.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_TOTAL,
	.requests = requests,
	.state_bytes = sizeof(struct matrix),
	.refresh = refresh,
	.draw = draw,
	.turn = turn,
	.enter = enter,
};
