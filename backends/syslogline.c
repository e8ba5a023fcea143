/* SPDX-License-Identifier: MIT */
/* syslogline - see syslogline.h. The hot path (a plain stamp first) is tried before any wrapper. */
#include "backends/syslogline.h"

#include "backends/syslogwrap.h"
#include "store/base/scan.h"

#define PID_MAX_DIGITS 10
#define WRAPPERS_MAX 4 /* around one another */

static struct str without_ends(struct str line)
{
	while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
		line.n--;
	while (line.n && line.p[0] == '\0')
		line = str_skip(line, 1);
	return line;
}

/* take_solaris - "[ID 197553 mail.info] ". */
static void take_solaris(struct str *rest)
{
	if (str_starts(*rest, STR_LIT("[ID ")))
		*rest = str_skip(*rest, str_find(*rest, STR_LIT("] ")) + 2);
}

/* tag_end - at "[pid]:", or ':' and a space or the end; a tag may hold "127.0.0.1:10025" and "[::1]:10025". */
static size_t tag_end(struct str s)
{
	for (size_t n = 0; n < s.n && s.p[n] != ' '; n++) {
		size_t to = n + 1;

		if (s.p[n] == ':' && (to == s.n || s.p[to] == ' '))
			return n;
		if (s.p[n] != '[')
			continue;
		while (to < s.n && scan_is_digit(s.p[to]))
			to++;
		if (to + 1 < s.n && s.p[to] == ']' && s.p[to + 1] == ':')
			return n;
	}
	return s.n;
}

static void take_pid(struct str *rest, int32_t *pid)
{
	uint64_t value;

	*pid = -1;
	if (!scan_lit(rest, STR_LIT("[")))
		return;
	if (scan_u64(rest, PID_MAX_DIGITS, INT32_MAX, &value))
		*pid = (int32_t)value;
	*rest = str_skip(*rest, str_find_char(*rest, ']') + 1);
}

/* split_tag - "tag[pid]: message", "tag: message". */
static bool split_tag(struct str rest, struct syslogline *out)
{
	size_t n;

	while (rest.n && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	n = tag_end(rest);
	if (n == 0 || n == rest.n)
		return false;
	out->tag = str_first(rest, n);
	if (out->tag.p[0] == '/' && n > 1)
		out->tag = str_skip(out->tag, 1);
	rest = str_skip(rest, n);
	take_pid(&rest, &out->pid);
	scan_lit(&rest, STR_LIT(":"));
	while (rest.n && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	take_solaris(&rest);
	out->message = rest;
	return true;
}

/* skip_data - RFC 5424's structured data: "-", or elements in brackets whose quoted values may hold a bracket. */
static bool skip_data(struct str *rest)
{
	bool quoted = false;
	size_t n = 0;

	if (scan_lit(rest, STR_LIT("-")))
		return true;
	while (n < rest->n && rest->p[n] == '[') {
		for (n++; n < rest->n && (quoted || rest->p[n] != ']'); n++) {
			if (rest->p[n] == '\\' && quoted && n + 1 < rest->n)
				n++;
			else if (rest->p[n] == '"')
				quoted = !quoted;
		}
		n++;
	}
	*rest = str_skip(*rest, n);
	return n > 0;
}

/* split_5424 - RFC 5424 behind its stamp: HOST APP PID MSGID SD MESSAGE. */
static bool split_5424(struct str rest, struct syslogline *out)
{
	struct str pid, msgid;
	uint64_t value;
	size_t bracket;

	if (!scan_lit(&rest, STR_LIT(" ")) || !scan_word(&rest, &out->host) ||
		!scan_lit(&rest, STR_LIT(" ")) || !scan_word(&rest, &out->tag) ||
		!scan_lit(&rest, STR_LIT(" ")) || !scan_word(&rest, &pid) ||
		!scan_lit(&rest, STR_LIT(" ")) || !scan_word(&rest, &msgid) ||
		!scan_lit(&rest, STR_LIT(" ")) || !skip_data(&rest))
		return false;
	if (str_eq(out->host, STR_LIT("-")))
		out->host = (struct str){NULL, 0};
	bracket = str_find_char(out->tag, '[');
	if (bracket < out->tag.n) { /* "postfix/qmgr[12]" for a name, as some relays send it */
		pid = str_skip(out->tag, bracket + 1);
		pid = str_first(pid, str_find_char(pid, ']'));
		out->tag = str_first(out->tag, bracket);
	}
	out->pid = scan_all_u64(pid, INT32_MAX, &value) ? (int32_t)value : -1;
	scan_lit(&rest, STR_LIT(" "));
	scan_lit(&rest, STR_LIT("\xef\xbb\xbf"));
	out->message = rest;
	return out->tag.n > 0;
}

/* split_host - " HOST TAG...", " TAG..." without a host, " <mail.info> HOST ..." of a BSD syslogd -v. */
static bool split_host(struct str rest, struct syslogline *out)
{
	struct str alone;
	size_t n;

	if (!scan_lit(&rest, STR_LIT(" ")))
		return false;
	while (rest.n && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	if (rest.n && rest.p[0] == '<' && str_find(rest, STR_LIT("> ")) < str_find_char(rest, ' '))
		rest = str_skip(rest, str_find_char(rest, ' ') + 1);
	n = str_find_char(rest, ' ');
	if (n == rest.n)
		return false;
	alone = str_first(rest, n + 1);
	out->host = (struct str){NULL, 0};
	if (tag_end(alone) < n) /* no host: the tag follows the stamp */
		return split_tag(rest, out);
	out->host = str_first(rest, n);
	return split_tag(str_skip(rest, n + 1), out);
}

/* second_stamp - "STAMP STAMP HOST ...": what carried the line put its own stamp in front. */
static bool second_stamp(struct timefmt *stamps, struct str *rest)
{
	struct str next = *rest, read;
	int64_t t_utc_ms;

	if (!scan_lit(&next, STR_LIT(" ")))
		return false;
	read = next;
	if (!timefmt_read(stamps, &read, &t_utc_ms))
		return false;
	*rest = next;
	return true;
}

/* take_template - "%(day)s 11:00:20 HOST ...": a stamp that was never filled in. */
static bool take_template(struct str rest, struct syslogline *out)
{
	struct str word;

	out->has_time = false;
	return scan_lit(&rest, STR_LIT("%(")) && scan_word(&rest, &word) &&
	       scan_lit(&rest, STR_LIT(" ")) && scan_word(&rest, &word) && split_host(rest, out);
}

bool syslogline_read(struct timefmt *stamps, struct str line, char *scratch, struct syslogline *out)
{
	struct str rest = without_ends(line);

	out->has_time = true;
	for (int wrappers = 0; wrappers < WRAPPERS_MAX; wrappers++) {
		struct str head = rest;

		if (scan_lit(&head, STR_LIT("1 ")) && timefmt_read(stamps, &head, &out->t_utc_ms))
			return split_5424(head, out);
		head = rest;
		if (timefmt_read(stamps, &rest, &out->t_utc_ms)) {
			if (split_host(rest, out))
				return true;
			if (second_stamp(stamps, &rest))
				continue;
			rest = head;
		}
		if (!syslogwrap_take(&rest, scratch))
			return take_template(rest, out);
	}
	return false;
}
