/* SPDX-License-Identifier: MIT */
/* groups - see groups.h. */
#include "tui/panes/groups.h"

#include "tui/panes/vendor.h"

#define SHARE_LOW_PCT 90 /* SparkPost's line for "on track" */
#define SHARE_MIN_N 10 /* below, a share is an accident */
#define PCT 100

struct group {
	struct domain_row row; /* domain: what the group is called */
	int provider; /* GROUP_PROVIDER: explain_provider, 0: a host by itself */
	bool nameless;
};

const char *groups_word(enum group_kind kind)
{
	static const char *const words[GROUP__COUNT] = {"recipient domain",
		"mailbox provider (by relay host)", "relay host",
		"mailbox provider as vendors tell it", "sender domain", "sending IP of vendors",
		"tag or category of vendors", "subaccount of vendors", "bounce class of vendors"};

	return words[kind];
}

static int64_t plus(int64_t a, int64_t b)
{
	return a == EVENT_UNKNOWN || b == EVENT_UNKNOWN ? EVENT_UNKNOWN : a + b;
}

/* Relay hosts of one mailbox provider together; the others stay as they are. Returns how many are left. */
static size_t by_provider(const struct view *v, struct table *t, struct group *groups, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct group g = groups[i];
		size_t at = kept;

		g.provider = explain_provider(v->rules, g.row.domain);
		for (size_t k = 0; k < kept && g.provider; k++)
			if (groups[k].provider == g.provider)
				at = k;
		if (at == kept) {
			if (g.provider) {
				g.row.domain = arena_str(&t->arena,
					str_of(explain_provider_name(v->rules, g.provider)));
				g.row.key = -g.provider;
			}
			groups[kept++] = g;
			continue;
		}
		groups[at].row.sent = plus(groups[at].row.sent, g.row.sent);
		groups[at].row.deferred = plus(groups[at].row.deferred, g.row.deferred);
		groups[at].row.bounced = plus(groups[at].row.bounced, g.row.bounced);
		groups[at].row.before_sent = plus(groups[at].row.before_sent, g.row.before_sent);
	}
	return kept;
}

static enum style row_style(const struct domain_row *d)
{
	int64_t final = plus(d->sent, d->bounced);

	if (final >= SHARE_MIN_N && d->sent * PCT < final * SHARE_LOW_PCT)
		return STYLE_BAD;
	if (d->bounced > 0 || d->deferred > d->sent)
		return STYLE_WARN;
	return STYLE_NORMAL;
}

static void fill(struct table *t, const struct view *v, enum group_kind kind, const struct group *g)
{
	const struct domain_row *d = &g->row;
	struct cell *c =
		cells_row(t, GCOL__COUNT, (uint64_t)d->key * GROUP__COUNT + kind, row_style(d), g);

	if (!c)
		return;
	c[GCOL_NAME] = d->domain.n            ? cell_text(t, d->domain)
		       : kind == GROUP_RELAY  ? cell_words("(no relay)")
		       : kind == GROUP_SENDER ? cell_words("(<>: notifications)")
					      : cell_words("(no domain)");
	c[GCOL_SENT] = cell_count(t, d->sent);
	c[GCOL_OTHER] = kind == GROUP_SENDER ? cell_count(t, d->before_sent)
					     : cell_delta(t, v, d->sent, d->before_sent);
	c[GCOL_DEFERRED] = cell_count(t, d->deferred);
	c[GCOL_BOUNCED] = cell_count(t, d->bounced);
	c[GCOL_SHARE] = cell_pct(t, d->sent, plus(d->sent, d->bounced));
}

static int read_kind(enum group_kind kind, struct reader *r, const struct query *q, struct arena *a,
	struct domain_row **rows, size_t *n, struct mt_error *reterr)
{
	if (kind == GROUP_DOMAIN)
		return read_domains(r, q, a, rows, n, reterr);
	if (kind == GROUP_SENDER)
		return read_senders(r, q, a, rows, n, reterr);
	if (kind == GROUP_MAILBOX || kind >= GROUP_IP)
		return read_vendor_groups(r, q,
			kind == GROUP_MAILBOX ? DIM_MAILBOX
			: kind == GROUP_IP    ? DIM_IP
			: kind == GROUP_TAG   ? DIM_TAG
			: kind == GROUP_CLASS ? DIM_CLASS
					      : DIM_SUBACCOUNT,
			a, rows, n, reterr);
	return read_relays(r, q, a, rows, n, reterr);
}

int groups_refresh(enum group_kind kind, int only_provider, struct reader *r, const struct view *v,
	struct table *t, struct mt_error *reterr)
{
	struct domain_row *rows = NULL;
	struct group *groups;
	size_t n = 0, kept = 0;
	int rc = read_kind(kind, r, &v->query, &t->arena, &rows, &n, reterr);

	if (rc < 0)
		return rc;
	groups = arena_alloc(&t->arena, (n + 1) * sizeof(*groups));
	if (!groups)
		return MT_ELIMIT;
	for (size_t i = 0; i < n; i++)
		if (!only_provider || explain_provider(v->rules, rows[i].domain) == only_provider)
			groups[kept++] = (struct group){.row = rows[i]};
	if (kind == GROUP_PROVIDER)
		kept = by_provider(v, t, groups, kept);
	rc = cells_begin(t, kept);
	for (size_t i = 0; i < kept && rc == 0; i++)
		fill(t, v, kind, &groups[i]);
	t->total = (int)n == v->query.limit ? EVENT_UNKNOWN : (int64_t)kept;
	if (vendor_is(v, v->query.provider))
		cells_empty(t, v, "the vendor told no figures by that for this window");
	else if (kind == GROUP_MAILBOX || kind >= GROUP_IP)
		vendor_empty(t, v, "no vendor told figures of this window by that");
	else
		cells_empty(t, v,
			kind == GROUP_SENDER ? "no message of any sender in this window"
					     : "no delivery was tried in this window");
	return rc;
}

bool groups_enter(enum group_kind kind, const struct row *selected, struct pane_target *ret)
{
	const struct group *g = selected->ref;

	if (kind == GROUP_MAILBOX || kind == GROUP_TAG)
		return false; /* no record of a single recipient has it */
	if (kind == GROUP_IP) {
		ret->pane = "ips";
	} else if (kind == GROUP_SUBACCOUNT) {
		ret->pane = "messages";
		ret->query.user = g->row.domain;
	} else if (kind == GROUP_CLASS) {
		ret->pane = "failures";
		ret->query.status = STATUS_BOUNCED;
	} else if (g->provider > 0) {
		ret->pane = "relays";
		ret->object = g->provider;
	} else {
		bool host = kind != GROUP_SENDER && kind != GROUP_DOMAIN;

		ret->pane = host && g->row.domain.n ? "mxhost" : "domain";
		if (kind == GROUP_SENDER)
			ret->query.sender_domain = g->row.domain;
		else if (kind == GROUP_DOMAIN)
			ret->query.domain = g->row.domain;
		else
			ret->query.relay_host = g->row.domain;
	}
	target_label(ret, "%.*s", STR_ARG(g->row.domain));
	return true;
}
