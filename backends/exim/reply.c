/* SPDX-License-Identifier: MIT */
/* exim/reply - code, enhanced code and stage out of what Exim logged of a failure, or a server's reply in C="". */
#include "backends/exim/parse.h"
#include "store/base/scan.h"

#define CODE_MIN 200
#define CODE_MAX 599
#define DSN_DETAIL_MAX 999

static bool take_code(struct str *in, int32_t *ret)
{
	struct str rest = *in;
	uint64_t code;

	if (rest.n < 3 || !scan_u64(&rest, 3, CODE_MAX, &code) || code < CODE_MIN ||
		(rest.n && rest.p[0] != ' ' && rest.p[0] != '-'))
		return false;
	*ret = (int32_t)code;
	*in = str_skip(rest, 1);
	return true;
}

static int32_t dsn_at(struct str in)
{
	uint64_t class_digit, subject, detail;

	if (!scan_u64(&in, 1, 9, &class_digit) || !scan_lit(&in, STR_LIT(".")) ||
		!scan_u64(&in, 3, DSN_DETAIL_MAX, &subject) || !scan_lit(&in, STR_LIT(".")) ||
		!scan_u64(&in, 3, DSN_DETAIL_MAX, &detail))
		return 0;
	return (int32_t)DSN_MAKE(class_digit, subject, detail);
}

/* The first code behind ": " (or at the start), with the enhanced code behind it. */
static void set_codes(struct event *e, struct str text)
{
	while (text.n) {
		size_t colon;

		if (take_code(&text, &e->code)) {
			e->dsn = dsn_at(text);
			return;
		}
		colon = str_find(text, STR_LIT(": "));
		text = str_skip(text, colon + 2);
	}
}

static enum smtp_stage stage_of(struct str words)
{
	static const struct {
		struct str word;
		enum smtp_stage stage;
	} stages[] = {{STR_INIT("RCPT"), STAGE_RCPT}, {STR_INIT("MAIL"), STAGE_MAIL},
		{STR_INIT("end of data"), STAGE_END_OF_DATA}, {STR_INIT("DATA"), STAGE_DATA},
		{STR_INIT("BDAT"), STAGE_DATA}, {STR_INIT("sending data"), STAGE_DATA},
		{STR_INIT("EHLO"), STAGE_EHLO}, {STR_INIT("HELO"), STAGE_EHLO},
		{STR_INIT("LHLO"), STAGE_EHLO}, {STR_INIT("STARTTLS"), STAGE_STARTTLS},
		{STR_INIT("AUTH"), STAGE_AUTH}, {STR_INIT("initial connection"), STAGE_CONNECT}};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (str_find(words, stages[i].word) < words.n)
			return stages[i].stage;
	return STAGE_OTHER;
}

static bool is_connect_failure(struct str text)
{
	static const struct str starts[] = {STR_INIT("Connection refused"),
		STR_INIT("Connection timed out"), STR_INIT("Network is unreachable"),
		STR_INIT("No route to host"), STR_INIT("connection refused"),
		STR_INIT("Cannot assign requested address")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(text, starts[i]))
			return true;
	return false;
}

/* "... remote mail server after [pipelined] RCPT TO:<a@b>: 550 ...": the words between "after" and the colon. */
static void set_stage(struct event *e)
{
	static const struct str after = STR_INIT(" after ");
	size_t at = str_find(e->reply, after);
	struct str words = str_skip(e->reply, at + after.n);
	size_t end;

	if (is_connect_failure(e->reply)) {
		e->stage = STAGE_CONNECT;
		return;
	}
	if (at == e->reply.n || at > 64)
		return;
	scan_lit(&words, STR_LIT("pipelined "));
	end = str_find_char(words, ':');
	e->stage = stage_of(str_first(words, end));
	e->stage_text = str_first(words, end);
}

void exim_reply_facts(struct event *e)
{
	if (e->reply.n == 0)
		return;
	if (e->status == STATUS_SENT) {
		static const struct str mark = STR_INIT(" id=");
		struct str text = e->reply, id;
		size_t at = str_rfind(text, mark);

		if (take_code(&text, &e->code))
			e->dsn = dsn_at(text);
		id = str_skip(e->reply, at + mark.n);
		if (exim_is_id(id))
			e->child_queue_id = id;
		return;
	}
	set_codes(e, e->reply);
	set_stage(e);
}
