/* SPDX-License-Identifier: MIT */
/*
 * http_fuzz - any bytes as a header, a date, the address of a next page, a base URL and an error body: what is taken keeps
 * its promises (a wait is within its cap, a path leads nowhere else), the rest is refused.
 */
#include "backends/http.h"
#include "backends/http_base.h"
#include "tests/fuzz/fuzz.h"

#include "store/base/mem.h"

#include <string.h>

#define NOW_MS INT64_C(1795435200000)

static void limits(struct str line)
{
	struct http_limit l;

	http_limit_init(&l);
	http_limit_header(&l, line, NOW_MS);
	FUZZ_CHECK(l.limit >= HTTP_UNKNOWN && l.remaining >= HTTP_UNKNOWN &&
		   l.reset_ms >= HTTP_UNKNOWN);
	FUZZ_CHECK(l.wait_ms >= HTTP_UNKNOWN && l.wait_ms <= HTTP_WAIT_MAX_MS);
}

static void next_page(struct str url)
{
	static const struct str prefix = STR_INIT("/v3/d/");
	struct buf path;

	buf_init(&path, HTTP_PATH_MAX_BYTES);
	if (http_reroot(url, prefix, &path, NULL) == 0) {
		FUZZ_CHECK(str_starts(buf_str(&path), prefix));
		for (size_t i = 0; i < path.n; i++)
			FUZZ_CHECK(
				(unsigned char)path.p[i] > ' ' && (unsigned char)path.p[i] < 0x7f);
	}
	buf_done(&path);
}

static void date(struct str text)
{
	struct buf out;
	int64_t ms, again;

	if (!http_date_ms(text, &ms) || ms < 0)
		return;
	buf_init(&out, 100);
	FUZZ_CHECK(http_date(&out, ms) == 0);
	FUZZ_CHECK(http_date_ms(buf_str(&out), &again) && again == ms);
	buf_done(&out);
}

static void base(const char *url)
{
	struct http_base b;

	if (http_base_parse(url, &b, NULL) == 0)
		FUZZ_CHECK(strncmp(b.origin, b.tls ? "https://" : "http://", b.tls ? 8 : 7) == 0 &&
			   !strchr(b.origin, '@') && !strchr(b.path, '?'));
	http_base_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = {(const char *)data, size};
	struct http_reply r = {.status = size ? 200 + data[0] * 2 : 404, .body = all};
	char *z = xmemdup(data, size);

	limits(all);
	next_page(all);
	date(all);
	base(z);
	r.rc = http_class(r.status);
	if (r.rc < 0)
		http_base_refused(&r, "h/p");
	free(z);
	return 0;
}
