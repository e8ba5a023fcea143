# SPDX-License-Identifier: MIT
"""flood - groups 20, 21, 24: a great many domains, recipients, ids used twice, formats and hosts interleaved.

Memory is compared with the same number of lines about few domains; the counts with what the log was made of.
"""
import contextlib
import itertools
import json
import os
import re
import sqlite3
import subprocess
import time

from common import DEADLINE_S, agrees_with_counter, clean_env, figures, heavy, must_catch_up, only, queue_id, stamped

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
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


def letters(i):
    """A word without a digit: what has one is no part of a signature."""
    word = ""
    while True:
        word, i = word + chr(ord("a") + i % 26), i // 26
        if not i:
            return word + "q"


def storm(n, texts, domains):
    """n failures, a thousand recipients a message."""
    for i in range(n):
        qid = queue_id(i // 1000)
        if i % 1000 == 0:
            yield "mx1 postfix/smtpd[100]: %s: client=c.example[203.0.113.9]" % qid
            yield "mx1 postfix/qmgr[102]: %s: from=<a@example.test>, size=900, nrcpt=%d (queue active)" % (qid, min(1000, n - i))
        domain = "d%07d.example" % (i % domains)
        yield ("mx1 postfix/smtp[103]: %s: to=<u%d@%s>, relay=mx.%s[198.51.100.7]:25, delay=1, delays=0.1/0/0.4/0.5, dsn=4.2.2, "
               "status=deferred (host mx.%s[198.51.100.7] said: 452 4.2.2 %s is over quota (in reply to RCPT TO command))"
               % (qid, i, domain, domain, domain, letters(i % texts)))


def vocab(enum, name):
    """Value of an enum of store/vocab.h whose members count from 0."""
    with open(os.path.join(TOP, "store", "vocab.h"), encoding="utf-8") as f:
        text = f.read()
    body = re.sub(r"/\*.*?\*/", "", re.search(r"enum %s \{(.*?)\};" % enum, text, re.S).group(1), flags=re.S)
    return [word.strip() for word in body.split(",")].index(name)


def varints(data):
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0


def sum_of_day(cache, dim):
    """All counts of a dimension in the day buckets (store/bucket.h), and how many keys they have."""
    keys, total = set(), 0
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % cache, uri=True)) as db:
        for chunk, in db.execute("SELECT counts FROM bucket WHERE res=86400 AND dim=?", (dim,)):
            pairs, key = iter(varints(chunk)), 0
            for at in pairs:
                n, key = next(pairs), key + (at >> 6)
                total += n >> 1 if n & 1 == 0 else -((n + 1) >> 1)
                keys.add(key)
    return total, len(keys)


def case_storm(mtatop, folder):
    """Distinct texts and domains cost disk, not memory; each failure is in one signature, each wording in one of its own."""
    n, texts, domains = heavy((40000, 5000, 20000), (5000000, 200000, 1000000))
    env = clean_env(folder)
    peaks = {}
    for name, shape in (("quiet", (n, 10, 10)), ("storm", (n, texts, domains))):
        log, cache = os.path.join(folder, name + ".log"), os.path.join(folder, name + ".db")
        write(log, storm(*shape), max(500, n / 80000))
        peaks[name] = peak_kib(mtatop, cache, log, env)
        counted, keys = sum_of_day(cache, vocab("bucket_dim", "DIM_CLUSTER"))
        if (counted, keys) != (n, shape[1]):
            raise AssertionError("%s: %d failures in %d signatures, not %d in %d" % (name, counted, keys, n, shape[1]))
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % cache, uri=True)) as db:
            rows = db.execute("SELECT count(*), count(DISTINCT category), min(rule) FROM cluster").fetchone()
        if rows != (shape[1], 1, "full"):
            raise AssertionError("%s: %s" % (name, rows))
        os.unlink(log)
    growth = peaks["storm"] - peaks["quiet"]
    if growth > RSS_GROWTH_MAX_KIB:
        raise AssertionError("memory grew by %d KiB: %s" % (growth, peaks))
    return "%d failures, %d texts, %d domains, RSS %+.1f MiB against 10 of each (%.1f MiB)" % (
        n, texts, domains, growth / 1024, peaks["quiet"] / 1024)


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


CASES = [("g20 distinct domains", case_domains), ("g20 distinct texts and domains", case_storm), ("g21 10 k recipients of one id", case_recipients), ("g21 ids used again", case_ids_reused),
         ("g24 two formats, two hosts", case_interleaved)]
