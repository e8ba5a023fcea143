/* SPDX-License-Identifier: MIT */
/* warmup_conf - see warmup_conf.h. */
#include "store/warmup_conf.h"

#include "store/base/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECTION "warmup"
#define ARENA_MAX_BYTES (4u << 20)
#define CAP_MAX INT64_C(1000000000000)
#define MS_PER_S 1000
#define YEAR_MIN 2000
#define YEAR_MAX 2999

static const struct conf_key keys[] = {
	{.section = SECTION,
		.name = "caps",
		.type = CONF_LIST,
		.fallback = "",
		.help = "With plan = own: messages a day, one figure a stage, such as 50 100 500 "
			"1000. With plan = ipost: its first level, one figure"},
	{.section = SECTION,
		.name = "clock",
		.type = CONF_CHOICE,
		.fallback = "plan",
		.choices = "plan|sending|calendar",
		.help = "What moves the plan on: days on which its cap was sent and nothing stood "
			"against it, or the calendar; plan: as its publisher has it (own: "
			"sending)"},
	{.section = SECTION,
		.name = "egress",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Whose mail counts: an IP (smtp_bind_address of a transport), a service "
			"tag as the log has it (postfix/smtp), a syslog_name or instance "
			"(postfix-out), a sending IP of Mailgun, or a provider of mtatop (a "
			"vendor: all "
			"its mail); several are added up"},
	{.section = SECTION,
		.name = "mailbox",
		.type = CONF_CHOICE,
		.fallback = "all",
		.choices = "all"
#define MAILBOX(id, word, name, suffixes) "|" word
#include "assets/mailboxes.def"
#undef MAILBOX
		,
		.help = "Mail to this mailbox provider alone (by MX host): a plan of its own for "
			"it"},
	{.section = SECTION,
		.name = "mailbox_caps",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Most a day to single mailbox providers, such as gmail=5000 yahoo=2000. "
			"Yahoo takes about 100 an hour of a new IP, and 50 are advised "
			"(SendGrid's support)"},
	{.section = SECTION,
		.name = "plan",
		.type = CONF_CHOICE,
		.fallback = "sparkpost",
		.choices = "own"
#define GROWTH(...)
#define PLAN(id, word, ...) "|" word
#define TRACK(...)
#define RULES(...)
#include "assets/warmup_plans.def"
#undef GROWTH
#undef PLAN
#undef TRACK
#undef RULES
		,
		.help = "The schedule: your own caps, or a published one; rackspace is about mail "
			"to Rackspace alone. Mailgun and Amazon SES publish no table: what the "
			"API tells of their own warm-up is in the warmup pane"},
	{.section = SECTION,
		.name = "start",
		.type = CONF_TEXT,
		.fallback = "",
		.help = "First day of the plan, YYYY-MM-DD, in this machine's time zone"},
	{.section = SECTION,
		.name = "target",
		.type = CONF_INT,
		.fallback = "0",
		.min = 0,
		.max = CAP_MAX,
		.help = "Messages a day you want to reach: the plan is done there; 0: at its end"},
};

struct conf_table warmup_conf_table(void)
{
	return (struct conf_table){keys, sizeof(keys) / sizeof(keys[0])};
}

struct loading {
	const struct conf *conf;
	const char *instance; /* NULL: the plain section */
	struct arena *arena;
	struct warmup_plan *plan;
	struct mt_error *err;
};

static const char *const *list(const struct loading *l, const char *key, size_t *ret_n)
{
	return conf_list(l->conf, SECTION, l->instance, key, ret_n);
}

static const char *text(const struct loading *l, const char *key)
{
	return conf_text(l->conf, SECTION, l->instance, key);
}

static int refuse(const struct loading *l, const char *fmt, ...) MT_PRINTF(2, 3);
static int refuse(const struct loading *l, const char *fmt, ...)
{
	char what[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return mt_error_set(l->err, MT_ECONFIG, "[" SECTION "%s%s] %s", l->instance ? " " : "",
		l->instance ? l->instance : "", what);
}

static int load_start(const struct loading *l)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	struct warmup_plan *p = l->plan;
	struct str s = str_of(text(l, "start"));
	uint64_t year, month, day;
	bool leap, ok;

	if (s.n == 0)
		return refuse(l, "start: missing; give the first day, such as 2026-11-01");
	ok = s.n == 10 && scan_u64(&s, 4, YEAR_MAX, &year) && scan_lit(&s, STR_LIT("-")) &&
	     scan_u64(&s, 2, 12, &month) && scan_lit(&s, STR_LIT("-")) &&
	     scan_u64(&s, 2, 31, &day) && year >= YEAR_MIN && month > 0 && day > 0;
	if (!ok)
		return refuse(l, "start: not a day; write it as 2026-11-01");
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day > (uint64_t)lengths[month - 1] + (month == 2 && leap))
		return refuse(l, "start: there is no such day in that month");
	p->year = (int)year;
	p->month = (int)month;
	p->day = (int)day;
	return 0;
}

/* Caps of the configuration: whole plans, or what a growth rule begins with. */
static int load_caps(const struct loading *l)
{
	size_t n;
	const char *const *items = list(l, "caps", &n);
	int64_t *caps;

	if (n == 0)
		return refuse(l, "caps: missing; plan = %s needs them, such as caps = 50%s",
			text(l, "plan"), l->plan->growth ? "" : " 100 500");
	if (l->plan->growth && n > 1)
		return refuse(l, "caps: plan = %s takes one, its first level", text(l, "plan"));
	if (n > WARMUP_CAPS_MAX)
		return refuse(l, "caps: more than %d; shorten the list", WARMUP_CAPS_MAX);
	caps = arena_alloc(l->arena, n * sizeof(caps[0]));
	if (!caps)
		return refuse(l, "caps: too long");
	for (size_t i = 0; i < n; i++) {
		uint64_t cap;

		if (!scan_all_u64(str_of(items[i]), CAP_MAX, &cap) || cap == 0)
			return refuse(l, "caps: \"%.40s\" is no number of messages", items[i]);
		caps[i] = (int64_t)cap;
		if (i > 0 && caps[i] < caps[i - 1])
			return refuse(l, "caps: %.40s is less than the one before; a warm-up grows",
				items[i]);
	}
	l->plan->caps = (struct warmup_caps){caps, n};
	return 0;
}

static int load_schedule(const struct loading *l)
{
	struct warmup_plan *p = l->plan;
	const char *word = text(l, "plan"), *clock = text(l, "clock");
	int64_t target = conf_int(l->conf, SECTION, l->instance, "target");
	size_t n;
	int rc = 0;

	(void)list(l, "caps", &n);
	if (strcmp(word, "own") == 0) {
		p->schedule = "own";
		p->source = "mtatop.conf";
		rc = load_caps(l);
	} else if (!warmup_builtin(str_of(word), p)) {
		rc = refuse(l, "plan: unknown");
	} else if (p->caps.cap[0] == 0) {
		rc = load_caps(l);
		if (rc == 0 && target == 0)
			rc = refuse(l, "target: missing; %s grows without an end", word);
	} else if (n > 0) {
		rc = refuse(l, "caps: only with plan = own; %s has its caps", word);
	}
	if (rc < 0)
		return rc;
	if (strcmp(clock, "plan") != 0)
		p->calendar = strcmp(clock, "calendar") == 0;
	if (target)
		p->target = target;
	if (p->target > warmup_cap(p, warmup_stages(p) - 1))
		return refuse(l,
			"target: %lld is over the plan's last cap, %lld a day; lower it or "
			"take another plan",
			(long long)p->target, (long long)warmup_cap(p, warmup_stages(p) - 1));
	return 0;
}

/* The one mailbox provider of a plan, by the configuration or by the schedule. */
static int load_mailbox(const struct loading *l)
{
	struct warmup_plan *p = l->plan;
	struct warmup_caps track;
	enum mailbox only;

	if (mailbox_by_word(str_of(text(l, "mailbox")), &only)) {
		if (p->has_only && p->only != only)
			return refuse(l, "mailbox: %s is about mail to %s", p->schedule,
				mailbox_name(p->only));
		p->has_only = true;
		p->only = only;
	}
	if (!p->has_only)
		return 0;
	track = p->track[p->only];
	if (track.n) /* the schedule has it: that part alone */
		p->caps = track;
	memset(p->track, 0, sizeof(p->track));
	return 0;
}

static int load_mailbox_caps(const struct loading *l)
{
	size_t n;
	const char *const *items = list(l, "mailbox_caps", &n);

	if (n > 0 && l->plan->has_only)
		return refuse(l, "mailbox_caps: not with mailbox, which makes the plan one "
				 "provider's own");
	for (size_t i = 0; i < n; i++) {
		struct str item = str_of(items[i]),
			   word = str_first(item, str_find_char(item, '='));
		enum mailbox box;
		uint64_t cap;
		int64_t *kept = arena_alloc(l->arena, sizeof(*kept));

		if (!mailbox_by_word(word, &box))
			return refuse(l,
				"mailbox_caps: \"%.40s\": no such mailbox provider; one "
				"of the words of mailbox",
				items[i]);
		if (!scan_all_u64(str_skip(item, word.n + 1), CAP_MAX, &cap) || cap == 0)
			return refuse(l, "mailbox_caps: \"%.40s\" is not WORD=MESSAGES", items[i]);
		if (!kept)
			return refuse(l, "mailbox_caps: too long");
		*kept = (int64_t)cap;
		l->plan->track[box] = (struct warmup_caps){kept, 1};
	}
	return 0;
}

static int load_one(const struct loading *l)
{
	struct warmup_plan *p = l->plan;
	int rc;

	p->name = l->instance ? l->instance : SECTION;
	p->egress = list(l, "egress", &p->negress);
	if (p->negress == 0)
		return refuse(l, "egress: missing; name the IP, service tag or instance whose mail "
				 "counts");
	rc = load_start(l);
	if (rc == 0)
		rc = load_schedule(l);
	if (rc == 0)
		rc = load_mailbox(l);
	return rc == 0 ? load_mailbox_caps(l) : rc;
}

int warmup_plans_load(const struct conf *conf, struct warmup_plans *out, struct mt_error *reterr)
{
	struct mt_error local = {0};
	size_t n;
	const char *const *names = conf_instances(conf, SECTION, &n);
	struct loading l = {.conf = conf, .arena = &out->arena, .err = reterr ? reterr : &local};
	int rc = 0;

	memset(out, 0, sizeof(*out));
	arena_init(&out->arena, ARENA_MAX_BYTES);
	if (n > WARMUP_PLANS_MAX)
		return mt_error_set(reterr, MT_ECONFIG, "more than %d [" SECTION "] sections",
			WARMUP_PLANS_MAX);
	if (n == 0 && conf_is_set(conf, SECTION, NULL, "start")) {
		l.plan = &out->plan[out->n++];
		return load_one(&l);
	}
	for (size_t i = 0; i < n && rc == 0; i++) {
		l.instance = names[i];
		l.plan = &out->plan[out->n++];
		rc = load_one(&l);
	}
	return rc;
}

void warmup_plans_done(struct warmup_plans *p)
{
	arena_done(&p->arena);
	p->n = 0;
}

/* Local midnight of the day that many days after the start; -1: not representable. */
static int64_t midnight_ms(const struct warmup_plan *p, int64_t days)
{
	struct tm tm = {.tm_year = p->year - 1900,
		.tm_mon = p->month - 1,
		.tm_mday = p->day + (int)days,
		.tm_isdst = -1};
	time_t t = mktime(&tm);

	/* Where the clock is put forward at midnight the day begins at 1. */
	return t == (time_t)-1 ? -1 : (int64_t)t * MS_PER_S;
}

size_t warmup_days(const struct warmup_plan *p, int64_t now_ms, struct warmup_day *out, size_t max)
{
	int64_t start = midnight_ms(p, 0), today, first;

	if (start < 0 || now_ms < start || max == 0)
		return 0;
	today = (now_ms - start) / 86400000 + 1;
	while (today > 0 && midnight_ms(p, today) > now_ms)
		today--;
	first = today - (int64_t)max + 1 > 0 ? today - (int64_t)max + 1 : 0;
	for (int64_t i = first; i <= today; i++) {
		struct warmup_day *d = &out[i - first];

		memset(d, 0, sizeof(*d));
		d->start_ms = midnight_ms(p, i);
		d->end_ms = midnight_ms(p, i + 1);
		d->known = true;
	}
	return (size_t)(today - first + 1);
}
