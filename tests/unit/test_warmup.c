/* SPDX-License-Identifier: MIT */
/*
 * test_warmup - published schedules against the publishers' figures, the verdict over scripted runs of 60 days with a
 * clock moved by hand, gates, days of 23 and 25 hours, refusals of the configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/event.h"
#include "store/warmup_conf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define T0_MS INT64_C(1793491200000) /* 2026-11-01T00:00:00Z */
#define DAYS 60
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- what the publishers printed, typed in apart from assets/ --- */
static const int64_t sendgrid_auto[] = {20, 28, 39, 55, 77, 108, 151, 211, 295, 413, 579, 810, 1000,
	1587, 2222, 3111, 4356, 6098, 8583, 11953, 16734, 23427, 32798, 45917, 64284, 89998, 125997,
	176395, 246953, 345735, 484029, 677640, 948696, 1328175, 1859444, 2603222, 3644511, 5102316,
	7143242, 10000539, 14000754, 19601056};
static const int64_t sendgrid_manual[] = {50, 100, 500, 1000, 5000, 10000, 20000, 40000, 70000,
	100000, 150000, 250000, 400000, 600000, 1000000, 2000000, 4000000};
static const int64_t sparkpost[] = {200, 500, 1000, 2000, 5000, 10000, 20000, 40000, 50000, 75000,
	100000, 150000, 200000, 250000, 325000, 400000, 500000, 600000, 750000, 1000000, 1250000,
	1750000, 2000000, 3000000, 4250000, 5000000, 6000000, 7500000, 10000000};
static const int64_t responsys[4][7] = {{10000, 10000, 10000, 10000, 10000, 12500, 12500},
	{7500, 7500, 7500, 10000, 10000, 15000, 15000},
	{5000, 5000, 5000, 7500, 7500, 10000, 10000},
	{10000, 10000, 10000, 10000, 10000, 12500, 12500}};

static struct warmup_plan builtin(const char *word)
{
	struct warmup_plan p;

	memset(&p, 0, sizeof(p));
	p.name = word;
	assert_true(warmup_builtin(str_of(word), &p));
	return p;
}

static void is_schedule(const struct warmup_plan *p, const int64_t *want, size_t n)
{
	assert_int_equal(p->caps.n, n);
	assert_int_equal(warmup_stages(p), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(warmup_limit(p, i), want[i]);
}

static void schedules_are_the_published_ones(void **state)
{
	static const enum mailbox boxes[] = {
		MAILBOX_GMAIL, MAILBOX_OUTLOOK, MAILBOX_YAHOO, MAILBOX_OTHER};
	struct warmup_plan p = builtin("sendgrid-auto");

	(void)state;
	is_schedule(&p, sendgrid_auto, COUNT(sendgrid_auto));
	assert_true(p.hourly && p.calendar && !p.growth);
	assert_int_equal(COUNT(sendgrid_auto), 42);
	assert_int_equal(warmup_cap(&p, 12), 24000);
	assert_int_equal(warmup_limit(&p, 60), 19601056);
	p = builtin("sendgrid-manual");
	is_schedule(&p, sendgrid_manual, COUNT(sendgrid_manual));
	assert_true(p.growth && !p.hourly && !p.calendar);
	assert_int_equal(warmup_limit(&p, 17), 8000000);
	assert_int_equal(warmup_limit(&p, 19), 32000000);
	p.target = 30000000;
	assert_int_equal(warmup_stages(&p), 20);
	p = builtin("sparkpost");
	is_schedule(&p, sparkpost, COUNT(sparkpost));
	p.target = 75000;
	assert_int_equal(warmup_stages(&p), 10);
	p = builtin("responsys");
	assert_int_equal(p.caps.n, 7);
	for (size_t day = 0; day < 7; day++) {
		int64_t sum = 0;

		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(warmup_track(&p, boxes[i], day), responsys[i][day]);
			sum += responsys[i][day];
		}
		assert_int_equal(warmup_limit(&p, day), sum); /* 32.5k ... 50k */
	}
	assert_int_equal(warmup_track(&p, MAILBOX_GMX, 0), -1);
	p = builtin("rackspace");
	assert_int_equal(warmup_limit(&p, 0), 100);
	assert_int_equal(p.target, 20);
	assert_int_equal(p.cold_days, 7);
	assert_true(p.has_only && p.only == MAILBOX_RACKSPACE);
	assert_null(warmup_builtin_word(6));
}

/* A rule and no table: the levels of one that begins at 6000 a day, by hand. */
static void growth_by_rule(void **state)
{
	static const int64_t first[] = {6000}, want[] = {6000, 12000, 24000, 48000, 96000, 144000,
						       172800, 207360, 248832, 298598, 328457};
	struct warmup_plan p = builtin("ipost");

	(void)state;
	p.caps = (struct warmup_caps){first, 1};
	for (size_t level = 0; level < COUNT(want); level++)
		for (size_t day = 0; day < 4; day++)
			assert_int_equal(warmup_limit(&p, 4 * level + day), want[level]);
	assert_false(p.hourly || p.calendar);
	assert_int_equal(warmup_stages(&p), 4);
	p.target = 96000;
	assert_int_equal(warmup_stages(&p), 17);
	assert_true(warmup_limit(&p, 100000) >= INT64_C(1) << 53);
}

/* --- scripted runs --- */
struct run {
	struct warmup_plan plan;
	struct warmup_day day[DAYS];
	struct warmup_status status;
};

static void run_begin(struct run *r, const char *plan)
{
	memset(r, 0, sizeof(*r));
	r->plan = builtin(plan);
	for (int i = 0; i < DAYS; i++)
		r->day[i] = (struct warmup_day){.start_ms = T0_MS + i * DAY_MS,
			.end_ms = T0_MS + (i + 1) * DAY_MS,
			.known = true};
}

static void send(struct run *r, int day, int64_t sent, int64_t bounced, int64_t deferred)
{
	struct warmup_counts c = {sent, bounced, deferred};

	r->day[day].all = c;
	r->day[day].box[MAILBOX_OTHER] = c;
}

/* The verdict on a day at an hour of it. */
static enum warmup_state at(struct run *r, int day, double hour)
{
	warmup_judge(&r->plan, r->day, (size_t)day + 1,
		T0_MS + day * DAY_MS + (int64_t)(hour * (double)HOUR_MS), &r->status);
	return r->status.state;
}

static void every_state_in_sixty_days(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	enum warmup_state seen[DAYS];
	unsigned all = 0;

	(void)state;
	run_begin(r, "sparkpost");
	r->plan.target = 10000; /* six stages */
	/* 0: nothing yet. 1..4: as planned. 5 too little. 6 a rate over its line. 7 a bad signal. 8 too much. */
	for (int i = 1; i <= 4; i++)
		send(r, i, sparkpost[i - 1], 0, 0);
	send(r, 5, 1000, 0, 0);
	send(r, 6, 4800, 200, 0); /* 4 % of 5000: over 2 % */
	send(r, 7, 4900, 10, 50);
	r->day[7].signal[GATE_GMAIL_RATE] = 3;
	send(r, 8, 3000, 0, 0); /* back at 2000 */
	send(r, 9, 4900, 0, 0);
	/* 10..21: too little, twelve sending days */
	for (int i = 10; i <= 21; i++)
		send(r, i, 300, 0, 0);
	/* 22..52 silence; 53 begins anew */
	send(r, 53, 200, 0, 0);
	send(r, 54, 500, 0, 0);
	send(r, 55, 12000, 0, 0);
	for (int i = 0; i < DAYS; i++) {
		seen[i] = at(r, i, 23.9);
		all |= 1u << seen[i];
	}
	assert_int_equal(all, (1u << WARMUP__STATES) - 1);
	assert_int_equal(seen[0], WARMUP_COLD);
	for (int i = 1; i <= 4; i++)
		assert_int_equal(seen[i], WARMUP_ON_TRACK);
	assert_int_equal(seen[5], WARMUP_BEHIND);
	assert_int_equal(seen[6], WARMUP_HOLD);
	assert_int_equal(seen[7], WARMUP_BACK_OFF);
	assert_int_equal(seen[8], WARMUP_AHEAD);
	assert_int_equal(seen[9], WARMUP_ON_TRACK);
	assert_int_equal(seen[10], WARMUP_BEHIND);
	assert_int_equal(seen[19], WARMUP_BEHIND); /* nine sending days before it without advance */
	assert_int_equal(seen[20], WARMUP_STALLED); /* ten */
	assert_int_equal(seen[21], WARMUP_STALLED);
	assert_int_equal(seen[51], WARMUP_STALLED); /* 29 whole idle days */
	assert_int_equal(seen[52], WARMUP_COLD); /* 30 */
	assert_int_equal(seen[53], WARMUP_ON_TRACK); /* from the first stage again */
	assert_int_equal(seen[54], WARMUP_ON_TRACK);
	assert_int_equal(seen[55], WARMUP_DONE);
	assert_int_equal(seen[59], WARMUP_DONE);
	free(r);
}

static void stages_and_figures(void **state)
{
	struct run *r = calloc(1, sizeof(*r));

	(void)state;
	run_begin(r, "sparkpost");
	for (int i = 0; i < 4; i++)
		send(r, i, sparkpost[i], 0, 0);
	send(r, 4, 2500, 0, 0);
	assert_int_equal(at(r, 4, 12), WARMUP_ON_TRACK);
	assert_int_equal(r->status.stage, 4);
	assert_int_equal(r->status.stages, 29);
	assert_int_equal(r->status.cap, 5000);
	assert_int_equal(r->status.pace, 2500);
	assert_int_equal(r->status.next[0], 10000);
	assert_int_equal(r->status.nnext, WARMUP_NEXT);
	assert_int_equal(r->status.eta_ms, T0_MS + (4 + 25) * DAY_MS);
	/* exactly 90 % of the pace is kept, one less is not; of the stage likewise */
	send(r, 4, 2250, 0, 0);
	assert_int_equal(at(r, 4, 12), WARMUP_ON_TRACK);
	send(r, 4, 2249, 0, 0);
	assert_int_equal(at(r, 4, 12), WARMUP_BEHIND);
	send(r, 4, 4500, 0, 0);
	assert_int_equal((at(r, 5, 1), r->status.stage), 5);
	send(r, 4, 4499, 0, 0);
	assert_int_equal((at(r, 5, 1), r->status.stage), 4);
	/* exactly the cap is on track, one more is ahead */
	send(r, 4, 5000, 0, 0);
	assert_int_equal(at(r, 4, 24), WARMUP_ON_TRACK);
	send(r, 4, 5001, 0, 0);
	assert_int_equal(at(r, 4, 24), WARMUP_AHEAD);
	free(r);
}

static void sending_days_and_the_calendar(void **state)
{
	struct run *r = calloc(1, sizeof(*r));

	(void)state;
	run_begin(r, "sparkpost"); /* once a week */
	for (int i = 0; i < 4; i++)
		send(r, 7 * i, sparkpost[i], 0, 0);
	at(r, 22, 12);
	assert_int_equal(r->status.stage, 4);
	assert_int_equal(r->status.sending_days, 4);
	assert_int_equal(r->status.state, WARMUP_ON_TRACK); /* a day off is no delay */
	assert_int_equal(r->status.eta_ms, T0_MS + (22 + 25 * 13 / 2 + 1) * DAY_MS);
	/* days of which nothing is known are no days without mail */
	for (int i = 0; i < 21; i++)
		r->day[i].known = false;
	at(r, 22, 12);
	assert_int_equal(r->status.unknown_days, 21);
	assert_int_equal(r->status.stage, 1);
	assert_int_equal(r->status.eta_ms, T0_MS + (22 + 28) * DAY_MS);
	for (int i = 0; i < 21; i++)
		r->day[i].known = true;
	r->plan.calendar = true;
	at(r, 22, 12);
	assert_int_equal(r->status.stage, 22);
	assert_int_equal(r->status.state, WARMUP_BEHIND);
	/* a vendor's clock: the cap is of an hour, and the table's end is the plan's */
	run_begin(r, "sendgrid-auto");
	send(r, 0, 480, 0, 0);
	r->day[0].peak_hour = 20;
	assert_int_equal(at(r, 0, 24), WARMUP_ON_TRACK);
	r->day[0].peak_hour = 21;
	assert_int_equal(at(r, 0, 24), WARMUP_AHEAD);
	for (int i = 1; i < DAYS; i++)
		send(r, i, 30000, 0, 0);
	at(r, 41, 24);
	assert_int_equal(r->status.limit, 19601056);
	assert_int_equal(r->status.state, WARMUP_BEHIND);
	assert_int_equal(at(r, 42, 1), WARMUP_DONE);
	/* a vendor's day of which no hour is known */
	run_begin(r, "sendgrid-auto");
	send(r, 0, 481, 0, 0);
	assert_int_equal(at(r, 0, 24), WARMUP_AHEAD);
	/* cold again after a week, by Rackspace's word; 30 days are of plans that say nothing */
	run_begin(r, "rackspace");
	send(r, 0, 19, 0, 0);
	assert_int_equal(at(r, 0, 24), WARMUP_BEHIND);
	send(r, 0, 20, 0, 0);
	assert_int_equal(at(r, 0, 24), WARMUP_DONE);
	assert_int_equal(at(r, 7, 12), WARMUP_DONE);
	assert_int_equal(at(r, 8, 12), WARMUP_COLD);
	free(r);
}

static void back_off_is_the_stage_before(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	int64_t caps[DAYS];

	(void)state;
	run_begin(r, "sparkpost");
	for (int i = 0; i < 3; i++)
		send(r, i, sparkpost[i], 0, 0);
	send(r, 3, 500, 0, 0);
	r->day[3].signal[GATE_OUTLOOK_S3150] = 1;
	assert_int_equal(at(r, 3, 12), WARMUP_BACK_OFF);
	assert_int_equal(r->status.cap, 1000);
	assert_int_equal(r->status.gate[0].signal, GATE_OUTLOOK_S3150);
	assert_true(r->status.gate[0].published);
	assert_int_equal(r->status.box[MAILBOX_OUTLOOK].colour, GATE_RED);
	/* the next morning: told until there is news, and the cap stays */
	assert_int_equal(at(r, 4, 1), WARMUP_BACK_OFF);
	assert_true(r->status.gate[0].before);
	assert_int_equal(r->status.cap, 1000);
	send(r, 4, WARMUP_MIN_N - 1, 0, 0);
	assert_int_equal(at(r, 4, 1), WARMUP_BACK_OFF);
	send(r, 4, WARMUP_MIN_N, 0, 0);
	assert_int_equal(at(r, 4, 1), WARMUP_ON_TRACK);
	warmup_history(&r->plan, r->day, 5, caps);
	assert_int_equal(caps[3], 2000);
	assert_int_equal(caps[4], 1000);
	/* at the first stage there is none before */
	r->day[0].signal[GATE_YAHOO_TSS05] = 1;
	assert_int_equal(at(r, 0, 12), WARMUP_BACK_OFF);
	assert_int_equal(r->status.cap, 200);
	free(r);
}

/* --- gates --- */
static void few_say_nothing(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	double low, high;

	(void)state;
	run_begin(r, "sparkpost");
	send(r, 0, 19, 1, 0); /* 5 % of 20 */
	assert_int_not_equal(at(r, 0, 1), WARMUP_HOLD);
	send(r, 0, 49, 50, 0); /* half of 99 */
	assert_int_equal(at(r, 0, 1), WARMUP_ON_TRACK);
	assert_int_equal(r->status.gate[0].colour, GATE_GREEN);
	assert_false(r->status.gate[0].enough);
	send(r, 0, 50, 50, 0);
	assert_int_equal(at(r, 0, 1), WARMUP_BACK_OFF);
	assert_false(r->status.gate[0].published);
	/* 3 % of 200 may be 2 %: the lower bound decides */
	send(r, 0, 194, 6, 0);
	assert_int_equal(at(r, 0, 24), WARMUP_ON_TRACK);
	wilson(6, 200, &low, &high);
	assert_true(fabs(low - 0.013820) < 0.00001 && fabs(high - 0.063892) < 0.00001);
	wilson(0, 0, &low, &high);
	assert_true(low <= 0 && high >= 1);
	wilson(0, 100, &low, &high);
	assert_true(low <= 0 && fabs(high - 0.036995) < 0.00001);
	/* deferrals: their share of all tries */
	send(r, 0, 181, 0, 39);
	assert_int_equal(at(r, 0, 24), WARMUP_ON_TRACK);
	send(r, 0, 160, 0, 40); /* 20 % of 200: from 15.04 % on */
	assert_int_equal(at(r, 0, 24), WARMUP_BACK_OFF);
	free(r);
}

static const struct gate_result *gate_of(
	const struct gate_result *all, size_t n, enum gate_kind kind, int box)
{
	size_t i = 0;

	while (i < n && (all[i].kind != kind || all[i].box != box))
		i++;
	assert_true(i < n);
	return &all[i];
}

static void complaints_and_what_is_told_elsewhere(void **state)
{
	struct warmup_day d = {.known = true, .all = {1000, 0, 0}};
	struct gate_result all[WARMUP_GATES_MAX];
	const struct gate_result *g;
	size_t n;

	(void)state;
	d.box[MAILBOX_GMAIL] = d.box[MAILBOX_YAHOO] = d.box[MAILBOX_OUTLOOK] = d.all;
	n = gates_of(&d, all);
	g = gate_of(all, n, GATE_KIND_COMPLAINT, -1); /* of a log */
	assert_int_equal(g->colour, GATE_UNKNOWN);
	assert_int_equal(g->k, EVENT_UNKNOWN);
	assert_int_equal(gate_of(all, n, GATE_KIND_TOLD, MAILBOX_GMAIL)->colour, GATE_UNKNOWN);
	assert_int_equal(gate_of(all, n, GATE_KIND_TOLD, MAILBOX_YAHOO)->colour, GATE_UNKNOWN);
	assert_int_equal(gate_of(all, n, GATE_KIND_TOLD, MAILBOX_OUTLOOK)->colour, GATE_UNKNOWN);
	assert_int_equal(gates_colour(&d), GATE_GREEN);
	/* by hand, lower bounds of k in 1000: 2 0.055 %, 3 0.102 %, 9 0.474 %, 10 0.544 % */
	d.complaints_known = true;
	d.complaints_of = 1000;
	for (d.complaints = 0; d.complaints <= 12; d.complaints++)
		assert_int_equal(gates_colour(&d), d.complaints < 3    ? GATE_GREEN
						   : d.complaints < 10 ? GATE_YELLOW
								       : GATE_RED);
	d.complaints_of = 99; /* too few */
	assert_int_equal(gates_colour(&d), GATE_GREEN);
	/* the bounce lines of SES lie behind the convention's */
	d = (struct warmup_day){.known = true, .all = {930, 70, 0}};
	n = gates_of(&d, all);
	assert_int_equal(gate_of(all, n, GATE_KIND_BOUNCE, -1)->colour, GATE_RED);
	g = gate_of(all, n, GATE_KIND_SES_BOUNCE, -1);
	assert_int_equal(g->colour, GATE_YELLOW);
	assert_true(g->published);
	d.all = (struct warmup_counts){860, 140, 0};
	n = gates_of(&d, all);
	assert_int_equal(gate_of(all, n, GATE_KIND_SES_BOUNCE, -1)->colour, GATE_RED);
}

static void at_the_line_of_a_rate(void **state)
{
	double low, high;
	int64_t last_green = 0;
	struct warmup_day d = {.known = true};

	(void)state;
	for (int64_t k = 0; k <= 1000; k++) {
		d.all = (struct warmup_counts){1000 - k, k, 0};
		wilson(k, 1000, &low, &high);
		assert_int_equal(gates_colour(&d), low > 0.05   ? GATE_RED
						   : low > 0.02 ? GATE_YELLOW
								: GATE_GREEN);
		last_green = low > 0.02 ? last_green : k;
	}
	assert_int_equal(
		last_green, 28); /* lower bounds by hand: of 28 in 1000 0.0194, of 29 0.0203 */
}

static void signals_by_provider(void **state)
{
	static const struct {
		enum mailbox box;
		int32_t code, dsn;
		const char *reply;
		enum warmup_gate want;
	} cases[] = {
		{MAILBOX_GMAIL, 421, DSN_MAKE(4, 7, 28), "421-4.7.28 too much from you",
			GATE_GMAIL_RATE},
		{MAILBOX_GMAIL, 550, DSN_MAKE(5, 7, 28), "550 no", GATE_GMAIL_RATE},
		{MAILBOX_GMAIL, 450, DSN_MAKE(4, 2, 1), "450 4.2.1 slow", GATE__COUNT},
		{MAILBOX_OTHER, 421, DSN_MAKE(4, 7, 28), "421 4.7.28", GATE__COUNT},
		{MAILBOX_YAHOO, 421, DSN_MAKE(4, 7, 0), "421 4.7.0 [TSS04] wait", GATE_YAHOO_TSS04},
		{MAILBOX_YAHOO, 421, DSN_MAKE(4, 7, 0), "421 4.7.0 [TS02] wait", GATE_YAHOO_TSS04},
		{MAILBOX_YAHOO, 421, DSN_MAKE(4, 7, 1), "421 [TSS05] never", GATE_YAHOO_TSS05},
		{MAILBOX_YAHOO, 553, DSN_MAKE(5, 7, 1), "553 5.7.1 [BL21] listed", GATE_YAHOO_BL},
		{MAILBOX_YAHOO, 554, DSN_MAKE(5, 7, 9), "554 policy", GATE_YAHOO_554},
		{MAILBOX_YAHOO, 554, DSN_MAKE(5, 0, 0), "554 delivery error: no account",
			GATE__COUNT},
		{MAILBOX_OUTLOOK, 421, 0, "421 RP-001 slow", GATE_OUTLOOK_RP},
		{MAILBOX_OUTLOOK, 550, DSN_MAKE(5, 7, 1), "550 SC-004 no", GATE_OUTLOOK_SC},
		{MAILBOX_OUTLOOK, 550, DSN_MAKE(5, 7, 1), "550 5.7.1 on our list (S3150)",
			GATE_OUTLOOK_S3150},
		{MAILBOX_OUTLOOK, 550, DSN_MAKE(5, 7, 515), "550 5.7.515 no", GATE_OUTLOOK_515},
		{MAILBOX_ICLOUD, 421, 0, "421 [HCM1] later", GATE_ICLOUD_HCM1},
		{MAILBOX_ICLOUD, 451, 0, "451 BS02 later", GATE_ICLOUD_HCM1},
		{MAILBOX_ICLOUD, 554, 0, "554 see spamhaus.org", GATE_ICLOUD_DBL},
		{MAILBOX_COMCAST, 421, 0, "421 RL000010 slow", GATE_COMCAST_RL10},
		{MAILBOX_COMCAST, 421, 0, "421 RL000001 slow", GATE_COMCAST_RL},
		{MAILBOX_COMCAST, 550, DSN_MAKE(5, 1, 1), "550 not our customer", GATE__COUNT},
	};
	unsigned met = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(gate_signal(cases[i].box, cases[i].code, cases[i].dsn,
					 str_of(cases[i].reply)),
			cases[i].want);
		met |= cases[i].want == GATE__COUNT ? 0 : 1u << cases[i].want;
	}
	assert_int_equal(met, (1u << GATE__COUNT) - 1);
	assert_int_equal(mailbox_of(STR_LIT("gmail-smtp-in.l.google.com")), MAILBOX_GMAIL);
	assert_int_equal(mailbox_of(STR_LIT("x.olc.protection.outlook.com")), MAILBOX_OUTLOOK);
	assert_int_equal(
		mailbox_of(STR_LIT("a.mail.protection.outlook.com")), MAILBOX_MICROSOFT365);
	assert_int_equal(mailbox_of(STR_LIT("MTA5.am0.YahooDNS.net.")), MAILBOX_YAHOO);
	assert_int_equal(mailbox_of(STR_LIT("notgoogle.com")), MAILBOX_OTHER);
	assert_int_equal(mailbox_of((struct str){NULL, 0}), MAILBOX_OTHER);
}

/* --- days --- */
static size_t days_in(const char *zone, int year, int month, int day, int64_t now_ms,
	struct warmup_day *out, size_t max)
{
	const struct warmup_plan p = {.year = year, .month = month, .day = day};
	size_t n;

	setenv("TZ", zone, 1);
	tzset();
	n = warmup_days(&p, now_ms, out, max);
	setenv("TZ", "UTC", 1);
	tzset();
	return n;
}

static void days_of_23_and_25_hours(void **state)
{
	static const char zone[] = "CET-1CEST,M3.5.0,M10.5.0/3";
	struct warmup_day *d = calloc(40, sizeof(*d));
	struct run *r = calloc(1, sizeof(*r));
	/* 2026-03-29 begins at 2026-03-28T23:00:00Z; now is noon of the 30th, local */
	size_t n = days_in(zone, 2026, 3, 28, INT64_C(1774864800000), d, 40);

	(void)state;
	assert_int_equal(n, 3);
	assert_int_equal(d[0].end_ms - d[0].start_ms, 24 * HOUR_MS);
	assert_int_equal(d[1].start_ms, INT64_C(1774738800000));
	assert_int_equal(d[1].end_ms - d[1].start_ms, 23 * HOUR_MS);
	assert_int_equal(d[2].start_ms, d[1].end_ms);
	/* half of a day of 23 hours is half of the cap */
	r->plan = builtin("sparkpost");
	d[1].all.sent = 100;
	warmup_judge(&r->plan, d + 1, 1, d[1].start_ms + 23 * HOUR_MS / 2, &r->status);
	assert_int_equal(r->status.pace, 100);
	n = days_in(zone, 2026, 10, 25, INT64_C(1792965600000), d, 40); /* 25th, 23:00 CET */
	assert_int_equal(n, 1);
	assert_int_equal(d[0].end_ms - d[0].start_ms, 25 * HOUR_MS);
	/* leap days: 2028 has a 29th of February, 2026 none */
	n = days_in("UTC", 2028, 2, 28, INT64_C(1835438400000), d, 40); /* 2028-02-29T12 */
	assert_int_equal(n, 2);
	n = days_in("UTC", 2028, 2, 28, INT64_C(1835524800000), d, 40); /* 2028-03-01T12 */
	assert_int_equal(n, 3);
	n = days_in("UTC", 2026, 2, 28, INT64_C(1772366400000), d, 40); /* 2026-03-01T12 */
	assert_int_equal(n, 2);
	/* before the start, on its first instant, and the newest of too many */
	assert_int_equal(days_in("UTC", 2026, 11, 1, T0_MS - 1, d, 40), 0);
	assert_int_equal(days_in("UTC", 2026, 11, 1, T0_MS, d, 40), 1);
	assert_int_equal(days_in("UTC", 2026, 1, 1, T0_MS, d, 40), 40);
	assert_int_equal(d[39].start_ms, T0_MS);
	warmup_judge(&r->plan, d, 0, T0_MS, &r->status);
	assert_int_equal(r->status.state, WARMUP_COLD);
	assert_false(r->status.begun);
	free(r);
	free(d);
}

/* --- configuration --- */
static int load(const char *text, struct warmup_plans *out, struct mt_error *err)
{
	static struct conf_table table;
	struct conf *conf;
	int rc;

	table = warmup_conf_table();
	conf = conf_new(&table, 1);
	rc = conf_load_text(conf, "t.conf", str_of(text), false, err);
	if (rc == 0)
		rc = warmup_plans_load(conf, out, err);
	else
		memset(out, 0, sizeof(*out));
	if (rc < 0 || out->n == 0) {
		warmup_plans_done(out);
		conf_free(conf);
		return rc;
	}
	if (out->plan[0].negress) /* borrowed from conf: looked at before it goes */
		assert_string_equal(out->plan[0].egress[0], "203.0.113.7");
	assert_string_equal(out->plan[0].name, "ip7");
	conf_free(conf);
	return 0;
}

static void refused(const char *text, const char *why)
{
	static struct warmup_plans plans;
	struct mt_error err = {0};

	assert_int_equal(load(text, &plans, &err), MT_ECONFIG);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" is not in: %s", why, err.text);
}

#define HEAD "[warmup ip7]\negress = 203.0.113.7\n"
static void plans_of_the_configuration(void **state)
{
	static struct warmup_plans plans;
	struct mt_error err = {0};

	(void)state;
	assert_int_equal(load("[warmup]\nplan = sparkpost\n", &plans, &err), 0);
	assert_int_equal(plans.n, 0);
	assert_int_equal(
		load("[warmup]\ntarget = 4000\n" HEAD
		     "start = 2028-02-29\nplan = own\ncaps = 10 20 4000\nclock = calendar\n"
		     "mailbox_caps = gmail=5 other=7\n",
			&plans, &err),
		0);
	assert_int_equal(plans.plan[0].caps.n, 3);
	assert_int_equal(plans.plan[0].caps.cap[2], 4000);
	assert_int_equal(plans.plan[0].target, 4000);
	assert_true(plans.plan[0].calendar);
	assert_int_equal(warmup_track(&plans.plan[0], MAILBOX_GMAIL, 9), 5);
	assert_int_equal(plans.plan[0].day, 29);
	warmup_plans_done(&plans);
	assert_int_equal(
		load(HEAD "start = 2026-11-01\nplan = responsys\nmailbox = yahoo\n", &plans, &err),
		0);
	assert_int_equal(warmup_limit(&plans.plan[0], 3), 7500);
	assert_true(plans.plan[0].has_only);
	warmup_plans_done(&plans);
	assert_int_equal(load(HEAD "start = 2026-11-01\nplan = rackspace\n", &plans, &err), 0);
	assert_true(plans.plan[0].has_only && plans.plan[0].only == MAILBOX_RACKSPACE);
	assert_int_equal(plans.plan[0].target, 20);
	warmup_plans_done(&plans);
	assert_int_equal(load(HEAD "start = 2026-11-01\nplan = ipost\ncaps = 500\ntarget = 4000\n",
				 &plans, &err),
		0);
	assert_int_equal(warmup_stages(&plans.plan[0]), 13);
	warmup_plans_done(&plans);
	refused(HEAD "start = 2026-11-01\nplan = rackspace\nmailbox = gmail\n",
		"about mail to Rackspace");
	refused(HEAD "start = 2026-11-01\nplan = ipost\ntarget = 4000\n", "caps: missing");
	refused(HEAD "start = 2026-11-01\nplan = ipost\ncaps = 500\n", "target: missing");
	refused(HEAD "start = 2026-11-01\nplan = ipost\ncaps = 500 600\n", "takes one");
	refused("[warmup ip7]\nstart = 2026-11-01\n", "[warmup ip7] egress: missing");
	refused(HEAD, "start: missing");
	refused(HEAD "start = 2026-02-29\n", "no such day");
	refused(HEAD "start = 2026-13-01\n", "not a day");
	refused(HEAD "start = tomorrow\n", "not a day");
	refused(HEAD "start = 2026-11-01\nplan = own\n", "caps: missing");
	refused(HEAD "start = 2026-11-01\nplan = own\ncaps = 10 x\n", "\"x\" is no number");
	refused(HEAD "start = 2026-11-01\nplan = own\ncaps = 10 0\n", "\"0\" is no number");
	refused(HEAD "start = 2026-11-01\nplan = own\ncaps = 10 9\n", "grows");
	refused(HEAD "start = 2026-11-01\ncaps = 10\n", "only with plan = own");
	refused(HEAD "start = 2026-11-01\nplan = fast\n", "plan");
	refused(HEAD "start = 2026-11-01\ntarget = 10000001\n", "last cap, 10000000");
	refused(HEAD "start = 2026-11-01\nmailbox_caps = gmial=4\n", "no such mailbox provider");
	refused(HEAD "start = 2026-11-01\nmailbox_caps = gmail=no\n", "WORD=MESSAGES");
	refused(HEAD "start = 2026-11-01\nmailbox = gmail\nmailbox_caps = gmail=4\n",
		"not with mailbox");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules_are_the_published_ones),
		cmocka_unit_test(growth_by_rule),
		cmocka_unit_test(every_state_in_sixty_days),
		cmocka_unit_test(stages_and_figures),
		cmocka_unit_test(sending_days_and_the_calendar),
		cmocka_unit_test(back_off_is_the_stage_before),
		cmocka_unit_test(few_say_nothing),
		cmocka_unit_test(complaints_and_what_is_told_elsewhere),
		cmocka_unit_test(at_the_line_of_a_rate),
		cmocka_unit_test(signals_by_provider),
		cmocka_unit_test(days_of_23_and_25_hours),
		cmocka_unit_test(plans_of_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
