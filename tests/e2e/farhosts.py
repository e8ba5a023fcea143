# SPDX-License-Identifier: MIT
"""farhosts - servers elsewhere, in a network namespace of their own behind a veth pair, and nft(8) rules between.

FarHosts(folder) must be made in a process that is in a network and mount namespace of its own (alone()). Its hosts have
addresses 10.99.1.N and names in /etc/hosts. The file is also the program that serves there: farhosts.py SPEC.
"""
import ctypes
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import smtpd

HERE = os.path.dirname(os.path.abspath(__file__))
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
SLOW_S = 6  # longer than OUTBOUND_SLOW_MS of store/probe.h
PACKAGES = ("nftables", "libnftables1", "libnftnl11", "libmnl0", "libedit2", "libbsd0")


def unshare(flags):
    return ctypes.CDLL(None, use_errno=True).unshare(flags) == 0


def alone():
    """This process into namespaces of its own, lo up. False: not possible here."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("nsenter") or not unshare(CLONE_NEWNS | CLONE_NEWNET):
        return False
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return (subprocess.run(["mount", "--make-rprivate", "/"], **quiet).returncode == 0
            and subprocess.run(["ip", "link", "set", "lo", "up"], **quiet).returncode == 0)


def nft():
    """nft(8) and the environment it needs: installed, or out of unpacked packages. None: not to be had."""
    if shutil.which("nft"):
        return [shutil.which("nft")], dict(os.environ)
    sys.path.insert(0, os.path.dirname(HERE))
    import debs
    roots = [debs.fetch(p) for p in PACKAGES]
    if not roots[0]:
        return None
    libs = [os.path.join(r, d) for r in roots if r for d in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu")]
    return [os.path.join(roots[0], "usr/sbin/nft")], dict(os.environ, LD_LIBRARY_PATH=":".join(libs))


class FarHosts:
    """hosts: name -> {port: greeting name or None (the host's own), "stars", "slow"}; rules: (name, port, "drop", "reject", "reset")."""

    def __init__(self, folder, hosts, rules):
        self.folder, self.names = folder, {name: "10.99.1.%d" % (i + 1) for i, name in enumerate(hosts)}
        spec = [[self.names[name], name, port, how] for name, ports in hosts.items() for port, how in ports.items()]
        self.child = subprocess.Popen([sys.executable, os.path.abspath(__file__), json.dumps([list(self.names.values()), spec])],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert self.child.stdout.readline() == "ready\n", "the far hosts did not start"
            self.connect()
            self.set_rules(rules)
            self.set_names()
        except Exception:
            self.close()
            raise

    def far(self, *argv, **kw):
        return subprocess.run(["nsenter", "-t", str(self.child.pid), "-n", *argv], check=True, **kw)

    def connect(self):
        subprocess.run(["ip", "link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", str(self.child.pid)], check=True)
        for argv in (["ip", "addr", "add", "10.99.0.1/24", "dev", "near0"], ["ip", "link", "set", "near0", "up"]):
            subprocess.run(argv, check=True)
        self.far("ip", "addr", "add", "10.99.0.2/24", "dev", "far0")
        self.far("ip", "link", "set", "far0", "up")
        subprocess.run(["ip", "route", "add", "10.99.1.0/24", "via", "10.99.0.2"], check=True)

    def set_rules(self, rules):
        if not rules:
            return
        program, env = nft()
        how = {"drop": "drop", "reject": "reject with icmp type admin-prohibited", "reset": "reject with tcp reset"}
        lines = ["table ip t {", "chain in { type filter hook input priority 0;"]
        lines += ["ip daddr %s tcp dport %d %s;" % (self.names[name], port, how[what]) for name, port, what in rules]
        self.far(*program, "-f", "-", input="\n".join(lines + ["}", "}"]) + "\n", text=True, env=env)

    def set_names(self):
        path = os.path.join(self.folder, "hosts")
        with open(path, "w") as f:
            f.write("127.0.0.1 localhost\n" + "".join("%s %s\n" % (a, n) for n, a in self.names.items()))
        subprocess.run(["mount", "--bind", path, "/etc/hosts"], check=True)

    def close(self):
        subprocess.run(["umount", "/etc/hosts"], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "del", "near0"], stderr=subprocess.DEVNULL)
        self.child.stdin.close()
        self.child.wait()


def script_of(name, how):
    if how == "stars":
        return smtpd.smtp(name=name, greeting=b"220 ***************************************0*\r\n", keywords=("XXXXXXXA", "SIZE 1"))
    if how == "slow":
        def slow(server, conn):
            time.sleep(SLOW_S)  # the slowness under test
            smtpd.smtp(name=name)(server, conn)
        return slow
    return smtpd.smtp(name=how or name)


def serve(addresses, spec):
    assert unshare(CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in addresses:
        subprocess.run(["ip", "addr", "add", address + "/32", "dev", "lo"], check=True)
    servers = [smtpd.Server(script_of(name, how), host=address, port=port) for address, name, port, how in spec]
    print("ready", flush=True)
    sys.stdin.read()  # until the test ends
    return servers


if __name__ == "__main__":
    threading.stack_size(1 << 20)
    serve(*json.loads(sys.argv[1]))
