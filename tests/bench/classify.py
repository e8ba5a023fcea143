# SPDX-License-Identifier: MIT
"""classify - what saying why a mail failed costs of reading a log of failures alone: instructions by callgrind, which
other load does not change."""
import os
import random
import re
import shutil
import subprocess

LINES = 40000
TRIES = 20  # of one queue id

# Made up here: (status, dsn, reply). {h} a host, {o} a number, {r} a recipient, {i} an IP, {q} an id
REPLIES = (
    ("bounced", "5.1.1", "host {h}[192.0.2.{o}] said: 550 5.1.1 <{r}>: Recipient address rejected: unknown in the table of "
     "users (in reply to RCPT TO command)"),
    ("deferred", "4.7.28", "host {h}[192.0.2.{o}] said: 421-4.7.28 an unusual rate of mail from {i}, see "
     "https://support.google.com/mail/?p=Rate {q} - gsmtp (in reply to end of DATA command)"),
    ("deferred", "4.4.1", "connect to {h}[192.0.2.{o}]:25: Connection timed out"),
    ("deferred", "4.2.2", "host {h}[192.0.2.{o}] said: 452 4.2.2 this account is over its quota {q} (in reply to RCPT TO command)"),
    ("deferred", "4.7.650", "host {h}[192.0.2.{o}] said: 451 4.7.650 the server [{i}] is rate limited for its reputation (S775) "
     "[{q}.prod.outlook.com] (in reply to MAIL FROM command)"),
    ("deferred", "4.7.1", "host {h}[192.0.2.{o}] said: 450 4.7.1 <{r}>: greylisted, see http://postgrey.example/{q} (in reply to "
     "RCPT TO command)"),
    ("deferred", "4.7.1", "host {h}[192.0.2.{o}] refused to talk to me: 554 5.7.1 client [{i}] blocked using zen.spamhaus.org"),
    ("bounced", "5.7.9", "host {h}[192.0.2.{o}] said: 554 5.7.9 not taken for policy reasons (in reply to end of DATA command)"),
    ("bounced", "5.4.4", "Host or domain name not found. Name service error for name={h} type=AAAA: Host not found"),
    ("deferred", "4.4.2", "lost connection with {h}[192.0.2.{o}] while receiving the initial server greeting"),
    ("bounced", "5.0.0", "host {h}[192.0.2.{o}] said: 550 {r} what a strange account id {q} is this (in reply to RCPT TO command)"),
)


def write_log(path):
    rng = random.Random(5)
    with open(path, "w", encoding="utf-8") as f:
        for i in range(LINES):
            qid = "%010X" % rng.getrandbits(40) if i % TRIES == 0 else qid  # noqa: F821
            domain, second = "d%d.example" % rng.randrange(3000), i // 60
            status, dsn, reply = rng.choice(REPLIES)
            to = "user%d@%s" % (rng.randrange(10**6), domain)
            text = reply.format(h="mx%d.%s" % (rng.randrange(3), domain), o=rng.randrange(254), r=to,
                                i="203.0.113.%d" % rng.randrange(250), q="%x" % rng.getrandbits(60))
            relay = "mx0.%s[192.0.2.9]:25" % domain if " said: " in reply else "none"
            f.write("Nov 22 %02d:%02d:%02d mx1 postfix/smtp[%d]: %s: to=<%s>, relay=%s, delay=%d.1, delays=0.1/0/1/2, dsn=%s, "
                    "status=%s (%s)\n" % (second // 3600, second // 60 % 60, second % 60, 1000 + i % 20, qid, to, relay,
                                          rng.randrange(300), dsn, status, text))


def share(mtatop, folder, env):
    """Percent of all instructions that ask the rules and count the signature; None without valgrind."""
    if not shutil.which("valgrind") or not shutil.which("callgrind_annotate"):
        return None
    log, cache, out = (os.path.join(folder, "classify." + end) for end in ("log", "db", "callgrind"))
    write_log(log)
    for end in ("", "-wal", "-shm", ".lock"):
        if os.path.exists(cache + end):
            os.unlink(cache + end)
    subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, mtatop, "collect", "--until-caught-up",
                    "--cache", cache, "--log", log], env=env, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--auto=no", out], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout
    figures = {name: int(n.replace(",", "")) for n, name in re.findall(
        r"^\s*([\d,]+) \([ \d.]+%\)\s+(?:\S+:)?(PROGRAM TOTALS|cluster_attempt)", text, re.M)}
    return 100 * figures["cluster_attempt"] / figures["PROGRAM TOTALS"]
