/* SPDX-License-Identifier: MIT */
/* check_probe - the checks that read what probes found; see check_private.h. */
#include "tui/check_private.h"

#include "store/base/scan.h"
#include "store/base/utf8.h"

#include <inttypes.h>
#include <math.h>

#define US_PER_MS 1000
#define PORT_MAX 65535
#define PROBE_MAX_AGE_MS 1800000 /* ports are probed every 5 minutes by default */

/* wanted - by --host HOST[:PORT], else those whose state is this machine's affair. */
static bool wanted(const struct check *c, const struct probe_result *r)
{
	struct str host = str_of(c->o->host), port;
	size_t colon;
	uint64_t number;

	if (!c->o->host)
		return r->role == PROBE_OWN || r->role == PROBE_ASKED || r->role == PROBE_RELAY;
	if (r->role == PROBE_WITNESS)
		return false;
	if (str_ieq(host, r->host))
		return true;
	colon = str_rfind_char(host, ':');
	port = str_skip(host, colon + 1);
	host = str_first(host, colon);
	if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_make(host.p + 1, host.n - 2);
	return scan_all_u64(port, PORT_MAX, &number) && (int)number == r->port &&
	       str_ieq(host, r->host);
}

static void name(struct buf *out, const struct probe_result *r)
{
	if (utf8_show_text(out, r->host, false) == 0)
		(void)buf_printf(out, ":%d", r->port);
}

/* looked - the figure is as old as the oldest look at what it is of. */
static void looked(struct found *f, const struct probe_result *r)
{
	f->of = "port";
	f->max_age_ms = PROBE_MAX_AGE_MS;
	if (f->looked_ms <= 0 || r->t_ms < f->looked_ms)
		f->looked_ms = r->t_ms;
}

static int64_t greeting_us(const struct probe_result *r)
{
	int64_t us = 0;

	for (int i = 0; i <= PROBE_STEP_GREETING; i++)
		us += r->took_us[i] > 0 ? r->took_us[i] : 0;
	/* TLS from the first byte comes before the greeting. */
	if ((r->flags & PROBE_F_IMPLICIT) && r->took_us[PROBE_STEP_TLS] > 0)
		us += r->took_us[PROBE_STEP_TLS];
	return us;
}

static void down(struct found *f, const struct probe_result *r)
{
	if (f->text.n)
		buf_add_z(&f->text, ", ");
	name(&f->text, r);
	buf_printf(&f->text, " %s", probe_outcome_word(r->outcome));
}

int check_port(struct check *c, struct found *f)
{
	const struct probe_result *slowest = NULL;
	struct probe_result *rows;
	size_t n = 0, all = 0, up = 0;
	int rc = read_probes(c->reader, &c->arena, &rows, &n, &c->error);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct probe_result *r = &rows[i];

		if (!wanted(c, r))
			continue;
		all++;
		looked(f, r);
		if (!probe_up(r)) {
			down(f, r);
			continue;
		}
		up++;
		if (!slowest || greeting_us(r) > greeting_us(slowest))
			slowest = r;
	}
	if (rc < 0)
		return rc;
	if (all == 0) {
		f->reason = "no such port was probed";
		return 0;
	}
	f->bad = up < all;
	if (slowest) {
		f->value = (double)(greeting_us(slowest) / US_PER_MS);
		buf_printf(&f->text, "%s%zu of %zu open, slowest greeting ", f->text.n ? "; " : "",
			up, all);
		name(&f->text, slowest);
		buf_printf(&f->text, " %.0f ms", f->value);
	}
	buf_printf(&f->more, " open=%zu;;;0;%zu", up, all);
	return 0;
}

int check_certificate(struct check *c, struct found *f)
{
	const struct probe_result *first = NULL;
	struct probe_result *rows;
	int64_t days = 0, least = 0;
	size_t n = 0;
	int rc = read_probes(c->reader, &c->arena, &rows, &n, &c->error);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!wanted(c, &rows[i]) || !probe_cert_days(&rows[i], c->now_ms, &days))
			continue;
		looked(f, &rows[i]);
		if (!first || days < least) {
			first = &rows[i];
			least = days;
		}
	}
	if (rc < 0)
		return rc;
	if (!first) {
		f->reason = "no certificate was seen";
		return 0;
	}
	f->value = (double)least;
	name(&f->text, first);
	if (least < 0)
		buf_printf(&f->text, ": the certificate ended %" PRId64 " days ago", -least);
	else
		buf_printf(&f->text, ": %" PRId64 " days left of its certificate", least);
	return 0;
}
