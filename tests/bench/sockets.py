# SPDX-License-Identifier: MIT
"""sockets - 50,000 open TCP sockets in a network of their own, and what one sample of them costs; ss is the baseline.

  unshare -n python3 sockets.py SOCKETS_TOOL     prints JSON: sockets, ours_ms (CPU of one sample), ss_ms
"""
import json
import os
import resource
import signal
import socket
import subprocess
import sys

HOLDERS, CONNECTIONS = 10, 2500  # processes, and connections of each; both ends are here: twice as many sockets
SPARE_FILES = 100
SAMPLES = 10


def hold(listener, number, ready):
    """A process that opens its connections, says so and keeps them until it is killed."""
    limit = 2 * CONNECTIONS + SPARE_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = []
    for _ in range(CONNECTIONS):
        held.append(socket.create_connection(("127.0.0.1", 25), source_address=("127.0.0.%d" % (2 + number), 0)))
        held.append(listener.accept()[0])
    os.write(ready, b"r")
    signal.pause()


def open_all():
    listener = socket.create_server(("0.0.0.0", 25), backlog=4096)
    ends = os.pipe()
    holders = []
    for number in range(HOLDERS):
        pid = os.fork()
        if pid == 0:
            hold(listener, number, ends[1])
        holders.append(pid)
    for _ in holders:
        os.read(ends[0], 1)
    return holders


def ss_ms():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["ss", "-tinaOH"], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main(tool):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    holders = open_all()
    try:
        ours = float(subprocess.run([tool, "time", str(SAMPLES)], stdout=subprocess.PIPE, check=True).stdout) / 1000
        print(json.dumps({"sockets": 2 * HOLDERS * CONNECTIONS, "ours_ms": ours, "ss_ms": ss_ms()}))
    finally:
        for pid in holders:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


main(sys.argv[1])
