/* SPDX-License-Identifier: MIT */
/* sendmail/qfile - see qfile.h. */
#include "backends/sendmail/qfile.h"

#include "backends/sendmail/parse.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"

#include <stdlib.h>

#define MS_PER_S 1000
#define TIME_DIGITS 12
#define TIME_MAX_S 253402300799 /* 9999-12-31T23:59:59Z */
#define TRIES_DIGITS 9
#define ID_TIME_BYTES 6
#define ID_YEARS 60 /* what one character of an id holds */
#define ID_BYTES_MIN 13 /* 8.12: 8 characters of time, 5 or more of the process */

static int64_t seconds(struct str s)
{
	uint64_t n;

	return scan_u64(&s, TIME_DIGITS, TIME_MAX_S, &n) && s.n == 0 ? (int64_t)n * MS_PER_S
								     : EVENT_UNKNOWN;
}

/* "RPFD:<a@b>"; before version 1 without flags. */
static struct str recipient(struct str value, uint64_t version)
{
	size_t colon = version >= 1 ? str_find_char(value, ':') : value.n;

	return sendmail_bare(colon < value.n ? str_skip(value, colon + 1) : value);
}

struct reading {
	struct sendmail_qfile *q;
	uint64_t version;
	struct str general; /* M in front of the sender: of the whole message */
	struct str own; /* M in front of a recipient */
	bool sender, ended;
};

static int take_recipient(struct reading *r, struct str value)
{
	struct str reason = r->own.n ? r->own : r->general;

	r->own = (struct str){NULL, 0};
	return queue_rcpts_add(&r->q->rcpts, recipient(value, r->version), reason);
}

static int take_line(struct reading *r, char kind, struct str value)
{
	struct sendmail_qfile *q = r->q;
	struct str n = value;
	uint64_t count;

	switch (kind) {
	case 'V':
		return scan_u64(&n, 3, 100, &r->version) ? 0 : MT_EINVAL;
	case 'T':
		q->arrival_ms = seconds(value);
		break;
	case 'K':
		q->tried_ms = seconds(value);
		break;
	case 'N':
		if (scan_all_u64(value, 999999999, &count) && value.n <= TRIES_DIGITS)
			q->tries = (int64_t)count;
		break;
	case 'q':
		q->quarantine = value;
		break;
	case 'S':
		q->sender = sendmail_bare(value);
		r->sender = true;
		break;
	case 'M':
		*(r->sender ? &r->own : &r->general) = value;
		break;
	case 'R':
		return take_recipient(r, value);
	case '.':
		r->ended = true;
		break;
	default: /* headers, macros, what else there may be */
		break;
	}
	return 0;
}

int sendmail_qfile_parse(struct str bytes, struct sendmail_qfile *q)
{
	struct queue_rcpts rcpts = q->rcpts;
	struct reading r = {.q = q};
	int rc = 0;

	rcpts.n = 0;
	*q = (struct sendmail_qfile){.arrival_ms = EVENT_UNKNOWN,
		.tried_ms = EVENT_UNKNOWN,
		.tries = EVENT_UNKNOWN,
		.rcpts = rcpts};
	while (bytes.n && !r.ended && rc == 0) {
		struct str line = str_first(bytes, str_find_char(bytes, '\n'));

		bytes = str_skip(bytes, line.n + 1);
		if (line.n && line.p[0] != ' ' && line.p[0] != '\t') /* else it goes on */
			rc = take_line(&r, line.p[0], str_skip(line, 1));
	}
	if (rc == 0 && (!r.ended || !r.sender || q->arrival_ms < 0))
		rc = MT_EINVAL;
	if (q->tries == 0 || q->tried_ms == 0)
		q->tried_ms = EVENT_UNKNOWN;
	return rc;
}

void sendmail_qfile_done(struct sendmail_qfile *q)
{
	queue_rcpts_done(&q->rcpts);
}

/* QueueIdChars of queue.c: the digits, the capitals, the small letters to x. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'x' ? c - 'a' + 36 : -1;
}

int64_t sendmail_id_time_ms(struct str id, int64_t now_ms)
{
	int64_t best = EVENT_UNKNOWN;
	int d[ID_TIME_BYTES];

	if (id.n < ID_BYTES_MIN)
		return EVENT_UNKNOWN;
	for (size_t i = 0; i < ID_TIME_BYTES; i++) {
		d[i] = digit(id.p[i]);
		if (d[i] < 0)
			return EVENT_UNKNOWN;
	}
	if (d[1] > 11 || d[2] < 1 || d[2] > 31 || d[3] > 23)
		return EVENT_UNKNOWN;
	for (int year = 1900 + 1 * ID_YEARS + d[0]; year < 2200; year += ID_YEARS) {
		int64_t t = timefmt_civil_utc_ms(year, d[1] + 1, d[2], d[3], d[4], d[5]);

		if (best < 0 || llabs(t - now_ms) < llabs(best - now_ms))
			best = t;
	}
	return best;
}
