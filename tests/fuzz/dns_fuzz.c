/* SPDX-License-Identifier: MIT */
/* dns_fuzz - any bytes as an answer: what comes out is of the shape its type has, and asked again is the same. */
#include "backends/dnsmsg.h"
#include "tests/fuzz/fuzz.h"

#define ARENA_BYTES (4u << 20)

static const enum dns_type types[] = {
	DNS_A, DNS_AAAA, DNS_MX, DNS_TXT, DNS_PTR, DNS_TLSA, DNS_CNAME};

static void check(const struct dns_answer *a, enum dns_type type)
{
	FUZZ_CHECK((unsigned)a->status < DNS_STATUS__COUNT && a->n <= DNS_RECORDS_MAX);
	FUZZ_CHECK(a->status == DNS_ANSWER || a->n == 0);
	FUZZ_CHECK(a->ttl_s <= DNS_TTL_MAX_S);
	for (size_t i = 0; i < a->n; i++) {
		struct str d = a->rr[i].data;

		FUZZ_CHECK(d.p && d.p[d.n] == '\0');
		FUZZ_CHECK(type != DNS_A || d.n == 4);
		FUZZ_CHECK(type != DNS_AAAA || d.n == 16);
		if (type == DNS_MX || type == DNS_PTR)
			for (size_t k = 0; k < d.n; k++)
				FUZZ_CHECK(d.p[k] > ' ' && d.p[k] < 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_answer one, two;
	struct str message, alias, name = STR_LIT("x.test");
	enum dns_type type;
	struct arena a;

	if (size == 0)
		return 0;
	type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
	message = str_make((const char *)data + 1, size - 1);
	arena_init(&a, ARENA_BYTES);
	dnsmsg_read(message, name, type, &a, &one, &alias);
	check(&one, type);
	dnsmsg_read(message, name, type, &a, &two, &alias);
	FUZZ_CHECK(one.status == two.status && one.n == two.n && one.ttl_s == two.ttl_s);
	if (str_present(alias)) { /* it can be asked for */
		struct buf question;

		buf_init(&question, 1024);
		FUZZ_CHECK(alias.n == 0 || dnsmsg_question(&question, alias, type, 1) == 0);
		buf_done(&question);
	}
	arena_done(&a);
	return 0;
}
