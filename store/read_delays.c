/* SPDX-License-Identifier: MIT */
/* read_delays - nearest-rank percentiles over the delay buckets, whose keys are as logged up to
 * 10,000 s, to three significant digits above. */
#include "store/read_window.h"

#include <stdlib.h>

#define PCT 100

static int by_key(const void *left, const void *right)
{
	const struct sum_row *a = left, *b = right;

	return (a->key > b->key) - (a->key < b->key);
}

/* The smallest delay that at least pct of the deliveries did not exceed (nearest rank). */
static int64_t percentile(const struct sums *s, int64_t total, int pct)
{
	int64_t rank = (total * pct + PCT - 1) / PCT, seen = 0;

	for (size_t i = 0; i < s->n; i++) {
		seen += s->row[i].n[0];
		if (seen >= rank)
			return s->row[i].key;
	}
	return EVENT_UNKNOWN;
}

static int one_part(struct reader *r, const struct query *q, const struct window *w,
	enum delay_part part, struct delay_figures *out, struct mt_error *reterr)
{
	static const enum metric sent[] = {METRIC_SENT};
	struct sums s;
	int rc = sums_read(r, w, (enum bucket_dim)(DIM_DELAY_TOTAL + (int)part), q->provider, false,
		sent, 1, &s, reterr);

	if (rc < 0)
		return rc;
	sums_pack(&s);
	if (s.n)
		qsort(s.row, s.n, sizeof(s.row[0]), by_key);
	for (size_t i = 0; i < s.n; i++) {
		s.row[i].n[0] = s.row[i].n[0] > 0 ? s.row[i].n[0] : 0;
		out->n += s.row[i].n[0];
		if (s.row[i].n[0] > 0)
			out->max_cs = s.row[i].key;
	}
	if (out->n > 0) {
		out->p50_cs = percentile(&s, out->n, 50);
		out->p90_cs = percentile(&s, out->n, 90);
		out->p99_cs = percentile(&s, out->n, 99);
	}
	sums_done(&s);
	return 0;
}

int read_delays(struct reader *r, const struct query *q, struct delay_figures out[DELAY__COUNT],
	struct mt_error *reterr)
{
	bool filtered = str_present(q->domain) || str_present(q->relay_host) ||
			str_present(q->sender_domain) || str_present(q->user) ||
			str_present(q->service) || str_present(q->reply_template) ||
			str_present(q->egress) || q->plan || q->text.n > 0 || q->port != 0 ||
			q->relay_port != 0 || q->code_key != 0;
	struct window w;
	int rc = window_read(r, q, &w, reterr);

	for (int part = 0; rc == 0 && part < DELAY__COUNT; part++) {
		out[part] = (struct delay_figures){filtered ? EVENT_UNKNOWN : 0, EVENT_UNKNOWN,
			EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN};
		if (!filtered)
			rc = one_part(r, q, &w, (enum delay_part)part, &out[part], reterr);
	}
	return rc;
}
