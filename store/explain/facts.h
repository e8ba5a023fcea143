/* SPDX-License-Identifier: MIT */
/* facts - what a reply text says about itself: codes, stage, who said it, and the words proper. Pure. */
#ifndef MT_STORE_EXPLAIN_FACTS_H
#define MT_STORE_EXPLAIN_FACTS_H

#include "store/event.h"

struct reply_facts {
	int32_t dsn, code; /* 0 none; dsn as DSN_MAKE */
	enum smtp_stage stage;
	struct str host; /* without [ip]; absent when the text does not say */
	struct str words; /* without "host X said:" before and "(in reply to X command)" behind */
};

/* facts_of - views into text. Time: in proportion to its length. */
void facts_of(struct str text, struct reply_facts *out);
/* facts_dsn - a word that is an enhanced code, as DSN_MAKE; 0 else (RFC 3463 2: class 2, 4, 5, parts of 1 to 3 digits). */
int32_t facts_dsn(struct str word);

#endif
