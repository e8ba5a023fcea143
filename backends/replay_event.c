/* SPDX-License-Identifier: MIT */
/*
 * replay_event - an event as one JSON object: what `--replay` prints and what the fixtures of parsers hold.
 *
 * Absent fields are left out; nothing of an event that its line told is. Strings come out through utf8_json,
 * so that no control or format character and no bad UTF-8 does.
 */
#include "backends/replay.h"

#include "store/base/fmt.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"

#include <inttypes.h>

static const char *const event_names[EVENT__COUNT] = {[EVENT_NONE] = "other",
	[EVENT_UNPARSED] = "unparsed",
	[EVENT_FOREIGN] = "foreign",
	[EVENT_OVERSIZE] = "oversize",
	[EVENT_RECEIVED] = "received",
	[EVENT_MESSAGE_ID] = "message_id",
	[EVENT_QUEUED] = "queued",
	[EVENT_ATTEMPT] = "delivery",
	[EVENT_EXPIRED] = "expired",
	[EVENT_REMOVED] = "removed",
	[EVENT_NOTIFICATION] = "notification",
	[EVENT_REJECT] = "reject",
	[EVENT_CONNECT] = "connect",
	[EVENT_DISCONNECT] = "disconnect",
	[EVENT_LOST] = "lost",
	[EVENT_AUTH_FAILED] = "sasl_failed",
	[EVENT_TLS] = "tls",
	[EVENT_HOST_FAILURE] = "host_failure",
	[EVENT_HOLD] = "hold",
	[EVENT_WARNING] = "warning",
	[EVENT_SERVER] = "server",
	[EVENT_POSTSCREEN] = "postscreen",
	[EVENT_STATISTICS] = "statistics",
	[EVENT_AUTH_OK] = "sasl_ok",
	[EVENT_ACCEPTED] = "accepted"};

static const char *const stage_names[STAGE__COUNT] = {[STAGE_CONNECT] = "CONNECT",
	[STAGE_EHLO] = "EHLO",
	[STAGE_STARTTLS] = "STARTTLS",
	[STAGE_AUTH] = "AUTH",
	[STAGE_MAIL] = "MAIL",
	[STAGE_RCPT] = "RCPT",
	[STAGE_DATA] = "DATA",
	[STAGE_END_OF_DATA] = "END-OF-MESSAGE"};

static void put_key(struct buf *b, const char *key)
{
	buf_printf(b, ",\"%s\":", key);
}

static void put_str(struct buf *b, const char *key, struct str value)
{
	if (!str_present(value))
		return;
	put_key(b, key);
	if (utf8_json(b, value) < 0)
		b->err = MT_ELIMIT;
}

static void put_int(struct buf *b, const char *key, int64_t value)
{
	if (value == EVENT_UNKNOWN)
		return;
	put_key(b, key);
	buf_printf(b, "%" PRId64, value);
}

static void put_seconds(struct buf *b, int32_t cs)
{
	if (cs == EVENT_UNKNOWN)
		buf_add_z(b, "null");
	else if (cs % 100 == 0)
		buf_printf(b, "%d", cs / 100);
	else
		buf_printf(b, "%d.%02d", cs / 100, cs % 100);
}

static void put_delays(struct buf *b, const struct event *e)
{
	bool known = false;

	if (e->delay_cs[DELAY_TOTAL] != EVENT_UNKNOWN) {
		put_key(b, "delay");
		put_seconds(b, e->delay_cs[DELAY_TOTAL]);
	}
	for (int part = DELAY_A; part < DELAY__COUNT; part++)
		known |= e->delay_cs[part] != EVENT_UNKNOWN;
	if (!known)
		return;
	put_key(b, "delays");
	for (int part = DELAY_A; part < DELAY__COUNT; part++) {
		buf_add_char(b, part == DELAY_A ? '[' : ',');
		put_seconds(b, e->delay_cs[part]);
	}
	buf_add_char(b, ']');
}

static void put_dsn(struct buf *b, const char *key, int32_t dsn)
{
	if (dsn == 0)
		return;
	put_key(b, key);
	buf_add_char(b, '"');
	fmt_dsn(b, dsn);
	buf_add_char(b, '"');
}

static void put_head(struct buf *b, int64_t line, const struct event *e)
{
	buf_printf(b, "{\"line\":%" PRId64 ",\"time\":\"", line);
	timefmt_rfc3339(b, e->t_utc_ms);
	buf_printf(b, "\",\"event\":\"%s\"", event_names[e->kind]);
	put_str(b, "host", e->host);
	put_str(b, "instance", str_first(e->service, str_find_char(e->service, '/')));
	put_str(b, "program", e->service);
	put_str(b, "process", e->process);
	put_int(b, "pid", e->pid);
	put_str(b, "queue_id", e->queue_id);
	put_str(b, "child_queue_id", e->child_queue_id);
	put_str(b, "orig_queue_id", e->orig_queue_id);
}

static void put_envelope(struct buf *b, const struct event *e)
{
	put_str(b, "from", e->from);
	put_str(b, "to", e->to);
	put_str(b, "orig_to", e->orig_to);
	put_str(b, "message_id", e->message_id);
	put_int(b, "size", e->size_bytes);
	put_int(b, "nrcpt", e->nrcpt);
	put_int(b, "uid", e->uid);
	put_str(b, "client_host", e->client_host);
	put_str(b, "client_ip", e->client_ip);
	put_int(b, "client_port", e->client_port);
	put_str(b, "orig_client", e->orig_client);
	put_str(b, "helo", e->helo);
	put_str(b, "proto", e->proto);
	put_str(b, "sasl_method", e->sasl_method);
	put_str(b, "sasl_username", e->sasl_user);
	put_str(b, "sasl_sender", e->sasl_sender);
}

static void put_outcome(struct buf *b, const struct event *e)
{
	put_str(b, "relay", e->relay);
	if (!str_present(e->relay) || e->relay_ip.n || e->relay_socket.n) /* not "local", "none" */
		put_str(b, "relay_host", e->relay_host);
	put_str(b, "relay_ip", e->relay_ip);
	put_int(b, "relay_port", e->relay_port);
	put_str(b, "relay_socket", e->relay_socket);
	put_int(b, "conn_use", e->conn_use);
	put_delays(b, e);
	put_str(b, "tls", e->tls);
	if (e->kind != EVENT_REJECT)
		put_dsn(b, "dsn", e->dsn);
	put_str(b, "status", e->status_text);
	put_str(b, e->kind == EVENT_REJECT ? "reject_text" : "response", e->reply);
}

/* The stage in the log's own words; in ours where it has none ("connect to ...: Connection refused"). */
static void put_stage(struct buf *b, const struct event *e)
{
	if (str_present(e->stage_text))
		put_str(b, "smtp_stage", e->stage_text);
	else if (stage_names[e->stage])
		put_str(b, "smtp_stage", str_of(stage_names[e->stage]));
}

/* The counters of a session's disconnect line, as Postfix names them. */
static void put_session(struct buf *b, const struct session_counters *c)
{
	if (!c->present)
		return;
	put_key(b, "session");
	buf_printf(b,
		"{\"starttls\":%d,\"auth\":[%d,%d],\"mail\":%d,\"rcpt\":[%d,%d],\"data\":%d,"
		"\"commands\":%d}",
		c->starttls_ok, c->auth_ok, c->auth_total, c->mail_ok, c->rcpt_ok, c->rcpt_total,
		c->data_ok, c->commands);
}

/* Where the fields don't tell all that the line does. */
static bool has_message(const struct event *e)
{
	return e->kind == EVENT_NONE || e->kind == EVENT_WARNING || e->kind == EVENT_SERVER ||
	       e->kind == EVENT_STATISTICS || e->kind == EVENT_POSTSCREEN ||
	       e->kind == EVENT_UNPARSED || e->kind == EVENT_FOREIGN || e->kind == EVENT_OVERSIZE ||
	       (e->kind == EVENT_TLS && !e->tls_ok) ||
	       (e->kind == EVENT_REJECT && !str_present(e->reply));
}

static void put_rest(struct buf *b, const struct event *e)
{
	static const char *const severities[] = {NULL, "warning", "error", "fatal", "panic"};

	if (e->kind == EVENT_REJECT) {
		put_int(b, "reject_code", e->code);
		put_dsn(b, "reject_dsn", e->dsn);
		put_str(b, "reject_data", e->reject_subject);
		put_str(b, "reject_reason", e->reject_reason);
	} else {
		put_int(b, "reply_code", e->code);
	}
	put_str(b, "action", e->action_text);
	put_stage(b, e);
	put_session(b, &e->session);
	if (e->kind == EVENT_TLS) {
		put_key(b, "tls_ok");
		buf_add_z(b, e->tls_ok ? "true" : "false");
	}
	put_str(b, "tls_trust", e->tls_trust);
	put_str(b, "tls_version", e->tls_version);
	put_str(b, "tls_cipher", e->tls_cipher);
	put_str(b, "tls_bits", e->tls_bits);
	if (severities[e->severity])
		put_str(b, "severity", str_of(severities[e->severity]));
	else if (e->kind == EVENT_REJECT && (str_eq(e->action_text, STR_LIT("info")) ||
						    str_eq(e->action_text, STR_LIT("warning"))))
		put_str(b, "severity", e->action_text);
	if (has_message(e))
		put_str(b, "message", e->text);
}

int replay_event(struct buf *out, int64_t line, const struct event *e)
{
	put_head(out, line, e);
	put_envelope(out, e);
	put_outcome(out, e);
	put_rest(out, e);
	return buf_add_z(out, "}\n");
}
