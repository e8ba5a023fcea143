/* SPDX-License-Identifier: MIT */
/* exim/message - the flagged lines of a message (<= => -> >> *> ** ==) and the others that carry its id. */
#include "backends/exim/parse.h"
#include "store/base/scan.h"

#define SIZE_DIGITS 15
#define NRCPT_MAX 1000000

void exim_set_client(struct event *e, const struct exim_host *h)
{
	e->client_host = h->name;
	e->client_ip = h->ip;
	e->client_port = h->port;
	e->helo = h->helo;
}

void exim_set_interface(struct event *e, struct str value)
{
	size_t colon = str_rfind_char(value, ':');
	struct str port = str_skip(value, colon + 1);
	uint64_t n;

	if (colon > 0 && colon < value.n && value.p[colon - 1] == ']' &&
		scan_all_u64(port, UINT16_MAX, &n) && n > 0)
		e->service = port; /* a listener is known by its port */
}

void exim_set_auth(struct event *e, struct str value)
{
	size_t colon = str_find_char(value, ':');
	struct str user = str_skip(value, colon + 1);

	e->sasl_method = str_first(value, colon);
	if (colon < value.n)
		e->sasl_user = str_first(user, str_find_char(user, ':'));
}

static int32_t count_words(struct str s)
{
	int32_t n = 0;

	while (s.n && n < NRCPT_MAX) {
		while (s.n && s.p[0] == ' ')
			s = str_skip(s, 1);
		if (exim_take_address(&s).n == 0)
			break;
		n++;
	}
	return n;
}

static void arrival_field(struct event *e, struct str key, struct str value,
	const struct exim_host *host, struct str *ret_parent)
{
	uint64_t n;

	if (key.n > 1) {
		if (str_eq(key, STR_LIT("id")))
			e->message_id = value;
		return;
	}
	switch (key.p[0]) {
	case 'H':
		exim_set_client(e, host);
		break;
	case 'I':
		exim_set_interface(e, value);
		break;
	case 'P':
		e->proto = value;
		break;
	case 'X':
		e->tls = value;
		break;
	case 'A':
		exim_set_auth(e, value);
		break;
	case 'S':
		if (scan_u64(&value, SIZE_DIGITS, INT64_MAX, &n))
			e->size_bytes = (int64_t)n;
		break;
	case 'R':
		if (exim_is_id(value))
			*ret_parent = value;
		break;
	default:
		break;
	}
}

/* " from <a@b> for r1 r2" behind the fields. */
static void arrival_tail(struct event *e, struct str rest)
{
	if (scan_lit(&rest, STR_LIT(" from "))) {
		size_t n = str_find(rest, STR_LIT("> for "));

		rest = n < rest.n ? str_skip(rest, n + 1) : str_first(rest, 0);
	}
	if (scan_lit(&rest, STR_LIT(" for ")))
		e->nrcpt = count_words(rest);
}

bool exim_arrival(struct event *e, struct str rest, struct str *ret_parent)
{
	struct str key, value;
	struct exim_host host;

	e->kind = EVENT_RECEIVED;
	e->from = exim_take_address(&rest);
	if (e->from.n == 0)
		return false;
	if (str_eq(e->from, STR_LIT("<>")))
		e->from = str_make(e->from.p + 1, 0);
	for (;;) {
		if (exim_take_field(&rest, &key, &value, &host))
			arrival_field(e, key, value, &host, ret_parent);
		else if (rest.n < 2 || str_starts(rest, STR_LIT(" from ")) ||
			 str_starts(rest, STR_LIT(" for ")))
			break;
		else /* "L." and other marks without a value */
			rest = str_skip(rest, 1 + str_find_char(str_skip(rest, 1), ' '));
	}
	arrival_tail(e, rest);
	e->process = str_present(e->client_ip) || str_present(e->client_host) ? STR_LIT("smtpd")
									      : STR_LIT("pickup");
	return true;
}

static void set_relay(struct event *e, const struct exim_host *host)
{
	size_t name = host->ip.n ? (size_t)(host->ip.p - host->whole.p) : 0;

	e->relay = host->whole;
	e->relay_host = host->ip.n == 0 ? host->whole
			: name > 2      ? str_first(host->whole, name - 2)
					: host->ip;
	e->relay_ip = host->ip;
	e->relay_port = host->port;
	e->conn_use = host->reused ? 2 : EVENT_UNKNOWN;
	e->process = STR_LIT("smtp");
}

static void attempt_field(
	struct event *e, struct str key, struct str value, const struct exim_host *host)
{
	if (key.n == 2) {
		if (str_eq(key, STR_LIT("QT")))
			e->delay_cs[DELAY_TOTAL] = exim_cs(value);
		else if (str_eq(key, STR_LIT("DT")))
			e->delay_cs[DELAY_D] = exim_cs(value);
		return;
	}
	if (key.n != 1)
		return;
	switch (key.p[0]) {
	case 'H':
		set_relay(e, host);
		break;
	case 'T':
		e->service = value;
		if (!str_present(e->relay))
			e->relay = e->relay_host = value;
		break;
	case 'X':
		e->tls = value;
		break;
	case 'C':
		e->reply = value;
		break;
	case 'F':
		if (value.n > 1 && value.p[0] == '<')
			e->from = str_make(value.p + 1, value.n - 2);
		break;
	default:
		break;
	}
}

/* "defer (110)": the number is the system's, or, below 0, one of Exim's own. */
static bool take_defer(struct str *rest)
{
	struct str in = *rest;
	size_t close;

	if (!scan_lit(&in, STR_LIT(" defer (")))
		return false;
	close = str_find_char(in, ')');
	*rest = str_skip(in, close + 1);
	return true;
}

static bool take_error(struct str rest, struct str *ret)
{
	scan_lit(&rest, STR_LIT(" "));
	if (!scan_lit(&rest, STR_LIT(":")))
		return false;
	while (rest.n && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	*ret = rest;
	return true;
}

static void set_recipient(struct event *e, struct str final, struct str original)
{
	e->to = final;
	if (original.n == 0)
		return;
	if (str_find_char(final, '@') < final.n && final.p[0] != '|' && final.p[0] != '/' &&
		final.p[0] != '>')
		e->orig_to = original;
	else if (str_find_char(original, '@') < original.n)
		e->to = original; /* a mailbox of ours, a file, a command: whose it is */
}

static enum event_status status_of(struct str flag)
{
	if (str_eq(flag, STR_LIT("**")))
		return STATUS_BOUNCED;
	if (str_eq(flag, STR_LIT("==")))
		return STATUS_DEFERRED;
	return str_eq(flag, STR_LIT("*>")) ? STATUS_OTHER : STATUS_SENT;
}

static struct str word_of(enum event_status status)
{
	if (status == STATUS_SENT)
		return STR_LIT("sent");
	if (status == STATUS_DEFERRED)
		return STR_LIT("deferred");
	return status == STATUS_BOUNCED ? STR_LIT("bounced") : STR_LIT("not delivered (-N)");
}

/* spaced - a local part that had to be quoted is logged bare, "x y@a.example <"x y"@a.example>": to the last space before "<". */
static void spaced(struct str whole, struct str *final, struct str *rest)
{
	size_t end = str_find(whole, STR_LIT(" <"));
	struct str wide = str_first(whole, end);

	if (final->n == 0 || final->p[0] == '|' || final->p[0] == '/' || final->p[0] == '>' ||
		str_find_char(*final, '@') < final->n || str_find_char(*final, ':') < final->n)
		return;
	if (end == whole.n || end <= final->n || str_find(wide, STR_LIT("=")) < wide.n ||
		str_find_char(wide, '@') == wide.n)
		return;
	*final = wide;
	*rest = str_skip(whole, end);
}

/* take_recipient - "final <original>", "final: error text". Ends at the fields. */
static bool take_recipient(struct event *e, struct str *rest)
{
	struct str whole = *rest, final = exim_take_address(rest), original = {NULL, 0}, in;

	spaced(whole, &final, rest);
	in = *rest;
	if (final.n > 1 && final.p[final.n - 1] == ':' && final.p[0] != ':') {
		final.n--;
		*rest = str_make(
			final.p + final.n, (size_t)(rest->p + rest->n - final.p) - final.n);
	} else if (scan_lit(&in, STR_LIT(" <"))) {
		size_t n = str_find_char(in, '>');

		original = str_first(in, n);
		*rest = str_skip(in, n + 1);
	}
	if (final.n == 0)
		return false;
	set_recipient(e, final, original);
	return true;
}

bool exim_attempt(struct event *e, struct str flag, struct str rest)
{
	struct str key, value;
	struct exim_host host;

	e->kind = EVENT_ATTEMPT;
	e->status = status_of(flag);
	e->status_text = word_of(e->status);
	if (!take_recipient(e, &rest))
		return false;
	for (;;) {
		if (exim_take_field(&rest, &key, &value, &host)) {
			attempt_field(e, key, value, &host);
			continue;
		}
		if (take_defer(&rest))
			continue;
		if (take_error(rest, &value)) {
			e->reply = value;
			break;
		}
		if (rest.n == 0)
			break;
		/* " K", " L": marks of chunking and the like; in a failure words: its text */
		if (e->status != STATUS_SENT) {
			e->reply = str_trim(rest);
			break;
		}
		rest = str_skip(rest, 1 + str_find_char(str_skip(rest, 1), ' '));
	}
	exim_reply_facts(e);
	return true;
}

static bool at_host(struct event *e, struct str rest)
{
	struct exim_host host;
	struct str text = rest;

	scan_lit(&rest, STR_LIT("H="));
	if (!exim_take_host(&rest, &host) || host.ip.n == 0)
		return false;
	set_relay(e, &host);
	e->kind = EVENT_HOST_FAILURE;
	e->outbound = true;
	e->text = text;
	while (rest.n && (rest.p[0] == ' ' || rest.p[0] == ':'))
		rest = str_skip(rest, 1);
	e->reply = rest;
	exim_reply_facts(e);
	return true;
}

/* "SMTP error from remote mail server after RCPT TO:<a@b>: host H [ip]: 450 ...", as before 4.9x. */
static bool remote_trouble(struct event *e, struct str rest)
{
	static const struct str starts[] = {STR_INIT("SMTP error from remote mail server"),
		STR_INIT("LMTP error from remote mail server"),
		STR_INIT("SMTP timeout while connected to "), STR_INIT("Remote host "),
		STR_INIT("SMTP timeout after "), STR_INIT("Connection timed out"),
		STR_INIT("Connection refused"), STR_INIT("Network is unreachable")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		static const struct str hosts[] = {
			STR_INIT(" connected to "), STR_INIT(": host "), STR_INIT("Remote host ")};

		if (!str_starts(rest, starts[i]))
			continue;
		for (size_t k = 0; k < 3; k++) {
			size_t at = str_find(rest, hosts[k]);
			struct str in = str_skip(rest, at + hosts[k].n);
			struct exim_host host;

			if (at < rest.n && exim_take_host(&in, &host) && host.ip.n)
				set_relay(e, &host);
		}
		e->kind = EVENT_HOST_FAILURE;
		e->outbound = true;
		e->text = e->reply = rest;
		exim_reply_facts(e);
		return true;
	}
	return false;
}

static bool known_quiet(struct str rest)
{
	static const struct str starts[] = {STR_INIT("Message is frozen"), STR_INIT("DKIM:"),
		STR_INIT("DKIM "), STR_INIT("DMARC"), STR_INIT("ARC"), STR_INIT("cancelled by "),
		STR_INIT("no immediate delivery"), STR_INIT("error ignored"),
		STR_INIT("Spool file is locked"), STR_INIT("Warning: "), STR_INIT("retry time"),
		STR_INIT("Message for <"), STR_INIT("SA: "), STR_INIT("routing failed"),
		STR_INIT("sender address changed"), STR_INIT("re-routed"), STR_INIT("remote "),
		STR_INIT("no IP address found for host "), STR_INIT("internal problem"),
		STR_INIT("TFO"), STR_INIT("DANE "), STR_INIT("Delivery status"), STR_INIT("demime"),
		STR_INIT("X="), STR_INIT("*** Message"), STR_INIT("message text"),
		STR_INIT("From: "), STR_INIT("spam acl condition"),
		STR_INIT("malware acl condition"), STR_INIT("cleared"), STR_INIT("marked "),
		STR_INIT("new recipient"), STR_INIT("removed spool"),
		STR_INIT("error message sent")};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (str_starts(rest, starts[i]))
			return true;
	return false;
}

/* "removed by root", "unfrozen by root": what a person did to the message. */
static bool handled(struct event *e, struct str rest)
{
	struct str frozen = rest;

	scan_lit(&frozen, STR_LIT("*** "));
	if (str_starts(frozen, STR_LIT("Frozen")) || str_starts(frozen, STR_LIT("frozen"))) {
		e->kind = EVENT_HOLD;
		e->action = REJECT_HOLD;
	} else if (str_starts(rest, STR_LIT("Unfrozen")) || str_starts(rest, STR_LIT("unfrozen"))) {
		e->kind = EVENT_HOLD;
		e->action = REJECT_OTHER;
	} else if (str_starts(rest, STR_LIT("removed by "))) {
		e->kind = EVENT_REMOVED;
		e->forced = true;
	} else {
		return false;
	}
	e->action_text = rest;
	return true;
}

static bool tls_trouble(struct event *e, struct str rest)
{
	struct exim_host host;
	struct str in = rest;
	bool in_bound = str_starts(rest, STR_LIT("TLS error on connection from "));
	size_t at = str_find(rest, STR_LIT("TLS error on connection to "));

	if (!in_bound && !str_starts(rest, STR_LIT("TLS session: ")) && at == rest.n &&
		!str_starts(rest, STR_LIT("TLS error ")))
		return false;
	e->kind = EVENT_TLS;
	e->tls_ok = false;
	e->outbound = !in_bound;
	e->text = rest;
	if (in_bound) {
		in = str_skip(rest, 29);
		scan_lit(&in, STR_LIT("H="));
		if (exim_take_host(&in, &host))
			exim_set_client(e, &host);
		e->process = STR_LIT("smtpd");
	}
	return true;
}

bool exim_of_message(struct event *e, struct str rest)
{
	if (str_starts(rest, STR_LIT("Completed"))) {
		struct str key, value, in = str_skip(rest, 9);
		struct exim_host host;

		e->kind = EVENT_REMOVED;
		if (exim_take_field(&in, &key, &value, &host) && str_eq(key, STR_LIT("QT")))
			e->delay_cs[DELAY_TOTAL] = exim_cs(value);
		return true;
	}
	if (str_starts(rest, STR_LIT("Process failed ("))) { /* no notice could be made of it */
		e->kind = EVENT_WARNING;
		e->severity = SEVERITY_ERROR;
		e->text = rest;
		return true;
	}
	if (handled(e, rest) || exim_refusal(e, rest) || tls_trouble(e, rest) ||
		remote_trouble(e, rest))
		return true;
	if (str_find(rest, STR_LIT(" [")) == str_find_char(rest, ' ') && at_host(e, rest))
		return true;
	if (str_starts(rest, STR_LIT("H=")) && str_find(rest, STR_LIT(" Warning: ")) == rest.n)
		return at_host(e, rest);
	if (!known_quiet(rest) && !str_starts(rest, STR_LIT("H=")))
		return false;
	e->kind = EVENT_NONE;
	e->text = rest;
	return true;
}
