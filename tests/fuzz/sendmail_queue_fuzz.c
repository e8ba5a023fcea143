/* SPDX-License-Identifier: MIT */
/* sendmail_queue_fuzz - any bytes as a Sendmail queue control file, as `mailq -v`, sendmail.cf, a host's status, an id. */
#include "backends/sendmail/config.h"
#include "backends/sendmail/hoststat.h"
#include "backends/sendmail/listing.h"
#include "backends/sendmail/locks.h"
#include "backends/sendmail/qfile.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1795636800000)

static int row(void *ctx, struct queue_row *r)
{
	const struct sendmail_listing *l = ctx;

	FUZZ_CHECK(r->arrival_ms >= 0 && r->nrcpt == l->rcpts.n && str_present(r->sender) &&
		   r->qid.n > 0);
	return 0;
}

static void listing(struct str text)
{
	struct sendmail_listing l;

	sendmail_listing_init(&l, NOW_MS);
	while (text.n) {
		struct str line = str_first(text, str_find_char(text, '\n'));

		text = str_skip(text, line.n + 1);
		FUZZ_CHECK(sendmail_listing_line(&l, line, row, &l) == 0);
	}
	FUZZ_CHECK(sendmail_listing_end(&l, row, &l) == 0);
	sendmail_listing_done(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sendmail_config config;
	struct str text = str_make((const char *)data, size);
	struct sendmail_qfile q = {.tries = 0};
	struct sendmail_host host;
	struct sendmail_locks locks;

	if (sendmail_qfile_parse(text, &q) == 0)
		FUZZ_CHECK(q.arrival_ms >= 0 && str_present(q.sender) && q.tries >= EVENT_UNKNOWN);
	sendmail_qfile_done(&q);
	listing(text);
	sendmail_config_parse(&config, text);
	FUZZ_CHECK(config.nqueues <= SENDMAIL_QUEUES_MAX);
	sendmail_locks_parse(&locks, text);
	FUZZ_CHECK(!sendmail_locks_has(&locks, 0, 0) || locks.n > 0);
	sendmail_locks_done(&locks);
	(void)sendmail_host_parse(text, &host);
	FUZZ_CHECK(sendmail_run_interval_ms(text) >= EVENT_UNKNOWN);
	(void)sendmail_id_time_ms(text, NOW_MS);
	return 0;
}
