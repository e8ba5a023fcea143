# SPDX-License-Identifier: MIT
"""The systemd journal as the log: journal files made by systemd-journal-remote from the same lines a file would have."""
import os
import re
import signal
import struct
import subprocess
import time

from harness import TOP, Skip, Traffic

REMOTE = "/usr/lib/systemd/systemd-journal-remote"
HEAD = re.compile(r"(\S+) (\S+) ([^\s\[]+)\[(\d+)\]: (.*)", re.S)


def export(lines, facility=2):
    """RFC 3339 lines as journal entries; a message with bytes that need it in the binary form."""
    out = []
    for line in lines:
        at, host, tag, pid, text = HEAD.match(line).groups()
        us = int(time.mktime(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone) * 1000000 + int(at[20:26])
        fields = [("__REALTIME_TIMESTAMP", us), ("__MONOTONIC_TIMESTAMP", us - 1700000000000000), ("_BOOT_ID", "0123456789abcdef" * 2),
                  ("_MACHINE_ID", "fedcba9876543210" * 2), ("_HOSTNAME", host), ("SYSLOG_IDENTIFIER", tag), ("SYSLOG_PID", pid),
                  ("_PID", 1), ("_COMM", tag.split("/")[-1]), ("SYSLOG_FACILITY", facility), ("PRIORITY", 6), ("MESSAGE", text)]
        for name, value in fields:
            value = str(value).encode("utf-8", "surrogateescape")
            if b"\n" in value or b"\0" in value:
                out.append(name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n")
            else:
                out.append(name.encode() + b"=" + value + b"\n")
        out.append(b"\n")
    return b"".join(out)


class Journal:
    """A folder of journal files that grows as the machine's would."""

    def __init__(self, case, how="yes"):
        if not os.path.exists(REMOTE):
            raise Skip("no systemd-journal-remote")
        if "built without" in doctor(case, "[postfix]\njournal = yes\n"):
            raise Skip("built without libsystemd")
        self.case, self.dir = case, os.path.join(case.dir, "journal")
        os.mkdir(self.dir)
        self.file = os.path.join(self.dir, "remote.journal")
        os.environ["TZ"] = "UTC"
        time.tzset()
        case.traffic = Traffic(form="rfc3339")
        case.log.close()
        os.unlink(case.path)
        case.configure("[postfix]\njournal = %s\njournal_folder = %s\n" % (how, self.dir))

    def put(self, lines, **more):
        subprocess.run([REMOTE, "--compress=no", "-o", self.file, "-"], input=export(lines, **more), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if not more:
            self.case.log.expect(lines)

    def rotate(self, name):
        os.rename(self.file, os.path.join(self.dir, name))


def doctor(case, conf):
    case.configure(conf)
    return subprocess.run([case.mtatop, "doctor", "--config", case.conf, "--cache", case.cache], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=case.env, check=False).stdout


def case_journal_counts_as_a_file(case):
    """A real Postfix's log through the journal and as a file: the same totals."""
    journal = Journal(case)
    with open(os.path.join(TOP, "tests", "fixtures", "truth", "real-postfix-3.7.log"), encoding="utf-8") as f:
        plain = [line.rstrip("\n") for line in f]
    lines = []
    for i, line in enumerate(plain):
        t = time.mktime(time.strptime("2026 " + line[:15], "%Y %b %d %H:%M:%S")) - time.timezone
        lines.append(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".%06d+00:00 %s" % (i, line[16:]))
    journal.put(lines)
    case.once()
    through = case.metrics()
    other = case.path + ".plain"
    with open(other, "w", encoding="utf-8") as f:
        f.write("".join(line + "\n" for line in lines))
    case.cache += ".plain"
    case.once("--log", other)
    differ = {k: (through[k], v) for k, v in case.metrics().items() if through[k] != v}
    if differ or through["LINES"] != len(plain):
        raise AssertionError("journal, file: %s" % differ)


def case_journal_restart_exactly_once(case):
    """Followed live, ended in every way, begun again: each entry once; times to the millisecond."""
    journal = Journal(case)
    journal.put(case.traffic.messages(700))
    case.start()
    case.wait_lines()
    for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        journal.put(case.traffic.messages(10))
        case.wait_lines()
        case.stop(how)
        journal.put(case.traffic.messages(10))
        case.start()
        case.wait_lines()
    case.check()
    case.check_times()
    case.check_restart()
    if all(ms % 1000 == 0 for _, ms, _ in case.messages()):
        raise AssertionError("times are cut to seconds")


def case_journal_killed_while_reading(case):
    """kill -9 in the middle of catching up, again and again."""
    journal = Journal(case)
    journal.put(case.traffic.messages(3000))
    for wait in range(8):
        case.start()
        time.sleep(0.1 + wait * 0.03)
        case.stop(signal.SIGKILL)
    case.once()
    case.check()


def case_journal_rotated_and_vacuumed(case):
    """The file is archived and a new one begun; then the one that holds our place is deleted."""
    journal = Journal(case)
    case.start()
    for i in range(3):
        journal.put(case.traffic.messages(20))
        case.wait_lines()
        journal.rotate("remote@%d.journal" % i)
    journal.put(case.traffic.messages(20))
    case.wait_lines()
    case.check()
    case.stop()
    journal.rotate("remote@9.journal")
    journal.put(case.traffic.messages(20))
    for name in os.listdir(journal.dir):
        if "@" in name:
            os.unlink(os.path.join(journal.dir, name))
    case.once()
    case.check()
    case.once()
    case.check()


def case_journal_of_others_and_odd_messages(case):
    """Entries of other facilities are not read; line breaks and NULs in a message make no second line."""
    journal = Journal(case)
    journal.put(case.traffic.messages(5))
    journal.put([line.replace("postfix/", "cron/") for line in Traffic(form="rfc3339").messages(3)], facility=9)
    lines = case.traffic.message()
    broken = lines[3].replace("Ok: ", "Ok:\nNov 25 00:00:00 mx1 postfix/qmgr[1]: 100A0000: removed\n\0")
    journal.put(lines[:3] + [broken] + lines[4:])
    case.log.wrote[-len(lines) + 3] = lines[3]
    case.once()
    case.check()


def case_journal_first_start_reads_a_window(case):
    journal = Journal(case)
    now = time.time()
    old = case.traffic.messages(20, now - 9 * 86400, 60)
    journal.put(old)
    journal.put(case.traffic.messages(20, now - 5 * 86400, 60))
    case.log.wrote = case.log.wrote[len(old):]
    case.start()
    case.wait_lines()
    case.check()
    case.check_restart()


def case_journal_when_there_is_no_file(case):
    """journal = auto: the journal while no log file is there, the file where one is; the doctor says which and why."""
    if any(os.path.exists("/var/log/" + name) for name in ("mail.log", "maillog", "syslog", "messages")):
        raise Skip("this machine has a log file in the usual place")
    journal = Journal(case, "auto")
    journal.put(case.traffic.messages(5))
    case.once()
    case.check()
    conf = "[postfix]\njournal = auto\njournal_folder = %s\n" % journal.dir
    told = doctor(case, conf)
    if "as there is no log file" not in told:
        raise AssertionError(told)
    case.log.open()
    told = doctor(case, conf + "log = %s\n" % case.path)
    if "ok  log: " + case.path not in told:
        raise AssertionError(told)


def loglines(case, folder, *args):
    return subprocess.run([os.path.join(case.build, "tests", "loglines_tool"), folder, *map(str, args)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def raw_lines(case, journal, *ids, last=0, t1_ms=0, most=0):
    """(offset, daemon[pid] and text) of the raw lines a screen gets."""
    done = loglines(case, journal.dir, last, t1_ms, most, *ids)
    if done.returncode:
        raise AssertionError(done.stdout)
    rows = [line.split(" ", 3) for line in done.stdout.splitlines()]
    return [(int(row[0]), row[3]) for row in rows]


def same_lines(what, rows, lines):
    if [text for _, text in rows] != [line.split(" ", 2)[2] for line in lines]:
        raise AssertionError("%s: %s, wanted %s" % (what, rows, lines))


def case_journal_raw_lines(case):
    """What the screens show of it: the last lines, those up to an instant, those of queue ids, what came since."""
    journal = Journal(case)
    start = int(time.time()) - 3600
    lines = case.traffic.messages(60, start, 10)
    journal.put(lines)
    same_lines("all", raw_lines(case, journal, most=1000), lines)
    tail = raw_lines(case, journal, most=7)
    same_lines("the last 7", tail, lines[-7:])
    same_lines("nothing new", raw_lines(case, journal, last=tail[-1][0], most=7), [])
    message = case.traffic.message(start + 600)
    journal.put(message)
    new = raw_lines(case, journal, last=tail[-1][0], most=2)
    same_lines("since", new, message)
    if not tail[-1][0] < new[0][0] or any(a[0] >= b[0] for a, b in zip(new, new[1:])):
        raise AssertionError("offsets don't grow: %s" % new)
    past = [line for line in lines if line[:19] <= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start + 300))]
    same_lines("up to an instant", raw_lines(case, journal, t1_ms=(start + 300) * 1000, most=9), past[-9:])
    same_lines("before the first", raw_lines(case, journal, t1_ms=(start - 1) * 1000), [])
    qid = HEAD.match(message[0]).group(5).split(":")[0]
    same_lines("of a queue id", raw_lines(case, journal, qid), message)
    same_lines("of an id not there", raw_lines(case, journal, "ABCDEF99"), [])
    empty = os.path.join(case.dir, "empty")
    os.mkdir(empty)
    done = loglines(case, empty, 0, 0, 0)
    if done.returncode == 0 or "can be read" not in done.stdout:
        raise AssertionError("a journal that can't be read: %s" % done.stdout)
