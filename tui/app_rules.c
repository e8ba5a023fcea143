/* SPDX-License-Identifier: MIT */
/*
 * app_rules - the rules that say why replies are given, as the screens have them: loaded at the start, read anew when a
 * person's file changes. A file with a mistake is told with its line; what held before goes on to hold.
 */
#include "tui/app.h"

#define LOOK_MS 1000 /* at most one stat(2) a second */

void app_rules_open(struct app *a)
{
	struct mt_error error = {0};
	const char *path = a->opt.rules_path;

	a->rules_looked_mono_ms = clock_mono_ms(a->opt.clock);
	a->rules_stamp = path ? explain_stamp(path) : 0;
	if (path && explain_load(path, &a->rules, &error) < 0)
		app_message(a, STYLE_WARN, "%s; the built-in rules hold", error.text);
	if (!a->rules && explain_new((struct str){NULL, 0}, "", &a->rules, &error) < 0)
		app_message(a, STYLE_WARN, "%s", error.text);
}

void app_rules_look(struct app *a)
{
	int64_t mono = clock_mono_ms(a->opt.clock);
	struct explain_rules *rules = NULL;
	struct mt_error error = {0};
	uint64_t stamp;

	if (!a->opt.rules_path || mono - a->rules_looked_mono_ms < LOOK_MS)
		return;
	a->rules_looked_mono_ms = mono;
	stamp = explain_stamp(a->opt.rules_path);
	if (stamp == a->rules_stamp)
		return;
	a->rules_stamp = stamp;
	if (explain_load(a->opt.rules_path, &rules, &error) < 0) {
		app_message(a, STYLE_WARN, "%s; the rules before hold", error.text);
		return;
	}
	explain_free(a->rules);
	a->rules = rules;
	app_touch(a);
}
