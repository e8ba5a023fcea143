/* SPDX-License-Identifier: MIT */
/*
 * postfix/queue_text - the text of `postqueue -p`, for a Postfix without -j.
 *
 * A message is a line with its id, then reasons in parentheses, each before the recipients it holds
 * for, and an empty line. Columns are not trusted (a long id or size shifts them), words are.
 */
#include "backends/postfix/queue_row.h"

#include "store/base/scan.h"

#define MESSAGE_MAX_BYTES                                                                          \
	(32u << 20) /* texts of one message: 50,000 recipients with a reason each */
#define SIZE_DIGITS_MAX 15
#define SIZE_MAX_BYTES UINT64_C(999999999999999)

void queue_text_init(struct queue_text *t, int64_t now_utc_ms, const char *zone)
{
	*t = (struct queue_text){.now_utc_ms = now_utc_ms, .timezone = zone};
	arena_init(&t->arena, MESSAGE_MAX_BYTES);
}

void queue_text_done(struct queue_text *t)
{
	arena_done(&t->arena);
	queue_rcpts_done(&t->rcpts);
}

static struct str skip_spaces(struct str s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = str_skip(s, 1);
	return s;
}

/* '*' active, '!' on hold, '#' to be expired by force (3.5); more than one may stand. */
static void take_marks(struct str *in, struct queue_row *row, bool *ret_queue_known)
{
	*ret_queue_known = true;
	row->queue = QUEUE_DEFERRED;
	if (scan_lit(in, STR_LIT("*")))
		row->queue = QUEUE_ACTIVE;
	else if (scan_lit(in, STR_LIT("!")))
		row->queue = QUEUE_HOLD;
	else
		*ret_queue_known = false;
	row->forced_expire = scan_lit(in, STR_LIT("#"));
}

static bool read_stamp(const struct queue_text *t, struct str *in, int64_t *ret_ms)
{
	struct timefmt fmt;
	struct str weekday;

	/* A state of its own each time: the queue is in no order, so years are not to be inferred by it. */
	timefmt_init(&fmt, t->now_utc_ms, t->timezone);
	if (!scan_word(in, &weekday))
		return false;
	*in = skip_spaces(*in);
	return timefmt_read(&fmt, in, ret_ms);
}

static int keep(struct queue_text *t, struct str s, struct str *ret)
{
	*ret = arena_str(&t->arena, s);
	return str_present(*ret) ? 0 : MT_ELIMIT;
}

/* "4jYRht5SfXz1bYWS*      318 Tue Nov 24 02:34:22 a@example.test"; false when the line is none of these. */
static bool read_head(
	struct queue_text *t, struct str line, struct queue_row *row, bool *ret_queue_known)
{
	struct str id = scan_while(&line, scan_is_alnum);
	uint64_t size;

	if (!queue_id_ok(id))
		return false;
	take_marks(&line, row, ret_queue_known);
	if (!scan_lit(&line, STR_LIT(" ")))
		return false;
	line = skip_spaces(line);
	if (!scan_u64(&line, SIZE_DIGITS_MAX, SIZE_MAX_BYTES, &size))
		return false;
	line = skip_spaces(line);
	if (!read_stamp(t, &line, &row->arrival_ms) || !scan_lit(&line, STR_LIT(" ")))
		return false;
	row->qid = id;
	row->size_bytes = (int64_t)size;
	row->sender = line;
	return true;
}

static bool begin(struct queue_text *t, struct str line, int *ret_rc)
{
	struct queue_row row = {.next_retry_ms = EVENT_UNKNOWN, .expires_ms = EVENT_UNKNOWN};
	bool queue_known;

	if (!read_head(t, line, &row, &queue_known))
		return false;
	arena_reset(&t->arena);
	t->rcpts.n = 0;
	t->reason = (struct str){0};
	t->open = true;
	t->unmarked = !queue_known;
	t->row = row;
	*ret_rc = keep(t, row.qid, &t->row.qid);
	if (*ret_rc == 0)
		*ret_rc = keep(t, row.sender, &t->row.sender);
	return true;
}

static int finish(struct queue_text *t)
{
	bool reasoned = false;

	if (!t->open)
		return 0;
	t->open = false;
	for (size_t i = 0; i < t->rcpts.n && !reasoned; i++)
		reasoned = str_present(t->rcpts.reason[i]);
	if (t->unmarked && !reasoned)
		t->row.queue = QUEUE_INCOMING;
	t->row.nrcpt = t->rcpts.n;
	t->row.rcpt = t->rcpts.addr;
	t->row.reason = t->rcpts.reason;
	return 1;
}

static int inside(struct queue_text *t, struct str line)
{
	struct str text = str_trim(line), kept;
	int rc;

	if (str_starts(text, STR_LIT("(")) && str_ends(text, STR_LIT(")")) && text.n > 1)
		return keep(t, str_make(text.p + 1, text.n - 2), &t->reason);
	if (line.p[0] != ' ') {
		t->bad++;
		return 0;
	}
	rc = keep(t, text, &kept);
	return rc < 0 ? rc : queue_rcpts_add(&t->rcpts, kept, t->reason);
}

int queue_text_line(struct queue_text *t, struct str line)
{
	int rc = 0;

	if (str_ends(line, STR_LIT("\r")))
		line.n--;
	if (str_trim(line).n == 0)
		return finish(t);
	if (t->open)
		return inside(t, line);
	if (begin(t, line, &rc))
		return rc;
	if (str_starts(line, STR_LIT("-- ")) || str_starts(line, STR_LIT("Mail queue is empty")))
		t->ended = true;
	else if (!str_starts(line, STR_LIT("-")))
		t->bad++;
	return 0;
}
