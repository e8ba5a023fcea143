# SPDX-License-Identifier: MIT
"""queue_bench - a queue of 100,000: a spool of as many files, a postqueue that prints as many rows; see queue_bench.c.

bench_queue(folder, build, row) is what tests/bench/run calls; row(name, value, unit, target, met).
"""
import json
import os
import subprocess

MESSAGES = 100000
SECONDS = 300
MAIN_CF = """compatibility_level = 3
command_directory = {dir}
queue_directory = {dir}/spool
myhostname = mail.example.test
mynetworks = 127.0.0.1
"""


def make_queue(folder, messages):
    """A configuration folder with a spool of that many deferred files and a postqueue that lists them."""
    os.makedirs(folder, exist_ok=True)
    for name, text in (("main.cf", MAIN_CF.format(dir=folder)), ("master.cf", ""),
                       ("postqueue", "#!/bin/sh\nexec cat '%s/rows'\n" % folder)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
    os.chmod(os.path.join(folder, "postqueue"), 0o755)
    for queue in ("maildrop", "incoming", "active", "hold", "corrupt"):
        os.makedirs(os.path.join(folder, "spool", queue), exist_ok=True)
    for digit in "0123456789ABCDEF":
        os.makedirs(os.path.join(folder, "spool", "deferred", digit), exist_ok=True)
    with open(os.path.join(folder, "rows"), "w") as rows:
        for i in range(messages):
            qid = "%X%04X%06X" % (i % 16, i % 65536, i)
            with open(os.path.join(folder, "spool", "deferred", qid[0], qid), "w"):
                pass
            domain = "d%d.example" % (i % 500)
            rows.write(json.dumps({
                "queue_name": "deferred", "queue_id": qid, "arrival_time": 1700000000 + i, "message_size": 4000 + i % 1000,
                "forced_expire": False, "sender": "user%d@sender%d.example" % (i % 300, i % 40),
                "recipients": [{"address": "someone%d@%s" % (i, domain), "delay_reason":
                                "host mx.%s[192.0.2.%d] said: 450 4.2.0 try again later (in reply to RCPT TO command)"
                                % (domain, i % 250)}]}) + "\n")
    return folder


def bench_queue(folder, build, row, messages=MESSAGES, seconds=SECONDS):
    """a queue of 100,000: depth, listing, memory, share of a core"""
    tool = os.path.join(build, "tests", "queue_bench")
    queue = make_queue(os.path.join(folder, "queue"), messages)
    cache = os.path.join(folder, "queue.db")
    out = subprocess.run([tool, cache, queue, str(seconds)], check=True, stdout=subprocess.PIPE, text=True).stdout
    got = json.loads(out)
    if got["depth"] != messages:
        raise RuntimeError("counted %d of %d" % (got["depth"], messages))
    row("readdir of the same folders (baseline)", got["readdir_s"], "s")
    row("depth of a queue of %d" % messages, got["depth_s"], "s", "<= 0.1", got["depth_s"] <= 0.1)
    row("first look: depth and whole listing in the cache", got["list_s"], "s", "<= 1", got["list_s"] <= 1)
    row("  RSS added", got["rss_added_mib"], "MiB", "<= 64", got["rss_added_mib"] <= 64)
    row("  share of a core over %d s, postqueue's too" % seconds, got["cpu_pct"], "%", "<= 2", got["cpu_pct"] <= 2)
    return got


if __name__ == "__main__":
    import sys
    import tempfile
    with tempfile.TemporaryDirectory(prefix="mtatop-bench-") as where:
        os.chmod(where, 0o755)
        bench_queue(where, sys.argv[1], lambda *a: print(*a))
