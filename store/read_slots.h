/* SPDX-License-Identifier: MIT */
/*
 * read_slots - the counter slots of providers behind a web API within the windows of everybody.
 *
 * A window that looks at slots is widened to whole ones, for all providers it looks at, and says so; a window shorter
 * than a slot leaves that provider out or is served by the differences between polls. Included by read_*.c only.
 */
#ifndef MT_STORE_READ_SLOTS_H
#define MT_STORE_READ_SLOTS_H

#include "store/read_window.h"

/* slots_load - the providers with counter slots, once a snapshot, into r->api. */
int slots_load(struct reader *r, struct mt_error *reterr) MT_MUST_CHECK;
/* slots_of_provider - its entry in r->api, NULL: counted by the minute. After slots_load. */
const struct api_info *slots_of_provider(const struct reader *r, int provider);
/* slots_window - widen w to whole slots of the provider (0: all) and add the segments that hold them. whole: w is all
 * the cache holds, none is left out. */
int slots_window(struct reader *r, int provider, bool whole, struct window *w,
	struct mt_error *reterr) MT_MUST_CHECK;
/* slots_coverage - widen out by what is known of the counters of the provider(s). */
int slots_coverage(struct reader *r, int provider, struct coverage *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* slots_metrics - set of the metrics that every vendor w looks at has of a dimension within w (a sum over some of them
 * would be no figure); those of differences only where they cover w whole. *ret_any: is there such a vendor? */
int slots_metrics(struct reader *r, int provider, const struct window *w, enum bucket_dim dim,
	uint64_t *ret, bool *ret_any, struct mt_error *reterr) MT_MUST_CHECK;
/* slots_covered - is [from_s, to_s) known whole of a dimension (-1: differences) of a provider? */
int slots_covered(struct reader *r, int provider, int dim, int64_t from_s, int64_t to_s, bool *ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* untold_metrics - read_untold.c: set of the metrics that the log of the provider (0: of one of them) does not tell. */
int untold_metrics(
	struct reader *r, int provider, uint64_t *ret, struct mt_error *reterr) MT_MUST_CHECK;

#endif
