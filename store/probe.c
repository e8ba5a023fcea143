/* SPDX-License-Identifier: MIT */
/* probe - words for what a look at an SMTP port found, and what to do about it; see probe.h. */
#include "store/probe.h"

#define DAY_MS INT64_C(86400000)
#define SOON_DAYS                                                                                  \
	14 /* an ACME client renews 30 days before the end: later than this it has failed */

const char *probe_step_word(enum probe_step step)
{
	static const char *const words[PROBE_STEP__COUNT] = {"name", "connect", "greeting", "EHLO",
		"STARTTLS", "TLS", "EHLO in TLS", "relay check"};

	return (unsigned)step < PROBE_STEP__COUNT ? words[step] : "?";
}

const char *probe_outcome_word(enum probe_outcome outcome)
{
	static const char *const words[PROBE_OUTCOME__COUNT] = {"not probed", "open", "no address",
		"refused", "rejected", "timed out", "silent", "closed", "turned away", "not SMTP",
		"TLS failed", "failed here"};

	return (unsigned)outcome < PROBE_OUTCOME__COUNT ? words[outcome] : "?";
}

const char *probe_role_word(enum probe_role role)
{
	static const char *const words[PROBE_ROLE__COUNT] = {
		"asked", "own", "relay", "mx", "witness"};

	return (unsigned)role < PROBE_ROLE__COUNT ? words[role] : "?";
}

bool probe_up(const struct probe_result *r)
{
	return r->role == PROBE_WITNESS ? r->took_us[PROBE_STEP_CONNECT] >= 0
					: r->outcome == PROBE_OPEN;
}

bool probe_cert_days(const struct probe_result *r, int64_t now_ms, int64_t *ret)
{
	int64_t left_ms = r->not_after_ms - now_ms;

	if (!(r->flags & PROBE_F_CERT) || r->not_after_ms == EVENT_UNKNOWN)
		return false;
	*ret = left_ms >= 0 ? left_ms / DAY_MS : -((-left_ms + DAY_MS - 1) / DAY_MS);
	return true;
}

static const char *advice_here(const struct probe_result *r)
{
	switch (r->outcome) {
	case PROBE_REFUSED:
		return "Nothing listens there: is the service in master.cf, is Postfix running, "
		       "and "
		       "does inet_interfaces have this address?";
	case PROBE_TIMEOUT:
	case PROBE_REJECTED:
		return "A packet filter of this machine is in the way: look at nft list ruleset or "
		       "iptables -S.";
	case PROBE_SILENT:
		return "The server is out of processes or waits for something (DNS, a milter, a "
		       "table): look for warnings in the log, and at process_limit reached.";
	case PROBE_CLOSED:
		return "The server ends the session at once: its log has the reason (fatal: or "
		       "warning: lines of smtpd).";
	case PROBE_TLS_FAILED:
		return "The server offers TLS but can't do it: look for smtpd warnings about "
		       "certificate and key files.";
	case PROBE_NEVER:
	case PROBE_OPEN:
	case PROBE_NO_NAME:
	case PROBE_TURNED_AWAY:
	case PROBE_NOT_SMTP:
	case PROBE_HERE:
	case PROBE_OUTCOME__COUNT:
		break;
	}
	return NULL;
}

static const char *advice_there(const struct probe_result *r)
{
	switch (r->outcome) {
	case PROBE_NO_NAME:
		return "Check the name, and that this machine's resolver answers.";
	case PROBE_REFUSED:
	case PROBE_REJECTED:
		return "Nothing listens there, or a firewall between says no: compare with another "
		       "host and another port.";
	case PROBE_TIMEOUT:
		return "Packets are dropped on the way, or the host is down: compare with another "
		       "host and another port.";
	case PROBE_SILENT:
		return "The server is overloaded or holds back its greeting (a tarpit, a DNS "
		       "lookup of this machine's address): see that the address has a PTR record.";
	case PROBE_CLOSED:
		return "The server hangs up: it may refuse this address; its own log or its "
		       "postmaster can tell.";
	case PROBE_TURNED_AWAY:
		return "The server answers but does not want this client now: its words are in "
		       "the transcript.";
	case PROBE_NOT_SMTP:
		return "What answers there is no SMTP server: another service, TLS from the first "
		       "byte, or a device in between.";
	case PROBE_TLS_FAILED:
		return "The server offers TLS but the handshake fails: protocol version, ciphers, "
		       "or its certificate.";
	case PROBE_HERE:
		return "This machine could not probe: see the words above.";
	case PROBE_NEVER:
	case PROBE_OPEN:
	case PROBE_OUTCOME__COUNT:
		break;
	}
	return NULL;
}

static const char *advice_open(const struct probe_result *r, int64_t now_ms)
{
	int64_t days;
	bool known = probe_cert_days(r, now_ms, &days), own = r->role == PROBE_OWN;

	if (r->flags & PROBE_F_RELAY_OPEN)
		return "An open relay: strangers can send through it. Restrict mynetworks and "
		       "smtpd_relay_restrictions (permit_mynetworks, permit_sasl_authenticated, "
		       "reject_unauth_destination) now.";
	if (r->flags & PROBE_F_STARS)
		return "A device on the way rewrites SMTP (\"220 ****\"): switch off SMTP "
		       "inspection or fixup on the firewall.";
	if (known && days < 0)
		return own ? "The certificate has ended: renew it, then postfix reload."
			   : "The certificate has ended: its owner must renew it.";
	if (known && r->not_before_ms > now_ms)
		return "The certificate begins in the future: is a clock wrong?";
	if (known && days < SOON_DAYS && own)
		return "The certificate ends soon: renew it, then postfix reload.";
	if (own && (r->flags & PROBE_F_AUTH) && !(r->flags & PROBE_F_TLS))
		return "AUTH is offered in plain text and TLS is not: passwords can be read on the "
		       "way. Set smtpd_tls_auth_only = yes and a certificate.";
	if (own && (r->flags & PROBE_F_AUTH) && !(r->flags & PROBE_F_IMPLICIT))
		return "AUTH is offered before STARTTLS: set smtpd_tls_auth_only = yes.";
	return NULL;
}

const char *probe_advice(const struct probe_result *r, int64_t now_ms)
{
	const char *text = r->role == PROBE_OWN ? advice_here(r) : NULL;

	if (r->outcome == PROBE_OPEN)
		return advice_open(r, now_ms);
	return text ? text : advice_there(r);
}
