/* SPDX-License-Identifier: MIT */
/* cells - see cells.h. */
#include "tui/panes/cells.h"

#include "store/reply.h"

#include <stdio.h>

#define SIGNATURE_MAX_BYTES 4096
#define TEXT_MAX_BYTES 256

int cells_begin(struct table *t, size_t nrows)
{
	t->rows = arena_alloc(&t->arena, (nrows + 1) * sizeof(*t->rows));
	t->nrows = 0;
	return t->rows ? 0 : MT_ELIMIT;
}

struct cell *cells_row(
	struct table *t, size_t ncolumns, uint64_t id, enum style style, const void *ref)
{
	struct cell *cells = arena_alloc(&t->arena, ncolumns * sizeof(*cells));

	if (!cells)
		return NULL;
	for (size_t i = 0; i < ncolumns; i++)
		cells[i] = (struct cell){.text = STR_LIT("")};
	t->rows[t->nrows++] = (struct row){.id = id, .cells = cells, .style = style, .ref = ref};
	return cells;
}

struct cell cell_text(struct table *t, struct str text)
{
	return (struct cell){.text = arena_str(&t->arena, str_present(text) ? text : STR_LIT("?")),
		.text_sort = true};
}

struct cell cell_words(const char *text)
{
	return (struct cell){.text = str_of(text), .text_sort = true};
}

static struct cell figure(struct table *t, struct buf *b, int64_t sort)
{
	struct cell cell = {.text = arena_str(&t->arena, buf_str(b)), .sort = sort};

	buf_done(b);
	return cell;
}

struct cell cell_when(struct table *t, int64_t utc_ms, int64_t now_ms)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	timefmt_when(&b, utc_ms, now_ms);
	return figure(t, &b, utc_ms);
}

struct cell cell_count(struct table *t, int64_t n)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	fmt_count(&b, n);
	return figure(t, &b, n);
}

struct cell cell_delay(struct table *t, int64_t cs)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	fmt_cs(&b, cs);
	return figure(t, &b, cs);
}

#define US_PER_MS 1000
#define US_PER_S 1000000

struct cell cell_rtt(struct table *t, int64_t us, int64_t connections)
{
	struct buf b;

	if (us == EVENT_UNKNOWN && connections == 0)
		return cell_words("-");
	buf_init(&b, TEXT_MAX_BYTES);
	if (us == EVENT_UNKNOWN)
		buf_add_char(&b, '?');
	else if (us < 10 * US_PER_MS)
		buf_printf(&b, "%d.%dms", (int)(us / US_PER_MS), (int)(us / 100 % 10));
	else if (us < US_PER_S)
		buf_printf(&b, "%dms", (int)(us / US_PER_MS));
	else
		buf_printf(&b, "%d.%ds", (int)(us / US_PER_S), (int)(us / 100000 % 10));
	return figure(t, &b, us);
}

struct cell cell_age(struct table *t, int64_t ms)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	timefmt_age(&b, ms);
	return figure(t, &b, ms);
}

struct cell cell_bytes(struct table *t, int64_t bytes)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	if (bytes == EVENT_UNKNOWN)
		buf_add_char(&b, '?');
	else
		fmt_bytes(&b, bytes);
	return figure(t, &b, bytes);
}

struct cell cell_code(struct table *t, int64_t key)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	fmt_code_key(&b, key);
	return figure(t, &b, key);
}

struct cell cell_pct(struct table *t, int64_t part, int64_t whole)
{
	struct buf b;

	buf_init(&b, TEXT_MAX_BYTES);
	fmt_pct(&b, part, whole);
	return figure(t, &b, whole > 0 ? part * 100000 / whole : -1);
}

/* Exim's "SMTP error from remote mail server after RCPT TO:<a@b>: 451 ..." from the code on. */
static struct str without_stage(struct str reply)
{
	static const struct str start = STR_INIT("SMTP error from remote mail server after ");
	static const struct str end = STR_INIT(": ");
	size_t at = str_starts(reply, start) ? str_find(reply, end) : reply.n;

	return at + end.n < reply.n ? str_skip(reply, at + end.n) : reply;
}

struct cell cell_reply(struct table *t, struct str reply)
{
	static const struct str said = STR_INIT(" said: ");
	size_t at = str_starts(reply, STR_LIT("host ")) ? str_find(reply, said) : reply.n;

	return cell_text(t, at < reply.n ? str_skip(reply, at + said.n) : without_stage(reply));
}

struct cell cell_reason(struct table *t, struct str reason)
{
	return cell_text(t, without_stage(reason));
}

struct cell cell_wording(
	struct table *t, const struct view *v, struct str reply_template, struct str example)
{
	struct cell cell;
	struct buf b;

	if (!str_present(reply_template))
		return cell_words("(no reply in the log)");
	buf_init(&b, SIGNATURE_MAX_BYTES);
	if (reply_signature(reply_template, v->utf8, &b) < 0)
		buf_clear(&b);
	cell = cell_reply(t, b.n ? buf_str(&b) : example);
	buf_done(&b);
	return cell;
}

struct cell cell_meaning(
	struct table *t, const struct view *v, const struct explain_result *explained)
{
	struct buf b;
	struct cell cell;

	if (explained->layer != LAYER_PROVIDER)
		return cell_text(t, str_of(explained->meaning));
	buf_init(&b, TEXT_MAX_BYTES);
	buf_printf(&b, "%s (%s)", explained->meaning,
		explain_provider_name(v->rules, explained->provider));
	cell = cell_text(t, buf_str(&b));
	buf_done(&b);
	return cell;
}

struct cell cell_delta(struct table *t, const struct view *v, int64_t n, int64_t before)
{
	struct buf b;

	if (n == EVENT_UNKNOWN || before == EVENT_UNKNOWN)
		return (struct cell){.text = STR_LIT("?"), .sort = INT64_MIN};
	if (before == 0 && n > 0)
		return (struct cell){.text = STR_LIT("new"), .sort = n};
	buf_init(&b, TEXT_MAX_BYTES);
	if (n == before)
		buf_add_char(&b, '=');
	else if (n > before)
		buf_add_z(&b, v->utf8 ? "\xe2\x86\x91" : "+");
	else
		buf_add_z(&b, v->utf8 ? "\xe2\x86\x93" : "-");
	if (n != before)
		fmt_count(&b, n > before ? n - before : before - n);
	return figure(t, &b, n - before);
}

void cells_page(struct table *t, const struct view *v, size_t n, int64_t last_ms, int64_t last_id)
{
	if (v->query.limit <= 0 || n < (size_t)v->query.limit)
		return;
	t->next_ms = last_ms;
	t->next_id = last_id;
}

/* Why nothing can be said of what is not there; NULL: all that is asked for has been read. */
static const char *not_known_yet(const struct view *v)
{
	size_t asked = 0, unread = 0;

	for (size_t i = 0; i < v->nproviders; i++) {
		const struct provider_row *p = &v->providers[i];

		if (v->query.provider && p->id != v->query.provider)
			continue;
		if (p->health == HEALTH_CATCHING_UP)
			return "none so far: the log is still being read";
		asked++;
		unread += p->health == HEALTH_UNKNOWN && p->last_ok_ms == EVENT_UNKNOWN;
	}
	return unread == asked ? "nothing is known yet: no log has been read so far" : NULL;
}

void cells_empty(struct table *t, const struct view *v, const char *what)
{
	const char *why = not_known_yet(v);
	const struct query *q = &v->query;
	struct buf b;

	if (why) {
		t->empty = str_of(why);
		return;
	}
	buf_init(&b, 2 * TEXT_MAX_BYTES);
	buf_add_z(&b, what);
	if (q->text.n > 0) {
		buf_printf(&b, " %s \"", q->text_invert ? "without" : "with");
		buf_add_str(&b, q->text);
		buf_add_z(&b, "\": the filter may be why (\\ changes it)");
	} else if (str_present(q->domain) || str_present(q->relay_host) ||
		   str_present(q->service) || str_present(q->sender_domain) ||
		   str_present(q->user) || str_present(q->reply_template) || q->code_key ||
		   q->relay_port || q->port || q->message_flags || q->reject_actions ||
		   q->reply_class) {
		buf_add_z(&b,
			" of what this view was opened for (Esc goes back, w widens the window)");
	} else if (q->provider) {
		buf_add_z(&b, " at this provider (] shows the next, w widens the window)");
	} else {
		buf_add_z(&b, " (w widens the window, , steps back in time)");
	}
	t->empty = arena_str(&t->arena, buf_str(&b));
	buf_done(&b);
}

bool target_message(struct pane_target *ret, int64_t message, struct str qid)
{
	ret->pane = "message";
	ret->object = message;
	target_label(ret, "%.*s", STR_ARG(qid));
	return true;
}

void target_label(struct pane_target *ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ret->label, sizeof(ret->label), fmt, ap);
	va_end(ap);
}

const char *status_word(enum event_status status)
{
	static const char *const words[STATUS__COUNT] = {"rejected", "sent", "deferred", "bounced",
		"expired", "deliverable", "undeliverable", "other", "suppressed"};

	return words[status];
}

const char *status_outcome(enum event_status status)
{
	if (status == STATUS_DEFERRED)
		return "will retry";
	if (status == STATUS_BOUNCED || status == STATUS_EXPIRED)
		return "gave up";
	return status == STATUS_SENT ? "accepted by the next server" : "";
}

const char *stage_word(enum smtp_stage stage)
{
	static const char *const words[STAGE__COUNT] = {"-", "CONNECT", "EHLO", "STARTTLS", "AUTH",
		"MAIL", "RCPT", "DATA", "END-DATA", "other"};

	return words[stage];
}

const char *queue_word(int queue)
{
	static const char *const words[QUEUE__COUNT] = {
		"maildrop", "incoming", "active", "deferred", "hold", "corrupt"};

	return queue >= 0 && queue < QUEUE__COUNT ? words[queue] : "?";
}

struct str provider_kind(const struct provider_row *all, size_t n, int id)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].id == id)
			return all[i].kind;
	return (struct str){NULL, 0};
}

enum delay_part longest_delay(const struct attempt_row *a)
{
	int best = DELAY_A;

	for (int i = DELAY_B; i < DELAY__COUNT; i++)
		if (a->delay_cs[i] > a->delay_cs[best])
			best = i;
	return a->delay_cs[best] > 0 ? (enum delay_part)best : DELAY_TOTAL;
}

const char *delay_word(enum delay_part part)
{
	static const char *const words[DELAY__COUNT] = {
		"", "before", "queue", "connect", "transmit"};

	return words[part];
}

enum style status_style(enum event_status status)
{
	if (status == STATUS_BOUNCED || status == STATUS_EXPIRED)
		return STYLE_BAD;
	return status == STATUS_DEFERRED ? STYLE_WARN : STYLE_NORMAL;
}

const char *metric_help(enum metric metric)
{
	static const char *const helps[METRIC__COUNT] = {
#define METRIC_HELP(id, name, help) [METRIC_##id] = help,
		METRIC_LIST(METRIC_HELP)
#undef METRIC_HELP
	};

	return helps[metric];
}
