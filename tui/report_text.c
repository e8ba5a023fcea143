/* SPDX-License-Identifier: MIT */
/* report_text - the report for people (80 columns) and for spreadsheets (CSV, one section a table). */
#include "store/base/fmt.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"
#include "tui/report.h"

#include <inttypes.h>

#define TEXT_ROWS 20 /* of each table; the JSON has them all */

static void show(struct buf *out, struct str s)
{
	if (utf8_show_text(out, str_present(s) ? s : STR_LIT("?"), false) < 0)
		out->err = MT_ELIMIT;
}

static void cell_count(struct buf *out, int width, int64_t n)
{
	struct buf b;

	buf_init(&b, 64);
	fmt_count(&b, n);
	buf_printf(out, " %*s", width, buf_z(&b));
	buf_done(&b);
}

static void cell_time(struct buf *out, int width, int64_t cs)
{
	struct buf b;

	buf_init(&b, 64);
	fmt_cs(&b, cs);
	buf_printf(out, " %*s", width, buf_z(&b));
	buf_done(&b);
}

/* cell_age - " 12m ago", "" when it is not known. */
static void cell_age(const struct report *r, struct buf *out, int64_t t_ms)
{
	int64_t age_s = report_age_s(r, t_ms);

	if (age_s == EVENT_UNKNOWN)
		return;
	buf_add_char(out, ' ');
	timefmt_age(out, age_s * 1000);
	buf_add_z(out, " ago");
}

static void text_head(const struct report *r, struct buf *out)
{
	buf_printf(out, "mtatop report%s  ", r->demo ? "  DEMO: made-up traffic" : "");
	timefmt_date_clock(out, r->totals.from_ms);
	buf_add_z(out, " .. ");
	timefmt_date_clock(out, r->totals.to_ms);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < r->nproviders; i++) {
		buf_add_z(out, "  ");
		show(out, r->providers[i].name);
		buf_printf(out, "  %s", report_health(r->providers[i].health));
		cell_age(r, out, r->providers[i].last_ok_ms);
		buf_add_char(out, '\n');
	}
	buf_add_z(out, "\nTotals\n");
	for (size_t i = 0; i < report_ntotals; i++) {
		if (report_totals[i].metric >= METRIC_REQUESTS &&
			r->totals.n[report_totals[i].metric] == EVENT_UNKNOWN)
			continue; /* of vendors, where there is none */
		buf_printf(out, "  %-20s", report_totals[i].name);
		cell_count(out, 14, r->totals.n[report_totals[i].metric]);
		buf_add_char(out, '\n');
	}
}

static void text_codes(const struct report *r, struct buf *out)
{
	buf_add_z(out, "\nBy code\n");
	for (size_t i = 0; i < r->ncodes && i < TEXT_ROWS; i++) {
		struct buf b;

		buf_init(&b, 64);
		fmt_code_key(&b, r->codes[i].key);
		buf_printf(out, "  %-10s %-10s", buf_z(&b), report_status(r->codes[i].status));
		buf_done(&b);
		cell_count(out, 12, r->codes[i].n);
		buf_add_char(out, '\n');
	}
	buf_printf(out, "\nBy recipient domain %20s %10s %10s\n", "sent", "deferred", "bounced");
	for (size_t i = 0; i < r->ndomains && i < TEXT_ROWS; i++) {
		const struct domain_row *d = &r->domains[i];
		size_t width = utf8_show_width(d->domain, false);

		buf_add_z(out, "  ");
		show(out, d->domain);
		buf_printf(out, "%*s", width < 28 ? (int)(28 - width) : 0, "");
		cell_count(out, 9, d->sent);
		cell_count(out, 10, d->deferred);
		cell_count(out, 10, d->bounced);
		buf_add_char(out, '\n');
	}
}

static void text_ports(const struct report *r, struct buf *out)
{
	static const char *const parts[DELAY__COUNT] = {
		"total", "before queue manager", "in queue manager", "connection", "transmission"};

	buf_add_z(out, "\nBy port          connections   accepted   rejected   auth ok  auth "
		       "failed       TLS\n");
	for (size_t i = 0; i < r->nports; i++) {
		const struct port_row *p = &r->ports[i];

		if (p->port == EVENT_UNKNOWN)
			buf_printf(out, "  %-4s %-7s", p->outbound ? "out" : "in", "?");
		else
			buf_printf(out, "  %-4s %-7d", p->outbound ? "out" : "in", p->port);
		cell_count(out, 14, p->connections);
		cell_count(out, 10, p->outbound ? p->sent : p->accepted);
		cell_count(out, 10, p->outbound ? p->bounced : p->rejected);
		cell_count(out, 9, p->auth_ok);
		cell_count(out, 12, p->auth_failed);
		cell_count(out, 9, p->tls);
		buf_add_char(out, '\n');
	}
	buf_add_z(out, "\nDelays of sent               p50      p90      p99\n");
	for (int i = 0; i < DELAY__COUNT; i++) {
		buf_printf(out, "  %-22s", parts[i]);
		cell_time(out, 8, r->delays[i].p50_cs);
		cell_time(out, 8, r->delays[i].p90_cs);
		cell_time(out, 8, r->delays[i].p99_cs);
		buf_add_char(out, '\n');
	}
}

static void text_queue(const struct report *r, struct buf *out)
{
	const char *source = report_queue_source(r->queue.source);

	buf_printf(out, "\nQueue (%s", source ? source : "not known");
	cell_age(r, out, r->queue.t_ms);
	buf_add_z(out, ")\n");
	for (int i = 0; i < QUEUE__COUNT; i++) {
		buf_printf(out, "  %-10s", report_queue_names[i]);
		cell_count(out, 12, r->queue.n[i]);
		buf_add_char(out, '\n');
	}
	buf_add_z(out, "\nLatest failures\n");
	for (size_t i = 0; i < r->nfailures && i < TEXT_ROWS; i++) {
		const struct attempt_row *a = &r->failures[i];

		buf_add_z(out, "  ");
		timefmt_date_clock(out, a->t_ms);
		buf_add_char(out, ' ');
		show(out, a->qid);
		buf_add_char(out, ' ');
		show(out, a->rcpt);
		buf_printf(out, " %s%s", report_status(a->status), a->dsn > 0 ? " " : "");
		fmt_dsn(out, a->dsn);
		buf_add_z(out, "\n    ");
		show(out, a->reply);
		buf_add_char(out, '\n');
	}
}

int report_text(const struct report *r, struct buf *out)
{
	text_head(r, out);
	text_codes(r, out);
	text_ports(r, out);
	text_queue(r, out);
	return 0;
}

static void csv(struct buf *out, struct str s, char end)
{
	if (utf8_csv(out, str_present(s) ? s : STR_LIT("")) < 0)
		out->err = MT_ELIMIT;
	buf_add_char(out, end);
}

static void csv_number(struct buf *out, int64_t n, char end)
{
	if (n != EVENT_UNKNOWN)
		buf_printf(out, "%" PRId64, n);
	buf_add_char(out, end);
}

static void csv_head(const struct report *r, struct buf *out)
{
	buf_add_z(out, "since,until,resolution_s,generated,demo\n");
	timefmt_rfc3339(out, r->totals.from_ms);
	buf_add_char(out, ',');
	timefmt_rfc3339(out, r->totals.to_ms);
	buf_printf(out, ",%d,", r->totals.window_res_s);
	timefmt_rfc3339(out, r->now_ms);
	buf_printf(out, ",%d\n\nprovider,kind,health,age_s,finest_bucket_s\n", r->demo);
	for (size_t i = 0; i < r->nproviders; i++) {
		const struct provider_row *p = &r->providers[i];

		csv(out, p->name, ',');
		csv(out, p->kind, ',');
		buf_printf(out, "%s,", report_health(p->health));
		csv_number(out, report_age_s(r, p->last_ok_ms), ',');
		csv_number(out, p->finest_bucket_s, '\n');
	}
	buf_add_char(out, '\n');
}

static void csv_tables(const struct report *r, struct buf *out)
{
	buf_add_z(out, "total,n\n");
	for (size_t i = 0; i < report_ntotals; i++) {
		buf_printf(out, "%s,", report_totals[i].name);
		csv_number(out, r->totals.n[report_totals[i].metric], '\n');
	}
	buf_add_z(out, "\ncode,status,n\n");
	for (size_t i = 0; i < r->ncodes; i++) {
		fmt_code_key(out, r->codes[i].key);
		buf_printf(
			out, ",%s,%" PRId64 "\n", report_status(r->codes[i].status), r->codes[i].n);
	}
	buf_add_z(out, "\ndomain,sent,deferred,bounced\n");
	for (size_t i = 0; i < r->ndomains; i++) {
		csv(out, r->domains[i].domain, ',');
		csv_number(out, r->domains[i].sent, ',');
		csv_number(out, r->domains[i].deferred, ',');
		csv_number(out, r->domains[i].bounced, '\n');
	}
}

static void csv_ports(const struct report *r, struct buf *out)
{
	buf_add_z(out,
		"\nport,direction,service,connections,accepted,rejected,auth_ok,auth_failed,tls,"
		"deferred,provider\n");
	for (size_t i = 0; i < r->nports; i++) {
		const struct port_row *p = &r->ports[i];

		csv_number(out, p->port, ',');
		buf_printf(out, "%s,", p->outbound ? "out" : "in");
		csv(out, p->service, ',');
		csv_number(out, p->connections, ',');
		csv_number(out, p->outbound ? p->sent : p->accepted, ',');
		csv_number(out, p->outbound ? p->bounced : p->rejected, ',');
		csv_number(out, p->auth_ok, ',');
		csv_number(out, p->auth_failed, ',');
		csv_number(out, p->tls, ',');
		csv_number(out, p->outbound ? p->deferred : EVENT_UNKNOWN, ',');
		csv(out, report_provider(r, p->provider), '\n');
	}
}

static void csv_seconds(struct buf *out, int64_t cs, char end)
{
	if (cs != EVENT_UNKNOWN)
		buf_printf(out, "%" PRId64 ".%02d", cs / 100, (int)(cs % 100));
	buf_add_char(out, end);
}

static void csv_queue(const struct report *r, struct buf *out)
{
	const char *source = report_queue_source(r->queue.source);

	buf_add_z(out, "\nqueue,n\n");
	for (int i = 0; i < QUEUE__COUNT; i++) {
		buf_printf(out, "%s,", report_queue_names[i]);
		csv_number(out, r->queue.n[i], '\n');
	}
	buf_add_z(out, "oldest_s,");
	csv_number(out, report_age_s(r, r->queue.oldest_ms), '\n');
	buf_printf(out, "source,%s\nage_s,", source ? source : "");
	csv_number(out, report_age_s(r, r->queue.t_ms), '\n');
	buf_add_z(out, "\ndelay,p50,p90,p99\n");
	for (int i = 0; i < DELAY__COUNT; i++) {
		buf_printf(out, "%s,", report_delay_names[i]);
		csv_seconds(out, r->delays[i].p50_cs, ',');
		csv_seconds(out, r->delays[i].p90_cs, ',');
		csv_seconds(out, r->delays[i].p99_cs, '\n');
	}
}

int report_csv(const struct report *r, struct buf *out)
{
	csv_head(r, out);
	csv_tables(r, out);
	csv_ports(r, out);
	csv_queue(r, out);
	buf_add_z(out, "\ntime,queue_id,recipient,status,dsn,relay,reply\n");
	for (size_t i = 0; i < r->nfailures; i++) {
		const struct attempt_row *a = &r->failures[i];

		timefmt_rfc3339(out, a->t_ms);
		buf_add_char(out, ',');
		csv(out, a->qid, ',');
		csv(out, a->rcpt, ',');
		buf_printf(out, "%s,", report_status(a->status));
		fmt_dsn(out, a->dsn);
		buf_add_char(out, ',');
		csv(out, a->relay, ',');
		csv(out, a->reply, '\n');
	}
	return 0;
}
