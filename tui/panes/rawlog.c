/* SPDX-License-Identifier: MIT */
/* rawlog - see rawlog.h. */
#include "tui/panes/rawlog.h"

struct str view_provider_name(const struct view *v, int provider)
{
	for (size_t i = 0; i < v->nproviders; i++)
		if (v->providers[i].id == provider)
			return v->providers[i].name;
	return (struct str){NULL, 0};
}

bool rawlog_asked(const struct rawlog *s)
{
	return s->asked;
}

bool rawlog_running(const struct rawlog *s)
{
	return s->job && s->services->state(s->job, NULL) == JOB_RUNNING;
}

void rawlog_ask(struct rawlog *s, const struct view *v, const struct job_request *request)
{
	struct job_request named = *request;

	if (!v->services || rawlog_running(s))
		return;
	rawlog_done(s);
	s->services = v->services;
	s->asked = true;
	named.provider_name = view_provider_name(v, request->provider);
	if (v->services->start(v->services->ctx, &named, &s->job, &s->error) < 0)
		s->job = NULL;
}

const struct job_line *rawlog_result(const struct rawlog *s, size_t *ret_n, const char **why)
{
	*ret_n = 0;
	*why = !s->asked ? "no log can be read from here" : s->job ? NULL : s->error.text;
	if (!s->job || rawlog_running(s))
		return NULL;
	return s->services->lines(s->job, ret_n);
}

static void show(
	struct rawlog *s, struct lines *l, const char *what, const char *running, const char *none)
{
	struct mt_error error = {0};
	const struct job_line *lines;
	const char *why;
	size_t n;

	if (rawlog_running(s)) {
		lines_say(l, STYLE_DIM, what, "%s", running);
		return;
	}
	lines = rawlog_result(s, &n, &why);
	if (s->job && s->services->state(s->job, &error) == JOB_FAILED)
		why = error.text;
	if (why) {
		if (s->asked)
			lines_say(l, STYLE_WARN, what, "%s", why);
		return;
	}
	if (n == 0)
		lines_say(l, STYLE_DIM, what, "%s", none);
	for (size_t i = 0; i < n; i++)
		lines_wrap(l, rawlog_style(lines[i].text), i ? "" : what, lines[i].text);
}

void rawlog_lines(struct rawlog *s, struct lines *l)
{
	show(s, l, "log", "reading the log ...",
		"no line of it is left in the log files that are there");
}

void rawlog_detail(struct rawlog *s, struct lines *l)
{
	show(s, l, "at vendor", "fetching what the vendor says ...",
		"the vendor says nothing more of it");
}

const char *rawlog_failed(struct rawlog *s)
{
	return s->job && s->services->state(s->job, &s->error) == JOB_FAILED ? s->error.text : NULL;
}

const char *rawlog_summary(const struct rawlog *s)
{
	return s->job && !rawlog_running(s) ? s->services->summary(s->job) : "";
}

bool rawlog_tick(struct rawlog *s)
{
	if (!s->job || s->told || rawlog_running(s))
		return false;
	s->told = true;
	return true;
}

void rawlog_done(struct rawlog *s)
{
	if (s->job)
		s->services->drop(s->job);
	*s = (struct rawlog){0};
}

static bool has(struct str line, struct str word)
{
	return str_find(line, word) < line.n;
}

enum style rawlog_style(struct str line)
{
	if (has(line, STR_LIT("status=bounced")) || has(line, STR_LIT("status=expired")) ||
		has(line, STR_LIT(": fatal: ")) || has(line, STR_LIT(": panic: ")) ||
		has(line, STR_LIT(": error: ")) || has(line, STR_LIT("reject: ")))
		return STYLE_BAD;
	if (has(line, STR_LIT("status=deferred")) || has(line, STR_LIT(": warning: ")))
		return STYLE_WARN;
	return has(line, STR_LIT("status=sent")) ? STYLE_GOOD : STYLE_DIM;
}
