#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""truth/opensmtpd - a real OpenSMTPD sends, defers, bounces and refuses: its log and queue in the cache against smtpctl.

  opensmtpd.py BUILD_DIR      prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
The OpenSMTPD is Debian's, unpacked and never installed (tests/debs.py). smtpd has its folders, users and configuration built
in: it runs, with mtatop beside it, in a root of its own (an overlay over this system's, in a mount namespace that ends with
this script), on loopback, as root or not at all.
"""
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import exim  # noqa: E402
from exim import DEADLINE_S, check, debs, send  # noqa: E402

INSIDE = "--inside"
DAEMON_ID, QUEUE_ID = 8991, 8992
CONFIG = """
listen on 127.0.0.1 port {port} hostname mx.here.example
action "out" relay host smtp://127.0.0.1:{sink}
match from any for domain "refused.example" reject
match from any for any action "out"
"""
CONF = "[postfix]\nenabled = no\n[exim]\nenabled = no\n"
USERS = "opensmtpd:x:{0}:{0}::/var/lib/opensmtpd/empty:/bin/false\nopensmtpq:x:{1}:{1}::/var/lib/opensmtpd/empty:/bin/false\n"
GROUPS = "opensmtpd:x:{0}:\nopensmtpq:x:{1}:\n"
STAMP_BYTES = 16  # "Nov 25 20:17:02 " of a syslog datagram, behind <PRI>


def mount(*words):
    subprocess.run(["mount", *words], check=True, stdin=subprocess.DEVNULL)


class Root:
    """A root folder with OpenSMTPD in it, and a syslog that writes /var/log/mail.log."""

    def __init__(self, package, build):
        self.base = tempfile.mkdtemp(prefix="mtatop-smtpd-")
        mount("-t", "tmpfs", "none", self.base)
        for name in ("upper/usr", "upper/etc", "work", "root"):
            os.makedirs(os.path.join(self.base, name))
        os.chmod(self.base, 0o755)
        for name in ("usr/sbin", "usr/libexec", "usr/bin"):  # not lib: that would hide the system's
            shutil.copytree(os.path.join(package, name), os.path.join(self.base, "upper", name), symlinks=True)
        self.root = os.path.join(self.base, "root")
        mount("-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir=%s,workdir=%s" % (
            os.path.join(self.base, "upper"), os.path.join(self.base, "work")), self.root)
        mount("--bind", "/proc", self.path("proc"))
        mount("-t", "tmpfs", "none", self.path("dev"))
        for name in ("null", "zero", "urandom", "random"):
            self.write("dev/" + name, "")
            mount("--bind", "/dev/" + name, self.path("dev/" + name))
        os.mkdir(self.path("mnt/build"))
        mount("--bind", build, self.path("mnt/build"))
        self.write("etc/passwd", USERS.format(DAEMON_ID, QUEUE_ID), "a")
        self.write("etc/group", GROUPS.format(DAEMON_ID, QUEUE_ID), "a")
        for name in ("var/lib/opensmtpd/empty", "var/spool/smtpd"):
            os.makedirs(self.path(name), 0o711)
        os.chown(self.path("usr/sbin/smtpctl"), 0, QUEUE_ID)
        os.chmod(self.path("usr/sbin/smtpctl"), 0o2755)
        self.write("var/log/mail.log", "")
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind(self.path("dev/log"))
        os.chmod(self.path("dev/log"), 0o666)
        threading.Thread(target=self.write_log, daemon=True).start()

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text, mode="w"):
        with open(self.path(name), mode, encoding="utf-8") as f:
            f.write(text)

    def write_log(self):
        with open(self.path("var/log/mail.log"), "ab", 0) as log:
            while True:
                line = self.syslog.recv(65536)
                line = line[line.index(b">") + 1:].rstrip(b"\n")
                log.write(line[:STAMP_BYTES] + b"mx1 " + line[STAMP_BYTES:] + b"\n")

    def log(self):
        with open(self.path("var/log/mail.log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def run(self, *argv, ok=True):
        done = subprocess.run(["chroot", self.root, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=DEADLINE_S, check=False, env={"PATH": "/usr/sbin:/usr/bin", "TZ": "UTC"})
        if ok and done.returncode:
            raise RuntimeError("%s: %s" % (argv, done.stdout.decode()))
        return done.stdout.decode()

    def ctl(self, *words):
        return self.run("/usr/sbin/smtpctl", *words)

    def wait(self, what, condition):
        end = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError("%s: not in time\n%s" % (what, self.log()))
            time.sleep(0.05)


class Mtatop:
    """mtatop in the same root."""

    def __init__(self, root):
        self.root = root
        root.write("tmp/mtatop.conf", CONF)
        self.cache = "/mnt/build-cache.db"

    def collect(self):
        self.root.run("/mnt/build/tui/mtatop", "collect", "--until-caught-up", "--config", "/tmp/mtatop.conf", "--cache", self.cache)

    def report(self):
        return json.loads(self.root.run("/mnt/build/tui/mtatop", "report", "--format", "json", "--cache", self.cache))

    def doctor(self):
        return self.root.run("/mnt/build/tui/mtatop", "doctor", "--config", "/tmp/mtatop.conf", "--cache", self.cache, ok=False).splitlines()

    def sql(self, query):
        db = sqlite3.connect("file:%s?mode=ro" % self.root.path(self.cache[1:]), uri=True)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def rows(self):
        names = "qid arrival_ms queue sender size nrcpt reason next_retry_ms expires_ms".split()
        return {r[0]: dict(zip(names, r)) for r in self.sql("SELECT %s FROM queue_message" % ", ".join(names))}

    def act(self, verb, *rows):
        words = [w for r in rows for w in (r["qid"], r["sender"], str(r["arrival_ms"] // 1000))]
        return self.root.run("/mnt/build/tests/job_tool", "/tmp/mtatop.conf", self.cache, "opensmtpd", "act", verb, *words,
                             ok=False).splitlines()[-1]


def listed(root):
    """{message: [envelope's fields]} by smtpctl."""
    found = {}
    for line in root.ctl("show", "queue").splitlines():
        fields = line.split("|")
        found.setdefault(fields[0][:8], []).append(fields)
    return found


def stats(root):
    return dict(line.split("=", 1) for line in root.ctl("show", "stats").splitlines())


def traffic(root, server):
    for i in range(3):
        send(server, "a@example.org", ["ok%d@example.com" % i])
    send(server, "a@example.org", ["ok3@example.com", "defer1@example.com", "bounce1@example.com", "defer2@example.net"])
    send(server, "b@example.org", ["defer3@example.com"])
    send(server, "", ["defer4@example.com"])
    send(server, "a@example.org", ["x@refused.example", "ok5@example.com"])
    # of 10 envelopes of ours and a notification 6 go, 1 fails, 4 wait
    root.wait("every envelope was tried", lambda: root.log().count(" mta delivery ") == 11)


def check_log(root, got):
    log, told = root.log(), stats(root)
    totals = got["totals"]
    check("log: the family", [p["kind"] for p in got["providers"]], ["opensmtpd"])
    check("log: every line is understood", totals["unparsed_lines"], 0)
    check("log: messages", totals["messages"], len(re.findall(r" smtp message msgid=", log)))
    told["scheduler.delivery.ok"] = int(told["scheduler.delivery.ok"]) - int(told["queue.bounce"])  # making a bounce is one, too
    for key, stat, result in (("sent", "ok", "Ok"), ("bounced", "permfail", "PermFail"), ("deferred_attempts", "tempfail", "TempFail")):
        check("smtpctl show stats: %s" % key, totals[key], int(told["scheduler.delivery.%s" % stat]))
        check("log: %s" % key, totals[key], log.count('result="%s"' % result))
    check("log: refused", totals["rejected"], log.lower().count(' smtp failed-command command="rcpt to:'))
    check("log: by code 5.1.1", [r["n"] for r in got["by_code"] if r.get("dsn") == "5.1.1" and r["status"] == "bounced"], [1])


def check_queue(root, m):
    want, got = listed(root), m.rows()
    recipients = {}
    for qid, rcpt in m.sql("SELECT qid, rcpt FROM queue_recipient"):
        recipients.setdefault(qid, []).append(rcpt)
    check("queue: the messages", sorted(got), sorted(want))
    check("queue: recipients", {k: sorted(v) for k, v in recipients.items()}, {k: sorted(e[5] for e in v) for k, v in want.items()})
    check("queue: senders", {k: r["sender"] or "@" for k, r in got.items()}, {k: v[0][4] for k, v in want.items()})
    check("queue: arrivals", {k: r["arrival_ms"] // 1000 for k, r in got.items()}, {k: int(v[0][7]) for k, v in want.items()})
    check("queue: why", {r["reason"] for r in got.values()}, {"451 4.7.1 try again"})
    check("queue: sizes are not told", {r["size"] for r in got.values()}, {None})
    now = time.time()
    check("queue: next tries", [k for k, v in want.items() if abs(got[k]["next_retry_ms"] / 1000 - now - min(
        int(e[12]) for e in v)) > 5], [])
    check("queue: envelopes by smtpctl show stats", sum(r["nrcpt"] for r in got.values()),
          int(stats(root)["scheduler.envelope"]))
    check("queue: depth", m.sql("SELECT maildrop, incoming, active, deferred, hold, corrupt, source FROM queue_sample ORDER BY t_ms "
                                "DESC LIMIT 1"), [(None, 0, 0, len(want), 0, None, 4)])


def check_actions(root, m):
    rows = sorted(m.rows().values(), key=lambda r: r["qid"])
    a, b, c = rows
    check("pause", m.act("hold", a), "= 1 of 1 paused")
    m.collect()
    check("pause: it is held", {k: r["queue"] == 4 for k, r in m.rows().items()}, {r["qid"]: r is a for r in rows})
    check("pause: smtpctl says so", all(e[3] == "suspend" for e in listed(root)[a["qid"]]), True)
    check("resume", m.act("release", a), "= 1 of 1 resumed")
    tries = root.log().count(" mta delivery ")
    check("schedule", m.act("requeue", b), "= 1 of 1 scheduled now")
    root.wait("it is tried", lambda: root.log().count(" mta delivery ") >= tries + b["nrcpt"])
    check("only what is still the same", m.act("delete", dict(c, sender="x@y.example"), dict(c, qid="0123abcd"), dict(c, qid="all")),
          "= 0 of 3 removed, 1 no longer in the queue, 1 other messages now, 1 no queue ids")
    check("remove", m.act("delete", c), "= 1 of 1 removed")
    check("remove: it is gone", c["qid"] in listed(root), False)
    check("no giving up", m.act("expire", a), "= OpenSMTPD can't give a message up: remove it instead")
    check("flush", m.act("flush"), "= every message that is not paused is tried now")
    check("the log of actions", m.sql("SELECT verb, asked, done FROM action ORDER BY id"),
          [("hold", 1, 1), ("release", 1, 1), ("requeue", 1, 1), ("delete", 3, 0), ("delete", 1, 1), ("flush", 0, 0)])


def inside(build):
    root = Root(debs.fetch("opensmtpd"), build)
    server = type("Server", (), {"port": exim.free_port()})
    with exim.Server(("127.0.0.1", 0), exim.Sink) as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        root.write("etc/smtpd.conf", CONFIG.format(port=server.port, sink=sink.server_address[1]))
        daemon = subprocess.Popen(["chroot", root.root, "/usr/sbin/smtpd", "-F"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin", "TZ": "UTC"})
        try:
            root.wait("smtpd listens", lambda: listens(server.port))
            traffic(root, server)
            m = Mtatop(root)
            m.collect()
            check_log(root, m.report())
            check_queue(root, m)
            check("doctor", [bool(re.match(r"ok  OpenSMTPD: up for \S+, 4 envelopes in its queue, by smtpctl$", line)) for line in
                             m.doctor() if " OpenSMTPD: " in line], [True])
            check_actions(root, m)
        finally:
            daemon.terminate()
            daemon.wait(DEADLINE_S)
            sink.shutdown()
        m.collect()
        check("smtpd is down: doctor", [line for line in m.doctor() if " OpenSMTPD: " in line], ["--  OpenSMTPD: smtpd does not run"])
        check("smtpd is down: the spool's own list", sorted(m.rows()), sorted(listed(root)))
    return 0


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def main(argv):
    if argv[0] == INSIDE:
        return inside(argv[1])
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        print("skip opensmtpd (must be root, with mount namespaces)")
        return 0
    if not debs.fetch("opensmtpd"):
        print("skip opensmtpd (package that can't be had)")
        return 0
    command = ["unshare", "-m", "--propagation", "private", sys.executable, os.path.abspath(__file__), INSIDE, os.path.abspath(argv[0])]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
