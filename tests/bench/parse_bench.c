/* SPDX-License-Identifier: MIT */
/*
 * parse_bench - what a family's parser takes for a log: its MB/s of CPU time, the best of some passes over the file in memory.
 * usage: parse_bench FAMILY FILE...    prints one number; files one behind the other, each with a parser of its own
 */
#include "backends/registry.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FILE_MAX_BYTES (512u << 20)
#define PASSES 5
#define CHUNK_BYTES (128u << 10) /* as the follower gives them */
#define NOW_UTC_MS INT64_C(1795435200000)

static int count(void *ctx, const struct event *e)
{
	*(uint64_t *)ctx += (uint64_t)e->kind;
	return 0;
}

static void read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char *at;
	size_t n;

	buf_clear(out);
	while (f && (at = buf_reserve(out, CHUNK_BYTES)) && (n = fread(at, 1, CHUNK_BYTES, f)) > 0)
		buf_grow(out, n);
	if (f)
		fclose(f);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double pass(const struct backend_ops *family, void *state, struct str bytes)
{
	const struct parse_options options = {.now_utc_ms = NOW_UTC_MS};
	uint64_t sum = 0;
	const struct event_sink sink = {count, &sum};
	double start = cpu_s();
	size_t at = 0, size = CHUNK_BYTES;

	family->parse_init(state, &options);
	while (at < bytes.n) {
		struct str rest = str_skip(bytes, at);
		size_t consumed = 0;

		(void)!family->parse(
			state, str_first(rest, size), rest.n <= size, &sink, &consumed);
		at += consumed;
		size = consumed ? CHUNK_BYTES : size * 2;
	}
	if (family->parse_done)
		family->parse_done(state);
	return cpu_s() - start;
}

int main(int argc, char **argv)
{
	const struct backend_ops *family = argc > 2 ? backend_find(argv[1]) : NULL;
	double best = 0, all = 0;
	struct buf bytes;
	void *state;

	if (!family || !family->parse)
		return 2;
	state = xcalloc(1, family->parse_state_bytes);
	buf_init(&bytes, FILE_MAX_BYTES);
	for (int i = 2; i < argc; i++) {
		double least = 1e9;

		read_file(argv[i], &bytes);
		for (int n = 0; n < PASSES; n++) {
			double s = pass(family, state, buf_str(&bytes));

			least = s < least ? s : least;
		}
		best += least;
		all += (double)bytes.n;
	}
	printf("%.1f\n", best > 0 ? all / best / 1e6 : 0);
	buf_done(&bytes);
	free(state);
	return 0;
}
