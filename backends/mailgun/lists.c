/* SPDX-License-Identifier: MIT */
/* lists - suppressions, domains with their DNS records, the state of sending queues. */
#include "backends/mailgun/private.h"

#include "store/base/buf.h"

#include <stdio.h>

#define WRONG_MAX_BYTES 400

static enum api_list list_of(enum mailgun_shape shape)
{
	return shape == MAILGUN_BOUNCES      ? API_LIST_BOUNCES
	       : shape == MAILGUN_COMPLAINTS ? API_LIST_COMPLAINTS
	       : shape == MAILGUN_ALLOW      ? API_LIST_ALLOW
					     : API_LIST_UNSUBSCRIBES;
}

static int suppression_row(struct parse *p, const json_t *row)
{
	static const char *const addresses[] = {"address", "value", NULL};
	static const char *const reasons[] = {"error", "reason", NULL};
	struct api_suppression s = {.list = list_of(p->ask->shape),
		.scope = p->ask->domain,
		.address = api_json_first(row, addresses),
		.reason = api_json_first(row, reasons),
		.code = api_json_text(row, "code"),
		.created_ms = api_json_date_ms(row, "created_at")};
	char code[24];
	int64_t n = api_json_number(row, "code");
	struct str tag = {NULL, 0};

	if (s.created_ms == EVENT_UNKNOWN)
		s.created_ms = api_json_date_ms(row, "createdAt");
	if (!s.code.n && n >= 0)
		s.code = str_make(code, (size_t)snprintf(code, sizeof(code), "%lld", (long long)n));
	if (json_is_string(json_array_get(json_object_get(row, "tags"), 0)))
		tag = str_of(json_string_value(json_array_get(json_object_get(row, "tags"), 0)));
	if (!s.reason.n && tag.n && !str_eq(tag, STR_LIT("*"))) /* "*": of all mail */
		s.reason = tag;
	if (!s.address.n)
		return mailgun_odd(p);
	return p->sink->suppression ? p->sink->suppression(p->sink->ctx, &s) : 0;
}

int mailgun_parse_suppressions(struct parse *p, const json_t *root)
{
	int rc = mailgun_each(p, json_object_get(root, "items"), suppression_row);

	return rc < 0 ? rc
		      : mailgun_next(p, api_json_text(json_object_get(root, "paging"), "next"));
}

static int give_domain(struct parse *p, const json_t *row, struct api_domain *d)
{
	static const char *const why[] = {"reason", "code", "note", NULL};
	const json_t *disabled = json_object_get(row, "disabled");

	d->name = api_json_text(row, "name");
	d->state = api_json_text(row, "state");
	d->subaccount = api_json_text(row, "subaccount_id");
	if (json_is_object(disabled))
		d->disabled = api_json_first(disabled, why);
	if (api_json_flag(row, "is_disabled") == 1 && !d->disabled.n)
		d->disabled = STR_LIT("disabled");
	else if (api_json_flag(row, "is_disabled") == 0)
		d->disabled = STR_LIT("");
	if (!d->name.n)
		return mailgun_odd(p);
	return p->sink->domain ? p->sink->domain(p->sink->ctx, d) : 0;
}

static int domain_row(struct parse *p, const json_t *row)
{
	struct api_domain d;

	api_domain_init(&d);
	return give_domain(p, row, &d);
}

int mailgun_parse_domains(struct parse *p, const json_t *root)
{
	p->result->total = api_json_number(root, "total_count");
	return mailgun_each(p, json_object_get(root, "items"), domain_row);
}

static void records_of(const json_t *list, struct api_domain *d, struct buf *wrong)
{
	const json_t *row;
	size_t i;

	d->dns_valid = d->dns_invalid = d->dns_unknown = 0;
	json_array_foreach(list, i, row)
	{
		struct str valid = api_json_text(row, "valid"), name = api_json_text(row, "name");

		if (str_eq(valid, STR_LIT("valid"))) {
			d->dns_valid++;
			continue;
		}
		d->dns_invalid += str_eq(valid, STR_LIT("invalid"));
		d->dns_unknown += !str_eq(valid, STR_LIT("invalid"));
		(void)buf_add_z(wrong, wrong->n ? ", " : "");
		(void)buf_add_str(wrong, api_json_text(row, "record_type"));
		(void)buf_add_z(wrong, " ");
		(void)buf_add_str(wrong, name.n ? name : d->name);
	}
}

int mailgun_parse_domain(struct parse *p, const json_t *root)
{
	const json_t *row = json_object_get(root, "domain"),
		     *list = json_object_get(root, "sending_dns_records");
	struct api_domain d;
	struct buf wrong;
	int rc;

	if (!json_is_object(row))
		return mailgun_misshaped(p, "domain");
	p->result->rows = 1;
	api_domain_init(&d);
	d.name = api_json_text(row, "name");
	buf_init(&wrong, WRONG_MAX_BYTES);
	if (json_is_array(list)) {
		records_of(list, &d, &wrong);
		d.dns_wrong = str_make(buf_z(&wrong), wrong.n);
	}
	rc = give_domain(p, row, &d);
	buf_done(&wrong);
	return rc;
}

int mailgun_parse_queues(struct parse *p, const json_t *root)
{
	const json_t *queue = json_object_get(root, "regular"),
		     *why = json_object_get(queue, "disabled");
	struct api_domain d;

	if (!json_is_object(queue))
		return mailgun_misshaped(p, "regular");
	p->result->rows = 1;
	if (!p->ask->domain.n)
		return 0;
	api_domain_init(&d);
	d.name = p->ask->domain;
	d.queue_disabled = api_json_flag(queue, "is_disabled");
	d.queue_reason = d.queue_disabled == 0 ? STR_LIT("") : api_json_text(why, "reason");
	d.queue_until_ms = d.queue_disabled == 1 ? api_json_date_ms(why, "until") : EVENT_UNKNOWN;
	return p->sink->domain ? p->sink->domain(p->sink->ctx, &d) : 0;
}
