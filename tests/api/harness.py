# SPDX-License-Identifier: MIT
"""harness - a fake vendor, the real `mtatop collect` that asks it, and what came into the cache, the report, the board.

What is expected comes from the fake's ledger (tests/fakes), which counts its own messages; what came out is read with
SQLite from the cache, from `mtatop report` and from `mtatop --once`. All folders stay until the suite's end, where no
file of them may hold a key (canary.py).
"""
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
for folder in ("fakes", "follow", "e2e"):
    sys.path.insert(0, os.path.join(TOP, "tests", folder))
import mailgun  # noqa: E402,F401
import sendgrid  # noqa: E402,F401
from conform import Proxy, Skip  # noqa: E402,F401

DEADLINE_S = 90
POLL_S = 0.1
CANARY = "canary7f3kq9"  # in every key of the suite
SLOT_HOUR, SLOT_DAY = 3601, 86401
LISTS = ("bounces", "complaints", "unsubscribes", "allow", "blocks", "invalid")  # enum api_list


def enum(path, name, prefix):
    """Names of a C enum in the order of their numbers; only plain enums."""
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        body = re.search(r"enum %s \{(.*?)\};" % name, f.read(), re.S)[1]
    return re.findall(r"\b%s(\w+)" % prefix, re.sub(r"/\*.*?\*/", "", body, flags=re.S))


def metric_names():
    with open(os.path.join(TOP, "store", "vocab.h"), encoding="utf-8") as f:
        text = f.read()
    listed = text[text.index("#define METRIC_LIST"):text.index("enum metric {")]
    return re.findall(r"\bX\((\w+),", listed)


METRICS = metric_names()
DIMS = {name: n for n, name in enumerate(enum("store/vocab.h", "bucket_dim", "DIM_"))}


def unpack(counts):
    """(key, metric, n) of a packed slot (store/bucket.h)."""
    values, value, shift = [], 0, 0
    for byte in counts:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value = shift = 0
    key = 0
    for head, n in zip(values[::2], values[1::2]):
        key += head >> 6
        yield key, METRICS[head & 63], n >> 1 ^ -(n & 1)


class Failed(AssertionError):
    pass


def same(got, want, what):
    if got != want:
        if isinstance(got, dict) and isinstance(want, dict):
            keys = sorted(k for k in set(got) | set(want) if got.get(k) != want.get(k))
            raise Failed("%s: %s" % (what, "; ".join("%s: got %s, want %s" % (k, got.get(k), want.get(k)) for k in keys[:4])))
        if isinstance(got, (set, frozenset)):
            raise Failed("%s: %d too many %s, %d missing %s" % (what, len(got - want), sorted(got - want)[:3],
                                                               len(want - got), sorted(want - got)[:3]))
        raise Failed("%s: got %r, want %r" % (what, got, want))


class Case:
    def __init__(self, build, folder, name):
        self.build, self.name = os.path.abspath(build), name
        self.dir = tempfile.mkdtemp(prefix="%s-" % name[:30], dir=folder)
        self.cache = os.path.join(self.dir, "cache", "cache.db")
        self.conf, self.err = os.path.join(self.dir, "mtatop.conf"), os.path.join(self.dir, "stderr")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "http", "HTTP", "MTATOP_"))}
        self.env.update(TZ="UTC", HOME=self.dir, XDG_CACHE_HOME=os.path.join(self.dir, "xdg"))
        self.text = "[postfix]\nenabled = no\n"
        self.process, self.fakes, self.proxies, self.screens = None, [], [], []
        self.write()

    def mtatop(self):
        return os.path.join(self.build, "tui", "mtatop")

    def write(self):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(self.text)
        os.chmod(self.conf, 0o600)

    def key_file(self, name, key, mode=0o600):
        path = os.path.join(self.dir, name + ".key")
        with open(path, "w", encoding="utf-8") as f:
            f.write(key + "\n")
        os.chmod(path, mode)
        return path

    def add(self, fake, name, fast=True, base=None, key=None, **keys):
        """A section of a fake: its key in a file beside the configuration (outside the cache's folder)."""
        self.fakes.append(fake)
        known = fast_keys(self.mtatop(), fake.name)
        values = {"base_url": base or fake.base, "key_file": self.key_file(name, key or fake.key)}
        if fast:
            values.update({k: "1s" for k in known}, requests_per_minute="100000")
        values.update(keys)
        self.text += "[%s %s]\n" % (fake.name, name) + "".join("%s = %s\n" % kv for kv in values.items() if kv[1] is not None)
        self.write()

    def argv(self, *command):
        return [self.mtatop(), *command, "--config", self.conf, "--cache", self.cache]

    def start(self, env=None):
        with open(self.err, "ab") as err:
            self.process = subprocess.Popen(self.argv("collect"), stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                                            env=dict(self.env, **(env or {})))

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            code = self.process.wait(30)
            self.process = None
            if how == signal.SIGTERM and code != 0:
                raise Failed("collect ended with %d: %s" % (code, self.errors()))

    def once(self, env=None, ok=(0,)):
        done = subprocess.run(self.argv("collect") + ["--until-caught-up"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=dict(self.env, **(env or {})), timeout=DEADLINE_S)
        text = done.stdout.decode("utf-8", "replace")
        if done.returncode not in ok:
            raise Failed("collect --until-caught-up: %d: %s" % (done.returncode, text[-600:]))
        return text

    def errors(self):
        with open(self.err, encoding="utf-8", errors="replace") as f:
            return f.read()[-1500:]

    def query(self, sql, *values):
        try:
            db = sqlite3.connect("file:%s?mode=ro" % self.cache, uri=True, timeout=10)
            try:
                return db.execute(sql, values).fetchall()
            finally:
                db.close()
        except sqlite3.OperationalError:
            return []

    def write_cache(self, sql):
        db = sqlite3.connect(self.cache, timeout=10)
        with db:
            db.execute(sql)
        db.close()

    def wait(self, what, condition, deadline=DEADLINE_S):
        """Until condition() holds; one that raises Failed is tried again, and told at the end."""
        end, last = time.monotonic() + deadline, None
        while time.monotonic() < end:
            try:
                if condition():
                    return
                last = None
            except Failed as e:
                last = e
            if self.process and self.process.poll() is not None:
                raise Failed("collect died with %s: %s" % (self.process.returncode, self.errors()))
            time.sleep(POLL_S)
        raise Failed("waited %d s for %s; %s; %s" % (deadline, what, last or "", self.errors()[-400:]))

    # what is in the cache
    def slots(self, provider, dim="TOTAL", res=SLOT_DAY):
        """start (s) -> key -> metric -> n; the key's text, "" of totals."""
        names = dict(self.query("SELECT id, text FROM dict"))
        out = {}
        for t, counts in self.query("SELECT t_s, counts FROM bucket JOIN provider ON provider.id = bucket.provider "
                                    "WHERE res = ? AND dim = ? AND name = ?", res, DIMS[dim], provider):
            for key, metric, n in unpack(counts):
                out.setdefault(t, {}).setdefault(names.get(key, "") if dim != "TOTAL" else "", {})[metric] = n
        return out

    def lists(self, provider):
        out = {}
        for kind, scope, address in self.query("SELECT list, scope, address FROM suppression JOIN provider ON provider.id = "
                                               "suppression.provider WHERE name = ?", provider):
            out.setdefault((LISTS[kind], scope), set()).add(address)
        return out

    def budgets(self, provider):
        columns = "endpoint, used, max_requests, remaining, requests, health, missing, detail"
        rows = self.query("SELECT %s FROM api_budget JOIN provider ON provider.id = api_budget.provider WHERE name = ?" % columns,
                          provider)
        return {row[0]: dict(zip(columns.split(", "), row)) for row in rows}

    def health(self, provider):
        rows = self.query("SELECT health, detail FROM source JOIN provider ON provider.id = source.provider WHERE "
                          "provider.name = ? AND source.name = 'api'", provider)
        return rows[0] if rows else (0, "")

    def messages(self):
        """Ids of every message in the cache, as often as they are there."""
        done = subprocess.run([os.path.join(self.build, "tests", "messages_tool"), self.cache], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        return [line.split(" ")[0] for line in done.stdout.splitlines()]

    def accounts(self, provider):
        return dict(self.query("SELECT account.name, value FROM account JOIN provider ON provider.id = account.provider WHERE "
                               "provider.name = ?", provider))

    def ips(self, provider):
        columns = "ip, warming, stage, stages, day, max_messages, percent"
        rows = self.query("SELECT %s FROM sending_ip JOIN provider ON provider.id = sending_ip.provider WHERE name = ?" % columns,
                          provider)
        return {row[0]: dict(zip(columns.split(", "), row)) for row in rows}

    # what people see
    def run(self, *command, env=None):
        done = subprocess.run(self.argv(*command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(self.env, **(env or {})), timeout=DEADLINE_S)
        self.screens.append(done.stdout + done.stderr)
        return done.stdout.decode("utf-8", "replace")

    def answer(self, *command, tool=None):
        """(exit status, what a command said)"""
        argv = [os.path.join(self.build, "tests", tool), self.conf, self.cache, *command] if tool else self.argv(*command)
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.env,
                              timeout=DEADLINE_S, check=False)
        self.screens.append(done.stdout)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def job(self, provider, *argv):
        """A job of the screen's: (exit status, lines)."""
        code, text = self.answer(provider, *argv, tool="job_tool")
        return code, text.splitlines()

    def report(self, provider, since, until=None):
        more = ["--until", until] if until else []
        return json.loads(self.run("report", "--format", "json", "--since", since, "--provider", provider, *more))["totals"]

    def board(self, provider, window="30d"):
        """The figures of the delivery tile."""
        text = self.run("--once", "--provider", provider, "--window", window, env={"COLUMNS": "120", "LINES": "60"})
        found = {}
        for name, rest in (("delivered", ""), ("deferred", r"[^\n\d]*attempts"), ("bounced", r" +([\d.]+%|\?|0)?")):
            m = re.search(r"\b%s +([\d,]+|\?)%s" % (name, rest), text)
            found[name] = None if not m else m[1].replace(",", "")
        return found, text

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        for proxy in self.proxies:
            proxy.stop()
        for fake in self.fakes:
            fake.stop()
        with open(os.path.join(self.dir, "screens"), "wb") as f:
            f.write(b"\n".join(self.screens))


def fast_keys(mtatop, family):
    """The keys of a family's section that say how often something is asked."""
    text = subprocess.run([mtatop, "--dump-config"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=dict(os.environ, HOME="/nonexistent"), check=False).stdout
    m = re.search(r"^\[%s\]\n(.*?)(?=^\[|\Z)" % family, text, re.M | re.S)
    if not m:
        raise Skip("this mtatop was built without %s (meson option backends)" % family)
    return [k for k in re.findall(r"^#?(\w+_interval) =", m[1], re.M) if k != "full_walk_interval"]


# the truth of a fake in the words of the cache
SENDGRID_WORDS = {"REQUESTS": ("accepted",), "PROCESSED": ("processed",), "SENT": ("delivered",), "DEFERRED": ("temporary",),
                  "BOUNCED": ("bounced", "blocked"), "BLOCKED": ("blocked",), "SUPPRESSED": ("dropped",),
                  "COMPLAINTS": ("complained",), "UNSUBSCRIBES": ("unsubscribed",), "OPENS": ("opened",), "CLICKS": ("clicked",)}
MAILGUN_WORDS = {"REQUESTS": ("accepted",), "SENT": ("delivered",), "DEFERRED": ("temporary",), "BOUNCED": ("permanent",),
                 "SUPPRESSED": ("suppressed",), "COMPLAINTS": ("complained",), "UNSUBSCRIBES": ("unsubscribed",),
                 "OPENS": ("opened",), "CLICKS": ("clicked",), "HARD_BOUNCES": ("hard",)}


def in_words(row, words):
    out = {metric: sum(row.get(name, 0) for name in names) for metric, names in words.items()}
    return {metric: n for metric, n in out.items() if n}


def sendgrid_days(fake, subusers=("",)):
    """start of the day (s) -> metric -> n, over the account and these subusers."""
    total = {}
    for who, days in fake.ledger()["days"].items():
        if who not in subusers:
            continue
        for date, row in days.items():
            at = total.setdefault(fake.midnight_s(date), {})
            for name, n in row.items():
                at[name] = at.get(name, 0) + n
    return {t: in_words(row, SENDGRID_WORDS) for t, row in total.items()}


def sendgrid_failures(fake):
    return {m for m, status in fake.ledger()["status"].items() if status in ("bounced", "blocked", "deferred", "dropped")}


def mailgun_hours(fake):
    """start of the hour (s) -> metric -> n over all domains."""
    out = {}
    for hour, domains in fake.ledger()["hours"].items():
        total = {}
        for row in domains.values():
            for name, n in row.items():
                total[name] = total.get(name, 0) + n
        out[int(hour) // 1000] = in_words(total, MAILGUN_WORDS)
    return {t: row for t, row in out.items() if row}


def slots_of(case, provider, res, words):
    """The totals of the cache, without zeros, only the metrics in words."""
    out = {}
    for t, keys in case.slots(provider, "TOTAL", res).items():
        row = {m: n for m, n in keys.get("", {}).items() if m in words and n}
        if row:
            out[t] = row
    return out


def check_sendgrid(case, fake, provider, subusers=("",)):
    """Cache = ledger: every day's totals, every failed message once, every list."""
    same(slots_of(case, provider, SLOT_DAY, SENDGRID_WORDS), sendgrid_days(fake, subusers), "days")
    covered = case.query("SELECT min(from_s), max(to_s) FROM api_cover JOIN provider ON provider.id = provider WHERE "
                         "dim = 0 AND name = ?", provider)
    now_s = fake.clock.ms() // 1000
    if not covered or not now_s - 33 * 86400 < covered[0][0] < now_s < covered[0][1] <= now_s + 2 * 86400:
        raise Failed("zeros are claimed for %s" % covered)
    got = case.messages()
    same(len(got), len(set(got)), "messages that are in the cache once")
    want = sendgrid_failures(fake)
    if not want <= set(got):
        raise Failed("failures missing: %s" % sorted(want - set(got))[:3])
    ours = {"bounces": "bounces", "blocks": "blocks", "invalid_emails": "invalid", "spam_reports": "complaints",
            "unsubscribes": "unsubscribes"}
    wanted = {}
    for key, emails in fake.ledger()["lists"].items():
        who, kind = key.rsplit("/", 1)
        if emails and who in subusers:
            wanted[ours[kind], who] = {e.lower() for e in emails}
    same(case.lists(provider), wanted, "lists")
    return True


def check_mailgun(case, fake, provider, lists=True):
    same(slots_of(case, provider, SLOT_HOUR, MAILGUN_WORDS), mailgun_hours(fake), "hours")
    if not lists:
        return True
    ours = {"bounces": "bounces", "complaints": "complaints", "unsubscribes": "unsubscribes", "whitelists": "allow"}
    wanted = {}
    for key, names in fake.ledger()["lists"].items():
        domain, kind = key.rsplit("/", 1)
        if names:
            wanted[ours[kind], domain] = {n.lower() for n in names}
    same(case.lists(provider), wanted, "lists")
    return True


def check_seen(case, provider, want):
    """Report and board say what the ledger says; want: metric -> n over all time."""
    totals = case.report(provider, "-30d")
    for ours, metric in (("sent", "SENT"), ("deferred_attempts", "DEFERRED"), ("bounced", "BOUNCED")):
        same(totals[ours], want.get(metric, 0), "report: " + ours)
    board, text = case.board(provider)
    for ours, metric in (("delivered", "SENT"), ("deferred", "DEFERRED"), ("bounced", "BOUNCED")):
        if board[ours] is None or board[ours] != str(want.get(metric, 0)):
            raise Failed("board: %s is %s, want %d:\n%s" % (ours, board[ours], want.get(metric, 0), text[:3000]))
    return True


def total_of(rows):
    out = {}
    for row in rows.values():
        for metric, n in row.items():
            out[metric] = out.get(metric, 0) + n
    return out
