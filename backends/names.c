/* SPDX-License-Identifier: MIT */
/* names - see names.h: the table of checks, their results, and a round. */
#include "backends/names.h"

#include "store/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX_BYTES 1024
#define STEP_MAX_MS 500
#define FIRST_ROWS 64

typedef bool check_fn(
	struct dns_view view, const struct name_item *item, struct names_results *out);

static check_fn *const checks[NAME_CHECK__COUNT] = {[NAME_CHECK_DNSBL] = names_dnsbl,
	[NAME_CHECK_PTR] = names_ptr,
	[NAME_CHECK_HELO] = names_helo,
	[NAME_CHECK_SPF] = names_spf,
	[NAME_CHECK_SPF_RESULT] = names_spf_result,
	[NAME_CHECK_DKIM] = names_dkim,
	[NAME_CHECK_DMARC] = names_dmarc,
	[NAME_CHECK_MX] = names_mx,
	[NAME_CHECK_MTA_STS] = names_mta_sts,
	[NAME_CHECK_TLSRPT] = names_tlsrpt,
	[NAME_CHECK_DANE] = names_dane};

struct names_round {
	struct dns *dns;
	const struct clock *clock;
	const struct name_item *items;
	size_t n, next;
	size_t open[NAMES_OPEN_MAX]; /* indices of items */
	size_t nopen;
	int64_t end_mono_ms;
	bool fresh; /* something was opened, or an answer came: the open ones are to be run */
	struct names_results results;
};

void names_results_init(struct names_results *r)
{
	*r = (struct names_results){0};
	arena_init(&r->arena, NAMES_RESULTS_MAX_BYTES);
	buf_init(&r->text, TEXT_MAX_BYTES);
}

void names_results_done(struct names_results *r)
{
	free(r->rows);
	arena_done(&r->arena);
	buf_done(&r->text);
	*r = (struct names_results){0};
}

static struct str copy(struct arena *a, struct str s)
{
	struct str kept = arena_str(a, s.p ? s : (struct str){"", 0});

	return str_present(kept) ? kept : (struct str){"", 0};
}

/* copy_record - cut, and that said, where it is longer than anybody reads. */
static struct str copy_record(struct arena *a, struct str s)
{
	static const struct str more = STR_INIT(" ...");
	char *p;

	if (s.n <= NAME_RECORD_MAX_BYTES)
		return copy(a, s);
	p = arena_alloc(a, NAME_RECORD_MAX_BYTES + more.n);
	if (!p)
		return (struct str){"", 0};
	memcpy(p, s.p, NAME_RECORD_MAX_BYTES);
	memcpy(p + NAME_RECORD_MAX_BYTES, more.p, more.n);
	return str_make(p, NAME_RECORD_MAX_BYTES + more.n);
}

void names_add(struct names_results *r, const struct name_item *item, enum name_verdict verdict,
	struct str detail, struct str record, int64_t ttl_s, const char *fmt, ...)
{
	char text[TEXT_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : FIRST_ROWS;
		r->rows = xrealloc(r->rows, r->cap * sizeof(r->rows[0]));
	}
	r->rows[r->n++] = (struct name_result){.check = item->check,
		.verdict = verdict,
		.subject = copy(&r->arena, item->subject),
		.detail = copy(&r->arena, detail),
		.text = copy(&r->arena, str_of(text)),
		.record = copy_record(&r->arena, record),
		.ttl_s = verdict == NAME_CANT ? NAME_TTL_UNKNOWN : ttl_s};
}

bool names_check(struct dns_view view, const struct name_item *item, struct names_results *out)
{
	return checks[item->check](view, item, out);
}

struct names_round *names_round_new(
	struct dns *d, const struct clock *clock, const struct name_item *items, size_t n)
{
	struct names_round *r = xcalloc(1, sizeof(*r));

	r->dns = d;
	r->clock = clock;
	r->items = items;
	r->n = n < NAMES_ITEMS_MAX ? n : NAMES_ITEMS_MAX;
	r->end_mono_ms = clock_mono_ms(clock) + NAMES_ROUND_MAX_MS;
	names_results_init(&r->results);
	dns_round(d);
	return r;
}

void names_round_free(struct names_round *r)
{
	if (!r)
		return;
	names_results_done(&r->results);
	free(r);
}

/* run_open - each open check once. Returns whether one ended, so that there is room for others. */
static bool run_open(struct names_round *r)
{
	struct dns_view view = dns_view(r->dns);
	size_t left = 0;

	for (size_t i = 0; i < r->nopen; i++)
		if (!names_check(view, &r->items[r->open[i]], &r->results))
			r->open[left++] = r->open[i];
	if (left == r->nopen)
		return false;
	r->nopen = left;
	return true;
}

static void give_up(struct names_round *r)
{
	static const struct str none = {"", 0};

	for (size_t i = 0; i < r->nopen; i++) {
		const struct name_item *item = &r->items[r->open[i]];

		names_add(&r->results, item, NAME_CANT, item->detail, none, 0, "no answer in time");
	}
	for (; r->next < r->n; r->next++) {
		const struct name_item *item = &r->items[r->next];

		names_add(&r->results, item, NAME_CANT, item->detail, none, 0, "no answer in time");
	}
	r->nopen = 0;
}

bool names_round_step(struct names_round *r)
{
	bool more = dns_step(r->dns) > 0 || r->fresh;

	r->fresh = false;
	for (;;) {
		while (r->nopen < NAMES_OPEN_MAX && r->next < r->n) {
			r->open[r->nopen++] = r->next++;
			more = true;
		}
		if (!more || !run_open(r))
			break;
	}
	if (r->nopen == 0)
		return true;
	r->fresh = dns_step(r->dns) > 0; /* send what was asked for */
	if (clock_mono_ms(r->clock) < r->end_mono_ms)
		return false;
	give_up(r);
	return true;
}

bool names_round_fresh(const struct names_round *r)
{
	return r && r->fresh;
}

void names_round_run(struct names_round *r)
{
	while (!names_round_step(r))
		if (!r->fresh)
			dns_wait(r->dns, STEP_MAX_MS);
}

const struct names_results *names_round_results(const struct names_round *r)
{
	return &r->results;
}
