# SPDX-License-Identifier: MIT
"""MX hosts of every kind behind a real Postfix: slow, refused, silent, unreachable, TLS 1.2 and 1.3, a broken handshake, a
name that is not there. What mtatop says is what was arranged, and what count_mx.py counts in the same log."""
import ctypes
import os
import socket
import ssl
import subprocess
import threading
import time

import pfx
from run import Skip
from term import Terminal
from test_live import counted, report

CLONE_NEWNS = 0x00020000
PORT = 2525
EACH = 24  # messages of the compared pair; 20 connection times are the least that is compared
SLOW_S = 0.8
ADDRESSES = {"mx1.pair.test": "127.0.0.11", "mx2.pair.test": "127.0.0.12", "mx1.backup.test": "127.0.0.21",
             "mx2.backup.test": "127.0.0.22", "mx.silent.test": "127.0.0.31", "mx.tls.test": "127.0.0.41",
             "mx.noroute.test": "192.0.2.1"}
EXTRA = """smtp_connection_cache_on_demand = no
smtp_destination_concurrency_failed_cohort_limit = 0
"""


class Host:
    """An MX host: greets after delay_s, offers STARTTLS with one version of it; broken: says yes and then no TLS."""

    def __init__(self, name, context=None, delay_s=0, broken=False, silent=False):
        self.context, self.delay_s, self.broken, self.silent = context, delay_s, broken, silent
        self.sock = socket.create_server((ADDRESSES[name], PORT), backlog=64)
        self.count = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                conn = self.sock.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.talk, args=(conn,), daemon=True).start()

    def talk(self, conn):
        try:
            if self.silent:
                conn.recv(1)  # returns when the client gives up
                return
            time.sleep(self.delay_s)  # what is measured
            self.speak(conn, b"220 mx.test ESMTP\r\n", self.context is not None or self.broken)
        except (OSError, ssl.SSLError):
            pass
        finally:
            conn.close()

    def speak(self, conn, greeting, offers):
        conn.sendall(greeting)
        reader, data = conn.makefile("rb"), False
        for line in reader:
            word = line[:4].upper()
            if data:
                if line == b".\r\n":
                    data, self.count = False, self.count + 1
                    conn.sendall(b"250 2.0.0 Ok: queued as HOST%05d\r\n" % self.count)
            elif word == b"EHLO":
                conn.sendall(b"250-mx.test\r\n" + (b"250-STARTTLS\r\n" if offers else b"") + b"250 8BITMIME\r\n")
            elif word == b"STAR":
                conn.sendall(b"220 2.0.0 Ready\r\n")
                if self.broken:
                    conn.sendall(b"this is no handshake\r\n")
                    return
                with self.context.wrap_socket(conn, server_side=True) as secure:
                    self.speak(secure, b"", False)
                return
            elif word == b"DATA":
                data = True
                conn.sendall(b"354 go on\r\n")
            elif word == b"QUIT":
                conn.sendall(b"221 2.0.0 Bye\r\n")
                return
            else:
                conn.sendall(b"250 2.0.0 Ok\r\n")

    def close(self):
        self.sock.close()


def own_hosts(folder):
    """The names above in /etc/hosts of this process and its children alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    path = folder + "/hosts"
    with open(path, "w") as f:
        f.write("127.0.0.1 localhost\n" + "".join("%s %s\n" % (ip, name) for name, ip in ADDRESSES.items()))
    os.chmod(path, 0o644)
    if libc.unshare(CLONE_NEWNS) != 0:
        return False
    for argv in (["mount", "--make-rprivate", "/"], ["mount", "--bind", path, "/etc/hosts"]):
        if subprocess.run(argv, stderr=subprocess.DEVNULL).returncode:
            return False
    return True


def tls(p, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(p.etc + "/cert.pem", p.etc + "/key.pem")
    context.minimum_version = context.maximum_version = version
    return context


def hop(*names):
    return "smtp:" + ", ".join("[%s]:%d" % (name, PORT) for name in names)


def route(p):
    routes = {"a@pair.test": hop("mx1.pair.test"), "b@pair.test": hop("mx2.pair.test"),
              "backup.test": hop("mx1.backup.test", "mx2.backup.test"), "silent.test": hop("mx.silent.test"),
              "tls.test": hop("mx.tls.test"), "noroute.test": hop("mx.noroute.test"), "nosuch.test": hop("mx.nosuch.test")}
    with open(p.etc + "/transport", "a") as f:
        f.writelines("%s %s\n" % one for one in routes.items())
    p.run("postfix", "-c", p.etc, "reload")


def test_mx_hosts(env):
    """Times, TLS versions, failures by kind and who stepped in, by host and by domain."""
    if os.geteuid() or not pfx.enter_namespace() or not own_hosts(env.folder):
        raise Skip("needs root and namespaces of its own")
    p = pfx.Postfix(env.folder + "/p", real_ports=True, extra=EXTRA)
    p.start()
    hosts = []
    try:
        route(p)
        hosts = [Host("mx1.pair.test", tls(p, ssl.TLSVersion.TLSv1_3)),
                 Host("mx2.pair.test", tls(p, ssl.TLSVersion.TLSv1_2), delay_s=SLOW_S),
                 Host("mx2.backup.test", tls(p, ssl.TLSVersion.TLSv1_3)), Host("mx.silent.test", silent=True),
                 Host("mx.tls.test", broken=True)]
        for _ in range(EACH):
            p.send25(["a@pair.test"])
            p.send25(["b@pair.test"])
        for _ in range(3):
            p.send25(["one@backup.test", "two@backup.test"])
        for domain in ("silent.test", "tls.test", "noroute.test", "nosuch.test"):
            p.send25(["x@" + domain])
        p.wait_log([("status=sent", 2 * EACH + 6), ("status=deferred", 4)], 120)
        check(env, p)
    finally:
        p.stop()
        for host in hosts:
            host.close()


def check(env, p):
    conf = env.folder + "/mtatop.conf"
    with open(conf, "w") as f:
        f.write("[probe]\nenabled = no\n[dns]\nenabled = no\n[postfix mx]\nconfig_directory = %s\n" % p.etc)
    subprocess.run([env.mtatop, "collect", "--until-caught-up", "--config", conf, "--cache", env.folder + "/c.db"], check=True)
    got = report(env, conf, "mx")
    by_host = {row.pop("host"): row for row in got["by_mx_host"]}
    by_domain = {row.pop("domain"): row for row in got["by_mx_domain"]}
    want = counted(env, p.log)["reach"]
    assert by_host == want["hosts"], "\n%s\n%s" % (by_host, want["hosts"])
    assert by_domain == want["domains"], "\n%s\n%s" % (by_domain, want["domains"])
    arranged(by_host, by_domain, got["fallbacks"])
    shown(env, conf)


def arranged(by_host, by_domain, fallbacks):
    def have(row, **figures):
        assert {k: row[k] for k in figures} == figures, (row, figures)
    quick, slow = by_host["mx1.pair.test"], by_host["mx2.pair.test"]
    have(quick, sent=EACH, connects=EACH, tls=EACH, tls_told=EACH, tls_1_3=EACH, tls_1_2=0, refused=0, stepped_in=0)
    have(slow, sent=EACH, connects=EACH, tls=EACH, tls_told=EACH, tls_1_3=0, tls_1_2=EACH, timed_out=0)
    assert slow["connect_p50"] >= SLOW_S > quick["connect_p50"], (slow, quick)
    dead, live = by_host["mx1.backup.test"], by_host["mx2.backup.test"]
    have(dead, sent=0, refused=3)  # three messages, two recipients each
    have(live, sent=6, connects=0, stepped_in=6, refused=0)
    assert fallbacks == [{"failed": "mx1.backup.test", "took": "mx2.backup.test", "n": 6}], fallbacks
    have(by_domain["backup.test"], sent=6, refused=3, stepped_in=6)
    have(by_host["mx.silent.test"], sent=0, timed_out=1, refused=0)
    have(by_host["mx.noroute.test"], sent=0, no_route=1)
    have(by_host["mx.tls.test"], sent=0, tls_failed=1, tls_told=None)
    have(by_host["mx.nosuch.test"], sent=0, dns_failed=1)
    have(by_domain["nosuch.test"], sent=0, dns_failed=1)
    have(by_domain["tls.test"], tls_failed=1)
    have(by_domain["silent.test"], timed_out=1)


def shown(env, conf):
    """The page of the slow host says that it is, against which; from there to its messages."""
    terminal = Terminal([env.mtatop, "--config", conf, "--cache", env.folder + "/c.db"])
    try:
        terminal.wait("silent.test")
        terminal.keys(":")
        terminal.text("mxhosts")
        terminal.keys("Enter")
        terminal.wait("mx2.pair.test", "mx1.backup.test")
        terminal.keys("/")
        terminal.text("mx2.pair")
        terminal.keys("Enter", "Enter")
        terminal.wait("slow: p50", "of mx1.pair.test", "1.2: %d" % EACH)
        terminal.keys("Enter")
        terminal.wait("b@pair.test", "status")
        terminal.keys("Enter")
        terminal.wait("mx2.pair.test")
    finally:
        terminal.close()
