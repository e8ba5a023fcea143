/* SPDX-License-Identifier: MIT */
/* probe_outbound - can this machine send mail by port 25? The verdict on what probes found; see probe.h. */
#include "store/mailbox.h"
#include "store/probe.h"

#include <inttypes.h>

#define US_PER_MS 1000
#define MS_PER_S 1000
#define FAST_MS 1000 /* a witness that connects within this shows that the way itself is quick */
#define SHORT_LABEL 3 /* co.uk, com.au: the name of an organisation is the label before */
#define COUNTRY_LABEL 2

const char *outbound_word(enum outbound_verdict verdict)
{
	static const char *const words[OUTBOUND__COUNT] = {
		"not known", "open", "refused", "blocked", "throttled", "intercepted"};

	return (unsigned)verdict < OUTBOUND__COUNT ? words[verdict] : "?";
}

const char *outbound_advice(enum outbound_verdict verdict)
{
	static const char *const texts[OUTBOUND__COUNT] = {
		[OUTBOUND_UNKNOWN] = "Give servers to try: [probe] targets, relays or mx in "
				     "mtatop.conf, or mtatop probe HOST:25 HOST:587.",
		[OUTBOUND_REFUSED] =
			"Every server refuses: a firewall answers for them (reject), or "
			"this address is shut out. Look at this machine's output rules, "
			"then ask who runs the network.",
		[OUTBOUND_BLOCKED] =
			"Port 25 is filtered between here and the Internet; most cloud and access "
			"providers do so. Ask the provider to open it for this address, or send by "
			"a relay on 587 (relayhost = [relay.example]:587).",
		[OUTBOUND_THROTTLED] =
			"Port 25 works but is held back while other ports are not: "
			"ask the provider about a limit on outgoing mail, or send by "
			"a relay on 587.",
		[OUTBOUND_INTERCEPTED] =
			"Something between here and the servers answers in their place: mail is "
			"read or relayed by it. Switch off SMTP inspection (fixup), ask the "
			"provider, or send by a relay on 587 with TLS.",
	};

	return (unsigned)verdict < OUTBOUND__COUNT ? texts[verdict] : NULL;
}

/* The part of a host name that its organisation has: the last two labels, three below a country's co.uk. */
static struct str organisation(struct str host)
{
	size_t dot1, dot2, dot3;
	struct str head;

	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	dot1 = str_rfind_char(host, '.');
	if (dot1 == host.n)
		return host;
	head = str_first(host, dot1);
	dot2 = str_rfind_char(head, '.');
	if (dot2 == head.n)
		return host;
	if (host.n - dot1 - 1 > COUNTRY_LABEL || dot1 - dot2 - 1 > SHORT_LABEL)
		return str_skip(host, dot2 + 1);
	head = str_first(host, dot2);
	dot3 = str_rfind_char(head, '.');
	return dot3 == head.n ? host : str_skip(host, dot3 + 1);
}

static bool loopback(const struct probe_result *r)
{
	return str_starts(r->address, STR_LIT("127.")) || str_eq(r->address, STR_LIT("::1"));
}

/* Of a server elsewhere: what it does says something about the way to it. */
static bool counts(const struct probe_result *r)
{
	return r->role != PROBE_OWN && !loopback(r) && r->outcome != PROBE_NEVER &&
	       r->outcome != PROBE_NO_NAME && r->outcome != PROBE_HERE;
}

static bool by_25(const struct probe_result *r)
{
	return r->port == OUTBOUND_PORT && counts(r);
}

static bool connected(const struct probe_result *r)
{
	return r->took_us[PROBE_STEP_CONNECT] >= 0;
}

static int64_t connect_ms(const struct probe_result *r)
{
	return r->took_us[PROBE_STEP_CONNECT] / US_PER_MS;
}

static bool witness(const struct probe_result *r)
{
	return r->port != OUTBOUND_PORT && counts(r) && connected(r);
}

/* spoke - a server's words came back, whatever they were. */
static bool spoke(const struct probe_result *r)
{
	return str_present(r->greeting_name) || r->outcome == PROBE_TURNED_AWAY ||
	       r->outcome == PROBE_TLS_FAILED;
}

static bool is_slow(const struct probe_result *r)
{
	int64_t greeting = r->took_us[PROBE_STEP_GREETING];

	return connect_ms(r) + (greeting > 0 ? greeting / US_PER_MS : 0) >= OUTBOUND_SLOW_MS;
}

/* named - the certificate proves who answered. */
static bool named(const struct probe_result *r)
{
	return (r->flags & PROBE_F_NAME) && !(r->flags & PROBE_F_UNTRUSTED);
}

static bool stranger(const struct probe_result *r)
{
	return str_present(r->greeting_name) && !named(r) &&
	       str_find_char(r->greeting_name, '.') < r->greeting_name.n &&
	       !str_ieq(organisation(r->greeting_name), organisation(r->host));
}

/* foreign - another than the host asked for answers: blanked out, or a name that greets for strangers to each other. */
static bool foreign(const struct probe_result *all, size_t n, const struct probe_result *r)
{
	if ((r->flags & PROBE_F_STARS) || r->outcome == PROBE_NOT_SMTP)
		return true;
	if (!stranger(r))
		return false;
	/* A server of a large mailbox provider has a certificate of its name: one without is another's. */
	if (mailbox_of(r->host) != MAILBOX_OTHER &&
		mailbox_of(r->greeting_name) != mailbox_of(r->host))
		return true;
	for (size_t i = 0; i < n; i++)
		if (by_25(&all[i]) && stranger(&all[i]) &&
			str_ieq(all[i].greeting_name, r->greeting_name) &&
			!str_eq(all[i].address, r->address) &&
			!str_ieq(organisation(all[i].host), organisation(r->host)))
			return true;
	return false;
}

/* lost - one that timed out although another port of the same host opens. */
static bool lost(const struct probe_result *all, size_t n, const struct probe_result *r)
{
	for (size_t i = 0; i < n; i++)
		if (witness(&all[i]) && str_ieq(all[i].host, r->host))
			return true;
	return false;
}

static enum outbound_verdict verdict_of(
	const struct outbound *o, int64_t nlost, int64_t fast_witnesses)
{
	if (o->tried == 0)
		return OUTBOUND_UNKNOWN;
	if (o->foreign > 0 && o->foreign >= o->open)
		return OUTBOUND_INTERCEPTED;
	if (o->open > 0) {
		bool all_slow = o->slow == o->open && o->open > 1 && fast_witnesses > 0;

		return nlost > 0 || all_slow ? OUTBOUND_THROTTLED : OUTBOUND_OPEN;
	}
	if (o->timed_out > 0)
		return o->witnesses > 0 ? OUTBOUND_BLOCKED : OUTBOUND_UNKNOWN;
	return o->refused > 0 ? OUTBOUND_REFUSED : OUTBOUND_UNKNOWN;
}

void outbound_judge(const struct probe_result *results, size_t n, struct outbound *out)
{
	int64_t nlost = 0, fast = 0;

	*out = (struct outbound){.oldest_ms = EVENT_UNKNOWN};
	for (size_t i = 0; i < n; i++) {
		const struct probe_result *r = &results[i];

		if (!counts(r))
			continue;
		if (out->oldest_ms == EVENT_UNKNOWN || r->t_ms < out->oldest_ms)
			out->oldest_ms = r->t_ms;
		if (witness(r)) {
			out->witnesses++;
			fast += connect_ms(r) < FAST_MS;
		}
		if (!by_25(r))
			continue;
		out->tried++;
		out->open += spoke(r) || r->outcome == PROBE_OPEN;
		out->timed_out += r->outcome == PROBE_TIMEOUT;
		out->refused += r->outcome == PROBE_REFUSED || r->outcome == PROBE_REJECTED;
		out->slow += connected(r) && is_slow(r);
		out->foreign += foreign(results, n, r);
		nlost += r->outcome == PROBE_TIMEOUT && lost(results, n, r);
	}
	out->verdict = verdict_of(out, nlost, fast);
}

static void evidence_line(
	struct buf *out, const struct probe_result *all, size_t n, const struct probe_result *r)
{
	int64_t us = r->total_us >= 0 ? r->total_us : 0;

	(void)buf_add_str(out, r->host);
	(void)buf_printf(out, ":%d %s", r->port,
		r->port != OUTBOUND_PORT && connected(r) ? "connects"
							 : probe_outcome_word(r->outcome));
	if (connected(r))
		us = r->took_us[PROBE_STEP_CONNECT];
	if (us >= (int64_t)US_PER_MS * MS_PER_S)
		(void)buf_printf(out, " after %" PRId64 " s", us / US_PER_MS / MS_PER_S);
	else if (connected(r))
		(void)buf_printf(out, " after %" PRId64 ".%" PRId64 " ms", us / US_PER_MS,
			us % US_PER_MS / 100);
	if (r->port == OUTBOUND_PORT && str_present(r->greeting_name)) {
		(void)buf_add_z(
			out, foreign(all, n, r) ? ", greeted by a stranger: " : ", greeted by ");
		(void)buf_add_str(out, r->greeting_name);
	}
	(void)buf_add_char(out, '\n');
}

void outbound_evidence(const struct probe_result *results, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		if (by_25(&results[i]))
			evidence_line(out, results, n, &results[i]);
	for (size_t i = 0; i < n; i++)
		if (counts(&results[i]) && !by_25(&results[i]))
			evidence_line(out, results, n, &results[i]);
}
