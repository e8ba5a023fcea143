/* SPDX-License-Identifier: MIT */
/* demo_vendor_rows - what the demo's vendor accounts list: events, suppressions, IPs, domains, the account, budgets. */
#include "backends/demo_vendor.h"

#include "store/store_api.h"

#include <stdio.h>

#define MINUTE_MS 60000
#define DAY_MS 86400000
#define SUPPRESSED_EACH 60
#define SENDGRID_DAY_LIMIT 211 /* messages an hour on the seventh day of a warm-up */
#define EVENT_EACH_MINUTES 3

/* What the remote servers say, as the two vendors pass it on. */
static const struct said {
	enum api_event_kind kind;
	int32_t code, dsn;
	const char *domain, *relay, *reply;
} said[] = {
	{API_EVENT_BOUNCED, 550, DSN_MAKE(5, 1, 1), "gmail.example",
		"gmail-smtp-in.l.google.example",
		"550 5.1.1 The email account that you tried to reach does not exist"},
	{API_EVENT_DEFERRED, 421, DSN_MAKE(4, 7, 28), "gmail.example",
		"gmail-smtp-in.l.google.example",
		"421 4.7.28 Our system has detected an unusual rate of mail from your IP address"},
	{API_EVENT_DEFERRED, 451, DSN_MAKE(4, 7, 650), "outlook.example",
		"outlook-com.olc.protection.outlook.example",
		"451 4.7.650 The mail server has been temporarily rate limited"},
	{API_EVENT_SUPPRESSED, 605, 0, "firma.example", NULL,
		"Not delivering to previously bounced address"},
	{API_EVENT_BOUNCED, EVENT_UNKNOWN, 0, "nowhere.example", NULL, "No MX for nowhere.example"},
	{API_EVENT_DELIVERED, 250, DSN_MAKE(2, 0, 0), "yahoo.example", "mta7.am0.yahoodns.example",
		"250 ok dirdel"},
};
#define SAID (sizeof(said) / sizeof(said[0]))

static int event(const struct demo_vendor *v, int64_t t_ms, uint64_t h, struct mt_error *reterr)
{
	const struct said *w = &said[h % SAID];
	char id[64], message[96], rcpt[96];
	struct api_event e;
	int rc;

	api_event_init(&e);
	snprintf(id, sizeof(id), "%llx-accepted", (unsigned long long)h);
	snprintf(message, sizeof(message), "%s%016llx@%s", v->hours ? "20261125" : "",
		(unsigned long long)h, v->hours ? "shop.example" : "sendgrid.example");
	snprintf(rcpt, sizeof(rcpt), "user%u@%s", (unsigned)(h >> 20 & 1023), w->domain);
	e.kind = API_EVENT_ACCEPTED;
	e.id = str_of(id);
	e.message = str_of(message);
	e.header_id = e.message;
	e.subject = h >> 40 & 1 ? STR_LIT("Your receipt") : STR_LIT("News of this week");
	e.t_ms = t_ms;
	e.sender = v->hours ? STR_LIT("news@shop.example") : STR_LIT("hello@app.example");
	e.rcpt = str_of(rcpt);
	e.size_bytes = 9000 + (int64_t)(h >> 30 & 4095);
	rc = store_api_event(v->store, v->provider, &e, reterr);
	if (rc < 0)
		return rc;
	snprintf(id, sizeof(id), "%llx-end", (unsigned long long)h);
	e.kind = w->kind;
	e.t_ms = t_ms + 1500;
	e.code = w->code >= 200 && w->code < 600 ? w->code : EVENT_UNKNOWN;
	e.dsn = w->dsn;
	e.relay = str_of(w->relay);
	e.reply = str_of(w->reply);
	e.egress = v->hours ? STR_LIT("192.0.2.65") : STR_LIT("198.51.100.90");
	e.attempt = w->kind == API_EVENT_DEFERRED ? 2 : 1;
	return store_api_event(v->store, v->provider, &e, reterr);
}

int demo_vendor_events(
	const struct demo_vendor *v, int64_t from_ms, int64_t now_ms, struct mt_error *reterr)
{
	int rc = 0;

	for (int64_t minute = from_ms / MINUTE_MS; rc == 0 && minute < now_ms / MINUTE_MS; minute++)
		if (minute % EVENT_EACH_MINUTES == v->hours)
			rc = event(v, minute * MINUTE_MS,
				demo_hash((uint64_t)minute, 100 + (uint64_t)v->hours), reterr);
	return rc;
}

static int suppressions(const struct demo_vendor *v, enum api_list list, const char *reason,
	const char *code, int64_t now_ms, struct mt_error *reterr)
{
	static const char *const domains[] = {
		"gmail.example", "outlook.example", "yahoo.example", "firma.example"};
	struct str scope = v->hours ? STR_LIT("shop.example") : STR_LIT("");
	int rc = store_api_list_begin(v->store, v->provider, list, scope, false, reterr);

	for (uint64_t i = 0; rc == 0 && i < SUPPRESSED_EACH; i++) {
		uint64_t h = demo_hash(i, (uint64_t)list * 2 + v->hours);
		struct api_suppression row = {.list = list,
			.scope = scope,
			.reason = str_of(reason),
			.code = str_of(code),
			.created_ms = now_ms - now_ms % DAY_MS - (int64_t)(h % 90) * DAY_MS};
		char address[96];

		snprintf(address, sizeof(address), "user%04u@%s", (unsigned)(h >> 8 & 8191),
			domains[h >> 24 & 3]);
		row.address = str_of(address);
		rc = store_api_suppression(v->store, v->provider, &row, reterr);
	}
	return rc < 0 ? rc : store_api_list_end(v->store, v->provider, list, scope, true, reterr);
}

static int ips(const struct demo_vendor *v, int64_t now_ms, struct mt_error *reterr)
{
	struct api_ip row;
	int rc;

	api_ip_init(&row);
	row.ip = v->hours ? STR_LIT("192.0.2.65") : STR_LIT("198.51.100.90");
	row.rdns = v->hours ? STR_LIT("mail65.shop.example") : STR_LIT("o1.app.example");
	row.pools = STR_LIT("receipts");
	row.dedicated = row.enabled = 1;
	row.warming = 0;
	rc = store_api_ip(v->store, v->provider, &row, reterr);
	row.ip = v->hours ? STR_LIT("192.0.2.66") : STR_LIT("198.51.100.91");
	row.rdns = v->hours ? STR_LIT("mail66.shop.example") : STR_LIT("o2.app.example");
	row.pools = STR_LIT("newsletters");
	row.warming = 1;
	row.started_ms = now_ms - now_ms % DAY_MS - 7 * (int64_t)DAY_MS;
	row.stage = v->hours ? 4 : EVENT_UNKNOWN;
	row.stages = v->hours ? 15 : EVENT_UNKNOWN;
	row.percent = v->hours ? 25 : EVENT_UNKNOWN;
	row.limit = v->hours ? 8000 : SENDGRID_DAY_LIMIT;
	row.limit_per_s = v->hours ? 0 : RES_HOUR;
	row.day = v->hours ? EVENT_UNKNOWN : 7;
	return rc < 0 ? rc : store_api_ip(v->store, v->provider, &row, reterr);
}

static int domains(const struct demo_vendor *v, int64_t now_ms, struct mt_error *reterr)
{
	struct api_domain row;
	int rc;

	api_domain_init(&row);
	row.name = v->hours ? STR_LIT("shop.example") : STR_LIT("app.example");
	row.state = STR_LIT("active");
	row.disabled = STR_LIT("");
	row.dns_valid = 3;
	row.dns_invalid = row.dns_unknown = 0;
	row.queue_disabled = v->hours ? 0 : EVENT_UNKNOWN;
	rc = store_api_domain(v->store, v->provider, &row, reterr);
	if (rc < 0 || !v->hours)
		return rc;
	row.name = STR_LIT("news.example");
	row.dns_valid = 2;
	row.dns_invalid = 1;
	row.dns_wrong = STR_LIT("TXT pic._domainkey.news.example");
	row.queue_disabled = 1;
	row.queue_until_ms = now_ms - now_ms % MINUTE_MS + 30 * (int64_t)MINUTE_MS;
	row.queue_reason = STR_LIT("You have too many messages in queue");
	return store_api_domain(v->store, v->provider, &row, reterr);
}

static int account(const struct demo_vendor *v, struct mt_error *reterr)
{
	static const char *const of_hours[][2] = {{"plan", "DEMO"}, {"monthly limit", "1,000,000"},
		{"sent this month", "412,870"}, {NULL, NULL}};
	static const char *const of_days[][2] = {{"plan", "DEMO"}, {"reputation", "97.3"},
		{"credits left", "183,400"}, {"credits reset", "2026-12-01"}, {NULL, NULL}};
	int rc = 0;

	for (int i = 0; rc == 0 && (v->hours ? of_hours : of_days)[i][0]; i++)
		rc = store_api_account(v->store, v->provider,
			str_of((v->hours ? of_hours : of_days)[i][0]),
			str_of((v->hours ? of_hours : of_days)[i][1]), reterr);
	return rc;
}

int demo_vendor_rows(const struct demo_vendor *v, int64_t now_ms, struct mt_error *reterr)
{
	int rc = suppressions(
		v, API_LIST_BOUNCES, "550 5.1.1 no such mailbox", "5.1.1", now_ms, reterr);

	if (rc == 0)
		rc = suppressions(v, API_LIST_COMPLAINTS, NULL, NULL, now_ms, reterr);
	if (rc == 0)
		rc = suppressions(v, API_LIST_UNSUBSCRIBES, NULL, NULL, now_ms, reterr);
	if (rc == 0 && !v->hours)
		rc = suppressions(v, API_LIST_BLOCKS,
			"421 4.7.0 temporarily deferred due to user complaints", "4.7.0", now_ms,
			reterr);
	if (rc == 0)
		rc = ips(v, now_ms, reterr);
	if (rc == 0)
		rc = domains(v, now_ms, reterr);
	return rc < 0 ? rc : account(v, reterr);
}

int demo_vendor_budgets(
	const struct demo_vendor *v, int64_t now_ms, int64_t rounds, struct mt_error *reterr)
{
	struct api_budget row = {.endpoint = v->hours ? STR_LIT("metrics") : STR_LIT("stats"),
		.source = STR_LIT("api"),
		.used = rounds % 100,
		.limit = v->hours ? 500 : 600,
		.remaining = (v->hours ? 500 : 600) - rounds % 100,
		.window_s = v->hours ? 10 : 60,
		.reset_ms = now_ms - now_ms % MINUTE_MS + MINUTE_MS,
		.last_ms = now_ms,
		.next_ms = now_ms + 5000,
		.requests = rounds,
		.health = HEALTH_FRESH,
		.detail = STR_LIT("")};
	int rc = store_api_budget(v->store, v->provider, &row, reterr);

	row.endpoint = STR_LIT("suppressions");
	row.used = 1;
	row.requests = 1;
	row.remaining = row.limit - 1;
	row.next_ms = now_ms - now_ms % DAY_MS + DAY_MS;
	if (rc == 0)
		rc = store_api_budget(v->store, v->provider, &row, reterr);
	row.endpoint = v->hours ? STR_LIT("webhooks") : STR_LIT("messages");
	row.used = row.limit = row.remaining = row.reset_ms = row.next_ms = row.window_s =
		EVENT_UNKNOWN;
	row.health = HEALTH_STOPPED;
	row.missing = v->hours ? STR_LIT("role support or developer") : STR_LIT("messages.read");
	return rc < 0 ? rc : store_api_budget(v->store, v->provider, &row, reterr);
}

int demo_vendor_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	static const char *const lines[] = {"processed  by the vendor",
		"deferred   421 4.7.0 try again later (attempt 1)",
		"delivered  250 ok (attempt 2, 1.2 s in session)",
		"DEMO: made up, no request was sent"};
	int rc = 0;

	if (request->kind != JOB_DETAIL || request->nids != 1)
		return mt_error_set(reterr, MT_ENOTSUP, "the demo can't do that");
	for (size_t i = 0; rc == 0 && i < sizeof(lines) / sizeof(lines[0]); i++)
		rc = out->add(out->ctx, str_of(lines[i]), 0);
	snprintf(out->summary, sizeof(out->summary), "%s: made up", def->name);
	return rc;
}
