/* SPDX-License-Identifier: MIT */
/*
 * ips - sending IPs, their pools and their warm-up; the account's limit and the key's role.
 *
 * The list of warm-ups and the detail of one call the same things by other names; both are read.
 */
#include "backends/mailgun/private.h"

#include "store/base/buf.h"
#include "store/base/scan.h"

#include <stdio.h>
#include <stdlib.h>

#define VALUE_MAX_BYTES 64
#define PERCENT_MAX 100

static int give_ip(struct parse *p, const struct api_ip *row)
{
	if (!row->ip.n)
		return mailgun_odd(p);
	return p->sink->ip ? p->sink->ip(p->sink->ctx, row) : 0;
}

static int ip_detail(struct parse *p, const json_t *row)
{
	struct api_ip ip;

	api_ip_init(&ip);
	ip.ip = api_json_text(row, "ip");
	ip.warming = api_json_flag(row, "is_on_warmup") == 1; /* absent: not */
	return give_ip(p, &ip);
}

int mailgun_parse_ips(struct parse *p, const json_t *root)
{
	const json_t *list = json_object_get(root, "items"),
		     *details = json_object_get(root, "details"), *one;
	size_t i;
	int rc = 0;

	if (!json_is_array(list))
		return mailgun_misshaped(p, "items");
	json_array_foreach(list, i, one)
	{
		struct api_ip ip;

		api_ip_init(&ip);
		p->result->rows++;
		if (json_is_string(one))
			ip.ip = str_of(json_string_value(one));
		rc = give_ip(p, &ip);
		if (rc < 0)
			return rc;
	}
	if (json_is_array(details)) {
		size_t rows = p->result->rows;

		rc = mailgun_each(p, details, ip_detail);
		p->result->rows = rows;
	}
	return rc;
}

int mailgun_parse_ip(struct parse *p, const json_t *root)
{
	struct api_ip ip;

	api_ip_init(&ip);
	ip.ip = api_json_text(root, "ip");
	ip.rdns = api_json_text(root, "rdns");
	ip.dedicated = api_json_flag(root, "dedicated");
	p->result->rows = 1;
	return give_ip(p, &ip);
}

/* Of each address all pools it is in, in the order of the answer: a walk over the answer for each first mention. */
static bool mentioned_before(const json_t *pools, size_t pool, size_t at, const char *ip)
{
	const json_t *row, *one;
	size_t i, k;

	json_array_foreach(pools, i, row)
	{
		json_array_foreach(json_object_get(row, "ips"), k, one)
		{
			if (i > pool || (i == pool && k >= at))
				return false;
			if (json_is_string(one) && strcmp(json_string_value(one), ip) == 0)
				return true;
		}
	}
	return false;
}

static int give_pools(struct parse *p, const json_t *pools, const char *ip)
{
	static const char *const names[] = {"name", "pool_id", NULL};
	const json_t *row, *one;
	struct api_ip out;
	struct buf all;
	size_t i, k;
	int rc;

	buf_init(&all, 1024);
	json_array_foreach(pools, i, row)
	{
		json_array_foreach(json_object_get(row, "ips"), k, one)
		{
			if (!json_is_string(one) || strcmp(json_string_value(one), ip) != 0)
				continue;
			(void)buf_add_z(&all, all.n ? ", " : "");
			(void)buf_add_str(&all, api_json_first(row, names));
			break;
		}
	}
	api_ip_init(&out);
	out.ip = str_of(ip);
	out.pools = str_make(buf_z(&all), all.n);
	rc = give_ip(p, &out);
	buf_done(&all);
	return rc;
}

#define POOL_ROWS_MAX 2000 /* pools times addresses; an account has tens */

int mailgun_parse_pools(struct parse *p, const json_t *root)
{
	const json_t *pools = json_object_get(root, "ip_pools"), *row, *one;
	size_t i, k, n = 0;
	int rc = 0;

	if (!json_is_array(pools))
		return mailgun_misshaped(p, "ip_pools");
	json_array_foreach(pools, i, row)
	{
		p->result->rows++;
		json_array_foreach(json_object_get(row, "ips"), k, one)
		{
			if (rc < 0 || ++n > POOL_ROWS_MAX)
				return rc;
			if (!json_is_string(one)) {
				rc = mailgun_odd(p);
				continue;
			}
			if (!mentioned_before(pools, i, k, json_string_value(one)))
				rc = give_pools(p, pools, json_string_value(one));
		}
	}
	return rc;
}

/* percent_of - "25%", "25", 25. */
static int32_t percent_of(const json_t *row, const char *name)
{
	struct str text = api_json_text(row, name);
	int64_t n = api_json_number(row, name);
	uint64_t whole;

	if (n == EVENT_UNKNOWN && scan_u64(&text, 3, PERCENT_MAX, &whole))
		n = (int64_t)whole;
	return n >= 0 && n <= PERCENT_MAX ? (int32_t)n : EVENT_UNKNOWN;
}

static int64_t either(const json_t *row, const char *one, const char *other)
{
	int64_t n = api_json_number(row, one);

	return n == EVENT_UNKNOWN ? api_json_number(row, other) : n;
}

static int32_t small(int64_t n)
{
	return n > INT32_MAX ? EVENT_UNKNOWN : (int32_t)n;
}

static void warmup_of(const json_t *row, struct api_ip *ip)
{
	ip->warming = 1;
	ip->percent = percent_of(row, "sent_within_stage");
	ip->stage = small(either(row, "stage_number", "stage"));
	ip->stages = small(api_json_number(row, "total_stages"));
	ip->limit = either(row, "stage_volume_limit", "stage_limit");
	ip->limit_per_s = ip->limit == EVENT_UNKNOWN ? EVENT_UNKNOWN : 0;
	ip->hourly_limit = api_json_number(row, "hourly_limit");
	ip->stage_started_ms = api_json_date_ms(row, "stage_start_time");
	if (ip->stage_started_ms == EVENT_UNKNOWN)
		ip->stage_started_ms = api_json_date_ms(row, "stage_started_at");
	ip->started_ms = api_json_date_ms(row, "plan_started_at");
}

static int warmup_row(struct parse *p, const json_t *row)
{
	struct api_ip ip;

	api_ip_init(&ip);
	ip.ip = api_json_text(row, "ip");
	warmup_of(row, &ip);
	return give_ip(p, &ip);
}

int mailgun_parse_warmups(struct parse *p, const json_t *root)
{
	int rc = mailgun_each(p, json_object_get(root, "items"), warmup_row);

	return rc < 0 ? rc
		      : mailgun_next(p, api_json_text(json_object_get(root, "paging"), "next"));
}

int mailgun_parse_warmup(struct parse *p, const json_t *root)
{
	const json_t *row = json_object_get(root, "details");
	struct api_ip ip;

	if (!json_is_object(row))
		return mailgun_misshaped(p, "details");
	api_ip_init(&ip);
	ip.ip = p->ask->ip.n ? p->ask->ip : api_json_text(row, "ip");
	p->result->rows = 1;
	warmup_of(row, &ip);
	return p->ask->ip.n || ip.ip.n ? give_ip(p, &ip) : 0;
}

static int figure(struct parse *p, struct str name, int64_t n)
{
	char text[VALUE_MAX_BYTES];

	if (n == EVENT_UNKNOWN || !p->sink->account)
		return 0;
	return p->sink->account(p->sink->ctx, name,
		str_make(text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)n)));
}

int mailgun_parse_limit(struct parse *p, const json_t *root)
{
	int rc = figure(p, STR_LIT("monthly limit"), api_json_number(root, "limit"));

	p->result->rows = 1;
	return rc < 0 ? rc
		      : figure(p, STR_LIT("sent this month"), api_json_number(root, "current"));
}

int mailgun_parse_me(struct parse *p, const json_t *root)
{
	struct str role = api_json_text(root, "role");

	p->result->rows = 1;
	return role.n && p->sink->account
		       ? p->sink->account(p->sink->ctx, STR_LIT("role of the key"), role)
		       : 0;
}
