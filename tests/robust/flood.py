# SPDX-License-Identifier: MIT
"""flood - groups 20, 21, 24: a great many domains, recipients, ids used twice, formats and hosts interleaved.

Memory is compared with the same number of lines about few domains; the counts with what the log was made of.
"""
import itertools
import json
import os
import subprocess
import time

from common import DEADLINE_S, agrees_with_counter, clean_env, figures, heavy, must_catch_up, only, queue_id, stamped

RSS_GROWTH_MAX_KIB = 64 << 10  # R8


def life(qid, domain, status="deferred", nrcpt=1, service="postfix/smtpd", host="mx1"):
    relay = "mx.%s[198.51.100.7]:25" % domain
    said = {"sent": ("2.0.0", "250 2.0.0 Ok"), "deferred": ("4.2.2", "host %s said: 452 4.2.2 full (in reply to RCPT TO command)" % relay)}[status]
    yield "%s %s[100]: %s: client=c.example[203.0.113.9]" % (host, service, qid)
    yield "%s postfix/cleanup[101]: %s: message-id=<%s@x.example>" % (host, qid, qid)
    yield "%s postfix/qmgr[102]: %s: from=<a@example.test>, size=900, nrcpt=%d (queue active)" % (host, qid, nrcpt)
    for i in range(nrcpt):
        yield "%s postfix/smtp[103]: %s: to=<u%d@%s>, relay=%s, delay=1, delays=0.1/0/0.4/0.5, dsn=%s, status=%s (%s)" % (
            host, qid, i, domain, relay, said[0], status, said[1])
    if status == "sent":
        yield "%s postfix/qmgr[102]: %s: removed" % (host, qid)


def write(path, texts, lines_per_s=500):
    start = int(time.time()) - 86400
    with open(path, "wb") as f:
        f.writelines(stamped((start + i / lines_per_s, text)) for i, text in enumerate(texts))


def peak_kib(mtatop, cache, log, env):
    child = subprocess.Popen([mtatop, "collect", "--until-caught-up", "--cache", cache, *only(log)], env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    text = child.stderr.read()
    child.stderr.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        raise AssertionError("exit %d %s" % (status, text))
    return usage.ru_maxrss


def case_domains(mtatop, folder):
    n = heavy(40000, 500000)
    env = clean_env(folder)
    peaks = {}
    for name, domains in (("few", 10), ("many", n)):
        log, cache = os.path.join(folder, name + ".log"), os.path.join(folder, name + ".db")
        write(log, itertools.chain.from_iterable(life(queue_id(i), "d%07d.example" % (i % domains), "sent") for i in range(n)))
        peaks[name] = peak_kib(mtatop, cache, log, env)
        done = subprocess.run([mtatop, "report", "--format", "json", "--cache", cache], env=env, stdout=subprocess.PIPE, timeout=DEADLINE_S * 5)
        totals = json.loads(done.stdout)["totals"]
        if (totals["messages"], totals["sent"], totals["recipients"]) != (n, n, n):
            raise AssertionError("%s: %s" % (name, totals))
        os.unlink(log)
    growth = peaks["many"] - peaks["few"]
    if growth > RSS_GROWTH_MAX_KIB:
        raise AssertionError("memory grew by %d KiB: %s" % (growth, peaks))
    return "%d distinct domains, RSS %+.1f MiB against 10 domains (%.1f MiB)" % (n, growth / 1024, peaks["few"] / 1024)


def case_recipients(mtatop, folder):
    n = heavy(10000, 50000)
    env, log, cache = clean_env(folder), os.path.join(folder, "mail.log"), os.path.join(folder, "c.db")
    write(log, life(queue_id(7), "list.example", "sent", n))
    must_catch_up(mtatop, cache, only(log), env)
    got = figures(mtatop, cache, env)
    agrees_with_counter(got, [log])
    totals = got["totals"]
    if (totals["messages"], totals["recipients"], totals["sent"]) != (1, n, n):
        raise AssertionError(totals)
    return "one message, %d recipients" % n


def case_ids_reused(mtatop, folder):
    """Short ids wrap: the same id is another message after `removed`; the same id on two hosts is two messages."""
    env, log, cache = clean_env(folder), os.path.join(folder, "mail.log"), os.path.join(folder, "c.db")
    n = 50
    once = list(life("3F2A91C0", "a.example", "sent"))
    other = list(life("3F2A91C0", "b.example", "sent", host="mx2"))
    write(log, itertools.chain(*[once] * n, *zip(once, other)))
    must_catch_up(mtatop, cache, only(log), env)
    totals = figures(mtatop, cache, env)["totals"]
    if (totals["messages"], totals["sent"], totals["recipients"]) != (n + 2, n + 2, n + 2):
        raise AssertionError(totals)
    return "%d messages under one id" % (n + 2)


def case_interleaved(mtatop, folder):
    """Lines of two hosts in two forms of time stamp, mixed line by line in one file."""
    env, log, cache = clean_env(folder), os.path.join(folder, "mail.log"), os.path.join(folder, "c.db")
    n = heavy(300, 3000)
    lives = [[life(queue_id(i), "d%d.example" % (i % 7), ("sent", "deferred")[i % 2], host=host) for i in range(at, at + n)]
             for host, at in (("mx1", 0), ("mx2", n))]
    pairs = itertools.zip_longest(*(itertools.chain.from_iterable(side) for side in lives))
    start = int(time.time()) - 7200
    with open(log, "wb") as f:
        for i, (old, new) in enumerate(pairs):
            t = start + i // 10
            if old:
                f.write(stamped((t, old)))
            if new:
                f.write(("%s %s\n" % (time.strftime("%Y-%m-%dT%H:%M:%S.123456+00:00", time.gmtime(t)), new)).encode())
    must_catch_up(mtatop, cache, only(log), env)
    got = figures(mtatop, cache, env)
    agrees_with_counter(got, [log])
    if got["totals"]["messages"] != 2 * n:
        raise AssertionError(got["totals"])
    return "%d messages of two hosts" % (2 * n)


CASES = [("g20 distinct domains", case_domains), ("g21 10 k recipients of one id", case_recipients), ("g21 ids used again", case_ids_reused),
         ("g24 two formats, two hosts", case_interleaved)]
