# SPDX-License-Identifier: MIT
"""The queue on the screen over a real Postfix: matrix, the exact message, actions by key, the log of actions."""
import re

from term import Terminal
from test_queue_real import Queue


class Screen:
    """The dashboard over the nine deferred messages of Queue; log=False: an empty log, so that only the queue knows them."""

    def __init__(self, env, *options, log=True, w=120, h=40):
        self.q = Queue(env)
        self.env, self.options, self.log, self.size = env, options, log, (w, h)
        self.terminal = None

    def __enter__(self):
        self.q.__enter__()
        conf = self.env.folder + "/mtatop.conf"
        with open(conf, "w") as f:
            f.write("[postfix]\nconfig_directory = %s\nqueue_interval = 1s\n" % self.q.mta.etc)
            if not self.log:
                f.write("log = %s/empty.log\n" % self.env.folder)
                open(self.env.folder + "/empty.log", "w").close()
        argv = [self.env.mtatop, "--config", conf, "--cache", self.q.cache, *self.options]
        self.terminal = Terminal(argv, *self.size)
        return self.q, self.terminal

    def __exit__(self, *_):
        if self.terminal:
            self.terminal.close()
        self.q.__exit__()


def command(t, text):
    t.keys(":")
    t.wait(":")
    t.text(text)
    t.keys("Enter")


def open_queue(t):
    t.wait("deferred", "from the spool")
    t.keys("1")
    t.wait("9 rows", "soft.test")


def test_matrix_and_message(env):
    with Screen(env) as (q, t):
        t.wait("age up to", "soft.test", "refused.test")  # the tile has the matrix
        open_queue(t)
        t.keys("m")
        shown = t.wait("by recipient domain", "2 rows")
        assert re.search(r"soft\.test\s+9 ", shown) and re.search(r"refused\.test\s+8 ", shown), shown
        t.keys("b")
        shown = t.wait("by sender domain", "(none)")
        assert re.search(r"example\.test\s+8 ", shown) and re.search(r"\(none\)\s+1 ", shown), shown
        t.keys("b")
        t.wait("by recipient domain")
        t.keys("Down", "Enter") if "refused.test" not in t.screen().split("soft.test")[0] else t.keys("Enter")
        t.wait("matrix > refused.test", "8 rows")  # second recipients are found too
        t.keys("Enter")
        t.wait("matrix > refused.test > ", "message", "arrived", "Connection refused")


def test_unknown_to_the_log(env):
    with Screen(env, log=False) as (q, t):
        open_queue(t)
        t.keys("G", "Enter")
        shown = t.wait("this is what the queue says", "next try", "expires", "Subject: test")
        qid = re.search(r"message +(\w+) +deferred", shown)[1]
        assert qid in q.files("deferred"), shown
        assert "450" in shown, shown


def test_actions_by_key(env):
    with Screen(env, "--read-write") as (q, t):
        open_queue(t)
        t.keys("Space", "Space", "H")
        t.wait("hold 2 messages?", "Type y and Enter")
        t.keys("n", "Enter")
        t.wait("not confirmed: nothing was done")
        assert not q.files("hold")
        t.keys("H")
        t.wait("hold 2 messages?")
        t.keys("y", "Enter")
        t.wait("2 of 2 put on hold")
        assert len(q.files("hold")) == 2
        t.wait("hold 2")  # and the list follows
        t.keys("U", "g", "D")
        t.wait("delete 1 message?", "This can't be undone")
        t.keys("y", "Enter")
        t.wait("not confirmed")
        assert len(q.listed()) == 9
        t.keys("D")
        t.wait("delete 1 message?")
        t.keys("1", "Enter")
        t.wait("1 of 1 deleted", "8 rows")
        assert len(q.listed()) == 8
        command(t, "actions")
        shown = t.wait("overview > actions", "2 rows", "put on hold")
        assert re.search(r"delete +1 +1 +1 of 1 deleted", shown) and re.search(r"hold +2 +2 ", shown), shown


def test_filtered(env):
    """An action on what a filter shows: tag by pattern, then all of them."""
    with Screen(env, "--read-write") as (q, t):
        open_queue(t)
        t.keys("T")
        t.text("n@soft")
        t.keys("Enter")
        t.wait("1 tagged")
        t.keys("H")
        t.wait("hold 1 message?")
        t.keys("y", "Enter")
        t.wait("1 of 1 put on hold")
        held = list(q.files("hold"))
        rows = [r for r in q.listed() if r["queue_id"] in held]
        assert [a["address"] for r in rows for a in r["recipients"]] == ["n@soft.test"], rows


def test_gone_meanwhile(env):
    """A message that left while the question stood is not acted on, and said so."""
    with Screen(env, "--read-write") as (q, t):
        open_queue(t)
        t.keys("D")
        shown = t.wait("delete 1 message?")
        qid = re.search(r"delete 1 message\?[^\n]*\n[^\n]*?(\w{10,})", shown)[1]
        q.mta.run("postsuper", "-c", q.mta.etc, "-d", qid)
        t.keys("1", "Enter")
        t.wait("0 of 1 deleted, 1 no longer in the queue")
        assert len(q.listed()) == 8


def test_read_only(env):
    with Screen(env) as (q, t):
        open_queue(t)
        t.keys("D")
        t.wait("read-only: start mtatop with --read-write")
        assert len(q.listed()) == 9


def test_narrow(env):
    with Screen(env, w=80, h=24) as (q, t):
        t.wait("deferred", "9")
        t.keys("1")
        t.wait("deferred 9", "9 rows", "soft.test")
