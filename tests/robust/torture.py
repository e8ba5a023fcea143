# SPDX-License-Identifier: MIT
"""torture - every malloc, read, write, open and sync of an ingest fails once in turn (shim.c).

Oracle of each point: the run ends by itself - exit 0, 1 or 2, or for a failed malloc an abort that says so - and
after a clean run on what it left the figures are right. CI takes a sample spread over all points, the proof all.
"""
import concurrent.futures
import errno
import os
import shutil
import signal
import subprocess

from common import HERE, Skip, agrees_with_counter, aside, catch_up, clean_env, figures, heavy, must_catch_up, only, same, write_log

LINES = 150
ERRNOS = {"malloc": (errno.ENOMEM,), "read": (errno.EIO,), "write": (errno.EIO, errno.ENOSPC), "open": (errno.EMFILE, errno.EACCES),
          "sync": (errno.EIO,)}
SAMPLE = heavy(40, None)  # points of a kind and scenario
WORKERS = 2


class Torture:
    def __init__(self, mtatop, folder):
        self.mtatop, self.folder = mtatop, folder
        self.env = clean_env(folder)
        self.log, self.half = os.path.join(folder, "mail.log"), os.path.join(folder, "half.log")
        write_log(self.log, LINES)
        with open(self.log, "rb") as f:
            data = f.read()
        self.cut = data.index(b"\n", len(data) // 2) + 1
        self.shim = os.path.join(folder, "shim.so")
        cc = shutil.which("cc") or shutil.which("gcc")
        if not cc:
            raise Skip("no compiler")
        done = subprocess.run([cc, "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-fno-builtin", "-o", self.shim, os.path.join(HERE, "shim.c")],
                              stderr=subprocess.PIPE)
        if done.returncode:
            raise Skip("the shim does not build here: %s" % done.stderr.decode()[-200:])
        reference = os.path.join(folder, "reference.db")
        must_catch_up(mtatop, reference, only(self.log), self.env)
        self.want = figures(mtatop, reference, self.env)
        agrees_with_counter(self.want, [self.log])
        # The scenario "resume": a cache that has the first half of the same file.
        with open(self.half, "wb") as f:
            f.write(data[:self.cut])
        os.mkdir(os.path.join(folder, "begun"), 0o700)
        os.rename(self.log, self.log + ".whole")
        os.rename(self.half, self.log)
        must_catch_up(mtatop, os.path.join(folder, "begun", "c.db"), only(self.log), self.env)
        os.rename(self.log + ".whole", self.log)

    def place(self, scenario, name):
        folder = os.path.join(self.folder, name)
        if scenario == "resume":
            shutil.copytree(os.path.join(self.folder, "begun"), folder)
        else:
            os.mkdir(folder, 0o700)
        return os.path.join(folder, "c.db")

    def shimmed(self, cache, **more):
        return catch_up(self.mtatop, cache, only(self.log), dict(self.env, LD_PRELOAD=self.shim, **more))

    def counts(self, scenario):
        cache, out = self.place(scenario, "count-" + scenario), os.path.join(self.folder, "counts")
        done = self.shimmed(cache, MTATOP_COUNTS=out)
        if done.returncode:
            raise AssertionError("with the shim alone: exit %d %s" % (done.returncode, done.stderr))
        with open(out) as f:
            return {kind: int(n) for kind, n in (line.split() for line in f)}

    def point(self, scenario, kind, n, code):
        """None when all is well, else what is not."""
        name = "%s %s %d %s" % (scenario, kind, n, errno.errorcode[code])
        cache = self.place(scenario, name.replace(" ", "-"))
        done = self.shimmed(cache, MTATOP_FAIL="%s:%d:%d" % (kind, n, code))
        text = done.stderr.decode(errors="replace")
        if done.returncode == -signal.SIGABRT:
            if kind != "malloc" or "memory" not in text:
                return "%s: aborted: %s" % (name, text[-300:])
        elif done.returncode not in (0, 1, 2):
            return "%s: exit %d: %s" % (name, done.returncode, text[-300:])
        elif done.returncode and not text.strip():
            return "%s: exit %d without a word" % (name, done.returncode)
        again = catch_up(self.mtatop, cache, only(self.log), self.env)
        if again.returncode:
            return "%s: then exit %d: %s" % (name, again.returncode, again.stderr.decode(errors="replace")[-300:])
        try:
            same(figures(self.mtatop, cache, self.env), self.want, name)
        except AssertionError as error:
            return "%s (first run: exit %d %s)" % (error, done.returncode, text[-300:])
        if aside(cache):
            return "%s: a failed call is no damage, but the cache was moved aside: %s %s" % (name, text[-200:], again.stderr[-300:])
        shutil.rmtree(os.path.dirname(cache))
        return None


def tortured(mtatop, folder, kind):
    t = Torture(mtatop, folder)
    points = []
    for scenario in ("fresh", "resume"):
        calls = t.counts(scenario)[kind]
        step = max(1, calls // SAMPLE) if SAMPLE else 1
        points += [(scenario, kind, n, code) for code in ERRNOS[kind] for n in range(1, calls + 1, step)]
    if not points:
        raise AssertionError("no %s at all: the shim does not reach it" % kind)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        bad = [b for b in pool.map(lambda p: t.point(*p), points) if b]
    if bad:
        raise AssertionError("%d of %d:\n  %s" % (len(bad), len(points), "\n  ".join(bad[:12])))
    return "%d/%d points" % (len(points), len(points))


CASES = [("g58 every %s fails once" % kind, lambda mtatop, folder, kind=kind: tortured(mtatop, folder, kind)) for kind in ERRNOS]
