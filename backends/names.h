/* SPDX-License-Identifier: MIT */
/*
 * names - checks of own addresses and domains (store/names.h) as pure functions over a view of the DNS, and a round of
 * many of them.
 *
 * A check that lacks an answer says so and is run again later; its rows are added only when it has all. What could not be
 * found out is NAME_CANT, never good or bad.
 */
#ifndef MT_BACKENDS_NAMES_H
#define MT_BACKENDS_NAMES_H

#include "backends/spf.h"
#include "store/names.h"

#define NAMES_OPEN_MAX 64 /* checks under way: each may ask for a hundred names */
#define NAMES_ROUND_MAX_MS 180000 /* what is not known by then can't be checked in this round */
#define NAMES_ITEMS_MAX 20000
#define NAMES_RESULTS_MAX_BYTES (32u << 20)

struct name_item { /* one check; all borrowed */
	enum name_check check;
	struct str subject, detail;
	struct str helo; /* SPF_RESULT: for macros */
};

struct names_results {
	struct name_result *rows; /* owned; their texts in arena */
	size_t n, cap;
	struct arena arena;
	struct buf text; /* scratch */
};
void names_results_init(struct names_results *r);
void names_results_done(struct names_results *r);
/* names_add - a row of the item. detail absent: the item's. The text is made by fmt, cut at 1 KiB. */
void names_add(struct names_results *r, const struct name_item *item, enum name_verdict verdict,
	struct str detail, struct str record, int64_t ttl_s, const char *fmt, ...) MT_PRINTF(7, 8);

/* names_check - false: an answer is missing; nothing was added. */
bool names_check(struct dns_view view, const struct name_item *item, struct names_results *out);
/* The checks by kind; as names_check. */
bool names_dnsbl(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_ptr(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_helo(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_spf(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_spf_result(
	struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_dkim(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_dmarc(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_mx(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_mta_sts(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_tlsrpt(struct dns_view view, const struct name_item *item, struct names_results *out);
bool names_dane(struct dns_view view, const struct name_item *item, struct names_results *out);

/* --- records (pure) --- */
/* names_tag - the value of a tag of a "k=v; k=v" record (RFC 6376 3.2), names compared without case as receivers do. */
bool names_tag(struct str record, const char *name, struct str *ret);
enum name_verdict names_read_dkim(struct str record, struct buf *words);
enum name_verdict names_read_dmarc(struct str record, struct buf *words);
/* names_rsa_bits - size of the modulus of a base64 SubjectPublicKeyInfo or RSAPublicKey (RFC 6376 3.6.1); 0: none. */
unsigned names_rsa_bits(struct str base64);

/* --- a round --- */
struct names_round;
/* names_round_new - over items (borrowed with all they point to until the end). Begins a round of d. Gives. */
struct names_round *names_round_new(
	struct dns *d, const struct clock *clock, const struct name_item *items, size_t n);
void names_round_free(struct names_round *r);
/* names_round_step - what can be done without waiting. true: all is known or given up, see results. */
bool names_round_step(struct names_round *r);
/* names_round_fresh - it is to be stepped again without waiting. */
bool names_round_fresh(const struct names_round *r);
/* names_round_run - to its end: for commands. */
void names_round_run(struct names_round *r);
const struct names_results *names_round_results(const struct names_round *r);

#endif
