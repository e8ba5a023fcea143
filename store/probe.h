/* SPDX-License-Identifier: MIT */
/*
 * probe - what a look at an SMTP port found: vocabulary of the prober (backends/probe.h), its rows in the cache, and the
 * verdict on outbound port 25. Pure: results in, words out.
 *
 * A probe connects, reads the greeting, says EHLO, STARTTLS, EHLO and QUIT; it never names a sender or recipient but in the
 * self-check of a listener of one's own (RFC 5321 3.1, 3.2, 4.3; RFC 3207).
 */
#ifndef MT_STORE_PROBE_H
#define MT_STORE_PROBE_H

#include "store/base/buf.h"
#include "store/event.h"

/* Steps of a probe in their order. On disk: append only. */
enum probe_step {
	PROBE_STEP_RESOLVE,
	PROBE_STEP_CONNECT,
	PROBE_STEP_GREETING, /* 220 read */
	PROBE_STEP_EHLO, /* answered, or HELO after it was refused */
	PROBE_STEP_STARTTLS, /* 220 to STARTTLS */
	PROBE_STEP_TLS, /* handshake done */
	PROBE_STEP_EHLO_TLS, /* EHLO inside of TLS answered */
	PROBE_STEP_RELAY, /* self-check: RCPT answered */
	PROBE_STEP__COUNT
};

/* What came of it. On disk: append only. */
enum probe_outcome {
	PROBE_NEVER, /* not probed yet */
	PROBE_OPEN, /* an SMTP server that answers EHLO; TLS, where offered, works */
	PROBE_NO_NAME, /* the name has no address, or DNS did not answer */
	PROBE_REFUSED, /* connection refused (RST) */
	PROBE_REJECTED, /* unreachable or prohibited (ICMP) */
	PROBE_TIMEOUT, /* no answer to connecting */
	PROBE_SILENT, /* connected, then a step took longer than allowed */
	PROBE_CLOSED, /* connected, then closed or reset by the peer */
	PROBE_TURNED_AWAY, /* 4xx or 5xx where 220 or 250 is wanted */
	PROBE_NOT_SMTP, /* bytes that are no SMTP reply, or too many of them */
	PROBE_TLS_FAILED, /* the handshake failed */
	PROBE_HERE, /* a failure of this machine: no socket, no memory, stopped */
	PROBE_OUTCOME__COUNT
};

/* Why this target. On disk: append only. */
enum probe_role {
	PROBE_ASKED, /* by a person, or [probe] targets */
	PROBE_OWN, /* a listener of this machine */
	PROBE_RELAY, /* [probe] relays: a smart host */
	PROBE_MX, /* a busy destination, from the log */
	PROBE_WITNESS, /* connected only, to compare with port 25 of the same or other hosts */
	PROBE_ROLE__COUNT
};

/* What a row of table probe_change tells. On disk: append only. */
enum probe_change { PROBE_CHANGE_OUTCOME, PROBE_CHANGE_CERTIFICATE };

/* What the server said of itself; on disk: append only. */
enum probe_flag {
	PROBE_F_EHLO = 1, /* keywords before TLS are known */
	PROBE_F_STARTTLS = 2,
	PROBE_F_AUTH = 4, /* AUTH offered before TLS */
	PROBE_F_IMPLICIT = 8, /* TLS from the first byte (RFC 8314) */
	PROBE_F_TLS = 16, /* TLS is up */
	PROBE_F_EHLO_TLS = 32, /* keywords inside TLS are known */
	PROBE_F_AUTH_TLS = 64, /* AUTH offered inside TLS */
	PROBE_F_CERT = 128, /* the certificate was read */
	PROBE_F_SELF_SIGNED = 256, /* issuer is subject */
	PROBE_F_UNTRUSTED = 512, /* no chain to a CA of this machine */
	PROBE_F_NAME = 1024, /* the certificate names the host */
	PROBE_F_CUT = 2048, /* the transcript is not whole */
	PROBE_F_RELAY_ASKED = 4096, /* self-check answered: RCPT taken or refused for good */
	PROBE_F_RELAY_OPEN =
		8192, /* a stranger may relay: RCPT taken from an address said to be one */
	PROBE_F_STARS =
		16384, /* greeting or keyword blanked out on the way ("220 ****", "XXXXXXXA") */
	PROBE_F_RELAY_TAKEN = 32768 /* RCPT of a stranger's domain was taken */
};

struct probe_result { /* strings borrowed; absent: not known. Times: unknown is EVENT_UNKNOWN */
	struct str host; /* as asked for */
	int port;
	enum probe_role role;
	int64_t t_ms; /* begun, UTC */
	int64_t since_ms; /* of the cache: the first look with this outcome; 0 elsewhere */
	enum probe_outcome outcome;
	enum probe_step step; /* the last one tried */
	int64_t took_us[PROBE_STEP__COUNT]; /* of each step */
	int64_t total_us;
	unsigned flags; /* enum probe_flag */
	int code; /* of the reply that decided; 0 none */
	struct str address; /* connected to */
	struct str greeting; /* text of the 220, first line */
	struct str greeting_name; /* the first word of it: the server's name */
	struct str tls, cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384" */
	struct str subject, issuer; /* common names */
	struct str names; /* of the certificate, with spaces between; cut at 1 kB */
	int64_t nnames, chain; /* names and certificates sent */
	int64_t not_before_ms, not_after_ms;
	struct str detail; /* one sentence on what went wrong; absent: nothing */
	struct str transcript; /* lines as sent ("C: ") and had ("S: "), raw bytes, capped */
};

const char *probe_step_word(enum probe_step step); /* "greeting" */
const char *probe_outcome_word(enum probe_outcome outcome); /* "open", "timed out" */
const char *probe_role_word(enum probe_role role); /* "own" */

/* probe_up - does an SMTP server answer, and where TLS is offered, with TLS? A witness: did it connect? */
bool probe_up(const struct probe_result *r);

/* probe_cert_days - whole days until the certificate ends, rounded down, negative: ended; false: none was read. */
bool probe_cert_days(const struct probe_result *r, int64_t now_ms, int64_t *ret);

/* probe_advice - what to do about this result, one or two sentences; NULL: nothing. */
const char *probe_advice(const struct probe_result *r, int64_t now_ms);

/* On disk: append only. */
enum outbound_verdict {
	OUTBOUND_UNKNOWN,
	OUTBOUND_OPEN,
	OUTBOUND_REFUSED,
	OUTBOUND_BLOCKED,
	OUTBOUND_THROTTLED,
	OUTBOUND_INTERCEPTED,
	OUTBOUND__COUNT
};

#define OUTBOUND_PORT 25
#define OUTBOUND_SLOW_MS 5000 /* connecting this slowly while others are fast is throttling */
#define OUTBOUND_HOSTS                                                                             \
	2 /* so many unrelated hosts at least must agree before a network is accused */
#define OUTBOUND_WHY_BYTES 160

struct outbound {
	enum outbound_verdict verdict;
	int64_t tried, open, timed_out, refused, foreign,
		slow; /* targets on port 25, by what they did */
	int64_t unrelated_tried,
		unrelated_timed_out; /* the same, hosts of one organisation, address or network once */
	int64_t witnesses; /* other ports of the same or other hosts that opened */
	int64_t oldest_ms; /* of the results used; EVENT_UNKNOWN none */
	char why[OUTBOUND_WHY_BYTES]; /* "mx.b.example does not answer"; raw bytes; empty: nothing to add */
};

/*
 * outbound_judge - can this machine send mail by port 25? From results of servers elsewhere: those of PROBE_OWN and of
 * loopback addresses say nothing and are left out. One that connects on 25 is proof against blocked, and a dead host is no
 * proof for it. Blocked: port 25 of OUTBOUND_HOSTS unrelated hosts or more timed out, none connected or refused, and another
 * port of the same or another host connects. Refused: the same with refusals and no time-out. Intercepted: a greeting
 * blanked out, or one name that greets for hosts of different domains it is not of. Else open or unknown; why says what is
 * behind it, in figures.
 */
void outbound_judge(const struct probe_result *results, size_t n, struct outbound *out);
/* outbound_evidence - the results behind it, one line each, into out. */
void outbound_evidence(const struct probe_result *results, size_t n, struct buf *out);
const char *outbound_word(enum outbound_verdict verdict); /* "blocked" */
/* outbound_say - the verdict with its reason: "open; mx.b.example does not answer", "can't tell: only one host was tried". */
void outbound_say(const struct outbound *o, struct buf *out);
const char *outbound_advice(enum outbound_verdict verdict); /* what to do; NULL: nothing */

#endif
