/* SPDX-License-Identifier: MIT */
/* exchange/columns - which field is which: by the names of #Fields; where no header was seen, by how many there are. */
#include "backends/exchange/parse.h"
#include "store/base/scan.h"
#include "store/base/timefmt.h"

#define CODE_MIN 200
#define CODE_MAX 599
#define DSN_DETAIL_MAX 999
#define PORT_MAX 65535
#define STAMP_BYTES 20 /* "2026-01-01T00:00:00Z" */

static const struct {
	struct str name;
	enum exchange_column column;
} names[] = {
	{STR_INIT("date-time"), COL_TIME},
	{STR_INIT("client-ip"), COL_CLIENT_IP},
	{STR_INIT("client-hostname"), COL_CLIENT_HOST},
	{STR_INIT("server-ip"), COL_SERVER_IP},
	{STR_INIT("server-hostname"), COL_SERVER_HOST},
	{STR_INIT("source-context"), COL_SOURCE_CONTEXT},
	{STR_INIT("connector-id"), COL_CONNECTOR},
	{STR_INIT("source"), COL_SOURCE},
	{STR_INIT("event-id"), COL_EVENT_ID},
	{STR_INIT("internal-message-id"), COL_INTERNAL_ID},
	{STR_INIT("message-id"), COL_MESSAGE_ID},
	{STR_INIT("network-message-id"), COL_NETWORK_ID},
	{STR_INIT("recipient-address"), COL_RCPT},
	{STR_INIT("recipient-status"), COL_RCPT_STATUS},
	{STR_INIT("total-bytes"), COL_BYTES},
	{STR_INIT("recipient-count"), COL_RCPT_COUNT},
	{STR_INIT("related-recipient-address"), COL_RELATED},
	{STR_INIT("sender-address"), COL_SENDER},
	{STR_INIT("return-path"), COL_RETURN_PATH},
	{STR_INIT("message-info"), COL_INFO},
	{STR_INIT("original-client-ip"), COL_ORIG_CLIENT_IP},
	{STR_INIT("custom-data"), COL_CUSTOM},
	{STR_INIT("session-id"), COL_SESSION_ID},
	{STR_INIT("sequence-number"), COL_SEQUENCE},
	{STR_INIT("local-endpoint"), COL_LOCAL},
	{STR_INIT("remote-endpoint"), COL_REMOTE},
	{STR_INIT("event"), COL_EVENT},
	{STR_INIT("data"), COL_DATA},
	{STR_INIT("context"), COL_CONTEXT},
	{STR_INIT("session"), COL_SESSION},
	{STR_INIT("destination"), COL_DESTINATION},
	{STR_INIT("direction"), COL_DIRECTION},
	{STR_INIT("description"), COL_DESCRIPTION},
};

/* Without a header: the layouts there are, by their number of fields. 2007; 2010 and early 2013; 2013; from 2016 on. */
#define OLD                                                                                        \
	"date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,"            \
	"connector-id,source,event-id,internal-message-id,message-id,"
#define MIDDLE                                                                                     \
	"recipient-address,recipient-status,total-bytes,recipient-count,"                          \
	"related-recipient-address,reference,message-subject,sender-address,return-path,"          \
	"message-info"
#define NEWER ",directionality,tenant-id,original-client-ip,original-server-ip,custom-data"
static const struct {
	size_t nfields;
	struct str names;
} layouts[] = {
	{6, STR_INIT("date-time,session,source,Destination,direction,description")},
	{9, STR_INIT("date-time,connector-id,session-id,sequence-number,local-endpoint,"
		     "remote-endpoint,event,data,context")},
	{21, STR_INIT(OLD MIDDLE)},
	{26, STR_INIT(OLD MIDDLE NEWER)},
	{27, STR_INIT(OLD "network-message-id," MIDDLE NEWER)},
	{30, STR_INIT(OLD "network-message-id," MIDDLE NEWER
			  ",transport-traffic-type,log-id,schema-version")},
};

static enum exchange_column column_of(struct str name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_ieq(name, names[i].name))
			return names[i].column;
	return COL_NONE;
}

enum exchange_kind exchange_log_type(struct str value)
{
	if (str_ieq(value, STR_LIT("Message Tracking Log")))
		return EXCHANGE_TRACKING;
	if (str_ieq(value, STR_LIT("SMTP Receive Protocol Log")))
		return EXCHANGE_RECEIVE;
	if (str_ieq(value, STR_LIT("SMTP Send Protocol Log")))
		return EXCHANGE_SEND;
	if (str_ieq(value, STR_LIT("Transport Connectivity Log")))
		return EXCHANGE_CONNECTIVITY;
	return EXCHANGE_OTHER;
}

/* fits - do the columns hold what a log of that kind can't be read without? */
static bool fits(const bool *has, enum exchange_kind kind)
{
	if (!has[COL_TIME])
		return false;
	if (kind == EXCHANGE_TRACKING)
		return has[COL_EVENT_ID] && has[COL_SOURCE] && has[COL_RCPT];
	if (kind == EXCHANGE_CONNECTIVITY)
		return has[COL_SESSION] && has[COL_DIRECTION] && has[COL_DESCRIPTION];
	return has[COL_SESSION_ID] && has[COL_EVENT] && has[COL_DATA] && has[COL_CONTEXT];
}

void exchange_fields(struct exchange_layout *out, struct str list, enum exchange_kind log_type)
{
	bool has[COL__COUNT] = {false};

	*out = (struct exchange_layout){.kind = EXCHANGE_OTHER};
	while (list.n && out->n < CSV_FIELDS_MAX) {
		size_t n = str_find_char(list, ',');
		enum exchange_column column = column_of(str_trim(str_first(list, n)));

		list = str_skip(list, n + 1);
		if (has[column])
			column = COL_NONE; /* named twice: the first one is it */
		has[column] = column != COL_NONE;
		out->column[out->n++] = (uint8_t)column;
	}
	if (log_type == EXCHANGE_UNKNOWN)
		log_type = fits(has, EXCHANGE_TRACKING)       ? EXCHANGE_TRACKING
			   : fits(has, EXCHANGE_CONNECTIVITY) ? EXCHANGE_CONNECTIVITY
							      : EXCHANGE_UNKNOWN;
	if (log_type != EXCHANGE_OTHER && fits(has, log_type))
		out->kind =
			log_type; /* unknown: a protocol log, of which direction its connectors tell */
}

bool exchange_guess(struct exchange_layout *out, size_t nfields)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].nfields == nfields) {
			exchange_fields(out, layouts[i].names, EXCHANGE_UNKNOWN);
			return true;
		}
	return false;
}

bool exchange_get(struct exchange_state *p, const struct exchange_layout *layout, struct str record,
	struct exchange_record *out)
{
	struct csv_fields fields;

	memset(out, 0, sizeof(*out));
	out->whole = record;
	csv_split(record, &fields);
	if (fields.n < layout->n)
		return false;
	p->nscratch = 0;
	for (size_t i = 0; i < layout->n; i++) {
		struct str field = fields.field[i];

		if (layout->column[i] == COL_NONE)
			continue;
		if (fields.escaped >> i & 1)
			field = csv_unescape(field, p->scratch, sizeof(p->scratch), &p->nscratch);
		if (field.n)
			out->col[layout->column[i]] = field;
	}
	return true;
}

/* digits - n of them at offset at; -1: others. */
static int digits(struct str s, size_t at, size_t n)
{
	int value = 0;

	for (size_t i = at; i < at + n; i++) {
		if (!scan_is_digit(s.p[i]))
			return -1;
		value = value * 10 + (s.p[i] - '0');
	}
	return value;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

bool exchange_stamp(struct str *in, int64_t *ret_utc_ms)
{
	struct str s = *in;
	int year, month, day, hour, minute, second, ms = 0;
	size_t at = STAMP_BYTES - 1;

	if (s.n < STAMP_BYTES || s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' ||
		s.p[13] != ':' || s.p[16] != ':')
		return false;
	year = digits(s, 0, 4);
	month = digits(s, 5, 2);
	day = digits(s, 8, 2);
	hour = digits(s, 11, 2);
	minute = digits(s, 14, 2);
	second = digits(s, 17, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	if (s.p[at] == '.') {
		size_t first = ++at;

		for (int unit = 100; at < s.n && at - first < 9 && scan_is_digit(s.p[at]);
			at++, unit /= 10)
			ms += (s.p[at] - '0') * unit;
		if (at == first)
			return false;
	}
	if (at >= s.n || s.p[at] != 'Z')
		return false;
	*in = str_skip(s, at + 1);
	*ret_utc_ms =
		timefmt_civil_utc_ms(year, month, day, hour, minute, second == 60 ? 59 : second) +
		ms;
	return true;
}

void exchange_endpoint(struct str s, struct str *ret_ip, struct str *ret_port)
{
	size_t colon = str_rfind_char(s, ':');
	bool bracket = s.n && s.p[0] == '[';

	*ret_port = (struct str){NULL, 0};
	*ret_ip = s;
	if (s.n == 0)
		return;
	if (colon < s.n &&
		(bracket ? colon && s.p[colon - 1] == ']' : str_find_char(s, ':') == colon)) {
		*ret_port = str_skip(s, colon + 1);
		*ret_ip = str_first(s, colon);
	}
	if (bracket && ret_ip->n > 1 && ret_ip->p[ret_ip->n - 1] == ']')
		*ret_ip = str_make(ret_ip->p + 1, ret_ip->n - 2);
}

int32_t exchange_port(struct str s)
{
	uint64_t port;

	return s.n && scan_all_u64(s, PORT_MAX, &port) && port > 0 ? (int32_t)port : EVENT_UNKNOWN;
}

void exchange_reply(struct event *e, struct str text)
{
	uint64_t code, class_digit, subject, detail;

	if (!scan_u64(&text, 3, CODE_MAX, &code) || code < CODE_MIN ||
		(text.n && text.p[0] != ' ' && text.p[0] != '-'))
		return;
	e->code = (int32_t)code;
	text = str_skip(text, 1);
	if (scan_u64(&text, 1, 9, &class_digit) && scan_lit(&text, STR_LIT(".")) &&
		scan_u64(&text, 3, DSN_DETAIL_MAX, &subject) && scan_lit(&text, STR_LIT(".")) &&
		scan_u64(&text, 3, DSN_DETAIL_MAX, &detail))
		e->dsn = (int32_t)DSN_MAKE(class_digit, subject, detail);
}
