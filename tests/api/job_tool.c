/* SPDX-License-Identifier: MIT */
/*
 * job_tool CONF CACHE PROVIDER detail ID | remove LIST SCOPE ADDRESS | act VERB [ID SENDER ARRIVAL_S]... - what a screen
 * asks of a provider on demand, from a command line: prints the lines and the summary of the job. act: on a queue, through
 * a helper, as the program does. For tests/api and tests/truth.
 */
#include "backends/collector.h"
#include "backends/confkeys.h"
#include "backends/helper.h"
#include "backends/registry.h"
#include "store/base/scan.h"
#include "store/base/secret.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TABLES_MAX 16
#define IDS_MAX 200
#define MS_PER_S 1000

static struct conf *load(const char *path)
{
	static struct conf_table tables[TABLES_MAX];
	struct mt_error error = {0};
	size_t n = 0;
	struct conf *conf;

	tables[n++] = collector_conf_table();
	for (size_t i = 0; backend_table[i] && n < TABLES_MAX; i++)
		if (backend_table[i]->nkeys)
			tables[n++] = (struct conf_table){
				backend_table[i]->keys, backend_table[i]->nkeys};
	conf = conf_new(tables, n);
	if (conf_load(conf, path, &error) == 0)
		return conf;
	fprintf(stderr, "%s\n", error.text);
	conf_free(conf);
	return NULL;
}

static int run(struct services *s, const struct job_request *request)
{
	struct mt_error error = {0};
	struct job *job = NULL;
	const struct job_line *lines;
	size_t n = 0;
	int rc;

	if (s->start(s->ctx, request, &job, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	while (s->state(job, &error) == JOB_RUNNING)
		(void)poll(NULL, 0, 20);
	rc = s->state(job, &error) == JOB_DONE ? 0 : 1;
	lines = s->lines(job, &n);
	for (size_t i = 0; i < n; i++)
		printf("%.*s\n", STR_ARG(lines[i].text));
	printf("= %s\n", rc ? error.text : s->summary(job));
	s->drop(job);
	return rc;
}

/* "act VERB [ID SENDER ARRIVAL_S]..." */
static int act(struct services *s, struct job_request *request, char **words, int nwords)
{
	static const struct {
		const char *verb;
		enum job_kind kind;
	} verbs[] = {{"hold", JOB_HOLD}, {"release", JOB_RELEASE}, {"requeue", JOB_REQUEUE},
		{"delete", JOB_DELETE}, {"expire", JOB_EXPIRE}, {"flush", JOB_FLUSH},
		{"headers", JOB_QUEUE_FILE}};
	struct job_id ids[IDS_MAX];

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(words[0], verbs[i].verb) == 0)
			request->kind = verbs[i].kind;
	request->nids = 0;
	for (int i = 1; i + 2 < nwords && request->nids < IDS_MAX; i += 3) {
		uint64_t arrival_s = 0;

		if (!scan_all_u64(str_of(words[i + 2]), UINT32_MAX, &arrival_s))
			return 2;
		ids[request->nids++] = (struct job_id){
			str_of(words[i]), str_of(words[i + 1]), (int64_t)arrival_s * MS_PER_S};
	}
	request->ids = ids;
	return run(s, request);
}

int main(int argc, char **argv)
{
	struct job_id id = {.arrival_ms = 0};
	struct job_request request = {.kind = JOB_DETAIL, .provider = 1, .ids = &id, .nids = 1};
	struct conf *conf;
	struct services *s;
	struct helper_options options = {.read_write = true};
	struct mt_error error = {0};
	uint64_t list = 0;
	int rc;

	secret_take_environment();
	if (argc < 6 || !(conf = load(argv[1])))
		return 2;
	request.provider_name = str_of(argv[3]);
	id.qid = str_of(argv[5]);
	if (strcmp(argv[4], "remove") == 0 && argc == 8 &&
		scan_all_u64(str_of(argv[5]), 9, &list)) {
		request.kind = JOB_UNSUPPRESS;
		request.list = (int)list;
		id.sender = str_of(argv[6]);
		id.qid = str_of(argv[7]);
	}
	s = services_new(conf, argv[2], NULL, 0, true);
	if (strcmp(argv[4], "act") != 0) {
		rc = run(s, &request);
	} else {
		rc = helper_start(&options, &error) < 0 ? 2 : act(s, &request, argv + 5, argc - 5);
		helper_stop();
	}
	services_free(s);
	conf_free(conf);
	return rc;
}
