# SPDX-License-Identifier: MIT
"""real - Debian's nsd with zones signed by ldns, and unbound that validates them, on free ports of loopback.

Packages are unpacked, never installed (tests/debs.py); where one can't be had start() returns None.
"""
import glob
import os
import shutil
import socket
import subprocess
import time

import debs

LIBRARIES = ("libevent-2.1-7", "libldns3", "libprotobuf-c1", "libfstrm0", "libhiredis0.14", "libpython3.11", "libnghttp2-14",
             "libsystemd0")
DEADLINE_S = 15


def programs():
    """Paths by name and the environment to run them in, or None."""
    paths = {}
    for package, path in (("nsd", "usr/sbin/nsd"), ("unbound", "usr/sbin/unbound"), ("ldnsutils", "usr/bin/ldns-signzone"),
                          ("ldnsutils", "usr/bin/ldns-keygen")):
        paths[os.path.basename(path)] = debs.program(package, path)
    if not all(paths.values()):
        return None
    folders = [folder for root in map(debs.fetch, LIBRARIES) if root
               for folder in glob.glob(os.path.join(root, "usr/lib/*-linux-gnu*"))]
    env = dict(os.environ, LD_LIBRARY_PATH=":".join(folders))
    for name in paths:
        done = subprocess.run([paths[name], "-h"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if b"error while loading shared libraries" in done.stdout:
            return None
    return paths, env


def free_port():
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
                return udp.getsockname()[1]
            except OSError:
                continue


class Real:
    """nsd (authority) and unbound (resolver) over zones {name: text}; signed and broken: names of those."""

    def __init__(self, found, folder, zones, signed=(), broken=()):
        self.paths, self.env = found
        self.folder, self.children = folder, []
        self.nsd_port, self.unbound_port = free_port(), free_port()
        self.anchors = []
        for name, text in zones.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write("$ORIGIN %s.\n$TTL 300\n@ IN SOA ns.%s. root.%s. 1 3600 600 86400 60\n@ IN NS ns.%s.\nns IN A 127.0.0.1\n%s\n"
                        % (name, name, name, name, text))
            if name in signed or name in broken:
                self.sign(name, name in broken)
        self.start_nsd(zones)
        self.start_unbound(zones)

    def run(self, program, *args):
        return subprocess.run([self.paths[program], *args], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=True).stdout.decode().strip()

    def sign(self, name, broken):
        key = self.run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", name)
        self.run("ldns-signzone", "-f", name + ".signed", name, key)
        with open(os.path.join(self.folder, name + ".signed"), encoding="utf-8") as f:
            text = f.read()
        if broken:  # other data than was signed
            text = text.replace("192.0.2.25", "192.0.2.66").replace("v=spf1 ", "v=spf1  ").replace("\t3 1 1 ", "\t3 1 2 ")
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
            f.write(text)
        with open(os.path.join(self.folder, key + ".key"), encoding="utf-8") as f:
            self.anchors.append(f.read().split(";")[0].strip())

    def start_nsd(self, zones):
        conf = os.path.join(self.folder, "nsd.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write("server:\n ip-address: 127.0.0.1\n port: %d\n username: \"\"\n rrl-ratelimit: 0\n database: \"\"\n zonesdir: %s\n pidfile: %s/nsd.pid\n"
                    " xfrdfile: %s/xfrd.state\n xfrdir: %s\n zonelistfile: %s/zone.list\n" % ((self.nsd_port,) + (self.folder,) * 5))
            f.write("remote-control:\n control-enable: no\n")
            for name in zones:
                f.write("zone:\n name: %s\n zonefile: %s\n" % (name, name))
        self.start([self.paths["nsd"], "-d", "-c", conf], self.nsd_port, next(iter(zones)))

    def start_unbound(self, zones):
        conf = os.path.join(self.folder, "unbound.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write("server:\n interface: 127.0.0.1\n port: %d\n username: \"\"\n chroot: \"\"\n directory: %s\n pidfile: %s/unbound.pid\n"
                    " do-daemonize: no\n use-syslog: no\n do-not-query-localhost: no\n do-ip6: no\n access-control: 127.0.0.0/8 allow\n"
                    " module-config: \"validator iterator\"\n" % (self.unbound_port, self.folder, self.folder))
            f.write(' local-zone: "test." nodefault\n')
            for anchor in self.anchors:
                f.write(" trust-anchor: \"%s\"\n" % anchor)
            for name in zones:
                f.write(" local-zone: \"%s.\" nodefault\n" % name)
                if name.endswith("in-addr.arpa"):
                    f.write(" domain-insecure: \"%s.\"\n" % name)
            f.write("remote-control:\n control-enable: no\n")
            for name in zones:
                f.write("stub-zone:\n name: \"%s.\"\n stub-addr: 127.0.0.1@%d\n" % (name, self.nsd_port))
        self.start([self.paths["unbound"], "-d", "-c", conf], self.unbound_port, next(iter(zones)))

    def start(self, argv, port, name):
        log = open(os.path.join(self.folder, os.path.basename(argv[0]) + ".log"), "wb")
        child = subprocess.Popen(argv, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.children.append(child)
        question = (b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) +
                    b"\0\0\6\0\1")
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end and child.poll() is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.2)
                try:
                    s.sendto(question, ("127.0.0.1", port))
                    s.recv(4096)
                    return
                except OSError:
                    continue
        with open(log.name, encoding="utf-8", errors="replace") as f:
            raise AssertionError("%s does not answer:\n%s" % (argv[0], f.read()[-2000:]))

    def close(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
