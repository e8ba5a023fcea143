#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""terminal/run - the dashboard on bad terminals, and nothing of a hostile log on a good one (reliability, groups 50-57).

  run.py BUILD_DIR [--heavy] [CHECK...]      prints `ok NAME` or `FAIL NAME` a check, `skip NAME` with the reason
--heavy: a million keys for the monkey instead of a hundred thousand (tests/proof). The seed of each run is printed;
MTATOP_SEED repeats it.
"""
import concurrent.futures
import inspect
import os
import random
import shutil
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


CHECK_DEADLINE_S = 300  # one check, sanitized, on a loaded machine
HEAVY_DEADLINE_S = 3600


class Skip(Exception):
    pass


class Env:
    """What a check is given: the program, a folder of its own, a log in it, a seeded random source."""

    def __init__(self, build, heavy, seed):
        self.build = os.path.abspath(build)
        self.mtatop = os.path.join(self.build, "tui", "mtatop")
        self.heavy = heavy
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="mtterm-")
        self.log = os.path.join(self.folder, "mail.log")
        self.cache = os.path.join(self.folder, "cache.db")

    def argv(self, *more):
        return [self.mtatop, "--log", self.log, "--cache", self.cache, *more]

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def checks():
    for name in sorted(os.listdir(HERE)):
        if name.startswith("check_") and name.endswith(".py"):
            module = __import__(name[:-3])
            for member, function in inspect.getmembers(module, inspect.isfunction):
                if member.startswith("check_"):
                    yield member[6:], function


def run_one(build, heavy, seed, name):
    """One check in this process; its result as the line to print."""
    function = dict(checks())[name]
    env = Env(build, heavy, seed)
    try:
        function(env)
        return "ok %s" % name
    except Skip as why:
        return "skip %s (%s)" % (name, why)
    except Exception:
        return "%s\nseed %d\nFAIL %s" % (traceback.format_exc(), seed, name)
    finally:
        env.close()


def spawn(build, heavy, seed, name):
    """The same in a process of its own."""
    words = [sys.executable, os.path.abspath(__file__), build, "--one", name] + (["--heavy"] if heavy else [])
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              env=dict(os.environ, MTATOP_SEED=str(seed)), timeout=HEAVY_DEADLINE_S if heavy else CHECK_DEADLINE_S)
        return done.stdout.strip() or "FAIL %s ended with %d" % (name, done.returncode)
    except subprocess.TimeoutExpired:
        return "FAIL %s took too long" % name


def main(argv):
    sys.modules.setdefault("run", sys.modules["__main__"])
    heavy = "--heavy" in argv
    words = [w for w in argv if not w.startswith("--")]
    seed = int(os.environ.get("MTATOP_SEED", random.SystemRandom().randrange(1 << 32)))
    if "--one" in argv:
        print(run_one(words[0], heavy, seed, words[1]), flush=True)
        return 0
    print("seed %d" % seed, flush=True)
    failed = False
    names = words[1:] or [name for name, _ in checks()]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for result in pool.map(lambda name: spawn(words[0], heavy, seed, name), names):
            print(result, flush=True)
            failed = failed or "FAIL" in result
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
