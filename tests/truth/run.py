#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""truth/run - the store's figures against counters that share no code with it.

  run.py BUILD_DIR      prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
Counters: tests/truth/count_postfix.py (ours, its own regexes), the generator's own ledger
(../shared/tools/gen-maillog) and pflogsumm. Where a definition differs the difference is computed, not waived.
"""
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import clusters
import reach
import schema

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
import debs  # noqa: E402

SHARED = os.path.join(os.path.dirname(TOP), "shared")
GENERATOR = os.path.join(SHARED, "tools", "gen-maillog")
REACH_LINES = 40000
BYTES = os.environ.get("MTATOP_TRUTH_BYTES", "20M")
SCHEMA = schema.load(os.path.join(TOP, "assets", "report.schema.json"))
ENV = dict(os.environ, TZ="UTC")
DIFFERENCES_SHOWN = 20
ABSENT = "(absent)"


def check(name, got, want):
    if got == want:
        print("ok", name)
    else:
        for where, have, wanted in itertools.islice(differences(got, want), DIFFERENCES_SHOWN):
            print("    %s: got %s, want %s" % (where or "it", short(have), short(wanted)))
        print("FAIL", name)


def differences(got, want, where=""):
    """(path, got, want) of every leaf that differs; a list of another length also as a whole, by its length."""
    if isinstance(got, dict) and isinstance(want, dict):
        for key in sorted(got.keys() | want.keys()):
            yield from differences(got.get(key, ABSENT), want.get(key, ABSENT), "%s.%s" % (where, key))
    elif isinstance(got, list) and isinstance(want, list):
        if len(got) != len(want):
            yield where + " (length)", len(got), len(want)
        for i, (one, other) in enumerate(itertools.zip_longest(got, want, fillvalue=ABSENT)):
            yield from differences(one, other, "%s[%d]" % (where, i))
    elif got != want:
        yield where, got, want


def short(value):
    text = json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else repr(value)
    return text if len(text) < 600 else text[:600] + " ..."


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    if done.returncode:
        print("FAIL %s: exit %d: %s" % (os.path.basename(argv[0]), done.returncode, done.stderr.decode(errors="replace")[-500:]))
        raise SystemExit(1)
    return done.stdout


def cache_of(folder, log):
    return os.path.join(folder, "cache-%s.db" % os.path.basename(log))


def report(mtatop, folder, *logs):
    cache = cache_of(folder, logs[0])
    argv = [mtatop, "collect", "--until-caught-up", "--cache", cache]
    for log in logs:
        argv += ["--log", log]
    run(*argv)
    got = json.loads(run(mtatop, "report", "--format", "json", "--cache", cache))
    check("%s: the report is as assets/report.schema.json says" % os.path.basename(logs[0]),
          list(schema.errors(got, SCHEMA)), [])
    return got


VOLATILE = ("generated", "until", "age_s", "detail", "oldest_s")  # of the run, not of the log
PIECES, KILLS = 12, 6
SLOW_S = 60  # between the writing of a piece and the reading of its end, on a busy machine
DEADLINE_S = 60


def lasting(value):
    """A report without what differs from run to run."""
    if isinstance(value, dict):
        return {k: lasting(v) for k, v in value.items() if k not in VOLATILE}
    return [lasting(v) for v in value] if isinstance(value, list) else value


def in_pieces(name, mtatop, folder, log, want):
    """The log as it grows, its last line often torn and for long, a new process for every piece."""
    folder = tempfile.mkdtemp(dir=folder)
    grown = os.path.join(folder, "grown.log")
    with open(log, "rb") as f:
        text = f.read()
    cuts = sorted(random.Random(7).sample(range(len(text)), PIECES - 1)) + [len(text)]  # all different
    at = 0
    with open(grown, "wb") as f:
        for cut in cuts:
            f.write(text[at:cut])
            f.flush()
            at = cut
            os.utime(grown, (time.time() - SLOW_S,) * 2)
            got = report(mtatop, folder, grown)
    check("%s: the same in %d pieces" % (name, PIECES), lasting(got), lasting(want))


def written(path):
    """When the file was last written; 0 while there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def killed(name, mtatop, folder, log, want):
    """kill -9 as soon as something more was written, several times; then to the end."""
    cache = os.path.join(tempfile.mkdtemp(dir=folder), "killed.db")
    wal = cache + "-wal"
    rng = random.Random(11)
    for _ in range(KILLS):
        child = subprocess.Popen([mtatop, "collect", "--until-caught-up", "--cache", cache, "--log", log],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
        before = written(wal)
        writes, end = rng.randrange(1, 40), time.monotonic() + DEADLINE_S
        while child.poll() is None and writes and time.monotonic() < end:
            now = written(wal)
            writes -= now != before
            before = now
        child.kill()
        child.wait()
    run(mtatop, "collect", "--until-caught-up", "--cache", cache, "--log", log)
    got = json.loads(run(mtatop, "report", "--format", "json", "--cache", cache))
    check("%s: the same after %d kills" % (name, KILLS), lasting(got), lasting(want))


def independent(log):
    return json.loads(run("/usr/bin/python3", os.path.join(TOP, "tests", "truth", "count_postfix.py"), log))


PORT_FIGURES = {"in": ("connections", "accepted", "rejected", "auth_ok", "auth_failed", "tls"),
                "out": ("accepted", "deferred", "rejected")}
TOTALS = ("messages", "recipients", "sent", "bounced", "expired", "rejected", "rejected_temporary", "warnings")


def compare_counter(name, got, want):
    totals = got["totals"]
    for key in TOTALS:
        check("%s: %s" % (name, key), totals[key], want[key])
    check("%s: deferred attempts" % name, totals["deferred_attempts"], want["deferred"])
    codes = {"%s %s" % (row["dsn"] if "dsn" in row else row["code"], row["status"]): row["n"]
             for row in got["by_code"] if row["status"] in ("sent", "deferred", "bounced")}
    check("%s: by code" % name, codes, want["by_code"])
    domains = {row["domain"]: {k: row[k] for k in ("sent", "deferred", "bounced")} for row in got["by_domain"]}
    check("%s: by domain" % name, domains, want["by_domain"])
    ports = {"in": {}, "out": {}}
    for row in got["by_port"]:
        # A service without a stock port has a port of null with us; the counter names it by its tag.
        ports[row["direction"]][str(row["port"] or row["service"])] = {k: row[k] for k in PORT_FIGURES[row["direction"]]}
    # No session counters and no TLS lines: whether TLS was used is not known, which is null and not 0.
    for port, row in ports["in"].items():
        if row["tls"] is None and want["by_port"]["in"].get(port, {}).get("tls") == 0:
            row["tls"] = 0
    for direction in ("in", "out"):
        check("%s: by port %s" % (name, direction), ports[direction], want["by_port"][direction])
    check("%s: delays" % name, got["delays"], want["delays"])
    compare_reach(name, got, want["reach"])


def compare_reach(name, got, want):
    def by(row, key):
        return row[key], {k: v for k, v in row.items() if k != key}
    check("%s: how hosts were reached" % name, dict(by(row, "host") for row in got["by_mx_host"]), want["hosts"])
    check("%s: how domains were reached" % name, dict(by(row, "domain") for row in got["by_mx_domain"]), want["domains"])
    check("%s: which host took mail after another" % name, {"%(failed)s %(took)s" % row: row["n"] for row in got["fallbacks"]},
          want["fallbacks"])


def compare_windows(name, mtatop, cache, whole, want, day):
    """Every hour by itself, every minute of one hour: as counted, and together the whole."""
    keys = {"sent": "sent", "deferred_attempts": "deferred", "bounced": "bounced", "rejected": "rejected",
            "warnings": "warnings"}
    sums, hours = dict.fromkeys(TOTALS, 0), {}
    for hour in range(24):
        totals = window(mtatop, cache, "%sT%02d:00:00Z" % (day, hour), "%sT%02d:59:59Z" % (day, hour))["totals"]
        counted = {k: sum(n.get(k, 0) for m, n in want["by_minute"].items() if m[:2] == "%02d" % hour) for k in keys.values()}
        hours[hour] = {k: totals[ours] for ours, k in keys.items()} == counted
        for key in TOTALS:
            sums[key] += totals[key]
    check("%s: each hour as counted" % name, [h for h, same in hours.items() if not same], [])
    check("%s: the hours together are the whole" % name, sums, {k: whole["totals"][k] for k in TOTALS})
    wrong = []
    for minute in ("13:%02d" % m for m in range(60)):
        stamp = "%sT%s:00Z" % (day, minute)
        totals = window(mtatop, cache, stamp, stamp.replace(":00Z", ":30Z"))["totals"]
        if {k: totals[ours] for ours, k in keys.items()} != {k: want["by_minute"].get(minute, {}).get(k, 0) for k in keys.values()}:
            wrong.append(minute)
    check("%s: each minute of an hour as counted" % name, wrong, [])


def window(mtatop, cache, since, until):
    return json.loads(run(mtatop, "report", "--format", "json", "--cache", cache, "--since", since, "--until", until))


def compare_ledger(name, got, ledger):
    totals = got["totals"]
    check("%s: ledger: messages" % name, totals["messages"], ledger["messages"])
    for ours, theirs in (("sent", "sent"), ("deferred_attempts", "deferred"), ("bounced", "bounced"), ("expired", "expired")):
        check("%s: ledger: %s" % (name, ours), totals[ours], ledger["status"].get(theirs, 0))
    check("%s: ledger: rejected" % name, totals["rejected"], ledger["rejects"])
    temporary = sum(n for code, n in ledger["reject_code"].items() if code.startswith("4"))
    check("%s: ledger: rejected 4xx" % name, totals["rejected_temporary"], temporary)
    check("%s: ledger: unparsed lines" % name, totals["unparsed_lines"], 0)
    by_service = {"postfix/smtpd": 25, "postfix/submission/smtpd": 587, "postfix/submissions/smtpd": 465}
    accepted = {r["port"]: r["accepted"] for r in got["by_port"] if r["direction"] == "in"}
    for service, port in by_service.items():
        check("%s: ledger: accepted on %d" % (name, port), accepted.get(port), ledger["received_by_service"].get(service, 0))
    check("%s: ledger: warnings" % name, totals["warnings"], ledger.get("warnings", 0))


def compare_pflogsumm(name, got, log):
    """pflogsumm's `delivered` and `forwarded` are all status=sent records: ours and the hand-overs to another queue id
    here, which we keep apart. Its `received` is not compared: it leaves out the messages of services its regex does not know."""
    text = run("pflogsumm", log).decode(errors="replace")
    text = text.partition("Per-Hour")[0]
    figures = {m.group(2): int(m.group(1)) for m in
               re.finditer(r"^ +(\d+)[ k]? +(delivered|forwarded|deferred|bounced|rejected)\b", text, re.M)}
    deferrals = re.search(r"deferred +\((\d+) +deferrals\)", text)
    check("%s: pflogsumm: sent and handed over" % name, got["totals"]["sent"] + got["totals"]["handed_over"],
          figures.get("delivered", 0) + figures.get("forwarded", 0))
    check("%s: pflogsumm: bounced" % name, got["totals"]["bounced"], figures.get("bounced"))
    check("%s: pflogsumm: rejected" % name, got["totals"]["rejected"], figures.get("rejected"))
    if deferrals:
        check("%s: pflogsumm: deferred attempts" % name, got["totals"]["deferred_attempts"], int(deferrals.group(1)))


def generated(mtatop, folder, form, seed, size=BYTES):
    name = "gen-maillog %s %s seed %d" % (size, form, seed)
    if not os.path.exists(GENERATOR):
        print("skip %s (no ../shared beside the checkout)" % name)
        return
    log = os.path.join(folder, "gen-%s-%d.log" % (form, seed))
    run("/usr/bin/python3", GENERATOR, "--bytes", size, "--format", form, "--seed", str(seed), "--out", log)
    got = report(mtatop, folder, log)
    want = independent(log)
    compare_counter(name, got, want)
    compare_windows(name, mtatop, cache_of(folder, log), got, want, "2026-11-22")
    clusters.compare(name, os.path.dirname(os.path.dirname(mtatop)), cache_of(folder, log), log, check)
    with open(log + ".json") as f:
        compare_ledger(name, got, json.load(f))
    in_pieces(name, mtatop, folder, log, got)
    killed(name, mtatop, folder, log, got)
    if form == "syslog":
        compare_pflogsumm(name, got, log)
    if seed == 3:
        exported(name, mtatop, folder, cache_of(folder, log), got)
        plugin(name, mtatop, cache_of(folder, log), got)


SERIES = re.compile(r'^(\w+)\{(.*)\} ([0-9.]+)$', re.M)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def series(text):
    """{(name, labels...): value} of a Prometheus text."""
    return {(name,) + tuple(value for _, value in LABEL.findall(labels)): float(value) for name, labels, value in SERIES.findall(text)}


def exported(name, mtatop, folder, cache, got):
    """`mtatop export` against the report of the same cache; promtool over its form; the file and the server give the same."""
    text = run(mtatop, "export", "--cache", cache).decode()
    have = series(text)
    names = {"messages": "received", "deferred_attempts": "deferred", "unparsed_lines": "unparsed"}
    for key in TOTALS + ("deferred_attempts", "unparsed_lines", "lines"):
        check("%s: export: %s" % (name, key), have.get(("mtatop_%s_total" % names.get(key, key), "postfix"), 0), got["totals"][key])
    for status in ("sent", "deferred", "bounced", "rejected"):
        check("%s: export: by code: %s" % (name, status),
              sum(n for k, n in have.items() if k[0] == "mtatop_deliveries_by_code_total" and k[3] == status),
              sum(row["n"] for row in got["by_code"] if row["status"] == status))
    ports = {row["port"]: row for row in got["by_port"] if row["direction"] == "in"}
    for figure, key in (("connections", "connections"), ("messages", "accepted"), ("auth_failed", "auth_failed")):
        check("%s: export: by port: %s" % (name, key),
              {int(k[3]): n for k, n in have.items() if k[0] == "mtatop_service_%s_total" % figure and k[3]},
              {port: row[key] for port, row in ports.items()})
    served(name, mtatop, folder, cache, have)
    promtool = debs.program("prometheus", "usr/bin/promtool")
    if not promtool:
        print("skip %s: promtool check metrics (package prometheus can't be had)" % name)
        return
    done = subprocess.run([promtool, "check", "metrics"], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check("%s: promtool check metrics" % name, (done.returncode, done.stdout.decode(errors="replace")), (0, ""))


NEW_EACH_TIME = ("mtatop_source_", "mtatop_queue_")  # the clock is in them


def lasting_series(have):
    return {k: v for k, v in have.items() if not k[0].startswith(NEW_EACH_TIME)}


def served(name, mtatop, folder, cache, want):
    out = os.path.join(tempfile.mkdtemp(dir=folder), "mtatop.prom")
    run(mtatop, "export", "--cache", cache, "--output", out)
    with open(out) as f:
        check("%s: export --output" % name, lasting_series(series(f.read())), lasting_series(want))
    check("%s: export --output leaves nothing beside it" % name, os.listdir(os.path.dirname(out)), ["mtatop.prom"])
    written_again(name, mtatop, cache, out)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = subprocess.Popen([mtatop, "export", "--cache", cache, "--listen", str(port)], stdin=subprocess.DEVNULL, env=ENV)
    try:
        slow = connected(port)  # one that says nothing holds nobody up for longer than its time
        slow.sendall(b"GET /met")
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=DEADLINE_S) as answer:
            check("%s: export --listen" % name, lasting_series(series(answer.read().decode())), lasting_series(want))
            check("%s: export --listen: type" % name, answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        slow.close()
        with connected(port) as bad:
            bad.sendall(b"POST / HTTP/1.1\r\n\r\n")
            check("%s: export --listen: another path" % name, bad.recv(100)[:13], b"HTTP/1.1 404 ")
        server.terminate()
        check("%s: export --listen ends on SIGTERM" % name, server.wait(DEADLINE_S), 0)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def written_again(name, mtatop, cache, out):
    """--interval: the file is made anew, until SIGTERM."""
    writer = subprocess.Popen([mtatop, "export", "--cache", cache, "--output", out, "--interval", "1s"], stdin=subprocess.DEVNULL, env=ENV)
    try:
        before, times, end = written(out), 0, time.monotonic() + DEADLINE_S
        while times < 3 and time.monotonic() < end:
            now = written(out)
            times += now != before
            before = now
            time.sleep(0.02)
        check("%s: export --interval writes again" % name, times, 3)
        writer.terminate()
        check("%s: export --interval ends on SIGTERM" % name, writer.wait(DEADLINE_S), 0)
    finally:
        if writer.poll() is None:
            writer.kill()
            writer.wait()


def plugin(name, mtatop, cache, got):
    """`mtatop check` as Nagios calls it: one line, the status in the exit code, the report's figure in the perfdata."""
    def ask(*argv):
        done = subprocess.run([mtatop, "check", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
        return done.returncode, done.stdout.decode(), done.stderr.decode()
    deferred = got["queue"]["deferred"]
    for argv, status, word in ((("-w", "~:-1"), 1, "WARNING"), (("-c", "~:-1"), 2, "CRITICAL"), ((), 0, "OK")):
        wide = argv or ("-w", "0:1000000")
        code, line, errors = ask("queue-deferred", *wide, "--cache", cache)
        check("%s: check: %s" % (name, word), (code, line.startswith("MTATOP %s - " % word), line.count("\n"), errors), (status, True, 1, ""))
        check("%s: check: the figure" % name, "| deferred=%d;" % deferred in line, True)
    for argv in ((), ("nothing",), ("queue", "--bogus"), ("queue", "-w", "x"), ("queue", "--cache", "/nonexistent/c.db")):
        code, line, errors = ask(*argv)
        check("%s: check %s is UNKNOWN" % (name, " ".join(argv)), (code, line[:17], errors), (3, "MTATOP UNKNOWN - ", ""))


def connected(port):
    end = time.monotonic() + DEADLINE_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def fixtures(mtatop, folder):
    """Our own real runs: logs of a real Postfix kept as fixtures."""
    base = os.path.join(TOP, "tests", "fixtures", "truth")
    for log in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        path = os.path.join(base, log)
        name = "real run %s" % log
        got = report(mtatop, folder, path)
        compare_counter(name, got, independent(path))
        compare_pflogsumm(name, got, path)
        in_pieces(name, mtatop, folder, path, got)


def reached(mtatop, folder, seed):
    name = "failing hosts, seed %d" % seed
    log = os.path.join(folder, "reach-%d.log" % seed)
    reach.write(log, seed, REACH_LINES)
    got = report(mtatop, folder, log)
    compare_reach(name, got, independent(log)["reach"])
    in_pieces(name, mtatop, folder, log, got)
    killed(name, mtatop, folder, log, got)


def main(build):
    mtatop = os.path.join(build, "tui", "mtatop")
    with tempfile.TemporaryDirectory(prefix="mtatop-truth-") as folder:
        generated(mtatop, folder, "syslog", 1)
        generated(mtatop, folder, "rfc3339", 2, "4M")
        for seed in (3, 4, 5):
            generated(mtatop, folder, "syslog", seed, "2M")
        for seed in (1, 2):
            reached(mtatop, folder, seed)
        fixtures(mtatop, folder)


if __name__ == "__main__":
    main(sys.argv[1])
