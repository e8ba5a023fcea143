/* SPDX-License-Identifier: MIT */
/* main_probe - the command `mtatop probe HOST[:PORT]...`. */
#include "backends/probe_conf.h"
#include "backends/probe_round.h"
#include "tui/main_session.h"
#include "tui/probe_text.h"

#include <stdlib.h>
#include <string.h>

static int add_targets(struct probe_round *round, const struct args *args, struct mt_error *reterr)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < args->ntargets; i++) {
		struct probe_ask ask = {.role = PROBE_ASKED};
		char *host = NULL;

		rc = probe_parse_target(
			str_of(args->targets[i]), OUTBOUND_PORT, &host, &ask.port, reterr);
		ask.host = host;
		ask.implicit = ask.port == PROBE_SUBMISSIONS_PORT;
		if (rc == 0)
			rc = probe_round_add(round, &ask, reterr);
		free(host);
	}
	return rc == MT_EINVAL ? mt_error_set(reterr, MT_ECONFIG, "%s", reterr->text) : rc;
}

static bool all_up(const struct probe_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (results[i].role != PROBE_WITNESS && !probe_up(&results[i]))
			return false;
	return true;
}

int main_probe(struct session *s, bool *ret_up, struct mt_error *reterr)
{
	struct probe_options o = {.clock = &s->clock};
	struct probe_print print = {
		.json = s->args->format && strcmp(s->args->format, "json") == 0, .out = stdout};
	struct probe_round *round = NULL;
	int rc;

	if (s->args->format && strcmp(s->args->format, "csv") == 0)
		return mt_error_set(reterr, MT_ECONFIG, "probe prints text or json, no csv");
	if (s->args->ntargets == 0)
		return mt_error_set(reterr, MT_ECONFIG, "probe what? mtatop probe HOST[:PORT]...");
	session_confine(s);
	probe_conf_options(s->conf, &o);
	o.timeout_ms = s->args->timeout_ms ? s->args->timeout_ms : o.timeout_ms;
	rc = probe_round_new(&o, &round, reterr);
	if (rc == 0)
		rc = add_targets(round, s->args, reterr);
	if (rc == 0)
		rc = probe_set_finish(probe_round_set(round), NULL, NULL, reterr);
	if (rc == 0) {
		print.results = probe_round_results(round, &print.n);
		print.now_ms = clock_utc_ms(&s->clock);
		*ret_up = all_up(print.results, print.n);
		rc = probe_print(&print, reterr);
	}
	probe_round_free(round);
	return rc;
}
