/* SPDX-License-Identifier: MIT */
/* loglines_tool FOLDER LAST_OFFSET T1_MS MAX_LINES [QUEUE_ID...] - the raw lines a screen gets of the journal files in a
 * folder, with their offsets; 0 for what is not asked. For tests/follow. */
#include "backends/logfind.h"
#include "store/base/scan.h"

#include <inttypes.h>
#include <stdio.h>

#define IDS_MAX 16
#define FIRST_ID 5

static int print(void *ctx, struct str line, int64_t offset)
{
	(void)ctx;
	printf("%" PRId64 " %.*s\n", offset, STR_ARG(line));
	return 0;
}

static bool canceled(void *ctx)
{
	(void)ctx;
	return false;
}

int main(int argc, char **argv)
{
	struct mt_error error = {0};
	struct job_id ids[IDS_MAX] = {0};
	struct job_request request = {.kind = JOB_LOG_TAIL, .ids = ids};
	struct job_output out = {.add = print, .canceled = canceled};
	struct instance_def def = {.name = "postfix", .journal = true};
	uint64_t last, t1_ms, most;

	if (argc < FIRST_ID || argc > FIRST_ID + IDS_MAX ||
		!scan_all_u64(str_of(argv[2]), INT64_MAX, &last) ||
		!scan_all_u64(str_of(argv[3]), INT64_MAX, &t1_ms) ||
		!scan_all_u64(str_of(argv[4]), SIZE_MAX, &most))
		return 2;
	def.journal_folder = argv[1];
	request.last_offset = (int64_t)last;
	request.t1_ms = (int64_t)t1_ms;
	request.max_lines = (size_t)most;
	for (int i = FIRST_ID; i < argc; i++)
		ids[request.nids++].qid = str_of(argv[i]);
	if (request.nids > 0)
		request.kind = JOB_LOG_FIND;
	if (logfind_run(NULL, &def, &request, &out, &error) < 0) {
		fprintf(stderr, "loglines_tool: %s\n", error.text);
		return 1;
	}
	return 0;
}
