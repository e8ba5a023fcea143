#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""explain_live - rules under a running collector: a person's explain.conf is taken and said of the past too, a bad one is
refused with its line while the old one stays in force, a good one after it holds again. usage: explain_live.py MTATOP"""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

DEADLINE_S = 120
FAILURE = ("Nov 22 %02d:00:00 mx1 postfix/smtp[9]: 4E%04d: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1, "
           "delays=0/0/1/0, dsn=5.0.0, status=bounced (host mx.b.example[192.0.2.1] said: 550 the purple gate is shut %d)\n")
RULE = """[purple-gate]
text = purple gate is shut
category = %s
say = the purple gate
do = knock
example = 550 the purple gate is shut 9
"""
BAD = "# a comment\n[purple-gate]\ntext = purple gate is shut\ncategory = no_such_thing\n"


class Bench:
    def __init__(self, mtatop):
        self.folder = tempfile.mkdtemp(prefix="mtatop-rules-")
        self.cache, self.log = self.path("cache.db"), self.path("mail.log")
        self.n = 0
        self.write("mtatop.conf", "")
        self.fail(3)
        self.child = subprocess.Popen([mtatop, "--cache", self.cache, "--config", self.path("mtatop.conf"), "--log", self.log,
                                       "collect"], stdin=subprocess.DEVNULL, stderr=open(self.path("err"), "wb"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name + ".new"), "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(self.path(name + ".new"), self.path(name))

    def fail(self, times):
        with open(self.log, "a", encoding="utf-8") as f:
            for _ in range(times):
                self.n += 1
                f.write(FAILURE % (self.n % 24, self.n, self.n * 1000003))

    def rows(self, sql):
        try:
            db = sqlite3.connect("file:%s?mode=ro" % self.cache, uri=True, timeout=10)
            try:
                return db.execute(sql).fetchall()
            finally:
                db.close()
        except sqlite3.OperationalError:
            return []

    def wait(self, what, condition):
        until = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > until:
                sys.exit("waited for %s; %s; %s" % (what, self.rules(), self.errors()))
            if self.child.poll() is not None:
                sys.exit("collect ended with status %s: %s" % (self.child.returncode, self.errors()))
            time.sleep(0.05)

    def rules(self):
        return sorted({r for r, in self.rows("SELECT rule FROM cluster")})

    def seen(self):
        return self.rows("SELECT count(*) FROM attempt")[0][0] if self.rows("SELECT count(*) FROM attempt") else 0

    def errors(self):
        with open(self.path("err"), encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def close(self):
        self.child.kill()
        self.child.wait()
        shutil.rmtree(self.folder)


def main():
    b = Bench(sys.argv[1])
    try:
        b.wait("the failures", lambda: b.seen() == 3 and b.rules())
        assert "purple-gate" not in b.rules(), b.rules()
        ids = b.rows("SELECT id FROM cluster ORDER BY id")
        b.write("explain.conf", RULE % "server_full")
        b.wait("the past to be said anew", lambda: b.rules() == ["purple-gate"])
        assert b.rows("SELECT id FROM cluster ORDER BY id") == ids
        full = b.rows("SELECT category, cause, side FROM cluster")
        b.write("explain.conf", BAD)
        b.wait("the refusal with its line", lambda: "explain.conf: line 4: no such category" in b.errors())
        b.fail(2)
        b.wait("failures after the refusal", lambda: b.seen() == 5)
        assert b.rules() == ["purple-gate"], "the old rules stay: %s" % b.rules()
        b.write("explain.conf", RULE % "spam")
        b.wait("the good file", lambda: b.rows("SELECT category FROM cluster")[0][0] != full[0][0])
        assert b.rules() == ["purple-gate"] and len({r for r in b.rows("SELECT category FROM cluster")}) == 1
        os.unlink(b.path("explain.conf"))
        b.wait("the built-in rules", lambda: "purple-gate" not in b.rules())
        b.wait("one transaction more", lambda: b.seen() == 5)
    finally:
        b.close()
    print("ok")


main()
