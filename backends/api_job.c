/* SPDX-License-Identifier: MIT */
/* api_job - see api_job.h. */
#include "backends/api_job.h"

#include "backends/actor.h"
#include "backends/keys.h"

#include <stdio.h>

#define BODY_MAX_BYTES (8u << 20) /* of one message or a removal */
#define ADDRESSES_MAX_BYTES 65536 /* what the log of actions keeps */

int api_job_open(struct api_job *j, const struct api_access *access, const struct instance_def *def,
	const struct job_output *out, struct mt_error *reterr)
{
	struct http_options o = {.base = access->base, .ca_file = def->ca_path, .connections = 1};
	int rc;

	*j = (struct api_job){.out = out};
	buf_init(&j->body, BODY_MAX_BYTES);
	rc = key_find(out->conf, access->family, def->section, &j->key, NULL, reterr);
	j->auth = (struct http_auth){access->auth, access->auth_name, j->key};
	return rc < 0 ? rc : http_new(&o, &j->http, reterr);
}

void api_job_close(struct api_job *j)
{
	http_free(j->http);
	secret_free(j->key);
	buf_done(&j->body);
}

static void answered(void *ctx, const struct http_reply *reply)
{
	struct api_job *j = ctx;

	j->rc = reply->rc;
	j->status = reply->status;
	j->error = reply->error;
	if (buf_add_str(&j->body, reply->body) < 0 && j->rc == 0)
		j->rc = mt_error_set(&j->error, MT_ELIMIT, "the answer is too long");
}

int api_job_ask(struct api_job *j, enum http_method method, const char *path,
	const char *const *headers, struct mt_error *reterr)
{
	const struct http_request r = {.method = method,
		.path = path,
		.auth = &j->auth,
		.headers = headers,
		.body = j->content,
		.body_max_bytes = BODY_MAX_BYTES,
		.done = answered,
		.ctx = j};
	int rc;

	buf_clear(&j->body);
	j->rc = j->status = 0;
	rc = http_start(j->http, &r, reterr);
	return rc < 0 ? rc : http_finish(j->http, j->out->canceled, j->out->ctx, reterr);
}

static int log_action(
	const struct job_request *request, const struct job_output *out, struct mt_error *reterr)
{
	char user[ACTOR_MAX_BYTES];
	struct action_row row = {.user = user,
		.verb = "take off the list",
		.asked = out->asked,
		.done = out->done,
		.result = out->summary};
	struct buf addresses;
	int rc;

	actor_name(user, sizeof(user));
	buf_init(&addresses, ADDRESSES_MAX_BYTES);
	for (size_t i = 0; i < request->nids && addresses.err == MT_OK; i++) {
		if (i)
			(void)buf_add_char(&addresses, ' ');
		(void)buf_add_str(&addresses, request->ids[i].qid);
	}
	row.qids = buf_str(&addresses);
	rc = store_action_at(out->cache_path, request->provider, &row, reterr);
	buf_done(&addresses);
	return rc;
}

int api_job_remove(struct api_job *j, const struct job_request *request, struct job_output *out,
	api_remove_fn remove_one, struct mt_error *reterr)
{
	struct mt_error log_error = {0};
	int64_t absent = 0;
	int rc = 0, logged;

	if (!out->cache_path)
		return mt_error_set(
			reterr, MT_ENOTSUP, "without a cache to log it in nothing is removed");
	out->asked = (int64_t)request->nids;
	out->done = 0;
	for (size_t i = 0; i < request->nids && rc == 0; i++) {
		const struct job_id *id = &request->ids[i];

		rc = remove_one(j, request, id, reterr);
		absent += rc == MT_ENOENT;
		out->done += rc == 0;
		if (rc == 0 || rc == MT_ENOENT)
			rc = store_api_unsuppressed_at(out->cache_path, request->provider,
				(enum api_list)request->list, id->sender, id->qid, reterr);
	}
	snprintf(out->summary, sizeof(out->summary), "%lld of %lld taken off the list%s%s%.80s",
		(long long)out->done, (long long)out->asked,
		absent ? ", the rest was not on it" : "", rc < 0 ? "; " : "",
		rc < 0 && reterr ? reterr->text : "");
	logged = log_action(request, out, &log_error);
	if (rc == 0 && logged < 0)
		rc = mt_error_set(reterr, (enum mt_err)logged, "%s, but not logged: %.100s",
			out->summary, log_error.text);
	return rc;
}
