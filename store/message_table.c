/* SPDX-License-Identifier: MIT */
/* message_table - the virtual table over the blocks; see message_table.h. */
#include "store/message_table.h"

#include "store/db.h"

#include <stdlib.h>

#define TEXT_MAX_BYTES (1u << 20)
#define RANGE_ROWS 1e6 /* the planner's guess */

enum { WALK_UP, WALK_DOWN, WALK__COUNT };
static const char *const walk_sql[WALK__COUNT] = {
	[WALK_UP] = "SELECT id, body FROM message_block WHERE id>=?1 AND id<=?2 ORDER BY id",
	[WALK_DOWN] = "SELECT id, body FROM message_block WHERE id>=?1 AND id<=?2 ORDER BY id DESC",
};

struct table {
	sqlite3_vtab base; /* first: SQLite knows only it */
	struct message_blocks blocks;
	sqlite3_stmt *spare[WALK__COUNT]; /* not in use by a cursor; owned */
};

struct walker {
	sqlite3_vtab_cursor base; /* first */
	sqlite3_stmt *walk; /* owned while at rest in no table */
	int direction;
	int64_t low, high;
	int at; /* row of block */
	bool end;
	struct buf text;
	struct message_block block;
};

/* What xBestIndex tells xFilter: the bounds given, in this order, and the direction. */
enum { PLAN_EQ = 1, PLAN_LOW = 2, PLAN_HIGH = 4, PLAN_DOWN = 8 };

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
	sqlite3_vtab **ret, char **ret_error)
{
#define MESSAGE_SQL(name, sql, packing) sql ","
	static const char declaration[] =
		"CREATE TABLE x(" MESSAGE_COLUMN_LIST(MESSAGE_SQL) " unused HIDDEN)";
#undef MESSAGE_SQL
	struct table *t;
	int rc;

	(void)aux;
	(void)argc;
	(void)argv;
	(void)ret_error;
	rc = sqlite3_declare_vtab(db, declaration);
	if (rc != SQLITE_OK)
		return rc;
	t = sqlite3_malloc64(sizeof(*t));
	if (!t)
		return SQLITE_NOMEM;
	memset(t, 0, sizeof(*t));
	message_blocks_init(&t->blocks, db);
	*ret = &t->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *base)
{
	struct table *t = (struct table *)base;

	message_blocks_done(&t->blocks);
	for (int i = 0; i < WALK__COUNT; i++)
		sqlite3_finalize(t->spare[i]);
	sqlite3_free(t);
	return SQLITE_OK;
}

static int bound_of(unsigned char op)
{
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return PLAN_EQ;
	case SQLITE_INDEX_CONSTRAINT_GT:
	case SQLITE_INDEX_CONSTRAINT_GE:
		return PLAN_LOW;
	case SQLITE_INDEX_CONSTRAINT_LT:
	case SQLITE_INDEX_CONSTRAINT_LE:
		return PLAN_HIGH;
	default:
		return 0;
	}
}

static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	int found[PLAN_HIGH + 1] = {0}; /* constraint number + 1, by bound */
	int next = 1;

	(void)base;
	for (int i = 0; i < info->nConstraint; i++) {
		int bound = bound_of(info->aConstraint[i].op);

		if (info->aConstraint[i].usable && bound &&
			(info->aConstraint[i].iColumn == CELL_ID ||
				info->aConstraint[i].iColumn < 0))
			found[bound] = i + 1;
	}
	for (int bound = PLAN_EQ; bound <= PLAN_HIGH; bound *= 2)
		if (found[bound]) {
			info->aConstraintUsage[found[bound] - 1].argvIndex = next++;
			info->idxNum |= bound;
		}
	if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn <= CELL_ID) {
		info->orderByConsumed = 1;
		if (info->aOrderBy[0].desc && !(info->idxNum & PLAN_EQ))
			info->idxNum |= PLAN_DOWN;
	}
	info->estimatedRows = (int64_t)RANGE_ROWS;
	info->estimatedCost = RANGE_ROWS;
	if (info->idxNum & PLAN_EQ) {
		info->estimatedRows = 1;
		info->estimatedCost = 10;
		info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
	} else if (info->idxNum & (PLAN_LOW | PLAN_HIGH)) {
		info->estimatedRows /= 4;
		info->estimatedCost /= 4;
	}
	return SQLITE_OK;
}

static int table_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	struct walker *w = sqlite3_malloc64(sizeof(*w));

	(void)base;
	if (!w)
		return SQLITE_NOMEM;
	memset(w, 0, offsetof(struct walker, block));
	w->block.present = 0;
	w->end = true;
	buf_init(&w->text, TEXT_MAX_BYTES);
	*ret = &w->base;
	return SQLITE_OK;
}

/* A walk's statement goes back to the table for the next cursor. */
static void rest(struct walker *w)
{
	struct table *t = (struct table *)w->base.pVtab;

	if (!w->walk)
		return;
	sqlite3_reset(w->walk);
	if (t->spare[w->direction])
		sqlite3_finalize(w->walk);
	else
		t->spare[w->direction] = w->walk;
	w->walk = NULL;
}

static int table_close(sqlite3_vtab_cursor *cursor)
{
	struct walker *w = (struct walker *)cursor;

	rest(w);
	buf_done(&w->text);
	sqlite3_free(w);
	return SQLITE_OK;
}

/* The next row that is there, of this block or the following ones. */
static int advance(struct walker *w)
{
	const int step = w->direction == WALK_UP ? 1 : -1;

	for (;;) {
		int rc;

		for (w->at += step; w->at >= 0 && w->at < MESSAGE_BLOCK_IDS; w->at += step) {
			int64_t id = w->block.id * MESSAGE_BLOCK_IDS + w->at;

			if (w->block.present >> w->at & 1 && id >= w->low && id <= w->high)
				return SQLITE_OK;
		}
		rc = sqlite3_step(w->walk);
		if (rc != SQLITE_ROW) {
			w->end = true;
			return rc == SQLITE_DONE ? SQLITE_OK : rc;
		}
		if (message_block_decode(column_str(w->walk, 1), sqlite3_column_int64(w->walk, 0),
			    &w->block) < 0)
			return SQLITE_CORRUPT_VTAB;
		w->at = w->direction == WALK_UP ? -1 : MESSAGE_BLOCK_IDS;
	}
}

static int64_t block_of(int64_t id)
{
	return id >= 0 ? id / MESSAGE_BLOCK_IDS : (id + 1) / MESSAGE_BLOCK_IDS - 1;
}

static int table_filter(
	sqlite3_vtab_cursor *cursor, int plan, const char *ignored, int argc, sqlite3_value **argv)
{
	struct walker *w = (struct walker *)cursor;
	struct table *t = (struct table *)cursor->pVtab;
	int rc, at = 0;

	(void)ignored;
	rest(w);
	w->low = INT64_MIN;
	w->high = INT64_MAX;
	w->end = true;
	/* a bound that is no whole number is taken wide: SQLite looks at each row again */
	for (int bound = PLAN_EQ; bound <= PLAN_HIGH && at < argc; bound *= 2) {
		int64_t value;

		if (!(plan & bound))
			continue;
		if (sqlite3_value_type(argv[at]) == SQLITE_NULL)
			return SQLITE_OK;
		value = sqlite3_value_int64(argv[at++]);
		if (bound != PLAN_HIGH && value > w->low)
			w->low = value;
		if (bound != PLAN_LOW && value < w->high)
			w->high = value;
	}
	w->direction = plan & PLAN_DOWN ? WALK_DOWN : WALK_UP;
	w->walk = t->spare[w->direction];
	t->spare[w->direction] = NULL;
	rc = w->walk ? SQLITE_OK
		     : sqlite3_prepare_v3(t->blocks.db, walk_sql[w->direction], -1,
			       SQLITE_PREPARE_PERSISTENT, &w->walk, NULL);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(w->walk, 1, block_of(w->low));
	sqlite3_bind_int64(w->walk, 2, block_of(w->high));
	w->end = false;
	w->block.present = 0;
	w->at = MESSAGE_BLOCK_IDS;
	if (w->direction == WALK_DOWN)
		w->at = -1;
	return advance(w);
}

static int table_next(sqlite3_vtab_cursor *cursor)
{
	return advance((struct walker *)cursor);
}

static int table_eof(sqlite3_vtab_cursor *cursor)
{
	return ((struct walker *)cursor)->end;
}

static int table_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int column)
{
	struct walker *w = (struct walker *)cursor;
	const struct cell *c = &w->block.row[w->at][column];

	if (column >= CELL__COUNT)
		return SQLITE_OK; /* the hidden one that ends the list */
	switch ((enum cell_form)c->form) {
	case CELL_FORM_NUMBER:
		sqlite3_result_int64(out, c->number);
		break;
	case CELL_FORM_TEXT:
	case CELL_FORM_PACKED:
		if (cell_read_text(c, &w->text) < 0)
			return SQLITE_NOMEM;
		sqlite3_result_text64(
			out, buf_z(&w->text), w->text.n, SQLITE_TRANSIENT, SQLITE_UTF8);
		break;
	case CELL_FORM_ABSENT:
		break;
	}
	return SQLITE_OK;
}

static int table_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret)
{
	struct walker *w = (struct walker *)cursor;

	*ret = w->block.id * MESSAGE_BLOCK_IDS + w->at;
	return SQLITE_OK;
}

/* Cells of a row given as SQL values, which outlive it. */
static int cells_of(sqlite3_value **values, struct cell *row)
{
	for (int column = 0; column < CELL__COUNT; column++) {
		switch (sqlite3_value_type(values[column])) {
		case SQLITE_NULL:
			row[column] = (struct cell){0};
			break;
		case SQLITE_INTEGER:
			cell_set_number(&row[column], sqlite3_value_int64(values[column]));
			break;
		case SQLITE_TEXT: {
			const char *p = sqlite3_value_blob(values[column]);
			size_t n = (size_t)sqlite3_value_bytes(values[column]);

			cell_set_text(&row[column], (struct str){p ? p : "", n});
			break;
		}
		default:
			return SQLITE_CONSTRAINT_VTAB;
		}
	}
	return row[CELL_T].form == CELL_FORM_NUMBER && row[CELL_QID].form == CELL_FORM_TEXT
		       ? SQLITE_OK
		       : SQLITE_CONSTRAINT_VTAB;
}

/* INSERT, UPDATE (the id stays), DELETE; see sqlite3_module.xUpdate. */
static int table_update(
	sqlite3_vtab *base, int argc, sqlite3_value **argv, sqlite3_int64 *ret_rowid)
{
	struct message_blocks *b = &((struct table *)base)->blocks;
	bool insert = sqlite3_value_type(argv[0]) == SQLITE_NULL, remove = argc == 1;
	int64_t id = sqlite3_value_int64(insert ? argv[2] : argv[0]);
	struct cell after[CELL__COUNT], before[CELL__COUNT];
	struct message_block *block;
	uint32_t bit = UINT32_C(1) << (id & (MESSAGE_BLOCK_IDS - 1));
	int rc;

	if (id < 0 || (!remove && (sqlite3_value_type(argv[2]) != SQLITE_INTEGER ||
					  sqlite3_value_int64(argv[2]) != id)))
		return SQLITE_CONSTRAINT_VTAB;
	block = malloc(sizeof(*block));
	if (!block)
		return SQLITE_NOMEM;
	rc = message_blocks_get(b, block_of(id), block);
	if (rc == SQLITE_OK && (insert == ((block->present & bit) != 0)))
		rc = SQLITE_CONSTRAINT_VTAB;
	if (rc == SQLITE_OK && !remove)
		rc = cells_of(argv + 2, after);
	if (rc == SQLITE_OK) {
		struct cell *row = block->row[id & (MESSAGE_BLOCK_IDS - 1)];

		memcpy(before, row, sizeof(before));
		if (!remove)
			memcpy(row, after, sizeof(after));
		block->present = remove ? block->present & ~bit : block->present | bit;
		rc = message_blocks_put(b, block);
		if (rc == SQLITE_OK)
			rc = message_blocks_index(b, insert ? NULL : before, remove ? NULL : after);
	}
	free(block);
	*ret_rowid = id;
	return rc;
}

int message_table_register(sqlite3 *db, struct mt_error *reterr)
{
	static const sqlite3_module module = {.iVersion = 1,
		.xConnect = table_connect,
		.xBestIndex = table_best_index,
		.xDisconnect = table_disconnect,
		.xOpen = table_open,
		.xClose = table_close,
		.xFilter = table_filter,
		.xNext = table_next,
		.xEof = table_eof,
		.xColumn = table_column,
		.xRowid = table_rowid,
		.xUpdate = table_update};

	if (sqlite3_create_module_v2(db, "message", &module, NULL, NULL) != SQLITE_OK)
		return db_error(db, "cannot be prepared", reterr);
	return 0;
}
