/* SPDX-License-Identifier: MIT */
/* daily - see daily.h. Rows lie sorted by (dim, key, day), so that adding finds its row by bisection. */
#include "backends/sendgrid/daily.h"

#include "store/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct daily_row {
	enum bucket_dim dim;
	char *key; /* owned; NULL for DIM_TOTAL */
	size_t key_n;
	int64_t day;
	struct api_figure figures[SENDGRID_FIGURES_MAX];
	size_t n;
};

void daily_init(struct daily *s)
{
	*s = (struct daily){.first_day = INT64_MIN, .last_day = INT64_MAX};
}

void daily_clear(struct daily *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->rows[i].key);
	s->n = 0;
	s->answers = 0;
	s->metrics = 0;
	s->first_day = INT64_MIN;
	s->last_day = INT64_MAX;
}

void daily_done(struct daily *s)
{
	daily_clear(s);
	free(s->rows);
	daily_init(s);
}

static int compare(const struct daily_row *row, const struct sendgrid_counts *c)
{
	size_t n = row->key_n < c->key.n ? row->key_n : c->key.n;
	int rc;

	if (row->dim != c->dim)
		return row->dim < c->dim ? -1 : 1;
	rc = n ? memcmp(row->key, c->key.p, n) : 0;
	if (rc)
		return rc;
	if (row->key_n != c->key.n)
		return row->key_n < c->key.n ? -1 : 1;
	return row->day < c->day ? -1 : row->day > c->day;
}

/* place - index of the first row not before c. */
static size_t place(const struct daily *s, const struct sendgrid_counts *c)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(&s->rows[mid], c) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void insert(struct daily *s, size_t at, const struct sendgrid_counts *c)
{
	struct daily_row *row;

	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->rows = xrealloc(s->rows, s->room * sizeof(s->rows[0]));
	}
	row = &s->rows[at];
	memmove(row + 1, row, (s->n - at) * sizeof(*row));
	*row = (struct daily_row){.dim = c->dim, .day = c->day, .n = c->n};
	if (str_present(c->key)) {
		row->key = xmemdup(c->key.p, c->key.n);
		row->key_n = c->key.n;
	}
	memcpy(row->figures, c->figures, c->n * sizeof(c->figures[0]));
	s->n++;
}

static struct api_figure *find(struct daily_row *row, enum metric metric)
{
	for (size_t i = 0; i < row->n; i++)
		if (row->figures[i].metric == metric)
			return &row->figures[i];
	return NULL;
}

/* merge - a figure that only one of the two has told is unknown from now on. */
static void merge(struct daily_row *row, const struct sendgrid_counts *c)
{
	for (size_t i = 0; i < row->n; i++) {
		bool told = false;

		for (size_t k = 0; k < c->n; k++)
			told |= c->figures[k].metric == row->figures[i].metric;
		if (!told)
			row->figures[i].n = EVENT_UNKNOWN;
	}
	for (size_t k = 0; k < c->n; k++) {
		struct api_figure *f = find(row, c->figures[k].metric);

		if (f && f->n != EVENT_UNKNOWN && c->figures[k].n != EVENT_UNKNOWN)
			f->n += c->figures[k].n;
		else if (f)
			f->n = EVENT_UNKNOWN;
		else
			row->figures[row->n++] =
				(struct api_figure){c->figures[k].metric, EVENT_UNKNOWN};
	}
}

int daily_add(struct daily *s, const struct sendgrid_counts *c, struct mt_error *reterr)
{
	size_t at = place(s, c);

	for (size_t i = 0; i < c->n; i++)
		s->metrics |= UINT64_C(1) << c->figures[i].metric;
	if (at < s->n && compare(&s->rows[at], c) == 0) {
		merge(&s->rows[at], c);
		return 0;
	}
	if (s->n >= DAILY_ROWS_MAX)
		return mt_error_set(
			reterr, MT_ELIMIT, "statistics of more than %d rows", DAILY_ROWS_MAX);
	insert(s, at, c);
	return 0;
}

void daily_answer(struct daily *s, int64_t first_day, int64_t last_day)
{
	s->answers++;
	if (first_day > s->first_day)
		s->first_day = first_day;
	if (last_day < s->last_day)
		s->last_day = last_day;
}

static int write_row(const struct daily *s, const struct daily_row *row, struct store *store,
	int provider, const struct zone *zone, struct mt_error *reterr)
{
	struct api_slot slot = {.dim = row->dim,
		.key = row->key ? str_make(row->key, row->key_n) : (struct str){NULL, 0},
		.start_s = zone_midnight(zone, row->day)};
	struct api_figure figures[METRIC__COUNT];
	size_t n = row->n;

	slot.length_s = zone_midnight(zone, row->day + 1) - slot.start_s;
	memcpy(figures, row->figures, n * sizeof(figures[0]));
	/* What another row of the round told and this one did not is unknown here, not zero. */
	for (int m = 0; m < METRIC__COUNT && n < METRIC__COUNT; m++) {
		bool told = !(s->metrics >> m & 1);

		for (size_t i = 0; i < row->n && !told; i++)
			told = row->figures[i].metric == (enum metric)m;
		if (!told)
			figures[n++] = (struct api_figure){(enum metric)m, EVENT_UNKNOWN};
	}
	return store_api_counts(store, provider, &slot, figures, n, reterr);
}

int daily_write(const struct daily *s, struct store *store, int provider, const struct zone *zone,
	enum bucket_dim dim, int64_t fetched_ms, struct mt_error *reterr)
{
	struct api_cover cover = {.dim = dim, .metrics = s->metrics, .fetched_ms = fetched_ms};
	int rc;

	if (s->answers == 0 || s->last_day < s->first_day || s->metrics == 0)
		return 0;
	cover.from_s = zone_midnight(zone, s->first_day);
	cover.to_s = zone_midnight(zone, s->last_day + 1);
	rc = store_api_covered(store, provider, &cover, reterr);
	for (size_t i = 0; i < s->n && rc == 0; i++) {
		const struct daily_row *row = &s->rows[i];

		if (row->dim == dim && row->day >= s->first_day && row->day <= s->last_day)
			rc = write_row(s, row, store, provider, zone, reterr);
	}
	return rc;
}
