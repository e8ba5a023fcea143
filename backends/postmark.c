/* SPDX-License-Identifier: MIT */
/*
 * postmark - a Postmark server by its API (https://postmarkapp.com/developer): sends, bounces, complaints, opens and
 * clicks by the day, single bounces, the suppression list of a stream. The whole family is this file.
 *
 * Days are US Eastern time. What was delivered is told by no counter, so it stays unknown here.
 */
#include "backends/api.h"
#include "backends/api_json.h"
#include "backends/api_show.h"
#include "backends/keys.h"
#include "store/base/scan.h"
#include "store/base/zone.h"

#include <stdio.h>

#define BASE "https://api.postmarkapp.com"
#define DAY_S 86400
#define RECENT_DAYS 2
#define HISTORY_DAYS 45 /* what Postmark keeps of single messages */
#define PAGE_ROWS 500 /* of /bounces; count + offset may be 10,000 at most */
#define OFFSET_MAX 9500
#define TEXT_MAX_BYTES 4000
#define FIGURES_MAX 3
#define PER_MINUTE 30 /* Postmark publishes no limit */
#define MINUTE_MS INT64_C(60000)

enum postmark_endpoint {
	EP_SENDS,
	EP_BOUNCED,
	EP_SPAM,
	EP_OPENS,
	EP_CLICKS,
	EP_BOUNCES,
	EP_SUPPRESSIONS,
	EP_SERVER,
	EP__COUNT
};

/* Members of a day that add up to a metric; one that is absent is 0: a day lists what it had. */
struct figure {
	enum metric metric;
	const char *members[3];
};
static const struct shape {
	const char *path;
	struct figure figures[4];
} shapes[EP__COUNT] = {
	[EP_SENDS] = {"sends", {{METRIC_REQUESTS, {"Sent"}}}},
	[EP_BOUNCED] = {"bounces",
		{{METRIC_BOUNCED, {"HardBounce", "SoftBounce"}}, {METRIC_DEFERRED, {"Transient"}},
			{METRIC_SUPPRESSED, {"SMTPApiError"}}}},
	[EP_SPAM] = {"spam", {{METRIC_COMPLAINTS, {"SpamComplaint"}}}},
	[EP_OPENS] = {"opens", {{METRIC_OPENS, {"Opens"}}, {METRIC_UNIQUE_OPENS, {"Unique"}}}},
	[EP_CLICKS] = {"clicks", {{METRIC_CLICKS, {"Clicks"}}, {METRIC_UNIQUE_CLICKS, {"Unique"}}}},
};

static const struct api_endpoint endpoints[EP__COUNT] = {
	[EP_SENDS] = {"sends", 5 * MINUTE_MS, PER_MINUTE, "a server token", false},
	[EP_BOUNCED] = {"bounce counts", 5 * MINUTE_MS, PER_MINUTE, "a server token", false},
	[EP_SPAM] = {"spam counts", 5 * MINUTE_MS, PER_MINUTE, "a server token", true},
	[EP_OPENS] = {"opens", 15 * MINUTE_MS, PER_MINUTE, "a server token", true},
	[EP_CLICKS] = {"clicks", 15 * MINUTE_MS, PER_MINUTE, "a server token", true},
	[EP_BOUNCES] = {"bounces", 2 * MINUTE_MS, PER_MINUTE, "a server token", false},
	[EP_SUPPRESSIONS] = {"suppressions", 60 * MINUTE_MS, PER_MINUTE, "a server token", true},
	[EP_SERVER] = {"server", 60 * MINUTE_MS, PER_MINUTE, "a server token", true},
};

struct postmark {
	struct api api; /* first */
	struct zone zone;
	const char *stream; /* borrowed */
	bool asked[EP__COUNT]; /* in this round */
	int64_t first_day[EP__COUNT], last_day[EP__COUNT];
	bool had_history[EP__COUNT];
	size_t offset;
	struct api_pager pager;
};

/* Parsing: one sink for the store and for --replay. A slot may be NULL. */
struct rows {
	int (*day)(void *ctx, int64_t day, const struct api_figure *figures, size_t n);
	int (*event)(void *ctx, const struct api_event *e);
	int (*suppression)(void *ctx, const struct api_suppression *row);
	int (*account)(void *ctx, struct str name, struct str value);
	void *ctx;
};

static struct str text_of(const json_t *object, const char *name)
{
	return str_first(api_json_text(object, name), TEXT_MAX_BYTES);
}

/* sum - absent members are 0, others than whole numbers make it unknown. */
static int64_t sum(const json_t *day, const char *const *members, size_t max)
{
	int64_t total = 0;

	for (size_t i = 0; i < max && members[i]; i++) {
		const json_t *v = json_object_get(day, members[i]);

		if (v && (!json_is_integer(v) || json_integer_value(v) < 0 ||
				 json_integer_value(v) > INT32_MAX))
			return EVENT_UNKNOWN;
		total += v ? json_integer_value(v) : 0;
	}
	return total;
}

static int read_day(const json_t *day, const struct shape *shape, const struct rows *rows)
{
	struct api_figure figures[FIGURES_MAX];
	int64_t number;
	size_t n = 0;

	if (!zone_parse_date(text_of(day, "Date"), &number) || !rows->day)
		return 0;
	for (const struct figure *f = shape->figures; f->members[0]; f++)
		figures[n++] = (struct api_figure){f->metric, sum(day, f->members, 3)};
	return rows->day(rows->ctx, number, figures, n);
}

static enum api_event_kind kind_of(struct str type)
{
	static const struct {
		struct str type;
		enum api_event_kind kind;
	} kinds[] = {{STR_INIT("HardBounce"), API_EVENT_BOUNCED},
		{STR_INIT("SoftBounce"), API_EVENT_BOUNCED},
		{STR_INIT("Blocked"), API_EVENT_BOUNCED},
		{STR_INIT("DMARCPolicy"), API_EVENT_BOUNCED},
		{STR_INIT("BadEmailAddress"), API_EVENT_BOUNCED},
		{STR_INIT("DnsError"), API_EVENT_DEFERRED},
		{STR_INIT("Transient"), API_EVENT_DEFERRED},
		{STR_INIT("SMTPApiError"), API_EVENT_SUPPRESSED},
		{STR_INIT("SpamComplaint"), API_EVENT_COMPLAINED},
		{STR_INIT("Unsubscribe"), API_EVENT_UNSUBSCRIBED}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_eq(type, kinds[i].type))
			return kinds[i].kind;
	return API_EVENT_OTHER;
}

/* code_of - "smtp;550 5.1.1 ..." or "550 ..." anywhere at the head of the details. */
static void code_of(struct str details, struct api_event *e)
{
	size_t at = str_find(details, STR_LIT("smtp;"));
	struct str in = str_trim(at < details.n ? str_skip(details, at + 5) : details);
	uint64_t code, a, b, c;

	if (!scan_u64(&in, 3, 599, &code) || code < 200 || !scan_lit(&in, STR_LIT(" ")))
		return;
	e->code = (int32_t)code;
	if (scan_u64(&in, 1, 5, &a) && scan_lit(&in, STR_LIT(".")) && scan_u64(&in, 3, 999, &b) &&
		scan_lit(&in, STR_LIT(".")) && scan_u64(&in, 3, 999, &c))
		e->dsn = (int32_t)DSN_MAKE((int64_t)a, (int64_t)b, (int64_t)c);
}

static int read_bounce(const json_t *row, const struct rows *rows)
{
	const json_t *number = json_object_get(row, "ID");
	char id[32];
	struct api_event e;

	api_event_init(&e);
	e.t_ms = api_json_date_ms(row, "BouncedAt");
	if (!json_is_integer(number) || e.t_ms == EVENT_UNKNOWN || !rows->event)
		return 0;
	snprintf(id, sizeof(id), "%" JSON_INTEGER_FORMAT, json_integer_value(number));
	e.id = str_of(id);
	e.kind = kind_of(text_of(row, "Type"));
	e.message = text_of(row, "MessageID");
	if (e.message.n == 0)
		e.message = e.id;
	e.rcpt = str_first(text_of(row, "Email"), 320);
	e.sender = str_first(text_of(row, "From"), 320);
	e.subject = text_of(row, "Subject");
	e.reply = text_of(row, "Details");
	code_of(e.reply, &e);
	if (e.reply.n == 0)
		e.reply = text_of(row, "Description");
	return rows->event(rows->ctx, &e);
}

static int read_suppression(const json_t *row, const struct rows *rows)
{
	struct str reason = text_of(row, "SuppressionReason");
	struct api_suppression s = {.list = API_LIST_BOUNCES,
		.address = text_of(row, "EmailAddress"),
		.reason = reason,
		.created_ms = api_json_date_ms(row, "CreatedAt")};

	if (str_eq(reason, STR_LIT("SpamComplaint")))
		s.list = API_LIST_COMPLAINTS;
	else if (str_eq(reason, STR_LIT("ManualSuppression")))
		s.list = API_LIST_UNSUBSCRIBES;
	return s.address.n && s.address.n <= 320 && rows->suppression
		       ? rows->suppression(rows->ctx, &s)
		       : 0;
}

/* each - the rows of a list; *ret_n how many. MT_EPROTO: there is none. */
static int each(const json_t *list, int (*read)(const json_t *row, const struct rows *rows),
	const struct rows *rows, size_t *ret_n, struct mt_error *reterr)
{
	int rc = 0;

	if (!json_is_array(list))
		return mt_error_set(reterr, MT_EPROTO, "the answer holds no list");
	*ret_n = json_array_size(list);
	for (size_t i = 0; i < *ret_n && rc == 0; i++)
		rc = read(json_array_get(list, i), rows);
	return rc;
}

static int parse(size_t e, const json_t *root, const struct rows *rows, size_t *ret_n,
	struct mt_error *reterr)
{
	const json_t *days = json_object_get(root, "Days");
	int rc = 0;

	*ret_n = json_array_size(days);
	if (e == EP_BOUNCES)
		return each(json_object_get(root, "Bounces"), read_bounce, rows, ret_n, reterr);
	if (e == EP_SUPPRESSIONS)
		return each(json_object_get(root, "Suppressions"), read_suppression, rows, ret_n,
			reterr);
	if (e == EP_SERVER)
		return text_of(root, "Name").n && rows->account
			       ? rows->account(rows->ctx, STR_LIT("server"), text_of(root, "Name"))
			       : 0;
	if (!json_is_array(days))
		return mt_error_set(reterr, MT_EPROTO, "the answer holds no days");
	for (size_t i = 0; i < *ret_n && rc == 0; i++)
		rc = read_day(json_array_get(days, i), &shapes[e], rows);
	return rc;
}

/* The source */
static int put_day(void *ctx, int64_t day, const struct api_figure *figures, size_t n)
{
	struct postmark *p = ctx;
	struct api_slot slot = {.dim = DIM_TOTAL, .start_s = zone_midnight(&p->zone, day)};

	slot.length_s = zone_midnight(&p->zone, day + 1) - slot.start_s;
	return store_api_counts(api_store(&p->api), api_provider(&p->api), &slot, figures, n, NULL);
}

static int begin(struct api *a, size_t e)
{
	struct postmark *p = (struct postmark *)a;

	p->asked[e] = false;
	p->last_day[e] = zone_day(&p->zone, api_now_ms(a) / 1000);
	p->first_day[e] = p->last_day[e] - (p->had_history[e] ? RECENT_DAYS : HISTORY_DAYS);
	if (e == EP_BOUNCES) {
		p->offset = 0;
		api_pager_init(&p->pager);
	}
	return 0;
}

static int next(struct api *a, size_t e, struct api_request *r, struct mt_error *reterr)
{
	struct postmark *p = (struct postmark *)a;
	char first[16], last[16];

	(void)reterr;
	if (p->asked[e])
		return 0;
	p->asked[e] = true;
	zone_date(p->first_day[e], first, sizeof(first));
	zone_date(p->last_day[e], last, sizeof(last));
	if (e == EP_SERVER) {
		buf_add_z(r->path, "/server");
	} else if (e == EP_SUPPRESSIONS) {
		buf_add_z(r->path, "/message-streams/");
		http_escape(r->path, str_of(p->stream));
		buf_add_z(r->path, "/suppressions/dump");
	} else if (e == EP_BOUNCES) {
		buf_printf(r->path,
			"/bounces?count=%d&offset=%zu&fromdate=%s&todate=%s&messagestream=",
			PAGE_ROWS, p->offset, first, last);
		http_escape(r->path, str_of(p->stream));
	} else {
		buf_printf(r->path,
			"/stats/outbound/%s?fromdate=%s&todate=%s&messagestream=", shapes[e].path,
			first, last);
		http_escape(r->path, str_of(p->stream));
	}
	return 1;
}

/* cover - what the answer does not list of the days asked for is zero. */
static int cover(struct postmark *p, size_t e, struct mt_error *reterr)
{
	struct api_cover c = {.dim = DIM_TOTAL,
		.from_s = zone_midnight(&p->zone, p->first_day[e]),
		.to_s = zone_midnight(&p->zone, p->last_day[e] + 1),
		.fetched_ms = api_now_ms(&p->api)};

	for (const struct figure *f = shapes[e].figures; f->members[0]; f++)
		c.metrics |= UINT64_C(1) << f->metric;
	return store_api_covered(api_store(&p->api), api_provider(&p->api), &c, reterr);
}

static const enum api_list walked[] = {
	API_LIST_BOUNCES, API_LIST_COMPLAINTS, API_LIST_UNSUBSCRIBES};

static int walk(struct postmark *p, bool finish, struct mt_error *reterr)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(walked) / sizeof(walked[0]) && rc == 0; i++)
		rc = finish ? store_api_list_end(api_store(&p->api), api_provider(&p->api),
				      walked[i], STR_LIT(""), true, reterr)
			    : store_api_list_begin(api_store(&p->api), api_provider(&p->api),
				      walked[i], STR_LIT(""), false, reterr);
	return rc;
}

static int took(struct api *a, size_t e, const struct http_reply *reply, struct mt_error *reterr)
{
	struct postmark *p = (struct postmark *)a;
	const struct rows rows = {put_day, api_put_event, api_put_suppression, api_put_account, p};
	char place[24];
	json_t *root;
	size_t n;
	int rc = 0;

	if (reply->rc < 0)
		return mt_error_set(reterr, (enum mt_err)reply->rc, "%s", reply->error.text);
	root = json_loadb(reply->body.p, reply->body.n, JSON_ALLOW_NUL, NULL);
	if (!root)
		return mt_error_set(
			reterr, MT_EPROTO, "%s: the answer is no JSON", endpoints[e].name);
	if (shapes[e].path)
		rc = cover(p, e, reterr);
	else if (e == EP_SUPPRESSIONS)
		rc = walk(p, false, reterr);
	if (rc == 0)
		rc = parse(e, root, &rows, &n, reterr);
	api_json_done(root);
	if (rc == 0 && e == EP_SUPPRESSIONS)
		rc = walk(p, true, reterr);
	if (rc < 0 || e != EP_BOUNCES)
		return rc;
	p->offset += PAGE_ROWS;
	snprintf(place, sizeof(place), "%zu", p->offset);
	p->asked[e] = n < PAGE_ROWS || p->offset > OFFSET_MAX ||
		      !api_pager_next(&p->pager, n, reply->body, str_of(place));
	return 0;
}

static int end(struct api *a, size_t e, bool complete, struct mt_error *reterr)
{
	(void)reterr;
	((struct postmark *)a)->had_history[e] |= complete;
	return 0;
}

static void close_source(struct api *a)
{
	zone_done(&((struct postmark *)a)->zone);
}

static const struct api_vendor vendor = {
	endpoints, EP__COUNT, begin, next, took, end, close_source, false};

static const char *base_of(const struct conf *conf, const char *section)
{
	const char *base = conf_text(conf, "postmark", section, "base_url");

	return base[0] ? base : BASE;
}

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct postmark *p = state;
	const char *section = env->def->section;
	const char *zone = conf_text(env->conf, "postmark", section, "time_zone");
	struct api_provider provider = {.finest_bucket_s = DAY_S, .time_zone = zone};
	struct api_options o = {.vendor = &vendor,
		.env = env,
		.base = base_of(env->conf, section),
		.ca_file = env->def->ca_path,
		.auth = HTTP_AUTH_HEADER,
		.auth_name = "X-Postmark-Server-Token",
		.requests_per_minute =
			conf_int(env->conf, "postmark", section, "requests_per_minute")};
	int rc = key_find(env->conf, "postmark", section, &o.key, NULL, reterr);

	p->stream = conf_text(env->conf, "postmark", section, "stream");
	if (rc == 0)
		rc = api_open(&p->api, &o, reterr);
	if (rc == 0)
		rc = zone_load(&p->zone, zone, reterr);
	return rc < 0 ? rc : store_api_provider(env->store, env->provider, &provider, reterr);
}

/* --replay */
static int show_day(void *ctx, int64_t day, const struct api_figure *figures, size_t n)
{
	return api_show_counts(ctx, day, "total", (struct str){NULL, 0}, figures, n);
}

/* guess - by what the answer holds; of days, by what the totals beside them are called. */
static size_t guess(const json_t *root)
{
	for (size_t e = 0; e < EP__COUNT && json_object_get(root, "Days"); e++)
		for (const struct figure *f = shapes[e].figures; shapes[e].path && f->members[0];
			f++)
			if (json_object_get(root, f->members[0]) && f->members[0][0] != 'U')
				return e;
	return json_object_get(root, "Bounces")        ? EP_BOUNCES
	       : json_object_get(root, "Suppressions") ? EP_SUPPRESSIONS
	       : json_object_get(root, "Name")         ? EP_SERVER
						       : EP__COUNT;
}

static int replay_body(struct str body, struct buf *out, struct mt_error *reterr)
{
	const struct rows rows = {
		show_day, api_show_event, api_show_suppression, api_show_account, out};
	json_t *root = json_loadb(body.p ? body.p : "", body.n, JSON_ALLOW_NUL, NULL);
	size_t e = guess(root), n;
	int rc = e == EP__COUNT ? mt_error_set(reterr, MT_EINVAL,
					  "this is no answer of Postmark's that mtatop reads")
				: parse(e, root, &rows, &n, reterr);

	api_json_done(root);
	return rc;
}

static const struct conf_key keys[] = {
	KEY_CONF_BASE_URL("postmark"),
	KEY_CONF_CA_FILE("postmark"),
	KEY_CONF_KEY_FILE("postmark"),
	KEY_CONF_RATE("postmark"),
	{.section = "postmark",
		.name = "stream",
		.type = CONF_TEXT,
		.fallback = "outbound",
		.help = "The message stream to watch"},
	{.section = "postmark",
		.name = "time_zone",
		.type = CONF_TEXT,
		.fallback = "America/New_York",
		.help = "Time zone of Postmark's days"},
};

static int discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx, struct mt_error *reterr)
{
	return key_providers(conf, "postmark", found, ctx, reterr);
}

static const struct source_ops source = {.name = "api",
	.interval_ms = API_INTERVAL_MS,
	.state_bytes = sizeof(struct postmark),
	.init = init,
	API_SOURCE_OPS};
static const struct source_ops *const sources[] = {&source, NULL};

extern const struct backend_ops postmark_backend;
const struct backend_ops postmark_backend = {
	.name = "postmark",
	.summary = "Postmark: counters, bounces and suppressions of a server",
	.keys = keys,
	.nkeys = sizeof(keys) / sizeof(keys[0]),
	.replay_body = replay_body,
	.discover = discover,
	.sources = sources,
};
