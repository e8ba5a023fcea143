#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""filemap - the list of source files in assets/doc/hacking.md, made from the first sentence of each file's head.

  filemap.py TOP          exits 1 and names what differs when the list is not what the sources say
  filemap.py TOP --write  writes it anew
A header speaks for its .c file; a .c file without a header speaks for itself.
"""
import os
import re
import subprocess
import sys

DOC = "assets/doc/hacking.md"
BEGIN, END = "<!-- files: made by tests/lint/filemap.py -->", "<!-- end of files -->"
ROOMS = ("store/base/", "store/", "backends/postfix/", "backends/", "tui/panes/", "tui/")


def first_sentence(path):
    """What the head comment says the file is: its text up to the first full stop, the file's own name left out."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    head = re.search(r"\A/\* SPDX[^\n]*\n/\*(.*?)\*/", text, re.S)
    words = " ".join(line.strip().lstrip("*").strip() for line in (head[1] if head else "").splitlines()).strip()
    said = re.match(r"[\w/.-]+ - (.*?)(?:\.(?: |$)|; see |: see |$)", words)
    return said[1].rstrip(".;: ") if said else None


def files(top):
    listed = subprocess.run(["git", "-C", top, "ls-files", "-co", "--exclude-standard", "store", "backends", "tui"],
                            stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    sources = sorted(f for f in listed if f.endswith((".c", ".h", ".def", ".sql")) and os.path.exists(os.path.join(top, f)))
    return [f for f in sources if not (f.endswith(".c") and f[:-1] + "h" in sources)]


def room_of(name):
    return next(r for r in ROOMS if name.startswith(r))


def made(top):
    rooms, silent = {r: [] for r in ROOMS}, []
    for name in files(top):
        said = first_sentence(os.path.join(top, name))
        if said is None and name.endswith((".c", ".h")):
            silent.append(name)
        pair = name.endswith(".h") and os.path.exists(os.path.join(top, name[:-1] + "c"))
        short = name[len(room_of(name)):]
        rooms[room_of(name)].append("- `%s`%s" % (short[:-2] + ".[ch]" if pair else short, ": " + said if said else ""))
    text = "".join("\n### %s\n\n%s\n" % (room, "\n".join(rows)) for room, rows in rooms.items() if rows)
    return "%s\n%s\n%s" % (BEGIN, text, END), silent


def main(argv):
    top = argv[0]
    path = os.path.join(top, DOC)
    with open(path, encoding="utf-8") as f:
        old = f.read()
    text, silent = made(top)
    for name in silent:
        print("  %s: its head does not say `name - what it owns`" % name)
    new = old[:old.index(BEGIN)] + text + old[old.index(END) + len(END):]
    if "--write" in argv:
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)
    elif new != old:
        have, want = set(old.splitlines()), set(new.splitlines())
        for line in sorted(want - have):
            print("  %s lacks: %s" % (DOC, line))
        for line in sorted(have - want):
            print("  %s should not have: %s" % (DOC, line))
        print("  run tests/lint/filemap.py . --write")
        return 1
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
