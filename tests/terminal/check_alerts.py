# SPDX-License-Identifier: MIT
"""Alerts on a terminal: the bell once when one begins to fire and only when asked for, the banner, the list, acknowledge."""
import json
import os
import subprocess
import time

from ptyx import Pty, environment

RULE = "[alert turned-away]\nfigure = rejected\nover = 0\nfor = 0\nwindow = 24h\nseverity = critical\n"
QUIET = "".join("[alert %s]\nenabled = no\n" % name for name in ("silence", "health", "bounce-rate", "queue-age"))
BELL = b"\x07"


def stamp():
    return time.strftime("%b %d %H:%M:%S", time.gmtime())


def refuse(env):
    with open(env.log, "a") as f:
        f.write("%s mx1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <x@y.example>: Relay access "
                "denied; from=<a@b.example> to=<x@y.example> proto=ESMTP helo=<c>\n" % stamp())


def begin(env, bell):
    with open(env.log, "w") as f:
        f.write("%s mx1 postfix/qmgr[5]: 4F0001: from=<a@b.example>, size=1, nrcpt=1 (queue active)\n" % stamp())
    config = env.folder + "/mtatop.conf"
    with open(config, "w") as f:
        f.write("[screen]\nbell = %s\n%s%s" % (bell, RULE, QUIET))
    return env.argv("--config", config)


def told(env, argv):
    out = subprocess.run(argv + ["alerts", "--format", "json"], stdout=subprocess.PIPE, check=True, env=environment())
    return json.loads(out.stdout)


def bells(pty):
    """Of the terminal, not those that end a title or a copied text (OSC ... BEL)."""
    raw, n = bytes(pty.raw), 0
    while BELL in raw:
        head, _, raw = raw.partition(BELL)
        n += b"\x1b]" not in head.rpartition(b"\x1b\\")[2]
    return n


def check_alert_rings_once_and_is_acknowledged(env):
    argv = begin(env, "yes")
    with Pty(argv, 120, 40, environment(USER="tester")) as pty:
        pty.sees("delivered")
        pty.wait(lambda: any(a["alert"] == "turned-away" and a["state"] == "ok" for a in told(env, argv)["alerts"]),
                 "the first look at the rule")
        assert bells(pty) == 0
        refuse(env)
        pty.sees("! 1 rejected")
        pty.wait(lambda: bells(pty) > 0, "the bell")
        pty.send(":alerts\r")
        pty.sees("turned-away", "FIRING", "fired", "a Acknowledge")
        pty.send("a")
        pty.sees("acknowledged")
        pty.wait(lambda: "! 1 rejected" not in pty.screen(), "the banner to go")
        assert bells(pty) == 1, bells(pty)
        pty.send("Q")
        assert pty.wait_end() == 0, pty.stderr()
    out = told(env, argv)
    events = [e["event"] for e in out["history"] if e["alert"] == "turned-away"]
    assert sorted(events) == ["acknowledged", "fired"], out
    assert [a["state"] for a in out["alerts"] if a["alert"] == "turned-away"] == ["firing"], out


def check_alerts_of_the_demo(env):
    """They are there and looked at, and ring nobody, whatever a person's own configuration says."""
    config, rung = env.folder + "/mtatop.conf", env.folder + "/rung"
    hook = env.folder + "/hook"
    with open(hook, "w") as f:
        f.write("#!/bin/sh\n: > %s\n" % rung)
    os.chmod(hook, 0o700)
    with open(config, "w") as f:
        f.write("[screen]\nbell = yes\n[alert any]\nfigure = rejected\nover = 0\nhook = %s\n" % hook)
    with Pty([env.mtatop, "--demo", "--config", config], 120, 40, environment()) as pty:
        pty.sees("delivered")
        pty.send(":alerts\r")
        pty.sees("bounce-rate", "silence", "queue-age", "any", "FIRING", "fired")
        pty.send("Q")
        assert pty.wait_end() == 0, pty.stderr()
        assert bells(pty) == 0 and not os.path.exists(rung)


def check_alert_without_bell(env):
    argv = begin(env, "no")
    with Pty(argv, 80, 24, environment()) as pty:
        pty.sees("delivered")
        refuse(env)
        pty.wait(lambda: any(a["alert"] == "turned-away" and a["state"] == "firing" for a in told(env, argv)["alerts"]), "the alert")
        pty.sees("!")
        pty.send("Q")
        assert pty.wait_end() == 0, pty.stderr()
        assert bells(pty) == 0
