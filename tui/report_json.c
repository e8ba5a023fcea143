/* SPDX-License-Identifier: MIT */
/* report_json - the report as one JSON object; the contract is in report.h. */
#include "store/base/fmt.h"
#include "store/base/jsonout.h"
#include "store/base/timefmt.h"
#include "tui/report.h"

#include <inttypes.h>

#define DSN_FIRST 1000000 /* keys below are basic codes, see code_key */

/* member - the i-th of an object. */
static void member(struct buf *out, size_t i, const char *name, int64_t n)
{
	if (i == 0)
		buf_printf(out, "\"%s\":", name);
	else
		buf_printf(out, ",\"%s\":", name);
	if (n == EVENT_UNKNOWN)
		buf_add_z(out, "null");
	else
		buf_printf(out, "%" PRId64, n);
}

static void stamp(struct buf *out, const char *name, int64_t utc_ms)
{
	buf_printf(out, "\"%s\":\"", name);
	timefmt_rfc3339(out, utc_ms);
	buf_add_char(out, '"');
}

static void dsn(struct buf *out, const char *name, int32_t value)
{
	if (value == 0) {
		buf_printf(out, ",\"%s\":null", name);
		return;
	}
	buf_printf(out, ",\"%s\":\"", name);
	fmt_dsn(out, value);
	buf_add_char(out, '"');
}

static void separator(struct buf *out, size_t i)
{
	buf_add_z(out, i ? ",\n  " : "\n  ");
}

static void providers(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"providers\":[");
	for (size_t i = 0; i < r->nproviders; i++) {
		const struct provider_row *p = &r->providers[i];

		separator(out, i);
		buf_add_z(out, "{\"name\":");
		jsonout_value(out, p->name);
		jsonout_text(out, "kind", p->kind);
		jsonout_words(out, "health", report_health(p->health));
		jsonout_number(out, "age_s", report_age_s(r, p->last_ok_ms));
		jsonout_number(out, "finest_bucket_s", p->finest_bucket_s);
		jsonout_text(
			out, "time_zone", p->time_zone.n ? p->time_zone : (struct str){NULL, 0});
		buf_printf(out, ",\"demo\":%s", p->demo ? "true" : "false");
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void totals(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"totals\":{");
	for (size_t i = 0; i < report_ntotals; i++)
		member(out, i, report_totals[i].name, r->totals.n[report_totals[i].metric]);
	buf_add_char(out, '}');
}

static void codes(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"by_code\":[");
	for (size_t i = 0; i < r->ncodes; i++) {
		const struct code_row *c = &r->codes[i];

		separator(out, i);
		buf_printf(out, "{\"%s\":%s", c->key >= DSN_FIRST ? "dsn" : "code",
			c->key ? "\"" : "null");
		if (c->key) {
			fmt_code_key(out, c->key);
			buf_add_char(out, '"');
		}
		jsonout_words(out, "status", report_status(c->status));
		jsonout_number(out, "n", c->n);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void domains(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"by_domain\":[");
	for (size_t i = 0; i < r->ndomains; i++) {
		const struct domain_row *d = &r->domains[i];

		separator(out, i);
		buf_add_z(out, "{\"domain\":");
		jsonout_value(out, d->domain);
		jsonout_number(out, "sent", d->sent);
		jsonout_number(out, "deferred", d->deferred);
		jsonout_number(out, "bounced", d->bounced);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void ports(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"by_port\":[");
	for (size_t i = 0; i < r->nports; i++) {
		const struct port_row *p = &r->ports[i];

		separator(out, i);
		if (p->port == EVENT_UNKNOWN)
			buf_add_z(out, "{\"port\":null");
		else
			buf_printf(out, "{\"port\":%d", p->port);
		jsonout_words(out, "direction", p->outbound ? "out" : "in");
		jsonout_text(out, "service", p->service);
		jsonout_number(out, "connections", p->connections);
		jsonout_number(out, "accepted", p->outbound ? p->sent : p->accepted);
		jsonout_number(out, "rejected", p->outbound ? p->bounced : p->rejected);
		jsonout_number(out, "auth_ok", p->auth_ok);
		jsonout_number(out, "auth_failed", p->auth_failed);
		jsonout_number(out, "tls", p->tls);
		jsonout_number(out, "deferred", p->outbound ? p->deferred : EVENT_UNKNOWN);
		jsonout_text(out, "provider", report_provider(r, p->provider));
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void queue(const struct report *r, struct buf *out)
{
	const struct queue_figures *q = &r->queue;

	buf_add_z(out, ",\n \"queue\":{");
	for (int i = 0; i < QUEUE__COUNT; i++)
		member(out, (size_t)i, report_queue_names[i], q->n[i]);
	jsonout_number(out, "oldest_s", report_age_s(r, q->oldest_ms));
	jsonout_words(out, "source", report_queue_source(q->source));
	jsonout_number(out, "age_s", report_age_s(r, q->t_ms));
	buf_add_char(out, '}');
}

static void seconds(struct buf *out, const char *name, int64_t cs)
{
	if (cs == EVENT_UNKNOWN)
		buf_printf(out, "\"%s\":null", name);
	else
		buf_printf(out, "\"%s\":%" PRId64 ".%02d", name, cs / 100, (int)(cs % 100));
}

static void delays(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"delays\":{");
	for (int i = 0; i < DELAY__COUNT; i++) {
		const struct delay_figures *d = &r->delays[i];

		buf_printf(out, "%s\"%s\":{", i ? "," : "", report_delay_names[i]);
		seconds(out, "p50", d->p50_cs);
		buf_add_char(out, ',');
		seconds(out, "p90", d->p90_cs);
		buf_add_char(out, ',');
		seconds(out, "p99", d->p99_cs);
		buf_add_char(out, '}');
	}
	buf_add_char(out, '}');
}

static void address(struct buf *out, const struct attempt_row *a)
{
	buf_add_z(out, ",\"recipient\":");
	jsonout_value(out, a->rcpt);
}

static void failures(const struct report *r, struct buf *out)
{
	buf_add_z(out, ",\n \"failures\":[");
	for (size_t i = 0; i < r->nfailures; i++) {
		const struct attempt_row *a = &r->failures[i];

		separator(out, i);
		buf_add_char(out, '{');
		stamp(out, "time", a->t_ms);
		jsonout_text(out, "queue_id", a->qid);
		address(out, a);
		jsonout_words(out, "status", report_status(a->status));
		dsn(out, "dsn", a->dsn);
		jsonout_text(out, "relay", a->relay);
		jsonout_text(out, "reply", a->reply);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

int report_json(const struct report *r, struct buf *out)
{
	buf_printf(out, "{\"schema\":%d,", REPORT_SCHEMA);
	stamp(out, "generated", r->now_ms);
	buf_add_z(out, ",\"window\":{");
	stamp(out, "since", r->totals.from_ms);
	buf_add_char(out, ',');
	stamp(out, "until", r->totals.to_ms);
	jsonout_number(out, "resolution_s", r->totals.window_res_s);
	report_json_window(r, out);
	buf_add_char(out, '}');
	if (r->demo)
		buf_add_z(out, ",\"demo\":true");
	providers(r, out);
	totals(r, out);
	codes(r, out);
	domains(r, out);
	ports(r, out);
	queue(r, out);
	delays(r, out);
	report_json_mx(r, out);
	failures(r, out);
	report_json_vendor(r, out);
	return buf_add_z(out, "}\n");
}
