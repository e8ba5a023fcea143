/* SPDX-License-Identifier: MIT */
/*
 * session_count - what client sessions count: connections, authentication, TLS, losses.
 *
 * AUTH failures are max(counters at disconnect, SASL warnings of the session): warnings count at once,
 * the disconnect adds what is missing. AUTH successes and TLS likewise.
 */
#include "store/writer.h"

static struct session_key key_of(const struct at *at, const struct event *e)
{
	return (struct session_key){.provider = at->p->id,
		.host = at->host,
		.pid = e->pid,
		.service = at->service,
		.ip_hash = e->client_ip.n ? intern_hash(e->client_ip, 0) : 0};
}

static void add(struct store *s, const struct at *at, enum metric metric, int64_t n)
{
	if (n <= 0)
		return;
	count_add(&s->counts, at->p->id, at->minute, DIM_TOTAL, 0, metric, n);
	if (at->service)
		count_add(&s->counts, at->p->id, at->minute, DIM_SERVICE, at->service, metric, n);
}

/* postscreen serves thousands of clients in one process and hands the good ones on: no sessions there. */
static bool has_sessions(const struct event *e)
{
	return e->pid > 0 && !e->runless && !str_eq(e->process, STR_LIT("postscreen"));
}

/* The session a line inside it belongs to; made when its connect was not seen (the log began later). */
static struct session *inside(struct store *s, const struct at *at, const struct event *e)
{
	struct session_key key = key_of(at, e);
	struct session *found = session_find(&s->sessions, &key);

	s->state_dirty = true;
	if (found)
		return found;
	found = session_get(&s->sessions, &key, at->t_ms);
	found->implied = 1;
	return found;
}

static void connect_seen(struct store *s, const struct at *at, const struct event *e)
{
	struct session_key key = key_of(at, e);
	struct session *open;

	add(s, at, METRIC_CONNECTIONS, 1);
	if (!has_sessions(e))
		return;
	s->state_dirty = true;
	open = session_find(&s->sessions, &key);
	if (!open) {
		session_get(&s->sessions, &key, at->t_ms);
	} else if (open->implied || at->t_ms - open->last_ms > SESSION_IDLE_MS) {
		*open = (struct session){.key = key, .nest = 1, .last_ms = at->t_ms};
	} else {
		open->nest++;
		open->last_ms = at->t_ms;
	}
}

static int32_t min32(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static void disconnect_seen(struct store *s, const struct at *at, const struct event *e)
{
	const struct session_counters *c = &e->session;
	struct session_key key = key_of(at, e);
	struct session *open = has_sessions(e) ? session_find(&s->sessions, &key) : NULL;
	struct session none = {0}, *counted = open ? open : &none;

	if (c->present) {
		int32_t failed = c->auth_total > c->auth_ok ? c->auth_total - c->auth_ok : 0;
		int32_t ok_before = min32(counted->auth_ok, c->auth_ok);
		int32_t failed_before = min32(counted->auth_failed, failed);
		bool tls = c->starttls_ok > 0 ||
			   (c->commands > 0 && service_wrapper(at->p, at->service));

		add(s, at, METRIC_COUNTED_SESSIONS, 1);
		add(s, at, METRIC_AUTH_OK, c->auth_ok - ok_before);
		add(s, at, METRIC_AUTH_FAILED, failed - failed_before);
		counted->auth_ok -= ok_before;
		counted->auth_failed -= failed_before;
		if (tls && counted->tls == 0)
			add(s, at, METRIC_TLS, 1);
	} else if (counted->auth_ok > 0) {
		counted->auth_ok--;
	}
	if (counted->tls > 0)
		counted->tls--;
	if (open) {
		s->state_dirty = true;
		open->last_ms = at->t_ms;
		session_end(&s->sessions, open);
	}
}

static void auth_failed_seen(struct store *s, const struct at *at, const struct event *e)
{
	add(s, at, METRIC_AUTH_FAILED, 1);
	if (has_sessions(e))
		inside(s, at, e)->auth_failed++;
}

static int tls_seen(
	struct store *s, const struct at *at, const struct event *e, struct mt_error *reterr)
{
	struct session *open;

	if (!e->tls_ok && e->outbound && e->relay_host.n) {
		int32_t relay = 0;
		int rc = join_id(s, at, DICT_RELAY_HOST, e->relay_host, &relay, reterr);

		mx_failure(s, at, e, relay);
		return rc;
	}
	if (!e->tls_ok)
		return 0;
	if (e->outbound) {
		struct tls_out made = {.key = key_of(at, e), .t_ms = at->t_ms};
		int rc;

		made.key.service = 0;
		made.version = (int32_t)mx_tls_version(e->tls_version);
		made.key.ip_hash = e->relay_ip.n ? intern_hash(e->relay_ip, 0) : 0;
		buf_clear(&s->args_buf);
		buf_add_str(&s->args_buf, e->tls_version);
		buf_add_char(&s->args_buf, ' ');
		buf_add_str(&s->args_buf, e->tls_cipher);
		if (e->tls_trust.n) {
			buf_add_char(&s->args_buf, ' ');
			buf_add_str(&s->args_buf, e->tls_trust);
		}
		rc = intern_id(&s->dict, &s->db, DICT_TLS, str_trim(buf_str(&s->args_buf)), at->day,
			&made.tls, reterr);
		if (rc == 0 && made.tls && e->pid > 0) {
			s->state_dirty = true;
			tls_out_set(&s->sessions, &made);
		}
		return rc;
	}
	if (e->runless)
		add(s, at, METRIC_TLS, 1);
	if (!has_sessions(e) || str_eq(e->process, STR_LIT("tlsproxy")))
		return 0; /* tlsproxy works for postscreen: another process tells of the session */
	open = inside(s, at, e);
	if (open->tls < open->nest) {
		open->tls++;
		add(s, at, METRIC_TLS, 1);
	}
	return 0;
}

void session_received(struct store *s, const struct at *at, const struct event *e)
{
	struct session_key key = key_of(at, e);
	struct session *open;

	if (e->runless && e->sasl_method.n) { /* told by message, not by session */
		add(s, at, METRIC_AUTH_OK, 1);
		return;
	}
	if (e->sasl_user.n == 0 || !has_sessions(e))
		return;
	open = session_find(&s->sessions, &key);
	if (!open || open->implied || open->auth_ok >= open->nest)
		return;
	s->state_dirty = true;
	open->auth_ok++;
	add(s, at, METRIC_AUTH_OK, 1);
}

int session_event(struct store *s, struct at *at, const struct event *e, struct mt_error *reterr)
{
	if (!e->outbound)
		service_seen(s, at->p, at->service, e->service);
	if (e->kind == EVENT_CONNECT)
		connect_seen(s, at, e);
	else if (e->kind == EVENT_DISCONNECT)
		disconnect_seen(s, at, e);
	else if (e->kind == EVENT_LOST)
		add(s, at, METRIC_LOST, 1);
	else if (e->kind == EVENT_ACCEPTED &&
		 at->service) /* the message is counted by its own line */
		count_add(&s->counts, at->p->id, at->minute, DIM_SERVICE, at->service,
			METRIC_RECEIVED, 1);
	else if (e->kind == EVENT_AUTH_OK)
		add(s, at, METRIC_AUTH_OK, 1);
	else if (e->kind == EVENT_AUTH_FAILED)
		auth_failed_seen(s, at, e);
	else if (e->kind == EVENT_TLS)
		return tls_seen(s, at, e, reterr);
	return 0;
}
