/* SPDX-License-Identifier: MIT */
/*
 * counts - counters: metrics of /v1/analytics, and the older /v3 stats.
 *
 * Definitions (documentation.mailgun.com, metric definitions): bounced = permanently failed less the three suppressed.
 * Rates are never read (they are strings, and of what they are the share is the vendor's affair).
 */
#include "backends/mailgun/private.h"

#include "backends/http.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define COUNT_MAX INT64_C(1000000000000) /* mails in an hour */

static const char *const set_0[] = {"accepted_outgoing_count", "processed_count", "delivered_count",
	"temporary_failed_count", "permanent_failed_count", "suppressed_bounces_count",
	"suppressed_unsubscribed_count", "suppressed_complaints_count", "hard_bounces_count",
	"soft_bounces_count", NULL};
static const char *const set_1[] = {"delivered_first_attempt_count", "opened_count",
	"unique_opened_count", "clicked_count", "unique_clicked_count", "unsubscribed_count",
	"complained_count", NULL};

static const struct {
	const char *name;
	enum metric metric;
} plain[] = {{"accepted_outgoing_count", METRIC_REQUESTS}, {"processed_count", METRIC_PROCESSED},
	{"delivered_count", METRIC_SENT}, {"temporary_failed_count", METRIC_DEFERRED},
	{"hard_bounces_count", METRIC_HARD_BOUNCES}, {"soft_bounces_count", METRIC_SOFT_BOUNCES},
	{"delivered_first_attempt_count", METRIC_FIRST_TRY}, {"opened_count", METRIC_OPENS},
	{"unique_opened_count", METRIC_UNIQUE_OPENS}, {"clicked_count", METRIC_CLICKS},
	{"unique_clicked_count", METRIC_UNIQUE_CLICKS}, {"unsubscribed_count", METRIC_UNSUBSCRIBES},
	{"complained_count", METRIC_COMPLAINTS}};
#define NPLAIN (sizeof(plain) / sizeof(plain[0]))

const char *const *mailgun_metric_set(int set)
{
	return set == 0 ? set_0 : set_1;
}

uint64_t mailgun_metrics_of(int set)
{
	uint64_t all =
		set == 0 ? UINT64_C(1) << METRIC_BOUNCED | UINT64_C(1) << METRIC_SUPPRESSED : 0;

	for (const char *const *name = mailgun_metric_set(set); *name; name++)
		for (size_t i = 0; i < NPLAIN; i++)
			if (strcmp(plain[i].name, *name) == 0)
				all |= UINT64_C(1) << plain[i].metric;
	return all;
}

/* add - absurd counts are unknown: sums of them must not overflow. */
static void add(struct mailgun_counts *c, enum metric metric, int64_t n)
{
	n = n > COUNT_MAX ? EVENT_UNKNOWN : n;
	if (c->n < MAILGUN_FIGURES_MAX)
		c->figures[c->n++] = (struct api_figure){metric, n};
}

/* sum - EVENT_UNKNOWN when a part is. */
static int64_t sum(int64_t a, int64_t b, int64_t c)
{
	return a < 0 || b < 0 || c < 0 ? EVENT_UNKNOWN : a + b + c;
}

/* less - what is left of the permanent failures; corrections may cross, a count is never negative. */
static int64_t less(int64_t permanent, int64_t suppressed)
{
	if (permanent < 0 || suppressed < 0)
		return EVENT_UNKNOWN;
	return permanent > suppressed ? permanent - suppressed : 0;
}

static void figures_of(const json_t *metrics, struct mailgun_counts *c)
{
	int64_t suppressed = sum(api_json_number(metrics, "suppressed_bounces_count"),
		api_json_number(metrics, "suppressed_unsubscribed_count"),
		api_json_number(metrics, "suppressed_complaints_count"));

	for (size_t i = 0; i < NPLAIN; i++)
		if (json_object_get(metrics, plain[i].name))
			add(c, plain[i].metric, api_json_number(metrics, plain[i].name));
	if (json_object_get(metrics, "permanent_failed_count")) {
		add(c, METRIC_BOUNCED,
			less(api_json_number(metrics, "permanent_failed_count"), suppressed));
		add(c, METRIC_SUPPRESSED, suppressed);
	}
}

static const struct {
	const char *name;
	enum bucket_dim dim;
} dimensions[] = {{"domain", DIM_SENDER}, {"recipient_domain", DIM_DOMAIN},
	{"recipient_provider", DIM_MAILBOX}, {"ip", DIM_IP}, {"tag", DIM_TAG},
	{"subaccount", DIM_SUBACCOUNT}};

/* place_of - time and key of a row, by the names of its dimensions and not their order. False: not to be told. */
static bool place_of(const json_t *row, struct mailgun_counts *c)
{
	const json_t *list = json_object_get(row, "dimensions"), *d;
	size_t i;

	json_array_foreach(list, i, d)
	{
		struct str name = api_json_text(d, "dimension"), value = api_json_text(d, "value");
		bool known = false;

		if (str_eq(name, STR_LIT("time"))) {
			c->start_ms = api_json_date_ms(d, "value");
			if (c->start_ms == EVENT_UNKNOWN)
				return false;
			continue;
		}
		for (size_t k = 0; k < sizeof(dimensions) / sizeof(dimensions[0]); k++) {
			if (!str_eq(name, str_of(dimensions[k].name)))
				continue;
			known = c->dim == DIM_TOTAL && value.n;
			c->dim = dimensions[k].dim;
			c->key = value;
		}
		if (!known)
			return false;
	}
	return json_is_array(list);
}

static int metric_row(struct parse *p, const json_t *row)
{
	struct mailgun_counts c = {.start_ms = EVENT_UNKNOWN};
	const json_t *metrics = json_object_get(row, "metrics");

	if (!json_is_object(metrics) || !place_of(row, &c))
		return mailgun_odd(p);
	figures_of(metrics, &c);
	return p->sink->counts ? p->sink->counts(p->sink->ctx, &c) : 0;
}

static int64_t step_of(const json_t *root)
{
	struct str name = api_json_text(root, "resolution");

	return str_eq(name, STR_LIT("hour")) ? HOUR_MS : str_eq(name, STR_LIT("day")) ? DAY_MS : 0;
}

int mailgun_parse_metrics(struct parse *p, const json_t *root)
{
	struct mailgun_range r = {.from_ms = api_json_date_ms(root, "start"),
		.to_ms = api_json_date_ms(root, "end"),
		.step_ms = step_of(root)};
	int rc = p->sink->range ? p->sink->range(p->sink->ctx, &r) : 0;

	p->result->total = api_json_number(json_object_get(root, "pagination"), "total");
	return rc < 0 ? rc : mailgun_each(p, json_object_get(root, "items"), metric_row);
}

static int64_t deep(const json_t *o, const char *one, const char *two, const char *three)
{
	o = json_object_get(o, one);
	return three ? api_json_number(json_object_get(o, two), three) : api_json_number(o, two);
}

static int stats_row(struct parse *p, const json_t *row)
{
	struct mailgun_counts c = {.dim = p->ask->domain.n ? DIM_SENDER : DIM_TOTAL,
		.key = p->ask->domain,
		.start_ms = api_json_date_ms(row, "time")};
	int64_t suppressed = sum(deep(row, "failed", "permanent", "suppress-bounce"),
		deep(row, "failed", "permanent", "suppress-unsubscribe"),
		deep(row, "failed", "permanent", "suppress-complaint"));
	static const struct {
		const char *event, *part;
		enum metric metric;
	} simple[] = {{"accepted", "outgoing", METRIC_REQUESTS},
		{"delivered", "total", METRIC_SENT}, {"opened", "total", METRIC_OPENS},
		{"opened", "unique", METRIC_UNIQUE_OPENS}, {"clicked", "total", METRIC_CLICKS},
		{"clicked", "unique", METRIC_UNIQUE_CLICKS},
		{"unsubscribed", "total", METRIC_UNSUBSCRIBES},
		{"complained", "total", METRIC_COMPLAINTS}};

	if (c.start_ms == EVENT_UNKNOWN)
		return mailgun_odd(p);
	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		if (deep(row, simple[i].event, simple[i].part, NULL) != EVENT_UNKNOWN)
			add(&c, simple[i].metric, deep(row, simple[i].event, simple[i].part, NULL));
	if (json_object_get(row, "failed")) {
		add(&c, METRIC_DEFERRED, deep(row, "failed", "temporary", "total"));
		add(&c, METRIC_BOUNCED,
			less(deep(row, "failed", "permanent", "total"), suppressed));
		add(&c, METRIC_SUPPRESSED, suppressed);
	}
	return p->sink->counts ? p->sink->counts(p->sink->ctx, &c) : 0;
}

/* The range of v3 stats has both ends in it. */
int mailgun_parse_stats(struct parse *p, const json_t *root)
{
	struct mailgun_range r = {.from_ms = api_json_date_ms(root, "start"),
		.to_ms = api_json_date_ms(root, "end"),
		.step_ms = step_of(root)};
	int rc;

	if (r.to_ms != EVENT_UNKNOWN)
		r.to_ms += r.step_ms;
	rc = p->sink->range ? p->sink->range(p->sink->ctx, &r) : 0;
	return rc < 0 ? rc : mailgun_each(p, json_object_get(root, "stats"), stats_row);
}
