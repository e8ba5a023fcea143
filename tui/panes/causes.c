/* SPDX-License-Identifier: MIT */
/*
 * causes - failures and refusals in groups: by signature (a wording, what varies left out), class, cause, side, stage,
 * mailbox provider, destination, egress, sender; b goes round. Enter leads to the signatures of a group, then to records.
 */
#include "tui/panes/cells.h"

#include <string.h>

#define TREND_MIN_COLUMNS 110 /* the column is hidden on a narrower screen */

enum col {
	COL_GROUP,
	COL_N,
	COL_DELTA,
	COL_TREND,
	COL_NEW,
	COL_FIRST,
	COL_LAST,
	COL_DOMAINS,
	COL_EGRESS,
	COL_CLASS,
	COL_CAUSE,
	COL_SIDE,
	COL_TEXT,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"group", 20, ALIGN_LEFT, 1, false,
		"what the records have in common; of a signature: the rule that explains it"},
	{"n", 8, ALIGN_RIGHT, 1, true,
		"deferred attempts, bounced ones and refusals of the group in the window"},
	{"change", 7, ALIGN_RIGHT, 3, true,
		"against the window before, by how many; new: none then; ? not covered by the "
		"cache"},
	{"trend", CLUSTER_SLOTS, ALIGN_LEFT, 7, false,
		"how many over the window, oldest first, each row on a scale of its own"},
	{"new", 3, ALIGN_LEFT, 3, false,
		"first met within the last 24 hours; ? the cache does not go back that far"},
	{"first", 11, ALIGN_LEFT, 8, false, "when the first one ever came that the cache knows of"},
	{"last", 11, ALIGN_LEFT, 5, false, "when the last one came"},
	{"dests", 6, ALIGN_RIGHT, 6, true,
		"of a signature: recipient domains hit, of the newest 10,000 failures (+: there "
		"may "
		"be more)"},
	{"IPs", 6, ALIGN_RIGHT, 8, true,
		"of a signature: sending IPs hit, of the same failures; services where their IP is "
		"not known"},
	{"class", 8, ALIGN_LEFT, 4, false,
		"hard: take it off the list; soft: wait; block: mend what the sender is judged by; "
		"throttle: slow down"},
	{"cause", 13, ALIGN_LEFT, 6, false,
		"why: address, mailbox, remote system, network, protocol, content, auth, "
		"reputation, rate, access or local; of the most frequent signature"},
	{"side", 9, ALIGN_LEFT, 3, false, "who can mend it: sender, recipient, remote, network"},
	{"text", -20, ALIGN_LEFT, 1, false,
		"of a signature: its wording, what varies as an ellipsis; else what the most "
		"frequent one means"},
};

static const enum request requests[] = {REQ_BY_SENDER, REQ_NONE};

struct causes {
	enum cluster_by by;
};

static const char *by_word(enum cluster_by by)
{
	static const char *const words[CLUSTER__COUNT] = {"signature", "class", "cause", "side",
		"stage", "mailbox provider", "destination", "egress", "sender"};

	return words[by];
}

static int open_causes(void *state, const struct view *v, int64_t object)
{
	struct causes *s = state;

	(void)v;
	s->by = object > 0 && object < CLUSTER__COUNT ? (enum cluster_by)object : CLUSTER_SIGNATURE;
	return 0;
}

/* What the group is called; "" where it has no name. */
static struct str group_name(enum cluster_by by, const struct cluster_row *row)
{
	switch (by) {
	case CLUSTER_SIGNATURE:
		return row->rule.n ? row->rule : STR_LIT("(no rule)");
	case CLUSTER_CLASS:
		return str_of(explain_class_word((enum explain_class)row->key));
	case CLUSTER_CAUSE:
		return str_of(explain_cause_word((enum explain_cause)row->key));
	case CLUSTER_SIDE:
		return str_of(explain_side_word((enum explain_side)row->key));
	case CLUSTER_STAGE:
		return str_of(stage_word((enum smtp_stage)row->key));
	case CLUSTER_MAILBOX:
		if (row->key == CLUSTER_OWN_DOOR)
			return STR_LIT("(our own door)");
		return row->name.n ? row->name : STR_LIT("(others)");
	case CLUSTER_EGRESS:
		return str_present(row->ip) ? row->ip : row->name.n ? row->name : STR_LIT("(none)");
	case CLUSTER_DESTINATION:
	case CLUSTER_SENDER:
	case CLUSTER__COUNT:
	default:
		return row->name.n ? row->name : STR_LIT("(none)");
	}
}

/* What a group of attempts alone has to say. */
static struct cell no_reason(struct table *t, enum cluster_by by, const struct cluster_row *row)
{
	struct buf b;
	struct cell cell;

	if (by != CLUSTER_EGRESS || !str_present(row->ip))
		return cell_words("Enter: its codes");
	buf_init(&b, 1024);
	(void)buf_add_z(&b, "by ");
	(void)buf_add_str(&b, row->name);
	cell = cell_text(t, buf_str(&b));
	buf_done(&b);
	return cell;
}

static struct cell meaning(struct table *t, const struct view *v, const struct cluster_row *row)
{
	struct explain_query q = {
		.text = row->example, .host = row->relay, .key = row->code, .stage = row->stage};
	struct explain_result r;

	explain(v->rules, &q, &r);
	return cell_meaning(t, v, &r);
}

/* "12+": more than were looked at. */
static struct cell hits(struct table *t, int64_t n, bool at_least)
{
	struct cell cell = cell_count(t, n);
	struct buf b;

	if (n < 0 || !at_least)
		return cell;
	buf_init(&b, 64);
	buf_add_str(&b, cell.text);
	buf_add_char(&b, '+');
	cell.text = cell_text(t, buf_str(&b)).text;
	buf_done(&b);
	return cell;
}

static struct cell newness(int value)
{
	return cell_words(value == EVENT_UNKNOWN ? "?" : value ? "new" : "");
}

static struct cell time_or_unknown(struct table *t, const struct view *v, int64_t utc_ms)
{
	return utc_ms < 0 ? cell_words("?") : cell_when(t, utc_ms, v->now_ms);
}

static void fill(struct cell *c, struct table *t, const struct view *v, enum cluster_by by,
	const struct cluster_row *row)
{
	bool reasons = by < CLUSTER_DESTINATION || row->nclusters > 0;
	bool counted = by == CLUSTER_SIGNATURE; /* domains and IPs are of a wording */

	c[COL_GROUP] = cell_text(t, group_name(by, row));
	c[COL_N] = cell_count(t, row->n);
	c[COL_DELTA] = cell_delta(t, v, row->n, row->before);
	c[COL_TREND] = cell_words("?");
	if (row->has_trend && v->width >= TREND_MIN_COLUMNS) {
		c[COL_TREND].spark = row->trend;
		c[COL_TREND].nspark = CLUSTER_SLOTS;
	}
	c[COL_NEW] = reasons ? newness(row->is_new) : cell_words("");
	c[COL_FIRST] = reasons ? time_or_unknown(t, v, row->first_ms) : cell_words("");
	c[COL_LAST] = reasons ? time_or_unknown(t, v, row->last_ms) : cell_words("");
	c[COL_DOMAINS] = counted ? hits(t, row->ndomains, row->at_least) : cell_words("");
	c[COL_EGRESS] = counted ? hits(t, row->negress, row->at_least) : cell_words("");
	c[COL_CLASS] = cell_words(reasons ? explain_class_word(explain_class(row->category)) : "");
	c[COL_CAUSE] = cell_words(reasons ? explain_cause_word(row->cause) : "");
	c[COL_SIDE] = cell_words(reasons ? explain_side_word(row->side) : "");
	c[COL_TEXT] = by == CLUSTER_SIGNATURE
			      ? cell_wording(t, v, row->reply_template, row->example)
		      : reasons ? meaning(t, v, row)
				: no_reason(t, by, row);
}

static enum style style_of(const struct cluster_row *row)
{
	return row->bounced > 0    ? status_style(STATUS_BOUNCED)
	       : row->deferred > 0 ? status_style(STATUS_DEFERRED)
				   : status_style(STATUS_NONE);
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	const struct causes *s = state;
	struct cluster_row *rows;
	size_t n = 0;
	int rc = read_clusters(r, &v->query, s->by, v->rules, &t->arena, &rows, &n, reterr);

	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct cell *c = cells_row(
			t, COL__COUNT, (uint64_t)rows[i].key + 1, style_of(&rows[i]), &rows[i]);

		if (!c)
			return MT_ELIMIT;
		fill(c, t, v, s->by, &rows[i]);
	}
	t->total = rc == 0 ? (int64_t)n : EVENT_UNKNOWN;
	cells_empty(t, v, "no failure and no refusal in this window");
	return rc;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct causes *s = state;

	(void)v;
	(void)t;
	canvas_printf(c, area.x + 1, area.y, area.w - 1, STYLE_DIM,
		"by %s (b: the next grouping)%s", by_word(s->by),
		s->by >= CLUSTER_DESTINATION ? "; attempts alone" : "");
	return 1;
}

static void turn(void *state, const struct view *v)
{
	struct causes *s = state;

	(void)v;
	s->by = (enum cluster_by)((s->by + 1) % CLUSTER__COUNT);
}

static void to_records(const struct cluster_row *row, struct pane_target *ret)
{
	ret->pane = row->refusal ? "rejects" : "failures";
	ret->query.errors_by = 0;
	if (str_present(row->reply_template))
		ret->query.reply_template = row->reply_template;
	else
		ret->query.code_key = row->code;
	target_label(ret, "wording");
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct causes *s = state;
	const struct cluster_row *row = selected->ref;

	(void)v;
	if (s->by == CLUSTER_SIGNATURE) {
		to_records(row, ret);
		return true;
	}
	if (s->by == CLUSTER_EGRESS) {
		ret->pane = "causes";
		ret->query.egress = row->name;
	} else if (s->by == CLUSTER_DESTINATION || s->by == CLUSTER_SENDER) {
		ret->pane = "domain";
		if (s->by == CLUSTER_SENDER)
			ret->query.sender_domain = row->name;
		else
			ret->query.domain = row->name;
	} else {
		ret->pane = "causes";
		ret->query.errors_by = (int)s->by + 1;
		ret->query.errors_key = row->key;
	}
	target_label(ret, "%s %.*s", by_word(s->by), STR_ARG(group_name(s->by, row)));
	return s->by < CLUSTER_DESTINATION || str_present(row->name);
}

const struct pane_ops pane_causes = {
	.name = "causes",
	.title = "Causes",
	.help = "Failed attempts and refusals in groups; b goes round: signature (one wording of a "
		"reply, what varies left out), class, cause, side, SMTP stage, mailbox provider "
		"(by "
		"the MX host that answered), destination, egress, sender. Counts are exact, but "
		"with "
		"a filter, which looks at the newest records. What replies mean is told by rules: "
		"see explain.conf in mtatop.conf(5). Enter: the signatures of the group, then the "
		"records of a signature.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_N,
	.requests = requests,
	.state_bytes = sizeof(struct causes),
	.open = open_causes,
	.refresh = refresh,
	.draw = draw,
	.turn = turn,
	.enter = enter,
};
