/* SPDX-License-Identifier: MIT */
/*
 * store_read_api - what providers behind a web API told, for screens and reports: suppressions, sending IPs and domains,
 * the account, request budgets, what befell a message. Included by store_read.h.
 *
 * Unknown texts are absent, unknown figures EVENT_UNKNOWN. Rows live in the caller's arena.
 */
#ifndef MT_STORE_STORE_READ_API_H
#define MT_STORE_STORE_READ_API_H

#include "store/store_read.h"

struct suppression_row {
	int64_t id;
	int provider;
	enum api_list list;
	struct str scope, address, reason, code;
	int64_t created_ms;
};
#define SUPPRESSIONS_ALL (-1)
/*
 * read_suppressions - rows of one list (or SUPPRESSIONS_ALL) in order of address; after: id of the last row of the page
 * before, 0 first. The text filter finds addresses that begin with it and addresses of a domain that is it (with or
 * without @) among all rows, by index; those that hold it elsewhere, or in their reason, among the first 25,000 rows
 * from there: see reader_truncated.
 */
int read_suppressions(struct reader *r, const struct query *q, int list, int64_t after,
	struct arena *a, struct suppression_row **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;
/* read_suppression - one row; MT_ENOENT. */
int read_suppression(struct reader *r, int64_t id, struct arena *a, struct suppression_row *out,
	struct mt_error *reterr) MT_MUST_CHECK;
struct suppression_counts {
	int64_t n[API_LIST__SUPPRESSIONS]; /* EVENT_UNKNOWN: no provider has told that list */
	int64_t walked_ms; /* end of the oldest complete walk among them; EVENT_UNKNOWN: not all were walked whole yet */
};
int read_suppression_counts(struct reader *r, int provider, struct suppression_counts *out,
	struct mt_error *reterr) MT_MUST_CHECK;

struct sending_ip_row {
	int provider;
	struct str ip, rdns, pools, region;
	int64_t dedicated, enabled, warming, stage, stages, day;
	int64_t limit, limit_per_s, hourly_limit, percent, started_ms, stage_started_ms, t_ms;
};
int read_sending_ips(struct reader *r, const struct query *q, struct arena *a,
	struct sending_ip_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct sending_domain_row {
	int provider;
	struct str name, state, subaccount, disabled, dns_wrong, queue_reason;
	int64_t dns_valid, dns_invalid, dns_unknown, queue_disabled, queue_until_ms, t_ms;
};
int read_sending_domains(struct reader *r, const struct query *q, struct arena *a,
	struct sending_domain_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct account_row {
	int provider;
	struct str name, value;
	int64_t t_ms;
};
int read_account(struct reader *r, const struct query *q, struct arena *a, struct account_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct budget_row {
	int provider;
	struct str endpoint, source, missing, detail;
	int64_t used, limit, remaining, window_s, reset_ms, last_ms, next_ms, requests;
	enum health health;
};
int read_budgets(struct reader *r, const struct query *q, struct arena *a, struct budget_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

struct note_row {
	int64_t t_ms;
	enum api_event_kind kind;
	struct str text;
};
/* read_notes - what befell a message beside attempts, in order of time. */
int read_notes(struct reader *r, int64_t message, struct arena *a, struct note_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;

/* read_vendor_groups - by DIM_MAILBOX, DIM_IP, DIM_TAG, DIM_SUBACCOUNT or DIM_CLASS as vendors tell them, most traffic
 * first; domain holds the name. Figures a vendor does not give by that dimension are EVENT_UNKNOWN. */
int read_vendor_groups(struct reader *r, const struct query *q, enum bucket_dim dim,
	struct arena *a, struct domain_row **ret, size_t *ret_n,
	struct mt_error *reterr) MT_MUST_CHECK;

#include "store/store_read_names.h"

#endif
