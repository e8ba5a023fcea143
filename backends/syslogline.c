/* SPDX-License-Identifier: MIT */
/* syslogline - see syslogline.h. The hot path (a plain stamp first) is tried before any wrapper. */
#include "backends/syslogline.h"

#include "store/base/scan.h"

#define PID_MAX_DIGITS 10
#define PRI_MAX 191

static struct str without_ends(struct str line)
{
	while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
		line.n--;
	while (line.n && line.p[0] == '\0')
		line = str_skip(line, 1);
	return line;
}

static bool take_pri(struct str *line)
{
	struct str rest = *line;
	uint64_t pri;

	if (!scan_lit(&rest, STR_LIT("<")) || !scan_u64(&rest, 3, PRI_MAX, &pri) ||
		!scan_lit(&rest, STR_LIT(">")))
		return false;
	*line = rest;
	return true;
}

/* take_compose - docker compose's "name-1  | ". */
static bool take_compose(struct str *line)
{
	size_t bar = str_find(*line, STR_LIT(" | "));

	if (bar == line->n || str_find_char(str_first(*line, bar), '[') != bar)
		return false;
	*line = str_skip(*line, bar + 3);
	return true;
}

/* take_container - kubernetes' "STAMP stdout F " in front of the line's own head. */
static bool take_container(struct str *line)
{
	struct str word;
	struct str rest = *line;

	if (!scan_word(&rest, &word) || !scan_lit(&rest, STR_LIT(" std")))
		return false;
	if (!scan_word(&rest, &word) || !scan_lit(&rest, STR_LIT(" ")))
		return false;
	if (!scan_lit(&rest, STR_LIT("F ")) && !scan_lit(&rest, STR_LIT("P ")))
		return false;
	*line = rest;
	return true;
}

/* take_json - {"log":"...\n","stream":...}: the inside, its escapes left as they are. */
static bool take_json(struct str *line)
{
	struct str rest = *line;
	size_t end;

	if (!scan_lit(&rest, STR_LIT("{\"log\":\"")))
		return false;
	end = str_find(rest, STR_LIT("\\n\""));
	if (end == rest.n)
		end = str_find(rest, STR_LIT("\",\""));
	*line = str_first(rest, end);
	return true;
}

/* take_bgl - "- 1131566461 2005.11.09 aadmin1 " in front of the head. */
static bool take_bgl(struct str *line)
{
	struct str rest = *line;
	struct str word;

	if (!scan_lit(&rest, STR_LIT("- ")))
		return false;
	for (int i = 0; i < 3; i++)
		if (!scan_word(&rest, &word) || !scan_lit(&rest, STR_LIT(" ")))
			return false;
	*line = rest;
	return true;
}

static bool unwrap(struct str *line)
{
	return take_pri(line) || take_json(line) || take_container(line) || take_bgl(line) ||
	       take_compose(line);
}

static bool take_pid(struct str *rest, int32_t *pid)
{
	struct str in = *rest;
	uint64_t value;

	if (!scan_lit(&in, STR_LIT("[")) || !scan_u64(&in, PID_MAX_DIGITS, INT32_MAX, &value) ||
		!scan_lit(&in, STR_LIT("]")))
		return false;
	*pid = (int32_t)value;
	*rest = in;
	return true;
}

/* split_tag - "tag[pid]: message", "tag: message"; the tag ends at '[', ':' or a space. */
static bool split_tag(struct str rest, struct syslogline *out)
{
	size_t n = 0;

	while (n < rest.n && rest.p[n] != '[' && rest.p[n] != ':' && rest.p[n] != ' ')
		n++;
	if (n == 0 || n == rest.n)
		return false;
	out->tag = str_first(rest, n);
	if (out->tag.p[0] == '/')
		out->tag = str_skip(out->tag, 1);
	rest = str_skip(rest, n);
	out->pid = -1;
	take_pid(&rest, &out->pid);
	if (!scan_lit(&rest, STR_LIT(":")))
		return false;
	scan_lit(&rest, STR_LIT(" "));
	out->message = rest;
	return true;
}

/* split_5424 - RFC 5424 behind its stamp: HOST APP PID MSGID SD MESSAGE. */
static bool split_5424(struct str rest, struct syslogline *out)
{
	struct str pid, msgid;
	uint64_t value;

	if (!scan_lit(&rest, STR_LIT(" ")) || !scan_word(&rest, &out->host) ||
		!scan_lit(&rest, STR_LIT(" ")) || !scan_word(&rest, &out->tag) ||
		!scan_lit(&rest, STR_LIT(" ")) || !scan_word(&rest, &pid) ||
		!scan_lit(&rest, STR_LIT(" ")) || !scan_word(&rest, &msgid) ||
		!scan_lit(&rest, STR_LIT(" ")))
		return false;
	out->pid = scan_all_u64(pid, INT32_MAX, &value) ? (int32_t)value : -1;
	if (rest.n && rest.p[0] == '[')
		rest = str_skip(rest, str_find(rest, STR_LIT("] ")) + 1);
	else if (!scan_lit(&rest, STR_LIT("-")))
		return false;
	scan_lit(&rest, STR_LIT(" "));
	scan_lit(&rest, STR_LIT("\xef\xbb\xbf"));
	out->message = rest;
	return true;
}

static bool split_host(struct str rest, struct syslogline *out)
{
	size_t n;

	if (!scan_lit(&rest, STR_LIT(" ")))
		return false;
	while (rest.n && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	n = str_find_char(rest, ' ');
	if (n == rest.n)
		return false;
	if (rest.p[n - 1] == ':') { /* no host: the tag follows the stamp */
		out->host = (struct str){NULL, 0};
		return split_tag(rest, out);
	}
	out->host = str_first(rest, n);
	return split_tag(str_skip(rest, n + 1), out);
}

bool syslogline_read(struct timefmt *stamps, struct str line, struct syslogline *out)
{
	struct str rest = without_ends(line);
	bool tagged = false;

	for (int wrappers = 0; wrappers < 4; wrappers++) {
		struct str head = rest;

		if (tagged && scan_lit(&head, STR_LIT("1 ")) &&
			timefmt_read(stamps, &head, &out->t_utc_ms))
			return split_5424(head, out);
		if (timefmt_read(stamps, &rest, &out->t_utc_ms)) {
			if (split_host(rest, out))
				return true;
			rest = head;
		}
		tagged = rest.n && rest.p[0] == '<';
		if (!unwrap(&rest))
			return false;
	}
	return false;
}
