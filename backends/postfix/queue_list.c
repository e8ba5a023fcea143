/* SPDX-License-Identifier: MIT */
/* postfix/queue_list - postqueue's output cut into lines, the lines into rows; see queue_list.h. */
#include "backends/postfix/queue_list.h"

#include "backends/spawn.h"
#include "store/base/map.h"
#include "store/base/mem.h"

#include <stdlib.h>

#define LINE_MAX_BYTES (32u << 20) /* 50,000 recipients with 250 bytes of reason each are 17 MiB */
#define LINE_KEEP_BYTES (1u << 20) /* a buffer grown past this is given back after its line */
#define OUTPUT_MAX_BYTES ((size_t)1 << 31) /* 5 million messages */
#define ROWS_MAX 2000000
#define SEEN_MAX 200000 /* ids remembered to count a message once: 10 MiB */
#define EX_UNAVAILABLE_CODE 69 /* sysexits: postqueue, mail system down or no such option */
#define EX_TEMPFAIL_CODE 75
#define EX_NOPERM_CODE 77 /* not in authorized_mailq_users */

struct queue_list {
	struct queue_list_request request;
	struct spawn *spawn;
	struct buf pending; /* the line being received */
	size_t scanned; /* bytes of it known to hold no newline */
	bool skipping; /* inside a line that is too long */
	struct queue_rcpts rcpts;
	struct queue_text text;
	struct map seen;
	struct queue_list_stats stats;
	struct mt_error *reterr; /* of the step under way */
};

int queue_list_open(
	const struct queue_list_request *request, struct queue_list **ret, struct mt_error *reterr)
{
	struct queue_list *l = xcalloc(1, sizeof(*l));
	char *tool = postfix_tool(request->config, "postqueue");
	const char *argv[] = {tool, "-c", request->config->dir, request->text ? "-p" : "-j", NULL};
	struct spawn_request spawn = {
		.argv = argv, .timeout_ms = request->timeout_ms, .max_bytes = OUTPUT_MAX_BYTES};
	int rc;

	l->request = *request;
	l->stats.oldest_ms = EVENT_UNKNOWN;
	l->stats.n[QUEUE_CORRUPT] = EVENT_UNKNOWN; /* showq lists no corrupt queue files */
	if (request->text)
		l->stats.n[QUEUE_MAILDROP] = EVENT_UNKNOWN; /* no mark tells it from incoming */
	buf_init(&l->pending, LINE_MAX_BYTES);
	map_init(&l->seen);
	queue_text_init(&l->text, request->now_utc_ms, NULL);
	rc = spawn_open(&spawn, &l->spawn, reterr);
	free(tool);
	if (rc < 0)
		queue_list_close(l);
	else
		*ret = l;
	return rc;
}

size_t queue_list_fds(const struct queue_list *l, struct pollfd *out, size_t max)
{
	return spawn_fds(l->spawn, out, max);
}

static bool is_empty_sender(const struct postfix_config *c, struct str sender)
{
	const char *word =
		c->empty_address_recipient[0] ? c->empty_address_recipient : "MAILER-DAEMON";

	return str_eq(sender, str_of(word));
}

/* A message that moves while the queues are listed can be seen in two of them. False for the second time. */
static bool count(struct queue_list *l, const struct queue_row *row)
{
	struct queue_list_stats *s = &l->stats;
	uint64_t ignored;

	if (map_get(&l->seen, row->qid, &ignored))
		return false;
	s->rows++;
	if (map_count(&l->seen) < SEEN_MAX)
		map_set(&l->seen, row->qid, 1);
	if (s->n[row->queue] >= 0)
		s->n[row->queue]++;
	if (s->oldest_ms < 0 || row->arrival_ms < s->oldest_ms)
		s->oldest_ms = row->arrival_ms;
	return true;
}

static int give_row(struct queue_list *l, struct queue_row *row)
{
	if (l->stats.rows >= ROWS_MAX)
		return mt_error_set(
			l->reterr, MT_ELIMIT, "more than %d messages in the queue", ROWS_MAX);
	if (str_present(row->sender) && is_empty_sender(l->request.config, row->sender))
		row->sender.n = 0;
	if (!count(l, row))
		return 0;
	return l->request.row(l->request.ctx, row, l->reterr);
}

static int take_line(struct queue_list *l, char *line, size_t n)
{
	struct queue_row row;
	int rc;

	if (l->request.text) {
		rc = queue_text_line(&l->text, str_make(line, n));
		if (rc > 0)
			return give_row(l, &l->text.row);
	} else {
		rc = n > 0 ? queue_json_row(line, n, &l->rcpts, &row) : MT_EINVAL;
		if (rc == 0)
			return give_row(l, &row);
	}
	if (rc == MT_ENOMEM)
		return mt_error_set(l->reterr, rc, "no memory for a queued message");
	l->stats.bad += rc < 0;
	return 0;
}

/* Give every whole line in pending, keep the rest. */
static int take_lines(struct queue_list *l)
{
	size_t start = 0;
	int rc = 0;

	while (rc >= 0) {
		struct str rest = str_skip(buf_str(&l->pending), l->scanned);
		size_t n = str_find_char(rest, '\n'), end = l->scanned + n;

		l->scanned = end;
		if (n == rest.n)
			break;
		if (l->skipping)
			l->skipping = false;
		else
			rc = take_line(l, l->pending.p + start, end - start);
		l->scanned = start = end + 1;
	}
	buf_drop_front(&l->pending, start);
	l->scanned -= start;
	if (l->pending.n == 0 && l->pending.cap > LINE_KEEP_BYTES)
		buf_done(&l->pending);
	return rc;
}

static int on_bytes(void *ctx, struct str bytes)
{
	struct queue_list *l = ctx;

	if (l->skipping) { /* of a line too long only its end matters */
		size_t end = str_find_char(bytes, '\n');

		if (end == bytes.n)
			return 0;
		bytes = str_skip(bytes, end);
	}
	if (buf_add_str(&l->pending, bytes) < 0) {
		bool full = l->pending.err == MT_ELIMIT;

		buf_clear(&l->pending);
		l->scanned = 0;
		if (!full)
			return mt_error_set(l->reterr, MT_ENOMEM, "no memory for a queued message");
		l->stats.bad++;
		l->skipping = true;
		return on_bytes(l, bytes);
	}
	return take_lines(l);
}

static bool said(struct str complaint, const char *words)
{
	return str_find(complaint, str_of(words)) < complaint.n;
}

static int failed(const struct queue_list *l, int code, struct mt_error *reterr)
{
	struct str why = postfix_complaint(spawn_stderr(l->spawn));

	if (!l->request.text && said(spawn_stderr(l->spawn), "invalid option"))
		return mt_error_set(reterr, MT_ENOTSUP, "this postqueue has no -j");
	if (code == EX_NOPERM_CODE || said(why, "not allowed to view"))
		return mt_error_set(reterr, MT_EPERM,
			"%.*s: add this user to authorized_mailq_users", STR_ARG(why));
	if (said(why, "mail system is down"))
		return mt_error_set(reterr, MT_ENET, "Postfix is down (postqueue: exit %d)", code);
	if (code == EX_TEMPFAIL_CODE || code == EX_UNAVAILABLE_CODE)
		return mt_error_set(
			reterr, MT_ENET, "postqueue: exit %d: %.*s", code, STR_ARG(why));
	return mt_error_set(reterr, MT_EIO, "postqueue: exit %d: %.*s", code, STR_ARG(why));
}

static int ended(struct queue_list *l, struct mt_error *reterr)
{
	int code = spawn_exit_code(l->spawn);

	if (code != 0)
		return failed(l, code, reterr);
	l->stats.direct = said(spawn_stderr(l->spawn), "accessing queue directly");
	if (l->request.text)
		l->stats.bad += l->text.bad;
	if (l->pending.n > 0 || l->skipping || (l->request.text && !l->text.ended)) {
		l->stats.bad++;
		return mt_error_set(reterr, MT_EPROTO, "postqueue ended in the middle of its list");
	}
	return 0;
}

int queue_list_step(struct queue_list *l, struct mt_error *reterr)
{
	int rc;

	l->reterr = reterr;
	rc = spawn_step(l->spawn, on_bytes, l, reterr);
	l->reterr = NULL;
	return rc == 0 ? ended(l, reterr) : rc;
}

int queue_list_wait(struct queue_list *l, struct mt_error *reterr)
{
	struct pollfd fds[SPAWN_FDS_MAX];
	int rc;

	do {
		(void)poll(fds, (nfds_t)queue_list_fds(l, fds, SPAWN_FDS_MAX), -1);
		rc = queue_list_step(l, reterr);
	} while (rc > 0);
	return rc;
}

const struct queue_list_stats *queue_list_stats(const struct queue_list *l)
{
	return &l->stats;
}

void queue_list_close(struct queue_list *l)
{
	if (!l)
		return;
	spawn_close(l->spawn);
	buf_done(&l->pending);
	map_done(&l->seen);
	queue_text_done(&l->text);
	queue_rcpts_done(&l->rcpts);
	free(l);
}
