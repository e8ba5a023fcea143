# SPDX-License-Identifier: MIT
"""Bad terminals: sizes, types, locales, closed ends, signals, a line that is cut, output nobody takes, input from hell."""
import json
import os
import shutil
import signal
import subprocess
import time

from ptyx import DEADLINE_S, Pty, environment
from run import Skip

LEAVES = [b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l"]  # the alternate screen, a hidden cursor, bracketed paste


NO_LEAKS = {"ASAN_OPTIONS": "abort_on_error=1:detect_leaks=0"}  # on the Linux console curses loads libgpm, which leaks 10 bytes


def log_lines(n, tag="B"):
    lines = []
    for i in range(n):
        t = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 1))
        qid = "4dM%s%06dz64x" % (tag, i)
        lines += ["%s mx postfix/smtpd[1]: %s: client=h[192.0.2.1]" % (t, qid),
                  "%s mx postfix/qmgr[2]: %s: from=<s@x.example>, size=500, nrcpt=1 (queue active)" % (t, qid),
                  "%s mx postfix/smtp[3]: %s: to=<r%d@d.example>, relay=m.example[192.0.2.2]:25, delay=1, delays=0/0/0/1, "
                  "dsn=5.1.1, status=bounced (host m.example[192.0.2.2] said: 550 5.1.1 no such user (in reply to RCPT TO command))" % (t, qid, i),
                  "%s mx postfix/qmgr[2]: %s: removed" % (t, qid)]
    return "\n".join(lines) + "\n"


def make_log(env, n=120):
    with open(env.log, "w") as f:
        f.write(log_lines(n))


def start(env, *more, w=100, h=30, **env_changes):
    if not os.path.exists(env.log):
        make_log(env)
    return Pty(env.argv(*more), w, h, environment(**env_changes))


def quits_well(pty, keys="Q"):
    pty.send(keys)
    assert pty.wait_end() == 0, "exit status %s\n%s" % (pty.status, pty.stderr())
    left_well(pty)


def left_well(pty):
    assert pty.modes_restored(), "the terminal's modes are not what they were"
    for sequence in LEAVES:
        assert sequence in pty.raw, "never sent %r" % sequence
    assert pty.raw.rindex(b"\x1b[?1049l") > pty.raw.rindex(b"\x1b[?1049h"), "left on the alternate screen"


# --- sizes ---

def check_sizes(env):
    for w, h in [(1, 1), (2, 2), (9, 3), (39, 9), (40, 10), (80, 24), (500, 200), (65535, 65535), (10000, 1), (1, 10000)]:
        with start(env, w=w, h=h) as pty:
            pty.wait(lambda: b"?1049h" in pty.raw and len(pty.raw) > 60, "a picture at %dx%d" % (w, h))
            pty.send("1\r\x1b?\x1b:queue\rwW0")
            quits_well(pty)


def check_size_zero(env):
    """0x0 is what a serial line reports: a size is assumed."""
    with start(env, w=0, h=0) as pty:
        pty.picture(80, 24)
        pty.wait(lambda: b"mtatop" in pty.raw, "the board")
        quits_well(pty)


def check_no_number_is_cut(env):
    """At every width: the three figures of the tiny line are whole or absent, nothing says that it is too small."""
    with start(env, w=60, h=8) as pty:
        for w in range(60, 0, -1):
            pty.picture(w, 8)
            pty.resize(w, 8)
            pty.settle()
            text = pty.screen()
            assert "small" not in text, text
            for word in text.split():
                assert not word.startswith("20,") and word not in ("10", "100.", "100.0"), text
        quits_well(pty)


def check_resize_storm(env):
    with start(env) as pty:
        pty.sees("bounced 120")
        for _ in range(1000):
            pty.resize(env.random.randrange(0, 300), env.random.randrange(0, 100))
            pty.pump(0)
        pty.picture(110, 35)
        pty.resize(110, 35)
        pty.send("\x0c")
        pty.wait(lambda: pty.display.display[0].startswith(" mtatop") and "LIVE" in pty.display.display[0] and "Help" in pty.display.display[34],
                 "the board at 110x35")
        quits_well(pty)


# --- kinds of terminals ---

def check_terminal_kinds(env):
    for term in [None, "", "dumb", "unknown", "no-such-terminal"]:
        with start(env, TERM=term) as pty:
            assert pty.wait_end() == 0, (term, pty.status)
            assert b"\x1b" not in pty.raw and b"bounced" in pty.raw, term
            assert pty.modes_restored()
    for term in ["vt52", "vt100", "ansi", "linux", "screen", "xterm-mono", "xterm", "xterm-256color"]:
        with start(env, TERM=term, **(NO_LEAKS if term == "linux" else {})) as pty:
            pty.wait(lambda: b"Help" in pty.raw and b"bounced" in pty.raw, "the board on " + term)
            pty.send("3\r\x7f?q")
            pty.settle()
            pty.send("Q")
            assert pty.wait_end() == 0, (term, pty.status, pty.stderr())
            assert pty.modes_restored(), term


def colours(raw):
    import re
    return set(n for m in re.findall(rb"\x1b\[([0-9;]*)m", raw) for n in m.split(b";") if len(n) > 1 and (n[:1] in (b"3", b"4", b"9") or n[:2] == b"10"))


def check_colours(env):
    for changes, flags, coloured in [({}, [], True), ({"TERM": "linux", **NO_LEAKS}, [], True), ({"NO_COLOR": "1"}, [], False), ({}, ["--no-color"], False),
                                     ({}, ["--theme", "mono"], False), ({"TERM": "xterm-mono"}, [], False), ({}, ["--theme", "contrast"], True)]:
        with start(env, *flags, **changes) as pty:
            pty.sees("bounced 120")
            pty.settle()
            assert bool(colours(pty.raw) - {b"39", b"49"}) == coloured, (changes, flags, colours(pty.raw))
            if not coloured:  # what colour would say is said by marks: the alert, the focus
                pty.sees("!", "[ALL]")
            pty.send("Q")
            assert pty.wait_end() == 0 and pty.modes_restored(), (changes, pty.stderr())


def check_locales(env):
    folder = os.path.join(env.folder, "locale")
    os.mkdir(folder)
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1", os.path.join(folder, "de_DE.ISO-8859-1")],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode in (0, 1)
    cases = [{"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "xx_YY.broken"}, {"LC_ALL": "\xff"}]
    if made:
        cases.append({"LC_ALL": "de_DE.ISO-8859-1", "LOCPATH": folder, **NO_LEAKS})  # glibc's setlocale() keeps its copy of LOCPATH
    for changes in cases:
        with start(env, LANG=None, **changes) as pty:
            pty.sees("bounced", "+ 2 Delivery", "| ")
            pty.send("3\r\r\x7f\x7f?")
            pty.settle()
            if "LOCPATH" in changes:
                figures_have_a_point(env, changes)
            quits_well(pty, "\x1bQ")
            assert all(b < 0x80 for b in pty.raw), "not ASCII under %s" % changes


def figures_have_a_point(env, changes):
    """A locale that writes 1,5 leaves the JSON of alerts JSON, and ranges of a check as they are."""
    def run(*argv):
        return subprocess.run([env.mtatop, *argv, "--cache", env.cache], env=environment(LANG=None, **changes), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    end = time.monotonic() + DEADLINE_S
    while True:
        text = run("alerts", "--format", "json")
        if text and any(row["value"] is not None for row in json.loads(text)["alerts"]):
            break
        assert time.monotonic() < end, "no alert has a value: %s" % text
        time.sleep(0.1)
    assert "| lag=" in run("check", "lag", "-w", "1000.5", "-c", "2000.5")


def check_no_unicode_no_mouse(env):
    with start(env, "--no-unicode", "--no-mouse") as pty:
        pty.sees("bounced 120")
        quits_well(pty)
        assert all(b < 0x80 for b in pty.raw) and b"1000h" not in pty.raw and b"1006h" not in pty.raw
    with start(env) as pty:
        pty.sees("bounced 120")
        quits_well(pty)
        assert b"1000h" in pty.raw and b"1000l" in pty.raw


# --- closed ends ---

def run(env, *more, **kw):
    return subprocess.run(env.argv(*more), env=environment(), timeout=DEADLINE_S * 2, stderr=subprocess.PIPE, **kw)


def check_no_input(env):
    make_log(env)
    for stdin in (subprocess.DEVNULL, subprocess.PIPE):
        with Pty(["true"]) as tty:  # output is a terminal, input is none
            done = run(env, stdin=stdin, stdout=tty.slave) if stdin == subprocess.DEVNULL else run(env, input=b"", stdout=tty.slave)
            assert done.returncode == 0, done.stderr
            tty.settle()
            assert b"bounced" in tty.raw and b"\x1b" not in tty.raw
    for redirection in ("<&-", "<&- >&-", "<&- >&- 2>&-"):
        done = subprocess.run(["sh", "-c", "exec \"$@\" " + redirection, "sh"] + env.argv("--once"), env=environment(), timeout=DEADLINE_S * 2,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode in (0, 1), (redirection, done.returncode, done.stderr)
        assert b"Sanitizer" not in done.stderr, done.stderr
        assert (b"bounced" in done.stdout) == (">&-" not in redirection), redirection


def check_broken_pipe(env):
    """Nobody reads: once, report, replay end quietly."""
    make_log(env, 2000)
    for words in (env.argv("--once"), [env.mtatop, "report", "--cache", env.cache], [env.mtatop, "report", "--format", "json", "--cache", env.cache],
                  [env.mtatop, "--replay", "postfix", env.log]):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(words, env=environment(), stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, timeout=DEADLINE_S * 2)
        os.close(writer)
        assert done.returncode in (0, 1) and b"Sanitizer" not in done.stderr, (words, done.returncode, done.stderr)
        assert words[1] == "--replay" or done.returncode == 0, (words, done.stderr)


# --- signals ---

def check_signals_end_it_well(env):
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        for keys in ("", "3\r", "?", ":que", "\x0f"):
            with start(env) as pty:
                pty.sees("bounced 120")
                pty.send(keys)
                pty.settle()
                pty.kill(number)
                status = pty.wait_end()
                assert status in (0, -number, 128 + number), (number, keys, status)
                assert pty.modes_restored(), (number, keys)
                left_well(pty)


def check_crash_restores_the_terminal(env):
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGBUS):
        with start(env, ASAN_OPTIONS="handle_segv=0:handle_abort=0:handle_sigfpe=0:handle_sigbus=0:allow_user_segv_handler=1") as pty:
            pty.sees("bounced 120")
            pty.kill(number)
            assert pty.wait_end() == -number, pty.status
            left_well(pty)


def demo_folders(env):
    return sorted(name for name in os.listdir(env.folder) if name.startswith("mtatop-demo-"))


def demo(env):
    return Pty([env.mtatop, "--demo"], 100, 30, environment(TMPDIR=env.folder))


def end_demo_twice(env, number):
    """Its exit status after two signals; 1: the loop was stuck for longer than its grace, as on a loaded machine."""
    with demo(env) as pty:
        pty.sees("Zoom")
        assert len(demo_folders(env)) == 1
        pty.kill(number)
        pty.kill(number)
        status = pty.wait_end()
        assert status in (0, 1, -number), (number, status, pty.stderr())
        assert pty.modes_restored()
        return status


def check_demo_leaves_no_folder(env):
    """Whatever ends it, however early, and whether once or twice: a terminal that goes sends SIGHUP and is gone itself."""
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        for _ in range(10):
            if end_demo_twice(env, number) != 1:
                break
            for name in demo_folders(env):  # what was ended by force is removed by a later start
                shutil.rmtree(os.path.join(env.folder, name))
        else:
            raise AssertionError("ten times ended by force")
        assert not demo_folders(env), (number, demo_folders(env))
    with demo(env) as pty:  # while it makes up its hour of history
        end = time.monotonic() + DEADLINE_S
        while not demo_folders(env):
            assert time.monotonic() < end, "no folder"
        pty.kill(signal.SIGHUP)
        pty.wait_end()
        assert not demo_folders(env)
    with demo(env) as pty:
        pty.sees("Zoom")
        pty.lose()
        pty.process.wait(DEADLINE_S)
        assert not demo_folders(env)


def check_demo_removes_what_a_killed_one_left(env):
    with demo(env) as live:
        live.sees("Zoom")
        live_folder, = demo_folders(env)
        with demo(env) as killed:
            killed.sees("Zoom")
            killed.kill(signal.SIGKILL)
            killed.wait_end()
        left, = [name for name in demo_folders(env) if name != live_folder]
        os.kill(live.process.pid, signal.SIGSTOP)  # its log grows old, but it holds the lock
        for name in demo_folders(env):
            os.utime(os.path.join(env.folder, name, "mail.log"), (1, 1))
        foreign = os.path.join(env.folder, "mtatop-demo-mine")  # not one of a demo: no log in it
        os.mkdir(foreign)
        with demo(env) as third:
            third.sees("Zoom")
            assert left not in demo_folders(env) and live_folder in demo_folders(env) and os.path.isdir(foreign)
            quits_well(third)
        os.kill(live.process.pid, signal.SIGCONT)
        quits_well(live)
        assert demo_folders(env) == ["mtatop-demo-mine"]


def check_stop_and_go_on(env):
    with start(env) as pty:
        pty.sees("bounced 120")
        for _ in range(3):
            pty.kill(signal.SIGTSTP)
            pty.wait(lambda: pty.state() == "T", "it to stop")
            pty.settle()
            assert pty.modes_restored(), "stopped with the terminal's modes changed"
            begun = len(pty.raw)
            pty.kill(signal.SIGCONT)
            pty.wait(lambda: b"?1049h" in pty.raw[begun:] and b"Zoom" in pty.raw[begun:], "the board again")
            pty.settle()  # while it takes the terminal back curses ignores a second ^Z
        pty.kill(signal.SIGSTOP)  # unasked, no time to tidy up
        pty.wait(lambda: pty.state() == "T", "it to stop")
        begun = len(pty.raw)
        pty.kill(signal.SIGCONT)
        pty.wait(lambda: b"mtatop" in pty.raw[begun:], "the board drawn anew")
        for _ in range(500):
            pty.kill(signal.SIGWINCH)
        quits_well(pty)


def check_terminal_lost(env):
    for keys in ("", "?", "3\r", "\x0f"):
        with start(env) as pty:
            pty.sees("bounced 120")
            pty.send(keys)
            pty.settle()
            os.kill(pty.process.pid, signal.SIGSTOP)  # so that no SIGHUP decides it: the line is gone when it wakes up
            pty.lose()
            os.kill(pty.process.pid, signal.SIGCONT)
            end = time.monotonic() + DEADLINE_S
            used = 0
            while pty.ended() is None and time.monotonic() < end:
                try:
                    used = pty.cpu_s()
                except OSError:
                    break
                time.sleep(0.02)
            assert pty.ended() is not None or pty.process.wait(1) is not None, "still there, %.1f s of CPU" % used
            assert used < 10, "it was busy for %.1f s" % used


# --- output that nobody takes, input from hell ---

def read_count(env):
    done = subprocess.run([env.mtatop, "report", "--cache", env.cache], env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        if line.split()[:1] == ["bounced"]:
            figure = line.split()[1].replace(",", "")
            return int(figure) if figure.isdigit() else -1  # "?": nothing of the log is counted yet
    return -1


def check_blocked_output(env):
    """A terminal that takes nothing (^S, a dead modem): collecting goes on, and it still ends when told to."""
    with start(env, w=200, h=60) as pty:
        pty.sees("bounced 120")
        for i in range(40):  # redraws that fill the line
            try:
                os.write(pty.master, b"\x0c?\x1b")
            except BlockingIOError:
                break
            time.sleep(0.02)
        before = read_count(env)
        with open(env.log, "a") as f:
            f.write(log_lines(50, "C"))
        end = time.monotonic() + DEADLINE_S
        while read_count(env) < before + 50:
            assert time.monotonic() < end, "collecting stands still: %d of %d" % (read_count(env), before + 50)
        pty.kill(signal.SIGTERM)
        end = time.monotonic() + DEADLINE_S
        while pty.ended() is None:
            assert time.monotonic() < end, "it does not end while the terminal takes nothing"
            time.sleep(0.02)
        pty.settle()
        assert pty.modes_restored()


def check_slow_terminal(env):
    """About 9600 baud: the picture still comes to the newest state."""
    with start(env, w=80, h=24) as pty:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            time.sleep(0.1)
            data = os.read(pty.master, 96)
            pty.raw += data
            pty.stream.feed(data)
        quits_well(pty)


def check_paste(env):
    """A megabyte pasted: into a prompt, where no line of it is a command; without brackets, as keys."""
    text = (b"pasted text \x03\x1b[A ~!@#$%^&*()" * 40000)[:1 << 20].replace(b"\x03", b"").replace(b"\x1b", b"")
    with start(env) as pty:
        pty.sees("bounced 120")
        pty.send(b":\x1b[200~" + text + b"\rquit\r\x1b[201~")
        pty.settle()
        assert pty.ended() is None, "a pasted line ran as a command"
        pty.send("\x07")
        pty.sees("LIVE")
        pty.send(b"\x1b[200~" + b"qQ" * 100 + b"\x1b[201~")
        pty.settle()
        assert pty.ended() is None, "a paste where no text is asked for acted as keys"
        pty.send(b"j" * (1 << 17))
        pty.sees("LIVE")
        quits_well(pty)


def random_bytes(random):
    kind = random.randrange(10)
    if kind < 5:
        return bytes([random.choice(b"0123456789 ?/\\:!nNeEsSIgGjkhltTUFRwW,.pZ[]O<>+-yzZ;\r\t\x7f\x1b\x02\x06\x04\x15\x0c\x0f\x12\x10abcdfimoruvx")])
    if kind == 5:
        return random.choice([b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[5~", b"\x1b[6~", b"\x1bOH", b"\x1bOF", b"\x1bOP", b"\x1bOQ", b"\x1b[15~", b"\x1b[Z"])
    if kind == 6:  # mouse, true and garbage
        return b"\x1b[<%d;%d;%d%s" % (random.choice([0, 1, 2, 64, 65, 99999]), random.randrange(0, 300), random.randrange(0, 90), random.choice([b"M", b"m", b""]))
    if kind == 7:  # half a sequence
        return random.choice([b"\x1b[", b"\x1bO", b"\x1b[<", b"\x1b[1;", b"\x1b[200~", b"\x1b[201~", b"\x1b]52;c;?", b"\x1bP", b"\x1b[M\xff", b"\xe2\x82", b"\xf0\x9f"])
    if kind == 8:
        return "é漢字\u202e\u0301😀".encode()
    return bytes([random.randrange(256)])


DEADLY = b"qQ\x03\x1c\x1a\x13\x11\x16\x0f"  # quit; what the terminal's driver takes for itself; the plain screen that waits for Enter


def check_monkey(env):
    """Random keys, mouse garbage, half sequences, resizes: it goes on, and quits well in the end."""
    todo = 1000000 if env.heavy else 100000
    with start(env, "--read-write") as pty:
        pty.sees("bounced 120")
        while todo > 0:
            burst = b"".join(random_bytes(env.random) for _ in range(500)).translate(None, DEADLY)
            todo -= 500
            if env.random.randrange(4) == 0:
                pty.resize(env.random.randrange(1, 250), env.random.randrange(1, 80))
            pty.send(burst)
            pty.pump(0)
            assert pty.ended() is None, "ended with %s; MTATOP_SEED repeats it" % pty.status
        pty.send("\x1b[201~\x07\x07\x1b\x1b")
        pty.settle()
        pty.resize(100, 30)
        quits_well(pty, "\x07\x1b\x1b\x1bQ")


def check_collector_stopped_and_killed(env):
    """A collector of its own, another process: stopped, then killed. The screen that watches goes on and tells the age."""
    make_log(env)
    collector = subprocess.Popen([env.mtatop, "collect", "--log", env.log, "--cache", env.cache], env=environment(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + DEADLINE_S
        while read_count(env) < 120:
            assert time.monotonic() < end, "the collector does not collect"
        with start(env) as pty:
            pty.sees("another mtatop collects", "bounced 120")
            collector.send_signal(signal.SIGSTOP)
            pty.send("3\r\x7f\x7f?")
            pty.sees("> help")
            pty.send("\x1b")
            pty.sees("bounced 120")
            collector.kill()
            collector.wait()
            with open(env.log, "a") as f:
                f.write(log_lines(5, "D"))
            pty.send("w")
            pty.sees("last 6h")
            quits_well(pty)
    finally:
        if collector.poll() is None:
            collector.kill()
            collector.wait()
