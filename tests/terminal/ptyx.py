# SPDX-License-Identifier: MIT
"""ptyx - a program on a pseudo terminal of our own: its bytes, its picture (pyte), its modes, its end. Polls, never sleeps
for luck; every wait has a deadline."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

import pyte

PICTURE_MAX = 600  # columns or rows of a picture that is looked at
DEADLINE_S = 30  # of any one wait, under sanitizers on a loaded machine


def environment(**changes):
    """A small, fixed environment; None removes a name."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TZ": "UTC", "LANG": "C.UTF-8", "TERM": "xterm-256color",
           "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
           "LSAN_OPTIONS": "print_suppressions=0"}
    env.update(changes)
    return {k: v for k, v in env.items() if v is not None}


class Pty:
    """argv on a pty of w x h. The slave stays open here, so that its modes can be read after the program's end."""

    def __init__(self, argv, w=100, h=30, env=None):
        self.master, self.slave = pty.openpty()
        self.resize(w, h, notify=False)
        self.before = termios.tcgetattr(self.slave)
        self.raw = bytearray()
        self.display = pyte.Screen(max(1, min(w, PICTURE_MAX)), max(1, min(h, PICTURE_MAX)))
        self.stream = pyte.ByteStream(self.display)
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(argv, stdin=self.slave, stdout=self.slave, stderr=self.errors,
                                        env=env or environment(), start_new_session=True, preexec_fn=self._own_tty)
        self.status = None

    def _own_tty(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, w, h, notify=True):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", h, w, 0, 0))
        if notify:
            os.kill(self.process.pid, signal.SIGWINCH)

    def picture(self, w, h):
        """From here on the picture is of this size (what came before is forgotten)."""
        self.display.resize(h, w)

    def pump(self, seconds=0.05):
        """Read what there is; True if anything came."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.raw += data
        try:
            self.stream.feed(data)
        except Exception:  # pyte 0.8 does not know every sequence; the raw bytes are what is checked
            pass
        return bool(data)

    def screen(self):
        return "\n".join(self.display.display)

    def wait(self, condition, what, deadline_s=DEADLINE_S):
        end = time.monotonic() + deadline_s
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError("waited %d s for %s; the screen:\n%s\n%s" % (deadline_s, what, self.screen(), self.stderr()))
            self.pump()

    def sees(self, *texts):
        self.wait(lambda: all(t in self.screen() for t in texts), "%r" % (texts,))

    def settle(self, first_s=0.3, quiet_s=0.04):
        """Until what the last key changed is there: something comes, then for a moment nothing more. A clock that ticks
        may be taken for it, so this is for looking at much, never for asserting on one picture (wait and sees are)."""
        end = time.monotonic() + 2
        if self.pump(first_s):
            while self.pump(quiet_s) and time.monotonic() < end:
                pass

    def send(self, data):
        """All of data, reading meanwhile so that neither side blocks."""
        data = data.encode() if isinstance(data, str) else data
        end = time.monotonic() + DEADLINE_S * 4
        fcntl.fcntl(self.master, fcntl.F_SETFL, os.O_NONBLOCK)
        while data and time.monotonic() < end and self.ended() is None:
            try:
                data = data[os.write(self.master, data):]
            except BlockingIOError:
                pass
            except OSError:
                return
            self.pump(0.001)
        assert not data or self.ended() is not None, "%d bytes of input were never taken" % len(data)

    def kill(self, number):
        os.kill(self.process.pid, number)

    def ended(self):
        if self.status is None:
            self.status = self.process.poll()
        return self.status

    def wait_end(self, deadline_s=DEADLINE_S):
        """Its exit status (negative: the signal that ended it); the terminal is read to the end meanwhile."""
        self.wait(lambda: self.ended() is not None, "the program to end", deadline_s)
        while self.pump(0.05):
            pass
        return self.status

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def state(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0]

    def modes_restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def lose(self):
        """The terminal goes away, as when the connection breaks."""
        os.close(self.slave)
        self.slave = -1
        os.close(self.master)
        self.master = -1

    def close(self):
        if self.ended() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
