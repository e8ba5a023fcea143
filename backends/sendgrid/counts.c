/* SPDX-License-Identifier: MIT */
/* counts - daily statistics: of the account, by mailbox provider, by category; and bounce classifications. */
#include "backends/sendgrid/json.h"
#include "store/base/zone.h"

#define NAME_MAX_BYTES 200

/* add - a figure out of one member, or out of the sum of several: unknown when one of them is. */
static void add(struct sendgrid_counts *c, enum metric metric, const json_t *metrics,
	const char *const *names)
{
	int64_t sum = 0;

	for (; *names; names++) {
		int64_t n = api_json_number(metrics, *names);

		if (n == EVENT_UNKNOWN)
			return;
		sum += n;
	}
	c->figures[c->n++] = (struct api_figure){metric, sum};
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void read_metrics(struct sendgrid_counts *c, const json_t *m)
{
	c->n = 0;
	add(c, METRIC_REQUESTS, m, NAMES("requests"));
	add(c, METRIC_PROCESSED, m, NAMES("processed"));
	add(c, METRIC_SENT, m, NAMES("delivered"));
	add(c, METRIC_DEFERRED, m, NAMES("deferred"));
	add(c, METRIC_BOUNCED, m, NAMES("bounces", "blocks"));
	add(c, METRIC_BLOCKED, m, NAMES("blocks"));
	if (json_object_get(m, "drops"))
		add(c, METRIC_SUPPRESSED, m, NAMES("drops"));
	else
		add(c, METRIC_SUPPRESSED, m,
			NAMES("bounce_drops", "spam_report_drops", "unsubscribe_drops",
				"invalid_emails"));
	add(c, METRIC_OPENS, m, NAMES("opens"));
	add(c, METRIC_UNIQUE_OPENS, m, NAMES("unique_opens"));
	add(c, METRIC_CLICKS, m, NAMES("clicks"));
	add(c, METRIC_UNIQUE_CLICKS, m, NAMES("unique_clicks"));
	if (json_object_get(m, "unsubscribes"))
		add(c, METRIC_UNSUBSCRIBES, m, NAMES("unsubscribes"));
	add(c, METRIC_COMPLAINTS, m, NAMES("spam_reports"));
}

static int give(struct parse *p, const struct sendgrid_counts *c)
{
	return p->sink->counts ? p->sink->counts(p->sink->ctx, c) : 0;
}

static int stat_row(struct parse *p, int64_t day, const json_t *stat)
{
	static const struct {
		struct str type;
		enum bucket_dim dim;
	} types[] = {{STR_INIT("mailbox_provider"), DIM_MAILBOX}, {STR_INIT("category"), DIM_TAG},
		{STR_INIT("subuser"), DIM_SUBACCOUNT}};
	struct sendgrid_counts c = {.dim = DIM_TOTAL, .day = day};
	const json_t *metrics = json_object_get(stat, "metrics");
	struct str type = api_json_text(stat, "type");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (str_eq(type, types[i].type))
			c.dim = types[i].dim;
	c.key = str_first(api_json_text(stat, "name"), NAME_MAX_BYTES);
	if (!json_is_object(metrics) || (c.dim == DIM_TOTAL) != (c.key.n == 0))
		return sendgrid_odd(p);
	if (c.dim == DIM_TOTAL && p->ask->endpoint != SENDGRID_STATS)
		return sendgrid_odd(p);
	read_metrics(&c, metrics);
	return give(p, &c);
}

static void seen_day(struct parse *p, int64_t day)
{
	if (day < p->result->first_day)
		p->result->first_day = day;
	if (day > p->result->last_day)
		p->result->last_day = day;
}

static int day_row(struct parse *p, const json_t *row)
{
	const json_t *stats = json_object_get(row, "stats");
	int64_t day;
	int rc = 0;

	if (!zone_parse_date(api_json_text(row, "date"), &day) || !json_is_array(stats))
		return sendgrid_odd(p);
	seen_day(p, day);
	for (size_t i = 0; i < json_array_size(stats) && rc == 0; i++)
		rc = stat_row(p, day, json_array_get(stats, i));
	return rc;
}

/* sendgrid_days - [{date, stats: [...]}], or the one object of /v3/categories/stats/sums. */
int sendgrid_days(struct parse *p, const json_t *root)
{
	const json_t *stats = json_object_get(root, "stats");
	int rc = 0;

	if (!json_is_object(root))
		return sendgrid_each_row(p, root, day_row);
	if (!json_is_array(stats))
		return mt_error_set(p->error, MT_EPROTO, "the answer holds no statistics");
	seen_day(p, p->ask->day);
	rc = sendgrid_each_row(p, stats, NULL);
	for (size_t i = 0; i < json_array_size(stats) && rc == 0; i++)
		rc = stat_row(p, p->ask->day, json_array_get(stats, i));
	return rc;
}

static int class_row(struct parse *p, const json_t *row)
{
	const json_t *stats = json_object_get(row, "stats");
	struct sendgrid_counts c = {.dim = DIM_CLASS, .n = 1};
	int rc = 0;

	if (!zone_parse_date(api_json_text(row, "date"), &c.day) || !json_is_array(stats))
		return sendgrid_odd(p);
	seen_day(p, c.day);
	for (size_t i = 0; i < json_array_size(stats) && rc == 0; i++) {
		const json_t *stat = json_array_get(stats, i);

		c.key = str_first(api_json_text(stat, "classification"), NAME_MAX_BYTES);
		c.figures[0] = (struct api_figure){METRIC_BOUNCED, api_json_number(stat, "count")};
		if (c.key.n == 0 && str_present(api_json_text(stat, "domain")))
			continue; /* of one class, by domain: asked by nobody here */
		rc = c.key.n && c.figures[0].n != EVENT_UNKNOWN ? give(p, &c) : sendgrid_odd(p);
	}
	return rc;
}

int sendgrid_classes(struct parse *p, const json_t *root)
{
	return sendgrid_each_row(p, json_object_get(root, "result"), class_row);
}
