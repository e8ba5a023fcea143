#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""truth/sendmail_queue - the queues of a real Sendmail in the cache against mailq, mailq -Ac and its files; by the files and by mailq's text.

  sendmail_queue.py BUILD_DIR      prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
The Sendmail is that of sendmail.py: Debian's, unpacked, on loopback in a mount namespace of its own, as root or not at all.
"""
import glob
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sendmail  # noqa: E402
from sendmail import DEADLINE_S, Server, Sink, check, debs, send  # noqa: E402

QUEUES = ["maildrop", "incoming", "active", "deferred", "hold", "corrupt"]
CONF = """
[postfix]
enabled = no
[exim]
enabled = no
[opensmtpd]
enabled = no
[sendmail]
log = {dir}/maillog
config = {config}
submit_config = {dir}/submit.cf
mailq = {dir}/mailq
"""
MAILQ = """#!/bin/sh
export LD_LIBRARY_PATH={dir}/lib TZ=UTC
case "$*" in *-Ac*) cf=submit ;; *) cf=sendmail ;; esac
exec unshare --mount --uts --propagation private sh {dir}/setup {dir}/sendmail -C {dir}/$cf.cf -bp "$@"
"""
HOUR_MS = 3600000
DAY_MS = 24 * HOUR_MS
ENTRY = re.compile(r"^(\w{14,})[* X?-] *(\d+) +-?\d+.\w{3} +\d+ [\d:]+ (.*)$")


def fill(server):
    """Two deferred messages, one held, one never tried, one that the submission did not hand on; one delivered."""
    send(server, "a@example.org", ["defer1@example.net", "defer2@example.com", "ok1@example.com"])
    send(server, "<>", ["defer3@example.net"])
    send(server, "a@example.org", ["ok2@example.com"], "LOCKUP")
    send(server, "a@example.org", ["ok3@example.com"])
    server.wait("both are tried", lambda: len(re.findall(r"stat=Deferred", server.log())) >= 3
                and len(re.findall(r"to=<ok[13]@.*stat=Sent", server.log())) == 2)
    server.wait("nothing is on its way", lambda: not glob.glob(os.path.join(server.dir, "mqueue", "[xt]f*")))
    server.run("-odq", "-f", "b@example.org", "ok4@example.com", "ok5@example.com", text=b"Subject: y\n\nhello, hello\n")
    server.run("-Ac", "-odq", "-f", "me@example.org", "ok6@example.com", cf="submit.cf", text=b"Subject: x\n\nhello\n")


class Slow(Sink):
    """One that takes its time for a message while `go` is not set."""
    go = threading.Event()

    def say(self, text):
        if text.startswith("354"):
            self.go.wait(DEADLINE_S)
        super().say(text)


def mailq(server, *words, cf="sendmail.cf"):
    """id -> (size, sender, recipients) by mailq -v."""
    got, last = {}, None
    for line in server.run("-bp", "-v", *words, cf=cf).stdout.decode().splitlines():
        found = ENTRY.match(line)
        if found:
            last = got[found.group(1)] = (int(found.group(2)), found.group(3).strip("<>"), [])
        elif last and line.startswith("\t\t\t\t\t\t") and "(---" not in line:
            last[2].append(line.strip().strip("<>"))
    return {qid: (size, sender, sorted(rcpts)) for qid, (size, sender, rcpts) in got.items()}


def files(server):
    """id -> (arrival, last try) by the control files."""
    got = {}
    for path in glob.glob(os.path.join(server.dir, "*queue", "[qh]f*")):
        with open(path, encoding="latin-1") as f:
            lines = {line[0]: line[1:].strip() for line in f if line[0] in "TK"}
        got[os.path.basename(path)[2:]] = (int(lines["T"]) * 1000, int(lines["K"]) * 1000)
    return got


class Cache:
    def __init__(self, build, server, name, config):
        self.path = os.path.join(server.dir, name)
        conf = server.write(name + ".conf", CONF.format(dir=server.dir, config=config))
        subprocess.run([os.path.join(build, "tui", "mtatop"), "collect", "--until-caught-up", "--config", conf, "--cache", self.path],
                       check=True, env=dict(os.environ, TZ="UTC"), timeout=DEADLINE_S)

    def sql(self, query):
        db = sqlite3.connect("file:%s?mode=ro" % self.path, uri=True)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def queue(self, name):
        """id -> (size, sender, recipients) of one queue."""
        rcpts = {}
        for qid, rcpt in self.sql("SELECT qid, rcpt FROM queue_recipient"):
            rcpts.setdefault(qid, []).append(rcpt)
        return {qid: (size, sender, sorted(rcpts[qid])) for qid, size, sender in self.sql(
            "SELECT qid, size, sender FROM queue_message WHERE queue = %d" % QUEUES.index(name))}


def by_files(name, build, server):
    cache = Cache(build, server, "files.db", os.path.join(server.dir, "sendmail.cf"))
    waiting = mailq(server)
    check(name + ": mailq has four", len(waiting), 4)
    check(name + ": deferred, incoming, active", {**cache.queue("deferred"), **cache.queue("incoming"), **cache.queue("active")}, waiting)
    check(name + ": active is what is being delivered", [row[1] for row in cache.queue("active").values()], ["c@example.org"])
    check(name + ": incoming is what was never tried", [row[1] for row in cache.queue("incoming").values()], ["b@example.org"])
    check(name + ": hold", cache.queue("hold"), mailq(server, "-qQ"))
    check(name + ": maildrop", cache.queue("maildrop"), mailq(server, "-Ac", cf="submit.cf"))
    check(name + ": one each", (len(cache.queue("hold")), len(cache.queue("maildrop"))), (1, 1))
    times = files(server)
    rows = cache.sql("SELECT qid, arrival_ms, queue, next_retry_ms, expires_ms FROM queue_message")
    check(name + ": arrival", {r[0]: r[1] for r in rows}, {qid: t for qid, (t, _) in times.items()})
    waits = [r for r in rows if QUEUES[r[2]] in ("deferred", "incoming")]
    check(name + ": given up after 5 days", {r[4] - r[1] for r in waits}, {5 * DAY_MS})
    check(name + ": next try an hour after the last", {r[0]: r[3] for r in waits if QUEUES[r[2]] == "deferred"},
          {r[0]: times[r[0]][1] + HOUR_MS for r in waits if QUEUES[r[2]] == "deferred"})
    check(name + ": reasons", {r[0] for r in cache.sql("SELECT reason FROM queue_recipient WHERE rcpt LIKE 'defer%'")},
          {"Deferred: 451 4.7.1 try again"})
    hosts = [n for _, _, names in os.walk(os.path.join(server.dir, "hoststat")) for n in names]
    detail = " ".join(str(value) for row in cache.sql("SELECT * FROM source") for value in row)
    check(name + ": hoststat", "hoststat: %d hosts, 0 failing" % len(hosts) in detail and len(hosts) > 0, True)


def by_text(name, build, server):
    cache = Cache(build, server, "text.db", os.path.join(server.dir, "none.cf"))
    check(name + ": waiting", {**cache.queue("deferred"), **cache.queue("incoming"), **cache.queue("active")}, mailq(server))
    check(name + ": active", [row[1] for row in cache.queue("active").values()], ["c@example.org"])
    check(name + ": maildrop", cache.queue("maildrop"), mailq(server, "-Ac", cf="submit.cf"))
    times, rows = files(server), cache.sql("SELECT qid, arrival_ms FROM queue_message")
    check(name + ": arrival by the id", [abs(t - times[qid][0]) <= 1000 for qid, t in rows], [True] * 5)


def doctor(name, build, server):
    conf = os.path.join(server.dir, "files.db.conf")
    said = subprocess.run([os.path.join(build, "tui", "mtatop"), "doctor", "--config", conf], env=dict(os.environ, TZ="UTC"),
                          stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False).stdout.decode()
    for line in ("ok  sendmail.cf: %s/sendmail.cf" % server.dir, "ok  queue: from its files, %s/mqueue" % server.dir,
                 "ok  next try: by the -q of the daemon, from its pid file", "ok  submissions: from its files, %s/clientmqueue" % server.dir,
                 "--  LogLevel: connections are not logged below 12, and unknown here; all else is"):
        check("%s: doctor: %s" % (name, line.split(":")[0]), line in said or said, True)


def main(argv):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        print("skip sendmail_queue (must be root, with unshare, to run one of its own)")
        return 0
    roots = {package: debs.fetch(package) for package in sendmail.PACKAGES}
    missing = [package for package, root in roots.items() if not root]
    if missing:
        print("skip sendmail_queue (packages that can't be had: %s)" % " ".join(missing))
        return 0
    folder = tempfile.mkdtemp(prefix="mtatop-sendmail-", dir="/run")
    os.mkdir(os.path.join(folder, "hoststat"))
    with Server(("127.0.0.1", 0), Slow) as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        server = sendmail.Sendmail(folder, roots, sink.server_address[1], 9,
                                   "define(`confHOST_STATUS_DIRECTORY', `%s/hoststat')\n" % folder)
        server.write("setup", sendmail.SETUP.format(dir=folder))
        os.chmod(server.write("mailq", MAILQ.format(dir=folder)), 0o755)
        try:
            if not server.start("-q1h"):
                print("skip sendmail_queue (it can't run here)")
                return 0
            Slow.go.set()
            fill(server)
            Slow.go.clear()
            send(server, "c@example.org", ["ok7@example.com"])
            server.wait("it is on its way", lambda: re.search(r"^\w{14,}\*", server.run("-bp").stdout.decode(), re.M))
            by_files("sendmail's queue files", argv[0], server)
            doctor("sendmail", argv[0], server)
            by_text("sendmail's mailq", argv[0], server)
        finally:
            Slow.go.set()
            server.stop()
            sink.shutdown()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
