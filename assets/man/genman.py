#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""genman - fill the man page sources from the tables the program itself uses.

  genman.py TEMPLATE VERSION request.def vocab.h REPORT_DOC DUMP > page
@KEYS@ comes from tui/request.def, @FIGURES@ from METRIC_LIST in store/vocab.h, @REPORT@ from the table in the head
of the report's source, @CONFIG@ from `mtatop --dump-config` (its output is the sample config as well).
"""
import re
import sys


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("...", "\\&...")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.splitlines())


def c_string(literals):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"').replace("\\\\", "\\")


def keys(path):
    out, group = [], None
    with open(path) as f:
        source = f.read()
    pattern = r'^REQUEST\((\w+), ("(?:[^"\\]|\\.)*"), ("\w*"),\s+("[^"]*"),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)'
    for match in re.finditer(pattern, source, re.M):
        if c_string(match[3]) != group:
            group = c_string(match[3])
            out.append(".SS %s" % group.capitalize())
        out.append(".TP\n.B %s\n%s" % (roff(c_string(match[2])), roff(c_string(match[5]))))
    return "\n".join(out)


def figures(path):
    with open(path) as f:
        source = f.read().replace("\\\n", "\n")
    pattern = r'X\(([A-Z_]+),\s*("[^"]*"),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)'
    return "\n".join(".TP\n.B %s\n%s" % (roff(c_string(m[2])), roff(c_string(m[3])))
                     for m in re.finditer(pattern, source))


def report(path):
    """Lines `name  meaning` between the marks `report-doc:` and `:report-doc` of a comment."""
    with open(path) as f:
        found = re.search(r"report-doc:\n(.*?)\n[ *]*:report-doc", f.read(), re.S)
    rows = (re.sub(r"^\s*\*?\s?", "", line) for line in (found[1] if found else "").splitlines())
    out = []
    for row in rows:
        name, _, meaning = row.partition("  ")
        if row.startswith("  ") and out:
            out[-1] += "\n" + roff(row.strip())
        elif name:
            out.append(".TP\n.B %s\n%s" % (roff(name), roff(meaning.strip())))
    return "\n".join(out)


def choices(text):
    """`what it does: a|b|c` with spaces between the choices: a line of them without any can't be adjusted."""
    head, colon, tail = text.rpartition(": ")
    return head + colon + tail.replace("|", ", ") if "|" in tail and " " not in tail else text


def config(path):
    out, help_lines = [], []
    with open(path) as f:
        for line in f:
            line = line.rstrip("\n")
            if line.startswith("["):
                out.append(".SS %s" % roff(line))
                help_lines = []
            elif line.startswith("#") and not re.match(r"#\s?[a-z_]+ =", line):
                help_lines.append(line.lstrip("# "))
            elif "=" in line:
                out.append(".TP\n.B %s\n%s" % (roff(line.lstrip("# ")), choices(roff(" ".join(help_lines)))))
                help_lines = []
            else:
                help_lines = []
    return "\n".join(out)


def main(template, version, requests, vocab, report_doc, dump):
    with open(template) as f:
        page = f.read()
    for mark, text in (("@VERSION@", lambda: version), ("@KEYS@", lambda: keys(requests)),
                       ("@FIGURES@", lambda: figures(vocab)), ("@REPORT@", lambda: report(report_doc)),
                       ("@CONFIG@", lambda: config(dump))):
        if mark in page:
            page = page.replace(mark, text())
    sys.stdout.write(page)


if __name__ == "__main__":
    main(*sys.argv[1:])
