/* SPDX-License-Identifier: MIT */
/* pattern - folding and the automaton; see pattern.h. Its table is dense over the bytes that phrases use. */
#include "store/explain/pattern.h"

#include "store/base/mem.h"
#include "store/base/scan.h"
#include "store/explain/facts.h"

#include <stdlib.h>

#define NO_PIECE UINT16_MAX
#define ROOT 0

struct automaton {
	const struct piece *pieces; /* borrowed */
	size_t npieces, nstates, nclasses;
	uint8_t class_of[256]; /* 0: in no phrase */
	uint16_t *next; /* nstates * nclasses */
	uint16_t *piece_at; /* of a state: the first piece that ends there */
	uint16_t *same; /* of a piece: the next one with the same text */
	uint16_t *
		shorter; /* of a state: the nearest suffix state at which a piece ends, ROOT none */
};

/* What a byte is to fold: part of a word as the byte it becomes, or one of these. */
enum { GAP = 0, DOT = 1, AT = 2, NOTHING = 3, JOINT = 4 };
#define SAME(c) [c] = c
#define UPPER(c) [c] = (c) - 'A' + 'a'
static const unsigned char byte_of[256] = {['.'] = DOT,
	['@'] = AT,
	['\''] = NOTHING,
	['`'] = NOTHING,
	['_'] = JOINT,
	['+'] = JOINT,
	UPPER('A'),
	UPPER('B'),
	UPPER('C'),
	UPPER('D'),
	UPPER('E'),
	UPPER('F'),
	UPPER('G'),
	UPPER('H'),
	UPPER('I'),
	UPPER('J'),
	UPPER('K'),
	UPPER('L'),
	UPPER('M'),
	UPPER('N'),
	UPPER('O'),
	UPPER('P'),
	UPPER('Q'),
	UPPER('R'),
	UPPER('S'),
	UPPER('T'),
	UPPER('U'),
	UPPER('V'),
	UPPER('W'),
	UPPER('X'),
	UPPER('Y'),
	UPPER('Z'),
	SAME('a'),
	SAME('b'),
	SAME('c'),
	SAME('d'),
	SAME('e'),
	SAME('f'),
	SAME('g'),
	SAME('h'),
	SAME('i'),
	SAME('j'),
	SAME('k'),
	SAME('l'),
	SAME('m'),
	SAME('n'),
	SAME('o'),
	SAME('p'),
	SAME('q'),
	SAME('r'),
	SAME('s'),
	SAME('t'),
	SAME('u'),
	SAME('v'),
	SAME('w'),
	SAME('x'),
	SAME('y'),
	SAME('z'),
	SAME('0'),
	SAME('1'),
	SAME('2'),
	SAME('3'),
	SAME('4'),
	SAME('5'),
	SAME('6'),
	SAME('7'),
	SAME('8'),
	SAME('9')};

static unsigned char kind_of(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte >= 0x80 ? byte : byte_of[byte];
}

static bool word_byte(char c)
{
	return kind_of(c) > JOINT;
}

/* Left out of a reply: its own codes, and the name in NAME[ip]. */
static bool left_out(struct str word, struct str rest, int32_t code)
{
	uint64_t value;

	if (rest.n > 0 && rest.p[0] == '[' && str_find_char(word, '.') < word.n)
		return true;
	if (!scan_is_digit(word.p[0]))
		return false;
	while (word.n > 0 && word.p[word.n - 1] == '.')
		word.n--;
	return facts_dsn(word) > 0 ||
	       (code && word.n == 3 && scan_all_u64(word, 999, &value) && value == (uint64_t)code);
}

static size_t put_word(struct str word, char *out, size_t n)
{
	for (size_t i = 0; i < word.n && n < FOLD_MAX_BYTES; i++) {
		unsigned char kind = kind_of(word.p[i]);

		if (kind > JOINT)
			out[n++] = (char)kind;
		else if (kind == DOT && i > 0 && i + 1 < word.n && word_byte(word.p[i - 1]) &&
			 word_byte(word.p[i + 1]))
			out[n++] = '.';
		else if (kind != NOTHING && n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	return n;
}

/* A word of letters and digits alone, as most are, in one go. false: it is none, and nothing is done. */
static bool fold_plain(
	const char **at, const char *end, int32_t code, bool pattern, char *out, size_t *n)
{
	const char *p = *at;
	size_t to = *n;
	unsigned char kind = NOTHING;
	uint64_t value;

	while (p < end && to < FOLD_MAX_BYTES && (kind = kind_of(*p)) > JOINT) {
		out[to++] = (char)kind;
		p++;
	}
	if (to == FOLD_MAX_BYTES || (p < end && kind != GAP))
		return false;
	if (pattern || !code || p - *at != 3 || !scan_all_u64(str_make(*at, 3), 999, &value) ||
		value != (uint64_t)code)
		*n = to;
	*at = p;
	return true;
}

/* Any word: with dots, marks, an address. */
static const char *fold_word(
	const char *begin, const char *end, int32_t code, bool pattern, char *out, size_t *n)
{
	const char *p = begin;
	bool address = false;
	unsigned char kind;
	struct str word;

	while (p < end && (kind = kind_of(*p)) != GAP) {
		address = address || kind == AT;
		p++;
	}
	word = str_make(begin, (size_t)(p - begin));
	if (!pattern && address)
		out[(*n)++] = '@';
	else if (pattern || !left_out(word, str_make(p, (size_t)(end - p)), code))
		*n = put_word(word, out, *n);
	return p;
}

size_t fold(struct str text, int32_t code, bool pattern, char *out)
{
	const char *p = text.p, *end = text.n ? text.p + text.n : text.p;
	size_t n = 0;

	while (p < end && n < FOLD_MAX_BYTES) {
		if (kind_of(*p) == GAP) {
			p++;
			if (n > 0 && out[n - 1] != ' ')
				out[n++] = ' ';
		} else if (!fold_plain(&p, end, code, pattern, out, &n)) {
			p = fold_word(p, end, code, pattern, out, &n);
		}
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	return n;
}

/* add_classes - a number for each byte that phrases use. */
static void add_classes(struct automaton *a)
{
	a->nclasses = 1;
	for (size_t i = 0; i < a->npieces; i++)
		for (size_t k = 0; k < a->pieces[i].text.n; k++) {
			uint8_t *c = &a->class_of[(unsigned char)a->pieces[i].text.p[k]];

			if (!*c)
				*c = (uint8_t)a->nclasses++;
		}
}

static uint16_t *edge(const struct automaton *a, size_t state, char c)
{
	return &a->next[state * a->nclasses + a->class_of[(unsigned char)c]];
}

static void add_piece(struct automaton *a, size_t piece)
{
	struct str text = a->pieces[piece].text;
	size_t state = ROOT;

	for (size_t i = 0; i < text.n; i++) {
		uint16_t *to = edge(a, state, text.p[i]);

		if (*to == ROOT)
			*to = (uint16_t)a->nstates++;
		state = *to;
	}
	a->same[piece] = a->piece_at[state];
	a->piece_at[state] = (uint16_t)piece;
}

/* link_states - breadth first: where to go on when a phrase breaks off (Aho, Corasick 1975, as a full table). */
static void link_states(struct automaton *a)
{
	uint16_t *fail = xcalloc(a->nstates, sizeof(*fail)),
		 *queue = xcalloc(a->nstates, sizeof(*queue));
	size_t head = 0, tail = 0;

	for (size_t c = 0; c < a->nclasses; c++)
		if (a->next[c] != ROOT)
			queue[tail++] = a->next[c];
	while (head < tail) {
		size_t state = queue[head++], back = fail[state];

		a->shorter[state] =
			a->piece_at[back] != NO_PIECE ? (uint16_t)back : a->shorter[back];
		for (size_t c = 0; c < a->nclasses; c++) {
			uint16_t *to = &a->next[state * a->nclasses + c];
			uint16_t otherwise = a->next[back * a->nclasses + c];

			if (*to == ROOT) {
				*to = otherwise;
				continue;
			}
			fail[*to] = otherwise;
			queue[tail++] = *to;
		}
	}
	free(fail);
	free(queue);
}

int automaton_new(
	const struct piece *pieces, size_t n, struct automaton **ret, struct mt_error *reterr)
{
	struct automaton *a;
	size_t states = 1;

	for (size_t i = 0; i < n; i++)
		states += pieces[i].text.n;
	if (states > STATES_MAX || n > PIECES_MAX)
		return mt_error_set(reterr, MT_ELIMIT, "too many words in the rules");
	a = xcalloc(1, sizeof(*a));
	a->pieces = pieces;
	a->npieces = n;
	a->nstates = 1;
	add_classes(a);
	a->next = xcalloc(states * a->nclasses, sizeof(a->next[0]));
	a->piece_at = xcalloc(states, sizeof(a->piece_at[0]));
	a->shorter = xcalloc(states, sizeof(a->shorter[0]));
	a->same = xcalloc(n + 1, sizeof(a->same[0]));
	memset(a->piece_at, 0xff, states * sizeof(a->piece_at[0]));
	for (size_t i = 0; i < n; i++)
		add_piece(a, i);
	link_states(a);
	*ret = a;
	return 0;
}

void automaton_free(struct automaton *a)
{
	if (!a)
		return;
	free(a->next);
	free(a->piece_at);
	free(a->shorter);
	free(a->same);
	free(a);
}

/* A phrase ends before end: is it at the edges it must be at? */
static bool at_edges(const struct piece *piece, struct str text, size_t end)
{
	size_t begin = end - piece->text.n;

	return (!piece->word_start || begin == 0 || !word_byte(text.p[begin - 1])) &&
	       (!piece->word_end || end == text.n || !word_byte(text.p[end]));
}

static void hit(const struct automaton *a, size_t state, struct str text, size_t end,
	struct piece_hits *out)
{
	for (; state != ROOT; state = a->shorter[state])
		for (uint16_t p = a->piece_at[state]; p != NO_PIECE; p = a->same[p]) {
			uint64_t bit = UINT64_C(1) << (p % 64);

			if ((out->set[p / 64] & bit) || !at_edges(&a->pieces[p], text, end))
				continue;
			out->set[p / 64] |= bit;
			out->end[p] = (uint16_t)end;
			out->list[out->n++] = p;
		}
}

void automaton_find(const struct automaton *a, struct str folded, struct piece_hits *out)
{
	size_t state = ROOT;

	memset(out->set, 0, (a->npieces + 63) / 64 * sizeof(out->set[0]));
	out->n = 0;
	for (size_t i = 0; i < folded.n; i++) {
		state = *edge(a, state, folded.p[i]);
		if (state != ROOT && (a->piece_at[state] != NO_PIECE || a->shorter[state] != ROOT))
			hit(a, state, folded, i + 1, out);
	}
}

size_t piece_find(const struct piece *piece, struct str folded, size_t from)
{
	while (from + piece->text.n <= folded.n) {
		size_t at = str_find(str_skip(folded, from), piece->text);

		if (at == folded.n - from)
			return 0;
		if (at_edges(piece, folded, from + at + piece->text.n))
			return from + at + piece->text.n;
		from += at + 1;
	}
	return 0;
}
