/* SPDX-License-Identifier: MIT */
/* procnet - TCP sockets from /proc/net/tcp and tcp6 (proc(5)), where netlink is not to be had; see sockdiag.h. */
#include "backends/sockdiag.h"
#include "store/base/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LINE_BYTES 512

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool scan_hex(struct str *in, unsigned digits, uint32_t *ret)
{
	uint32_t n = 0;

	if (in->n < digits)
		return false;
	for (unsigned i = 0; i < digits; i++) {
		int d = hex_digit(in->p[i]);

		if (d < 0)
			return false;
		n = n << 4 | (uint32_t)d;
	}
	*in = str_skip(*in, digits);
	*ret = n;
	return true;
}

/* An address is printed as 32-bit words of this machine's order, the port as a number. */
static bool scan_endpoint(struct str *in, int family, unsigned char *address, uint16_t *port)
{
	uint32_t word;

	for (int i = 0; i < (family == AF_INET ? 1 : 4); i++) {
		if (!scan_hex(in, 8, &word))
			return false;
		memcpy(address + 4 * i, &word, sizeof(word));
	}
	if (!scan_lit(in, STR_LIT(":")) || !scan_hex(in, 4, &word))
		return false;
	*port = (uint16_t)word;
	return true;
}

bool procnet_line(struct str line, int family, struct sock *out)
{
	struct sock s = {.family = family};
	struct str number;
	uint32_t state;

	while (scan_lit(&line, STR_LIT(" ")))
		;
	if (!scan_until(&line, ':', &number) || !scan_lit(&line, STR_LIT(": ")) ||
		!scan_endpoint(&line, family, s.local, &s.local_port) ||
		!scan_lit(&line, STR_LIT(" ")) ||
		!scan_endpoint(&line, family, s.remote, &s.remote_port) ||
		!scan_lit(&line, STR_LIT(" ")) || !scan_hex(&line, 2, &state))
		return false;
	s.state = (int)state;
	*out = s;
	return true;
}

static int walk_file(const char *path, int family, sock_fn each, void *ctx, struct mt_error *reterr)
{
	char line[LINE_BYTES];
	FILE *f = fopen(path, "re");
	struct sock s;
	int rc = 0;

	if (!f)
		return mt_error_sys(reterr, errno, "can't read %s", path);
	while (rc == 0 && fgets(line, sizeof(line), f))
		if (procnet_line(str_of(line), family, &s))
			rc = each(ctx, &s);
	if (rc == 0 && ferror(f))
		rc = mt_error_sys(reterr, EIO, "can't read %s", path);
	fclose(f);
	return rc;
}

int procnet_walk(const char *root, sock_fn each, void *ctx, struct mt_error *reterr)
{
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "%s/tcp", root);
	rc = walk_file(path, AF_INET, each, ctx, reterr);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/tcp6", root);
	rc = walk_file(path, AF_INET6, each, ctx, reterr);
	return rc == MT_ENOENT ? 0 : rc; /* a kernel without IPv6 */
}
