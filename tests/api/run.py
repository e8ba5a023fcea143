#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run - suite `api`: the providers behind web APIs, from the vendors' contract to the screen.

  run.py BUILD_DIR      prints ok/FAIL/skip NAME a check
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    folder = tempfile.mkdtemp(prefix="mtatop-api-")
    try:
        done = subprocess.run([sys.executable, os.path.join(HERE, "conform.py"), folder], stdin=subprocess.DEVNULL)
        return done.returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
