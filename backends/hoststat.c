/* SPDX-License-Identifier: MIT */
/* hoststat - see hoststat.h. */
#include "backends/hoststat.h"

#include "store/base/scan.h"

#include <string.h>

#define DIGITS_MAX 19
#define KIB 1024
#define PER_MILLE 1000
#define US_PER_MS 1000
#define MS_PER_S 1000

void hoststat_clear(struct host_counters *c)
{
	*c = (struct host_counters){EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN,
		EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN,
		EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN,
		EVENT_UNKNOWN, EVENT_UNKNOWN, {EVENT_UNKNOWN, EVENT_UNKNOWN, EVENT_UNKNOWN}, {{0}},
		0};
}

static bool next_line(struct str *text, struct str *line)
{
	size_t n = str_find_char(*text, '\n');

	if (text->n == 0)
		return false;
	*line = str_first(*text, n);
	*text = str_skip(*text, n < text->n ? n + 1 : n);
	return true;
}

static void skip_spaces(struct str *s)
{
	while (s->n && (*s->p == ' ' || *s->p == '\t'))
		*s = str_skip(*s, 1);
}

/* numbers - up to max numbers between spaces; returns how many. */
static size_t numbers(struct str s, int64_t *out, size_t max)
{
	uint64_t n;
	size_t got = 0;

	for (skip_spaces(&s); got < max && scan_u64(&s, DIGITS_MAX, INT64_MAX, &n); skip_spaces(&s))
		out[got++] = (int64_t)n;
	return got;
}

/* proc_stat(5): user nice system idle iowait irq softirq steal (guest is in user already). */
void hoststat_stat(struct host_counters *c, struct str text)
{
	int64_t n[8] = {0}, cpus = 0, all = 0;
	struct str line;
	bool found = false;

	while (next_line(&text, &line)) {
		if (scan_lit(&line, STR_LIT("cpu ")) && numbers(line, n, 8) == 8)
			found = true;
		else if (scan_lit(&line, STR_LIT("cpu")) && line.n && scan_is_digit(*line.p))
			cpus++;
	}
	if (!found)
		return;
	for (size_t i = 0; i < 8; i++)
		all += n[i];
	c->cpu_all = all;
	c->cpu_idle = n[3];
	c->cpu_wait = n[4];
	c->cpu_steal = n[7];
	c->cpus = cpus;
}

void hoststat_loadavg(struct host_counters *c, struct str text)
{
	int64_t centis;

	if (scan_centis(&text, 100000000, &centis))
		c->load = centis;
}

void hoststat_meminfo(struct host_counters *c, struct str text)
{
	const struct {
		struct str name;
		int64_t *field;
	} fields[] = {{STR_LIT("MemTotal:"), &c->mem_total},
		{STR_LIT("MemAvailable:"), &c->mem_available},
		{STR_LIT("SwapTotal:"), &c->swap_total}, {STR_LIT("SwapFree:"), &c->swap_free}};
	struct str line;
	int64_t n;

	while (next_line(&text, &line))
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (scan_lit(&line, fields[i].name) && numbers(line, &n, 1) == 1 &&
				n < INT64_MAX / KIB)
				*fields[i].field = n * KIB;
}

/* A line's numbers behind the device's name, if it is that device's. */
static bool disk_line(struct str line, unsigned major, unsigned minor, int64_t n[10])
{
	int64_t device[2];
	struct str name;

	if (numbers(line, device, 2) != 2 || device[0] != major || device[1] != minor)
		return false;
	skip_spaces(&line);
	for (int i = 0; i < 2; i++) { /* the numbers again, as words */
		if (!scan_word(&line, &name))
			return false;
		skip_spaces(&line);
	}
	return scan_word(&line, &name) && numbers(line, n, 10) == 10;
}

/* Linux, Documentation/admin-guide/iostats: reads 4 ms 7, writes 8 ms 11, busy ms 13 (counted from 1). */
void hoststat_diskstats(struct host_counters *c, struct str text, unsigned major, unsigned minor)
{
	struct str line;
	int64_t n[10];

	while (next_line(&text, &line)) {
		if (!disk_line(line, major, minor, n))
			continue;
		c->disk_requests = n[0] + n[4];
		c->disk_request_ms = n[3] + n[7];
		c->disk_busy_ms = n[9];
	}
}

void hoststat_under(struct host_counters *c, struct str text)
{
	struct str line;
	int64_t n[10];

	while (next_line(&text, &line))
		for (size_t i = 0; i < c->nunder; i++)
			if (disk_line(line, c->under[i].major, c->under[i].minor, n))
				c->under[i].busy_ms = n[9];
}

void hoststat_psi(struct host_counters *c, enum host_psi what, struct str text)
{
	size_t at = str_find(text, STR_LIT("total="));
	struct str in = str_skip(text, at + 6);
	uint64_t us;

	if (str_starts(text, STR_LIT("some ")) && at < str_find_char(text, '\n') &&
		scan_u64(&in, DIGITS_MAX, INT64_MAX, &us))
		c->psi[what] = (int64_t)us;
}

void hoststat_netdev(struct host_counters *c, struct str text)
{
	struct str line, name;
	int64_t in = 0, out = 0;
	bool any = false;

	while (next_line(&text, &line)) {
		int64_t n[9];

		skip_spaces(&line);
		if (!scan_until(&line, ':', &name) || str_eq(name, STR_LIT("lo")) ||
			numbers(str_skip(line, 1), n, 9) != 9)
			continue;
		in += n[0];
		out += n[8];
		any = true;
	}
	if (any) {
		c->net_in = in;
		c->net_out = out;
	}
}

/* grown - now less before; EVENT_UNKNOWN when either is, or it went back (a counter that began anew). */
static int64_t grown(int64_t before, int64_t now)
{
	return before < 0 || now < 0 || now < before ? EVENT_UNKNOWN : now - before;
}

/* part - n of whole in units of scale; unknown when either is, or there is no whole. */
static int64_t part(int64_t n, int64_t whole, int64_t scale)
{
	return n < 0 || whole <= 0 ? EVENT_UNKNOWN : n * scale / whole;
}

static void cpu_gauges(const struct host_counters *before, const struct host_counters *now,
	int64_t gauge[HOST__COUNT])
{
	int64_t all = grown(before->cpu_all, now->cpu_all);
	int64_t idle = grown(before->cpu_idle, now->cpu_idle);
	int64_t wait = grown(before->cpu_wait, now->cpu_wait);

	gauge[HOST_CPU_WAIT] = part(wait, all, PER_MILLE);
	gauge[HOST_CPU_STEAL] = part(grown(before->cpu_steal, now->cpu_steal), all, PER_MILLE);
	if (all > 0 && idle >= 0 && wait >= 0 && idle + wait <= all)
		gauge[HOST_CPU_BUSY] = part(all - idle - wait, all, PER_MILLE);
}

/* The busiest of the disks that were there at both looks. */
static int64_t under_busy(const struct host_counters *before, const struct host_counters *now)
{
	int64_t took_ms = grown(before->mono_ms, now->mono_ms), most = EVENT_UNKNOWN;

	for (size_t i = 0; i < now->nunder; i++)
		for (size_t k = 0; k < before->nunder; k++) {
			const struct host_disk *a = &before->under[k], *b = &now->under[i];
			int64_t busy;

			if (a->major != b->major || a->minor != b->minor)
				continue;
			busy = part(grown(a->busy_ms, b->busy_ms), took_ms, PER_MILLE);
			most = busy > most ? busy : most;
		}
	return most > PER_MILLE ? PER_MILLE : most;
}

/* Of the time between the looks; the kernel's clock and ours differ by a little. */
static int64_t stood_still(
	const struct host_counters *before, const struct host_counters *now, int what)
{
	int64_t share = part(
		grown(before->psi[what], now->psi[what]), grown(before->mono_ms, now->mono_ms), 1);

	return share > PER_MILLE ? PER_MILLE : share;
}

void hoststat_gauges(const struct host_counters *before, const struct host_counters *now,
	int64_t gauge[HOST__COUNT])
{
	struct host_counters none;
	int64_t took_ms, requests, busy;

	if (!before) {
		hoststat_clear(&none);
		before = &none;
	}
	took_ms = grown(before->mono_ms, now->mono_ms);
	requests = grown(before->disk_requests, now->disk_requests);
	gauge[HOST_CPU_BUSY] = EVENT_UNKNOWN;
	cpu_gauges(before, now, gauge);
	gauge[HOST_LOAD] = now->load;
	gauge[HOST_CPUS] = now->cpus;
	gauge[HOST_MEM_TOTAL] = now->mem_total;
	gauge[HOST_MEM_AVAILABLE] = now->mem_available;
	gauge[HOST_SWAP_USED] = grown(now->swap_free, now->swap_total);
	busy = part(grown(before->disk_busy_ms, now->disk_busy_ms), took_ms, PER_MILLE);
	gauge[HOST_DISK_BUSY] = busy > PER_MILLE ? PER_MILLE : busy; /* two clocks */
	gauge[HOST_DISK_WAIT] = requests == 0
					? 0
					: part(grown(before->disk_request_ms, now->disk_request_ms),
						  requests, US_PER_MS);
	gauge[HOST_NET_IN] = part(grown(before->net_in, now->net_in), took_ms, MS_PER_S);
	gauge[HOST_NET_OUT] = part(grown(before->net_out, now->net_out), took_ms, MS_PER_S);
	gauge[HOST_PSI_CPU] = stood_still(before, now, PSI_CPU);
	gauge[HOST_PSI_MEMORY] = stood_still(before, now, PSI_MEMORY);
	gauge[HOST_PSI_IO] = stood_still(before, now, PSI_IO);
	gauge[HOST_UNDER_BUSY] = under_busy(before, now);
}
