/* SPDX-License-Identifier: MIT */
/*
 * message_block - MESSAGE_BLOCK_IDS messages of neighbouring ids as one value (table message_block, column body).
 *
 * A cell is a column of a row: absent, a whole number of 0 and up, or a text. Cells follow each other row by row;
 * times are steps from the row before, and what mostly repeats is stored only where it changes. 85 of 100 messages
 * are sent at the first try: with a row of its own each would cost twice the bytes and five times the time.
 * Knows nothing of SQL; message_table.h makes a table of it.
 */
#ifndef MT_STORE_MESSAGE_BLOCK_H
#define MT_STORE_MESSAGE_BLOCK_H

#include "store/base/buf.h"
#include "store/textpack.h"

#include <stdint.h>

#define MESSAGE_BLOCK_IDS 32

/*
 * The columns of a message, in their order on disk: X(name, SQL column and type, how it is packed).
 * KEY is the id. TIME: step from the row before. SPAN: step from the row's own TIME. SAME: stored when it differs
 * from the row before. FREE: always stored. STEP: so too, may be negative; the others may not.
 */
#define MESSAGE_COLUMN_LIST(X)                                                                     \
	X(ID, "id INTEGER", KEY)                                                                   \
	X(PROVIDER, "provider INTEGER", SAME)                                                      \
	X(T, "t_ms INTEGER", TIME)                                                                 \
	X(END, "end_ms INTEGER", SPAN)                                                             \
	X(FLAGS, "flags INTEGER", SAME)                                                            \
	X(QID, "qid TEXT", TEXT)                                                                   \
	X(HOST, "host INTEGER", SAME)                                                              \
	X(SERVICE, "service INTEGER", SAME)                                                        \
	X(CLIENT, "client INTEGER", FREE)                                                          \
	X(USER, "user INTEGER", FREE)                                                              \
	X(FROM_LOCAL, "from_local TEXT", TEXT)                                                     \
	X(FROM_DOM, "from_dom INTEGER", FREE)                                                      \
	X(SIZE, "size INTEGER", FREE)                                                              \
	X(NRCPT, "nrcpt INTEGER", SAME)                                                            \
	X(RUNS, "runs INTEGER", SAME)                                                              \
	X(NSENT, "nsent INTEGER", SAME)                                                            \
	X(NBOUNCED, "nbounced INTEGER", SAME)                                                      \
	X(NDEFERRED, "ndeferred INTEGER", SAME)                                                    \
	X(MID_LOCAL, "mid_local TEXT", TEXT)                                                       \
	X(MID_DOM, "mid_dom INTEGER", FREE)                                                        \
	X(PARENT, "parent INTEGER", SAME)                                                          \
	X(A_MS, "a_ms INTEGER", STEP)                                                              \
	X(A_RCPT, "a_rcpt TEXT", TEXT)                                                             \
	X(A_DOM, "a_dom INTEGER", FREE)                                                            \
	X(A_ORIG, "a_orig TEXT", TEXT)                                                             \
	X(A_RELAY, "a_relay INTEGER", FREE)                                                        \
	X(A_EGRESS, "a_egress INTEGER", SAME)                                                      \
	X(A_DELAY, "a_delay INTEGER", FREE)                                                        \
	X(A_A, "a_a INTEGER", FREE)                                                                \
	X(A_B, "a_b INTEGER", FREE)                                                                \
	X(A_C, "a_c INTEGER", FREE)                                                                \
	X(A_D, "a_d INTEGER", FREE)                                                                \
	X(A_DSN, "a_dsn INTEGER", SAME)                                                            \
	X(A_CODE, "a_code INTEGER", SAME)                                                          \
	X(A_REPLY, "a_reply INTEGER", FREE)                                                        \
	X(A_ARGS, "a_args TEXT", TEXT)                                                             \
	X(A_TLS, "a_tls INTEGER", SAME)                                                            \
	X(A_FLAGS, "a_flags INTEGER", SAME)

enum message_cell {
#define MESSAGE_CELL(name, sql, packing) CELL_##name,
	MESSAGE_COLUMN_LIST(MESSAGE_CELL)
#undef MESSAGE_CELL
		CELL__COUNT
};

enum cell_form { CELL_FORM_ABSENT, CELL_FORM_NUMBER, CELL_FORM_TEXT, CELL_FORM_PACKED };

struct cell {
	union {
		int64_t number;
		const void *p; /* borrowed: of the text, or of its packed form */
	};
	uint32_t n; /* characters */
	uint8_t form; /* enum cell_form */
	uint8_t packed; /* enum text_form, of CELL_FORM_PACKED */
};

struct message_block {
	int64_t id; /* of the block: message id / MESSAGE_BLOCK_IDS */
	uint32_t present; /* bit i: row i is there */
	struct
	{ /* of message_block_begin: rows below next are decoded, before is the last of them */
		const unsigned char *at, *end;
		int next, before;
	} rest;
	struct cell row[MESSAGE_BLOCK_IDS][CELL__COUNT];
};

/* cell_set_number - any. cell_set_known - absent below 0. cell_set_id - absent below 1. cell_set_text - borrows. */
static inline void cell_set_number(struct cell *c, int64_t number)
{
	*c = (struct cell){.number = number, .form = CELL_FORM_NUMBER};
}

static inline void cell_set_known(struct cell *c, int64_t number)
{
	*c = (struct cell){0};
	if (number >= 0)
		cell_set_number(c, number);
}

static inline void cell_set_id(struct cell *c, int64_t id)
{
	cell_set_known(c, id > 0 ? id : -1);
}

static inline void cell_set_text(struct cell *c, struct str text)
{
	*c = (struct cell){.p = text.p,
		.n = (uint32_t)text.n,
		.form = str_present(text) ? CELL_FORM_TEXT : CELL_FORM_ABSENT};
}

/* cell_read_text - the text of a cell into out (cleared). Returns 0 or the buffer's error. */
int cell_read_text(const struct cell *c, struct buf *out) MT_MUST_CHECK;

/* message_block_decode - rows out of a body, borrowed by them. MT_ECORRUPT. */
int message_block_decode(struct str body, int64_t id, struct message_block *out) MT_MUST_CHECK;
/* message_block_begin - which rows there are, none of them decoded. message_block_reach - those up to row (0..31) decoded
 * as well; nothing is left to do where they are already. MT_ECORRUPT. */
int message_block_begin(struct str body, int64_t id, struct message_block *out) MT_MUST_CHECK;
int message_block_reach(struct message_block *b, int row) MT_MUST_CHECK;
/* message_block_encode - append the body of a block. Returns 0, the buffer's error, or MT_EINVAL: a negative number
 * in a column that has none. */
int message_block_encode(const struct message_block *b, struct buf *out) MT_MUST_CHECK;

#endif
