/* SPDX-License-Identifier: MIT */
/*
 * probe - looks at SMTP ports as a client does, many at once, inside somebody's poll loop: connect, greeting, EHLO, STARTTLS
 * or TLS from the first byte, EHLO again, QUIT, each step timed; never a message (RFC 5321 3.1-3.2, RFC 3207, RFC 8314).
 *
 * Names, connecting and TLS are libcurl's (CURLOPT_CONNECT_ONLY), the dialogue is our own. Each step has a deadline, a probe
 * has one of its own, and bytes of the other side are capped: nothing a server does holds a probe longer.
 */
#ifndef MT_BACKENDS_PROBE_H
#define MT_BACKENDS_PROBE_H

#include "store/base/clock.h"
#include "store/base/err.h"
#include "store/probe.h"

#include <poll.h>
#include <stdbool.h>

#define PROBE_TIMEOUT_MS 20000
#define PROBE_STEPS_MAX 3 /* a whole probe may take this many timeouts */
#define PROBE_PARALLEL 16
#define PROBE_FDS_MAX 128
#define PROBE_TRANSCRIPT_MAX_BYTES 8192

struct probe_set; /* probes waiting and under way */

struct probe_ask { /* copied */
	const char *host; /* name or address, without brackets */
	int port; /* 1..65535 */
	enum probe_role role;
	bool implicit; /* TLS from the first byte */
	const char *
		name; /* the certificate should have it; NULL: host, or of PROBE_OWN the name in the greeting */
	bool lenient; /* its chain is known to lead nowhere: not checked again, told as untrusted */
	bool relay_check; /* of PROBE_OWN alone: would it relay for a stranger? MAIL and RCPT, then RSET; never DATA */
	const char *
		from_address; /* of relay_check: bind to it; NULL: any, and then "taken" proves nothing */
};

struct probe_options {
	const struct clock *clock; /* borrowed */
	int64_t timeout_ms; /* of a step; 0: PROBE_TIMEOUT_MS */
	const char *helo; /* name to say in EHLO, borrowed; NULL: this host's */
	const char *ca_file; /* borrowed; NULL or "": the system's */
	const char *relay_to; /* recipient of relay_check, borrowed */
	/* done - one probe ended; result and its strings are borrowed during the call. */
	void (*done)(void *ctx, const struct probe_result *result);
	void *ctx;
};

int probe_set_new(const struct probe_options *o, struct probe_set **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
/* probe_set_free - probes under way are dropped without a result. */
void probe_set_free(struct probe_set *s);
/* probe_set_add - MT_EINVAL: not a host name, address or port. */
int probe_set_add(
	struct probe_set *s, const struct probe_ask *ask, struct mt_error *reterr) MT_MUST_CHECK;
/* probe_set_step - what is ready; calls done. Returns how many are left. */
size_t probe_set_step(struct probe_set *s);
/* probe_set_fds - what to poll for; probe_set_wait_ms - until step is due at the latest. */
size_t probe_set_fds(const struct probe_set *s, struct pollfd *out, size_t max);
int64_t probe_set_wait_ms(const struct probe_set *s);
/* probe_set_finish - step until none is left, in the caller's thread. MT_ECANCELED: canceled said so. */
int probe_set_finish(struct probe_set *s, bool (*canceled)(void *ctx), void *ctx,
	struct mt_error *reterr) MT_MUST_CHECK;

/*
 * probe_parse_target - "HOST", "HOST:PORT", "ADDRESS", "[ADDRESS]:PORT"; port is default_port without one. *ret_host is
 * given (free). MT_EINVAL.
 */
int probe_parse_target(struct str text, int default_port, char **ret_host, int *ret_port,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
