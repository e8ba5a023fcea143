/* SPDX-License-Identifier: MIT */
/*
 * status_foot - the line of hints at the foot, and the one line that is left on a tiny screen.
 *
 * Hints are of this moment: what the keys do now and here. Whole or not at all, like every figure.
 */
#include "tui/app.h"

#include "store/base/fmt.h"

#define TEXT_MAX_BYTES 4096

/* Keys that only some views have a use for. */
static bool own_group(const struct request_info *info)
{
	return strcmp(info->group, "act") == 0 || info == request_info(REQ_BY_SENDER) ||
	       info == request_info(REQ_MATRIX);
}

static bool view_handles(struct app *a, enum request req)
{
	const struct pane_ops *pane = app_top(a)->pane;

	for (const enum request *r = pane ? pane->requests : NULL; r && *r != REQ_NONE; r++)
		if (*r == req)
			return true;
	return false;
}

/* Is the hint of any use here? */
static bool hint_applies(struct app *a, enum request req)
{
	const struct request_info *info = request_info(req);
	bool list = app_list_frame(a) != NULL;

	if (info->hint[0] == '\0')
		return false;
	if (own_group(info))
		return view_handles(a, req) && (strcmp(info->group, "act") != 0 ||
						       req == REQ_ACKNOWLEDGE || a->opt.read_write);
	if (req == REQ_SORT || req == REQ_SEARCH)
		return list;
	if (req == REQ_PROVIDER_NEXT)
		return a->status.nproviders > 1;
	return true;
}

/* One hint at *x; false when there is no room left for it. */
static bool draw_hint(struct canvas *c, int *x, int y, const char *key, const char *word)
{
	int w = (int)(strlen(key) + 1 + strlen(word));

	if (*x + w > c->w)
		return false;
	*x += canvas_printf(c, *x, y, c->w - *x, STYLE_KEY, "%s", key);
	*x += canvas_printf(c, *x, y, c->w - *x, STYLE_NORMAL, " %s", word) + 2;
	return true;
}

struct hint {
	const char *key, *word;
};

/* What is open over the view has its own few keys. */
static const struct hint *overlay_hints(const struct app *a)
{
	static const struct hint help[] = {
		{"Esc", "Close"}, {"PgDn", "Down"}, {"PgUp", "Up"}, {"g", "Top"}, {NULL, NULL}};
	static const struct hint setup[] = {
		{"Esc", "Close"}, {"Up/Down", "Choose"}, {"Left/Right", "Change"}, {NULL, NULL}};

	return a->help.open ? help : a->setup.open ? setup : NULL;
}

/* First what every view has, then what this one alone has, then the rest; each as far as there is room. */
static int turn_of(enum request req)
{
	if (req == REQ_HELP || req == REQ_QUIT || req == REQ_OPEN)
		return 0;
	return own_group(request_info(req)) ? 1 : 2;
}

static void draw_request_hints(struct app *a, struct canvas *c, int x, int y)
{
	char key[KEY_NAME_MAX_BYTES];

	for (int turn = 0; turn <= 2; turn++) {
		for (int req = REQ_NONE + 1; req < REQ__COUNT; req++) {
			const char *hint = request_info((enum request)req)->hint;

			if (turn_of((enum request)req) != turn ||
				!hint_applies(a, (enum request)req))
				continue;
			if (req == REQ_QUIT && a->depth > 1)
				hint = "Back";
			request_first_key((enum request)req, key);
			if (!draw_hint(c, &x, y, key, hint))
				return;
		}
	}
}

void status_draw_foot(struct app *a, struct canvas *c, int y)
{
	const struct hint *overlay = overlay_hints(a);
	int x = 1;

	if (a->message[0]) {
		canvas_text(c, 1, y, c->w - 2, a->message_style, str_of(a->message));
		return;
	}
	if (!overlay)
		draw_request_hints(a, c, x, y);
	for (; overlay && overlay->key; overlay++)
		draw_hint(c, &x, y, overlay->key, overlay->word);
}

/* --- tiny --- */

static void queue_total(const struct status *s, struct buf *out, bool abridged)
{
	static const enum queue_name counted[] = {
		QUEUE_INCOMING, QUEUE_ACTIVE, QUEUE_DEFERRED, QUEUE_HOLD};
	int64_t sum = 0;
	bool any = false;

	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		if (s->queue.n[counted[i]] < 0)
			continue;
		sum += s->queue.n[counted[i]];
		any = true;
	}
	if (abridged)
		fmt_count_short(out, s->known && any ? sum : EVENT_UNKNOWN);
	else
		fmt_count(out, s->known && any ? sum : EVENT_UNKNOWN);
}

/* Figure i of three: queue, delivered, bounced. */
static void tiny_figure(const struct status *s, int i, bool abridged, struct buf *out)
{
	static const char *const words[2][3] = {{"queue ", "sent ", "bounced "}, {"q", "s", "b"}};
	const int64_t *n = s->totals.n;
	int64_t final = s->known ? totals_outcomes(n) : 0;

	buf_clear(out);
	buf_add_z(out, words[abridged][i]);
	if (i == 0)
		queue_total(s, out, abridged);
	else
		fmt_pct(out, n[i == 1 ? METRIC_SENT : METRIC_BOUNCED], final);
}

void status_draw_tiny(struct app *a, struct canvas *c)
{
	struct buf text;
	int widths[2] = {2 * 2, 1 * 2}, x = 0, form;

	buf_init(&text, TEXT_MAX_BYTES);
	for (form = 0; form < 2; form++)
		for (int i = 0; i < 3; i++) {
			tiny_figure(&a->status, i, form == 1, &text);
			widths[form] += (int)text.n;
		}
	form = widths[0] > c->w;
	for (int i = 0; i < 3; i++) {
		tiny_figure(&a->status, i, form == 1, &text);
		if (x + (int)text.n > c->w) {
			if (i == 0) /* not even one figure: say so rather than cut it */
				canvas_number(c, 0, 0, c->w, STYLE_NORMAL, buf_str(&text));
			break;
		}
		x += canvas_text(
			c, x, 0, c->w - x, i == 2 ? STYLE_BOLD : STYLE_NORMAL, buf_str(&text));
		x += form ? 1 : 2;
	}
	buf_done(&text);
}
