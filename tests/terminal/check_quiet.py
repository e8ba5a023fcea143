# SPDX-License-Identifier: MIT
"""A board that is left alone: few bytes, few wake-ups, and nothing drawn that has not changed. Counts, not speeds."""
import os
import time

from ptyx import Pty, environment

SECONDS = 6
BYTES_PER_S = 446  # what top(1) sends at the same size; performance.md
TICK_BYTES_PER_S = 60  # the clock and the ages, nothing else


def wakeups(pty):
    """Of the thread that draws: how often it gave the processor up of its own will."""
    with open("/proc/%d/task/%d/status" % (pty.process.pid, pty.process.pid)) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt"))


def watch(pty, seconds=SECONDS):
    """Bytes and wake-ups a second while nobody touches a key."""
    end = time.monotonic() + 3  # reading back has to be over: two seconds without much
    while time.monotonic() < end:
        pty.pump(0.2)
    begun, bytes_before, woken = time.monotonic(), len(pty.raw), wakeups(pty)
    while time.monotonic() < begun + seconds:
        pty.pump(0.2)
    took = time.monotonic() - begun
    return (len(pty.raw) - bytes_before) / took, (wakeups(pty) - woken) / took


def check_quiet_while_figures_change(env):
    for w, h in ((80, 24), (120, 40)):
        with Pty([env.mtatop, "--demo"], w, h, environment()) as pty:
            pty.sees("delivered")
            sent, woken = watch(pty)
            assert 0 < sent <= BYTES_PER_S, "%d bytes a second at %dx%d" % (sent, w, h)
            assert woken <= 2.5, "%.1f wake-ups a second" % woken


def check_quiet_when_nothing_happens(env):
    open(env.log, "w").close()
    with Pty(env.argv(), 120, 40, environment()) as pty:
        pty.sees("delivered")
        sent, woken = watch(pty)
        assert sent <= TICK_BYTES_PER_S, "%d bytes a second for a clock" % sent
        assert woken <= 2.5, "%.1f wake-ups a second" % woken
    assert os.path.getsize(env.log) == 0
