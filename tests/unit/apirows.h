/* SPDX-License-Identifier: MIT */
/*
 * apirows - what a SendGrid body parses to, as lines of text that tests compare and look through.
 *
 *   counts total 2015-11-03 requests=0 sent=0 ...      suppression 0 scope address code created reason
 *   event bounced id rcpt t code dsn reply             ip 1.2.3.4 warming=1 day=5 limit=108 pools=a, b
 *   account plan=paid     scope stats.read     subuser name 12     line t what try text
 */
#ifndef MT_TESTS_APIROWS_H
#define MT_TESTS_APIROWS_H

#include "backends/sendgrid/parse.h"
#include "store/base/buf.h"

/* apirows_sink - a sink that appends its lines to out. */
struct sendgrid_sink apirows_sink(struct buf *out);

#endif
