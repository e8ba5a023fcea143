# SPDX-License-Identifier: MIT
"""The first start reads back a window of what the files hold, a command over given files all of it; progress is told."""
import os
import subprocess
import time

from harness import compress

DAY = 86400
FAILING = 4
CATCHING_UP = 6


def window(case, text):
    with open(case.conf, "a") as f:
        f.write("[mtatop]\nread_back = %s\n" % text)


def days(case, first, last, count):
    """Messages spread over days ago: from first down to last."""
    now = time.time()
    return case.traffic.messages(count, now - first * DAY, (first - last) * DAY / count)


def only_newer(case, age_days):
    """What must be in the cache: the messages all of whose lines lie in the window (every line of one has one time)."""
    limit = time.time() - age_days * DAY
    keep = {qid for qid, t in case.traffic.times.items() if t >= limit}
    case.log.wrote = [line for line in case.log.wrote if any(qid in keep for qid in [line.split("]: ")[1].split(":")[0]])]


def bytes_read(case):
    with open("/proc/%d/io" % case.process.pid) as f:
        return int(f.readline().split()[1])


def case_window_in_one_big_file(case):
    """40 MB of 30 days, the last hour's worth of them wanted: found by halving, little read, the line exact."""
    case.log.put(days(case, 30, 1, 60000))
    recent = days(case, 0.9, 0.01, 300)
    case.log.put(recent)
    size = os.stat(case.path).st_size
    window(case, "1d")
    only_newer(case, 1)
    case.start()
    case.wait_lines()
    case.check()
    if bytes_read(case) > size / 4:
        raise AssertionError("%d bytes read of %d" % (bytes_read(case), size))
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_window_default_is_seven_days(case):
    case.log.put(days(case, 20, 0.01, 4000))
    only_newer(case, 7)
    case.start()
    case.wait_lines()
    case.check()
    case.check_restart()


def case_window_ends_before_the_file(case):
    """Nothing in the window: nothing is read, what comes is."""
    case.log.put(days(case, 20, 9, 4000))
    case.log.wrote = []
    case.start()
    case.wait("it is fresh", lambda: case.health()[0] == 1)
    case.log.put(case.traffic.messages(5))
    case.wait_lines()
    case.check()
    case.check_restart()


def case_window_over_rotated_files(case):
    """Siblings last written before the window are left out for good, also once compressed; archives in it are read through."""
    for first, last, kept, tool in ((30, 20, False, "gzip"), (20, 10, False, None), (10, 6, True, "xz"), (6, 3, True, None)):
        lines = days(case, first, last, 200)
        case.log.put(lines)
        if not kept:
            case.log.wrote = []
        rotated = case.log.rotate()
        if tool:
            rotated = compress(rotated, tool)
        written = time.time() - last * DAY
        os.utime(rotated, (written, written))
    case.log.put(days(case, 3, 0.01, 200))
    case.start()
    case.wait_lines()
    case.check()
    case.stop()
    compress(case.path + ".3", "gzip")
    case.log.rotate()
    case.log.put(case.traffic.messages(5))
    case.once()
    case.check()


def case_given_files_are_read_whole(case):
    """--log and --until-caught-up know no window, unless one is configured."""
    case.log.put(days(case, 25, 0.01, 4000))
    case.once("--log", case.path)
    case.check()
    case.cache += ".2"
    case.once()
    case.check()
    case.cache += ".3"
    window(case, "7d")
    only_newer(case, 7)
    case.once()
    case.check()


def case_progress_while_catching_up(case):
    """Bytes done of bytes in all, archives by their size on disk; the screen is usable before the end."""
    case.log.put(days(case, 3, 2, 30000))
    archive = compress(case.log.rotate(), "gzip")
    case.log.put(days(case, 2, 0.01, 30000))
    total = os.stat(archive).st_size + os.stat(case.path).st_size
    seen = []

    def look():
        health, _, done, all_ = case.health()
        if health == CATCHING_UP and all_ is not None:
            seen.append((done, all_))
        return health == 1
    case.start()
    case.wait("it has caught up", look)
    if not seen or any(all_ != total or not 0 <= done <= total for done, all_ in seen) or seen != sorted(seen):
        raise AssertionError("of %d: %s" % (total, seen))
    if not any(0 < done < total for done, _ in seen):
        raise AssertionError("nothing seen on the way: %s" % seen)
    case.wait_lines()
    case.check()


def case_given_standard_input(case):
    """--log - reads a pipe to its end, torn last line and all."""
    lines = case.traffic.messages(500)
    case.log.expect(lines)
    done = subprocess.run(case.argv("--until-caught-up", "--log", "-"), input="\n".join(lines).encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=case.env, check=False)
    if done.returncode:
        raise AssertionError(done.stdout.decode(errors="replace"))
    case.check()


def case_given_files_of_every_kind(case):
    """--log FILE...: plain and compressed, read in the order given; a damaged one is an error that is said, and the others are read."""
    argv = []
    for tool in ("gzip", "bzip2", "xz", "zstd", None):
        path = case.path + ".given-%s" % tool
        lines = case.traffic.messages(50)
        case.log.expect(lines)
        with open(path, "w") as f:
            f.write("".join(line + "\n" for line in lines))
        argv += ["--log", compress(path, tool) if tool else path]
    case.once(*argv)
    case.check()
    case.once(*argv)
    case.check()
    whole = case.path + ".cut"
    with open(whole, "w") as f:
        f.write("".join(line + "\n" for line in case.traffic.messages(2000)))
    damaged = compress(whole, "gzip")
    os.truncate(damaged, os.stat(damaged).st_size // 2)
    last = case.traffic.messages(5)
    case.log.put(last)
    case.cache += ".2"
    told = case.once("--log", damaged, "--log", case.path, ok=(1,))
    if "damaged" not in told and "truncated" not in told:
        raise AssertionError(told)
    have = {qid for qid, _, _ in case.messages()}
    if not {line.split("]: ")[1].split(":")[0] for line in last} <= have:
        raise AssertionError("the file behind the damaged one was not read")
    if case.health()[0] != FAILING:
        raise AssertionError("health %s" % (case.health(),))
