# SPDX-License-Identifier: MIT
"""canary - the key in places it must not be: files, screens, process lists, environments, cores.

Cases here watch a running collector; search() goes through everything the other cases left behind.
"""
import glob
import os
import shutil
import subprocess
import time

import cases_mailgun
import cases_sendgrid
from harness import CANARY, Failed, Skip, check_sendgrid

MARK = CANARY.encode()
REST_S = 0.3


def processes(pid):
    """pid and all its descendants."""
    out, todo = [], [pid]
    while todo:
        one = todo.pop()
        out.append(one)
        for path in glob.glob("/proc/%d/task/*/children" % one):
            with open(path, encoding="ascii") as f:
                todo += [int(word) for word in f.read().split()]
    return out


def running(case, env=None):
    fake = cases_sendgrid.account()
    cases_sendgrid.traffic(fake, 1, 200)
    case.add(fake, "acme", **({"key_file": None} if env else {}))
    case.start(env)
    case.wait("figures", lambda: check_sendgrid(case, fake, "acme"))
    return fake


def trap_27_key_not_in_process_lists(case):
    """Neither the collector nor a child shows it, even when it came by the environment."""
    running(case, {"MTATOP_SENDGRID_ACME_KEY": cases_sendgrid.KEY})
    found = []
    for pid in processes(case.process.pid):
        for leaf in ("cmdline", "environ", "comm", "status"):
            with open("/proc/%d/%s" % (pid, leaf), "rb") as f:
                if MARK in f.read():
                    found.append("/proc/%d/%s" % (pid, leaf))
    case.stop()
    if found:
        raise Failed("the key is in %s" % found)


def at_rest(fake):
    """Has no request come for a while? What is under way has its key in memory; the kernel writes no core of this process."""
    asked = len(fake.log)
    time.sleep(REST_S)
    return len(fake.log) == asked


def trap_27_key_not_in_a_core(case):
    """A dump of the memory a core file would have, between requests; what is marked not to be dumped is left out."""
    if not shutil.which("gcore"):
        raise Skip("no gcore (package gdb)")
    fake = running(case)
    for n in range(3):
        asked = len(fake.log)
        case.wait("requests", lambda: len(fake.log) > asked)  # noqa: B023
        case.wait("rest between them", lambda: at_rest(fake))
        path = os.path.join(case.dir, "core%d" % n)
        done = subprocess.run(["gcore", "-o", path, str(case.process.pid)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        cores = glob.glob(path + ".*")
        if not cores:
            raise Skip("gcore can't look into processes here: " + done.stdout[-200:].replace("\n", " "))
        with open(cores[0], "rb") as f:
            text = f.read()
        os.unlink(cores[0])
        if b"mtatop" not in text:
            raise Failed("this core is none of mtatop's")
        if MARK in text:
            raise Failed("the key is in a core file, at %d of %d bytes" % (text.index(MARK), len(text)))
    case.stop()


def trap_27_key_not_in_an_error(case):
    """A vendor that answers with the key in its body, its headers and its paging URLs."""
    fake = cases_sendgrid.account()
    echo = '{"errors":[{"message":"bad key %s","field":"%s"}]}' % (fake.key, fake.key)
    for path in ("stats", "suppression/bounces", "logs", "ips", "user/account"):
        fake.do_fault("/v3/" + path, "body", times=-1, status=400, body=echo)
    case.add(fake, "acme")
    other = cases_mailgun.account()
    cases_mailgun.traffic(other, ("a.example",), 5, 20)
    other.do_fault("/v3/a.example/", "body", times=-1, status=404, body='{"message":"no key %s"}' % other.key)
    case.add(other, "mg", fast=False)
    case.once(ok=(0, 1, 2, 3, 4))
    case.run("doctor")
    case.run("--dump-config")
    case.run("--once", "--provider", "acme")


def search(folder):
    """The folders of all cases: (word, name)."""
    files, found = 0, []
    for path, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(path, name)
            if name.endswith(".key") or os.path.basename(path) == "credentials" or not os.path.isfile(full):
                continue
            files += 1
            with open(full, "rb") as f:
                if MARK in f.read():
                    found.append(os.path.relpath(full, folder))
    for full in found[:10]:
        print("the key is in", full)
    yield ("FAIL" if found else "ok"), "trap_27_key_in_none_of_the_files_left_behind"
    if files < 50:
        print("only %d files were looked into" % files)
        yield "FAIL", "trap_27_there_were_files_to_look_into"


CASES = [trap_27_key_not_in_process_lists, trap_27_key_not_in_a_core, trap_27_key_not_in_an_error]
