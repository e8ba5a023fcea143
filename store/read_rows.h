/* SPDX-License-Identifier: MIT */
/*
 * read_rows - rows of message, attempt and reject as they lie in the cache, filters over them, and what
 * a screen gets of them.
 *
 * A raw row's strings live until the next step of its statement. Filters compare dictionary ids, so a
 * row that does not match costs no look-up; text filters go over all a row shows.
 */
#ifndef MT_STORE_READ_ROWS_H
#define MT_STORE_READ_ROWS_H

#include "store/read_window.h"

struct raw_attempt {
	int64_t id, message, t_ms; /* id 0: inline */
	int provider;
	enum event_status status;
	struct str rcpt, orig, args;
	int64_t dom, relay, egress, reply, tls;
	int64_t delay_cs[DELAY__COUNT];
	int32_t dsn, code, run;
	enum smtp_stage stage;
	bool handed_over;
};

struct raw_message {
	int64_t id, t_ms, end_ms, size_bytes, nrcpt, runs, nsent, nbounced, ndeferred, parent;
	int provider;
	unsigned flags;
	struct str qid, from_local, mid_local;
	int64_t host, service, client, user, from_dom, mid_dom;
	bool has_inline;
	struct raw_attempt first; /* when has_inline */
};

struct raw_reject {
	int64_t id, t_ms;
	int provider;
	enum reject_action action;
	struct str word, qid, from, rcpt, helo, args;
	int64_t service, client, dom, reply;
	enum smtp_stage stage;
	int32_t code, dsn;
};

/* Columns that decide without reading the others. */
enum attempt_column { ATTEMPT_ID, ATTEMPT_MESSAGE, ATTEMPT_PROVIDER, ATTEMPT_T, ATTEMPT_STATUS };

void raw_attempt_read(sqlite3_stmt *stmt, struct raw_attempt *out);
void raw_reject_read(sqlite3_stmt *stmt, struct raw_reject *out);
/* raw_message_get - by id; MT_ENOENT. texts: its strings too, which live until the next call; else they are absent. */
int raw_message_get(struct reader *r, int64_t id, bool texts, struct raw_message *out,
	struct mt_error *reterr) MT_MUST_CHECK;

/* A walk over the messages of ids, newest first. One at a time; ended with message_walk_end. */
struct message_walk {
	sqlite3_stmt *stmt;
	int64_t low, high;
	const struct cell *row; /* the one given last */
	int at;
};
int message_walk_begin(struct reader *r, const struct id_range *ids, struct message_walk *w,
	struct mt_error *reterr) MT_MUST_CHECK;
/* message_walk_next - 1 and the next message without its strings; 0 at the end. message_walk_texts - they too, until the
 * next call: many a message is passed over without a look at them. */
int message_walk_next(struct reader *r, struct message_walk *w, struct raw_message *out,
	struct mt_error *reterr) MT_MUST_CHECK;
int message_walk_texts(struct reader *r, const struct message_walk *w, struct raw_message *out,
	struct mt_error *reterr) MT_MUST_CHECK;
void message_walk_end(struct message_walk *w);

#define FILTER_SERVICES_MAX 16 /* tags on one port; a master.cf has few */
/* A query's filter with its texts looked up. */
struct filter {
	const struct query *q;
	int64_t dom, sender_dom, reply, user, egress;
	int64_t services[FILTER_SERVICES_MAX]; /* any of these */
	size_t nservices;
	bool any; /* something beyond provider, window and status is asked for */
	bool by_message; /* service, sender or text: the message row is needed */
	bool impossible; /* asks for a text the cache never met */
};
int filter_init(struct reader *r, const struct query *q, struct filter *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* filter_* - 1 passes, 0 not, negative error. m may be NULL unless by_message. Provider and window are the caller's. */
int filter_attempt(struct reader *r, const struct filter *f, const struct raw_attempt *a,
	const struct raw_message *m, struct mt_error *reterr) MT_MUST_CHECK;
int filter_message(struct reader *r, const struct filter *f, const struct raw_message *m,
	struct mt_error *reterr) MT_MUST_CHECK;
int filter_reject(struct reader *r, const struct filter *f, const struct raw_reject *x,
	struct mt_error *reterr) MT_MUST_CHECK;
/* attempts_newest - the statement over the attempts of ids, newest first, that pass all of the filter that ids decide;
 * failures: only those. It goes over no more than max_rows rows: *ret_cut tells that this is not all of ids. */
int attempts_newest(struct reader *r, const struct filter *f, const struct id_range *ids,
	bool failures, int64_t max_rows, sqlite3_stmt **ret, bool *ret_cut,
	struct mt_error *reterr) MT_MUST_CHECK;
/* rejects_newest - the same of rejects; action: an enum reject_action, or -1 for all. */
int rejects_newest(struct reader *r, const struct filter *f, const struct id_range *ids, int action,
	int64_t max_rows, sqlite3_stmt **ret, bool *ret_cut, struct mt_error *reterr) MT_MUST_CHECK;
/* filter_status - is this one of the outcomes the query asks for? */
bool filter_status(const struct query *q, enum event_status status);
/* text_has - needle in hay, ASCII letters without case. An empty needle is in everything. */
bool text_has(struct str hay, struct str needle);
/* text_spans - may the needle lie across a hole of the reply template, partly in what fills it? true when in doubt. */
bool text_spans(struct str tmpl, struct str needle);
/* text_attempt, text_reject - 1: q's text is (inverted: is not) in what the row shows, 0: no, negative
 * error. The attempt may come without its message, the message without an attempt: NULL. */
int text_attempt(struct reader *r, const struct query *q, const struct raw_attempt *a,
	const struct raw_message *m, struct mt_error *reterr) MT_MUST_CHECK;
int text_reject(struct reader *r, const struct query *q, const struct raw_reject *x,
	struct mt_error *reterr) MT_MUST_CHECK;
/* relay_host / relay_port - of a whole relay= value; port 0 when there is none. */
struct str relay_host(struct str relay);
int32_t relay_port(struct str relay);

/* give_* - the row for a screen, its strings copied into the arena. */
int give_attempt(struct reader *r, const struct raw_attempt *a, const struct raw_message *m,
	struct arena *arena, struct attempt_row *out, struct mt_error *reterr) MT_MUST_CHECK;
int give_message(struct reader *r, const struct raw_message *m, struct arena *arena,
	struct message_row *out, struct mt_error *reterr) MT_MUST_CHECK;
int give_reject(struct reader *r, const struct raw_reject *x, struct arena *arena,
	struct reject_row *out, struct mt_error *reterr) MT_MUST_CHECK;

/* scan_failures - failures (deferred, bounced, expired) of the query's window that pass its filter, newest first, at
 * most max_rows looked at. each returns 0 to go on, 1 to stop, negative to fail. */
int scan_failures(struct reader *r, const struct query *q, const struct window *w, int64_t max_rows,
	int (*each)(void *ctx, const struct raw_attempt *a, const struct raw_message *m), void *ctx,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
