/* SPDX-License-Identifier: MIT */
/*
 * ports - which TCP port a service tag stands for by Postfix's stock master.cf, when nothing better is known.
 *
 * Used by the writer (table service) and the reader (tags that are not in it). Pure; knows no instance's
 * own master.cf: that is PORT_FROM_MASTER and beats this.
 */
#ifndef MT_STORE_PORTS_H
#define MT_STORE_PORTS_H

#include "store/base/str.h"

#include <stdint.h>

/*
 * ports_stock - port of a tag by its stock name.
 * tag           full tag: "postfix/smtpd", "postfix-out/submission/smtpd", "postfix/postscreen".
 * ret_wrapper   may be NULL; 1 implicit TLS, 0 not, EVENT_UNKNOWN when the port is.
 * Returns 25, 465, 587, the port that the tag itself names ("postfix/10025/smtpd", its wrapper unknown), or
 * EVENT_UNKNOWN: a name that Postfix does not ship ("postfix/reinject/smtpd").
 * Source: master(5) as shipped: smtp inet smtpd|postscreen, submission, submissions (3.7), smtps (before).
 */
int32_t ports_stock(struct str tag, int *ret_wrapper);

/* ports_listens - does the last part of the tag name a daemon that takes connections from clients (smtpd,
 * postscreen, qmqpd)? cleanup, pickup, bounce ... have tags too, but no port. */
bool ports_listens(struct str tag);

#endif
