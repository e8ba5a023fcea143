/* SPDX-License-Identifier: MIT */
/*
 * exchange/smtp - the SMTP protocol logs: connections, logins, TLS and refusals, each by its session and listener's port.
 *
 * Messages and recipients are the tracking log's to count. Of a session that a Front End hands on (XPROXY) its refusals
 * are not: they stand in the Front End's log too. Nor are those of a session that another Exchange server logged into (X-EXPS): the
 * tracking log tells of what it could not hand over.
 */
#include "backends/exchange/parse.h"
#include "store/base/map.h"
#include "store/base/scan.h"

#define HASH_SEED 1
#define PERMANENT 500
#define TEMPORARY 400

static bool starts(struct str s, const char *word)
{
	struct str w = str_of(word);

	return s.n >= w.n && str_ieq(str_first(s, w.n), w);
}

/* session_of - the state kept for a session-id; the one longest unused makes room. */
static struct exchange_session *session_of(struct exchange_state *p, struct str id)
{
	uint64_t hash = map_hash(id, HASH_SEED) | 1;
	struct exchange_session *set = p->sessions[(hash >> 8) % EXCHANGE_SETS], *oldest = set;

	for (size_t i = 0; i < EXCHANGE_WAYS; i++) {
		if (set[i].id == hash) {
			set[i].used = p->clock;
			return &set[i];
		}
		if (!set[i].id || (oldest->id && set[i].used < oldest->used))
			oldest = &set[i];
	}
	oldest->id = hash;
	oldest->used = p->clock;
	oldest->stage = STAGE_OTHER; /* its beginning was not seen, unless it comes now */
	oldest->proxied = oldest->quit = false;
	oldest->ncommand = oldest->nhelo = 0;
	return oldest;
}

static enum smtp_stage stage_of(struct str command)
{
	static const struct {
		const char *word;
		enum smtp_stage stage;
	} stages[] = {{"EHLO", STAGE_EHLO}, {"HELO", STAGE_EHLO}, {"MAIL FROM", STAGE_MAIL},
		{"RCPT TO", STAGE_RCPT}, {"DATA", STAGE_DATA}, {"BDAT", STAGE_DATA},
		{"AUTH", STAGE_AUTH}, {"X-EXPS", STAGE_AUTH}, {"STARTTLS", STAGE_STARTTLS},
		{"X-ANONYMOUSTLS", STAGE_STARTTLS}};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (starts(command, stages[i].word))
			return stages[i].stage;
	return STAGE_OTHER;
}

static void keep(char *to, size_t max, uint8_t *n, struct str s)
{
	*n = (uint8_t)(s.n < max ? s.n : max);
	if (*n)
		memcpy(to, s.p, *n);
}

static void command_seen(struct exchange_session *s, struct str command)
{
	enum smtp_stage stage = stage_of(command);

	/* What follows AUTH is a password or the like; it is not a command. */
	if (stage == STAGE_OTHER && s->stage == STAGE_AUTH)
		return;
	if (starts(command, "BDAT") && str_find(command, STR_LIT("LAST")) < command.n)
		stage = STAGE_END_OF_DATA;
	s->stage = (uint8_t)stage;
	s->quit = starts(command, "QUIT");
	keep(s->command, sizeof(s->command), &s->ncommand, command);
	if (stage == STAGE_EHLO)
		keep(s->helo, sizeof(s->helo), &s->nhelo, str_trim(str_skip(command, 5)));
}

static struct str address_in(struct str command)
{
	size_t open = str_find_char(command, '<');
	struct str inside = str_skip(command, open + 1);
	size_t close = str_find_char(inside, '>');

	return open == command.n || close == inside.n ? (struct str){NULL, 0}
						      : str_first(inside, close);
}

static struct str stage_word(enum smtp_stage stage)
{
	static const struct str words[STAGE__COUNT] = {[STAGE_CONNECT] = STR_INIT("CONNECT"),
		[STAGE_EHLO] = STR_INIT("EHLO"),
		[STAGE_MAIL] = STR_INIT("MAIL FROM"),
		[STAGE_RCPT] = STR_INIT("RCPT TO"),
		[STAGE_DATA] = STR_INIT("DATA"),
		[STAGE_END_OF_DATA] = STR_INIT("end of DATA")};

	return words[stage];
}

/* refused - the server said no to what takes part in handing over mail. */
static void refused(struct event *e, const struct exchange_session *s, struct str reply)
{
	struct str command = str_make(s->command, s->ncommand);
	struct str text = str_skip(reply, 4);

	e->kind = EVENT_REJECT;
	e->stage = (enum smtp_stage)s->stage;
	e->stage_text = stage_word(e->stage);
	e->action = REJECT_REJECT;
	e->action_text = STR_LIT("reject");
	if (e->stage == STAGE_RCPT)
		e->reject_subject = e->to = address_in(command);
	else if (e->stage == STAGE_MAIL)
		e->reject_subject = e->from = address_in(command);
	if (e->dsn)
		text = str_skip(text, str_find_char(text, ' ') + 1);
	e->reject_reason = text.n ? text : reply;
}

static bool of_mail(enum smtp_stage stage)
{
	return stage == STAGE_CONNECT || stage == STAGE_EHLO || stage == STAGE_MAIL ||
	       stage == STAGE_RCPT || stage == STAGE_DATA || stage == STAGE_END_OF_DATA;
}

/* of_server - is the command one that only another Exchange server may give: a proxied client's session, a login as server? */
static bool of_server(const struct exchange_session *s)
{
	struct str command = str_make(s->command, s->ncommand);

	return starts(command, "XPROXY") || starts(command, "X-EXPS");
}

/* reply_sent - what this server answered; after it the command is dealt with. */
static void reply_sent(struct event *e, struct exchange_session *s, struct str reply)
{
	e->reply = reply;
	exchange_reply(e, reply);
	e->kind = EVENT_NONE;
	e->text = reply;
	if (e->code >= 200 && e->code < 300 && of_server(s)) {
		s->proxied = true; /* only now: anybody can say the word */
	} else if (e->code == 235) {
		e->kind = EVENT_AUTH_OK;
	} else if (e->code == 535 || (s->stage == STAGE_AUTH && e->code >= TEMPORARY)) {
		e->kind = EVENT_AUTH_FAILED;
	} else if (e->code == 250 && s->stage == STAGE_END_OF_DATA) {
		e->kind = EVENT_ACCEPTED;
	} else if (e->code >= TEMPORARY && of_mail((enum smtp_stage)s->stage) && !s->proxied) {
		refused(e, s, reply);
	}
	if (e->code == 354)
		s->stage = STAGE_END_OF_DATA;
	else if (!(s->stage == STAGE_AUTH && e->code == 334))
		s->stage = STAGE_OTHER;
}

/* word_behind - the word after a phrase: "... algorithm CALG_AES_256 with ...". */
static struct str word_behind(struct str text, struct str phrase)
{
	size_t at = str_find(text, phrase);
	struct str rest = str_skip(text, at + phrase.n), word = {NULL, 0};

	if (at < text.n)
		scan_word(&rest, &word);
	while (word.n && word.p[word.n - 1] == ',')
		word.n--;
	return word;
}

/* tls_version - "SP_PROT_TLS1_2_SERVER" as TLSv1.2; one we can't take apart as logged. */
static struct str tls_version(struct str word)
{
	static const struct {
		struct str logged, name;
	} versions[] = {{STR_INIT("SP_PROT_TLS1_3"), STR_INIT("TLSv1.3")},
		{STR_INIT("SP_PROT_TLS1_2"), STR_INIT("TLSv1.2")},
		{STR_INIT("SP_PROT_TLS1_1"), STR_INIT("TLSv1.1")},
		{STR_INIT("SP_PROT_TLS1_0"), STR_INIT("TLSv1")},
		{STR_INIT("SP_PROT_SSL3"), STR_INIT("SSLv3")}};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (str_starts(word, versions[i].logged))
			return versions[i].name;
	return word;
}

static struct str context_of(const struct exchange_record *r)
{
	return r->col[COL_CONTEXT].n ? r->col[COL_CONTEXT] : r->col[COL_DATA];
}

/* information - a '*' record: of all there are, TLS is what counts. */
static void information(struct event *e, const struct exchange_record *r, bool receive)
{
	struct str text = context_of(r);

	e->kind = EVENT_NONE;
	e->text = text;
	if (starts(text, "TLS protocol ") && str_find(text, STR_LIT(" succeeded")) < text.n) {
		e->kind = EVENT_TLS;
		e->tls_ok = true;
		e->tls_version = tls_version(word_behind(text, STR_LIT("TLS protocol ")));
		e->tls_cipher = word_behind(text, STR_LIT(" using bulk encryption algorithm "));
	} else if (starts(text, "TLS negotiation failed")) {
		e->kind = EVENT_TLS;
	} else if (!receive && starts(text, "Failed to connect")) {
		e->kind = EVENT_HOST_FAILURE;
		e->reply = text;
		e->stage = STAGE_CONNECT;
	}
	e->outbound = e->kind != EVENT_NONE && !receive;
}

static bool of_receive(struct event *e, struct exchange_session *s, const struct exchange_record *r)
{
	struct str context = context_of(r);

	switch (r->col[COL_EVENT].p[0]) {
	case '+':
		s->stage = STAGE_CONNECT;
		e->kind = EVENT_CONNECT;
		return true;
	case '<':
		command_seen(s, r->col[COL_DATA]);
		e->text = r->col[COL_DATA];
		return true;
	case '>':
		reply_sent(e, s, r->col[COL_DATA]);
		return true;
	case '*':
		information(e, r, true);
		return true;
	case '-': /* "Local", "Remote"; with (what happened) when it was no farewell */
		e->kind = !s->quit && str_find_char(context, '(') < context.n ? EVENT_LOST
									      : EVENT_DISCONNECT;
		e->action_text = context;
		s->id = 0;
		return true;
	default:
		return false;
	}
}

/* greeting_refused - the other server turned the connection away before any mail was offered. */
static bool greeting_refused(struct event *e, struct exchange_session *s, struct str reply)
{
	bool first = s->stage == STAGE_CONNECT;

	exchange_reply(e, reply);
	s->stage = STAGE_OTHER;
	return first && e->code >= TEMPORARY;
}

static bool of_send(struct event *e, struct exchange_session *s, const struct exchange_record *r)
{
	e->text = r->col[COL_DATA];
	switch (r->col[COL_EVENT].p[0]) {
	case '+':
		s->stage = STAGE_CONNECT;
		return true;
	case '>':
		s->stage = STAGE_OTHER;
		return true;
	case '<':
		e->reply = r->col[COL_DATA];
		if (greeting_refused(e, s, e->reply)) {
			e->kind = EVENT_HOST_FAILURE;
			e->outbound = true;
			e->stage = STAGE_CONNECT;
		}
		return true;
	case '*':
		information(e, r, false);
		return true;
	case '-':
		s->id = 0;
		return true;
	default:
		return false;
	}
}

static void set_ends(struct event *e, const struct exchange_record *r, bool receive)
{
	struct str local_ip, local_port, ip, port;

	exchange_endpoint(r->col[COL_LOCAL], &local_ip, &local_port);
	exchange_endpoint(r->col[COL_REMOTE], &ip, &port);
	if (receive) {
		e->process = STR_LIT("smtpd");
		e->service = exchange_port(local_port) > 0 ? local_port : r->col[COL_CONNECTOR];
		e->client_ip = ip;
		e->client_port = exchange_port(port);
	} else {
		e->process = STR_LIT("smtp");
		e->service = r->col[COL_CONNECTOR];
		e->relay = r->col[COL_REMOTE];
		e->relay_ip = e->relay_host = ip;
		e->relay_port = exchange_port(port);
	}
	if (e->service.n == 0)
		e->service = STR_LIT("exchange");
}

int exchange_smtp(struct exchange_state *p, struct event *e, const struct exchange_record *r,
	bool receive, const struct event_sink *sink, bool *ret_known)
{
	struct exchange_session *s;

	*ret_known = false;
	if (r->col[COL_SESSION_ID].n == 0 || r->col[COL_EVENT].n != 1)
		return 0;
	s = session_of(p, r->col[COL_SESSION_ID]);
	set_ends(e, r, receive);
	*ret_known = receive ? of_receive(e, s, r) : of_send(e, s, r);
	if (!*ret_known)
		return 0;
	if (receive && s->nhelo && e->kind != EVENT_NONE)
		e->helo = str_make(s->helo, s->nhelo);
	return sink->emit(sink->ctx, e);
}
