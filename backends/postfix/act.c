/* SPDX-License-Identifier: MIT */
/* postfix/act - identity check and postsuper; see act.h. */
#include "backends/postfix/act.h"

#include "backends/postfix/queue_list.h"
#include "backends/spawn.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <stdlib.h>

#define LIST_TIMEOUT_MS 300000
#define SUPER_TIMEOUT_MS 600000 /* postsuper renames files one by one */
#define SUPER_OUTPUT_MAX_BYTES (256u << 20) /* a line an id */
#define INPUT_MAX_BYTES (64u << 20) /* two million ids */
#define LINE_MAX_BYTES 1024
#define COUNT_MAX 1000000000
#define COUNT_DIGITS_MAX 10

static const char *option_of(enum job_kind kind)
{
	switch (kind) {
	case JOB_HOLD:
		return "-h";
	case JOB_RELEASE:
		return "-H";
	case JOB_REQUEUE:
		return "-r";
	case JOB_DELETE:
		return "-d";
	case JOB_EXPIRE:
		return "-e";
	case JOB_LOG_TAIL:
	case JOB_LOG_FIND:
	case JOB_QUEUE_FILE:
	case JOB_FLUSH:
	case JOB_UNSUPPRESS:
	case JOB_DETAIL:
	case JOB_PROBE:
		break;
	}
	return NULL;
}

static int list_again(
	const struct postfix_config *c, struct act_check *check, struct mt_error *reterr)
{
	struct clock clock = clock_real();
	struct queue_list_request request = {.config = c,
		.text = postfix_config_older(c, 3, 1),
		.now_utc_ms = clock_utc_ms(&clock),
		.timeout_ms = LIST_TIMEOUT_MS,
		.row = act_check_row,
		.ctx = check};
	struct queue_list *list = NULL;
	int rc = queue_list_open(&request, &list, reterr);

	if (rc == 0)
		rc = queue_list_wait(list, reterr);
	queue_list_close(list);
	return rc;
}

static int keep_id(void *ctx, struct str id)
{
	struct buf *input = ctx;

	return buf_add_str(input, id) < 0 || buf_add_char(input, '\n') < 0 ? MT_ELIMIT : 0;
}

static bool is_summary_word(struct str word)
{
	static const char *const words[] = {
		"Placed on hold", "Released from hold", "Requeued", "Deleted", "Force-expired"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq(word, str_of(words[i])))
			return true;
	return false;
}

int64_t act_done_count(struct str line)
{
	struct str word;
	uint64_t n;

	if (!scan_lit(&line, STR_LIT("postsuper: ")) || !scan_until(&line, ':', &word) ||
		!is_summary_word(word) || !scan_lit(&line, STR_LIT(": ")))
		return EVENT_UNKNOWN;
	if (!scan_u64(&line, COUNT_DIGITS_MAX, COUNT_MAX, &n) ||
		!scan_lit(&line, STR_LIT(" message")))
		return EVENT_UNKNOWN;
	return (int64_t)n;
}

/* postsuper says a line an id and the sum at the end, all on stderr. */
struct super {
	const struct job_output *out;
	struct act_result *result;
	struct buf line; /* being received; one too long is cut */
	struct buf complaint; /* the last fatal: or error: */
};

static void super_line(struct super *s, struct str line)
{
	int64_t n = act_done_count(line);
	bool fatal = str_find(line, STR_LIT("fatal: ")) < line.n ||
		     str_find(line, STR_LIT("error: ")) < line.n;

	if (n >= 0)
		s->result->done += n;
	if (fatal) {
		buf_clear(&s->complaint);
		(void)buf_add_str(&s->complaint, line);
	}
	/* Not a line an id: the person asked for those. Without room for the report the action goes on. */
	if ((n >= 0 || fatal || str_find(line, STR_LIT("warning: ")) < line.n) && s->out->add &&
		s->out->add(s->out->ctx, line, 0) < 0)
		s->line.err = MT_OK;
}

static int on_super(void *ctx, struct str bytes)
{
	struct super *s = ctx;

	while (bytes.n > 0) {
		struct str part = str_first(bytes, str_find_char(bytes, '\n'));
		size_t room = s->line.max - s->line.n;

		(void)buf_add_str(&s->line, str_first(part, room));
		if (part.n < bytes.n) {
			super_line(s, buf_str(&s->line));
			buf_clear(&s->line);
		}
		bytes = str_skip(bytes, part.n + 1);
	}
	return 0;
}

static int run_super(const struct postfix_config *c, enum job_kind kind, struct str input,
	struct super *s, struct mt_error *reterr)
{
	char *tool = postfix_tool(c, "postsuper");
	const char *argv[] = {tool, "-c", c->dir, option_of(kind), "-", NULL};
	struct spawn_request request = {.argv = argv,
		.input = input,
		.timeout_ms = SUPER_TIMEOUT_MS,
		.max_bytes = SUPER_OUTPUT_MAX_BYTES,
		.merge_stderr = true};
	struct spawn *child = NULL;
	int rc = spawn_open(&request, &child, reterr);

	free(tool);
	if (rc < 0)
		return rc;
	rc = spawn_wait(child, on_super, s, reterr);
	spawn_close(child);
	if (rc > 0)
		rc = mt_error_set(
			reterr, MT_EIO, "postsuper: exit %d: %s", rc, buf_z(&s->complaint));
	return rc;
}

int act_on_ids(const struct postfix_config *c, const struct job_request *request,
	struct job_output *out, struct act_result *ret, struct mt_error *reterr)
{
	struct act_check check;
	struct super super = {.out = out, .result = ret};
	struct buf input;
	int rc;

	*ret = (struct act_result){.asked = (int64_t)request->nids};
	buf_init(&input, INPUT_MAX_BYTES);
	buf_init(&super.line, LINE_MAX_BYTES);
	buf_init(&super.complaint, LINE_MAX_BYTES);
	act_check_init(&check, request, out, queue_id_ok);
	rc = map_count(&check.index) > 0 ? list_again(c, &check, reterr) : 0;
	if (rc == 0)
		rc = act_check_count(&check, ret, keep_id, &input);
	if (rc == MT_ELIMIT && input.err)
		rc = mt_error_set(reterr, MT_ELIMIT, "too many ids for one action");
	if (rc == 0 && act_canceled(out))
		rc = mt_error_set(reterr, MT_ECANCELED, "canceled");
	if (rc == 0 && ret->passed > 0)
		rc = run_super(c, request->kind, buf_str(&input), &super, reterr);
	act_check_done(&check);
	buf_done(&input);
	buf_done(&super.line);
	buf_done(&super.complaint);
	return rc;
}
