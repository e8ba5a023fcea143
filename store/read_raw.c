/* SPDX-License-Identifier: MIT */
/* read_raw - columns of attempt and reject into structs; see read_rows.h. Filters nothing. */
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
