/* SPDX-License-Identifier: MIT */
/* read_raw - columns of message, attempt and reject into structs; see read_rows.h. Filters nothing. */
#include "store/read_rows.h"

static int32_t small(sqlite3_stmt *stmt, int at)
{
	return sqlite3_column_type(stmt, at) == SQLITE_NULL ? EVENT_UNKNOWN
							    : sqlite3_column_int(stmt, at);
}

/* A stage, status ... a newer mtatop may have written is not ours to show as something else. */
static int in_enum(sqlite3_stmt *stmt, int at, int count, int other)
{
	int64_t value = rd_id(stmt, at);

	return value >= 0 && value < count ? (int)value : other;
}

void raw_attempt_read(sqlite3_stmt *stmt, struct raw_attempt *out)
{
	*out = (struct raw_attempt){.id = rd_id(stmt, ATTEMPT_ID),
		.message = rd_id(stmt, ATTEMPT_MESSAGE),
		.provider = (int)rd_id(stmt, ATTEMPT_PROVIDER),
		.t_ms = rd_id(stmt, ATTEMPT_T),
		.status = (enum event_status)in_enum(
			stmt, ATTEMPT_STATUS, STATUS__COUNT, STATUS_OTHER),
		.rcpt = rd_str(stmt, 5),
		.dom = rd_id(stmt, 6),
		.orig = rd_str(stmt, 7),
		.relay = rd_id(stmt, 8),
		.egress = rd_id(stmt, 9),
		.dsn = (int32_t)rd_id(stmt, 15),
		.code = small(stmt, 16),
		.stage = (enum smtp_stage)in_enum(stmt, 17, STAGE__COUNT, STAGE_OTHER),
		.reply = rd_id(stmt, 18),
		.args = rd_str(stmt, 19),
		.tls = rd_id(stmt, 20),
		.run = small(stmt, 21),
		.handed_over = rd_id(stmt, 22) & 1};
	for (int i = 0; i < DELAY__COUNT; i++)
		out->delay_cs[i] = rd_num(stmt, 10 + i);
}

static void raw_inline_read(
	sqlite3_stmt *stmt, const struct raw_message *m, struct raw_attempt *out)
{
	*out = (struct raw_attempt){.message = m->id,
		.provider = m->provider,
		.t_ms = m->t_ms + rd_id(stmt, MESSAGE_A_MS),
		.status = STATUS_SENT,
		.rcpt = rd_str(stmt, 22),
		.dom = rd_id(stmt, 23),
		.orig = rd_str(stmt, 24),
		.relay = rd_id(stmt, 25),
		.egress = rd_id(stmt, 26),
		.dsn = (int32_t)rd_id(stmt, 32),
		.code = small(stmt, 33),
		.reply = rd_id(stmt, 34),
		.args = rd_str(stmt, 35),
		.tls = rd_id(stmt, 36),
		.run = 1,
		.handed_over = rd_id(stmt, 37) & 1};
	for (int i = 0; i < DELAY__COUNT; i++)
		out->delay_cs[i] = rd_num(stmt, 27 + i);
}

void raw_message_read(sqlite3_stmt *stmt, struct raw_message *out)
{
	*out = (struct raw_message){.id = rd_id(stmt, MESSAGE_ID),
		.provider = (int)rd_id(stmt, MESSAGE_PROVIDER),
		.t_ms = rd_id(stmt, MESSAGE_T),
		.end_ms = rd_num(stmt, 3),
		.flags = (unsigned)rd_id(stmt, 4),
		.qid = rd_str(stmt, 5),
		.host = rd_id(stmt, 6),
		.service = rd_id(stmt, 7),
		.client = rd_id(stmt, 8),
		.user = rd_id(stmt, 9),
		.from_local = rd_str(stmt, 10),
		.from_dom = rd_id(stmt, 11),
		.size_bytes = rd_num(stmt, 12),
		.nrcpt = rd_num(stmt, 13),
		.runs = rd_num(stmt, 14),
		.nsent = rd_id(stmt, 15),
		.nbounced = rd_id(stmt, 16),
		.ndeferred = rd_id(stmt, 17),
		.mid_local = rd_str(stmt, 18),
		.mid_dom = rd_id(stmt, 19),
		.parent = rd_id(stmt, 20),
		.has_inline = sqlite3_column_type(stmt, MESSAGE_A_MS) != SQLITE_NULL};
	if (out->has_inline)
		raw_inline_read(stmt, out, &out->first);
}

void raw_reject_read(sqlite3_stmt *stmt, struct raw_reject *out)
{
	*out = (struct raw_reject){.id = rd_id(stmt, 0),
		.provider = (int)rd_id(stmt, 1),
		.t_ms = rd_id(stmt, 2),
		.action = (enum reject_action)in_enum(stmt, 3, REJECT__COUNT, REJECT_OTHER),
		.word = rd_str(stmt, 4),
		.service = rd_id(stmt, 5),
		.client = rd_id(stmt, 6),
		.qid = rd_str(stmt, 7),
		.stage = (enum smtp_stage)in_enum(stmt, 8, STAGE__COUNT, STAGE_OTHER),
		.code = small(stmt, 9),
		.dsn = (int32_t)rd_id(stmt, 10),
		.from = rd_str(stmt, 11),
		.rcpt = rd_str(stmt, 12),
		.dom = rd_id(stmt, 13),
		.helo = rd_str(stmt, 14),
		.reply = rd_id(stmt, 15),
		.args = rd_str(stmt, 16)};
}

int raw_message_get(struct reader *r, int64_t id, struct raw_message *out, sqlite3_stmt **ret_stmt,
	struct mt_error *reterr)
{
	int rc = rd_prepare(r, READ_MESSAGE_BY_ID, ret_stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(*ret_stmt, 1, id);
	rc = rd_step(r, *ret_stmt, reterr);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return mt_error_set(reterr, MT_ENOENT, "message %lld is not in the cache any more",
			(long long)id);
	raw_message_read(*ret_stmt, out);
	return 0;
}

int raw_owner_get(struct reader *r, int64_t id, struct raw_message *out, sqlite3_stmt **ret_stmt,
	struct mt_error *reterr)
{
	int rc = rd_prepare(r, READ_MESSAGE_OWNER, ret_stmt, reterr);

	if (rc < 0)
		return rc;
	rd_bind(*ret_stmt, 1, id);
	rc = rd_step(r, *ret_stmt, reterr);
	if (rc <= 0)
		return rc < 0 ? rc : MT_ENOENT;
	*out = (struct raw_message){.id = id,
		.provider = (int)rd_id(*ret_stmt, 0),
		.flags = (unsigned)rd_id(*ret_stmt, 1),
		.qid = rd_str(*ret_stmt, 2),
		.service = rd_id(*ret_stmt, 3),
		.client = rd_id(*ret_stmt, 4),
		.user = rd_id(*ret_stmt, 5),
		.from_local = rd_str(*ret_stmt, 6),
		.from_dom = rd_id(*ret_stmt, 7),
		.mid_local = rd_str(*ret_stmt, 8),
		.mid_dom = rd_id(*ret_stmt, 9)};
	return 0;
}
