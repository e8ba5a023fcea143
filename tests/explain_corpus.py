#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""explain_corpus - other projects' reply texts (../shared/corpora/bounce_texts.jsonl) against `mtatop explain`.

  explain_corpus.py MTATOP      prints ok/FAIL/skip lines; exit status 1 on FAIL
The category must be one of the record's `common` for 92 % of the set; every miss is listed with its reason in
tests/explain-exceptions.txt, and a listed one that is none fails. No phrase or example of the rules may hold a long
piece of a text of the set.
"""
import json
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SET = os.path.join(os.environ.get("MTATOP_CORPORA", os.path.join(os.path.dirname(TOP), "shared", "corpora")),
                   "bounce_texts.jsonl")
RULES = os.path.join(TOP, "assets", "explain")
MESON_SKIP = 77
SHARE_MIN = 0.92
PIECE_WORDS = 5  # so many words in a row are a piece of a text, and no longer a phrase that anyone may write


def load():
    with open(SET, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def ask(mtatop, record):
    """What mtatop says of a text, with the host and code that the record has."""
    args = [mtatop, "explain", "--format", "json"]
    host = (record.get("server") or {}).get("hostname")
    if host:
        args += ["--host", host]
    if record.get("dsn"):
        args += ["--dsn", record["dsn"]]
    out = subprocess.run(args + ["--", record["text"].replace("\0", " ")], check=True, stdout=subprocess.PIPE,
                         env=dict(os.environ, HOME="/nonexistent", XDG_CONFIG_HOME="/nonexistent"))
    return json.loads(out.stdout)


def exceptions():
    """source, number of the record of that source, what we say -> reason."""
    listed = {}
    with open(os.path.join(TOP, "tests", "explain-exceptions.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                source, got, reason = re.fullmatch(r"(\S+) (\S+)  (\S.*)", line.strip()).groups()
                listed[source, got] = reason
    return listed


def score(mtatop, records):
    right, misses = 0, set()
    for record in records:
        got = ask(mtatop, record)
        if got["category"] in record["common"]:
            right += 1
        else:
            misses.add((record["source"], got["category"]))
    share = right / len(records)
    yield share >= SHARE_MIN, "%d of %d texts right: %.1f %%" % (right, len(records), 100 * share)
    listed = exceptions()
    for source, got in sorted(misses - set(listed)):
        yield False, "%s is %s by us; neither expected nor listed" % (source, got)
    for source, got in sorted(set(listed) - misses):
        yield False, "%s %s is listed and no miss" % (source, got)


def words(text):
    """As fold() of store/explain/pattern.c: letters and digits count."""
    return re.findall(r"[a-z0-9]+(?:\.[a-z0-9]+)*", text.lower().replace("'", ""))


def runs(text, code=re.compile(r"[245]\d\d|[245]\.\d+\.\d+")):
    """All pieces of a text, without its codes."""
    found = [w for w in words(text) if not code.fullmatch(w)]
    return {tuple(found[i:i + PIECE_WORDS]) for i in range(len(found) - PIECE_WORDS + 1)}


def copied(records):
    known = set().union(*(runs(record["text"]) for record in records))
    for name in sorted(os.listdir(RULES)):
        if not name.endswith(".rules"):
            continue
        with open(os.path.join(RULES, name), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                key, _, value = line.partition("=")
                pieces = re.split(r"[|*]", value) if key.strip() in ("text", "or", "not", "marks", "example") else []
                for piece in pieces:
                    for run in runs(piece) & known:
                        yield "%s:%d: \"%s\" is a piece of a text of the set" % (name, number, " ".join(run))


def main():
    if not os.path.exists(SET):
        print("skip explain_corpus: no %s" % SET)
        return MESON_SKIP
    records = load()
    failed = False
    for fine, what in score(sys.argv[1], records):
        print("%s %s" % ("ok" if fine else "FAIL", what))
        failed |= not fine
    found = list(copied(records))
    for what in found:
        print("FAIL " + what)
    if not found:
        print("ok no rule holds a piece of a text")
    return 1 if failed or found else 0


if __name__ == "__main__":
    sys.exit(main())
