# SPDX-License-Identifier: MIT
"""privileges - what the program may do, seen from outside: strace, /proc, modes, and a run as an ordinary user."""
import grp
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

from common import DEADLINE_S, HERE, TOP, Skip, clean_env, following, only, run, write_log

NOBODY = 65534
TOOLS = {"postconf", "postmulti", "postqueue", "showq"}  # showq: postqueue's own, when the mail system is down
CALLS = "execve,execveat,open,openat,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,chmod,fchmodat,truncate,mknod"


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)
    return value


def traced(argv, folder, env):
    """The calls of CALLS that succeeded, as (pid, name, text) of each process, by strace."""
    if not shutil.which("strace"):
        raise Skip("no strace")
    out = os.path.join(folder, "trace")
    done = run(["strace", "-f", "-qq", "-s", "400", "-o", out, "-e", "trace=" + CALLS + ",clone,clone3,vfork,fork", *argv], env=env)
    if done.returncode:
        raise AssertionError("exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace")[-600:]))
    calls, parked = [], {}
    with open(out, errors="replace") as f:
        for line in f:
            pid, text = line.rstrip("\n").split(None, 1)
            if text.endswith("<unfinished ...>"):
                parked[pid] = text[:-len("<unfinished ...>")]
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
            text = parked.pop(pid, "") + resumed[1] if resumed else text
            found = re.match(r"(\w+)\((.*)\) += (-?\d+)", text)
            if found and int(found[3]) >= 0:
                calls.append((pid, found[1], found[2], found[3]))
    return calls


def processes(calls, first):
    """pid -> the process it is a thread of, or itself."""
    of = {first: first}
    for pid, name, text, result in calls:
        if name in ("clone", "clone3", "vfork", "fork"):
            of[result] = of.get(pid, pid) if "CLONE_THREAD" in text else result
    return of


def case_strace(mtatop, folder):
    log, cache = os.path.join(folder, "logs", "mail.log"), os.path.join(folder, "cache", "c.db")
    os.makedirs(os.path.dirname(log))
    write_log(log, 3000)
    source = following(log)
    with open(source[1], "a") as f:
        f.write("queue_interval = 1s\n")
    with open(source[1]) as f:
        text = f.read().replace("queue = no", "queue = yes")
    with open(source[1], "w") as f:
        f.write(text)
    calls = traced([mtatop, "collect", "--until-caught-up", "--cache", cache, *source], folder, clean_env(folder))
    first = calls[0][0]
    of = processes(calls, first)
    started, written = [], []
    for pid, name, text, _ in calls[1:]:
        if name in ("execve", "execveat"):
            started.append((of.get(pid, pid), re.match(r'"([^"]*)"', text)[1]))
        elif of.get(pid, pid) == first and name not in ("clone", "clone3", "vfork", "fork"):
            if not name.startswith("open") or re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", text):
                written.append(re.findall(r'"([^"]*)"', text))
    own = [program for pid, program in started if pid == first]
    if own:
        raise AssertionError("it started programs itself: %s" % own)
    foreign = [program for _, program in started if os.path.basename(program) not in TOOLS]
    if foreign:
        raise AssertionError("started beside Postfix's tools: %s" % foreign)
    inside = os.path.dirname(cache)
    outside = [p for paths in written for p in paths if not (p + "/").startswith(inside + "/") and not inside.startswith(p)
               and not p.startswith(("/dev/null", "/dev/tty", "/dev/pts"))]
    if outside:
        raise AssertionError("written outside the cache's folder: %s" % outside)
    if not written:
        raise AssertionError("the trace has no write at all: it proves nothing")
    return "%d starts, all by the helper; %d files written, all in the cache's folder" % (len(started), len(written))


def case_modes(mtatop, folder):
    cache = os.path.join(folder, "new", "c.db")
    log = os.path.join(folder, "mail.log")
    write_log(log, 200)
    before = os.umask(0)
    try:
        done = run([mtatop, "collect", "--until-caught-up", "--cache", cache, *only(log)], env=clean_env(folder))
    finally:
        os.umask(before)
    if done.returncode:
        raise AssertionError(done.stderr)
    modes = {f: stat.S_IMODE(os.stat(os.path.join(folder, "new", f)).st_mode) for f in os.listdir(os.path.join(folder, "new"))}
    wrong = {f: oct(m) for f, m in modes.items() if m != 0o600}
    if wrong or stat.S_IMODE(os.stat(os.path.dirname(cache)).st_mode) != 0o700:
        raise AssertionError("modes: %s" % wrong)
    return "%d files 0600 in a folder 0700" % len(modes)


def case_core(mtatop, folder):
    log = os.path.join(folder, "mail.log")
    write_log(log, 200)
    child = subprocess.Popen([mtatop, "collect", "--cache", os.path.join(folder, "c.db"), *only(log)], env=clean_env(folder),
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        status = "/proc/%d/status" % child.pid
        wait_for(lambda: re.search(r"NoNewPrivs:\s+1", open(status).read()), "NO_NEW_PRIVS")
        limits = open("/proc/%d/limits" % child.pid).read()
        if not re.search(r"Max core file size\s+0\s+0", limits):
            raise AssertionError(limits)
        child.send_signal(signal.SIGSEGV)
        child.wait(DEADLINE_S)
    finally:
        child.kill()
        child.wait()
    if os.WCOREDUMP(child.returncode) if child.returncode >= 0 else [f for f in os.listdir(folder) if f.startswith("core")]:
        raise AssertionError("a core was written")
    return "RLIMIT_CORE 0, NO_NEW_PRIVS 1, no core after SIGSEGV"


def case_doctor(mtatop, folder):
    done = run([mtatop, "doctor", "--cache", os.path.join(folder, "c", "c.db")], env=clean_env(folder))
    text = done.stdout.decode()
    for word in ("NO_NEW_PRIVS: set", "core files: none", "helper:"):
        if word not in text:
            raise AssertionError("doctor does not say %r:\n%s" % (word, text))
    found = re.search(r"Landlock ABI (\d+)", text)
    if not found and "no Landlock" not in text:
        raise AssertionError(text)
    return "Landlock ABI %s" % found[1] if found else "no Landlock in this kernel, and it says so"


def case_setuid(mtatop, folder):
    if os.geteuid() != 0:
        raise Skip("needs root to make a setuid file")
    os.chmod(folder, 0o755)
    copy = os.path.join(folder, "mtatop")
    shutil.copyfile(mtatop, copy)
    for mode in (0o4755, 0o2755):
        os.chmod(copy, mode)
        done = run([copy, "--version"], user=NOBODY, group=NOBODY, extra_groups=[])
        if done.returncode != 2 or b"chmod ug-s" not in done.stderr:
            raise AssertionError("mode %o: exit %d %s" % (mode, done.returncode, done.stderr))
    return "refused with exit 2, setuid and setgid"


def case_ordinary_user(mtatop, folder):
    """nobody + adm against a real Postfix: its queue is read, its log followed."""
    sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
    import pfx
    if os.geteuid() != 0 or not shutil.which("postfix", path="/usr/sbin:/usr/local/sbin"):
        raise Skip("needs root and Postfix")
    adm = grp.getgrnam("adm").gr_gid
    base = "/tmp/mtpriv%d" % os.getpid()
    os.mkdir(base, 0o755)
    mta = pfx.Postfix(base + "/p")
    try:
        mta.start()
        for i in range(4):
            mta.send25(["u%d@soft.test" % i])
        mta.send25(["x@accept.test"])
        wait_for(lambda: mta.log_text().count("status=deferred") >= 4 and "status=sent" in mta.log_text(), "the deliveries")
        os.chown(mta.log, 0, adm)
        os.chmod(mta.log, 0o640)
        binary, home = base + "/mtatop", base + "/home"
        shutil.copy(mtatop, binary)
        os.mkdir(home, 0o700)
        os.chown(home, NOBODY, NOBODY)
        conf = base + "/mtatop.conf"
        with open(conf, "w") as f:
            f.write("[postfix]\nconfig_directory = %s\njournal = no\n" % mta.etc)
        # In a mount namespace of its own: setgid postqueue takes only folders that /etc/postfix/main.cf names.
        os.mkdir(base + "/etc")
        with open(base + "/etc/main.cf", "w") as f:
            f.write("compatibility_level = 3.6\nalternate_config_directories = %s\n" % mta.etc)

        def as_user(argv, groups):
            script = 'mount --bind "$0" /etc/postfix && exec setpriv --reuid %d --regid %d %s "$@"' % (NOBODY, NOBODY, groups)
            return run(["unshare", "-m", "sh", "-c", script, base + "/etc", *argv], env=clean_env(home), cwd="/")
        argv = [binary, "collect", "--until-caught-up", "--config", conf, "--cache", home + "/c/c.db"]
        done = as_user(argv, "--clear-groups")
        if done.returncode == 0 or b"mail.log" not in done.stderr:
            raise AssertionError("without adm: exit %d %s" % (done.returncode, done.stderr))
        doctor = as_user([binary, "doctor", "--config", conf, "--cache", home + "/c/c.db"], "--clear-groups")
        if b"usermod -aG adm nobody" not in doctor.stdout or doctor.returncode != 1:
            raise AssertionError("doctor: %s" % doctor.stdout)
        done = as_user(argv, "--groups %d" % adm)
        if done.returncode:
            raise AssertionError("with adm: exit %d %s" % (done.returncode, done.stderr))
        got = as_user([binary, "report", "--format", "json", "--cache", home + "/c/c.db"], "--clear-groups")
        report = json.loads(got.stdout)
        queue, totals = report["queue"], report["totals"]
        if totals["sent"] != 1 or totals["deferred_attempts"] != 4 or queue["deferred"] != 4 or queue["source"] != "postqueue":
            raise AssertionError("%s %s" % (totals, queue))
        return "4 deferred by %s, 1 sent by the log, no group but adm" % queue["source"]
    finally:
        mta.stop()
        shutil.rmtree(base, ignore_errors=True)


IMPLY_NO_NEW_PRIVS = """DynamicUser LockPersonality MemoryDenyWriteExecute PrivateDevices ProtectClock ProtectHostname ProtectKernelLogs
ProtectKernelModules ProtectKernelTunables RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID
SystemCallArchitectures SystemCallFilter SystemCallLog RestrictFileSystems""".split()
EXPOSURE_MAX = 5.5  # of 10: what is left when none of the above may be used


def case_systemd_unit(mtatop, folder):
    """The unit leaves setgid postqueue its gid (systemd.exec(5) on NoNewPrivileges=), and is as closed as that allows."""
    with open(os.path.join(TOP, "assets", "systemd", "mtatop.service.in")) as f:
        text = f.read().replace("@bindir@", "/usr/bin")
    keys = re.findall(r"^(\w+)=", text, re.M)
    wrong = [k for k in keys if k in IMPLY_NO_NEW_PRIVS]
    if wrong or not re.search(r"^User=mtatop$", text, re.M) or "postdrop" in re.search(r"^SupplementaryGroups=(.*)", text, re.M)[1]:
        raise AssertionError("the queue could not be read: %s" % (wrong or "user or groups"))
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze")
    unit = os.path.join(folder, "mtatop.service")
    with open(unit, "w") as f:
        f.write(text)
    done = run(["systemd-analyze", "security", "--offline=true", unit])
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout.decode(errors="replace"))
    if not found:
        raise Skip("systemd-analyze security does not work here")
    if float(found[1]) > EXPOSURE_MAX:
        raise AssertionError(done.stdout.decode(errors="replace")[-3000:])
    return "systemd-analyze exposure %s" % found[1]


CASES = [("r15 programs and writes under strace", case_strace), ("r15 private files under umask 0", case_modes),
         ("r15 no core", case_core), ("r15 doctor tells", case_doctor), ("r15 setuid is refused", case_setuid),
         ("r15 systemd unit", case_systemd_unit),
         ("r15 ordinary user in adm, real Postfix", case_ordinary_user)]
