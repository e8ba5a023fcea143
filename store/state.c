/* SPDX-License-Identifier: MIT */
/*
 * state - what the joiner must remember over a restart and no row holds: open sessions, pipe
 * deliveries that may turn out hand-overs, where each provider's log time and line stand.
 */
#include "store/writer.h"

#include <stdlib.h>

#define STATE_MAX_BYTES (8u << 20) /* SESSIONS_MAX sessions fit four times */
#define STATE_ALL 0 /* the provider column of state that is of no single provider */

struct saved_provider {
	int64_t newest_ms, last_age_hour;
	uint64_t last_offset;
	uint8_t has_offset, warned_line, pad[6];
};

int meta_get_int(
	struct store *s, const char *key, int64_t fallback, int64_t *ret, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_META_GET, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_str(stmt, 1, str_of(key));
	return db_int(&s->db, stmt, fallback, ret, reterr);
}

int meta_set_int(struct store *s, const char *key, int64_t value, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_META_SET, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_str(stmt, 1, str_of(key));
	bind_int(stmt, 2, value);
	return db_run(&s->db, stmt, reterr);
}

static int put(
	struct store *s, int provider, const char *key, struct str value, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_STATE_SET, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, str_of(key));
	bind_blob(stmt, 3, value);
	return db_run(&s->db, stmt, reterr);
}

/* 1 with the value (valid until the statement is used again), 0 without one. */
static int get(struct store *s, int provider, const char *key, sqlite3_stmt **ret_stmt,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, SQL_STATE_GET, reterr);

	if (!stmt)
		return (int)reterr->code;
	bind_int(stmt, 1, provider);
	bind_str(stmt, 2, str_of(key));
	*ret_stmt = stmt;
	return db_row(&s->db, stmt, reterr);
}

static int write_providers(struct store *s, struct mt_error *reterr)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->nproviders; i++) {
		const struct provider_state *p = &s->providers[i];
		struct saved_provider saved;

		if (!p->has_offset && !p->newest_ms)
			continue;
		memset(&saved, 0, sizeof(saved));
		saved.newest_ms = p->newest_ms;
		saved.last_age_hour = p->last_age_hour;
		saved.last_offset = p->last_offset;
		saved.has_offset = p->has_offset;
		saved.warned_line = p->warned_line;
		rc = put(
			s, p->id, "log", (struct str){(const char *)&saved, sizeof(saved)}, reterr);
	}
	return rc;
}

static int64_t newest_of_all(const struct store *s)
{
	int64_t newest = 0;

	for (size_t i = 0; i < s->nproviders; i++)
		if (s->providers[i].newest_ms > newest)
			newest = s->providers[i].newest_ms;
	return newest;
}

static int write_shared(struct store *s, struct mt_error *reterr)
{
	struct buf bytes;
	uint32_t at = s->piped_at;
	int rc;

	buf_init(&bytes, STATE_MAX_BYTES);
	rc = sessions_save(&s->sessions, newest_of_all(s), &bytes);
	if (rc < 0)
		rc = mt_error_set(reterr, MT_ENOMEM, "cache: no memory for the session table");
	else
		rc = put(s, STATE_ALL, "sessions", buf_str(&bytes), reterr);
	if (rc == 0 && s->piped[0].parent) {
		buf_clear(&bytes);
		buf_add(&bytes, &at, sizeof(at));
		rc = buf_add(&bytes, s->piped, sizeof(s->piped));
		if (rc == 0)
			rc = put(s, STATE_ALL, "piped", buf_str(&bytes), reterr);
	}
	buf_clear(&bytes);
	if (rc == 0 && mx_save(s, newest_of_all(s), &bytes) < 0)
		rc = mt_error_set(reterr, MT_ENOMEM, "cache: no memory for the table of tries");
	if (rc == 0)
		rc = put(s, STATE_ALL, "tries", buf_str(&bytes), reterr);
	buf_done(&bytes);
	return rc;
}

int state_write(struct store *s, struct mt_error *reterr)
{
	int rc = write_providers(s, reterr);

	if (rc == 0 && s->state_dirty)
		rc = write_shared(s, reterr);
	if (rc == 0)
		rc = meta_set_int(s, "next_message", s->next_message, reterr);
	if (rc == 0)
		rc = meta_set_int(s, "next_attempt", s->next_attempt, reterr);
	if (rc == 0)
		rc = meta_set_int(s, "next_reject", s->next_reject, reterr);
	return rc;
}

static int next_id(struct store *s, enum sql_id of_table, const char *key, int64_t *ret,
	struct mt_error *reterr)
{
	sqlite3_stmt *stmt = db_stmt(&s->db, of_table, reterr);
	int64_t newest = 0, saved = 0;
	int rc;

	if (!stmt)
		return (int)reterr->code;
	rc = db_int(&s->db, stmt, 0, &newest, reterr);
	if (rc == 0)
		rc = meta_get_int(s, key, 1, &saved, reterr);
	*ret = newest + 1 > saved ? newest + 1 : saved;
	return rc;
}

static int load_providers(struct store *s, struct mt_error *reterr)
{
	for (size_t i = 0; i < s->nproviders; i++) {
		struct provider_state *p = &s->providers[i];
		struct saved_provider saved = {0};
		sqlite3_stmt *stmt = NULL;
		int rc = get(s, p->id, "log", &stmt, reterr);

		if (rc < 0)
			return rc;
		if (rc > 0) {
			struct str value = column_str(stmt, 0);

			if (value.n == sizeof(saved))
				memcpy(&saved, value.p, sizeof(saved));
			sqlite3_reset(stmt);
		}
		p->newest_ms = saved.newest_ms;
		p->depth_minute_ms = saved.newest_ms - saved.newest_ms % 60000;
		p->last_age_hour = saved.last_age_hour;
		p->last_offset = saved.last_offset;
		p->has_offset = saved.has_offset;
		p->warned_line = saved.warned_line;
	}
	return 0;
}

static int load_shared(struct store *s, struct mt_error *reterr)
{
	sqlite3_stmt *stmt = NULL;
	int rc = get(s, STATE_ALL, "sessions", &stmt, reterr);

	sessions_done(&s->sessions);
	memset(s->piped, 0, sizeof(s->piped));
	s->piped_at = 0;
	if (rc > 0) {
		rc = sessions_load(&s->sessions, column_str(stmt, 0));
		sqlite3_reset(stmt);
		if (rc < 0)
			return mt_error_set(
				reterr, MT_ECORRUPT, "cache: the saved session table is damaged");
	}
	if (rc == 0)
		rc = get(s, STATE_ALL, "piped", &stmt, reterr);
	if (rc > 0) {
		struct str value = column_str(stmt, 0);

		if (value.n == sizeof(s->piped_at) + sizeof(s->piped)) {
			memcpy(&s->piped_at, value.p, sizeof(s->piped_at));
			memcpy(s->piped, value.p + sizeof(s->piped_at), sizeof(s->piped));
			s->piped_at %= PIPED_MAX;
		}
		sqlite3_reset(stmt);
		rc = 0;
	}
	if (rc == 0)
		rc = get(s, STATE_ALL, "tries", &stmt, reterr);
	mx_load(s, rc > 0 ? column_str(stmt, 0) : STR_LIT(""));
	if (rc > 0)
		sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

int state_load(struct store *s, struct mt_error *reterr)
{
	int rc = next_id(s, SQL_MESSAGE_MAX, "next_message", &s->next_message, reterr);

	if (rc == 0)
		rc = next_id(s, SQL_ATTEMPT_MAX, "next_attempt", &s->next_attempt, reterr);
	if (rc == 0)
		rc = next_id(s, SQL_REJECT_MAX, "next_reject", &s->next_reject, reterr);
	if (rc == 0)
		rc = load_providers(s, reterr);
	if (rc == 0)
		rc = load_shared(s, reterr);
	return rc;
}
