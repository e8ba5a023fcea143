/* SPDX-License-Identifier: MIT */
/* test_host - /proc's counters into gauges: known texts, differences, counters that go back, texts cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/hoststat.h"
#include "store/store_read.h"
#include "tests/unit/store_fixture.h"

#include <string.h>

#define STAT                                                                                       \
	"cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 50 0 50 350 50 0 0 0\ncpu1 50 0 50 350 50 0 0 "    \
	"0\nintr 5\n"
#define STAT_LATER "cpu  400 0 100 1000 200 0 0 100 0 0\ncpu0 1\ncpu1 1\n"
#define MEMINFO                                                                                    \
	"MemTotal:       8000000 kB\nMemFree: 1 kB\nMemAvailable:    2000000 kB\nSwapTotal: 1000 " \
	"kB\nSwapFree: 400 kB\n"
#define DISKS                                                                                      \
	"   8       0 sda 1 2 3 4 5 6 7 8 9 10 11\n 254       1 vda1 100 0 0 50 300 0 0 150 0 "    \
	"500 0\n"
#define DISKS_LATER " 254       1 vda1 110 0 0 70 390 0 0 330 0 1000 0\n"
#define NET                                                                                        \
	"Inter-|   Receive\n face |bytes\n    lo: 999 1 0 0 0 0 0 0 999 1\n  eth0:1000 1 0 0 0 0 " \
	"0 0 5000 1 0 0 0 0 0 0\n"
#define NET_LATER "  eth0: 3000 1 0 0 0 0 0 0 9000 1 0 0 0 0 0 0\n"

#define PSI "some avg10=85.04 avg60=85.86 avg300=90.38 total=1000000\nfull avg10=0.00 total=0\n"
#define PSI_LATER "some avg10=1.00 avg60=1.00 avg300=1.00 total=1500000\nfull avg10=0.00 total=9\n"
#define UNDER "   8       0 sda 1 0 0 4 5 0 0 8 0 100 0\n   8      16 sdb 1 0 0 4 5 0 0 8 0 0 0\n"
#define UNDER_LATER                                                                                \
	"   8       0 sda 1 0 0 4 5 0 0 8 0 300 0\n   8      16 sdb 1 0 0 4 5 0 0 8 0 1600 0\n"

static void look(struct host_counters *c, int64_t mono_ms, bool later)
{
	hoststat_clear(c);
	c->mono_ms = mono_ms;
	hoststat_stat(c, str_of(later ? STAT_LATER : STAT));
	hoststat_loadavg(c, STR_LIT("1.25 0.50 0.10 1/100 1234\n"));
	hoststat_meminfo(c, STR_LIT(MEMINFO));
	hoststat_diskstats(c, str_of(later ? DISKS_LATER : DISKS), 254, 1);
	hoststat_netdev(c, str_of(later ? NET_LATER : NET));
	hoststat_psi(c, PSI_CPU, str_of(later ? PSI_LATER : PSI));
	hoststat_psi(c, PSI_IO,
		STR_LIT("some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull total=1\n"));
	hoststat_psi(c, PSI_MEMORY, STR_LIT("full avg10=0.00 total=5\n"));
	c->nunder = 2;
	c->under[0] = (struct host_disk){8, 0, EVENT_UNKNOWN};
	c->under[1] = (struct host_disk){8, 16, EVENT_UNKNOWN};
	hoststat_under(c, str_of(later ? UNDER_LATER : UNDER));
}

static void test_gauges(void **state)
{
	struct host_counters before, now;
	int64_t g[HOST__COUNT];

	(void)state;
	look(&before, 1000, false);
	look(&now, 3000, true);
	hoststat_gauges(&before, &now, g);
	assert_int_equal(g[HOST_CPU_BUSY], 500); /* of 800 ticks 300 idle, 100 waiting */
	assert_int_equal(g[HOST_CPU_WAIT], 125);
	assert_int_equal(g[HOST_CPU_STEAL], 125);
	assert_int_equal(g[HOST_CPUS], 2);
	assert_int_equal(g[HOST_LOAD], 125);
	assert_int_equal(g[HOST_MEM_TOTAL], 8192000000);
	assert_int_equal(g[HOST_MEM_AVAILABLE], 2048000000);
	assert_int_equal(g[HOST_SWAP_USED], 600 * 1024);
	assert_int_equal(g[HOST_DISK_BUSY], 250);
	assert_int_equal(g[HOST_UNDER_BUSY], 800); /* the busier of the two */
	assert_int_equal(g[HOST_PSI_CPU], 250); /* half a second of two */
	assert_int_equal(g[HOST_PSI_IO], 0);
	assert_int_equal(g[HOST_PSI_MEMORY], EVENT_UNKNOWN); /* no line "some" */
	assert_int_equal(g[HOST_DISK_WAIT], 2000); /* 100 requests took 200 ms */
	assert_int_equal(g[HOST_NET_IN], 1000);
	assert_int_equal(g[HOST_NET_OUT], 2000);
}

static void test_unknown(void **state)
{
	struct host_counters before, now;
	int64_t g[HOST__COUNT];

	(void)state;
	look(&before, 1000, true);
	look(&now, 3000, false);
	hoststat_gauges(NULL, &now, g); /* the first look */
	assert_int_equal(g[HOST_CPU_BUSY], EVENT_UNKNOWN);
	assert_int_equal(g[HOST_NET_IN], EVENT_UNKNOWN);
	assert_int_equal(g[HOST_DISK_WAIT], EVENT_UNKNOWN);
	assert_int_equal(g[HOST_LOAD], 125);
	hoststat_gauges(&before, &now, g); /* counters that began anew */
	assert_int_equal(g[HOST_CPU_BUSY], EVENT_UNKNOWN);
	assert_int_equal(g[HOST_DISK_BUSY], EVENT_UNKNOWN);
	assert_int_equal(g[HOST_NET_OUT], EVENT_UNKNOWN);
	hoststat_clear(&now); /* nothing could be read */
	hoststat_gauges(&before, &now, g);
	for (int i = 0; i < HOST__COUNT; i++)
		if (i != HOST_DISK_TOTAL && i != HOST_DISK_FREE && i != HOST_INODES_TOTAL &&
			i != HOST_INODES_FREE)
			assert_int_equal(g[i], EVENT_UNKNOWN);
}

/* Every text cut at every byte, in memory of its size. */
static void test_cut(void **state)
{
	static const char *const texts[] = {STAT, MEMINFO, DISKS, NET, "1.25 0.5"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t n = 0; n <= strlen(texts[i]); n++) {
			struct host_counters c;
			char *copy = malloc(n + 1);
			struct str cut = {copy, n};

			memcpy(copy, texts[i], n);
			hoststat_clear(&c);
			hoststat_stat(&c, cut);
			hoststat_loadavg(&c, cut);
			hoststat_meminfo(&c, cut);
			hoststat_diskstats(&c, cut, 254, 1);
			hoststat_netdev(&c, cut);
			hoststat_psi(&c, PSI_CPU, cut);
			hoststat_under(&c, cut);
			free(copy);
		}
	}
}

static void test_cache(void **state)
{
	struct fixture f;
	struct mt_error error = {0};
	struct host_figures h;
	struct reader *r;
	int64_t g[HOST__COUNT];
	struct query q;

	(void)state;
	fixture_begin(&f);
	fixture_open(&f);
	for (int look = 0; look < 4; look++) { /* two minutes */
		for (int i = 0; i < HOST__COUNT; i++)
			g[i] = i == HOST_SWAP_USED ? EVENT_UNKNOWN : 10 * look + i;
		must(store_host(f.store, f.provider, g, &error), &error, "host");
		clock_advance(&f.clock, 30000);
	}
	q = (struct query){.t0_ms = f.clock.fake_utc_ms - 600000, .t1_ms = f.clock.fake_utc_ms};
	assert_int_equal(sql_int(&f, "SELECT count(*) FROM host_minute"), 2);
	must(reader_open(f.path, &r, &error), &error, "open");
	must(reader_begin(r, &error), &error, "begin");
	must(read_host(r, &q, &h, &error), &error, "read");
	assert_int_equal(h.now[HOST_CPU_BUSY], 30 + HOST_CPU_BUSY);
	assert_int_equal(h.worst[HOST_CPU_BUSY], 30 + HOST_CPU_BUSY);
	assert_int_equal(h.worst[HOST_DISK_FREE], 10 + HOST_DISK_FREE);
	assert_int_equal(h.now[HOST_SWAP_USED], EVENT_UNKNOWN);
	q.t1_ms += 3600000; /* nobody has looked for long */
	must(read_host(r, &q, &h, &error), &error, "read");
	assert_int_equal(h.t_ms, EVENT_UNKNOWN);
	assert_int_equal(h.now[HOST_CPU_BUSY], EVENT_UNKNOWN);
	reader_end(r);
	reader_close(r);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gauges),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
