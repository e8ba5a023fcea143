# SPDX-License-Identifier: MIT
"""Hostile bytes in every field of a log, shown in every view: none reaches the terminal, all are marked (reliability 1.4)."""
import subprocess

import hostile
from ptyx import Pty, environment

VIEWS = ["", "1", "2", "3", "4", "5", "6", "7", "8", "9", ":rejects\r", ":log\r", ":samples\r", ":destinations\r", ":mailboxes\r", ":senders\r", ":warnings\r"]


def write_log(env):
    with open(env.log, "wb") as f:
        f.write(hostile.log_lines())


def walk(pty, seen, deep):
    """Every view, what Enter leads to from each of its first rows, and help, setup and prompts over them."""
    def look():
        pty.settle()
        seen.append(pty.screen())

    for view in VIEWS:
        pty.send("\x1b\x1b0" + view)
        look()
        for _ in range(2 if deep else 0):
            pty.send("j\r")
            look()
            pty.send("\r")
            look()
            pty.send("l" * 30 + "G")
            look()
            pty.send("\x7f\x7f")
        pty.send("?")
        look()
        pty.send("\x1b")
        pty.send("y")
        look()
    # What a person pastes is as foreign as what a stranger logs.
    for prompt in "/\\:T":
        pty.send("7" + prompt)
        for raw, _ in hostile.KINDS.values():
            pty.send(b"\x1b[200~" + raw.replace(b"\x1b[201~", b"") + b"\x1b[201~")
        look()
        pty.send("\x07")
    for name in list(hostile.KINDS)[:6]:
        pty.send("7/[%s]\r" % name)
        look()


def look_at(env, flags, env_changes, sizes):
    seen = []
    for w, h in sizes:
        with Pty(env.argv("--window", "24h", *flags), w, h, environment(**env_changes)) as pty:
            pty.sees("bounced")
            walk(pty, seen, (w, h) == sizes[0])
            pty.send("Q")
            assert pty.wait_end() == 0, "%s\n%s" % (pty.status, pty.stderr())
            # y copies: its sequence is ours and holds nothing but base64.
            raw = bytes(pty.raw)
            while b"\x1b]52;c;" in raw:
                head, _, rest = raw.partition(b"\x1b]52;c;")
                payload, _, rest = rest.partition(b"\x07")
                assert payload.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == b"", payload
                raw = head + rest
            bad = hostile.problems(raw)
            assert not bad, "%d at %dx%d: %s" % (len(bad), w, h, bad[:5])
            if env_changes:
                assert all(b < 0x80 for b in raw), "not ASCII in a locale that is"
    return "\n".join(seen)


def check_hostile_checker(env):
    """The judge itself: raw, each kind is found. A bare CR is what curses sends too; its mark is what is looked for."""
    for name, (raw, _) in hostile.KINDS.items():
        assert name == "cr" or hostile.problems(b"x " + raw + b" y"), name
    assert not hostile.problems(b"\x1b[1;1H\x1b[31mplain \xc3\xa9\x1b(B\x1b[m\r\n")


def check_hostile_bytes_utf8(env):
    write_log(env)
    shown = look_at(env, [], {}, [(200, 60), (80, 24)])
    for name, (_, marks) in hostile.KINDS.items():
        for mark in marks:
            assert mark in shown, "%s is not marked: no %r in any view" % (name, mark)


def check_hostile_bytes_ascii(env):
    write_log(env)
    look_at(env, [], {"LANG": None, "LC_ALL": "C"}, [(80, 24)])


def check_hostile_bytes_piped(env):
    """The same through --once and report: what goes to a pipe may be shown on a terminal next."""
    write_log(env)
    subprocess.run([env.mtatop, "collect", "--until-caught-up", "--log", env.log, "--cache", env.cache], check=True,
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    for words in (["report"], ["report", "--format", "csv"], ["report", "--format", "json"]):
        done = subprocess.run([env.mtatop, *words, "--cache", env.cache], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=environment())
        assert done.returncode == 0, done.stdout[-500:]
        assert b"<U+202E>" in done.stdout or words != ["report"], "the log was not read as meant"
        bad = [p for p in hostile.problems(done.stdout) if words[-1] != "json" or "(Mn)" not in p]  # JSON keeps marks
        assert not bad and b"\x1b" not in done.stdout, "%s: %s" % (words, bad[:5])
    done = subprocess.run(env.argv("--once", "--window", "24h"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment(COLUMNS="200"))
    assert done.returncode == 0 and not hostile.problems(done.stdout) and b"\x1b" not in done.stdout
    done = subprocess.run([env.mtatop, "--replay", "postfix", env.log], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment())
    assert done.returncode == 0 and not [p for p in hostile.problems(done.stdout) if "(Mn)" not in p]
