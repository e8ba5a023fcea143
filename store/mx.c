/* SPDX-License-Identifier: MIT */
/*
 * mx - how hosts are reached: connection times, TLS and failures by relay host and recipient domain
 * (DIM_MX), and which host took mail that another one failed to take (DIM_FALLBACK).
 *
 * smtp(8) names no queue id when a connection fails, but serves one message at a time: the failures a process has logged
 * since its last message belong to the message of its next delivery record. A slot a process, in a table of fixed
 * size: where two processes meet in one, what the older has failed at stays with its hosts and is lost to its domain.
 */
#include "store/writer.h"

#define TRY_MS 3600000 /* all tries at one message: a handful of hosts, each time-out is minutes */
#define STEP_COUNT ((int)(sizeof(steps) / sizeof(steps[0])))

static const int32_t steps[] = MX_STEPS;

_Static_assert(sizeof(steps) / sizeof(steps[0]) < MX_STEP_NONE, "steps must fit their bits");
_Static_assert(MX_FIRST + MX_FIGURE__COUNT <= 64, "a metric must fit its bits");

/* first step that cs does not exceed; the last one holds all that is longer. */
static int step_of(int32_t cs)
{
	int low = 0, high = STEP_COUNT - 1;

	while (low < high) {
		int middle = (low + high) / 2;

		if (cs <= steps[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

enum mx_tls mx_tls_version(struct str version)
{
	size_t at = str_find(version, STR_LIT("TLS"));
	struct str v = str_skip(version, at + 3);

	if (at >= version.n)
		return str_starts(version, STR_LIT("SSL")) ? MX_TLS_OLDER : MX_TLS_VERSION_UNTOLD;
	if (v.n && v.p[0] == 'v')
		v = str_skip(v, 1);
	if (str_starts(v, STR_LIT("1.3")))
		return MX_TLS_1_3;
	if (str_starts(v, STR_LIT("1.2")))
		return MX_TLS_1_2;
	return str_starts(v, STR_LIT("1")) ? MX_TLS_OLDER : MX_TLS_VERSION_UNTOLD;
}

static bool has(struct str text, const char *words)
{
	return str_find(text, str_of(words)) < text.n;
}

/* What a failure at a host was; MX_FIGURE__COUNT: a reply of the host, or nothing of these. */
static enum mx_figure kind_of(struct str text)
{
	if (has(text, "said: ") || has(text, "refused to talk to me"))
		return MX_FIGURE__COUNT;
	if (str_starts(text, STR_LIT("SSL_connect error")) ||
		str_starts(text, STR_LIT("TLS is required")) ||
		str_starts(text, STR_LIT("Server certificate not")))
		return MX_TLS_FAILED;
	if (has(text, "onnection refused"))
		return MX_REFUSED;
	if (has(text, " timed out") || has(text, "timeout"))
		return MX_TIMED_OUT;
	if (has(text, "No route to host") || has(text, "is unreachable"))
		return MX_NO_ROUTE;
	if (has(text, "lost connection") || has(text, "onnection reset") ||
		has(text, "closed connection"))
		return MX_LOST;
	return MX_FIGURE__COUNT;
}

static void add(struct store *s, const struct at *at, enum mx_whose whose, int32_t id, int step,
	int what, int64_t n)
{
	if (id > 0)
		count_add(&s->counts, at->p->id, at->minute, DIM_MX, mx_key(id, whose, step),
			(enum metric)what, n);
}

static void add_figure(struct store *s, const struct at *at, enum mx_whose whose, int32_t id,
	enum mx_figure figure, int64_t n)
{
	add(s, at, whose, id, MX_STEP_NONE, MX_FIRST + (int)figure, n);
}

static struct mx_try *slot_of(struct store *s, const struct at *at, int32_t pid)
{
	uint32_t salt = ((uint32_t)at->p->id * 31 + (uint32_t)at->host) * 0x9e3779b9u >> 20;

	return &s->tries[((uint32_t)pid + salt) % MX_TRIES];
}

/* What this process failed at lately; NULL nothing. */
static struct mx_try *try_of(struct store *s, const struct at *at, int32_t pid)
{
	struct mx_try *t = pid > 0 ? slot_of(s, at, pid) : NULL;
	int64_t age = t ? at->t_ms - t->t_ms : 0;

	if (!t || t->pid != pid || t->provider != at->p->id || t->host != at->host ||
		age > TRY_MS || age < -TRY_MS)
		return NULL;
	return t;
}

static struct mx_try *try_new(struct store *s, const struct at *at, int32_t pid)
{
	struct mx_try *t = slot_of(s, at, pid);

	memset(t, 0, sizeof(*t)); /* it is saved as bytes */
	t->provider = at->p->id;
	t->host = at->host;
	t->pid = pid;
	t->t_ms = at->t_ms;
	return t;
}

static void failed_at(struct mx_try *t, int32_t host, enum mx_figure kind)
{
	if (kind < MX_FIGURE__COUNT && t->n[kind] < UINT16_MAX)
		t->n[kind]++;
	for (size_t i = 0; host && i < MX_TRY_HOSTS; i++) {
		if (t->failed[i] == host)
			return;
		if (t->failed[i] == 0) {
			t->failed[i] = host;
			return;
		}
	}
}

void mx_failure(struct store *s, const struct at *at, const struct event *e, int32_t relay_host)
{
	enum mx_figure kind = kind_of(e->text.n ? e->text : e->reply);
	struct mx_try *t = try_of(s, at, e->pid);

	if (kind < MX_FIGURE__COUNT)
		add_figure(s, at, MX_OF_HOST, relay_host, kind, 1);
	if (e->runless || e->settles || e->pid <= 0 || !relay_host)
		return;
	if (!t || t->used)
		t = try_new(s, at, e->pid);
	t->t_ms = at->t_ms;
	failed_at(t, relay_host, kind);
	s->state_dirty = true;
}

/* The failures of the process before this record, if they are of its message; its domain gets them once. */
static struct mx_try *settle_try(struct store *s, const struct at *at, const struct mx_record *r)
{
	struct mx_try *t = try_of(s, at, r->pid);

	if (!t || (t->used && t->qid_hash != r->qid_hash))
		return NULL;
	if (t->used)
		return t;
	for (int kind = 0; kind < MX_FIGURE__COUNT; kind++)
		if (t->n[kind])
			add_figure(s, at, MX_OF_DOMAIN, r->dom, (enum mx_figure)kind, t->n[kind]);
	t->used = 1;
	t->qid_hash = r->qid_hash;
	s->state_dirty = true;
	return t;
}

static bool among(const struct mx_try *t, int32_t host)
{
	for (size_t i = 0; i < MX_TRY_HOSTS; i++)
		if (t->failed[i] == host)
			return true;
	return false;
}

static void count_sent(
	struct store *s, const struct at *at, const struct mx_record *r, const struct mx_try *t)
{
	int step = r->connect_cs >= 0 && !r->reused ? step_of(r->connect_cs) : MX_STEP_NONE;

	if (!r->relay_host || !r->network)
		return;
	/* delay c has in it what was lost at the hosts before: no fault of this one */
	add(s, at, MX_OF_HOST, r->relay_host, t && t->failed[0] ? MX_STEP_NONE : step, (int)r->tls,
		1);
	add(s, at, MX_OF_DOMAIN, r->dom, step, (int)r->tls, 1);
	if (!t || t->failed[0] == 0 || among(t, r->relay_host))
		return;
	add_figure(s, at, MX_OF_HOST, r->relay_host, MX_STEPPED_IN, 1);
	add_figure(s, at, MX_OF_DOMAIN, r->dom, MX_STEPPED_IN, 1);
	for (size_t i = 0; i < MX_TRY_HOSTS && t->failed[i]; i++) {
		int64_t key = fallback_key(t->failed[i], r->relay_host);

		if (key >= 0)
			count_add(&s->counts, at->p->id, at->minute, DIM_FALLBACK, key, METRIC_SENT,
				1);
	}
}

/* "... Name service error for name=HOST type=A: ...", or without DNS "unable to look up host HOST: ...": the MX host
 * whose address is not to be had. */
static struct str name_sought(struct str reply)
{
	size_t from = str_find(reply, STR_LIT(" name=")), end;
	struct str name = str_skip(reply, from + 6);

	if (from < reply.n) {
		end = str_find_char(name, ' ');
		return str_starts(str_skip(name, end), STR_LIT(" type=A")) ? str_first(name, end)
									   : STR_LIT("");
	}
	if (!str_starts(reply, STR_LIT("unable to look up host ")))
		return STR_LIT("");
	name = str_skip(reply, 23);
	return str_first(name, str_find_char(name, ':'));
}

static int dns_host(struct store *s, const struct at *at, const struct event *e, int32_t *ret,
	struct mt_error *reterr)
{
	struct str name = name_sought(e->reply);
	struct str domain = str_skip(e->to, str_find_char(e->to, '@') + 1);

	*ret = 0;
	if (name.n == 0 || str_ieq(name, domain))
		return 0;
	return join_id(s, at, DICT_RELAY_HOST, name, ret, reterr);
}

/* A record that failed without a line of its own about the host: at the last host to be tried there is none. */
static int count_failed(struct store *s, const struct at *at, const struct event *e,
	const struct mx_record *r, struct mx_try *t, struct mt_error *reterr)
{
	static const struct str dns[] = {STR_INIT("Host or domain name not found"),
		STR_INIT("Host not found"), STR_INIT("Name service error"),
		STR_INIT("unable to look up host")};
	int32_t host = 0;
	int rc = 0;

	if (r->relay_host && r->network) {
		enum mx_figure kind = kind_of(e->reply);

		if (kind == MX_FIGURE__COUNT || r->pid <= 0 || (t && t->told == r->relay_host))
			return 0;
		t = t ? t : try_new(s, at, r->pid);
		t->used = 1;
		t->told = r->relay_host;
		t->qid_hash = r->qid_hash;
		s->state_dirty = true;
		add_figure(s, at, MX_OF_HOST, r->relay_host, kind, 1);
		add_figure(s, at, MX_OF_DOMAIN, r->dom, kind, 1);
		return 0;
	}
	for (size_t i = 0; i < sizeof(dns) / sizeof(dns[0]); i++) {
		if (!str_starts(e->reply, dns[i]))
			continue;
		rc = dns_host(s, at, e, &host, reterr);
		add_figure(s, at, MX_OF_HOST, host, MX_DNS_FAILED, 1);
		add_figure(s, at, MX_OF_DOMAIN, r->dom, MX_DNS_FAILED, 1);
		break;
	}
	return rc;
}

int mx_attempt(struct store *s, const struct at *at, const struct event *e,
	const struct mx_record *r, struct mt_error *reterr)
{
	struct mx_try *t;

	if (e->runless || e->settles) { /* other logs than Postfix's */
		if (r->status == STATUS_SENT)
			count_sent(s, at, r, NULL);
		return 0;
	}
	if (!str_eq(e->process, STR_LIT("smtp")) && !str_eq(e->process, STR_LIT("lmtp")))
		return 0;
	t = settle_try(s, at, r);
	if (r->status == STATUS_SENT)
		count_sent(s, at, r, t);
	else if (r->status == STATUS_DEFERRED || r->status == STATUS_BOUNCED)
		return count_failed(s, at, e, r, t, reterr);
	return 0;
}

int mx_save(const struct store *s, int64_t now_ms, struct buf *out)
{
	for (size_t i = 0; i < MX_TRIES; i++)
		if (s->tries[i].pid && s->tries[i].t_ms >= now_ms - TRY_MS)
			buf_add(out, &s->tries[i], sizeof(s->tries[i]));
	return (int)out->err;
}

void mx_load(struct store *s, struct str bytes)
{
	struct mx_try one;

	memset(s->tries, 0, sizeof(s->tries));
	for (; bytes.n >= sizeof(one); bytes = str_skip(bytes, sizeof(one))) {
		struct provider_state p = {0};
		struct at at = {.p = &p};

		memcpy(&one, bytes.p, sizeof(one));
		p.id = one.provider;
		at.host = one.host;
		if (one.pid > 0)
			*slot_of(s, &at, one.pid) = one;
	}
}
