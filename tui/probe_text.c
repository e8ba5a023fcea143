/* SPDX-License-Identifier: MIT */
/* probe_text - see probe_text.h. */
#include "tui/probe_text.h"

#include "store/base/fmt.h"
#include "store/base/jsonout.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"

#include <inttypes.h>

#define OUT_MAX_BYTES (32u << 20)
#define LINE_MAX_BYTES 65536
#define DATE_BYTES 10 /* of timefmt_date_clock */
#define US_PER_MS 1000
#define US_PER_S 1000000
#define WHOLE_FROM_MS 10
#define TENTH_US 100

static void shown(struct buf *out, struct str s)
{
	(void)utf8_show_text(out, s, false);
}

void probe_us(struct buf *out, int64_t us)
{
	if (us < 0)
		(void)buf_add_char(out, '?');
	else if (us >= US_PER_S)
		(void)buf_printf(out, "%" PRId64 ".%" PRId64 " s", us / US_PER_S,
			us % US_PER_S / (US_PER_S / 10));
	else if (us < TENTH_US)
		(void)buf_add_z(out, "<0.1 ms");
	else if (us >= WHOLE_FROM_MS * US_PER_MS)
		(void)buf_printf(out, "%" PRId64 " ms", us / US_PER_MS);
	else
		(void)buf_printf(out, "%" PRId64 ".%" PRId64 " ms", us / US_PER_MS,
			us % US_PER_MS / TENTH_US);
}

void probe_steps_line(struct buf *out, const struct probe_result *r)
{
	size_t before = out->n;

	for (int i = 0; i < PROBE_STEP__COUNT; i++) {
		if (r->took_us[i] < 0)
			continue;
		if (out->n > before)
			(void)buf_add_z(out, ", ");
		(void)buf_printf(out, "%s ", probe_step_word((enum probe_step)i));
		probe_us(out, r->took_us[i]);
	}
}

static void tls_words(struct buf *out, const struct probe_result *r)
{
	shown(out, str_present(r->tls) ? r->tls : STR_LIT("TLS"));
	if (str_present(r->cipher)) {
		(void)buf_add_char(out, ' ');
		shown(out, r->cipher);
	}
	(void)buf_add_z(out, r->flags & PROBE_F_IMPLICIT ? " from the first byte" : " by STARTTLS");
}

void probe_offers_line(struct buf *out, const struct probe_result *r)
{
	bool plain = r->flags & PROBE_F_EHLO, inside = r->flags & PROBE_F_EHLO_TLS;

	if (r->flags & PROBE_F_TLS)
		tls_words(out, r);
	else if (plain)
		(void)buf_add_z(out, r->flags & PROBE_F_STARTTLS ? "STARTTLS" : "no STARTTLS");
	if (!plain && !inside)
		return;
	(void)buf_add_z(out, r->flags & PROBE_F_AUTH       ? ", AUTH before TLS"
			     : r->flags & PROBE_F_AUTH_TLS ? ", AUTH inside TLS only"
							   : ", no AUTH");
}

static void days(struct buf *out, const struct probe_result *r, int64_t now_ms)
{
	int64_t left;

	if (!probe_cert_days(r, now_ms, &left))
		return;
	if (left < 0)
		(void)buf_printf(out, "ended %" PRId64 " day%s ago", -left, left == -1 ? "" : "s");
	else
		(void)buf_printf(out, "%" PRId64 " day%s left", left, left == 1 ? "" : "s");
	if (r->not_before_ms > now_ms)
		(void)buf_add_z(out, ", NOT VALID YET");
}

void probe_cert_line(struct buf *out, const struct probe_result *r, int64_t now_ms)
{
	struct buf date;

	if (!(r->flags & PROBE_F_CERT))
		return;
	days(out, r, now_ms);
	buf_init(&date, 64);
	timefmt_date_clock(&date, r->not_after_ms);
	(void)buf_printf(out, " (%.*s)", DATE_BYTES, buf_z(&date));
	buf_done(&date);
	(void)buf_add_z(out, r->flags & PROBE_F_SELF_SIGNED ? ", self-signed"
			     : r->flags & PROBE_F_UNTRUSTED ? ", not trusted here"
							    : ", trusted");
	(void)buf_add_z(out, r->flags & PROBE_F_NAME ? ", names the host" : ", another name");
	(void)buf_add_z(out, ": ");
	shown(out, str_present(r->subject) ? r->subject : STR_LIT("no subject"));
	(void)buf_add_z(out, " by ");
	shown(out, str_present(r->issuer) ? r->issuer : STR_LIT("?"));
}

/* FNV-1a of host and port. */
uint64_t probe_row_id(const struct probe_result *r)
{
	uint64_t h = UINT64_C(1469598103934665603);

	for (size_t i = 0; i < r->host.n; i++)
		h = (h ^ (unsigned char)r->host.p[i]) * UINT64_C(1099511628211);
	return (h ^ (uint64_t)r->port) * UINT64_C(1099511628211);
}

/* --- text --- */

static void line(struct buf *out, const char *name, const struct buf *text)
{
	if (text->n)
		(void)buf_printf(out, "  %-12s %s\n", name, buf_z(text));
}

static void said(struct buf *out, struct str transcript)
{
	while (transcript.n) {
		size_t end = str_find_char(transcript, '\n');

		(void)buf_add_z(out, "    ");
		shown(out, str_first(transcript, end));
		(void)buf_add_char(out, '\n');
		transcript = str_skip(transcript, end + 1);
	}
}

static void relay_words(struct buf *out, const struct probe_result *r)
{
	if (r->flags & PROBE_F_RELAY_OPEN)
		(void)buf_add_z(out, "OPEN RELAY: a stranger's recipient is taken");
	else if (r->flags & PROBE_F_RELAY_TAKEN)
		(void)buf_add_z(out, "taken, but this machine may be trusted: proves nothing "
				     "(self_check_from)");
	else if (r->flags & PROBE_F_RELAY_ASKED)
		(void)buf_add_z(out, "refused, as is right");
}

static void text_one(struct buf *out, const struct probe_result *r, int64_t now_ms)
{
	const char *advice = probe_advice(r, now_ms);
	bool v6 = str_find_char(r->host, ':') < r->host.n;
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	(void)buf_add_z(out, v6 ? "[" : "");
	shown(out, r->host);
	(void)buf_printf(out, "%s:%d  %s", v6 ? "]" : "", r->port, probe_outcome_word(r->outcome));
	if (str_present(r->address) && !str_eq(r->address, r->host)) {
		(void)buf_add_z(out, "  ");
		shown(out, r->address);
	}
	(void)buf_add_z(out, r->role == PROBE_WITNESS ? "  (to compare)\n" : "\n");
	shown(&b, r->detail);
	line(out, "", &b);
	buf_clear(&b);
	probe_steps_line(&b, r);
	line(out, "steps", &b);
	buf_clear(&b);
	probe_offers_line(&b, r);
	line(out, "offers", &b);
	buf_clear(&b);
	probe_cert_line(&b, r, now_ms);
	line(out, "certificate", &b);
	buf_clear(&b);
	if (r->nnames > 0) {
		shown(&b, r->names);
		(void)buf_printf(&b, " (%" PRId64 ")", r->nnames);
	}
	line(out, "names", &b);
	buf_clear(&b);
	relay_words(&b, r);
	line(out, "relay check", &b);
	if (advice && r->role != PROBE_WITNESS)
		(void)buf_printf(out, "  %-12s %s\n", "what to do", advice);
	said(out, r->transcript);
	if (r->flags & PROBE_F_CUT)
		(void)buf_add_z(out, "    ... (the rest is left out)\n");
	buf_done(&b);
}

static void text_outbound(struct buf *out, const struct probe_print *p)
{
	const char *advice;
	struct outbound o;
	struct buf evidence;
	struct str rest;

	outbound_judge(p->results, p->n, &o);
	if (o.tried == 0)
		return;
	buf_init(&evidence, LINE_MAX_BYTES);
	outbound_say(&o, &evidence);
	(void)buf_add_z(out, "outbound port 25: ");
	shown(out, buf_str(&evidence));
	(void)buf_add_char(out, '\n');
	buf_clear(&evidence);
	outbound_evidence(p->results, p->n, &evidence);
	rest = buf_str(&evidence);
	while (rest.n) {
		size_t end = str_find_char(rest, '\n');

		(void)buf_add_z(out, "  ");
		shown(out, str_first(rest, end));
		(void)buf_add_char(out, '\n');
		rest = str_skip(rest, end + 1);
	}
	buf_done(&evidence);
	advice = outbound_advice(o.verdict);
	if (advice)
		(void)buf_printf(out, "  what to do: %s\n", advice);
}

/* --- JSON --- */

static void flag(struct buf *out, const char *name, const struct probe_result *r, unsigned known,
	unsigned set)
{
	jsonout_truth(out, name, r->flags & known ? (r->flags & set) != 0 : -1);
}

static void json_certificate(struct buf *out, const struct probe_result *r, int64_t now_ms)
{
	int64_t left;

	if (!probe_cert_days(r, now_ms, &left)) {
		(void)buf_add_z(out, ",\"certificate\":null");
		return;
	}
	(void)buf_printf(out, ",\"certificate\":{\"days\":%" PRId64, left);
	jsonout_time(out, "not_before", r->not_before_ms);
	jsonout_time(out, "not_after", r->not_after_ms);
	jsonout_text(out, "subject", r->subject);
	jsonout_text(out, "issuer", r->issuer);
	jsonout_text(out, "names", r->names);
	jsonout_number(out, "nnames", r->nnames);
	jsonout_number(out, "chain", r->chain);
	jsonout_truth(out, "names_host", (r->flags & PROBE_F_NAME) != 0);
	jsonout_truth(out, "trusted", (r->flags & PROBE_F_UNTRUSTED) == 0);
	jsonout_truth(out, "self_signed", (r->flags & PROBE_F_SELF_SIGNED) != 0);
	(void)buf_add_char(out, '}');
}

static void json_one(struct buf *out, const struct probe_result *r, int64_t now_ms)
{
	static const char *const names[PROBE_STEP__COUNT] = {"resolve_us", "connect_us",
		"greeting_us", "ehlo_us", "starttls_us", "tls_us", "ehlo_tls_us", "relay_us"};

	(void)buf_add_z(out, "{\"host\":");
	jsonout_value(out, r->host);
	jsonout_number(out, "port", r->port);
	jsonout_words(out, "role", probe_role_word(r->role));
	jsonout_time(out, "time", r->t_ms);
	jsonout_words(out, "outcome", probe_outcome_word(r->outcome));
	jsonout_truth(out, "up", probe_up(r));
	jsonout_words(out, "step", probe_step_word(r->step));
	jsonout_number(out, "code", r->code > 0 ? r->code : -1);
	jsonout_text(out, "detail", r->detail);
	jsonout_text(out, "address", r->address);
	jsonout_text(out, "greeting", r->greeting);
	jsonout_number(out, "total_us", r->total_us);
	for (int i = 0; i < PROBE_STEP__COUNT; i++)
		jsonout_number(out, names[i], r->took_us[i]);
	flag(out, "starttls", r, PROBE_F_EHLO, PROBE_F_STARTTLS);
	flag(out, "auth_before_tls", r, PROBE_F_EHLO, PROBE_F_AUTH);
	flag(out, "auth_inside_tls", r, PROBE_F_EHLO_TLS, PROBE_F_AUTH_TLS);
	jsonout_truth(out, "implicit_tls", (r->flags & PROBE_F_IMPLICIT) != 0);
	jsonout_text(out, "tls", r->tls);
	jsonout_text(out, "cipher", r->cipher);
	flag(out, "relay_taken", r, PROBE_F_RELAY_ASKED, PROBE_F_RELAY_TAKEN);
	flag(out, "open_relay", r, PROBE_F_RELAY_OPEN, PROBE_F_RELAY_OPEN);
	json_certificate(out, r, now_ms);
	jsonout_text(out, "transcript", r->transcript);
	jsonout_words(out, "advice", probe_advice(r, now_ms));
	(void)buf_add_char(out, '}');
}

static void json_outbound(struct buf *out, const struct probe_print *p)
{
	struct outbound o;

	outbound_judge(p->results, p->n, &o);
	(void)buf_add_z(out, "],\"outbound_25\":{\"verdict\":");
	jsonout_value(out, str_of(outbound_word(o.verdict)));
	jsonout_text(out, "why", o.why[0] ? str_of(o.why) : (struct str){NULL, 0});
	jsonout_number(out, "tried", o.tried);
	jsonout_number(out, "unrelated_tried", o.unrelated_tried);
	jsonout_number(out, "unrelated_timed_out", o.unrelated_timed_out);
	jsonout_number(out, "open", o.open);
	jsonout_number(out, "timed_out", o.timed_out);
	jsonout_number(out, "refused", o.refused);
	jsonout_number(out, "foreign", o.foreign);
	jsonout_number(out, "slow", o.slow);
	jsonout_number(out, "witnesses", o.witnesses);
	jsonout_words(out, "advice", outbound_advice(o.verdict));
	(void)buf_add_z(out, "}}\n");
}

int probe_print(const struct probe_print *p, struct mt_error *reterr)
{
	struct buf out;
	int rc = 0;

	buf_init(&out, OUT_MAX_BYTES);
	if (p->json) {
		(void)buf_add_z(&out, "{\"schema\":1,\"now\":\"");
		timefmt_rfc3339(&out, p->now_ms);
		(void)buf_add_z(&out, "\",\"probes\":[");
	}
	for (size_t i = 0; i < p->n; i++) {
		if (p->json) {
			(void)buf_add_z(&out, i ? "," : "");
			json_one(&out, &p->results[i], p->now_ms);
		} else {
			text_one(&out, &p->results[i], p->now_ms);
		}
	}
	if (p->json)
		json_outbound(&out, p);
	else
		text_outbound(&out, p);
	if (out.err != MT_OK)
		rc = mt_error_set(reterr, out.err, "too much to print");
	if (rc == 0 && (fwrite(buf_z(&out), 1, out.n, p->out) != out.n || fflush(p->out) != 0))
		rc = mt_error_set(reterr, MT_EIO, "can't write the output");
	buf_done(&out);
	return rc;
}
