/* SPDX-License-Identifier: MIT */
/* alerts_text - see alerts_text.h. */
#include "tui/alerts_text.h"

#include "store/alert.h"
#include "store/base/jsonout.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"
#include "store/store_read.h"

#define OUT_MAX_BYTES (8u << 20)
#define ARENA_MAX_BYTES (16u << 20)
#define HISTORY_TEXT 20
#define HISTORY_JSON 1000

static void text_row(struct buf *out, const struct alert_row *row)
{
	bool fires = row->phase == ALERT_FIRING;

	(void)utf8_show_text(out, row->name, false);
	(void)buf_printf(out, "  %s  %s  ",
		!row->known && !fires ? "not known"
				      : alert_phase_word((enum alert_phase)row->phase),
		alert_severity_word((enum alert_severity)row->severity));
	if (fires) {
		(void)buf_add_z(out, "since ");
		timefmt_date_clock(out, row->since_ms);
		(void)buf_add_z(out, row->ack_ms != EVENT_UNKNOWN ? " acknowledged  " : "  ");
	}
	(void)utf8_show_text(out, row->text, false);
	(void)buf_add_z(out, row->text.n ? "; " : "");
	(void)utf8_show_text(out, row->condition, false);
	(void)buf_add_char(out, '\n');
}

static void text_past(struct buf *out, const struct alert_row *row)
{
	(void)buf_add_z(out, "  ");
	timefmt_date_clock(out, row->t_ms);
	(void)buf_add_z(out, "  ");
	(void)utf8_show_text(out, row->name, false);
	(void)buf_printf(out, "  %s  ", alert_event_word((enum alert_event)row->event));
	(void)utf8_show_text(out, row->text, false);
	(void)buf_add_char(out, '\n');
}

static void value(struct buf *out, const struct alert_row *row)
{
	if (row->known)
		(void)buf_printf(out, ",\"value\":%.3f", row->value);
	else
		(void)buf_add_z(out, ",\"value\":null");
}

static void json_row(struct buf *out, const struct alert_row *row)
{
	(void)buf_add_z(out, "{\"alert\":");
	jsonout_value(out, row->name);
	jsonout_text(out, "state",
		row->phase == ALERT_FIRING    ? STR_LIT("firing")
		: row->phase == ALERT_PENDING ? STR_LIT("pending")
					      : STR_LIT("ok"));
	jsonout_text(
		out, "severity", str_of(alert_severity_word((enum alert_severity)row->severity)));
	jsonout_text(out, "condition", row->condition);
	value(out, row);
	jsonout_number(out, "n", row->n);
	jsonout_text(out, "text", row->text);
	jsonout_time(out, "since", row->since_ms);
	jsonout_time(out, "acknowledged", row->ack_ms);
	jsonout_text(out, "acknowledged_by", row->ack_user);
	jsonout_time(out, "written", row->t_ms);
	(void)buf_add_char(out, '}');
}

static void json_past(struct buf *out, const struct alert_row *row)
{
	(void)buf_add_z(out, "{\"alert\":");
	jsonout_value(out, row->name);
	jsonout_text(out, "event", str_of(alert_event_word((enum alert_event)row->event)));
	jsonout_text(
		out, "severity", str_of(alert_severity_word((enum alert_severity)row->severity)));
	jsonout_time(out, "time", row->t_ms);
	value(out, row);
	jsonout_text(out, "text", row->text);
	(void)buf_add_char(out, '}');
}

static void print(const struct alerts_command *o, struct buf *out, const struct alert_row *rules,
	size_t n, const struct alert_row *past, size_t npast)
{
	if (o->json) {
		(void)buf_add_z(out, "{\"schema\":1,\"now\":\"");
		timefmt_rfc3339(out, clock_utc_ms(o->clock));
		(void)buf_add_z(out, "\",\"alerts\":[");
	}
	for (size_t i = 0; i < n; i++) {
		(void)buf_add_z(out, o->json && i ? "," : "");
		(o->json ? json_row : text_row)(out, &rules[i]);
	}
	if (n == 0 && !o->json)
		(void)buf_add_z(out, "no alert has been looked at: a running collector does\n");
	(void)buf_add_z(out, o->json ? "],\"history\":[" : npast ? "history\n" : "");
	for (size_t i = 0; i < npast; i++) {
		(void)buf_add_z(out, o->json && i ? "," : "");
		(o->json ? json_past : text_past)(out, &past[i]);
	}
	(void)buf_add_z(out, o->json ? "]}\n" : "");
}

int alerts_command_run(const struct alerts_command *o, struct mt_error *reterr)
{
	struct reader *r = NULL;
	struct alert_row *rules = NULL, *past = NULL;
	struct arena arena;
	struct buf out;
	size_t n = 0, npast = 0;
	int rc = reader_open(o->cache_path, &r, reterr);

	arena_init(&arena, ARENA_MAX_BYTES);
	buf_init(&out, OUT_MAX_BYTES);
	if (rc == 0)
		rc = reader_begin(r, reterr);
	if (rc == 0) {
		rc = read_alerts(r, &arena, &rules, &n, reterr);
		if (rc == 0)
			rc = read_alert_log(r, o->json ? HISTORY_JSON : HISTORY_TEXT, &arena, &past,
				&npast, reterr);
		reader_end(r);
	}
	if (rc == 0) {
		print(o, &out, rules, n, past, npast);
		if (out.err != MT_OK)
			rc = mt_error_set(reterr, out.err, "too much to print");
		else if (fwrite(buf_z(&out), 1, out.n, o->out) != out.n || fflush(o->out) != 0)
			rc = mt_error_set(reterr, MT_EIO, "can't write the output");
	}
	buf_done(&out);
	arena_done(&arena);
	reader_close(r);
	return rc;
}
