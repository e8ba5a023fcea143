/* SPDX-License-Identifier: MIT */
/*
 * api_job - what a screen asks of a vendor's API on demand, in a job's own thread: one request to its end, and the removal of
 * addresses from a suppression list, each logged in the cache with who did it.
 */
#ifndef MT_BACKENDS_API_JOB_H
#define MT_BACKENDS_API_JOB_H

#include "backends/backend.h"
#include "backends/http.h"
#include "store/store_api.h"

struct api_access { /* how a family's API is reached; all borrowed */
	const char *family;
	const char *base; /* URL */
	enum http_auth_kind auth;
	const char *auth_name;
};

struct api_job { /* one connection for the requests of a job */
	struct http *http; /* owned */
	struct secret *key; /* owned */
	struct http_auth auth;
	const struct job_output *out;
	/* of the next request: the content of a POST (JSON); headers a family keeps between its functions, or NULL */
	struct str content;
	const char *const *headers;
	/* the last answer */
	int rc, status;
	struct buf body;
	struct mt_error error;
};

/* api_job_open - with the key and certificates of the instance. End with api_job_close also after a failure. */
int api_job_open(struct api_job *j, const struct api_access *access, const struct instance_def *def,
	const struct job_output *out, struct mt_error *reterr) MT_MUST_CHECK;
void api_job_close(struct api_job *j);
/* api_job_ask - one request to its end: j->rc, status, body and error are its answer. Returns MT_ECANCELED, MT_EINVAL or 0. */
int api_job_ask(struct api_job *j, enum http_method method, const char *path,
	const char *const *headers, struct mt_error *reterr) MT_MUST_CHECK;

/*
 * api_job_remove - JOB_UNSUPPRESS: each address of the request. remove asks for one and returns 0, MT_ENOENT (it was not on
 * the list: taken out of the cache all the same) or an error, with which the rest is left alone. Logged whatever came of it.
 */
typedef int (*api_remove_fn)(struct api_job *j, const struct job_request *request,
	const struct job_id *id, struct mt_error *reterr);
int api_job_remove(struct api_job *j, const struct job_request *request, struct job_output *out,
	api_remove_fn remove_one, struct mt_error *reterr) MT_MUST_CHECK;

#endif
