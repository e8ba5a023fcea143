#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""truth/sendmail - a real Sendmail sends, defers, bounces, gives up and refuses; `mtatop report` against mailstats(8) and a count of our own.

  sendmail.py BUILD_DIR      prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
The Sendmail is Debian's, unpacked and never installed (tests/debs.py): it runs on loopback in a mount namespace of its
own, where /dev/log is the test's socket and the host's name and name service are made up, as root or not at all. Where it
sends to is the sink of truth/exim.
"""
import glob
import json
import os
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.path.insert(0, os.path.join(TOP, "tests", "truth"))
import debs  # noqa: E402
from exim import DEADLINE_S, Server, Sink, check, free_port  # noqa: E402

LIBRARIES = ("libwrap0", "liblockfile1", "libldap-2.5-0", "libsasl2-2", "libsigsegv2")
PACKAGES = ("sendmail-bin", "sendmail-cf", "m4") + LIBRARIES
DOMAIN = "mx.here.example"
SETUP = """set -e
for n in null zero random urandom full tty; do : >{dir}/dev/$n; mount --bind /dev/$n {dir}/dev/$n; done
mount --bind {dir}/dev /dev
for n in hosts nsswitch.conf resolv.conf; do mount --bind {dir}/$n /etc/$n; done
hostname """ + DOMAIN + """
exec "$@"
"""
SERVER = """include(`{cf}/m4/cf.m4')
OSTYPE(`linux')
define(`confDOMAIN_NAME', `{domain}')
define(`MAIL_SETTINGS_DIR', `{dir}/')
define(`HELP_FILE', `{dir}/helpfile')
define(`STATUS_FILE', `{dir}/statistics')
define(`QUEUE_DIR', `{dir}/mqueue')
define(`confPID_FILE', `{dir}/pid')
define(`ALIAS_FILE', `{dir}/aliases')
define(`confDEF_USER_ID', `mail:mail')
define(`confTO_IDENT', `0')
define(`confSERVICE_SWITCH_FILE', `{dir}/service.switch')
define(`confQUEUE_LA', `9999')
define(`confREFUSE_LA', `9999')
define(`confLOG_LEVEL', `{level}')
define(`confCACERT_PATH', `{dir}')
define(`confCACERT', `{dir}/cert.pem')
define(`confSERVER_CERT', `{dir}/cert.pem')
define(`confSERVER_KEY', `{dir}/key.pem')
define(`confTLS_SRV_OPTIONS', `V')
define(`SMTP_MAILER_ARGS', `TCP $h {sink}')
define(`ESMTP_MAILER_ARGS', `TCP $h {sink}')
define(`LOCAL_MAILER_PATH', `{dir}/deliver')
define(`LOCAL_MAILER_ARGS', `deliver $u')
define(`LOCAL_MAILER_FLAGS', `PSXmn9')
define(`SMART_HOST', `esmtp:[127.0.0.1]')
FEATURE(`no_default_msa')
FEATURE(`nocanonify')
FEATURE(`promiscuous_relay')
FEATURE(`accept_unresolvable_domains')
DAEMON_OPTIONS(`Family=inet, Name=MTA, Addr=127.0.0.1, Port={port}')
{more}MAILER(`local')
MAILER(`smtp')
LOCAL_RULESETS
SLocal_check_rcpt
R$*	$: $>canonify $1
Rrefused $* $=O $*	$#error $@ 5.7.1 $: "550 no such person here"
Rlater $* $=O $*	$#error $@ 4.7.1 $: "451 come back later"
HSubject: $>CheckSubject
SCheckSubject
RSPAM	$#error $@ 5.7.1 $: "554 this is spam"
RTHROW	$#discard $: discard
RLOCKUP	$#error $@ quarantine $: locked
"""
SUBMIT = """include(`{cf}/m4/cf.m4')
define(`__OSTYPE__', `')
define(`confTIME_ZONE', `USE_TZ')
define(`confDONT_INIT_GROUPS', `True')
define(`confDOMAIN_NAME', `{domain}')
define(`confRUN_AS_USER', `mail:mail')
define(`confTRUSTED_USER', `mail')
define(`MSP_QUEUE_DIR', `{dir}/clientmqueue')
define(`MSP_STATUS_FILE', `{dir}/sm-client.st')
define(`confPID_FILE', `{dir}/client.pid')
define(`confTO_IDENT', `0')
define(`confSERVICE_SWITCH_FILE', `{dir}/service.switch')
define(`RELAY_MAILER_ARGS', `TCP $h {port}')
FEATURE(`nocanonify')
FEATURE(`msp', `[127.0.0.1]')
"""
FILES = {"hosts": "127.0.0.1 %s localhost\n" % DOMAIN, "nsswitch.conf": "passwd: files\nhosts: files\n",
         "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", "aliases": "postmaster: root\nlist: root, ok-list@example.com\nlist2: root, defer-list@example.net\n",
         "service.switch": "hosts files\naliases files\npasswd files\n", "deliver": "#!/bin/sh\nexec cat >/dev/null\n"}
TO_LINE = re.compile(r" (\S+): to=(.*?), (?:\[more\], )?(?:ctladdr=.*?, )?delay=(.*), stat=(.*)$")
FROM_LINE = re.compile(r" (\w+): from=(.*?), size=\d+, .*nrcpts=(\d+).*, relay=(.*)$")
NOTICE = re.compile(r"\]: (\w+): (\w+): (DSN|return to sender|sender notify|postmaster notify): (.*)$")


class Journal(threading.Thread):
    """What syslogd would do: each datagram of /dev/log is a line of the file."""

    def __init__(self, path, log):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.log = open(log, "wb", buffering=0)

    def run(self):
        while True:
            line = self.socket.recv(1 << 16)
            line = line[line.index(b">") + 1:].rstrip(b"\0\n")
            self.log.write(line[:16] + b"mx1 " + line[16:] + b"\n")


class Sendmail:
    """A Sendmail in `folder`, sending to port `sink`; end it with stop()."""

    def __init__(self, folder, roots, sink, level, more=""):
        self.dir, self.port, self.daemon = folder, free_port(), None
        os.chmod(folder, 0o755)
        for name, mode in (("mqueue", 0o700), ("clientmqueue", 0o770), ("dev", 0o755), ("lib", 0o755)):
            os.mkdir(os.path.join(folder, name))
            os.chmod(os.path.join(folder, name), mode)
        shutil.chown(os.path.join(folder, "clientmqueue"), "mail", "mail")
        for name, text in FILES.items():
            self.write(name, text)
        os.chmod(os.path.join(folder, "deliver"), 0o755)
        for name, owner in (("statistics", "root"), ("sm-client.st", "mail")):
            self.write(name, "")
            shutil.chown(os.path.join(folder, name), owner)
        for package in LIBRARIES:
            for found in glob.glob(os.path.join(roots[package], "usr/lib/*/*.so*")) + glob.glob(
                    os.path.join(roots[package], "lib/*/*.so*")):
                shutil.copy(found, os.path.join(folder, "lib"))
        for name in ("sendmail", "mailstats"):  # without the set-gid bit, which would forbid LD_LIBRARY_PATH
            shutil.copyfile(os.path.join(roots["sendmail-bin"], "usr/libexec/sendmail", name), os.path.join(folder, name))
            os.chmod(os.path.join(folder, name), 0o755)
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC", "LD_LIBRARY_PATH": os.path.join(folder, "lib")}
        cf = os.path.join(roots["sendmail-cf"], "usr/share/sendmail/cf")
        for name, text in (("sendmail.cf", SERVER), ("submit.cf", SUBMIT)):
            text = text.format(cf=cf, dir=folder, domain=DOMAIN, level=level, sink=sink, port=self.port, more=more)
            made = subprocess.run([os.path.join(roots["m4"], "usr/bin/m4"), "-D_CF_DIR_=%s/" % cf, "-"], input=text.encode(),
                                  env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=DEADLINE_S)
            self.write(name, made.stdout.decode())
        self.tls = self.certificate()
        Journal(os.path.join(folder, "dev", "log"), os.path.join(folder, "maillog")).start()

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def certificate(self):
        if not shutil.which("openssl"):
            return False
        key = os.path.join(self.dir, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + DOMAIN,
                        "-keyout", key, "-out", os.path.join(self.dir, "cert.pem")], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=DEADLINE_S)
        os.chmod(key, 0o600)
        return True

    def argv(self, *words):
        return ["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", SETUP.format(dir=self.dir), "sh", *words]

    def run(self, *words, program="sendmail", cf="sendmail.cf", text=b""):
        return subprocess.run(self.argv(os.path.join(self.dir, program), "-C", os.path.join(self.dir, cf), *words),
                              env=self.env, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE_S, check=False)

    def start(self, *options):
        """Whether it runs: its libraries may be of another Debian."""
        if self.run("-bi").returncode != 0:
            return False
        self.daemon = subprocess.Popen(self.argv(os.path.join(self.dir, "sendmail"), "-L", "sm-mta", "-C",
                                                 os.path.join(self.dir, "sendmail.cf"), "-bD", *options), env=self.env,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait("the daemon listens", lambda: ": starting daemon (" in self.log() and self.listens())
        return True

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        with open(os.path.join(self.dir, "maillog"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait(self, what, condition):
        end = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > end or self.daemon.poll() is not None:
                raise RuntimeError("%s: not in time\n%s" % (what, self.log()))
            time.sleep(0.05)

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(DEADLINE_S)


def send(server, sender, recipients, subject="hello", tls=False):
    """One message; recipients refused at the door are left out, as smtplib does."""
    with smtplib.SMTP("127.0.0.1", server.port, local_hostname="client.example", timeout=DEADLINE_S) as client:
        if tls:
            client.starttls(context=ssl._create_unverified_context())  # noqa: SLF001: the certificate is our own
        try:
            client.sendmail(sender, recipients, "Subject: %s\r\nMessage-ID: <%s@example.org>\r\n\r\nhi\r\n" % (
                subject, time.monotonic_ns()))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
            pass


def traffic(server):
    for i in range(3):
        send(server, "a@example.org", ["ok%d@example.com" % i], tls=server.tls)
    send(server, "a@example.org", ["ok1@example.com", "ok2@example.com", "ok3@example.net"])
    send(server, "a@example.org", ["bounce1@example.com", "ok4@example.com"])
    send(server, "a@example.org", ["defer1@example.net", "defer2@example.net", "ok5@example.net"])
    send(server, "a@example.org", ["giveup-defer3@example.net"])
    send(server, "a@example.org", ["refused@example.com", "ok6@example.com", "later@example.com"])
    send(server, "a@example.org", ["refused@example.com"])
    send(server, "a@example.org", ["nobody-of-ours@" + DOMAIN, "root@" + DOMAIN])
    send(server, "a@example.org", ["list@" + DOMAIN])
    send(server, "a@example.org", ["list2@" + DOMAIN])
    send(server, "a@example.org", ["ok7@example.com", "ok8@example.com"], "SPAM")
    send(server, "a@example.org", ["ok9@example.com"], "THROW")
    send(server, "a@example.org", ["ok10@example.com"], "LOCKUP")
    submitted = server.run("-Ac", "-f", "me@example.org", "ok11@example.com", cf="submit.cf", text=b"Subject: x\n\nhello\n")
    if submitted.returncode != 0:
        raise RuntimeError("submission: %s" % submitted.stdout.decode())
    server.wait("all is tried once", lambda: len(re.findall("to=<ok|to=<defer|to=<bounce|to=<giveup", server.log())) >= 15
                and ": DSN: " in server.log() and ",<ok" in server.log() and "to=<ok11@" in server.log() and "to=defer-list@" in server.log())
    server.wait("the queue is quiet", lambda: not glob.glob(os.path.join(server.dir, "mqueue", "[xt]f*")))
    server.run("-qRdefer1@example.net")
    server.wait("the deferred recipients are tried again", lambda: len(re.findall("to=<defer1@.*stat=Deferred", server.log())) >= 2)
    time.sleep(1.1)  # Sendmail's clock for it has whole seconds
    server.run("-qRgiveup-defer3@example.net", "-OTimeout.queuereturn=1s")
    server.wait("it is given up", lambda: "Cannot send message for" in server.log())
    server.wait("nothing is on its way", lambda: not re.search(r"^\w{14,}\*", server.run("-bp").stdout.decode(), re.M))


def independent(log):
    """Counts by regexes of our own on the whole log."""
    n = dict.fromkeys(("messages", "sent", "bounced", "deferred_attempts", "notifications", "expired"), 0)
    submitted, transactions, arrived, tried, first = set(), set(), set(), set(), 0
    for line in log.splitlines():
        found = FROM_LINE.search(line)
        if found and int(found.group(3)):
            arrived.add(found.group(1))
        found = NOTICE.search(line)
        if found:
            n["notifications"] += 1
            n["expired"] += found.group(4).startswith("Cannot send")
            arrived.add(found.group(2))
        found = TO_LINE.search(line)
        if not found or "mailer=" not in found.group(3):
            continue
        qid, recipients, how, stat = found.groups()
        count = recipients.rstrip(",").count(",") + 1
        accepted = re.search(r"\((?:2\.0\.0 )?(\w+) Message accepted for delivery", stat)
        if accepted:
            submitted.add(accepted.group(1))
        elif stat.startswith("Sent"):
            n["sent"] += count
            first += count if qid not in tried else 0
            transactions.add((qid, line.split("]: ")[0], how))
        elif stat.startswith("Deferred"):
            n["deferred_attempts"] += count
            tried.add(qid)
        elif stat not in ("queued", "quarantined"):
            n["bounced"] += count
    n["messages"] = len(arrived - submitted)
    n["first_try"] = first
    log = re.sub(r".*ruleset=trust_auth.*", "", log)  # refuses nothing
    n["rejected"] = len(re.findall(r"reject=[45]\d\d|\w: <[^ ]*>\.\.\. User unknown", log))
    n["rejected_temporary"] = len(re.findall(r"reject=4\d\d", log))
    return n, len(transactions)


def compare_mailstats(name, server, got, transactions):
    text = server.run("-p", program="mailstats").stdout.decode()
    total = re.search(r"^ T +(\d+) +\d+ +(\d+) +\d+ +(\d+) +(\d+) +(\d+)$", text, re.M)
    if not total:
        check(name + ": mailstats", text, "a T line")
        return
    received, sent, _rejected, discarded, quarantined = map(int, total.groups())
    check(name + ": mailstats: messages from", received, got["messages"])
    check(name + ": mailstats: transactions to", sent, transactions)
    check(name + ": mailstats: discarded", discarded, got["discarded"])
    check(name + ": mailstats: quarantined", quarantined, got["held"])


def in_queue(server):
    """Queue ids by mailq, quarantined ones too."""
    return sum(len(re.findall(r"^\w{14,}[*X-]? +\d+ ", server.run("-bp", *more).stdout.decode(), re.M)) for more in ((), ("-qQ",)))


def one(name, mtatop, roots, level):
    folder = tempfile.mkdtemp(prefix="mtatop-sendmail-", dir="/run")
    with Server(("127.0.0.1", 0), Sink) as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        server = Sendmail(folder, roots, sink.server_address[1], level)
        try:
            if not server.start():
                print("skip sendmail (it can't run here)")
                return
            traffic(server)
            queued = in_queue(server)
        finally:
            server.stop()
            sink.shutdown()
    path, cache = os.path.join(folder, "maillog"), os.path.join(folder, "cache.db")
    env = dict(os.environ, TZ="UTC")
    subprocess.run([mtatop, "collect", "--until-caught-up", "--cache", cache, "--log", path], check=True, env=env)
    got = json.loads(subprocess.run([mtatop, "report", "--format", "json", "--cache", cache], check=True, env=env,
                                    stdout=subprocess.PIPE).stdout)
    want, transactions = independent(server.log())
    check(name + ": the family", [p["kind"] for p in got["providers"]], ["sendmail"])
    for key, value in want.items():
        check("%s: %s" % (name, key), got["totals"][key], value)
    check(name + ": every line is understood", got["totals"]["unparsed_lines"], 0)
    check(name + ": still in the queue, by mailq", sum(got["queue"][q] or 0 for q in ("incoming", "active", "deferred", "hold")), queued)
    check(name + ": a submission and what the server took of it are one", got["totals"]["handed_over"],
          len(re.findall(r"Message accepted for delivery", server.log())))
    check(name + ": by code 5.1.1", [r["n"] for r in got["by_code"] if r.get("dsn") == "5.1.1" and r["status"] == "bounced"], [1])
    rows = {row["service"]: row for row in got["by_port"] if row["direction"] == "in"}
    check(name + ": one listener", sorted(rows), ["sendmail"])
    check(name + ": encrypted sessions", rows["sendmail"]["tls"], len(re.findall(": STARTTLS=server, relay=.*version=", server.log())))
    check(name + ": connections", rows["sendmail"]["connections"], server.log().count(": connect from ") or None)
    compare_mailstats(name, server, got["totals"], transactions)
    if os.environ.get("MTATOP_KEEP"):
        print("    kept", folder)
    else:
        shutil.rmtree(folder)


def main(argv):
    if os.geteuid() != 0:
        print("skip sendmail (must be root to run one of its own)")
        return 0
    if not shutil.which("unshare"):
        print("skip sendmail (no unshare)")
        return 0
    roots = {package: debs.fetch(package) for package in PACKAGES}
    missing = [package for package, root in roots.items() if not root]
    if missing:
        print("skip sendmail (packages that can't be had: %s)" % " ".join(missing))
        return 0
    mtatop = os.path.join(argv[0], "tui", "mtatop")
    one("sendmail", mtatop, roots, 9)
    one("sendmail, LogLevel 14", mtatop, roots, 14)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
