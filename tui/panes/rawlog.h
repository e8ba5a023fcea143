/* SPDX-License-Identifier: MIT */
/*
 * rawlog - raw log lines behind a view: the job that looks for them and how a line is shown.
 *
 * Owns the job; a job that is running goes on while the view is covered. Done by rawlog_done.
 */
#ifndef MT_TUI_PANES_RAWLOG_H
#define MT_TUI_PANES_RAWLOG_H

#include "tui/panes/lines.h"

struct rawlog { /* zeroed at first */
	const struct services *services; /* borrowed; NULL: never asked, or there are none */
	struct job *job; /* owned */
	bool asked, told;
	struct mt_error error; /* why it could not be started */
};

/* rawlog_ask - (again) look for lines; a running job is let finish first: call again then. provider_name is filled in. */
void rawlog_ask(struct rawlog *s, const struct view *v, const struct job_request *request);
bool rawlog_asked(const struct rawlog *s);
/* rawlog_running - the job is still at it. */
bool rawlog_running(const struct rawlog *s);
/* rawlog_result - lines found so far done; NULL while running, failed (why is set) or never asked. */
const struct job_line *rawlog_result(const struct rawlog *s, size_t *ret_n, const char **why);
/* rawlog_lines - the lines, or why there are none, as a section of a page. */
void rawlog_lines(struct rawlog *s, struct lines *l);
/* rawlog_detail - the same of JOB_DETAIL: what a vendor says of the message. */
void rawlog_detail(struct rawlog *s, struct lines *l);
/* rawlog_failed - the words of a job that failed; NULL: it did not. rawlog_summary - the sentence of one that is done. */
const char *rawlog_failed(struct rawlog *s);
const char *rawlog_summary(const struct rawlog *s);
/* rawlog_tick - a pane's tick: true once when the job has ended. */
bool rawlog_tick(struct rawlog *s);
void rawlog_done(struct rawlog *s);
/* rawlog_style - how bad a line of a mail log is, by its words. */
enum style rawlog_style(struct str line);
/* view_provider_name - of an id; absent when it is unknown. */
struct str view_provider_name(const struct view *v, int provider);

#endif
