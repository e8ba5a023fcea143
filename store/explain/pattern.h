/* SPDX-License-Identifier: MIT */
/*
 * pattern - many phrases looked for at once in a text (Aho-Corasick), after both were made alike.
 *
 * Alike: ASCII lower case; apostrophes gone; what is neither letter, digit nor a dot within a word is one space; codes
 * of the reply, host names before an [ip], and addresses (to "@") are left out. Time: in proportion to the text's
 * length and the longest phrase's, whatever the text holds; memory: a bounded table.
 */
#ifndef MT_STORE_EXPLAIN_PATTERN_H
#define MT_STORE_EXPLAIN_PATTERN_H

#include "store/base/err.h"
#include "store/base/str.h"

#include <stdint.h>

#define FOLD_MAX_BYTES                                                                             \
	8192 /* DICT_TEXT_MAX_BYTES: no reply in the cache is longer; what follows is not looked at */
#define PIECE_MAX_BYTES 120
#define PIECES_MAX 8192
#define STATES_MAX 60000

struct piece { /* one literal, folded */
	struct str text; /* borrowed */
	bool word_start, word_end; /* must begin, end at the edge of a word */
};

/* Which pieces are in a text. */
struct piece_hits {
	uint64_t set[PIECES_MAX / 64];
	uint16_t list[PIECES_MAX]; /* in order of finding */
	uint16_t end[PIECES_MAX]; /* of those: where the first occurrence ends */
	size_t n;
};

struct automaton;

/* fold - make text alike; out has FOLD_MAX_BYTES. code: basic code to leave out wherever it stands as a word, 0 none.
 * pattern: a phrase of a rule; nothing is left out of it. Returns the length. */
size_t fold(struct str text, int32_t code, bool pattern, char *out);

/* automaton_new - pieces are borrowed and must outlive it. MT_ELIMIT: too many bytes of phrases. Gives. */
int automaton_new(const struct piece *pieces, size_t n, struct automaton **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
void automaton_free(struct automaton *a);
/* automaton_find - which pieces are in a folded text. */
void automaton_find(const struct automaton *a, struct str folded, struct piece_hits *out);
/* piece_find - end of the first occurrence of a piece at or after from, or 0 when there is none. */
size_t piece_find(const struct piece *piece, struct str folded, size_t from);

#endif
