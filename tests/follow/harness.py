# SPDX-License-Identifier: MIT
"""harness - a log that a test writes and rotates, the real `mtatop collect` that follows it, and the comparison.

What is expected is counted by tests/truth/count_postfix.py over the lines the writer wrote, in the order it wrote
them; what came out is read with SQLite from the cache. Nothing of mtatop's takes part in the expectation.
"""
import glob
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "truth"))
import count_postfix  # noqa: E402

DEADLINE_S = 60  # for what takes a second or two on an idle machine
POLL_S = 0.05


class Skip(Exception):
    pass


def metric_numbers():
    """METRIC_x -> its number in the cache: the order of METRIC_LIST."""
    with open(os.path.join(TOP, "store", "vocab.h"), encoding="utf-8") as f:
        text = f.read()
    listed = text[text.index("#define METRIC_LIST"):text.index("enum metric {")]
    return {name: n for n, name in enumerate(re.findall(r"\bX\((\w+),", listed))}


METRICS = metric_numbers()
# our metric -> key of count_postfix
SAME = {"LINES": "lines", "RECEIVED": "messages", "RECIPIENTS": "recipients", "SENT": "sent", "DEFERRED": "deferred",
        "BOUNCED": "bounced", "REJECTED": "rejected", "WARNINGS": "warnings", "FOREIGN": "foreign"}


def unpack(counts):
    """(metric, n) of a packed total."""
    values, value, shift = [], 0, 0
    for byte in counts:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value = shift = 0
    return [(head & 63, n >> 1 ^ -(n & 1)) for head, n in zip(values[::2], values[1::2])]


def stamp(t, form="rfc3164"):
    if form == "rfc3339":
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".%06d+00:00" % (t % 1 * 1000000)
    tm = time.gmtime(t)
    return time.strftime("%b ", tm) + "%2d" % tm.tm_mday + time.strftime(" %H:%M:%S", tm)


class Traffic:
    """Made-up mail: every message has its own queue id and addresses; three in four are sent at once."""

    def __init__(self, name="postfix", host="mx1", start=0xA0000, form="rfc3164"):
        self.name, self.host, self.next, self.form = name, host, start, form
        self.now = time.time
        self.times = {}  # queue id -> seconds of its first line

    def line(self, daemon, text, t=None):
        t = self.now() if t is None else t
        return "%s %s %s/%s[%d]: %s" % (stamp(t, self.form), self.host, self.name, daemon, 1000 + self.next % 30000, text)

    def message(self, t=None):
        n = self.next
        self.next += 1
        t = self.now() if t is None else t
        qid = "%X" % (0x10000000 + n)
        self.times[qid] = int(t)
        rest = [("smtpd", "%s: client=client%d.example[192.0.2.%d]" % (qid, n % 40, n % 250)),
                ("cleanup", "%s: message-id=<%d@client.example>" % (qid, n)),
                ("qmgr", "%s: from=<from%d@sender.example>, size=%d, nrcpt=1 (queue active)" % (qid, n, 1000 + n % 5000))]
        delivery = "%s: to=<user%d@dest%d.example>, relay=mx.dest%d.example[198.51.100.%d]:25, delay=0.%d, delays=0/0/0/0, " \
            % (qid, n, n % 20, n % 20, n % 20 + 1, n % 9 + 1)
        if n % 7 == 3:
            rest.append(("smtp", delivery + "dsn=4.2.1, status=deferred (host mx said: 451 4.2.1 try later %d)" % n))
        elif n % 11 == 5:
            rest.append(("smtp", delivery + "dsn=5.1.1, status=bounced (host mx said: 550 5.1.1 no such user %d)" % n))
            rest.append(("qmgr", qid + ": removed"))
        else:
            rest.append(("smtp", delivery + "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as %d)" % n))
            rest.append(("qmgr", qid + ": removed"))
        return [self.line(daemon, text, t) for daemon, text in rest]

    def messages(self, count, t=None, step=0.0):
        return [line for i in range(count) for line in self.message(None if t is None else t + i * step)]


class Log:
    """The log file as its writer sees it; wrote has every line in the order of writing."""

    def __init__(self, path):
        self.path, self.wrote, self.fd = path, [], -1
        self.open()

    def open(self, flags=os.O_APPEND):
        self.close()
        self.fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | flags, 0o644)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def raw(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def put(self, lines, end="\n"):
        self.wrote += lines
        self.raw("".join(line + end for line in lines).encode("utf-8", "surrogateescape"))

    def expect(self, lines):
        """These are in the log by other ways than put."""
        self.wrote += lines

    def rotate(self, suffix=".1", keep=60, create=True):
        """logrotate's rename: .1 -> .2 ..., the log -> .1, and a new file for the writer."""
        if suffix == ".1":
            for n in range(keep, 0, -1):
                for end in ("", ".gz", ".bz2", ".xz", ".zst"):
                    if os.path.exists("%s.%d%s" % (self.path, n, end)):
                        os.rename("%s.%d%s" % (self.path, n, end), "%s.%d%s" % (self.path, n + 1, end))
        os.rename(self.path, self.path + suffix)
        if create:
            self.open()
        return self.path + suffix

    def copytruncate(self, keep=30):
        for n in range(keep, 0, -1):
            if os.path.exists("%s.%d" % (self.path, n)):
                os.rename("%s.%d" % (self.path, n), "%s.%d" % (self.path, n + 1))
        shutil.copyfile(self.path, self.path + ".1")
        os.truncate(self.path, 0)

    def expected(self):
        counter = count_postfix.Counter()
        for line in self.wrote:
            counter.line(line)
        counter.settle()
        return counter.result()


class FakeTime:
    """A clock for the collector that a test sets while it runs (libfaketime); its mtimes are shifted alike."""

    def __init__(self, case, t):
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1") + glob.glob("/usr/lib*/faketime/libfaketime.so.1")
        if not found:
            raise Skip("no libfaketime")
        self.path = os.path.join(case.dir, "faketime")
        self.env = {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        self.set(t)

    def set(self, t):
        self.offset = int(t - time.time())
        with open(self.path + ".new", "w") as f:
            f.write("%+d\n" % self.offset)
        os.rename(self.path + ".new", self.path)

    def now(self):
        return time.time() + self.offset


class Case:
    """One test's folder, log, configuration and collector."""

    def __init__(self, build, name):
        self.build, self.name = os.path.abspath(build), name
        self.mtatop = os.path.join(self.build, "tui", "mtatop")
        self.dir = tempfile.mkdtemp(prefix="mtfollow-%s-" % name.replace(" ", "_")[:20])
        self.path = os.path.join(self.dir, "mail.log")
        self.cache = os.path.join(self.dir, "cache.db")
        self.conf = os.path.join(self.dir, "mtatop.conf")
        self.err = os.path.join(self.dir, "stderr")
        self.env = dict(os.environ, TZ="UTC")
        self.process = None
        self.as_other = False  # the collector runs as another user
        self.configure("[postfix]\nlog = %s\n" % self.path)
        self.log = Log(self.path)
        self.traffic = Traffic()

    def configure(self, text, main=""):
        """A configuration whose only Postfix is an empty folder of our own: nothing of this machine is read."""
        etc = os.path.join(self.dir, "etc")
        if not os.path.isdir(etc):
            os.mkdir(etc)
            with open(os.path.join(etc, "main.cf"), "w") as f:
                f.write("compatibility_level = 3.6\nqueue_directory = %s/spool\nmyhostname = mx1.example\n%s" % (self.dir, main))
            open(os.path.join(etc, "master.cf"), "w").close()
        with open(self.conf, "w") as f:
            ours = "[dns]\nenabled = no\n[probe]\nenabled = no\n[postfix]\nconfig_directory = %s\nqueue = no\n" % etc
            f.write(text.replace("[postfix]\n", ours + ("" if "journal =" in text else "journal = no\n"), 1))
        os.chmod(self.conf, 0o600)

    def argv(self, *more):
        return [self.mtatop, "collect", "--config", self.conf, "--cache", self.cache, *more]

    def start(self, *more, env=None):
        with open(self.err, "ab") as err:
            self.process = subprocess.Popen(self.argv(*more), stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                                            env=dict(self.env, **(env or {})))

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            code = self.process.wait(DEADLINE_S)
            self.process = None
            if how == signal.SIGTERM and code != 0:
                raise AssertionError("collect ended with %d: %s" % (code, self.errors()))

    def once(self, *more, env=None, ok=(0,), deadline=DEADLINE_S):
        done = subprocess.run(self.argv("--until-caught-up", *more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=dict(self.env, **(env or {})), timeout=deadline)
        if done.returncode not in ok:
            raise AssertionError("collect --until-caught-up: %d: %s" % (done.returncode, done.stdout.decode(errors="replace")))
        return done.stdout.decode(errors="replace")

    def errors(self):
        with open(self.err, encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def query(self, sql, *values):
        """Rows of the cache, [] while it isn't there yet."""
        if self.as_other and self.process and not os.path.exists(self.cache + "-shm"):
            return []  # root, opening it in this moment, would make files that the collector may not open
        try:
            db = sqlite3.connect("file:%s?mode=ro" % self.cache, uri=True, timeout=10)
            try:
                return db.execute(sql, values).fetchall()
            finally:
                db.close()
        except sqlite3.OperationalError:
            return []

    def metrics(self, provider=None):
        """Totals over all time, from the buckets by the day (store/bucket.h tells how they are packed)."""
        total = dict.fromkeys(METRICS, 0)
        names = {n: name for name, n in METRICS.items()}
        for (counts,) in self.query("SELECT counts FROM bucket JOIN provider ON provider.id = bucket.provider WHERE res = 86400"
                                    " AND dim = 0 AND ifnull(?1, name) = name", provider):
            for metric, n in unpack(counts):
                total[names[metric]] += n
        return total

    def wait(self, what, condition, deadline=DEADLINE_S):
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            if condition():
                return
            if self.process and self.process.poll() is not None:
                raise AssertionError("collect died with %s: %s" % (self.process.returncode, self.errors()))
            time.sleep(POLL_S)
        raise AssertionError("waited %d s for %s; lines %d; %s" % (deadline, what, self.metrics()["LINES"], self.errors()))

    def wait_lines(self, count=None, deadline=DEADLINE_S):
        want = len(self.log.wrote) if count is None else count
        try:
            self.wait("%d lines" % want, lambda: self.metrics()["LINES"] >= want, deadline)
        except AssertionError as late:
            raise AssertionError("%s\nmissing %s" % (late, self.missing()[:5])) from None

    def messages(self):
        """(queue id, ms, host) of every message in the cache."""
        done = subprocess.run([os.path.join(self.build, "tests", "messages_tool"), self.cache], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        rows = [line.split(" ") for line in done.stdout.splitlines()]
        return [(qid, int(ms), host) for qid, ms, host in rows]

    def missing(self):
        """Queue ids written that the cache doesn't have."""
        have = {row[0] for row in self.messages()}
        return sorted({m[1] for m in (re.search(r"smtpd\[\d+\]: (\w+): client=", line) for line in self.log.wrote) if m} - have)

    def health(self):
        rows = self.query("SELECT health, detail, done_bytes, total_bytes FROM source WHERE name = 'log'")
        return rows[0] if rows else (0, "", 0, 0)

    def check(self, **differ):
        """The cache has exactly what was written; differ: metrics that are otherwise, with their value."""
        got, want = self.metrics(), self.log.expected()
        wanted = dict({ours: want[theirs] for ours, theirs in SAME.items()}, OVERSIZE=0, UNPARSED=0)
        wanted.update(differ)
        wrong = {k: (got[k], v) for k, v in wanted.items() if got[k] != v}
        if wrong:
            raise AssertionError("%s (got, want); not in the cache: %s" % (wrong, self.missing()[:5]))

    def check_times(self, traffic=None):
        """Every message arrived in the second its first line says."""
        want = (traffic or self.traffic).times
        got = {qid: ms // 1000 for qid, ms, _ in self.messages()}
        wrong = {qid: (stamp(got.get(qid, 0), "rfc3339"), stamp(t, "rfc3339")) for qid, t in want.items() if got.get(qid) != t}
        if wrong:
            raise AssertionError("%d of %d times are wrong (got, want): %s" % (len(wrong), len(want), list(wrong.items())[:4]))

    def check_restart(self, **differ):
        """A second collector over the same files changes nothing."""
        self.stop()
        self.once(ok=(0, 1))
        self.check(**differ)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def require(tool):
    if not shutil.which(tool):
        raise Skip("no " + tool)


def compress(path, tool):
    """As logrotate does it: the compressed file beside the plain one, then the plain one goes."""
    require(tool)
    ends = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst"}
    subprocess.run([tool, "-q", "-f"] + (["--rm"] if tool == "zstd" else []) + [path], check=True)
    return path + ends[tool]
