/* SPDX-License-Identifier: MIT */
/* vendor - see vendor.h. */
#include "tui/panes/vendor.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

const char *vendor_slot_word(int64_t slot_s)
{
	return slot_s >= DAY_S     ? "day"
	       : slot_s >= HOUR_S  ? "hour"
	       : slot_s > MINUTE_S ? "15 min"
				   : "minute";
}

bool vendor_is(const struct view *v, int provider)
{
	for (size_t i = 0; i < v->nproviders; i++)
		if (v->providers[i].id == provider)
			return v->providers[i].finest_bucket_s > MINUTE_S;
	return false;
}

static void left_out(struct buf *out, const struct view *v, const struct totals *t)
{
	const char *before = "without ";

	for (size_t i = 0; i < v->nproviders; i++) {
		const struct provider_row *p = &v->providers[i];

		if (p->finest_bucket_s <= MINUTE_S || p->finest_bucket_s < t->left_out_s)
			continue;
		buf_printf(out, "%s%.*s (by the %s)", before, STR_ARG(p->name),
			vendor_slot_word(p->finest_bucket_s));
		before = ", ";
	}
}

void vendor_scope(struct buf *out, const struct view *v, const struct totals *t)
{
	const char *between = "";

	if (t->differences) {
		buf_add_z(out, "from differences between polls");
		between = "; ";
	}
	if (t->window_res_s > MINUTE_S && t->slot_s > 0) {
		buf_printf(out, "%swhole %ss since ", between, vendor_slot_word(t->slot_s));
		if (t->slot_s >= DAY_S || v->now_ms - t->from_ms > DAY_S * INT64_C(1000))
			timefmt_date_clock(out, t->from_ms);
		else
			timefmt_clock(out, t->from_ms);
		between = "; ";
	}
	if (t->left_out_s > 0 && v->query.provider == 0) {
		buf_add_z(out, between);
		left_out(out, v, t);
		between = "; ";
	}
	if (t->slot_s > 0 && v->query.provider == 0)
		buf_printf(out, "%smessages, rejected, expired: not of vendors", between);
}

const char *vendor_list_word(enum api_list list)
{
	static const char *const words[API_LIST__SUPPRESSIONS] = {
		"bounces", "complaints", "unsubscribes", "allowed", "blocks", "invalid"};

	return (unsigned)list < API_LIST__SUPPRESSIONS ? words[list] : "?";
}

const char *vendor_list_help(enum api_list list)
{
	static const char *const words[API_LIST__SUPPRESSIONS] = {
		"the address bounced for good: the vendor does not try it any more",
		"its owner said spam: the vendor does not try it any more; don't take it off "
		"without their consent",
		"its owner unsubscribed: the vendor does not try it any more; don't take it off "
		"without their consent",
		"never put on the bounces list, whatever the replies",
		"a refusal not held against the address (content, reputation, try later): later "
		"messages are tried",
		"not a valid address, or its domain has no mail: the vendor does not try it"};

	return (unsigned)list < API_LIST__SUPPRESSIONS ? words[list] : "";
}

const char *vendor_event_word(enum api_event_kind kind)
{
	static const char *const words[API_EVENT__COUNT] = {"told", "accepted", "delivered",
		"deferred", "bounced", "suppressed", "opened", "clicked", "unsubscribed",
		"complained"};

	return (unsigned)kind < API_EVENT__COUNT ? words[kind] : "?";
}

struct cell cell_provider(struct table *t, const struct view *v, int provider)
{
	for (size_t i = 0; i < v->nproviders; i++)
		if (v->providers[i].id == provider)
			return cell_text(t, v->providers[i].name);
	return cell_words("?");
}

struct cell cell_known(int64_t value)
{
	return cell_words(value == EVENT_UNKNOWN ? "?" : value ? "yes" : "no");
}

void vendor_empty(struct table *t, const struct view *v, const char *what)
{
	for (size_t i = 0; i < v->nproviders; i++)
		if (v->providers[i].finest_bucket_s > MINUTE_S &&
			(v->query.provider == 0 || v->query.provider == v->providers[i].id)) {
			cells_empty(t, v, what);
			return;
		}
	t->empty = STR_LIT("no provider here is an account at a vendor (Mailgun, SendGrid): see "
			   "mtatop.conf(5) for how to add one");
}
