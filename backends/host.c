/* SPDX-License-Identifier: MIT */
/* host - the source that looks how the machine fares: CPU, memory, the queue's file system and disk; see sockets.h. */
#include "backends/hoststat.h"
#include "backends/sockets.h"
#include "store/base/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define INTERVAL_MS 30000
#define FILE_MAX_BYTES 65536
#define PATH_MAX_BYTES 512
#define DEPTH_MAX 4 /* LVM over LUKS over RAID is three */

struct host_state {
	const struct backend_env *env;
	struct host_counters before;
	bool has_before;
	char text[FILE_MAX_BYTES];
};

static int init(void *state, const struct backend_env *env, struct mt_error *reterr)
{
	struct host_state *s = state;

	(void)reterr;
	s->env = env;
	return 0;
}

/* read_file - what fits of it; empty when it can't be read: its gauges are unknown then. */
static struct str read_file(struct host_state *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	while (fd >= 0 && n < sizeof(s->text)) {
		ssize_t got = read(fd, s->text + n, sizeof(s->text) - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	return (struct str){s->text, n};
}

/* add_disk - a disk once. */
static void add_disk(struct host_counters *c, unsigned major_no, unsigned minor_no)
{
	for (size_t i = 0; i < c->nunder; i++)
		if (c->under[i].major == major_no && c->under[i].minor == minor_no)
			return;
	if (c->nunder < HOST_DISKS_MAX)
		c->under[c->nunder++] = (struct host_disk){major_no, minor_no, EVENT_UNKNOWN};
}

/* read_dev - "MAJOR:MINOR" of a file of sysfs. */
static bool read_dev(
	struct host_state *s, const char *path, unsigned *ret_major, unsigned *ret_minor)
{
	struct str text = read_file(s, path);
	uint64_t a, b;

	if (!scan_u64(&text, 10, UINT32_MAX, &a) || !scan_lit(&text, STR_LIT(":")) ||
		!scan_u64(&text, 10, UINT32_MAX, &b))
		return false;
	*ret_major = (unsigned)a;
	*ret_minor = (unsigned)b;
	return true;
}

/* disks_under - what a device-mapper or md device is made of (sysfs: slaves), down to whole disks. */
static void disks_under(struct host_state *s, struct host_counters *c, unsigned major_no,
	unsigned minor_no, int depth)
{
	char path[PATH_MAX_BYTES];
	struct dirent *e;
	bool any = false;
	DIR *slaves;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", major_no, minor_no);
	slaves = depth < DEPTH_MAX ? opendir(path) : NULL;
	while (slaves && (e = readdir(slaves))) {
		unsigned a, b;

		if (e->d_name[0] == '.' ||
			snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves/%s/dev", major_no,
				minor_no, e->d_name) >= (int)sizeof(path) ||
			!read_dev(s, path, &a, &b))
			continue;
		any = true;
		disks_under(s, c, a, b, depth + 1);
	}
	if (slaves)
		closedir(slaves);
	if (any)
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major_no, minor_no);
	if (access(path, F_OK) == 0) { /* its disk is the folder above */
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", major_no, minor_no);
		if (!read_dev(s, path, &major_no, &minor_no))
			return;
	}
	add_disk(c, major_no, minor_no);
}

/* file_system - of the queue; where there is none of its own, of the root. */
static void file_system(struct host_state *s, struct host_counters *c, int64_t gauge[HOST__COUNT])
{
	const char *folder = s->env->def->spool_dir ? s->env->def->spool_dir : "/";
	struct statvfs vfs;
	struct stat st;

	if (statvfs(folder, &vfs) == 0) {
		gauge[HOST_DISK_TOTAL] = (int64_t)(vfs.f_blocks * vfs.f_frsize);
		gauge[HOST_DISK_FREE] = (int64_t)(vfs.f_bavail * vfs.f_frsize);
		if (vfs.f_files) { /* some file systems have no fixed number */
			gauge[HOST_INODES_TOTAL] = (int64_t)vfs.f_files;
			gauge[HOST_INODES_FREE] = (int64_t)vfs.f_favail;
		}
	}
	if (stat(folder, &st) == 0)
		hoststat_diskstats(
			c, read_file(s, "/proc/diskstats"), major(st.st_dev), minor(st.st_dev));
	else
		return;
	disks_under(s, c, major(st.st_dev), minor(st.st_dev), 0);
	hoststat_under(c, read_file(s, "/proc/diskstats"));
}

static int step(void *state, struct mt_error *reterr)
{
	struct host_state *s = state;
	int64_t gauge[HOST__COUNT];
	struct host_counters now;
	int rc;

	for (int i = 0; i < HOST__COUNT; i++)
		gauge[i] = EVENT_UNKNOWN;
	hoststat_clear(&now);
	now.mono_ms = clock_mono_ms(s->env->clock);
	hoststat_stat(&now, read_file(s, "/proc/stat"));
	hoststat_loadavg(&now, read_file(s, "/proc/loadavg"));
	hoststat_meminfo(&now, read_file(s, "/proc/meminfo"));
	hoststat_netdev(&now, read_file(s, "/proc/self/net/dev"));
	hoststat_psi(&now, PSI_CPU, read_file(s, "/proc/pressure/cpu"));
	hoststat_psi(&now, PSI_MEMORY, read_file(s, "/proc/pressure/memory"));
	hoststat_psi(&now, PSI_IO, read_file(s, "/proc/pressure/io"));
	file_system(s, &now, gauge);
	hoststat_gauges(s->has_before ? &s->before : NULL, &now, gauge);
	s->before = now;
	s->has_before = true;
	rc = store_host(s->env->store, s->env->provider, gauge, reterr);
	return rc < 0 ? rc : STEP_DONE;
}

static void health(const void *state, struct source_health *out)
{
	(void)state;
	out->detail = "CPU, memory, disk and network of this machine";
}

static void done(void *state)
{
	(void)state;
}

const struct source_ops hostsource = {
	.name = "host",
	.interval_ms = INTERVAL_MS,
	.state_bytes = sizeof(struct host_state),
	.init = init,
	.step = step,
	.health = health,
	.done = done,
};
