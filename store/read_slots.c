/* SPDX-License-Identifier: MIT */
/* read_slots - counter slots of web APIs within windows; see read_slots.h. */
#include "store/read_slots.h"

#define MS_PER_S 1000
#define ALL_SLOTS_MIN                                                                              \
	6 /* beside providers counted by the minute: shorter windows would be widened out of recognition */
#define SLOT_MAX_S (25 * RES_HOUR) /* the day on which clocks are put back */

static int64_t floor_to(int64_t t, int64_t step)
{
	int64_t rest = t % step;

	return t - (rest < 0 ? rest + step : rest);
}

int slots_load(struct reader *r, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc;

	if (r->api_known)
		return 0;
	r->napi = 0;
	r->local = false;
	rc = rd_prepare(r, READ_API_PROVIDERS, &stmt, reterr);
	while (rc >= 0 && (rc = rd_step(r, stmt, reterr)) > 0) {
		int res = slot_resolution(rd_id(stmt, 1));

		if (res == 0)
			r->local = true;
		else if (r->napi < API_PROVIDERS_MAX)
			r->api[r->napi++] = (struct api_info){
				(int)rd_id(stmt, 0), res, (uint64_t)rd_id(stmt, 2)};
	}
	r->api_known = rc == 0;
	return rc;
}

const struct api_info *slots_of_provider(const struct reader *r, int provider)
{
	for (size_t i = 0; i < r->napi; i++)
		if (r->api[i].provider == provider)
			return &r->api[i];
	return NULL;
}

static int slot_start(struct reader *r, enum read_sql id, const struct api_info *api, int64_t t_s,
	int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, id, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, api->provider);
	rd_bind(stmt, 2, api->res);
	rd_bind(stmt, 3, t_s);
	return rd_int(r, stmt, EVENT_UNKNOWN, ret, reterr);
}

/* The midnight at or before t_s: by the nearest slot that counted anything, 24 h a day from there. */
static int day_start(struct reader *r, const struct api_info *api, int64_t t_s, int64_t *ret,
	struct mt_error *reterr)
{
	int64_t at = EVENT_UNKNOWN;
	int rc = slot_start(r, READ_SLOT_BEFORE, api, t_s, &at, reterr);

	if (rc == 0 && at < 0)
		rc = slot_start(r, READ_SLOT_AFTER, api, t_s, &at, reterr);
	at = at < 0 ? 0 : at;
	if (t_s - at >= 0 && t_s - at < SLOT_MAX_S && t_s - at >= RES_DAY) {
		int64_t next = EVENT_UNKNOWN; /* 25 hours, unless the next day counted */

		rc = rc == 0 ? slot_start(r, READ_SLOT_AFTER, api, at + 1, &next, reterr) : rc;
		*ret = next == at + SLOT_MAX_S ? at : at + RES_DAY;
		return rc;
	}
	*ret = at + floor_to(t_s - at, RES_DAY);
	return rc;
}

/* [from_s, to_s) to whole slots of a provider. */
static int widen(struct reader *r, const struct api_info *api, int64_t *from_s, int64_t *to_s,
	struct mt_error *reterr)
{
	int64_t length = api->res - 1, start = 0, next = EVENT_UNKNOWN;
	int rc;

	if (api->res != RES_SLOT_DAY) {
		*from_s = floor_to(*from_s, length);
		*to_s = floor_to(*to_s + length - 1, length);
		return 0;
	}
	rc = day_start(r, api, *from_s, from_s, reterr);
	if (rc == 0)
		rc = day_start(r, api, *to_s - 1, &start, reterr);
	if (rc == 0)
		rc = slot_start(r, READ_SLOT_AFTER, api, start + 1, &next, reterr);
	*to_s = next > start && next <= start + SLOT_MAX_S ? next : start + RES_DAY;
	return rc;
}

static void add_segment(struct window *w, int res)
{
	for (size_t i = 0; i < w->nseg; i++)
		if (w->seg[i].res == (enum bucket_resolution)res)
			return;
	if (w->nseg < WINDOW_SEGMENTS_MAX)
		w->seg[w->nseg++] =
			(struct segment){(enum bucket_resolution)res, w->from_s, w->to_s};
}

/* Edges moved out: tiled anew, keeping what is said of pruned minutes. */
static int tile(struct reader *r, struct window *w, int64_t from_s, int64_t to_s, int slot_s,
	struct mt_error *reterr)
{
	struct window wide;
	int rc = window_of(r, from_s * MS_PER_S, to_s * MS_PER_S, &wide, reterr);

	if (rc < 0)
		return rc;
	wide.slot_s = slot_s;
	wide.left_out_s = w->left_out_s;
	wide.asked_to_s = w->asked_to_s;
	if (wide.from_s != w->from_s || wide.to_s != w->to_s)
		wide.res_s = slot_s > wide.res_s ? slot_s : wide.res_s;
	*w = wide;
	return 0;
}

int slots_window(
	struct reader *r, int provider, bool whole, struct window *w, struct mt_error *reterr)
{
	static const int coarse_first[] = {RES_SLOT_DAY, RES_SLOT_HOUR, RES_SLOT_QUARTER};
	int64_t from_s = w->from_s, to_s = w->to_s, length_s = w->to_s - w->from_s;
	bool included[sizeof(coarse_first) / sizeof(coarse_first[0])] = {false};
	const struct api_info *one;
	int rc = slots_load(r, reterr), slot_s = 0;

	w->asked_to_s = w->to_s;
	if (rc < 0 || r->napi == 0 || length_s <= 0)
		return rc;
	one = provider ? slots_of_provider(r, provider) : NULL;
	if (provider && !one)
		return 0;
	for (size_t i = 0; i < sizeof(coarse_first) / sizeof(coarse_first[0]); i++)
		for (size_t k = 0; rc == 0 && k < r->napi; k++) {
			const struct api_info *api = &r->api[k];

			if (api->res != coarse_first[i] || (one && api != one))
				continue;
			if (!whole && length_s < (api->res - 1) *
							 (one || !r->local ? 1 : ALL_SLOTS_MIN)) {
				if (!w->left_out_s || w->left_out_s > api->res - 1)
					w->left_out_s = api->res - 1;
				continue;
			}
			if (!included[i])
				rc = widen(r, api, &from_s, &to_s, reterr);
			included[i] = true;
			slot_s = api->res - 1 > slot_s ? api->res - 1 : slot_s;
		}
	if (rc == 0 && slot_s)
		rc = tile(r, w, from_s, to_s, slot_s, reterr);
	for (size_t i = 0; rc == 0 && i < sizeof(coarse_first) / sizeof(coarse_first[0]); i++)
		if (included[i])
			add_segment(w, coarse_first[i]);
	if (rc == 0 && one && w->left_out_s) {
		w->left_out_s = 0;
		w->differences = true;
		add_segment(w, RES_DIFFERENCE);
	}
	return rc;
}

int slots_coverage(struct reader *r, int provider, struct coverage *out, struct mt_error *reterr)
{
	int64_t first_ms, until_ms;
	sqlite3_stmt *stmt;
	int rc = slots_load(r, reterr);

	if (rc < 0 || r->napi == 0 || (provider && !slots_of_provider(r, provider)))
		return rc;
	rc = rd_prepare(r, READ_API_SPAN, &stmt, reterr);
	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rc = rd_step(r, stmt, reterr);
	if (rc <= 0)
		return rc;
	first_ms = rd_num(stmt, 0) < 0 ? EVENT_UNKNOWN : rd_num(stmt, 0) * MS_PER_S;
	until_ms = rd_num(stmt, 1);
	sqlite3_reset(stmt);
	if (first_ms < 0)
		return 0;
	if (provider || out->first_ms < 0 || first_ms < out->first_ms)
		out->first_ms = first_ms;
	if (provider || until_ms > out->newest_ms)
		out->newest_ms = until_ms;
	if (until_ms > out->until_ms)
		out->until_ms = until_ms;
	return 0;
}

int slots_covered(struct reader *r, int provider, int dim, int64_t from_s, int64_t to_s, bool *ret,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int64_t n = 0;
	int rc = rd_prepare(r, READ_API_COVERS, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, dim);
	rd_bind(stmt, 3, from_s);
	rd_bind(stmt, 4, to_s);
	rc = rd_int(r, stmt, 0, &n, reterr);
	*ret = n > 0;
	return rc;
}

static bool looks_at(const struct window *w, int res)
{
	for (size_t i = 0; i < w->nseg; i++)
		if (w->seg[i].res == (enum bucket_resolution)res)
			return true;
	return false;
}

static int metrics_of(
	struct reader *r, int provider, enum bucket_dim dim, int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;
	int rc = rd_prepare(r, READ_API_METRICS, &stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(stmt, 1, provider);
	rd_bind(stmt, 2, dim);
	return rd_int(r, stmt, 0, ret, reterr);
}

int slots_metrics(struct reader *r, int provider, const struct window *w, enum bucket_dim dim,
	uint64_t *ret, bool *ret_any, struct mt_error *reterr)
{
	int rc = slots_load(r, reterr);

	*ret = 0;
	*ret_any = false;
	for (size_t i = 0; rc == 0 && i < r->napi; i++) {
		const struct api_info *api = &r->api[i];
		struct coverage c = {EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN};
		int64_t metrics = 0;
		bool known = false;

		if (provider && api->provider != provider)
			continue;
		rc = slots_coverage(r, api->provider, &c, reterr);
		if (rc == 0 && w->differences)
			rc = slots_covered(r, api->provider, -1, w->from_s,
				c.until_ms / MS_PER_S / RES_MINUTE * RES_MINUTE < w->to_s
					? c.until_ms / MS_PER_S / RES_MINUTE * RES_MINUTE
					: w->to_s,
				&known, reterr);
		else if (rc == 0)
			known = looks_at(w, api->res) && c.first_ms >= 0 &&
				w->to_s * MS_PER_S > c.first_ms &&
				w->from_s * MS_PER_S <= c.until_ms;
		if (rc < 0 || !known)
			continue;
		if (!w->differences || dim == DIM_TOTAL)
			rc = metrics_of(r, api->provider, dim, &metrics, reterr);
		*ret = *ret_any ? *ret & (uint64_t)metrics : (uint64_t)metrics;
		*ret_any = true;
	}
	return rc;
}
