# SPDX-License-Identifier: MIT
"""mtalogs - big logs of one made-up traffic in the words of several mail servers, for bench.py.

Words of our own by each server's manual; the same messages whichever server: so its parsers can be compared.
"""
import random
import time

START_S = 1795305600  # 2026-11-22
DOMAINS = 4000
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SENT = ("250 2.0.0 OK  %d d9443c01a7336-2190c1b2c3dsi71445402ad.77 - gsmtp", "250 2.0.0 Ok: queued as %X", "250 ok dirdel %d")
DEFERRED = ("450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents it, try again later",
            "421 4.7.0 Temporarily rate limited due to suspicious content, see https://postmaster.example/%d",
            "451 4.7.1 Greylisted, please try again in 300 seconds")
BOUNCED = ("550 5.1.1 The email account that you tried to reach does not exist. Please check the address for typos %d",
           "552 5.2.2 The mailbox is full and can't take this message now", "550 5.7.1 Message refused by our policy, code %d")


def digits(n, width):
    text = ""
    for _ in range(width):
        text = BASE62[n % 62] + text
        n //= 62
    return text


class Message:
    """One message of the traffic: the same draws whichever server tells of it."""

    def __init__(self, rng, number, at_s):
        self.at_s, self.number = at_s, number
        self.size = rng.randrange(1500, 90000)
        self.sender = "bounce+%d@shop%d.example" % (rng.randrange(1000), rng.randrange(40))
        self.client = (rng.randrange(1, 255), rng.randrange(1, 60000), rng.randrange(40))
        self.user = rng.random() < 0.4
        self.recipients = [self.recipient(rng) for _ in range(1 if rng.random() < 0.85 else rng.randrange(2, 6))]
        self.junk = rng.random() < 0.25

    @staticmethod
    def recipient(rng):
        domain, dice = int(rng.paretovariate(1.1)) % DOMAINS, rng.random()
        status = "sent" if dice < 0.9 else "deferred" if dice < 0.96 else "bounced"
        words = rng.choice({"sent": SENT, "deferred": DEFERRED, "bounced": BOUNCED}[status])
        return ("u%d" % rng.randrange(200000), "dest%d.example" % domain, "198.18.%d.%d" % (domain >> 8, domain & 255), status,
                words % rng.randrange(1 << 30) if "%" in words else words, rng.randrange(1, 400))


def exim(m):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(m.at_s))
    mid = "%s-%s-%s" % (digits(m.at_s, 6), digits(m.number, 6), digits(m.size % 3844, 2))
    ip, port, app = m.client
    if m.junk:
        yield "%s H=(mail%d.spam.example) [203.0.113.%d]:%d F=<x%d@spam.example> rejected RCPT <sales@shop.example>: relay not permitted" % (
            stamp, app, ip, port, app)
    auth = " X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no A=plain_server:crm%d" % app if m.user else ""
    yield "%s %s <= %s H=app%d.customer.example [10.1.0.%d]:%d P=esmtp%s%s S=%d id=%d.%d@app.example" % (
        stamp, mid, m.sender, app, ip, port, "sa" if m.user else "", auth, m.size, m.at_s, m.number)
    for local, domain, host, status, words, took in m.recipients:
        to = "%s@%s R=dnslookup T=remote_smtp" % (local, domain)
        tls = "X=TLS1.3:ECDHE_X25519__ECDSA_SECP256R1_SHA256__AES_256_GCM:256 CV=yes DN=\"CN=mx.%s\"" % domain
        if status == "sent":
            yield '%s %s => %s H=mx1.%s [%s] %s C="%s"' % (stamp, mid, to, domain, host, tls, words)
        else:
            yield "%s %s %s %s%s H=mx1.%s [%s] %s: SMTP error from remote mail server after RCPT TO:<%s@%s>: %s" % (
                stamp, mid, "==" if status == "deferred" else "**", to, " defer (-44)" if status == "deferred" else "", domain, host,
                tls, local, domain, words)
    if all(r[3] != "deferred" for r in m.recipients):
        yield "%s %s Completed" % (stamp, mid)


def opensmtpd(m):
    head = time.strftime("%b %d %H:%M:%S mx1 smtpd[701]: ", time.gmtime(m.at_s))
    ip, _, app = m.client
    session, out, msgid = "%016x" % (m.number * 7919 + 1), "%016x" % (m.number * 7919 + 2), "%08x" % (m.number * 2654435761 % (1 << 32))
    yield "%s%s smtp connected address=10.1.0.%d host=app%d.customer.example" % (head, session, ip, app)
    if m.junk:
        yield '%s%s smtp failed-command command="RCPT TO:<x@shop.example>" result="550 Invalid recipient: <x@shop.example>"' % (head, session)
    if m.user:
        yield "%s%s smtp authentication user=crm%d address=10.1.0.%d host=app%d.customer.example result=ok" % (head, session, app, ip, app)
    yield "%s%s smtp message msgid=%s size=%d nrcpt=%d proto=ESMTP" % (head, session, msgid, m.size, len(m.recipients))
    for i, (local, domain, _, _, _, _) in enumerate(m.recipients):
        yield "%s%s smtp envelope evpid=%s%08x from=<%s> to=<%s@%s>" % (head, session, msgid, i + 1, m.sender, local, domain)
    yield "%s%s smtp disconnected reason=quit" % (head, session)
    for i, (local, domain, host, status, words, took) in enumerate(m.recipients):
        result = {"sent": "Ok", "deferred": "TempFail", "bounced": "PermFail"}[status]
        yield ('%s%s mta delivery evpid=%s%08x from=<%s> to=<%s@%s> rcpt=<-> source="10.0.0.5" relay="%s (mx1.%s)" delay=%ds '
               'result="%s" stat="%s"') % (head, out, msgid, i + 1, m.sender, local, domain, host, domain, took % 60, result, words)


def postfix(m):
    stamp = time.strftime("%b %d %H:%M:%S mx1 ", time.gmtime(m.at_s))
    ip, port, app = m.client
    qid, service, pid = "%05X%X" % (m.size * 11 % (1 << 20), m.number + (1 << 20)), "submission/smtpd" if m.user else "smtpd", 1000 + port % 900
    head, client = "%spostfix/" % stamp, "app%d.customer.example[10.1.0.%d]" % (app, ip)
    yield "%s%s[%d]: connect from %s" % (head, service, pid, client)
    if m.junk:
        yield ("%s%s[%d]: NOQUEUE: reject: RCPT from %s: 554 5.7.1 <sales@shop.example>: Relay access denied; from=<x@spam.example> "
               "to=<sales@shop.example> proto=ESMTP helo=<mail.spam.example>") % (head, service, pid, client)
    yield "%s%s[%d]: %s: client=%s%s" % (head, service, pid, qid, client, ", sasl_method=PLAIN, sasl_username=crm%d" % app if m.user else "")
    yield "%scleanup[%d]: %s: message-id=<%d.%d@app.example>" % (head, pid + 1, qid, m.at_s, m.number)
    yield "%sqmgr[900]: %s: from=<%s>, size=%d, nrcpt=%d (queue active)" % (head, qid, m.sender, m.size, len(m.recipients))
    for local, domain, host, status, words, took in m.recipients:
        said = words if status == "sent" else "host mx1.%s[%s] said: %s (in reply to RCPT TO command)" % (domain, host, words)
        yield "%ssmtp[%d]: %s: to=<%s@%s>, relay=mx1.%s[%s]:25, delay=%.2f, delays=0.01/0/0.%02d/0.%02d, dsn=%s, status=%s (%s)" % (
            head, pid + 2, qid, local, domain, domain, host, took / 100, took % 100, took % 97, words.split()[1] if status != "sent" else "2.0.0",
            status, said)
    if all(r[3] != "deferred" for r in m.recipients):
        yield "%sqmgr[900]: %s: removed" % (head, qid)
    yield "%s%s[%d]: disconnect from %s ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5" % (head, service, pid, client)


FAMILIES = {"exim": exim, "opensmtpd": opensmtpd, "postfix": postfix}


def write(family, path, size):
    """At least `size` bytes of the family's log into path."""
    rng, at_ms, number, done = random.Random(1), START_S * 1000, 0, 0
    with open(path + ".part", "w", encoding="ascii") as f:
        while done < size:
            at_ms += rng.randrange(1, 80)
            number += 1
            text = "".join(line + "\n" for line in FAMILIES[family](Message(rng, number, at_ms // 1000)))
            done += len(text)
            f.write(text)
    return path + ".part"
