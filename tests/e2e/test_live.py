# SPDX-License-Identifier: MIT
"""live - two real Postfix instances, all three ports, the dashboard in tmux: figures, drill-down, switch, rotation."""
import json
import os
import re
import socket
import subprocess
import sys

import board
import pfx
from run import Skip
from term import Terminal

CONF = """[probe]
enabled = no
[dns]
enabled = no
[postfix mx]
config_directory = {a}
[postfix out]
config_directory = {b}
"""


def counted(env, log):
    script = os.path.join(env.top, "tests", "truth", "count_postfix.py")
    return json.loads(subprocess.run([sys.executable, script, log], check=True, stdout=subprocess.PIPE).stdout)


def report(env, conf, provider):
    out = subprocess.run([env.mtatop, "report", "--format", "json", "--config", conf, "--cache", env.folder + "/c.db",
                          "--provider", provider], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)


def totals_of(figures):
    keys = ("messages", "recipients", "sent", "bounced", "expired", "rejected", "rejected_temporary")
    return dict({k: figures[k] for k in keys}, deferred=figures.get("deferred", figures.get("deferred_attempts")))


def ports_of(rows):
    return {str(r["port"]): (r["connections"], r["accepted"], r["rejected"]) for r in rows if r["direction"] == "in"}


def traffic(p):
    for i in range(5):
        p.send25(["u%d@accept.test" % i])
    p.send25(["s@soft.test", "h@hard.test"])
    p.send25(["slow@hang.test"])
    p.send_auth(p.p587, ["a@accept.test", "no@hard.test"])
    p.send_auth(p.p465, ["b@accept.test"])
    assert not p.send_auth(p.p587, ["c@accept.test"], password="wrong")
    try:
        p.send25(["nosuch@local.test"])
        raise AssertionError("an unknown user was accepted")
    except Exception as refused:
        assert "550" in str(refused) or "5.1.1" in str(refused), refused
    p.wait_log([("status=sent", 7), ("status=deferred", 2), ("status=bounced", 4), ("NOQUEUE: reject", 1)])


class Scene:
    """Two instances behind one configuration, and the dashboard."""

    def __init__(self, env):
        if os.geteuid() != 0:
            raise Skip("needs root to start a private Postfix")
        real = pfx.enter_namespace()
        self.env, self.conf = env, env.folder + "/mtatop.conf"
        self.mx = pfx.Postfix(env.folder + "/a", real_ports=real, extra="syslog_name = postfix")
        self.out = pfx.Postfix(env.folder + "/b", extra="syslog_name = postfix-out")
        with open(self.conf, "w") as f:
            f.write(CONF.format(a=self.mx.etc, b=self.out.etc))
        self.terminal = None

    def start(self, w=120, h=40):
        self.mx.start()
        self.out.start()
        traffic(self.mx)
        self.out.send25(["only@accept.test"])
        self.out.wait_log([("status=sent", 1)])
        self.terminal = Terminal([self.env.mtatop, "--config", self.conf, "--cache", self.env.folder + "/c.db"], w, h)
        return self.terminal

    def stop(self):
        if self.terminal:
            self.terminal.close()
        self.mx.stop()
        self.out.stop()

    def agree(self, provider, postfix):
        """The report's figures are those of the independent counter, as soon as the collector has caught up."""
        want = counted(self.env, postfix.log)

        def same():
            got = report(self.env, self.conf, provider)
            return totals_of(got["totals"]) == totals_of(want) and got
        try:
            got = pfx.wait_for("the figures to agree", same, 20)
        except AssertionError:
            got = report(self.env, self.conf, provider)
            raise AssertionError("got %r\nwant %r" % (totals_of(got["totals"]), totals_of(want))) from None
        accepted = {p: n["accepted"] for p, n in want["by_port"]["in"].items()}
        stock = {"25": postfix.p25, "587": postfix.p587, "465": postfix.p465}
        mine = {str(r["port"]): r["accepted"] for r in got["by_port"] if r["direction"] == "in"}
        for name, port in stock.items():
            assert mine.get(str(port), 0) == accepted.get(name, 0), (name, port, mine, accepted)
        return got


def test_dashboard_over_real_postfix(env):
    scene = Scene(env)
    try:
        t = scene.start()
        t.wait("Queue", "Delivery", "Errors", "Ports", "Failures", "LIVE")
        got = scene.agree("mx", scene.mx)
        totals = got["totals"]
        t.wait(" mx ", " out ", "ALL")
        t.keys("]")  # ALL -> mx: its figures alone
        screen = t.wait("delivered")
        assert str(totals["sent"]) in screen, screen
        # from "bounced" to the remote server's own words
        t.keys("3")
        t.wait("5.1.1", "no such mailbox")
        t.text("/5.1.1\n")
        t.keys("Enter")
        t.wait("wording", "no such user here")
        t.keys("Enter")
        t.wait("h@hard.test")
        t.keys("Enter")
        t.wait("550 5.1.1 no such user here", "a@example.test", "take the address off the list")
        t.wait("status=bounced")  # the raw log lines below
        t.keys("Escape")
        t.wait("h@hard.test")
        t.keys("Escape", "Escape", "Escape")
        t.wait("Queue", "Delivery", "Failures")
        # the same from the domain, the raw log, the port a message came in by
        t.keys("6")
        t.wait("overview > destinations", "hard.test")
        t.text("/hard.test\n")
        t.keys("Enter")
        t.wait("delivered 0.0%", "no such user here")
        t.keys("8")
        t.wait("following the log of mx", "postfix/qmgr", "to=<slow@hang.test>")
        t.keys("4")
        t.wait("overview > ports", "submission")
        t.text("/ %d \n" % scene.mx.p587)
        t.keys("Enter")
        t.wait("auth failed")
        t.keys("0")
        t.wait("Queue", "Delivery", "Failures")
        # the other provider
        t.keys("]")
        scene.agree("out", scene.out)
        t.keys("[")
        for w, h in ((80, 24), (200, 60), (40, 10), (20, 5), (120, 40)):
            t.resize(w, h)
            screen = pfx.wait_for("a board of %dx%d" % (w, h), lambda: t.screen().strip() and t.screen())
            assert all(len(line) <= w for line in screen.splitlines()), screen
        t.wait("Queue", "Delivery", "Failures")
        # rotation as postfix logrotate does it, with mail on both sides of it
        before = report(env, scene.conf, "mx")["totals"]["sent"]
        os.rename(scene.mx.log, scene.mx.log + ".1")
        scene.mx.run("postfix", "-c", scene.mx.etc, "reload")
        scene.mx.send25(["after@accept.test"])
        scene.mx.wait_log([("status=sent", 1)])
        pfx.wait_for("the mail after the rotation", lambda: report(env, scene.conf, "mx")["totals"]["sent"] == before + 1)
        t.keys("Q")
        assert t.exit_status() == 0, t.stderr()
    finally:
        scene.stop()


def test_every_view_agrees_with_the_counter(env):
    """What a person reads in each view is what a script of its own counts in the log, and what postqueue lists."""
    scene = Scene(env)
    try:
        t = scene.start(140, 50)
        t.wait("LIVE", "hard.test")
        scene.agree("mx", scene.mx)
        want = counted(scene.env, scene.mx.log)
        t.text(":mx\n")  # this provider alone

        def view(name, read, figures):
            t.text(":%s\n" % name)
            try:
                pfx.wait_for(name, lambda: read(t.screen()) == figures, 20)
            except AssertionError:
                raise AssertionError("%s: want %r, the screen says %r\n%s" % (
                    name, figures, read(t.screen()), t.screen())) from None

        view("delivery", lambda s: board.labelled(s, "delivered", "deferred", "bounced", "rejected"),
             {"delivered": want["sent"], "deferred": want["deferred"], "bounced": want["bounced"], "rejected": want["rejected"]})
        failed = {k: n for k, n in want["by_code"].items() if not k.endswith(" sent")}
        view("errors", lambda s: {k: n for k, n in board.errors(s).items() if not k.endswith(" rejected")}, failed)
        stock = {scene.mx.p25: "25", scene.mx.p587: "587", scene.mx.p465: "465"}
        ports = {p: tuple(want["by_port"]["in"].get(stock[p], {}).get(k, 0) for k in ("connections", "accepted", "rejected"))
                 for p in stock}
        text = scene.mx.log_text()
        auth = {p: (len(re.findall(r"%s/smtpd\[\d+\]: \w+: client=.*sasl_username=" % tag, text)),
                    len(re.findall(r"%s/smtpd\[\d+\]: .*authentication failed" % tag, text)))
                for p, tag in ((scene.mx.p25, "postfix"), (scene.mx.p587, "submission"), (scene.mx.p465, "submissions"))}
        assert auth[scene.mx.p587][1] > 0, auth
        view("ports", lambda s: {p: row for p, row in board.ports(s).items() if p in stock},
             {p: ports[p] + auth[p] for p in stock})
        with socket.create_connection(("127.0.0.1", scene.mx.p25)):  # one that stays: the kernel's sockets
            view("sockets", lambda s: board.sockets(s).get(("in", scene.mx.p25)), 1)
        view("sockets", lambda s: board.sockets(s).get(("in", scene.mx.p25)), 0)
        domains = {d: (n["sent"], n["deferred"], n["bounced"]) for d, n in want["by_domain"].items() if d}
        view("destinations", board.destinations, domains)
        listed = [json.loads(line) for line in scene.mx.postqueue("-j").splitlines()]
        depth = {q: sum(m["queue_name"] == q for m in listed) for q in ("active", "deferred", "hold")}
        view("overview", lambda s: {q: board.queue(s).get(q) for q in depth}, depth)
        t.text(":queue\n")
        for m in listed:
            t.wait(m["queue_id"])
        t.text(":failures\n")
        t.wait("s@soft.test", "h@hard.test", "no@hard.test", "slow@hang.test")
        t.keys("Q")
        assert t.exit_status() == 0, t.stderr()
    finally:
        scene.stop()


def test_live_line_is_seen_within_seconds(env):
    scene = Scene(env)
    try:
        t = scene.start()
        t.wait("Failures", "hard.test")
        scene.mx.send25(["late@hard.test"])
        t.wait("late@hard.test", deadline_s=10)
        t.keys("Q")
        assert t.exit_status() == 0, t.stderr()
    finally:
        scene.stop()
