/* SPDX-License-Identifier: MIT */
/*
 * postfix/queue_row - one queued message as postqueue(1) prints it, and what follows from it by
 * Postfix's own rules: its file in the spool, its next try, its end.
 *
 * The parsers are pure and take any bytes. Addresses and reasons are kept as they came; the sink
 * makes them safe to show.
 */
#ifndef MT_BACKENDS_POSTFIX_QUEUE_ROW_H
#define MT_BACKENDS_POSTFIX_QUEUE_ROW_H

#include "backends/postfix/config.h"
#include "store/base/timefmt.h"
#include "store/store_write.h"

/* The recipients of one message: parallel arrays; the texts are borrowed, the arrays owned. */
struct queue_rcpts {
	struct str *addr, *reason;
	size_t n, cap;
};
#define QUEUE_RCPTS_MAX 1000000 /* of one message; Postfix's own limit at smtpd is 1000 */

void queue_rcpts_done(struct queue_rcpts *r);
/* queue_rcpts_add - MT_ELIMIT past the cap, MT_ENOMEM. */
int queue_rcpts_add(struct queue_rcpts *r, struct str addr, struct str reason) MT_MUST_CHECK;

/* queue_name_of - enum queue_name of a queue's folder name, or EVENT_UNKNOWN. queue_name_text - the reverse. */
int queue_name_of(struct str name);
const char *queue_name_text(enum queue_name name);

/* queue_id_ok - the shape of a queue id: 6..22 upper-case hex digits, or a long id (12 or more of Postfix's
 * base 52, with a z at or past the 11th byte). Anything else never reaches postsuper. Source: mail_queue.h. */
bool queue_id_ok(struct str id);

#define QUEUE_HASH_MAX 5 /* digits of the microseconds, which the folders are named by */
/* queue_id_hash - the hex digits a queue id is hashed by: 5 of them, from its microseconds. False if not an id. */
bool queue_id_hash(struct str id, char ret[QUEUE_HASH_MAX]);

/*
 * queue_json_row - one line of `postqueue -j`.
 * line     without its newline; unescaped in place.
 * rcpts    emptied and filled; *ret's rcpt and reason point to it.
 * Fills *ret but next_retry_ms and expires_ms (EVENT_UNKNOWN). sender is absent when the line has none.
 * Returns 0, MT_EINVAL (not such an object, or without id, queue or arrival), MT_ELIMIT, MT_ENOMEM.
 * Unknown members are passed over; of a member given twice the last counts. Source: postqueue(1), "JSON OUTPUT".
 */
int queue_json_row(
	char *line, size_t n, struct queue_rcpts *rcpts, struct queue_row *ret) MT_MUST_CHECK;

/* The text of `postqueue -p` (mailq), a line at a time: Postfix before 3.1 has no -j. */
struct queue_text {
	struct arena arena; /* texts of the message being read */
	struct queue_rcpts rcpts;
	struct queue_row row;
	bool open; /* a message has begun */
	bool unmarked; /* neither active nor on hold: the reasons will tell */
	bool ended; /* the last line ("-- n Kbytes ...", "Mail queue is empty") was seen */
	struct str reason; /* stated before the recipients it holds for */
	int64_t now_utc_ms; /* to find the year of arrival stamps */
	const char *timezone; /* of those stamps; NULL = the system's */
	size_t bad; /* lines not understood */
};

void queue_text_init(struct queue_text *t, int64_t now_utc_ms, const char *zone);
void queue_text_done(struct queue_text *t);
/*
 * queue_text_line - one line without its newline.
 * Returns 1 when *t->row is a whole message (valid until the next call), 0 when not, MT_ELIMIT or MT_ENOMEM.
 * The queue of a message without mark is told by whether a delay reason is stated: deferred, else incoming.
 */
int queue_text_line(struct queue_text *t, struct str line) MT_MUST_CHECK;

/*
 * queue_retry_estimate - when a deferred message is tried next, by qmgr's rule: after each try the next is as far
 * away as the message is old then, within the backoff times. The queue manager looks every queue_run_delay
 * only, so the try is at that time or up to one such delay later.
 * Returns UTC ms > now_ms, or EVENT_UNKNOWN without the backoff times.
 */
int64_t queue_retry_estimate(
	int64_t arrival_ms, int64_t now_ms, int64_t minimal_backoff_ms, int64_t maximal_backoff_ms);

/*
 * queue_expiry - when the message is given up: arrival + maximal_queue_lifetime (bounce_queue_lifetime for the
 * sender <>). EVENT_UNKNOWN for held mail, which never is, and without the figure.
 */
int64_t queue_expiry(const struct postfix_config *c, const struct queue_row *row);

/* queue_file_time - when qmgr will look at a deferred file again: it set the file's time stamp to that. spool_fd: of
 * queue_directory, -1 none; hash_depth: folders of one letter above it. False if not to be had. */
bool queue_file_time(int spool_fd, unsigned hash_depth, struct str qid, int64_t *ret_ms);

#endif
