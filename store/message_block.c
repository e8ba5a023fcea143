/* SPDX-License-Identifier: MIT */
/* message_block - packing of messages; see message_block.h. */
#include "store/message_block.h"

#include "store/varint.h"

#define TEXT_FORM_BITS 3
#define NUMBER_MAX (INT64_MAX / 2)
#define BODY_FORMAT 1 /* first byte; another one is refused */

_Static_assert(TEXT_FORM__COUNT <= 1 << TEXT_FORM_BITS, "a text's form must fit its bits");
_Static_assert(MESSAGE_BLOCK_IDS == 32, "present has a bit for each row");

enum packing { PACK_KEY, PACK_TIME, PACK_SPAN, PACK_SAME, PACK_FREE, PACK_STEP, PACK_TEXT };

static const uint8_t packings[CELL__COUNT] = {
#define MESSAGE_PACKING(name, sql, packing) [CELL_##name] = PACK_##packing,
	MESSAGE_COLUMN_LIST(MESSAGE_PACKING)
#undef MESSAGE_PACKING
};

/* The SAME columns by bit of a row's map: what changes often has the low bits, which are one byte. */
static const uint8_t same[] = {CELL_SERVICE, CELL_A_TLS, CELL_A_CODE, CELL_A_DSN, CELL_FLAGS,
	CELL_A_EGRESS, CELL_NSENT, CELL_NRCPT, CELL_NDEFERRED, CELL_RUNS, CELL_NBOUNCED,
	CELL_A_FLAGS, CELL_PARENT, CELL_HOST, CELL_PROVIDER};
#define NSAME (sizeof(same) / sizeof(same[0]))

static const struct cell nothing[CELL__COUNT];

int cell_read_text(const struct cell *c, struct buf *out)
{
	char *to;

	buf_clear(out);
	to = buf_reserve(out, (size_t)c->n + 1);
	if (!to)
		return (int)out->err;
	if (c->form == CELL_FORM_PACKED)
		textpack_get((enum text_form)c->packed, c->p, c->n, to);
	else if (c->form == CELL_FORM_TEXT && c->n)
		memcpy(to, c->p, c->n);
	buf_grow(out, c->n);
	return 0;
}

/* What a step is counted from: 0 where there is nothing. */
static int64_t base(const struct cell *c)
{
	return c->form == CELL_FORM_NUMBER ? c->number : 0;
}

static bool equal(const struct cell *a, const struct cell *b)
{
	return a->form == b->form && (a->form != CELL_FORM_NUMBER || a->number == b->number);
}

/* Numbers are stored as one more than they are: 0 is for absent. */
static unsigned char *put_number(unsigned char *to, const struct cell *c)
{
	return varint_put(to, c->form == CELL_FORM_NUMBER ? (uint64_t)c->number + 1 : 0);
}

static unsigned char *put_step(unsigned char *to, const struct cell *c, int64_t from)
{
	return varint_put(to, c->form == CELL_FORM_NUMBER ? zigzag(c->number - from) + 1 : 0);
}

/* Differences of such numbers fit into 64 bits. */
static bool storable(const struct cell *row)
{
	for (int column = 0; column < CELL__COUNT; column++)
		if (row[column].form == CELL_FORM_NUMBER &&
			(row[column].number > NUMBER_MAX || row[column].number < -NUMBER_MAX ||
				(row[column].number < 0 && packings[column] != PACK_STEP)))
			return false;
	return true;
}

static unsigned char *put_text(unsigned char *to, const struct cell *c)
{
	struct str text = {c->p, c->n};
	enum text_form form = (enum text_form)c->packed;

	if (c->form == CELL_FORM_ABSENT)
		return varint_put(to, 0);
	if (c->form == CELL_FORM_TEXT)
		form = textpack_form(text);
	to = varint_put(to, ((uint64_t)c->n << TEXT_FORM_BITS | (uint64_t)form) + 1);
	if (c->form == CELL_FORM_TEXT)
		textpack_put(form, text, to);
	else if (c->n)
		memcpy(to, c->p, textpack_bytes(form, c->n));
	return to + textpack_bytes(form, c->n);
}

static unsigned char *put_row(unsigned char *to, const struct cell *row, const struct cell *before)
{
	uint64_t map = 0;

	for (size_t i = 0; i < NSAME; i++)
		map |= (uint64_t)!equal(&row[same[i]], &before[same[i]]) << i;
	to = varint_put(to, map);
	for (size_t i = 0; i < NSAME; i++)
		if (map >> i & 1)
			to = put_number(to, &row[same[i]]);
	for (int column = 0; column < CELL__COUNT; column++) {
		const struct cell *c = &row[column];

		switch ((enum packing)packings[column]) {
		case PACK_TIME:
			to = put_step(to, c, base(&before[column]));
			break;
		case PACK_SPAN:
			to = put_step(to, c, base(&row[CELL_T]));
			break;
		case PACK_FREE:
			to = put_number(to, c);
			break;
		case PACK_STEP:
			to = put_step(to, c, 0);
			break;
		case PACK_TEXT:
			to = put_text(to, c);
			break;
		case PACK_KEY:
		case PACK_SAME:
			break;
		}
	}
	return to;
}

int message_block_encode(const struct message_block *b, struct buf *out)
{
	const struct cell *before = nothing;
	size_t most = 1 + VARINT_MAX_BYTES;
	unsigned char *first, *to;

	for (int i = 0; i < MESSAGE_BLOCK_IDS; i++) {
		if (!(b->present >> i & 1))
			continue;
		if (!storable(b->row[i]))
			return MT_EINVAL;
		most += (CELL__COUNT + 1) * VARINT_MAX_BYTES;
		for (int column = 0; column < CELL__COUNT; column++)
			if (packings[column] == PACK_TEXT)
				most += b->row[i][column].n;
	}
	first = to = (unsigned char *)buf_reserve(out, most);
	if (!to)
		return (int)out->err;
	*to++ = BODY_FORMAT;
	to = varint_put(to, b->present);
	for (int i = 0; i < MESSAGE_BLOCK_IDS; i++)
		if (b->present >> i & 1) {
			to = put_row(to, b->row[i], before);
			before = b->row[i];
		}
	buf_grow(out, (size_t)(to - first));
	return 0;
}

/* What is left of a body. */
struct rest {
	const unsigned char *p, *end;
};

static bool get_number(struct rest *in, struct cell *out)
{
	uint64_t value;

	if (!varint_get(&in->p, in->end, &value) || value > (uint64_t)INT64_MAX)
		return false;
	cell_set_known(out, (int64_t)value - 1);
	return true;
}

static bool get_step(struct rest *in, int64_t from, struct cell *out)
{
	uint64_t value;
	int64_t number;

	*out = (struct cell){0};
	if (!varint_get(&in->p, in->end, &value))
		return false;
	if (value == 0)
		return true;
	if (__builtin_add_overflow(unzigzag(value - 1), from, &number))
		return false;
	cell_set_number(out, number);
	return true;
}

static bool get_text(struct rest *in, struct cell *out)
{
	const uint64_t mask = (1u << TEXT_FORM_BITS) - 1;
	uint64_t value, n;
	size_t bytes;

	*out = (struct cell){0};
	if (!varint_get(&in->p, in->end, &value))
		return false;
	if (value == 0)
		return true;
	n = --value >> TEXT_FORM_BITS;
	if ((value & mask) >= TEXT_FORM__COUNT || n > UINT32_MAX)
		return false;
	bytes = textpack_bytes((enum text_form)(value & mask), (size_t)n);
	if (bytes > (size_t)(in->end - in->p))
		return false;
	*out = (struct cell){.p = in->p,
		.n = (uint32_t)n,
		.form = CELL_FORM_PACKED,
		.packed = (uint8_t)(value & mask)};
	in->p += bytes;
	return true;
}

static bool get_cell(struct rest *in, int column, struct cell *row, const struct cell *before)
{
	switch ((enum packing)packings[column]) {
	case PACK_TIME:
		return get_step(in, base(&before[column]), &row[column]);
	case PACK_SPAN:
		return get_step(in, base(&row[CELL_T]), &row[column]);
	case PACK_FREE:
		return get_number(in, &row[column]);
	case PACK_STEP:
		return get_step(in, 0, &row[column]);
	case PACK_TEXT:
		return get_text(in, &row[column]);
	case PACK_KEY:
	case PACK_SAME:
		break;
	}
	return true;
}

static bool get_row(struct rest *in, struct cell *row, const struct cell *before)
{
	uint64_t map;

	if (!varint_get(&in->p, in->end, &map) || map >> NSAME)
		return false;
	for (size_t i = 0; i < NSAME; i++)
		if (!(map >> i & 1))
			row[same[i]] = before[same[i]];
		else if (!get_number(in, &row[same[i]]))
			return false;
	for (int column = 0; column < CELL__COUNT; column++)
		if (!get_cell(in, column, row, before))
			return false;
	return true;
}

int message_block_begin(struct str body, int64_t id, struct message_block *out)
{
	const unsigned char *at = (const unsigned char *)body.p, *end = at + body.n;
	uint64_t present;

	if (body.n < 2 || *at++ != BODY_FORMAT || !varint_get(&at, end, &present) ||
		present > UINT32_MAX)
		return MT_ECORRUPT;
	out->id = id;
	out->present = (uint32_t)present;
	out->rest.at = at;
	out->rest.end = end;
	out->rest.next = 0;
	out->rest.before = -1;
	return 0;
}

int message_block_reach(struct message_block *b, int row)
{
	struct rest in = {b->rest.at, b->rest.end};

	for (int i = b->rest.next; i <= row; i++) {
		if (!(b->present >> i & 1))
			continue;
		if (!get_row(&in, b->row[i], b->rest.before < 0 ? nothing : b->row[b->rest.before]))
			return MT_ECORRUPT;
		cell_set_number(&b->row[i][CELL_ID], b->id * MESSAGE_BLOCK_IDS + i);
		b->rest.before = i;
	}
	b->rest.at = in.p;
	b->rest.next = row >= b->rest.next ? row + 1 : b->rest.next;
	return 0;
}

int message_block_decode(struct str body, int64_t id, struct message_block *out)
{
	if (message_block_begin(body, id, out) < 0 ||
		message_block_reach(out, MESSAGE_BLOCK_IDS - 1) < 0)
		return MT_ECORRUPT;
	return out->rest.at == out->rest.end ? 0 : MT_ECORRUPT;
}
