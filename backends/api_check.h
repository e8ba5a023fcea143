/* SPDX-License-Identifier: MIT */
/*
 * api_check - what doctor tells of a provider behind a web API: where its key is from, whether the API is reached (name,
 * network, certificate, key), and what the key may do. One request each; blocks.
 */
#ifndef MT_BACKENDS_API_CHECK_H
#define MT_BACKENDS_API_CHECK_H

#include "backends/backend.h"
#include "backends/http.h"

struct api_probe {
	const char *what; /* "counters" */
	enum http_method method;
	const char *path, *body; /* body: of a POST; NULL none */
	const char *needs; /* role or scope, NULL none in particular */
	const char
		*instead; /* what is done without it: "v3 stats are read instead"; NULL nothing */
};

struct api_checked { /* how the family's API is reached; borrowed */
	const char *family, *base, *auth_name;
	enum http_auth_kind auth;
	const char *const *headers; /* of every request, NULL-terminated; may be NULL */
	const struct api_probe *probes; /* the first: that the key may do anything at all */
	size_t n;
};

/* api_check - returns the number of problems told. */
int api_check(const struct conf *conf, const struct instance_def *def,
	const struct api_checked *api, const struct check_report *report);

#endif
