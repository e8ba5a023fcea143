/* SPDX-License-Identifier: MIT */
/* probe_round - see probe_round.h. */
#include "backends/probe_round.h"

#include "store/base/arena.h"
#include "store/base/mem.h"

#include <stdlib.h>

#define ARENA_MAX_BYTES (16u << 20)
#define RESULTS_MAX 1024
#define SUBMISSION_PORT 587
#define HTTPS_PORT 443

struct place {
	struct str host;
	int port;
};

struct probe_round {
	struct probe_set *set; /* owned */
	struct arena arena; /* of strings */
	struct probe_result *results; /* owned */
	struct place *places; /* owned; all that were added */
	size_t nresults, nplaces;
};

static bool known(const struct probe_round *r, struct str host, int port)
{
	for (size_t i = 0; i < r->nplaces; i++)
		if (r->places[i].port == port && str_ieq(r->places[i].host, host))
			return true;
	return false;
}

int probe_round_add(struct probe_round *r, const struct probe_ask *ask, struct mt_error *reterr)
{
	int rc;

	if (known(r, str_of(ask->host), ask->port))
		return 0;
	if (r->nplaces == RESULTS_MAX)
		return mt_error_set(reterr, MT_ELIMIT, "more than %d targets", RESULTS_MAX);
	rc = probe_set_add(r->set, ask, reterr);
	if (rc < 0)
		return rc;
	r->places[r->nplaces++] =
		(struct place){arena_str(&r->arena, str_of(ask->host)), ask->port};
	return 0;
}

static void compare_with(struct probe_round *r, const struct probe_result *result, int port)
{
	char *host = xmemdup(result->host.p, result->host.n);
	const struct probe_ask ask = {.host = host, .port = port, .role = PROBE_WITNESS};
	struct mt_error ignored;

	(void)!probe_round_add(r, &ask, &ignored);
	free(host);
}

static bool wants_witness(const struct probe_result *r)
{
	return r->port == OUTBOUND_PORT && r->role != PROBE_OWN && r->role != PROBE_WITNESS &&
	       (r->outcome == PROBE_TIMEOUT || r->outcome == PROBE_REJECTED ||
		       r->outcome == PROBE_REFUSED || r->outcome == PROBE_SILENT);
}

static void keep(void *ctx, const struct probe_result *result)
{
	struct probe_round *r = ctx;
	struct probe_result copy = *result;
	struct str *const texts[] = {&copy.host, &copy.address, &copy.greeting, &copy.greeting_name,
		&copy.tls, &copy.cipher, &copy.subject, &copy.issuer, &copy.names, &copy.detail,
		&copy.transcript};

	if (r->nresults == RESULTS_MAX)
		return;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = arena_str(&r->arena, *texts[i]);
	r->results[r->nresults++] = copy;
	if (wants_witness(result)) {
		compare_with(r, result, SUBMISSION_PORT);
		compare_with(r, result, HTTPS_PORT);
	}
}

int probe_round_new(
	const struct probe_options *o, struct probe_round **ret, struct mt_error *reterr)
{
	struct probe_round *r = xcalloc(1, sizeof(*r));
	struct probe_options own = *o;
	int rc;

	own.done = keep;
	own.ctx = r;
	arena_init(&r->arena, ARENA_MAX_BYTES);
	r->results = xcalloc(RESULTS_MAX, sizeof(r->results[0]));
	r->places = xcalloc(RESULTS_MAX, sizeof(r->places[0]));
	rc = probe_set_new(&own, &r->set, reterr);
	if (rc < 0) {
		probe_round_free(r);
		return rc;
	}
	*ret = r;
	return 0;
}

void probe_round_free(struct probe_round *r)
{
	if (!r)
		return;
	probe_set_free(r->set);
	arena_done(&r->arena);
	free(r->results);
	free(r->places);
	free(r);
}

struct probe_set *probe_round_set(struct probe_round *r)
{
	return r->set;
}

const struct probe_result *probe_round_results(const struct probe_round *r, size_t *ret_n)
{
	*ret_n = r->nresults;
	return r->results;
}
