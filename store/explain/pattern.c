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

static bool word_byte(char c)
{
	return scan_is_alnum(c) || (unsigned char)c >= 0x80;
}

static bool in_word(char c)
{
	return word_byte(c) || c == '.' || c == '@' || c == '\'' || c == '`' || c == '_' ||
	       c == '+';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Left out of a reply: its own codes, and the name in NAME[ip]. */
static bool left_out(struct str word, struct str rest, int32_t code)
{
	uint64_t value;

	while (word.n > 0 && word.p[word.n - 1] == '.')
		word.n--;
	if (rest.n > 0 && rest.p[0] == '[' && str_find_char(word, '.') < word.n)
		return true;
	return facts_dsn(word) > 0 ||
	       (code && word.n == 3 && scan_all_u64(word, 999, &value) && value == (uint64_t)code);
}

static size_t put_word(struct str word, char *out, size_t n)
{
	for (size_t i = 0; i < word.n && n < FOLD_MAX_BYTES; i++) {
		char c = word.p[i];
		bool dot = c == '.' && i > 0 && i + 1 < word.n && word_byte(word.p[i - 1]) &&
			   word_byte(word.p[i + 1]);

		if (word_byte(c) || dot)
			out[n++] = lower(c);
		else if (c != '\'' && c != '`' && n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	return n;
}

size_t fold(struct str text, int32_t code, bool pattern, char *out)
{
	size_t n = 0;

	while (text.n > 0 && n < FOLD_MAX_BYTES) {
		struct str word = scan_while(&text, in_word);

		if (word.n == 0) {
			text = str_skip(text, 1);
			if (n > 0 && out[n - 1] != ' ')
				out[n++] = ' ';
		} else if (!pattern && str_find_char(word, '@') < word.n) {
			out[n++] = '@';
		} else if (pattern || !left_out(word, text, code)) {
			n = put_word(word, out, n);
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
