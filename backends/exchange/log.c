/* SPDX-License-Identifier: MIT */
/*
 * exchange/log - the Exchange log parser: cut records, follow the headers, hand each record to its kind's reader. Pure.
 *
 * A header (#Software, #Version, #Log-type, #Date, #Fields) begins a file and may come again within it, after a restart of
 * the service or an update that added columns: from there on its columns hold.
 */
#include "backends/exchange/log.h"

#include "store/base/scan.h"

#define SHOWN_BYTES 256 /* of a record that is too long */

void exchange_log_init(void *state, const struct parse_options *options)
{
	struct exchange_state *p = state;

	(void)options; /* each stamp has its year and is UTC */
	p->last_utc_ms = 0; /* none yet: the store knows how far the log was */
	p->log_type = EXCHANGE_UNKNOWN;
	p->layout = (struct exchange_layout){.kind = EXCHANGE_UNKNOWN};
	p->nscratch = 0;
	p->clock = 0;
	memset(p->sessions, 0, sizeof(p->sessions));
}

static struct str without_bom(struct str line)
{
	scan_lit(&line, STR_LIT("\xef\xbb\xbf"));
	return line;
}

static void header(struct exchange_state *p, struct str line)
{
	int64_t t_utc_ms;

	if (scan_lit(&line, STR_LIT("#Log-type:")))
		p->log_type = exchange_log_type(str_trim(line));
	else if (scan_lit(&line, STR_LIT("#Fields:")))
		exchange_fields(&p->layout, str_trim(line), p->log_type);
	else if (scan_lit(&line, STR_LIT("#Date: ")) && exchange_stamp(&line, &t_utc_ms))
		p->last_utc_ms = t_utc_ms;
	else if (str_starts(line, STR_LIT("#Software:"))) /* a header begins */
		p->log_type = EXCHANGE_UNKNOWN;
}

/* layout_of - that of the header; of a record whose header was not seen, the one with so many fields. NULL: none. */
static const struct exchange_layout *layout_of(
	const struct exchange_state *p, struct str record, struct exchange_layout *guessed)
{
	struct csv_fields fields;

	if (p->layout.n)
		return &p->layout;
	csv_split(record, &fields);
	return exchange_guess(guessed, fields.n) ? guessed : NULL;
}

static int emit_as(
	struct event *e, enum event_kind kind, struct str text, const struct event_sink *sink)
{
	e->kind = kind;
	e->text = text;
	return sink->emit(sink->ctx, e);
}

static int of_kind(struct exchange_state *p, enum exchange_kind kind, struct event *e,
	const struct exchange_record *r, const struct event_sink *sink, bool *ret_known)
{
	if (kind == EXCHANGE_UNKNOWN) /* Receive connectors are SERVER\NAME, Send connectors NAME */
		kind = str_find_char(r->col[COL_CONNECTOR], '\\') < r->col[COL_CONNECTOR].n
			       ? EXCHANGE_RECEIVE
			       : EXCHANGE_SEND;
	if (kind == EXCHANGE_TRACKING)
		return exchange_tracking(e, r, sink, ret_known);
	if (kind == EXCHANGE_CONNECTIVITY)
		return exchange_connectivity(e, r, sink, ret_known);
	return exchange_smtp(p, e, r, kind == EXCHANGE_RECEIVE, sink, ret_known);
}

static void begin(const struct exchange_state *p, struct event *e, size_t offset)
{
	event_init(e);
	e->t_utc_ms = p->last_utc_ms;
	e->line_offset = offset;
	e->service = e->process = STR_LIT("exchange");
	e->runless = e->settles = true;
}

static int emit_record(
	struct exchange_state *p, struct str line, size_t offset, const struct event_sink *sink)
{
	struct exchange_layout guessed;
	const struct exchange_layout *layout = layout_of(p, line, &guessed);
	struct exchange_record r;
	bool known = false;
	struct event e;
	struct str stamp;
	int rc;

	begin(p, &e, offset);
	if (layout && layout->kind == EXCHANGE_OTHER)
		return emit_as(&e, EVENT_FOREIGN, line, sink);
	if (!layout || !exchange_get(p, layout, line, &r))
		return emit_as(&e, EVENT_UNPARSED, line, sink);
	stamp = r.col[COL_TIME];
	if (!exchange_stamp(&stamp, &e.t_utc_ms) || stamp.n)
		return emit_as(&e, EVENT_UNPARSED, line, sink);
	p->last_utc_ms = e.t_utc_ms;
	p->clock++;
	rc = of_kind(p, layout->kind, &e, &r, sink, &known);
	if (known || rc)
		return rc;
	begin(p, &e, offset);
	return emit_as(&e, EVENT_UNPARSED, line, sink);
}

static int emit_line(
	struct exchange_state *p, struct str record, size_t offset, const struct event_sink *sink)
{
	struct str line = record;
	struct event e;

	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	while (line.n && line.p[0] == '\0') /* left where a crash cut the file */
		line = str_skip(line, 1);
	begin(p, &e, offset);
	if (line.n > CSV_RECORD_MAX_BYTES) {
		e.size_bytes = (int64_t)line.n;
		return emit_as(&e, EVENT_OVERSIZE, str_first(line, SHOWN_BYTES), sink);
	}
	line = without_bom(line);
	if (line.n && line.p[0] != '#')
		return emit_record(p, line, offset, sink);
	header(p, line); /* tells no event: no record, and before the first one no time is known */
	return 0;
}

int exchange_log_parse(void *state, struct str bytes, bool final, const struct event_sink *sink,
	size_t *ret_consumed)
{
	size_t at = 0, n;
	int rc = 0;

	while (rc == 0 && (n = csv_record(str_skip(bytes, at), final)) > 0) {
		rc = emit_line(state, str_make(bytes.p + at, n), at, sink);
		at += n;
	}
	*ret_consumed = at;
	return rc;
}

int64_t exchange_line_time(struct str line)
{
	int64_t t_utc_ms;

	line = without_bom(line);
	return exchange_stamp(&line, &t_utc_ms) ? t_utc_ms : -1;
}

/* sure_of_record - a line without a header before it: its fields, and what stands in them. */
static int sure_of_record(struct str line)
{
	struct exchange_layout layout;
	struct csv_fields f;

	csv_split(line, &f);
	if (exchange_line_time(line) < 0 || !exchange_guess(&layout, f.n) ||
		str_find_char(f.field[0], 'Z') + 1 != f.field[0].n)
		return 0;
	if (layout.kind == EXCHANGE_TRACKING)
		return f.field[7].n && f.field[8].n ? 80 : 0;
	if (layout.kind == EXCHANGE_CONNECTIVITY)
		return f.field[4].n == 1 ? 75 : 0;
	return f.field[6].n == 1 && f.field[2].n == 16 ? 80 : 0;
}

int exchange_log_looks_like(struct str head)
{
	int best = 0;

	head = without_bom(head);
	while (head.n && best < 80) {
		size_t n = str_find_char(head, '\n');
		struct str line = str_trim(str_first(head, n));
		int sure = 0;

		head = str_skip(head, n + 1);
		if (scan_lit(&line, STR_LIT("#Log-type:")))
			return exchange_log_type(str_trim(line)) == EXCHANGE_OTHER ? 0 : 95;
		if (line.n && line.p[0] != '#')
			sure = sure_of_record(line);
		best = sure > best ? sure : best;
	}
	return best;
}
