# SPDX-License-Identifier: MIT
"""once - `--once`, `report` and `doctor` on a real Postfix, as a person types them: one look, queue included."""
import json
import os
import re
import subprocess

import pfx
from run import Skip


def run(env, *argv):
    done = subprocess.run([env.mtatop, *argv, "--config", env.folder + "/mtatop.conf", "--cache", env.folder + "/c.db"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, LANG="C.UTF-8"))
    assert done.returncode == 0, (argv, done.returncode, done.stderr)
    return done.stdout


def test_one_look_at_a_real_postfix(env):
    if os.geteuid() != 0:
        raise Skip("needs root to start a private Postfix")
    pfx.enter_namespace()
    p = pfx.Postfix(env.folder + "/a")
    with open(env.folder + "/mtatop.conf", "w") as f:
        f.write("[probe]\nenabled = no\n[dns]\nenabled = no\n[postfix mx]\nconfig_directory = %s\n" % p.etc)
    try:
        p.start()
        p.send25(["u@accept.test"])
        for i in range(3):
            p.send25(["s%d@soft.test" % i])
        p.wait_log([("status=sent", 1), ("status=deferred", 3)])
        pfx.wait_for("three deferred", lambda: len(p.postqueue("-j").splitlines()) == 3)
        board = run(env, "--once")
        assert re.search(r"\bdeferred +3\b", board) and re.search(r"delivered +1\b", board), board
        run(env, "collect", "--until-caught-up")
        queue = json.loads(run(env, "report", "--format", "json"))["queue"]
        assert queue["deferred"] == 3 and queue["active"] == 0 and queue["source"] == "spool", queue
        assert queue["oldest_s"] is not None, queue
        assert "ok  queue depth: from the spool" in run(env, "doctor")
    finally:
        p.stop()
