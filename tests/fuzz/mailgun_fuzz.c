/* SPDX-License-Identifier: MIT */
/*
 * mailgun_fuzz - any bytes as a body of one of Mailgun's shapes (their number picks it; all at once cost ten times as much
 * and found no more) and of the one they look like: parsed or refused, never half; rows are within their ranges, their JSON
 * holds no control byte, and what is JSON still is without the members that nobody reads.
 */
#include "backends/api_json.h"
#include "backends/api_members.h"
#include "backends/mailgun/mailgun.h"
#include "backends/mailgun/parse.h"
#include "tests/fuzz/fuzz.h"

#include "store/base/buf.h"

#define OUT_MAX_BYTES (64u << 20)

static int on_counts(void *ctx, const struct mailgun_counts *c)
{
	(void)ctx;
	FUZZ_CHECK((unsigned)c->dim < DIM__COUNT && c->n <= MAILGUN_FIGURES_MAX);
	for (size_t i = 0; i < c->n; i++)
		FUZZ_CHECK(c->figures[i].n >= EVENT_UNKNOWN &&
			   (unsigned)c->figures[i].metric < METRIC__COUNT);
	return 0;
}

static int on_event(void *ctx, const struct api_event *e)
{
	(void)ctx;
	FUZZ_CHECK((unsigned)e->kind < API_EVENT__COUNT && e->t_ms > 0 && e->id.n && e->dsn >= 0);
	FUZZ_CHECK(e->code == EVENT_UNKNOWN || (e->code >= 200 && e->code <= 599));
	FUZZ_CHECK(e->attempt >= EVENT_UNKNOWN && e->size_bytes >= EVENT_UNKNOWN);
	return 0;
}

static int on_suppression(void *ctx, const struct api_suppression *s)
{
	(void)ctx;
	FUZZ_CHECK(s->list < API_LIST__SUPPRESSIONS && s->address.n);
	return 0;
}

static int on_ip(void *ctx, const struct api_ip *ip)
{
	(void)ctx;
	FUZZ_CHECK(ip->ip.n && ip->percent >= EVENT_UNKNOWN && ip->percent <= 100 &&
		   ip->limit >= EVENT_UNKNOWN);
	return 0;
}

/* less - without members of some names. */
static void less(struct str body)
{
	static const char *const names[] = {"items", "id", "message", NULL};
	json_t *all = NULL, *some = NULL;
	struct buf out;

	buf_init(&out, body.n + 1);
	FUZZ_CHECK(api_members(body, names, &out) == 0 && out.n <= body.n);
	if (api_json_body(body, &all, NULL) == 0) {
		FUZZ_CHECK(api_json_body(buf_str(&out), &some, NULL) == 0);
		FUZZ_CHECK(json_typeof(all) == json_typeof(some));
		FUZZ_CHECK(json_equal(json_object_get(all, "id"), json_object_get(some, "id")) ||
			   !json_is_string(json_object_get(all, "id")));
		FUZZ_CHECK(json_array_size(json_object_get(all, "items")) ==
			   json_array_size(json_object_get(some, "items")));
		api_json_done(some);
	}
	api_json_done(all);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf out;
	const struct mailgun_sink sink = {
		.counts = on_counts, .event = on_event, .suppression = on_suppression, .ip = on_ip};
	struct mt_error error = {0};
	struct mailgun_ask ask = {.domain = STR_LIT("a.example"), .ip = STR_LIT("192.0.2.1")};
	struct str body = {(const char *)data, size};
	int rc;

	if (!out.max)
		buf_init(&out, OUT_MAX_BYTES);
	buf_clear(&out);
	rc = mailgun_replay(body, &out, &error);
	FUZZ_CHECK(rc == 0 || error.code != MT_OK);
	for (size_t i = 0; i < out.n; i++)
		FUZZ_CHECK((unsigned char)out.p[i] >= ' ' || out.p[i] == '\n');
	ask.shape = (enum mailgun_shape)(size % MAILGUN__SHAPES);
	rc = mailgun_parse(&ask, body, &sink, NULL, &error);
	FUZZ_CHECK(rc == 0 || rc == MT_EPROTO);
	less(body);
	return 0;
}
