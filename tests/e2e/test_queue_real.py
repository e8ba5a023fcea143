# SPDX-License-Identifier: MIT
"""The queue of a real Postfix: depth as `find` counts it, rows as `postqueue -j` prints them, actions that act."""
import collections
import glob
import json
import os
import re
import shutil
import sqlite3
import subprocess

import pfx
from run import Skip

DAY_S = 86400
SENDER = "a@example.test"
NOBODY = 65534


class Queue:
    """A Postfix with nine deferred messages (eight of SENDER, one of <>), and queue_tool on it."""

    def __init__(self, env):
        if os.geteuid() != 0 or not shutil.which("postfix", path="/usr/sbin:/usr/local/sbin"):
            raise Skip("needs root and Postfix")
        self.tool = os.path.join(env.build, "tests", "queue_tool")
        self.cache = os.path.join(env.folder, "cache", "q.db")
        os.mkdir(os.path.dirname(self.cache), 0o700)
        self.mta = pfx.Postfix(env.folder + "/p")

    def __enter__(self):
        self.mta.start()
        try:
            for i in range(8):
                self.mta.send25(["u%d@soft.test" % i, "v@refused.test"], sender=SENDER)
            self.mta.send25(["n@soft.test"], sender="")
            pfx.wait_for("nine deferred", lambda: len(self.files("deferred")) == 9)
        except Exception:
            self.mta.stop()
            raise
        return self

    def __exit__(self, *_):
        self.mta.stop()

    def run(self, verb, *rows, user=None):
        words = [w for r in rows for w in (r["queue_id"], sender_of(r), str(r["arrival_time"]))]
        argv = [self.tool, verb, self.cache, self.mta.etc] + words
        return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, user=user,
                              timeout=pfx.DEADLINE_S)

    def ok(self, verb, *rows):
        done = self.run(verb, *rows)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def files(self, queue):
        found = glob.glob("%s/spool/%s/**" % (self.mta.dir, queue), recursive=True)
        return {os.path.basename(f): f for f in found if os.path.isfile(f)}

    def listed(self):
        text = subprocess.run(["postqueue", "-c", self.mta.etc, "-j"], check=True, stdout=subprocess.PIPE, text=True).stdout
        return [json.loads(line) for line in text.splitlines()]

    def of_sender(self):
        return [r for r in self.listed() if r["sender"] == SENDER]

    def queue_of(self, row):
        return [r["queue_name"] for r in self.listed() if r["queue_id"] == row["queue_id"]]

    def sql(self, query):
        db = sqlite3.connect("file:%s?mode=ro" % self.cache, uri=True)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def last_action(self):
        return self.sql("SELECT verb, qids, asked, done, result, user FROM action ORDER BY id DESC LIMIT 1")[0]


def sender_of(row):
    return "" if row["sender"] == "MAILER-DAEMON" else row["sender"]


NAMES = ["maildrop", "incoming", "active", "deferred", "hold", "corrupt"]


def test_depth_and_list(env):
    with Queue(env) as q:
        q.ok("round")
        q.ok("hold", q.of_sender()[0])
        detail = q.ok("round")
        assert "from the queue files" in detail and "estimated" not in detail, detail
        depth = q.sql("SELECT %s, source FROM queue_sample ORDER BY t_ms DESC LIMIT 1" % ", ".join(NAMES))[0]
        assert list(depth[:6]) == [len(q.files(n)) for n in NAMES], depth
        assert depth[3] == 8 and depth[4] == 1 and depth[6] == 1, depth
        want = {r["queue_id"]: r for r in q.listed()}
        rows = q.sql("SELECT qid, arrival_ms, queue, sender, size, nrcpt, rcpt, reason, next_retry_ms, expires_ms FROM queue_message")
        assert len(rows) == len(want) == 9
        for qid, arrival, queue, sender, size, nrcpt, rcpt, reason, retry, expires in rows:
            r = want[qid]
            assert (arrival, NAMES[queue], sender, size, nrcpt) == (
                r["arrival_time"] * 1000, r["queue_name"], sender_of(r), r["message_size"], len(r["recipients"])), qid
            assert (rcpt, reason) == (r["recipients"][0]["address"], r["recipients"][0].get("delay_reason")), qid
            if r["queue_name"] == "hold":
                assert retry is None and expires is None, qid
            else:
                assert retry == int(os.stat(q.files("deferred")[qid]).st_mtime) * 1000, qid
                assert expires == arrival + 5 * DAY_S * 1000, qid
        assert sum(n for n, in q.sql("SELECT nrcpt FROM queue_message")) == q.sql("SELECT count(*) FROM queue_recipient")[0][0]


def make_older(path, seconds):
    """Move a queue file's arrival (its T record: seconds and microseconds in ASCII) into the past."""
    with open(path, "rb") as f:
        data = f.read()
    arrival = re.search(rb"T.(\d{10})\b", data, re.S)
    with open(path, "r+b") as f:
        f.seek(arrival.start(1))
        f.write(b"%d" % (int(arrival[1]) - seconds))


def qshape(q, *options):
    """{domain: [total, ten buckets]} of the deferred queue by qshape(1)."""
    text = q.mta.run("/usr/sbin/qshape", "-c", q.mta.etc, *options, "deferred")
    rows = [line.split() for line in text.stdout.splitlines()]
    return {r[0]: [int(n) for n in r[1:]] for r in rows if len(r) == 12 and r[0] != "TOTAL"}


def test_matrix(env):
    """Age x domain and sender as qshape has it, over ages on both sides of its buckets."""
    with Queue(env) as q:
        if not os.path.exists("/usr/sbin/qshape"):
            raise Skip("no qshape")
        minutes = [0, 6, 15, 30, 70, 150, 300, 600, 1000]
        for i, path in enumerate(sorted(q.files("deferred").values())):
            make_older(path, minutes[i] * 60)
        q.ok("round")
        for by_sender, options in ((0, []), (1, ["-s"])):
            want = qshape(q, *options)
            rows = q.sql("SELECT coalesce((SELECT text FROM dict WHERE id=dom), 'MAILER-DAEMON'), bucket, n FROM queue_shape"
                         " WHERE by_sender=%d" % by_sender)
            got = collections.defaultdict(lambda: [0] * 11)
            for domain, bucket, n in rows:
                got[domain][0] += n
                got[domain][1 + bucket] += n
            assert dict(got) == want and len(want) == 2, (by_sender, dict(got), want)


def test_actions(env):
    with Queue(env) as q:
        q.ok("round")
        a, b, c, d, e = q.of_sender()[:5]
        assert "2 of 2 put on hold" in q.ok("hold", a, b)
        assert q.queue_of(a) == q.queue_of(b) == ["hold"]
        verb, qids, asked, done, result, user = q.last_action()
        assert (verb, qids, asked, done) == ("hold", "%s %s" % (a["queue_id"], b["queue_id"]), 2, 2), q.last_action()
        assert user.startswith(os.environ.get("SUDO_USER") or "root"), user
        assert "1 of 1 released" in q.ok("release", a)
        assert q.queue_of(a) != ["hold"] and q.queue_of(b) == ["hold"]
        # released mail is not on hold: postsuper does nothing and says so
        assert "0 of 1 released, 1 left alone by postsuper" in q.ok("release", c)
        assert "1 of 1 deleted" in q.ok("delete", d)
        assert q.queue_of(d) == [] and d["queue_id"] not in q.files("deferred")
        assert "1 of 1 requeued" in q.ok("requeue", e)
        assert q.queue_of(e) != ["deferred"]
        assert "1 of 1 expired" in q.ok("expire", c)
        assert [r["forced_expire"] for r in q.listed() if r["queue_id"] == c["queue_id"]] == [True]
        q.ok("flush")  # wakes pickup too, which else looks once a minute
        pfx.wait_for("the requeued message to be taken up again", lambda: "orig_id=" + e["queue_id"] in q.mta.log_text())
        pfx.wait_for("the expired message to be returned", lambda: "%s: from=<%s>, status=force-expired" % (
            c["queue_id"], SENDER) in q.mta.log_text())
        assert q.last_action()[0] == "flush"
        assert len(q.sql("SELECT id FROM action")) == 7


def test_identity(env):
    with Queue(env) as q:
        q.ok("round")
        a, b, c, d = q.of_sender()[:4]
        older = dict(b, arrival_time=b["arrival_time"] - 1)
        other = dict(c, sender="someone@else.test")
        gone = dict(d, queue_id="A1B2C3D4E5")
        bad = dict(d, queue_id="ALL")
        said = q.ok("delete", a, older, other, gone, bad)
        assert "1 of 5 deleted, 1 no longer in the queue, 2 other messages now, 1 no queue ids" in said, said
        left = {r["queue_id"] for r in q.listed()}
        assert a["queue_id"] not in left and len(left) == 8, left
        null = [r for r in q.listed() if r["sender"] == "MAILER-DAEMON"]
        assert "1 of 1 deleted" in q.ok("delete", *null)


def test_headers(env):
    with Queue(env) as q:
        q.ok("round")
        row = q.of_sender()[0]
        said = q.ok("headers", row)
        assert "Subject: test" in said and "hello" not in said, said
        gone = q.run("headers", dict(row, queue_id="A1B2C3D4E5"))
        assert gone.returncode == 1 and "no longer in the queue" in gone.stderr, gone.stderr


def test_not_root(env):
    with Queue(env) as q:
        q.ok("round")
        row = q.of_sender()[0]
        q.tool = shutil.copy(q.tool, env.folder)
        os.chmod(q.tool, 0o755)
        refused = q.run("delete", row, user=NOBODY)
        assert refused.returncode == 1, refused.stdout
        assert "sudo postsuper -c %s -d %s" % (q.mta.etc, row["queue_id"]) in refused.stderr, refused.stderr
        assert q.queue_of(row) == ["deferred"]
        refused = q.run("headers", row, user=NOBODY)
        assert "sudo postcat -c %s -qh %s" % (q.mta.etc, row["queue_id"]) in refused.stderr, refused.stderr


def test_down(env):
    with Queue(env) as q:
        q.ok("round")
        q.mta.run("postfix", "-c", q.mta.etc, "stop")
        pfx.wait_for("Postfix to be down", lambda: q.mta.run("postfix", "-c", q.mta.etc, "status", check=False).returncode)
        detail = q.ok("round")
        assert "Postfix is down" in detail, detail
        assert collections.Counter(n for n, in q.sql("SELECT queue FROM queue_message")) == {3: 9}
