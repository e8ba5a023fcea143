/* SPDX-License-Identifier: MIT */
/* opensmtpd/listing - see listing.h. */
#include "backends/opensmtpd/listing.h"

#include "store/base/scan.h"

#define TEXT_MAX_BYTES (64u << 20) /* of one message's addresses and errors */
#define EVPID_BYTES 16
#define FIELDS 13 /* and the error text behind them */
#define DIGITS 12
#define TIME_MAX_S 253402300799 /* 9999-12-31T23:59:59Z */
#define MS_PER_S 1000

enum field {
	FIELD_EVPID,
	FIELD_FAMILY,
	FIELD_AGENT,
	FIELD_FLAGS,
	FIELD_SENDER,
	FIELD_RCPT,
	FIELD_DEST,
	FIELD_CREATION,
	FIELD_EXPIRE,
	FIELD_LAST_TRY,
	FIELD_RETRY,
	FIELD_STATE,
	FIELD_IN_S /* until the next try, or since the last one began; below 0: overdue */
};

struct envelope {
	struct str field[FIELDS], error;
	int64_t creation_ms, expire_ms, in_ms;
	uint64_t retry;
	bool pending;
};

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(scan_is_digit(s.p[i]) || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

bool opensmtpd_is_msgid(struct str id)
{
	return id.n == OPENSMTPD_MSGID_BYTES && is_hex(id);
}

void opensmtpd_listing_init(struct opensmtpd_listing *l, int64_t now_utc_ms)
{
	*l = (struct opensmtpd_listing){.now_utc_ms = now_utc_ms};
	arena_init(&l->arena, TEXT_MAX_BYTES);
}

void opensmtpd_listing_done(struct opensmtpd_listing *l)
{
	arena_done(&l->arena);
	queue_rcpts_done(&l->rcpts);
}

static bool all_s(struct str s, int64_t *ret_ms)
{
	uint64_t n;

	if (!scan_all_u64(s, TIME_MAX_S, &n))
		return false;
	*ret_ms = (int64_t)n * MS_PER_S;
	return true;
}

static bool has_at(struct str s)
{
	return str_find_char(s, '@') < s.n;
}

/* A bar in an address moves the figures, and then the line is none: an address has its one @ in its own field. */
static bool read_envelope(struct str line, struct envelope *e)
{
	struct str in_s;
	int64_t last_try_ms, in;

	for (size_t i = 0; i < FIELDS; i++)
		if (!scan_until(&line, '|', &e->field[i]) || !scan_lit(&line, STR_LIT("|")))
			return false;
	e->error = line;
	if (e->field[FIELD_EVPID].n != EVPID_BYTES || !is_hex(e->field[FIELD_EVPID]) ||
		!has_at(e->field[FIELD_SENDER]) || !has_at(e->field[FIELD_RCPT]) ||
		!has_at(e->field[FIELD_DEST]))
		return false;
	if (!all_s(e->field[FIELD_CREATION], &e->creation_ms) ||
		!all_s(e->field[FIELD_EXPIRE], &e->expire_ms) ||
		!all_s(e->field[FIELD_LAST_TRY], &last_try_ms) ||
		!scan_all_u64(e->field[FIELD_RETRY], INT32_MAX, &e->retry))
		return false;
	in_s = e->field[FIELD_IN_S];
	e->pending = str_eq(e->field[FIELD_STATE], STR_LIT("pending")) &&
		     scan_i64(&in_s, DIGITS, -TIME_MAX_S, TIME_MAX_S, &in) && in_s.n == 0;
	e->in_ms = e->pending ? in * MS_PER_S : 0;
	return true;
}

static void begin(struct opensmtpd_listing *l, const struct envelope *e)
{
	struct str sender = e->field[FIELD_SENDER];

	arena_reset(&l->arena);
	l->rcpts.n = 0;
	l->inflight = l->suspended = l->tried = l->unknown = 0;
	l->open = true;
	if (str_eq(sender, STR_LIT("@")))
		sender = STR_LIT("");
	l->row = (struct queue_row){.qid = arena_str(&l->arena, str_first(e->field[FIELD_EVPID],
									OPENSMTPD_MSGID_BYTES)),
		.sender = arena_str(&l->arena, sender),
		.arrival_ms = e->creation_ms,
		.size_bytes = EVENT_UNKNOWN,
		.next_retry_ms = EVENT_UNKNOWN,
		.expires_ms = EVENT_UNKNOWN};
}

static bool has_flag(struct str flags, struct str name)
{
	return str_find(flags, name) < flags.n;
}

static int add(struct opensmtpd_listing *l, const struct envelope *e)
{
	struct queue_row *row = &l->row;
	struct str rcpt = arena_str(&l->arena, e->field[FIELD_RCPT]), error = {NULL, 0};
	int64_t next_ms = l->now_utc_ms + e->in_ms;

	if (e->error.n)
		error = arena_str(&l->arena, e->error);
	if (!str_present(rcpt) || (e->error.n && !str_present(error)))
		return MT_ELIMIT;
	l->tried += e->retry > 0;
	l->offline |= str_eq(e->field[FIELD_STATE], STR_LIT("offline"));
	if (has_flag(e->field[FIELD_FLAGS], STR_LIT("suspend")) ||
		has_flag(e->field[FIELD_FLAGS], STR_LIT("hold"))) {
		l->suspended++;
	} else if (str_eq(e->field[FIELD_STATE], STR_LIT("inflight"))) {
		l->inflight++;
	} else if (!e->pending) {
		l->unknown++;
	} else if (row->next_retry_ms < 0 || next_ms < row->next_retry_ms) {
		row->next_retry_ms = next_ms;
	}
	/* Without a ttl of its own an envelope has its creation there (6.8): nothing is told. */
	if (e->expire_ms > e->creation_ms &&
		(row->expires_ms < 0 || e->expire_ms < row->expires_ms))
		row->expires_ms = e->expire_ms;
	return queue_rcpts_add(&l->rcpts, rcpt, error);
}

int opensmtpd_listing_end(struct opensmtpd_listing *l, struct queue_row *ret)
{
	struct queue_row *row = &l->row;

	if (!l->open)
		return 0;
	l->open = false;
	row->nrcpt = l->rcpts.n;
	row->rcpt = l->rcpts.addr;
	row->reason = l->rcpts.reason;
	row->queue = l->inflight                  ? QUEUE_ACTIVE
		     : l->suspended == row->nrcpt ? QUEUE_HOLD
		     : l->tried                   ? QUEUE_DEFERRED
						  : QUEUE_INCOMING;
	if (row->queue != QUEUE_DEFERRED || l->unknown)
		row->next_retry_ms = EVENT_UNKNOWN;
	*ret = *row;
	return 1;
}

int opensmtpd_listing_line(struct opensmtpd_listing *l, struct str line, struct queue_row *ret)
{
	struct envelope e;

	if (!read_envelope(line, &e)) {
		l->bad += line.n > 0;
		return 0;
	}
	if (l->open && str_starts(e.field[FIELD_EVPID], l->row.qid))
		return add(l, &e);
	/* The texts of the message before live until the next call: the new one waits for it. */
	if (opensmtpd_listing_end(l, ret) == 1)
		return 1;
	begin(l, &e);
	return str_present(l->row.qid) ? add(l, &e) : MT_ELIMIT;
}
