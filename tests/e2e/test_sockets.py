# SPDX-License-Identifier: MIT
"""Sockets of mail ports against iproute2's ss, which asks the kernel by itself, in a network of the test's own."""
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

DEADLINE_S = 60
PER_CLIENT, ANSWER = 1000, 10  # bytes client number n sends n times, and gets n times


def test_sockets_against_ss(env):
    """Counts, bytes and peers by port are those of ss and of what was sent."""
    inside(env, "compare")


def test_network_against_ip(env):
    """Bytes of the interfaces are those of `ip -s link`; the loopback's are in neither."""
    inside(env, "network")


def inside(env, what):
    import run
    if subprocess.run(["unshare", "-n", "true"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        raise run.Skip("no network namespaces here")
    tool = os.path.join(env.build, "tests", "sockets_tool")
    done = subprocess.run(["unshare", "-n", sys.executable, os.path.abspath(__file__), what, tool], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10 * DEADLINE_S)
    assert done.returncode == 0, done.stdout.decode(errors="replace")


def wait_for(what, condition):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "not seen: %s" % what
        time.sleep(0.02)


class Server:
    """Takes connections and keeps them; reads all there is, answers when told."""

    def __init__(self, family, address, port):
        self.listener = socket.create_server((address, port), family=family)
        self.all = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            self.all.append(self.listener.accept()[0])


def take(peer, n):
    got = 0
    while got < n:
        got += len(peer.recv(65536))


def ss_rows():
    """(state, local port, remote port, received, sent) of every TCP socket but listeners, by ss."""
    text = subprocess.run(["ss", "-tinaOH"], stdout=subprocess.PIPE, check=True).stdout.decode()
    rows = []
    for line in text.splitlines():
        words = line.split()
        if words[0] == "LISTEN":
            continue
        figures = dict(re.findall(r"(bytes_sent|bytes_retrans|bytes_received):(\d+)", line))
        rows.append((words[0], int(words[3].rpartition(":")[2]), int(words[4].rpartition(":")[2]), int(figures.get("bytes_received", 0)),
                     int(figures.get("bytes_sent", 0)) - int(figures.get("bytes_retrans", 0))))
    return sorted(rows)


STATES = {1: "ESTAB", 2: "SYN-SENT", 3: "SYN-RECV", 4: "FIN-WAIT-1", 5: "FIN-WAIT-2", 6: "TIME-WAIT", 8: "CLOSE-WAIT", 9: "LAST-ACK", 10: "LISTEN", 11: "CLOSING"}


def our_rows(tool, *how):
    text = subprocess.run([tool, "list", *how], stdout=subprocess.PIPE, check=True).stdout.decode()
    rows = [line.split() for line in text.splitlines()]
    return sorted((STATES[int(w[1])], int(w[2]), int(w[3]), int(w[4]), int(w[5])) for w in rows if w[1] != "10")


def connect(server, family, address, port, n):
    before = len(server.all)
    mine = [socket.create_connection((address, port)) for _ in range(n)]
    wait_for("all accepted", lambda: len(server.all) == before + n)
    by_port = {s.getpeername()[1]: s for s in server.all}
    return [(c, by_port[c.getsockname()[1]]) for c in mine]


def compare(tool):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    relay = Server(socket.AF_INET, "127.0.0.1", 25)
    submission = Server(socket.AF_INET6, "::1", 587)
    pairs = connect(relay, socket.AF_INET, "127.0.0.1", 25, 5)
    count = subprocess.Popen([tool, "count"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert count.stdout.readline() == b"ready\n"
    pairs += connect(relay, socket.AF_INET, "127.0.0.1", 25, 3)
    late = connect(submission, socket.AF_INET6, "::1", 587, 2)
    for i, (client, peer) in enumerate(pairs + late, 1):
        client.sendall(b"x" * PER_CLIENT * i)
        take(peer, PER_CLIENT * i)
        peer.sendall(b"y" * ANSWER * i)
        take(client, ANSWER * i)
    closed = pairs.pop()
    closed[0].close()
    closed[1].close()
    wait_for("TIME-WAIT", lambda: any(row[0] == "TIME-WAIT" for row in ss_rows()))
    want = ss_rows()
    assert our_rows(tool) == want, "\n%s\n%s" % (our_rows(tool), want)
    assert [row[:3] for row in our_rows(tool, "proc")] == [row[:3] for row in want]
    figures = count.communicate(b"\n")[0].decode().splitlines()
    figures = {tuple(line.split()[:3]): [int(n) for n in line.split()[3:]] for line in figures if line.startswith("port")}
    check_figures(figures)


def check_figures(figures):
    """Eight connections to 25, five of them from before, one closed since; two to 587; both ends are here."""
    sent = sum(PER_CLIENT * i for i in range(1, 8))  # the eighth is closed: its bytes are not seen
    got = sum(ANSWER * i for i in range(1, 8))
    late_sent, late_got = PER_CLIENT * (9 + 10), ANSWER * (9 + 10)
    want = {("port", "25", "in"): (7, 2, sent, got), ("port", "25", "out"): (7, 2, got, sent),
            ("port", "587", "in"): (2, 2, late_sent, late_got), ("port", "587", "out"): (2, 2, late_got, late_sent)}
    for key, (established, opened, received, put) in want.items():
        have = figures[key]
        assert (have[0], have[3], have[4], have[5]) == (established, opened, received, put), "%s: %s" % (key, have)
        assert have[6] > 0 and have[7] >= have[6], "round-trip times of %s: %s" % (key, have)
    closing = figures[("port", "25", "in")][2] + figures[("port", "25", "out")][2]
    assert closing == 1, figures


FRAMES = 100  # and more each way; a second pair shows that all interfaces are added up


def network(tool):
    def link(*words):
        subprocess.run(["ip", "link", *words], check=True)

    def ours():
        return tuple(int(n) for n in subprocess.run([tool, "net"], stdout=subprocess.PIPE, check=True).stdout.split())

    def theirs():
        links = json.loads(subprocess.run(["ip", "-s", "-j", "link"], stdout=subprocess.PIPE, check=True).stdout)
        return tuple(sum(one["stats64"][way]["bytes"] for one in links if one["ifname"] != "lo") for way in ("rx", "tx"))
    for left, right in (("one", "other"), ("two", "another")):
        link("add", left, "type", "veth", "peer", "name", right)
        for name in (left, right):
            with open("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % name, "w") as f:
                f.write("1")  # no frames but the test's
            link("set", name, "up")
    link("set", "lo", "up")
    before = theirs()
    assert ours() == before, (ours(), before)
    for name, size in (("one", 200), ("other", 1000), ("two", 60)):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind((name, 0))
            for _ in range(FRAMES):
                raw.send(b"\xff" * 12 + b"\x88\xb5" + bytes(size - 14))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(bytes(5000), ("127.0.0.1", 9))
    sent = FRAMES * (200 + 1000 + 60)
    wait_for("the frames' arrival", lambda: theirs() == (before[0] + sent, before[1] + sent))
    assert ours() == theirs(), (ours(), theirs())


if __name__ == "__main__":
    {"compare": compare, "network": network}[sys.argv[1]](sys.argv[2])
