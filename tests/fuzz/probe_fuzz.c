/* SPDX-License-Identifier: MIT */
/*
 * probe_fuzz - any bytes as replies of an SMTP server, as a target and as a certificate: what is taken keeps its promises (codes and
 * names in their range, caps held), the rest is refused; and the same bytes in two pieces give the same replies.
 */
#include "backends/probe.h"
#include "backends/probe_cert.h"
#include "backends/probe_reply.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* How the replies in the bytes end, and a sum over them. */
static uint64_t replies(struct str all, size_t cut)
{
	struct str part[2] = {str_first(all, cut), str_skip(all, cut)};
	struct probe_reply r;
	uint64_t sum = 0;
	bool bad = false;

	probe_reply_init(&r);
	for (int i = 0; i < 2 && !bad; i++) {
		while (part[i].n && !bad) {
			enum reply_state state = probe_reply_take(&r, &part[i]);
			struct reply_keywords k;

			FUZZ_CHECK(r.nlines <= REPLY_LINES_MAX && r.line.n <= REPLY_LINE_MAX_BYTES);
			FUZZ_CHECK(state != REPLY_BAD || r.bad);
			bad = state == REPLY_BAD;
			if (state == REPLY_MORE)
				FUZZ_CHECK(part[i].n == 0);
			if (state != REPLY_DONE)
				continue;
			FUZZ_CHECK(r.code >= 200 && r.code < 600 && r.nlines > 0);
			probe_reply_keywords(buf_str(&r.text), &k);
			FUZZ_CHECK(!str_present(probe_reply_name(buf_str(&r.text))) ||
				   probe_host_valid(probe_reply_name(buf_str(&r.text))));
			sum = sum * 31 + (uint64_t)r.code + r.text.n + k.starttls + 2u * k.auth +
			      4u * k.stars + 8u * probe_reply_starred(buf_str(&r.text));
			probe_reply_clear(&r);
		}
	}
	sum = sum * 2 + bad;
	probe_reply_done(&r);
	return sum;
}

static void certificate(struct str bytes)
{
	struct probe_cert c;

	if (probe_cert_read(&c, bytes, STR_LIT("mx.example.com"), NULL) == 0) {
		FUZZ_CHECK(c.names.n <= CERT_NAMES_SHOWN_BYTES);
		FUZZ_CHECK(memchr(c.names.n ? c.names.p : "x", '\0', c.names.n ? c.names.n : 1) ==
			   NULL);
	}
	probe_cert_done(&c);
}

static void target(struct str text)
{
	char *host = NULL;
	int port = 0;

	if (probe_parse_target(text, 25, &host, &port, NULL) == 0)
		FUZZ_CHECK(probe_host_valid(str_of(host)) && port > 0 && port < 65536 &&
			   host[0] != '-');
	free(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = {(const char *)data, size};
	size_t cut = size ? data[0] * size / 256 : 0;

	FUZZ_CHECK(replies(all, cut) == replies(all, size));
	certificate(all);
	target(all);
	return 0;
}
