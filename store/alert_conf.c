/* SPDX-License-Identifier: MIT */
/* alert_conf - the default set of alerts and the [alert NAME] sections over it; see alert.h. */
#include "store/alert.h"

#include "store/base/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECTION "alert"
#define MINUTE_MS 60000
#define HOUR_MS 3600000
#define DAY_MS 86400000
#define NUMBER_DIGITS 15
#define HUNDREDTHS 100.0

static const struct conf_key keys[] = {
	{.section = SECTION,
		.name = "clear",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "The alert ends when the figure is at or under this; empty: as over"},
	{.section = SECTION,
		.name = "enabled",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "no: this rule is not used, nor the default of its name"},
	{.section = SECTION,
		.name = "figure",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "bounce-rate, deferral-rate (%), queue, queue-incoming, queue-active, "
			"queue-deferred, queue-hold, queue-corrupt (messages), queue-age (of the "
			"oldest), silence (since the last log line), health (sources that fail), "
			"gate (of warm-up plans: 1 HOLD, 2 BACK OFF), certificate-days (left of "
			"the "
			"first to end of listeners, [probe] targets and relays), new-signature "
			"(wordings of "
			"failures never seen before), or a counted figure such as rejected, "
			"auth-failed, bounced; empty: the rule's name"},
	{.section = SECTION,
		.name = "for",
		.type = CONF_DURATION,
		.fallback = "5m",
		.min = 0,
		.max = 7 * (int64_t)DAY_MS,
		.help = "How long it must be over the line, and at or under clear, before it "
			"fires or ends"},
	{.section = SECTION,
		.name = "hook",
		.type = CONF_PATH,
		.fallback = "",
		.help = "A program that gets the alert as JSON on standard input when it fires "
			"and ends; an absolute path, root's or your own and writable by no one "
			"else; run without a shell, for 30 s at most"},
	{.section = SECTION,
		.name = "hook_interval",
		.type = CONF_DURATION,
		.fallback = "1m",
		.min = 1000,
		.max = DAY_MS,
		.help = "The hook of a rule is run once in this time at most; what happens "
			"meanwhile is told with the next run"},
	{.section = SECTION,
		.name = "min_n",
		.type = CONF_INT,
		.fallback = "100",
		.min = 1,
		.max = 1000000000,
		.help = "Of rates: of fewer than this they say nothing"},
	{.section = SECTION,
		.name = "over",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "The line: 5% of a rate, 2h of an age, else a number; the alert begins "
			"when the figure is more"},
	{.section = SECTION,
		.name = "provider",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "Of this provider alone; empty: all together"},
	{.section = SECTION,
		.name = "severity",
		.type = CONF_CHOICE,
		.fallback = "warning",
		.choices = "warning|critical",
		.help = "critical is shown before warning"},
	{.section = SECTION,
		.name = "syslog",
		.type = CONF_BOOL,
		.fallback = "no",
		.help = "Tell it to syslog (the journal) too"},
	{.section = SECTION,
		.name = "under",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "The line of certificate-days, in the place of over: the alert begins when "
			"the figure is less"},
	{.section = SECTION,
		.name = "window",
		.type = CONF_DURATION,
		.fallback = "1h",
		.min = MINUTE_MS,
		.max = 7 * (int64_t)DAY_MS,
		.help = "Of rates, counted figures and new signatures: the time they are of"},
};

/* What holds without a configuration. */
static const struct alert_rule defaults[] = {
	{.name = "bounce-rate", .over = 5, .clear = 3, .for_ms = 5 * MINUTE_MS},
	{.name = "certificate-days", .over = 14, .clear = 14},
	{.name = "gate", .over = 0, .clear = 0},
	{.name = "health", .over = 0, .clear = 0, .for_ms = 2 * MINUTE_MS},
	{.name = "listing", .over = 0, .clear = 0, .severity = ALERT_CRITICAL},
	{.name = "queue-age", .over = 4.0 * DAY_MS, .clear = 4.0 * DAY_MS, .for_ms = 5 * MINUTE_MS},
	{.name = "queue-corrupt", .over = 0, .clear = 0, .severity = ALERT_CRITICAL},
	{.name = "silence", .over = 12.0 * HOUR_MS, .clear = HOUR_MS, .severity = ALERT_CRITICAL},
};

static const char *const words[] = {
#define ALERT_FIGURE_WORD(id, word, unit) word,
	ALERT_FIGURE_LIST(ALERT_FIGURE_WORD)
#undef ALERT_FIGURE_WORD
};

static const char *const metric_names[] = {
#define METRIC_WORD(id, name, help) name,
	METRIC_LIST(METRIC_WORD)
#undef METRIC_WORD
};

struct conf_table alert_conf_table(void)
{
	return (struct conf_table){keys, sizeof(keys) / sizeof(keys[0])};
}

struct loading {
	const struct conf *conf;
	const char *name; /* of the section */
	struct alert_rule *rule;
	struct mt_error *err;
};

static int refuse(const struct loading *l, const char *fmt, ...) MT_PRINTF(2, 3);
static int refuse(const struct loading *l, const char *fmt, ...)
{
	char what[320];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return mt_error_set(l->err, MT_ECONFIG, "[" SECTION " %s] %s", l->name, what);
}

/* "auth failed" is written auth-failed. */
static bool is_metric(struct str word, const char *name)
{
	if (word.n != strlen(name))
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] != name[i] && !(word.p[i] == '-' && name[i] == ' '))
			return false;
	return true;
}

static bool find_figure(const char *word, struct alert_rule *rule)
{
	for (int i = 0; i < ALERT_FIGURE_METRIC; i++)
		if (strcmp(word, words[i]) == 0) {
			rule->figure = (enum alert_figure)i;
			rule->word = words[i];
			return true;
		}
	for (int i = 0; i < METRIC__COUNT; i++)
		if (is_metric(str_of(word), metric_names[i])) {
			rule->figure = ALERT_FIGURE_METRIC;
			rule->metric = (enum metric)i;
			rule->word = word;
			return true;
		}
	return false;
}

static int load_figure(const struct loading *l)
{
	const char *word = conf_text(l->conf, SECTION, l->name, "figure");

	if (!word[0])
		word = l->name;
	if (!find_figure(word, l->rule))
		return refuse(l,
			"figure: \"%.60s\" is none; see alert in mtatop.conf(5), such as "
			"bounce-rate, queue-age, silence or rejected",
			word);
	return 0;
}

/* A value in the unit of the figure. */
static int load_line(const struct loading *l, const char *key, double *ret)
{
	enum alert_unit unit = alert_unit(l->rule);
	struct str s = str_of(conf_text(l->conf, SECTION, l->name, key));
	int64_t n;

	if (unit == ALERT_TIME) {
		if (conf_parse_duration_ms(s, &n) < 0)
			return refuse(l, "%s: \"%.40s\" is no time; write 90s, 15m, 6h or 7d", key,
				s.p ? s.p : "");
		*ret = (double)n;
		return 0;
	}
	if (unit == ALERT_PERCENT && s.n > 0 && s.p[s.n - 1] == '%')
		s.n--;
	if (!scan_centis(&s, INT64_C(100000000000000), &n) || s.n > 0)
		return refuse(l, "%s: not a number%s", key,
			unit == ALERT_PERCENT ? " of per cent, such as 5%" : "");
	*ret = (double)n / HUNDREDTHS;
	if (unit == ALERT_PERCENT && *ret > 100)
		return refuse(l, "%s: over 100%%", key);
	return 0;
}

static bool given(const struct loading *l, const char *key)
{
	return conf_text(l->conf, SECTION, l->name, key)[0] != '\0';
}

static int load_lines(const struct loading *l, bool is_default)
{
	bool falls = alert_falls(l->rule);
	const char *line = falls ? "under" : "over", *other = falls ? "over" : "under";
	int rc = 0;

	if (given(l, other))
		return refuse(l, "%s: of this figure it is %s = ...", other, line);
	if (given(l, line)) {
		rc = load_line(l, line, &l->rule->over);
		if (rc == 0 && !given(l, "clear"))
			l->rule->clear = l->rule->over;
	} else if (!is_default) {
		return refuse(l, "%s: missing; give the line, such as %s = %s", line, line,
			falls                                  ? "14"
			: alert_unit(l->rule) == ALERT_PERCENT ? "5%"
			: alert_unit(l->rule) == ALERT_TIME    ? "2h"
							       : "100");
	}
	if (rc == 0 && given(l, "clear"))
		rc = load_line(l, "clear", &l->rule->clear);
	if (rc == 0 && !falls && l->rule->clear > l->rule->over)
		rc = refuse(l, "clear: over the line it clears from; make it at most that of over");
	if (rc == 0 && falls && l->rule->clear < l->rule->over)
		rc = refuse(
			l, "clear: under the line it clears from; make it at least that of under");
	return rc;
}

static bool is_set(const struct loading *l, const char *key)
{
	return conf_is_set(l->conf, SECTION, l->name, key);
}

/* What the section says over the rule's defaults. */
static int load_one(const struct loading *l, bool is_default)
{
	struct alert_rule *r = l->rule;
	int rc = load_figure(l);

	if (rc == 0)
		rc = load_lines(l, is_default);
	if (rc < 0)
		return rc;
	if (!is_default || is_set(l, "for"))
		r->for_ms = conf_int(l->conf, SECTION, l->name, "for");
	if (!is_default || is_set(l, "severity"))
		r->severity =
			strcmp(conf_text(l->conf, SECTION, l->name, "severity"), "critical") == 0
				? ALERT_CRITICAL
				: ALERT_WARNING;
	r->min_n = conf_int(l->conf, SECTION, l->name, "min_n");
	r->window_ms = conf_int(l->conf, SECTION, l->name, "window");
	r->hook_interval_ms = conf_int(l->conf, SECTION, l->name, "hook_interval");
	r->provider = conf_text(l->conf, SECTION, l->name, "provider");
	r->hook = conf_text(l->conf, SECTION, l->name, "hook");
	r->syslog = conf_bool(l->conf, SECTION, l->name, "syslog");
	if (r->hook[0] && r->hook[0] != '/')
		return refuse(l, "hook: not an absolute path; begin it with /");
	return 0;
}

static struct alert_rule *rule_of(struct alert_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (strcmp(rules->rule[i].name, name) == 0)
			return &rules->rule[i];
	return NULL;
}

static void drop(struct alert_rules *rules, const struct alert_rule *rule)
{
	size_t at = (size_t)(rule - rules->rule);

	memmove(&rules->rule[at], &rules->rule[at + 1],
		(rules->n - at - 1) * sizeof(rules->rule[0]));
	rules->n--;
}

int alert_rules_load(const struct conf *conf, struct alert_rules *out, struct mt_error *reterr)
{
	struct mt_error local = {0};
	struct loading l = {.conf = conf, .err = reterr ? reterr : &local};
	size_t n;
	const char *const *names = conf_instances(conf, SECTION, &n);
	int rc = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]) && rc == 0; i++) {
		l.name = defaults[i].name;
		l.rule = &out->rule[out->n++];
		*l.rule = defaults[i];
		rc = load_one(&l, true);
	}
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct alert_rule *old = rule_of(out, names[i]);

		l.name = names[i];
		if (!conf_bool(conf, SECTION, names[i], "enabled")) {
			if (old)
				drop(out, old);
			continue;
		}
		if (!old && out->n == ALERTS_MAX)
			return refuse(&l, "more than %d alerts", ALERTS_MAX);
		l.rule = old ? old : &out->rule[out->n++];
		l.rule->name = names[i];
		if (!old ||
			given(&l, "figure")) /* another figure: nothing of the default's holds */
			*l.rule = (struct alert_rule){.name = names[i]};
		rc = load_one(&l, old && !given(&l, "figure"));
	}
	return rc;
}
