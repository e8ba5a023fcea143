/* SPDX-License-Identifier: MIT */
/*
 * queue_bench - what reading a large queue costs: depth, listing, share of a core; baselines in the same process.
 *
 *   queue_bench CACHE CONFIG_DIR SECONDS
 * CONFIG_DIR is a Postfix configuration whose command_directory has a postqueue that lists the queue. Runs the source for SECONDS of a clock
 * that goes on by what each step takes and by each pause the source asks for, without waiting them out. One JSON object on stdout.
 */
#include "backends/postfix/config.h"
#include "backends/postfix/queue.h"
#include "backends/postfix/queue_scan.h"
#include "store/base/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 60000
#define NS_PER_S 1e9
#define SECONDS_MAX 86400
#define SCANS 5 /* the best of */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / NS_PER_S;
}

static double cpu_s(void)
{
	double sum = 0;

	for (int i = 0; i < 2; i++) {
		struct rusage u;

		getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &u);
		sum += (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
		       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	}
	return sum;
}

/* What this process has caused to be written to disk. */
static double written_mib(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	char line[64];
	uint64_t n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		struct str rest = str_trim(str_of(line));

		if (scan_lit(&rest, STR_LIT("write_bytes: ")) &&
			!scan_all_u64(rest, UINT64_MAX / 2, &n))
			n = 0;
	}
	if (f)
		fclose(f);
	return (double)n / (1 << 20);
}

static double rss_mib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss / 1024;
}

/* The baseline of a depth: readdir over the deferred queue and its hash folders, nothing else. */
static long count_names(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	long n = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n += entry->d_type == DT_DIR ? count_names(fd, entry->d_name) : 1;
	}
	if (dir)
		closedir(dir);
	return n;
}

static int fail(const struct mt_error *err)
{
	fprintf(stderr, "%s\n", err->text);
	return 1;
}

static int scan(const char *config_dir, struct mt_error *err)
{
	double best = 1e9, base = 1e9;
	struct postfix_config c;
	struct queue_scan s;
	long n = 0;
	int rc = postfix_config_load(&c, config_dir, err);

	for (int i = 0; rc == 0 && i < SCANS; i++) {
		int fd = open(c.queue_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		double t0 = now_s();

		n = count_names(fd, "deferred");
		base = now_s() - t0 < base ? now_s() - t0 : base;
		close(fd);
		t0 = now_s();
		queue_scan_begin(&s, c.queue_directory);
		while (queue_scan_step(&s))
			continue;
		best = now_s() - t0 < best ? now_s() - t0 : best;
		queue_scan_done(&s);
	}
	printf("{\"depth_s\": %.4f, \"readdir_s\": %.4f, \"depth\": %lld, \"names\": %ld, ", best,
		base, (long long)s.n[QUEUE_DEFERRED], n);
	postfix_config_done(&c);
	return rc;
}

/* One step and, at the end of a round, the pause. Returns as step. */
static int advance(struct backend_env *env, struct clock *clock, void *state, struct mt_error *err)
{
	double t0 = now_s();
	int rc = postfix_queue_source.step(state, err);

	if (rc == STEP_WAIT) {
		struct pollfd fds[8];

		(void)poll(fds, (nfds_t)postfix_queue_source.fds(state, fds, 8), POLL_MS);
	}
	clock_advance(clock, (int64_t)((now_s() - t0) * 1000 + 0.5));
	if (rc == STEP_DONE)
		clock_advance(clock, postfix_queue_source.interval(state));
	(void)env;
	return rc;
}

static int run(struct backend_env *env, struct clock *clock, int64_t seconds, struct mt_error *err)
{
	void *state = calloc(1, postfix_queue_source.state_bytes);
	struct source_health health = {.health = HEALTH_FRESH};
	double cpu0, t0, rss0, written0 = written_mib();
	int64_t end_ms = clock_mono_ms(clock) + seconds * 1000;
	int rc = state ? postfix_queue_source.init(state, env, err) : MT_ENOMEM;
	bool first = true;

	cpu0 = cpu_s();
	t0 = now_s();
	rss0 = rss_mib();
	while (rc >= 0 && clock_mono_ms(clock) < end_ms) {
		rc = advance(env, clock, state, err);
		if (rc == STEP_DONE && first) {
			printf("\"list_s\": %.3f, \"list_cpu_s\": %.3f, ", now_s() - t0,
				cpu_s() - cpu0);
			first = false;
		}
	}
	postfix_queue_source.health(state, &health);
	printf("\"written_mib_per_min\": %.2f, ",
		(written_mib() - written0) * 60 / (double)seconds);
	printf("\"rss_added_mib\": %.1f, \"cpu_pct\": %.2f, \"seconds\": %lld, \"detail\": "
	       "\"%s\"}\n",
		rss_mib() - rss0, (cpu_s() - cpu0) * 100 / (double)seconds, (long long)seconds,
		health.detail ? health.detail : "");
	postfix_queue_source.done(state);
	free(state);
	return rc;
}

int main(int argc, char **argv)
{
	const struct conf_table table[] = {{postfix_keys, POSTFIX_NKEYS}};
	struct clock clock = clock_fake((int64_t)time(NULL) * 1000);
	struct instance_def def = {.family = "postfix", .name = "postfix"};
	struct backend_env env = {.clock = &clock, .def = &def};
	struct store_options options = {.clock = &clock};
	struct mt_error err = {0};
	struct conf *conf;
	uint64_t seconds = 0;
	int rc;

	if (argc != 4 || !scan_all_u64(str_of(argv[3]), SECONDS_MAX, &seconds))
		return 2;
	options.path = argv[1];
	def.config_dir = argv[2];
	conf = conf_new(table, 1);
	env.conf = conf;
	rc = scan(def.config_dir, &err);
	if (rc == 0)
		rc = store_open(&options, &env.store, &err);
	if (rc == 0)
		rc = store_provider(env.store, "postfix", "postfix", NULL, &env.provider, &err);
	if (rc == 0)
		rc = store_source(env.store, env.provider, "queue", &env.source, &err);
	if (rc == 0)
		rc = run(&env, &clock, (int64_t)seconds, &err);
	rc = rc < 0 ? fail(&err) : 0;
	store_close(env.store);
	conf_free(conf);
	return rc;
}
