/* SPDX-License-Identifier: MIT */
/* alert_eval - see alert_eval.h. */
#include "store/alert_eval.h"

#include "store/base/fmt.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"
#include "store/warmup_board.h"

#include <stdio.h>
#include <string.h>

#define ARENA_MAX_BYTES (64u << 20)
#define PERCENT 100.0
#define DAY_MS INT64_C(86400000)
#define SIGNATURES_MAX 10000

struct eval {
	struct reader *r;
	const struct alert_rule *rule;
	const struct warmup_plans *plans;
	int64_t now_ms, *mark;
	struct alert_value *out;
	struct arena arena;
	struct provider_row *providers;
	size_t nproviders;
	struct query q;
	struct buf text;
	struct mt_error *err;
};

static bool chosen(const struct eval *e, const struct provider_row *p)
{
	return e->q.provider == 0 || p->id == e->q.provider;
}

static bool reads_back(const struct eval *e)
{
	for (size_t i = 0; i < e->nproviders; i++)
		for (size_t k = 0; chosen(e, &e->providers[i]) && k < e->providers[i].nsources; k++)
			if (e->providers[i].sources[k].health == HEALTH_CATCHING_UP)
				return true;
	return false;
}

static void know(struct eval *e, double value)
{
	e->out->known = true;
	e->out->value = value;
}

/* part of whole in per cent; nothing of nothing is no rate, but few. */
static void rate(struct eval *e, const char *what, int64_t part, int64_t whole)
{
	if (part < 0 || whole < 0)
		return;
	know(e, whole > 0 ? PERCENT * (double)part / (double)whole : 0);
	e->out->n = whole;
	(void)buf_printf(&e->text, "%s ", what);
	fmt_pct(&e->text, part, whole);
	(void)buf_add_z(&e->text, " of ");
	fmt_count(&e->text, whole);
}

static int look_counts(struct eval *e)
{
	struct query q = {.provider = e->q.provider,
		.t0_ms = e->now_ms - e->rule->window_ms,
		.t1_ms = e->now_ms};
	struct totals t;
	const int64_t *n = t.n;
	int rc = read_totals(e->r, &q, &t, e->err);

	if (rc < 0 || reads_back(e))
		return rc;
	if (e->rule->figure == ALERT_FIGURE_BOUNCE_RATE) {
		rate(e, "bounce rate", n[METRIC_BOUNCED], totals_outcomes(n));
	} else if (e->rule->figure == ALERT_FIGURE_DEFERRAL_RATE) {
		int64_t final = n[METRIC_SENT] < 0 || n[METRIC_BOUNCED] < 0
					? EVENT_UNKNOWN
					: n[METRIC_SENT] + n[METRIC_BOUNCED];

		rate(e, "deferral rate", n[METRIC_DEFERRED],
			final < 0 || n[METRIC_DEFERRED] < 0 ? EVENT_UNKNOWN
							    : final + n[METRIC_DEFERRED]);
	} else if (n[e->rule->metric] >= 0) {
		know(e, (double)n[e->rule->metric]);
		fmt_count(&e->text, n[e->rule->metric]);
		(void)buf_printf(&e->text, " %s", e->rule->word);
	}
	return 0;
}

static int look_queue(struct eval *e)
{
	static const signed char queues[ALERT_FIGURE__COUNT] = {
		[ALERT_FIGURE_QUEUE_INCOMING] = QUEUE_INCOMING,
		[ALERT_FIGURE_QUEUE_ACTIVE] = QUEUE_ACTIVE,
		[ALERT_FIGURE_QUEUE_DEFERRED] = QUEUE_DEFERRED,
		[ALERT_FIGURE_QUEUE_HOLD] = QUEUE_HOLD,
		[ALERT_FIGURE_QUEUE_CORRUPT] = QUEUE_CORRUPT};
	struct query q = {
		.provider = e->q.provider, .t0_ms = e->now_ms - 60000, .t1_ms = e->now_ms + 1};
	struct queue_figures f;
	int64_t n = 0;
	int rc = read_queue(e->r, &q, &f, e->err);

	if (rc < 0 || f.t_ms < 0 || (f.source == QUEUE_SOURCE_LOG && reads_back(e)))
		return rc;
	if (e->rule->figure == ALERT_FIGURE_QUEUE_AGE) {
		int64_t age = f.oldest_ms < 0 ? 0 : e->now_ms - f.oldest_ms;

		if (f.oldest_ms < 0 && f.n[QUEUE_DEFERRED] != 0)
			return 0;
		know(e, age < 0 ? 0 : (double)age);
		(void)buf_add_z(&e->text, "oldest message in the queue ");
		timefmt_age(&e->text, age < 0 ? 0 : age);
		return 0;
	}
	if (e->rule->figure == ALERT_FIGURE_QUEUE) {
		if (f.n[QUEUE_INCOMING] < 0 || f.n[QUEUE_ACTIVE] < 0 || f.n[QUEUE_DEFERRED] < 0)
			return 0;
		for (int i = 0; i < QUEUE_CORRUPT; i++)
			n += f.n[i] > 0 ? f.n[i] : 0;
	} else {
		n = f.n[queues[e->rule->figure]];
	}
	if (n < 0)
		return 0;
	know(e, (double)n);
	fmt_count(&e->text, n);
	(void)buf_printf(&e->text, " in %s", e->rule->word);
	return 0;
}

/* The longest silence of the chosen logs. */
static int look_silence(struct eval *e)
{
	int64_t longest = -1;

	for (size_t i = 0; i < e->nproviders; i++) {
		const struct provider_row *p = &e->providers[i];

		for (size_t k = 0; chosen(e, p) && k < p->nsources; k++) {
			const struct source_row *s = &p->sources[k];
			int64_t quiet = e->now_ms - s->newest_ms;

			if (!str_eq(s->name, STR_LIT("log")) || s->newest_ms < 0 ||
				s->health == HEALTH_CATCHING_UP || quiet <= longest)
				continue;
			longest = quiet < 0 ? 0 : quiet;
			buf_clear(&e->text);
			(void)buf_add_z(&e->text, "no log line of ");
			(void)buf_add_str(&e->text, p->name);
			(void)buf_add_z(&e->text, " for ");
			timefmt_age(&e->text, longest);
		}
	}
	if (longest >= 0)
		know(e, (double)longest);
	return 0;
}

static int look_health(struct eval *e)
{
	int64_t bad = 0;
	bool any = false;

	for (size_t i = 0; i < e->nproviders; i++) {
		const struct provider_row *p = &e->providers[i];

		for (size_t k = 0; chosen(e, p) && k < p->nsources; k++) {
			const struct source_row *s = &p->sources[k];

			any = any || s->health != HEALTH_UNKNOWN;
			if (s->health != HEALTH_FAILING && s->health != HEALTH_STOPPED)
				continue;
			if (bad++ > 0)
				continue;
			(void)buf_add_str(&e->text, p->name);
			(void)buf_add_char(&e->text, ' ');
			(void)buf_add_str(&e->text, s->name);
			(void)buf_add_z(&e->text, ": ");
			(void)buf_add_str(&e->text, s->detail);
		}
	}
	if (bad > 1)
		(void)buf_printf(&e->text, " (and %d more)", (int)bad - 1);
	if (any)
		know(e, (double)bad);
	return 0;
}

/* The worst plan: 0 none, 1 HOLD, 2 BACK OFF. */
static int look_gate(struct eval *e)
{
	struct warmup_row *rows;
	size_t n = 0;
	int worst = 0;
	int rc = read_warmups(e->r, e->plans, e->now_ms, &e->arena, &rows, &n, e->err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		enum warmup_state state = rows[i].status.state;
		int level = state == WARMUP_BACK_OFF ? 2 : state == WARMUP_HOLD ? 1 : 0;

		if (level <= worst)
			continue;
		worst = level;
		buf_clear(&e->text);
		(void)buf_printf(
			&e->text, "warm-up %s %s: ", rows[i].plan->name, warmup_state_word(state));
		warmup_reason(&e->text, &rows[i]);
	}
	if (rc == 0 && !reads_back(e))
		know(e, worst);
	return rc;
}

/* Wordings whose id in the dictionary is higher than any met before: ids are given out in order of first sight. */
static int look_signatures(struct eval *e)
{
	struct query q = {.provider = e->q.provider,
		.t0_ms = e->now_ms - e->rule->window_ms,
		.t1_ms = e->now_ms,
		.limit = SIGNATURES_MAX};
	struct reply_row *rows;
	int64_t newest = 0, fresh = 0;
	size_t n = 0;
	int rc = reads_back(e) ? 0 : read_replies(e->r, &q, false, &e->arena, &rows, &n, e->err);

	if (rc < 0 || reads_back(e))
		return rc;
	for (size_t i = 0; i < n; i++) {
		newest = rows[i].key > newest ? rows[i].key : newest;
		if (*e->mark == 0 || rows[i].key <= *e->mark)
			continue;
		if (fresh++ == 0) {
			(void)buf_add_z(&e->text, "new: ");
			(void)buf_add_str(&e->text, rows[i].example);
		}
	}
	/* The first look tells what is not new: all there is. */
	if (*e->mark == 0)
		*e->mark = newest > 0 ? newest : 1;
	e->out->newest = newest > *e->mark ? newest : *e->mark;
	know(e, (double)fresh);
	return 0;
}

/* Own addresses on block lists. A list that can't be asked now counts as it was when it last could. */
static int look_listing(struct eval *e)
{
	struct listings l;
	int rc = read_listings(e->r, &e->arena, &l, e->err);

	if (rc < 0 || l.checked == 0 || e->now_ms - l.t_ms > NAME_STALE_MS)
		return rc;
	know(e, (double)l.listed);
	if (l.listed == 0) {
		(void)buf_add_z(&e->text, "no own address is on a block list");
		return 0;
	}
	(void)buf_add_str(&e->text, l.first_address);
	(void)buf_add_z(&e->text, " is listed at ");
	(void)buf_add_str(&e->text, l.first_list);
	if (l.listed > 1)
		(void)buf_printf(&e->text, " (and %d more)", (int)l.listed - 1);
	return 0;
}

/* The fewest days left; what nobody looked at for a day is not known. */
static int look_certificates(struct eval *e)
{
	struct probe_result *rows, *first = NULL;
	int64_t days = 0, least = 0;
	size_t n = 0;
	int rc = read_probes(e->r, &e->arena, &rows, &n, e->err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct probe_result *p = &rows[i];
		bool ours =
			p->role == PROBE_OWN || p->role == PROBE_ASKED || p->role == PROBE_RELAY;

		if (!ours || e->now_ms - p->t_ms > DAY_MS ||
			!probe_cert_days(p, e->now_ms, &days) || (first && days >= least))
			continue;
		first = &rows[i];
		least = days;
	}
	if (!first)
		return rc;
	know(e, (double)least);
	(void)buf_add_str(&e->text, first->host);
	(void)buf_printf(&e->text, ":%d: ", first->port);
	if (least < 0)
		(void)buf_printf(
			&e->text, "the certificate ended %lld days ago", (long long)-least);
	else
		(void)buf_printf(&e->text, "%lld days left of the certificate", (long long)least);
	return rc;
}

static int look(struct eval *e)
{
	switch (e->rule->figure) {
	case ALERT_FIGURE_BOUNCE_RATE:
	case ALERT_FIGURE_DEFERRAL_RATE:
	case ALERT_FIGURE_METRIC:
		return look_counts(e);
	case ALERT_FIGURE_QUEUE:
	case ALERT_FIGURE_QUEUE_INCOMING:
	case ALERT_FIGURE_QUEUE_ACTIVE:
	case ALERT_FIGURE_QUEUE_DEFERRED:
	case ALERT_FIGURE_QUEUE_HOLD:
	case ALERT_FIGURE_QUEUE_CORRUPT:
	case ALERT_FIGURE_QUEUE_AGE:
		return look_queue(e);
	case ALERT_FIGURE_SILENCE:
		return look_silence(e);
	case ALERT_FIGURE_HEALTH:
		return look_health(e);
	case ALERT_FIGURE_GATE:
		return look_gate(e);
	case ALERT_FIGURE_NEW_SIGNATURE:
		return look_signatures(e);
	case ALERT_FIGURE_LISTING:
		return look_listing(e);
	case ALERT_FIGURE_CERTIFICATE_DAYS:
		return look_certificates(e);
	case ALERT_FIGURE__COUNT:
		break;
	}
	return 0;
}

/* A rule on a provider that is not there knows nothing: id -1 matches none. */
static void choose(struct eval *e)
{
	if (!e->rule->provider[0])
		return;
	e->q.provider = -1;
	for (size_t i = 0; i < e->nproviders; i++)
		if (str_eq(e->providers[i].name, str_of(e->rule->provider)))
			e->q.provider = e->providers[i].id;
}

int alert_read(struct reader *r, const struct alert_rule *rule, const struct warmup_plans *plans,
	int64_t now_ms, int64_t *mark, struct alert_value *out, struct mt_error *reterr)
{
	struct mt_error local;
	struct eval e = {.r = r,
		.rule = rule,
		.plans = plans,
		.now_ms = now_ms,
		.mark = mark,
		.out = out,
		.err = reterr ? reterr : &local};
	int rc;

	*out = (struct alert_value){.n = EVENT_UNKNOWN};
	arena_init(&e.arena, ARENA_MAX_BYTES);
	buf_init(&e.text, 65536);
	rc = read_providers(r, &e.arena, &e.providers, &e.nproviders, e.err);
	choose(&e);
	if (rc == 0 && e.q.provider >= 0)
		rc = look(&e);
	snprintf(
		out->text, sizeof(out->text), "%.*s", (int)(sizeof(out->text) - 1), buf_z(&e.text));
	buf_done(&e.text);
	arena_done(&e.arena);
	return rc;
}
