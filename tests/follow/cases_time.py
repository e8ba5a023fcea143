# SPDX-License-Identifier: MIT
"""Time stamps and clocks: the counts stay exact and every message keeps its own second."""
import calendar
import os
import time

from harness import FakeTime, Traffic, stamp

DAY = 86400


def utc(*civil):
    return calendar.timegm(civil + (0,) * (6 - len(civil)))


def keep(case):
    """Retention for a lifetime: these lines are old."""
    with open(case.conf, "r+") as f:
        if "keep_attempts" not in f.read():
            f.write("[mtatop]\nkeep_attempts = 3660d\nkeep_buckets = 36600d\n")


def read_whole(case, mtime=None, **differ):
    """The log as it stands, read once as a given file (no window), then a second time."""
    keep(case)
    if mtime is not None:
        os.utime(case.path, (mtime, mtime))
    for _ in range(2):
        case.once("--log", case.path)
        case.check(**differ)


def case_new_year_in_an_old_file(case):
    """Stamps without a year: the year comes from the file's time of last change."""
    case.log.put(case.traffic.messages(200, utc(2025, 12, 31, 12), 600))
    read_whole(case, utc(2026, 1, 1, 23))
    case.check_times()


def case_new_year_while_following(case):
    """A collector started in December follows into January without a restart or a rotation."""
    keep(case)
    clock = FakeTime(case, utc(2026, 12, 10, 10))
    case.traffic.now = clock.now
    case.log.put(case.traffic.messages(3))
    os.utime(case.path, (clock.now(), clock.now()))
    case.start(env=clock.env)
    case.wait("it is fresh", lambda: case.health()[0] == 1)
    for t in (utc(2026, 12, 31, 23, 59, 57), utc(2027, 1, 1, 0, 0, 2), utc(2027, 1, 5), utc(2027, 2, 1)):
        clock.set(t)
        case.log.put(case.traffic.messages(3))
        case.wait_lines()
    case.check()
    case.check_times()


def case_february_29(case):
    """Without a year it belongs to the newest leap year; with one it is read as it stands."""
    case.log.put(case.traffic.messages(50, utc(2024, 2, 28, 22), 300))
    read_whole(case, utc(2024, 3, 1))
    case.check_times()


def case_february_29_in_2026(case):
    """A file of this year can't have one: the lines count, in the newest leap year there was."""
    lines = [line.replace(stamp(0), "Feb 29 12:00:00") for line in case.traffic.messages(5, 0)]
    case.log.put(lines)
    case.traffic.times = dict.fromkeys(case.traffic.times, utc(2024, 2, 29, 12))
    read_whole(case)
    case.check_times()


def case_leap_second(case):
    for form, text in (("rfc3164", "Jun 30 23:59:60"), ("rfc3339", "2026-06-30T23:59:60.500000+00:00")):
        traffic = Traffic(start=case.traffic.next, form=form)
        case.traffic.next += 3
        case.log.put([line.replace(stamp(0, form), text) for line in traffic.messages(3, 0)])
        case.traffic.times.update(dict.fromkeys(traffic.times, utc(2026, 6, 30, 23, 59, 59)))
    read_whole(case)
    case.check_times()


def case_daylight_saving(case):
    """New York: the hour that is skipped in March, the hour that comes twice in November."""
    case.env["TZ"] = "America/New_York"
    traffic, offset = case.traffic, {}

    def zone(t):
        return -4 * 3600 if utc(2026, 3, 8, 7) <= t < utc(2026, 11, 1, 6) else -5 * 3600

    for start in (utc(2026, 3, 8, 5), utc(2026, 11, 1, 4)):
        for i in range(72):
            t = start + i * 200
            offset[t] = zone(t)
            qids = set(traffic.times)
            case.log.put(traffic.messages(1, t + offset[t]))
            traffic.times[(set(traffic.times) - qids).pop()] = t
    read_whole(case)
    case.check_times()


def case_forms_mixed_in_one_file(case):
    """rsyslog switched from traditional to RFC 3339 and back, two hosts interleaved."""
    others = [case.traffic, Traffic(start=0xB0000, form="rfc3339", host="mx2.example.net"), Traffic(start=0xC0000, host="mx3")]
    t = time.time() - 7000
    for i in range(300):
        traffic = others[i % 3]
        case.log.put(traffic.messages(1, t + i * 20))
    read_whole(case)
    for traffic in others:
        case.check_times(traffic)
    hosts = sorted({host for _, _, host in case.messages()})
    if hosts != ["mx1", "mx2.example.net", "mx3"]:
        raise AssertionError(hosts)


def case_lines_from_the_future_and_of_1970(case):
    """Ten years ahead and the epoch itself: counted, dated as they say; live lines and the health stay as they are."""
    keep(case)
    odd = Traffic(start=0xB0000, form="rfc3339")
    case.start()
    case.log.put(case.traffic.messages(5))
    case.log.put(odd.messages(2, time.time() + 3653 * DAY))
    case.log.put(Traffic(start=0xC0000, form="rfc3339").messages(2, 60))
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    recent = [qid for qid, ms, _ in case.messages() if abs(ms / 1000 - time.time()) < DAY]
    if len(recent) != 10:
        raise AssertionError("%d of 10 recent messages" % len(recent))
    newest = case.query("SELECT newest_ms FROM source WHERE name = 'log'")[0][0]
    if newest > (time.time() + DAY) * 1000:
        raise AssertionError("a line of the future is taken for the newest: %s" % stamp(newest / 1000, "rfc3339"))
    case.check_times(odd)
    case.check()


def case_clock_set_back_and_forward(case):
    """Back one hour, then a day ahead, while following: neither stalls nor storms, all lines once."""
    start = time.time()
    clock = FakeTime(case, start)
    case.traffic.now = clock.now
    case.start(env=clock.env)
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    for t in (start - 3600, start + DAY, start):
        clock.set(t)
        case.log.put(case.traffic.messages(5))
        case.wait_lines(deadline=20)
        case.log.rotate()
        case.log.put(case.traffic.messages(5))
        case.wait_lines(deadline=20)
    case.check()
    case.check_times()


def case_file_times_are_wrong(case):
    """mtime in 1970 and in 2038, as restored backups have them: stamps with a year do not care."""
    case.traffic.form = "rfc3339"
    case.log.put(case.traffic.messages(10, utc(2026, 11, 20), 60))
    read_whole(case, 0)
    case.check_times()
    case.log.put(case.traffic.messages(10, utc(2026, 11, 21), 60))
    read_whole(case, utc(2038, 1, 19))
    case.check_times()
