/* SPDX-License-Identifier: MIT */
/*
 * queue_tool - the queue source and the queue's jobs from a command line, for test_queue_real.py.
 *
 *   queue_tool round CACHE CONFIG_DIR                            one round of the source into the cache
 *   queue_tool VERB CACHE CONFIG_DIR [QID SENDER ARRIVAL_S]...   hold release requeue delete expire flush headers
 * Prints the source's detail, or the job's lines and summary. Exit 0, or 1 with the error on stderr.
 */
#include "backends/postfix/config.h"
#include "backends/postfix/queue.h"
#include "store/base/scan.h"

#include <stdio.h>
#include <stdlib.h>

#define POLL_MS 60000
#define IDS_MAX 1000
#define ID_WORDS 3
#define FIRST_ID 4
#define MS_PER_S 1000

static int fail(const struct mt_error *err)
{
	fprintf(stderr, "%s\n", err->text);
	return 1;
}

static int step_until_done(void *state, struct mt_error *err)
{
	int rc;

	do {
		struct pollfd fds[8];

		rc = postfix_queue_source.step(state, err);
		if (rc == STEP_WAIT)
			(void)poll(fds, (nfds_t)postfix_queue_source.fds(state, fds, 8), POLL_MS);
	} while (rc > 0);
	return rc;
}

static int one_round(struct backend_env *env)
{
	struct source_health health = {.health = HEALTH_FRESH};
	struct mt_error err = {0};
	void *state = calloc(1, postfix_queue_source.state_bytes);
	int rc;

	if (!state)
		return 1;
	rc = postfix_queue_source.init(state, env, &err);
	if (rc == 0)
		rc = step_until_done(state, &err);
	postfix_queue_source.health(state, &health);
	printf("%s\n", health.detail ? health.detail : "");
	postfix_queue_source.done(state);
	free(state);
	return rc < 0 ? fail(&err) : 0;
}

static int print_line(void *ctx, struct str line, int64_t offset)
{
	(void)ctx;
	(void)offset;
	printf("%.*s\n", STR_ARG(line));
	return 0;
}

static int job(const struct backend_env *env, const char *cache, const char *verb, char **words,
	int nwords)
{
	static const struct {
		const char *verb;
		enum job_kind kind;
	} verbs[] = {{"hold", JOB_HOLD}, {"release", JOB_RELEASE}, {"requeue", JOB_REQUEUE},
		{"delete", JOB_DELETE}, {"expire", JOB_EXPIRE}, {"flush", JOB_FLUSH},
		{"headers", JOB_QUEUE_FILE}};
	struct job_output out = {.add = print_line, .cache_path = cache};
	struct job_request request = {.provider = env->provider, .kind = JOB_LOG_TAIL};
	struct job_id ids[IDS_MAX];
	struct mt_error err = {0};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verb, verbs[i].verb) == 0)
			request.kind = verbs[i].kind;
	for (int i = 0; i + ID_WORDS <= nwords && request.nids < IDS_MAX; i += ID_WORDS) {
		uint64_t arrival_s = 0;

		if (!scan_all_u64(str_of(words[i + 2]), UINT32_MAX, &arrival_s))
			return 2;
		ids[request.nids++] = (struct job_id){
			str_of(words[i]), str_of(words[i + 1]), (int64_t)arrival_s * MS_PER_S};
	}
	request.ids = ids;
	if (postfix_queue_job(env->def, &request, &out, &err) < 0)
		return fail(&err);
	printf("%s\n", out.summary);
	return 0;
}

int main(int argc, char **argv)
{
	const struct conf_table table[] = {{postfix_keys, POSTFIX_NKEYS}};
	struct clock clock = clock_real();
	struct instance_def def = {.family = "postfix", .name = "postfix"};
	struct backend_env env = {.clock = &clock, .def = &def};
	struct store_options options = {.clock = &clock};
	struct mt_error err = {0};
	struct conf *conf;
	int rc;

	if (argc < FIRST_ID)
		return 2;
	options.path = argv[2];
	def.config_dir = argv[3];
	if (strcmp(argv[1], "round") != 0) { /* as a screen does it: without holding the cache */
		env.provider = 1;
		return job(&env, argv[2], argv[1], argv + FIRST_ID, argc - FIRST_ID);
	}
	conf = conf_new(table, 1);
	env.conf = conf;
	rc = store_open(&options, &env.store, &err);
	if (rc == 0)
		rc = store_provider(env.store, "postfix", "postfix", NULL, &env.provider, &err);
	if (rc == 0)
		rc = store_source(env.store, env.provider, "queue", &env.source, &err);
	rc = rc < 0 ? fail(&err) : one_round(&env);
	store_close(env.store);
	conf_free(conf);
	return rc;
}
