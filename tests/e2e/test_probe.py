# SPDX-License-Identifier: MIT
"""test_probe - `mtatop probe` against servers that behave, servers that don't, certificates that lie, and a real Postfix beside
openssl s_client. Real ports (25, 465, 587) in a network namespace of its own; without one those parts are skipped."""
import json
import os
import re
import shutil
import socket
import subprocess
import time

import pfx
import smtpd
from run import Skip

NAMESPACE = pfx.enter_namespace() if os.geteuid() == 0 else False
DEADLINE_S = 90  # what hangs fails by this
TIMEOUT_S = 2  # of a step, of most tests here


def probe(env, *targets, fmt="json", timeout="%ds" % TIMEOUT_S, conf="", check=None):
    path = os.path.join(env.folder, "mtatop.conf")
    with open(path, "w") as f:
        f.write("[probe]\nhelo = client.test.example\n" + conf)
    os.chmod(path, 0o600)
    done = subprocess.run([env.mtatop, "--config", path, "probe", "--format", fmt, "--timeout", timeout, *targets],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE_S)
    assert check is None or done.returncode == check, (done.returncode, done.stderr, done.stdout[-500:])
    for what in (done.stdout, done.stderr):
        raw = [c for c in what if (c < 0x20 and c != 10) or c == 0x7f]
        assert not raw, "raw control bytes %r in %r" % (raw, what[:300])
    if fmt != "json":
        return done.stdout.decode()
    return json.loads(done.stdout)


def one(env, script, **kw):
    with smtpd.Server(script) as server:
        found = probe(env, "127.0.0.1:%d" % server.port, **kw)
        return found["probes"][0], server


def test_a_plain_server(env):
    """Every step is timed, what it offers is told, and it hears EHLO and QUIT alone."""
    found, server = one(env, smtpd.smtp(keywords=("SIZE 1000", "AUTH LOGIN")), check=0)
    assert found["outcome"] == "open" and found["up"] is True
    assert found["starttls"] is False and found["auth_before_tls"] is True and found["auth_inside_tls"] is None
    assert found["greeting"] == "mx.test.example ESMTP"
    for step in ("resolve_us", "connect_us", "greeting_us", "ehlo_us", "total_us"):
        assert found[step] is not None and found[step] >= 0, step
    assert found["tls_us"] is None and found["certificate"] is None
    assert server.heard == ["EHLO client.test.example", "QUIT"], server.heard


def test_helo_where_ehlo_is_refused(env):
    def script(server, conn):
        conn.sendall(b"220 old.test.example\r\n")
        for line in conn.makefile("rb"):
            server.heard.append(line.decode().strip())
            conn.sendall({b"EHLO": b"502 what?\r\n", b"HELO": b"250 hi\r\n"}.get(line[:4], b"221 bye\r\n"))
    found, server = one(env, script, check=0)
    assert found["outcome"] == "open" and found["starttls"] is False
    assert server.heard == ["EHLO client.test.example", "HELO client.test.example", "QUIT"]


def drip(conn):
    for _ in range(200):
        conn.sendall(b"2")
        time.sleep(0.05)  # the slowness under test


def flood(conn):
    for _ in range(64):
        conn.sendall(b"x" * 16384)


# name, greeting or script, outcome, what the detail has
BAD_SERVERS = [
    ("silent", lambda s, c: c.recv(1), "silent", "no greeting"),
    ("drip", lambda s, c: drip(c), "silent", "no greeting"),
    ("drip of lines", lambda s, c: [(c.sendall(b"220-x\r\n"), time.sleep(0.2)) for _ in range(100)], "silent", "no greeting"),
    ("closes", lambda s, c: None, "closed", "greeting"),
    ("1 MB", lambda s, c: flood(c), "not SMTP", "too long"),
    ("1 MB of lines", lambda s, c: [c.sendall(b"220-" + b"y" * 500 + b"\r\n") for _ in range(2000)], "not SMTP", "too many lines"),
    ("NUL", lambda s, c: (c.sendall(b"220 a\0b\r\n"), c.recv(9)), "not SMTP", "NUL"),
    ("http", lambda s, c: (c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), c.recv(9)), "not SMTP", "reply code"),
    ("ssh", lambda s, c: (c.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), c.recv(9)), "not SMTP", "reply code"),
    ("turned away", lambda s, c: (c.sendall(b"554 5.7.1 no \x1b[31mservice\x07\r\n"), c.recv(9)), "turned away", "554"),
    ("busy", lambda s, c: (c.sendall(b"421 4.3.2 all busy\r\n"), c.recv(9)), "turned away", "421"),
    ("EHLO and HELO refused", smtpd.smtp(), "open", None),
    ("two codes", lambda s, c: (c.sendall(b"220-a\r\n554 b\r\n"), c.recv(9)), "not SMTP", "two codes"),
    ("closes after EHLO", lambda s, c: (c.sendall(b"220 hi\r\n"), c.recv(99)), "closed", "EHLO"),
    ("never answers EHLO", lambda s, c: (c.sendall(b"220 hi\r\n"), [c.recv(99) for _ in range(9)]), "silent", "no EHLO"),
]


def test_bad_servers_all_at_once(env):
    """Whatever a server does ends in an outcome by the deadline, and nothing of it comes out raw."""
    servers = [smtpd.Server(script) for _, script, _, _ in BAD_SERVERS]
    targets = ["127.0.0.1:%d" % s.port for s in servers]
    by_port = {p["port"]: p for p in probe(env, *targets, check=1)["probes"]}
    text = probe(env, *targets, fmt="text", check=1)
    assert len(by_port) == len(BAD_SERVERS) and text.count("127.0.0.1:") >= len(BAD_SERVERS)
    for (name, _, outcome, detail), server in zip(BAD_SERVERS, servers):
        found = by_port[server.port]
        assert found["outcome"] == outcome, (name, found["outcome"], found["detail"])
        assert not detail or detail in found["detail"], (name, found["detail"])
        assert not any(w.split()[0] in ("MAIL", "RCPT", "DATA", "VRFY") for w in server.heard if w), name
        server.close()


def test_hostile_words_are_shown_harmless(env):
    evil = b"220 mx.test.example \x1b]0;owned\x07\x1b[2J\xc2\x9b31m\xe2\x80\xae ESMTP\r\n"
    with smtpd.Server(smtpd.smtp(greeting=evil, keywords=("\x1b[2JX", "AUTH \x07"))) as server:
        text = probe(env, "127.0.0.1:%d" % server.port, fmt="text", check=0)
        assert "^[" in text and "\x1b" not in text and "\u202e" not in text and "\x9b" not in text
        found = probe(env, "127.0.0.1:%d" % server.port, check=0)["probes"][0]
        assert found["greeting"].startswith("mx.test.example ")


def test_refused_and_no_name(env):
    port = pfx.free_port()
    found = probe(env, "127.0.0.1:%d" % port, check=1)["probes"][0]
    assert found["outcome"] == "refused" and found["connect_us"] is None
    found = probe(env, "no-such-host.invalid", timeout="5s", check=1)["probes"][0]
    assert found["outcome"] == "no address", found


def test_full_backlog_times_out(env):
    """A listener that accepts nobody: the kernel drops SYNs, as a filter that drops does."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(0)
    held = []
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(sock.getsockname())
        held.append(c)
    found = probe(env, "127.0.0.1:%d" % sock.getsockname()[1], check=1)["probes"][0]
    assert found["outcome"] == "timed out", found
    for c in held + [sock]:
        c.close()


def test_starttls_and_certificate(env):
    certs = smtpd.Certificates(env.folder + "/tls").make("good", "/CN=mx.test.example", "DNS:mx.test.example,DNS:localhost,IP:127.0.0.1")
    with smtpd.Server(smtpd.smtp(context=certs.context("good"))) as server:
        target = "127.0.0.1:%d" % server.port
        found = probe(env, target, conf="ca_file = %s\n" % certs.ca, check=0)["probes"][0]
        cert = found["certificate"]
        assert found["tls"] == "TLSv1.3" and found["auth_inside_tls"] is True and found["auth_before_tls"] is False
        assert cert["trusted"] is True and cert["names_host"] is True and cert["self_signed"] is False
        assert cert["subject"] == "mx.test.example" and cert["issuer"] == "Test CA"
        assert cert["names"] == "mx.test.example localhost 127.0.0.1" and cert["nnames"] == 3
        said = smtpd.openssl("x509", "-in", "good.pem", "-noout", "-enddate", "-dateopt", "iso_8601", folder=certs.folder)
        assert said.strip() == "notAfter=" + cert["not_after"].replace("T", " ").replace(".000", ""), (said, cert)
        assert cert["days"] in (89, 90)
        found = probe(env, target, check=0)["probes"][0]
        assert found["certificate"]["trusted"] is False  # a CA this machine does not know
        assert server.heard.count("EHLO client.test.example") == 5 and "STARTTLS" in server.heard


def test_lying_certificates(env):
    certs = smtpd.Certificates(env.folder + "/tls")
    certs.make("expired", "/CN=localhost", "DNS:localhost", dates=("20200101000000Z", "20210101000000Z"))
    certs.make("future", "/CN=localhost", "DNS:localhost", dates=("20400101000000Z", "20410101000000Z"))
    certs.make("other", "/CN=other.example", "DNS:other.example")
    certs.make("self", "/CN=localhost", "DNS:localhost", signed=False)
    certs.make("many", "/CN=localhost", ",".join("DNS:n%04d.example" % i for i in range(3000)) + ",DNS:localhost")
    # 30 len [82 len "localhost\0.evil.test"]: a NUL in a name
    nul = b"localhost\0.evil.test"
    certs.make("nul", "/CN=x", "DER:" + ":".join("%02X" % b for b in bytes([0x30, len(nul) + 2, 0x82, len(nul)]) + nul))
    comma = b"evil.test, DNS:localhost"
    certs.make("comma", "/CN=x", "DER:" + ":".join("%02X" % b for b in bytes([0x30, len(comma) + 2, 0x82, len(comma)]) + comma))
    # name -> trusted, names the host, self-signed, sign of the days
    want = {"expired": (False, True, False, -1), "future": (False, True, False, 1), "other": (True, False, False, 1),
            "self": (False, True, True, 1), "many": (True, True, False, 1), "nul": (True, False, False, 1),
            "comma": (True, False, False, 1)}
    for name, (trusted, named, own, sign) in want.items():
        with smtpd.Server(smtpd.smtp(name="localhost", context=certs.context(name))) as server:
            target = "localhost:%d" % server.port
            conf = "ca_file = %s\n" % certs.ca
            found = probe(env, target, conf=conf, timeout="10s", check=0)["probes"][0]
            cert = found["certificate"]
            assert (cert["trusted"], cert["names_host"], cert["self_signed"]) == (trusted, named, own), (name, cert)
            assert cert["days"] * sign > 0, (name, cert)
            text = probe(env, target, fmt="text", conf=conf, timeout="10s", check=0)
            assert ("ended" in text) == (name == "expired") and ("NOT VALID YET" in text) == (name == "future"), text
            if name == "many":
                assert cert["nnames"] == 3001 and len(cert["names"]) < 1100


def test_ten_thousand_names(env):
    """More than OpenSSL takes from a peer (100 kB): told as a failure of TLS, with its words."""
    certs = smtpd.Certificates(env.folder + "/tls")
    certs.make("huge", "/CN=localhost", ",".join("DNS:n%05d.example" % i for i in range(10000)))
    found, _ = one(env, smtpd.smtp(context=certs.context("huge")), timeout="20s")
    assert found["outcome"] in ("TLS failed", "open") and (found["outcome"] == "open" or found["detail"]), found


def test_starttls_gone_wrong(env):
    certs = smtpd.Certificates(env.folder + "/tls").make("good", "/CN=localhost", "DNS:localhost")
    context = certs.context("good")
    found, _ = one(env, smtpd.smtp(context=context, starttls=b"454 4.7.0 not now\r\n"), check=1)
    assert found["outcome"] == "TLS failed" and "454" in found["detail"], found
    found, _ = one(env, smtpd.smtp(context=context, starttls=b"220 go\r\n250 injected\r\n"), check=1)
    assert found["outcome"] == "not SMTP" and "STARTTLS" in found["detail"], found

    def no_handshake(server, conn):
        conn.sendall(b"220 hi\r\n")
        for line in conn.makefile("rb"):
            conn.sendall(b"250-hi\r\n250 STARTTLS\r\n" if line[:4] == b"EHLO" else b"220 go\r\n")
            if line[:4] == b"STAR":
                conn.recv(9999)
                conn.recv(9999)  # nothing is sent: until the client gives up
                conn.recv(9999)
                return
    found, _ = one(env, no_handshake, check=1)
    assert found["outcome"] == "silent" and "TLS" in found["detail"], found

    def plain_in_tls(server, conn):
        conn.sendall(b"220 hi\r\n")
        for line in conn.makefile("rb"):
            conn.sendall(b"250-hi\r\n250 STARTTLS\r\n" if line[:4] == b"EHLO" else b"220 go\r\n")
            if line[:4] == b"STAR":
                conn.sendall(b"250 what is this?\r\n" * 9)
                conn.recv(9999)
                return
    found, _ = one(env, plain_in_tls, check=1)
    assert found["outcome"] in ("TLS failed", "not SMTP"), found


def s_client(port, *more):
    """Protocol, cipher and end date as openssl s_client tells them."""
    done = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-servername", "mail.example.test", *more],
                          input="QUIT\r\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_S)
    session = re.search(r"New, (TLSv\S+), Cipher is (\S+)", done.stdout)
    end = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601"], input=done.stdout, stdout=subprocess.PIPE,
                         text=True, timeout=DEADLINE_S).stdout.strip()
    return session[1], session[2], end.partition("=")[2]


def test_real_postfix_beside_openssl(env):
    if os.geteuid() != 0 or not shutil.which("postfix") or not shutil.which("openssl"):
        raise Skip("needs root, postfix and openssl")
    if not NAMESPACE:
        raise Skip("no network namespace: ports 25, 465 and 587 are not ours")
    server = pfx.Postfix(env.folder + "/p", real_ports=True)
    server.start()
    try:
        found = {p["port"]: p for p in probe(env, "127.0.0.1:25", "127.0.0.1:465", "127.0.0.1:587", timeout="20s", check=0)["probes"]}
        for port, more in ((25, ("-starttls", "smtp")), (587, ("-starttls", "smtp")), (465, ())):
            protocol, cipher, end = s_client(port, *more)
            p = found[port]
            assert (p["tls"], p["cipher"]) == (protocol, cipher), (port, p["tls"], p["cipher"], protocol, cipher)
            assert p["certificate"]["not_after"].replace("T", " ").replace(".000", "") == end, (port, p["certificate"], end)
            assert p["greeting"].startswith("mail.example.test ESMTP")
            assert p["implicit_tls"] is (port == 465)
        assert found[587]["auth_inside_tls"] is True
        with open(server.log) as f:
            log = f.read()
        ends = re.findall(r"smtpd\[\d+\]: disconnect from \S+ (ehlo=.*)", log)
        assert "ehlo=2 starttls=1 quit=1 commands=4" in ends and "ehlo=1 quit=1 commands=2" in ends, ends
        assert " mail=" not in log and " rcpt=" not in log
    finally:
        server.stop()


def test_usage(env):
    for argv in (["probe"], ["probe", "a b"], ["probe", "mx:99999"], ["probe", "--format", "csv", "mx"], ["probe", "--timeout", "0", "mx"]):
        done = subprocess.run([env.mtatop, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=DEADLINE_S)
        assert done.returncode == 2 and done.stderr, (argv, done)
