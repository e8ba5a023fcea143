# SPDX-License-Identifier: MIT
"""Several Postfix instances that write into one log: each line counts for exactly one provider."""
import os
import time

from harness import Traffic, count_postfix, stamp


def instance(case, name, syslog_name):
    etc = os.path.join(case.dir, name)
    os.mkdir(etc)
    with open(os.path.join(etc, "main.cf"), "w") as f:
        f.write("compatibility_level = 3.6\nqueue_directory = %s/spool-%s\nmyhostname = mx1.example\nsyslog_name = %s\n"
                % (case.dir, name, syslog_name))
    open(os.path.join(etc, "master.cf"), "w").close()
    return etc


def configure(case, names):
    """The first is the main one; the others are sections of their own."""
    case.configure("[postfix]\nlog = %s\n" % case.path)
    with open(case.conf, "a") as f:
        for name, syslog_name in names:
            f.write("[postfix %s]\nconfig_directory = %s\nlog = %s\nqueue = no\njournal = no\n"
                    % (name, instance(case, name, syslog_name), case.path))


def check(case, want):
    """want: provider -> the lines that are its own."""
    for provider, lines in want.items():
        counter = count_postfix.Counter()
        for line in lines:
            counter.line(line)
        counter.settle()
        expected, got = counter.result(), case.metrics(provider)
        for ours, theirs in (("LINES", "lines"), ("RECEIVED", "messages"), ("SENT", "sent"), ("DEFERRED", "deferred"),
                             ("BOUNCED", "bounced"), ("FOREIGN", "foreign")):
            if got[ours] != expected[theirs]:
                raise AssertionError("%s: %s is %d, want %d" % (provider, ours, got[ours], expected[theirs]))
    total = sum(len(lines) for lines in want.values())
    if case.metrics()["LINES"] != total:
        raise AssertionError("%d lines in all, want %d" % (case.metrics()["LINES"], total))


def case_three_instances_in_one_log(case):
    """postfix, postfix-out, and one whose name begins with another's; an unknown fourth, other programs and lines without
    a head go to the first. Followed live over a rotation, and over a restart."""
    configure(case, [("out", "postfix-out"), ("in", "postfix-out/in")])
    main, out, inner, unknown = (Traffic(start=0xA0000 + i * 0x1000, name=name) for i, name in
                                 enumerate(("postfix", "postfix-out", "postfix-out/in", "postfix-bulk")))
    own = {"postfix": [], "out": [], "in": []}
    case.start()
    for round_ in range(4):
        for traffic, provider in ((main, "postfix"), (out, "out"), (inner, "in"), (unknown, "postfix"), (out, "out"),
                                  (main, "postfix")):
            lines = traffic.messages(7)
            own[provider] += lines
            case.log.put(lines)
        others = ["no head at all", stamp(time.time()) + " mx1 CRON[77]: (root) CMD (true)"]
        case.log.put(others)
        own["postfix"] += others
        case.wait_lines()
        if round_ == 1:
            case.log.rotate()
        if round_ == 2:
            case.stop()
            case.start()
    check(case, own)
    case.stop()
    case.once()
    check(case, own)


def case_one_instance_takes_every_name(case):
    """Alone in its log, an instance takes all Postfix lines: services may have a syslog_name of their own."""
    for name in ("postfix", "postfix-203.0.113.7", "postfix/submission"):
        case.log.put(Traffic(start=case.traffic.next, name=name).messages(10))
        case.traffic.next += 10
    case.once()
    case.check()


def case_instances_with_logs_of_their_own(case):
    """Two instances, two files: no line of one is taken for the other's, whatever its name."""
    other = case.path + "-second"
    case.configure("[postfix]\nlog = %s\n" % case.path)
    with open(case.conf, "a") as f:
        f.write("[postfix second]\nconfig_directory = %s\nlog = %s\nqueue = no\njournal = no\n"
                % (instance(case, "second", "postfix"), other))
    first, second = Traffic().messages(10), Traffic(start=0xB0000).messages(10)
    case.log.put(first)
    with open(other, "w") as f:
        f.write("".join(line + "\n" for line in second))
    case.once()
    check(case, {"postfix": first, "second": second})
