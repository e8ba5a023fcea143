#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make_fixture - a log of a real Postfix doing what one does in a bad hour; run by hand to renew a fixture.

  make_fixture.py OUT        writes the log; needs root
All three ports, a content filter loop, a forward, sent, deferred, bounced, rejected, held, released, requeued,
deleted and force-expired mail, failed logins, and an idle prober.
"""
import os
import shutil
import smtplib
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import pfx  # noqa: E402


def traffic(p):
    for i in range(6):
        p.send25(["u%d@accept.test" % i])
    p.send25(["m1@accept.test", "m2@accept.test", "m3@hard.test"])
    p.send25(["s1@soft.test", "s2@accept.test"])
    p.send25(["h@hang.test"])
    p.send25(["fw@local.test", "bob@local.test"], sender="")
    for port in (p.p587, p.p465):
        p.send_auth(port, ["a%d@accept.test" % port])
        p.send_auth(port, ["x@hard.test", "y@accept.test"])
        p.send_auth(port, ["q@accept.test"], password="wrong")
    p.send_auth(p.p587, ["r@refused.test"])
    for bad in (["nosuch@local.test"], ["someone@elsewhere.test"]):
        try:
            p.send25(bad)
        except smtplib.SMTPRecipientsRefused:
            pass
    with socket.create_connection(("127.0.0.1", p.p25)) as s:
        s.recv(100)
        s.sendall(b"GET / HTTP/1.1\r\n")
        s.recv(100)


def queue_ids(p, domain):
    import json
    rows = [json.loads(line) for line in p.postqueue("-j").splitlines() if line.startswith("{")]
    return [r["queue_id"] for r in rows if any(domain in x["address"] for x in r["recipients"])]


def operate(p):
    def postsuper(flag, qid):
        subprocess.run(["postsuper", "-c", p.etc, flag, qid], check=True, stderr=subprocess.DEVNULL)

    for i in range(4):
        p.send_auth(p.p587, ["op%d@soft.test" % i])
    pfx.wait_for("deferred mail", lambda: len(queue_ids(p, "@soft.test")) >= 5)
    ids = queue_ids(p, "@soft.test")
    postsuper("-h", ids[0])
    postsuper("-H", ids[0])
    postsuper("-h", ids[1])
    postsuper("-d", ids[2])
    postsuper("-r", ids[3])
    postsuper("-e", ids[4])
    p.run("postqueue", "-c", p.etc, "-f")
    p.wait_log([("status=force-expired", 1), ("postsuper", 5)])


def main(out):
    pfx.enter_namespace()
    p = pfx.Postfix("/tmp/mtfix", real_ports=True, filtered=True)
    try:
        p.start()
        traffic(p)
        p.wait_log([("status=sent", 20), ("status=deferred", 3), ("status=bounced", 3)])
        operate(p)
        p.run("postfix", "-c", p.etc, "reload")
        p.wait_log([("reload", 1)])
    finally:
        p.stop()
        shutil.copy(p.log, out)
        shutil.rmtree(p.dir, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
