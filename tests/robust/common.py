# SPDX-License-Identifier: MIT
"""common - what the suites of faults share: a log generator, the two oracles and the printing of results.

The log is made here (seeded, so that a failure can be had again). A report is compared whole with the report
of an undisturbed run, and its totals with tests/truth/count_postfix.py, which shares no code with mtatop.
MTATOP_PROOF=1 chooses the heavy form of every case.
"""
import heapq
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
COUNTER = os.path.join(TOP, "tests", "truth", "count_postfix.py")
PROOF = os.environ.get("MTATOP_PROOF") == "1"
SEED = int(os.environ.get("MTATOP_SEED", "20261125"))
DEADLINE_S = 120  # a loaded machine, a sanitized binary
CORRUPT = ".corrupt-"


class Skip(Exception):
    """The machine cannot do what the case needs; the text says what."""


def heavy(ci, proof):
    return proof if PROOF else ci


def clean_env(folder, **more):
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MAIL_CONFIG", "STATE_DIRECTORY"))}
    return dict(keep, HOME=folder, XDG_CACHE_HOME=folder, TZ="UTC", LC_ALL="C.UTF-8", **more)


# ---- the log

DOMAINS = ["gmail.example", "outlook.example", "yahoo.example"] + ["shop%d.example" % i for i in range(60)]
SOFT = [("4.2.2", "host %s said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)"),
        ("4.7.1", "host %s said: 450 4.7.1 Greylisted, try again (in reply to RCPT TO command)"),
        ("4.4.1", "connect to %s:25: Connection timed out")]
HARD = [("5.1.1", "host %s said: 550 5.1.1 User unknown (in reply to RCPT TO command)"),
        ("5.7.1", "host %s said: 554 5.7.1 Spam message rejected (in reply to end of DATA command)")]
SERVICES = ["postfix/smtpd", "postfix/submission/smtpd", "postfix/submissions/smtpd"]
ID_LETTERS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"


def queue_id(n):
    """A long queue id of its own for each n."""
    text = ""
    for _ in range(6):
        n, at = divmod(n, len(ID_LETTERS))
        text = ID_LETTERS[at] + text
    return "4jY" + text + "z1bY7Y"


class Log:
    """Lines of a Postfix, without end: `for t_s, text in Log(seed)`; text has no time and no newline."""

    def __init__(self, seed, start_s=None, lines_per_s=60):
        self.random = random.Random(seed)
        self.start_s = start_s if start_s is not None else int(time.time()) - 3600
        self.step_s = 1 / lines_per_s
        self.ids = itertools.count()
        self.due = []
        self.order = itertools.count()

    def put(self, after, service, text):
        pid = 1000 + hash_of(service + text[:8]) % 4000
        heapq.heappush(self.due, (after, next(self.order), "mx1 %s[%d]: %s" % (service, pid, text)))

    def arrival(self, at, qid, client, service, sender, nrcpt):
        r = self.random
        self.put(at, service, "connect from %s" % client)
        self.put(at + 1, service, "%s: client=%s" % (qid, client))
        self.put(at + 2, "postfix/cleanup", "%s: message-id=<%s@mx1.example>" % (qid, qid))
        self.put(at + 3, "postfix/qmgr", "%s: from=<%s>, size=%d, nrcpt=%d (queue active)" % (qid, sender, r.randrange(400, 90000), nrcpt))
        self.put(at + 4, service, "disconnect from %s ehlo=1 mail=1 rcpt=%d data=1 quit=1 commands=%d" % (client, nrcpt, nrcpt + 4))

    def attempt(self, at, qid, domain, status, dsn, relay, text):
        r = self.random
        self.put(at, "postfix/smtp", "%s: to=<user%d@%s>, relay=%s, delay=%.2f, delays=%.2f/0.01/%.2f/%.2f, dsn=%s, status=%s (%s)" % (
            qid, r.randrange(500), domain, relay, r.random() * 9 + 1, r.random(), r.random(), r.random(), dsn, status, text))

    def deliver(self, at, qid):
        """One recipient's tries; the time after the last."""
        r = self.random
        domain = r.choice(DOMAINS)
        host = "mx.%s[198.51.100.%d]" % (domain, hash_of(domain) % 250 + 1)
        for _ in range(3):
            luck = r.random()
            if luck < 0.80:
                self.attempt(at, qid, domain, "sent", "2.0.0", host + ":25", "250 2.0.0 Ok: queued as %06X" % r.randrange(1 << 24))
                return at + 1
            if luck > 0.93:
                break
            dsn, text = r.choice(SOFT)
            self.attempt(at, qid, domain, "deferred", dsn, host + ":25", text % host)
            at += r.randrange(50, 300)
        dsn, text = r.choice(HARD)
        self.attempt(at, qid, domain, "bounced", dsn, host + ":25", text % host)
        return at + 1

    def message(self, at):
        r = self.random
        qid, nrcpt = queue_id(next(self.ids)), r.choice((1, 1, 1, 2, 3))
        client = "c%d.example[203.0.113.%d]" % (r.randrange(30), r.randrange(1, 250))
        self.arrival(at, qid, client, r.choice(SERVICES), "news%d@example.test" % r.randrange(50), nrcpt)
        end = at + 5
        if r.random() < 0.2:  # through a content filter: the same mail under a second queue id
            second = queue_id(next(self.ids))
            self.arrival(at + 6, second, "localhost[127.0.0.1]", "postfix/reinject/smtpd", "news@example.test", nrcpt)
            for _ in range(nrcpt):
                self.attempt(at + 12, qid, r.choice(DOMAINS), "sent", "2.0.0", "127.0.0.1[127.0.0.1]:10024",
                             "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as %s" % second)
            self.put(at + 13, "postfix/qmgr", "%s: removed" % qid)
            qid, end = second, at + 14
        for _ in range(nrcpt):
            end = max(end, self.deliver(at + 15 + r.randrange(20), qid))
        self.put(end + 1, "postfix/qmgr", "%s: removed" % qid)

    def __iter__(self):
        r, line = self.random, 0
        for turn in itertools.count():
            if turn % 12 == 0:
                self.message(line)
            if turn % 90 == 7:
                self.put(line, "postfix/smtpd", "NOQUEUE: reject: RCPT from bad.example[203.0.113.%d]: 554 5.7.1 <a@spam.example>: "
                         "Relay access denied; from=<a@spam.example> to=<b@else.example> proto=ESMTP helo=<bad>" % r.randrange(1, 250))
            while self.due and self.due[0][0] <= line:
                yield self.start_s + line * self.step_s, heapq.heappop(self.due)[2]
            line += 1


def hash_of(text):
    n = 0
    for byte in text.encode():
        n = (n * 131 + byte) & 0xFFFFFFF
    return n


def stamped(line):
    t_s, text = line
    t = time.gmtime(t_s)
    return ("%s %2d %02d:%02d:%02d %s\n" % (time.strftime("%b", t), t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, text)).encode()


def write_log(path, lines, seed=SEED):
    with open(path, "wb") as f:
        f.writelines(stamped(line) for line in itertools.islice(iter(Log(seed)), lines))


# ---- the oracles

KEPT = ("totals", "by_code", "by_domain", "by_port", "delays")
COUNTED = {"messages": "messages", "recipients": "recipients", "sent": "sent", "bounced": "bounced", "expired": "expired",
           "rejected": "rejected", "rejected_temporary": "rejected_temporary", "deferred_attempts": "deferred",
           "warnings": "warnings", "lines": "lines", "handed_over": "handed_over"}


def run(argv, **kw):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE_S, **kw)


def figures(mtatop, cache, env=None):
    """The report but for what depends on the moment it is made."""
    done = run([mtatop, "report", "--format", "json", "--cache", cache], env=env)
    if done.returncode:
        raise AssertionError("report: exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace")))
    report = json.loads(done.stdout)
    return {k: sorted(report[k], key=json.dumps) if isinstance(report[k], list) else report[k] for k in KEPT}


def following(log):
    """Arguments that follow a log with its rotated siblings, as on a server; --log FILE reads that file alone."""
    text = "[postfix]\nlog = %s\nqueue = no\njournal = no\n" % log
    if shutil.which("postconf", path="/usr/sbin:/usr/bin"):  # an instance of its own: this machine's may not be set up
        folder = log + ".postfix"
        os.makedirs(folder, exist_ok=True)
        for name, lines in (("main.cf", "compatibility_level = 3.6\nmyhostname = mx1.example\n"), ("master.cf", "")):
            with open(os.path.join(folder, name), "w") as f:
                f.write(lines)
        text += "config_directory = %s\n" % folder
    with open(log + ".conf", "w") as f:
        f.write("[dns]\nenabled = no\n[probe]\nenabled = no\n" + text)
    return ["--config", log + ".conf"]


def only(*logs):
    return [word for log in logs for word in ("--log", log)]


def catch_up(mtatop, cache, source, env=None, **kw):
    """source: arguments of following() or only()."""
    return run([mtatop, "collect", "--until-caught-up", "--cache", cache, *source], env=env, **kw)


def must_catch_up(mtatop, cache, source, env=None):
    done = catch_up(mtatop, cache, source, env)
    if done.returncode:
        raise AssertionError("collect: exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace")[-800:]))
    return done.stderr.decode(errors="replace")


def same(got, want, what):
    for key in want:
        if got.get(key) != want[key]:
            a, b = json.dumps(got.get(key))[:700], json.dumps(want[key])[:700]
            raise AssertionError("%s: %s differs\n    got  %s\n    want %s" % (what, key, a, b))


def counted(logs):
    done = run([sys.executable, COUNTER, *logs])
    if done.returncode:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)


def agrees_with_counter(got, logs):
    want = counted(logs)
    same({k: got["totals"][k] for k in COUNTED}, {k: want[c] for k, c in COUNTED.items()}, "independent counter")


def aside(cache):
    """Files moved aside beside the cache."""
    folder, name = os.path.split(cache)
    return [f for f in os.listdir(folder) if f.startswith(name + CORRUPT)]


# ---- printing

def run_cases(cases, build, names):
    """cases: list of (name, function(mtatop, folder)); a function may return a text for the line, e.g. "50/50"."""
    mtatop = os.path.join(os.path.abspath(build), "tui", "mtatop")
    failed = 0
    for name, function in cases:
        if names and not any(n in name for n in names):
            continue
        with tempfile.TemporaryDirectory(prefix="mtatop-robust-") as folder:
            os.chmod(folder, 0o700)
            try:
                detail = function(mtatop, folder)
                print("ok %s%s" % (name, ": " + detail if detail else ""), flush=True)
            except Skip as why:
                print("skip %s (%s)" % (name, why), flush=True)
            except Exception:
                print(traceback.format_exc(), flush=True)
                print("FAIL %s (seed %d)" % (name, SEED), flush=True)
                failed += 1
    return failed
