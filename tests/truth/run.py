#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""truth/run - the store's figures against counters that share no code with it.

  run.py BUILD_DIR      prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
Counters: tests/truth/count_postfix.py (ours, its own regexes), the generator's own ledger
(../shared/tools/gen-maillog) and pflogsumm. Where a definition differs the difference is computed, not waived.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.path.dirname(TOP), "shared")
GENERATOR = os.path.join(SHARED, "tools", "gen-maillog")
BYTES = os.environ.get("MTATOP_TRUTH_BYTES", "20M")
ENV = dict(os.environ, TZ="UTC")


def check(name, got, want):
    if got == want:
        print("ok", name)
    else:
        print("    got %s\n    want %s" % (short(got), short(want)))
        print("FAIL", name)


def short(value):
    text = json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else repr(value)
    return text if len(text) < 600 else text[:600] + " ..."


def run(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    if done.returncode:
        print("FAIL %s: exit %d: %s" % (os.path.basename(argv[0]), done.returncode, done.stderr.decode(errors="replace")[-500:]))
        raise SystemExit(1)
    return done.stdout


def report(mtatop, folder, *logs):
    cache = os.path.join(folder, "cache-%s.db" % os.path.basename(logs[0]))
    argv = [mtatop, "collect", "--until-caught-up", "--cache", cache]
    for log in logs:
        argv += ["--log", log]
    run(*argv)
    return json.loads(run(mtatop, "report", "--format", "json", "--cache", cache))


VOLATILE = ("generated", "until", "age_s", "detail")  # of the run, not of the log
PIECES, KILLS = 12, 6
DEADLINE_S = 60


def lasting(value):
    """A report without what differs from run to run."""
    if isinstance(value, dict):
        return {k: lasting(v) for k, v in value.items() if k not in VOLATILE}
    return [lasting(v) for v in value] if isinstance(value, list) else value


def in_pieces(name, mtatop, folder, log, want):
    """The log as it grows, its last line often torn, a new process for every piece."""
    folder = tempfile.mkdtemp(dir=folder)
    grown = os.path.join(folder, "grown.log")
    with open(log, "rb") as f:
        text = f.read()
    cuts = sorted(random.Random(7).randrange(len(text)) for _ in range(PIECES - 1)) + [len(text)]
    at = 0
    with open(grown, "wb") as f:
        for cut in cuts:
            f.write(text[at:cut])
            f.flush()
            at = cut
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
    ports_in = {str(r["port"]): {k: r[k] for k in ("connections", "accepted", "rejected")}
                for r in got["by_port"] if r["direction"] == "in" and r["port"]}
    # A service without a stock port has a port of null with us; the counter names it by its tag.
    want_in = {port: n for port, n in want["by_port"]["in"].items() if port.isdigit()}
    check("%s: by port in" % name, ports_in, want_in)


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
    """pflogsumm counts `sent` per recipient like us; 'received' leaves out what its regex of services misses."""
    text = run("pflogsumm", log).decode(errors="replace")
    figures = {m.group(2): int(m.group(1)) for m in
               re.finditer(r"^ +(\d+)[ k]? +(delivered|deferred|bounced|rejected)\b", text, re.M)}
    deferrals = re.search(r"deferred +\((\d+) +deferrals\)", text)
    check("%s: pflogsumm: sent" % name, got["totals"]["sent"], figures.get("delivered"))
    check("%s: pflogsumm: bounced" % name, got["totals"]["bounced"], figures.get("bounced"))
    check("%s: pflogsumm: rejected" % name, got["totals"]["rejected"], figures.get("rejected"))
    if deferrals:
        check("%s: pflogsumm: deferred attempts" % name, got["totals"]["deferred_attempts"], int(deferrals.group(1)))


def generated(mtatop, folder, form, seed):
    name = "gen-maillog %s %s seed %d" % (BYTES, form, seed)
    if not os.path.exists(GENERATOR):
        print("skip %s (no ../shared beside the checkout)" % name)
        return
    log = os.path.join(folder, "gen-%s.log" % form)
    run("/usr/bin/python3", GENERATOR, "--bytes", BYTES, "--format", form, "--seed", str(seed), "--out", log)
    got = report(mtatop, folder, log)
    compare_counter(name, got, independent(log))
    with open(log + ".json") as f:
        compare_ledger(name, got, json.load(f))
    in_pieces(name, mtatop, folder, log, got)
    killed(name, mtatop, folder, log, got)
    if form == "syslog":
        compare_pflogsumm(name, got, log)


def fixtures(mtatop, folder):
    """Our own real runs: logs of a real Postfix kept as fixtures."""
    base = os.path.join(TOP, "tests", "fixtures", "truth")
    for log in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        path = os.path.join(base, log)
        got = report(mtatop, folder, path)
        compare_counter("real run %s" % log, got, independent(path))
        in_pieces("real run %s" % log, mtatop, folder, path, got)


def main(build):
    mtatop = os.path.join(build, "tui", "mtatop")
    with tempfile.TemporaryDirectory(prefix="mtatop-truth-") as folder:
        generated(mtatop, folder, "syslog", 1)
        generated(mtatop, folder, "rfc3339", 2)
        fixtures(mtatop, folder)


if __name__ == "__main__":
    main(sys.argv[1])
