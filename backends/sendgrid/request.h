/* SPDX-License-Identifier: MIT */
/* request - what is asked of SendGrid, as method, target and body. Pure; the key and the host are added by others. */
#ifndef MT_BACKENDS_SENDGRID_REQUEST_H
#define MT_BACKENDS_SENDGRID_REQUEST_H

#include "backends/sendgrid/parse.h"
#include "store/base/buf.h"

/* The vendor's largest pages: /v3/suppression 500, /v3/logs 1000; of /v3/stats 500 is the default. */
#define SENDGRID_PAGE_ROWS 500
#define SENDGRID_LOGS_ROWS 1000

struct sendgrid_want {
	enum sendgrid_endpoint endpoint;
	int64_t first_day, last_day; /* statistics: civil days of the account */
	int64_t since_s; /* suppression lists: created at or after; 0 all */
	int64_t from_s, to_s; /* logs, activity: created (or changed) in [from_s, to_s) */
	bool all_states; /* logs: delivered and processed too */
	int64_t subuser_id; /* logs: of this subuser; EVENT_UNKNOWN the key's own */
	size_t offset;
	struct str
		id; /* SENDGRID_LOG: of the message; suppression lists: one address (for removal) */
};

/* sendgrid_request - "GET" or "POST"; target is "/v3/...?..." , body JSON or empty. Both are cleared first. */
const char *sendgrid_request(const struct sendgrid_want *w, struct buf *target, struct buf *body);

/* sendgrid_removal - the target of the DELETE that takes an address off a list; false: not a list that can be changed. */
bool sendgrid_removal(enum api_list list, struct str address, struct buf *target);

#endif
