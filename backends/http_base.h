/* SPDX-License-Identifier: MIT */
/* http_base - the base URL of an API, and the words of an answer that is an error; for http.c alone. */
#ifndef MT_BACKENDS_HTTP_BASE_H
#define MT_BACKENDS_HTTP_BASE_H

#include "backends/http.h"

struct http_base { /* strings owned */
	char *origin; /* "https://api.mailgun.net" */
	char *path; /* "" or "/prefix" */
	char *host; /* for texts: with port */
	bool tls;
};

/* http_base_parse - see http_new. *ret is to be ended with http_base_done also on failure. */
int http_base_parse(const char *url, struct http_base *ret, struct mt_error *reterr) MT_MUST_CHECK;
void http_base_done(struct http_base *b);

/* http_base_refused - fill reply->error from its rc, status and body: what it says for itself, be it JSON (also with
 * mistakes), text or nothing; HTML is not quoted. shown: host and path. */
void http_base_refused(struct http_reply *reply, const char *shown);

/* http_auth_line - the header that proves who asks ("Authorization: Bearer ..."): wipe it after use. */
void http_auth_line(char *out, size_t max, const struct http_auth *auth);

#endif
