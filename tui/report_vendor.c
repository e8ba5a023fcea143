/* SPDX-License-Identifier: MIT */
/* report_vendor - what a report has of accounts at vendors beside the totals; as JSON alone. The contract is in report.h. */
#include "store/base/jsonout.h"
#include "tui/report.h"

#include <inttypes.h>

#define MINUTE_S 60

static const char *const list_names[API_LIST__SUPPRESSIONS] = {
	"bounces", "complaints", "unsubscribes", "allowed", "blocks", "invalid"};

int report_read_vendor(struct report *r, struct reader *reader, struct mt_error *reterr)
{
	int rc = read_suppression_counts(reader, r->query.provider, &r->suppressions, reterr);

	if (rc == 0)
		rc = read_vendor_groups(reader, &r->query, DIM_MAILBOX, &r->arena, &r->mailboxes,
			&r->nmailboxes, reterr);
	if (rc == 0)
		rc = read_sending_ips(reader, &r->query, &r->arena, &r->ips, &r->nips, reterr);
	if (rc == 0)
		rc = read_sending_domains(reader, &r->query, &r->arena, &r->sending_domains,
			&r->nsending_domains, reterr);
	if (rc == 0)
		rc = read_account(reader, &r->query, &r->arena, &r->account, &r->naccount, reterr);
	return rc < 0 ? rc
		      : read_budgets(
				reader, &r->query, &r->arena, &r->budgets, &r->nbudgets, reterr);
}

/* begin - the next element of an array, which names its provider. */
static void begin(const struct report *r, struct buf *out, size_t i, int provider)
{
	buf_add_z(out, i ? ",\n  {\"provider\":" : "\n  {\"provider\":");
	jsonout_value(out, report_provider(r, provider));
}

void report_json_window(const struct report *r, struct buf *out)
{
	const char *before = "";

	if (r->totals.slot_s)
		jsonout_number(out, "slot_s", r->totals.slot_s);
	else
		jsonout_number(out, "slot_s", EVENT_UNKNOWN);
	jsonout_truth(out, "differences", r->totals.differences);
	buf_add_z(out, ",\"left_out\":[");
	for (size_t i = 0; i < r->nproviders && r->totals.left_out_s && !r->query.provider; i++) {
		if (r->providers[i].finest_bucket_s <= MINUTE_S ||
			r->providers[i].finest_bucket_s < r->totals.left_out_s)
			continue;
		buf_add_z(out, before);
		jsonout_value(out, r->providers[i].name);
		before = ",";
	}
	buf_add_char(out, ']');
}

static void mailboxes(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"by_mailbox_provider\":[");
	for (size_t i = 0; i < r->nmailboxes; i++) {
		const struct domain_row *d = &r->mailboxes[i];

		buf_add_z(out, i ? ",\n  {\"name\":" : "\n  {\"name\":");
		jsonout_value(out, d->domain);
		jsonout_number(out, "sent", d->sent);
		jsonout_number(out, "deferred", d->deferred);
		jsonout_number(out, "bounced", d->bounced);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void suppressions(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"suppressions\":{");
	for (int i = 0; i < API_LIST__SUPPRESSIONS; i++) {
		int64_t n = r->suppressions.n[i];

		buf_printf(out, "%s\"%s\":", i ? "," : "", list_names[i]);
		if (n == EVENT_UNKNOWN)
			buf_add_z(out, "null");
		else
			buf_printf(out, "%" PRId64, n);
	}
	jsonout_number(out, "age_s", report_age_s(r, r->suppressions.walked_ms));
	buf_add_char(out, '}');
}

static void ips(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"sending_ips\":[");
	for (size_t i = 0; i < r->nips; i++) {
		const struct sending_ip_row *ip = &r->ips[i];

		begin(r, out, i, ip->provider);
		jsonout_text(out, "ip", ip->ip);
		jsonout_text(out, "rdns", ip->rdns);
		jsonout_text(out, "pools", ip->pools);
		jsonout_truth(out, "dedicated", ip->dedicated);
		jsonout_truth(out, "warming", ip->warming);
		jsonout_number(out, "stage", ip->stage);
		jsonout_number(out, "stages", ip->stages);
		jsonout_number(out, "day", ip->day);
		jsonout_number(out, "limit", ip->limit);
		jsonout_number(out, "limit_per_s", ip->limit_per_s);
		jsonout_number(out, "percent", ip->percent);
		jsonout_time(out, "started", ip->started_ms);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void sending_domains(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"sending_domains\":[");
	for (size_t i = 0; i < r->nsending_domains; i++) {
		const struct sending_domain_row *d = &r->sending_domains[i];

		begin(r, out, i, d->provider);
		jsonout_text(out, "domain", d->name);
		jsonout_text(out, "state", d->state);
		jsonout_text(out, "disabled", d->disabled.n ? d->disabled : (struct str){NULL, 0});
		jsonout_number(out, "dns_valid", d->dns_valid);
		jsonout_number(out, "dns_invalid", d->dns_invalid);
		jsonout_number(out, "dns_unknown", d->dns_unknown);
		jsonout_truth(out, "queue_disabled", d->queue_disabled);
		jsonout_time(out, "queue_until", d->queue_until_ms);
		jsonout_text(out, "queue_reason", d->queue_reason);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void account(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"account\":[");
	for (size_t i = 0; i < r->naccount; i++) {
		begin(r, out, i, r->account[i].provider);
		jsonout_text(out, "name", r->account[i].name);
		jsonout_text(out, "value", r->account[i].value);
		jsonout_number(out, "age_s", report_age_s(r, r->account[i].t_ms));
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void requests(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"requests\":[");
	for (size_t i = 0; i < r->nbudgets; i++) {
		const struct budget_row *b = &r->budgets[i];

		begin(r, out, i, b->provider);
		jsonout_text(out, "endpoint", b->endpoint);
		jsonout_text(out, "health", str_of(report_health(b->health)));
		jsonout_number(out, "used", b->used);
		jsonout_number(out, "limit", b->limit);
		jsonout_number(out, "remaining", b->remaining);
		jsonout_number(out, "window_s", b->window_s);
		jsonout_time(out, "reset", b->reset_ms);
		jsonout_time(out, "next", b->next_ms);
		jsonout_number(out, "sent", b->requests);
		jsonout_text(out, "missing", b->missing.n ? b->missing : (struct str){NULL, 0});
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

void report_json_vendor(const struct report *r, struct buf *out)
{
	mailboxes(r, out);
	suppressions(r, out);
	ips(r, out);
	sending_domains(r, out);
	account(r, out);
	requests(r, out);
}
