/* SPDX-License-Identifier: MIT */
/*
 * replay_body_fuzz - any bytes as an answer of any vendor's API (the first byte picks the family): refused or lines of
 * JSON without a raw control character, the same for the same bytes. A new provider is in it by being registered.
 */
#include "backends/registry.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const struct backend_ops *pick(unsigned byte)
{
	const struct backend_ops *found[16];
	size_t n = 0;

	for (size_t i = 0; backend_table[i] && n < 16; i++)
		if (backend_table[i]->replay_body)
			found[n++] = backend_table[i];
	return n ? found[byte % n] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct backend_ops *family = size ? pick(data[0]) : NULL;
	struct str body = {(const char *)data + 1, size ? size - 1 : 0};
	struct mt_error error = {0};
	struct buf one, two;
	int rc;

	if (!family)
		return 0;
	buf_init(&one, 4u << 20);
	buf_init(&two, 4u << 20);
	rc = family->replay_body(body, &one, &error);
	FUZZ_CHECK(rc == family->replay_body(body, &two, &error));
	FUZZ_CHECK(one.n == two.n && (one.n == 0 || memcmp(one.p, two.p, one.n) == 0));
	for (size_t i = 0; i < one.n; i++)
		FUZZ_CHECK((unsigned char)one.p[i] >= ' ' || one.p[i] == '\n');
	buf_done(&one);
	buf_done(&two);
	return 0;
}
