/* SPDX-License-Identifier: MIT */
/* sendmail/listing - see listing.h. Source of the form: print_single_queue() of queue.c. */
#include "backends/sendmail/listing.h"

#include "backends/sendmail/parse.h"
#include "backends/sendmail/qfile.h"
#include "store/base/scan.h"

#define TEXT_MAX_BYTES (32u << 20) /* of one message's addresses */
#define SIZE_DIGITS 15
#define STAMP_BYTES 12 /* "Nov 25 19:48" */

void sendmail_listing_init(struct sendmail_listing *l, int64_t now_ms)
{
	*l = (struct sendmail_listing){.now_ms = now_ms};
	arena_init(&l->arena, TEXT_MAX_BYTES);
}

void sendmail_listing_done(struct sendmail_listing *l)
{
	arena_done(&l->arena);
	queue_rcpts_done(&l->rcpts);
}

static void skip_spaces(struct str *in)
{
	while (in->n && (in->p[0] == ' ' || in->p[0] == '\t'))
		*in = str_skip(*in, 1);
}

int sendmail_listing_end(
	struct sendmail_listing *l, int (*give)(void *ctx, struct queue_row *row), void *ctx)
{
	struct queue_row *row = &l->row;
	bool tried = l->general.n > 0;

	if (!l->open)
		return 0;
	l->open = false;
	for (size_t i = 0; i < l->rcpts.n; i++) {
		tried |= l->rcpts.reason[i].n > 0;
		if (!l->rcpts.reason[i].n)
			l->rcpts.reason[i] = l->general;
	}
	row->queue = l->locked ? QUEUE_ACTIVE : tried ? QUEUE_DEFERRED : QUEUE_INCOMING;
	row->nrcpt = l->rcpts.n;
	row->rcpt = l->rcpts.addr;
	row->reason = l->rcpts.reason;
	return give(ctx, row);
}

/* "6APJmTEn031015*      3     180057+Nov 25 19:48 <a@example.org>" */
static bool head(struct sendmail_listing *l, struct str line)
{
	struct str id, sender;
	uint64_t size;
	int64_t ignored, arrival_ms;

	id = scan_while(&line, scan_is_alnum);
	arrival_ms = sendmail_id_time_ms(id, l->now_ms);
	if (arrival_ms < 0 || line.n < 2)
		return false;
	l->locked = line.p[0] == '*';
	line = str_skip(line, 1);
	skip_spaces(&line);
	if (!scan_u64(&line, SIZE_DIGITS, INT64_MAX, &size))
		return false;
	skip_spaces(&line);
	if (!scan_i64(&line, SIZE_DIGITS, INT64_MIN, INT64_MAX, &ignored) ||
		line.n < STAMP_BYTES + 2)
		return false;
	sender = str_skip(line, 1 + STAMP_BYTES + 1);
	arena_reset(&l->arena);
	l->rcpts.n = 0;
	l->general = (struct str){NULL, 0};
	l->row = (struct queue_row){.qid = arena_str(&l->arena, id),
		.sender = arena_str(&l->arena, sendmail_bare(sender)),
		.arrival_ms = arrival_ms,
		.size_bytes = (int64_t)size,
		.next_retry_ms = EVENT_UNKNOWN,
		.expires_ms = EVENT_UNKNOWN};
	return str_present(l->row.qid) && str_present(l->row.sender);
}

/* "(Deferred: ...)", perhaps behind "8BITMIME", of the message or of the recipient above. */
static bool reason(struct sendmail_listing *l, struct str line)
{
	struct str text;

	if (!str_ends(line, STR_LIT(")")))
		return false;
	if (line.p[0] != '(') {
		size_t open = str_find(line, STR_LIT("   ("));

		if (open == line.n || str_find_char(line, ' ') < open)
			return false;
		line = str_skip(line, open + 3);
	}
	if (str_starts(line, STR_LIT("(---"))) /* the controlling user */
		return true;
	text = arena_str(&l->arena, str_make(line.p + 1, line.n - 2));
	if (l->rcpts.n)
		l->rcpts.reason[l->rcpts.n - 1] = text;
	else
		l->general = text;
	return true;
}

static int detail(struct sendmail_listing *l, struct str line)
{
	struct str address;

	if (!l->open || reason(l, line) || str_starts(line, STR_LIT("QUARANTINE: ")))
		return 0;
	if (l->rcpts.n == 0 && str_find_char(line, '@') == line.n &&
		str_ieq(line, STR_LIT("8BITMIME")))
		return 0;
	address = arena_str(&l->arena, sendmail_bare(line));
	return str_present(address) ? queue_rcpts_add(&l->rcpts, address, (struct str){NULL, 0})
				    : MT_ELIMIT;
}

/* "\t\t/var/spool/mqueue (2 requests)", "-----Q-ID-----...", "\t\tTotal requests: 2" */
static bool is_frame(struct str line, struct str text)
{
	return str_starts(line, STR_LIT("-----Q-ID-")) ||
	       (line.n > 1 && line.p[0] == '\t' && line.p[1] == '\t' && text.n &&
		       text.p[0] == '/' && str_find(text, STR_LIT(" (")) < text.n) ||
	       str_starts(text, STR_LIT("Total requests: "));
}

int sendmail_listing_line(struct sendmail_listing *l, struct str line,
	int (*give)(void *ctx, struct queue_row *row), void *ctx)
{
	struct str text = line;
	int rc;

	skip_spaces(&text);
	if (text.n == 0)
		return 0;
	if (text.n < line.n && !is_frame(line, text))
		return detail(l, str_trim(text));
	rc = sendmail_listing_end(l, give, ctx);
	if (rc < 0 || is_frame(line, text) || str_ends(text, STR_LIT(" is empty")) ||
		str_ends(text, STR_LIT(" (job completed)")))
		return rc;
	l->open = head(l, line);
	l->bad += !l->open;
	return 0;
}
