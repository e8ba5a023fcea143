/* SPDX-License-Identifier: MIT */
/* facts - codes, stage and host of a reply text; see facts.h. Knows Postfix's and the common MTAs' frames around it. */
#include "store/explain/facts.h"

#include "store/base/scan.h"

#define PART_MAX 999
#define CODE_DIGITS 3
#define WORDS_BEFORE_CODE_MAX                                                                      \
	24 /* a basic code stands near the beginning; later three digits are prose */

static struct str none(void)
{
	return (struct str){NULL, 0};
}

static bool take_part(struct str *word, int32_t *ret)
{
	uint64_t value;

	if (!scan_u64(word, CODE_DIGITS, PART_MAX, &value))
		return false;
	*ret = (int32_t)value;
	return true;
}

int32_t facts_dsn(struct str word)
{
	int32_t class_digit, subject, detail;

	if (!take_part(&word, &class_digit) || !scan_lit(&word, STR_LIT(".")) ||
		!take_part(&word, &subject) || !scan_lit(&word, STR_LIT(".")) ||
		!take_part(&word, &detail) || word.n > 0)
		return 0;
	if (class_digit != 2 && class_digit != 4 && class_digit != 5)
		return 0;
	return DSN_MAKE(class_digit, subject, detail);
}

/* 550, and not 550 of 1.550 or 5501; 2xx at the very beginning only. at: number of the word. */
static int32_t basic_code(struct str word, int at)
{
	uint64_t value;

	return word.n == CODE_DIGITS && scan_all_u64(word, 599, &value) &&
			       (value >= 400 || (at == 0 && value >= 200 && value < 300))
		       ? (int32_t)value
		       : 0;
}

/* Letters, digits, and . @ _: a bit each of ASCII. */
static bool in_code(char c)
{
	static const uint64_t set[2] = {UINT64_C(0x03ff400000000000), UINT64_C(0x07fffffe87ffffff)};
	unsigned char byte = (unsigned char)c;

	return byte < 128 && (set[byte / 64] >> (byte % 64) & 1);
}

/* Words of letters, digits and dots; "550-5.1.1" is two. */
static void find_codes(struct str text, struct reply_facts *out)
{
	const char *p = text.p, *end = text.n ? text.p + text.n : text.p;

	for (int n = 0; p < end; n++) {
		struct str word;

		while (p < end && !in_code(*p))
			p++;
		word = str_make(p, 0);
		while (p < end && in_code(*p))
			p++;
		word.n = (size_t)(p - word.p);
		if (word.n == 0 || !scan_is_digit(word.p[0]))
			continue;
		while (word.n > 0 && word.p[word.n - 1] == '.')
			word.n--;
		if (!out->dsn)
			out->dsn = facts_dsn(word);
		if (!out->code && n < WORDS_BEFORE_CODE_MAX)
			out->code = basic_code(word, n);
		if (out->dsn && (out->code || n >= WORDS_BEFORE_CODE_MAX))
			return;
	}
}

/* str_find by the needle's byte at rare, which texts have seldom: memmem(3) works out tables of a needle at each call. */
static size_t find_by(struct str s, struct str needle, size_t rare)
{
	for (size_t from = 0; from < s.n; from++) {
		from += str_find_char(str_skip(s, from), needle.p[rare]);
		if (from < s.n && from >= rare && str_starts(str_skip(s, from - rare), needle))
			return from - rare;
	}
	return s.n;
}

static enum smtp_stage stage_by_words(struct str s)
{
	static const struct {
		const char *words;
		enum smtp_stage stage;
	} stages[] = {{"end of DATA", STAGE_END_OF_DATA}, {"end of data", STAGE_END_OF_DATA},
		{"RCPT", STAGE_RCPT}, {"MAIL", STAGE_MAIL}, {"DATA", STAGE_DATA},
		{"EHLO", STAGE_EHLO}, {"HELO", STAGE_EHLO}, {"LHLO", STAGE_EHLO},
		{"STARTTLS", STAGE_STARTTLS}, {"AUTH", STAGE_AUTH}};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (str_starts(s, str_of(stages[i].words)))
			return stages[i].stage;
	return STAGE_OTHER;
}

/* "... (in reply to end of DATA command)" is Postfix's, not the server's. */
static void cut_stage(struct reply_facts *out)
{
	static const struct str frame = STR_INIT("(in reply to ");
	size_t at = str_rfind_char(out->words, '(');

	if (at == out->words.n || !str_starts(str_skip(out->words, at), frame))
		return;
	out->stage = stage_by_words(str_skip(out->words, at + frame.n));
	out->words.n = at;
}

static struct str name_of(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '[' && s.p[n] != ' ' && s.p[n] != ':')
		n++;
	return n ? str_first(s, n) : none();
}

/* Exim's "SMTP error from remote mail server after RCPT TO:<x>: host X [ip]: 550 ...", the host also in front. */
static void cut_exim(struct reply_facts *out)
{
	static const struct str frame = STR_INIT("SMTP error from remote mail server after ");
	size_t at = find_by(out->words, frame, 0);
	struct str rest = str_skip(out->words, at + frame.n);
	size_t colon;

	if (at == out->words.n)
		return;
	out->stage = str_starts(rest, STR_LIT("initial connection")) ? STAGE_CONNECT
								     : stage_by_words(rest);
	colon = str_find(rest, STR_LIT(": "));
	if (colon == rest.n)
		return;
	out->words = str_skip(rest, colon + 2);
	if (str_starts(out->words, STR_LIT("host ")) &&
		str_find(out->words, STR_LIT("]: ")) < out->words.n) {
		out->host = name_of(str_skip(out->words, 5));
		out->words = str_skip(out->words, str_find(out->words, STR_LIT("]: ")) + 3);
	}
}

/* "host X[ip] said: ", "host X[ip] refused to talk to me: ", "connect to X[ip]:25: ", "lost connection with X[ip] while
 * ..." (Postfix smtp_connect.c, smtp_proto.c, smtp_chat.c). */
static void cut_host(struct reply_facts *out)
{
	static const struct str said = STR_INIT(" said: "),
				refused = STR_INIT(" refused to talk to me: ");
	static const char *const before[] = {
		"host ", "connect to ", "lost connection with ", "conversation with "};
	struct str rest;
	size_t at;

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		if (!str_starts(out->words, str_of(before[i])))
			continue;
		rest = str_skip(out->words, strlen(before[i]));
		out->host = name_of(rest);
		if (i > 0) /* the words around the host are the reason */
			return;
		at = find_by(rest, said, said.n - 2);
		if (at < rest.n) {
			out->words = str_skip(rest, at + said.n);
			return;
		}
		at = find_by(rest, refused, refused.n - 2);
		if (at < rest.n) {
			out->words = str_skip(rest, at + refused.n);
			out->stage = STAGE_CONNECT;
		}
		return;
	}
}

void facts_of(struct str text, struct reply_facts *out)
{
	*out = (struct reply_facts){.words = text};
	cut_stage(out);
	cut_host(out);
	cut_exim(out);
	find_codes(out->words, out);
}
