/* SPDX-License-Identifier: MIT */
/*
 * probe_cert - what a certificate says: names, validity, subject, issuer (RFC 5280 4.1), out of its DER or PEM. Pure.
 *
 * Read by ourselves because libcurl gives names as text, in which a name with ", DNS:" or a NUL in it passes for another.
 * Whether the chain leads to a CA is libcurl's answer, not found here.
 */
#ifndef MT_BACKENDS_PROBE_CERT_H
#define MT_BACKENDS_PROBE_CERT_H

#include "store/base/buf.h"

#include <stdint.h>

#define CERT_MAX_BYTES (256u << 10)
#define CERT_NAMES_SHOWN_BYTES 1024

struct probe_cert { /* end with probe_cert_done */
	struct buf der;
	struct buf names; /* those shown, spaces between; odd bytes as '?' */
	struct str subject,
		issuer; /* common name, else organisation; absent: none. Views into der */
	int64_t not_before_ms, not_after_ms; /* UTC */
	size_t nnames; /* dNSName and iPAddress of subjectAltName */
	bool self_issued; /* issuer is subject, byte by byte */
	bool names_host;
};

/*
 * probe_cert_read - a PEM text or DER bytes. host: a name or an address; names_host follows RFC 6125 6.4: without case, a
 * wildcard is a whole leftmost label, the common name counts only where there is no dNSName; a name with odd bytes names
 * nobody. MT_EINVAL: not a certificate; MT_ELIMIT.
 */
int probe_cert_read(
	struct probe_cert *c, struct str bytes, struct str host, struct mt_error *reterr);
void probe_cert_done(struct probe_cert *c);

#endif
