/* SPDX-License-Identifier: MIT */
/* Messages in packed blocks: what goes in comes out, and table `message` behaves like a table of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/base/mem.h"
#include "store/message_table.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 400
#define STEPS 3000
#define IDS 200 /* of the table under test: several blocks */
#define BODY_MAX_BYTES (1u << 20)

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static const char *const alphabets[] = {"0123456789ABCDEF", "0123456789abcdef",
	"0123456789.-:+_\x1a",
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.\x1a", "a@=% /"};
#define NALPHABETS (sizeof(alphabets) / sizeof(alphabets[0]))

static size_t random_text(uint64_t *random, char *to, size_t max)
{
	const char *alphabet = alphabets[next_random(random) % NALPHABETS];
	size_t n = next_random(random) % max;

	for (size_t i = 0; i < n; i++)
		to[i] = alphabet[next_random(random) % strlen(alphabet)];
	return n;
}

static void texts_come_back(void **state)
{
	uint64_t random = 1;
	char text[64], back[64];
	unsigned char packed[64];

	(void)state;
	for (int round = 0; round < 50 * ROUNDS; round++) {
		size_t n = random_text(&random, text, sizeof(text));
		struct str whole = {text, n};
		enum text_form form = textpack_form(whole);

		assert_true(textpack_bytes(form, n) <= n);
		textpack_put(form, whole, packed);
		textpack_get(form, packed, n, back);
		assert_memory_equal(text, back, n);
	}
	for (int c = 0; c < 256; c++) { /* every byte, in a text long enough to be packed */
		memset(text, c, 9);
		textpack_put(textpack_form((struct str){text, 9}), (struct str){text, 9}, packed);
		textpack_get(textpack_form((struct str){text, 9}), packed, 9, back);
		assert_memory_equal(text, back, 9);
	}
	assert_int_equal(textpack_form(STR_LIT("4FABC12345")), TEXT_HEX_UPPER);
	assert_int_equal(textpack_bytes(TEXT_HEX_UPPER, 11), 6);
	assert_int_equal(textpack_bytes(TEXT_SIX_BITS, 5), 4);
}

static bool is_text(int column)
{
	return column == CELL_QID || column == CELL_FROM_LOCAL || column == CELL_MID_LOCAL ||
	       column == CELL_A_RCPT || column == CELL_A_ORIG || column == CELL_A_ARGS;
}

/* A row like those of a log: some cells absent, most numbers small. texts: room for them. */
static void random_row(uint64_t *random, struct cell *row, char (*texts)[64])
{
	for (int column = 0; column < CELL__COUNT; column++) {
		unsigned bits =
			(unsigned)(next_random(random) % (next_random(random) % 8 ? 12 : 61));

		row[column] = (struct cell){0};
		if (next_random(random) % 5 == 0 && column != CELL_T && column != CELL_QID)
			continue;
		if (is_text(column))
			cell_set_text(&row[column],
				(struct str){texts[column],
					random_text(random, texts[column], sizeof(texts[0]))});
		else
			cell_set_number(&row[column],
				(int64_t)(next_random(random) & ((UINT64_C(1) << bits) - 1)));
	}
	if (next_random(random) % 4 == 0)
		cell_set_number(&row[CELL_A_MS], -(int64_t)(next_random(random) % 100000));
}

static void equal_cells(
	const struct cell *a, const struct cell *b, struct buf *left, struct buf *right)
{
	for (int column = 1; column < CELL__COUNT; column++) {
		assert_int_equal(
			a[column].form == CELL_FORM_ABSENT, b[column].form == CELL_FORM_ABSENT);
		assert_int_equal(
			a[column].form == CELL_FORM_NUMBER, b[column].form == CELL_FORM_NUMBER);
		if (a[column].form == CELL_FORM_NUMBER)
			assert_int_equal(a[column].number, b[column].number);
		if (a[column].form == CELL_FORM_ABSENT || a[column].form == CELL_FORM_NUMBER)
			continue;
		assert_int_equal(cell_read_text(&a[column], left), 0);
		assert_int_equal(cell_read_text(&b[column], right), 0);
		assert_true(str_eq(buf_str(left), buf_str(right)));
	}
}

static void blocks_come_back(void **state)
{
	struct message_block *in = xcalloc(1, sizeof(*in)), *out = xcalloc(1, sizeof(*out));
	char(*texts)[CELL__COUNT][64] = xcalloc(MESSAGE_BLOCK_IDS, sizeof(*texts));
	struct buf body, again, left, right;
	uint64_t random = 2;

	(void)state;
	buf_init(&body, BODY_MAX_BYTES);
	buf_init(&again, BODY_MAX_BYTES);
	buf_init(&left, BODY_MAX_BYTES);
	buf_init(&right, BODY_MAX_BYTES);
	for (int round = 0; round < ROUNDS; round++) {
		in->id = round;
		in->present =
			(uint32_t)(next_random(&random) | (round % 3 ? 0 : next_random(&random)));
		for (int i = 0; i < MESSAGE_BLOCK_IDS; i++)
			random_row(&random, in->row[i], texts[i]);
		buf_clear(&body);
		assert_int_equal(message_block_encode(in, &body), 0);
		assert_int_equal(message_block_decode(buf_str(&body), round, out), 0);
		assert_int_equal(out->present, in->present);
		for (int i = 0; i < MESSAGE_BLOCK_IDS; i++)
			if (in->present >> i & 1) {
				equal_cells(in->row[i], out->row[i], &left, &right);
				assert_int_equal(
					out->row[i][CELL_ID].number, round * MESSAGE_BLOCK_IDS + i);
			}
		buf_clear(&again);
		assert_int_equal(message_block_encode(out, &again), 0);
		assert_true(str_eq(buf_str(&body), buf_str(&again)));
		/* cut short it is refused; with any byte changed it does no harm */
		for (size_t n = 0; n < body.n; n += 1 + n / 16)
			assert_int_equal(message_block_decode(str_first(buf_str(&body), n), 1, out),
				MT_ECORRUPT);
		for (int k = 0; k < 20; k++) {
			body.p[next_random(&random) % body.n] ^=
				(char)(1 << next_random(&random) % 8);
			if (message_block_decode(buf_str(&body), 1, out) == 0) {
				buf_clear(&again);
				(void)!message_block_encode(out, &again);
			}
		}
	}
	in->present = 1;
	cell_set_number(&in->row[0][CELL_SIZE], -5);
	assert_int_equal(message_block_encode(in, &again), MT_EINVAL);
	buf_done(&body);
	buf_done(&again);
	buf_done(&left);
	buf_done(&right);
	free(texts);
	free(in);
	free(out);
}

static void exec(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(db), sql);
}

/* All rows of a query as text. */
static void dump(sqlite3 *db, const char *sql, struct buf *out)
{
	sqlite3_stmt *stmt = NULL;

	buf_clear(out);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(db), sql);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *text = (const char *)sqlite3_column_text(stmt, i);

			buf_printf(out, "%d:%s%s", sqlite3_column_type(stmt, i), text ? text : "",
				i + 1 < sqlite3_column_count(stmt) ? "|" : "\n");
		}
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

/* sql with every @ replaced by a table's name. Gives. */
static char *of_table(const char *sql, const char *table)
{
	struct buf out;

	buf_init(&out, 4096);
	for (; *sql; sql++)
		if (*sql == '@')
			buf_add_z(&out, table);
		else
			buf_add_char(&out, *sql);
	return buf_take(&out);
}

/* The same query of table message and of the model. */
static void same(sqlite3 *db, const char *query)
{
	struct buf left, right;
	char *message = of_table(query, "message"), *model = of_table(query, "model");

	buf_init(&left, 64u << 20);
	buf_init(&right, 64u << 20);
	dump(db, message, &left);
	dump(db, model, &right);
	if (!str_eq(buf_str(&left), buf_str(&right)))
		fail_msg("%s\n%.600s\n--\n%.600s", message, buf_z(&left), buf_z(&right));
	buf_done(&left);
	buf_done(&right);
	free(message);
	free(model);
}

static void change(sqlite3 *db, uint64_t *random)
{
	static const char *const forms[] = {
		"INSERT INTO @(id, provider, t_ms, flags, qid, from_local, parent, nsent, nbounced,"
		" ndeferred) SELECT ?1, 1, 1000+?2, 1, 'Q'||?2, 'l'||?2, nullif(?3, 0), 0, 0, 0"
		" WHERE NOT EXISTS (SELECT 1 FROM @ WHERE id=?1)",
		"UPDATE @ SET end_ms=?2, flags=?3 WHERE id=?1",
		"UPDATE @ SET a_ms=-?2, a_rcpt='r-'||?2, a_dom=?3, parent=NULL WHERE id=?1",
		"UPDATE @ SET nsent=nsent+1 WHERE id>?1 AND id<=?1+40 AND end_ms IS NULL",
		"DELETE FROM @ WHERE id=?1",
		("DELETE FROM @ WHERE id IN (SELECT id FROM @ WHERE t_ms<?2+990 ORDER BY id LIMIT "
		 "3)"),
	};
	const int64_t values[] = {(int64_t)(next_random(random) % IDS),
		(int64_t)(next_random(random) % 100), (int64_t)(next_random(random) % IDS)};
	const char *form = forms[next_random(random) % (sizeof(forms) / sizeof(forms[0]))];

	for (int i = 0; i < 2; i++) {
		char *sql = of_table(form, i ? "model" : "message");
		sqlite3_stmt *stmt = NULL;

		if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
			fail_msg("%s: %s", sqlite3_errmsg(db), sql);
		for (int k = 0; k < 3; k++)
			sqlite3_bind_int64(stmt, k + 1, values[k]);
		if (sqlite3_step(stmt) != SQLITE_DONE)
			fail_msg("%s: %s", sqlite3_errmsg(db), sql);
		sqlite3_finalize(stmt);
		free(sql);
	}
}

static void behaves_like_a_table(void **state)
{
	sqlite3 *db;
	uint64_t random = 3;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(message_table_register(db, NULL), 0);
	exec(db, "CREATE TABLE message_block(id INTEGER PRIMARY KEY, body BLOB NOT NULL);"
		 "CREATE TABLE message_open(provider, qid, id, PRIMARY KEY(provider, qid, id)) "
		 "WITHOUT ROWID;"
		 "CREATE TABLE message_child(parent, id, PRIMARY KEY(parent, id)) WITHOUT ROWID;"
		 "CREATE TABLE model AS SELECT * FROM message");
	for (int step = 0; step < STEPS; step++) {
		change(db, &random);
		if (step % 50)
			continue;
		same(db, "SELECT * FROM @ ORDER BY id");
		same(db, "SELECT * FROM @ ORDER BY id DESC");
		same(db, "SELECT id, qid FROM @ WHERE id>=31 AND id<97 ORDER BY id DESC LIMIT 20");
		same(db, "SELECT id FROM @ WHERE id>63.5 AND id<=128.5 ORDER BY id");
		same(db, "SELECT id FROM @ WHERE id<-1 OR id=NULL OR id>9223372036854775806");
		same(db, "SELECT count(*), sum(nsent), max(id) FROM @ WHERE id BETWEEN 10 AND 150");
		same(db, "SELECT id FROM @ WHERE id IN (5, 70, 6, 199) ORDER BY id DESC");
	}
	exec(db,
		"CREATE VIEW open_now AS SELECT provider, qid, id FROM model WHERE end_ms IS NULL");
	{
		struct buf out;

		buf_init(&out, 4096);
		dump(db,
			"SELECT count(*) FROM (SELECT * FROM message_open EXCEPT SELECT * FROM "
			"open_now)",
			&out);
		assert_string_equal(buf_z(&out), "1:0\n");
		dump(db,
			"SELECT count(*) FROM (SELECT * FROM open_now EXCEPT SELECT * FROM "
			"message_open)",
			&out);
		assert_string_equal(buf_z(&out), "1:0\n");
		dump(db,
			"SELECT count(*) FROM (SELECT * FROM message_child EXCEPT SELECT parent, "
			"id FROM model)",
			&out);
		assert_string_equal(buf_z(&out), "1:0\n");
		dump(db, "SELECT count(*)>0 FROM message", &out);
		assert_string_equal(buf_z(&out), "1:1\n");
		buf_done(&out);
	}
	assert_int_equal(
		sqlite3_exec(db, "INSERT INTO message(id, t_ms) VALUES(900, 1)", NULL, NULL, NULL),
		SQLITE_CONSTRAINT); /* no queue id */
	assert_int_equal(sqlite3_exec(db, "UPDATE message SET id=id+1000", NULL, NULL, NULL),
		SQLITE_CONSTRAINT);
	exec(db, "UPDATE message_block SET body=x'0101'");
	assert_int_equal(
		sqlite3_exec(db, "SELECT * FROM message", NULL, NULL, NULL), SQLITE_CORRUPT);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(blocks_come_back),
		cmocka_unit_test(behaves_like_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
