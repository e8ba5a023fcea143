/* SPDX-License-Identifier: MIT */
/* rows - binding of messages, attempts and rejects to their statements; column order as in sql.def. */
#include "store/writer.h"

static void bind_inline(sqlite3_stmt *stmt, const struct message *m, const struct attempt *a)
{
	bind_int(stmt, 22, a->t_ms - m->t_ms);
	bind_str(stmt, 23, a->rcpt);
	bind_id(stmt, 24, a->dom);
	bind_str(stmt, 25, a->orig);
	bind_id(stmt, 26, a->relay);
	bind_id(stmt, 27, a->egress);
	for (int i = 0; i < DELAY__COUNT; i++)
		bind_known(stmt, 28 + i, a->delay_cs[i]);
	bind_id(stmt, 33, a->dsn);
	bind_known(stmt, 34, a->code);
	bind_id(stmt, 35, a->reply);
	bind_str(stmt, 36, a->args);
	bind_id(stmt, 37, a->tls);
	bind_id(stmt, 38, a->flags);
}

static void bind_message(sqlite3_stmt *stmt, const struct message *m)
{
	bind_int(stmt, 1, m->id);
	bind_int(stmt, 3, m->t_ms);
	bind_id(stmt, 4, m->end_ms);
	bind_int(stmt, 5, m->flags);
	bind_id(stmt, 8, m->service);
	bind_id(stmt, 9, m->client);
	bind_id(stmt, 10, m->user);
	if (m->text)
		bind_str(stmt, 11, m->text->from_local);
	bind_id(stmt, 12, m->from_dom);
	bind_known(stmt, 13, m->size_bytes);
	bind_known(stmt, 14, m->nrcpt);
	bind_id(stmt, 15, m->runs);
	bind_int(stmt, 16, m->nsent);
	bind_int(stmt, 17, m->nbounced);
	bind_int(stmt, 18, m->ndeferred);
	if (m->text)
		bind_str(stmt, 19, m->text->mid_local);
	bind_id(stmt, 20, m->mid_dom);
	bind_id(stmt, 21, m->parent);
}

static int update_message(struct store *s, const struct message *m, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_MESSAGE_UPDATE, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_message(stmt, m);
	rc = db_run(&s->db, stmt, reterr);
	if (rc < 0 || !m->text || !m->text->first)
		return rc;
	stmt = db_stmt(&s->db, SQL_MESSAGE_INLINE, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, m->id);
	bind_inline(stmt, m, m->text->first);
	return db_run(&s->db, stmt, reterr);
}

int row_message(struct store *s, const struct message *m, struct mt_error *reterr)
{
	sqlite3_stmt *stmt;

	if (m->bits & BIT_IN_DB)
		return update_message(s, m, reterr);
	stmt = db_stmt(&s->db, SQL_MESSAGE_INSERT, reterr);
	if (!stmt)
		return (int)reterr->code;
	bind_message(stmt, m);
	bind_int(stmt, 2, m->provider);
	bind_str(stmt, 6, message_qid(m));
	bind_id(stmt, 7, m->host);
	if (m->text && m->text->first)
		bind_inline(stmt, m, m->text->first);
	return db_run(&s->db, stmt, reterr);
}

int row_attempt(struct store *s, const struct attempt *a, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_ATTEMPT_INSERT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, a->id);
	bind_int(stmt, 2, a->message);
	bind_int(stmt, 3, a->provider);
	bind_int(stmt, 4, a->t_ms);
	bind_int(stmt, 5, a->status);
	bind_str(stmt, 6, str_present(a->rcpt) ? a->rcpt : (struct str){"", 0});
	bind_id(stmt, 7, a->dom);
	bind_str(stmt, 8, a->orig);
	bind_id(stmt, 9, a->relay);
	bind_id(stmt, 10, a->egress);
	for (int i = 0; i < DELAY__COUNT; i++)
		bind_known(stmt, 11 + i, a->delay_cs[i]);
	bind_id(stmt, 16, a->dsn);
	bind_known(stmt, 17, a->code);
	bind_id(stmt, 18, a->stage);
	bind_id(stmt, 19, a->reply);
	bind_str(stmt, 20, a->args);
	bind_id(stmt, 21, a->tls);
	bind_id(stmt, 22, a->run);
	bind_int(stmt, 23, a->flags);
	return db_run(&s->db, stmt, reterr);
}

int row_reject(struct store *s, const struct reject *r, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_REJECT_INSERT, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, r->id);
	bind_int(stmt, 2, r->provider);
	bind_int(stmt, 3, r->t_ms);
	bind_int(stmt, 4, r->action);
	bind_str(stmt, 5, r->word);
	bind_id(stmt, 6, r->service);
	bind_id(stmt, 7, r->client);
	bind_str(stmt, 8, r->qid);
	bind_id(stmt, 9, r->stage);
	bind_known(stmt, 10, r->code);
	bind_id(stmt, 11, r->dsn);
	bind_str(stmt, 12, r->from);
	bind_str(stmt, 13, r->rcpt);
	bind_id(stmt, 14, r->dom);
	bind_str(stmt, 15, r->helo);
	bind_id(stmt, 16, r->reply);
	bind_str(stmt, 17, r->args);
	return db_run(&s->db, stmt, reterr);
}
