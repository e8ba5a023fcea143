/* SPDX-License-Identifier: MIT */
/* dns - own addresses and domains in the DNS: block lists, reverse names, SPF, DKIM, DMARC, MX; Enter opens a check. */
#include "tui/panes/cells.h"

#define FOUND_MAX_BYTES 4096

enum col { COL_VERDICT, COL_SUBJECT, COL_CHECK, COL_FOUND, COL_AGE, COL_TTL, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"verdict", 13, ALIGN_LEFT, 1, true,
		"ok; none: not published and need not be; warning; BAD; can't check: refused, no "
		"answer, or a block list that does not work: neither good nor bad; not known now: "
		"not looked at for 3 hours"},
	{"of", 24, ALIGN_LEFT, 1, false, "an address mail leaves from, or an own domain"},
	{"check", 12, ALIGN_LEFT, 1, false, "what was looked at"},
	{"found", -24, ALIGN_LEFT, 1, false,
		"where (block list, DKIM selector, MX host, HELO name or address) and what was "
		"found; Enter shows the record, what it is for, what to do and how it was before"},
	{"age", 5, ALIGN_RIGHT, 3, false, "since it was looked at"},
	{"ttl", 6, ALIGN_RIGHT, 5, false,
		"how long the answer may be kept, seconds; ? can't check"},
};

/* rank - worst first. */
static int64_t rank(int verdict)
{
	static const int ranks[NAME_VERDICT__COUNT] = {[NAME_BAD] = 5,
		[NAME_WARN] = 4,
		[NAME_CANT] = 3,
		[NAME_UNKNOWN] = 2,
		[NAME_ABSENT] = 1,
		[NAME_OK] = 0};

	return verdict >= 0 && verdict < NAME_VERDICT__COUNT ? ranks[verdict] : 0;
}

static enum style style_of(int verdict)
{
	return verdict == NAME_BAD                               ? STYLE_BAD
	       : verdict == NAME_WARN                            ? STYLE_WARN
	       : verdict == NAME_OK                              ? STYLE_GOOD
	       : verdict == NAME_CANT || verdict == NAME_UNKNOWN ? STYLE_DIM
								 : STYLE_NORMAL;
}

static struct cell found(struct table *t, const struct name_row *row)
{
	struct buf b;
	struct cell c;

	buf_init(&b, FOUND_MAX_BYTES);
	(void)buf_add_str(&b, row->detail);
	(void)buf_add_z(&b, row->detail.n ? ": " : "");
	(void)buf_add_str(&b, row->text);
	c = cell_text(t, buf_str(&b));
	buf_done(&b);
	return c;
}

static void fill(struct table *t, const struct view *v, const struct name_row *row)
{
	bool stale = v->now_ms - row->t_ms > NAME_STALE_MS;
	int verdict = stale ? NAME_UNKNOWN : row->verdict;
	struct cell *c = cells_row(t, COL__COUNT, (uint64_t)row->id, STYLE_NORMAL, row);

	if (!c)
		return;
	c[COL_VERDICT] = cell_words(stale ? "not known now" : name_verdict_word(verdict));
	c[COL_VERDICT].text_sort = false;
	c[COL_VERDICT].sort = rank(verdict);
	c[COL_VERDICT].style = style_of(verdict);
	c[COL_SUBJECT] = cell_text(t, row->subject);
	c[COL_CHECK] = cell_words(name_check_word(row->check));
	c[COL_FOUND] = found(t, row);
	c[COL_AGE] = cell_age(t, v->now_ms > row->t_ms ? v->now_ms - row->t_ms : 0);
	c[COL_TTL] = cell_count(t, row->ttl_s);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct name_row *rows;
	size_t n = 0;
	int rc = read_names(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		fill(t, v, &rows[i]);
	t->total = (int64_t)t->nrows;
	if (v->query.text.n > 0)
		cells_empty(t, v, "no check");
	else
		t->empty = STR_LIT("nothing was checked yet: a running collector does; say what is "
				   "yours in [dns] of mtatop.conf");
	return rc;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct name_row *row = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "dnscheck";
	ret->object = row->id;
	target_label(ret, "%s", name_check_word(row->check));
	return true;
}

const struct pane_ops pane_dns = {
	.name = "dns",
	.title = "DNS and reputation",
	.help = "What the world finds in the DNS about this machine's addresses and domains, as "
		"far "
		"as it decides whether mail is taken: block lists, reverse names, the HELO name, "
		"SPF "
		"records and their result for the own addresses, DKIM keys, DMARC, MX, MTA-STS, "
		"TLS "
		"reports and DANE. The collector asks every half hour for what its TTL has run out "
		"for. Own addresses and domains come from the mail server's configuration and from "
		"[dns] of mtatop.conf.\n"
		"A block list counts only when its own test entry shows that it works and answers "
		"us; else it can't be checked, and is never taken for a listing nor for a clean "
		"address. All of this machine, whichever provider is chosen. A listing makes the "
		"alert `listing` fire.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_VERDICT,
	.refresh = refresh,
	.enter = enter,
};
