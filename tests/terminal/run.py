#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""terminal/run - the dashboard on bad terminals, and nothing of a hostile log on a good one (reliability, groups 50-57).

  run.py BUILD_DIR [--heavy] [CHECK...]      prints `ok NAME` or `FAIL NAME` a check, `skip NAME` with the reason
--heavy: a million keys for the monkey instead of a hundred thousand (tests/proof). The seed of each run is printed;
MTATOP_SEED repeats it.
"""
import inspect
import os
import random
import shutil
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


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


def main(argv):
    sys.modules.setdefault("run", sys.modules["__main__"])
    heavy = "--heavy" in argv
    words = [w for w in argv if w != "--heavy"]
    seed = int(os.environ.get("MTATOP_SEED", random.SystemRandom().randrange(1 << 32)))
    print("seed %d" % seed, flush=True)
    failed = False
    for name, function in checks():
        if words[1:] and name not in words[1:]:
            continue
        env = Env(words[0], heavy, seed)
        try:
            function(env)
            print("ok %s" % name, flush=True)
        except Skip as why:
            print("skip %s (%s)" % (name, why), flush=True)
        except Exception:
            print(traceback.format_exc())
            print("FAIL %s" % name, flush=True)
            failed = True
        finally:
            env.close()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
