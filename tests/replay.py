#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""replay - `mtatop --replay postfix` as a command: over the parser fixtures, from a file and from a pipe.

  replay.py MTATOP       exit status 1 on a failure, each told in a line
The events are those of the fixtures (but for lines not understood, which print nothing), each line is JSON, and of
what strangers wrote no control or format character and no byte that is not UTF-8 comes out.
"""
import glob
import json
import os
import subprocess
import sys
import unicodedata

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SILENT = ("unparsed", "foreign", "oversize")
HOSTILE = ("Cc", "Cf", "Cs", "Zl", "Zp")
ENV = dict(os.environ, TZ="UTC")


def rows(text):
    """One object a line; without the time, whose year is that of the day the test runs."""
    out = []
    for line in text.splitlines():
        row = json.loads(line)
        row.pop("time")
        out.append(row)
    return out


def replay(mtatop, path, **kw):
    return subprocess.run([mtatop, "--replay", "postfix", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=ENV, **kw)


def hostile(text):
    return sorted({"U+%04X" % ord(c) for c in text if c != "\n" and unicodedata.category(c) in HOSTILE})


def fixture(mtatop, path):
    with open(path[:-3] + ".events", encoding="utf-8") as f:
        # A line without a head belongs to no program and has no host.
        want = [row for row in rows(f.read()) if row["event"] not in SILENT and "program" in row]
    done = replay(mtatop, path)
    if done.returncode or done.stderr:
        yield "exit %d, %r" % (done.returncode, done.stderr)
        return
    text = done.stdout.decode("utf-8")  # strict
    if hostile(text):
        yield "raw on standard output: %s" % " ".join(hostile(text))
    got = rows(text)
    if got != want:
        yield next(("read %s, want %s" % pair for pair in zip(got, want) if pair[0] != pair[1]),
                   "%d events, not %d" % (len(got), len(want)))
    with open(path, "rb") as f:
        piped = replay(mtatop, "-", stdin=f)
    if rows(piped.stdout.decode("utf-8")) != got:
        yield "another result from standard input"


def refusals(mtatop):
    for name, argv in (("no such file", ["--replay", "postfix", "/nonexistent/mail.log"]),
                       ("no such family", ["--replay", "nosuchmta", os.devnull]),
                       ("a folder", ["--replay", "postfix", "/"]), ("no file named", ["--replay", "postfix"])):
        done = subprocess.run([mtatop, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=ENV)
        if done.returncode in (0, -6, -11) or not done.stderr or done.stdout:
            yield "%s: exit %d, %r" % (name, done.returncode, done.stderr[:200])


def reader_gone(mtatop, path):
    """The reader has had enough: no complaint, no signal."""
    with subprocess.Popen([mtatop, "--replay", "postfix", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=ENV) as p:
        p.stdout.close()
        complaint = p.stderr.read()
    if p.returncode or complaint:
        yield "exit %d, %r" % (p.returncode, complaint[:200])


def main(argv):
    paths = sorted(glob.glob(os.path.join(TOP, "tests", "fixtures", "postfix", "*.in")))
    failures = [(os.path.basename(path), what) for path in paths for what in fixture(argv[0], path)]
    failures += [("refusals", what) for what in refusals(argv[0])]
    failures += [("reader gone", what) for what in reader_gone(argv[0], paths[0])]
    for name, what in failures:
        print("%s: %s" % (name, what[:1000]))
    print("%d fixtures, %d failures" % (len(paths), len(failures)))
    return 1 if failures or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
