# SPDX-License-Identifier: MIT
"""common - what the checks of tests/dns share: running dns_tool against a server, and reporting."""
import os
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

LIMIT_S = 60  # of any run: "nothing hangs"


class Skip(Exception):
    pass


def tool(build, server, lines, deadline_ms=3000):
    """dns_tool's answers, one a line."""
    argv = [os.path.join(build, "tests", "dns_tool"), server if isinstance(server, str) else server.address, str(deadline_ms)]
    done = subprocess.run(argv, input="\n".join(lines).encode("latin-1") + b"\n", stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
    if done.returncode:
        raise AssertionError("dns_tool: exit %d\n%s" % (done.returncode, done.stderr.decode("utf-8", "replace")))
    return done.stdout.decode("utf-8", "replace").splitlines()


def same(what, got, want):
    if got != want:
        raise AssertionError("%s: got %r, want %r" % (what, got, want))


def run_all(checks, *args):
    failed = 0
    for check in checks:
        name = check.__name__.replace("_", " ")
        try:
            check(*args)
            print("ok %s" % name, flush=True)
        except Skip as why:
            print("skip %s (%s)" % (name, why), flush=True)
        except Exception:
            failed += 1
            print(traceback.format_exc())
            print("FAIL %s" % name, flush=True)
    return failed
