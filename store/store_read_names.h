/* SPDX-License-Identifier: MIT */
/* store_read_names - what a screen reads of checks of own addresses and domains in the DNS; part of store_read.h. */
#ifndef MT_STORE_STORE_READ_NAMES_H
#define MT_STORE_STORE_READ_NAMES_H

#include "store/names.h"

struct name_row { /* a check of an own address or domain (store/names.h), or a change of it */
	int64_t id;
	int check, verdict; /* enum name_check, name_verdict */
	int known; /* the last verdict that was not NAME_CANT; of a change: the one before */
	struct str subject, detail, text, record; /* hold strangers' bytes */
	struct str record_before; /* of a change; absent: not known */
	int64_t ttl_s, t_ms, since_ms;
};
#define NAME_STALE_MS (3 * 3600000) /* nobody looked for so long: nothing is known now */
/* read_names - all checks, by subject; q->text narrows. read_name_changes - of the check of that id, newest first. */
int read_names(struct reader *r, const struct query *q, struct arena *a, struct name_row **ret,
	size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;
int read_name_changes(struct reader *r, int64_t id, int limit, struct arena *a,
	struct name_row **ret, size_t *ret_n, struct mt_error *reterr) MT_MUST_CHECK;
/* What the block lists say of all own addresses. */
struct listings {
	int64_t listed; /* (address, list) pairs: listed, as far as is known last */
	int64_t checked, cant; /* pairs with an answer that is known; without one now */
	int64_t t_ms; /* the oldest look; EVENT_UNKNOWN: there is none */
	struct str first_address, first_list; /* of those listed */
};
int read_listings(struct reader *r, struct arena *a, struct listings *out,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
