/* SPDX-License-Identifier: MIT */
/* exim_queue_fuzz - any bytes as an Exim spool header file, as `exim -bpru`, as exim_dumpdb's output; as `smtpctl show queue`. */
#include "backends/exim/header.h"
#include "backends/exim/listing.h"
#include "backends/exim/retry.h"
#include "backends/opensmtpd/listing.h"
#include "tests/fuzz/fuzz.h"

static void header(struct str text)
{
	struct exim_header h = {.nrcpt = 0};
	size_t half = text.n / 2;

	if (exim_header_parse(text, (struct str){NULL, 0}, &h) == 0) {
		FUZZ_CHECK(h.left.n <= h.nrcpt && str_present(h.sender) && h.received_ms >= 0);
		FUZZ_CHECK(h.header_bytes <= (int64_t)text.n);
	}
	/* a journal can only take recipients away */
	if (exim_header_parse(str_first(text, half), str_skip(text, half), &h) == 0)
		FUZZ_CHECK(h.left.n <= h.nrcpt);
	exim_header_done(&h);
}

static void listing(struct str text)
{
	struct exim_listing l;

	exim_listing_init(&l);
	while (text.n) {
		struct str line = str_first(text, str_find_char(text, '\n'));
		int rc = exim_listing_line(&l, line);

		text = str_skip(text, line.n + 1);
		FUZZ_CHECK(rc == 0 || rc == 1);
		if (rc == 1)
			FUZZ_CHECK(l.row.arrival_ms >= 0 && l.row.nrcpt == l.rcpts.n &&
				   str_present(l.row.sender));
	}
	exim_listing_done(&l);
}

static void smtpctl(struct str text)
{
	struct opensmtpd_listing l;
	struct queue_row row;

	opensmtpd_listing_init(&l, 0);
	while (text.n) {
		struct str line = str_first(text, str_find_char(text, '\n'));
		int rc = opensmtpd_listing_line(&l, line, &row);

		FUZZ_CHECK(rc == 0 || (rc == 1 && row.nrcpt > 0 && opensmtpd_is_msgid(row.qid)));
		if (rc == 0)
			text = str_skip(text, line.n + 1);
	}
	FUZZ_CHECK(opensmtpd_listing_end(&l, &row) <= 1);
	opensmtpd_listing_done(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_make((const char *)data, size);
	struct exim_retry retry;
	const struct exim_retry_of of = {
		.id = text, .sender = text, .rcpt = text, .host = text, .ip = text};

	header(text);
	listing(text);
	smtpctl(text);
	exim_retry_init(&retry);
	(void)exim_retry_parse(&retry, text);
	FUZZ_CHECK(exim_retry_next(&retry, &of) >= EVENT_UNKNOWN);
	exim_retry_done(&retry);
	return 0;
}
