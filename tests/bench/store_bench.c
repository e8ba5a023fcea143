/* SPDX-License-Identifier: MIT */
/*
 * store_bench - how fast one thread parses a log, and parses and stores it.
 * usage: store_bench LOG CACHE    prints one JSON object; CACHE is made anew.
 */
#include "backends/registry.h"
#include "store/base/mem.h"
#include "store/store_write.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (256u << 10)
#define MS_PER_S 1000.0

struct bench {
	struct store *store; /* NULL: only parse */
	int provider;
	uint64_t base, events;
	struct mt_error error;
	double commit_ms;
	int commits;
};

static double now_ms(void)
{
	struct clock clock = clock_real();

	return (double)clock_mono_ms(&clock);
}

static int commit(struct bench *b)
{
	double from = now_ms();
	int rc = store_commit(b->store, &b->error);

	b->commit_ms += now_ms() - from;
	b->commits++;
	return rc;
}

static int emit(void *ctx, const struct event *e)
{
	struct bench *b = ctx;
	struct event at = *e;
	int rc;

	b->events++;
	if (!b->store)
		return 0;
	at.line_offset += b->base;
	rc = store_event(b->store, b->provider, &at, &b->error);
	if (rc == 0 && store_batch_rows(b->store) >= BATCH_EVENTS_MAX)
		rc = commit(b);
	return rc;
}

static int read_log(struct bench *b, const char *path)
{
	const struct backend_ops *family = backend_find("postfix");
	struct clock clock = clock_real();
	struct parse_options options = {.now_utc_ms = clock_utc_ms(&clock), .timezone = "UTC"};
	void *state = xcalloc(1, family->parse_state_bytes);
	char *bytes = xmalloc(CHUNK_BYTES);
	const struct event_sink sink = {emit, b};
	size_t have = 0;
	ssize_t got;
	int rc = 0, fd = open(path, O_RDONLY);

	if (fd < 0)
		return MT_ENOENT;
	family->parse_init(state, &options);
	while (rc == 0 && (got = read(fd, bytes + have, CHUNK_BYTES - have)) >= 0) {
		size_t used = 0;

		have += (size_t)got;
		rc = family->parse(state, str_make(bytes, have), got == 0, &sink, &used);
		memmove(bytes, bytes + used, have - used);
		have -= used;
		b->base += used;
		if (got == 0)
			break;
	}
	if (family->parse_done)
		family->parse_done(state);
	close(fd);
	free(state);
	free(bytes);
	return rc;
}

static int store_log(struct bench *b, const char *log, const char *cache)
{
	struct store_options options = {.path = cache, .bulk = true};
	int rc = store_open(&options, &b->store, &b->error);

	if (rc == 0)
		rc = store_provider(b->store, "postfix", "postfix", NULL, &b->provider, &b->error);
	if (rc == 0)
		rc = read_log(b, log);
	if (rc == 0)
		rc = commit(b);
	store_close(b->store);
	return rc;
}

int main(int argc, char **argv)
{
	struct bench parse = {0}, both = {0};
	struct rusage usage;
	struct stat log, cache;
	double parse_ms, both_ms, from;

	if (argc != 3) {
		fprintf(stderr, "usage: store_bench LOG CACHE\n");
		return 2;
	}
	unlink(argv[2]);
	from = now_ms();
	if (read_log(&parse, argv[1]) < 0)
		return 1;
	parse_ms = now_ms() - from;
	from = now_ms();
	if (store_log(&both, argv[1], argv[2]) < 0) {
		fprintf(stderr, "%s\n", both.error.text);
		return 1;
	}
	both_ms = now_ms() - from;
	getrusage(RUSAGE_SELF, &usage);
	if (stat(argv[1], &log) < 0 || stat(argv[2], &cache) < 0)
		return 1;
	printf("{\"log_bytes\": %" PRId64 ", \"cache_bytes\": %" PRId64 ", \"events\": %" PRIu64
	       ", \"parse_s\": %.2f, \"parse_and_store_s\": %.2f, \"commit_s\": %.2f, \"commits\": "
	       "%d, "
	       "\"rss_mib\": %ld}\n",
		(int64_t)log.st_size, (int64_t)cache.st_size, both.events, parse_ms / MS_PER_S,
		both_ms / MS_PER_S, both.commit_ms / MS_PER_S, both.commits,
		usage.ru_maxrss / 1024);
	return 0;
}
