/* SPDX-License-Identifier: MIT */
/* job - on demand: the time line of one message, and addresses off a suppression list. */
#include "backends/mailgun/mailgun.h"

#include "backends/api_job.h"
#include "backends/mailgun/parse.h"
#include "backends/mailgun/source.h"
#include "store/base/timefmt.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define KEPT_MS (30 * DAY_MS) /* the longest a plan keeps events */
#define SHORT_MS (3 * DAY_MS) /* what every paid plan keeps */
#define PATH_BYTES 4096
#define LINE_MAX_BYTES 16384
#define PAGE 100
#define PAGES_MAX 20

struct detail {
	struct job_output *out;
	struct str id; /* of the message */
	size_t lines;
	struct buf next;
};

static int open_job(struct api_job *j, const struct instance_def *def, const struct job_output *out,
	struct mt_error *reterr)
{
	const struct api_access access = {.family = "mailgun",
		.base = mailgun_base(out->conf, def->section),
		.auth = HTTP_AUTH_BASIC,
		.auth_name = "api"};

	return api_job_open(j, &access, def, out, reterr);
}

/* behalf - the header that names the subaccount; headers[0] stays NULL without one. */
static void behalf(const struct instance_def *def, const struct job_output *out, char *text,
	size_t max, const char *headers[2])
{
	const char *account = conf_text(out->conf, "mailgun", def->section, "subaccount");

	headers[0] = headers[1] = NULL;
	if (!account[0])
		return;
	snprintf(text, max, "X-Mailgun-On-Behalf-Of: %.150s", account);
	headers[0] = text;
}

static const char *word_of(enum api_event_kind kind)
{
	static const char *const words[API_EVENT__COUNT] = {"", "accepted", "delivered", "deferred",
		"bounced", "suppressed", "opened", "clicked", "unsubscribed", "complained"};

	return words[kind];
}

/* on_event - "2026-11-25 12:04:31  deferred (try 1)  to@b.example  451 4.3.0 later  mx.b.example  [192.0.2.1]". */
static int on_event(void *ctx, const struct api_event *e)
{
	struct detail *d = ctx;
	const struct str more[] = {e->rcpt, e->reply, e->relay};
	struct buf b;
	int rc;

	if (!str_eq(e->message,
		    d->id)) /* the filter is the vendor's; what is shown is checked here */
		return 0;
	buf_init(&b, LINE_MAX_BYTES);
	timefmt_date_clock(&b, e->t_ms);
	(void)buf_printf(&b, "  %s", word_of(e->kind));
	if (e->attempt > 0)
		(void)buf_printf(&b, " (try %d)", e->attempt);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		if (!more[i].n)
			continue;
		(void)buf_add_z(&b, "  ");
		(void)buf_add_str(&b, more[i]);
	}
	if (e->egress.n)
		(void)buf_printf(&b, "  [%.*s]", STR_ARG(e->egress));
	d->lines++;
	rc = d->out->add(d->out->ctx, buf_str(&b), 0);
	buf_done(&b);
	return rc;
}

static int on_next(void *ctx, struct str place)
{
	struct detail *d = ctx;

	return buf_add_str(&d->next, place);
}

static char *question(struct str id, int64_t now_ms, int64_t back_ms, struct str token)
{
	char from[64], to[64], *text;
	json_t *root = json_pack("{s:s,s:s,s:{s:[{s:s,s:s,s:[{s:s%,s:s%}]}]},s:{s:s,s:i}}", "start",
		mailgun_date(from, now_ms - back_ms).p, "end", mailgun_date(to, now_ms).p, "filter",
		"AND", "attribute", "message_id", "comparator", "=", "values", "label", id.p, id.n,
		"value", id.p, id.n, "pagination", "sort", "timestamp:asc", "limit", PAGE);

	if (root && token.n)
		json_object_set_new(json_object_get(root, "pagination"), "token",
			json_stringn(token.p, token.n));
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	return text;
}

static int ask_page(struct api_job *j, struct detail *d, int64_t back_ms,
	const char *const *headers, struct api_pager *pager, bool *ret_more,
	struct mt_error *reterr)
{
	struct clock clock = clock_real();
	struct mailgun_ask ask = {.shape = MAILGUN_LOGS};
	const struct mailgun_sink sink = {.event = on_event, .next = on_next, .ctx = d};
	struct mailgun_result result;
	char *text = question(d->id, clock_utc_ms(&clock), back_ms, buf_str(&d->next));
	int rc;

	*ret_more = false;
	if (!text)
		return mt_error_set(reterr, MT_EINVAL, "no id of a message");
	j->content = str_of(text);
	rc = api_job_ask(j, HTTP_POST, "/v1/analytics/logs", headers, reterr);
	free(text);
	j->content = (struct str){NULL, 0};
	if (rc < 0 || j->rc < 0)
		return rc;
	buf_clear(&d->next);
	rc = mailgun_parse(&ask, buf_str(&j->body), &sink, &result, reterr);
	*ret_more = rc == 0 && pager->pages < PAGES_MAX &&
		    api_pager_next(pager, result.rows,
			    str_make((const char *)&result.mark, sizeof(result.mark)),
			    buf_str(&d->next));
	return rc;
}

static int detail(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct detail d = {.out = out};
	struct api_pager pager;
	struct api_job j;
	char text[200];
	const char *headers[2];
	int64_t back_ms = KEPT_MS;
	bool more = true;
	int rc = open_job(&j, def, out, reterr);

	if (rc == 0 && request->nids != 1)
		rc = mt_error_set(reterr, MT_EINVAL, "one message at a time");
	behalf(def, out, text, sizeof(text), headers);
	buf_init(&d.next, HTTP_PATH_MAX_BYTES);
	api_pager_init(&pager);
	if (rc == 0)
		d.id = request->ids[0].qid;
	while (rc == 0 && more) {
		rc = ask_page(&j, &d, back_ms, headers, &pager, &more, reterr);
		if (rc == 0 && j.rc == MT_EINVAL && back_ms == KEPT_MS) {
			back_ms = SHORT_MS; /* longer ago than the plan keeps */
			more = true;
		} else if (rc == 0 && j.rc < 0) {
			rc = mt_error_set(reterr, j.error.code, "%.200s", j.error.text);
		}
	}
	if (rc == 0 && d.lines == 0)
		rc = mt_error_set(
			reterr, MT_ENOENT, "Mailgun does not know this message (any more)");
	snprintf(out->summary, sizeof(out->summary), "what Mailgun says of the message");
	buf_done(&d.next);
	api_job_close(&j);
	return rc;
}

static int list_index(int list)
{
	for (int i = 0; i < MAILGUN_LISTS; i++)
		if ((int)mailgun_api_list((size_t)i) == list)
			return i;
	return -1;
}

static int remove_one(struct api_job *j, const struct job_request *request, const struct job_id *id,
	struct mt_error *reterr)
{
	int list = list_index(request->list), rc = 0;
	struct buf path;

	if (list < 0)
		return mt_error_set(reterr, MT_ENOTSUP, "addresses of this list can't be removed");
	if (id->sender.n == 0 || id->qid.n == 0)
		return mt_error_set(reterr, MT_EINVAL, "of which domain's list is not known");
	buf_init(&path, PATH_BYTES);
	rc = buf_add_z(&path, "/v3/") | http_escape(&path, id->sender) |
	     buf_printf(&path, "/%s/", mailgun_lists[list]) | http_escape(&path, id->qid);
	if (rc < 0)
		rc = mt_error_set(reterr, MT_EINVAL, "the address is too long");
	else
		rc = api_job_ask(j, HTTP_DELETE, buf_z(&path), j->headers, reterr);
	buf_done(&path);
	if (rc < 0 || j->rc == 0)
		return rc;
	return mt_error_set(reterr, (enum mt_err)j->rc, "%.200s", j->error.text);
}

static int unsuppress(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	struct api_job j;
	char text[200];
	const char *headers[2];
	int rc = open_job(&j, def, out, reterr);

	behalf(def, out, text, sizeof(text), headers);
	j.headers = headers[0] ? headers : NULL;
	if (rc == 0)
		rc = api_job_remove(&j, request, out, remove_one, reterr);
	api_job_close(&j);
	return rc;
}

int mailgun_job(const struct instance_def *def, const struct job_request *request,
	struct job_output *out, struct mt_error *reterr)
{
	if (request->kind == JOB_DETAIL)
		return detail(def, request, out, reterr);
	if (request->kind == JOB_UNSUPPRESS)
		return unsuppress(def, request, out, reterr);
	return mt_error_set(reterr, MT_ENOTSUP, "Mailgun can't do that");
}
