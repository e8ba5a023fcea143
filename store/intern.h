/* SPDX-License-Identifier: MIT */
/*
 * intern - the dictionary (table dict) behind a bounded cache: text -> id.
 *
 * New texts get their id at once and their row with the next transaction (intern_flush); until then
 * they are pinned in the cache. Past the bound, entries not used lately go (clock), so a million
 * domains cost disk, not memory.
 */
#ifndef MT_STORE_INTERN_H
#define MT_STORE_INTERN_H

#include "store/db.h"
#include "store/vocab.h"

#define DICT_TEXT_MAX_BYTES 8192 /* the log reader's longest line; longer texts are cut */

struct intern_entry;

struct intern {
	struct intern_entry **bucket; /* hash heads */
	uint32_t nbuckets; /* power of two */
	struct intern_entry **ring; /* all entries, for the clock hand */
	uint32_t n, max, hand;
	size_t text_bytes; /* of all entries */
	struct intern_entry **fresh; /* not in the database yet; in order of id */
	uint32_t nfresh, fresh_cap;
	struct intern_entry **stale; /* in it, with an old seen_day */
	uint32_t nstale, stale_cap;
	struct intern_entry *last[DICT__COUNT];
	uint64_t seed;
	int64_t next_id;
	bool complete; /* every row of the table is in the cache: a miss is new */
};

/* intern_load - empty the cache and read next_id and, when they fit, all rows. max_entries bounds it. */
int intern_load(struct intern *in, struct db *db, uint32_t max_entries,
	struct mt_error *reterr) MT_MUST_CHECK;
void intern_done(struct intern *in);

/* intern_id - id of a text, > 0; 0 for an absent or empty text. day: UTC day number of the event.
 * Fails only when the database can't be read. */
int intern_id(struct intern *in, struct db *db, enum dict_kind kind, struct str text, int32_t day,
	int32_t *ret, struct mt_error *reterr) MT_MUST_CHECK;

/* intern_note - a figure of the caller's beside the text just interned: 0 when it is new, or seen again after days.
 * Valid until the next intern_id; NULL when the text is not in the cache. */
int32_t *intern_note(struct intern *in, enum dict_kind kind, int32_t id);

/* intern_write - the rows of new texts; within the caller's transaction. May be repeated. */
int intern_write(struct intern *in, struct db *db, struct mt_error *reterr) MT_MUST_CHECK;
/* intern_written - that transaction is committed. */
void intern_written(struct intern *in);

/* intern_hand_over - the rows intern_write would write are to's affair (it must have none): intern_write and
 * intern_written work with it, while from goes on. intern_take_back - they are from's again. */
void intern_hand_over(struct intern *from, struct intern *to);
void intern_take_back(struct intern *from, struct intern *to);

/* intern_hash - 64-bit hash of bytes. Equal for equal bytes on every run with one seed. */
uint64_t intern_hash(struct str text, uint64_t seed);

#endif
