# SPDX-License-Identifier: MIT
"""kills - exactly once: the collector is killed with SIGKILL at random moments while a writer appends and rotates.

Afterwards it catches up, and every figure must be that of a run nobody disturbed.
"""
import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

from common import (DEADLINE_S, SEED, Log, agrees_with_counter, clean_env, figures, following, heavy, must_catch_up, run, same,
                    stamped, write_log)

LINES = heavy(60000, 300000)
LINE_BYTES = 130  # about
CHUNK_BYTES = 1777  # no multiple of a line or a page: most writes end within a line


class Writer(threading.Thread):
    """Appends the log in torn chunks, renaming it away now and then; never gives a file up before its last line is whole."""

    def __init__(self, folder, rotations, seed):
        super().__init__(daemon=True)
        self.path = os.path.join(folder, "mail.log")
        self.rotations, self.seed = rotations, seed
        self.done_rotations = 0
        self.pace = threading.Semaphore(0)
        self.error = None

    def rotate(self):
        for n in range(self.done_rotations, 0, -1):
            os.rename("%s.%d" % (self.path, n), "%s.%d" % (self.path, n + 1))
        os.rename(self.path, self.path + ".1")
        self.done_rotations += 1

    def run(self):
        try:
            lines = itertools.islice(iter(Log(self.seed)), LINES)
            share = LINES // (self.rotations + 1)
            for part in range(self.rotations + 1):
                size = share if part < self.rotations else LINES - share * self.rotations
                text = b"".join(stamped(line) for line in itertools.islice(lines, size))
                with open(self.path, "ab", buffering=0) as f:
                    for at in range(0, len(text), CHUNK_BYTES):
                        self.pace.acquire()
                        f.write(text[at:at + CHUNK_BYTES])
                if part < self.rotations:
                    self.rotate()
        except Exception as error:  # shown by the case
            self.error = error

    def files(self):
        return ["%s.%d" % (self.path, n) for n in range(self.done_rotations, 0, -1)] + [self.path]


def rows_of(body):
    """Messages in a block (store/message_block.h): the bits of the varint behind the format byte."""
    n = 0
    for byte in body[1:]:
        n += bin(byte & 0x7f).count("1")
        if byte < 0x80:
            return n
    raise AssertionError("a block that does not end: %r" % body)


def stored_messages(cache, folder):
    """How far the killed collector came: read from a copy, so that nothing is recovered in its place."""
    copy = os.path.join(folder, "look.db")
    for ending in ("", "-wal"):
        if os.path.exists(copy + ending):
            os.unlink(copy + ending)
        if os.path.exists(cache + ending):
            shutil.copyfile(cache + ending, copy + ending)
    db = sqlite3.connect(copy)
    try:
        return sum(rows_of(body) for body, in db.execute("SELECT body FROM message_block"))
    except sqlite3.OperationalError:
        return 0  # killed before the schema was there
    finally:
        db.close()


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.005)


def write_for(writer, seconds, chunks):
    """Let it write so many chunks, spread over that time."""
    start, given = time.monotonic(), 0
    while (past := time.monotonic() - start) < seconds:
        due = int(chunks * past / seconds)
        if due > given:
            writer.pace.release(due - given)
            given = due
        time.sleep(0.002)
    if chunks > given:
        writer.pace.release(chunks - given)


def killed(mtatop, folder, kills, rotations, longest_s):
    chance = random.Random(SEED)
    env = clean_env(folder)
    cache = os.path.join(folder, "killed.db")
    writer = Writer(folder, rotations, SEED)
    source = following(writer.path)
    share = LINES * LINE_BYTES // CHUNK_BYTES // kills
    writer.start()
    writer.pace.release(10)
    wait_for(lambda: os.path.exists(writer.path) and os.path.getsize(writer.path), "the first lines")
    seen = []
    for _ in range(kills):
        child = subprocess.Popen([mtatop, "collect", "--cache", cache, *source], env=env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        write_for(writer, chance.random() * longest_s, share * 2 // 3)
        if child.poll() is not None:
            raise AssertionError("it ended by itself: %s" % child.stderr.read().decode(errors="replace")[-800:])
        child.kill()
        child.wait()
        child.stderr.close()
        seen.append(stored_messages(cache, folder))
        writer.pace.release(share // 3)  # while it is down, too
    writer.pace.release(LINES)
    writer.join(DEADLINE_S)
    if writer.error or writer.is_alive():
        raise AssertionError("writer: %s" % (writer.error or "did not end"))
    if seen != sorted(seen):
        raise AssertionError("committed messages went back: %s" % seen)
    if len(set(seen)) < kills // 2:
        raise AssertionError("the kills did not meet it at work: %s" % seen)
    must_catch_up(mtatop, cache, source, env)
    got = figures(mtatop, cache, env)
    undisturbed(mtatop, folder, env, writer, got)
    return "%d/%d kills, %d rotations, %d lines, killed at %d different states" % (kills, kills, rotations, LINES, len(set(seen)))


def undisturbed(mtatop, folder, env, writer, got):
    whole = os.path.join(folder, "whole.log")
    with open(whole, "wb") as out:
        for path in writer.files():
            with open(path, "rb") as f:
                shutil.copyfileobj(f, out)
    reference = os.path.join(folder, "reference.db")
    must_catch_up(mtatop, reference, following(whole), env)
    agrees_with_counter(got, [whole])
    same(got, figures(mtatop, reference, env), "undisturbed run")


def case_kills(mtatop, folder):
    return killed(mtatop, folder, heavy(10, 50), 0, 1.5)


def case_kills_rotations(mtatop, folder):
    return killed(mtatop, folder, heavy(10, 50), heavy(6, 50), 1.5)


def helper_of(pid):
    for entry in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % entry) as f:
                name, rest = f.read().rsplit(")", 1)
        except (OSError, ValueError):
            continue
        if name.endswith("(mtatop-helper") and int(rest.split()[1]) == pid:
            return int(entry)
    return None


def case_helper_killed(mtatop, folder):
    """Without its helper the queue cannot be asked; the log is followed on, and the end is a clean one."""
    env, log, cache = clean_env(folder), os.path.join(folder, "mail.log"), os.path.join(folder, "c.db")
    write_log(log, 2000)
    with open(log, "rb") as f:
        data = f.read()
    cut = data.index(b"\n", len(data) // 2) + 1
    with open(log, "wb") as f:
        f.write(data[:cut])
    source = following(log)
    with open(source[1]) as f:
        text = f.read().replace("queue = no", "queue = yes\nqueue_interval = 1s")
    with open(source[1], "w") as f:
        f.write(text)

    def read_lines():
        done = run([mtatop, "report", "--format", "json", "--cache", cache], env=env)
        return json.loads(done.stdout)["totals"]["lines"] if done.returncode == 0 else None  # not there yet

    child = subprocess.Popen([mtatop, "collect", "--cache", cache, *source], env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: read_lines() == data[:cut].count(b"\n"), "half the log")
        helper = helper_of(child.pid)
        if not helper:
            raise AssertionError("there is no helper")
        os.kill(helper, signal.SIGKILL)
        with open(log, "ab") as f:
            f.write(data[cut:])
        wait_for(lambda: read_lines() == data.count(b"\n"), "the rest of the log")
        child.terminate()
        text = child.stderr.read()
        if child.wait(DEADLINE_S):
            raise AssertionError("exit %d %s" % (child.returncode, text))
    finally:
        child.kill()
        child.wait()
        child.stderr.close()
    agrees_with_counter(figures(mtatop, cache, env), [log])
    return "the log went on, exact; exit 0"


CASES = [("g44 SIGKILL at random under load x%d" % heavy(10, 50), case_kills),
         ("g44 SIGKILL and rotations x%d" % heavy(10, 50), case_kills_rotations),
         ("g57 the helper is killed", case_helper_killed)]
