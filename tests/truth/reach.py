# SPDX-License-Identifier: MIT
"""reach - a Postfix log of tries at hosts that fail in every way, processes interleaved: for count_mx.py and mtatop alike."""
import random

CONNECT = ("connect to %s[%s]:25: Connection refused", "connect to %s[%s]:25: Connection timed out",
           "connect to %s[%s]:25: No route to host", "connect to %s[%s]:25: Network is unreachable")
SESSION = ("lost connection with %s[%s] while receiving the initial server greeting",
           "conversation with %s[%s] timed out while receiving the initial server greeting",
           "TLS is required, but was not offered by host %s[%s]",
           "host %s[%s] said: 450 4.7.1 greylisted: Connection refused for timeout (in reply to RCPT TO command)",
           "host %s[%s] refused to talk to me: 421 too many, lost connection")
TIMES = (0, 0.01, 0.05, 0.12, 0.33, 0.9, 1.4, 5.1, 30, 61)
LINES_A_SECOND = 40


class Log:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.lines = []

    def add(self, daemon, pid, text):
        s = len(self.lines) // LINES_A_SECOND
        self.lines.append("Nov 22 %02d:%02d:%02d mx1 postfix/%s[%d]: %s" % (s // 3600 % 24, s // 60 % 60, s % 60, daemon, pid, text))

    def request(self, qid):
        """The lines of one delivery request."""
        r = self.rng
        domain = "d%d.example" % r.randrange(40)
        hosts = ["in%d.big.example" % i for i in range(3)] if r.random() < .2 else ["mx%d.%s" % (i, domain) for i in range(r.randrange(1, 4))]
        rcpts = ["u%d@%s" % (i, domain) for i in range(r.choice((1, 1, 1, 2, 3)))]
        spent = "delay=1, delays=0.5/0.1/%g/0.2" % r.choice(TIMES)
        out = [("qmgr", "%s: from=<a@b.example>, size=100, nrcpt=%d (queue active)" % (qid, len(rcpts)))]

        def records(relay, dsn, status, reply, use=""):
            return out + [("smtp", "%s: to=<%s>, relay=%s, %s%s, dsn=%s, status=%s (%s)" % (qid, a, relay, use, spent, dsn, status, reply))
                          for a in rcpts]
        if r.random() < .05:
            name, kind = r.choice(((domain, "MX"), (domain, "AAAA"), (hosts[0], "A")))
            return records("none", "5.4.4", r.choice(("bounced", "deferred")), "Host or domain name not found. Name service error for "
                           "name=%s type=%s: Host not found" % (name, kind))
        for host in hosts:
            ip, last, fate = "192.0.2.%d" % (sum(map(ord, host)) % 250), host == hosts[-1], r.random()
            if fate < .4:
                text = r.choice(CONNECT) % (host, ip)
                out.append(("smtp", text))
                if last:
                    return records("none", "4.4.1", "deferred", text)
            elif fate < .6:
                text = r.choice(SESSION) % (host, ip)
                if last:
                    return records("%s[%s]:25" % (host, ip), "4.4.2", "deferred", text)
                out.append(("smtp", "%s: %s" % (qid, text)))
            else:
                out += self.handshake(qid, host, ip, fate)
                return records("%s[%s]:25" % (host, ip), "2.0.0", "sent", "250 2.0.0 Ok: queued as 77777",
                               r.choice(("", "", "", "conn_use=%d, " % r.randrange(2, 9))))
        return out

    def handshake(self, qid, host, ip, fate):
        r = self.rng
        if fate < .65:
            failed = [("smtp", "SSL_connect error to %s[%s]:25: -1" % (host, ip))]
            return failed + [("smtp", "%s: Cannot start TLS: handshake failure" % qid)] * r.randrange(2)
        if fate < .9:
            return [("smtp", "%s TLS connection established to %s[%s]:25: %s with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)" % (
                r.choice(("Trusted", "Untrusted", "Anonymous")), host, ip, r.choice(("TLSv1.3", "TLSv1.2", "TLSv1.2", "TLSv1"))))]
        return []


def write(path, seed, lines):
    """Thirty processes, each busy with one request after the other; a message may come again."""
    log, number = Log(seed), 0xA00000
    work = {pid: [] for pid in range(1000, 1030)}
    while len(log.lines) < lines:
        pid = log.rng.choice(list(work))
        if not work[pid]:
            number += log.rng.random() < .8
            work[pid] = log.request("%X" % number)
        daemon, text = work[pid].pop(0)
        log.add(daemon, pid if daemon == "smtp" else 99, text)
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(log.lines) + "\n")
