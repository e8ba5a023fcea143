#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""corpora - other projects' asserted log lines (../shared/corpora) against `mtatop --replay`.

  corpora.py REPLAY_COMMAND...    e.g. corpora.py build/tui/mtatop --replay postfix; the file follows
Every asserted key must be right or listed with its reason in tests/corpora-exceptions.txt
("source key  reason"). Prints ok/FAIL/skip lines.
"""
import json
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORPORA = os.path.join(os.path.dirname(TOP), "shared", "corpora")
KEYS = ("queue_id", "to", "orig_to", "relay", "relay_host", "relay_ip", "relay_port", "relay_socket", "conn_use", "delay",
        "delays", "tls", "dsn", "status", "response", "from", "size", "nrcpt", "message_id", "uid", "client_host",
        "client_ip", "client_port", "sasl_method", "sasl_username", "helo", "proto", "smtp_stage", "reject_code",
        "reject_dsn", "action", "tls_trust", "tls_version", "tls_cipher", "tls_bits", "child_queue_id", "process",
        "pid", "host")


def load(name):
    with open(os.path.join(CORPORA, name)) as f:
        return [json.loads(line) for line in f]


def exceptions():
    out = {}
    with open(os.path.join(TOP, "tests", "corpora-exceptions.txt")) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                source, key, reason = line.split(None, 2)
                out[source, key] = reason.strip()
    return out


def replay(command, lines):
    """The object of each line, by index; lines without one are missing."""
    with tempfile.NamedTemporaryFile("wb") as f:
        for line in lines:
            f.write(line.encode("utf-8", "surrogateescape").replace(b"\n", b"\\n") + b"\n")
        f.flush()
        out = subprocess.run(command + [f.name], check=True, stdout=subprocess.PIPE).stdout
    rows = (json.loads(row) for row in out.splitlines())
    return {row["line"] - 1: row for row in rows}


def same(key, got, want):
    if key in ("delay",) or isinstance(want, float):
        return got is not None and abs(float(got) - float(want)) < 0.006
    if key == "delays":
        return got is not None and all(abs(a - b) < 0.006 for a, b in zip(got, want)) and len(got) == len(want)
    return str(got) == str(want)


def score(command, name, excused):
    records = load(name)
    rows = replay(command, [r["line"] for r in records])
    right = asserted = 0
    wrong = []
    for index, record in enumerate(records):
        keys = record.get("asserted") or []
        if name.endswith("spec_311.jsonl"):
            keys = list(record["expect"])
        for key in keys:
            if key not in KEYS or (record.get("header") == "synthetic" and key in ("host", "pid")):
                continue
            want = record["expect"].get(key)
            got = rows.get(index, {}).get(key)
            asserted += 1
            if want is None or same(key, got, want):
                right += 1
            elif (record["source"], key) in excused:
                right += 1
            else:
                wrong.append("%s %s: got %r, want %r\n      %s" % (record["source"], key, got, want, record["line"][:300]))
    for line in wrong:
        print("   ", line)
    print("%s %s: %d of %d asserted keys right or explained" % ("ok" if not wrong else "FAIL", name, right, asserted))


def transactions(command, name):
    """Whole messages: one queue id, its parts put together by us from the replay."""
    bad = []
    for record in load(name):
        rows = replay(command, record["lines"]).values()
        for want in record["expect"].get("messages", []):
            mine = [r for r in rows if r.get("queue_id") == want["queue_id"]]
            got = {"from": next((r["from"] for r in mine if "from" in r), None),
                   "message_id": next((r["message_id"] for r in mine if "message_id" in r), None),
                   "to": [r["to"] for r in mine if r["event"] == "attempt"],
                   "status": next((r["status"] for r in mine if r["event"] == "attempt"), None)}
            for key, value in got.items():
                if key in want and want[key] is not None and value != want[key]:
                    bad.append("%s %s: got %r, want %r" % (record["source"], key, value, want[key]))
    for line in bad:
        print("   ", line)
    print("%s %s" % ("FAIL" if bad else "ok", name))


def stamps(command, name):
    bad = []
    for record in load(name):
        row = replay(command, [record["line"]]).get(0, {})
        want = record["expect"]
        if row.get("queue_id") != want["queue_id"] or row.get("status") != want["status"] or row.get("host") != want["host"]:
            bad.append("%s: %r" % (record["kind"], row))
    for line in bad:
        print("   ", line)
    print("%s %s" % ("FAIL" if bad else "ok", name))


def main(command):
    if not os.path.isdir(CORPORA):
        print("skip corpora (no ../shared beside the checkout)")
        return
    excused = exceptions()
    for name in ("postfix_asserted.jsonl", "postfix_spec_311.jsonl"):
        score(command, name, excused)
    transactions(command, "postfix_transactions.jsonl")
    stamps(command, "timestamps.jsonl")


if __name__ == "__main__":
    main(sys.argv[1:])
