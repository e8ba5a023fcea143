/* SPDX-License-Identifier: MIT */
/*
 * replay - `mtatop --replay NAME FILE`: a file through a family's parser, one JSON object a recognised line.
 *
 * Keys are those of the man page's REPLAY section; absent ones are left out. Nothing is stored.
 */
#include "backends/collector.h"
#include "backends/registry.h"
#include "store/base/buf.h"
#include "store/base/fmt.h"
#include "store/base/mem.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (1u << 20)
#define CHUNK_MAX_BYTES                                                                            \
	(80u << 20) /* a line of 64 MB without an end, and what was read behind it */
#define OUT_MAX_BYTES (4u << 20)
#define DAY_MS 86400000

struct replay {
	struct buf out;
	struct str chunk; /* being parsed, to number its lines */
	size_t counted; /* bytes of the chunk whose lines are in line */
	int64_t line;
	bool broken; /* standard output is gone */
};

static const char *const event_names[EVENT__COUNT] = {[EVENT_NONE] = "other",
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
	[EVENT_STATISTICS] = "statistics"};

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
	if (e->delay_cs[DELAY_TOTAL] != EVENT_UNKNOWN) {
		put_key(b, "delay");
		put_seconds(b, e->delay_cs[DELAY_TOTAL]);
	}
	if (e->delay_cs[DELAY_A] == EVENT_UNKNOWN)
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

static void put_head(struct replay *r, const struct event *e)
{
	struct buf *b = &r->out;

	buf_printf(b, "{\"line\":%" PRId64 ",\"time\":\"", r->line);
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
	put_str(b, "tls_trust", e->tls_trust);
	put_str(b, "tls_version", e->tls_version);
	put_str(b, "tls_cipher", e->tls_cipher);
	put_str(b, "tls_bits", e->tls_bits);
	if (severities[e->severity])
		put_str(b, "severity", str_of(severities[e->severity]));
	else if (e->kind == EVENT_REJECT && (str_eq(e->action_text, STR_LIT("info")) ||
						    str_eq(e->action_text, STR_LIT("warning"))))
		put_str(b, "severity", e->action_text);
	put_str(b, "message", e->text);
}

static int flush_out(struct replay *r)
{
	struct str rest = buf_str(&r->out);

	while (rest.n) {
		ssize_t n = write(STDOUT_FILENO, rest.p, rest.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r->broken = true;
			return MT_EIO;
		}
		rest = str_skip(rest, (size_t)n);
	}
	buf_clear(&r->out);
	return 0;
}

static int emit(void *ctx, const struct event *e)
{
	struct replay *r = ctx;

	while (r->counted < e->line_offset) {
		size_t n = str_find_char(
			str_make(r->chunk.p + r->counted, e->line_offset - r->counted), '\n');

		r->counted += n + 1;
		r->line++;
	}
	if (!event_names[e->kind])
		return 0;
	put_head(r, e);
	put_envelope(&r->out, e);
	put_outcome(&r->out, e);
	put_rest(&r->out, e);
	buf_add_z(&r->out, "}\n");
	return r->out.n > READ_BYTES ? flush_out(r) : 0;
}

/* parse_chunk - parse what is in in, count its lines, keep the rest. */
static int parse_chunk(
	struct replay *r, const struct backend_ops *family, void *state, struct buf *in, bool final)
{
	struct event_sink sink = {emit, r};
	size_t consumed = 0;
	int rc;

	r->chunk = buf_str(in);
	r->counted = 0;
	rc = family->parse(state, r->chunk, final, &sink, &consumed);
	while (r->counted < consumed) {
		r->counted +=
			str_find_char(
				str_make(r->chunk.p + r->counted, consumed - r->counted), '\n') +
			1;
		r->line++;
	}
	buf_drop_front(in, consumed);
	return rc;
}

static int read_all(struct replay *r, const struct backend_ops *family, void *state, int fd,
	struct mt_error *reterr)
{
	struct buf in;
	int rc = 0;

	buf_init(&in, CHUNK_MAX_BYTES);
	while (rc == 0) {
		char *at = buf_reserve(&in, READ_BYTES);
		ssize_t n = at ? read(fd, at, READ_BYTES) : -1;

		if (!at) {
			rc = mt_error_set(reterr, MT_ELIMIT, "a line is longer than %u MB",
				CHUNK_MAX_BYTES >> 20);
			break;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = mt_error_sys(reterr, errno, "can't read");
			break;
		}
		if (n)
			buf_grow(&in, (size_t)n);
		rc = parse_chunk(r, family, state, &in, n == 0);
		if (n == 0)
			break;
	}
	buf_done(&in);
	return rc;
}

static int64_t reference_ms(int fd)
{
	struct clock clock = clock_real();
	int64_t now_ms = clock_utc_ms(&clock);
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return now_ms;
	return (int64_t)st.st_mtime * 1000 + DAY_MS < now_ms ? (int64_t)st.st_mtime * 1000 + DAY_MS
							     : now_ms;
}

int replay_run(const char *family_name, const char *path, struct mt_error *reterr)
{
	const struct backend_ops *family = backend_find(family_name);
	struct replay r = {.line = 1};
	bool in = path[0] == '-' && path[1] == '\0';
	struct parse_options options;
	void *state;
	int fd, rc;

	if (!family || !family->parse)
		return mt_error_set(reterr, MT_ENOENT, "there is no parser of that name");
	fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return mt_error_sys(reterr, errno, "can't open %.120s", path);
	options = (struct parse_options){.now_utc_ms = reference_ms(fd)};
	state = xcalloc(1, family->parse_state_bytes);
	family->parse_init(state, &options);
	buf_init(&r.out, OUT_MAX_BYTES);
	rc = read_all(&r, family, state, fd, reterr);
	if (rc == 0)
		rc = flush_out(&r);
	if (r.broken)
		rc = 0; /* the reader had enough */
	if (family->parse_done)
		family->parse_done(state);
	free(state);
	buf_done(&r.out);
	if (!in)
		close(fd);
	return rc;
}
