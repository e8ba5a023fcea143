/* SPDX-License-Identifier: MIT */
/*
 * read_text - the text filter: is the needle in what a row shows?
 *
 * Rows share most of their texts, so these are looked through once a text (dict_has); a row's own bytes are looked
 * through where they lie. Nothing is put together unless the needle may lie across a seam.
 */
#include "store/base/fmt.h"
#include "store/read_rows.h"
#include "store/reply.h"

#define CODE_CHARS "0123456789.none?" /* of what fmt_code_key writes */

static bool starts(struct str text, struct str start)
{
	return text.n >= start.n && str_ieq(str_first(text, start.n), start);
}

static bool ends(struct str text, struct str end)
{
	return text.n >= end.n && str_ieq(str_skip(text, text.n - end.n), end);
}

bool text_spans(struct str tmpl, struct str needle)
{
	size_t hole;

	while ((hole = str_find_char(tmpl, REPLY_HOLE)) < tmpl.n) {
		struct str before = str_first(tmpl, hole), after = str_skip(tmpl, hole + 1), piece;
		bool last;

		piece = str_first(after, str_find_char(after, REPLY_HOLE));
		last = piece.n == after.n;
		for (size_t k = 1; k < needle.n; k++) {
			struct str rest = str_skip(needle, k);

			if (ends(before, str_first(needle, k)) || starts(piece, rest) ||
				(!last && starts(rest, piece)))
				return true;
		}
		tmpl = after;
	}
	return false;
}

static int in_dict(struct reader *r, int64_t id, bool *has, struct mt_error *reterr)
{
	bool spans;

	return *has || id <= 0 ? 0 : dict_has(r, id, has, &spans, reterr);
}

static void in_str(struct reader *r, struct str text, bool *has)
{
	*has = *has || text_has(text, buf_str(&r->needle));
}

/* local@domain: across the @ only a needle with one can lie. */
static int in_address(
	struct reader *r, struct str local, int64_t dom, bool *has, struct mt_error *reterr)
{
	struct str needle = buf_str(&r->needle), domain;
	int rc;

	in_str(r, local, has);
	rc = in_dict(r, dom, has, reterr);
	if (rc < 0 || *has || dom <= 0 || str_find_char(needle, '@') == needle.n)
		return rc;
	rc = dict_text(r, dom, &domain, reterr);
	buf_clear(&r->text);
	buf_add_str(&r->text, local);
	buf_add_char(&r->text, '@');
	buf_add_str(&r->text, domain);
	*has = rc == 0 && text_has(buf_str(&r->text), needle);
	return rc;
}

static int in_reply(
	struct reader *r, int64_t reply, struct str args, bool *has, struct mt_error *reterr)
{
	bool spans = false;
	struct str tmpl;
	int rc = *has || reply <= 0 ? 0 : dict_has(r, reply, has, &spans, reterr);

	in_str(r, args, has);
	if (rc < 0 || *has || !spans)
		return rc;
	rc = dict_text(r, reply, &tmpl, reterr);
	buf_clear(&r->text);
	/* longer than any reply of ours: its words have been looked through above */
	*has = rc == 0 && reply_join(tmpl, args, &r->text) == 0 &&
	       text_has(buf_str(&r->text), buf_str(&r->needle));
	return rc;
}

static void in_code(struct reader *r, int32_t dsn, int32_t code, bool *has)
{
	if (*has || !memchr(CODE_CHARS,
			    r->needle.p[0] |
				    ('A' <= r->needle.p[0] && r->needle.p[0] <= 'Z' ? 0x20 : 0),
			    sizeof(CODE_CHARS) - 1))
		return;
	buf_clear(&r->text);
	fmt_code_key(&r->text, code_key(dsn, code));
	in_str(r, buf_str(&r->text), has);
}

static int in_attempt(
	struct reader *r, const struct raw_attempt *a, bool *has, struct mt_error *reterr)
{
	int rc = in_address(r, a->rcpt, a->dom, has, reterr);

	in_str(r, a->orig, has);
	if (rc == 0)
		rc = in_dict(r, a->relay, has, reterr);
	if (rc == 0)
		rc = in_dict(r, a->egress, has, reterr);
	if (rc == 0)
		rc = in_reply(r, a->reply, a->args, has, reterr);
	in_code(r, a->dsn, a->code, has);
	return rc;
}

static int in_message(
	struct reader *r, const struct raw_message *m, bool *has, struct mt_error *reterr)
{
	int rc;

	in_str(r, m->qid, has);
	rc = in_address(r, m->from_local, m->from_dom, has, reterr);
	if (rc == 0)
		rc = in_address(r, m->mid_local, m->mid_dom, has, reterr);
	if (rc == 0)
		rc = in_dict(r, m->client, has, reterr);
	return rc == 0 ? in_dict(r, m->user, has, reterr) : rc;
}

int text_attempt(struct reader *r, const struct query *q, const struct raw_attempt *a,
	const struct raw_message *m, struct mt_error *reterr)
{
	bool has = false;
	int rc = dict_needle(r, q->text, reterr);

	if (rc == 0 && a)
		rc = in_attempt(r, a, &has, reterr);
	if (rc == 0 && m && !has)
		rc = in_message(r, m, &has, reterr);
	return rc < 0 ? rc : has != q->text_invert;
}

int text_reject(struct reader *r, const struct query *q, const struct raw_reject *x,
	struct mt_error *reterr)
{
	bool has = false;
	int rc = dict_needle(r, q->text, reterr);

	if (rc < 0)
		return rc;
	in_str(r, x->word, &has);
	in_str(r, x->qid, &has);
	in_str(r, x->from, &has);
	in_str(r, x->rcpt, &has);
	in_str(r, x->helo, &has);
	rc = in_dict(r, x->service, &has, reterr);
	if (rc == 0)
		rc = in_dict(r, x->client, &has, reterr);
	if (rc == 0)
		rc = in_reply(r, x->reply, x->args, &has, reterr);
	in_code(r, x->dsn, x->code, &has);
	return rc < 0 ? rc : has != q->text_invert;
}
