# SPDX-License-Identifier: MIT
"""An ordinary user on a real Postfix: the queue by setgid postqueue, though mtatop itself has given up gaining groups."""
import ctypes
import os
import pwd
import subprocess

import pfx
from run import Skip
from term import Terminal
from test_queue_real import Queue

CLONE_NEWNS = 0x20000
NOBODY = "nobody"


def private_etc_postfix(folder, etc):
    """setgid postqueue trusts only instances that /etc/postfix/main.cf lists: one of our own, in this process's mounts."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise Skip("no mount namespace to be had")
    if subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("mounts can't be made private here (a chroot, a locked container)")
    mine = os.path.join(folder, "etc-postfix")
    os.mkdir(mine, 0o755)
    for name in os.listdir("/etc/postfix"):
        subprocess.run(["cp", "-a", "/etc/postfix/" + name, mine], check=True)
    with open(mine + "/main.cf", "w") as f:
        f.write("compatibility_level = 3.6\nalternate_config_directories = %s\n" % etc)
    subprocess.run(["mount", "--bind", mine, "/etc/postfix"], check=True)


def as_nobody(argv):
    return ["setpriv", "--reuid", NOBODY, "--regid", "nogroup", "--clear-groups", *argv]


def status_of(name):
    """/proc/PID/status of the processes with that argv[0] or name, as dicts."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/status" % pid) as f:
                lines = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if lines.get("Name") == name:
            found.append(lines)
    return found


def test_queue_as_nobody(env):
    q = Queue(env)
    uid = pwd.getpwnam(NOBODY).pw_uid
    private_etc_postfix(env.folder, q.mta.etc)
    with q:
        home = os.path.join(env.folder, "nobody")
        os.mkdir(home, 0o700)
        os.chown(home, uid, -1)
        conf = os.path.join(env.folder, "mtatop.conf")
        with open(conf, "w") as f:
            f.write("[postfix]\nconfig_directory = %s\nqueue_interval = 1s\n" % q.mta.etc)
        os.chmod(q.mta.log, 0o644)
        binary = os.path.join(env.folder, "mtatop")
        subprocess.run(["install", "-m", "755", env.mtatop, binary], check=True)
        t = Terminal(as_nobody([binary, "--config", conf, "--cache", home + "/c.db"]), 200, 60)
        try:
            t.wait("from postqueue", "age up to", "soft.test")
            t.keys("1")
            t.wait("9 rows", "from postqueue:  deferred 9", "corrupt ?")
            mine = [s for s in status_of("mtatop") if s["Uid"].split()[0] == str(uid)]
            helper = [s for s in status_of("mtatop-helper") if s["Uid"].split()[0] == str(uid)]
            assert mine and all(s["NoNewPrivs"] == "1" for s in mine), mine
            assert helper and all(s["NoNewPrivs"] == "0" for s in helper), helper
            # denied: the queue by the log, and said so
            q.mta.run("postconf", "-c", q.mta.etc, "-e", "authorized_mailq_users = root")
            t.keys("Escape")
            t.wait("from the log", "deferred")
            t.text(":providers\n")
            t.wait("not allowed to view the mail queue")
        finally:
            t.close()
        assert not [s for s in status_of("mtatop-helper") if s["Uid"].split()[0] == str(uid)] or pfx.wait_for(
            "the helper to end", lambda: not [s for s in status_of("mtatop-helper") if s["Uid"].split()[0] == str(uid)])
