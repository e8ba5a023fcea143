/* SPDX-License-Identifier: MIT */
/*
 * postfix/master - which TCP port a service tag of the log stands for, from master.cf as
 * `postconf -M` and `postconf -P` print it.
 *
 * smtpd never logs its port; the tag (syslog_name "/" program) is all there is. Where two services
 * of different ports share a tag the answer is "ambiguous", with a note that names them: never a guess.
 */
#ifndef MT_BACKENDS_POSTFIX_MASTER_H
#define MT_BACKENDS_POSTFIX_MASTER_H

#include "backends/postfix/config.h"

#define MASTER_ROWS_MAX 256 /* distinct tags; a stock master.cf has 3 */

struct postfix_services {
	struct arena arena; /* owns the texts of rows */
	struct service_row rows[MASTER_ROWS_MAX];
	size_t n;
};

/*
 * postfix_port - number of a port as master.cf writes it: "25", "smtp", "127.0.0.1:10025", "[::1]:submission".
 * Names other than those of mail are looked up in services(5). Returns 1..65535 or EVENT_UNKNOWN.
 */
int32_t postfix_port(struct str service);

/*
 * postfix_master_parse - rows of every tag that serves clients: smtpd and postscreen on inet sockets,
 * and smtpd behind postscreen.
 * services   output of `postconf -M`.   params   output of `postconf -P`; may be empty (Postfix < 2.11), then -o
 * of the services is used.   c   gives syslog_name, smtpd_service_name and wrapper mode where not overridden.
 * Fills *ret (initialised here; end with postfix_services_done). Never fails: what it can't read gives no row.
 */
void postfix_master_parse(struct str services, struct str params, const struct postfix_config *c,
	struct postfix_services *ret);
void postfix_services_done(struct postfix_services *s);

struct postfix_egress {
	struct arena arena; /* owns the texts of rows */
	struct egress_row rows[MASTER_ROWS_MAX];
	size_t n;
};

/* postfix_egress_parse - a row of every tag under which smtp(8) sends; arguments as above. End with postfix_egress_done. */
void postfix_egress_parse(struct str services, struct str params, const struct postfix_config *c,
	struct postfix_egress *ret);
void postfix_egress_done(struct postfix_egress *e);

/* postfix_services - backend_ops.services: of ports, and of sending IPs. */
int postfix_services(
	struct store *store, int provider, const struct instance_def *def, struct mt_error *reterr);

#endif
