/* SPDX-License-Identifier: MIT */
/*
 * sendmail/queue - the `queue` source of a Sendmail: the server's queue and that of submissions.
 *
 * By the control files where they can be read, else by `mailq -v` and `mailq -v -Ac`. Reads only. A message of the
 * submission queue (sendmail.cf's and submit.cf's are two) is maildrop's; one in quarantine is on hold.
 */
#ifndef MT_BACKENDS_SENDMAIL_QUEUE_H
#define MT_BACKENDS_SENDMAIL_QUEUE_H

#include "backends/queuesource.h"

/* sendmail_lister - for backend_ops.lister, and for those who check identities. */
extern const struct queue_lister sendmail_lister;

#endif
