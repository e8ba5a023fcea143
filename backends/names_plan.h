/* SPDX-License-Identifier: MIT */
/*
 * names_plan - what is to be checked: own addresses and domains from the configuration, the cache and the machine.
 */
#ifndef MT_BACKENDS_NAMES_PLAN_H
#define MT_BACKENDS_NAMES_PLAN_H

#include "backends/names.h"
#include "store/base/conf.h"
#include "store/store_write.h"

#define NAMES_ADDRESSES_MAX 256
#define NAMES_DOMAINS_MAX 1000

struct names_plan {
	struct arena arena; /* owns all texts */
	struct name_item *items; /* owned */
	size_t n, cap;
	struct str addresses[NAMES_ADDRESSES_MAX];
	size_t naddresses;
	struct str *domains; /* owned */
	size_t ndomains;
	struct str helo; /* empty: not known */
};

void names_plan_init(struct names_plan *p);
void names_plan_done(struct names_plan *p);
/* names_plan_own - all that is ours: [dns] of conf, what mail servers told (store; NULL: none), else this machine's. */
void names_plan_own(struct names_plan *p, const struct conf *conf, struct store *store);
/* names_plan_one - one more address or domain, with what else is known of ours. MT_EINVAL: neither. */
int names_plan_one(struct names_plan *p, const struct conf *conf, struct str subject,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
