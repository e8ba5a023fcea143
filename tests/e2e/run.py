#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""e2e/run - every end-to-end test, each in a process of its own.

  run.py BUILD_DIR [NAME...]     prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
A test file is tests/e2e/test_NAME.py with functions test_*(env); env.mtatop is the binary, env.folder a scratch
folder that is removed afterwards. Raising Skip skips, any other exception fails with its text.
"""
import importlib
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
FILE_DEADLINE_S = 600  # a whole file, under sanitizers on a loaded machine


class Skip(Exception):
    pass


class Env:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.mtatop = os.path.join(self.build, "tui", "mtatop")
        self.top = os.path.dirname(os.path.dirname(HERE))
        self.shared = os.path.join(os.path.dirname(self.top), "shared")
        # Postfix's socket names allow 107 bytes and every parent must be open to its user: short, 0755.
        self.folder = tempfile.mkdtemp(prefix="mt", dir="/tmp")
        os.chmod(self.folder, 0o755)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def run_file(build, name):
    sys.path.insert(0, HERE)
    sys.modules.setdefault("run", sys.modules["__main__"])
    module = importlib.import_module("test_" + name)
    for test, function in inspect.getmembers(module, inspect.isfunction):
        if not test.startswith("test_"):
            continue
        env = Env(build)
        try:
            function(env)
            print("ok %s %s" % (name, test[5:]), flush=True)
        except Skip as why:
            print("skip %s %s (%s)" % (name, test[5:], why), flush=True)
        except Exception:
            print(traceback.format_exc())
            print("FAIL %s %s" % (name, test[5:]), flush=True)
        finally:
            env.close()


def main(argv):
    if argv[0] == "--file":
        return run_file(argv[1], argv[2])
    names = argv[1:] or sorted(f[5:-3] for f in os.listdir(HERE) if f.startswith("test_") and f.endswith(".py"))
    for name in names:
        try:
            done = subprocess.run([sys.executable, os.path.abspath(__file__), "--file", argv[0], name],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, errors="replace", timeout=FILE_DEADLINE_S)
            print(done.stdout, end="", flush=True)
            if done.returncode:
                print("FAIL %s ended with %d" % (name, done.returncode), flush=True)
        except subprocess.TimeoutExpired as late:
            print((late.stdout or b"").decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or "")
            print("FAIL %s took over %d s" % (name, FILE_DEADLINE_S), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
