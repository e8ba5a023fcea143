#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""truth/exchange - an organisation made up by exchange_made: `mtatop report` against its ledger and a count of our own.

  exchange.py BUILD_DIR      prints `ok NAME` or `FAIL NAME` a check
The ledger is kept as the mail is made up. The count of our own reads the files with Python's csv module and knows nothing of the
ledger. Both must be what mtatop says, for the columns of each version.
"""
import collections
import csv
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

import exchange_made as made

HOURS, MAIL = 3, 40


def check(name, got, want):
    if got == want:
        print("ok", name)
    else:
        print("    got  %s\n    want %s\nFAIL %s" % (got, want, name))


def records(path):
    """Dicts of the rows by the header above them."""
    fields = None
    with open(path, encoding="utf-8-sig", newline="") as f:
        for row in csv.reader(f):
            if row and row[0].startswith("#Fields: "):
                fields = [row[0][9:]] + row[1:]
            elif row and not row[0].startswith("#"):
                yield dict(zip(fields, row))


def independent(top):
    n, ids, ports = collections.Counter(), {}, collections.Counter()  # ids: its first arrival, and for how many
    for path in glob.glob(os.path.join(top, "*", "MessageTracking", "*.LOG")):
        for r in records(path):
            n["lines"] += 1
            event, count = r["event-id"], len([a for a in r["recipient-address"].split(";") if a])
            key = r.get("network-message-id") or r["internal-message-id"]
            if event in ("RECEIVE", "DSN"):
                ids[key] = min(ids.get(key, (r["date-time"], count)), (r["date-time"], count))
                n["notifications"] += event == "DSN"
            elif event == "EXPAND":
                n["recipients"] += count - 1
            elif event == "SEND" and r["connector-id"].startswith("Intra-Organization"):
                n["handed_over"] += count
            elif event in ("DELIVER", "SEND", "SENDEXTERNAL"):
                n["sent"] += count
            elif event in ("FAIL", "DEFER"):
                n["bounced" if event == "FAIL" else "deferred_attempts"] += count
    for path in glob.glob(os.path.join(top, "*", "SmtpReceive", "*.LOG")):
        for r in records(path):
            n["lines"] += 1
            port, said = int(r["local-endpoint"].rsplit(":", 1)[1]), r["data"] if r["event"] == ">" else ""
            ports[port, "connections"] += r["event"] == "+"
            refused = said[:3] in ("550", "452")
            n["rejected"] += refused
            n["rejected_temporary"] += said[:3] == "452"
            ports[port, "rejected"] += refused
            ports[port, "accepted"] += said.startswith("250 2.6.0")
            ports[port, "auth_ok"] += said.startswith("235")
            ports[port, "auth_failed"] += said.startswith("535")
            ports[port, "tls"] += r["context"].startswith("TLS protocol")
    for kind in ("SmtpSend", "Connectivity"):
        for path in glob.glob(os.path.join(top, "*", kind, "*.LOG")):
            n["lines"] += sum(1 for _ in records(path))
    n["messages"] = len(ids)
    n["recipients"] += sum(count for _, count in ids.values())
    return n, ports


def run_mtatop(mtatop, folder, words):
    """The report of a collection with a cache of its own."""
    cache = os.path.join(folder, "cache.db")
    for old in glob.glob(cache + "*"):
        os.unlink(old)
    env = dict(os.environ, TZ="UTC")
    subprocess.run([mtatop, "collect", "--until-caught-up", "--cache", cache, *words], check=True, env=env, timeout=300)
    return json.loads(subprocess.run([mtatop, "report", "--format", "json", "--cache", cache], check=True, env=env,
                                     stdout=subprocess.PIPE, timeout=60).stdout)


def by_port(report):
    return {(p["port"], what): p[key] or 0 for p in report["by_port"] if p.get("direction", "in") == "in" and p["port"]
            for what, key in (("connections", "connections"), ("accepted", "accepted"), ("rejected", "rejected"),
                              ("auth_ok", "auth_ok"), ("auth_failed", "auth_failed"), ("tls", "tls"))}


def one(mtatop, version, servers):
    name = "exchange %s, %d server%s" % (version, servers, "" if servers == 1 else "s")
    folder = tempfile.mkdtemp(prefix="mtatop-exchange-")
    org = made.Org(version, servers, seed=len(version) + servers)
    files = made.Files(os.path.join(folder, "logs"), org)
    folders = files.folders()
    for _ in range(HOURS):
        files.write(org.hour(MAIL))
    files.flush()
    conf = os.path.join(folder, "mtatop.conf")
    with open(conf, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
        f.write("[mtatop]\nread_back = 3650d\n[postfix]\nenabled = no\n[exchange org]\nfolder = %s\n" % ", ".join(folders))
    got = run_mtatop(mtatop, folder, ["--config", conf])
    counted, ports = independent(os.path.join(folder, "logs"))
    check(name + ": the provider", [(p["name"], p["kind"]) for p in got["providers"]], [("exchange-org", "exchange")])
    for key in ("messages", "recipients", "sent", "bounced", "deferred_attempts", "handed_over", "notifications", "rejected",
                "rejected_temporary"):
        check("%s: %s, by the ledger" % (name, key), got["totals"][key], org.ledger[key])
        check("%s: %s, by the files" % (name, key), got["totals"][key], counted[key])
    check(name + ": first_try, by the ledger", got["totals"]["first_try"], org.ledger["first_try"])
    check(name + ": lines, by the files", got["totals"]["lines"], counted["lines"])
    check(name + ": every record is understood", got["totals"]["unparsed_lines"], 0)
    check(name + ": in the queue", sum(n or 0 for q, n in got["queue"].items() if q in ("active", "deferred", "incoming")), org.in_queue())
    shown = by_port(got)
    for want, whose in ((org.ports, "ledger"), (ports, "files")):
        check("%s: ports, by the %s" % (name, whose), {k: shown.get(k) for k, v in want.items() if v}, {k: v for k, v in want.items() if v})
    whole = run_mtatop(mtatop, folder, [w for path in sorted(p for p in files.names if "MSGTRK2" in p) for w in ("--log", path)])
    check(name + ": --log of the tracking log alone", (whole["totals"]["messages"], whole["totals"]["bounced"]),
          (org.ledger["messages"], org.ledger["bounced"]))
    shutil.rmtree(folder)


def main(argv):
    mtatop = os.path.join(argv[0], "tui", "mtatop")
    for version, servers in (("2007", 1), ("2010", 1), ("2013", 1), ("2013", 2), ("2016", 1), ("2019", 3), ("SE", 2)):
        one(mtatop, version, servers)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
