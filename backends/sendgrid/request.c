/* SPDX-License-Identifier: MIT */
/* request - see request.h. */
#include "backends/sendgrid/request.h"

#include "backends/http.h"
#include "store/base/zone.h"

#include <inttypes.h>

static const char *const paths[SENDGRID__ENDPOINTS] = {
	[SENDGRID_SCOPES] = "/v3/scopes",
	[SENDGRID_STATS] = "/v3/stats",
	[SENDGRID_MAILBOXES] = "/v3/mailbox_providers/stats",
	[SENDGRID_CATEGORIES] = "/v3/categories/stats/sums",
	[SENDGRID_CLASSES] = "/v3/suppression/bounces/classifications",
	[SENDGRID_BOUNCES] = "/v3/suppression/bounces",
	[SENDGRID_BLOCKS] = "/v3/suppression/blocks",
	[SENDGRID_INVALID] = "/v3/suppression/invalid_emails",
	[SENDGRID_SPAM] = "/v3/suppression/spam_reports",
	[SENDGRID_UNSUBSCRIBES] = "/v3/suppression/unsubscribes",
	[SENDGRID_LOGS] = "/v3/logs",
	[SENDGRID_LOG] = "/v3/logs/",
	[SENDGRID_MESSAGES] = "/v3/messages",
	[SENDGRID_IPS] = "/v3/ips",
	[SENDGRID_POOLS] = "/v3/ips/pools",
	[SENDGRID_WARMUP] = "/v3/ips/warmup",
	[SENDGRID_ACCOUNT] = "/v3/user/account",
	[SENDGRID_CREDITS] = "/v3/user/credits",
	[SENDGRID_USERNAME] = "/v3/user/username",
	[SENDGRID_SUBUSERS] = "/v3/subusers",
	[SENDGRID_REPUTATIONS] = "/v3/subusers/reputations",
};

static void add_days(struct buf *b, const struct sendgrid_want *w)
{
	char first[16], last[16];

	zone_date(w->first_day, first, sizeof(first));
	zone_date(w->last_day, last, sizeof(last));
	buf_printf(b, "?start_date=%s&end_date=%s", first, last);
}

static void add_page(struct buf *b, const struct sendgrid_want *w, char first)
{
	buf_printf(b, "%climit=%d&offset=%zu", first, SENDGRID_PAGE_ROWS, w->offset);
}

/* add_stamp - TIMESTAMP "2025-01-01T00:00:00Z": the query language knows whole seconds. */
static void add_stamp(struct buf *b, int64_t t_s, const char *quote)
{
	char date[16];
	int64_t day = t_s / 86400;
	int of_day = (int)(t_s % 86400);

	zone_date(day, date, sizeof(date));
	buf_printf(b, "TIMESTAMP %s%sT%02d:%02d:%02dZ%s", quote, date, of_day / 3600,
		of_day / 60 % 60, of_day % 60, quote);
}

static void logs_body(const struct sendgrid_want *w, struct buf *b)
{
	buf_add_z(b, "{\"query\":\"");
	if (!w->all_states)
		buf_add_z(b, "status IN ('bounced','blocked','deferred','dropped') AND ");
	buf_add_z(b, "sg_message_id_created_at >= ");
	add_stamp(b, w->from_s, "\\\"");
	buf_add_z(b, " AND sg_message_id_created_at < ");
	add_stamp(b, w->to_s, "\\\"");
	buf_printf(b, "\",\"limit\":%d", SENDGRID_LOGS_ROWS);
	if (w->subuser_id != EVENT_UNKNOWN)
		buf_printf(b, ",\"subusers\":[\"%" PRId64 "\"]", w->subuser_id);
	buf_add_char(b, '}');
}

static void activity_query(const struct sendgrid_want *w, struct buf *target)
{
	struct buf q;

	buf_init(&q, 1024);
	if (!w->all_states)
		buf_add_z(&q, "status=\"not_delivered\" AND ");
	buf_add_z(&q, "last_event_time BETWEEN ");
	add_stamp(&q, w->from_s, "\"");
	buf_add_z(&q, " AND ");
	add_stamp(&q, w->to_s, "\"");
	buf_printf(target, "?limit=%d&query=", SENDGRID_LOGS_ROWS);
	http_escape(target, buf_str(&q));
	buf_done(&q);
}

static void add_query(const struct sendgrid_want *w, struct buf *target)
{
	switch ((int)w->endpoint) {
	case SENDGRID_STATS:
	case SENDGRID_MAILBOXES:
		add_days(target, w);
		buf_add_z(target, "&aggregated_by=day");
		add_page(target, w, '&');
		break;
	case SENDGRID_CATEGORIES:
		add_days(target, w);
		add_page(target, w, '&');
		break;
	case SENDGRID_CLASSES:
		add_days(target, w);
		break;
	case SENDGRID_BOUNCES:
	case SENDGRID_BLOCKS:
	case SENDGRID_INVALID:
	case SENDGRID_SPAM:
	case SENDGRID_UNSUBSCRIBES:
		if (w->since_s > 0)
			buf_printf(target, "?start_time=%" PRId64, w->since_s);
		add_page(target, w, w->since_s > 0 ? '&' : '?');
		break;
	case SENDGRID_IPS:
	case SENDGRID_SUBUSERS:
		add_page(target, w, '?');
		break;
	case SENDGRID_LOG:
		http_escape(target, w->id);
		break;
	case SENDGRID_MESSAGES:
		activity_query(w, target);
		break;
	default:
		break;
	}
}

const char *sendgrid_request(const struct sendgrid_want *w, struct buf *target, struct buf *body)
{
	buf_clear(target);
	buf_clear(body);
	buf_add_z(target, paths[w->endpoint]);
	if (w->endpoint == SENDGRID_LOGS) {
		logs_body(w, body);
		return "POST";
	}
	add_query(w, target);
	return "GET";
}

bool sendgrid_removal(enum api_list list, struct str address, struct buf *target)
{
	static const char *const roots[API_LIST__COUNT] = {
		[API_LIST_BOUNCES] = "/v3/suppression/bounces/",
		[API_LIST_BLOCKS] = "/v3/suppression/blocks/",
		[API_LIST_INVALID] = "/v3/suppression/invalid_emails/",
		[API_LIST_COMPLAINTS] = "/v3/suppression/spam_reports/",
		[API_LIST_UNSUBSCRIBES] = "/v3/asm/suppressions/global/"};

	buf_clear(target);
	if ((unsigned)list >= API_LIST__COUNT || !roots[list] || address.n == 0)
		return false;
	buf_add_z(target, roots[list]);
	http_escape(target, address);
	return true;
}
