/* SPDX-License-Identifier: MIT */
/*
 * demo_vendor - two made-up vendor accounts for --demo: one with hour counters, one with day counters. What they tell
 * goes through the store's calls for APIs as a real backend's would; no request leaves the machine.
 *
 * Deterministic: the figures follow from the time alone.
 */
#ifndef MT_BACKENDS_DEMO_VENDOR_H
#define MT_BACKENDS_DEMO_VENDOR_H

#include "backends/instances.h"

/* demo_vendors_add - the providers "mailgun" and "sendgrid" of a demo, whose families are in no registry. */
void demo_vendors_add(struct instances *list);

/* demo_vendor_counts / _rows - what the account at now_ms shows: since from_s counters; lists, once a start. */
struct demo_vendor {
	struct store *store;
	int provider, source;
	bool hours; /* like Mailgun; else days, like SendGrid */
};
int demo_vendor_counts(const struct demo_vendor *v, int64_t from_s, int64_t now_ms,
	struct mt_error *reterr) MT_MUST_CHECK;
int demo_vendor_events(const struct demo_vendor *v, int64_t from_ms, int64_t now_ms,
	struct mt_error *reterr) MT_MUST_CHECK;
int demo_vendor_rows(
	const struct demo_vendor *v, int64_t now_ms, struct mt_error *reterr) MT_MUST_CHECK;
/* demo_vendor_budgets - requests used so far, made up from the rounds done. */
int demo_vendor_budgets(const struct demo_vendor *v, int64_t now_ms, int64_t rounds,
	struct mt_error *reterr) MT_MUST_CHECK;
/* demo_vendor_job - backend_ops.job of both: JOB_DETAIL. */
int demo_vendor_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr) MT_MUST_CHECK;
/* demo_hash - the same figure for the same numbers, always. */
uint64_t demo_hash(uint64_t a, uint64_t b);

#endif
