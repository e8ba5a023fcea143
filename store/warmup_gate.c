/* SPDX-License-Identifier: MIT */
/* warmup_gate - what tells that a sending IP goes too fast: replies of mailbox providers, and rates; see warmup.h. */
#include "store/warmup.h"

#include "store/event.h"

#include <math.h>
#include <stdlib.h>

#define WILSON_Z 1.959964 /* 95 %, two sides */
#define CLASS_MAX 9 /* codes up to it are a class digit */
#define PERCENT 100.0

static const struct signal {
	enum mailbox box;
	enum gate_colour colour;
	int32_t code, dsn;
	const char *words, *but, *name, *source;
} signals[] = {
#define SIGNAL(id, box, colour, code, dsn, words, but, name, source)                               \
	{MAILBOX_##box, GATE_##colour, code, dsn, words, but, name, source},
#define RATE(...)
#define TOLD(...)
#include "assets/warmup_gates.def"
#undef SIGNAL
#undef RATE
#undef TOLD
};

enum { CONVENTION, PUBLISHED };

static const struct rate {
	double yellow, red;
	int basis;
	const char *name, *source;
} rates[GATE_KIND__COUNT] = {
#define SIGNAL(...)
#define RATE(kind, box, yellow, red, basis, name, source)                                          \
	[GATE_KIND_##kind] = {(yellow) / PERCENT, (red) / PERCENT, basis, name, source},
#define TOLD(...)
#include "assets/warmup_gates.def"
#undef RATE
#undef TOLD
};

static const struct told {
	enum mailbox box;
	double yellow, red;
	const char *name, *source;
} told[] = {
#define RATE(...)
#define TOLD(box, yellow, red, name, source)                                                       \
	{MAILBOX_##box, (yellow) / PERCENT, (red) / PERCENT, name, source},
#include "assets/warmup_gates.def"
#undef SIGNAL
#undef RATE
#undef TOLD
};

void wilson(int64_t k, int64_t n, double *ret_low, double *ret_high)
{
	double z2 = WILSON_Z * WILSON_Z, p, middle, half, below;

	*ret_low = 0;
	*ret_high = 1;
	if (n <= 0)
		return;
	p = (double)k / (double)n;
	below = 1 + z2 / (double)n;
	middle = (p + z2 / (2 * (double)n)) / below;
	half = WILSON_Z * sqrt(p * (1 - p) / (double)n + z2 / (4 * (double)n * (double)n)) / below;
	*ret_low = k == 0 ? 0 : middle - half;
	*ret_high = k == n ? 1 : middle + half;
}

static bool has_words(struct str reply, const char *words)
{
	struct str rest = str_of(words);

	if (rest.n == 0)
		return true;
	while (rest.n > 0) {
		struct str word = str_first(rest, str_find_char(rest, '|'));

		if (str_find(reply, word) < reply.n)
			return true;
		rest = str_skip(rest, word.n + 1);
	}
	return false;
}

enum warmup_gate gate_signal(enum mailbox box, int32_t code, int32_t dsn, struct str reply)
{
	for (int i = 0; box != MAILBOX_OTHER && i < GATE__COUNT; i++) {
		const struct signal *s = &signals[i];

		if (s->box != box)
			continue;
		if (s->code && (s->code <= CLASS_MAX ? code / 100 != s->code : code != s->code))
			continue;
		if (s->dsn && dsn % 1000000 != s->dsn)
			continue;
		if (has_words(reply, s->words) && (!s->but[0] || !has_words(reply, s->but)))
			return (enum warmup_gate)i;
	}
	return GATE__COUNT;
}

enum mailbox gate_mailbox(enum warmup_gate gate)
{
	return (unsigned)gate < GATE__COUNT ? signals[gate].box : MAILBOX_OTHER;
}

/* A rate over its line with the lower bound; too few: green, and told so. n EVENT_UNKNOWN: nobody tells it here. */
static struct gate_result rate_gate(enum gate_kind kind, int box, int64_t k, int64_t n)
{
	const struct rate *r = &rates[kind];
	struct gate_result g = {.kind = kind,
		.signal = GATE__COUNT,
		.box = box,
		.k = k,
		.n = n,
		.yellow = r->yellow,
		.red = r->red,
		.enough = n >= WARMUP_MIN_N,
		.published = r->basis == PUBLISHED,
		.name = r->name,
		.source = r->source};

	wilson(k, n, &g.low, &g.high);
	g.colour = n == EVENT_UNKNOWN  ? GATE_UNKNOWN
		   : !g.enough         ? GATE_GREEN
		   : g.low > r->red    ? GATE_RED
		   : g.low > r->yellow ? GATE_YELLOW
				       : GATE_GREEN;
	return g;
}

static size_t rates_of(int box, const struct warmup_counts *c, struct gate_result *out)
{
	int64_t final = c->sent + c->bounced, tries = final + c->deferred;
	size_t n = 0;

	if (final > 0)
		out[n++] = rate_gate(GATE_KIND_BOUNCE, box, c->bounced, final);
	if (tries > 0)
		out[n++] = rate_gate(GATE_KIND_DEFERRAL, box, c->deferred, tries);
	return n;
}

/* Of all mail together. */
static size_t account_rates(const struct warmup_day *day, struct gate_result *out)
{
	int64_t final = day->all.sent + day->all.bounced;
	size_t n = 0;

	if (final > 0)
		out[n++] = rate_gate(GATE_KIND_SES_BOUNCE, -1, day->all.bounced, final);
	if (day->complaints_known && day->complaints_of > 0)
		out[n++] = rate_gate(GATE_KIND_COMPLAINT, -1, day->complaints, day->complaints_of);
	else if (!day->complaints_known && day->all.sent > 0)
		out[n++] = rate_gate(GATE_KIND_COMPLAINT, -1, EVENT_UNKNOWN, EVENT_UNKNOWN);
	return n;
}

/* Worst first, what is not known last. */
static int worst_first(const void *left, const void *right)
{
	const struct gate_result *a = left, *b = right;

	if ((a->colour == GATE_UNKNOWN) != (b->colour == GATE_UNKNOWN))
		return a->colour == GATE_UNKNOWN ? 1 : -1;
	if (a->colour != b->colour)
		return a->colour > b->colour ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind == GATE_KIND_SIGNAL   ? -1
		       : b->kind == GATE_KIND_SIGNAL ? 1
						     : (a->kind > b->kind) - (a->kind < b->kind);
	if (a->box != b->box)
		return a->box < b->box ? -1 : 1;
	return (a->signal > b->signal) - (a->signal < b->signal);
}

size_t gates_of(const struct warmup_day *day, struct gate_result *out)
{
	size_t n = rates_of(-1, &day->all, out);

	for (int i = 1; i < MAILBOX__COUNT; i++)
		n += rates_of(i, &day->box[i], out + n);
	for (int i = 0; i < GATE__COUNT; i++)
		if (day->signal[i] > 0)
			out[n++] = (struct gate_result){.kind = GATE_KIND_SIGNAL,
				.signal = (enum warmup_gate)i,
				.box = (int)signals[i].box,
				.colour = signals[i].colour,
				.k = day->signal[i],
				.n = EVENT_UNKNOWN,
				.enough = true,
				.published = true,
				.name = signals[i].name,
				.source = signals[i].source};
	n += account_rates(day, out + n);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (day->box[told[i].box].sent > 0)
			out[n++] = (struct gate_result){.kind = GATE_KIND_TOLD,
				.signal = GATE__COUNT,
				.box = (int)told[i].box,
				.colour = GATE_UNKNOWN,
				.k = EVENT_UNKNOWN,
				.n = EVENT_UNKNOWN,
				.yellow = told[i].yellow,
				.red = told[i].red,
				.published = true,
				.name = told[i].name,
				.source = told[i].source};
	if (n)
		qsort(out, n, sizeof(out[0]), worst_first);
	return n;
}

enum gate_colour gates_colour(const struct warmup_day *day)
{
	struct gate_result all[WARMUP_GATES_MAX];
	size_t n = gates_of(day, all);

	return n && all[0].colour > GATE_UNKNOWN ? all[0].colour : GATE_GREEN;
}

const char *gate_colour_word(enum gate_colour colour)
{
	return colour == GATE_RED      ? "BACK OFF"
	       : colour == GATE_YELLOW ? "HOLD"
	       : colour == GATE_GREEN  ? "ok"
				       : "?";
}
