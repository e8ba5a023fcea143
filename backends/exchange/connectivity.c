/* SPDX-License-Identifier: MIT */
/* exchange/connectivity - the connectivity log: servers that could not be reached, or whose name could not be resolved. */
#include "backends/exchange/parse.h"

/* "Failed connection to 192.0.2.7:25 (TimedOut:0000274C)[TargetHost:...]" */
static bool failed(struct event *e, const struct exchange_record *r)
{
	static const struct str marks[] = {STR_INIT("Failed connection to "),
		STR_INIT("Failed to connect to "), STR_INIT("Failed to locate server")};
	struct str text = r->col[COL_DESCRIPTION], end;
	size_t colon;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (!str_starts(text, marks[i]))
			continue;
		end = str_skip(text, marks[i].n);
		end = str_first(end, str_find_char(end, ' '));
		colon = str_rfind_char(end, ':'); /* an IPv6 address stands without brackets */
		if (i == 0 && exchange_port(str_skip(end, colon + 1)) > 0) {
			e->relay_ip = str_first(end, colon);
			e->relay_port = exchange_port(str_skip(end, colon + 1));
		}
		return true;
	}
	return str_find(text, STR_LIT(" reported by ")) < text.n; /* its name was not resolved */
}

int exchange_connectivity(struct event *e, const struct exchange_record *r,
	const struct event_sink *sink, bool *ret_known)
{
	struct str direction = r->col[COL_DIRECTION];

	*ret_known = direction.n == 1 &&
		     str_find_char(STR_LIT("+-><*"), direction.p[0]) < sizeof("+-><*") - 1;
	if (!*ret_known)
		return 0;
	e->process = STR_LIT("smtp");
	e->text = r->col[COL_DESCRIPTION];
	if (r->col[COL_SOURCE].n)
		e->service = r->col[COL_SOURCE];
	if (direction.p[0] == '>' && failed(e, r)) {
		e->kind = EVENT_HOST_FAILURE;
		e->outbound = true;
		e->stage = STAGE_CONNECT;
		e->reply = e->text;
		e->relay = e->relay_host =
			r->col[COL_DESTINATION].n ? r->col[COL_DESTINATION] : e->relay_ip;
	}
	return sink->emit(sink->ctx, e);
}
