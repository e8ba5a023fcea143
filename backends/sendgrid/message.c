/* SPDX-License-Identifier: MIT */
/* message - the detail of one message: GET /v3/logs/{id}, and /v3/messages/{id} of the add-on, as lines of a time line. */
#include "backends/sendgrid/json.h"
#include "store/base/scan.h"

#define TEXT_MAX_BYTES 4000
#define EVENTS_MAX 1000 /* the vendor gives 100 */

static struct str first_text(const json_t *row, const char *const *names)
{
	for (; *names; names++)
		if (api_json_text(row, *names).n)
			return str_first(api_json_text(row, *names), TEXT_MAX_BYTES);
	return (struct str){NULL, 0};
}

/* try_number - `attempt` of /v3/logs counts from "0", `attempt_num` of /v3/messages from 1. */
static int32_t try_number(const json_t *row)
{
	int64_t zero_based = api_json_number(row, "attempt"),
		n = api_json_number(row, "attempt_num");

	if (n == EVENT_UNKNOWN && zero_based != EVENT_UNKNOWN)
		n = zero_based + 1;
	return n > 0 && n < 100000 ? (int32_t)n : EVENT_UNKNOWN;
}

static int event(struct parse *p, const json_t *row)
{
	static const char *const whats[] = {"event", "event_name", NULL};
	static const char *const texts[] = {
		"reason", "response", "url", "useragent", "http_user_agent", NULL};
	static const char *const ips[] = {"ip", "mx_server", NULL};
	struct sendgrid_event e = {.what = first_text(row, whats),
		.text = first_text(row, texts),
		.ip = first_text(row, ips),
		.class_name = api_json_text(row, "bounce_classification"),
		.attempt = try_number(row)};

	if (str_eq(e.what, STR_LIT("bounce")) &&
		str_eq(api_json_text(row, "type"), STR_LIT("blocked")))
		e.what = STR_LIT("blocked");
	e.t_ms = api_json_date_ms(row, "timestamp");
	if (e.t_ms == EVENT_UNKNOWN)
		e.t_ms = api_json_date_ms(row, "processed");
	if (e.what.n == 0)
		return sendgrid_odd(p);
	sendgrid_seen(p, e.t_ms);
	return p->sink->line ? p->sink->line(p->sink->ctx, &e) : 0;
}

int sendgrid_message(struct parse *p, const json_t *root)
{
	static const struct {
		const char *member;
		const char *shown;
	} heads[] = {{"status", "status"}, {"from_email", "from"}, {"to_email", "to"},
		{"subject", "subject"}, {"reason", "reason"}, {"outbound_ip", "sent from"},
		{"client_ip", "handed in from"}, {"api_key_id", "API key"}};
	const json_t *list = json_object_get(root, "events");
	int rc = 0;

	if (!json_is_object(root) || (api_json_text(root, "status").n == 0 && !list))
		return mt_error_set(p->error, MT_EPROTO, "the answer holds no message");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]) && rc == 0; i++) {
		struct sendgrid_event e = {.t_ms = EVENT_UNKNOWN,
			.attempt = EVENT_UNKNOWN,
			.what = str_of(heads[i].shown),
			.text = str_first(api_json_text(root, heads[i].member), TEXT_MAX_BYTES)};

		if (e.text.n && p->sink->line)
			rc = p->sink->line(p->sink->ctx, &e);
	}
	if (rc < 0 || !list)
		return rc;
	if (json_array_size(list) > EVENTS_MAX)
		return mt_error_set(
			p->error, MT_EPROTO, "a message of %zu events", json_array_size(list));
	return sendgrid_each_row(p, list, event);
}
