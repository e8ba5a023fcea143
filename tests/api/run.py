#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run - suite `api`: the providers behind web APIs, from the vendors' contract to the screen.

  run.py BUILD_DIR [CASE...]     prints ok/FAIL/skip NAME a check; a CASE names those that begin so

Cases run two at a time, each with fakes, a folder and a collector of its own. At the end canary.py looks for the keys in
everything they left behind.
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import canary  # noqa: E402
import cases_account  # noqa: E402
import cases_mailgun  # noqa: E402
import cases_postmark  # noqa: E402
import cases_screen  # noqa: E402
import cases_sendgrid  # noqa: E402
import cases_warmup  # noqa: E402
import traps  # noqa: E402
from harness import Case, Skip  # noqa: E402

AT_ONCE = 2


def run_one(build, folder, fn):
    """(word, name, details)"""
    case = Case(build, folder, fn.__name__)
    try:
        fn(case)
        return "ok", fn.__name__, ""
    except Skip as e:
        return "skip", "%s: %s" % (fn.__name__, e), ""
    except AssertionError as e:
        return "FAIL", fn.__name__, str(e)
    except Exception:
        return "FAIL", fn.__name__, traceback.format_exc()
    finally:
        case.close()


def main(build, wanted):
    folder = tempfile.mkdtemp(prefix="mtatop-api-")
    modules = (cases_sendgrid, cases_mailgun, cases_account, cases_postmark, cases_screen, cases_warmup, traps, canary)
    cases = [fn for module in modules for fn in module.CASES
             if not wanted or fn.__name__.startswith(tuple(wanted))]
    failed = 0
    try:
        if not wanted or "fake".startswith(tuple(wanted)):
            subprocess.run([sys.executable, os.path.join(HERE, "conform.py"), folder], stdin=subprocess.DEVNULL, check=False)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for word, name, details in pool.map(lambda fn: run_one(build, folder, fn), cases):
                print("%s%s %s" % (details + "\n" if details else "", word, name), flush=True)
                failed += word == "FAIL"
        if not wanted:
            for word, name in canary.search(folder):
                print(word, name, flush=True)
                failed += word == "FAIL"
    finally:
        if not os.environ.get("MTATOP_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
