/* SPDX-License-Identifier: MIT */
/* domains - the domains an account sends for: state, DNS records, and whether the vendor's queue of each is stopped. */
#include "tui/panes/vendor.h"

enum col {
	COL_NAME,
	COL_STATE,
	COL_DNS,
	COL_QUEUE,
	COL_UNTIL,
	COL_PROVIDER,
	COL_WRONG,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"domain", 24, ALIGN_LEFT, 1, false, "a sending domain of the account"},
	{"state", 12, ALIGN_LEFT, 3, false,
		"the vendor's word; DISABLED with the reason at the right"},
	{"dns", 16, ALIGN_LEFT, 1, false,
		"sending DNS records (SPF, DKIM ...) by what the vendor found: valid of all; ? not "
		"asked"},
	{"queue", 9, ALIGN_LEFT, 2, false,
		"STOPPED: the vendor holds this domain's mail back; ? not told"},
	{"until", 11, ALIGN_LEFT, 4, false, "when the vendor goes on sending"},
	{"provider", 12, ALIGN_LEFT, 5, false, "the account"},
	{"what is wrong", -24, ALIGN_LEFT, 1, false,
		"why it is disabled or its queue stopped, and the records that are not valid"},
};

static struct cell dns(struct table *t, const struct sending_domain_row *d)
{
	struct cell cell;
	struct buf b;

	if (d->dns_valid == EVENT_UNKNOWN)
		return cell_words("?");
	buf_init(&b, 96);
	fmt_count(&b, d->dns_valid);
	buf_add_z(&b, " of ");
	fmt_count(&b, d->dns_valid + (d->dns_invalid > 0 ? d->dns_invalid : 0) +
			      (d->dns_unknown > 0 ? d->dns_unknown : 0));
	buf_add_z(&b, " valid");
	cell = cell_text(t, buf_str(&b));
	cell.style = d->dns_invalid > 0   ? STYLE_BAD
		     : d->dns_unknown > 0 ? STYLE_WARN
					  : STYLE_NORMAL;
	buf_done(&b);
	return cell;
}

static struct cell wrong(struct table *t, const struct sending_domain_row *d)
{
	const struct {
		struct str text;
		const char *before;
	} parts[] = {{d->disabled, "disabled: "},
		{d->queue_disabled == 1 ? d->queue_reason : (struct str){NULL, 0}, "queue: "},
		{d->dns_invalid == 0 && d->dns_unknown == 0 ? (struct str){NULL, 0} : d->dns_wrong,
			"not valid: "}};
	struct cell cell;
	struct buf b;

	buf_init(&b, 8192);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].text.n) {
			buf_printf(&b, "%s%s", b.n ? "; " : "", parts[i].before);
			buf_add_str(&b, parts[i].text);
		}
	cell = cell_text(t, buf_str(&b));
	buf_done(&b);
	return cell;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct sending_domain_row *rows = NULL;
	size_t n = 0;
	int rc = read_sending_domains(r, &v->query, &t->arena, &rows, &n, reterr);

	(void)state;
	if (rc == 0)
		rc = cells_begin(t, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct sending_domain_row *d = &rows[i];
		bool bad = d->disabled.n > 0 || d->queue_disabled == 1;
		struct cell *c = cells_row(t, COL__COUNT, i + 1,
			bad                  ? STYLE_BAD
			: d->dns_invalid > 0 ? STYLE_WARN
					     : STYLE_NORMAL,
			d);

		if (!c)
			break;
		c[COL_NAME] = cell_text(t, d->name);
		c[COL_STATE] = d->disabled.n ? cell_words("DISABLED")
			       : d->state.n  ? cell_text(t, d->state)
					     : cell_words("?");
		c[COL_DNS] = dns(t, d);
		c[COL_QUEUE] = cell_words(d->queue_disabled == EVENT_UNKNOWN ? "?"
					  : d->queue_disabled                ? "STOPPED"
									     : "sending");
		c[COL_UNTIL] = d->queue_disabled == 1 && d->queue_until_ms != EVENT_UNKNOWN
				       ? cell_when(t, d->queue_until_ms, v->now_ms)
				       : cell_words(d->queue_disabled == 1 ? "?" : "-");
		c[COL_PROVIDER] = cell_provider(t, v, d->provider);
		c[COL_WRONG] = wrong(t, d);
	}
	t->total = (int64_t)t->nrows;
	vendor_empty(t, v, "no sending domain is told yet");
	return rc;
}

/* Its mail, by sender domain. */
static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct sending_domain_row *d = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "domain";
	ret->query.sender_domain = d->name;
	ret->query.provider = d->provider;
	target_label(ret, "%.*s", STR_ARG(d->name));
	return true;
}

const struct pane_ops pane_domains = {
	.name = "domains",
	.title = "Sending domains",
	.help = "The domains an account at a vendor sends for, with the state of their DNS records "
		"as "
		"the vendor last found them, and whether it holds their mail back. Enter opens the "
		"domain's mail.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_NAME,
	.refresh = refresh,
	.enter = enter,
};
