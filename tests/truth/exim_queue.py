#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""truth/exim_queue - the queue of a real Exim in the cache against `exim -bp` and exipick; actions that act.

  exim_queue.py BUILD_DIR      prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
The Exim is that of exim.py: Debian's, unpacked, on loopback, as root or not at all.
"""
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import exim  # noqa: E402
from exim import DEADLINE_S, check, debs, send  # noqa: E402

PACKAGES = exim.PACKAGES + ("libdb5.3",)
QUEUES = ["maildrop", "incoming", "active", "deferred", "hold", "corrupt"]
CONF = """
[postfix]
enabled = no
[opensmtpd]
enabled = no
[exim]
program = {program}
"""


class Queue:
    """A real Exim with five deferred messages, and mtatop on it."""

    def __init__(self, build, roots, folder, sink):
        self.roots, self.folder = roots, folder
        self.mtatop, self.tool = os.path.join(build, "tui", "mtatop"), os.path.join(build, "tests", "job_tool")
        self.mta = exim.Exim(folder, roots, sink, "+smtp_protocol_error")
        shutil.copy(next(iter(self.libs("libdb5.3"))), os.path.join(folder, "lib"))
        bin_folder = os.path.join(folder, "bin")
        os.mkdir(bin_folder)
        self.wrap("bin/exim", self.mta.argv())
        self.wrap("bin/exim_dumpdb", [os.path.join(roots["exim4-base"], "usr/sbin/exim_dumpdb")])
        self.cache = os.path.join(folder, "cache.db")
        self.conf = self.mta.write("mtatop.conf", CONF.format(program=os.path.join(bin_folder, "exim")))
        self.env = dict(os.environ, TZ="UTC")

    def libs(self, package):
        for folder, _, names in os.walk(self.roots[package]):
            for name in names:
                if ".so" in name:
                    yield os.path.join(folder, name)

    def wrap(self, name, argv):
        """A program that is argv with Exim's environment: what an installed one needs none of."""
        lines = ["#!/bin/sh"] + ["export %s='%s'" % item for item in self.mta.env.items() if item[0] != "PATH"]
        path = self.mta.write(name, "\n".join(lines + ["%s%s \"$@\"" % ("" if " " in argv[0] else "exec ", " ".join(argv))]) + "\n")
        os.chmod(path, 0o755)
        return path

    def collect(self):
        subprocess.run([self.mtatop, "collect", "--until-caught-up", "--config", self.conf, "--cache", self.cache], check=True,
                       env=self.env, timeout=DEADLINE_S)

    def doctor(self):
        done = subprocess.run([self.mtatop, "doctor", "--config", self.conf, "--cache", self.cache], env=self.env, check=False,
                              stdout=subprocess.PIPE, timeout=DEADLINE_S)
        return done.stdout.decode().splitlines()

    def sql(self, query):
        db = sqlite3.connect("file:%s?mode=ro" % self.cache, uri=True)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def rows(self):
        names = "qid arrival_ms queue sender size nrcpt rcpt reason next_retry_ms expires_ms".split()
        return {r[0]: dict(zip(names, r)) for r in self.sql("SELECT %s FROM queue_message" % ", ".join(names))}

    def recipients(self):
        got = {}
        for qid, rcpt in self.sql("SELECT qid, rcpt FROM queue_recipient"):
            got.setdefault(qid, []).append(rcpt)
        return got

    def act(self, verb, *rows):
        words = [w for r in rows for w in (r["qid"], r["sender"], str(r["arrival_ms"] // 1000))]
        done = subprocess.run([self.tool, self.conf, self.cache, "exim", "act", verb, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.env, timeout=DEADLINE_S, check=False)
        return done.stdout.decode().splitlines()[-1]

    def header(self, qid):
        """Lines of the spool's header file; [] when the message is gone."""
        path = os.path.join(self.folder, "spool", "input", qid + "-H")
        if not os.path.exists(path):
            return []
        with open(path, encoding="latin-1") as f:
            return f.read().split("\n")

    def frozen(self, qid):
        return any(line.startswith("-frozen ") for line in self.header(qid))


def listed(text):
    """{id: (size, sender, frozen, [recipients left])} of the text of `exim -bp` (and of exipick, which prints alike)."""
    found, current = {}, None
    for line in text.splitlines():
        head = re.match(r"^ *\d+[mhdw] +(\S+) (\S+) <(.*)>( \*\*\* frozen \*\*\*)?$", line)
        if head:
            current = head.group(2)
            found[current] = (head.group(1), head.group(3), bool(head.group(4)), [])
        elif current and line.startswith("          "):
            found[current][3].append(line[10:])
    return found


def next_tries(q):
    """{address: next try} by exim_dumpdb, read by this script's own pattern."""
    program = os.path.join(q.roots["exim4-base"], "usr/sbin/exim_dumpdb")
    text = subprocess.run([program, "-z", os.path.join(q.folder, "spool"), "retry"], env=q.mta.env, stdout=subprocess.PIPE,
                          check=True, timeout=DEADLINE_S).stdout.decode()
    pattern = r"R:([^:]+@[^:]+):<.*> -\d+ .*\n\S+ \S+  \S+ \S+  (\S+ \S+)"
    return {a: subprocess.check_output(["date", "-u", "-d", t, "+%s"]).decode().strip() for a, t in re.findall(pattern, text)}


def check_listing(q, name, program):
    want = listed(q.mta.run("-bp"))
    picked = subprocess.run(["perl", os.path.join(q.roots["exim4-base"], "usr/sbin/exipick"), "-spool",
                             os.path.join(q.folder, "spool")], stdout=subprocess.PIPE, check=True, timeout=DEADLINE_S)
    check(name + ": exipick and exim -bp agree", {k: (v[:3], sorted(v[3])) for k, v in listed(picked.stdout.decode()).items()},
          {k: (v[:3], sorted(v[3])) for k, v in want.items()})
    got, recipients = q.rows(), q.recipients()
    check(name + ": the messages", sorted(got), sorted(want))
    check(name + ": sizes", {k: str(r["size"]) for k, r in got.items()}, {k: v[0] for k, v in want.items()})
    check(name + ": senders", {k: r["sender"] for k, r in got.items()}, {k: v[1] for k, v in want.items()})
    check(name + ": frozen", {k: r["queue"] == 4 for k, r in got.items()}, {k: v[2] for k, v in want.items()})
    check(name + ": recipients left", {k: sorted(v) for k, v in recipients.items()}, {k: sorted(v[3]) for k, v in want.items()})
    check(name + ": arrivals", {k: r["arrival_ms"] // 1000 for k, r in got.items()},
          {k: int(q.header(k)[3].split()[0]) for k in want})
    depth = dict(zip(QUEUES, q.sql("SELECT %s FROM queue_sample ORDER BY t_ms DESC LIMIT 1" % ", ".join(QUEUES))[0]))
    frozen = sum(v[2] for v in want.values())
    check(name + ": depth", (depth["deferred"], depth["hold"], depth["maildrop"]), (len(want) - frozen, frozen, None))


def check_details(q):
    tries = next_tries(q)
    for qid, row in q.rows().items():
        if row["queue"] != 3:
            check("frozen: no next try", row["next_retry_ms"], None)
            continue
        check("expires: not known", row["expires_ms"], None)
        check("why %s" % row["rcpt"], "451 4.7.1 try again" in (row["reason"] or ""), True)
        soonest = min(int(tries[a.replace('"', "").lower()]) for a in q.recipients()[qid])
        check("next try of %s" % row["rcpt"], row["next_retry_ms"], soonest * 1000)


def check_actions(q):
    rows = sorted(q.rows().values(), key=lambda r: r["qid"])
    a, b, c, d = [r for r in rows if r["sender"] and r["queue"] == 3][:4]
    other, gone = dict(b, sender="x@y.example"), dict(c, qid="1xWInj-0002Tc-1o")
    odd, older = dict(d, qid="-Mrm"), dict(d, arrival_ms=d["arrival_ms"] - 1000)
    check("freeze", q.act("hold", a, b), "= 2 of 2 frozen")
    check("freeze: the spool says so", [q.frozen(r["qid"]) for r in (a, b, c)], [True, True, False])
    check("freeze what is frozen", q.act("hold", a), "= 0 of 1 frozen, 1 left alone by Exim")
    check("thaw", q.act("release", a), "= 1 of 1 thawed")
    check("thaw: the spool says so", [q.frozen(r["qid"]) for r in (a, b)], [False, True])
    check("only what is still the same", q.act("delete", other, gone, odd, older),
          "= 0 of 4 removed, 1 no longer in the queue, 2 other messages now, 1 no queue ids")
    check("nothing was removed", all(q.header(r["qid"]) for r in (b, d)), True)
    check("remove", q.act("delete", b), "= 1 of 1 removed")
    check("remove: it is gone", q.header(b["qid"]), [])
    before = q.mta.log().count("%s == " % c["qid"])
    check("deliver now", q.act("requeue", c), "= 1 of 1 given to delivery")
    q.mta.wait("it is tried", lambda: q.mta.log().count("%s == " % c["qid"]) == before + 1)
    check("give up", q.act("expire", d), "= 1 of 1 given up")
    q.mta.wait("it is returned", lambda: "<= <> R=%s " % d["qid"] in q.mta.log())
    check("flush", q.act("flush")[:8], "= every ")
    check("headers", q.act("headers", a), "= headers of %s" % a["qid"])
    logged = q.sql("SELECT verb, asked, done FROM action ORDER BY id")
    check("the log of actions", logged, [("hold", 2, 2), ("hold", 1, 0), ("release", 1, 1), ("delete", 4, 0), ("delete", 1, 1),
                                         ("requeue", 1, 1), ("expire", 1, 1), ("flush", 0, 0)])


def check_listing_only(q):
    """Where the spool is not known, `exim -bpru` is the queue; where Exim refuses that, too, the log is."""
    q.wrap("bin/exim", ["if test \"$1\" = -bP; then echo log_file_path = %s/log/%%slog; exit; fi\nexec" % q.folder, *q.mta.argv()])
    q.cache = os.path.join(q.folder, "listing.db")
    q.collect()
    want, got = listed(q.mta.run("-bp")), q.rows()
    check("by its listing: the messages", sorted(got), sorted(want))
    check("by its listing: sizes under 1 KiB", {k: str(r["size"]) for k, r in got.items()}, {k: v[0] for k, v in want.items()})
    check("by its listing: frozen", {k: r["queue"] == 4 for k, r in got.items()}, {k: v[2] for k, v in want.items()})
    check("by its listing: recipients left", {k: sorted(v) for k, v in q.recipients().items()},
          {k: sorted(v[3]) for k, v in want.items()})
    check("by its listing: arrivals", {k: r["arrival_ms"] // 1000 for k, r in got.items()},
          {k: int(q.header(k)[3].split()[0]) for k in want})
    check("by its listing: no more is claimed", {(r["next_retry_ms"], r["reason"]) for r in got.values()}, {(None, None)})
    check("by its listing: depth", q.sql("SELECT incoming, active, deferred + hold, corrupt, source FROM queue_sample "
                                         "ORDER BY t_ms DESC LIMIT 1"), [(None, None, len(want), None, 4)])
    check("by its listing: doctor", [line for line in q.doctor() if "queue: " in line],
          ["ok  queue: by exim -bp, %d messages; reasons and next tries are in the spool alone" % len(want)])
    row = next(iter(got.values()))
    check("by its listing: an action", q.act("delete", row, dict(row, qid="1xWInj-0002Tc-1o")),
          "= 1 of 2 removed, 1 no longer in the queue")
    check("by its listing: it is gone", q.header(row["qid"]), [])
    refuse = "if test \"$1\" = -bpru; then echo exim: permission denied >&2; exit 1; fi\n"
    q.wrap("bin/exim", [refuse + "if test \"$1\" = -bP; then echo log_file_path = %s/log/%%slog; exit; fi\nexec" % q.folder,
                        *q.mta.argv()])
    q.cache = os.path.join(q.folder, "log.db")
    q.collect()
    check("refused: doctor", [line for line in q.doctor() if "queue: " in line],
          ["!!  queue: Exim shows its queue to its admins alone: add this user to the group of its spool"])
    check("refused: by the log", q.sql("SELECT source FROM queue_sample ORDER BY t_ms DESC LIMIT 1"), [(3,)])
    check("refused: said so", q.sql("SELECT detail LIKE 'Exim shows its queue to its admins alone%' FROM source WHERE "
                                    "name='queue'"), [(1,)])


def main(argv):
    if os.geteuid() != 0:
        print("skip exim queue (must be root to run one of its own)")
        return 0
    roots = {package: debs.fetch(package) for package in PACKAGES}
    missing = [package for package, root in roots.items() if not root]
    if missing:
        print("skip exim queue (packages that can't be had: %s)" % " ".join(missing))
        return 0
    folder = tempfile.mkdtemp(prefix="mtatop-exim-")
    with exim.Server(("127.0.0.1", 0), exim.Sink) as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        q = Queue(argv[0], roots, folder, sink.server_address[1])
        try:
            for i in range(4):
                send(q.mta, "a@example.org", ["defer%d@example.net" % i])
            send(q.mta, "a@example.org", ["deferA@example.net", "ok1@example.net", '"x y"@defer.example', "deferB@example.com"])
            send(q.mta, "", ["deferN@example.net"])
            q.mta.wait("all were tried", lambda: q.mta.log().count(" == ") == 8 and q.mta.log().count(" => ") == 1)
            q.collect()
            check_listing(q, "deferred", None)
            q.mta.run("-Mf", next(qid for qid, r in q.rows().items() if r["sender"] == ""))
            q.collect()
            check_listing(q, "one frozen", None)
            check_details(q)
            check("doctor", {line for line in q.doctor() if "queue: " in line or "next tries: " in line},
                  {"ok  queue: from %s/spool" % folder, "ok  next tries: %s/bin/exim_dumpdb" % folder})
            check_actions(q)
            check_listing_only(q)
        finally:
            q.mta.stop()
            sink.shutdown()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
