/* SPDX-License-Identifier: MIT */
/*
 * sendgrid_fuzz - any bytes as a body of any of SendGrid's endpoints (the first byte picks it): refused or rows whose
 * figures are in range and whose texts are as short as promised; the same bytes give the same rows.
 */
#include "backends/sendgrid/parse.h"
#include "backends/sendgrid/show.h"
#include "tests/fuzz/fuzz.h"

struct seen {
	size_t rows;
};

static int counts(void *ctx, const struct sendgrid_counts *c)
{
	FUZZ_CHECK(c->n <= SENDGRID_FIGURES_MAX && (c->dim == DIM_TOTAL) == (c->key.n == 0));
	for (size_t i = 0; i < c->n; i++)
		FUZZ_CHECK(c->figures[i].n >= 0 && c->figures[i].metric < METRIC__COUNT);
	((struct seen *)ctx)->rows++;
	return 0;
}

static int event(void *ctx, const struct api_event *e)
{
	FUZZ_CHECK((unsigned)e->kind < API_EVENT__COUNT && e->id.n && e->message.n && e->t_ms > 0);
	FUZZ_CHECK(e->code == EVENT_UNKNOWN || (e->code >= 200 && e->code <= 599));
	FUZZ_CHECK(e->reply.n <= 4000 && e->subject.n <= 4000 && e->rcpt.n <= 320);
	((struct seen *)ctx)->rows++;
	return 0;
}

static int suppression(void *ctx, const struct api_suppression *s)
{
	FUZZ_CHECK(s->list < API_LIST__SUPPRESSIONS && s->address.n && s->address.n <= 320);
	FUZZ_CHECK(s->created_ms == EVENT_UNKNOWN || s->created_ms > 0);
	((struct seen *)ctx)->rows++;
	return 0;
}

static int ip(void *ctx, const struct api_ip *row)
{
	FUZZ_CHECK(
		row->ip.n && row->ip.n <= 45 && row->warming >= EVENT_UNKNOWN && row->warming <= 1);
	FUZZ_CHECK(row->day >= EVENT_UNKNOWN && row->limit >= EVENT_UNKNOWN);
	((struct seen *)ctx)->rows++;
	return 0;
}

static size_t parse(int endpoint, struct str body)
{
	struct seen seen = {0};
	struct sendgrid_ask ask = {
		.endpoint = (enum sendgrid_endpoint)endpoint, .fetched_ms = INT64_C(1767323045000)};
	struct sendgrid_sink sink = {.counts = counts,
		.event = event,
		.suppression = suppression,
		.ip = ip,
		.ctx = &seen};
	struct sendgrid_result r;
	struct mt_error error = {0};
	int rc = sendgrid_parse(&ask, body, &sink, &r, &error);

	FUZZ_CHECK(rc == 0 || rc == MT_EPROTO);
	FUZZ_CHECK(rc == 0 || error.text[0]);
	return seen.rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = {(const char *)data + 1, size ? size - 1 : 0};
	struct mt_error error = {0};
	char words[40];
	struct buf out;
	int endpoint = size ? data[0] % SENDGRID__ENDPOINTS : 0;

	if (size == 0)
		return 0;
	FUZZ_CHECK(parse(endpoint, body) == parse(endpoint, body));
	sendgrid_refusal(body, words, sizeof(words));
	FUZZ_CHECK(strlen(words) < sizeof(words));
	buf_init(&out, 1u << 20);
	(void)!sendgrid_show(body, &out, &error);
	buf_done(&out);
	return 0;
}
