/* SPDX-License-Identifier: MIT */
/*
 * opensmtpd/parse - the lines of OpenSMTPD: "SESSION smtp|mta|mda EVENT k=v ..." from 6.0 on, and those of 5.x.
 *
 * Each sets kind and fields of an event whose head is filled, or returns false when it doesn't know the line. Views only.
 * The queue id is the message's (8 hex digits): the first half of its envelopes' ids. Source: log_info() calls of smtpd(8).
 */
#ifndef MT_BACKENDS_OPENSMTPD_PARSE_H
#define MT_BACKENDS_OPENSMTPD_PARSE_H

#include "store/event.h"

/* opensmtpd_line - any line; *ret_accepted: it is a message's arrival, to be told as received and as queued. */
bool opensmtpd_line(struct event *e, struct str text, bool *ret_accepted);
/* opensmtpd_old - 5.x: "relay: Ok for EVPID: ...", "smtp-in: ...". */
bool opensmtpd_old(struct event *e, struct str text, bool *ret_accepted);

/* opensmtpd_fact - one "key=value" pair, brackets and quotes taken off, into the event. */
void opensmtpd_fact(struct event *e, struct str key, struct str value);
/* opensmtpd_result - "Ok", "TempFail" ...: the outcome of an attempt. */
void opensmtpd_result(struct event *e, struct str word);
/* opensmtpd_settle - code and enhanced code out of the reply of an attempt. */
void opensmtpd_settle(struct event *e);

#endif
