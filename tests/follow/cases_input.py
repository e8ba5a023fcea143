# SPDX-License-Identifier: MIT
"""Bytes and file kinds that a log must not have and sometimes has: nothing lost, nothing twice, nothing stuck."""
import os
import signal
import socket
import stat
import time

from harness import Skip

MEGABYTE = 1 << 20
NOBODY = 65534


def live(case, count=5):
    case.start()
    case.log.put(case.traffic.messages(count))
    case.wait_lines()


def more(case, **differ):
    """Good lines after the bad ones are counted, and the next collector agrees."""
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.check(**differ)
    case.check_restart(**differ)


def case_partial_line_completed_later(case):
    """Half a line is no event; completed it is exactly one. Also over a restart between the halves."""
    live(case)
    for restart in (False, True):
        line = case.traffic.message()[0]
        case.log.raw(line[:40].encode())
        case.log.put([], end="")
        time.sleep(1.5)  # two looks of the collector at the half line
        case.check()
        if restart:
            case.stop()
            case.start()
        case.log.raw(line[40:].encode() + b"\n")
        case.log.expect([line])
        case.wait_lines()
        case.check()
    more(case)


def case_line_in_single_bytes(case):
    live(case)
    for line in case.traffic.messages(2):
        for byte in line.encode() + b"\n":
            case.log.raw(bytes([byte]))
            time.sleep(0.0005)
        case.log.expect([line])
    more(case)


def case_nul_bytes(case):
    """In front of a line they are left out; inside they belong to it."""
    live(case)
    lines = case.traffic.message()
    case.log.raw(b"\0" * 5000 + lines[0].encode() + b"\n")
    case.log.expect(lines[:1])
    inside = lines[3].replace("Ok: ", "Ok:\0\0").replace("try later", "try\0later")
    case.log.put(lines[1:3] + [inside] + lines[4:])
    more(case)


def case_truncated_under_a_writer_that_does_not_append(case):
    """The file comes back with a hole of NULs in front; twice, so that two such files are told apart."""
    case.log.open(flags=0)
    case.log.put(case.traffic.messages(400))
    case.start()
    case.wait_lines()
    for _ in range(2):
        os.truncate(case.path, 0)
        case.log.put(case.traffic.messages(20))
        case.wait_lines()
        case.check()
    case.stop()
    case.log.put(case.traffic.messages(3))
    case.once()
    case.check()
    case.log.rotate()
    case.once()
    case.check()


def case_crlf(case):
    live(case)
    case.log.put(case.traffic.messages(20), end="\r\n")
    more(case)


def case_100000_blank_lines(case):
    """Lines they are, but nobody's."""
    live(case)
    case.log.raw(b"\n" * 50000 + b" \r\n" * 50000)
    lines = case.traffic.messages(5)
    case.log.put(lines)
    case.wait("the lines behind", lambda: not case.missing())
    case.wait_lines(len(case.log.wrote) + 100000)
    case.check(LINES=len(case.log.wrote) + 100000)
    case.check_restart(LINES=len(case.log.wrote) + 100000)


def case_1_megabyte_line(case):
    """Over what syslog can write: one line, counted as oversize, its neighbours untouched."""
    live(case)
    case.log.raw(case.traffic.message()[3].encode() + b"x" * MEGABYTE + b"\n")
    case.log.put(case.traffic.messages(3))
    case.wait("the lines behind", lambda: not case.missing()[:1] or case.missing() == case.missing()[:1])
    n = len(case.log.wrote) + 1
    case.wait_lines(n)
    case.check(OVERSIZE=1, LINES=n)
    case.check_restart(OVERSIZE=1, LINES=n)


def case_64_megabytes_without_newline(case):
    """Memory stays bounded; the reading goes on behind the next newline. A second one ends with its file."""
    live(case)
    for _ in range(64):
        case.log.raw(b"y" * MEGABYTE)
    case.log.raw(b"\n")
    case.log.put(case.traffic.messages(3))
    case.wait("the lines behind", lambda: not case.missing())
    with open("/proc/%d/status" % case.process.pid) as f:
        peak = int(next(line.split()[1] for line in f if line.startswith("VmHWM")))
    if peak > 64 * 1024 and "clang" not in case.build:
        raise AssertionError("%d KiB at the most" % peak)
    n = len(case.log.wrote) + 1
    case.check(OVERSIZE=1, LINES=n)
    case.log.raw(b"z" * 3 * MEGABYTE)
    case.log.rotate()
    case.log.put(case.traffic.messages(3))
    n = len(case.log.wrote) + 2
    case.wait_lines(n)
    case.check(OVERSIZE=2, LINES=n)
    case.check_restart(OVERSIZE=2, LINES=n)


def replace(case, make):
    """The log is moved away and something else stands in its place; then the log comes back as a new file."""
    live(case)
    os.rename(case.path, case.path + ".1")
    make(case.path)
    time.sleep(3)  # longer than the grace for a rotated file: the thing is looked at
    if case.process.poll() is not None:
        raise AssertionError("collect died: " + case.errors())
    if stat.S_ISDIR(os.lstat(case.path).st_mode):
        os.rmdir(case.path)
    else:
        os.unlink(case.path)
    case.log.open()
    more(case)


def case_replaced_by_a_folder(case):
    replace(case, os.mkdir)


def case_replaced_by_a_fifo(case):
    replace(case, os.mkfifo)


def case_replaced_by_a_device(case):
    def make(path):
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
        except PermissionError:
            raise Skip("no right to make a device") from None
    replace(case, make)


def case_replaced_by_a_socket(case):
    def make(path):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
    replace(case, make)


def case_replaced_by_a_symlink_loop(case):
    replace(case, lambda path: os.symlink(path, path))


def case_replaced_by_a_symlink_into_nowhere(case):
    replace(case, lambda path: os.symlink(path + ".nowhere/x", path))


def as_nobody(case):
    if os.geteuid() != 0:
        raise Skip("needs root to become somebody else")
    os.chmod(case.dir, 0o755)
    for folder, _, names in os.walk(case.dir):
        for name in [""] + names:
            os.chown(os.path.join(folder, name), NOBODY, NOBODY)
    plain = case.argv
    case.as_other = True
    case.argv = lambda *more_args: ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", *plain(*more_args)]


def case_unreadable_then_readable(case):
    """As nobody: EACCES is said with its reason, and within seconds of the chmod the log is read."""
    as_nobody(case)
    case.log.put(case.traffic.messages(5))
    os.chown(case.path, 0, 0)
    os.chmod(case.path, 0o600)
    case.start()
    case.wait("the failure is said", lambda: case.health()[0] == 4 and "ermission" in (case.health()[1] or ""))
    time.sleep(4)  # some rounds of backing off
    os.chmod(case.path, 0o644)
    case.wait_lines(deadline=20)
    case.check()
    case.check_restart()


def case_symlink_to_an_unreadable_file(case):
    """As nobody, the log replaced by a link to /etc/shadow: refused, nothing of it read, and back afterwards."""
    as_nobody(case)
    live(case)
    os.rename(case.path, case.path + ".1")
    os.symlink("/etc/shadow", case.path)
    case.wait("the failure is said", lambda: case.health()[0] == 4, 20)
    os.unlink(case.path)
    case.log.open()
    os.chmod(case.path, 0o644)
    more(case)


def case_sparse_file_of_a_terabyte(case):
    """A hole of 1 TB between lines: jumped over, not read."""
    live(case)
    size = os.stat(case.path).st_size
    try:
        os.truncate(case.path, size + (1 << 40))
    except OSError as why:
        raise Skip("this file system has no such files: %s" % why) from None
    case.log.put(case.traffic.messages(3))
    case.wait_lines(deadline=20)
    more(case)


def case_random_bytes(case):
    """16 MB of noise: every newline ends a line of nobody, and the good lines between are found."""
    live(case)
    state = os.urandom(MEGABYTE)
    blanks = 0
    for _ in range(16):
        noise = state + b"\n"
        case.log.raw(noise)
        blanks += noise.count(b"\n")
        case.log.put(case.traffic.messages(2))
    case.wait("the lines between", lambda: not case.missing())
    n = len(case.log.wrote) + blanks
    case.wait_lines(n)
    foreign = case.metrics()["FOREIGN"]
    case.check(LINES=n, FOREIGN=foreign)
    case.check_restart(LINES=n, FOREIGN=foreign)


def case_duplicate_lines(case):
    """The same line twice is two records when it was logged twice, in the same second or later."""
    live(case)
    lines = case.traffic.message()
    case.log.put(lines[:3] + [lines[3]] * 3 + lines[4:])
    case.log.put([lines[3]])
    more(case)


def case_out_of_order_lines(case):
    """Writers that overtake one another by seconds."""
    live(case)
    now = time.time()
    lines = [line for i in range(40) for line in case.traffic.message(now - (i * 7) % 20)]
    case.log.put(lines)
    more(case)


def case_last_line_without_newline(case):
    """Not a line before its newline, however long the log rests (a given file's: tests/unit/test_tail.c)."""
    case.log.put(case.traffic.messages(3))
    last = case.traffic.message()[0]
    case.log.raw(last.encode())
    for rested_s in (0, 60, 2 * 3600):
        os.utime(case.path, (time.time() - rested_s,) * 2)
        case.once()
        case.check()
    case.log.raw(b"\n")
    case.log.expect([last])
    for _ in range(2):
        case.once()
        case.check()


def case_stopped_and_continued(case):
    """SIGSTOP of the collector for a while: it takes up where it was."""
    live(case)
    for _ in range(3):
        case.process.send_signal(signal.SIGSTOP)
        case.log.put(case.traffic.messages(50))
        case.log.rotate()
        case.log.put(case.traffic.messages(5))
        case.process.send_signal(signal.SIGCONT)
        case.wait_lines()
    more(case)


def voluntary_switches(case):
    with open("/proc/%d/status" % case.process.pid) as f:
        return int(next(line.split()[1] for line in f if line.startswith("voluntary_ctxt_switches")))


def case_at_rest_it_sleeps(case):
    """Nothing to do: at most two wake-ups a second, counted by the kernel; and a line still gets through."""
    live(case)
    case.wait("it is fresh", lambda: case.health()[0] == 1)
    time.sleep(2)  # the last commit's tail
    before = voluntary_switches(case)
    time.sleep(10)
    woken = voluntary_switches(case) - before
    if woken > 20:
        raise AssertionError("woken %d times in 10 s" % woken)
    more(case)
