#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alerts - the collector as a process: an alert fires and its hook rings once over kill -9; what `mtatop alerts` and
`mtatop warmup` print of that cache. usage: alerts.py MTATOP"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

DEADLINE_S = 120  # of what takes less than one
LINE = "Nov 22 00:00:00 mx1 postfix/qmgr[1]: 4E0001: from=<a@b.example>, size=1, nrcpt=1 (queue active)\n"


def write(path, text, mode):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def wait_for(path, child):
    until = time.monotonic() + DEADLINE_S
    while not os.path.exists(path):
        if time.monotonic() > until:
            sys.exit("%s was not written" % path)
        if child.poll() is not None:
            sys.exit("collect ended with status %s" % child.returncode)
        time.sleep(0.05)


def rule(name, folder):
    return "[alert %s]\nfigure = silence\nover = 1s\nfor = 0\nhook = %s/%s.hook\n" % (name, folder, name)


# A /dev of its own with a socket "log" in it, where syslog(3) sends to; $0 is that folder.
OWN_DEV = ("for n in null zero random urandom; do : > \"$0/$n\" && mount --bind \"/dev/$n\" \"$0/$n\" || exit 99; done; "
           "mount --bind \"$0\" /dev || exit 99; exec \"$@\"")


def told_to_syslog(mtatop, folder):
    """An alert with syslog = yes is one line to the daemon facility; one without is none; control bytes do not get there."""
    dev, log, conf = (os.path.join(folder, n) for n in ("dev", "said.log", "said.conf"))
    os.mkdir(dev)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(os.path.join(dev, "log"))
    listener.settimeout(DEADLINE_S)
    write(log, LINE, 0o600)
    quiet = "".join("[alert %s]\nenabled = no\n" % n for n in ("bounce-rate", "gate", "health", "queue-age", "queue-corrupt"))
    write(conf, quiet + "[alert silence]\nover = 1s\nfor = 0\nseverity = critical\nsyslog = yes\n"
          "[alert mute]\nfigure = silence\nover = 1s\nfor = 0\n", 0o600)
    child = subprocess.Popen(["unshare", "-rm", "sh", "-c", OWN_DEV, dev, mtatop, "--cache", os.path.join(folder, "said.db"),
                              "--config", conf, "--log", log, "collect"], stderr=subprocess.PIPE)
    try:
        said, until = [], time.monotonic() + DEADLINE_S
        listener.settimeout(0.2)
        while not said:
            try:
                said.append(listener.recv(65536).decode())
            except TimeoutError:
                if child.poll() is not None:
                    print("skip: no mount namespace to listen to syslog in: %s" % child.stderr.read().decode()[-200:])
                    return
                assert time.monotonic() < until, "nothing was said to syslog"
        alerts = json.loads(subprocess.run([mtatop, "--cache", os.path.join(folder, "said.db"), "--config", conf, "alerts",
                                            "--format", "json"], stdout=subprocess.PIPE, check=True).stdout)
        states = {a["alert"]: a["state"] for a in alerts["alerts"]}
        assert (states["silence"], states["mute"]) == ("firing", "firing"), alerts
        try:
            said.append(listener.recv(65536).decode())
        except TimeoutError:
            pass
        assert len(said) == 1, said
        assert said[0].startswith("<27>") and "mtatop: alert silence fired: no log line of postfix for " in said[0], said  # daemon.err
    finally:
        if child.poll() is None:
            child.terminate()
        child.wait()
        listener.close()


def main():
    mtatop, folder = sys.argv[1], tempfile.mkdtemp(prefix="mtatop-alerts-")
    log, cache, conf = (os.path.join(folder, n) for n in ("mail.log", "cache.db", "mtatop.conf"))
    base = [mtatop, "--cache", cache, "--config", conf]
    try:
        write(log, LINE, 0o600)
        for name in ("first", "second"):
            # renamed when whole: who waits for the file sees all of it
            write(os.path.join(folder, name + ".hook"),
                  "#!/bin/sh\ncat >> %s/%s.part\nmv %s/%s.part %s/%s.rung.$$\n: > %s/%s.rung\n" % ((folder, name) * 4), 0o700)
        write(conf, rule("first", folder) + "[warmup ip7]\negress = 203.0.113.7\nstart = 2026-11-01\n", 0o600)
        collect = subprocess.Popen(base + ["--log", log, "collect"], stderr=subprocess.DEVNULL)
        wait_for(os.path.join(folder, "first.rung"), collect)
        collect.kill()
        collect.wait()
        write(conf, rule("first", folder) + rule("second", folder), 0o600)
        collect = subprocess.Popen(base + ["--log", log, "collect"], stderr=subprocess.DEVNULL)
        wait_for(os.path.join(folder, "second.rung"), collect)  # by then the first rule was looked at as well
        collect.terminate()
        collect.wait()
        rung = [n for n in os.listdir(folder) if n.startswith("first.rung.")]
        assert len(rung) == 1, rung
        with open(os.path.join(folder, rung[0]), encoding="utf-8") as f:
            told = json.load(f)
        assert (told["alert"], told["event"], told["figure"], told["unit"]) == ("first", "fired", "silence", "ms"), told
        out = json.loads(subprocess.run(base + ["alerts", "--format", "json"], stdout=subprocess.PIPE, check=True).stdout)
        fired = [e["alert"] for e in out["history"] if e["event"] == "fired"]
        assert fired.count("first") == 1 and fired.count("second") == 1, fired
        assert {a["alert"]: a["state"] for a in out["alerts"]}["first"] == "firing", out
        write(conf, "[warmup ip7]\negress = 203.0.113.7\nstart = 2026-11-01\nplan = sparkpost\n", 0o600)
        out = json.loads(subprocess.run(base + ["warmup", "--format", "json", "--fake-now", "2026-11-20 12:00"],
                                        stdout=subprocess.PIPE, check=True).stdout)
        assert [w["state"] for w in out["warmups"]] == ["COLD"], out
        assert out["warmups"][0]["caps"][:3] == [200, 500, 1000], out
        out = subprocess.run(base + ["warmup", "plan"], stdout=subprocess.PIPE, check=True, text=True).stdout
        assert "10,000,000" in out, out
        write(conf, "[alert queue]\nover = 5\n[alert x]\nfigure = certificate-days\nover = 0\n", 0o600)
        told_to_syslog(mtatop, folder)
        bad = subprocess.run(base + ["alerts"], stderr=subprocess.PIPE, text=True)
        assert bad.returncode == 2 and "of this figure it is under" in bad.stderr, bad.stderr
    finally:
        shutil.rmtree(folder)
    print("ok")


main()
