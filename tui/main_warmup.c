/* SPDX-License-Identifier: MIT */
/* main_warmup - the commands `mtatop warmup plan|status` and `mtatop alerts`. */
#include "store/base/timefmt.h"
#include "tui/alerts_text.h"
#include "tui/main_session.h"
#include "tui/warmup_text.h"

#include <string.h>

int main_warmup(struct session *s, struct mt_error *reterr)
{
	struct clock clock = s->clock;
	struct warmup_command o = {.cache_path = s->cache_path,
		.plans = &s->warmups,
		.clock = &clock,
		.status = !s->args->what || strcmp(s->args->what, "status") == 0,
		.json = s->args->format && strcmp(s->args->format, "json") == 0,
		.out = stdout};
	int64_t now_ms;

	if (!o.status && strcmp(s->args->what, "plan") != 0)
		return mt_error_set(
			reterr, MT_ECONFIG, "warmup knows plan and status; see man mtatop");
	if (s->args->format && strcmp(s->args->format, "csv") == 0)
		return mt_error_set(reterr, MT_ECONFIG, "warmup prints text or json, no csv");
	if (s->args->fake_now) {
		if (timefmt_parse_when(str_of(s->args->fake_now), clock_utc_ms(&clock), &now_ms) <
			0)
			return mt_error_set(reterr, MT_ECONFIG, "--fake-now: not a time");
		clock = clock_fake(now_ms);
	}
	session_confine(s);
	return warmup_command_run(&o, reterr);
}

int main_alerts(struct session *s, struct mt_error *reterr)
{
	struct alerts_command o = {.cache_path = s->cache_path,
		.clock = &s->clock,
		.json = s->args->format && strcmp(s->args->format, "json") == 0,
		.out = stdout};

	if (s->args->format && strcmp(s->args->format, "csv") == 0)
		return mt_error_set(reterr, MT_ECONFIG, "alerts prints text or json, no csv");
	session_confine(s);
	return alerts_command_run(&o, reterr);
}
