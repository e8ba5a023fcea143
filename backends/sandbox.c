/* SPDX-License-Identifier: MIT */
/*
 * sandbox - see sandbox.h. The three Landlock calls have no wrapper in libc and need none.
 *
 * Folders, not files, are named: a log that is rotated is another file under the same name.
 */
#include "backends/sandbox.h"

#include "backends/collector_private.h"
#include "backends/keys.h"
#include "store/base/mem.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* As in linux/landlock.h; the header of an older system lacks the later ones. */
#define CREATE_VERSION 1u
#define RULE_PATH_BENEATH 1
#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_ALL_ABI1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define ABI_REFER 2
#define ABI_TRUNCATE 3

struct ruleset_attr {
	uint64_t handled_access_fs;
};

struct __attribute__((packed)) path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
};

struct rules {
	int fd;
	uint64_t handled;
};

/* System folders that are read: libraries, locales, zones, terminfo, users, resolver, journal, logs, spools. */
static const char *const system_folders[] = {"/usr", "/etc", "/lib", "/lib64", "/nix/store",
	"/proc/self", "/proc/stat", "/proc/loadavg", "/proc/meminfo", "/proc/diskstats",
	"/proc/locks", "/proc/pressure", "/run/log/journal", "/run/systemd", "/sys/dev/block",
	"/sys/devices", "/var/log", "/var/spool", "/dev/urandom"};
static const char *const terminals[] = {"/dev/null", "/dev/pts", "/dev/tty"};

static uint64_t handled_by(int abi)
{
	uint64_t all = FS_ALL_ABI1;

	if (abi >= ABI_REFER)
		all |= FS_REFER;
	if (abi >= ABI_TRUNCATE)
		all |= FS_TRUNCATE;
#ifdef MT_KEEP_DUMPABLE
	all &= ~(FS_EXECUTE |
		 FS_READ); /* a sanitizer starts its symbolizer, reads its suppressions */
#endif
	return all;
}

/* A rule that is not taken leaves the path closed: the failure to read it is shown where it is met. */
static void allow(const struct rules *r, const char *path, uint64_t access)
{
	struct path_beneath_attr rule = {.allowed_access = access & r->handled};
	struct stat st;

	if (!path || path[0] != '/')
		return;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_READ_FILE | FS_WRITE_FILE;
	(void)syscall(SYS_landlock_add_rule, r->fd, RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

static void allow_folder_of(const struct rules *r, const char *path, uint64_t access)
{
	char *copy = xstrdup(path), *slash = strrchr(copy, '/');
	char *folder;

	if (slash)
		slash[slash == copy] = '\0';
	folder = realpath(slash ? copy : ".", NULL);
	allow(r, folder, access);
	free(folder);
	free(copy);
}

/* The folder of a log, and where it leads if it is a symbolic link. */
static void allow_log(const struct rules *r, const char *path)
{
	char *target = realpath(path, NULL);

	allow_folder_of(r, path, FS_READ);
	if (target)
		allow_folder_of(r, target, FS_READ);
	free(target);
}

static void allow_instances(const struct rules *r, const struct instances *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct instance_def *d = &list->all[i]->def;

		for (size_t n = 0; n < d->nlogs; n++)
			if (strcmp(d->logs[n], "-") != 0)
				allow_log(r, d->logs[n]);
		allow(r, d->journal_folder, FS_READ);
		allow(r, d->config_dir, FS_READ);
		allow(r, d->spool_dir, FS_READ);
		if (d->key_path && d->key_path[0])
			allow_folder_of(r, d->key_path, FS_READ);
		if (d->ca_path && d->ca_path[0])
			allow_log(r, d->ca_path);
	}
}

/* allow_list - folders between colons. */
static void allow_list(const struct rules *r, const char *list)
{
	char *copy = xstrdup(list ? list : ""), *next;

	for (char *folder = copy; folder; folder = next) {
		next = strchr(folder, ':');
		if (next)
			*next++ = '\0';
		allow(r, folder, FS_READ);
	}
	free(copy);
}

static void allow_person(const struct rules *r, const char *config_path)
{
	static const char *const below_home[] = {"/.config/mtatop", "/.terminfo"};
	const char *home = getenv("HOME"), *config_home = getenv("XDG_CONFIG_HOME");
	char *path;

	for (size_t i = 0; home && i < sizeof(below_home) / sizeof(below_home[0]); i++) {
		path = xasprintf("%s%s", home, below_home[i]);
		allow(r, path, FS_READ);
		free(path);
	}
	if (config_home) {
		path = xasprintf("%s/mtatop", config_home);
		allow(r, path, FS_READ);
		free(path);
	}
	allow(r, getenv("TERMINFO"), FS_READ);
	allow_list(r, getenv("TERMINFO_DIRS"));
	if (config_path)
		allow_folder_of(r, config_path, FS_READ);
}

static void allow_all(
	const struct rules *r, const struct instances *list, const struct sandbox_options *o)
{
	for (size_t i = 0; i < sizeof(system_folders) / sizeof(system_folders[0]); i++)
		allow(r, system_folders[i], FS_READ);
	for (size_t i = 0; i < sizeof(terminals) / sizeof(terminals[0]); i++)
		allow(r, terminals[i], FS_READ | FS_WRITE_FILE);
	allow_instances(r, list);
	allow(r, key_credentials_folder(), FS_READ);
	allow_log(r, "/etc/resolv.conf"); /* may lead to a folder below /run */
	allow_person(r, o->config_path);
	if (o->ca_file && o->ca_file[0])
		allow_log(r, o->ca_file);
	allow_folder_of(r, o->cache_path, r->handled & ~FS_EXECUTE);
}

static void enter(
	const struct instances *list, const struct sandbox_options *o, struct sandbox_state *ret)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	struct ruleset_attr attr = {.handled_access_fs = handled_by((int)abi)};
	struct rules r = {.handled = attr.handled_access_fs};

	*ret = (struct sandbox_state){.no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0};
	if (abi < 1 || !ret->no_new_privs)
		return;
	r.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (r.fd < 0)
		return;
	allow_all(&r, list, o);
	if (syscall(SYS_landlock_restrict_self, r.fd, 0) == 0)
		ret->landlock_abi = (int)abi;
	close(r.fd);
}

void sandbox_enter(const struct collector *collector, const struct sandbox_options *options,
	struct sandbox_state *ret)
{
	struct instances found = {NULL, 0};
	struct mt_error ignored;

	/* What is not found is not read either. */
	if (!collector && options->conf)
		(void)!instances_find(
			options->conf, options->logs, options->nlogs, &found, &ignored);
	enter(collector ? &collector->instances : &found, options, ret);
	instances_done(&found);
}

void sandbox_probe(const char *cache_path, struct sandbox_state *ret)
{
	const struct instances none = {NULL, 0};
	const struct sandbox_options o = {.cache_path = cache_path};
	struct sandbox_state seen = {false, 0};
	int ends[2];
	pid_t pid;

	*ret = seen;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		enter(&none, &o, &seen);
		/* In force is what can be seen to be: a file outside cannot be opened any more. */
		if (seen.landlock_abi && open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0)
			seen.landlock_abi = 0;
		_exit(write(ends[1], &seen, sizeof(seen)) == sizeof(seen) ? 0 : 1);
	}
	close(ends[1]);
	if (pid > 0) {
		if (read(ends[0], &seen, sizeof(seen)) == sizeof(seen))
			*ret = seen;
		waitpid(pid, NULL, 0);
	}
	close(ends[0]);
}
