# SPDX-License-Identifier: MIT
"""A dashboard that watches another process's collector goes on collecting itself when that one has ended, and one of two does."""
import signal
import subprocess
import time

from check_terminal import log_lines, make_log, quits_well, read_count, start
from ptyx import DEADLINE_S, environment

SAID = "the collector ended; this mtatop collects now"


def collector_of(env, lines):
    """A collector of its own, after it has counted what the log holds."""
    process = subprocess.Popen([env.mtatop, "collect", "--log", env.log, "--cache", env.cache], env=environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    counted(env, lines)
    return process


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def counted(env, n):
    deadline = time.monotonic() + DEADLINE_S
    while read_count(env) != n:
        assert time.monotonic() < deadline, "%s counted, not %d" % (read_count(env), n)


def append(env, n, tag):
    """tag: of the queue ids, and so no vowel."""
    with open(env.log, "a") as f:
        f.write(log_lines(n, tag))


def lock_holder(env):
    with open(env.cache + ".lock") as f:
        return int(f.read() or 0)


def takes_over(env, number):
    make_log(env)
    collector = collector_of(env, 120)
    try:
        with start(env) as pty:
            pty.sees("another mtatop collects", "bounced 120")
            append(env, 3, "C")
            pty.sees("bounced 123")
            collector.send_signal(number)
            collector.wait()
            append(env, 5, "D")
            pty.sees(SAID, "bounced 128")
            append(env, 2, "F")
            pty.sees("bounced 130")
            assert lock_holder(env) == pty.process.pid
            quits_well(pty)
        assert read_count(env) == 130
    finally:
        end(collector)
    with start(env) as pty:  # its lock went with it
        pty.sees("bounced 130")
        assert lock_holder(env) == pty.process.pid
        quits_well(pty)


def check_takeover_after_kill(env):
    takes_over(env, signal.SIGKILL)


def check_takeover_after_exit(env):
    takes_over(env, signal.SIGTERM)


def check_takeover_by_one_of_two(env):
    """One of two that watch goes on; the other watches it, and goes on in its turn."""
    make_log(env)
    collector = collector_of(env, 120)
    try:
        with start(env) as first, start(env) as second:
            for pty in (first, second):
                pty.sees("another mtatop collects", "bounced 120")
            collector.kill()
            collector.wait()
            append(env, 5, "D")
            first.wait(lambda: second.pump(0.01) is None or any(SAID in pty.screen() for pty in (first, second)), "one of the two to go on")
            winner, other = (first, second) if SAID in first.screen() else (second, first)
            for pty in (winner, other):
                pty.sees("bounced 125")
            assert SAID not in other.screen()
            assert lock_holder(env) == winner.process.pid
            winner.process.kill()
            winner.process.wait()
            append(env, 4, "F")
            other.sees(SAID, "bounced 129")
            assert lock_holder(env) == other.process.pid
            quits_well(other)
        assert read_count(env) == 129
    finally:
        end(collector)
