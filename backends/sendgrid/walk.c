/* SPDX-License-Identifier: MIT */
/* walk - what a round of an endpoint asks: account after account, page after page, day after day, slice after slice. */
#include "backends/sendgrid/sendgrid.h"

#define DAY_MS INT64_C(86400000)
#define LATE_S 3600
#define RECENT_DAYS 2 /* before today: bounces of late retries still change them */
#define WIDE_DAYS 6 /* once a day: corrections; and all the vendor keeps by mailbox provider */

bool sendgrid_is_list(size_t e)
{
	return e >= SENDGRID_BOUNCES && e <= SENDGRID_UNSUBSCRIBES;
}

bool sendgrid_is_round(size_t e)
{
	return e >= SENDGRID_STATS && e <= SENDGRID_CLASSES;
}

bool sendgrid_is_logs(size_t e)
{
	return e == SENDGRID_LOGS || e == SENDGRID_MESSAGES;
}

/* begin_days - which days this round is about: the last few; at first, and once a day, a longer stretch. */
static void begin_days(const struct sendgrid *s, struct walk *w, size_t e)
{
	int64_t today = zone_day(&s->zone, api_now_ms(&s->api) / 1000), days = RECENT_DAYS;

	if (w->wide_day == 0 && e == SENDGRID_STATS)
		days = s->history_ms / DAY_MS;
	else if (w->wide_day != today)
		days = WIDE_DAYS;
	w->last_day = today;
	w->first_day = today - days;
	w->day = w->first_day;
	w->answer_first_day = INT64_MAX;
	w->answer_last_day = INT64_MIN;
	daily_clear(&w->sums);
}

int sendgrid_begin(struct api *a, size_t e)
{
	struct sendgrid *s = (struct sendgrid *)a;
	struct walk *w = &s->walk[e];

	if (e != SENDGRID_SCOPES && !s->scopes_known) {
		/* A key that may not even ask what it may do is no key: nothing else is tried with it. */
		a->stopped |= a->line[SENDGRID_SCOPES].last_rc == MT_EAUTH;
		return MT_EBUSY;
	}
	if (e != SENDGRID_SCOPES && e != SENDGRID_SUBUSERS && !s->subusers_known)
		return MT_EBUSY;
	w->account = w->offset = w->refused = 0;
	w->begun = false;
	api_pager_init(&w->pager);
	if (sendgrid_is_round(e))
		begin_days(s, w, e);
	return 0;
}

void sendgrid_next_account(struct sendgrid *s, struct walk *w)
{
	(void)s;
	w->account++;
	w->offset = 0;
	w->begun = false;
	w->day = w->first_day;
	w->answer_first_day = INT64_MAX;
	w->answer_last_day = INT64_MIN;
	api_pager_init(&w->pager);
}

/* begin_account - the first question about this account in this round. */
static void begin_account(struct sendgrid *s, struct walk *w, size_t e)
{
	struct account *who = &s->accounts[w->account];
	int64_t now_ms = api_now_ms(&s->api);

	w->begun = true;
	w->newest_ms = EVENT_UNKNOWN;
	if (sendgrid_is_list(e)) {
		const struct list_cursor *c = &who->lists[e - SENDGRID_BOUNCES];

		w->full = c->full_ms == 0 || now_ms - c->full_ms >= s->full_walk_ms;
	} else if (sendgrid_is_logs(e)) {
		slices_begin(&who->logs, now_ms / 1000);
	}
}

/* one_each - endpoints that are asked once a round, for the key's own account. */
static bool for_all(size_t e)
{
	return sendgrid_is_round(e) || sendgrid_is_list(e) || e == SENDGRID_LOGS;
}

/* late - rows may show later than they say they were created: a little is asked for again. */
static int64_t late(int64_t since_s)
{
	return since_s > LATE_S ? since_s - LATE_S : 0;
}

/* fill - the question; false: nothing more about this account. */
static bool fill(struct sendgrid *s, struct walk *w, size_t e, struct sendgrid_want *want)
{
	struct account *who = &s->accounts[w->account];

	if (!w->begun)
		begin_account(s, w, e);
	*want = (struct sendgrid_want){.endpoint = (enum sendgrid_endpoint)e,
		.offset = w->offset,
		.subuser_id = who->id,
		.all_states = s->all_states,
		.first_day = e == SENDGRID_CATEGORIES ? w->day : w->first_day,
		.last_day = e == SENDGRID_CATEGORIES ? w->day : w->last_day};
	if (sendgrid_is_list(e) && !w->full)
		want->since_s = late(who->lists[e - SENDGRID_BOUNCES].since_s);
	if (!sendgrid_is_logs(e))
		return true;
	if (!slices_next(&who->logs, api_now_ms(&s->api) / 1000, &w->from_s, &w->to_s))
		return false;
	want->from_s = w->from_s;
	want->to_s = w->to_s;
	return true;
}

int sendgrid_next(struct api *a, size_t e, struct api_request *r, struct mt_error *reterr)
{
	struct sendgrid *s = (struct sendgrid *)a;
	struct walk *w = &s->walk[e];
	const char *scope = sendgrid_endpoint_scope((enum sendgrid_endpoint)e);
	struct sendgrid_want want;

	if (!s->granted[e] && e != SENDGRID_SCOPES)
		return mt_error_set(reterr, MT_EPERM,
			"the key may not: grant it %s (Settings, API Keys, Edit)",
			scope ? scope : "");
	while (w->account < (for_all(e) ? s->naccounts : 1)) {
		const struct account *who = &s->accounts[w->account];

		if (!fill(s, w, e, &want)) {
			sendgrid_next_account(s, w);
			continue;
		}
		r->method =
			sendgrid_request(&want, r->path, r->body)[0] == 'P' ? HTTP_POST : HTTP_GET;
		/* The logs name the subuser in the body, where its number is known. */
		s->headers[0] = e == SENDGRID_LOGS && who->id != EVENT_UNKNOWN ? NULL : who->header;
		s->headers[1] = NULL;
		r->headers = s->headers;
		return 1;
	}
	return 0;
}
