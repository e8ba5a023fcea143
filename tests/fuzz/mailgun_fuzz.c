/* SPDX-License-Identifier: MIT */
/*
 * mailgun_fuzz - any bytes as a body of any of Mailgun's shapes: parsed or refused, never half; rows are within their
 * ranges, and their JSON holds no control byte.
 */
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
	for (int shape = 0; shape < MAILGUN__SHAPES; shape++) {
		ask.shape = (enum mailgun_shape)shape;
		rc = mailgun_parse(&ask, body, &sink, NULL, &error);
		FUZZ_CHECK(rc == 0 || rc == MT_EPROTO);
	}
	return 0;
}
