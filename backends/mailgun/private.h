/* SPDX-License-Identifier: MIT */
/* private - one body under way, shared by the parsers of the shapes: counts.c, events.c, lists.c. */
#ifndef MT_BACKENDS_MAILGUN_PRIVATE_H
#define MT_BACKENDS_MAILGUN_PRIVATE_H

#include "backends/api_json.h"
#include "backends/mailgun/parse.h"

struct parse {
	const struct mailgun_ask *ask;
	const struct mailgun_sink *sink;
	struct mailgun_result *result;
	struct mt_error *error;
};

typedef int (*mailgun_row)(struct parse *p, const json_t *row);
/* mailgun_each - every object of an array; others are odd. MT_EPROTO when it is no array. */
int mailgun_each(struct parse *p, const json_t *list, mailgun_row fn);
int mailgun_odd(struct parse *p);
int mailgun_misshaped(struct parse *p, const char *what);
/* mailgun_next - hand on where the next page is, when there is one. */
int mailgun_next(struct parse *p, struct str place);

int mailgun_parse_metrics(struct parse *p, const json_t *root); /* counts.c */
int mailgun_parse_stats(struct parse *p, const json_t *root);
int mailgun_parse_logs(struct parse *p, const json_t *root); /* events.c */
int mailgun_parse_events(struct parse *p, const json_t *root);
extern const char *const mailgun_event_members[]; /* all that these two read, ended by NULL */
int mailgun_parse_suppressions(struct parse *p, const json_t *root); /* lists.c */
int mailgun_parse_domains(struct parse *p, const json_t *root);
int mailgun_parse_domain(struct parse *p, const json_t *root);
int mailgun_parse_queues(struct parse *p, const json_t *root);
int mailgun_parse_ips(struct parse *p, const json_t *root); /* ips.c */
int mailgun_parse_ip(struct parse *p, const json_t *root);
int mailgun_parse_pools(struct parse *p, const json_t *root);
int mailgun_parse_warmups(struct parse *p, const json_t *root);
int mailgun_parse_warmup(struct parse *p, const json_t *root);
int mailgun_parse_limit(struct parse *p, const json_t *root);
int mailgun_parse_me(struct parse *p, const json_t *root);

#endif
