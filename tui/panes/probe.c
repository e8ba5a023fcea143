/* SPDX-License-Identifier: MIT */
/* probe - one SMTP port: each step, TLS and certificate, what changed, what to do, and the dialogue as it was. */
#include "tui/panes/lines.h"
#include "tui/probe_text.h"

#include <inttypes.h>

#define CHANGES_MAX 500
#define SHOWN_CHANGES 20
#define TEXT_MAX_BYTES 8192

struct probe_page {
	int64_t object; /* row id in the list of probes */
};

static int open_page(void *state, const struct view *v, int64_t object)
{
	struct probe_page *s = state;

	(void)v;
	s->object = object;
	return 0;
}

static void say_buf(struct lines *l, enum style style, const char *what, struct buf *b)
{
	if (b->n)
		lines_wrap(l, style, what, buf_str(b));
	buf_clear(b);
}

static void head(struct lines *l, const struct probe_result *r, const struct view *v, struct buf *b)
{
	const char *advice = probe_advice(r, v->now_ms);

	(void)buf_printf(b, "%s", probe_outcome_word(r->outcome));
	if (r->since_ms > 0) {
		(void)buf_add_z(b, " since ");
		timefmt_when(b, r->since_ms, v->now_ms);
	}
	(void)buf_add_z(b, ", looked at ");
	timefmt_age(b, v->now_ms - r->t_ms);
	(void)buf_add_z(b, " ago");
	say_buf(l, probe_up(r) ? STYLE_GOOD : STYLE_BAD, "state", b);
	if (str_present(r->detail))
		lines_wrap(l, STYLE_WARN, "", r->detail);
	if (advice && r->role != PROBE_WITNESS)
		lines_say(l, STYLE_TITLE, "what to do", "%s", advice);
	lines_say(l, STYLE_NORMAL, "role", "%s", probe_role_word(r->role));
	if (str_present(r->address))
		lines_wrap(l, STYLE_NORMAL, "address", r->address);
	if (str_present(r->greeting))
		lines_wrap(l, STYLE_NORMAL, "greeting", r->greeting);
	probe_steps_line(b, r);
	say_buf(l, STYLE_NORMAL, "steps", b);
	probe_offers_line(b, r);
	say_buf(l, STYLE_NORMAL, "offers", b);
	if (r->flags & PROBE_F_RELAY_ASKED)
		lines_say(l, r->flags & PROBE_F_RELAY_OPEN ? STYLE_BAD : STYLE_NORMAL,
			"relay check", "%s",
			r->flags & PROBE_F_RELAY_OPEN    ? "OPEN: a stranger's recipient is taken"
			: r->flags & PROBE_F_RELAY_TAKEN ? "taken, but this machine may be trusted "
							   "(self_check_from)"
							 : "refused, as is right");
}

static void certificate(
	struct lines *l, const struct probe_result *r, const struct view *v, struct buf *b)
{
	probe_cert_line(b, r, v->now_ms);
	say_buf(l, STYLE_NORMAL, "certificate", b);
	if (r->nnames > 0) {
		(void)buf_add_str(b, r->names);
		(void)buf_printf(b, " (%" PRId64 ")", r->nnames);
		say_buf(l, STYLE_NORMAL, "names", b);
	}
	if (r->chain > 0)
		lines_say(l, STYLE_NORMAL, "chain", "%" PRId64 " certificate%s sent", r->chain,
			r->chain == 1 ? "" : "s");
}

static void changes(struct lines *l, const struct probe_result *r, const struct view *v,
	const struct probe_change_row *rows, size_t n, struct buf *b)
{
	size_t shown = 0;

	for (size_t i = 0; i < n && shown < SHOWN_CHANGES; i++) {
		const struct probe_change_row *c = &rows[i];

		if (c->port != r->port || !str_eq(c->host, r->host))
			continue;
		timefmt_when(b, c->t_ms, v->now_ms);
		if (c->what == PROBE_CHANGE_OUTCOME) {
			(void)buf_printf(b, "  %s, before %s",
				probe_outcome_word((enum probe_outcome)c->after),
				probe_outcome_word((enum probe_outcome)c->before));
		} else {
			(void)buf_add_z(b, "  another certificate, to end ");
			timefmt_date_clock(b, c->after);
		}
		if (str_present(c->detail)) {
			(void)buf_add_z(b, ": ");
			(void)buf_add_str(b, c->detail);
		}
		say_buf(l, STYLE_NORMAL, shown++ ? "" : "changes", b);
	}
}

static void transcript(struct lines *l, struct str said)
{
	bool first = true;

	while (said.n) {
		size_t end = str_find_char(said, '\n');
		struct str line = str_first(said, end);

		lines_wrap(l, str_starts(line, STR_LIT("C: ")) ? STYLE_DIM : STYLE_NORMAL,
			first ? "dialogue" : "", line);
		first = false;
		said = str_skip(said, end + 1);
	}
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	const struct probe_page *s = state;
	const struct probe_result *found = NULL;
	struct probe_change_row *past = NULL;
	struct probe_result *rows;
	size_t n = 0, npast = 0;
	struct lines l;
	struct buf b;
	int rc = read_probes(r, &t->arena, &rows, &n, reterr);

	if (rc == 0)
		rc = read_probe_changes(r, CHANGES_MAX, &t->arena, &past, &npast, reterr);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if ((int64_t)probe_row_id(&rows[i]) == s->object)
			found = &rows[i];
	lines_begin(&l, t, v);
	t->empty = STR_LIT("this target is not in the cache any more");
	if (!found)
		return 0;
	buf_init(&b, TEXT_MAX_BYTES);
	head(&l, found, v, &b);
	certificate(&l, found, v, &b);
	changes(&l, found, v, past, npast, &b);
	transcript(&l, found->transcript);
	if (found->flags & PROBE_F_CUT)
		lines_say(&l, STYLE_DIM, "", "... the rest of the dialogue is left out");
	buf_done(&b);
	return 0;
}

const struct pane_ops pane_probe = {
	.name = "probe",
	.title = "Probe",
	.help = "One look at an SMTP port: what came of it, each step timed, what is offered, the "
		"certificate, what changed between looks, and the dialogue as it was: lines sent "
		"(C:) and had (S:), to 8 kB.",
	.columns = lines_columns,
	.ncolumns = LINES_COLUMNS,
	.state_bytes = sizeof(struct probe_page),
	.open = open_page,
	.refresh = refresh,
	.enter = lines_enter,
};
