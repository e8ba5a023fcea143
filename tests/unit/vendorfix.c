/* SPDX-License-Identifier: MIT */
/* vendorfix - see vendorfix.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/demo_vendor.h"
#include "store/store_api.h"
#include "tests/unit/cachefix.h"
#include "tests/unit/vendorfix.h"

#include <stdio.h>

#define POLL_MS 300000
#define POLLS 30
#define DAY_S 86400

static void must(int rc, const struct mt_error *error, const char *what)
{
	if (rc < 0)
		fail_msg("%s: %s", what, error->text);
}

static void account(struct store *s, const char *name, bool hours, int64_t now_ms)
{
	struct api_provider p = {.finest_bucket_s = hours ? RES_HOUR : RES_DAY,
		.time_zone = hours ? "" : "America/Los_Angeles"};
	struct source_health h = {.health = HEALTH_FRESH,
		.last_ok_ms = now_ms - (hours ? 40000 : 240000),
		.last_try_ms = now_ms - 40000,
		.newest_ms = now_ms - 40000,
		.done_bytes = -1,
		.total_bytes = -1};
	struct demo_vendor v = {.store = s, .hours = hours};
	struct mt_error error = {0};

	must(store_provider(s, name, name, NULL, &v.provider, &error), &error, "provider");
	must(store_api_provider(s, v.provider, &p, &error), &error, "api provider");
	must(store_source(s, v.provider, "api", &v.source, &error), &error, "source");
	must(demo_vendor_counts(&v, (now_ms - POLLS * (int64_t)POLL_MS) / 1000 - 9 * DAY_S,
		     now_ms - POLLS * (int64_t)POLL_MS, &error),
		&error, "counts");
	for (int64_t at = now_ms - (POLLS - 1) * (int64_t)POLL_MS; at <= now_ms; at += POLL_MS) {
		must(store_commit(s, &error), &error, "commit");
		must(demo_vendor_counts(&v, at / 1000 - RES_HOUR, at, &error), &error, "counts");
	}
	must(demo_vendor_rows(&v, now_ms, &error), &error, "rows");
	must(demo_vendor_events(&v, now_ms - 3600000, now_ms, &error), &error, "events");
	must(demo_vendor_budgets(&v, now_ms, 7, &error), &error, "budgets");
	must(store_health(s, v.source, &h, &error), &error, "health");
	must(store_commit(s, &error), &error, "commit");
}

static void postfix(struct store *s, int64_t now_ms)
{
	struct mt_error error = {0};
	struct source_health h = {.health = HEALTH_FRESH,
		.last_ok_ms = now_ms - 1000,
		.newest_ms = now_ms - 1000,
		.done_bytes = -1,
		.total_bytes = -1};
	struct event e;
	int provider, source;

	must(store_provider(s, "postfix", "postfix", "mx1", &provider, &error), &error, "postfix");
	for (int i = 0; i < 20; i++) {
		char qid[16];

		snprintf(qid, sizeof(qid), "4F%03d", i);
		event_init(&e);
		e.kind = EVENT_RECEIVED;
		e.t_utc_ms = now_ms - 3000000 + i * 120000;
		e.host = STR_LIT("mx1");
		e.service = STR_LIT("postfix/smtpd");
		e.process = STR_LIT("smtpd");
		e.queue_id = str_of(qid);
		e.client_host = STR_LIT("client.example");
		e.client_ip = STR_LIT("192.0.2.9");
		must(store_event(s, provider, &e, &error), &error, "event");
		e.kind = EVENT_ATTEMPT;
		e.t_utc_ms += 1000;
		e.service = STR_LIT("postfix/smtp");
		e.process = STR_LIT("smtp");
		e.to = STR_LIT("x@gmail.com");
		e.status = i % 7 ? STATUS_SENT : STATUS_DEFERRED;
		e.relay = STR_LIT("mx.gmail.com[192.0.2.26]:25");
		e.relay_host = STR_LIT("mx.gmail.com");
		e.dsn = i % 7 ? DSN_MAKE(2, 0, 0) : DSN_MAKE(4, 2, 1);
		e.delay_cs[DELAY_TOTAL] = 90;
		e.reply = i % 7 ? STR_LIT("250 2.0.0 ok") : STR_LIT("450 4.2.1 try later");
		must(store_event(s, provider, &e, &error), &error, "event");
	}
	must(store_commit(s, &error), &error, "commit");
	must(store_source(s, provider, "log", &source, &error), &error, "source");
	must(store_health(s, source, &h, &error), &error, "health");
}

void vendorfix_make(const char *path)
{
	struct clock clock = clock_fake(FIX_NOW_MS);
	struct store_options o = {.path = path, .clock = &clock};
	struct mt_error error = {0};
	struct store *s;

	must(store_open(&o, &s, &error), &error, "open");
	postfix(s, FIX_NOW_MS);
	account(s, "mailgun", true, FIX_NOW_MS);
	account(s, "sendgrid", false, FIX_NOW_MS);
	store_close(s);
}
