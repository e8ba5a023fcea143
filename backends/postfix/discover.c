/* SPDX-License-Identifier: MIT */
/*
 * postfix/discover - the Postfix instances of this machine and where each logs.
 *
 * Order: config_directory of mtatop.conf; else what `postmulti -l` lists; else the usual folders.
 * Sections [postfix NAME] with a config_directory add instances. Nothing is guessed past that: a
 * folder without main.cf is no instance.
 */
#include "backends/postfix/config.h"
#include "backends/spawn.h"

#include "store/base/mem.h"

#include <stdlib.h>
#include <unistd.h>

#define MULTI_MAX_BYTES (256u << 10) /* a line an instance */
#define INSTANCES_MAX 64 /* on one machine; more are not looked at */
#define LOGS_MAX 8
#define HOST_MAX_BYTES 256

const struct conf_key postfix_keys[POSTFIX_NKEYS] = {
	{.section = "postfix",
		.name = "config_directory",
		.type = CONF_PATH,
		.fallback = "",
		.help = "Folder of the instance's main.cf; empty: found with postmulti, else "
			"/etc/postfix"},
	{.section = "postfix",
		.name = "depth_interval",
		.type = CONF_DURATION,
		.fallback = "5s",
		.min = 1000,
		.max = 3600000,
		.help = "Time between looks at the depth of the queue, where the spool can be "
			"read"},
	{.section = "postfix",
		.name = "enabled",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Watch the Postfix of this machine"},
	{.section = "postfix",
		.name = "journal",
		.type = CONF_CHOICE,
		.fallback = "auto",
		.choices = "auto|yes|no",
		.help = "Read the systemd journal: auto when no log file exists, yes instead of a "
			"file, no never"},
	{.section = "postfix",
		.name = "journal_folder",
		.type = CONF_PATH,
		.fallback = "",
		.help = "Folder of journal files to read; empty: this machine's journal"},
	{.section = "postfix",
		.name = "log",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Log files in order of preference; empty: maillog_file, else the usual "
			"ones in /var/log"},
	{.section = "postfix",
		.name = "queue",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Read the mail queue"},
	{.section = "postfix",
		.name = "queue_interval",
		.type = CONF_DURATION,
		.fallback = "10s",
		.min = 1000,
		.max = 86400000,
		.help = "Least time between listings of the queue; made longer so that listing "
			"costs at most 2 % of a core"},
};

struct found_dir {
	char *dir; /* owned */
	char *instance; /* name in mtatop.conf, or NULL; owned */
};

struct dirs {
	struct found_dir d[INSTANCES_MAX];
	size_t n;
};

static void add_dir(struct dirs *dirs, const char *dir, const char *instance)
{
	for (size_t i = 0; i < dirs->n; i++)
		if (strcmp(dirs->d[i].dir, dir) == 0) {
			if (instance && !dirs->d[i].instance)
				dirs->d[i].instance = xstrdup(instance);
			return;
		}
	if (dirs->n < INSTANCES_MAX)
		dirs->d[dirs->n++] = (struct found_dir){
			.dir = xstrdup(dir), .instance = instance ? xstrdup(instance) : NULL};
}

static void dirs_done(struct dirs *dirs)
{
	for (size_t i = 0; i < dirs->n; i++) {
		free(dirs->d[i].dir);
		free(dirs->d[i].instance);
	}
}

static void add_multi(void *ctx, struct str dir)
{
	char *z = xmemdup(dir.p, dir.n);

	add_dir(ctx, z, NULL);
	free(z);
}

static bool has_main_cf(const char *dir)
{
	char *path = xasprintf("%s/main.cf", dir);
	bool is = access(path, F_OK) == 0;

	free(path);
	return is;
}

static void find_machine_dirs(struct dirs *dirs)
{
	static const char *const usual[] = {"/etc/postfix", "/usr/local/etc/postfix",
		"/opt/local/etc/postfix", "/usr/pkg/etc/postfix"};
	char *tool = spawn_find_tool("postmulti");
	const char *argv[] = {tool, "-l", NULL};
	struct buf out;

	buf_init(&out, MULTI_MAX_BYTES);
	if (tool && postfix_run_text(argv, (struct str){0}, &out, NULL, NULL) == 0)
		postfix_multi_parse(buf_str(&out), add_multi, dirs);
	for (size_t i = 0; dirs->n == 0 && i < sizeof(usual) / sizeof(usual[0]); i++)
		if (has_main_cf(usual[i]))
			add_dir(dirs, usual[i], NULL);
	buf_done(&out);
	free(tool);
}

static void find_dirs(const struct conf *conf, struct dirs *dirs)
{
	const char *dir = conf_text(conf, "postfix", NULL, "config_directory");
	const char *const *names;
	size_t n = 0;

	if (dir[0])
		add_dir(dirs, dir, NULL);
	else
		find_machine_dirs(dirs);
	names = conf_instances(conf, "postfix", &n);
	for (size_t i = 0; i < n; i++)
		if (conf_is_set(conf, "postfix", names[i], "config_directory"))
			add_dir(dirs, conf_text(conf, "postfix", names[i], "config_directory"),
				names[i]);
}

/* The host field of its lines: a label of myhostname when Postfix writes the file, else the machine's. */
static void log_host(const struct postfix_config *c, char *ret, size_t max)
{
	struct str name;

	if (gethostname(ret, max - 1) < 0)
		ret[0] = '\0';
	ret[max - 1] = '\0';
	name = c->maillog_file[0] && c->myhostname[0] ? str_of(c->myhostname) : str_of(ret);
	name = str_first(str_first(name, str_find_char(name, '.')), max - 1);
	memmove(ret, name.p, name.n);
	ret[name.n] = '\0';
}

static size_t find_logs(const struct conf *conf, const char *instance,
	const struct postfix_config *c, const char **logs)
{
	static const char *const usual[] = {
		"/var/log/mail.log", "/var/log/maillog", "/var/log/syslog", "/var/log/messages"};
	const char *const *given;
	size_t n = 0, i;

	given = conf_list(conf, "postfix", instance, "log", &n);
	n = n > LOGS_MAX ? LOGS_MAX : n;
	for (i = 0; i < n; i++)
		logs[i] = given[i];
	if (n > 0)
		return n;
	/* Right after a rotation by Postfix the file does not exist for a while: then wait, and do
	 * not read some other file. /dev/stdout goes wherever the service manager sends it. */
	if (c->maillog_file[0] && strncmp(c->maillog_file, "/dev/", 5) != 0) {
		logs[0] = c->maillog_file;
		return 1;
	}
	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		logs[i] = usual[i];
	return i;
}

static bool wants_journal(const struct conf *conf, const char *instance, bool own_file)
{
	const char *choice = conf_text(conf, "postfix", instance, "journal");

	return strcmp(choice, "yes") == 0 || (strcmp(choice, "auto") == 0 && !own_file);
}

static const char *journal_folder(const struct conf *conf, const char *instance)
{
	const char *folder = conf_text(conf, "postfix", instance, "journal_folder");

	return folder[0] ? folder : NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A provider name for the i-th instance, unlike all before. */
static const char *instance_name(
	const struct dirs *dirs, size_t i, const struct postfix_config *configs)
{
	if (dirs->d[i].instance)
		return dirs->d[i].instance;
	if (configs[i].multi_instance_name[0])
		return configs[i].multi_instance_name;
	return i == 0 ? "postfix" : base_name(dirs->d[i].dir);
}

static int report(const struct conf *conf, const struct dirs *dirs, size_t i,
	const struct postfix_config *configs,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx)
{
	const char *logs[LOGS_MAX], *instance = dirs->d[i].instance;
	const struct postfix_config *c = &configs[i];
	char host[HOST_MAX_BYTES];
	size_t nlogs = find_logs(conf, instance, c, logs);
	bool own_file = nlogs > 0 && (logs[0] == c->maillog_file ||
					     conf_is_set(conf, "postfix", instance, "log"));
	struct instance_def def = {.family = "postfix",
		.name = instance_name(dirs, i, configs),
		.host = host,
		.config_dir = c->dir,
		.spool_dir = c->queue_directory,
		.syslog_name = c->syslog_name,
		.logs = logs,
		.nlogs = strcmp(conf_text(conf, "postfix", instance, "journal"), "yes") == 0
				 ? 0
				 : nlogs,
		.journal = wants_journal(conf, instance, own_file),
		.journal_folder = journal_folder(conf, instance)};

	log_host(c, host, sizeof(host));
	return found(ctx, &def);
}

/* No Postfix here, but a log or a journal of one was named. */
static int report_log_only(
	const struct conf *conf, int (*found)(void *ctx, const struct instance_def *def), void *ctx)
{
	struct instance_def def = {.family = "postfix",
		.name = "postfix",
		.journal_folder = journal_folder(conf, NULL)};

	def.logs = conf_list(conf, "postfix", NULL, "log", &def.nlogs);
	def.journal = def.journal_folder && wants_journal(conf, NULL, def.nlogs > 0);
	if (def.nlogs == 0 && !def.journal)
		return 0;
	return found(ctx, &def) < 0 ? MT_ECANCELED : 1;
}

int postfix_discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx, struct mt_error *reterr)
{
	struct postfix_config configs[INSTANCES_MAX];
	struct dirs dirs = {.n = 0};
	int n = 0, rc = 0, failed = 0;
	size_t loaded;

	if (!conf_bool(conf, "postfix", NULL, "enabled"))
		return 0;
	find_dirs(conf, &dirs);
	for (loaded = 0; loaded < dirs.n && rc >= 0; loaded++) {
		int err = postfix_config_load(&configs[loaded], dirs.d[loaded].dir, reterr);

		if (err == 0)
			rc = report(conf, &dirs, loaded, configs, found, ctx);
		failed = err < 0 ? err : failed;
		n += err == 0;
	}
	for (size_t i = 0; i < loaded; i++)
		postfix_config_done(&configs[i]);
	if (rc >= 0 && n == 0 && failed == 0)
		n = report_log_only(conf, found, ctx);
	dirs_done(&dirs);
	if (rc < 0)
		return rc;
	return n == 0 && failed < 0 ? failed : n;
}
