/* SPDX-License-Identifier: MIT */
/* probe_outbound - can this machine send mail by port 25? The verdict on what probes found; see probe.h. */
#include "store/mailbox.h"
#include "store/probe.h"

#include <inttypes.h>
#include <stdio.h>

#define US_PER_MS 1000
#define MS_PER_S 1000
#define FAST_MS 1000 /* a witness that connects within this shows that the way itself is quick */
#define SHORT_LABEL 3 /* co.uk, com.au: the name of an organisation is the label before */
#define COUNTRY_LABEL 2
#define HOST_SHOWN 100

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
				     "mtatop.conf, or mtatop probe HOST HOST; two at least that "
				     "have nothing to do with each other.",
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

/* The network of an IPv4 literal: what is before its last dot; else empty. */
static struct str network(struct str host)
{
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
			return (struct str){NULL, 0};
	return str_first(host, str_rfind_char(host, '.'));
}

/* kin - one and the same server, organisation or network: what stops one may well stop the other. */
static bool kin(const struct probe_result *a, const struct probe_result *b)
{
	struct str net = network(a->host);

	if (str_present(a->address) && str_eq(a->address, b->address))
		return true;
	if (net.n || network(b->host).n)
		return str_eq(net, network(b->host));
	return str_ieq(organisation(a->host), organisation(b->host));
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

/* --- the verdict --- */

enum sort { TRIED, CONNECTED, TIMED_OUT, REFUSED, LOST };

static bool of_sort(
	enum sort sort, const struct probe_result *all, size_t n, const struct probe_result *r)
{
	switch (sort) {
	case TRIED:
		return true;
	case CONNECTED:
		return connected(r);
	case TIMED_OUT:
		return r->outcome == PROBE_TIMEOUT;
	case REFUSED:
		return r->outcome == PROBE_REFUSED || r->outcome == PROBE_REJECTED;
	case LOST:
		return r->outcome == PROBE_TIMEOUT && lost(all, n, r);
	}
	return false;
}

/* unrelated - how many of that sort on port 25, of kin one. */
static int64_t unrelated(enum sort sort, const struct probe_result *all, size_t n)
{
	int64_t count = 0;

	for (size_t i = 0; i < n; i++) {
		bool again = !by_25(&all[i]) || !of_sort(sort, all, n, &all[i]);

		for (size_t k = 0; !again && k < i; k++)
			again = by_25(&all[k]) && kin(&all[i], &all[k]) &&
				of_sort(sort, all, n, &all[k]);
		count += !again;
	}
	return count;
}

struct tally { /* of results by port 25 */
	int64_t reached; /* that connected, whatever came then */
	int64_t fast; /* other ports that connect quickly */
	int64_t reset; /* a host's own no; an ICMP message may be a router's about a host that is down */
};

/* say_absent - those that did not connect where others did: a fault of their own, as far as can be seen. */
static void say_absent(
	const struct probe_result *all, size_t n, int64_t nabsent, struct outbound *o)
{
	const struct probe_result *first = NULL;

	for (size_t i = 0; i < n && !first; i++)
		if (by_25(&all[i]) && !connected(&all[i]))
			first = &all[i];
	if (!first)
		return;
	if (nabsent > 1)
		snprintf(o->why, sizeof(o->why), "%.*s and %" PRId64 " more do not answer",
			STR_ARG(str_first(first->host, HOST_SHOWN)), nabsent - 1);
	else
		snprintf(o->why, sizeof(o->why), "%.*s %s",
			STR_ARG(str_first(first->host, HOST_SHOWN)),
			first->outcome == PROBE_TIMEOUT ? "does not answer" : "refuses");
}

/* open_or_throttled - where at least one greets. */
static enum outbound_verdict open_or_throttled(
	const struct probe_result *all, size_t n, const struct tally *t, struct outbound *o)
{
	int64_t nlost = unrelated(LOST, all, n), nopen = unrelated(CONNECTED, all, n);

	if (o->slow == t->reached && nopen >= OUTBOUND_HOSTS && t->fast > 0) {
		snprintf(o->why, sizeof(o->why),
			"all %" PRId64 " that connect on 25 are slow, other ports are quick",
			t->reached);
		return OUTBOUND_THROTTLED;
	}
	if (nlost >= OUTBOUND_HOSTS && nlost >= nopen) {
		snprintf(o->why, sizeof(o->why),
			"%" PRId64 " unrelated hosts time out on 25 alone, %" PRId64 " connect",
			nlost, nopen);
		return OUTBOUND_THROTTLED;
	}
	say_absent(all, n, o->tried - t->reached, o);
	return OUTBOUND_OPEN;
}

/* refused_or_blocked - where none connects. */
static enum outbound_verdict refused_or_blocked(
	const struct probe_result *all, size_t n, const struct tally *t, struct outbound *o)
{
	int64_t nrefused = unrelated(REFUSED, all, n);
	bool blocked = o->unrelated_timed_out >= OUTBOUND_HOSTS && t->reset == 0;
	bool refused = nrefused >= OUTBOUND_HOSTS && o->timed_out == 0;

	if (o->tried == 1)
		snprintf(o->why, sizeof(o->why), "only one host was tried");
	else if (o->unrelated_tried < OUTBOUND_HOSTS)
		snprintf(o->why, sizeof(o->why), "the %" PRId64 " hosts tried are related",
			o->tried);
	else if (!blocked && !refused)
		snprintf(o->why, sizeof(o->why), "%" PRId64 " timed out, %" PRId64 " refused",
			o->timed_out, o->refused);
	else if (o->witnesses == 0)
		snprintf(o->why, sizeof(o->why), "no other port connects either");
	else
		snprintf(o->why, sizeof(o->why),
			"%" PRId64 " unrelated hosts %s on 25, none connects; %" PRId64
			" other port%s",
			blocked ? o->unrelated_timed_out : nrefused,
			blocked ? "time out" : "refuse", o->witnesses,
			o->witnesses == 1 ? " connects" : "s connect");
	if (o->witnesses == 0 || !(blocked || refused))
		return OUTBOUND_UNKNOWN;
	return blocked ? OUTBOUND_BLOCKED : OUTBOUND_REFUSED;
}

static enum outbound_verdict verdict_of(
	const struct probe_result *all, size_t n, const struct tally *t, struct outbound *o)
{
	if (o->tried == 0)
		return OUTBOUND_UNKNOWN;
	if (o->foreign > 0 && o->foreign >= o->open) {
		snprintf(o->why, sizeof(o->why), "a stranger answers for %" PRId64 " of %" PRId64,
			o->foreign, o->tried);
		return OUTBOUND_INTERCEPTED;
	}
	if (t->reached == 0)
		return refused_or_blocked(all, n, t, o);
	if (o->open == 0) {
		snprintf(o->why, sizeof(o->why), "%" PRId64 " of %" PRId64 " connect, none greets",
			t->reached, o->tried);
		return OUTBOUND_UNKNOWN;
	}
	return open_or_throttled(all, n, t, o);
}

void outbound_judge(const struct probe_result *results, size_t n, struct outbound *out)
{
	struct tally t = {0, 0, 0};

	*out = (struct outbound){.oldest_ms = EVENT_UNKNOWN};
	for (size_t i = 0; i < n; i++) {
		const struct probe_result *r = &results[i];

		if (!counts(r))
			continue;
		if (out->oldest_ms == EVENT_UNKNOWN || r->t_ms < out->oldest_ms)
			out->oldest_ms = r->t_ms;
		if (witness(r)) {
			out->witnesses++;
			t.fast += connect_ms(r) < FAST_MS;
		}
		if (!by_25(r))
			continue;
		out->tried++;
		out->open += spoke(r) || r->outcome == PROBE_OPEN;
		out->timed_out += r->outcome == PROBE_TIMEOUT;
		out->refused += r->outcome == PROBE_REFUSED || r->outcome == PROBE_REJECTED;
		out->slow += connected(r) && is_slow(r);
		out->foreign += foreign(results, n, r);
		t.reached += connected(r);
		t.reset += r->outcome == PROBE_REFUSED;
	}
	out->unrelated_tried = unrelated(TRIED, results, n);
	out->unrelated_timed_out = unrelated(TIMED_OUT, results, n);
	out->verdict = verdict_of(results, n, &t, out);
}

void outbound_say(const struct outbound *o, struct buf *out)
{
	bool in_doubt = o->verdict == OUTBOUND_UNKNOWN && o->tried > 0;

	(void)buf_add_z(out, in_doubt ? "can't tell" : outbound_word(o->verdict));
	if (!o->why[0])
		return;
	(void)buf_add_z(out, o->verdict == OUTBOUND_OPEN ? "; " : ": ");
	(void)buf_add_z(out, o->why);
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
