/* SPDX-License-Identifier: MIT */
/*
 * source - a Mailgun account as a provider: what is asked of it and where the answers go. The files source*.c share the
 * state; the plan itself is backends/api.c's.
 */
#ifndef MT_BACKENDS_MAILGUN_SOURCE_H
#define MT_BACKENDS_MAILGUN_SOURCE_H

#include "backends/api.h"
#include "backends/mailgun/parse.h"
#include "store/base/arena.h"

enum mailgun_endpoint {
	EP_METRICS, /* counters by sending domain and hour, and their sums */
	EP_LOGS, /* failures */
	EP_DOMAINS,
	EP_STATS, /* in place of metrics, where the account has none */
	EP_EVENTS, /* in place of logs */
	EP_PROVIDERS, /* counters by mailbox provider */
	EP_IP_COUNTS, /* counters by sending IP */
	EP_SUPPRESSIONS,
	EP_QUEUES, /* the vendor's sending queue of each domain */
	EP_DNS,
	EP_IPS, /* IPs, pools, warm-up */
	EP_ACCOUNT,
	EP__COUNT
};

#define MAILGUN_DOMAINS_MAX 10000
#define MAILGUN_LISTS 4 /* of suppressions */

struct count_row { /* of an answer, until its last page is there */
	struct str key; /* in rows.arena */
	int64_t start_s;
	enum bucket_dim dim;
	size_t n;
	struct api_figure figures[MAILGUN_FIGURES_MAX];
};

struct count_task { /* one question about counters, over its pages */
	enum bucket_dim dim;
	int set;
	int64_t skip, from_ms, to_ms; /* as asked */
	int64_t range_from_ms, range_to_ms; /* as answered */
	uint64_t asked; /* metrics that were */
	uint64_t unknown; /* metrics of which a row said nothing: not to be zeroed */
	struct api_pager pager;
	struct arena arena;
	struct count_row *rows; /* owned */
	size_t n, cap, odd;
};

struct mailgun {
	struct api api; /* first */
	struct conf_list_view {
		const char *const *names;
		size_t n;
	} only, log_events;
	bool subaccounts;
	char on_behalf_of[200];
	const char *headers[2];
	char **domains; /* owned; as of the last complete list */
	size_t ndomains;
	char **found; /* owned; of the list being read */
	size_t nfound;
	bool domains_known;

	struct count_task counts[3]; /* METRICS, PROVIDERS, IP_COUNTS */
	int64_t counted_ms[3], recounted_ms[3]; /* cursors: last success, last wide window */
	struct count_task stats;
	int64_t stats_counted_ms;

	int64_t log_from_ms, log_to_ms, log_newest_ms, log_seen_ms, log_wide_ms;
	struct api_pager log_pager;
	struct buf log_place;

	size_t at[EP__COUNT]; /* domain, list, phase a round is at */
	size_t list; /* of suppressions */
	struct buf supp_path; /* "" the first page */
	struct api_pager supp_pager;
	bool supp_resumed, supp_begun;
	int64_t walked_ms; /* end of the last complete walk, UTC */
	struct buf ips; /* on warm-up, each ended by '\n' */
	struct api_pager ip_pager;
};

/* The slots of struct api_vendor, each for its endpoints. */
int counts_begin(struct mailgun *m, size_t e); /* source_counts.c */
int counts_next(struct mailgun *m, size_t e, struct api_request *r, struct mt_error *reterr);
int counts_took(
	struct mailgun *m, size_t e, const struct http_reply *reply, struct mt_error *reterr);
int stats_begin(struct mailgun *m);
int stats_next(struct mailgun *m, struct api_request *r);
int stats_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr);
int stats_end(struct mailgun *m, bool complete, struct mt_error *reterr);
void counts_close(struct mailgun *m);

int logs_begin(struct mailgun *m, size_t e); /* source_events.c */
int logs_next(struct mailgun *m, size_t e, struct api_request *r, struct mt_error *reterr);
int logs_took(struct mailgun *m, size_t e, const struct http_reply *reply, struct mt_error *reterr);
int logs_end(struct mailgun *m, bool complete, struct mt_error *reterr);

int suppressions_begin(struct mailgun *m); /* source_lists.c */
int suppressions_next(struct mailgun *m, struct api_request *r, struct mt_error *reterr);
int suppressions_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr);
int suppressions_end(struct mailgun *m, bool complete, struct mt_error *reterr);

int domains_next(struct mailgun *m, struct api_request *r); /* source_account.c */
int domains_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr);
int domains_end(struct mailgun *m, bool complete, struct mt_error *reterr);
int per_domain_next(struct mailgun *m, size_t e, struct api_request *r);
int per_domain_took(
	struct mailgun *m, size_t e, const struct http_reply *reply, struct mt_error *reterr);
int ips_next(struct mailgun *m, struct api_request *r);
int ips_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr);
int ips_end(struct mailgun *m, bool complete, struct mt_error *reterr);
int account_next(struct mailgun *m, struct api_request *r);
int account_took(struct mailgun *m, const struct http_reply *reply, struct mt_error *reterr);
void free_names(char **names, size_t n);

/* mailgun_rows - the sink that puts every row into the store. */
struct mailgun_sink mailgun_rows(struct mailgun *m);
/* mailgun_refused - pass the refusal of a reply on, naming what is asked instead ("" nothing). Returns its class. */
int mailgun_refused(const struct http_reply *reply, const char *instead, struct mt_error *reterr);
/* mailgun_cursor - put one into the batch: name and a number. */
int mailgun_cursor(struct mailgun *m, const char *name, int64_t value, struct mt_error *reterr);
/* mailgun_date - UTC ms as the API wants dates. */
struct str mailgun_date(char at[64], int64_t utc_ms);

extern const struct source_ops mailgun_source;
extern const char *const mailgun_lists[MAILGUN_LISTS]; /* "bounces" ... */
enum mailgun_shape mailgun_list_shape(size_t list);
enum api_list mailgun_api_list(size_t list);

#endif
