/* SPDX-License-Identifier: MIT */
/* read_filter - does a row pass a query's filter? See read_rows.h. Reads no rows by itself. */
#include "store/plan_egress.h"
#include "store/ports.h"
#include "store/read_rows.h"
#include "store/reply.h"

#include "store/base/fmt.h"
#include "store/base/scan.h"

#define PORT_MAX 65535
#define PORT_DIGITS 5

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_has(struct str hay, struct str needle)
{
	char first = needle.n ? lower(needle.p[0]) : 0;

	for (size_t i = 0; i + needle.n <= hay.n; i++) {
		if (needle.n && lower(hay.p[i]) != first)
			continue;
		if (str_ieq(str_make(hay.p + i, needle.n), needle))
			return true;
	}
	return false;
}

struct str relay_host(struct str relay)
{
	/* Exim has a blank before the address */
	return str_trim(str_first(relay, str_find_char(relay, '[')));
}

int32_t relay_port(struct str relay)
{
	size_t colon = str_rfind_char(relay, ':');
	uint64_t port;

	if (colon == 0 || colon >= relay.n || relay.p[colon - 1] != ']')
		return 0;
	relay = str_skip(relay, colon + 1);
	return relay.n <= PORT_DIGITS && scan_all_u64(relay, PORT_MAX, &port) ? (int32_t)port : 0;
}

bool filter_status(const struct query *q, enum event_status status)
{
	if (q->status == STATUS_NONE)
		return true;
	if (q->status == STATUS__COUNT)
		return status == STATUS_DEFERRED || status == STATUS_BOUNCED ||
		       status == STATUS_EXPIRED || status == STATUS_SUPPRESSED;
	return q->status == status;
}

static int look_up(struct reader *r, enum dict_kind kind, struct str text, int64_t *ret,
	struct filter *f, struct mt_error *reterr)
{
	int rc;

	*ret = 0;
	if (!str_present(text))
		return 0;
	f->any = true;
	rc = dict_find(r, kind, text, ret, reterr);
	if (rc == 0 && *ret == 0)
		f->impossible = true;
	return rc;
}

/* One tag, or those of a port, ", "-joined. A tag the cache never met matches nothing. */
static int look_up_services(struct reader *r, struct filter *f, struct mt_error *reterr)
{
	struct str rest = f->q->service;
	int rc = 0;

	if (!str_present(rest))
		return 0;
	f->any = true;
	while (rc == 0 && rest.n > 0 && f->nservices < FILTER_SERVICES_MAX) {
		struct str tag = str_first(rest, str_find(rest, STR_LIT(", ")));
		int64_t id = 0;

		rc = dict_find(r, DICT_SERVICE, tag, &id, reterr);
		if (rc == 0 && id != 0)
			f->services[f->nservices++] = id;
		rest = str_skip(rest, tag.n + 2);
	}
	f->impossible = f->impossible || f->nservices == 0;
	return rc;
}

static bool has_service(const struct filter *f, int64_t service)
{
	for (size_t i = 0; i < f->nservices; i++)
		if (f->services[i] == service)
			return true;
	return f->nservices == 0;
}

int filter_init(
	struct reader *r, const struct query *q, struct filter *out, struct mt_error *reterr)
{
	int rc;

	*out = (struct filter){.q = q};
	rc = look_up(r, DICT_DOMAIN, q->domain, &out->dom, out, reterr);
	if (rc == 0)
		rc = look_up(r, DICT_DOMAIN, q->sender_domain, &out->sender_dom, out, reterr);
	if (rc == 0)
		rc = look_up_services(r, out, reterr);
	if (rc == 0)
		rc = look_up(r, DICT_USER, q->user, &out->user, out, reterr);
	if (rc == 0)
		rc = look_up(r, DICT_SERVICE, q->egress, &out->egress, out, reterr);
	if (rc == 0)
		rc = look_up(r, DICT_REPLY, q->reply_template, &out->reply, out, reterr);
	if (rc == 0 && q->plan)
		rc = plan_attempts_begin(r, q->plan, reterr);
	if (q->plan || str_present(q->relay_host) || q->code_key != 0 || q->port != 0 ||
		q->text.n > 0 || q->relay_port != 0 || q->message_flags || q->reject_actions ||
		q->reply_class)
		out->any = true;
	out->by_message =
		out->nservices || out->sender_dom || out->user || q->text.n > 0 || q->port != 0;
	return rc;
}

static int relay_matches(struct reader *r, const struct query *q, const struct raw_attempt *a,
	bool *ret, struct mt_error *reterr)
{
	struct str relay;
	int rc = dict_text(r, a->relay, &relay, reterr);

	*ret = rc == 0 && str_eq(relay_host(relay), q->relay_host);
	return rc;
}

static int relay_port_matches(struct reader *r, const struct query *q, const struct raw_attempt *a,
	bool *ret, struct mt_error *reterr)
{
	struct str relay;
	int32_t want = q->relay_port == QUERY_PORT_NONE ? 0 : q->relay_port;
	int rc = dict_text(r, a->relay, &relay, reterr);

	*ret = rc == 0 && relay_port(relay) == want;
	return rc;
}

static int port_matches(struct reader *r, const struct query *q, const struct raw_attempt *a,
	const struct raw_message *m, bool *ret, struct mt_error *reterr)
{
	struct str text;
	int rc = dict_text(r, a ? a->relay : 0, &text, reterr);

	*ret = rc == 0 && relay_port(text) == q->port;
	if (rc < 0 || *ret || !m)
		return rc;
	rc = dict_text(r, m->service, &text, reterr);
	*ret = rc == 0 && ports_stock(text, NULL) == q->port;
	return rc;
}

int filter_attempt(struct reader *r, const struct filter *f, const struct raw_attempt *a,
	const struct raw_message *m, struct mt_error *reterr)
{
	const struct query *q = f->q;
	bool match = true;
	int rc = 0;

	if (!f->any)
		return 1;
	if (f->impossible || (f->dom && a->dom != f->dom) || (f->reply && a->reply != f->reply) ||
		(f->egress && a->egress != f->egress) ||
		(q->code_key && code_key(a->dsn, a->code) != q->code_key) ||
		(f->by_message && !m) || (m && !has_service(f, m->service)) ||
		(f->sender_dom && m->from_dom != f->sender_dom) || (f->user && m->user != f->user))
		return 0;
	if (str_present(q->relay_host))
		rc = relay_matches(r, q, a, &match, reterr);
	if (rc == 0 && match && q->relay_port)
		rc = relay_port_matches(r, q, a, &match, reterr);
	if (rc == 0 && match && q->port)
		rc = port_matches(r, q, a, m, &match, reterr);
	if (rc == 0 && match && q->plan)
		rc = plan_attempt(r, q, a, &match, reterr);
	if (rc < 0 || !match || q->text.n == 0)
		return rc < 0 ? rc : match;
	return text_attempt(r, q, a, m, reterr);
}

/* A message passes by what is its own and, for the recipient's side, by its first attempt. */
int filter_message(struct reader *r, const struct filter *f, const struct raw_message *m,
	struct mt_error *reterr)
{
	const struct query *q = f->q;
	const struct raw_attempt *a = m->has_inline ? &m->first : NULL;
	bool match = true;
	int rc = 0;

	if (!f->any)
		return 1;
	if (f->impossible || q->plan || !has_service(f, m->service) ||
		(q->message_flags && !(m->flags & q->message_flags)) ||
		(f->sender_dom && m->from_dom != f->sender_dom) || (f->user && m->user != f->user))
		return 0;
	if ((f->dom || f->reply || q->code_key || str_present(q->relay_host)) && !a)
		return 0;
	if ((f->dom && a->dom != f->dom) || (f->reply && a->reply != f->reply) ||
		(q->code_key && code_key(a->dsn, a->code) != q->code_key))
		return 0;
	if (str_present(q->relay_host))
		rc = relay_matches(r, q, a, &match, reterr);
	if (rc == 0 && match && q->port)
		rc = port_matches(r, q, a, m, &match, reterr);
	if (rc < 0 || !match || q->text.n == 0)
		return rc < 0 ? rc : match;
	return text_attempt(r, q, a, m, reterr);
}

/* First digit of a reply: of the basic code, which a client acts on, else of the enhanced one. */
static int reply_class(const struct raw_reject *x)
{
	return x->code > 0 ? x->code / 100 : x->dsn / DSN_MAKE(1, 0, 0);
}

int filter_reject(struct reader *r, const struct filter *f, const struct raw_reject *x,
	struct mt_error *reterr)
{
	const struct query *q = f->q;
	struct str text;
	int rc;

	if (!f->any)
		return 1;
	if (f->impossible || q->plan || str_present(q->relay_host) || f->sender_dom || f->user ||
		(f->dom && x->dom != f->dom) || !has_service(f, x->service) ||
		(q->reject_actions && !(q->reject_actions & (1u << x->action))) ||
		(q->reply_class && reply_class(x) != q->reply_class) ||
		(f->reply && x->reply != f->reply) ||
		(q->code_key && code_key(x->dsn, x->code) != q->code_key))
		return 0;
	if (q->port) {
		rc = dict_text(r, x->service, &text, reterr);
		if (rc < 0 || ports_stock(text, NULL) != q->port)
			return rc;
	}
	if (q->text.n == 0)
		return 1;
	return text_reject(r, q, x, reterr);
}
