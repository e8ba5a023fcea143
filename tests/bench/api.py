# SPDX-License-Identifier: MIT
"""api - the cost of providers behind web APIs: 100 Mailgun domains and 20 SendGrid subusers polled by one collector, a
million events paged in, and keys meanwhile. The fakes (tests/fakes) are processes of their own, so that their work is not counted."""
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAKES = os.path.join(TOP, "tests", "fakes")
HOUR_MS = 3600000
WATCH_S = int(os.environ.get("MTATOP_BENCH_API_S", "120"))
EVENTS = int(os.environ.get("MTATOP_BENCH_API_EVENTS", "1000000"))
KEYS = {"mailgun": "made-up-mailgun-key", "sendgrid": "SG.made-up-sendgrid-key"}
TICKS = os.sysconf("SC_CLK_TCK")


class Fake:
    """A fake as a process; ops: control operations to begin with."""

    def __init__(self, name, folder, ops):
        path = os.path.join(folder, name + ".ops")
        with open(path, "w", encoding="ascii") as f:
            json.dump(ops, f)
        self.process = subprocess.Popen([sys.executable, os.path.join(FAKES, name + ".py"), "--set", "@" + path],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.section = "base_url = http://127.0.0.1:%d\n" % self.port

    def stop(self):
        self.process.kill()
        self.process.wait()


class Watched:
    """A folder with a configuration, and a collector over it."""

    def __init__(self, mtatop, sections):
        self.folder = tempfile.mkdtemp(prefix="mtatop-bench-api-")
        self.conf, self.cache = os.path.join(self.folder, "conf"), os.path.join(self.folder, "cache", "cache.db")
        for name, key in KEYS.items():
            with open(os.path.join(self.folder, name + ".key"), "w", encoding="ascii") as f:
                f.write(key)
            os.chmod(f.name, 0o600)
        with open(self.conf, "w", encoding="ascii") as f:
            f.write("[postfix]\nenabled = no\n" + "".join(
                "[%s bench]\nkey_file = %s/%s.key\n%s" % (name, self.folder, name, text) for name, text in sections.items()))
        os.chmod(self.conf, 0o600)
        self.argv = [mtatop, "collect", "--config", self.conf, "--cache", self.cache]
        self.env = dict(os.environ, HOME=self.folder, TZ="UTC")

    def usage(self, pid):
        """(CPU seconds, resident kB)"""
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(") ", 1)[1].split()
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            rss = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
        return (int(fields[11]) + int(fields[12])) / TICKS, rss

    def watch(self, seconds):
        """CPU % and mean resident kB after the first rounds."""
        p = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env)
        try:
            time.sleep(min(30, seconds))
            before, start, rss = self.usage(p.pid)[0], time.monotonic(), []
            while time.monotonic() < start + seconds:
                time.sleep(1)
                rss.append(self.usage(p.pid)[1])
            return 100 * (self.usage(p.pid)[0] - before) / (time.monotonic() - start), sum(rss) / len(rss)
        finally:
            p.send_signal(signal.SIGTERM)
            p.wait()

    def once(self):
        """(seconds, CPU seconds) of one pass."""
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(self.argv + ["--until-caught-up"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=self.env, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(done.stdout[-300:])
        return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def serve_rate(fake, method, path, headers, body):
    """Pages a second the fake gives a client that does nothing with them: no collector can be faster."""
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", fake.port)
    start, n = time.monotonic(), 0
    while time.monotonic() < start + 2:
        c.request(method, path, body=body, headers=headers)
        c.getresponse().read()
        n += 1
    return n / (time.monotonic() - start)


def polled(table, mtatop, folder):
    mailgun = Fake("mailgun", folder, [{"op": "style", "quiet": True}] + [
        {"op": "traffic", "domain": "d%03d.example" % n, "count": 40, "ago_ms": 20 * HOUR_MS, "span_ms": 20 * HOUR_MS, "seed": n}
        for n in range(100)])
    sendgrid = Fake("sendgrid", folder, [{"op": "style", "quiet": True}] + [
        op for n in range(20) for op in ({"op": "subuser", "name": "sub%02d" % n},
                                         {"op": "traffic", "count": 60, "ago_ms": 20 * HOUR_MS, "span_ms": 20 * HOUR_MS,
                                          "subuser": "sub%02d" % n, "seed": n})])
    quiet = Fake("sendgrid", folder, [{"op": "style", "quiet": True}])
    with_all = Watched(mtatop, {"mailgun": mailgun.section, "sendgrid": sendgrid.section + "subusers = *\n"})
    without = Watched(mtatop, {"sendgrid": quiet.section + "messages = none\n"})
    try:
        base_cpu, base_rss = without.watch(min(WATCH_S, 30))
        cpu, rss = with_all.watch(WATCH_S)
        table.below("100 domains, 20 subusers: CPU more", cpu - base_cpu, "%", 1, "an account without mail: %.2f %%" % base_cpu)
        table.below("100 domains, 20 subusers: memory more", (rss - base_rss) / 1024, "MiB", 32, "%.0f MiB without" % (base_rss / 1024))
    finally:
        for one in (with_all, without):
            one.close()
        for one in (mailgun, sendgrid, quiet):
            one.stop()


def paged(table, mtatop, folder):
    import base64
    basic = "Basic " + base64.b64encode(("api:" + KEYS["mailgun"]).encode()).decode()
    day = time.strftime("%Y-%m-%d", time.gmtime())
    query = 'sg_message_id_created_at >= TIMESTAMP "%sT00:00:00Z" AND sg_message_id_created_at < TIMESTAMP "%sT00:30:00Z"' % (day, day)
    cases = (("mailgun", "", 100, ("POST", "/v1/analytics/logs", {"Authorization": basic, "Content-Type": "application/json"},
                                   json.dumps({"pagination": {"limit": 100}}))),
             ("sendgrid", "", 1000, ("POST", "/v3/logs", {"Authorization": "Bearer " + KEYS["sendgrid"], "Content-Type":
                                                        "application/json"}, json.dumps({"query": query, "limit": 1000}))))
    for name, more, rows, ask in cases:
        fake = Fake(name, folder, [{"op": "bench", "count": EVENTS}])
        watched = Watched(mtatop, {name: fake.section + "requests_per_minute = 100000\n" + more})
        try:
            alone = serve_rate(fake, *ask) * rows
            wall, cpu = watched.once()
            had = sqlite3.connect(watched.cache).execute("SELECT count(*) FROM api_id").fetchone()[0]
            if had < EVENTS:
                raise RuntimeError("%s: %d of %d events are in the cache" % (name, had, EVENTS))
            table.above("%s: %d events paged in" % (name, EVENTS), EVENTS / wall, "/s", 50000,
                        "the fake gives %.3g/s; %.3g us of CPU an event, load %.1f" % (alone, 1e6 * cpu / EVENTS, os.getloadavg()[0]))
        finally:
            watched.close()
            fake.stop()


def keys(table, views, folder):
    """A key to its frame while the collector of the same process pages in a million events of each vendor."""
    fakes = {name: Fake(name, folder, [{"op": "bench", "count": EVENTS}]) for name in KEYS}
    watched = Watched("", {name: fake.section + "requests_per_minute = 100000\n" for name, fake in fakes.items()})
    try:
        os.makedirs(os.path.dirname(watched.cache), exist_ok=True)
        done = subprocess.run([views, watched.cache, "--config", watched.conf, "20"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, env=watched.env, check=True)
        got = json.loads(done.stdout)
        had = sqlite3.connect(watched.cache).execute("SELECT count(*) FROM api_id").fetchone()[0]
        table.below("key to frame p99 while events are paged in", got["p99_ms"], "ms", 16,
                    "%d keys, p50 %.2f, p90 %.2f, worst %.1f ms; own CPU p99 %.1f ms; %d events in %.0f s" % (
                        got["keys"], got["p50_ms"], got["p90_ms"], got["max_ms"], got["p99_cpu_ms"], had // 2, got["seconds"]))
    finally:
        watched.close()
        for fake in fakes.values():
            fake.stop()


def suite_api(table, mtatop, views):
    folder = tempfile.mkdtemp(prefix="mtatop-bench-fakes-")
    try:
        polled(table, mtatop, folder)
        paged(table, mtatop, folder)
        keys(table, views, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
