#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""follow/run - following a log over everything that happens to log files, with exact counts.

  run.py BUILD_DIR [WORD...]     prints `ok NAME`, `FAIL NAME` or `skip NAME` a case; only those whose name has a WORD
Cases are the functions case_*(case) of cases_*.py; they wait more than they work, so some run at once. MTATOP_FOLLOW_ROUNDS
multiplies the rounds of the torture cases (tests/proof).
"""
import concurrent.futures
import glob
import importlib
import inspect
import os
import sys
import traceback

import harness

HERE = os.path.dirname(os.path.abspath(__file__))
AT_ONCE = 4


def cases():
    for path in sorted(glob.glob(os.path.join(HERE, "cases_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("case_"):
                yield name[5:].replace("_", " "), function


def run_one(build, name, function):
    case = harness.Case(build, name)
    try:
        function(case)
        return "ok %s" % name
    except harness.Skip as why:
        return "skip %s (%s)" % (name, why)
    except Exception:
        return "%s\n%s\nFAIL %s" % (traceback.format_exc().rstrip(), case.errors() if os.path.exists(case.err) else "", name)
    finally:
        case.close()


def main(build, words):
    failed = False
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(run_one, build, name, function) for name, function in cases()
                if not words or any(word in name for word in words)]
        for job in concurrent.futures.as_completed(jobs):
            print(job.result(), flush=True)
            failed |= "FAIL " in job.result()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
