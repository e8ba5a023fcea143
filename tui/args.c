/* SPDX-License-Identifier: MIT */
/* args - getopt_long over one table; see args.h. Knows no defaults: those are main's and the configuration's. */
#include "tui/args.h"

#include "store/base/conf.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define DELAY_MIN_MS 100
#define DELAY_MAX_MS 3600000

enum option_id {
	OPT_CACHE = 256,
	OPT_CONFIG,
	OPT_CRITICAL,
	OPT_DELAY,
	OPT_DEMO,
	OPT_DSN,
	OPT_DUMP_CONFIG,
	OPT_FAKE_NOW,
	OPT_FILTER,
	OPT_FORMAT,
	OPT_HELP,
	OPT_HOST,
	OPT_INTERVAL,
	OPT_LISTEN,
	OPT_LOG,
	OPT_MAX_AGE,
	OPT_MIN_N,
	OPT_NO_COLOR,
	OPT_NO_MOUSE,
	OPT_NO_UNICODE,
	OPT_ONCE,
	OPT_OUTPUT,
	OPT_PROVIDER,
	OPT_READ_WRITE,
	OPT_READONLY,
	OPT_REPLAY,
	OPT_SCRIPT,
	OPT_SINCE,
	OPT_SORT_KEY,
	OPT_THEME,
	OPT_TIMEOUT,
	OPT_UNTIL,
	OPT_UNTIL_CAUGHT_UP,
	OPT_VERSION,
	OPT_WARNING,
	OPT_WINDOW
};

static const struct option options[] = {
	{"cache", required_argument, NULL, OPT_CACHE},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"critical", required_argument, NULL, OPT_CRITICAL},
	{"delay", required_argument, NULL, OPT_DELAY},
	{"demo", no_argument, NULL, OPT_DEMO},
	{"dsn", required_argument, NULL, OPT_DSN},
	{"dump-config", no_argument, NULL, OPT_DUMP_CONFIG},
	{"fake-now", required_argument, NULL, OPT_FAKE_NOW},
	{"filter", required_argument, NULL, OPT_FILTER},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"help", no_argument, NULL, OPT_HELP},
	{"host", required_argument, NULL, OPT_HOST},
	{"interval", required_argument, NULL, OPT_INTERVAL},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"log", required_argument, NULL, OPT_LOG},
	{"max-age", required_argument, NULL, OPT_MAX_AGE},
	{"min-n", required_argument, NULL, OPT_MIN_N},
	{"no-color", no_argument, NULL, OPT_NO_COLOR},
	{"no-mouse", no_argument, NULL, OPT_NO_MOUSE},
	{"no-unicode", no_argument, NULL, OPT_NO_UNICODE},
	{"once", no_argument, NULL, OPT_ONCE},
	{"output", required_argument, NULL, OPT_OUTPUT},
	{"provider", required_argument, NULL, OPT_PROVIDER},
	{"read-write", no_argument, NULL, OPT_READ_WRITE},
	{"readonly", no_argument, NULL, OPT_READONLY},
	{"replay", required_argument, NULL, OPT_REPLAY},
	{"script", required_argument, NULL, OPT_SCRIPT},
	{"since", required_argument, NULL, OPT_SINCE},
	{"sort-key", required_argument, NULL, OPT_SORT_KEY},
	{"theme", required_argument, NULL, OPT_THEME},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"until-caught-up", no_argument, NULL, OPT_UNTIL_CAUGHT_UP},
	{"version", no_argument, NULL, OPT_VERSION},
	{"warning", required_argument, NULL, OPT_WARNING},
	{"window", required_argument, NULL, OPT_WINDOW},
	{NULL, 0, NULL, 0},
};

static const char usage[] =
	"mtatop - top for mail delivery\n"
	"\n"
	"  mtatop [OPTION]...                    the dashboard of this machine's mail system\n"
	"  mtatop collect [--until-caught-up]    collect without a screen\n"
	"  mtatop report [--format text|json|csv] [--since TIME] [--until TIME]\n"
	"                                        print all figures\n"
	"  mtatop check WHAT [-w RANGE] [-c RANGE]\n"
	"                                        one figure for Nagios or Icinga; WHAT: see man "
	"mtatop\n"
	"  mtatop export [--output FILE | --listen [ADDRESS:]PORT]\n"
	"                                        all figures for Prometheus\n"
	"  mtatop alerts [--format text|json]    what fires, and what fired\n"
	"  mtatop warmup [plan|status] [--format text|json]\n"
	"                                        how the warming up of IPs goes\n"
	"  mtatop dns [ADDRESS|DOMAIN]... [--format text|json]\n"
	"                                        block lists, reverse names, SPF, DKIM, DMARC, MX "
	"now\n"
	"  mtatop probe HOST[:PORT]... [--format text|json]\n"
	"                                        does an SMTP server answer, how fast, with which "
	"TLS\n"
	"  mtatop doctor                         what was found, what can't be read, and the fix\n"
	"  mtatop explain [--host MX] [--dsn CODE] [--format text|json] [TEXT]\n"
	"                                        what a reply means, whose side it is on, what to "
	"do\n"
	"  mtatop --replay postfix FILE|-        parse a log, print JSON lines\n"
	"\n"
	"  --cache FILE        the cache database\n"
	"  --config FILE       the configuration file\n"
	"  --critical RANGE    of a check, also -c: CRITICAL outside of it\n"
	"  --delay SECONDS     refresh at most this often, an opened view after 0.65 of it\n"
	"  --demo              open the demo, on traffic made up here\n"
	"  --dsn CODE          of explain: the enhanced code the log has for it\n"
	"  --dump-config       print the configuration in force and exit\n"
	"  --filter TEXT       start with this text filter\n"
	"  --format FORMAT     of a report: text, json or csv; of others: text or json\n"
	"  --help              this text\n"
	"  --host MX           of explain: the server that answered\n"
	"  --interval DURATION of export --output: write again this often (15s); once without it\n"
	"  --listen PORT       of export: serve http://127.0.0.1:PORT/metrics, loopback only\n"
	"  --log FILE          read this log and nothing else; may be repeated; - is standard "
	"input\n"
	"  --max-age DURATION  of a check: what was read longer ago is UNKNOWN (default 5m)\n"
	"  --min-n N           of a check: a rate of fewer never alerts (default 100)\n"
	"  --no-color          no colours (as NO_COLOR=1)\n"
	"  --no-mouse          leave the mouse to the terminal\n"
	"  --no-unicode        ASCII only\n"
	"  --once              print the board once and exit\n"
	"  --output FILE       of export: write this file, whole or not at all\n"
	"  --provider NAME     start with, or report on, this provider\n"
	"  --read-write        allow actions on the queue\n"
	"  --readonly          no actions on the queue (the default)\n"
	"  --replay NAME FILE  see above\n"
	"  --since TIME        begin of a report: RFC 3339, YYYY-MM-DD[ hh:mm], unix seconds, -2h\n"
	"  --sort-key COLUMN   sort lists by this column\n"
	"  --theme THEME       default, contrast or mono\n"
	"  --timeout DURATION  of a probe: the longest a step may take (20s)\n"
	"  --until TIME        end of a report\n"
	"  --until-caught-up   with collect: read everything there is, then exit\n"
	"  --version           the version\n"
	"  --warning RANGE     of a check, also -w: WARNING outside of it\n"
	"  --window WINDOW     5m, 15m, 1h, 6h, 24h, 7d or 30d\n"
	"\n"
	"Keys: press ? in the dashboard. More: man mtatop\n";

const char *args_usage(void)
{
	return usage;
}

static void add_log(struct args *a, const char *path)
{
	a->logs = xrealloc(a->logs, (a->nlogs + 2) * sizeof(a->logs[0]));
	a->logs[a->nlogs++] = path;
	a->logs[a->nlogs] = NULL;
}

static int set_delay(struct args *a, const char *text, struct mt_error *reterr)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end ||
		!(seconds * 1000 >= DELAY_MIN_MS && seconds * 1000 <= DELAY_MAX_MS))
		return mt_error_set(reterr, MT_ECONFIG, "--delay takes seconds from 0.1 to 3600");
	a->delay_ms = (int64_t)(seconds * 1000);
	return 0;
}

static int set_duration(int64_t *field, const char *name, const char *text, struct mt_error *reterr)
{
	if (conf_parse_duration_ms(str_of(text), field) < 0 || *field < 1000)
		return mt_error_set(reterr, MT_ECONFIG,
			"%s takes a time of a second at least, as 90s or 5m", name);
	return 0;
}

static int set_min_n(struct args *a, const char *text, struct mt_error *reterr)
{
	uint64_t n;

	if (!scan_all_u64(str_of(text), INT32_MAX, &n))
		return mt_error_set(reterr, MT_ECONFIG, "--min-n takes a number from 0 on");
	a->min_n = (int64_t)n;
	return 0;
}

static int set_choice(const char **field, const char *name, const char *value,
	const char *const *choices, struct mt_error *reterr)
{
	for (size_t i = 0; choices[i]; i++) {
		if (strcmp(choices[i], value) == 0) {
			*field = value;
			return 0;
		}
	}
	return mt_error_set(
		reterr, MT_ECONFIG, "%s does not know this value; see mtatop --help", name);
}

/* set_text - options that only keep their text; false if id is not one of them. */
static bool set_text(struct args *a, int id, const char *text)
{
	const struct {
		int id;
		const char **field;
	} fields[] = {{OPT_CACHE, &a->cache}, {OPT_CONFIG, &a->config},
		{OPT_CRITICAL, &a->critical}, {'c', &a->critical}, {OPT_LISTEN, &a->listen},
		{OPT_OUTPUT, &a->output}, {OPT_WARNING, &a->warning}, {'w', &a->warning},
		{OPT_DSN, &a->dsn}, {OPT_HOST, &a->host}, {OPT_FAKE_NOW, &a->fake_now},
		{OPT_FILTER, &a->filter}, {OPT_PROVIDER, &a->provider}, {OPT_SCRIPT, &a->script},
		{OPT_SINCE, &a->since}, {OPT_SORT_KEY, &a->sort_key}, {OPT_UNTIL, &a->until}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].id == id) {
			*fields[i].field = text;
			return true;
		}
	}
	return false;
}

static bool set_flag(struct args *a, int id)
{
	switch (id) {
	case OPT_DEMO:
		a->demo = true;
		return true;
	case OPT_NO_COLOR:
		a->no_color = true;
		return true;
	case OPT_NO_MOUSE:
		a->no_mouse = true;
		return true;
	case OPT_NO_UNICODE:
		a->no_unicode = true;
		return true;
	case OPT_ONCE:
		a->once = true;
		return true;
	case OPT_READ_WRITE:
	case OPT_READONLY:
		a->read_write = id == OPT_READ_WRITE;
		return true;
	case OPT_UNTIL_CAUGHT_UP:
		a->until_caught_up = true;
		return true;
	default:
		return false;
	}
}

static int set_option(struct args *a, int id, const char *text, struct mt_error *reterr)
{
	static const char *const formats[] = {"text", "json", "csv", NULL};
	static const char *const themes[] = {"default", "contrast", "mono", NULL};
	static const char *const windows[] = {"5m", "15m", "1h", "6h", "24h", "7d", "30d", NULL};

	if (set_text(a, id, text) || set_flag(a, id))
		return 0;
	switch (id) {
	case OPT_DELAY:
		return set_delay(a, text, reterr);
	case OPT_DUMP_CONFIG:
		a->command = COMMAND_DUMP_CONFIG;
		return 0;
	case OPT_FORMAT:
		return set_choice(&a->format, "--format", text, formats, reterr);
	case OPT_HELP:
		a->command = COMMAND_HELP;
		return 0;
	case OPT_INTERVAL:
		return set_duration(&a->interval_ms, "--interval", text, reterr);
	case OPT_MAX_AGE:
		return set_duration(&a->max_age_ms, "--max-age", text, reterr);
	case OPT_MIN_N:
		return set_min_n(a, text, reterr);
	case OPT_LOG:
		add_log(a, text);
		return 0;
	case OPT_REPLAY:
		a->command = COMMAND_REPLAY;
		a->replay_family = text;
		return 0;
	case OPT_THEME:
		return set_choice(&a->theme, "--theme", text, themes, reterr);
	case OPT_TIMEOUT:
		return set_duration(&a->timeout_ms, "--timeout", text, reterr);
	case OPT_VERSION:
		a->command = COMMAND_VERSION;
		return 0;
	case OPT_WINDOW:
		return set_choice(&a->window, "--window", text, windows, reterr);
	default:
		return mt_error_set(reterr, MT_ECONFIG, "unknown option; see mtatop --help");
	}
}

static int set_command(struct args *a, const char *word, struct mt_error *reterr)
{
	static const struct {
		const char *word;
		enum command command;
	} commands[] = {{"alerts", COMMAND_ALERTS}, {"check", COMMAND_CHECK},
		{"collect", COMMAND_COLLECT}, {"dns", COMMAND_DNS}, {"doctor", COMMAND_DOCTOR},
		{"explain", COMMAND_EXPLAIN}, {"export", COMMAND_EXPORT}, {"help", COMMAND_HELP},
		{"probe", COMMAND_PROBE}, {"report", COMMAND_REPORT}, {"warmup", COMMAND_WARMUP}};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].word, word) == 0) {
			a->command = commands[i].command;
			return 0;
		}
	}
	return mt_error_set(reterr, MT_ECONFIG, "unknown command; see mtatop --help");
}

static int set_operands(struct args *a, int argc, char **argv, struct mt_error *reterr)
{
	int wanted = 1;

	if (a->command == COMMAND_REPLAY) {
		if (argc != 1)
			return mt_error_set(reterr, MT_ECONFIG,
				"--replay takes a name and one file (- is standard input)");
		a->replay_file = argv[0];
		return 0;
	}
	if (argc >= 1 && a->command == COMMAND_DASHBOARD) {
		int rc = set_command(a, argv[0], reterr);

		if (rc < 0)
			return rc;
	}
	if (argc == 2 && a->command == COMMAND_CHECK) {
		a->check_what = argv[1];
		wanted++;
	}
	if (argc == 2 && a->command == COMMAND_EXPLAIN) {
		a->text = argv[1];
		wanted++;
	}
	if (argc > 0 && (a->command == COMMAND_PROBE || a->command == COMMAND_DNS)) {
		a->targets = argv + 1;
		a->ntargets = (size_t)argc - 1;
		wanted = argc;
	}
	if (argc == 2 && a->command == COMMAND_WARMUP) {
		a->what = argv[1];
		wanted++;
	}
	if (argc > wanted)
		return mt_error_set(reterr, MT_ECONFIG, "too many words; see mtatop --help");
	return 0;
}

int args_parse(int argc, char **argv, struct args *out, struct mt_error *reterr)
{
	int id;
	int rc = 0;

	*out = (struct args){.command = COMMAND_DASHBOARD, .min_n = -1};
	opterr = 0;
	optind = 1;
	while (rc == 0 && (id = getopt_long(argc, argv, ":c:w:", options, NULL)) != -1) {
		if (id == ':' || id == '?')
			rc = mt_error_set(reterr, MT_ECONFIG, "%s: %s; see mtatop --help",
				argv[optind - 1] ? argv[optind - 1] : "",
				id == ':' ? "needs a value" : "unknown option");
		else
			rc = set_option(out, id, optarg, reterr);
	}
	if (rc == 0)
		rc = set_operands(out, argc - optind, argv + optind, reterr);
	if (rc < 0)
		args_done(out);
	return rc;
}

void args_done(struct args *a)
{
	free(a->logs);
	*a = (struct args){.command = COMMAND_DASHBOARD};
}
