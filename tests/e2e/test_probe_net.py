# SPDX-License-Identifier: MIT
"""test_probe_net - the verdict on outbound port 25 against hosts in a namespace of their own: open, refused, rejected, blocked,
throttled, intercepted, or nobody knows. nft drops and rejects; slow servers and foreign greetings are our own."""
import json
import os
import subprocess

import farhosts
from run import Skip

DEADLINE_S = 120
HOSTS = {
    "mx.alpha.test": {25: None, 587: None, 443: None},
    "mx.beta.test": {25: None},
    "mx.gamma.test": {587: None},  # nobody on 25
    "mx.delta.test": {25: None, 587: None},  # 25 dropped
    "mx2.delta.test": {25: None},  # the same
    "mx.eps.test": {25: None, 587: None, 443: None},  # all dropped
    "mx.zeta.test": {25: None, 587: None},  # 25 rejected
    "mx.eta.test": {25: "relay.isp.test", 587: None},
    "mx.theta.test": {25: "relay.isp.test"},
    "mx.iota.test": {25: "stars"},
    "mx.kappa.test": {25: "slow", 587: None},
    "mx.lambda.test": {25: "slow"},
    "mx.mu.test": {25: None, 587: None},  # reset
    "mx.nu.test": {25: None, 443: None},  # 25 dropped
}
RULES = [("mx.delta.test", 25, "drop"), ("mx2.delta.test", 25, "drop"), ("mx.nu.test", 25, "drop"),
         ("mx.eps.test", 25, "drop"), ("mx.eps.test", 587, "drop"), ("mx.eps.test", 443, "drop"),
         ("mx.zeta.test", 25, "reject"), ("mx.mu.test", 25, "reset")]
# targets, verdict, outcomes in the order of targets
CASES = [
    (["mx.alpha.test", "mx.beta.test"], "open", ["open", "open"]),
    (["mx.gamma.test"], "not known", ["refused"]),  # one alone may be at fault itself
    (["mx.zeta.test", "mx.mu.test"], "refused", ["rejected", "refused"]),
    (["mx.alpha.test", "mx.zeta.test"], "open", ["open", "rejected"]),
    (["mx.delta.test"], "not known", ["timed out"]),
    (["mx.eps.test", "mx.alpha.test:443"], "not known", ["timed out", None]),
    (["mx.delta.test", "mx2.delta.test"], "not known", ["timed out", "timed out"]),  # one organisation
    (["mx.delta.test", "mx.gamma.test"], "not known", ["timed out", "refused"]),
    (["mx.eps.test"], "not known", ["timed out"]),
    (["mx.delta.test", "mx.eps.test"], "blocked", ["timed out", "timed out"]),
    (["mx.delta.test", "mx.nu.test"], "blocked", ["timed out", "timed out"]),
    (["mx.alpha.test", "mx.delta.test"], "open", ["open", "timed out"]),  # that one does not answer
    (["mx.alpha.test", "mx.eps.test"], "open", ["open", "timed out"]),
    (["mx.alpha.test", "mx.delta.test", "mx.nu.test"], "throttled", ["open", "timed out", "timed out"]),
    (["mx.kappa.test", "mx.lambda.test", "mx.kappa.test:587"], "throttled", ["open", "open", "open"]),
    (["mx.eta.test", "mx.theta.test"], "intercepted", ["open", "open"]),
    (["mx.eta.test"], "open", ["open"]),  # one alone may be a vanity name
    (["mx.iota.test"], "intercepted", ["open"]),
]


def run(env, *argv):
    return subprocess.run([env.mtatop, "probe", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=DEADLINE_S)


def one_case(env, targets, verdict, outcomes):
    slow = verdict == "throttled" and "mx.kappa.test" in targets
    timeout = "10s" if slow else "1s"
    done = run(env, "--format", "json", "--timeout", timeout, *targets)
    out = json.loads(done.stdout)
    found = {(p["host"], p["port"]): p for p in out["probes"]}
    for target, outcome in zip(targets, outcomes):
        host, _, port = target.partition(":")
        got = found[(host, int(port or 25))]
        assert outcome is None or got["outcome"] == outcome, (target, got)
    assert out["outbound_25"]["verdict"] == verdict, (targets, out["outbound_25"], [(p["host"], p["port"], p["outcome"]) for p in out["probes"]])
    assert (out["outbound_25"]["advice"] is None) == (verdict == "open")
    return out


def test_verdicts(env):
    if not farhosts.alone():
        raise Skip("no network namespace to be had (root, ip, nsenter)")
    if not farhosts.nft():
        raise Skip("no nft to be had")
    far = farhosts.FarHosts(env.folder, HOSTS, RULES)
    try:
        for case in CASES:
            one_case(env, *case)
        # The evidence is shown: who timed out, and the other ports that opened.
        text = run(env, "--timeout", "1s", "mx.delta.test", "mx.nu.test").stdout
        assert "outbound port 25: blocked: 2 unrelated hosts time out on 25, none connects; 2 other ports connect\n" in text, text
        for line in ("mx.delta.test:25 timed out", "mx.delta.test:587 connects", "mx.nu.test:25 timed out", "mx.nu.test:443 connects"):
            assert line in text, (line, text)
        assert "what to do" in text and "587" in text
        for targets, words in ((["mx.delta.test"], "can't tell: only one host was tried"),
                               (["mx.alpha.test", "mx.delta.test"], "open; mx.delta.test does not answer")):
            text = run(env, "--timeout", "1s", *targets).stdout
            assert "outbound port 25: %s\n" % words in text and "blocked" not in text, text
        text = run(env, "--timeout", "1s", "mx.eta.test", "mx.theta.test").stdout
        assert text.count("greeted by a stranger: relay.isp.test") == 2, text
    finally:
        far.close()


def test_collector_and_views(env):
    """The source probes [probe] targets, keeps them in the cache, and check reads them from there."""
    if not os.path.exists("/proc/self/ns/net") or not farhosts.alone():
        raise Skip("no network namespace to be had (root, ip, nsenter)")
    if not farhosts.nft():
        raise Skip("no nft to be had")
    import pfx
    far = farhosts.FarHosts(env.folder, HOSTS, RULES)
    mta = pfx.Postfix(env.folder + "/p", real_ports=True)
    conf = env.folder + "/mtatop.conf"
    mta.configure()
    with open(conf, "w") as f:
        f.write("[postfix]\nconfig_directory = %s\n[dns]\nenabled = no\n[probe]\ntimeout = 2s\ntargets = mx.alpha.test mx.delta.test\n"
                "self_check = yes\nself_check_from = 127.0.0.2\n" % mta.etc)
    os.chmod(conf, 0o600)
    base = [env.mtatop, "--config", conf, "--cache", env.folder + "/c.db"]
    mta.start()
    collect = subprocess.Popen(base + ["collect"], stderr=subprocess.PIPE)

    def check(what, *more):
        done = subprocess.run(base + ["check", what, *more], stdout=subprocess.PIPE, text=True, timeout=DEADLINE_S)
        return done.returncode, done.stdout
    try:
        pfx.wait_for("the first round of probes", lambda: check("port")[0] != 3)
        status, said = check("port")
        assert status == 2 and "mx.delta.test:25 timed out" in said and "4 of 5 open" in said, said
        assert check("port", "--host", "127.0.0.1:25")[0] == 0, check("port", "--host", "127.0.0.1:25")
        status, said = check("certificate", "--host", "127.0.0.1")
        assert status == 0 and ": 29 days left" in said, said
        log = mta.log_text()
        # The self-check: asked from an address outside of mynetworks, refused, and no message.
        assert log.count("Relay access denied; from=<> to=<check@example.com>") == 1, log
        assert "status=" not in log and "cleanup" not in log
        beside_check_smtp(env, check)
        collect.terminate()
        said = collect.communicate(timeout=DEADLINE_S)[1]
        assert collect.returncode == 0, (collect.returncode, said[-3000:])  # a sanitizer's word would be here
    finally:
        if collect.poll() is None:
            collect.kill()
            collect.wait()
        mta.stop()
        far.close()


def beside_check_smtp(env, check):
    """monitoring-plugins' own check_smtp at the same port says the same."""
    import sys
    sys.path.insert(0, os.path.join(env.top, "tests"))
    import debs
    plugin = debs.program("monitoring-plugins-basic", "usr/lib/nagios/plugins/check_smtp")
    if not plugin:
        print("skip probe_net check_smtp (no monitoring-plugins-basic)")
        return
    for days, status in ((20, 0), (40, 1)):  # of 29 days left: no warning, a warning
        theirs = subprocess.run([plugin, "-H", "127.0.0.1", "-p", "25", "-S", "-D", str(days)], stdout=subprocess.PIPE, text=True,
                                timeout=DEADLINE_S)
        ours = check("certificate", "--host", "127.0.0.1:25", "-w", "%d:" % days)
        assert theirs.returncode == ours[0] == status, (days, theirs, ours)
    theirs = subprocess.run([plugin, "-H", "127.0.0.1", "-p", "25"], stdout=subprocess.PIPE, text=True, timeout=DEADLINE_S)
    assert theirs.returncode == check("port", "--host", "127.0.0.1:25")[0] == 0, theirs
    theirs = subprocess.run([plugin, "-H", "mx.delta.test", "-p", "25", "-t", "3"], stdout=subprocess.PIPE, text=True, timeout=DEADLINE_S)
    assert theirs.returncode == check("port", "--host", "mx.delta.test:25")[0] == 2, theirs
