/* SPDX-License-Identifier: MIT */
/* queue_lines - what cleanup, qmgr, bounce, pickup and postsuper say of a message in the queue. */
#include "backends/postfix/parse.h"
#include "store/base/scan.h"

#define NRCPT_MAX 100000000
#define SIZE_MAX_DIGITS 15
#define SIZE_MAX_BYTES 999999999999999

static bool message_id(struct event *e, struct str rest)
{
	e->kind = EVENT_MESSAGE_ID;
	if (rest.n >= 2 && rest.p[0] == '<' && rest.p[rest.n - 1] == '>')
		rest = str_make(rest.p + 1, rest.n - 2);
	e->message_id = rest;
	return true;
}

bool postfix_cleanup(struct event *e, struct str rest)
{
	if (scan_lit(&rest, STR_LIT("message-id=")))
		return message_id(e, rest);
	if (scan_lit(&rest, STR_LIT("resent-message-id="))) {
		e->kind = EVENT_NONE;
		e->message_id = rest;
		return true;
	}
	if (postfix_access(e, rest) || postfix_delivery(e, rest))
		return true;
	if (str_eq(rest, STR_LIT("canceled"))) {
		e->kind = EVENT_REMOVED;
		e->action_text = rest;
		return true;
	}
	return postfix_quiet(e, rest);
}

/* queue_active - a number counts when something follows it: at the end of a line it may have been cut. */
static bool queue_active(struct event *e, struct str rest)
{
	uint64_t n;

	e->kind = EVENT_QUEUED;
	if (!scan_lit(&rest, STR_LIT(", size=")))
		return true;
	if (scan_u64(&rest, SIZE_MAX_DIGITS, SIZE_MAX_BYTES, &n) && rest.n && rest.p[0] == ',')
		e->size_bytes = (int64_t)n;
	rest = str_skip(rest, str_find(rest, STR_LIT(", nrcpt=")));
	if (scan_lit(&rest, STR_LIT(", nrcpt=")) && scan_u64(&rest, 9, NRCPT_MAX, &n) && rest.n)
		e->nrcpt = (int32_t)n;
	return true;
}

/* expired - the whole rest must be this: before 3.5 a sender's address could look like it. */
static bool expired(struct event *e, struct str rest)
{
	size_t n = str_find(rest, STR_LIT(", returned to sender"));

	e->status_text = str_first(rest, n);
	if (!str_eq(str_skip(rest, n), STR_LIT(", returned to sender")) ||
		!str_ends(e->status_text, STR_LIT("expired")))
		return false;
	e->status = STATUS_EXPIRED;
	e->forced = str_starts(rest, STR_LIT("force-"));
	e->kind = EVENT_EXPIRED;
	return true;
}

bool postfix_qmgr(struct event *e, struct str rest)
{
	if (str_eq(rest, STR_LIT("removed"))) {
		e->kind = EVENT_REMOVED;
		return true;
	}
	if (scan_lit(&rest, STR_LIT("from="))) {
		if (!postfix_take_address(&rest, &e->from))
			return false;
		if (scan_lit(&rest, STR_LIT(", status=")))
			return expired(e, rest);
		return queue_active(e, rest);
	}
	if (postfix_delivery(e, rest))
		return true;
	if (str_starts(rest, STR_LIT("skipped, still being delivered")) ||
		str_starts(rest, STR_LIT("resumed")))
		return postfix_quiet(e, rest);
	return postfix_quiet(e, rest);
}

bool postfix_bounce(struct event *e, struct str rest)
{
	static const struct str mark = STR_INIT(" notification: ");
	size_t at = str_find(rest, mark);

	if (at == rest.n && str_find(rest, STR_LIT("notification")) < rest.n) {
		e->kind = EVENT_NONE; /* one that was not sent */
		e->text = rest;
		return true;
	}
	if (at == rest.n)
		return postfix_quiet(e, rest);
	e->action_text = str_first(rest, at + mark.n - 2);
	e->child_queue_id = str_skip(rest, at + mark.n);
	e->kind = EVENT_NOTIFICATION;
	return postfix_is_queue_id(e->child_queue_id);
}

bool postfix_pickup(struct event *e, struct str rest)
{
	int64_t uid;
	struct str word;

	if (!scan_lit(&rest, STR_LIT("uid=")) || !scan_i64(&rest, 11, INT32_MIN, INT32_MAX, &uid))
		return postfix_quiet(e, rest);
	e->kind = EVENT_RECEIVED;
	e->uid = (int32_t)uid;
	if (scan_lit(&rest, STR_LIT(" from=")))
		postfix_take_address(&rest, &e->from);
	if (scan_lit(&rest, STR_LIT(" orig_id=")) && scan_word(&rest, &word))
		e->orig_queue_id = word;
	return true;
}

bool postfix_postsuper(struct event *e, struct str rest)
{
	static const struct str actions[] = {STR_INIT("placed on hold"),
		STR_INIT("released from hold"), STR_INIT("requeued"), STR_INIT("expired")};

	if (str_eq(rest, STR_LIT("removed"))) {
		e->kind = EVENT_REMOVED;
		e->action_text = rest;
		return true;
	}
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (str_eq(rest, actions[i])) {
			e->kind = i < 2 ? EVENT_HOLD : EVENT_NONE;
			e->action = i == 0 ? REJECT_HOLD : REJECT_OTHER;
			e->action_text = rest;
			return true;
		}
	}
	return postfix_quiet(e, rest);
}
