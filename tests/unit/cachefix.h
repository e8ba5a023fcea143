/* SPDX-License-Identifier: MIT */
/*
 * cachefix - a small cache with known figures, made with direct SQL: for the tests of the reader, the
 * report and the golden screens. The same bytes every time; independent of the writer.
 *
 * Rows and buckets are made by the same calls, so they agree by construction; what they must add up to
 * is written out by hand in the tests (and in the table of cachefix.c).
 */
#ifndef MT_TESTS_CACHEFIX_H
#define MT_TESTS_CACHEFIX_H

#include "store/store_read.h"

#include <sqlite3.h>

#define FIX_NOW_MS 1795435200000 /* 2026-11-23T12:00:00Z */
#define FIX_MINUTE_MS 60000
#define FIX_HOUR_MS 3600000

/* Hostile bytes that are in the cache: a reply, a sender, a subject of a log line. */
#define FIX_HOSTILE_REPLY "550 5.7.1 \x1b]0;owned\x07\xff\xe2\x80\xae go away\r\n"
#define FIX_HOSTILE_SENDER "\x1b[2Jevil"

struct fix {
	sqlite3 *db;
	int64_t next_message, next_attempt, next_reject;
	struct explain_rules *rules; /* owned; made when first asked */
};

/* fix_unlink - the cache and what SQLite keeps beside it. */
void fix_unlink(const char *path);
/* cachefix_make - write the known cache to path (must not exist). Fails the test on any error. */
void cachefix_make(const char *path);
/* cachefix_static - its part that is no log records. */
struct fix;
void cachefix_static(struct fix *f);
/* cachefix_probe - what probes found; called by it. */
void cachefix_probe(struct fix *f);

struct conf;
struct warmup_plans;
/* cachefix_warmup - write another: three weeks of two sending IPs that are warmed up. cachefix_warmup_plans - the plans of
 * it, and of an IP not begun; they borrow the configuration given back. */
void cachefix_warmup(const char *path);
struct conf *cachefix_warmup_plans(struct warmup_plans *out);

/* Building blocks, for tests that need a cache of their own. fix_open applies store/schema/001.sql. */
void fix_open(struct fix *f, const char *path);
/* fix_reopen - a cache that is there, to change counts and texts; rows can't be added. */
void fix_reopen(struct fix *f, const char *path);
void fix_close(struct fix *f);
void fix_exec(struct fix *f, const char *sql);
int64_t fix_dict(struct fix *f, enum dict_kind kind, const char *text);
void fix_bucket(struct fix *f, int64_t t_ms, int provider, enum bucket_dim dim, int64_t key,
	enum metric metric, int64_t n);
/* fix_total - the same for DIM_TOTAL. */
void fix_total(struct fix *f, int64_t t_ms, int provider, enum metric metric, int64_t n);

struct fix_message {
	int provider;
	int64_t t_ms, end_ms; /* end 0: open */
	unsigned flags;
	const char *qid, *service, *client, *user;
	const char *from; /* "local@domain", "" = <>, NULL unknown */
	const char *message_id;
	int64_t size, nrcpt, parent;
	int nsent, nbounced, ndeferred;
};
/* fix_message - a row and its RECEIVED, RECIPIENTS, NOTIFICATIONS buckets (none when REINJECTED or NO_START). */
int64_t fix_message(struct fix *f, const struct fix_message *m);

struct fix_attempt {
	int64_t message, t_ms; /* of the message's provider */
	int provider;
	enum event_status status;
	const char *rcpt, *orig; /* "local@domain" */
	const char *relay; /* whole value */
	const char *relay_host;
	int32_t relay_port; /* 0 none */
	const char *sender_domain;
	const char *egress, *reply, *tls;
	int32_t dsn, code;
	enum smtp_stage stage;
	int32_t cs[DELAY__COUNT];
	int run;
	bool inline_row, handed_over;
};
/* fix_attempt - a row (inside the message's when inline_row) and its buckets. */
void fix_attempt(struct fix *f, const struct fix_attempt *a);

struct fix_reject {
	int provider;
	int64_t t_ms;
	enum reject_action action;
	const char *word, *service, *client, *from, *rcpt, *helo, *reply;
	enum smtp_stage stage;
	int32_t code, dsn;
};
void fix_reject(struct fix *f, const struct fix_reject *x);
/* fix_service - n of a metric for a service tag and in total. */
void fix_service(
	struct fix *f, int64_t t_ms, int provider, const char *tag, enum metric metric, int64_t n);

#endif
