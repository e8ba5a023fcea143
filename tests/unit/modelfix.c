/* SPDX-License-Identifier: MIT */
/* modelfix - see modelfix.h. Nothing of the reader is used here, or it would be asked about itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/modelfix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const services[] = {
	"postfix/smtpd", "postfix/submission/smtpd", "postfix/reinject/smtpd", NULL};
static const char *const senders[] = {"corp.example", "shop.example", "list.example", "", NULL};
static const char *const domains[] = {
	"gmail.com", "outlook.com", "example.org", "rare.example", "big.example", NULL};
static const struct {
	const char *relay, *host;
	int32_t port;
} relays[] = {{"mx.gmail.com[192.0.2.1]:25", "mx.gmail.com", 25},
	{"mx.outlook.com[192.0.2.2]:25", "mx.outlook.com", 25},
	{"mail.example.org[192.0.2.3]:587", "mail.example.org", 587}, {"local", "local", 0},
	{"none", NULL, 0}};
static const struct {
	enum event_status status;
	int32_t dsn, code;
	enum smtp_stage stage;
	const char *reply;
} outcomes[] = {
	{STATUS_SENT, DSN_MAKE(2, 0, 0), 250, STAGE_NONE, "250 2.0.0 Ok: queued as 4F99A1B2C3"},
	{STATUS_SENT, DSN_MAKE(2, 1, 5), 250, STAGE_NONE, "250 2.1.5 accepted"},
	{STATUS_DEFERRED, DSN_MAKE(4, 7, 650), 451, STAGE_MAIL,
		"host mx said: 451 4.7.650 rate limited (in reply to MAIL FROM command)"},
	{STATUS_DEFERRED, DSN_MAKE(4, 4, 1), 0, STAGE_CONNECT,
		"connect to mx[192.0.2.99]:25: Connection timed out"},
	{STATUS_DEFERRED, 0, 451, STAGE_RCPT, "host mx said: 451 try again later"},
	{STATUS_BOUNCED, DSN_MAKE(5, 1, 1), 550, STAGE_RCPT,
		"host mx said: 550 5.1.1 no such user"},
	{STATUS_BOUNCED, DSN_MAKE(5, 7, 1), 550, STAGE_END_OF_DATA, "host mx said: 550 5.7.1 Spam"},
};
#define OUTCOMES_SENT 2
#define OUTCOMES_DEFERRED 3

uint32_t model_random(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % below);
}

static void counted(struct model *m, int provider, int64_t t_ms)
{
	t_ms -= t_ms % FIX_MINUTE_MS;
	if (t_ms < m->first_ms[0])
		m->first_ms[0] = t_ms;
	if (t_ms < m->first_ms[provider])
		m->first_ms[provider] = t_ms;
}

static void make_message(struct model *m, size_t i, uint64_t *seed)
{
	static const unsigned flags[] = {0, 0, 0, 0, 0, 0, 0, MESSAGE_OPEN, MESSAGE_REINJECTED,
		MESSAGE_NO_START, MESSAGE_NOTIFICATION, MESSAGE_HELD};
	struct model_message *x = &m->message[i];
	const char *sender = senders[model_random(seed, COUNT(senders))];
	int64_t step = MODEL_HOURS * (int64_t)FIX_HOUR_MS / MODEL_MESSAGES;

	snprintf(x->qid, sizeof(x->qid), "4A%04XZ", (unsigned)(i * 7919 % 65536));
	snprintf(x->message_id, sizeof(x->message_id), "m%zu@%s", i,
		i % 3 ? "a.example" : "b.example");
	if (sender && *sender)
		snprintf(x->from, sizeof(x->from), "user%zu@%s", i % 20, sender);
	x->sender_domain = sender && *sender ? sender : NULL;
	x->row = (struct fix_message){.provider = model_random(seed, 4) ? 1 : 2,
		.t_ms = FIX_NOW_MS - MODEL_HOURS * (int64_t)FIX_HOUR_MS + (int64_t)i * step +
			model_random(seed, 200000),
		.flags = flags[model_random(seed, COUNT(flags))],
		.qid = x->qid,
		.service = services[model_random(seed, COUNT(services))],
		.client = i % 2 ? "mail.client.example[203.0.113.5]" : "unknown[198.51.100.66]",
		.user = i % 5 ? NULL : "info",
		.from = sender ? x->from : NULL,
		.message_id = x->message_id,
		.size = 100 + (int64_t)i,
		.nrcpt = model_random(seed, 10) ? 1 + (int64_t)model_random(seed, 3)
						: EVENT_UNKNOWN};
	if (!(x->row.flags & MESSAGE_OPEN))
		x->row.end_ms = x->row.t_ms + 5000;
	if (!(x->row.flags & (MESSAGE_REINJECTED | MESSAGE_NO_START)))
		counted(m, x->row.provider, x->row.t_ms);
}

static void add_attempt(struct model *m, const struct model_message *owner, int64_t t_ms,
	int recipient, size_t outcome, int run, uint64_t *seed)
{
	struct model_attempt *a = &m->attempt[m->nattempts++];
	size_t dom = model_random(seed, COUNT(domains)), relay = model_random(seed, COUNT(relays));

	if (dom == 3 && model_random(seed, 8)) /* keep it rare */
		dom = 0;
	a->message = owner;
	a->domain = domains[dom];
	snprintf(a->rcpt, sizeof(a->rcpt), "r%d%s%s", recipient, a->domain ? "@" : "",
		a->domain ? a->domain : "");
	a->row = (struct fix_attempt){.t_ms = t_ms,
		.provider = owner->row.provider,
		.status = outcomes[outcome].status,
		.orig = model_random(seed, 9) ? NULL : "alias@corp.example",
		.relay = relays[relay].relay,
		.relay_host = relays[relay].host,
		.relay_port = relays[relay].port,
		.sender_domain = owner->sender_domain,
		.egress = "postfix/smtp",
		.reply = outcomes[outcome].reply,
		.dsn = outcomes[outcome].dsn,
		.code = outcomes[outcome].code,
		.stage = outcomes[outcome].stage,
		.run = run,
		.inline_row = run == 1 && recipient == 0 &&
			      outcomes[outcome].status == STATUS_SENT &&
			      t_ms - owner->row.t_ms <= INLINE_ATTEMPT_MAX_MS,
		.handed_over = outcomes[outcome].status == STATUS_SENT && !model_random(seed, 15)};
	for (int d = 0; d < DELAY__COUNT; d++)
		a->row.cs[d] = (int32_t)model_random(seed, 99) * (model_random(seed, 3) ? 1 : 100);
	counted(m, a->row.provider, t_ms);
}

static void attempts_of(struct model *m, const struct model_message *x, uint64_t *seed)
{
	int recipients = x->row.nrcpt > 0 ? (int)x->row.nrcpt : 1;

	for (int i = 0; i < recipients; i++) {
		int64_t t_ms = x->row.t_ms + model_random(seed, 70000);
		int run = 1, deferrals = (int)model_random(seed, 8) - 5;

		for (; deferrals > 0;
			deferrals--, run++, t_ms += 1000 + model_random(seed, 1500000))
			add_attempt(m, x, t_ms, i,
				OUTCOMES_SENT + model_random(seed, OUTCOMES_DEFERRED), run, seed);
		if (t_ms < FIX_NOW_MS)
			add_attempt(m, x, t_ms, i,
				model_random(seed, 6)
					? model_random(seed, OUTCOMES_SENT)
					: OUTCOMES_SENT + OUTCOMES_DEFERRED + model_random(seed, 2),
				run, seed);
	}
}

static int attempts_by_time(const void *left, const void *right)
{
	const struct model_attempt *a = left, *b = right;

	return (a->row.t_ms > b->row.t_ms) - (a->row.t_ms < b->row.t_ms);
}

static void make_reject(struct model *m, size_t i, uint64_t *seed)
{
	static const struct {
		const char *reply;
		int32_t code, dsn;
	} kinds[] = {{"Relay access denied", 554, DSN_MAKE(5, 7, 1)},
		{"cannot find your hostname", 450, DSN_MAKE(4, 7, 1)}, {"busy", 421, 0}};
	static const char *const rcpts[] = {"info@gmail.com", "sales@rare.example", NULL};
	struct model_reject *x = &m->reject[i];
	size_t kind = model_random(seed, COUNT(kinds)), rcpt = model_random(seed, COUNT(rcpts));
	int64_t step = MODEL_HOURS * (int64_t)FIX_HOUR_MS / MODEL_REJECTS;

	x->id = (int64_t)i + 1;
	x->domain = rcpts[rcpt] ? strchr(rcpts[rcpt], '@') + 1 : NULL;
	x->row = (struct fix_reject){.provider = model_random(seed, 3) ? 1 : 2,
		.t_ms = FIX_NOW_MS - MODEL_HOURS * (int64_t)FIX_HOUR_MS + (int64_t)i * step + 1000,
		.action = model_random(seed, 5) ? REJECT_REJECT : REJECT_WARN,
		.word = "reject",
		.service = services[model_random(seed, 2)],
		.client = "unknown[198.51.100.66]",
		.from = "spam@spam.example",
		.rcpt = rcpts[rcpt],
		.helo = "spam.example",
		.reply = kinds[kind].reply,
		.stage = STAGE_RCPT,
		.code = kinds[kind].code,
		.dsn = kinds[kind].dsn};
	counted(m, x->row.provider, x->row.t_ms);
}

static void make_session(struct model *m, size_t i, uint64_t *seed)
{
	static const enum metric metrics[] = {METRIC_CONNECTIONS, METRIC_AUTH_OK,
		METRIC_AUTH_FAILED, METRIC_TLS, METRIC_LOST, METRIC_COUNTED_SESSIONS};
	struct model_session *x = &m->session[i];

	*x = (struct model_session){.provider = model_random(seed, 3) ? 1 : 2,
		.t_ms = FIX_NOW_MS - 1 - model_random(seed, MODEL_HOURS * 3600) * (int64_t)1000,
		.n = 1 + model_random(seed, 9),
		.service = services[model_random(seed, 2)],
		.metric = metrics[model_random(seed, COUNT(metrics))]};
	if (x->provider == 2 && (x->metric == METRIC_TLS || x->metric == METRIC_COUNTED_SESSIONS))
		x->metric = METRIC_CONNECTIONS; /* its log tells nothing of TLS */
	counted(m, x->provider, x->t_ms);
}

static void write_cache(struct model *m, const char *path)
{
	struct fix f;
	char sql[512];

	fix_open(&f, path);
	for (size_t i = 0; i < MODEL_MESSAGES; i++)
		m->message[i].id = fix_message(&f, &m->message[i].row);
	for (size_t i = 0; i < m->nattempts; i++) {
		struct model_attempt *a = &m->attempt[i];

		a->row.message = a->message->id;
		a->row.rcpt = a->rcpt; /* sorting moved it */
		a->key = a->row.inline_row ? -a->message->id : f.next_attempt;
		fix_attempt(&f, &a->row);
	}
	for (size_t i = 0; i < MODEL_REJECTS; i++)
		fix_reject(&f, &m->reject[i].row);
	for (size_t i = 0; i < MODEL_SESSIONS; i++) {
		const struct model_session *x = &m->session[i];

		fix_service(&f, x->t_ms, x->provider, x->service, x->metric, x->n);
	}
	fix_exec(&f, "INSERT INTO provider(id, name, kind) VALUES(1,'postfix','postfix'),"
		     "(2,'postfix-out','postfix')");
	snprintf(sql, sizeof(sql),
		"INSERT INTO source(provider, name, health, last_ok_ms, newest_ms) VALUES"
		"(1,'log',1,%lld,%lld),(2,'log',2,%lld,%lld)",
		(long long)FIX_NOW_MS, (long long)FIX_NOW_MS - 1, (long long)FIX_NOW_MS,
		(long long)FIX_NOW_MS - 1);
	fix_exec(&f, sql);
	fix_close(&f);
}

struct model *model_make(const char *path)
{
	struct model *m = calloc(1, sizeof(*m));
	uint64_t seed = 20261125;

	assert_non_null(m);
	m->first_ms[0] = m->first_ms[1] = m->first_ms[2] = INT64_MAX;
	for (size_t i = 0; i < MODEL_MESSAGES; i++)
		make_message(m, i, &seed);
	for (size_t i = 0; i < MODEL_MESSAGES; i++)
		attempts_of(m, &m->message[i], &seed);
	assert_true(m->nattempts < MODEL_ATTEMPTS_MAX - 20);
	qsort(m->attempt, m->nattempts, sizeof(m->attempt[0]), attempts_by_time);
	for (size_t i = 0; i < MODEL_REJECTS; i++)
		make_reject(m, i, &seed);
	for (size_t i = 0; i < MODEL_SESSIONS; i++)
		make_session(m, i, &seed);
	write_cache(m, path);
	return m;
}

void model_window(const struct query *q, int64_t *from_ms, int64_t *to_ms)
{
	*from_ms = 0;
	*to_ms = INT64_MAX / 2;
	if (q->t0_ms == 0 && q->t1_ms == 0)
		return;
	*from_ms = q->t0_ms / FIX_MINUTE_MS * FIX_MINUTE_MS;
	*to_ms = (q->t1_ms + FIX_MINUTE_MS - 1) / FIX_MINUTE_MS * FIX_MINUTE_MS;
}

static bool in_window(const struct query *q, int provider, int64_t t_ms)
{
	int64_t from_ms, to_ms;

	model_window(q, &from_ms, &to_ms);
	return t_ms >= from_ms && t_ms < to_ms && (q->provider == 0 || q->provider == provider);
}

/* same - is the filter absent, or the text it asks for? */
static bool same(struct str filter, const char *text)
{
	return !filter.p ||
	       (text && filter.n == strlen(text) && memcmp(filter.p, text, filter.n) == 0);
}

static int32_t port_of(const char *service)
{
	if (!service)
		return EVENT_UNKNOWN;
	return strcmp(service, "postfix/smtpd") == 0              ? 25
	       : strcmp(service, "postfix/submission/smtpd") == 0 ? 587
								  : EVENT_UNKNOWN;
}

/* shown - the needle is in one of the texts, without regard to case. */
static bool shown(const struct query *q, const char *const *texts, size_t n)
{
	char needle[64];

	if (q->text.n == 0)
		return true;
	snprintf(needle, sizeof(needle), "%.*s", (int)q->text.n, q->text.p);
	for (size_t i = 0; i < n; i++)
		if (texts[i] && strcasestr(texts[i], needle))
			return !q->text_invert;
	return q->text_invert;
}

static void code_text(int64_t key, char out[24])
{
	if (key == 0)
		snprintf(out, 24, "none");
	else if (key >= DSN_MAKE(1, 0, 0))
		snprintf(out, 24, "%d.%d.%d", (int)(key / 1000000), (int)(key / 1000 % 1000),
			(int)(key % 1000));
	else
		snprintf(out, 24, "%d", (int)key);
}

int64_t model_key(const struct model_attempt *a)
{
	return a->row.dsn > 0 ? a->row.dsn : a->row.code > 0 ? a->row.code : 0;
}

static bool wants_status(const struct query *q, enum event_status status)
{
	if (q->status == STATUS__COUNT)
		return status == STATUS_DEFERRED || status == STATUS_BOUNCED;
	return q->status == STATUS_NONE || q->status == status;
}

/* What is asked of an attempt but for the time, the provider and the text. */
static bool wants_facts(const struct query *q, const struct model_attempt *a)
{
	return same(q->domain, a->domain) && same(q->relay_host, a->row.relay_host) &&
	       (q->code_key == 0 || q->code_key == model_key(a));
}

static bool wants_owner(const struct query *q, const struct model_message *x)
{
	return same(q->service, x->row.service) && same(q->sender_domain, x->sender_domain);
}

bool model_wants_attempt(const struct query *q, const struct model_attempt *a)
{
	const struct model_message *x = a->message;
	char code[24];
	const char *texts[] = {a->rcpt, a->row.orig, a->row.relay, a->row.egress, a->row.reply,
		code, x->qid, x->row.from, x->message_id, x->row.client, x->row.user};

	code_text(model_key(a), code);
	return in_window(q, a->row.provider, a->row.t_ms) && wants_status(q, a->row.status) &&
	       wants_facts(q, a) && wants_owner(q, x) &&
	       (q->port == 0 || q->port == a->row.relay_port ||
		       q->port == port_of(x->row.service)) &&
	       shown(q, texts, COUNT(texts));
}

/* A message passes by what is its own and, for the recipient's side, by its inline attempt. */
bool model_wants_message(
	const struct model *m, const struct query *q, const struct model_message *x)
{
	const struct model_attempt *first = NULL;
	char code[24] = "";
	const char *texts[] = {x->qid, x->row.from, x->message_id, x->row.client, x->row.user, NULL,
		NULL, NULL, NULL, NULL, code};

	if (!in_window(q, x->row.provider, x->row.t_ms) || !wants_owner(q, x))
		return false;
	for (size_t i = 0; i < m->nattempts; i++)
		if (m->attempt[i].message == x && m->attempt[i].row.inline_row)
			first = &m->attempt[i];
	if (first) {
		texts[5] = first->rcpt;
		texts[6] = first->row.orig;
		texts[7] = first->row.relay;
		texts[8] = first->row.egress;
		texts[9] = first->row.reply;
		code_text(model_key(first), code);
	}
	if ((q->domain.p || q->relay_host.p || q->code_key) && (!first || !wants_facts(q, first)))
		return false;
	return shown(q, texts, COUNT(texts));
}

bool model_wants_reject(const struct query *q, const struct model_reject *x)
{
	int64_t key = x->row.dsn ? x->row.dsn : x->row.code;
	char code[24];
	const char *texts[] = {x->row.word, x->row.from, x->row.rcpt, x->row.helo, x->row.service,
		x->row.client, x->row.reply, code};

	code_text(key, code);
	if (q->relay_host.p || q->sender_domain.p)
		return false;
	return in_window(q, x->row.provider, x->row.t_ms) && same(q->domain, x->domain) &&
	       same(q->service, x->row.service) && (q->code_key == 0 || q->code_key == key) &&
	       (q->port == 0 || q->port == port_of(x->row.service)) &&
	       shown(q, texts, COUNT(texts));
}
