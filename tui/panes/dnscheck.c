/* SPDX-License-Identifier: MIT */
/* dnscheck - one check of an own address or domain: what was found, the record, what to do, and how it was before. */
#include "tui/panes/lines.h"

#include <stdio.h>

#define HISTORY_MAX 100
#define TEXT_MAX_BYTES 4096

struct dnscheck {
	int64_t id;
};

static int open_row(void *state, const struct view *v, int64_t object)
{
	(void)v;
	((struct dnscheck *)state)->id = object;
	return 0;
}

static enum style style_of(int verdict)
{
	return verdict == NAME_BAD    ? STYLE_BAD
	       : verdict == NAME_WARN ? STYLE_WARN
	       : verdict == NAME_OK   ? STYLE_GOOD
				      : STYLE_NORMAL;
}

static void when(struct lines *l, const char *what, int64_t t_ms)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	timefmt_date_clock(&b, t_ms);
	buf_add_z(&b, " (");
	timefmt_age(&b, l->v->now_ms > t_ms ? l->v->now_ms - t_ms : 0);
	buf_add_z(&b, " ago)");
	lines_wrap(l, STYLE_NORMAL, what, buf_str(&b));
	buf_done(&b);
}

static void todo(struct lines *l, const struct name_row *row, bool stale)
{
	if (stale)
		lines_wrap(l, STYLE_KEY, "what to do",
			STR_LIT("see that a collector runs (mtatop doctor): it looks every half "
				"hour"));
	else if (row->verdict == NAME_BAD || row->verdict == NAME_WARN)
		lines_wrap(l, STYLE_KEY, "what to do", str_of(name_check_todo(row->check)));
	else if (row->verdict == NAME_CANT && row->check == NAME_CHECK_DNSBL)
		lines_wrap(l, STYLE_KEY, "what to do",
			STR_LIT("have the collector ask a resolver of your own ([dns] servers), "
				"read the list's terms, or take it out of [dns] blocklists"));
	else if (row->verdict == NAME_CANT)
		lines_wrap(l, STYLE_KEY, "what to do",
			STR_LIT("nothing, if it ends: it is asked again at the next look. Else see "
				"that this machine's resolver works and the name's servers "
				"answer"));
}

static void show(struct lines *l, const struct name_row *row)
{
	bool stale = l->v->now_ms - row->t_ms > NAME_STALE_MS;

	lines_wrap(l, STYLE_BOLD, name_check_word(row->check), row->subject);
	if (row->detail.n > 0)
		lines_wrap(l, STYLE_NORMAL, "at", row->detail);
	if (stale)
		lines_say(l, STYLE_WARN, "verdict", "not known now; at the last look: %s",
			name_verdict_word(row->verdict));
	else
		lines_say(l, style_of(row->verdict), "verdict", "%s%s%s",
			name_verdict_word(row->verdict),
			row->verdict == NAME_CANT && row->known != NAME_UNKNOWN
				? "; when it could last: "
				: "",
			row->verdict == NAME_CANT && row->known != NAME_UNKNOWN
				? name_verdict_word(row->known)
				: "");
	when(l, "since", row->since_ms); /* of the verdict; the record may be younger */
	lines_wrap(l, STYLE_NORMAL, "found", row->text);
	if (row->record.n > 0)
		lines_wrap(l, STYLE_NORMAL, "record", row->record);
	when(l, "looked at", row->t_ms);
	if (row->ttl_s < 0)
		lines_say(l, STYLE_NORMAL, "TTL", "not known");
	else
		lines_say(l, STYLE_NORMAL, "TTL", "%lld s", (long long)row->ttl_s);
	lines_wrap(l, STYLE_NORMAL, "what it is", str_of(name_check_what(row->check)));
	todo(l, row, stale);
}

/* replies - of others that name this list, in the window. */
static void replies(struct lines *l, const struct name_row *row)
{
	const char *list = name_list_named(row->detail);
	struct pane_target to = lines_target(l, "replies", "replies");
	size_t first = l->t->nrows;

	if (row->check != NAME_CHECK_DNSBL || !list)
		return;
	snprintf(to.filter, sizeof(to.filter), "%s", list);
	lines_say(l, STYLE_KEY, "replies", "of other servers that name %s", list);
	lines_link(l, first, &to);
}

static void show_change(struct lines *l, const struct name_row *row)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	timefmt_date_clock(&b, row->t_ms);
	if (row->known == row->verdict)
		buf_printf(&b, "  %s, another record: ", name_verdict_word(row->verdict));
	else
		buf_printf(&b, "  %s, then %s: ", name_verdict_word(row->known),
			name_verdict_word(row->verdict));
	buf_add_str(&b, row->text);
	if (row->record.n > 0) {
		buf_add_z(&b, "  ");
		buf_add_str(&b, row->record);
	}
	lines_section(l, (uint64_t)row->id);
	lines_wrap(l, STYLE_NORMAL, "changed", buf_str(&b));
	if (row->record_before.n > 0 && !str_eq(row->record_before, row->record))
		lines_wrap(l, STYLE_NORMAL, "  was", row->record_before);
	buf_done(&b);
}

static const struct name_row *find(const struct name_row *rows, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	const struct dnscheck *s = state;
	struct name_row *rows, *changes;
	size_t n = 0, nchanges = 0;
	const struct name_row *row;
	struct lines l;
	int rc = read_names(r, &(struct query){0}, &t->arena, &rows, &n, reterr);

	lines_begin(&l, t, v);
	t->empty = STR_LIT("this is no longer checked: choose another one in :dns");
	row = rc == 0 ? find(rows, n, s->id) : NULL;
	if (rc < 0 || !row)
		return rc;
	show(&l, row);
	replies(&l, row);
	rc = read_name_changes(r, s->id, HISTORY_MAX, &t->arena, &changes, &nchanges, reterr);
	for (size_t i = 0; rc == 0 && i < nchanges; i++)
		show_change(&l, &changes[i]);
	return rc;
}

const struct pane_ops pane_dnscheck = {
	.name = "dnscheck",
	.title = "DNS check",
	.help = "One check of an own address or domain: the verdict and since when it holds, the "
		"record as it was published, what the check is, what to do, and all changes that "
		"were met.",
	.columns = lines_columns,
	.ncolumns = LINES_COLUMNS,
	.state_bytes = sizeof(struct dnscheck),
	.open = open_row,
	.refresh = refresh,
	.enter = lines_enter,
};
