# SPDX-License-Identifier: MIT
"""ptyrun - a program on a terminal of 120x40, what it costs, and a log that grows at a steady rate.

The terminal's bytes are read and thrown away but for the text one waits for; nothing is emulated, so the reader
costs next to nothing beside what it measures.
"""
import collections
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import threading
import time

COLUMNS, ROWS = 120, 40
TAIL_BYTES = 1 << 16
Usage = collections.namedtuple("Usage", "cpu_s rss_mib fds switches")


def usage(pid):
    """CPU, memory, open files and voluntary switches (wake-ups) of a process, all its threads and its children."""
    pids, cpu, switches, ticks = [pid] + children(pid), 0.0, 0, os.sysconf("SC_CLK_TCK")
    for p in pids:
        for task in os.listdir("/proc/%d/task" % p):
            with open("/proc/%d/task/%s/schedstat" % (p, task)) as f:
                cpu += int(f.read().split()[0]) / 1e9
            with open("/proc/%d/task/%s/status" % (p, task)) as f:
                switches += int([line for line in f if line.startswith("voluntary")][0].split()[1])
    with open("/proc/%d/status" % pid) as f:
        rss = int([line for line in f if line.startswith("VmRSS")][0].split()[1]) / 1024
    return Usage(cpu, rss, len(os.listdir("/proc/%d/fd" % pid)), switches)


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(p) for p in f.read().split()]


class Screen:
    """A program on a pseudo terminal."""

    def __init__(self, argv, env, keys=""):
        self.bytes, self.tail, self.started = 0, b"", time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.set_blocking(self.fd, False)
        self.keys = keys

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self):
        try:
            data = os.read(self.fd, 1 << 16)
        except (BlockingIOError, OSError):
            return b""
        if self.keys and data:  # it is up: press what was asked for
            os.write(self.fd, self.keys.encode())
            self.keys = ""
        self.bytes += len(data)
        self.tail = (self.tail + data)[-TAIL_BYTES:]
        return data

    def pump(self, seconds):
        pump_all([self], seconds)

    def wait_for(self, text, deadline_s):
        """Seconds until the text came, from now (from the start of the program for the first wait); None: never."""
        start = self.started if not self.bytes else time.monotonic()
        end = time.monotonic() + deadline_s
        self.tail = b""
        while text not in self.tail:
            left = end - time.monotonic()
            if left <= 0:
                return None
            if select.select([self.fd], [], [], left)[0]:
                self.read()
        return time.monotonic() - start

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        end = time.monotonic() + 10
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            select.select([self.fd], [], [], 0.02)
            self.read()
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)


def pump_all(screens, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        by_fd = {s.fd: s for s in screens}
        for fd in select.select(list(by_fd), [], [], max(0.0, end - time.monotonic()))[0]:
            by_fd[fd].read()


class Feeder(threading.Thread):
    """Writes log lines of now at a steady rate, 50 times a second."""

    PIECES = 50

    def __init__(self, path, bodies, rate):
        super().__init__(daemon=True)
        self.bodies, self.rate, self.lines, self.ended, self.marks = bodies, rate, 0, False, []
        self.file = open(path, "wb", buffering=0)
        self.seconds = 0.0
        self.pace = threading.Event()  # never set: the time between two pieces

    def mark(self, word):
        """A line that shows up among the rejects, the rarest of the lists: a refusal of this sender."""
        self.marks.append(word)

    def run(self):
        start, at = time.monotonic(), 0
        while not self.ended:
            due = int((time.monotonic() - start) * self.rate) - self.lines
            stamp = time.strftime("%b %e %H:%M:%S", time.gmtime()).encode()
            text = b"".join(stamp + self.bodies[(at + i) % len(self.bodies)] for i in range(due))
            at, self.lines = at + due, self.lines + due
            while self.marks:
                word = self.marks.pop().encode()
                text += (stamp + b" mx1 postfix/smtpd[4242]: NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 554 5.7.1 <" +
                         word + b"@late.example>: Relay access denied; from=<" + word + b"@late.example> to=<" + word +
                         b"@late.example> proto=ESMTP helo=<" + word + b">\n")
                self.lines += 1
            if text:
                self.file.write(text)
            self.pace.wait(1 / self.PIECES)
        self.seconds = time.monotonic() - start

    def stop(self):
        self.ended = True
        self.join()
        self.file.close()
        return self.lines
