/* SPDX-License-Identifier: MIT */
/* queue_parts - see queue_parts.h. */
#include "tui/panes/queue_parts.h"

#include "tui/panes/vendor.h"

#include <inttypes.h>
#include <string.h>

#define NAME_COLUMNS 9
#define FIGURE_COLUMNS 10
#define CHANGE_COLUMNS 9 /* "+1234/min" */
#define CELL_COLUMNS 2 /* of the small matrix */
#define LEVEL_MAX 4
#define TREND_MIN_COLUMNS 6 /* of the active queue's, beside its limit */
#define THOUSAND 1000

int queue_depths_read(
	struct queue_depths *d, struct reader *r, const struct view *v, struct mt_error *reterr)
{
	int rc = read_queue(r, &v->query, &d->figures, reterr);

	d->next_retry_ms = EVENT_UNKNOWN;
	if (rc == 0)
		rc = read_queue_series(
			r, &v->query, QUEUE_DEFERRED, d->deferred, QUEUE_SLOTS, reterr);
	if (rc == 0)
		rc = read_queue_series(r, &v->query, QUEUE_ACTIVE, d->active, QUEUE_SLOTS, reterr);
	return rc;
}

static void change(struct buf *b, const struct queue_depths *d)
{
	if (d->figures.deferred_per_min != INT64_MIN && d->figures.deferred_per_min != 0)
		(void)buf_printf(b, "%+" PRId64 "/min", d->figures.deferred_per_min);
}

static void oldest(struct buf *b, const struct queue_depths *d, const struct view *v)
{
	if (d->figures.oldest_ms != EVENT_UNKNOWN)
		timefmt_age(b, v->now_ms - d->figures.oldest_ms);
	else
		(void)buf_add_z(b, "?");
}

/* Whole or not at all, as width allows. */
static void next_retry(struct buf *b, const struct queue_depths *d, const struct view *v, int width)
{
	static const char *const words[] = {"   next retry ", "  retry in "};
	struct buf when;

	if (d->next_retry_ms == EVENT_UNKNOWN)
		return;
	buf_init(&when, 64);
	timefmt_age(&when, d->next_retry_ms > v->now_ms ? d->next_retry_ms - v->now_ms : 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (b->n + strlen(words[i]) + when.n > (size_t)width)
			continue;
		(void)buf_add_z(b, words[i]);
		(void)buf_add_z(b, buf_z(&when));
		break;
	}
	buf_done(&when);
}

static bool is_empty(const struct queue_depths *d)
{
	for (int i = QUEUE_INCOMING; i <= QUEUE_HOLD; i++)
		if (d->figures.n[i] != 0)
			return false;
	return true;
}

static enum style limit_style(const struct queue_figures *f, enum style calm)
{
	return f->active_pm >= ACTIVE_NEAR_PM ? STYLE_WARN : calm;
}

/* draw_limit - "of 20k" behind the active queue's figure where its trend keeps some room or has none; near the limit
 * before any trend. Returns the columns used. */
static int draw_limit(const struct queue_figures *f, struct canvas *c, int x, int y, int left)
{
	bool first = f->active_pm >= ACTIVE_NEAR_PM || left < QUEUE_SLOTS / 2;
	int need, used = 0;
	struct buf b;

	if (f->active_limit < 0)
		return 0;
	buf_init(&b, 64);
	if (f->active_limit % THOUSAND == 0 && f->active_limit < THOUSAND * THOUSAND)
		(void)buf_printf(&b, "of %" PRId64 "k", f->active_limit / THOUSAND);
	else if (buf_add_z(&b, "of ") == 0)
		fmt_count_short(&b, f->active_limit);
	need = (int)b.n + 1;
	if (left >= need + TREND_MIN_COLUMNS || (first && left >= (int)b.n)) {
		canvas_text(c, x, y, left, limit_style(f, STYLE_DIM), buf_str(&b));
		used = left >= CHANGE_COLUMNS + QUEUE_SLOTS / 2 ? CHANGE_COLUMNS : need;
	}
	buf_done(&b);
	return used;
}

static void draw_one(const struct queue_depths *d, int queue, struct canvas *c, struct rect line)
{
	const int64_t *trend = queue == QUEUE_DEFERRED ? d->deferred
			       : queue == QUEUE_ACTIVE ? d->active
						       : NULL;
	int x = line.x + NAME_COLUMNS + FIGURE_COLUMNS + 1, left = line.x + line.w - x, used;
	struct buf b;

	buf_init(&b, 64);
	fmt_count(&b, d->figures.n[queue]);
	canvas_printf(c, line.x, line.y, NAME_COLUMNS, STYLE_NORMAL, "%s", queue_word(queue));
	canvas_number(c, line.x + NAME_COLUMNS, line.y, FIGURE_COLUMNS,
		queue == QUEUE_CORRUPT && d->figures.n[queue] > 0 ? STYLE_BAD
		: queue == QUEUE_ACTIVE ? limit_style(&d->figures, STYLE_NORMAL)
					: STYLE_NORMAL,
		buf_str(&b));
	buf_clear(&b);
	if (queue == QUEUE_DEFERRED)
		change(&b, d);
	used = queue == QUEUE_ACTIVE ? draw_limit(&d->figures, c, x, line.y, left) : 0;
	if (trend && !used && left >= CHANGE_COLUMNS + QUEUE_SLOTS / 2) {
		canvas_printf(c, x, line.y, CHANGE_COLUMNS, STYLE_DIM, "%s", buf_z(&b));
		used = CHANGE_COLUMNS;
	}
	x += used;
	left -= used;
	if (left < (queue == QUEUE_ACTIVE && used ? TREND_MIN_COLUMNS : QUEUE_SLOTS / 2))
		trend = NULL;
	if (trend)
		canvas_spark(c, x, line.y, left < QUEUE_SLOTS ? left : QUEUE_SLOTS, STYLE_GRAPH,
			trend, QUEUE_SLOTS, 0);
	buf_done(&b);
}

int queue_depths_draw(
	const struct queue_depths *d, const struct view *v, struct canvas *c, struct rect area)
{
	int y = 0;

	for (int i = 0; i < QUEUE__COUNT && y < area.h; i++)
		draw_one(d, i, c, (struct rect){area.x, area.y + y++, area.w, 1});
	if (y < area.h && !is_empty(d)) {
		struct buf b;

		buf_init(&b, 64);
		(void)buf_add_z(&b, "oldest ");
		oldest(&b, d, v);
		next_retry(&b, d, v, area.w);
		canvas_printf(c, area.x, area.y + y++, area.w, STYLE_DIM, "%s", buf_z(&b));
		buf_done(&b);
	}
	return y;
}

void queue_depths_line(
	const struct queue_depths *d, const struct view *v, struct canvas *c, struct rect area)
{
	static const enum queue_name order[] = {QUEUE_DEFERRED, QUEUE_ACTIVE, QUEUE_INCOMING,
		QUEUE_HOLD, QUEUE_MAILDROP, QUEUE_CORRUPT};
	size_t from = 0, to = 0;
	struct buf b;

	buf_init(&b, 512);
	(void)buf_printf(&b, "%s:  ", queue_source_words(v, d->figures.source));
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		(void)buf_add_z(&b, i ? "  " : "");
		from = order[i] == QUEUE_ACTIVE ? b.n : from;
		(void)buf_printf(&b, "%s ", queue_word((int)order[i]));
		fmt_count(&b, d->figures.n[order[i]]);
		if (order[i] == QUEUE_ACTIVE && d->figures.active_limit >= 0) {
			(void)buf_add_z(&b, " of ");
			fmt_count(&b, d->figures.active_limit);
		}
		to = order[i] == QUEUE_ACTIVE ? b.n : to;
		if (order[i] == QUEUE_DEFERRED && d->figures.deferred_per_min != INT64_MIN) {
			(void)buf_add_char(&b, ' ');
			change(&b, d);
		}
	}
	(void)buf_add_z(&b, "  oldest ");
	oldest(&b, d, v);
	canvas_text(c, area.x, area.y, area.w, STYLE_DIM, buf_str(&b));
	if (d->figures.active_pm >= ACTIVE_NEAR_PM && (int)to <= area.w)
		canvas_text(c, area.x + (int)from, area.y, (int)(to - from), STYLE_WARN,
			str_skip(str_first(buf_str(&b), to), from));
	buf_done(&b);
}

const char *queue_source_words(const struct view *v, enum queue_source source)
{
	if (source == QUEUE_SOURCE_NONE && vendor_is(v, v->query.provider))
		return "not told by vendors";
	return source == QUEUE_SOURCE_SPOOL       ? "from the spool"
	       : source == QUEUE_SOURCE_POSTQUEUE ? "from postqueue"
	       : source == QUEUE_SOURCE_LOG       ? "from the log"
	       : source == QUEUE_SOURCE_LISTING   ? "from its listing"
						  : "not known yet";
}

const char *queue_word_at(const struct view *v, int provider, enum queue_name queue)
{
	if (queue == QUEUE_HOLD &&
		str_eq(provider_kind(v->providers, v->nproviders, provider), STR_LIT("exim")))
		return "frozen";
	return queue_word((int)queue);
}

int matrix_level(int64_t n, int64_t most)
{
	if (n <= 0 || most <= 0)
		return 0;
	return 1 + (int)(n * (LEVEL_MAX - 1) / most);
}

int64_t matrix_most(const struct shape_row *rows, size_t n)
{
	int64_t most = 0;

	for (size_t i = 0; i < n; i++)
		for (int b = 0; b < QSHAPE_BUCKETS; b++)
			most = rows[i].n[b] > most ? rows[i].n[b] : most;
	return most;
}

void matrix_draw(const struct shape_row *rows, size_t n, struct canvas *c, struct rect area)
{
	/* The upper bound of a bucket stands over it; between them there is no room for more. */
	static const struct {
		int bucket;
		const char *text;
	} heads[] = {{0, "5m"}, {3, "40m"}, {6, "5h"}, {8, "21h"}};
	int name = area.w - QSHAPE_BUCKETS * CELL_COLUMNS - 1, x = area.x + name + 1;
	int64_t most = matrix_most(rows, n);

	if (name < 8 || area.h < 2 || n == 0)
		return;
	canvas_printf(c, area.x, area.y, name, STYLE_DIM, "age up to");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		canvas_printf(c, x + heads[i].bucket * CELL_COLUMNS, area.y, 2 * CELL_COLUMNS,
			STYLE_DIM, "%s", heads[i].text);
	for (size_t i = 0; i < n && (int)i + 1 < area.h; i++) {
		int y = area.y + 1 + (int)i;

		canvas_text(c, area.x, y, name, STYLE_NORMAL,
			rows[i].domain.n ? rows[i].domain : STR_LIT("(none)"));
		for (int b = 0; b < QSHAPE_BUCKETS; b++)
			canvas_shade(
				c, x + b * CELL_COLUMNS, y, 1, matrix_level(rows[i].n[b], most));
	}
}
