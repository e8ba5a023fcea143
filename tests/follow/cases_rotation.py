# SPDX-License-Identifier: MIT
"""Rotation in every way logs are rotated, with a live collector and while it is down."""
import os
import shutil
import signal
import time

from harness import compress, require

ROUNDS = int(os.environ.get("MTATOP_FOLLOW_ROUNDS", "1"))


def case_rename_x50_under_load(case):
    """A writer that never rests, 50 renames."""
    case.start()
    for _ in range(50 * ROUNDS):
        for _ in range(10):
            case.log.put(case.traffic.messages(10))
            time.sleep(0.02)
        case.log.rotate(keep=60 * ROUNDS)
    case.log.put(case.traffic.messages(10))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_rename_into_empty_files(case):
    """The new file stands empty for a while, as logrotate's create leaves it, then grows; restarts between."""
    case.start()
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    for _ in range(3):
        case.log.rotate()
        case.wait("the empty file is followed", lambda: fd_of(case, case.path), 30)
        case.log.put(case.traffic.messages(20))
        case.wait_lines()
    case.check()
    case.stop()
    case.start()
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.check()
    case.log.rotate()
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.check()
    case.check_restart()


def fd_of(case, path):
    """Has the collector this very file open?"""
    want = os.stat(path)
    folder = "/proc/%d/fd" % case.process.pid
    for fd in os.listdir(folder):
        try:
            st = os.stat(os.path.join(folder, fd))
        except OSError:
            continue
        if (st.st_dev, st.st_ino) == (want.st_dev, want.st_ino):
            return True
    return False


def case_copytruncate_x20_under_load(case):
    """Copy and truncate; the lines the rotator itself loses (written between its two steps) are in no file: the writer
    holds still for these two steps. Ours: none lost, none twice, and the screen says that it happened."""
    case.start()
    for _ in range(20 * ROUNDS):
        for _ in range(8):
            case.log.put(case.traffic.messages(10))
            time.sleep(0.02)
        case.log.copytruncate(keep=30 * ROUNDS)
    case.log.put(case.traffic.messages(10))
    case.wait_lines()
    case.check()
    if "copytruncate" not in case.health()[1]:
        raise AssertionError("no word about it in %r" % case.health()[1])
    case.check_restart()


def case_copytruncate_copy_is_shorter(case):
    """Lines written after the copy was made and read before the truncation: they are in no file any more, but were read."""
    case.start()
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    shutil.copyfile(case.path, case.path + ".1")
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    os.truncate(case.path, 0)
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_copytruncate_while_down(case):
    case.log.put(case.traffic.messages(20))
    case.once()
    case.log.put(case.traffic.messages(20))
    case.log.copytruncate()
    case.log.put(case.traffic.messages(3))
    case.once()
    case.check()


def case_rotated_and_compressed_while_down(case):
    """The part not read yet is found inside the archive; each compressor once, twice rotated the last time."""
    for tool in ("gzip", "bzip2", "xz", "zstd"):
        require(tool)
        case.log.put(case.traffic.messages(30))
        case.once()
        case.log.put(case.traffic.messages(30))
        compress(case.log.rotate(), tool)
        case.log.put(case.traffic.messages(7))
        case.once()
        case.check()
    for tool in ("gzip", "xz"):
        case.log.put(case.traffic.messages(30))
        compress(case.log.rotate(), tool)
    case.log.put(case.traffic.messages(3))
    case.once()
    case.check()
    case.once()
    case.check()


def case_rotated_x20_compressed_while_down(case):
    """Twenty times: read a part, stop, rotate and compress, start again."""
    for i in range(20 * ROUNDS):
        case.log.put(case.traffic.messages(5))
        case.once()
        case.log.put(case.traffic.messages(5))
        compress(case.log.rotate(keep=30 * ROUNDS), "gzip")
    case.once()
    case.check()


def case_two_rotations_while_down(case):
    case.log.put(case.traffic.messages(20))
    case.start()
    case.wait_lines()
    case.stop()
    for _ in range(2):
        case.log.put(case.traffic.messages(20))
        case.log.rotate()
    case.log.put(case.traffic.messages(20))
    case.start()
    case.wait_lines()
    case.check()
    case.check_restart()


def case_many_rotations_in_a_moment_while_running(case):
    case.start()
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    for _ in range(10):
        case.log.put(case.traffic.messages(3))
        case.log.rotate()
    case.log.put(case.traffic.messages(3))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_compressed_while_running(case):
    """logrotate without delaycompress: renamed and compressed at once, the writer already on the new file."""
    case.start()
    for _ in range(6):
        case.log.put(case.traffic.messages(20))
        case.log.put(case.traffic.messages(20))
        case.wait_lines()
        compress(case.log.rotate(), "gzip")
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_date_names(case):
    """dateext: mail.log-20261125, with the hour, with the second, and the extension kept behind the date."""
    for suffix in ("-20261101", "-20261102.gz", "-2026110307", "-20261104-1762214400", ".20261105-070000", ".20261106-070000.gz"):
        case.log.put(case.traffic.messages(10))
        case.once()
        case.log.put(case.traffic.messages(10))
        rotated = case.log.rotate(suffix.replace(".gz", ""))
        if suffix.endswith(".gz"):
            compress(rotated, "gzip")
        case.log.put(case.traffic.messages(2))
        case.once()
        case.check()
    case.log.put(case.traffic.messages(10))
    os.rename(case.path, os.path.join(case.dir, "mail-20261107.log"))
    case.log.open()
    case.log.put(case.traffic.messages(2))
    case.once()
    case.check()


def case_postfix_logrotate(case):
    """`postfix logrotate`: renamed to maillog.%Y%m%d-%H%M%S, the new file comes with the next line, then compressed."""
    case.start()
    for i in range(4):
        case.log.put(case.traffic.messages(20))
        case.wait_lines()
        rotated = case.log.rotate(".20261125-13050%d" % i, create=False)
        case.log.close()
        compress(rotated, "gzip")
        case.log.open()
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_late_writes_into_the_rotated_file(case):
    """The daemon keeps the old file open for some seconds after the rename, as rsyslog does until its HUP."""
    case.start()
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    os.rename(case.path, case.path + ".1")
    late = case.log.fd
    case.log.fd = -1
    case.log.open()
    new = case.log.fd
    for _ in range(10):
        case.log.fd = late
        case.log.put(case.traffic.messages(2))
        case.log.fd = new
        time.sleep(0.3)
        case.log.put(case.traffic.messages(2))
    case.log.fd = late
    case.log.put(case.traffic.messages(2))
    os.close(late)
    case.log.fd = new
    case.wait_lines(deadline=100)
    case.check()
    case.check_restart()


def case_late_writes_then_compressed_while_down(case):
    """Written after we were done with the rotated file, and compressed before we looked again."""
    case.start()
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    rotated = case.log.rotate()
    case.log.put(case.traffic.messages(2))
    case.wait_lines()
    case.wait("the new file is followed", lambda: fd_of(case, case.path) and not fd_of(case, rotated), 30)
    case.stop()
    lines = case.traffic.messages(9)
    case.log.expect(lines)
    with open(rotated, "a") as f:
        f.write("".join(line + "\n" for line in lines))
    compress(rotated, "gzip")
    case.once()
    case.check()
    case.once()
    case.check()


def case_delete_and_recreate(case):
    case.start()
    for _ in range(5):
        case.log.put(case.traffic.messages(20))
        case.wait_lines()
        os.unlink(case.path)
        case.log.open()
    case.log.put(case.traffic.messages(20))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_inode_reuse_x20(case):
    """Deleted and made anew while down: ext4 gives the same inode; same device, inode and even the same size."""
    reused = 0
    for _ in range(20):
        lines = case.traffic.messages(10)
        case.log.put(lines)
        before = os.stat(case.path)
        case.once()
        case.log.close()
        os.unlink(case.path)
        case.log.open()
        reused += os.stat(case.path).st_ino == before.st_ino
    case.log.put(case.traffic.messages(10))
    case.once()
    case.check()
    print("    inode reused %d of 20" % reused)


def case_same_size_as_before(case):
    """Truncated and written to exactly the old size, between two looks and while down."""
    first = case.traffic.messages(7)
    first = longer(first, 500)
    case.log.put(first)
    case.start()
    case.wait_lines()
    case.process.send_signal(signal.SIGSTOP)
    second = same_size(first, case.traffic.messages(7))
    os.truncate(case.path, 0)
    case.log.put(second)
    case.process.send_signal(signal.SIGCONT)
    case.wait_lines()
    case.check()
    case.stop()
    third = same_size(first, case.traffic.messages(7))
    os.truncate(case.path, 0)
    case.log.put(third)
    case.once()
    case.check()


def longer(lines, nbytes):
    """The same lines, one message-id longer by so many bytes."""
    at = next(i for i, line in enumerate(lines) if "message-id=<" in line)
    return lines[:at] + [lines[at].replace("message-id=<", "message-id=<" + "x" * nbytes)] + lines[at + 1:]


def same_size(model, lines):
    short = sum(len(line) + 1 for line in model) - sum(len(line) + 1 for line in lines)
    assert short >= 0
    return longer(lines, short)


def case_shrink_then_grow_past_the_old_offset(case):
    case.log.put(case.traffic.messages(10))
    case.start()
    case.wait_lines()
    case.process.send_signal(signal.SIGSTOP)
    os.truncate(case.path, 0)
    case.log.put(case.traffic.messages(40))
    case.process.send_signal(signal.SIGCONT)
    case.wait_lines()
    case.check()


def case_cut_to_a_part_then_grown(case):
    """Cut off in the middle (its head kept): what stays was read; what comes behind is new."""
    case.log.put(case.traffic.messages(10))
    cut = os.stat(case.path).st_size
    case.log.put(case.traffic.messages(10))
    case.start()
    case.wait_lines()
    os.truncate(case.path, cut)
    case.wait("the truncation is seen", lambda: "copytruncate" in (case.health()[1] or ""))
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.check()


def case_torn_last_line_at_rotation(case):
    """The last line of the rotated file has no newline: a line all the same, read live and while down."""
    case.start()
    case.log.put(case.traffic.messages(5))
    case.log.put(case.traffic.message()[:1], end="")
    case.log.rotate()
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.check()
    case.stop()
    case.log.put(case.traffic.message()[:1], end="")
    case.log.rotate()
    case.log.put(case.traffic.messages(5))
    case.once()
    case.check()
    case.once()
    case.check()


def case_switched_to_a_twin_log(case):
    """The first of two configured logs appears later: what was read of the other stays read."""
    other = case.path + ".other"
    case.configure("[postfix]\nlog = %s %s\n" % (case.path, other))
    os.rename(case.path, other)
    case.log.put(case.traffic.messages(5))
    case.start()
    case.wait_lines()
    case.check()
    case.stop()
    case.log.open()
    case.log.put(case.traffic.messages(5))
    case.once()
    case.check()


def case_killed_between_rotations(case):
    """kill -9 every half second while the log is rotated and compressed."""
    case.start()
    for i in range(12 * ROUNDS):
        for _ in range(5):
            case.log.put(case.traffic.messages(40))
            time.sleep(0.05)
        rotated = case.log.rotate(keep=30 * ROUNDS)
        if i % 2:
            case.stop(signal.SIGKILL)
            compress(rotated, "gzip")
            case.start()
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_finished_file_is_synced(case):
    """What was read of a rotated file is on the disk before its end is noted: it may be deleted any time. Seen by strace:
    the cache's log is synced then, and not for a live line."""
    require("strace")
    trace = os.path.join(case.dir, "trace")
    plain = case.argv
    case.argv = lambda *more: ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", trace, *plain(*more)]

    def syncs():
        with open(trace, encoding="utf-8", errors="replace") as f:
            return sum("cache.db-wal" in line for line in f)
    case.log.put(case.traffic.messages(5))
    case.start()
    case.wait_lines()
    before = syncs()
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    if syncs() != before:
        raise AssertionError("a live line is synced")
    case.log.rotate()
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.wait("a sync", lambda: syncs() > before, 20)
    case.check()
    with open("/proc/%d/task/%d/children" % (case.process.pid, case.process.pid)) as f:
        os.kill(int(f.read().split()[0]), signal.SIGTERM)  # strace itself is deaf to it
    case.process.wait(60)
    case.process = None
