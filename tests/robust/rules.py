# SPDX-License-Identifier: MIT
"""rules - group 41: a person's explain.conf changes, breaks and goes while the collector runs; what is past follows it."""
import contextlib
import os
import signal
import sqlite3
import subprocess
import time

from common import DEADLINE_S, clean_env, following, queue_id, run, stamped

OURS = "[ours]\ntext = over quota\ncategory = rate_limited\nside = recipient\nsay = ours\nexample = 452 over quota\n"


def write_failure(log):
    with open(log, "wb") as f:
        f.writelines(stamped((time.time() - 60, "mx1 postfix/%s" % text)) for text in (
            "smtpd[1]: %s: client=c.example[203.0.113.9]" % queue_id(1),
            "qmgr[2]: %s: from=<a@b.example>, size=9, nrcpt=1 (queue active)" % queue_id(1),
            "smtp[3]: %s: to=<c@d.example>, relay=mx.d.example[198.51.100.7]:25, delay=1, delays=0/0/0/1, dsn=4.2.2, status=deferred "
            "(host mx.d.example[198.51.100.7] said: 452 4.2.2 over quota)" % queue_id(1)))


def rule_of(cache):
    """The rule of the one signature, or None while there is none."""
    try:
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % cache, uri=True)) as db:
            row = db.execute("SELECT rule FROM cluster").fetchone()
            return row and row[0]
    except sqlite3.OperationalError:
        return None


def wait(until, what):
    end = time.monotonic() + DEADLINE_S
    while not until():
        if time.monotonic() > end:
            raise AssertionError("never: " + what)
        time.sleep(0.02)


def case_reload(mtatop, folder):
    log, cache = os.path.join(folder, "mail.log"), os.path.join(folder, "c.db")
    own, said = os.path.join(folder, "explain.conf"), os.path.join(folder, "stderr")
    write_failure(log)
    with open(said, "wb") as err:
        child = subprocess.Popen([mtatop, "collect", "--cache", cache, *following(log)], env=clean_env(folder), stdin=subprocess.DEVNULL,
                                 stdout=err, stderr=err)

    def text():
        with open(said, encoding="utf-8", errors="replace") as f:
            return f.read()

    def put(content, hang_up):
        with open(own + ".new", "w", encoding="utf-8") as f:
            f.write(content)
        os.rename(own + ".new", own)
        if hang_up:
            child.send_signal(signal.SIGHUP)
    try:
        wait(lambda: rule_of(cache) == "full", "the built-in rule")
        put(OURS, True)
        wait(lambda: rule_of(cache) == "ours", "the own rule, by SIGHUP")
        put(OURS + "\n[ours]\n", True)
        wait(lambda: "explain.conf: line 8" in text(), "the mistake told with its line")
        if rule_of(cache) != "ours" or child.poll() is not None:
            raise AssertionError("a broken file changed something: %s, %s" % (rule_of(cache), child.poll()))
        put(OURS.replace("[ours]", "[newer]"), False)
        wait(lambda: rule_of(cache) == "newer", "a changed file, by itself")
        os.unlink(own)
        wait(lambda: rule_of(cache) == "full", "the built-in rule again")
    finally:
        child.terminate()
        if child.wait(DEADLINE_S) != 0:
            raise AssertionError("exit %d: %s" % (child.returncode, text()[-800:]))
    return "5 states"


def case_command(mtatop, folder):
    conf, env = os.path.join(folder, "mtatop.conf"), clean_env(folder)
    for content, code, word in ((OURS, 0, b"ours"), ("# none\n", 0, b"full"), (OURS + "[b]\ntext = x\n", 1, b"line 8"),
                                ("\x00\xff[", 1, b"line 1"), ("[a]\n" * 5000, 1, b"line 2")):
        with open(os.path.join(folder, "explain.conf"), "w", encoding="latin-1") as f:
            f.write(content)
        done = run([mtatop, "explain", "--config", conf, "452 4.2.2 over quota"], env=env)
        if done.returncode != code or word not in done.stdout + done.stderr:
            raise AssertionError("%r: exit %d: %s" % (content[:40], done.returncode, (done.stdout + done.stderr)[-400:]))
    return "5/5"


CASES = [("g41 rules changed, broken, gone while collecting", case_reload), ("g41 rules of mtatop explain", case_command)]
