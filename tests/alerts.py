#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alerts - the collector as a process: an alert fires and its hook rings once over kill -9; what `mtatop alerts` and
`mtatop warmup` print of that cache. usage: alerts.py MTATOP"""
import json
import os
import shutil
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
        bad = subprocess.run(base + ["alerts"], stderr=subprocess.PIPE, text=True)
        assert bad.returncode == 2 and "of this figure it is under" in bad.stderr, bad.stderr
    finally:
        shutil.rmtree(folder)
    print("ok")


main()
