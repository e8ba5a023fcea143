/* SPDX-License-Identifier: MIT */
/* account - sending IPs and their warm-up, plan, credits and reputation. */
#include "backends/sendgrid/json.h"
#include "store/base/buf.h"
#include "store/base/scan.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY_MS INT64_C(86400000)
#define HOUR_S 3600
#define IP_MAX_BYTES 45 /* an IPv6 address as text */
#define POOLS_MAX_BYTES 4096

/* Messages an hour on day 0, 1, ... of the automated warm-up. */
static const int64_t per_hour[SENDGRID_WARMUP_DAYS] = {20, 28, 39, 55, 77, 108, 151, 211, 295, 413,
	579, 810, 1000, 1587, 2222, 3111, 4356, 6098, 8583, 11953, 16734, 23427, 32798, 45917,
	64284, 89998, 125997, 176395, 246953, 345735, 484029, 677640, 948696, 1328175, 1859444,
	2603222, 3644511, 5102316, 7143242, 10000539, 14000754, 19601056};

int64_t sendgrid_day_limit(int64_t day)
{
	return day >= 0 && day < SENDGRID_WARMUP_DAYS ? per_hour[day] : EVENT_UNKNOWN;
}

static bool ip_ok(struct str ip)
{
	for (size_t i = 0; i < ip.n; i++)
		if (!scan_is_alnum(ip.p[i]) && ip.p[i] != '.' && ip.p[i] != ':')
			return false;
	return ip.n && ip.n <= IP_MAX_BYTES;
}

/* warm_since - the day of the warm-up and what it allows; the day boundary is the hour it began at. */
static void warm_since(const struct parse *p, struct api_ip *row)
{
	int64_t day = (p->ask->fetched_ms - row->started_ms) / DAY_MS;

	if (row->started_ms == EVENT_UNKNOWN || p->ask->fetched_ms < row->started_ms || day > 10000)
		return;
	row->day = (int32_t)day;
	row->stages = SENDGRID_WARMUP_DAYS;
	row->limit = row->hourly_limit = sendgrid_day_limit(day);
	row->limit_per_s = row->limit == EVENT_UNKNOWN ? EVENT_UNKNOWN : HOUR_S;
}

static int flag(const json_t *row, const char *name)
{
	const json_t *v = json_object_get(row, name);

	return json_is_boolean(v) ? json_is_true(v) : EVENT_UNKNOWN;
}

/* join_pools - names, or objects with a name, ", "-joined. */
static struct str join_pools(const json_t *list, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		struct str name = json_is_string(v)
					  ? str_make(json_string_value(v), json_string_length(v))
					  : api_json_text(v, "name");

		if (name.n == 0 || buf_str(out).n + name.n + 2 > POOLS_MAX_BYTES)
			continue;
		if (out->n)
			buf_add_z(out, ", ");
		buf_add_str(out, name);
	}
	return out->n ? buf_str(out) : json_is_array(list) ? STR_LIT("") : (struct str){NULL, 0};
}

static int give(struct parse *p, const struct api_ip *row)
{
	return p->sink->ip ? p->sink->ip(p->sink->ctx, row) : 0;
}

/* ip_row - of /v3/ips (warmup, start_date) and /v3/send_ips/ips (is_auto_warmup, is_enabled, region). */
static int ip_row(struct parse *p, const json_t *row)
{
	struct buf pools;
	struct api_ip ip;
	int rc;

	api_ip_init(&ip);
	ip.ip = api_json_text(row, "ip");
	if (!ip_ok(ip.ip))
		return sendgrid_odd(p);
	buf_init(&pools, POOLS_MAX_BYTES * 2);
	ip.pools = join_pools(json_object_get(row, "pools"), &pools);
	ip.rdns = str_first(api_json_text(row, "rdns"), 255);
	ip.region = str_first(api_json_text(row, "region"), 20);
	ip.dedicated = 1; /* shared ones are never listed */
	ip.enabled = flag(row, "is_enabled");
	ip.warming = flag(row, "warmup");
	if (ip.warming == EVENT_UNKNOWN)
		ip.warming = flag(row, "is_auto_warmup");
	if (ip.warming == 1) {
		ip.started_ms = api_json_seconds_ms(row, "start_date");
		warm_since(p, &ip);
	}
	rc = give(p, &ip);
	buf_done(&pools);
	return rc;
}

int sendgrid_ips(struct parse *p, const json_t *root)
{
	return sendgrid_each_row(
		p, json_is_object(root) ? json_object_get(root, "result") : root, ip_row);
}

static int warm_row(struct parse *p, const json_t *row)
{
	struct api_ip ip;

	api_ip_init(&ip);
	ip.ip = api_json_text(row, "ip");
	if (!ip_ok(ip.ip))
		return sendgrid_odd(p);
	ip.warming = 1;
	ip.started_ms = api_json_seconds_ms(row, "start_date");
	warm_since(p, &ip);
	return give(p, &ip);
}

/* sendgrid_warmup - a list; of one address also the object itself. */
int sendgrid_warmup(struct parse *p, const json_t *root)
{
	if (!json_is_object(root))
		return sendgrid_each_row(p, root, warm_row);
	p->result->rows = 1;
	return warm_row(p, root);
}

static int put(struct parse *p, const char *name, struct str value)
{
	return value.n && p->sink->account ? p->sink->account(p->sink->ctx, str_of(name), value)
					   : 0;
}

static int put_number(struct parse *p, const char *name, const json_t *root, const char *member)
{
	char text[24];
	int64_t n = api_json_number(root, member);

	if (n == EVENT_UNKNOWN)
		return 0;
	snprintf(text, sizeof(text), "%" PRId64, n);
	return put(p, name, str_of(text));
}

/* put_share - reputation, 0 to 100 with a fraction, by hand: printf's %g follows the locale. */
static int put_share(struct parse *p, const char *name, const json_t *v)
{
	double d = json_is_number(v) ? json_number_value(v) : -1;
	char text[24];
	int tenths;

	if (!(d >= 0 && d <= 1000))
		return sendgrid_odd(p);
	tenths = (int)(d * 10 + 0.5);
	if (tenths % 10)
		snprintf(text, sizeof(text), "%d.%d", tenths / 10, tenths % 10);
	else
		snprintf(text, sizeof(text), "%d", tenths / 10);
	return put(p, name, str_of(text));
}

int sendgrid_account(struct parse *p, const json_t *root)
{
	const json_t *reputation = json_object_get(root, "reputation");
	int rc;

	if (!json_is_object(root))
		return mt_error_set(p->error, MT_EPROTO, "the answer holds no account");
	p->result->rows = 1;
	rc = put(p, "plan", str_first(api_json_text(root, "type"), 40));
	return rc == 0 && reputation ? put_share(p, "reputation", reputation) : rc;
}

int sendgrid_credits(struct parse *p, const json_t *root)
{
	static const char *const figures[][2] = {{"remain", "credits left"},
		{"total", "credits total"}, {"used", "credits used"}, {"overage", "credits over"}};
	int rc = 0;

	if (!json_is_object(root))
		return mt_error_set(p->error, MT_EPROTO, "the answer holds no credits");
	p->result->rows = 1;
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]) && rc == 0; i++)
		rc = put_number(p, figures[i][1], root, figures[i][0]);
	if (rc == 0)
		rc = put(p, "credits reset", str_first(api_json_text(root, "next_reset"), 10));
	return rc;
}

static int reputation_row(struct parse *p, const json_t *row)
{
	struct str name = str_first(api_json_text(row, "username"), 100);
	char shown[140];

	if (name.n == 0)
		return sendgrid_odd(p);
	snprintf(shown, sizeof(shown), "reputation of %.*s", STR_ARG(name));
	return put_share(p, shown, json_object_get(row, "reputation"));
}

int sendgrid_reputations(struct parse *p, const json_t *root)
{
	return sendgrid_each_row(p, root, reputation_row);
}
