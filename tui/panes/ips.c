/* SPDX-License-Identifier: MIT */
/* ips - the addresses a vendor sends from: pools, reverse names, and where each stands in its warm-up. */
#include "tui/panes/vendor.h"

#include <inttypes.h>

#define HOUR_S 3600
#define DAY_S 86400
#define SENDGRID_DAYS 42 /* of its published schedule */

enum col {
	COL_IP,
	COL_KIND,
	COL_WARMUP,
	COL_LIMIT,
	COL_SINCE,
	COL_POOLS,
	COL_PROVIDER,
	COL_RDNS,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"ip", 16, ALIGN_LEFT, 1, false, "a sending address of the account"},
	{"kind", 10, ALIGN_LEFT, 3, false, "dedicated to this account, or shared with others"},
	{"warm-up", 23, ALIGN_LEFT, 1, false,
		"stage of the vendor's plan, or day since it began, and how much of the stage is "
		"sent; "
		"warm: in none"},
	{"limit", 14, ALIGN_RIGHT, 1, true,
		"messages the vendor lets through now: an hour, a day or this stage, as it told"},
	{"begun", 11, ALIGN_LEFT, 4, true, "when the warm-up began"},
	{"pools", 20, ALIGN_LEFT, 4, false, "pools it is in"},
	{"provider", 12, ALIGN_LEFT, 5, false, "the account"},
	{"reverse name", 0, ALIGN_LEFT, 2, false, "its PTR name, as the vendor has it"},
};

static struct cell warmup(struct table *t, const struct sending_ip_row *ip)
{
	struct cell cell;
	struct buf b;

	if (ip->warming != 1)
		return cell_words(ip->warming == 0 ? "warm" : "?");
	buf_init(&b, 128);
	if (ip->stage != EVENT_UNKNOWN) {
		buf_printf(&b, "stage %" PRId64, ip->stage);
		if (ip->stages != EVENT_UNKNOWN)
			buf_printf(&b, " of %" PRId64, ip->stages);
	} else if (ip->day != EVENT_UNKNOWN) {
		buf_printf(&b, "day %" PRId64, ip->day);
		if (ip->limit_per_s == HOUR_S && ip->day < SENDGRID_DAYS)
			buf_printf(&b, " of %d", SENDGRID_DAYS);
	} else {
		buf_add_z(&b, "warming");
	}
	if (ip->percent != EVENT_UNKNOWN)
		buf_printf(&b, ", %" PRId64 "%% sent", ip->percent);
	cell = cell_text(t, buf_str(&b));
	buf_done(&b);
	return cell;
}

static struct cell limit(struct table *t, const struct sending_ip_row *ip)
{
	struct cell cell = cell_words(ip->warming == 0 ? "none" : "?");
	int64_t n = ip->limit != EVENT_UNKNOWN ? ip->limit : ip->hourly_limit;
	int64_t per_s = ip->limit != EVENT_UNKNOWN ? ip->limit_per_s : HOUR_S;
	struct buf b;

	cell.sort = n;
	cell.text_sort = false;
	if (n == EVENT_UNKNOWN)
		return cell;
	buf_init(&b, 64);
	fmt_count(&b, n);
	buf_add_z(&b, per_s == HOUR_S ? " /h" : per_s == DAY_S ? " /day" : " /stage");
	cell.text = arena_str(&t->arena, buf_str(&b));
	buf_done(&b);
	return cell;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct sending_ip_row *rows = NULL;
	size_t n = 0;
	int rc = read_sending_ips(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct cell *c = cells_row(t, COL__COUNT, i + 1,
			rows[i].enabled == 0 ? STYLE_BAD : STYLE_NORMAL, &rows[i]);

		if (!c)
			break;
		c[COL_IP] = cell_text(t, rows[i].ip);
		c[COL_KIND] = cell_words(rows[i].enabled == 0                 ? "disabled"
					 : rows[i].dedicated == 1             ? "dedicated"
					 : rows[i].dedicated == EVENT_UNKNOWN ? "?"
									      : "shared");
		c[COL_WARMUP] = warmup(t, &rows[i]);
		c[COL_LIMIT] = limit(t, &rows[i]);
		c[COL_SINCE] = rows[i].started_ms == EVENT_UNKNOWN
				       ? cell_words(rows[i].warming == 0 ? "-" : "?")
				       : cell_when(t, rows[i].started_ms, v->now_ms);
		c[COL_POOLS] = cell_text(t, rows[i].pools);
		c[COL_PROVIDER] = cell_provider(t, v, rows[i].provider);
		c[COL_RDNS] = cell_text(t, rows[i].rdns);
	}
	t->total = (int64_t)t->nrows;
	vendor_empty(t, v,
		"no dedicated IP is told: the account sends from shared ones, or the key may "
		"not ask");
	return rc;
}

const struct pane_ops pane_ips = {
	.name = "ips",
	.title = "Sending IPs",
	.help = "The addresses a vendor sends from, as it tells them: pools, reverse names, and "
		"the "
		"warm-up. Mailgun tells stages and how much of the stage has been sent, SendGrid "
		"the "
		"day a warm-up began; the messages an hour of that day are those of its published "
		"schedule. Over the limit mail goes out by other addresses of the account, or "
		"waits.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_IP,
	.refresh = refresh,
};
