/* SPDX-License-Identifier: MIT */
/* load - the table of messages from the cache, as it was when the last batch was committed. */
#include "store/writer.h"

/* "host[ip]" -> ip; the ip may hold colons but no brackets. */
static struct str ip_of_client(struct str client)
{
	size_t open = str_rfind_char(client, '[');
	struct str ip = str_skip(client, open + 1);

	return ip.n && ip.p[ip.n - 1] == ']' ? str_first(ip, ip.n - 1) : (struct str){NULL, 0};
}

static uint64_t message_id_hash(struct store *s, struct str local, struct str domain)
{
	struct buf *b = &s->args_buf;

	buf_clear(b);
	buf_add_str(b, local);
	if (domain.n) {
		buf_add_char(b, '@');
		buf_add_str(b, domain);
	}
	return b->n ? intern_hash(buf_str(b), 0) : 0;
}

static struct message *load_row(struct store *s, sqlite3_stmt *stmt)
{
	struct str client = ip_of_client(column_str(stmt, 19));
	struct message *m = message_add_loaded(s, sqlite3_column_int(stmt, 1),
		sqlite3_column_int(stmt, 6), column_str(stmt, 5), sqlite3_column_int64(stmt, 0));

	m->bits |= BIT_IN_DB;
	m->t_ms = sqlite3_column_int64(stmt, 2);
	m->end_ms = sqlite3_column_int64(stmt, 3);
	m->flags = (uint16_t)sqlite3_column_int(stmt, 4);
	m->service = sqlite3_column_int(stmt, 7);
	m->client = sqlite3_column_int(stmt, 8);
	m->from_dom = sqlite3_column_int(stmt, 9);
	if (sqlite3_column_type(stmt, 10) != SQLITE_NULL)
		m->nrcpt = sqlite3_column_int(stmt, 10);
	m->runs = sqlite3_column_int(stmt, 11);
	m->nsent = sqlite3_column_int(stmt, 12);
	m->nbounced = sqlite3_column_int(stmt, 13);
	m->ndeferred = sqlite3_column_int(stmt, 14);
	m->parent = sqlite3_column_int64(stmt, 15);
	m->bits |= sqlite3_column_type(stmt, 16) != SQLITE_NULL ? BIT_INLINE : 0;
	m->bits |= sqlite3_column_int(stmt, 18) ? BIT_FROM : 0;
	m->bits |= m->service ? BIT_STARTED : 0;
	if (sqlite3_column_type(stmt, 17) != SQLITE_NULL) {
		m->bits |= BIT_MID;
		m->mid_hash = message_id_hash(s, column_str(stmt, 17), column_str(stmt, 20));
	}
	m->user = sqlite3_column_int(stmt, 21);
	m->mid_dom = sqlite3_column_int(stmt, 22);
	if (sqlite3_column_type(stmt, 23) != SQLITE_NULL)
		m->size_bytes = sqlite3_column_int64(stmt, 23);
	if (client.n) {
		m->ip_hash = intern_hash(client, 0);
		m->bits |= join_is_loopback(client) ? BIT_LOOPBACK : 0;
	}
	if ((m->flags & MESSAGE_LOCAL) || (m->bits & BIT_LOOPBACK))
		message_candidate(s, m);
	if (m->end_ms)
		s->messages.nopen--;
	depth_known(m);
	return m;
}

static int load_all(
	struct store *s, enum sql_id id, int64_t bound, int64_t *ret_n, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, id, reterr);
	int rc;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, bound);
	while ((rc = db_row(&s->db, stmt, reterr)) > 0) {
		load_row(s, stmt);
		++*ret_n;
	}
	return rc;
}

int messages_load(struct store *s, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_MESSAGE_COUNT_OPEN, reterr);
	int64_t total = 0, open = 0, recent = 0;
	int rc;

	if (!stmt)
		return (int)reterr->code;
	rc = db_int(&s->db, stmt, 0, &total, reterr);
	if (rc == 0)
		rc = load_all(s, SQL_MESSAGE_LOAD_OPEN, OPEN_MESSAGES_MAX, &open, reterr);
	if (rc == 0)
		rc = load_all(
			s, SQL_MESSAGE_LOAD_RECENT, s->next_message - RECENT_IDS, &recent, reterr);
	s->messages.spilled = total - open;
	return rc;
}

int messages_load_spilled(struct store *s, int provider, int32_t host, struct str qid,
	struct message **ret, struct mt_error *reterr)
{
	int rc = behind_wait(s, reterr);
	sqlite3_stmt *stmt = rc == 0 ? db_stmt(&s->db, SQL_MESSAGE_LOAD_SPILLED, reterr) : NULL;

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, qid);
	bind_id(stmt, 3, host);
	rc = db_row(&s->db, stmt, reterr);
	if (rc <= 0)
		return rc;
	*ret = load_row(s, stmt);
	sqlite3_reset(stmt);
	s->messages.spilled--;
	return 0;
}
