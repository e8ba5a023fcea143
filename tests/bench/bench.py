#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench - every target of speed and size, measured beside its baseline in the same run: a table and JSON.

  sh tests/bench/run [--json FILE] [NAME...]    NAME: see SUITES below; without one all but soak (about 15 minutes)
Absolute figures move with the machine and with what else it does: the ratios are what is promised. Logs come from
../shared/tools/gen-maillog; without ../shared beside the checkout the rows that need one say so and are skipped.
Big files stay in MTATOP_BENCH_DATA (default /tmp/mtatop-bench) for the next run.
"""
import argparse
import glob
import json
import os
import random
import re
import resource
import shutil
import statistics
import string
import subprocess
import sys
import threading
import time

import api
import classify
import mtalogs
import names
import ptyrun

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.path.dirname(TOP), "shared")
DATA = os.environ.get("MTATOP_BENCH_DATA", "/tmp/mtatop-bench")
BUILD = os.environ.get("MTATOP_BENCH_BUILD", os.path.join(TOP, "build-bench"))
MTATOP = os.path.join(BUILD, "tui", "mtatop")
ENV = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", TERM="xterm-256color", NO_COLOR="",
           XDG_CONFIG_HOME="/nonexistent")
MIB, MB = 1 << 20, 1e6
LIVE_LINES = 5000
IDLE_S = 60


class Table:
    """Rows of what was measured; a row without a target is a baseline."""

    def __init__(self):
        self.rows = []

    def add(self, name, value, unit, target=None, met=None, baseline=""):
        verdict = "" if target is None else "met" if met else "MISSED"
        self.rows.append({"name": name, "value": value, "unit": unit, "target": target, "met": met, "baseline": baseline})
        shown = "?" if value is None else "%.3g" % value if isinstance(value, float) else str(value)
        print("%-46s %9s %-8s %-14s %-6s %s" % (name, shown, unit, target or "", verdict, baseline), flush=True)

    def below(self, name, value, unit, limit, baseline=""):
        self.add(name, value, unit, "<= %g" % limit, value is not None and value <= limit, baseline)

    def above(self, name, value, unit, limit, baseline=""):
        self.add(name, value, unit, ">= %g" % limit, value is not None and value >= limit, baseline)

    def skip(self, name, why):
        print("%-46s skipped: %s" % (name, why), flush=True)


class Peak(threading.Thread):
    """The most memory a child has had, MiB, by VmHWM of /proc; its ru_maxrss begins with what this Python has."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.path, self.mib = "/proc/%d/status" % pid, 0.0

    def run(self):
        while True:
            try:
                with open(self.path) as f:
                    found = re.search(r"VmHWM:\s+(\d+)", f.read())
            except OSError:
                return
            if not found:  # it has ended and waits to be reaped
                return
            self.mib = int(found[1]) / 1024
            time.sleep(0.01)


def run(argv, **kw):
    """Run to the end; (wall s, cpu s, peak RSS MiB, stdout)."""
    out = kw.pop("stdout", subprocess.PIPE)
    start = time.monotonic()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, env=ENV, **kw)
    peak = Peak(child.pid)
    peak.start()
    text = child.stdout.read() if child.stdout else b""
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    peak.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit("%s: exit %d: %s" % (argv[0], child.returncode, errors.decode(errors="replace")[-500:]))
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, peak.mib, text


def remove_cache(path):
    for end in ("", "-wal", "-shm", ".lock"):
        if os.path.exists(path + end):
            os.unlink(path + end)


def log_of(size):
    """A generated log, made once."""
    path = os.path.join(DATA, "gen-%s.log" % size)
    tool = os.path.join(SHARED, "tools", "gen-maillog")
    if not os.path.exists(path + ".json"):
        if not os.path.exists(tool):
            return None
        run(["/usr/bin/python3", tool, "--bytes", size, "--format", "syslog", "--seed", "1", "--out", path])
    return path


def warm(path):
    """The file into the page cache, so that no program reads the disk for the others."""
    with open(path, "rb") as f:
        while f.read(1 << 24):
            pass


# ---- catch-up ---------------------------------------------------------------------------------------------------

def one_core_limit(log):
    """Wall and CPU seconds of tools/scan-limit.c level 3: every delivery field and the queue-id join on one core."""
    tool = os.path.join(DATA, "scan-limit")
    run(["cc", "-O2", "-o", tool, os.path.join(SHARED, "tools", "scan-limit.c")])
    runs = [run([tool, "3", log, "read"]) for _ in range(3)]
    return statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs)


def catch_up_once(log):
    cache = os.path.join(DATA, "catchup.db")
    remove_cache(cache)
    wall, cpu, rss, _ = run([MTATOP, "collect", "--until-caught-up", "--cache", cache, "--log", log])
    size = os.path.getsize(cache)
    remove_cache(cache)
    return wall, cpu, rss, size


def suite_catchup(table):
    """a log read from its start into a fresh cache, beside pflogsumm and the limit of one core"""
    for size, times in (("100M", 3), ("1G", 1)):
        log = log_of(size)
        if not log:
            table.skip("catch-up %s" % size, "no ../shared beside the checkout")
            continue
        warm(log)
        megabytes = os.path.getsize(log) / MB
        limit_s, limit_cpu = one_core_limit(log)
        peer_s, peer_cpu = run(["pflogsumm", log])[:2]
        runs = sorted(catch_up_once(log) for _ in range(times))
        wall, cpu, rss, cache = runs[len(runs) // 2]
        table.add("catch-up %s" % size, megabytes / wall, "MB/s", baseline="pflogsumm %.3g MB/s, one core's limit %.3g MB/s" % (
            megabytes / peer_s, megabytes / limit_s))
        table.above("catch-up %s over pflogsumm" % size, peer_s / wall, "x", 20, "%.1f s, ours %.2f s" % (peer_s, wall))
        table.above("catch-up %s over one core's limit" % size, limit_s / wall, "", 0.5, "%.2f s" % limit_s)
        # What a busy machine does not change: the work done.
        table.add("catch-up %s CPU: pflogsumm's over ours" % size, peer_cpu / cpu, "x", baseline="%.1f s, ours %.2f s" % (peer_cpu, cpu))
        table.add("catch-up %s CPU: the limit's over ours" % size, limit_cpu / cpu, "", baseline="%.2f s" % limit_cpu)
        table.below("catch-up %s peak RSS" % size, rss, "MiB", 64)
        table.below("catch-up %s cache over log" % size, cache / os.path.getsize(log), "", 0.2)


# ---- live -------------------------------------------------------------------------------------------------------

def live_lines():
    """Bodies of log lines without their time stamps: the feeder puts its own on them."""
    log = log_of("100M")
    if not log:
        return None
    with open(log, "rb") as f:
        return [line[15:] for line in f.read(60 * 1000 * 1000).splitlines(True)][:-1]  # the last is torn


def screen_of(log, cache, keys=""):
    return ptyrun.Screen([MTATOP, "--cache", cache, "--log", log], ENV, keys=keys)


def suite_live(table, seconds=60, marks=20):
    """5,000 lines a second with the screen on: CPU, memory, how soon a line is on the screen, nothing lost"""
    bodies = live_lines()
    if not bodies:
        table.skip("live", "no ../shared beside the checkout")
        return
    log, cache = os.path.join(DATA, "live.log"), os.path.join(DATA, "live.db")
    remove_cache(cache)
    feed, words = ptyrun.Feeder(log, bodies, LIVE_LINES), random.Random(1)
    with screen_of(log, cache, ":rejects\r") as screen:
        screen.wait_for(b"mtatop", 10)
        feed.start()
        screen.pump(5)
        before, latencies = ptyrun.usage(screen.pid), []
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            if len(latencies) < marks:
                mark = "".join(words.choice(string.ascii_lowercase) for _ in range(12))
                feed.mark(mark)
                latencies.append(screen.wait_for(mark.encode(), 10))
            screen.pump(max(0.0, seconds / marks - 0.2))
        after, wall = ptyrun.usage(screen.pid), time.monotonic() - start
        lines = feed.stop()
        screen.pump(3)
    seen = lines_in(cache)
    late = [1e3 * x for x in latencies if x is not None]
    table.add("live lines written", lines / feed.seconds, "lines/s", baseline="%d lines" % lines)
    table.below("live 5,000 lines/s: CPU of a core", 100 * (after.cpu_s - before.cpu_s) / wall, "%", 3, "screen 120x40 on")
    table.below("live line to screen, worst of %d" % len(latencies), max(late) if len(late) == len(latencies) else None,
                "ms", 1000, "median %.0f ms" % statistics.median(late) if late else "")
    table.below("live lines lost", lines - seen, "lines", 0)
    table.add("live RSS", after.rss_mib, "MiB")


def lines_in(cache):
    text = run([MTATOP, "report", "--format", "json", "--cache", cache])[3]
    return json.loads(text)["totals"]["lines"]


def suite_soak(table, seconds=1800):
    """30 minutes at 5,000 lines a second with the screen on: memory, files and WAL stay level, nothing lost"""
    bodies = live_lines()
    if not bodies:
        table.skip("soak", "no ../shared beside the checkout")
        return
    seconds = int(os.environ.get("MTATOP_SOAK_SECONDS", seconds))
    log, cache = os.path.join(DATA, "soak.log"), os.path.join(DATA, "soak.db")
    remove_cache(cache)
    feed, samples = ptyrun.Feeder(log, bodies, LIVE_LINES), []
    with screen_of(log, cache) as screen:
        screen.wait_for(b"mtatop", 10)
        feed.start()
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            screen.pump(min(30, seconds / 20))
            use = ptyrun.usage(screen.pid)
            wal = os.path.getsize(cache + "-wal") / MIB if os.path.exists(cache + "-wal") else 0
            samples.append((use.rss_mib, use.fds, wal))
        lines = feed.stop()
        screen.pump(5)
    first, last = samples[len(samples) // 4], samples[-1]
    table.below("soak RSS growth after a quarter", last[0] - first[0], "MiB", 8, "%.0f -> %.0f MiB" % (first[0], last[0]))
    table.below("soak open files growth", last[1] - first[1], "files", 0, "%d files" % last[1])
    table.below("soak WAL, largest", max(s[2] for s in samples), "MiB", 64)
    table.below("soak lines lost", lines - lines_in(cache), "lines", 0, "%d lines in %d s" % (lines, seconds))
    os.unlink(log)
    remove_cache(cache)


# ---- the screen over 10 million attempts --------------------------------------------------------------------------

def suite_screen(table):
    """first frame, a refresh of every view and a key to its frame over 10 million attempts"""
    attempts = int(os.environ.get("MTATOP_BENCH_ATTEMPTS", 10000000))
    cache = os.path.join(DATA, "big-%d.db" % attempts)
    if not os.path.exists(cache + ".done"):
        remove_cache(cache)
        print("    " + run([os.path.join(BUILD, "tests", "bench_fill"), cache, str(attempts), "12"])[3].decode().strip())
        open(cache + ".done", "w").close()
    views = os.path.join(BUILD, "tests", "bench_views")
    got = json.loads(run([views, cache])[3])
    table.below("10M first frame, reader and app", got["first_frame_ms"], "ms", 200)
    table.below("10M first frame, program in a terminal", 1e3 * first_paint(cache), "ms", 200)
    for name in dict.fromkeys(v["view"] for v in got["views"]):
        times = {v["window"]: v for v in got["views"] if v["view"] == name}
        table.below("10M refresh %s" % name, max(v["refresh_ms"] for v in times.values()), "ms", 20,
                    ", ".join("%s %.1f (CPU %.1f)" % (w, v["refresh_ms"], v["cpu_ms"]) for w, v in times.items()))
    log = log_of("1G")
    if not log:
        table.skip("10M key to frame while catching up", "no ../shared beside the checkout")
        return
    copy = os.path.join(DATA, "keys.db")
    remove_cache(copy)
    shutil.copyfile(cache, copy)
    keys = json.loads(run([views, copy, log, "20"])[3])
    remove_cache(copy)
    table.below("10M key to frame p99 while catching up", keys["p99_ms"], "ms", 16,
                "%d keys, p50 %.2f, p90 %.2f, worst %.1f ms; own CPU p99 %.1f ms" % (
                    keys["keys"], keys["p50_ms"], keys["p90_ms"], keys["max_ms"], keys["p99_cpu_ms"]))


def first_paint(cache):
    """Seconds from exec to a board with a figure, over a pty; median of 5."""
    empty = os.path.join(DATA, "empty.log")
    open(empty, "w").close()
    times = []
    for _ in range(5):
        with screen_of(empty, cache) as screen:
            times.append(screen.wait_for(b"delivered", 10) or 10)
    return statistics.median(times)


# ---- idle -------------------------------------------------------------------------------------------------------

def suite_idle(table):
    """a quiet board and one whose figures change each second, beside htop and top, at the same time"""
    log, cache = os.path.join(DATA, "idle.log"), os.path.join(DATA, "idle.db")
    moving, moving_cache = os.path.join(DATA, "moving.log"), os.path.join(DATA, "moving.db")
    for path in (cache, moving_cache):
        remove_cache(path)
    bodies = live_lines() or []
    open(log, "w").close()
    feed = ptyrun.Feeder(moving, bodies, 20) if bodies else None
    programs = {"mtatop": [MTATOP, "--cache", cache, "--log", log]}
    if feed:
        programs["mtatop, figures changing"] = [MTATOP, "--cache", moving_cache, "--log", moving]
    programs.update({name: [name] for name in ("htop", "top") if shutil.which(name)})
    screens = {name: ptyrun.Screen(argv, ENV) for name, argv in programs.items()}
    if feed:
        feed.start()
    ptyrun.pump_all(screens.values(), 5)
    before = {name: (ptyrun.usage(s.pid), s.bytes) for name, s in screens.items()}
    start = time.monotonic()
    ptyrun.pump_all(screens.values(), IDLE_S)
    wall, figures = time.monotonic() - start, {}
    for name, s in screens.items():
        now = ptyrun.usage(s.pid)
        figures[name] = {"cpu": 100 * (now.cpu_s - before[name][0].cpu_s) / wall,
                         "wakeups": (now.switches - before[name][0].switches) / wall, "bytes": (s.bytes - before[name][1]) / wall}
        s.close()
    if feed:
        feed.stop()
    peers = {k: ", ".join("%s %.3g" % (n, figures[n][k]) for n in ("htop", "top") if n in figures)
             for k in ("cpu", "wakeups", "bytes")}
    table.below("idle CPU", figures["mtatop"]["cpu"], "%", max(0.17, figures.get("htop", {"cpu": 0})["cpu"]), peers["cpu"])
    table.below("idle wake-ups", figures["mtatop"]["wakeups"], "/s", 2, peers["wakeups"])
    if feed:
        changing = figures["mtatop, figures changing"]
        table.below("board changing each second: bytes", changing["bytes"], "B/s", 446, peers["bytes"])
        table.add("board changing each second: CPU", changing["cpu"], "%", baseline=peers["cpu"])


    idle_postfix(table)


def idle_postfix(table):
    """the same beside a real Postfix: log, queue, sockets and host are looked at, and nothing happens"""
    if os.geteuid() or not shutil.which("postfix") or subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL).returncode:
        table.skip("idle beside Postfix", "needs root, a Postfix and network namespaces")
        return
    done = subprocess.run(["unshare", "-n", "/usr/bin/python3", os.path.join(TOP, "tests", "bench", "idle_postfix.py"), MTATOP, str(IDLE_S)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    got = json.loads(done.stdout.splitlines()[-1])
    table.below("idle beside Postfix: wake-ups", got["wakeups"], "/s", 2, "sources: " + ", ".join(got["sources"]))
    table.below("idle beside Postfix: bytes", got["bytes"], "B/s", 446)
    table.below("idle beside Postfix: CPU", got["cpu"], "%", 0.17)


# ---- the queue --------------------------------------------------------------------------------------------------

def suite_queue(table):
    """a deferred queue of 100,000: depth, the whole list, memory, share of a core"""
    tool = os.path.join(TOP, "tests", "bench", "queue")
    for line in run([tool, BUILD])[3].decode().splitlines():
        row = json.loads(line)
        table.add(row["name"].strip(), row["value"], row["unit"], row["target"] or None, row["met"], row["baseline"])


def suite_sockets(table):
    """one sample of 50,000 open TCP sockets"""
    if subprocess.run(["unshare", "-n", "true"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        table.skip("sockets", "no network namespaces here")
        return
    done = subprocess.run(["unshare", "-n", sys.executable, os.path.join(TOP, "tests", "bench", "sockets.py"),
                           os.path.join(BUILD, "tests", "sockets_tool")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    got = json.loads(done.stdout)
    table.below("sample of %d sockets, CPU" % got["sockets"], got["ours_ms"], "ms", 60, "ss -tina: %.0f ms" % got["ss_ms"])
    # The source waits a hundred times what a sample took, five seconds at least.
    table.below("sockets: share of a core at its interval", 100 * got["ours_ms"] / max(5000, 100 * got["ours_ms"]), "%", 1)


def suite_names(table):
    """1,000 own domains checked in the DNS; nsd on loopback"""
    names.suite_names(table, MTATOP)


def suite_api(table):
    """100 Mailgun domains and 20 SendGrid subusers polled; a million events paged in; fakes on loopback"""
    api.suite_api(table, MTATOP, os.path.join(BUILD, "tests", "bench_views"))


def suite_classify(table):
    """why mail failed: its part of reading a log of failures alone"""
    percent = classify.share(MTATOP, DATA, ENV)
    if percent is None:
        table.skip("classification", "no valgrind")
    else:
        table.below("classification of ingest, instructions", percent, "%", 15, "%d failures" % classify.LINES)


def exchange_logs():
    """Some 30 MB of the logs of a made-up organisation, by kind; made once."""
    top = os.path.join(DATA, "exchange")
    if not os.path.exists(os.path.join(top, "done")):
        sys.path.insert(0, os.path.join(TOP, "tests", "truth"))
        import exchange_made as made
        org = made.Org("2019", 2, seed=1)
        files = made.Files(top, org, most_bytes=10 << 20)
        files.folders()
        for _ in range(12):
            files.write(org.hour(1000))
        files.flush()
        open(os.path.join(top, "done"), "w").close()
    kinds = {"tracking": "MessageTracking", "receive": "SmtpReceive", "send": "SmtpSend", "connectivity": "Connectivity"}
    return {kind: sorted(glob.glob(os.path.join(top, "*", folder, "*.LOG"))) for kind, folder in kinds.items()}


def suite_exchange(table):
    """Exchange's parser beside Postfix's, MB/s of CPU time each"""
    log = log_of("100M")
    if not log:
        return table.skip("exchange parser", "no ../shared beside the checkout")
    tool = os.path.join(BUILD, "tests", "parse_bench")
    postfix = float(run([tool, "postfix", log])[3])
    table.add("parser: postfix", postfix, "MB/s")
    for kind, paths in exchange_logs().items():
        speed = float(run([tool, "exchange", *paths])[3])
        table.above("parser: exchange, %s" % kind, 100 * speed / postfix, "%", 60, "%.0f MB/s" % speed)


def sendmail_log():
    """Some 60 MB of a made-up Sendmail's log: an arrival, an outcome for one to three recipients, now and then a refusal."""
    path = os.path.join(DATA, "sendmail.log")
    if os.path.exists(path):
        return path
    rng, head = random.Random(1), "Nov 23 12:%02d:%02d mx1 sm-mta[%d]: 6ANC00%s%06d: "
    with open(path + ".new", "w", encoding="ascii") as f:
        for i in range(140000):
            at = head % (i // 60 % 60, i % 60, i % 32768, "".join(rng.choices("abcdefghij", k=2)), i % 1000000)
            n = rng.choice((1, 1, 1, 2, 3))
            to = ",".join("<user%d@example%d.com>" % (rng.randrange(9999), rng.randrange(40)) for _ in range(n))
            f.write("%sfrom=<sender%d@example.org>, size=%d, class=0, nrcpts=%d, msgid=<%d.%d@example.org>, proto=ESMTP, daemon=MTA, "
                    "relay=mail.example.org [192.0.2.%d]\n" % (at, i % 97, rng.randrange(99999), n, i, i, i % 200))
            how = ("dsn=4.3.0, reply=451 4.7.1 try again, stat=Deferred: 451 4.7.1 try again" if i % 9 == 0 else
                   "dsn=2.0.0, stat=Sent (ok %d qp %d)" % (i, i % 4711))
            f.write("%sto=%s, delay=00:00:%02d, xdelay=00:00:01, mailer=esmtp, pri=%d, relay=mx.example.com. [198.51.100.%d], %s\n" % (
                at, to, i % 60, 30000 + i, i % 200, how))
            if i % 20 == 0:
                f.write("%sruleset=check_rcpt, arg1=<x%d@example.net>, relay=spam.example [203.0.113.9], reject=550 5.7.1 "
                        "<x%d@example.net>... Relaying denied\n" % (at, i, i))
    os.rename(path + ".new", path)
    return path


def suite_sendmail(table):
    """Sendmail's parser beside Postfix's, MB/s of CPU time each"""
    log = log_of("100M")
    if not log:
        return table.skip("sendmail parser", "no ../shared beside the checkout")
    tool = os.path.join(BUILD, "tests", "parse_bench")
    postfix = float(run([tool, "postfix", log])[3])
    speed = float(run([tool, "sendmail", sendmail_log()])[3])
    table.above("parser: sendmail", 100 * speed / postfix, "%", 60, "%.0f MB/s" % speed)


def family_log(family, size):
    """A log of mtalogs.py, made once."""
    path = os.path.join(DATA, "%s-%dM.log" % (family, size // 10**6))
    if not os.path.exists(path):
        os.rename(mtalogs.write(family, path, size), path)
    return path


def eximstats():
    """eximstats as an argv, of Debian's package where it is not installed; None if it can't be had."""
    sys.path.insert(0, os.path.join(TOP, "tests"))
    import debs
    found = debs.program("exim4-base", "usr/sbin/eximstats")
    return ["perl", found] if found else None


def suite_families(table):
    """the parsers of Exim and OpenSMTPD beside Postfix's on the same traffic; Exim's catch-up beside eximstats"""
    tool = os.path.join(BUILD, "tests", "parse_bench")
    speed = {family: float(run([tool, family, family_log(family, 20 * 10**6)])[3]) for family in ("postfix", "exim", "opensmtpd")}
    table.add("parser: postfix, same traffic", speed["postfix"], "MB/s")
    for family in ("exim", "opensmtpd"):
        table.above("parser: %s" % family, 100 * speed[family] / speed["postfix"], "%", 60, "%.0f MB/s" % speed[family])
    peer = eximstats()
    if not peer:
        return table.skip("catch-up Exim 1G", "no eximstats")
    log = family_log("exim", 10**9)
    warm(log)
    peer_s, peer_cpu = run([*peer, log])[:2]
    wall, cpu, rss, cache = catch_up_once(log)
    table.add("catch-up Exim 1G", os.path.getsize(log) / MB / wall, "MB/s", baseline="eximstats %.3g MB/s" % (os.path.getsize(log) / MB / peer_s))
    table.above("catch-up Exim 1G over eximstats", peer_s / wall, "x", 10, "%.1f s, ours %.2f s" % (peer_s, wall))
    table.add("catch-up Exim 1G CPU: eximstats's over ours", peer_cpu / cpu, "x", baseline="%.1f s, ours %.2f s" % (peer_cpu, cpu))
    table.below("catch-up Exim 1G peak RSS", rss, "MiB", 64)
    table.below("catch-up Exim 1G cache over log", cache / os.path.getsize(log), "", 0.2)


SUITES = {f.__name__[6:]: f for f in (suite_catchup, suite_live, suite_screen, suite_idle, suite_queue, suite_sockets,
                                suite_names, suite_api, suite_classify, suite_exchange, suite_sendmail, suite_families,
                                suite_soak)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=os.path.join(DATA, "bench.json"))
    parser.add_argument("names", nargs="*", choices=[[], *SUITES], default=[])
    args = parser.parse_args()
    os.makedirs(DATA, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    table, start = Table(), time.monotonic()
    for name in args.names or [n for n in SUITES if n != "soak"]:
        print("== %s: %s" % (name, SUITES[name].__doc__), flush=True)
        try:
            SUITES[name](table)
        except (Exception, SystemExit) as error:  # the other rows are still worth having
            table.add("%s ran to its end" % name, None, "", "yes", False, str(error)[-200:])
    with open(args.json, "w") as f:
        json.dump({"schema": 1, "machine": os.uname().machine, "cores": os.cpu_count(), "load": os.getloadavg(),
                   "seconds": round(time.monotonic() - start), "rows": table.rows}, f, indent=1)
    met = [r for r in table.rows if r["target"]]
    print("%d of %d targets met, %.0f s, load %.1f, JSON in %s" % (
        sum(bool(r["met"]) for r in met), len(met), time.monotonic() - start, os.getloadavg()[0], args.json))


if __name__ == "__main__":
    sys.exit(main())
