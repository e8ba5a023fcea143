#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""dns/run - the resolver, the SPF evaluator and the checks over them against DNS servers on loopback.

  run.py BUILD_DIR [NAME...]     prints `ok NAME`, `FAIL NAME` or `skip NAME` a check
"""
import importlib
import inspect
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common  # noqa: E402

FILES = ("spf", "bad", "names", "real")


def main(argv):
    build, names = os.path.abspath(argv[1]), argv[2:] or FILES
    failed = 0
    for name in names:
        module = importlib.import_module("test_" + name)
        found = [f for n, f in inspect.getmembers(module, inspect.isfunction)
                 if n.startswith("test_") and f.__module__ == module.__name__]
        failed += common.run_all(sorted(found, key=lambda f: f.__code__.co_firstlineno), build)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
