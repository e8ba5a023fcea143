/* SPDX-License-Identifier: MIT */
/*
 * job_tool CONF CACHE PROVIDER detail ID | remove LIST SCOPE ADDRESS - what a screen asks of a vendor on demand, from a
 * command line: prints the lines and the summary of the job. For tests/api.
 */
#include "backends/collector.h"
#include "backends/confkeys.h"
#include "backends/registry.h"
#include "store/base/scan.h"
#include "store/base/secret.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TABLES_MAX 16

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

int main(int argc, char **argv)
{
	struct job_id id = {.arrival_ms = 0};
	struct job_request request = {.kind = JOB_DETAIL, .provider = 1, .ids = &id, .nids = 1};
	struct conf *conf;
	struct services *s;
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
	rc = run(s, &request);
	services_free(s);
	conf_free(conf);
	return rc;
}
