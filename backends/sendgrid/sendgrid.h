/* SPDX-License-Identifier: MIT */
/*
 * sendgrid - the insides of the SendGrid source, shared by its files only.
 *
 * A round of an endpoint asks for every account in turn, page after page. What an answer holds goes into the current
 * batch with the cursor that says it was had: kill -9 repeats questions and loses nothing.
 */
#ifndef MT_BACKENDS_SENDGRID_SENDGRID_H
#define MT_BACKENDS_SENDGRID_SENDGRID_H

#include "backends/api.h"
#include "backends/sendgrid/request.h"
#include "backends/sendgrid/slices.h"
#include "backends/sendgrid/daily.h"

#define SENDGRID_SECTION "sendgrid"
#define SENDGRID_ACCOUNTS_MAX 1000 /* the key's own and its subusers */
#define SENDGRID_NAME_MAX_BYTES 200
#define SENDGRID_LISTS 5 /* SENDGRID_BOUNCES to SENDGRID_UNSUBSCRIBES */

struct list_cursor {
	int64_t since_s; /* the newest row of the last complete walk; 0 none */
	int64_t full_ms; /* when the whole list was last walked; 0 never */
};

struct account { /* one whose figures are asked for: [0] is the key's own */
	char *name; /* owned; "" the key's own */
	char *header; /* owned; "on-behalf-of: NAME", NULL for the key's own */
	int64_t id; /* number of the subuser, EVENT_UNKNOWN until it is told */
	struct list_cursor lists[SENDGRID_LISTS];
	struct slices logs;
};

struct walk { /* the round of one endpoint */
	size_t account; /* whose turn it is */
	size_t offset; /* of the next page */
	struct api_pager pager;
	bool begun; /* this account's list has been begun */
	/* statistics */
	struct daily sums;
	int64_t day, first_day, last_day;
	int64_t answer_first_day, answer_last_day; /* of the pages of one account */
	int64_t wide_day; /* the day a longer stretch was last asked for; 0 never */
	/* lists */
	bool full; /* over the whole list */
	int64_t newest_ms;
	/* logs */
	int64_t from_s, to_s;
	/* of the round */
	size_t refused; /* accounts whose figures were refused */
	char refusal[120]; /* of the first of them */
};

struct sendgrid {
	struct api api; /* first */
	struct api_vendor vendor;
	struct api_endpoint endpoints[SENDGRID__ENDPOINTS]; /* with the intervals configured */
	struct zone zone;
	struct account *accounts; /* owned */
	size_t naccounts;
	struct walk walk[SENDGRID__ENDPOINTS];
	const char *headers[2]; /* of the request being made */
	bool granted[SENDGRID__ENDPOINTS];
	bool scopes_known, subusers_known, all_subusers;
	bool all_states; /* logs of delivered messages too */
	int64_t history_ms, full_walk_ms;
};

/* walk.c: what to ask */
int sendgrid_begin(struct api *a, size_t e);
int sendgrid_next(struct api *a, size_t e, struct api_request *r, struct mt_error *reterr);
void sendgrid_next_account(struct sendgrid *s, struct walk *w);
bool sendgrid_is_list(size_t e);
bool sendgrid_is_round(size_t e); /* figures of all accounts added up */
bool sendgrid_is_logs(size_t e);

/* answer.c: what came */
int sendgrid_took(struct api *a, size_t e, const struct http_reply *reply, struct mt_error *reterr);
int sendgrid_end(struct api *a, size_t e, bool complete, struct mt_error *reterr);

/* accounts.c */
int sendgrid_accounts_open(
	struct sendgrid *s, const char *section, struct mt_error *reterr) MT_MUST_CHECK;
void sendgrid_accounts_close(struct sendgrid *s);
/* sendgrid_account_found - the vendor named a subuser: its number; with subusers = * a new account. */
void sendgrid_account_found(struct sendgrid *s, struct str name, int64_t id);
/* sendgrid_cursor_save - where endpoint e of an account stands, into the batch. */
int sendgrid_cursor_save(
	struct sendgrid *s, size_t e, size_t account, struct mt_error *reterr) MT_MUST_CHECK;

#endif
