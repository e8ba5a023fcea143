/* SPDX-License-Identifier: MIT */
/* postfix/config - one instance's parameters by postconf(1); see config.h. */
#include "backends/postfix/config.h"

#include "backends/spawn.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_MAX_BYTES (64u << 10) /* ~25 values; a list parameter may be long */
#define TOOL_TIMEOUT_MS 10000 /* postconf takes 10 ms; a network file system may hang */
#define TOOL_OUTPUT_MAX_BYTES (1u << 20)
#define COMPLAINT_MAX_BYTES 4096
#define VERSION_PART_MAX 9999
#define TIME_DIGITS_MAX 10
#define TIME_MAX_MS (INT64_C(100) * 366 * 86400 * 1000)
#define NUMBER_MAX 1000000000000
#define MS_PER_S INT64_C(1000)
#define S_PER_MINUTE 60
#define S_PER_HOUR 3600
#define S_PER_DAY 86400
#define DAYS_PER_WEEK 7

enum param_type { PARAM_TEXT, PARAM_TIME_S, PARAM_TIME_D, PARAM_NUMBER, PARAM_BOOL };

struct param {
	const char *name;
	enum param_type type;
	size_t at; /* offset in struct postfix_config */
};

#define AT(field) offsetof(struct postfix_config, field)
static const struct param params[] = {
	{"authorized_mailq_users", PARAM_TEXT, AT(authorized_mailq_users)},
	{"bounce_queue_lifetime", PARAM_TIME_D, AT(bounce_queue_lifetime_ms)},
	{"command_directory", PARAM_TEXT, AT(command_directory)},
	{"empty_address_recipient", PARAM_TEXT, AT(empty_address_recipient)},
	{"hash_queue_depth", PARAM_NUMBER, AT(hash_queue_depth)},
	{"hash_queue_names", PARAM_TEXT, AT(hash_queue_names)},
	{"inet_interfaces", PARAM_TEXT, AT(inet_interfaces)},
	{"mail_version", PARAM_TEXT, AT(mail_version)},
	{"maillog_file", PARAM_TEXT, AT(maillog_file)},
	{"maximal_backoff_time", PARAM_TIME_S, AT(maximal_backoff_ms)},
	{"maximal_queue_lifetime", PARAM_TIME_D, AT(maximal_queue_lifetime_ms)},
	{"minimal_backoff_time", PARAM_TIME_S, AT(minimal_backoff_ms)},
	{"multi_instance_name", PARAM_TEXT, AT(multi_instance_name)},
	{"mydestination", PARAM_TEXT, AT(mydestination)},
	{"mydomain", PARAM_TEXT, AT(mydomain)},
	{"myhostname", PARAM_TEXT, AT(myhostname)},
	{"qmgr_message_active_limit", PARAM_NUMBER, AT(qmgr_message_active_limit)},
	{"queue_directory", PARAM_TEXT, AT(queue_directory)},
	{"queue_run_delay", PARAM_TIME_S, AT(queue_run_delay_ms)},
	{"smtp_bind_address", PARAM_TEXT, AT(smtp_bind_address)},
	{"smtp_bind_address6", PARAM_TEXT, AT(smtp_bind_address6)},
	{"smtp_helo_name", PARAM_TEXT, AT(smtp_helo_name)},
	{"smtp_tls_loglevel", PARAM_NUMBER, AT(smtp_tls_loglevel)},
	{"smtpd_service_name", PARAM_TEXT, AT(smtpd_service_name)},
	{"smtpd_tls_loglevel", PARAM_NUMBER, AT(smtpd_tls_loglevel)},
	{"smtpd_tls_wrappermode", PARAM_BOOL, AT(smtpd_tls_wrappermode)},
	{"syslog_name", PARAM_TEXT, AT(syslog_name)},
	{"virtual_mailbox_domains", PARAM_TEXT, AT(virtual_mailbox_domains)},
};
#define NPARAMS (sizeof(params) / sizeof(params[0]))

static int64_t unit_s(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return S_PER_MINUTE;
	case 'h':
		return S_PER_HOUR;
	case 'd':
		return S_PER_DAY;
	case 'w':
		return DAYS_PER_WEEK * S_PER_DAY;
	default:
		return 0;
	}
}

int postfix_time_ms(struct str s, char default_unit, int64_t *ret_ms)
{
	uint64_t n;
	int64_t unit;

	s = str_trim(s);
	if (!scan_u64(&s, TIME_DIGITS_MAX, UINT64_C(9999999999), &n) || s.n > 1)
		return MT_EINVAL;
	unit = unit_s(s.n ? s.p[0] : default_unit);
	if (unit == 0 || (int64_t)n > TIME_MAX_MS / MS_PER_S / unit)
		return MT_EINVAL;
	*ret_ms = (int64_t)n * unit * MS_PER_S;
	return 0;
}

void postfix_config_init(struct postfix_config *c, const char *dir)
{
	*c = (struct postfix_config){0};
	arena_init(&c->arena, CONFIG_MAX_BYTES);
	c->dir = arena_z(&c->arena, str_of(dir));
	for (size_t i = 0; i < NPARAMS; i++) {
		char *field = (char *)c + params[i].at;
		const char *empty = "";
		int64_t unknown = EVENT_UNKNOWN;

		if (params[i].type == PARAM_TEXT)
			memcpy(field, &empty, sizeof(empty));
		else
			memcpy(field, &unknown, sizeof(unknown));
	}
}

void postfix_config_done(struct postfix_config *c)
{
	arena_done(&c->arena);
	*c = (struct postfix_config){0};
}

static bool parse_figure(enum param_type type, struct str value, int64_t *ret)
{
	uint64_t n;

	switch (type) {
	case PARAM_TIME_S:
		return postfix_time_ms(value, 's', ret) == 0;
	case PARAM_TIME_D:
		return postfix_time_ms(value, 'd', ret) == 0;
	case PARAM_NUMBER:
		if (!scan_all_u64(value, NUMBER_MAX, &n))
			return false;
		*ret = (int64_t)n;
		return true;
	case PARAM_BOOL:
		*ret = str_ieq(value, STR_LIT("yes"));
		return *ret || str_ieq(value, STR_LIT("no"));
	case PARAM_TEXT:
		break;
	}
	return false;
}

static void set_param(struct postfix_config *c, const struct param *p, struct str value)
{
	char *field = (char *)c + p->at;

	if (p->type == PARAM_TEXT) {
		const char *text = arena_z(&c->arena, value);

		memcpy(field, &text, sizeof(text));
	} else {
		int64_t figure;

		if (parse_figure(p->type, value, &figure))
			memcpy(field, &figure, sizeof(figure));
	}
}

void postfix_config_parse(struct postfix_config *c, struct str lines)
{
	while (lines.n > 0) {
		struct str line = str_first(lines, str_find_char(lines, '\n'));
		size_t eq = str_find_char(line, '=');
		struct str name = str_trim(str_first(line, eq));

		lines = str_skip(lines, line.n + 1);
		for (size_t i = 0; eq < line.n && i < NPARAMS; i++)
			if (str_eq(name, str_of(params[i].name)))
				set_param(c, &params[i], str_trim(str_skip(line, eq + 1)));
	}
}

struct str postfix_complaint(struct str stderr_bytes)
{
	struct str first = {0}, best = {0};

	while (stderr_bytes.n > 0) {
		struct str line = str_first(stderr_bytes, str_find_char(stderr_bytes, '\n'));

		stderr_bytes = str_skip(stderr_bytes, line.n + 1);
		line = str_trim(line);
		if (line.n == 0)
			continue;
		if (!str_present(first))
			first = line;
		if (str_find(line, STR_LIT("fatal: ")) < line.n ||
			str_find(line, STR_LIT("error: ")) < line.n)
			best = line;
	}
	return str_present(best) ? best : first;
}

static int append(void *ctx, struct str bytes)
{
	return buf_add_str(ctx, bytes);
}

int postfix_run_text(const char *const *argv, struct str input, struct buf *out,
	struct buf *ret_complaint, struct mt_error *reterr)
{
	struct spawn_request request = {.argv = argv,
		.input = input,
		.timeout_ms = TOOL_TIMEOUT_MS,
		.max_bytes = TOOL_OUTPUT_MAX_BYTES};
	struct spawn *s = NULL;
	int rc = spawn_open(&request, &s, reterr);

	if (rc < 0)
		return rc;
	rc = spawn_wait(s, append, out, reterr);
	if (ret_complaint)
		(void)buf_add_str(ret_complaint, postfix_complaint(spawn_stderr(s)));
	spawn_close(s);
	return rc;
}

/* One run of postconf; expand: with $names replaced (-x, Postfix 2.10). */
static int run_postconf(const char *tool, const char *dir, bool expand, struct buf *out,
	struct buf *complaint, struct mt_error *reterr)
{
	const char *argv[NPARAMS + 5];
	size_t n = 0;

	argv[n++] = tool;
	argv[n++] = "-c";
	argv[n++] = dir;
	if (expand)
		argv[n++] = "-x";
	for (size_t i = 0; i < NPARAMS; i++)
		argv[n++] = params[i].name;
	argv[n] = NULL;
	return postfix_run_text(argv, (struct str){0}, out, complaint, reterr);
}

int postfix_config_load(struct postfix_config *c, const char *dir, struct mt_error *reterr)
{
	char *tool = spawn_find_tool("postconf");
	struct buf out, complaint;
	int rc;

	postfix_config_init(c, dir);
	buf_init(&out, TOOL_OUTPUT_MAX_BYTES);
	buf_init(&complaint, COMPLAINT_MAX_BYTES);
	if (!tool) {
		rc = mt_error_set(reterr, MT_ENOENT, "no postconf on this machine");
		goto out;
	}
	rc = run_postconf(tool, dir, true, &out, &complaint, reterr);
	if (rc > 0 && str_find(buf_str(&complaint), STR_LIT("usage")) < complaint.n) {
		buf_clear(&out);
		buf_clear(&complaint);
		rc = run_postconf(tool, dir, false, &out, &complaint, reterr);
	}
	if (rc > 0)
		rc = mt_error_set(reterr, MT_ECONFIG, "%s", buf_z(&complaint));
	if (rc == 0)
		postfix_config_parse(c, buf_str(&out));
	/* Without -x, or with a reference postconf could not resolve, the name is not one. */
	if (c->syslog_name[0] == '\0' || strchr(c->syslog_name, '$'))
		c->syslog_name = c->multi_instance_name[0] ? c->multi_instance_name : "postfix";
out:
	buf_done(&out);
	buf_done(&complaint);
	free(tool);
	return rc;
}

bool postfix_config_older(const struct postfix_config *c, int major, int minor)
{
	struct str v = str_of(c->mail_version);
	uint64_t have_major, have_minor;

	if (!scan_u64(&v, 4, VERSION_PART_MAX, &have_major) || !scan_lit(&v, STR_LIT(".")) ||
		!scan_u64(&v, 4, VERSION_PART_MAX, &have_minor))
		return false;
	return have_major < (uint64_t)major ||
	       (have_major == (uint64_t)major && have_minor < (uint64_t)minor);
}

char *postfix_tool(const struct postfix_config *c, const char *name)
{
	const char *dir = c->command_directory[0] == '/' ? c->command_directory : "/usr/sbin";

	return xasprintf("%s/%s", dir, name);
}

size_t postfix_multi_parse(struct str lines, void (*each)(void *ctx, struct str dir), void *ctx)
{
	size_t n = 0;

	while (lines.n > 0) {
		struct str line = str_first(lines, str_find_char(lines, '\n'));
		size_t slash = str_find_char(line, '/');

		lines = str_skip(lines, line.n + 1);
		line = str_trim(str_skip(line, slash)); /* name group enabled, then the folder */
		if (line.n == 0)
			continue;
		each(ctx, line);
		n++;
	}
	return n;
}

struct timespec postfix_main_cf_time(const char *dir)
{
	struct stat st;
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/main.cf", dir) >= (int)sizeof(path) ||
		stat(path, &st) < 0)
		return (struct timespec){0};
	return st.st_mtim;
}
