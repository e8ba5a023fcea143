/* SPDX-License-Identifier: MIT */
/* check - see check.h. */
#include "tui/check_private.h"

#include "store/base/fmt.h"
#include "store/base/timefmt.h"
#include "store/base/utf8.h"
#include "tui/check_private.h"
#include "tui/range.h"
#include "tui/report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MS_PER_S 1000
#define ARENA_MAX_BYTES (8u << 20)
#define LINE_MAX_BYTES 8192
#define PERCENT 100.0

static bool chosen(const struct check *c, const struct provider_row *p)
{
	return c->query.provider == 0 || p->id == c->query.provider;
}

/* oldest_look - when the source of that name (NULL: any) was last looked at well, the oldest of the chosen providers.
 * EVENT_UNKNOWN: never, 0: there is no such source. */
static int64_t oldest_look(const struct check *c, const char *source)
{
	int64_t oldest = 0;

	for (size_t i = 0; i < c->nproviders; i++) {
		const struct provider_row *p = &c->providers[i];

		for (size_t k = 0; chosen(c, p) && k < p->nsources; k++) {
			int64_t ok = p->sources[k].last_ok_ms > 0 ? p->sources[k].last_ok_ms
								  : EVENT_UNKNOWN;

			if ((!source || str_eq(p->sources[k].name, str_of(source))) &&
				(oldest == 0 || ok < oldest))
				oldest = ok;
		}
	}
	return oldest;
}

/* looked_at_log - the figure is as old as the look at the log (or, without one, at whatever the provider has). */
static void looked_at_log(const struct check *c, struct found *f)
{
	int64_t t_ms = oldest_look(c, "log");

	f->of = t_ms ? "log" : "provider";
	f->looked_ms = t_ms ? t_ms : oldest_look(c, NULL);
}

static int read_depth(struct check *c, struct found *f, struct queue_figures *ret)
{
	int rc = read_queue(c->reader, &c->query, ret, &c->error);

	f->of = "queue";
	f->looked_ms = ret->t_ms;
	if (rc == 0 && ret->source == QUEUE_SOURCE_LOG) /* a quiet log is no old figure */
		looked_at_log(c, f);
	return rc;
}

/* needed - without it the sum says nothing; maildrop and hold may be out of this user's sight. */
static bool needed(int queue)
{
	return queue == QUEUE_INCOMING || queue == QUEUE_ACTIVE || queue == QUEUE_DEFERRED;
}

static void perf_queues(struct found *f, const struct queue_figures *figures)
{
	for (int i = 0; i < QUEUE__COUNT; i++)
		if (figures->n[i] >= 0)
			buf_printf(&f->more, " %s=%" PRId64 ";;;0", report_queue_names[i],
				figures->n[i]);
}

static const char *unknown_queue(const struct queue_figures *figures)
{
	return figures->t_ms < 0 ? "no sample of the queue yet"
				 : "this queue can't be read (see mtatop doctor)";
}

/* Files in corrupt are no messages waiting for delivery: they have a check of their own. */
static int look_queue(struct check *c, struct found *f)
{
	struct queue_figures figures;
	int64_t sum = 0;
	int rc = read_depth(c, f, &figures);

	if (rc < 0)
		return rc;
	perf_queues(f, &figures);
	for (int i = 0; i < QUEUE_CORRUPT; i++) {
		if (figures.n[i] < 0 && needed(i)) {
			f->reason = unknown_queue(&figures);
			return 0;
		}
		sum += figures.n[i] >= 0 ? figures.n[i] : 0;
	}
	f->value = (double)sum;
	fmt_count(&f->text, sum);
	buf_add_z(&f->text, " messages in the queue");
	for (int i = 0; i < QUEUE_CORRUPT; i++)
		if (figures.n[i] < 0)
			buf_printf(&f->text, ", %s not known", report_queue_names[i]);
	return 0;
}

static int look_one_queue(struct check *c, struct found *f)
{
	struct queue_figures figures;
	int rc = read_depth(c, f, &figures);
	int64_t n = rc < 0 ? EVENT_UNKNOWN : figures.n[c->what->arg];

	if (rc < 0)
		return rc;
	if (n < 0) {
		f->reason = unknown_queue(&figures);
		return 0;
	}
	f->value = (double)n;
	fmt_count(&f->text, n);
	buf_printf(&f->text, " in queue %s", report_queue_names[c->what->arg]);
	return 0;
}

static int look_queue_age(struct check *c, struct found *f)
{
	struct queue_figures figures;
	int rc = read_depth(c, f, &figures);
	bool empty = true, known = true;

	if (rc < 0)
		return rc;
	for (int i = 0; i < QUEUE__COUNT; i++) {
		empty &= figures.n[i] <= 0;
		known &= figures.n[i] >= 0;
	}
	if (figures.oldest_ms > 0) {
		int64_t age_ms = c->now_ms - figures.oldest_ms;

		f->value = age_ms > 0 ? (double)(age_ms / MS_PER_S) : 0;
		buf_add_z(&f->text, "the oldest message is ");
		timefmt_age(&f->text, age_ms > 0 ? age_ms : 0);
		buf_add_z(&f->text, " old");
	} else if (empty && known) {
		f->value = 0;
		buf_add_z(&f->text, "the queue is empty");
	} else {
		f->reason = "the age of the queue is not known";
	}
	return 0;
}

/* share - part of whole in percent, told with its N; too small an N never alerts. */
static void share(struct check *c, struct found *f, int64_t part, int64_t whole, const char *of,
	const char *word)
{
	int64_t min_n = c->o->min_n < 0 ? CHECK_MIN_N : c->o->min_n;

	if (whole == 0) { /* no rate: neither good nor bad */
		buf_printf(&f->text, "no %s in ", of);
		timefmt_age(&f->text, c->query.t1_ms - c->query.t0_ms);
		buf_add_z(&f->more, " n=0;;;0");
		f->quiet = true;
		return;
	}
	f->value = (double)part * PERCENT / (double)whole;
	fmt_pct(&f->text, part, whole);
	buf_printf(&f->text, " %s: ", word);
	fmt_count(&f->text, part);
	buf_add_z(&f->text, " of ");
	fmt_count(&f->text, whole);
	buf_printf(&f->text, " %s in ", of);
	timefmt_age(&f->text, c->query.t1_ms - c->query.t0_ms);
	buf_printf(&f->more, " n=%" PRId64 ";;;0", whole);
	if (whole < min_n) {
		buf_printf(&f->text, ", fewer than %" PRId64 ": no alert", min_n);
		f->quiet = true;
	}
}

static int look_rate(struct check *c, struct found *f)
{
	struct totals t;
	int rc = read_totals(c->reader, &c->query, &t, &c->error);
	const int64_t *n = t.n;

	if (rc < 0)
		return rc;
	looked_at_log(c, f);
	if (n[METRIC_SENT] < 0 || n[METRIC_BOUNCED] < 0) {
		f->reason = "the cache holds nothing of this time";
		return 0;
	}
	if (c->what->arg == METRIC_DEFERRED)
		share(c, f, n[METRIC_DEFERRED],
			n[METRIC_SENT] + n[METRIC_DEFERRED] + n[METRIC_BOUNCED], "attempts",
			"deferred");
	else
		share(c, f, n[METRIC_BOUNCED], totals_outcomes(n), "final outcomes", "bounced");
	return 0;
}

static int look_lag(struct check *c, struct found *f)
{
	int64_t t_ms = oldest_look(c, NULL);
	int64_t age_ms = c->now_ms - t_ms;

	if (t_ms <= 0) {
		f->reason = t_ms ? "a source was never read" : "there is no source in the cache";
		return 0;
	}
	age_ms = age_ms > 0 ? age_ms : 0;
	f->value = (double)(age_ms / MS_PER_S);
	buf_add_z(&f->text, "the source read longest ago was read ");
	timefmt_age(&f->text, age_ms);
	buf_add_z(&f->text, " ago");
	for (size_t i = 0; i < c->nproviders; i++)
		if (chosen(c, &c->providers[i]) && c->providers[i].health == HEALTH_CATCHING_UP)
			buf_add_z(&f->text, ", one is still catching up");
	return 0;
}

static int look_health(struct check *c, struct found *f)
{
	static const double level[HEALTH__COUNT] = {1, 0, 0, 1, 2, 2, 0};

	for (size_t i = 0; i < c->nproviders; i++) {
		const struct provider_row *p = &c->providers[i];

		if (!chosen(c, p))
			continue;
		for (size_t k = 0; k < p->nsources; k++) {
			enum health health = p->sources[k].health;

			if (isnan(f->value) || level[health] > f->value)
				f->value = level[health];
			if (f->text.n)
				buf_add_z(&f->text, ", ");
			if (utf8_show_text(&f->text, p->name, false) < 0)
				return MT_ELIMIT;
			buf_add_char(&f->text, ' ');
			if (utf8_show_text(&f->text, p->sources[k].name, false) < 0)
				return MT_ELIMIT;
			buf_printf(&f->text, " %s", report_health(health));
		}
	}
	if (isnan(f->value))
		f->reason = "there is no source in the cache";
	return 0;
}

static const struct what whats[] = {
	{"bounce-rate", "bounce_rate", "%", "3", "10", 0, PERCENT, METRIC_BOUNCED, look_rate},
	{"certificate", "certificate", "", "14:", "7:", NAN, NAN, 0, check_certificate},
	{"deferral-rate", "deferral_rate", "%", "15", "40", 0, PERCENT, METRIC_DEFERRED, look_rate},
	{"dnsbl", "listed", "", "0", "0", 0, NAN, 0, check_dnsbl},
	{"health", "health", "", "0", "1", 0, 2, 0, look_health},
	{"lag", "lag", "s", "120", "600", 0, NAN, 0, look_lag},
	{"port", "port", "ms", "5000", "20000", 0, NAN, 0, check_port},
	{"queue", "queue", "", "1000", "10000", 0, NAN, -1, look_queue},
	{"queue-active", "active", "", "5000", "15000", 0, NAN, QUEUE_ACTIVE, look_one_queue},
	{"queue-age", "queue_age", "s", "86400", "345600", 0, NAN, 0, look_queue_age},
	{"queue-corrupt", "corrupt", "", "0", "0", 0, NAN, QUEUE_CORRUPT, look_one_queue},
	{"queue-deferred", "deferred", "", "1000", "10000", 0, NAN, QUEUE_DEFERRED, look_one_queue},
	{"queue-hold", "hold", "", NULL, NULL, 0, NAN, QUEUE_HOLD, look_one_queue},
	{"queue-incoming", "incoming", "", "500", "5000", 0, NAN, QUEUE_INCOMING, look_one_queue},
};
#define NWHATS (sizeof(whats) / sizeof(whats[0]))

static const struct what *find_what(const char *name)
{
	for (size_t i = 0; name && i < NWHATS; i++)
		if (strcmp(whats[i].name, name) == 0)
			return &whats[i];
	return NULL;
}

static int pick_provider(struct check *c)
{
	if (!c->o->provider || strcmp(c->o->provider, "ALL") == 0)
		return 0;
	for (size_t i = 0; i < c->nproviders; i++)
		if (str_eq(c->providers[i].name, str_of(c->o->provider)))
			c->query.provider = c->providers[i].id;
	return c->query.provider ? 0
				 : mt_error_set(&c->error, MT_ENOENT,
					   "there is no provider of that name in the cache");
}

/* too_old - a figure nobody looked at for long is no figure; its reason goes into text. */
static bool too_old(const struct check *c, struct found *f)
{
	int64_t max_ms = c->o->max_age_ms ? c->o->max_age_ms
			 : f->max_age_ms  ? f->max_age_ms
					  : CHECK_MAX_AGE_MS;

	if (!f->of || (f->looked_ms > 0 && c->now_ms - f->looked_ms <= max_ms))
		return false;
	buf_clear(&f->text);
	if (f->looked_ms <= 0) {
		buf_printf(&f->text, "the %s was never read", f->of);
	} else {
		buf_printf(&f->text, "the %s was last read ", f->of);
		timefmt_age(&f->text, c->now_ms - f->looked_ms);
		buf_add_z(&f->text, " ago: is mtatop collecting?");
	}
	f->value = NAN;
	f->quiet = f->bad = false;
	return true;
}

/* line_text - what stands before the perfdata must not look like its mark. */
static void line_text(struct buf *out, const struct buf *text)
{
	for (size_t i = 0; i < text->n; i++)
		buf_add_char(out, text->p[i] == '|' ? '/' : text->p[i]);
}

static void perf_number(struct buf *out, double value)
{
	if (isnan(value))
		buf_add_char(out, 'U'); /* "undetermined" */
	else if (value == floor(value) && fabs(value) < 1e15)
		buf_printf(out, "%" PRId64, (int64_t)value);
	else /* two decimals, a point whatever the locale */
		buf_printf(out, "%" PRId64 ".%02d", (int64_t)value,
			(int)(fabs(value - trunc(value)) * PERCENT));
}

static enum check_status judge(
	const struct found *f, const struct range *warning, const struct range *critical)
{
	if (f->quiet)
		return CHECK_OK;
	if (f->bad)
		return CHECK_CRITICAL;
	if (isnan(f->value))
		return CHECK_UNKNOWN;
	return range_alerts(critical, f->value)  ? CHECK_CRITICAL
	       : range_alerts(warning, f->value) ? CHECK_WARNING
						 : CHECK_OK;
}

static void print(struct check *c, struct found *f, enum check_status status, const char *warning,
	const char *critical)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	buf_printf(&line, "MTATOP %s - ", words[status]);
	line_text(&line, &f->text);
	if (c->what && status != CHECK_UNKNOWN) {
		buf_printf(&line, " | %s=", c->what->label);
		perf_number(&line, f->value);
		buf_printf(&line, "%s;%s;%s;", isnan(f->value) ? "" : c->what->unit,
			warning ? warning : "", critical ? critical : "");
		if (!isnan(c->what->min))
			perf_number(&line, c->what->min);
		if (!isnan(c->what->max)) {
			buf_add_char(&line, ';');
			perf_number(&line, c->what->max);
		}
		buf_add(&line, f->more.p, f->more.n);
	}
	fprintf(c->o->out, "%s\n", buf_z(&line));
	buf_done(&line);
}

static int look(struct check *c, struct found *f)
{
	int64_t window_ms = c->o->window_ms ? c->o->window_ms : CHECK_WINDOW_MS;
	int rc = reader_open(c->o->cache_path, &c->reader, &c->error);

	if (rc < 0)
		return rc;
	rc = reader_begin(c->reader, &c->error);
	if (rc < 0)
		return rc;
	rc = read_providers(c->reader, &c->arena, &c->providers, &c->nproviders, &c->error);
	if (rc == 0)
		rc = pick_provider(c);
	c->query.t0_ms = c->now_ms - window_ms;
	c->query.t1_ms = c->now_ms + 1;
	if (rc == 0)
		rc = c->what->look(c, f);
	if (rc == 0 && !too_old(c, f) && f->reason) {
		buf_clear(&f->text);
		buf_add_z(&f->text, f->reason);
	}
	reader_end(c->reader);
	return rc;
}

static void unknown(struct found *f, const char *text)
{
	f->value = NAN;
	buf_clear(&f->text);
	if (utf8_show_text(&f->text, str_of(text), false) < 0)
		buf_add_z(&f->text, "failed");
}

static enum check_status run(struct check *c, struct found *f)
{
	const char *warning = c->o->warning, *critical = c->o->critical;
	struct range ranges[2] = {{.set = false}, {.set = false}};
	enum check_status status;

	c->what = find_what(c->o->what);
	if (!c->what) {
		unknown(f, c->o->what ? "there is no such check; there are:"
				      : "check what? There are:");
		for (size_t i = 0; i < NWHATS; i++)
			buf_printf(&f->text, " %s", whats[i].name);
	} else {
		if (!warning && !critical) { /* one threshold given: the other has none */
			warning = c->what->warning;
			critical = c->what->critical;
		}
		if ((warning && range_parse(warning, &ranges[0]) < 0) ||
			(critical && range_parse(critical, &ranges[1]) < 0))
			unknown(f, "not a range; write -w 10, 10:, ~:10, 10:20 or @10:20");
		else if (look(c, f) < 0)
			unknown(f, c->error.text);
	}
	status = judge(f, &ranges[0], &ranges[1]);
	print(c, f, status, warning, critical);
	return status;
}

enum check_status check_run(const struct check_options *o)
{
	struct check c = {.o = o, .now_ms = clock_utc_ms(o->clock)};
	struct found f = {.value = NAN};
	enum check_status status;

	arena_init(&c.arena, ARENA_MAX_BYTES);
	buf_init(&f.text, LINE_MAX_BYTES);
	buf_init(&f.more, LINE_MAX_BYTES);
	status = run(&c, &f);
	buf_done(&f.text);
	buf_done(&f.more);
	arena_done(&c.arena);
	reader_close(c.reader);
	return status;
}
