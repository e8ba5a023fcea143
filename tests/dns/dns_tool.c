/* SPDX-License-Identifier: MIT */
/*
 * dns_tool - the resolver and the SPF evaluator from a command line, for tests/dns.
 *   dns_tool SERVERS DEADLINE_MS <lines, tabs between: "ask TYPE NAME", "spf IP HELO LOCAL DOMAIN", "walk DOMAIN", "many N"; - stands for nothing
 */
#include "backends/spf.h"
#include "store/base/scan.h"
#include "store/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 70000
#define STEP_MAX_MS 500

static struct str word(struct str *in)
{
	struct str w = {"", 0};

	w = str_first(*in, str_find_char(*in, '\t'));
	*in = str_skip(*in, w.n + 1);
	return str_eq(w, STR_LIT("-")) ? STR_LIT("") : w;
}

static enum dns_type type_of(struct str s)
{
	return str_eq(s, STR_LIT("A"))      ? DNS_A
	       : str_eq(s, STR_LIT("AAAA")) ? DNS_AAAA
	       : str_eq(s, STR_LIT("MX"))   ? DNS_MX
	       : str_eq(s, STR_LIT("PTR"))  ? DNS_PTR
	       : str_eq(s, STR_LIT("TLSA")) ? DNS_TLSA
					    : DNS_TXT;
}

static void show(struct str s)
{
	struct buf out;

	buf_init(&out, LINE_MAX_BYTES * 4);
	(void)utf8_show_text(&out, s, false);
	printf("%s", buf_z(&out));
	buf_done(&out);
}

static void tell_answer(const struct dns_answer *a, enum dns_type type)
{
	printf("%d ttl=%u ad=%d cut=%d n=%zu", a->status, a->ttl_s, a->authentic, a->cut, a->n);
	for (size_t i = 0; i < a->n; i++) {
		printf(" [");
		if (type == DNS_MX)
			printf("%u ", a->rr[i].preference);
		if (type == DNS_A || type == DNS_AAAA || type == DNS_TLSA)
			for (size_t k = 0; k < a->rr[i].data.n; k++)
				printf("%02x", (unsigned char)a->rr[i].data.p[k]);
		else
			show(a->rr[i].data);
		printf("]");
	}
}

static bool ask(struct dns *d, struct str rest)
{
	enum dns_type type = type_of(word(&rest));
	struct dns_view view = dns_view(d);
	const struct dns_answer *a = view.look(view.ctx, rest, type);

	if (a)
		tell_answer(a, type);
	return a != NULL;
}

static void tell_spf(const struct spf_result *r)
{
	printf("%s %u %u ", spf_word(r->code), r->lookups, r->voids);
	show(str_of(r->why));
}

static bool check(struct dns *d, struct str rest)
{
	struct str ip = word(&rest), helo = word(&rest), local = word(&rest);
	struct spf_request q = {
		.domain = rest, .sender_domain = rest, .local = local, .helo = helo};
	struct spf_result r;

	if (!ip_read(ip, &q.ip)) {
		printf("no address");
		return true;
	}
	if (!spf_check(dns_view(d), &q, &r))
		return false;
	tell_spf(&r);
	return true;
}

static bool walk(struct dns *d, struct str rest)
{
	struct spf_result r;

	if (!spf_walk(dns_view(d), rest, &r))
		return false;
	tell_spf(&r);
	return true;
}

/* many - names of a thousand questions at once: how many are known in the end, and how many got an answer. */
static bool many(struct dns *d, struct str rest)
{
	struct dns_view view = dns_view(d);
	unsigned known = 0, answered = 0;
	uint64_t n;

	if (!scan_all_u64(rest, 100000, &n))
		return true;
	for (unsigned i = 0; i < n; i++) {
		char name[32];
		const struct dns_answer *a;

		snprintf(name, sizeof(name), "m%u.test", i);
		a = view.look(view.ctx, str_of(name), DNS_A);
		known += a != NULL;
		answered += a && !dns_failed(a);
	}
	if (known < n)
		return false;
	printf("%u known, %u answered", known, answered);
	return true;
}

static bool run(struct dns *d, struct str line)
{
	struct str what = word(&line);

	if (str_eq(what, STR_LIT("many")))
		return many(d, line);
	return str_eq(what, STR_LIT("ask"))   ? ask(d, line)
	       : str_eq(what, STR_LIT("spf")) ? check(d, line)
					      : walk(d, line);
}

int main(int argc, char **argv)
{
	struct clock clock = clock_real();
	struct dns_options o = {.clock = &clock, .servers = argc > 1 ? argv[1] : NULL};
	char *line = malloc(LINE_MAX_BYTES);
	struct mt_error error = {0};
	uint64_t ms = 0;
	struct dns *d;

	if (!line || argc < 3 || !scan_all_u64(str_of(argv[2]), 600000, &ms))
		return 2;
	o.deadline_ms = (int64_t)ms;
	if (dns_new(&o, &d, &error) < 0) {
		printf("%s\n", error.text);
		return 1;
	}
	while (fgets(line, LINE_MAX_BYTES, stdin)) {
		struct str s = str_of(line);

		if (s.n > 0 && s.p[s.n - 1] == '\n')
			s.n--;
		while (!run(d, s))
			if (dns_step(d) == 0)
				dns_wait(d, STEP_MAX_MS);
		printf("\n");
		fflush(stdout);
	}
	dns_free(d);
	free(line);
	return 0;
}
