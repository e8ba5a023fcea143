#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""threads - the program built with ThreadSanitizer: catching up (parser ahead, writer behind), then the dashboard with a
collector under it, keys and a growing log, then one that goes on in the place of another process's collector.

  threads.py BUILD_DIR       prints ok/FAIL lines
"""
import itertools
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "robust")]
from common import Log, clean_env, stamped, write_log  # noqa: E402
from pfx import wait_for  # noqa: E402
from term import Terminal  # noqa: E402

RACE_EXIT = 66
WAIT_S = 90  # ten times slower, on a loaded machine
KEYS = [*"123456789", "Escape", "Tab", "O", "?", "Escape", "Enter", "Escape", "w", "W", "p", "p", "s"]
LINES_A_KEY = 200
BULK_LINES = 300000  # so many bytes that batches are written by a thread of their own


def result(name, ok, detail=""):
    if not ok:
        print(detail)
    print("ok" if ok else "FAIL", name, flush=True)


def catching_up(mtatop, folder):
    log = os.path.join(folder, "big.log")
    write_log(log, BULK_LINES)
    done = subprocess.run([mtatop, "collect", "--until-caught-up", "--cache", os.path.join(folder, "big", "c.db"), "--log", log],
                          env=clean_env(folder, TSAN_OPTIONS="exitcode=%d" % RACE_EXIT), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    result("catching up", done.returncode == 0, done.stdout.decode(errors="replace")[-4000:])


def dashboard(mtatop, folder):
    log, report = os.path.join(folder, "mail.log"), os.path.join(folder, "d", "race")
    write_log(log, 3000)
    os.mkdir(os.path.dirname(report), 0o700)
    term = Terminal([mtatop, "--cache", os.path.join(folder, "d", "c.db"), "--log", log],
                    env={"HOME": folder, "TSAN_OPTIONS": "exitcode=%d:log_path=%s" % (RACE_EXIT, report)})
    lines = iter(Log(99))
    try:
        term.wait("Queue", deadline_s=WAIT_S)
        with open(log, "ab") as f:
            for key in KEYS:
                before = term.screen()
                f.writelines(stamped(line) for line in itertools.islice(lines, LINES_A_KEY))
                f.flush()
                term.keys(key)
                wait_for("the screen after %s" % key, lambda: term.screen() != before, WAIT_S)
        term.keys("Q")
        code = term.exit_status(WAIT_S)
    finally:
        term.close()
    races = [open(os.path.join(folder, "d", f), errors="replace").read() for f in os.listdir(os.path.join(folder, "d")) if f.startswith("race")]
    result("dashboard", code == 0 and not races, "exit %d\n%s" % (code, "\n".join(races)[-4000:]))


def takeover(mtatop, folder):
    """The dashboard goes on in the place of a collector that was killed: its reader is open when the writer comes."""
    log, cache, report = os.path.join(folder, "left.log"), os.path.join(folder, "t", "c.db"), os.path.join(folder, "t", "race")
    write_log(log, 3000)
    env = {"HOME": folder, "TSAN_OPTIONS": "exitcode=%d:log_path=%s" % (RACE_EXIT, report)}
    collector = subprocess.Popen([mtatop, "collect", "--cache", cache, "--log", log], env=clean_env(folder), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    term = None
    try:
        wait_for("the collector's cache", lambda: os.path.exists(cache + "-wal"), WAIT_S)
        term = Terminal([mtatop, "--cache", cache, "--log", log], env=env)
        term.wait("another mtatop collects", deadline_s=WAIT_S)
        collector.kill()
        collector.wait()
        with open(log, "ab") as f:
            f.writelines(stamped(line) for line in itertools.islice(Log(98), LINES_A_KEY))
        term.wait("this mtatop collects now", deadline_s=WAIT_S)
        term.keys("Q")
        code = term.exit_status(WAIT_S)
    finally:
        collector.kill()
        collector.wait()
        if term:
            term.close()
    races = [open(os.path.join(folder, "t", f), errors="replace").read() for f in os.listdir(os.path.join(folder, "t")) if f.startswith("race")]
    result("takeover", code == 0 and not races, "exit %d\n%s" % (code, "\n".join(races)[-4000:]))


def main(build):
    mtatop = os.path.join(os.path.abspath(build), "tui", "mtatop")
    with tempfile.TemporaryDirectory(prefix="mtatop-threads-") as folder:
        catching_up(mtatop, folder)
        dashboard(mtatop, folder)
        takeover(mtatop, folder)


if __name__ == "__main__":
    main(sys.argv[1])
