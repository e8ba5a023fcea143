/* SPDX-License-Identifier: MIT */
/* sendmail/config - see config.h. */
#include "backends/sendmail/config.h"

#include "backends/sendmail/file.h"
#include "store/base/scan.h"
#include "store/event.h"

#define CF_MAX_BYTES (4u << 20)
#define DIGITS 7
#define LOG_LEVEL_GIVEN 9 /* cf/README, confLOG_LEVEL */

int64_t sendmail_interval_ms(struct str s)
{
	int64_t total = 0;

	if (s.n == 0)
		return EVENT_UNKNOWN;
	while (s.n) {
		uint64_t n;
		int64_t unit;

		if (!scan_u64(&s, DIGITS, 9999999, &n) || s.n == 0)
			return EVENT_UNKNOWN;
		unit = s.p[0] == 's'   ? 1
		       : s.p[0] == 'm' ? 60
		       : s.p[0] == 'h' ? 3600
		       : s.p[0] == 'd' ? 86400
		       : s.p[0] == 'w' ? 604800
				       : 0;
		if (unit == 0)
			return EVENT_UNKNOWN;
		total += (int64_t)n * unit * 1000;
		s = str_skip(s, 1);
	}
	return total;
}

int64_t sendmail_run_interval_ms(struct str text)
{
	struct str line = str_skip(text, str_find_char(text, '\n') + 1);

	line = str_first(line, str_find_char(line, '\n'));
	while (line.n) {
		struct str word = str_first(line, str_find_char(line, ' '));

		line = str_skip(line, word.n + 1);
		if (!scan_lit(&word, STR_LIT("-q")))
			continue;
		scan_lit(&word, STR_LIT("p")); /* persistent runners: -qp1m */
		if (word.n && scan_is_digit(word.p[0]))
			return sendmail_interval_ms(word);
	}
	return EVENT_UNKNOWN;
}

static void set_path(char *to, struct str value)
{
	if (value.n == 0 || value.n >= SENDMAIL_PATH_BYTES || value.p[0] != '/' ||
		str_find_char(value, '\0') < value.n)
		return;
	memcpy(to, value.p, value.n);
	to[value.n] = '\0';
}

static void add_queue(struct sendmail_config *c, struct str value)
{
	if (c->nqueues == SENDMAIL_QUEUES_MAX)
		return;
	c->queue[c->nqueues][0] = '\0';
	set_path(c->queue[c->nqueues], value);
	c->nqueues += c->queue[c->nqueues][0] != '\0';
}

/* "Qname, P=/var/spool/mqueue/name, F=f, ...": a queue group. */
static void queue_group(struct sendmail_config *c, struct str line)
{
	static const struct str mark = STR_INIT("P=");
	size_t at = str_find(line, mark);
	struct str value = str_skip(line, at + mark.n);

	if (at < line.n)
		add_queue(c, str_trim(str_first(value, str_find_char(value, ','))));
}

static void option(struct sendmail_config *c, struct str name, struct str value)
{
	if (str_ieq(name, STR_LIT("QueueDirectory")))
		add_queue(c, value);
	else if (str_ieq(name, STR_LIT("HostStatusDirectory")))
		set_path(c->host_status, value);
	else if (str_ieq(name, STR_LIT("PidFile")))
		set_path(c->pid_file, value);
	else if (str_ieq(name, STR_LIT("LogLevel")))
		(void)scan_i64(&value, 3, 0, 999, &c->log_level);
	else if (str_ieq(name, STR_LIT("MinQueueAge")))
		c->min_age_ms = sendmail_interval_ms(value);
	else if (str_ieq(name, STR_LIT("Timeout.queuereturn")))
		c->return_ms = c->bounce_return_ms = sendmail_interval_ms(value);
	else if (str_ieq(name, STR_LIT("Timeout.queuereturn.dsn")))
		c->bounce_return_ms = sendmail_interval_ms(value);
	else if (str_ieq(str_first(name, 20), STR_LIT("Timeout.queuereturn.")))
		c->return_ms = c->bounce_return_ms = EVENT_UNKNOWN; /* by Precedence: */
}

void sendmail_config_parse(struct sendmail_config *c, struct str text)
{
	*c = (struct sendmail_config){.return_ms = EVENT_UNKNOWN,
		.bounce_return_ms = EVENT_UNKNOWN,
		.log_level = LOG_LEVEL_GIVEN};
	while (text.n) {
		struct str line = str_first(text, str_find_char(text, '\n'));
		size_t eq;

		text = str_skip(text, line.n + 1);
		if (line.n > 1 && line.p[0] == 'Q')
			queue_group(c, str_skip(line, 1));
		if (!scan_lit(&line, STR_LIT("O ")))
			continue;
		eq = str_find_char(line, '=');
		if (eq < line.n)
			option(c, str_trim(str_first(line, eq)), str_trim(str_skip(line, eq + 1)));
	}
}

int sendmail_config_load(struct sendmail_config *c, const char *path, struct mt_error *reterr)
{
	struct buf text;
	int rc;

	buf_init(&text, CF_MAX_BYTES);
	rc = sendmail_file_read(-1, path, &text, reterr);
	sendmail_config_parse(c, rc < 0 ? (struct str){NULL, 0} : buf_str(&text));
	buf_done(&text);
	return rc;
}
