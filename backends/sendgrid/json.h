/* SPDX-License-Identifier: MIT */
/*
 * json - what the parsers of SendGrid's bodies share beside backends/api_json.h: odd rows, arrays, the shapes.
 */
#ifndef MT_BACKENDS_SENDGRID_JSON_H
#define MT_BACKENDS_SENDGRID_JSON_H

#include "backends/api_json.h"
#include "backends/sendgrid/parse.h"

struct parse { /* one body under way */
	const struct sendgrid_ask *ask;
	const struct sendgrid_sink *sink;
	struct sendgrid_result *result;
	struct mt_error *error;
};

/* odd - note a row that could not be read. Returns 0. */
int sendgrid_odd(struct parse *p);
/* seen - note the time of a row. */
void sendgrid_seen(struct parse *p, int64_t t_ms);

typedef int (*row_fn)(struct parse *p, const json_t *row);
/* each_row - every object of an array; others are odd. MT_EPROTO when it is no array. */
int sendgrid_each_row(struct parse *p, const json_t *list, row_fn fn);

/* The shapes, by file. */
int sendgrid_days(struct parse *p, const json_t *root); /* counts.c */
int sendgrid_classes(struct parse *p, const json_t *root);
int sendgrid_suppressions(struct parse *p, const json_t *root); /* rows.c */
int sendgrid_messages(struct parse *p, const json_t *root);
int sendgrid_message(struct parse *p, const json_t *root); /* message.c */
int sendgrid_ips(struct parse *p, const json_t *root); /* account.c */
int sendgrid_warmup(struct parse *p, const json_t *root);
int sendgrid_account(struct parse *p, const json_t *root);
int sendgrid_credits(struct parse *p, const json_t *root);
int sendgrid_reputations(struct parse *p, const json_t *root);

#endif
