/* SPDX-License-Identifier: MIT */
/* answer - what came: rows into the store, the cursor that says they were had, and what the round asks next. */
#include "backends/sendgrid/sendgrid.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX_BYTES 4096
#define OVERLAP_ROWS                                                                               \
	10 /* of two pages of a list: rows that were removed meanwhile shift what follows */

struct taking { /* one answer under way */
	struct sendgrid *s;
	struct walk *w;
	size_t e;
	struct mt_error *error;
	bool granted[SENDGRID__ENDPOINTS];
};

/* covers - does a granted scope allow what another names? "suppression.read" all lists, "stats.global.read" the totals. */
static bool covers(struct str granted, struct str needed)
{
	size_t dot = str_find_char(needed, '.');

	if (str_eq(granted, needed))
		return true;
	if (str_eq(needed, STR_LIT("stats.read")) && str_eq(granted, STR_LIT("stats.global.read")))
		return true;
	return granted.n == dot + 5 && memcmp(granted.p, needed.p, dot) == 0 &&
	       str_ends(granted, STR_LIT(".read"));
}

static int take_scope(void *ctx, struct str name)
{
	struct taking *k = ctx;

	for (int e = 0; e < SENDGRID__ENDPOINTS; e++) {
		const char *needed = sendgrid_endpoint_scope((enum sendgrid_endpoint)e);

		k->granted[e] |= needed && covers(name, str_of(needed));
	}
	return 0;
}

static int take_counts(void *ctx, const struct sendgrid_counts *c)
{
	struct taking *k = ctx;
	struct sendgrid_counts own = *c;
	int rc = daily_add(&k->w->sums, c, k->error);

	if (rc == 0 && c->dim == DIM_TOTAL && k->s->naccounts > 1) {
		const char *name = k->s->accounts[k->w->account].name;

		own.dim = DIM_SUBACCOUNT;
		own.key = str_of(name[0] ? name : "(account)");
		rc = daily_add(&k->w->sums, &own, k->error);
	}
	return rc;
}

static int take_event(void *ctx, const struct api_event *e)
{
	return api_put_event(&((struct taking *)ctx)->s->api, e);
}

static int take_suppression(void *ctx, const struct api_suppression *row)
{
	return api_put_suppression(&((struct taking *)ctx)->s->api, row);
}

static int take_ip(void *ctx, const struct api_ip *row)
{
	return api_put_ip(&((struct taking *)ctx)->s->api, row);
}

static int take_account(void *ctx, struct str name, struct str value)
{
	return api_put_account(&((struct taking *)ctx)->s->api, name, value);
}

static int take_subuser(void *ctx, struct str name, int64_t id)
{
	sendgrid_account_found(((struct taking *)ctx)->s, name, id);
	return 0;
}

static enum api_list list_of(size_t e)
{
	static const enum api_list lists[SENDGRID__ENDPOINTS] = {
		[SENDGRID_BOUNCES] = API_LIST_BOUNCES,
		[SENDGRID_BLOCKS] = API_LIST_BLOCKS,
		[SENDGRID_INVALID] = API_LIST_INVALID,
		[SENDGRID_SPAM] = API_LIST_COMPLAINTS,
		[SENDGRID_UNSUBSCRIBES] = API_LIST_UNSUBSCRIBES,
		[SENDGRID_IPS] = API_LIST_IPS};

	return lists[e];
}

static bool whole(const struct walk *w, size_t e)
{
	return e == SENDGRID_IPS || (sendgrid_is_list(e) && w->full);
}

static int walk_begin(struct taking *k)
{
	if (!whole(k->w, k->e) || k->w->offset)
		return 0;
	return store_api_list_begin(api_store(&k->s->api), api_provider(&k->s->api), list_of(k->e),
		str_of(k->s->accounts[k->w->account].name), false, k->error);
}

/* walk_end - rows of the list not seen since it began are gone; complete false: they stay. */
static int walk_end(struct taking *k, bool complete)
{
	struct sendgrid *s = k->s;
	struct walk *w = k->w;
	struct list_cursor *c;
	int rc = 0;

	if (whole(w, k->e))
		rc = store_api_list_end(api_store(&s->api), api_provider(&s->api), list_of(k->e),
			str_of(s->accounts[w->account].name), complete, k->error);
	if (rc < 0 || !sendgrid_is_list(k->e) || !complete)
		return rc;
	c = &s->accounts[w->account].lists[k->e - SENDGRID_BOUNCES];
	if (w->newest_ms != EVENT_UNKNOWN && w->newest_ms / 1000 > c->since_s)
		c->since_s = w->newest_ms / 1000;
	if (w->full)
		c->full_ms = api_now_ms(&s->api);
	return sendgrid_cursor_save(s, k->e, w->account, k->error);
}

/* another_page - 1 go on at w->offset, 0 the list is at its end, MT_EPROTO: it goes round. */
static int another_page(
	struct taking *k, const struct sendgrid_result *r, struct str body, size_t overlap)
{
	struct walk *w = k->w;
	char place[24];

	if (r->rows < SENDGRID_PAGE_ROWS)
		return 0;
	snprintf(place, sizeof(place), "%zu", w->offset + SENDGRID_PAGE_ROWS);
	if (api_pager_next(&w->pager, r->rows, body, str_of(place))) {
		w->offset += SENDGRID_PAGE_ROWS - overlap;
		return 1;
	}
	return mt_error_set(k->error, MT_EPROTO, "%s: the page at %zu is one had before",
		sendgrid_endpoint_name((enum sendgrid_endpoint)k->e), w->offset);
}

static int after_list(struct taking *k, const struct sendgrid_result *r, struct str body)
{
	int rc, ended;

	if (r->newest_ms > k->w->newest_ms)
		k->w->newest_ms = r->newest_ms;
	rc = another_page(k, r, body, sendgrid_is_list(k->e) ? OVERLAP_ROWS : 0);
	if (rc > 0)
		return 0;
	ended = walk_end(k, rc == 0);
	sendgrid_next_account(k->s, k->w);
	return rc < 0 ? rc : ended;
}

/* after_days - the next page, day or account. */
static int after_days(struct taking *k, const struct sendgrid_result *r, struct str body)
{
	struct walk *w = k->w;
	int rc = k->e == SENDGRID_CLASSES ? 0 : another_page(k, r, body, 0);

	if (r->first_day < w->answer_first_day)
		w->answer_first_day = r->first_day;
	if (r->last_day > w->answer_last_day)
		w->answer_last_day = r->last_day;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (k->e == SENDGRID_CATEGORIES && w->day < w->last_day) {
		w->day++;
		w->offset = 0;
		api_pager_init(&w->pager);
		return 0;
	}
	/* A day without bounces is left out of their classes: of a quiet account all are. */
	if (k->e == SENDGRID_CLASSES)
		daily_answer(&w->sums, w->first_day, w->last_day);
	else
		daily_answer(&w->sums, w->answer_first_day, w->answer_last_day);
	sendgrid_next_account(k->s, w);
	return 0;
}

static int after_logs(struct taking *k, const struct sendgrid_result *r)
{
	struct slices *slices = &k->s->accounts[k->w->account].logs;
	int64_t done_s = slices->done_s;

	slices_answered(slices, k->w->to_s, r->rows, SENDGRID_LOGS_ROWS);
	return slices->done_s == done_s
		       ? 0
		       : (sendgrid_cursor_save(k->s, k->e, k->w->account, k->error));
}

static int after_scopes(struct taking *k)
{
	struct sendgrid *s = k->s;
	size_t e;

	for (e = 0; e < SENDGRID__ENDPOINTS; e++) {
		bool had = s->granted[e];

		/* Which scope the email logs want is not documented: they are asked, and the answer tells. */
		s->granted[e] = k->granted[e] || e == SENDGRID_SCOPES || e == SENDGRID_LOGS ||
				e == SENDGRID_LOG || e == SENDGRID_MESSAGES;
		if (s->scopes_known && s->granted[e] && !had)
			api_soon(&s->api, e);
	}
	s->scopes_known = true;
	sendgrid_next_account(s, k->w);
	return 0;
}

static int after(struct taking *k, const struct sendgrid_result *r, struct str body)
{
	int rc = 0;

	if (sendgrid_is_round(k->e))
		return after_days(k, r, body);
	if (sendgrid_is_list(k->e) || k->e == SENDGRID_IPS)
		return after_list(k, r, body);
	if (sendgrid_is_logs(k->e))
		return after_logs(k, r);
	if (k->e == SENDGRID_SCOPES)
		return after_scopes(k);
	if (k->e == SENDGRID_SUBUSERS) {
		rc = another_page(k, r, body, 0);
		k->s->subusers_known = true;
	}
	if (rc <= 0)
		sendgrid_next_account(k->s, k->w);
	return rc < 0 ? rc : 0;
}

/*
 * refused - a final answer that is no rows. What is refused for one subuser is not refused for the others; an account of a
 * plan without addresses of its own is no failure.
 */
static int refused(struct taking *k, const struct http_reply *reply)
{
	struct sendgrid *s = k->s;
	struct walk *w = k->w;
	char whole[WORDS_MAX_BYTES], words[120];

	/* The key may be quoted in it: taken out before it is cut, when it would not be known any more. */
	sendgrid_refusal(reply->body, whole, sizeof(whole));
	secret_scrub(s->api.key, whole);
	snprintf(words, sizeof(words), "%.119s", whole);
	if (k->e == SENDGRID_SUBUSERS)
		s->subusers_known =
			true; /* without numbers; those configured are asked for by name */
	if ((k->e == SENDGRID_IPS || k->e == SENDGRID_WARMUP || k->e == SENDGRID_POOLS) &&
		(reply->rc == MT_EPERM || reply->rc == MT_ENOENT)) {
		sendgrid_next_account(s, w);
		return k->e == SENDGRID_IPS
			       ? take_account(k, STR_LIT("sending IPs"), STR_LIT("shared"))
			       : 0;
	}
	if (w->account > 0 &&
		(reply->rc == MT_EPERM || reply->rc == MT_ENOENT || reply->rc == MT_EAUTH)) {
		if (w->refused++ == 0)
			snprintf(w->refusal, sizeof(w->refusal), "%.40s: %.70s",
				s->accounts[w->account].name, words);
		sendgrid_next_account(s, w);
		return 0;
	}
	if (reply->rc == MT_EAUTH) {
		s->api.refused_row++;
		s->api.stopped |= s->api.refused_row >= API_UNAUTHORIZED_ROW;
	}
	if (k->e == SENDGRID_MESSAGES && reply->status == 400 && strstr(words, "authorization"))
		return mt_error_set(
			k->error, MT_EPERM, "the account has no additional email activity history");
	return mt_error_set(k->error, (enum mt_err)reply->rc, "%s%s%s", reply->error.text,
		words[0] ? ": " : "", words);
}

int sendgrid_took(struct api *a, size_t e, const struct http_reply *reply, struct mt_error *reterr)
{
	struct sendgrid *s = (struct sendgrid *)a;
	struct walk *w = &s->walk[e];
	struct taking k = {.s = s, .w = w, .e = e, .error = reterr};
	struct sendgrid_ask ask = {.endpoint = (enum sendgrid_endpoint)e,
		.subuser = str_of(s->accounts[w->account].name),
		.fetched_ms = api_now_ms(a),
		.day = w->day};
	const struct sendgrid_sink sink = {.scope = take_scope,
		.counts = take_counts,
		.event = take_event,
		.suppression = take_suppression,
		.ip = take_ip,
		.account = take_account,
		.subuser = take_subuser,
		.ctx = &k};
	struct sendgrid_result r;
	int rc;

	if (reply->rc < 0)
		return refused(&k, reply);
	rc = walk_begin(&k);
	if (rc == 0)
		rc = sendgrid_parse(&ask, reply->body, &sink, &r, reterr);
	return rc < 0 ? rc : after(&k, &r, reply->body);
}

/* write_sums - the figures of all accounts, added up, once the last has answered. */
static int write_sums(struct sendgrid *s, struct walk *w, size_t e, struct mt_error *reterr)
{
	static const enum bucket_dim dims[SENDGRID__ENDPOINTS] = {
		[SENDGRID_MAILBOXES] = DIM_MAILBOX,
		[SENDGRID_CATEGORIES] = DIM_TAG,
		[SENDGRID_CLASSES] = DIM_CLASS};
	int64_t now_ms = api_now_ms(&s->api);
	int rc = daily_write(&w->sums, api_store(&s->api), api_provider(&s->api), &s->zone, dims[e],
		now_ms, reterr);

	if (rc == 0 && e == SENDGRID_STATS && s->naccounts > 1)
		rc = daily_write(&w->sums, api_store(&s->api), api_provider(&s->api), &s->zone,
			DIM_SUBACCOUNT, now_ms, reterr);
	return rc;
}

int sendgrid_end(struct api *a, size_t e, bool complete, struct mt_error *reterr)
{
	struct sendgrid *s = (struct sendgrid *)a;
	struct walk *w = &s->walk[e];
	int64_t truncated = 0;
	char text[200] = "";
	int rc = 0;

	if (sendgrid_is_round(e) && complete) {
		rc = write_sums(s, w, e, reterr);
		if (rc == 0)
			w->wide_day = w->last_day;
	}
	if (sendgrid_is_round(e))
		daily_clear(&w->sums);
	for (size_t i = 0; e == SENDGRID_LOGS && i < s->naccounts; i++)
		truncated += s->accounts[i].logs.truncated;
	/* The figures there are are good: what is missing is said beside them. */
	if (truncated)
		snprintf(text, sizeof(text),
			"%lld seconds had more messages than SendGrid gives at once: some are "
			"missing",
			(long long)truncated);
	if (w->refused)
		snprintf(text, sizeof(text), "%zu subusers left out: %s", w->refused, w->refusal);
	if (text[0])
		snprintf(a->line[e].detail, sizeof(a->line[e].detail), "%s", text);
	return rc;
}
