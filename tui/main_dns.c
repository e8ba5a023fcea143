/* SPDX-License-Identifier: MIT */
/* main_dns - the command `mtatop dns [ADDRESS|DOMAIN]...`: a round of checks now, whatever the cache has. */
#include "backends/names_plan.h"
#include "tui/dns_text.h"
#include "tui/main_session.h"

#include <string.h>

static int check_all(struct session *s, struct names_plan *plan, bool json, struct mt_error *reterr)
{
	struct dns_options o = {
		.servers = conf_text(s->conf, "dns", NULL, "servers"), .clock = &s->clock};
	const struct names_results *results;
	struct names_round *round;
	struct dns *dns;
	int rc = dns_new(&o, &dns, reterr);

	if (rc < 0)
		return rc;
	round = names_round_new(dns, &s->clock, plan->items, plan->n);
	names_round_run(round);
	results = names_round_results(round);
	rc = dns_text_print(stdout, results->rows, results->n, json, &s->clock, reterr);
	names_round_free(round);
	dns_free(dns);
	return rc;
}

int main_dns(struct session *s, struct mt_error *reterr)
{
	bool json = s->args->format && strcmp(s->args->format, "json") == 0;
	struct names_plan plan;
	int rc = 0;

	if (s->args->format && strcmp(s->args->format, "csv") == 0)
		return mt_error_set(reterr, MT_ECONFIG, "dns prints text or json, no csv");
	session_confine(s);
	names_plan_init(&plan);
	for (size_t i = 0; rc == 0 && i < s->args->ntargets; i++)
		rc = names_plan_one(&plan, s->conf, str_of(s->args->targets[i]), reterr);
	if (s->args->ntargets == 0)
		names_plan_own(&plan, s->conf, NULL);
	if (rc == 0)
		rc = check_all(s, &plan, json, reterr);
	names_plan_done(&plan);
	return rc;
}
