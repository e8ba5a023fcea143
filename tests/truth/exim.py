#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""truth/exim - a real Exim sends, defers, bounces and refuses; `mtatop report` against eximstats and a count of our own.

  exim.py BUILD_DIR      prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
The Exim is Debian's, unpacked and never installed (tests/debs.py): it runs in a folder of its own, on loopback, as root
or not at all. Its users are libnss-wrapper's. Where it sends to is the sink below.
"""
import glob
import json
import os
import re
import shutil
import smtplib
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
import debs  # noqa: E402

PACKAGES = ("exim4-daemon-light", "exim4-base", "libidn12", "libnss-wrapper")
DEADLINE_S = 120
CONFIG = """
exim_path = {dir}/exim
exim_user = Debian-exim
deliver_drop_privilege = true
primary_hostname = mx.here.example
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/exim.pid
keep_environment = LD_LIBRARY_PATH : LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
log_selector = {selector}
timezone = UTC
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  deny message = no such person here
       local_parts = refused
  defer message = come back later
       local_parts = later
  accept
data:
  deny message = this is spam
       condition = ${{if match{{$h_subject:}}{{SPAM}}}}
  accept
begin routers
unroutable:
  driver = redirect
  allow_fail
  local_parts = nobody
  data = :fail: not one of ours
all:
  driver = manualroute
  transport = remote_smtp
  route_data = 127.0.0.1
  self = send
begin transports
remote_smtp:
  driver = smtp
  port = {sink}
  allow_localhost
  hosts_try_fastopen =
begin retry
* * F,2h,1h
"""
PASSWD = "root:x:0:0::/root:/bin/sh\nDebian-exim:x:{id}:{id}::/nonexistent:/bin/false\nnobody:x:65534:65534::/:/bin/false\n"
GROUP = "root:x:0:\nDebian-exim:x:{id}:\nnogroup:x:65534:\n"
EXIM_ID = 8989
ARRIVED = re.compile(r"^\S+ \S+ (?:[+-]\d{4} )?(?:\[\d+\] )?([0-9A-Za-z]{6}-[0-9A-Za-z]+-[0-9A-Za-z]+) (<=|=>|->|\*\*|==|Completed)(?: (.*))?$")


class Sink(socketserver.StreamRequestHandler):
    """An SMTP server whose answers are told by the recipient: ok..., defer..., bounce..."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink.example ESMTP")
        for raw in self.rfile:
            line = raw.decode("latin-1").strip()
            verb = line[:4].upper()
            if verb in ("EHLO", "HELO"):
                self.say("250 sink.example")
            elif verb == "RCPT" and "bounce" in line:
                self.say("550 5.1.1 no such user")
            elif verb == "RCPT" and "defer" in line:
                self.say("451 4.7.1 try again")
            elif verb == "DATA":
                self.say("354 go on")
                for body in self.rfile:
                    if body in (b".\r\n", b".\n"):
                        break
                self.say("250 2.0.0 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 2.1.0 fine")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def check(name, got, want):
    if got == want:
        print("ok", name)
    else:
        print("    got  %s\n    want %s\nFAIL %s" % (got, want, name))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Exim:
    """One Exim in `folder`, sending to port `sink`; end it with stop()."""

    def __init__(self, folder, roots, sink, selector):
        self.dir, self.port = folder, free_port()
        for name in ("spool", "log"):
            os.mkdir(os.path.join(folder, name))
            os.chown(os.path.join(folder, name), EXIM_ID, EXIM_ID)
        os.chmod(folder, 0o755)
        self.program = os.path.join(folder, "exim")
        shutil.copyfile(os.path.join(roots["exim4-daemon-light"], "usr/sbin/exim4"), self.program)
        os.chmod(self.program, 0o755)
        self.config = self.write("exim.conf", CONFIG.format(dir=folder, port=self.port, sink=sink, selector=selector))
        lib = os.path.join(folder, "lib")  # where the unprivileged Exim can read it too
        os.mkdir(lib)
        for package in ("libidn12", "libnss-wrapper"):
            for found in glob.glob(os.path.join(roots[package], "usr/lib/*/*.so*")):
                shutil.copy(found, lib)
        self.env = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "LD_LIBRARY_PATH": lib,
                    "LD_PRELOAD": os.path.join(lib, "libnss_wrapper.so"),
                    "NSS_WRAPPER_PASSWD": self.write("passwd", PASSWD.format(id=EXIM_ID)),
                    "NSS_WRAPPER_GROUP": self.write("group", GROUP.format(id=EXIM_ID))}
        self.daemon = subprocess.Popen(self.argv("-bdf"), env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.wait("the daemon listens", self.listens)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def argv(self, *words):
        return [self.program, "-C", self.config, *words]

    def run(self, *words):
        return subprocess.run(self.argv(*words), env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=DEADLINE_S, check=False).stdout.decode()

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self, name="mainlog"):
        path = os.path.join(self.dir, "log", name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait(self, what, condition):
        end = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > end or self.daemon.poll() is not None:
                raise RuntimeError("%s: not in time\n%s%s" % (what, self.log(), self.log("paniclog")))
            time.sleep(0.05)

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(DEADLINE_S)


def send(exim, sender, recipients, subject="hello"):
    """One message; recipients refused at the door are left out, as smtplib does."""
    with smtplib.SMTP("127.0.0.1", exim.port, local_hostname="client.example", timeout=DEADLINE_S) as client:
        try:
            client.sendmail(sender, recipients, "Subject: %s\r\nMessage-ID: <%s@example.org>\r\n\r\nhi\r\n" % (
                subject, time.monotonic_ns()))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
            pass


def traffic(exim):
    for i in range(3):
        send(exim, "a@example.org", ["ok%d@example.com" % i])
    send(exim, "a@example.org", ["ok1@example.com", "ok2@example.com", "ok3@example.net"])
    send(exim, "a@example.org", ["bounce1@example.com", "ok4@example.com"])
    send(exim, "a@example.org", ["nobody@example.com"])
    send(exim, "a@example.org", ["defer1@example.net", "ok5@example.net"])
    send(exim, "a@example.org", ["refused@example.com", "ok6@example.com", "later@example.com"])
    send(exim, "a@example.org", ["refused@example.com"])
    send(exim, "a@example.org", ["ok7@example.com"], "SPAM")
    # 11 arrivals: 8 of ours and 2 bounces, 9 of them completed (the deferred one stays)
    exim.wait("all but the deferred message are completed", lambda: exim.log().count(" Completed") >= 9)
    exim.run("-qff")
    exim.wait("the deferred recipient is tried again", lambda: exim.log().count(" == defer1@") >= 2)


def independent(log):
    """Counts by regexes of our own on the whole log."""
    n = {"messages": 0, "sent": 0, "bounced": 0, "deferred_attempts": 0, "notifications": 0}
    open_ids, tries, first = set(), {}, 0
    for line in log.splitlines():
        found = ARRIVED.match(line)
        if not found:
            continue
        qid, flag, rest = found.groups()
        if flag == "<=":
            n["messages"] += 1
            n["notifications"] += rest.startswith("<> R=")
            open_ids.add(qid)
        elif flag in ("=>", "->"):
            n["sent"] += 1
            first += qid not in tries
        elif flag == "**":
            n["bounced"] += 1
        elif flag == "==":
            n["deferred_attempts"] += 1
            tries[qid] = True
        else:
            open_ids.discard(qid)
    n["first_try"] = first
    n["rejected"] = len(re.findall(r" (?:temporarily )?rejected (?:RCPT|after DATA)", log))
    n["rejected_temporary"] = log.count(" temporarily rejected ")
    return n, open_ids


def compare_eximstats(name, got, program, path):
    text = subprocess.run(["perl", program, "-nr", "-nt", path], stdout=subprocess.PIPE, check=True, timeout=DEADLINE_S,
                          env={"PATH": "/usr/bin:/bin", "TZ": "UTC"}).stdout.decode()
    received = re.search(r"^ *Received +\S+ +(\d+)", text, re.M)
    delivered = re.search(r"^ *Delivered +\S+ +(\d+) +(\d+)", text, re.M)
    rejects = re.search(r"^ *Rejects +(\d+)", text, re.M)
    temporary = re.search(r"^ *Temp Rejects +(\d+)", text, re.M)
    check(name + ": eximstats: received", int(received.group(1)), got["messages"])
    check(name + ": eximstats: delivered addresses", int(delivered.group(2)), got["sent"])
    check(name + ": eximstats: rejects",
          (int(rejects.group(1)) if rejects else 0) + (int(temporary.group(1)) if temporary else 0), got["rejected"])


def one(name, mtatop, roots, selector):
    folder = tempfile.mkdtemp(prefix="mtatop-exim-")
    with Server(("127.0.0.1", 0), Sink) as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        exim = Exim(folder, roots, sink.server_address[1], selector)
        try:
            traffic(exim)
        finally:
            exim.stop()
            sink.shutdown()
    path, cache = os.path.join(folder, "log", "mainlog"), os.path.join(folder, "cache.db")
    env = dict(os.environ, TZ="UTC")
    subprocess.run([mtatop, "collect", "--until-caught-up", "--cache", cache, "--log", path], check=True, env=env)
    got = json.loads(subprocess.run([mtatop, "report", "--format", "json", "--cache", cache], check=True, env=env,
                                    stdout=subprocess.PIPE).stdout)
    want, still_open = independent(exim.log())
    check(name + ": the family", [p["kind"] for p in got["providers"]], ["exim"])
    for key, value in want.items():
        check("%s: %s" % (name, key), got["totals"][key], value)
    check(name + ": every line is understood", got["totals"]["unparsed_lines"], 0)
    check(name + ": still in the queue", sum(n or 0 for q, n in got["queue"].items() if q in ("active", "deferred", "incoming")),
          len(still_open))
    check(name + ": by code 5.1.1", [r["n"] for r in got["by_code"] if r.get("dsn") == "5.1.1" and r["status"] == "bounced"], [1])
    compare_eximstats(name, got["totals"], os.path.join(roots["exim4-base"], "usr/sbin/eximstats"), path)
    shutil.rmtree(folder)
    return got


def main(argv):
    if os.geteuid() != 0:
        print("skip exim (must be root to run one of its own)")
        return 0
    roots = {package: debs.fetch(package) for package in PACKAGES}
    missing = [package for package, root in roots.items() if not root]
    if missing:
        print("skip exim (packages that can't be had: %s)" % " ".join(missing))
        return 0
    mtatop = os.path.join(argv[0], "tui", "mtatop")
    one("exim", mtatop, roots, "+smtp_protocol_error")
    one("exim, log_selector +all", mtatop, roots, "+all")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
