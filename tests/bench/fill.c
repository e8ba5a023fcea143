/* SPDX-License-Identifier: MIT */
/*
 * fill - a big cache, quickly: made-up traffic straight into the store, without a log.
 * usage: fill CACHE ATTEMPTS [DAYS [DOMAINS]]    prints one JSON object; CACHE is made anew.
 *
 * The mix of gen-maillog: 85 % sent at once, 8 % deferred (retried later), 4 % bounced, rejects and client
 * sessions beside them; recipient domains by Zipf's law; the last record is a moment before now.
 */
#include "store/base/mem.h"
#include "store/base/scan.h"
#include "store/store_write.h"

#include <math.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAYS_DEFAULT 10
#define DOMAINS_DEFAULT 5000
#define NUMBER_MAX 1000000000
#define MS_PER_DAY 86400000
#define RETRIES_MAX 20000 /* messages waiting for another try */
#define QID_BYTES 24

struct waiting {
	int64_t due_ms;
	int domain, run;
	char qid[QID_BYTES], to[96];
};

struct fill {
	struct store *store;
	int provider, source;
	uint64_t seed, offset, attempts, messages, rejects;
	int64_t t_ms;
	double *weight; /* cumulative, by domain */
	int ndomains;
	struct waiting *waiting; /* a ring, by due time: every wait is as long */
	size_t first, nwaiting;
	struct mt_error error;
};

static uint32_t random_below(struct fill *f, uint32_t below)
{
	f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((f->seed >> 33) % below);
}

static void must(struct fill *f, int rc)
{
	if (rc == 0)
		return;
	fprintf(stderr, "fill: %s\n", f->error.text);
	exit(1);
}

static void put(struct fill *f, struct event *e)
{
	e->t_utc_ms = f->t_ms;
	e->host = STR_LIT("mx1");
	e->line_offset = f->offset;
	f->offset += 150;
	must(f, store_event(f->store, f->provider, e, &f->error));
}

static struct event event_of(enum event_kind kind, const char *tag, const char *qid)
{
	struct event e;
	const char *slash = strrchr(tag, '/');

	event_init(&e);
	e.kind = kind;
	e.service = str_of(tag);
	e.process = str_of(slash + 1);
	e.queue_id = str_of(qid);
	e.pid = 100;
	return e;
}

static int pick_domain(struct fill *f)
{
	double x = random_below(f, 1u << 30) / (double)(1u << 30) * f->weight[f->ndomains - 1];
	int low = 0, high = f->ndomains - 1;

	while (low < high) {
		int middle = (low + high) / 2;

		if (f->weight[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void session(struct fill *f, const char *tag, const char *ip, bool counted)
{
	struct event e = event_of(EVENT_CONNECT, tag, NULL);

	e.queue_id = (struct str){NULL, 0};
	e.client_host = STR_LIT("client.example");
	e.client_ip = str_of(ip);
	put(f, &e);
	e.kind = EVENT_DISCONNECT;
	e.session = (struct session_counters){.present = counted,
		.starttls_ok = 1,
		.auth_ok = 1,
		.auth_total = 1,
		.mail_ok = 1,
		.rcpt_ok = 1,
		.rcpt_total = 1,
		.data_ok = 1,
		.commands = 7};
	put(f, &e);
}

static void outcome(struct fill *f, struct event *e, int kind, char *reply, size_t reply_bytes)
{
	static const struct {
		enum event_status status;
		int32_t dsn, code;
		enum smtp_stage stage;
		const char *before, *after; /* of a number that varies */
	} kinds[] = {
		{STATUS_SENT, DSN_MAKE(2, 0, 0), 250, STAGE_NONE, "250 2.0.0 Ok: queued as 4F",
			"Z"},
		{STATUS_DEFERRED, DSN_MAKE(4, 7, 1), 450, STAGE_RCPT,
			"host said: 450 4.7.1 Greylisted for ",
			" seconds (in reply to RCPT TO command)"},
		{STATUS_DEFERRED, DSN_MAKE(4, 4, 1), EVENT_UNKNOWN, STAGE_CONNECT,
			"connect to mx[192.0.2.", "]:25: Connection timed out"},
		{STATUS_BOUNCED, DSN_MAKE(5, 1, 1), 550, STAGE_RCPT, "host said: 550 5.1.1 <user",
			"@x.example> does not exist (in reply to RCPT TO command)"},
		{STATUS_BOUNCED, DSN_MAKE(5, 7, 1), 554, STAGE_END_OF_DATA,
			"host said: 554 5.7.1 rejected as spam, see https://x.example/",
			" (in reply to end of DATA command)"},
	};

	e->status = kinds[kind].status;
	e->dsn = kinds[kind].dsn;
	e->code = kinds[kind].code;
	e->stage = kinds[kind].stage;
	snprintf(reply, reply_bytes, "%s%u%s", kinds[kind].before, random_below(f, 1u << 20),
		kinds[kind].after);
	e->reply = str_of(reply);
}

/* attempt - one try; true when the message must be tried again. */
static bool attempt(struct fill *f, const char *qid, const char *to, int domain, bool again)
{
	struct event e = event_of(EVENT_ATTEMPT, "postfix/smtp", qid);
	char relay[128], host[64], ip[32], reply[256];
	uint32_t x = random_below(f, 100);
	int kind = again ? (x < 70          ? 0
				   : x < 95 ? 1 + (int)(x & 1)
					    : 3)
			 : (x < 87          ? 0
				   : x < 95 ? 1 + (int)(x & 1)
					    : 3 + (int)(x & 1));

	snprintf(host, sizeof(host), "mx.domain%d.example", domain);
	snprintf(ip, sizeof(ip), "198.18.%d.%d", domain / 250 % 250, domain % 250 + 1);
	snprintf(relay, sizeof(relay), "%s[%s]:25", host, ip);
	e.to = str_of(to);
	e.relay = str_of(relay);
	e.relay_host = str_of(host);
	e.relay_ip = str_of(ip);
	e.relay_port = 25;
	for (int d = 0; d < DELAY__COUNT; d++)
		e.delay_cs[d] = (int32_t)random_below(f, 99);
	outcome(f, &e, kind, reply, sizeof(reply));
	put(f, &e);
	f->attempts++;
	return kind == 1 || kind == 2;
}

static void removed(struct fill *f, const char *qid)
{
	struct event e = event_of(EVENT_REMOVED, "postfix/qmgr", qid);

	put(f, &e);
}

static void retry(struct fill *f)
{
	struct waiting w = f->waiting[f->first];
	struct event e = event_of(EVENT_QUEUED, "postfix/qmgr", w.qid);

	f->first = (f->first + 1) % RETRIES_MAX;
	f->nwaiting--;
	e.from = STR_LIT("bounce@example.test");
	e.size_bytes = 5000;
	e.nrcpt = 1;
	put(f, &e);
	if (attempt(f, w.qid, w.to, w.domain, true) && f->nwaiting < RETRIES_MAX && w.run < 20) {
		w.run++;
		w.due_ms = f->t_ms + 1800000;
		f->waiting[(f->first + f->nwaiting++) % RETRIES_MAX] = w;
	} else {
		removed(f, w.qid);
	}
}

static void message(struct fill *f)
{
	static const char *const tags[] = {"postfix/smtpd", "postfix/smtpd",
		"postfix/submission/smtpd", "postfix/submissions/smtpd"};
	const char *tag = tags[random_below(f, 4)];
	int domain = pick_domain(f), recipients = random_below(f, 10) ? 1 : 3;
	char qid[QID_BYTES], ip[32], from[64], mid[96], to[96];
	struct event e;
	bool again = false;

	snprintf(qid, sizeof(qid), "4G%010" PRIx64 "z", f->messages++);
	snprintf(ip, sizeof(ip), "203.0.113.%u", random_below(f, 200));
	snprintf(from, sizeof(from), "bounce+%u@customer%u.example", random_below(f, 400),
		random_below(f, 300));
	snprintf(mid, sizeof(mid), "%" PRIx64 ".%u@app.example", f->messages,
		random_below(f, 1u << 30));
	session(f, tag, ip, true);
	e = event_of(EVENT_RECEIVED, tag, qid);
	e.client_host = STR_LIT("client.example");
	e.client_ip = str_of(ip);
	e.sasl_user = tag == tags[0] ? (struct str){NULL, 0} : STR_LIT("bulk");
	put(f, &e);
	e = event_of(EVENT_MESSAGE_ID, "postfix/cleanup", qid);
	e.message_id = str_of(mid);
	put(f, &e);
	e = event_of(EVENT_QUEUED, "postfix/qmgr", qid);
	e.from = str_of(from);
	e.size_bytes = 500 + random_below(f, 100000);
	e.nrcpt = recipients;
	put(f, &e);
	for (int i = 0; i < recipients; i++) {
		snprintf(
			to, sizeof(to), "user%u@domain%d.example", random_below(f, 100000), domain);
		again = attempt(f, qid, to, domain, false) || again;
	}
	if (again && f->nwaiting < RETRIES_MAX) {
		struct waiting *w = &f->waiting[(f->first + f->nwaiting++) % RETRIES_MAX];

		*w = (struct waiting){.due_ms = f->t_ms + 1800000, .domain = domain};
		memcpy(w->qid, qid, sizeof(qid));
		memcpy(w->to, to, sizeof(to));
	} else {
		removed(f, qid);
	}
}

static void reject(struct fill *f)
{
	struct event e = event_of(EVENT_REJECT, "postfix/smtpd", NULL);
	char ip[32], reply[128];

	snprintf(ip, sizeof(ip), "198.51.100.%u", random_below(f, 250));
	snprintf(reply, sizeof(reply),
		"Client host rejected: cannot find your hostname, [198.51.100.%u]",
		random_below(f, 250));
	e.queue_id = (struct str){NULL, 0};
	e.client_host = STR_LIT("unknown");
	e.client_ip = str_of(ip);
	e.action = REJECT_REJECT;
	e.action_text = STR_LIT("reject");
	e.stage = STAGE_RCPT;
	e.code = random_below(f, 3) ? 554 : 450;
	e.dsn = e.code == 450 ? DSN_MAKE(4, 7, 1) : DSN_MAKE(5, 7, 1);
	e.from = STR_LIT("spam@spam.example");
	e.to = STR_LIT("info@example.test");
	e.helo = STR_LIT("spam.example");
	e.reply = str_of(reply);
	put(f, &e);
	f->rejects++;
}

static void run(struct fill *f, uint64_t attempts, int64_t from_ms, int64_t to_ms)
{
	/* 1.25 attempts a message: time advances with the attempts made */
	while (f->attempts < attempts) {
		int64_t due_ms = from_ms + (int64_t)((double)f->attempts / (double)attempts *
						     (double)(to_ms - from_ms));

		f->t_ms = due_ms > f->t_ms ? due_ms : f->t_ms;
		while (f->nwaiting && f->waiting[f->first].due_ms <= f->t_ms)
			retry(f);
		message(f);
		if (random_below(f, 8) == 0)
			reject(f);
		if (store_batch_rows(f->store) >= BATCH_EVENTS_MAX)
			must(f, store_commit(f->store, &f->error));
	}
	must(f, store_commit(f->store, &f->error));
}

static void open_cache(struct fill *f, const char *path)
{
	struct store_options options = {.path = path, .bulk = true};
	struct queue_depth depth = {.source = QUEUE_SOURCE_POSTQUEUE,
		.n = {0, 0, 12, 5000, 3, 0},
		.oldest_ms = EVENT_UNKNOWN};

	must(f, store_open(&options, &f->store, &f->error));
	must(f, store_provider(f->store, "postfix", "postfix", "mx1", &f->provider, &f->error));
	must(f, store_source(f->store, f->provider, "log", &f->source, &f->error));
	must(f, store_queue_depth(f->store, f->provider, &depth, &f->error));
	store_log_position(f->store, f->provider, STR_LIT("fill"));
}

static uint64_t number(int argc, char **argv, int at, uint64_t fallback)
{
	uint64_t n = fallback;

	if (at < argc && !scan_all_u64(str_of(argv[at]), NUMBER_MAX, &n)) {
		fprintf(stderr, "fill: not a number: %s\n", argv[at]);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	uint64_t attempts;
	struct fill f = {.seed = 1};
	struct clock clock = clock_real();
	int64_t now_ms = clock_utc_ms(&clock), started_ms = clock_mono_ms(&clock), days;
	struct source_health health = {.health = HEALTH_FRESH,
		.last_ok_ms = now_ms,
		.newest_ms = now_ms,
		.done_bytes = -1,
		.total_bytes = -1};
	struct stat st;

	if (argc < 3) {
		fprintf(stderr, "usage: fill CACHE ATTEMPTS [DAYS [DOMAINS]]\n");
		return 2;
	}
	attempts = number(argc, argv, 2, 0);
	days = (int64_t)number(argc, argv, 3, DAYS_DEFAULT);
	f.ndomains = (int)number(argc, argv, 4, DOMAINS_DEFAULT);
	unlink(argv[1]);
	f.weight = xmalloc((size_t)f.ndomains * sizeof(*f.weight));
	for (int i = 0; i < f.ndomains; i++)
		f.weight[i] = (i ? f.weight[i - 1] : 0) + 1 / pow(i + 1, 1.05);
	f.waiting = xmalloc(RETRIES_MAX * sizeof(*f.waiting));
	open_cache(&f, argv[1]);
	run(&f, attempts, now_ms - days * MS_PER_DAY, now_ms - 1000);
	must(&f, store_health(f.store, f.source, &health, &f.error));
	store_close(f.store);
	free(f.weight);
	free(f.waiting);
	if (stat(argv[1], &st) < 0)
		return 1;
	printf("{\"attempts\": %" PRIu64 ", \"messages\": %" PRIu64 ", \"rejects\": %" PRIu64
	       ", \"seconds\": %.1f, \"cache_bytes\": %lld}\n",
		f.attempts, f.messages, f.rejects,
		(double)(clock_mono_ms(&clock) - started_ms) / 1000, (long long)st.st_size);
	return 0;
}
