/* SPDX-License-Identifier: MIT */
/* suppressed - one address on a vendor's suppression list: which, since when, why, and what that does. */
#include "tui/panes/lines.h"
#include "tui/panes/vendor.h"

#define TEXT_MAX_BYTES 4096

struct suppressed {
	int64_t id;
};

static int open_row(void *state, const struct view *v, int64_t object)
{
	(void)v;
	((struct suppressed *)state)->id = object;
	return 0;
}

static void links(struct lines *l, const struct suppression_row *row)
{
	size_t at = str_rfind_char(row->address, '@'), first = l->t->nrows;
	struct pane_target to = lines_target(l, "domain", "destination");

	if (at >= row->address.n)
		return;
	to.query.domain = str_skip(row->address, at + 1);
	lines_say(l, STYLE_KEY, "destination", "%.*s: what else is sent there",
		STR_ARG(to.query.domain));
	lines_link(l, first, &to);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	const struct suppressed *s = state;
	struct suppression_row row;
	struct lines l;
	struct buf b;
	int rc = s->id ? read_suppression(r, s->id, &t->arena, &row, reterr) : MT_ENOENT;

	lines_begin(&l, t, v);
	t->empty = STR_LIT("this address is on the list no longer: choose one in :suppressions");
	if (rc == MT_ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	buf_init(&b, TEXT_MAX_BYTES);
	lines_address(&b, row.address);
	lines_wrap(&l, STYLE_BOLD, "address", buf_str(&b));
	lines_say(&l, STYLE_NORMAL, "list", "%s: %s", vendor_list_word(row.list),
		vendor_list_help(row.list));
	lines_wrap(&l, STYLE_NORMAL, "at", cell_provider(t, v, row.provider).text);
	lines_wrap(&l, STYLE_NORMAL, "for", row.scope.n ? row.scope : STR_LIT("the whole account"));
	buf_clear(&b);
	if (row.created_ms == EVENT_UNKNOWN) {
		buf_add_char(&b, '?');
	} else {
		timefmt_date_clock(&b, row.created_ms);
		buf_add_z(&b, " (");
		timefmt_age(&b, v->now_ms > row.created_ms ? v->now_ms - row.created_ms : 0);
		buf_add_z(&b, " ago)");
	}
	lines_wrap(&l, STYLE_NORMAL, "since", buf_str(&b));
	lines_wrap(&l, STYLE_NORMAL, "code", row.code.n ? row.code : STR_LIT("none told"));
	lines_wrap(&l, STYLE_NORMAL, "reason", row.reason.n ? row.reason : STR_LIT("none told"));
	links(&l, &row);
	buf_done(&b);
	return 0;
}

const struct pane_ops pane_suppressed = {
	.name = "suppressed",
	.title = "Suppressed",
	.help = "One address on a suppression list: which list and what being on it does, since "
		"when, and the reply or the vendor's words that put it there. To take it off: Del "
		"in :suppressions, with --read-write.",
	.columns = lines_columns,
	.ncolumns = LINES_COLUMNS,
	.state_bytes = sizeof(struct suppressed),
	.open = open_row,
	.refresh = refresh,
	.enter = lines_enter,
};
