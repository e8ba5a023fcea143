/* SPDX-License-Identifier: MIT */
/* probe_targets - whom the log says mail goes to by port 25; see store_probe.h. */
#include "store/store_probe.h"
#include "store/store_read.h"
#include "store/writer.h"

#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
#define ARENA_MAX_BYTES (32u << 20)

static int64_t tries(const struct domain_row *d)
{
	return (d->sent > 0 ? d->sent : 0) + (d->deferred > 0 ? d->deferred : 0) +
	       (d->bounced > 0 ? d->bounced : 0);
}

static int by_tries(const void *left, const void *right)
{
	int64_t a = tries(left), b = tries(right);

	return (a < b) - (a > b);
}

/* elsewhere - a name with a dot and a letter in its last label: no address, no socket, not this machine. */
static bool elsewhere(struct str host)
{
	size_t dot = str_rfind_char(host, '.');

	return dot + 1 < host.n && dot > 0 && !(host.p[dot + 1] >= '0' && host.p[dot + 1] <= '9') &&
	       str_find_char(host, '/') == host.n && str_find_char(host, '[') == host.n &&
	       str_find_char(host, ' ') == host.n && !str_ends(host, STR_LIT(".localdomain"));
}

static int by_25(struct reader *r, const struct query *q, struct arena *a, bool *ret,
	struct mt_error *reterr)
{
	struct port_row *ports;
	size_t n = 0;
	int rc = read_ports(r, q, a, &ports, &n, reterr);

	*ret = false;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (ports[i].outbound && ports[i].port == OUTBOUND_PORT)
			*ret = true;
	return rc;
}

static int pick(struct reader *r, const struct query *q, struct arena *work, size_t max,
	struct arena *a, struct str **ret, size_t *ret_n, struct mt_error *reterr)
{
	struct domain_row *rows = NULL;
	size_t n = 0;
	bool used = false;
	int rc = by_25(r, q, work, &used, reterr);

	if (rc == 0 && used)
		rc = read_relays(r, q, work, &rows, &n, reterr);
	if (rc < 0)
		return rc;
	if (n)
		qsort(rows, n, sizeof(rows[0]), by_tries);
	*ret = arena_alloc(a, (max + 1) * sizeof((*ret)[0]));
	if (!*ret)
		return mt_error_set(reterr, MT_ELIMIT, "no room for names of hosts");
	for (size_t i = 0; i < n && *ret_n < max; i++) {
		struct str copy = elsewhere(rows[i].domain) ? arena_str(a, rows[i].domain)
							    : (struct str){NULL, 0};

		if (str_present(copy))
			(*ret)[(*ret_n)++] = copy;
	}
	return 0;
}

int store_busy_hosts(struct store *s, int64_t now_ms, size_t max, struct arena *a, struct str **ret,
	size_t *ret_n, struct mt_error *reterr)
{
	const struct query q = {.t0_ms = now_ms - DAY_MS, .t1_ms = now_ms + 1, .limit = 1000};
	struct arena work;
	struct reader *r = NULL;
	int rc;

	*ret_n = 0;
	arena_init(&work, ARENA_MAX_BYTES);
	rc = reader_open(s->path, &r, reterr);
	if (rc == 0)
		rc = reader_begin(r, reterr);
	if (rc == 0) {
		rc = pick(r, &q, &work, max, a, ret, ret_n, reterr);
		reader_end(r);
	}
	reader_close(r);
	arena_done(&work);
	return rc;
}
