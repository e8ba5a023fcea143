#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""robust/run - faults from outside: kills, damaged caches, full disks, bad configuration, failing calls, privileges.

  run.py BUILD_DIR [PART...] [-- WORD...]   PART: a file here (kills, cache, ...); WORD: only cases whose name holds it
Prints `ok NAME`, `FAIL NAME` or `skip NAME` a case; a name begins with its group of bad input, g01 to g60.
MTATOP_PROOF=1: the heavy forms (tests/proof).
"""
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
PARTS = ("kills", "flood", "config", "rules", "cache", "torture", "privileges")


def main(argv):
    words = argv[argv.index("--") + 1:] if "--" in argv else []
    argv = argv[:argv.index("--")] if "--" in argv else argv
    import common
    failed = 0
    for part in argv[1:] or PARTS:
        failed += common.run_cases(importlib.import_module(part).CASES, argv[0], words)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
