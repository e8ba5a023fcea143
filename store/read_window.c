/* SPDX-License-Identifier: MIT */
/* read_window - windows as segments of buckets and as ranges of row ids; see read_window.h. */
#include "store/read_slots.h"

#define MS_PER_S 1000
#define TIME_MAX_S 253402300800 /* end of the year 9999 */
#define MARKS_AFTER                                                                                \
	10 /* rows may be logged this many minutes late and still be found in a window of the past */

static int64_t floor_to(int64_t t, int64_t step)
{
	int64_t rest = t % step;

	return t - (rest < 0 ? rest + step : rest);
}

static int64_t ceil_to(int64_t t, int64_t step)
{
	return floor_to(t + step - 1, step);
}

static size_t add_segment(
	struct segment *out, size_t n, enum bucket_resolution res, int64_t from_s, int64_t to_s)
{
	if (to_s <= from_s)
		return n;
	out[n] = (struct segment){res, from_s, to_s};
	return n + 1;
}

size_t window_split(
	int64_t from_s, int64_t to_s, int finest_s, struct segment out[WINDOW_SEGMENTS_MAX])
{
	int64_t hour0 = ceil_to(from_s, RES_HOUR), hour1 = floor_to(to_s, RES_HOUR);
	int64_t day0 = ceil_to(from_s, RES_DAY), day1 = floor_to(to_s, RES_DAY);
	enum bucket_resolution finest = finest_s == RES_HOUR ? RES_HOUR : RES_MINUTE;
	size_t n = 0;

	if (to_s <= from_s)
		return 0;
	if (hour0 >= hour1)
		return add_segment(out, 0, finest, from_s, to_s);
	if (day0 > day1 || day0 >= hour1 || day1 <= hour0)
		day0 = day1 = hour1; /* no whole day inside */
	n = add_segment(out, n, finest, from_s, hour0);
	n = add_segment(out, n, RES_HOUR, hour0, day0);
	n = add_segment(out, n, RES_DAY, day0, day1);
	n = add_segment(out, n, RES_HOUR, day1, hour1);
	return add_segment(out, n, finest, hour1, to_s);
}

static int first_bucket(struct reader *r, enum read_sql id, int provider,
	enum bucket_resolution res, int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, id, &stmt, reterr);

	if (rc < 0)
		return rc;
	if (id == READ_BUCKET_FLOOR) {
		rd_bind(stmt, 1, res);
	} else {
		rd_bind(stmt, 1, provider);
		rd_bind(stmt, 2, res);
	}
	return rd_int(r, stmt, EVENT_UNKNOWN, ret, reterr);
}

static int floors_read(struct reader *r, struct mt_error *reterr)
{
	int rc = 0;

	if (r->floors.known)
		return 0;
	rc = first_bucket(r, READ_BUCKET_FLOOR, 0, RES_MINUTE, &r->floors.minute_s, reterr);
	if (rc == 0)
		rc = first_bucket(r, READ_BUCKET_FLOOR, 0, RES_HOUR, &r->floors.hour_s, reterr);
	r->floors.known = rc == 0;
	return rc;
}

int coverage_local(struct reader *r, int provider, struct coverage *out, struct mt_error *reterr)
{
	int64_t minute_s, hour_s, newest_s, newest_ms = EVENT_UNKNOWN, ok_ms = EVENT_UNKNOWN;
	sqlite3_stmt *stmt;
	int rc = first_bucket(r, READ_BUCKET_FIRST, provider, RES_MINUTE, &minute_s, reterr);

	if (rc == 0)
		rc = first_bucket(r, READ_BUCKET_FIRST, provider, RES_HOUR, &hour_s, reterr);
	if (rc == 0)
		rc = first_bucket(r, READ_BUCKET_NEWEST, provider, RES_MINUTE, &newest_s, reterr);
	if (rc == 0 && newest_s < 0)
		rc = first_bucket(r, READ_BUCKET_NEWEST, provider, RES_HOUR, &newest_s, reterr);
	if (rc == 0)
		rc = rd_prepare(r, READ_SOURCE_TIMES, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rc = rd_step(r, stmt, reterr);
	if (rc < 0)
		return rc;
	if (rc > 0) {
		newest_ms = rd_num(stmt, 0);
		ok_ms = rd_num(stmt, 1);
		sqlite3_reset(stmt);
	}
	/* the hour bucket begins before the first record: a minute of the same hour tells better */
	if (minute_s >= 0 && (hour_s < 0 || hour_s >= floor_to(minute_s, RES_HOUR)))
		out->first_ms = minute_s * MS_PER_S;
	else
		out->first_ms = hour_s < 0 ? EVENT_UNKNOWN : hour_s * MS_PER_S;
	out->newest_ms = newest_s < 0 ? EVENT_UNKNOWN : newest_s * MS_PER_S;
	if (newest_s >= 0 && newest_ms > out->newest_ms)
		out->newest_ms = newest_ms;
	out->until_ms = out->newest_ms >= 0 && ok_ms > out->newest_ms ? ok_ms : out->newest_ms;
	return 0;
}

int coverage_read(struct reader *r, int provider, struct coverage *out, struct mt_error *reterr)
{
	int rc = coverage_local(r, provider, out, reterr);

	return rc < 0 ? rc : slots_coverage(r, provider, out, reterr);
}

int window_of(
	struct reader *r, int64_t t0_ms, int64_t t1_ms, struct window *out, struct mt_error *reterr)
{
	int rc = floors_read(r, reterr);
	int64_t from_s = floor_to(t0_ms, RES_MINUTE * MS_PER_S) / MS_PER_S;
	int64_t to_s = ceil_to(t1_ms, RES_MINUTE * MS_PER_S) / MS_PER_S;
	bool pruned;

	if (rc < 0)
		return rc;
	from_s = from_s < 0 ? 0 : from_s;
	to_s = to_s > TIME_MAX_S ? TIME_MAX_S : to_s;
	*out = (struct window){.from_s = from_s, .to_s = to_s, .res_s = RES_MINUTE};
	/* minutes are kept for less time than hours: an edge that lies before them takes its whole hour */
	pruned = r->floors.hour_s >= 0 &&
		 (r->floors.minute_s < 0 ||
			 r->floors.hour_s < floor_to(r->floors.minute_s, RES_HOUR));
	if (pruned && (r->floors.minute_s < 0 || from_s < r->floors.minute_s)) {
		out->minutes_gone = true;
		out->from_s = floor_to(from_s, RES_HOUR);
		if (r->floors.minute_s < 0 || to_s <= ceil_to(r->floors.minute_s, RES_HOUR))
			out->to_s = ceil_to(to_s, RES_HOUR);
		if (out->from_s != from_s || out->to_s != to_s)
			out->res_s = RES_HOUR;
	}
	out->asked_to_s = out->to_s;
	out->nseg = window_split(out->from_s, out->to_s, RES_MINUTE, out->seg);
	return 0;
}

int window_read(
	struct reader *r, const struct query *q, struct window *out, struct mt_error *reterr)
{
	struct coverage covered;
	int rc;

	if (q->t0_ms != 0 || q->t1_ms != 0) {
		rc = window_of(r, q->t0_ms, q->t1_ms, out, reterr);
		return rc < 0 ? rc : slots_window(r, q->provider, false, out, reterr);
	}
	rc = coverage_read(r, q->provider, &covered, reterr);
	if (rc < 0)
		return rc;
	if (covered.first_ms < 0) {
		*out = (struct window){.res_s = RES_MINUTE};
		return 0;
	}
	rc = window_of(r, covered.first_ms, covered.newest_ms + 1, out, reterr);
	return rc < 0 ? rc : slots_window(r, q->provider, true, out, reterr);
}

int window_before(struct reader *r, int provider, const struct window *w, struct window *out,
	struct mt_error *reterr)
{
	int64_t length_s = w->to_s - w->from_s;
	int rc = window_of(r, (w->from_s - length_s) * MS_PER_S, w->from_s * MS_PER_S, out, reterr);

	return rc < 0 ? rc : slots_window(r, provider, false, out, reterr);
}

/* The highest of the lowest ids of the minutes [from, to) and of the next MARKS_AFTER minutes with rows; when
 * fewer follow there is no bound. */
static int high_of(struct reader *r, int provider, int64_t from_s, int64_t to_s,
	enum mark_column column, int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int64_t high = 0;
	int rc = rd_prepare(r, READ_MARK_HIGH, &stmt, reterr), followers = 0;

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, from_s);
	rd_bind(stmt, 3, to_s);
	rc = rd_step(r, stmt, reterr);
	if (rc > 0) {
		high = rd_id(stmt, (int)column);
		sqlite3_reset(stmt);
	}
	if (rc >= 0)
		rc = rd_prepare(r,
			column == MARK_MESSAGE   ? READ_MARK_NEXT_MESSAGE
			: column == MARK_ATTEMPT ? READ_MARK_NEXT_ATTEMPT
						 : READ_MARK_NEXT_REJECT,
			&stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, to_s);
	rd_bind(stmt, 3, MARKS_AFTER);
	while ((rc = rd_step(r, stmt, reterr)) > 0) {
		int64_t id = rd_id(stmt, 0);

		high = id > high ? id : high;
		followers++;
	}
	*ret = followers < MARKS_AFTER ? INT64_MAX : high;
	return rc;
}

/* The lowest id of the rows since from_s; 0: there are none. */
static int low_of(struct reader *r, int provider, int64_t from_s, enum mark_column column,
	int64_t *ret, struct mt_error *reterr)
{
	struct lows *low = r->lows;
	sqlite3_stmt *stmt;
	int rc;

	while (low < r->lows + LOWS_KEPT && (low->provider != provider || low->from_s != from_s))
		low++;
	if (low < r->lows + LOWS_KEPT) {
		*ret = low->id[column];
		return 0;
	}
	rc = rd_prepare(r, READ_MARK_LOW, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, from_s);
	rc = rd_step(r, stmt, reterr);
	if (rc < 0)
		return rc;
	low = &r->lows[r->next_low++ % LOWS_KEPT];
	*low = (struct lows){.provider = provider, .from_s = from_s};
	for (int i = 0; rc > 0 && i < 3; i++)
		low->id[i] = rd_id(stmt, i);
	sqlite3_reset(stmt);
	*ret = low->id[column];
	return 0;
}

static int ids_of(struct reader *r, int provider, int64_t from_s, int64_t to_s,
	enum mark_column column, struct id_range *io, struct mt_error *reterr)
{
	int64_t low = 0, high = 0;
	int rc = low_of(r, provider, from_s, column, &low, reterr);

	if (rc < 0 || low == 0)
		return rc; /* no rows since */
	rc = slots_load(r, reterr);
	if (rc == 0 && slots_of_provider(r, provider))
		high = INT64_MAX; /* events of APIs come in any order */
	else if (rc == 0)
		rc = high_of(r, provider, from_s, to_s, column, &high, reterr);
	if (rc < 0)
		return rc;
	io->low = low < io->low ? low : io->low;
	io->high = high > io->high ? high : io->high;
	return 0;
}

#define PROVIDERS_MAX 256

int window_ids(struct reader *r, int provider, int64_t from_ms, int64_t to_ms,
	enum mark_column column, struct id_range *out, struct mt_error *reterr)
{
	int ids[PROVIDERS_MAX], n = 0, rc;
	int64_t from_s = floor_to(from_ms, RES_MINUTE * MS_PER_S) / MS_PER_S;
	int64_t to_s = ceil_to(to_ms, RES_MINUTE * MS_PER_S) / MS_PER_S;

	*out = (struct id_range){INT64_MAX, 0};
	rc = provider_list(r, provider, ids, PROVIDERS_MAX, &n, reterr);
	for (int i = 0; rc >= 0 && i < n; i++)
		rc = ids_of(r, ids[i], from_s, to_s, column, out, reterr);
	return rc < 0 ? rc : 0;
}

int provider_list(
	struct reader *r, int provider, int *ids, int max, int *ret_n, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc, n = 0;

	if (provider) {
		ids[0] = provider;
		*ret_n = 1;
		return 0;
	}
	rc = rd_prepare(r, READ_PROVIDER_IDS, &stmt, reterr);
	while (rc >= 0 && (rc = rd_step(r, stmt, reterr)) > 0)
		if (n < max)
			ids[n++] = (int)rd_id(stmt, 0);
	*ret_n = n;
	return rc;
}
