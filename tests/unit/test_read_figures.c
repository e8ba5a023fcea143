/* SPDX-License-Identifier: MIT */
/*
 * test_read_figures - what the reader adds up (totals, series, codes, groups, ports, delays) against loops
 * over the records the cache was made of (modelfix.h), for windows and filters drawn at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/modelfix.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 60
#define ARENA_BYTES (16u << 20)

struct bed {
	char path[64];
	struct model *m;
	struct reader *r;
	struct arena a;
	uint64_t seed;
};

/* Windows of minutes to days, some from before the first record, some beyond now, some of everything. */
static struct query any_window(struct bed *b, int round)
{
	static const int64_t lengths_ms[] = {FIX_MINUTE_MS, 17 * FIX_MINUTE_MS, FIX_HOUR_MS,
		6 * FIX_HOUR_MS, 25 * FIX_HOUR_MS + 1234, 60 * (int64_t)FIX_HOUR_MS};
	struct query q = {.provider = (int)model_random(&b->seed, 3)};

	if (round % 7 == 0)
		return q;
	q.t1_ms = FIX_NOW_MS + FIX_HOUR_MS -
		  (int64_t)model_random(&b->seed, (MODEL_HOURS + 4) * 3600) * 1000;
	q.t0_ms = q.t1_ms - lengths_ms[model_random(&b->seed, 6)];
	return q;
}

static bool covered(const struct bed *b, const struct query *q)
{
	int64_t from_ms, to_ms;

	model_window(q, &from_ms, &to_ms);
	return to_ms > b->m->first_ms[q->provider] && from_ms <= FIX_NOW_MS;
}

static int64_t count_attempts(const struct bed *b, struct query q, enum event_status status)
{
	int64_t n = 0;

	q.status = status;
	for (size_t i = 0; i < b->m->nattempts; i++)
		n += !b->m->attempt[i].row.handed_over &&
		     model_wants_attempt(&q, &b->m->attempt[i]);
	return n;
}

static int64_t count_rejects(const struct bed *b, const struct query *q, bool temporary)
{
	int64_t n = 0;

	for (size_t i = 0; i < MODEL_REJECTS; i++) {
		const struct model_reject *x = &b->m->reject[i];

		n += x->row.action == REJECT_REJECT && model_wants_reject(q, x) &&
		     (!temporary || x->row.code / 100 == 4);
	}
	return n;
}

static bool counts_message(
	const struct bed *b, const struct query *q, const struct model_message *x)
{
	return !(x->row.flags & (MESSAGE_REINJECTED | MESSAGE_NO_START)) &&
	       model_wants_message(b->m, q, x);
}

static int64_t count_messages(const struct bed *b, const struct query *q, bool recipients)
{
	int64_t n = 0;

	for (size_t i = 0; i < MODEL_MESSAGES; i++) {
		const struct model_message *x = &b->m->message[i];

		if (counts_message(b, q, x))
			n += !recipients ? 1 : x->row.nrcpt > 0 ? x->row.nrcpt : 0;
	}
	return n;
}

static int64_t count_sessions(const struct bed *b, const struct query *q, enum metric metric)
{
	int64_t n = 0, from_ms, to_ms;

	model_window(q, &from_ms, &to_ms);
	for (size_t i = 0; i < MODEL_SESSIONS; i++) {
		const struct model_session *x = &b->m->session[i];

		if (x->metric == metric && x->t_ms >= from_ms && x->t_ms < to_ms &&
			(!q->provider || q->provider == x->provider) &&
			(!q->service.p || str_eq(q->service, str_of(x->service))))
			n += x->n;
	}
	return n;
}

static int64_t total_of(const struct bed *b, const struct query *q, enum metric metric)
{
	struct query sent = *q;
	int64_t n = 0;

	if (metric == METRIC_RECEIVED || metric == METRIC_RECIPIENTS)
		return count_messages(b, q, metric == METRIC_RECIPIENTS);
	if (metric == METRIC_SENT)
		return count_attempts(b, *q, STATUS_SENT);
	if (metric == METRIC_DEFERRED)
		return count_attempts(b, *q, STATUS_DEFERRED);
	if (metric == METRIC_BOUNCED)
		return count_attempts(b, *q, STATUS_BOUNCED);
	if (metric == METRIC_REJECTED || metric == METRIC_REJECTED_TEMPORARY)
		return count_rejects(b, q, metric == METRIC_REJECTED_TEMPORARY);
	sent.status = STATUS_SENT;
	if (metric != METRIC_HANDED_OVER && metric != METRIC_FIRST_TRY)
		return count_sessions(b, q, metric);
	for (size_t i = 0; i < b->m->nattempts; i++) {
		const struct model_attempt *a = &b->m->attempt[i];

		n += model_wants_attempt(&sent, a) &&
		     (metric == METRIC_HANDED_OVER ? a->row.handed_over
						   : !a->row.handed_over && a->row.run == 1);
	}
	return n;
}

static void test_totals(void **state)
{
	static const enum metric metrics[] = {METRIC_RECEIVED, METRIC_RECIPIENTS, METRIC_SENT,
		METRIC_HANDED_OVER, METRIC_FIRST_TRY, METRIC_DEFERRED, METRIC_BOUNCED,
		METRIC_REJECTED, METRIC_REJECTED_TEMPORARY, METRIC_CONNECTIONS, METRIC_AUTH_OK,
		METRIC_AUTH_FAILED, METRIC_TLS, METRIC_LOST};
	struct bed *b = *state;

	for (int round = 0; round < 4 * ROUNDS; round++) {
		struct query q = any_window(b, round);
		struct totals t;

		assert_int_equal(read_totals(b->r, &q, &t, NULL), 0);
		assert_int_equal(t.first_ms, b->m->first_ms[q.provider]);
		assert_int_equal(t.newest_ms, FIX_NOW_MS - 1);
		assert_int_equal(t.window_res_s, 60);
		for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
			assert_int_equal(t.n[metrics[i]],
				covered(b, &q) ? total_of(b, &q, metrics[i]) : EVENT_UNKNOWN);
	}
}

/* One filter that buckets serve: the figures it has are right, the others unknown. */
static void test_totals_narrowed(void **state)
{
	struct bed *b = *state;

	for (int round = 0; round < 4 * ROUNDS; round++) {
		struct query q = any_window(b, round);
		struct totals t;
		int which = round % 5;

		if (which == 0)
			q.domain = STR_LIT("gmail.com");
		else if (which == 1)
			q.relay_host = STR_LIT("mx.outlook.com");
		else if (which == 2)
			q.sender_domain = STR_LIT("corp.example");
		else if (which == 3)
			q.code_key = DSN_MAKE(4, 7, 650);
		else
			q.service = STR_LIT("postfix/smtpd");
		assert_int_equal(read_totals(b->r, &q, &t, NULL), 0);
		if (!covered(b, &q))
			continue;
		if (which != 4) {
			assert_int_equal(t.n[METRIC_SENT], count_attempts(b, q, STATUS_SENT));
			assert_int_equal(
				t.n[METRIC_DEFERRED], count_attempts(b, q, STATUS_DEFERRED));
			assert_int_equal(t.n[METRIC_BOUNCED], count_attempts(b, q, STATUS_BOUNCED));
			assert_int_equal(t.n[METRIC_CONNECTIONS], EVENT_UNKNOWN);
		} else {
			assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
			assert_int_equal(
				t.n[METRIC_CONNECTIONS], count_sessions(b, &q, METRIC_CONNECTIONS));
			assert_int_equal(t.n[METRIC_REJECTED], count_rejects(b, &q, false));
			assert_int_equal(t.n[METRIC_RECEIVED], count_messages(b, &q, false));
		}
		if (which == 2)
			assert_int_equal(t.n[METRIC_RECEIVED], count_messages(b, &q, false));
		assert_int_equal(t.n[METRIC_RECIPIENTS], EVENT_UNKNOWN);
		q.text = STR_LIT("x");
		assert_int_equal(read_totals(b->r, &q, &t, NULL), 0);
		assert_int_equal(t.n[METRIC_SENT], EVENT_UNKNOWN);
	}
}

static void check_series(struct bed *b, const struct query *q, const struct query *counted,
	enum event_status status, const int64_t *got, size_t n)
{
	int64_t slot_ms = read_slot_ms(q, n), from_ms, end_ms;

	model_window(q, &from_ms, &end_ms);
	if (slot_ms > FIX_HOUR_MS)
		end_ms = (end_ms + FIX_HOUR_MS - 1) / FIX_HOUR_MS * FIX_HOUR_MS;
	for (size_t i = 0; i < n; i++) {
		struct query slot = *counted;

		slot.t0_ms = end_ms - (int64_t)(n - i) * slot_ms;
		slot.t1_ms = slot.t0_ms + slot_ms;
		if (slot.t1_ms <= b->m->first_ms[q->provider] || slot.t0_ms > FIX_NOW_MS)
			assert_int_equal(got[i], EVENT_UNKNOWN);
		else
			assert_int_equal(got[i], count_attempts(b, slot, status));
	}
}

static void test_series(void **state)
{
	static const size_t slots[] = {1, 7, 24, 60};
	struct bed *b = *state;
	struct code_row *codes;
	int64_t got[60];
	size_t ncodes;

	for (int round = 1; round < ROUNDS; round++) {
		struct query q = any_window(b, round), by_code;
		size_t n = slots[round % 4];

		if (q.t1_ms == 0)
			continue;
		assert_int_equal(read_series(b->r, &q, METRIC_SENT, got, n, NULL), 0);
		check_series(b, &q, &q, STATUS_SENT, got, n);
		by_code = q;
		by_code.code_key = DSN_MAKE(5, 1, 1);
		assert_int_equal(read_series_key(b->r, &q, DIM_CODE, DSN_MAKE(5, 1, 1),
					 METRIC_BOUNCED, got, n, NULL),
			0);
		check_series(b, &q, &by_code, STATUS_BOUNCED, got, n);
	}
	/* a slot of the series and the row of the code are one figure */
	arena_reset(&b->a);
	{
		struct query q = {.t0_ms = FIX_NOW_MS - 24 * FIX_HOUR_MS, .t1_ms = FIX_NOW_MS};

		assert_int_equal(read_codes(b->r, &q, &b->a, &codes, &ncodes, NULL), 0);
		for (size_t i = 0; i < ncodes; i++) {
			enum metric metric = codes[i].status == STATUS_SENT       ? METRIC_SENT
					     : codes[i].status == STATUS_DEFERRED ? METRIC_DEFERRED
					     : codes[i].status == STATUS_BOUNCED  ? METRIC_BOUNCED
										  : METRIC_REJECTED;

			assert_int_equal(read_series_key(b->r, &q, DIM_CODE, codes[i].key, metric,
						 got, 1, NULL),
				0);
			assert_int_equal(got[0], codes[i].n);
		}
	}
}

/* The n of a code and outcome, counted. */
static int64_t code_count(
	const struct bed *b, struct query q, int64_t key, enum event_status status)
{
	q.code_key = key;
	return status == STATUS_NONE ? count_rejects(b, &q, false) : count_attempts(b, q, status);
}

/* The window of the same length before, or false when it begins before the first record. */
static bool window_before(const struct bed *b, struct query *q)
{
	int64_t from_ms, to_ms;

	model_window(q, &from_ms, &to_ms);
	if (q->t0_ms == 0) {
		from_ms = b->m->first_ms[q->provider];
		to_ms = FIX_NOW_MS;
	}
	q->t0_ms = from_ms - (to_ms - from_ms);
	q->t1_ms = from_ms;
	return q->t0_ms >= b->m->first_ms[q->provider];
}

static void check_codes(struct bed *b, const struct query *q, bool filtered)
{
	struct query before = *q;
	bool known = window_before(b, &before);
	struct code_row *row;
	size_t n;
	int64_t sum = 0, rejected = 0;

	arena_reset(&b->a);
	assert_int_equal(read_codes(b->r, q, &b->a, &row, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || row[i].n <= row[i - 1].n);
		assert_true(row[i].n > 0);
		if (row[i].status == STATUS_NONE)
			rejected += row[i].n;
		else
			sum += row[i].n;
		if (filtered && row[i].status == STATUS_SENT)
			continue; /* one row under key 0, see read_codes.c */
		assert_int_equal(row[i].n, code_count(b, *q, row[i].key, row[i].status));
		if (row[i].status != STATUS_SENT) {
			assert_true(str_present(row[i].reply));
			assert_true(row[i].newest_ms > 0);
		}
		if (!filtered)
			assert_int_equal(row[i].before,
				known ? code_count(b, before, row[i].key, row[i].status)
				      : EVENT_UNKNOWN);
	}
	assert_int_equal(rejected, count_rejects(b, q, false));
	if (!filtered)
		sum -= count_attempts(b, *q, STATUS_SENT);
	else
		for (size_t i = 0; i < n; i++)
			sum -= row[i].status == STATUS_SENT ? row[i].n : 0;
	assert_int_equal(sum,
		count_attempts(b, *q, STATUS_DEFERRED) + count_attempts(b, *q, STATUS_BOUNCED));
}

static void test_codes(void **state)
{
	struct bed *b = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct query q = any_window(b, round);

		check_codes(b, &q, false);
		if (round % 4 == 0)
			q.domain = STR_LIT("gmail.com");
		else if (round % 4 == 1)
			q.relay_host = STR_LIT("mx.gmail.com");
		else if (round % 4 == 2)
			q.service = STR_LIT("postfix/smtpd");
		else
			q.text = STR_LIT("GMAIL");
		check_codes(b, &q, true);
		q.text_invert = q.text.n > 0;
		if (q.text_invert)
			check_codes(b, &q, true);
	}
}

typedef int read_groups_fn(struct reader *r, const struct query *q, struct arena *a,
	struct domain_row **ret, size_t *ret_n, struct mt_error *reterr);

static void narrow_to(struct query *q, int dim, struct str name)
{
	if (dim == 0)
		q->domain = name;
	else if (dim == 1)
		q->relay_host = name;
	else
		q->sender_domain = name;
}

static void check_groups(struct bed *b, const struct query *q, int dim, read_groups_fn *read)
{
	struct query before = *q;
	bool known = window_before(b, &before);
	struct domain_row *row;
	int64_t last = INT64_MAX, sent = 0;
	size_t n;

	arena_reset(&b->a);
	assert_int_equal(read(b->r, q, &b->a, &row, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct query one = *q, then = before;
		int64_t all = row[i].sent + row[i].deferred + row[i].bounced;

		narrow_to(&one, dim, row[i].domain);
		narrow_to(&then, dim, row[i].domain);
		assert_int_equal(row[i].sent, count_attempts(b, one, STATUS_SENT));
		assert_int_equal(row[i].deferred, count_attempts(b, one, STATUS_DEFERRED));
		assert_int_equal(row[i].bounced, count_attempts(b, one, STATUS_BOUNCED));
		if (dim == 2)
			assert_int_equal(row[i].before_sent, count_messages(b, &one, false));
		else
			assert_int_equal(row[i].before_sent,
				known ? count_attempts(b, then, STATUS_SENT) : EVENT_UNKNOWN);
		assert_true(all <= last);
		last = all;
		sent += row[i].sent;
	}
	for (size_t i = 0; i < b->m->nattempts; i++) { /* no key is missing */
		const struct model_attempt *a = &b->m->attempt[i];
		const char *name = dim == 0   ? a->domain
				   : dim == 1 ? a->row.relay_host
					      : a->row.sender_domain;
		struct query all = *q;

		all.status = STATUS_SENT;
		if (name && !a->row.handed_over && model_wants_attempt(&all, a))
			sent--;
	}
	assert_int_equal(sent, 0);
}

static void test_groups(void **state)
{
	static read_groups_fn *const readers[] = {read_domains, read_relays, read_senders};
	struct bed *b = *state;

	for (int round = 0; round < ROUNDS; round++)
		for (int dim = 0; dim < 3; dim++) {
			struct query q = any_window(b, round);

			check_groups(b, &q, dim, readers[dim]);
		}
}

/* A filter buckets do not serve: failures from the rows, sent unknown. */
static void test_groups_filtered(void **state)
{
	static read_groups_fn *const readers[] = {read_domains, read_relays, read_senders};
	struct bed *b = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct query q = any_window(b, round);
		int dim = round % 3;
		struct domain_row *row;
		int64_t failures = 0, counted;
		size_t n;

		if (round % 2)
			q.code_key = DSN_MAKE(5, 1, 1);
		else
			q.service = STR_LIT("postfix/smtpd");
		arena_reset(&b->a);
		assert_int_equal(readers[dim](b->r, &q, &b->a, &row, &n, NULL), 0);
		for (size_t i = 0; i < n; i++) {
			struct query one = q;

			failures += row[i].deferred + row[i].bounced;
			assert_int_equal(row[i].sent, EVENT_UNKNOWN);
			assert_int_equal(row[i].before_sent, EVENT_UNKNOWN);
			if (row[i].domain.n == 0)
				continue; /* no domain: an address without one, <>, no host */
			narrow_to(&one, dim, row[i].domain);
			assert_int_equal(row[i].deferred, count_attempts(b, one, STATUS_DEFERRED));
			assert_int_equal(row[i].bounced, count_attempts(b, one, STATUS_BOUNCED));
		}
		counted = count_attempts(b, q, STATUS_DEFERRED) +
			  count_attempts(b, q, STATUS_BOUNCED);
		assert_int_equal(failures, counted);
	}
}

static void check_inbound(struct bed *b, const struct query *q, const struct port_row *row)
{
	struct query one = *q;
	int64_t told;

	one.provider = row->provider;
	one.service = row->service;
	told = count_sessions(b, &one, METRIC_TLS) +
	       count_sessions(b, &one, METRIC_COUNTED_SESSIONS);
	assert_int_equal(row->connections, count_sessions(b, &one, METRIC_CONNECTIONS));
	assert_int_equal(row->accepted, count_messages(b, &one, false));
	assert_int_equal(row->rejected, count_rejects(b, &one, false));
	assert_int_equal(row->auth_ok, count_sessions(b, &one, METRIC_AUTH_OK));
	assert_int_equal(row->auth_failed, count_sessions(b, &one, METRIC_AUTH_FAILED));
	assert_int_equal(row->lost, count_sessions(b, &one, METRIC_LOST));
	assert_int_equal(row->tls, told || row->connections == 0
					   ? count_sessions(b, &one, METRIC_TLS)
					   : EVENT_UNKNOWN);
	assert_int_equal(row->sent, EVENT_UNKNOWN);
	if (str_eq(row->service, STR_LIT("postfix/reinject/smtpd")))
		assert_int_equal(row->port, EVENT_UNKNOWN);
}

static void check_outbound(struct bed *b, const struct query *q, const struct port_row *row)
{
	int64_t n[3] = {0};

	for (size_t i = 0; i < b->m->nattempts; i++) {
		const struct model_attempt *a = &b->m->attempt[i];

		if (a->row.handed_over || a->row.provider != row->provider ||
			a->row.relay_port != row->port || !model_wants_attempt(q, a))
			continue;
		n[a->row.status == STATUS_SENT ? 0 : a->row.status == STATUS_DEFERRED ? 1 : 2]++;
	}
	assert_int_equal(row->sent, n[0]);
	assert_int_equal(row->deferred, n[1]);
	assert_int_equal(row->bounced, n[2]);
	assert_int_equal(row->connections, EVENT_UNKNOWN);
	assert_int_equal(row->tls, EVENT_UNKNOWN); /* the model's log says nothing of it */
}

static void test_ports(void **state)
{
	struct bed *b = *state;

	for (int round = 0; round < ROUNDS; round++) {
		struct query q = any_window(b, round);
		struct port_row *row;
		int64_t sent = 0;
		size_t n;

		arena_reset(&b->a);
		assert_int_equal(read_ports(b->r, &q, &b->a, &row, &n, NULL), 0);
		for (size_t i = 0; i < n; i++) {
			assert_true(i == 0 || row[i].outbound >= row[i - 1].outbound);
			if (row[i].outbound)
				check_outbound(b, &q, &row[i]);
			else
				check_inbound(b, &q, &row[i]);
			sent += row[i].outbound ? row[i].sent : 0;
		}
		assert_int_equal(sent, count_attempts(b, q, STATUS_SENT));
		q.domain = STR_LIT("gmail.com"); /* no bucket counts ports by domain */
		assert_int_equal(read_ports(b->r, &q, &b->a, &row, &n, NULL), 0);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(row[i].connections, EVENT_UNKNOWN);
			assert_int_equal(row[i].sent, EVENT_UNKNOWN);
		}
	}
}

static int by_value(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static void test_delays(void **state)
{
	struct bed *b = *state;
	int64_t *values = calloc(MODEL_ATTEMPTS_MAX, sizeof(*values));

	assert_non_null(values);
	for (int round = 0; round < ROUNDS; round++) {
		struct query q = any_window(b, round), sent = q;
		struct delay_figures got[DELAY__COUNT];

		sent.status = STATUS_SENT;
		assert_int_equal(read_delays(b->r, &q, got, NULL), 0);
		for (int part = 0; part < DELAY__COUNT; part++) {
			int64_t n = 0;

			for (size_t i = 0; i < b->m->nattempts; i++)
				if (!b->m->attempt[i].row.handed_over &&
					model_wants_attempt(&sent, &b->m->attempt[i]))
					values[n++] = b->m->attempt[i].row.cs[part];
			qsort(values, (size_t)n, sizeof(*values), by_value);
			assert_int_equal(got[part].n, n);
			assert_int_equal(
				got[part].p50_cs, n ? values[(n + 1) / 2 - 1] : EVENT_UNKNOWN);
			assert_int_equal(got[part].p90_cs,
				n ? values[(n * 90 + 99) / 100 - 1] : EVENT_UNKNOWN);
			assert_int_equal(got[part].p99_cs,
				n ? values[(n * 99 + 99) / 100 - 1] : EVENT_UNKNOWN);
			assert_int_equal(got[part].max_cs, n ? values[n - 1] : EVENT_UNKNOWN);
		}
		q.domain = STR_LIT("gmail.com");
		assert_int_equal(read_delays(b->r, &q, got, NULL), 0);
		assert_int_equal(got[0].n, EVENT_UNKNOWN);
		assert_int_equal(got[0].p50_cs, EVENT_UNKNOWN);
	}
	free(values);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct mt_error err = {0};

	if (!b)
		return -1;
	snprintf(b->path, sizeof(b->path), "/tmp/mtatop-figures-%d.db", (int)getpid());
	fix_unlink(b->path);
	b->m = model_make(b->path);
	b->seed = 5;
	arena_init(&b->a, ARENA_BYTES);
	*state = b;
	if (reader_open(b->path, &b->r, &err) < 0)
		return -1;
	return reader_begin(b->r, &err);
}

static int teardown(void **state)
{
	struct bed *b = *state;

	reader_end(b->r);
	reader_close(b->r);
	arena_done(&b->a);
	fix_unlink(b->path);
	free(b->m);
	free(b);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals),
		cmocka_unit_test(test_totals_narrowed),
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_groups_filtered),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_delays),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
