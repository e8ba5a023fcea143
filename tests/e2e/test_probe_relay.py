# SPDX-License-Identifier: MIT
"""test_probe_relay - the self-check of a listener of one's own against servers that relay for all, that refuse, and that do not
say, and key P on the view :probes. What the server heard is looked at: no DATA, ever."""
import os
import sqlite3

import pfx
import smtpd
from term import Terminal

DEADLINE_S = 60
FROM = "127.0.0.2"  # of this machine, and not the listener's: the server need not trust it
HEARD = ["EHLO client.test.example", "MAIL FROM:<>", "RCPT TO:<victim@elsewhere.example>", "RSET", "QUIT"]


def relaying(mail=b"250 2.1.0 Ok\r\n", rcpt=b"250 2.1.5 Ok\r\n"):
    """A server that answers MAIL and RCPT so, and would take DATA too; who connects is noted as ("from", address)."""
    def script(server, conn):
        server.heard.append("from " + conn.getpeername()[0])
        conn.sendall(b"220 mx.test.example ESMTP\r\n")
        answers = {"MAIL": mail, "RCPT": rcpt, "DATA": b"354 go on\r\n", "QUIT": b"221 2.0.0 bye\r\n"}
        for line in conn.makefile("rb"):
            server.heard.append(line.decode("latin-1").strip())
            conn.sendall(answers.get(server.heard[-1][:4].upper(), b"250 Ok\r\n"))
            if line[:4].upper() == b"QUIT":
                return
    return script


def configure(env, server, more=""):
    conf, log = env.folder + "/mtatop.conf", env.folder + "/mail.log"
    with open(conf, "w") as f:
        f.write("[postfix]\nlog = %s\n[dns]\nenabled = no\n[probe]\nhelo = client.test.example\ntimeout = 5s\nlisteners = 127.0.0.1:%d\n"
                "self_check = yes\nself_check_to = victim@elsewhere.example\n%s" % (log, server.port, more))
    os.chmod(conf, 0o600)
    open(log, "a").close()
    cache = env.folder + "/c%d.db" % server.port
    return cache, [env.mtatop, "--config", conf, "--cache", cache]


def flags(cache, port):
    """(asked, taken, open relay) as they are in the cache, by flags of store/probe.h; None: nobody looked yet."""
    try:
        row = sqlite3.connect("file:%s?mode=ro" % cache, uri=True).execute("SELECT flags FROM probe WHERE port = ?", (port,)).fetchone()
    except sqlite3.OperationalError:
        return None
    return row and tuple(bool(row[0] & bit) for bit in (4096, 32768, 8192))


def open_probes(t):
    t.wait("delivered")
    t.keys(":")
    t.wait(":")
    t.text("probes")
    t.keys("Enter")
    t.wait("no port was probed", "outbound 25: not known: no server elsewhere was probed on port 25")


def looked(env, script, more):
    """What a look at the listener, asked for by key, leaves in the cache; and what that listener heard."""
    with smtpd.Server(script) as server:
        cache, argv = configure(env, server, "enabled = no\n" + more)
        t = Terminal(argv)
        try:
            open_probes(t)
            assert not server.heard, server.heard
            t.keys("P")
            found = pfx.wait_for("the look", lambda: flags(cache, server.port), DEADLINE_S)
            t.keys("Q")
            assert t.exit_status() == 0, t.stderr()
        finally:
            t.close()
        return found, server.heard


def test_self_check(env):
    """An open relay is called one only if it took the recipient from an address it has no reason to trust."""
    there = "self_check_from = %s\n" % FROM
    refused = b"554 5.7.1 Relay access denied\r\n"
    no_rcpt = [h for h in HEARD if h[:4] not in ("RCPT", "RSET")]
    for script, more, want, words in ((relaying(), there, (True, True, True), HEARD), (relaying(), "", (True, True, False), HEARD),
                               (relaying(rcpt=refused), there, (True, False, False), HEARD),
                               (relaying(rcpt=b"450 4.2.0 Greylisted\r\n"), there, (False, False, False), HEARD),
                               (relaying(mail=b"550 5.7.1 not you\r\n"), there, (False, False, False), no_rcpt)):
        found, heard = looked(env, script, more)
        assert found == want, (found, want, heard)
        assert heard == ["from " + (FROM if more else "127.0.0.1")] + words, heard
        assert not any(h.upper().startswith(("DATA", "BDAT")) for h in heard), heard


def test_key_p_finds_an_open_relay(env):
    """P on an empty :probes looks at the listeners; P on a row looks at that one again, and both times it is asked anew."""
    with smtpd.Server(relaying()) as server:
        _, argv = configure(env, server, "enabled = no\nself_check_from = %s\n" % FROM)
        t = Terminal(argv)
        try:
            open_probes(t)
            assert not server.heard, server.heard
            t.keys("P")
            t.wait("127.0.0.1", str(server.port), "relays!", "1 of 1 probed are open")
            assert server.heard == ["from " + FROM] + HEARD, server.heard
            t.keys("P")
            pfx.wait_for("the second look", lambda: server.heard.count("QUIT") == 2, DEADLINE_S)
            assert server.heard == (["from " + FROM] + HEARD) * 2, server.heard
            t.keys("Enter")
            t.wait("relay check", "OPEN: a stranger's recipient is taken", "An open relay: strangers can send through it", "RCPT TO:<victim@elsewhere.example>")
            t.keys("Q")
            assert t.exit_status() == 0, t.stderr()
        finally:
            t.close()
