# SPDX-License-Identifier: MIT
"""cache - groups 42 to 49: a cache that is damaged, foreign, newer, hostile, full, read-only, shared or taken away.

Oracle of every damage: the next run ends with exit 0 and the right totals - untouched, or moved aside to
*.corrupt-TIME and rebuilt from the logs, saying so - or it refuses with a text and exit 1 or 2, changing nothing.
"""
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

from common import (CORRUPT, DEADLINE_S, SEED, Skip, agrees_with_counter, aside, catch_up, clean_env, figures, heavy,
                    must_catch_up, only, run, same, write_log)

PAGE = 16384
LINES = 1500
GOOD_REFUSALS = (1, 2)
ENOSPC_TEXTS = (b"full", b"No space", b"space")


class Good:
    """A log, its finished cache, and the figures it must always give."""

    def __init__(self, mtatop, folder):
        self.mtatop, self.folder, self.env = mtatop, folder, clean_env(folder)
        self.log = os.path.join(folder, "mail.log")
        self.kept = os.path.join(folder, "kept.db")
        write_log(self.log, LINES)
        must_catch_up(mtatop, self.kept, only(self.log), self.env)
        self.want = figures(mtatop, self.kept, self.env)
        agrees_with_counter(self.want, [self.log])
        with open(self.kept, "rb") as f:
            self.bytes = f.read()
        self.n = 0

    def fresh(self, content=None):
        """A new folder with a copy of the cache, or with other bytes in its place."""
        self.n += 1
        place = os.path.join(self.folder, "t%d" % self.n)
        os.mkdir(place, 0o700)
        cache = os.path.join(place, "c.db")
        with open(cache, "wb") as f:
            f.write(self.bytes if content is None else content)
        return cache

    def drop(self, cache):
        shutil.rmtree(os.path.dirname(cache))

    def outcome(self, cache, what, may_refuse=False):
        """Catch up on it: "recovered", "unharmed" or "refused", each checked."""
        before = digest(cache)
        done = catch_up(self.mtatop, cache, only(self.log), self.env)
        text = done.stderr.decode(errors="replace")
        if done.returncode:
            if done.returncode not in GOOD_REFUSALS or not text.startswith("mtatop: ") or not may_refuse:
                raise AssertionError("%s: exit %d: %s" % (what, done.returncode, text))
            if digest(cache) != before:
                raise AssertionError("%s: refused, but the file was changed" % what)
            return "refused"
        moved = aside(cache)
        if moved and CORRUPT not in text:
            raise AssertionError("%s: moved aside without a word: %s" % (what, text))
        same(figures(self.mtatop, cache, self.env), self.want, what)
        return "recovered" if moved else "unharmed"


def digest(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return None


def tally(results):
    return ", ".join("%d %s" % (results.count(r), r) for r in ("recovered", "unharmed", "refused") if r in results)


def case_content(mtatop, folder):
    good = Good(mtatop, folder)
    r = random.Random(SEED)
    for name, content, want in (("zero bytes", b"", "unharmed"), ("random bytes", r.randbytes(100000), "recovered"),
                                ("text", b"hello\n" * 999, "recovered"), ("header only", good.bytes[:100], "recovered"),
                                ("first page only", good.bytes[:PAGE], "recovered"), ("all zero", b"\0" * 65536, "recovered")):
        cache = good.fresh(content)
        got = good.outcome(cache, name)
        if got != want:
            raise AssertionError("%s: %s, not %s" % (name, got, want))
        if want == "recovered" and digest(os.path.join(os.path.dirname(cache), sorted(aside(cache))[0])) != content:
            raise AssertionError("%s: what was moved aside is not what was there" % name)
        good.drop(cache)
    return "6/6"


def case_truncated(mtatop, folder):
    good = Good(mtatop, folder)
    results = []
    for page in range(len(good.bytes) // PAGE):
        for size in (page * PAGE, page * PAGE + 777):
            cache = good.fresh(good.bytes[:size])
            results.append(good.outcome(cache, "cut to %d bytes" % size, may_refuse=True))
            good.drop(cache)
    if results.count("recovered") < len(results) - 4:
        raise AssertionError(tally(results))
    return "%d/%d: %s" % (len(results), len(results), tally(results))


def case_bit_flips(mtatop, folder):
    good = Good(mtatop, folder)
    r = random.Random(SEED)
    results, silent = [], []
    n = heavy(60, 1000)
    for i in range(n):
        data = bytearray(good.bytes)
        at = r.randrange(100 if i % 4 == 0 else len(data))  # every fourth in the header
        data[at] ^= 1 << r.randrange(8)
        cache = good.fresh(bytes(data))
        try:
            results.append(good.outcome(cache, "bit flip at %d (page %d + %d)" % (at, at // PAGE + 1, at % PAGE), may_refuse=True))
        except AssertionError as error:
            if "counts that are not ours" in str(error):
                results.append("refused")  # the collector does not read old counts; who does refuses, with no figure
            elif "differs" not in str(error):
                raise
            else:
                silent.append(str(error).splitlines()[0])
        good.drop(cache)
    # No page carries a checksum: a flipped bit inside a stored number is a valid other number. Told, and bounded.
    if len(silent) > n // 10:
        raise AssertionError("%d of %d gave other figures:\n%s" % (len(silent), n, "\n".join(silent[:10])))
    return "%d/%d: %s%s" % (n - len(silent), n, tally(results), ", %d inside a value, which no check can see" % len(silent) if silent else "")


def case_reader(mtatop, folder):
    """`report` on damaged and hostile files: figures or a text, never a crash; the file is not touched."""
    good = Good(mtatop, folder)
    r = random.Random(SEED)
    n = heavy(40, 500)
    spoken = 0
    for i in range(n):
        data = bytearray(good.bytes)
        for _ in range(r.choice((1, 20, 400))):
            data[r.randrange(len(data))] = r.randrange(256)
        if i % 5 == 0:
            data = data[:r.randrange(len(data))]
        cache = good.fresh(bytes(data))
        done = run([mtatop, "report", "--format", "json", "--cache", cache], env=good.env)
        if done.returncode not in (0, 1) or (done.returncode and not done.stderr.startswith(b"mtatop: ")):
            raise AssertionError("%d: exit %d %s" % (i, done.returncode, done.stderr[-400:]))
        if digest(cache) != bytes(data):
            raise AssertionError("%d: a reader changed the file" % i)
        spoken += done.returncode
        good.drop(cache)
    return "%d/%d, %d refused" % (n, n, spoken)


def left_by_kill(good):
    """A cache with a WAL that was not checkpointed, as a killed collector leaves it; the log is half read."""
    cache = good.fresh(b"")
    os.unlink(cache)
    half = good.log + ".half"
    with open(good.log, "rb") as f, open(half, "wb") as out:
        data = f.read()
        out.write(data[:data.index(b"\n", len(data) // 2) + 1])
    child = subprocess.Popen([good.mtatop, "collect", "--cache", cache, *only(half)], env=good.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + DEADLINE_S
    while not (os.path.exists(cache + "-wal") and committed(cache)):
        if time.monotonic() > end:
            raise AssertionError("it never committed")
        time.sleep(0.01)
    child.kill()
    child.wait()
    if not os.path.getsize(cache + "-wal"):
        raise AssertionError("no WAL was left")
    return cache, half


def committed(cache):
    try:
        db = sqlite3.connect("file:%s?mode=ro" % cache, uri=True)
        try:
            return db.execute("SELECT count(*) FROM attempt").fetchone()[0] > 0
        finally:
            db.close()
    except sqlite3.OperationalError:
        return False


def case_wal(mtatop, folder):
    good = Good(mtatop, folder)
    r = random.Random(SEED)
    results = []

    def cut(cache):
        os.truncate(cache + "-wal", os.path.getsize(cache + "-wal") * 2 // 3)

    def foreign(cache):
        with open(cache + "-wal", "r+b") as f:
            f.seek(32)
            f.write(r.randbytes(70000))

    def of_another(cache):
        with open(cache + "-wal", "wb") as f:
            f.write(r.randbytes(100000))

    def gone(cache):
        os.unlink(cache + "-wal")

    def no_shm(cache):
        os.unlink(cache + "-shm")

    def bad_shm(cache):
        with open(cache + "-shm", "wb") as f:
            f.write(r.randbytes(32768))

    for damage in (cut, foreign, of_another, gone, no_shm, bad_shm):
        cache, half = left_by_kill(good)
        damage(cache)
        shutil.copyfile(good.log, half)  # the log went on
        done = catch_up(mtatop, cache, only(half), good.env)
        if done.returncode:
            raise AssertionError("%s: exit %d %s" % (damage.__name__, done.returncode, done.stderr))
        same(figures(mtatop, cache, good.env), good.want, "WAL: " + damage.__name__)
        results.append("recovered" if aside(cache) else "unharmed")
        good.drop(cache)
    return "6/6: " + tally(results)


def case_hot_journal(mtatop, folder):
    """A rollback journal of another SQLite that died in mid-transaction: rolled back or moved aside."""
    good = Good(mtatop, folder)
    cache = good.fresh()
    script = ("import os,sqlite3,sys\n"
              "db=sqlite3.connect(sys.argv[1],isolation_level=None)\n"
              "db.execute('PRAGMA journal_mode=DELETE'); db.execute('PRAGMA cache_size=1'); db.execute('BEGIN IMMEDIATE')\n"
              "db.execute('UPDATE message_open SET id=id+1'); db.execute('UPDATE attempt SET status=0'); db.execute('DELETE FROM bucket')\n"
              "os.kill(os.getpid(),9)\n")
    subprocess.run(["/usr/bin/python3", "-c", script, cache], stderr=subprocess.PIPE)
    if not os.path.exists(cache + "-journal"):
        raise AssertionError("no hot journal was made")
    return good.outcome(cache, "hot journal")


def case_killed(mtatop, folder):
    """Unharmed by SIGKILL alone, x N without damage: the WAL is taken over whole."""
    good = Good(mtatop, folder)
    n = heavy(3, 20)
    for _ in range(n):
        cache, half = left_by_kill(good)
        shutil.copyfile(good.log, half)
        must_catch_up(mtatop, cache, only(half), good.env)
        same(figures(mtatop, cache, good.env), good.want, "WAL of a killed one")
        if aside(cache):
            raise AssertionError("a sound cache was moved aside")
        good.drop(cache)
    return "%d/%d" % (n, n)


# ---- a full disk and failing calls

class SmallDisk:
    def __init__(self, folder, size):
        self.place = os.path.join(folder, "small")
        os.mkdir(self.place, 0o700)
        done = run(["mount", "-t", "tmpfs", "-o", "size=%s,mode=0700" % size, "mtatop-test", self.place])
        if done.returncode:
            raise Skip("a small tmpfs cannot be mounted here")

    def __enter__(self):
        return self.place

    def __exit__(self, *_):
        run(["umount", "-l", self.place])


def case_full_disk(mtatop, folder):
    good = Good(mtatop, folder)
    sizes = heavy(("300k", "600k", "1m"), tuple("%dk" % k for k in range(100, 1400, 100)))
    refused = 0
    for size in sizes:
        with SmallDisk(folder, size) as place:
            cache = os.path.join(place, "c.db")
            done = catch_up(mtatop, cache, only(good.log), good.env)
            if done.returncode:
                refused += 1
                if done.returncode != 1 or not any(t in done.stderr for t in ENOSPC_TEXTS):
                    raise AssertionError("%s: exit %d %s" % (size, done.returncode, done.stderr))
                if os.path.exists(cache) and os.path.getsize(cache):
                    verdict = sqlite3.connect(cache).execute("PRAGMA quick_check").fetchone()[0]
                    if verdict != "ok":
                        raise AssertionError("%s: %s" % (size, verdict))
            if run(["mount", "-o", "remount,size=64m", place]).returncode:
                raise Skip("remount")
            must_catch_up(mtatop, cache, only(good.log), good.env)
            same(figures(mtatop, cache, good.env), good.want, "after the disk had room again, %s" % size)
            if aside(cache):
                raise AssertionError("%s: a full disk is no damage, but the cache was moved aside" % size)
        os.rmdir(place)
    if not refused:
        raise AssertionError("no size was too small")
    return "%d/%d sizes, %d full" % (len(sizes), len(sizes), refused)


def case_full_disk_live(mtatop, folder):
    """The disk fills while it follows (also at a checkpoint), has room again: it goes on by itself, nothing lost."""
    good = Good(mtatop, folder)
    with SmallDisk(folder, "6m") as place:
        cache, log = os.path.join(place, "c.db"), os.path.join(folder, "live.log")
        with open(good.log, "rb") as f:
            data = f.read()
        cut = data.index(b"\n", len(data) // 10) + 1
        with open(log, "wb") as f:
            f.write(data[:cut])
        child = subprocess.Popen([mtatop, "collect", "--cache", cache, *only(log)], env=good.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait(lambda: committed(cache), "the first commit", child)
            ballast = os.path.join(place, "ballast")
            with open(ballast, "wb", buffering=0) as f:
                try:
                    while f.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            with open(log, "ab") as f:
                f.write(data[cut:])
            line = child.stderr.readline()
            while b"can't write the cache" not in line:
                if not line:
                    raise AssertionError("it ended, or said nothing of the full disk")
                line = child.stderr.readline()
            os.unlink(ballast)
            while b"can be written again" not in line:
                if not line:
                    raise AssertionError("it ended")
                line = child.stderr.readline()
            child.send_signal(signal.SIGTERM)
            child.stderr.read()
            if child.wait(DEADLINE_S):
                raise AssertionError("exit %d" % child.returncode)
        finally:
            child.kill()
            child.wait()
            child.stderr.close()
        must_catch_up(mtatop, cache, only(log), good.env)
        same(figures(mtatop, cache, good.env), good.want, "after a full disk")
    return "stalled, told, went on, exact"


def wait(condition, what, child):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if child.poll() is not None:
            raise AssertionError("it ended while waiting for %s: %s" % (what, child.stderr.read()))
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)


def limited(good, cache, what, values, limit):
    """Run under each value of a resource limit; afterwards, without it, the counts must be right."""
    failed = 0
    for value in values:
        done = catch_up(good.mtatop, cache, only(good.log), good.env, preexec_fn=lambda: resource.setrlimit(limit, (value, value)))
        if done.returncode < 0 or done.returncode > 2:
            raise AssertionError("%s %d: exit %d %s" % (what, value, done.returncode, done.stderr[-500:]))
        if done.returncode:
            failed += 1
            if not done.stderr.strip():
                raise AssertionError("%s %d: failed without a word" % (what, value))
        must_catch_up(good.mtatop, cache, only(good.log), good.env)
        same(figures(good.mtatop, cache, good.env), good.want, "after %s %d" % (what, value))
        good.drop(cache)
        cache = good.fresh(b"")
        os.unlink(cache)
    return failed


def case_few_files(mtatop, folder):
    good = Good(mtatop, folder)
    cache = good.fresh(b"")
    os.unlink(cache)
    values = range(4, 20, heavy(3, 1))
    failed = limited(good, cache, "RLIMIT_NOFILE", values, resource.RLIMIT_NOFILE)
    if not failed:
        raise AssertionError("no limit was too low")
    return "%d/%d limits, %d of them too low" % (len(values), len(values), failed)


def case_file_size(mtatop, folder):
    good = Good(mtatop, folder)
    cache = good.fresh(b"")
    os.unlink(cache)
    values = range(20000, 500000, heavy(120000, 20000))
    failed = limited(good, cache, "RLIMIT_FSIZE", values, resource.RLIMIT_FSIZE)
    if not failed:
        raise AssertionError("no limit was too low")
    return "%d/%d limits, %d of them too low" % (len(values), len(values), failed)


# ---- permissions, sharing

def as_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def case_read_only(mtatop, folder):
    if os.geteuid() != 0:
        raise Skip("needs root to become another user")
    good = Good(mtatop, folder)
    os.chmod(folder, 0o755)
    os.chmod(good.log, 0o644)
    binary = os.path.join(folder, "mtatop")
    shutil.copy(mtatop, binary)
    for name, dir_mode, file_mode, lock in (("file", 0o777, 0o444, 0o666), ("folder", 0o555, 0o666, None)):
        cache = good.fresh()
        os.chmod(os.path.dirname(cache), dir_mode)
        os.chmod(cache, file_mode)
        if lock:
            open(cache + ".lock", "w").close()
            os.chmod(cache + ".lock", lock)
        done = catch_up(binary, cache, only(good.log), good.env, preexec_fn=as_nobody)
        if done.returncode not in GOOD_REFUSALS or b"--cache" not in done.stderr:
            raise AssertionError("read-only %s: exit %d %s" % (name, done.returncode, done.stderr))
        if digest(cache) != good.bytes:
            raise AssertionError("read-only %s was changed" % name)
    return "2/2 refused with the fix"


def case_two_writers(mtatop, folder):
    good = Good(mtatop, folder)
    cache = good.fresh(b"")
    os.unlink(cache)
    first = subprocess.Popen([mtatop, "collect", "--cache", cache, *only(good.log)], env=good.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait(lambda: os.path.exists(cache) and committed(cache), "the first commit", first)
        done = catch_up(mtatop, cache, only(good.log), good.env)
        if done.returncode != 1 or b"process %d" % first.pid not in done.stderr:
            raise AssertionError("the second: exit %d %s" % (done.returncode, done.stderr))
        first.send_signal(signal.SIGTERM)
        if first.wait(DEADLINE_S):
            raise AssertionError("the first: exit %d" % first.returncode)
    finally:
        first.kill()
        first.wait()
        first.stderr.close()
    must_catch_up(mtatop, cache, only(good.log), good.env)
    same(figures(mtatop, cache, good.env), good.want, "two writers")
    return "the second is refused and names the first"


def case_long_reader(mtatop, folder):
    """A reader keeps a snapshot while a large log comes in: the WAL grows, is bounded once it goes, and the figures are right."""
    good = Good(mtatop, folder)
    cache, log = good.fresh(), os.path.join(folder, "big.log")
    lines = heavy(40000, 200000)
    write_log(log, lines, SEED + 1)
    reader = sqlite3.connect("file:%s?mode=ro" % cache, uri=True, isolation_level=None)
    try:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM attempt").fetchone()[0]
        must_catch_up(mtatop, cache, only(log), good.env)
        if reader.execute("SELECT count(*) FROM attempt").fetchone()[0] != before:
            raise AssertionError("the snapshot moved")
        held = os.path.getsize(cache + "-wal")
        reader.execute("ROLLBACK")
        with open(log, "ab") as f, open(good.log, "rb") as g:
            f.write(g.read())
        must_catch_up(mtatop, cache, only(log), good.env)
        after = os.path.getsize(cache + "-wal") if os.path.exists(cache + "-wal") else 0
    finally:
        reader.close()
    written = os.path.getsize(cache)
    if held > 40 * written or after > 64 << 20:
        raise AssertionError("WAL %d bytes held, %d after; cache %d" % (held, after, written))
    return "WAL %.1f MiB while held, %.1f after, cache %.1f" % (held / 2**20, after / 2**20, written / 2**20)


def case_schema(mtatop, folder):
    good = Good(mtatop, folder)
    for name, sql, want in (
            ("newer", "PRAGMA user_version=999", "refused"),
            ("another program's", "PRAGMA application_id=77", "refused"),
            ("version without tables", "PRAGMA user_version=0", "recovered"),
            ("trigger", "CREATE TRIGGER t AFTER INSERT ON message_block BEGIN DELETE FROM attempt; END", "recovered"),
            ("view", "CREATE VIEW v AS SELECT * FROM message_block", "recovered"),
            ("table gone", "DROP TABLE reply" if has_table(good, "reply") else "DROP TABLE message_block", "recovered"),
            ("column renamed", "ALTER TABLE attempt RENAME COLUMN relay TO carrier", "recovered"),
            ("cursor of no sense", "UPDATE cursor SET value=x'00'", "told, then recovered")):
        cache = good.fresh()
        db = sqlite3.connect(cache)
        db.execute("PRAGMA writable_schema=ON")
        db.execute(sql)
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        if want == "told, then recovered":
            done = catch_up(mtatop, cache, only(good.log), good.env)
            if done.returncode != 1 or b"moved aside" not in done.stderr:
                raise AssertionError("%s: exit %d %s" % (name, done.returncode, done.stderr))
            want = "recovered"
        got = good.outcome(cache, name, may_refuse=want == "refused")
        if got != want:
            raise AssertionError("%s: %s, not %s" % (name, got, want))
        good.drop(cache)
    return "8/8"


def has_table(good, name):
    db = sqlite3.connect("file:%s?mode=ro" % good.kept, uri=True)
    try:
        return bool(db.execute("SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?", (name,)).fetchone())
    finally:
        db.close()


def case_taken_away(mtatop, folder):
    """The file is unlinked or renamed under a running collector: it ends with a text, the next run has all."""
    good = Good(mtatop, folder)
    for how in ("unlinked", "renamed", "replaced"):
        cache, log = good.fresh(b""), os.path.join(folder, "going.log")
        os.unlink(cache)
        with open(good.log, "rb") as f:
            data = f.read()
        cut = data.index(b"\n", len(data) // 2) + 1
        with open(log, "wb") as f:
            f.write(data[:cut])
        child = subprocess.Popen([mtatop, "collect", "--cache", cache, *only(log)], env=good.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait(lambda: os.path.exists(cache) and committed(cache), "the first commit", child)
            if how == "unlinked":
                os.unlink(cache)
            else:
                os.rename(cache, cache + ".elsewhere")
            if how == "replaced":
                shutil.copyfile(good.kept, cache)
            with open(log, "ab") as f:
                f.write(data[cut:])
            line = child.stderr.readline()
            while line and b"cache" not in line:
                line = child.stderr.readline()
            if not line:
                raise AssertionError("%s: nothing was said" % how)
        finally:
            child.terminate()
            child.stderr.read()
            child.wait(DEADLINE_S)
            child.stderr.close()
        for ending in ("", "-wal", "-shm"):
            if os.path.exists(cache + ending):
                os.unlink(cache + ending)
        must_catch_up(mtatop, cache, only(log), good.env)
        same(figures(mtatop, cache, good.env), good.want, how)
        good.drop(cache)
    return "3/3 told, and rebuilt"


CASES = [("g42 empty, random, header only", case_content), ("g42 truncated at every page", case_truncated),
         ("g42 bit flips x%d" % heavy(60, 1000), case_bit_flips), ("g42 report on damaged files x%d" % heavy(40, 500), case_reader),
         ("g43 WAL and shm damaged, foreign, gone", case_wal),
         ("g43 hot journal", case_hot_journal), ("g44 WAL of a killed collector x%d" % heavy(3, 20), case_killed),
         ("g45 full disk", case_full_disk), ("g45 full disk while following", case_full_disk_live),
         ("g45 RLIMIT_NOFILE (EMFILE)", case_few_files), ("g45 RLIMIT_FSIZE (SIGXFSZ)", case_file_size),
         ("g46 read-only file, folder", case_read_only), ("g47 two writers", case_two_writers),
         ("g47 a reader holds a snapshot", case_long_reader), ("g48 schema newer, foreign, hostile", case_schema),
         ("g49 unlinked, renamed, replaced while open", case_taken_away)]
