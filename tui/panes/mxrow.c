/* SPDX-License-Identifier: MIT */
/* mxrow - see mxrow.h. */
#include "tui/panes/mxrow.h"

#define LINE_MAX_BYTES 128

int64_t mx_failed(const struct mx_row *row)
{
	int64_t sum = 0;

	for (int i = 0; i < MX_FIGURE__COUNT; i++) {
		if (i == MX_STEPPED_IN)
			continue;
		if (row->n[i] == EVENT_UNKNOWN)
			return EVENT_UNKNOWN;
		sum += row->n[i];
	}
	return sum;
}

const struct mx_row *mx_find(const struct mx_row *rows, size_t n, int64_t key)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].key == key)
			return &rows[i];
	return NULL;
}

bool mx_is_slow(const struct mx_row *row, const struct mx_row *rows, size_t n,
	const struct mx_row **ret_fastest)
{
	const struct mx_row *fastest = NULL;

	for (size_t i = 0; i < n && row->connects >= MX_SLOW_MIN_N; i++)
		if (rows[i].key != row->key && rows[i].connects >= MX_SLOW_MIN_N &&
			(!fastest || rows[i].p50_cs < fastest->p50_cs))
			fastest = &rows[i];
	*ret_fastest = fastest;
	return fastest && row->p50_cs >= MX_SLOW_TIMES * fastest->p50_cs &&
	       row->p50_cs - fastest->p50_cs >= MX_SLOW_CS;
}

const char *mx_name(enum mx_figure figure)
{
	static const char *const names[MX_FIGURE__COUNT] = {
#define NAME(id, name, help) [MX_##id] = (name),
		MX_FIGURE_LIST(NAME)
#undef NAME
	};

	return names[figure];
}

const char *mx_help(enum mx_figure figure)
{
	static const char *const helps[MX_FIGURE__COUNT] = {
#define HELP(id, name, help) [MX_##id] = (help),
		MX_FIGURE_LIST(HELP)
#undef HELP
	};

	return helps[figure];
}

struct cell mx_cell_tls(struct table *t, const struct mx_row *row)
{
	if (row->sent == 0)
		return (struct cell){.text = STR_LIT("-"), .sort = -1};
	if (row->tls_told == EVENT_UNKNOWN)
		return (struct cell){.text = STR_LIT("?"), .sort = -1};
	return cell_pct(t, row->tls_used, row->tls_told);
}

int mx_kinds(struct canvas *c, struct rect area, int x, const struct mx_row *row, int n,
	enum style style)
{
	int y = area.y;
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	for (int i = 0; i < n; i++) {
		if (row->n[i] <= 0)
			continue;
		buf_clear(&b);
		buf_printf(&b, "  %s ", mx_name((enum mx_figure)i));
		fmt_count(&b, row->n[i]);
		if (x + (int)b.n > area.x + area.w) {
			x = area.x + 1;
			y++;
		}
		x += canvas_text(c, x, y, area.x + area.w - x, style, buf_str(&b));
	}
	buf_done(&b);
	return y - area.y + 1;
}

int mx_since_line(struct canvas *c, struct rect area, const struct view *v, int64_t since_ms)
{
	struct buf b;

	if (since_ms == EVENT_UNKNOWN)
		return 0;
	buf_init(&b, LINE_MAX_BYTES);
	buf_add_z(&b, "counted since ");
	timefmt_when(&b, since_ms, v->now_ms);
	buf_add_z(&b, " (this mtatop); before: not known");
	canvas_text(c, area.x + 1, area.y, area.w - 1, STYLE_WARN, buf_str(&b));
	buf_done(&b);
	return 1;
}
