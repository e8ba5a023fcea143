# SPDX-License-Identifier: MIT
"""config - group 41: files that are no configuration, or that others could have written; refused with exit 2 and the fix.

A secret in a file that others can read is refused too: the rule is tested in tests/unit/test_conf.c, since no key of
the tables is a secret yet.
"""
import os
import shutil

from common import Skip, clean_env, heavy, run

GOOD = b"[mtatop]\nkeep_attempts = 20d\n"


def dump(mtatop, folder, path, **kw):
    return run([mtatop, "--config", path, "--dump-config"], env=clean_env(folder), **kw)


def written(folder, content, name="mtatop.conf", mode=0o600):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, mode)
    return path


def must(done, code, text, what):
    out = done.stdout + done.stderr
    if done.returncode != code or text not in out:
        raise AssertionError("%s: exit %d, not %d with %r: %s" % (what, done.returncode, code, text, out[-400:]))


def case_content(mtatop, folder):
    cases = (
        ("plain", GOOD, 0, b"keep_attempts = 20d"),
        ("CRLF", GOOD.replace(b"\n", b"\r\n"), 0, b"keep_attempts = 20d"),
        ("BOM", b"\xef\xbb\xbf" + GOOD, 0, b"keep_attempts = 20d"),
        ("BOM and CRLF, no last newline", b"\xef\xbb\xbf[mtatop]\r\nkeep_attempts = 20d", 0, b"keep_attempts = 20d"),
        ("~", b"[mtatop]\ncache = ~/x/cache.db\n", 0, folder.encode() + b"/x/cache.db"),
        ("~ of another", b"[mtatop]\ncache = ~root/cache.db\n", 2, b"line 2"),
        ("empty", b"", 0, b""),
        ("NUL", b"[mtatop]\nkeep_attempts = 2\x000d\n", 2, b"NUL"),
        ("unknown key", b"[mtatop]\nkeep_atempts = 20d\n", 2, b"did you mean keep_attempts"),
        ("unknown section", b"[mtatops]\na = b\n", 2, b"unknown section"),
        ("duplicate section", GOOD + b"[postfix]\n" + GOOD, 2, b"line 1"),
        ("duplicate key", GOOD + b"keep_attempts = 21d\n", 2, b"twice"),
        ("negative interval", b"[postfix]\nqueue_interval = -5s\n", 2, b"line 2"),
        ("zero interval", b"[postfix]\nqueue_interval = 0\n", 2, b"line 2"),
        ("huge number", b"[postfix]\nqueue_interval = 99999999999999999999d\n", 2, b"line 2"),
        ("not a number", b"[postfix]\nqueue_interval = often\n", 2, b"line 2"),
        ("key before a section", b"keep_attempts = 20d\n", 2, b"section"),
        ("no =", b"[mtatop]\nkeep_attempts\n", 2, b"line 2"),
        ("open section", b"[mtatop\n", 2, b"]"),
        ("a line of 1 MB", b"[mtatop]\ncache = " + b"x" * 1000000 + b"\n", 2, b"longer"),
        ("escape sequences", b"[mtatop]\n\x1b]0;owned\x07 = 1\n", 2, b"line 2"),
        ("random bytes", os.urandom(4000), 2, b""),
    )
    for name, content, code, text in cases:
        done = dump(mtatop, folder, written(folder, content))
        must(done, code, text, name)
        if b"\x1b" in done.stderr:
            raise AssertionError("%s: an escape reached the terminal: %r" % (name, done.stderr))
    return "%d/%d" % (len(cases), len(cases))


def case_files(mtatop, folder):
    path = os.path.join(folder, "f")
    with open(path, "wb") as f:
        f.truncate(1 << 30)
    must(dump(mtatop, folder, path), 2, b"", "1 GB of nothing")
    with open(path, "wb") as f:
        for _ in range(heavy(3, 40)):
            f.write(b"# comment\n" * 100000)
    must(dump(mtatop, folder, path), 2, b"1 MiB", "too large")
    os.unlink(path)
    os.mkdir(path)
    must(dump(mtatop, folder, path), 2, b"regular file", "folder")
    os.rmdir(path)
    os.mkfifo(path)
    must(dump(mtatop, folder, path), 2, b"regular file", "FIFO: it must not hang")
    os.unlink(path)
    must(dump(mtatop, folder, "/dev/zero"), 2, b"regular file", "/dev/zero")
    must(dump(mtatop, folder, path), 2, b"can't open", "missing")
    os.symlink("f", path)
    must(dump(mtatop, folder, path), 2, b"can't open", "symlink loop")
    os.unlink(path)
    os.symlink(written(folder, GOOD), path)
    must(dump(mtatop, folder, path), 0, b"20d", "symlink to a good file")
    return "8/8"


def case_trust(mtatop, folder):
    good = written(folder, GOOD, mode=0o644)
    must(dump(mtatop, folder, good), 0, b"20d", "0644 without a secret")
    must(dump(mtatop, folder, written(folder, GOOD, mode=0o666)), 2, b"chmod go-w", "0666")
    open_folder = os.path.join(folder, "open")
    os.mkdir(open_folder)
    os.chmod(open_folder, 0o777)
    inside = written(open_folder, GOOD)
    must(dump(mtatop, folder, inside), 2, b"chmod go-w", "folder 0777")
    link = os.path.join(folder, "link")
    os.symlink(inside, link)
    must(dump(mtatop, folder, link), 2, b"chmod go-w", "symlink into a folder 0777")
    os.chmod(open_folder, 0o1777)
    must(dump(mtatop, folder, inside), 0, b"20d", "folder 1777, as /tmp")
    if os.geteuid() != 0:
        raise Skip("the rest needs root")
    os.chmod(open_folder, 0o775)
    os.chown(open_folder, 0, 65534)
    must(dump(mtatop, folder, inside), 2, b"chmod go-w", "folder writable by a group")
    foreign = written(folder, GOOD)
    os.chown(foreign, 1234, 1234)
    must(dump(mtatop, folder, foreign), 2, b"another user", "foreign owner")
    os.chmod(folder, 0o755)
    binary = os.path.join(folder, "mtatop")
    shutil.copy(mtatop, binary)
    secretless = written(folder, GOOD, mode=0o600)
    os.chown(secretless, 0, 0)
    must(dump(binary, folder, secretless, user=65534, group=65534, extra_groups=[]), 2, b"can't open", "not readable")
    os.chmod(secretless, 0o644)
    must(dump(binary, folder, secretless, user=65534, group=65534, extra_groups=[]), 0, b"20d", "root's, read by a user")
    return "9/9"


CASES = [("g41 content of the configuration", case_content), ("g41 files that are none", case_files),
         ("g41 owner, mode, folder, symlink", case_trust)]
