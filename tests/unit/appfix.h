/* SPDX-License-Identifier: MIT */
/*
 * appfix - the dashboard over made-up panes, a made-up reader and made-up jobs: no cache, no
 * terminal, a clock moved by hand. The panes: alpha and beta are lists of 60 rows, gamma is a tile.
 */
#ifndef MT_TESTS_APPFIX_H
#define MT_TESTS_APPFIX_H

#include "tui/app.h"

#define FIX_APP_NOW_MS 1795435200000 /* 2026-11-23T12:00:00Z */
#define FIX_ROWS 60

struct reader { /* made up; what the app asked of it */
	bool changed;
	int refreshes;
	int whole; /* of these, not stopped by a key */
	bool (*stop)(void *ctx);
	void *stop_ctx;
	bool stopped;
	int grown; /* added to the total of the lists */
	struct query last; /* what the last pane was asked */
	char last_text[64];
};

struct job { /* made up; what the app started last */
	int kind;
	size_t nids;
	char qid[32];
	enum job_state now;
};

struct appfix {
	struct clock clock;
	struct reader reader;
	struct app *a;
	struct buf screen;
};

extern struct job appfix_job;

/* cmocka setup and teardown; *state is a struct appfix at 120x40, read once. */
int appfix_setup(void **state);
int appfix_teardown(void **state);
/* appfix_screen - what is shown, as text; valid until the next call. */
const char *appfix_screen(struct appfix *f);
/* press - a key by name, then a step. type - a text, key by key. sees / sees_not - assert on the screen. */
void press(struct appfix *f, const char *name);
void type(struct appfix *f, const char *text);
void sees(struct appfix *f, const char *text);
void sees_not(struct appfix *f, const char *text);

#endif
