/* SPDX-License-Identifier: MIT */
/* spf_fuzz - any records as SPF, DKIM and DMARC: evaluation ends, within its limits, the same each time. */
#include "backends/names.h"
#include "tests/fuzz/fuzz.h"

#define RECORDS 8
#define WORDS_BYTES 4096
#define NAME_BYTES_MAX 255

/* A world in which every name has one of the input's lines as its record. */
struct world {
	struct str line[RECORDS];
	size_t n;
	struct dns_rr txt, a, mx;
	struct dns_answer answer;
};

static const struct dns_answer *look(void *ctx, struct str name, enum dns_type type)
{
	struct world *w = ctx;
	size_t sum = name.n;

	FUZZ_CHECK(name.n <= 4 * NAME_BYTES_MAX);
	for (size_t i = 0; i < name.n; i++)
		sum += (unsigned char)name.p[i];
	w->answer = (struct dns_answer){.status = DNS_ANSWER, .n = 1, .ttl_s = 60};
	w->txt.data = w->line[sum % w->n];
	w->answer.rr = type == DNS_TXT ? &w->txt : type == DNS_A ? &w->a : &w->mx;
	if (type == DNS_AAAA || sum % 7 == 0)
		w->answer = (struct dns_answer){.status = sum % 5 ? DNS_NXDOMAIN : DNS_SERVFAIL};
	return &w->answer;
}

static void evaluate(struct world *w)
{
	struct dns_view view = {look, w};
	struct spf_request q = {.domain = STR_LIT("x.test"),
		.sender_domain = STR_LIT("x.test"),
		.local = w->line[0],
		.helo = w->line[w->n - 1]};
	struct spf_result one, two;

	FUZZ_CHECK(ip_read(STR_LIT("192.0.2.1"), &q.ip));
	FUZZ_CHECK(spf_check(view, &q, &one) && spf_check(view, &q, &two));
	FUZZ_CHECK(one.code == two.code && one.lookups == two.lookups);
	FUZZ_CHECK(one.lookups <= SPF_LOOKUPS_MAX + 1 && one.voids <= SPF_VOIDS_MAX + 1);
	FUZZ_CHECK(spf_walk(view, q.domain, &one));
	FUZZ_CHECK(one.lookups <= SPF_WALK_MAX + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};
	struct world w = {
		.a = {.data = STR_LIT("\xc0\0\2\1")}, .mx = {.data = STR_LIT("mx.x.test")}};
	struct buf words;

	if (size == 0)
		return 0;
	buf_init(&words, WORDS_BYTES);
	while (w.n < RECORDS && rest.n > 0) {
		struct str line = str_first(rest, str_find_char(rest, '\n'));

		w.line[w.n++] = line;
		rest = str_skip(rest, line.n + 1);
		buf_clear(&words);
		FUZZ_CHECK((unsigned)names_read_dkim(line, &words) < NAME_VERDICT__COUNT);
		buf_clear(&words);
		FUZZ_CHECK((unsigned)names_read_dmarc(line, &words) < NAME_VERDICT__COUNT);
	}
	evaluate(&w);
	buf_done(&words);
	return 0;
}
