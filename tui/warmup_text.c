/* SPDX-License-Identifier: MIT */
/* warmup_text - see warmup_text.h. */
#include "tui/warmup_text.h"

#include "store/base/jsonout.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"

#include <inttypes.h>

#define OUT_MAX_BYTES (8u << 20)
#define ARENA_MAX_BYTES (64u << 20)
#define DATE_BYTES 10 /* of timefmt_date_clock */
#define PERCENT 100.0

static void text(struct buf *out, const char *s)
{
	(void)utf8_show_text(out, str_of(s), false);
}

static void count(struct buf *out, int64_t n)
{
	struct buf b;

	buf_init(&b, 64);
	fmt_count(&b, n);
	(void)buf_add_str(out, buf_str(&b));
	buf_done(&b);
}

/* The local day, "?" when it is not known. */
void warmup_date(struct buf *out, int64_t utc_ms)
{
	struct buf b;

	buf_init(&b, 64);
	if (utc_ms >= 0)
		timefmt_date_clock(&b, utc_ms);
	(void)buf_add_str(out, utc_ms >= 0 ? str_first(buf_str(&b), DATE_BYTES) : STR_LIT("?"));
	buf_done(&b);
}

/* "HOLD over 2%, BACK OFF over 5%" */
static void thresholds(struct buf *out, const struct gate_result *g)
{
	if (g->yellow < g->red)
		(void)buf_printf(out, "HOLD over %g%%, ", g->yellow * PERCENT);
	(void)buf_printf(out, "BACK OFF over %g%%", g->red * PERCENT);
}

void warmup_gate_line(struct buf *out, const struct gate_result *g)
{
	(void)buf_printf(out, "%s%s%s", g->box >= 0 ? mailbox_name((enum mailbox)g->box) : "all",
		": ", g->name);
	if (g->colour == GATE_UNKNOWN) {
		(void)buf_add_z(out, " not known here; ");
		thresholds(out, g);
	} else if (g->kind == GATE_KIND_SIGNAL) {
		(void)buf_add_z(out, ", ");
		count(out, g->k);
		(void)buf_add_z(out, g->k == 1 ? " reply" : " replies");
	} else {
		(void)buf_add_char(out, ' ');
		fmt_pct(out, g->k, g->n);
		(void)buf_add_z(out, " of ");
		count(out, g->n);
		if (g->enough) {
			(void)buf_printf(
				out, " (95%%: %.1f..%.1f%%; ", g->low * PERCENT, g->high * PERCENT);
			thresholds(out, g);
			(void)buf_add_char(out, ')');
		} else {
			(void)buf_printf(out, ", says nothing under %d", WARMUP_MIN_N);
		}
	}
	if (g->before)
		(void)buf_add_z(out, ", on the last sending day");
	(void)buf_printf(out, " [%s]", g->published ? "published" : "convention");
}

void warmup_day_line(struct buf *out, const struct warmup_row *row)
{
	const struct warmup_status *s = &row->status;
	const struct warmup_plan *p = row->plan;

	if (!s->begun)
		(void)buf_printf(out, "begins %04d-%02d-%02d", p->year, p->month, p->day);
	else if (s->stage >= s->stages)
		(void)buf_printf(out, "past day %zu", s->stages);
	else
		(void)buf_printf(out, "day %zu of %zu", s->stage + 1, s->stages);
}

static void plan_head(struct buf *out, const struct warmup_plan *p)
{
	text(out, p->name);
	(void)buf_printf(out, "  plan %s, %s a %s, clock by %s days, start %04d-%02d-%02d",
		p->schedule, p->has_only ? mailbox_name(p->only) : "messages",
		p->hourly ? "hour" : "day", p->calendar ? "calendar" : "sending", p->year, p->month,
		p->day);
	if (p->target) {
		(void)buf_add_z(out, ", target ");
		count(out, p->target);
		(void)buf_add_z(out, " a day");
	}
	(void)buf_add_z(out, "\n  egress");
	for (size_t i = 0; i < p->negress; i++) {
		(void)buf_add_char(out, ' ');
		text(out, p->egress[i]);
	}
	(void)buf_printf(out, "\n  source %s\n", p->source);
}

static void text_plan(struct buf *out, const struct warmup_plan *p)
{
	size_t n = warmup_stages(p);

	plan_head(out, p);
	for (size_t i = 0; i < n; i++) {
		struct buf b;

		buf_init(&b, 64);
		fmt_count(&b, warmup_limit(p, i));
		(void)buf_printf(out, "  day %3zu  %15s", i + 1, buf_z(&b));
		for (int box = 0; box < MAILBOX__COUNT; box++)
			if (warmup_track(p, (enum mailbox)box, i) >= 0) {
				buf_clear(&b);
				fmt_count(&b, warmup_track(p, (enum mailbox)box, i));
				(void)buf_printf(
					out, "  %s %s", mailbox_word((enum mailbox)box), buf_z(&b));
			}
		(void)buf_add_char(out, '\n');
		buf_done(&b);
	}
}

static void text_boxes(struct buf *out, const struct warmup_row *row)
{
	for (int i = 0; i < MAILBOX__COUNT; i++) {
		const struct warmup_box *b = &row->status.box[i];

		if (!b->used)
			continue;
		(void)buf_printf(out, "  %-14s %-8s ", mailbox_name((enum mailbox)i),
			gate_colour_word(b->colour));
		count(out, b->volume);
		if (b->cap >= 0) {
			(void)buf_add_z(out, " of ");
			count(out, b->cap);
		}
		(void)buf_add_char(out, '\n');
	}
}

static void text_status(struct buf *out, const struct warmup_row *row)
{
	const struct warmup_status *s = &row->status;

	text(out, row->plan->name);
	(void)buf_printf(out, "  %s  ", warmup_state_word(s->state));
	warmup_day_line(out, row);
	if (s->begun) {
		(void)buf_add_z(out, "  ");
		count(out, s->volume);
		(void)buf_add_z(out, " of ");
		count(out, s->cap);
		(void)buf_add_z(out, " today, due by now ");
		count(out, s->pace);
	}
	(void)buf_add_z(out, "\n  ");
	warmup_reason(out, row);
	(void)buf_add_z(out, s->state == WARMUP_ON_TRACK ? "next" : "; next");
	for (size_t i = 0; i < s->nnext; i++) {
		(void)buf_add_char(out, ' ');
		count(out, s->next[i]);
	}
	(void)buf_add_z(out, s->nnext ? "; done " : " none; done ");
	warmup_date(out, s->eta_ms);
	(void)buf_add_z(out, s->eta_ms >= 0 ? " at the earliest\n" : "\n");
	if (s->unknown_days)
		(void)buf_printf(out, "  %" PRId64 " days before the first record are not known\n",
			s->unknown_days);
	text_boxes(out, row);
	for (size_t i = 0; i < s->ngates; i++) {
		(void)buf_printf(out, "  gate %-8s ", gate_colour_word(s->gate[i].colour));
		warmup_gate_line(out, &s->gate[i]);
		(void)buf_printf(out, " %s\n", s->gate[i].source);
	}
}

/* --- JSON --- */

static void key(struct buf *out, const char *name)
{
	(void)buf_printf(out, ",\"%s\":", name);
}

static void json_plan(struct buf *out, const struct warmup_plan *p)
{
	(void)buf_add_z(out, "{\"name\":");
	jsonout_value(out, str_of(p->name));
	jsonout_words(out, "plan", p->schedule);
	jsonout_words(out, "source", p->source);
	jsonout_words(out, "per", p->hourly ? "hour" : "day");
	jsonout_words(out, "clock", p->calendar ? "calendar" : "sending");
	(void)buf_printf(out, ",\"start\":\"%04d-%02d-%02d\"", p->year, p->month, p->day);
	jsonout_number(out, "target", p->target ? p->target : -1);
	jsonout_number(out, "idle_days", p->cold_days ? p->cold_days : WARMUP_COLD_DAYS);
	key(out, "mailbox");
	(void)buf_printf(out, p->has_only ? "\"%s\"" : "null", mailbox_word(p->only));
	key(out, "egress");
	for (size_t i = 0; i < p->negress; i++) {
		(void)buf_add_char(out, i ? ',' : '[');
		jsonout_value(out, str_of(p->egress[i]));
	}
	(void)buf_add_z(out, "],\"caps\":");
	for (size_t i = 0; i < warmup_stages(p); i++)
		(void)buf_printf(out, "%c%" PRId64, i ? ',' : '[', warmup_limit(p, i));
	(void)buf_add_char(out, ']');
}

static void json_gate(struct buf *out, const struct gate_result *g)
{
	bool rate = g->n != EVENT_UNKNOWN, lines = g->kind != GATE_KIND_SIGNAL;

	(void)buf_printf(out, "{\"verdict\":\"%s\"",
		g->colour == GATE_UNKNOWN ? "unknown" : gate_colour_word(g->colour));
	jsonout_words(out, "gate", g->name);
	key(out, "mailbox");
	(void)buf_printf(out, g->box >= 0 ? "\"%s\"" : "null", mailbox_word((enum mailbox)g->box));
	jsonout_number(out, "k", g->k);
	jsonout_number(out, "n", g->n);
	if (lines)
		(void)buf_printf(
			out, ",\"hold_over\":%.6f,\"back_off_over\":%.6f", g->yellow, g->red);
	if (rate)
		(void)buf_printf(out, ",\"low\":%.6f,\"high\":%.6f,\"min_n\":%d", g->low, g->high,
			WARMUP_MIN_N);
	(void)buf_printf(out, ",\"speaks\":%s,\"last_sending_day\":%s,\"basis\":\"%s\"",
		g->enough ? "true" : "false", g->before ? "true" : "false",
		g->published ? "published" : "convention");
	jsonout_words(out, "source", g->source);
	(void)buf_add_char(out, '}');
}

static void json_status(struct buf *out, const struct warmup_row *row)
{
	const struct warmup_status *s = &row->status;
	struct buf reason;

	buf_init(&reason, 512);
	warmup_reason(&reason, row);
	json_plan(out, row->plan);
	jsonout_words(out, "state", warmup_state_word(s->state));
	jsonout_words(out, "reason", buf_z(&reason));
	buf_done(&reason);
	jsonout_number(out, "day", s->begun ? (int64_t)s->stage + 1 : -1);
	jsonout_number(out, "days", (int64_t)s->stages);
	jsonout_number(out, "limit", s->limit);
	jsonout_number(out, "cap", s->cap);
	jsonout_number(out, "volume", s->begun ? s->volume : -1);
	jsonout_number(out, "delivered", s->begun ? s->delivered : -1);
	jsonout_number(out, "pace", s->begun ? s->pace : -1);
	jsonout_number(out, "sending_days", s->sending_days);
	jsonout_number(out, "unknown_days", s->unknown_days);
	jsonout_number(out, "days_without_advance", s->stalled);
	key(out, "eta");
	if (s->eta_ms >= 0) {
		(void)buf_add_char(out, '"');
		warmup_date(out, s->eta_ms);
		(void)buf_add_char(out, '"');
	} else {
		(void)buf_add_z(out, "null");
	}
	(void)buf_add_z(out, ",\"next\":[");
	for (size_t i = 0; i < s->nnext; i++)
		(void)buf_printf(out, "%s%" PRId64, i ? "," : "", s->next[i]);
	(void)buf_add_z(out, "],\"gates\":[");
	for (size_t i = 0; i < s->ngates; i++) {
		if (i)
			(void)buf_add_char(out, ',');
		json_gate(out, &s->gate[i]);
	}
	(void)buf_add_z(out, "],\"history\":[");
	for (size_t i = 0; i < row->ndays; i++) {
		const struct warmup_day *d = &row->days[i];

		(void)buf_add_z(out, i ? ",{\"day\":\"" : "{\"day\":\"");
		warmup_date(out, d->start_ms);
		(void)buf_add_char(out, '"');
		jsonout_number(out, "cap", row->caps[i]);
		jsonout_number(out, "sent", d->known ? d->all.sent : -1);
		jsonout_number(out, "bounced", d->known ? d->all.bounced : -1);
		jsonout_number(out, "deferred", d->known ? d->all.deferred : -1);
		(void)buf_add_char(out, '}');
	}
	(void)buf_add_char(out, ']');
}

static void print_plans(const struct warmup_command *o, struct buf *out)
{
	for (size_t i = 0; i < o->plans->n; i++) {
		if (o->json) {
			(void)buf_add_z(out, i ? "," : "");
			json_plan(out, &o->plans->plan[i]);
			(void)buf_add_char(out, '}');
		} else {
			text_plan(out, &o->plans->plan[i]);
		}
	}
}

static int print_status(const struct warmup_command *o, struct buf *out, struct mt_error *reterr)
{
	struct reader *r = NULL;
	struct warmup_row *rows = NULL;
	struct arena arena;
	size_t n = 0;
	int rc = reader_open(o->cache_path, &r, reterr);

	arena_init(&arena, ARENA_MAX_BYTES);
	if (rc == 0)
		rc = reader_begin(r, reterr);
	if (rc == 0) {
		rc = read_warmups(r, o->plans, clock_utc_ms(o->clock), &arena, &rows, &n, reterr);
		reader_end(r);
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (o->json) {
			(void)buf_add_z(out, i ? "," : "");
			json_status(out, &rows[i]);
			(void)buf_add_char(out, '}');
		} else {
			text_status(out, &rows[i]);
		}
	}
	arena_done(&arena);
	reader_close(r);
	return rc;
}

int warmup_command_run(const struct warmup_command *o, struct mt_error *reterr)
{
	struct buf out;
	int rc = 0;

	buf_init(&out, OUT_MAX_BYTES);
	if (o->json) {
		(void)buf_add_z(&out, "{\"schema\":1,\"now\":\"");
		timefmt_rfc3339(&out, clock_utc_ms(o->clock));
		(void)buf_add_z(&out, "\",\"warmups\":[");
	}
	if (o->status)
		rc = print_status(o, &out, reterr);
	else
		print_plans(o, &out);
	if (o->json)
		(void)buf_add_z(&out, "]}\n");
	else if (o->plans->n == 0)
		(void)buf_add_z(&out, "no [warmup NAME] section in mtatop.conf: see "
				      "mtatop.conf(5)\n");
	if (rc == 0 && out.err != MT_OK)
		rc = mt_error_set(reterr, out.err, "too much to print");
	if (rc == 0 && (fwrite(buf_z(&out), 1, out.n, o->out) != out.n || fflush(o->out) != 0))
		rc = mt_error_set(reterr, MT_EIO, "can't write the output");
	buf_done(&out);
	return rc;
}
