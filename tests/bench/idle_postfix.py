#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""idle_postfix - a quiet board beside a real Postfix that does nothing: all sources run, sockets and host among them.

  unshare -n idle_postfix.py MTATOP SECONDS     prints JSON: wakeups and bytes a second, CPU in per cent, sources
Its own Postfix in a network of its own (tests/e2e/pfx.py); what is measured begins when the log's first lines are read.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "e2e")]
import pfx  # noqa: E402
import ptyrun  # noqa: E402


def measure(mtatop, folder, seconds):
    conf, cache = folder + "/mtatop.conf", folder + "/c.db"
    postfix = pfx.Postfix(folder + "/p", real_ports=True)
    env = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8", TZ="UTC")
    postfix.start()
    try:
        with open(conf, "w") as f:
            f.write("[probe]\nenabled = no\n[dns]\nenabled = no\n[postfix mx]\nconfig_directory = %s\n" % postfix.etc)
        for i in range(5):
            postfix.send25(["u%d@accept.test" % i])
        postfix.wait_log([("status=sent", 5)])
        with ptyrun.Screen([mtatop, "--config", conf, "--cache", cache], env) as screen:
            screen.pump(20)  # what the start brings: discovery, the first walk of each source
            before, bytes_before, start = ptyrun.usage(screen.pid), screen.bytes, time.monotonic()
            screen.pump(seconds)
            wall, after = time.monotonic() - start, ptyrun.usage(screen.pid)
            figures = {"wakeups": (after.switches - before.switches) / wall, "bytes": (screen.bytes - bytes_before) / wall,
                       "cpu": 100 * (after.cpu_s - before.cpu_s) / wall, "sources": sources(cache)}
        return figures
    finally:
        postfix.stop()


def sources(cache):
    import sqlite3
    with sqlite3.connect("file:%s?mode=ro" % cache, uri=True) as db:
        return sorted(row[0] for row in db.execute("SELECT name FROM source WHERE last_ok_ms IS NOT NULL"))


def main(mtatop, seconds):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="mtatop-idle-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        print(json.dumps(measure(mtatop, folder, float(seconds))))


if __name__ == "__main__":
    main(*sys.argv[1:])
