/* SPDX-License-Identifier: MIT */
/*
 * action - hold, release, requeue, delete, expire, flush: collect the entries by identity, ask,
 * run the job, tell what came of it.
 *
 * Ids are copied when the question is asked: what was shown is what is done, however the list moves
 * meanwhile. The backend checks each identity again right before it acts.
 */
#include "tui/app.h"

#include "store/base/mem.h"
#include "tui/panes/cells.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_ROWS 5
#define BOX_COLUMNS 76
#define ADDRESS_COLUMNS 44

static const struct verb {
	enum request req;
	enum job_kind kind;
	const char *word;
	bool typed; /* not to be undone: the count must be typed */
} verbs[] = {
	{REQ_HOLD, JOB_HOLD, "hold", false},
	{REQ_RELEASE, JOB_RELEASE, "release", false},
	{REQ_REQUEUE, JOB_REQUEUE, "requeue", false},
	{REQ_DELETE, JOB_DELETE, "delete", true},
	{REQ_EXPIRE, JOB_EXPIRE, "expire (return to sender)", true},
	{REQ_FLUSH, JOB_FLUSH, "flush", false},
	{REQ_NONE, JOB_UNSUPPRESS, "take off the list", true},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* verb_word - what the verb is called where the mail is: the server's own words for the same. */
static const char *verb_word(const struct app *a, const struct verb *verb)
{
	static const struct {
		struct str family;
		enum job_kind kind;
		const char *word;
	} own[] = {{STR_INIT("exim"), JOB_HOLD, "freeze"}, {STR_INIT("exim"), JOB_RELEASE, "thaw"},
		{STR_INIT("exim"), JOB_REQUEUE, "deliver now"},
		{STR_INIT("exim"), JOB_DELETE, "remove"},
		{STR_INIT("exim"), JOB_EXPIRE, "give up (return to sender)"},
		{STR_INIT("opensmtpd"), JOB_HOLD, "pause"},
		{STR_INIT("opensmtpd"), JOB_RELEASE, "resume"},
		{STR_INIT("opensmtpd"), JOB_REQUEUE, "schedule now"},
		{STR_INIT("opensmtpd"), JOB_DELETE, "remove"}};
	struct str family =
		provider_kind(a->status.providers, a->status.nproviders, a->action.provider);

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].kind == verb->kind && str_eq(own[i].family, family))
			return own[i].word;
	return verb->word;
}

/* On a vendor's suppression list Del takes addresses off, and nothing else can be done. */
static const struct verb *verb_of_request(struct app *a, enum request req)
{
	const struct frame *f = app_list_frame(a);

	if (f && f->pane && f->pane->unsuppresses)
		return req == REQ_DELETE ? &verbs[VERBS - 1] : NULL;
	for (size_t i = 0; i < VERBS; i++)
		if (verbs[i].req == req)
			return &verbs[i];
	return NULL;
}

static const struct verb *verb_of_kind(enum job_kind kind)
{
	for (size_t i = 0; i < VERBS; i++)
		if (verbs[i].kind == kind)
			return &verbs[i];
	return &verbs[0];
}

/* Rows to act on -> ids, all of one provider. false: a message says why not. */
static bool collect_ids(struct app *a, struct frame *f, const struct row *const *rows, size_t n)
{
	struct action *act = &a->action;
	struct view v;

	frame_view(a, f, &v);
	act->ids = arena_alloc(&act->arena, n * sizeof(*act->ids));
	for (size_t i = 0; i < n && act->ids; i++) {
		struct job_id id = {0};
		int provider = 0;

		if (!f->pane->identify(f->state, &v, rows[i], &id, &provider))
			continue;
		if (act->provider != 0 && provider != act->provider) {
			app_message(a, STYLE_WARN,
				"the tagged rows are of two providers: choose one ([ ])");
			return false;
		}
		act->provider = provider;
		if (f->pane->unsuppresses && act->nids && act->ids[0].arrival_ms != id.arrival_ms) {
			app_message(a, STYLE_WARN,
				"the tagged addresses are on different lists: show one (b)");
			return false;
		}
		id.qid = arena_str(&act->arena, id.qid);
		id.sender = arena_str(&act->arena, id.sender);
		act->ids[act->nids++] = id;
	}
	if (act->nids == 0)
		app_message(a, STYLE_WARN,
			f->pane->unsuppresses ? "no address is selected or tagged here"
					      : "no queued message is selected or tagged here");
	return act->nids > 0;
}

/* Why the row under the cursor is not meant when no row of those shown is tagged; NULL: it is. */
static const char *cursor_not_meant(const struct app *a, const struct list *l)
{
	if (l->tags.n > 0)
		return "the tagged rows are not shown any more: U untags them, or change the "
		       "filter";
	if (l->tag_missed)
		return "no row matched what was to be tagged: choose or tag a row first";
	return a->tagged_only ? "no row is tagged" : NULL;
}

static bool collect(struct app *a, const struct verb *verb)
{
	struct frame *f = app_list_frame(a);
	const struct row **rows, *selected;
	const char *why;
	size_t n;
	bool ok;

	if (verb->kind == JOB_FLUSH) {
		a->action.provider = a->provider;
		if (a->provider == 0 && a->status.nproviders > 0)
			a->action.provider = a->status.providers[0].id;
		if (a->provider == 0 && a->status.nproviders > 1) {
			app_message(a, STYLE_WARN, "choose one provider first ([ ])");
			return false;
		}
		return true;
	}
	if (!f || !f->pane->identify) {
		app_message(a, STYLE_WARN, "nothing here can be %s: open the queue (:queue)",
			verb->word);
		return false;
	}
	rows = xcalloc(f->table.nrows + 1, sizeof(const struct row *));
	n = list_tagged(&f->list, &f->table, rows);
	selected = list_selected(&f->list, &f->table);
	why = n == 0 ? cursor_not_meant(a, &f->list) : NULL;
	if (n == 0 && selected && !why)
		rows[n++] = selected;
	if (why)
		app_message(a, STYLE_WARN, "%s", why);
	ok = !why && collect_ids(a, f, rows, n);
	free((void *)rows);
	return ok;
}

void action_begin(struct app *a, enum request req)
{
	const struct verb *verb = verb_of_request(a, req);

	if (!verb) { /* a key that only some views have a use for */
		app_message(a, STYLE_DIM,
			app_list_frame(a) ? "this view has no use for that key"
					  : "this is not a list: open one first (Enter)");
		return;
	}
	if (!a->opt.read_write || !a->opt.services) {
		app_message(a, STYLE_WARN,
			"read-only: start mtatop with --read-write to act on the queue");
		return;
	}
	if (a->action.job) {
		app_message(a, STYLE_WARN, "the action before is still running");
		return;
	}
	arena_reset(&a->action.arena);
	a->action = (struct action){.arena = a->action.arena, .kind = verb->kind};
	if (collect(a, verb))
		prompt_open(a, PROMPT_CONFIRM, "");
}

static struct str provider_name(const struct app *a, int provider)
{
	for (size_t i = 0; i < a->status.nproviders; i++)
		if (a->status.providers[i].id == provider)
			return a->status.providers[i].name;
	return (struct str){NULL, 0};
}

void action_confirm(struct app *a, struct str typed)
{
	struct action *act = &a->action;
	const struct verb *verb = verb_of_kind(act->kind);
	struct job_request request = {
		.kind = act->kind, .provider = act->provider, .ids = act->ids, .nids = act->nids};

	struct mt_error err = {0};
	char want[32] = "y";

	if (verb->typed)
		snprintf(want, sizeof(want), "%zu", act->nids);
	if (!str_ieq(str_trim(typed), str_of(want)) &&
		!(!verb->typed && str_ieq(str_trim(typed), STR_LIT("yes")))) {
		app_message(a, STYLE_WARN, "not confirmed: nothing was done");
		return;
	}
	if (act->kind == JOB_UNSUPPRESS)
		request.list = (int)act->ids[0].arrival_ms;
	request.provider_name = provider_name(a, act->provider);
	if (a->opt.services->start(a->opt.services->ctx, &request, &act->job, &err) < 0) {
		act->job = NULL;
		app_message(a, STYLE_BAD, "%s failed: %s", verb_word(a, verb), err.text);
	} else {
		app_message(a, STYLE_NORMAL, "%s: running ...", verb_word(a, verb));
	}
}

void action_cancel(struct app *a)
{
	if (a->action.job && a->opt.services)
		a->opt.services->drop(a->action.job);
	a->action.job = NULL;
}

void action_step(struct app *a)
{
	struct action *act = &a->action;
	const struct services *s = a->opt.services;
	struct mt_error err = {0};
	enum job_state state;

	if (!act->job)
		return;
	state = s->state(act->job, &err);
	if (state == JOB_RUNNING)
		return;
	if (state == JOB_FAILED)
		app_message(a, STYLE_BAD, "%s failed: %s", verb_word(a, verb_of_kind(act->kind)),
			err.text);
	else
		app_message(a, STYLE_GOOD, "%s", s->summary(act->job));
	action_cancel(a);
	app_touch(a);
}

static void draw_question(
	const struct app *a, const struct verb *verb, struct canvas *c, struct rect in)
{
	const struct action *act = &a->action;
	const char *plural = act->nids == 1 ? "" : "s";

	if (act->kind == JOB_FLUSH)
		canvas_printf(c, in.x + 1, in.y, in.w - 1, STYLE_BOLD,
			"flush: try to deliver the whole queue now?");
	else if (act->kind == JOB_UNSUPPRESS)
		canvas_printf(c, in.x + 1, in.y, in.w - 1, STYLE_BOLD,
			"take %zu address%s off the vendor's list? It may be mailed again.",
			act->nids, act->nids == 1 ? "" : "es");
	else
		canvas_printf(c, in.x + 1, in.y, in.w - 1, STYLE_BOLD, "%s %zu message%s?",
			verb_word(a, verb), act->nids, plural);
}

void action_draw(struct app *a, struct canvas *c, struct rect r)
{
	const struct action *act = &a->action;
	const struct verb *verb = verb_of_kind(act->kind);
	int shown = act->nids < SAMPLE_ROWS ? (int)act->nids : SAMPLE_ROWS, rows = shown + 5;
	int w = r.w < BOX_COLUMNS ? r.w : BOX_COLUMNS;
	struct rect box = {r.x + (r.w - w) / 2, r.y + (r.h > rows ? (r.h - rows) / 2 : 0), w, rows},
		    in;

	canvas_fill(c, box, STYLE_NORMAL);
	in = canvas_box(c, box, true, STR_LIT("Confirm"), STR_LIT(""));
	draw_question(a, verb, c, in);
	for (int i = 0; i < shown; i++) {
		int used = canvas_text(c, in.x + 3, in.y + 1 + i,
			act->kind == JOB_UNSUPPRESS ? ADDRESS_COLUMNS : 20, STYLE_NORMAL,
			act->ids[i].qid);
		struct str sender = act->ids[i].sender.n          ? act->ids[i].sender
				    : act->kind == JOB_UNSUPPRESS ? STR_LIT("")
								  : STR_LIT("<>");

		canvas_text(c, in.x + 4 + used, in.y + 1 + i, in.w - 5 - used, STYLE_DIM, sender);
	}
	if (act->nids > (size_t)shown)
		canvas_printf(c, in.x + 3, in.y + 1 + shown, in.w - 3, STYLE_DIM,
			"... and %zu more", act->nids - (size_t)shown);
	if (verb->typed)
		canvas_printf(c, in.x + 1, in.y + rows - 3, in.w - 1, STYLE_WARN,
			"This can't be undone: type the count (%zu) and Enter. Esc leaves all.",
			act->nids);
	else
		canvas_printf(c, in.x + 1, in.y + rows - 3, in.w - 1, STYLE_NORMAL,
			"Type y and Enter. Esc leaves all as it is.");
}
