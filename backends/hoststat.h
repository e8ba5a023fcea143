/* SPDX-License-Identifier: MIT */
/*
 * hoststat - the machine's counters out of /proc (proc(5)) into gauges, by differences between two looks. Pure: text in,
 * figures out; who reads the files is host.c.
 */
#ifndef MT_BACKENDS_HOSTSTAT_H
#define MT_BACKENDS_HOSTSTAT_H

#include "store/base/str.h"
#include "store/vocab.h"

#define HOST_DISKS_MAX 8
enum host_psi { PSI_CPU, PSI_MEMORY, PSI_IO, PSI__COUNT };

struct host_counters { /* as they stood at a look; EVENT_UNKNOWN where the file does not tell */
	int64_t mono_ms;
	int64_t cpu_all, cpu_idle, cpu_wait, cpu_steal, cpus; /* ticks over all CPUs */
	int64_t load; /* hundredths */
	int64_t mem_total, mem_available, swap_total, swap_free; /* bytes */
	int64_t disk_requests, disk_request_ms, disk_busy_ms;
	int64_t net_in, net_out; /* bytes, without loopback */
	int64_t psi[PSI__COUNT]; /* microseconds some task stood still */
	struct host_disk { /* under the device of the queue's file system */
		unsigned major, minor;
		int64_t busy_ms;
	} under[HOST_DISKS_MAX];
	size_t nunder;
};

void hoststat_clear(struct host_counters *c);
/* Each takes one file's text in. */
void hoststat_stat(struct host_counters *c, struct str text); /* /proc/stat */
void hoststat_loadavg(struct host_counters *c, struct str text); /* /proc/loadavg */
void hoststat_meminfo(struct host_counters *c, struct str text); /* /proc/meminfo */
void hoststat_diskstats(struct host_counters *c, struct str text, unsigned major, unsigned minor);
/* hoststat_psi - /proc/pressure/cpu, memory or io (Linux, Documentation/accounting/psi). */
void hoststat_psi(struct host_counters *c, enum host_psi what, struct str text);
/* hoststat_under - busy_ms of the disks in under, of /proc/diskstats. */
void hoststat_under(struct host_counters *c, struct str text);
void hoststat_netdev(struct host_counters *c, struct str text); /* /proc/net/dev */
/* hoststat_gauges - of two looks; what needs the earlier one is unknown when before is NULL or counters went back.
 * DISK_TOTAL .. INODES_FREE are left as they are. */
void hoststat_gauges(const struct host_counters *before, const struct host_counters *now,
	int64_t gauge[HOST__COUNT]);

#endif
