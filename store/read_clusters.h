/* SPDX-License-Identifier: MIT */
/* read_clusters - what read_clusters.c (counts of buckets) and read_clusters_rows.c (counts of rows) share. */
#ifndef MT_STORE_READ_CLUSTERS_H
#define MT_STORE_READ_CLUSTERS_H

#include "store/base/map.h"
#include "store/plan_egress.h"

struct cluster_info { /* a row of table cluster, or what the rules say of a record; strings in the arena */
	int64_t id, reply, code, mailbox, relay, first_ms, last_ms;
	enum smtp_stage stage;
	enum explain_category category;
	enum explain_cause cause;
	enum explain_side side;
	bool refusal, suppressed;
	struct str args, rule;
	int64_t group; /* number of its group; -1 none */
	int64_t n; /* counted */
};

struct cluster_group {
	struct cluster_row row;
	int64_t best; /* n of the signature that stands for it */
	int64_t reply, relay; /* dict ids of that */
	struct str args;
};

struct clusters {
	struct reader *r;
	const struct query *q;
	enum cluster_by by;
	const struct explain_rules *rules;
	struct arena *a;
	struct rows groups; /* struct cluster_group */
	struct map index; /* key of a group -> number + 1 */
	struct rows infos; /* struct cluster_info */
	struct map info_of; /* cluster id, or what tells records apart -> number + 1 */
	struct map hits; /* group and domain, or egress, met */
	struct egress_known *known; /* from which IPs tags send; in the arena */
	size_t nknown;
	struct mt_error *reterr;
};

struct cluster_counts {
	int64_t deferred, bounced, rejected;
};

/* clusters_key - the group of a signature, by one of the groupings that have reasons. */
int64_t clusters_key(const struct cluster_info *info, enum cluster_by by);
/* clusters_group - number of the group of a key, made if new and asked for; -1. */
int64_t clusters_group(struct clusters *c, int64_t key, bool make);
struct cluster_group *clusters_at(const struct clusters *c, int64_t number);
/* clusters_join - the group a signature belongs to: sets info->group; -1 when the query stays in another. */
int clusters_join(struct clusters *c, struct cluster_info *info) MT_MUST_CHECK;
/* clusters_add - counts of a signature (info), or of a key alone (NULL), to its group. */
void clusters_add(
	struct cluster_group *g, struct cluster_info *info, const struct cluster_counts *n);
/* clusters_of_rows - count the rows of the window. clusters_hits - how many domains and egress each group hit. */
int clusters_of_rows(struct clusters *c, const struct window *w) MT_MUST_CHECK;
int clusters_hits(struct clusters *c, const struct window *w) MT_MUST_CHECK;

#endif
