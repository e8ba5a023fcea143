# SPDX-License-Identifier: MIT
"""names - a round of checks of 1,000 own domains against nsd on loopback; the baseline asks the same questions one by one."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests"), os.path.join(TOP, "tests", "dns")]
import real  # noqa: E402

DOMAINS = 1000
TYPES = (("", 16), ("_dmarc.", 16), ("", 15), ("_mta-sts.", 16), ("_smtp._tls.", 16), ("_25._tcp.mx.", 52), ("mx.", 1), ("mx.", 28))


def zone():
    rows = []
    for n in range(DOMAINS):
        rows += ['d%d IN TXT "v=spf1 mx a:mx.d%d.b.test ip4:192.0.2.0/24 -all"' % (n, n), "d%d IN MX 10 mx.d%d" % (n, n),
                 "mx.d%d IN A 192.0.2.%d" % (n, n % 250 + 1), '_dmarc.d%d IN TXT "v=DMARC1; p=none; rua=mailto:d@b.test"' % n,
                 "_25._tcp.mx.d%d IN TLSA 3 1 1 %064d" % (n, n)]
    return "\n".join(rows)


def run(mtatop, folder, port, domains):
    """Seconds, peak MiB, checks that were not made."""
    conf = os.path.join(folder, "bench.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write("[dns]\nservers = 127.0.0.1:%d\naddresses = 192.0.2.1\nblocklists =\n" % port)
    os.chmod(conf, 0o600)
    start = time.monotonic()
    child = subprocess.Popen([mtatop, "--config", conf, "--cache", os.path.join(folder, "c.db"), "dns", "--format", "json",
                              *("d%d.b.test" % n for n in range(domains))],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    out, peak = b"", 0.0
    while True:
        if domains == 1:
            time.sleep(1)  # it waits for an answer
        try:
            with open("/proc/%d/status" % child.pid, encoding="ascii") as f:
                found = re.search(r"VmHWM:\s+(\d+)", f.read())
                peak = max(peak, int(found[1]) / 1024 if found else 0)
        except OSError:
            pass
        part = child.stdout.read1(1 << 20)
        if not part:
            break
        out += part
    child.wait()
    return time.monotonic() - start, peak, out.count(b'"cant-check"'), out.count(b'"verdict"')


def one_by_one(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(5)
        start = time.monotonic()
        for n in range(DOMAINS):
            for prefix, kind in TYPES:
                name = b"".join(bytes([len(p)]) + p.encode() for p in ("%sd%d.b.test" % (prefix, n)).split("."))
                s.send(b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + name + b"\0" + bytes([0, kind, 0, 1]))
                s.recv(4096)
        return time.monotonic() - start


def suite_names(table, mtatop):
    found = real.programs()
    if not found:
        table.skip("1,000 names in the DNS", "nsd can't be had")
        return
    world = real.Real(found, tempfile.mkdtemp(prefix="mtbench", dir="/tmp"), {"b.test": zone()})
    folder = tempfile.mkdtemp(prefix="mtbench", dir="/tmp")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:  # long enough to look at its memory
            silent.bind(("127.0.0.1", 0))
            base = run(mtatop, folder, silent.getsockname()[1], 1)
        took, peak, cant, checks = run(mtatop, folder, world.nsd_port, DOMAINS)
        alone = one_by_one(world.nsd_port)
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)
    table.below("a round of 1,000 domains, %d checks" % checks, took, "s", 5, "%d questions one by one: %.2f s" %
                (DOMAINS * len(TYPES), alone))
    table.below("1,000 domains: memory more than for 1", peak - base[1], "MiB", 8, "%.1f MiB for 1" % base[1])
    table.below("1,000 domains: checks that could not be made", cant, "", 0)
