#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""valgrind - the program ends without an error or a leak: --once, report, collect, replay, and in a terminal.

  valgrind.py BUILD_DIR       prints ok/FAIL lines
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from term import Terminal  # noqa: E402

ERROR_EXIT = 99
WAIT_S = 120  # a program forty times slower, on a loaded machine
VALGRIND = ["valgrind", "-q", "--error-exitcode=%d" % ERROR_EXIT, "--leak-check=full", "--show-leak-kinds=definite,possible",
            "--errors-for-leak-kinds=definite", "--num-callers=25",
            "--suppressions=" + os.path.join(HERE, "valgrind.supp")]


def result(name, ok, detail=""):
    if not ok:
        print(detail)
    print("ok" if ok else "FAIL", name, flush=True)


def main(build):
    mtatop = os.path.join(build, "tui", "mtatop")
    log = os.path.join(HERE, "..", "fixtures", "truth", "real-postfix-3.7.log")
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, HOME=folder, XDG_CACHE_HOME=folder, TZ="UTC")
        cache = os.path.join(folder, "c.db")
        for name, args in (
                ("collect", ["collect", "--until-caught-up", "--cache", cache, "--log", log]),
                ("report json", ["report", "--format", "json", "--cache", cache]),
                ("report text", ["report", "--format", "text", "--cache", cache]),
                ("replay", ["--replay", "postfix", log]),
                ("once", ["--once", "--cache", cache, "--log", log]),
                ("demo once", ["--demo", "--once"])):
            done = subprocess.run(VALGRIND + [mtatop] + args, env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            result(name, done.returncode == 0, done.stderr.decode(errors="replace")[-3000:])
        vlog = os.path.join(folder, "valgrind.log")
        term = Terminal(VALGRIND + ["--log-file=" + vlog, mtatop, "--cache", cache, "--log", log],
                        env={"HOME": folder, "XDG_CACHE_HOME": folder})
        try:
            term.wait("Queue", deadline_s=WAIT_S)
            for key in ("2", "3", "Escape", "?", "Escape", "Tab", "Q"):
                term.keys(key)
            code = term.exit_status(WAIT_S)
            with open(vlog, errors="replace") as f:
                result("dashboard", code == 0, f.read()[-3000:])
        finally:
            term.close()


if __name__ == "__main__":
    main(sys.argv[1])
