/* SPDX-License-Identifier: MIT */
/* host - how the machine fares, and in words what is short: CPU, memory, the queue's file system, its disk, qmgr. */
#include "tui/panes/cells.h"

#include <inttypes.h>
#include <stdio.h>

#define PER_MILLE 1000
#define TENTHS 10
#define US_PER_MS 1000
#define FULL_PM 950 /* a file system so full, memory so used: short */
#define BUSY_PM 900
#define WAIT_PM 300
#define STEAL_PM 100

enum col { COL_WHAT, COL_NOW, COL_WORST, COL_OF, COL_REMARK, COL__COUNT };

static const struct column columns[COL__COUNT] = {
	{"", 24, ALIGN_LEFT, 1, false, "CPU and disk: over the half minute before the look"},
	{"now", 9, ALIGN_RIGHT, 1, false, "at the newest look, twice a minute"},
	{"worst", 9, ALIGN_RIGHT, 2, false,
		"of the window: the least that was free, the most of what is used"},
	{"of", 9, ALIGN_RIGHT, 2, false, "of how much"},
	{"", 0, ALIGN_LEFT, 1, false, "what it means for the mail"},
};

enum kind { KIND_SHARE, KIND_BYTES, KIND_COUNT, KIND_LOAD, KIND_TIME, KIND_RATE };

static const struct line {
	const char *label;
	enum kind kind;
	int gauge, whole; /* enum host_gauge; whole -1 none */
} lines[] = {
	{"CPU busy", KIND_SHARE, HOST_CPU_BUSY, HOST_CPUS},
	{"CPU waiting for a disk", KIND_SHARE, HOST_CPU_WAIT, -1},
	{"CPU taken by the host", KIND_SHARE, HOST_CPU_STEAL, -1},
	{"load, 1 minute", KIND_LOAD, HOST_LOAD, HOST_CPUS},
	{"memory available", KIND_BYTES, HOST_MEM_AVAILABLE, HOST_MEM_TOTAL},
	{"swap used", KIND_BYTES, HOST_SWAP_USED, -1},
	{"queue's disk, free", KIND_BYTES, HOST_DISK_FREE, HOST_DISK_TOTAL},
	{"its inodes, free", KIND_COUNT, HOST_INODES_FREE, HOST_INODES_TOTAL},
	{"its disk busy", KIND_SHARE, HOST_DISK_BUSY, -1},
	{"a request of it takes", KIND_TIME, HOST_DISK_WAIT, -1},
	{"the disk under it busy", KIND_SHARE, HOST_UNDER_BUSY, -1},
	{"waiting for CPU", KIND_SHARE, HOST_PSI_CPU, -1},
	{"waiting for memory", KIND_SHARE, HOST_PSI_MEMORY, -1},
	{"waiting for disks", KIND_SHARE, HOST_PSI_IO, -1},
	{"network in, a second", KIND_RATE, HOST_NET_IN, -1},
	{"network out, a second", KIND_RATE, HOST_NET_OUT, -1},
};
#define NLINES (sizeof(lines) / sizeof(lines[0]))

struct host {
	struct host_figures figures;
	char verdict[160];
};

static struct cell figure(struct table *t, enum kind kind, int64_t n)
{
	struct cell cell;
	struct buf b;

	if (n == EVENT_UNKNOWN)
		return cell_count(t, EVENT_UNKNOWN);
	if (kind == KIND_BYTES || kind == KIND_RATE)
		return cell_bytes(t, n);
	if (kind == KIND_COUNT)
		return cell_count(t, n);
	buf_init(&b, 64);
	if (kind == KIND_SHARE)
		buf_printf(&b, "%" PRId64 ".%" PRId64 "%%", n / TENTHS, n % TENTHS);
	else if (kind == KIND_LOAD)
		buf_printf(&b, "%" PRId64 ".%02" PRId64, n / 100, n % 100);
	else
		buf_printf(&b, "%" PRId64 ".%" PRId64 "ms", n / US_PER_MS, n / 100 % TENTHS);
	cell = (struct cell){.text = arena_str(&t->arena, buf_str(&b)), .sort = n};
	buf_done(&b);
	return cell;
}

/* used_pm - how much of whole is not left; 0 where one is not known. */
static int64_t used_pm(const int64_t *n, int left, int whole)
{
	return n[left] < 0 || n[whole] <= 0 ? 0 : PER_MILLE - n[left] * PER_MILLE / n[whole];
}

/* remark - what a figure that is short does to the mail; NULL: it is not short. */
static const char *remark(const int64_t *n, int gauge)
{
	switch (gauge) {
	case HOST_CPU_BUSY:
		return n[gauge] >= BUSY_PM ? "the CPU is the limit" : NULL;
	case HOST_CPU_WAIT:
		return n[gauge] >= WAIT_PM ? "the disk is the limit: the CPU waits for it" : NULL;
	case HOST_CPU_STEAL:
		return n[gauge] >= STEAL_PM ? "the host has too little CPU for this machine" : NULL;
	case HOST_MEM_AVAILABLE:
		return used_pm(n, gauge, HOST_MEM_TOTAL) >= FULL_PM
			       ? "memory is short: processes are soon ended or swapped out"
			       : NULL;
	case HOST_DISK_FREE:
		return used_pm(n, gauge, HOST_DISK_TOTAL) >= FULL_PM
			       ? "the disk is full soon: mail is refused below 1.5 x "
				 "message_size_limit"
			       : NULL;
	case HOST_INODES_FREE:
		return used_pm(n, gauge, HOST_INODES_TOTAL) >= FULL_PM
			       ? "no more files can be made soon: each message is one"
			       : NULL;
	case HOST_UNDER_BUSY:
	case HOST_DISK_BUSY:
		return n[gauge] >= BUSY_PM ? "the disk is the limit" : NULL;
	default:
		return NULL;
	}
}

/* limits_reached - of the window's kept warnings, those of master(8) that a service has all the processes it may. */
static int limits_reached(struct reader *r, const struct view *v, struct table *t, int64_t *ret,
	struct mt_error *reterr)
{
	struct sample_row *rows;
	struct query q = v->query;
	size_t n = 0;
	int rc;

	q.text = STR_LIT("has reached its process limit");
	q.text_invert = false;
	rc = read_samples(r, &q, EVENT_WARNING, &t->arena, &rows, &n, reterr);
	*ret = (int64_t)n;
	return rc;
}

static void judge(struct host *s, int64_t limits, int active_pm)
{
	/* what stops the mail before what slows it */
	static const int order[] = {HOST_DISK_FREE, HOST_INODES_FREE, HOST_MEM_AVAILABLE,
		HOST_DISK_BUSY, HOST_UNDER_BUSY, HOST_CPU_WAIT, HOST_CPU_STEAL, HOST_CPU_BUSY};
	size_t short_of = 0;

	s->verdict[0] = '\0';
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && short_of == 0; i++) {
		const char *words = remark(s->figures.now, order[i]);

		short_of += words != NULL;
		if (words)
			snprintf(s->verdict, sizeof(s->verdict), "bottleneck: %s", words);
	}
	if (short_of == 0 && limits > 0)
		snprintf(s->verdict, sizeof(s->verdict),
			"bottleneck: a service reached its process limit (at least %" PRId64
			" warnings of master): raise maxproc in master.cf",
			limits);
	else if (short_of == 0 && active_pm >= ACTIVE_NEAR_PM)
		snprintf(s->verdict, sizeof(s->verdict),
			"bottleneck: qmgr's active queue is full (%d%% of "
			"qmgr_message_active_limit): "
			"other mail waits in incoming",
			active_pm / TENTHS);
	else if (short_of == 0 && s->figures.t_ms != EVENT_UNKNOWN)
		snprintf(s->verdict, sizeof(s->verdict), "nothing of this machine is short");
}

static void fill(struct table *t, const struct host_figures *f, const struct line *l, uint64_t id)
{
	const char *words = remark(f->now, l->gauge);
	struct cell *c = cells_row(t, COL__COUNT, id, words ? STYLE_BAD : STYLE_NORMAL, l);

	if (!c)
		return;
	c[COL_WHAT] = cell_words(l->label);
	c[COL_WHAT].sort = (int64_t)id;
	c[COL_WHAT].text_sort = false;
	c[COL_NOW] = figure(t, l->kind, f->now[l->gauge]);
	c[COL_WORST] = figure(t, l->kind, f->worst[l->gauge]);
	c[COL_OF] = l->whole < 0 ? cell_words("")
				 : figure(t, l->whole == HOST_CPUS ? KIND_COUNT : l->kind,
					   f->now[l->whole]);
	c[COL_REMARK] = cell_words(words ? words : "");
}

/* was_looked_at - now or at any time of the window. */
static bool was_looked_at(const struct host_figures *f)
{
	bool any = f->t_ms != EVENT_UNKNOWN;

	for (int i = 0; i < HOST__COUNT; i++)
		any |= f->worst[i] != EVENT_UNKNOWN;
	return any;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct host *s = state;
	struct queue_figures queue;
	struct query q = v->query;
	int64_t limits = 0;
	int rc;

	q.provider = 0; /* the machine's, whichever provider is looked at */
	rc = read_host(r, &q, &s->figures, reterr);
	if (rc == 0)
		rc = limits_reached(r, v, t, &limits, reterr);
	if (rc == 0)
		rc = read_queue(r, &q, &queue, reterr);
	if (rc == 0)
		rc = cells_begin(t, NLINES);
	if (rc < 0)
		return rc;
	judge(s, limits, queue.active_pm);
	for (size_t i = 0; i < NLINES && was_looked_at(&s->figures); i++)
		fill(t, &s->figures, &lines[i], i + 1);
	cells_empty(t, v, "nobody looked at this machine in this window");
	t->total = (int64_t)t->nrows;
	return 0;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct host *s = state;

	(void)v;
	(void)t;
	if (!s->verdict[0])
		return 0;
	canvas_text(c, area.x + 1, area.y, area.w - 1, STYLE_TITLE, str_of(s->verdict));
	return 1;
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct line *l = selected->ref;

	(void)state;
	(void)v;
	ret->pane = l->gauge == HOST_NET_IN || l->gauge == HOST_NET_OUT ? "sockets" : "queue";
	return true;
}

const struct pane_ops pane_host = {
	.name = "host",
	.title = "Host",
	.help = "How the machine fares that mtatop runs on, looked at twice a minute, and in words "
		"what is "
		"short. Short is: CPU or disk busy 90%, CPU waiting for a disk 30%, 10% of the CPU "
		"taken by the "
		"host of a virtual machine, less than 5% of memory, disk or inodes left, or "
		"warnings of "
		"master(8) that a service has all the processes it may have, or an active queue at "
		"90% of qmgr_message_active_limit.\n"
		"Under: the busiest whole disk that the queue's device-mapper or md device, or "
		"partition, is on. "
		"Waiting: share of the time in which some task stood still for want of it "
		"(pressure stall "
		"information); ? on a kernel without.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_WHAT,
	.state_bytes = sizeof(struct host),
	.refresh = refresh,
	.draw = draw,
	.enter = enter,
};
