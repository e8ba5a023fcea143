/* SPDX-License-Identifier: MIT */
/* plan_egress - whose mail is a warm-up plan's: by IP, service tag, syslog name or provider, at an instant; and the attempts behind a gate. */
#ifndef MT_STORE_PLAN_EGRESS_H
#define MT_STORE_PLAN_EGRESS_H

#include "store/read_rows.h"
#include "store/warmup.h"

/* From which IP a service tag sends; see table egress. */
struct egress_known {
	int provider;
	struct str tag, ip, note; /* ip absent: not known */
	int64_t since_ms; /* 0: the first that was known */
};
int read_egress(struct reader *r, struct arena *a, struct egress_known **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;

struct plan_egress {
	struct reader *r;
	const struct warmup_plan *plan; /* borrowed */
	struct arena arena;
	struct egress_known *known; /* of table egress */
	size_t nknown;
	struct provider_row *providers;
	size_t nproviders;
	int last_provider; /* the last answer of plan_egress_has, and for how long it holds */
	int64_t last_key, last_since, last_until;
	bool last_answer;
};

/* plan_egress_open - what the snapshot knows; end with plan_egress_done, also on failure. */
int plan_egress_open(struct reader *r, const struct warmup_plan *plan, struct plan_egress *out,
	struct mt_error *reterr) MT_MUST_CHECK;
void plan_egress_done(struct plan_egress *e);
/* plan_egress_has - does what this service (dict id) sent at t belong to the plan? */
int plan_egress_has(struct plan_egress *e, int provider, int64_t service, int64_t t_ms, bool *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* plan_egress_provider - is the whole provider the plan's? plan_egress_ip - this IP by its own name? */
bool plan_egress_provider(const struct plan_egress *e, int provider);
bool plan_egress_ip(const struct plan_egress *e, struct str ip);
/* plan_egress_met - is any tag the cache knows an IP of, now or once, the plan's? */
bool plan_egress_met(const struct plan_egress *e);
/* egress_ip - the IP of a tag at an instant (absent: not known), and from when to when that holds. */
struct str egress_ip(const struct egress_known *known, size_t n, int provider, struct str tag,
	int64_t t_ms, int64_t *ret_since, int64_t *ret_until);
/* egress_one_ip - the IP a tag of any provider sent from all through [from, to); absent: not known, or more than one. */
struct str egress_one_ip(
	const struct egress_known *known, size_t n, struct str tag, int64_t from_ms, int64_t to_ms);

/* plan_attempt - is the attempt one that read_warmup counts for q->plan, and that q's gate is made of? */
int plan_attempt(struct reader *r, const struct query *q, const struct raw_attempt *a, bool *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* plan_attempts_begin - before the first plan_attempt of a query: what the snapshot knows. Held by the reader. */
int plan_attempts_begin(
	struct reader *r, const struct warmup_plan *plan, struct mt_error *reterr) MT_MUST_CHECK;
void plan_attempts_done(struct reader *r);

#endif
