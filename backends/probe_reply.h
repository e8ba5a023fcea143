/* SPDX-License-Identifier: MIT */
/*
 * probe_reply - an SMTP reply out of the bytes of a stranger (RFC 5321 4.2), and the keywords of one to EHLO. Pure.
 *
 * Everything is capped: bytes of a line, lines of a reply. Bare LF ends a line too. NUL is no SMTP.
 */
#ifndef MT_BACKENDS_PROBE_REPLY_H
#define MT_BACKENDS_PROBE_REPLY_H

#include "store/base/buf.h"

#include <stdint.h>

#define REPLY_LINE_MAX_BYTES 2048 /* RFC 5321 4.5.3.1.5: 512; some servers are longer */
#define REPLY_LINES_MAX 128

enum reply_state { REPLY_MORE, REPLY_DONE, REPLY_BAD };

struct probe_reply { /* zeroed by probe_reply_init */
	struct buf line; /* under way */
	struct buf text; /* of the lines so far without their codes, with LF between; raw bytes */
	int code; /* 0 until the first line is whole */
	unsigned nlines;
	const char *bad; /* of REPLY_BAD: what is wrong */
};

void probe_reply_init(struct probe_reply *r);
void probe_reply_done(struct probe_reply *r);
/* probe_reply_clear - for the next one. */
void probe_reply_clear(struct probe_reply *r);
/* probe_reply_take - bytes as they come; *in is advanced past what belongs to this reply, never into the next. */
enum reply_state probe_reply_take(struct probe_reply *r, struct str *in);

/* What an EHLO reply offers. */
struct reply_keywords {
	bool starttls, auth; /* auth: "AUTH ..." or the older "AUTH=..." */
	bool stars; /* a keyword blanked out with X by a device on the way */
};
void probe_reply_keywords(struct str text, struct reply_keywords *out);
/* probe_reply_starred - is this greeting blanked out ("220 *****************")? */
bool probe_reply_starred(struct str text);
/* probe_reply_first - the first line; probe_reply_name - its first word: the server's name as it gives it, absent when it has
 * none that could be one. */
struct str probe_reply_first(struct str text);
struct str probe_reply_name(struct str text);
/* probe_host_valid - letters, digits, '.', '-', '_' and ':' alone, 1..253 bytes: a host name or an address. */
bool probe_host_valid(struct str host);

#endif
