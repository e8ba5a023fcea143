/* SPDX-License-Identifier: MIT */
/*
 * exim/discover - the Exim of this machine and where it logs.
 *
 * Order: the log of mtatop.conf; else what `exim -bP` says; else the usual files, those that exist. A machine that has
 * neither the program nor such a file has no Exim.
 */
#include "backends/exim/discover.h"
#include "backends/spawn.h"

#include "backends/postfix/config.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX_BYTES 8192
#define LOGS_MAX 8
#define PATH_MAX_BYTES 1024

const struct conf_key exim_keys[EXIM_NKEYS] = {
	{.section = "exim",
		.name = "enabled",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Watch the Exim of this machine"},
	{.section = "exim",
		.name = "log",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Main log files in order of preference; empty: log_file_path by exim -bP, "
			"else the usual ones in /var/log"},
	{.section = "exim",
		.name = "program",
		.type = CONF_PATH,
		.fallback = "",
		.help = "The exim program; empty: exim4 or exim in the system's folders"},
	{.section = "exim",
		.name = "queue",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Read the mail queue"},
	{.section = "exim",
		.name = "queue_interval",
		.type = CONF_DURATION,
		.fallback = "10s",
		.min = 1000,
		.max = 86400000,
		.help = "Least time between listings of the queue; made longer so that listing "
			"costs at most 2 % of a core"},
};

static const char *const usual[] = {"/var/log/exim4/mainlog", "/var/log/exim/mainlog",
	"/var/log/exim/main.log", "/var/log/exim_mainlog", "/var/spool/exim/log/mainlog"};
#define USUAL_N (sizeof(usual) / sizeof(usual[0]))

static bool put(char *ret, size_t max, size_t *n, struct str s)
{
	if (*n + s.n >= max)
		return false;
	memcpy(ret + *n, s.p, s.n);
	*n += s.n;
	ret[*n] = '\0';
	return true;
}

bool exim_main_log(struct str log_file_path, char *ret, size_t max)
{
	ret[0] = '\0';
	while (log_file_path.n) {
		size_t end = str_find_char(log_file_path, ':');
		struct str item = str_trim(str_first(log_file_path, end));
		size_t at = str_find(item, STR_LIT("%s")), n = 0;

		log_file_path = str_skip(log_file_path, end + 1);
		if (at == item.n || item.p[0] != '/')
			continue;
		if (str_find_char(str_skip(item, at + 2), '%') + at + 2 < item.n ||
			!put(ret, max, &n, str_first(item, at)) ||
			!put(ret, max, &n, STR_LIT("main")) ||
			!put(ret, max, &n, str_skip(item, at + 2)))
			ret[0] = '\0';
		return ret[0] != '\0';
	}
	return false;
}

/* The value in "name = value" lines of `exim -bP name`. */
static struct str value_of(struct str lines, struct str name)
{
	while (lines.n) {
		size_t n = str_find_char(lines, '\n');
		struct str line = str_first(lines, n);

		lines = str_skip(lines, n + 1);
		if (scan_lit(&line, name) && scan_lit(&line, STR_LIT(" =")))
			return str_trim(line);
	}
	return (struct str){NULL, 0};
}

char *exim_program(const struct conf *conf)
{
	const char *given = conf_text(conf, "exim", NULL, "program");
	char *tool = given[0] == '/' ? xstrdup(given) : spawn_find_tool("exim4");

	return tool ? tool : spawn_find_tool("exim");
}

char *exim_dump_program(const struct conf *conf)
{
	char *tool = exim_program(conf), *slash = tool ? strrchr(tool, '/') : NULL;
	char *beside = slash ? xasprintf("%.*s/exim_dumpdb", (int)(slash - tool), tool) : NULL;

	free(tool);
	if (beside && access(beside, X_OK) == 0)
		return beside;
	free(beside);
	return spawn_find_tool("exim_dumpdb");
}

/* "1w2d3h4m5s", as Exim prints times; 0 when it is none. */
static int64_t interval_ms(struct str s)
{
	static const char units[] = "wdhms";
	static const int64_t seconds[] = {604800, 86400, 3600, 60, 1};
	int64_t total = 0;

	while (s.n) {
		const char *unit;
		uint64_t n;

		if (!scan_u64(&s, 7, 9999999, &n) || s.n == 0 || !s.p[0])
			return 0;
		unit = strchr(units, s.p[0]);
		if (!unit)
			return 0;
		total += (int64_t)n * seconds[unit - units];
		s = str_skip(s, 1);
	}
	return total * 1000;
}

int64_t exim_frozen_timeout_ms(const struct conf *conf)
{
	char *tool = exim_program(conf);
	const char *argv[] = {tool, "-bP", "timeout_frozen_after", NULL};
	int64_t ms = EVENT_UNKNOWN;
	struct buf out;

	buf_init(&out, ANSWER_MAX_BYTES);
	if (tool && postfix_run_text(argv, (struct str){0}, &out, NULL, NULL) == 0)
		ms = interval_ms(value_of(buf_str(&out), STR_LIT("timeout_frozen_after")));
	buf_done(&out);
	free(tool);
	return ms;
}

/* What it says of itself: log and spool, empty where it says nothing. */
static void ask(const char *tool, char *log, char *spool, size_t max)
{
	const char *argv[] = {tool, "-bP", "log_file_path", "spool_directory", NULL};
	struct buf out;
	struct str dir;
	size_t n = 0;

	log[0] = spool[0] = '\0';
	buf_init(&out, ANSWER_MAX_BYTES);
	if (postfix_run_text(argv, (struct str){0}, &out, NULL, NULL) == 0) {
		exim_main_log(value_of(buf_str(&out), STR_LIT("log_file_path")), log, max);
		dir = value_of(buf_str(&out), STR_LIT("spool_directory"));
		if (dir.n && dir.p[0] == '/')
			put(spool, max, &n, dir);
	}
	buf_done(&out);
}

int exim_discover(const struct conf *conf, int (*found)(void *ctx, const struct instance_def *def),
	void *ctx, struct mt_error *reterr)
{
	char log[PATH_MAX_BYTES] = "", spool[PATH_MAX_BYTES] = "";
	const char *logs[LOGS_MAX], *const *given;
	struct instance_def def = {.family = "exim", .name = "exim", .logs = logs};
	char *tool;

	(void)reterr;
	if (!conf_bool(conf, "exim", NULL, "enabled"))
		return 0;
	tool = exim_program(conf);
	if (tool)
		ask(tool, log, spool, sizeof(log));
	given = conf_list(conf, "exim", NULL, "log", &def.nlogs);
	def.nlogs = def.nlogs > LOGS_MAX ? LOGS_MAX : def.nlogs;
	for (size_t i = 0; i < def.nlogs; i++)
		logs[i] = given[i];
	if (def.nlogs == 0 && log[0])
		logs[def.nlogs++] = log;
	for (size_t i = 0; i < USUAL_N && def.nlogs == 0; i++)
		if (access(usual[i], F_OK) == 0)
			logs[def.nlogs++] = usual[i];
	if (def.nlogs == 0 && tool)
		logs[def.nlogs++] = usual[0]; /* Debian's; none yet: waited for */
	def.spool_dir = spool[0] ? spool : NULL;
	free(tool);
	if (def.nlogs == 0)
		return 0;
	return found(ctx, &def) < 0 ? MT_ECANCELED : 1;
}
