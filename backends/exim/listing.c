/* SPDX-License-Identifier: MIT */
/* exim/listing - see listing.h. Source of the form: The Exim Specification, chapter 5, -bp. */
#include "backends/exim/listing.h"

#include "backends/exim/header.h"
#include "backends/exim/parse.h"
#include "store/base/scan.h"

#define TEXT_MAX_BYTES (32u << 20) /* of one message's addresses */
#define AGE_DIGITS 6
#define INDENT 10 /* of a recipient */

void exim_listing_init(struct exim_listing *l)
{
	*l = (struct exim_listing){.open = false};
	arena_init(&l->arena, TEXT_MAX_BYTES);
}

void exim_listing_done(struct exim_listing *l)
{
	arena_done(&l->arena);
	queue_rcpts_done(&l->rcpts);
}

static void skip_spaces(struct str *in)
{
	while (in->n && in->p[0] == ' ')
		*in = str_skip(*in, 1);
}

/* "<sender>", perhaps "(user)" and "*** frozen ***" behind it. */
static bool read_sender(struct str rest, struct str *ret, bool *ret_frozen)
{
	static const struct str frozen = STR_INIT(" *** frozen ***");
	size_t user;

	*ret_frozen = str_ends(rest, frozen);
	if (*ret_frozen)
		rest = str_first(rest, rest.n - frozen.n);
	user = str_rfind(rest, STR_LIT("> ("));
	if (user < rest.n && rest.p[rest.n - 1] == ')')
		rest = str_first(rest, user + 1);
	if (rest.n < 2 || rest.p[0] != '<' || rest.p[rest.n - 1] != '>')
		return false;
	*ret = str_make(rest.p + 1, rest.n - 2);
	return true;
}

/* "25m  2.9K 1xWInj-0002Tc-1o <a@example.org>" */
static bool head(struct exim_listing *l, struct str line)
{
	struct queue_row *row = &l->row;
	struct str size, id, sender;
	uint64_t n;
	bool frozen;

	skip_spaces(&line);
	if (!scan_u64(&line, AGE_DIGITS, INT32_MAX, &n) || line.n < 2 || !scan_is_alnum(line.p[0]))
		return false;
	line = str_skip(line, 1);
	skip_spaces(&line);
	if (!scan_word(&line, &size))
		return false;
	skip_spaces(&line);
	if (!exim_take_id(&line, &id) || !read_sender(line, &sender, &frozen))
		return false;
	arena_reset(&l->arena);
	l->rcpts.n = 0;
	*row = (struct queue_row){.qid = arena_str(&l->arena, id),
		.sender = arena_str(&l->arena, sender),
		.arrival_ms = exim_id_time_ms(id),
		.queue = frozen ? QUEUE_HOLD : QUEUE_DEFERRED,
		.size_bytes = scan_all_u64(size, INT32_MAX, &n) ? (int64_t)n : EVENT_UNKNOWN,
		.next_retry_ms = EVENT_UNKNOWN,
		.expires_ms = EVENT_UNKNOWN};
	return true;
}

static int recipient(struct exim_listing *l, struct str line)
{
	struct str address;

	if (line.n <= INDENT || line.p[0] != ' ' || line.p[INDENT - 1] != ' ') {
		l->bad++;
		return 0;
	}
	if (line.p[INDENT - 2] == 'D') /* done; -bpru does not list them */
		return 0;
	address = arena_str(&l->arena, str_skip(line, INDENT));
	return str_present(address) ? queue_rcpts_add(&l->rcpts, address, (struct str){NULL, 0})
				    : MT_ELIMIT;
}

int exim_listing_line(struct exim_listing *l, struct str line)
{
	if (str_trim(line).n == 0) {
		if (!l->open)
			return 0;
		l->open = false;
		l->row.nrcpt = l->rcpts.n;
		l->row.rcpt = l->rcpts.addr;
		l->row.reason = l->rcpts.reason;
		return 1;
	}
	if (l->open)
		return recipient(l, line);
	l->open = head(l, line);
	l->bad += !l->open;
	return 0;
}
