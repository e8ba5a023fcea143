/* SPDX-License-Identifier: MIT */
/* report_mx - what a report has of how hosts were reached; as JSON alone. The contract is in report.h. */
#include "store/base/jsonout.h"
#include "store/base/timefmt.h"
#include "tui/report.h"

#include <inttypes.h>

static const char *const figure_names[] = {
	"refused", "timed_out", "no_route", "lost", "tls_failed", "dns_failed", "stepped_in"};
_Static_assert(sizeof(figure_names) / sizeof(figure_names[0]) == MX_FIGURE__COUNT, "a name each");

int report_read_mx(struct report *r, struct reader *reader, struct mt_error *reterr)
{
	bool possible;
	int rc = read_mx(reader, &r->query, false, &r->arena, &r->mx, &r->nmx, &possible,
		&r->mx_since_ms, reterr);

	if (rc == 0)
		rc = read_mx(reader, &r->query, true, &r->arena, &r->mx_domains, &r->nmx_domains,
			&possible, &r->mx_since_ms, reterr);
	return rc < 0 ? rc
		      : read_fallbacks(reader, &r->query, &r->arena, &r->fallbacks, &r->nfallbacks,
				reterr);
}

static void seconds(struct buf *out, const char *name, int64_t cs)
{
	if (cs == EVENT_UNKNOWN)
		jsonout_number(out, name, EVENT_UNKNOWN);
	else
		buf_printf(out, ",\"%s\":%" PRId64 ".%02d", name, cs / 100, (int)(cs % 100));
}

static void rows(
	struct buf *out, const char *array, const char *name, const struct mx_row *row, size_t n)
{
	buf_printf(out, ",\n \"%s\":[", array);
	for (size_t i = 0; i < n; i++, row++) {
		bool tls = row->tls_told != EVENT_UNKNOWN;

		buf_printf(out, "%s\n  {\"%s\":", i ? "," : "", name);
		jsonout_value(out, row->name);
		jsonout_number(out, "sent", row->sent);
		jsonout_number(out, "connects", row->connects);
		seconds(out, "connect_p50", row->p50_cs);
		seconds(out, "connect_p90", row->p90_cs);
		seconds(out, "connect_p99", row->p99_cs);
		seconds(out, "connect_max", row->max_cs);
		jsonout_number(out, "tls_told", row->tls_told);
		jsonout_number(out, "tls", row->tls_used);
		jsonout_number(out, "tls_1_3", tls ? row->tls[MX_TLS_1_3] : EVENT_UNKNOWN);
		jsonout_number(out, "tls_1_2", tls ? row->tls[MX_TLS_1_2] : EVENT_UNKNOWN);
		jsonout_number(out, "tls_older", tls ? row->tls[MX_TLS_OLDER] : EVENT_UNKNOWN);
		for (int k = 0; k < MX_FIGURE__COUNT; k++)
			jsonout_number(out, figure_names[k], row->n[k]);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

void report_json_mx(const struct report *r, struct buf *out)
{
	rows(out, "by_mx_host", "host", r->mx, r->nmx);
	rows(out, "by_mx_domain", "domain", r->mx_domains, r->nmx_domains);
	buf_add_z(out, ",\n \"fallbacks\":[");
	for (size_t i = 0; i < r->nfallbacks; i++) {
		buf_add_z(out, i ? ",\n  {\"failed\":" : "\n  {\"failed\":");
		jsonout_value(out, r->fallbacks[i].failed);
		jsonout_text(out, "took", r->fallbacks[i].took);
		jsonout_number(out, "n", r->fallbacks[i].n);
		buf_add_char(out, '}');
	}
	buf_add_z(out, "],\n \"mx_since\":");
	if (r->mx_since_ms == EVENT_UNKNOWN) {
		buf_add_z(out, "null");
	} else {
		buf_add_char(out, '"');
		timefmt_rfc3339(out, r->mx_since_ms);
		buf_add_char(out, '"');
	}
}
