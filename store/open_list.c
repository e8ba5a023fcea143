/* SPDX-License-Identifier: MIT */
/*
 * open_list - the messages still in the queue by the log, as rows of a listing: their recipients are
 * those whose last try was deferred, each with the reply it got. Of the cache as committed.
 */
#include "store/writer.h"

#include "store/base/mem.h"
#include "store/reply.h"

#include <stdlib.h>

#define TRIES_MAX 1000 /* looked at of one message, newest first */
#define TEXTS_MAX_BYTES (1u << 20) /* of one message: 50 replies of 8 KiB */

struct tried { /* a recipient met */
	struct str local;
	int32_t dom;
};

struct open_row {
	struct arena texts;
	struct buf reply;
	struct tried *tried; /* TRIES_MAX */
	size_t ntried;
	struct str rcpt[QUEUE_RCPT_KEPT], reason[QUEUE_RCPT_KEPT];
	size_t nrcpt;
};

static struct str address(struct open_row *o, struct str local, struct str domain)
{
	char *p;

	if (domain.n == 0)
		return arena_str(&o->texts, local);
	p = arena_alloc(&o->texts, local.n + 1 + domain.n);
	if (!p)
		return (struct str){NULL, 0};
	if (local.n)
		memcpy(p, local.p, local.n);
	p[local.n] = '@';
	memcpy(p + local.n + 1, domain.p, domain.n);
	return (struct str){p, local.n + 1 + domain.n};
}

/* Tries come newest first: only a recipient's first one here counts. */
static bool is_first(struct open_row *o, struct str local, int32_t dom)
{
	for (size_t i = 0; i < o->ntried; i++)
		if (o->tried[i].dom == dom && str_eq(o->tried[i].local, local))
			return false;
	if (o->ntried < TRIES_MAX)
		o->tried[o->ntried++] = (struct tried){arena_str(&o->texts, local), dom};
	return true;
}

static void take_try(struct open_row *o, sqlite3_stmt *stmt)
{
	struct str local = column_str(stmt, 0), domain = column_str(stmt, 2);

	if (!is_first(o, local, sqlite3_column_int(stmt, 1)) ||
		sqlite3_column_int(stmt, 3) != STATUS_DEFERRED || o->nrcpt == QUEUE_RCPT_KEPT)
		return;
	o->rcpt[o->nrcpt] = address(o, local, domain);
	o->reason[o->nrcpt] = (struct str){NULL, 0};
	buf_clear(&o->reply);
	if (reply_join(column_str(stmt, 4), column_str(stmt, 5), &o->reply) == 0)
		o->reason[o->nrcpt] = arena_str(&o->texts, buf_str(&o->reply));
	o->nrcpt += str_present(o->rcpt[o->nrcpt]);
}

static int take_tries(struct store *s, int64_t message, struct open_row *o, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_OPEN_TRIES, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, message);
	bind_int(stmt, 2, TRIES_MAX);
	while ((rc = db_row(&s->db, stmt, reterr)) > 0)
		take_try(o, stmt);
	return rc;
}

static void fill(struct open_row *o, sqlite3_stmt *stmt, struct queue_row *row)
{
	*row = (struct queue_row){.arrival_ms = sqlite3_column_int64(stmt, 2),
		.queue = (enum queue_name)sqlite3_column_int(stmt, 3),
		.size_bytes = EVENT_UNKNOWN,
		.next_retry_ms = EVENT_UNKNOWN,
		.expires_ms = EVENT_UNKNOWN,
		.rcpt = o->rcpt,
		.reason = o->reason};
	row->qid = arena_str(&o->texts, column_str(stmt, 1));
	if (sqlite3_column_type(stmt, 4) != SQLITE_NULL)
		row->size_bytes = sqlite3_column_int64(stmt, 4);
	if (sqlite3_column_type(stmt, 5) != SQLITE_NULL)
		row->sender = address(o, column_str(stmt, 5), column_str(stmt, 6));
}

static int one_message(struct store *s, sqlite3_stmt *stmt, struct open_row *o, store_open_fn give,
	void *ctx, struct mt_error *reterr)
{
	struct queue_row row;
	int rc;

	arena_reset(&o->texts);
	o->ntried = o->nrcpt = 0;
	fill(o, stmt, &row);
	rc = take_tries(s, sqlite3_column_int64(stmt, 0), o, reterr);
	row.nrcpt = o->nrcpt;
	if (rc == 0 && !str_present(row.qid))
		rc = mt_error_set(reterr, MT_ENOMEM, "no memory for a queued message");
	return rc < 0 ? rc : give(ctx, &row, reterr);
}

int store_open_messages(struct store *s, int provider, struct store_open_at *at, size_t max,
	store_open_fn give, void *ctx, struct mt_error *reterr)
{
	struct mt_error local;
	struct open_row *o = xcalloc(1, sizeof(*o));
	sqlite3_stmt *stmt;
	size_t n = 0;
	int rc = 0;

	reterr = reterr ? reterr : &local;
	stmt = db_stmt(&s->db, SQL_OPEN_LIST, reterr);
	arena_init(&o->texts, TEXTS_MAX_BYTES);
	buf_init(&o->reply, TEXTS_MAX_BYTES);
	o->tried = xcalloc(TRIES_MAX, sizeof(o->tried[0]));
	if (stmt) {
		const int64_t values[] = {provider, MESSAGE_HELD, QUEUE_HOLD, QUEUE_DEFERRED,
			QUEUE_ACTIVE, QUEUE_INCOMING, MESSAGE_PROBE};

		for (int i = 0; i < (int)(sizeof(values) / sizeof(values[0])); i++)
			bind_int(stmt, i + 1, values[i]);
		bind_str(stmt, 8, (struct str){at->qid, strlen(at->qid)});
		bind_int(stmt, 9, at->id);
		bind_int(stmt, 10, (int64_t)max);
	} else {
		rc = (int)reterr->code;
	}
	while (rc == 0 && (rc = db_row(&s->db, stmt, reterr)) > 0) {
		struct str qid = str_first(column_str(stmt, 1), sizeof(at->qid) - 1);

		at->id = sqlite3_column_int64(stmt, 0);
		memcpy(at->qid, qid.p, qid.n);
		at->qid[qid.n] = '\0';
		n++;
		rc = one_message(s, stmt, o, give, ctx, reterr);
	}
	if (stmt)
		sqlite3_reset(stmt);
	arena_done(&o->texts);
	buf_done(&o->reply);
	free(o->tried);
	free(o);
	return rc < 0 ? rc : n == max;
}

int64_t store_log_offset(const struct store *s, int provider)
{
	for (size_t i = 0; i < s->nproviders; i++)
		if (s->providers[i].id == provider && s->providers[i].has_offset)
			return (int64_t)s->providers[i].last_offset;
	return EVENT_UNKNOWN;
}
