/* SPDX-License-Identifier: MIT */
/*
 * api_bench - what the store needs for a vendor's account: CPU seconds for N events, N suppressed addresses walked twice
 * and searched, and a day of polls of 100 sending domains' hour counters.
 * usage: api_bench FOLDER [N]    prints one JSON object; makes FOLDER/api.db anew.
 */
#include "store/base/mem.h"
#include "store/base/scan.h"
#include "store/store_api.h"
#include "store/store_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOW_MS INT64_C(1795435200000)
#define DOMAINS 100
#define POLLS 1440 /* one a minute */
#define COMMIT_ROWS 20000

static double cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void must(int rc, const struct mt_error *error)
{
	if (rc < 0) {
		fprintf(stderr, "%s\n", error->text);
		exit(1);
	}
}

static void commit_at(struct store *s, size_t rows)
{
	struct mt_error error = {0};

	if (store_batch_rows(s) >= rows)
		must(store_commit(s, &error), &error);
}

static double events(struct store *s, int provider, int n)
{
	struct mt_error error = {0};
	double from = cpu_s();

	for (int i = 0; i < n; i++) {
		struct api_event e;
		char id[32], message[64], rcpt[64];

		api_event_init(&e);
		snprintf(id, sizeof(id), "ev-%08d", i);
		snprintf(message, sizeof(message), "20261123.%08d@shop.example", i);
		snprintf(rcpt, sizeof(rcpt), "user%d@domain%d.example", i, i % 5000);
		e.kind = i % 10 ? API_EVENT_DELIVERED : API_EVENT_BOUNCED;
		e.id = str_of(id);
		e.message = str_of(message);
		e.t_ms = NOW_MS - 86400000 + i * INT64_C(80);
		e.sender = STR_LIT("news@shop.example");
		e.rcpt = str_of(rcpt);
		e.code = i % 10 ? 250 : 550;
		e.reply = i % 10 ? STR_LIT("250 2.0.0 ok") : STR_LIT("550 5.1.1 no such user here");
		must(store_api_event(s, provider, &e, &error), &error);
		commit_at(s, BATCH_EVENTS_MAX);
	}
	commit_at(s, 1);
	return cpu_s() - from;
}

static double walk(struct store *s, int provider, int n)
{
	struct mt_error error = {0};
	double from = cpu_s();

	must(store_api_list_begin(s, provider, API_LIST_BOUNCES, STR_LIT(""), false, &error),
		&error);
	for (int i = 0; i < n; i++) {
		char address[64];
		struct api_suppression row = {.list = API_LIST_BOUNCES,
			.reason = STR_LIT("550 5.1.1 no such user here"),
			.code = STR_LIT("550"),
			.created_ms = NOW_MS - i};

		snprintf(address, sizeof(address), "user%07d@domain%d.example", i, i % 5000);
		row.address = str_of(address);
		must(store_api_suppression(s, provider, &row, &error), &error);
		commit_at(s, COMMIT_ROWS);
	}
	must(store_api_list_end(s, provider, API_LIST_BOUNCES, STR_LIT(""), true, &error), &error);
	commit_at(s, 1);
	return cpu_s() - from;
}

static double polls(struct store *s, int provider)
{
	struct mt_error error = {0};
	double from = cpu_s();

	for (int poll = 0; poll < POLLS; poll++) {
		int64_t now_ms = NOW_MS + poll * INT64_C(60000),
			hour_s = now_ms / 1000 / 3600 * 3600;

		for (int part = 0; part < 2; part++) {
			enum bucket_dim dim = part ? DIM_SENDER : DIM_TOTAL;
			struct api_cover c = {.dim = dim,
				.from_s = hour_s - 7200,
				.to_s = hour_s + 3600,
				.metrics = UINT64_C(1) << METRIC_SENT |
					   UINT64_C(1) << METRIC_BOUNCED |
					   UINT64_C(1) << METRIC_DEFERRED,
				.fetched_ms = now_ms};

			must(store_api_covered(s, provider, &c, &error), &error);
			for (int h = -2; h <= 0; h++)
				for (int d = 0; d < (part ? DOMAINS : 1); d++) {
					char name[32];
					struct api_slot slot = {.dim = dim,
						.start_s = hour_s + h * 3600,
						.length_s = 3600};
					struct api_figure f[] = {{METRIC_SENT, 1000 + poll + d},
						{METRIC_BOUNCED, 10 + d}, {METRIC_DEFERRED, poll}};

					snprintf(name, sizeof(name), "d%d.example", d);
					if (part)
						slot.key = str_of(name);
					must(store_api_counts(s, provider, &slot, f, 3, &error),
						&error);
				}
		}
		commit_at(s, 1);
	}
	return cpu_s() - from;
}

static double search(const char *path, const char *text)
{
	struct query q = {.text = str_of(text), .limit = 1000};
	struct suppression_row *rows;
	struct mt_error error = {0};
	struct reader *r;
	struct arena a;
	double from;
	size_t n;

	arena_init(&a, 64u << 20);
	must(reader_open(path, &r, &error), &error);
	must(reader_begin(r, &error), &error);
	from = cpu_s();
	must(read_suppressions(r, &q, SUPPRESSIONS_ALL, 0, &a, &rows, &n, &error), &error);
	from = cpu_s() - from;
	reader_end(r);
	reader_close(r);
	arena_done(&a);
	return from * 1000;
}

int main(int argc, char **argv)
{
	uint64_t asked = 1000000;
	int n, provider;
	char *path = xasprintf("%s/api.db", argc > 1 ? argv[1] : "/tmp");
	struct clock clock = clock_fake(NOW_MS);
	struct store_options o = {.path = path, .clock = &clock};
	struct api_provider p = {.finest_bucket_s = 3600};
	struct mt_error error = {0};
	struct store *s;
	double e, first, again, polled;

	if (argc > 2 && !scan_all_u64(str_of(argv[2]), 100000000, &asked))
		return 2;
	n = (int)asked;

	unlink(path);
	must(store_open(&o, &s, &error), &error);
	must(store_provider(s, "mailgun", "mailgun", NULL, &provider, &error), &error);
	must(store_api_provider(s, provider, &p, &error), &error);
	e = events(s, provider, n);
	first = walk(s, provider, n);
	again = walk(s, provider, n);
	polled = polls(s, provider);
	store_close(s);
	printf("{\"n\":%d,\"events_cpu_s\":%.2f,\"events_per_cpu_s\":%.0f,\"walk_cpu_s\":%.2f,"
	       "\"walk_again_cpu_s\":%.2f,\"day_of_polls_cpu_s\":%.2f,\"search_prefix_ms\":%.1f,"
	       "\"search_domain_ms\":%.1f,\"search_inside_ms\":%.1f,\"no_search_ms\":%.1f}\n",
		n, e, n / e, first, again, polled, search(path, "user09999"),
		search(path, "@domain77.example"), search(path, "9999@"), search(path, ""));
	free(path);
	return 0;
}
