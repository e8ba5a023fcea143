#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""corpora - other projects' log lines (../shared/corpora) against `mtatop --replay NAME`.

  corpora.py MTATOP      prints ok/FAIL/skip lines; exit status 1 on FAIL
Every key that a source asserts, and every key read from its line by a strict regex ("mechanical"), must be right,
or be listed with what we read and why in tests/corpora-exceptions.txt. An exception that is no longer needed fails.
"""
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORPORA = os.environ.get("MTATOP_CORPORA", os.path.join(os.path.dirname(TOP), "shared", "corpora"))
KEYS = ("queue_id", "to", "orig_to", "relay", "relay_host", "relay_ip", "relay_port", "relay_socket", "conn_use", "delay",
        "delays", "tls", "dsn", "status", "response", "from", "size", "nrcpt", "message_id", "uid", "client_host",
        "client_ip", "client_port", "sasl_method", "sasl_username", "helo", "proto", "smtp_stage", "reject_code",
        "reject_dsn", "reject_reason", "reject_data", "action", "tls_trust", "tls_version", "tls_cipher", "tls_bits",
        "child_queue_id", "process", "program", "pid", "host", "instance", "event", "severity", "time",
        "postscreen_violation")
MESON_SKIP = 77
# The source's name for a key of ours; those of `other` are the names its own patterns use.
NAMES = {"postscreen_violation": "action"}
OTHER = {"bounce_queueid": "child_queue_id", "postscreen_access": "action", "postsuper_action": "action",
         "tls_trustlevel": "tls_trust", "pipe_response": "response", "local_response": "response",
         "error_response": "response", "smtpd_lostconn_data": "action"}
# Of other mail servers: a source's key -> ours, and words of theirs for ours.
EXIM_NAMES = {"host_ip": "client_ip", "host_port": "client_port", "interface_port": "program", "auth_mech": "sasl_method",
              "source_user": "from", "transport": "program"}
EXIM_WORDS = {"event": {"arrival": "received", "completed": "removed"},
              "flag": {"<=": "received", "=>": "delivery", "->": "delivery", "**": "delivery", "==": "delivery"}}
# Keys of theirs that no event of ours has a place for: how Exim came to its decision, and what is in the message.
EXIM_UNREAD = ("router", "defer_errno", "subject", "for_recipients", "acl", "rate_limit", "rbl_url", "interface_ip", "tz", "user")


def exim_keys(record, mechanical):
    """(our key, value) of a record of Exim's that is to be scored."""
    expect = record["expect"]
    for key, value in expect.items():
        if key in EXIM_UNREAD or (key in (record.get("asserted") or [])) == mechanical:
            continue
        if key == "host":
            key = "client_host"
        elif key == "target_user":
            key = "sasl_username" if "authenticator failed" in record["line"] else "to"
        elif key == "time" and expect.get("tz"):
            value += expect["tz"][:3] + ":" + expect["tz"][3:]
        elif key == "flag":
            yield "event", EXIM_WORDS["flag"][value]
            continue
        yield EXIM_NAMES.get(key, key), EXIM_WORDS.get(key, {}).get(value, value)

OPENSMTPD_WORDS = {"event": {"connected": "connect", "disconnected": "disconnect", "message": "received", "connecting": "other",
                             "message_accepted": "received"},
                   "status": {"delivered": "sent"}}
# Of no event's: which part logged it and where a session's address is told; the text is ours only of what is not understood.
OPENSMTPD_UNREAD = ("session", "subsystem", "reason", "ciphers", "source_ip", "relay_address", "user", "method", "result",
                    "client_address", "text", "program")


def opensmtpd_keys(record, mechanical):
    """(our key, value) of a record of OpenSMTPD's: a message's id is the first half of its envelopes'."""
    for key, value in record["expect"].items():
        if key in OPENSMTPD_UNREAD or (key in (record.get("asserted") or [])) == mechanical:
            continue
        if key == "relay_host" and record["expect"].get("event") == "connecting":
            continue
        if key == "queue_id":
            value = value[:8]
        elif key == "delay":
            value = sum(int(n) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] for n, unit in re.findall(r"(\d+)([smhd])", value))
        key = {"msgid": "queue_id", "stat": "response", "ndest": "nrcpt", "rcpt": "orig_to"}.get(key, key)
        yield key, OPENSMTPD_WORDS.get(key, {}).get(value, value)


# Of the columns, those of no event: what shadow redundancy, agents and mailboxes are told by, and what a message is about.
EXCHANGE_UNREAD = (
    "internal-message-id",  # the network-message-id is the message's on every server
    "source-context", "message-info", "custom-data",  # what is read of them is no column of its own: reply, delay, client
    "message-subject", "directionality", "transport-traffic-type", "log-id", "schema-version", "source",
    "kind", "sequence-number", "sequence", "session-id", "session_id", "event_symbol", "server_ip",  # how a session is told
    "connector_id")  # asserted of a reply: the port it came in by is that record's service
EXCHANGE_NAMES = {"event-id": "event", "network-message-id": "queue_id", "message-id": "message_id", "total-bytes": "size",
                    "recipient-count": "nrcpt", "recipient-address": "to", "recipient-status": "response",
                    "return-path": "from", "server-hostname": "relay_host", "server-ip": "relay_ip", "connector-id": "program",
                    "date-time": "time", "smtp_code": "reply_code", "server_port": "program", "client_ip": "client_ip",
                    "client_port": "client_port"}
EXCHANGE_WORDS = {"SEND": "delivery", "HAREDIRECTFAIL": "other", "NOTIFYMAPI": "other", "*": "other", ">": "other", "<": "other"}


def exchange_keys(record, mechanical):
    """(our key, value) of a record of Exchange's: an event without an outcome has only its kind, time and message."""
    expect = record["expect"]
    counts = expect.get("event-id") == "SEND" or not expect.get("event-id")
    for key, value in expect.items():
        if key in EXCHANGE_UNREAD or (key in (record.get("asserted") or [])) == mechanical:
            continue
        if key in ("process", "program", "smtp_message"):  # their name of the log; the reply without its code
            continue
        if key in ("local-endpoint", "remote-endpoint"):
            address, port = value.rsplit(":", 1)
            if expect["kind"] == "smtp_receive":
                yield from [("program", port)] if key[0] == "l" else [("client_ip", address), ("client_port", port)]
            elif key[0] == "r":
                yield from [("relay_ip", address), ("relay_port", port)]
        elif key == "event":
            yield "event", "sasl_failed" if expect.get("data", "").startswith("535 ") else EXCHANGE_WORDS[value]
        elif key == "event-id":
            yield "event", EXCHANGE_WORDS[value]
        elif key in ("data", "context"):
            if expect["event"] == ">" and key == "data":
                yield "response", value
            elif expect["event"] == "<" or key == "context":
                yield "message", value
        elif key == "connector-id" and expect.get("kind") == "smtp_receive":
            continue  # its port is the service
        elif key in EXCHANGE_NAMES and (counts or key in ("date-time", "network-message-id", "message-id", "total-bytes",
                                                            "recipient-count")):
            yield EXCHANGE_NAMES[key], value.strip("<>") if key == "message-id" else value


SENDMAIL_NAMES = {"mailer": "program", "delay_seconds": "delay", "stat": "response", "nrcpts": "nrcpt"}
# Of no event's: the queue's own bookkeeping, and what is read into another key of the same record.
SENDMAIL_UNREAD = ("class", "pri", "ctladdr", "daemon", "to_raw", "program")


def sendmail_keys(record, mechanical):
    """(our key, value) of a record of Sendmail's: stat= is told as status and response, intervals in seconds, an
    arrival's relay= is its client."""
    arrival = "from" in record["expect"]
    for key, value in record["expect"].items():
        if key in SENDMAIL_UNREAD or (key in (record.get("asserted") or [])) == mechanical:
            continue
        if record.get("header") == "synthetic" and key in ("host", "pid", "time"):
            continue
        if key == "delay" and "delay_seconds" in record["expect"]:
            continue
        if key in ("delay", "xdelay"):
            hours, minutes, seconds = map(int, value.split(":"))
            value = hours * 3600 + minutes * 60 + seconds
            if key == "xdelay":
                key, value = "delays", [None, None, None, value]
        elif key == "relay" and arrival:
            yield "client_host", value[:value.index(" [")]
            key, value = "client_ip", value[value.index("[") + 1:-1]
        elif key == "stat" and value.startswith("Sent ("):
            value = value[len("Sent ("):-1]
        elif key == "event" and arrival:
            value = "received"
        yield SENDMAIL_NAMES.get(key, key), value


def load(name):
    with open(os.path.join(CORPORA, name), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


class Excused:
    """What we read otherwise on purpose: a line each, `source key what-we-read(JSON)  reason`."""

    def __init__(self):
        self.reasons, self.used = {}, set()
        form = re.compile(r'(\S+) (\S+) ("(?:[^"\\]|\\.)*"|\S+)  (\S.*)')
        with open(os.path.join(TOP, "tests", "corpora-exceptions.txt"), encoding="utf-8") as f:
            for line in f:
                if line.strip() and not line.startswith("#"):
                    source, key, got, reason = form.fullmatch(line.strip()).groups()
                    self.reasons[source, key, got] = reason

    def covers(self, source, key, got):
        entry = (source, key, json.dumps(got))
        if entry in self.reasons:
            self.used.add(entry)
        return entry in self.reasons

    def unused(self):
        return sorted(set(self.reasons) - self.used)


def replay(mtatop, lines, family="postfix"):
    """The object of each line, by index; lines without one are missing. Several of one line are one object."""
    with tempfile.NamedTemporaryFile("wb") as f:
        for line in lines:
            f.write(line.encode("utf-8", "surrogateescape").replace(b"\n", b"\\n") + b"\n")
        f.flush()
        out = subprocess.run([mtatop, "--replay", family, f.name], check=True, stdout=subprocess.PIPE,
                             env=dict(os.environ, TZ="UTC")).stdout
    rows = {}
    for row in map(json.loads, out.splitlines()):
        if row["event"] == "notification" and row["line"] - 1 in rows:
            row = {"line": row["line"], "bounce_of": row.get("queue_id")}
        rows[row["line"] - 1] = {**row, **rows.get(row["line"] - 1, {})}
    return rows


def same_time(got, want):
    """`want` is a stamp as logged, perhaps without its year, fraction or zone."""
    when = datetime.datetime.fromisoformat(got.replace("Z", "+00:00"))
    if want[:4].isdigit():
        stamp = datetime.datetime.fromisoformat(want)
        stamp = stamp if stamp.tzinfo else stamp.replace(tzinfo=datetime.timezone.utc)
        return abs((when - stamp).total_seconds()) < 0.001
    form = "%m-%dT%H:%M:%S" if want.startswith("????-") else "%b %d %H:%M:%S"
    want = want[5:] if want.startswith("????-") else "%s %02d %s" % tuple(
        int(word) if word.isdigit() else word for word in want.split())
    return when.strftime(form) == want


def same(key, got, want):
    if got is None:
        return False
    if key == "time":
        return same_time(got, want)
    if key == "delays":
        return len(got) == len(want) and all(a == b or abs(a - b) < 0.006 for a, b in zip(got, want))
    if key == "delay":
        return abs(float(got) - float(want)) < 0.006
    return str(got) == str(want)


def wanted(record, mechanical):
    """(our key, value) of what is to be scored in a record."""
    asserted = set(record.get("asserted") or [])
    for key, value in record["expect"].items():
        if value is None or key not in KEYS or (key in asserted) == mechanical:
            continue
        if record.get("header") == "synthetic" and key in ("host", "pid", "time"):
            continue
        yield NAMES.get(key, key), value
    if not mechanical:
        for key, value in (record["expect"].get("other") or {}).items():
            if key in OTHER:
                yield OTHER[key], value


def score(mtatop, name, mechanical, excused, family="postfix", keys=wanted):
    records = load(name)
    rows = replay(mtatop, [r["line"] for r in records], family)
    right = explained = total = 0
    for index, record in enumerate(records):
        for key, want in keys(record, mechanical):
            got = rows.get(index, {}).get(key)
            total += 1
            if same(key, got, want):
                right += 1
            elif excused.covers(record["source"], key, got):
                explained += 1
            else:
                print("    %s %s: got %s, want %r\n      %s" % (record["source"], key, json.dumps(got), want,
                                                             record["line"][:300]))
    verdict = "ok" if right + explained == total and total else "FAIL"
    print("%s %s: %d of %d %s keys right, %d otherwise for a listed reason" % (
        verdict, name, right, total, "mechanical" if mechanical else "asserted", explained))
    return verdict == "ok"


def message_of(rows, want):
    """One message put together from the lines of a transaction; its queue id is that of its first line."""
    qid = want.get("queue_id") or next(r["queue_id"] for r in rows if "queue_id" in r)
    mine = [r for r in rows if r.get("queue_id") == qid]
    tries = [r for r in mine if r["event"] == "delivery"]
    first = {key: next((r[key] for r in mine if key in r), None) for key in ("message_id", "client_host", "client_ip")}
    return {"queue_id": qid, "to": [r["to"] for r in tries], "message_id": first["message_id"],
            "from": next((r["from"] for r in mine if r["event"] == "queued"), None),
            "client": "%s[%s]" % (first["client_host"], first["client_ip"]),
            **{key: next((r[key] for r in tries if key in r), None)
               for key in ("status", "dsn", "response", "reply_code")}}


def transactions(mtatop, name):
    """Whole messages: every key of the expectation that we read from the log at all."""
    bad = total = 0
    for record in load(name):
        rows = list(replay(mtatop, record["lines"]).values())
        for want in record["expect"]["messages"]:
            got = message_of(rows, want)
            for key in set(got) & set(want):
                total += 1
                if got[key] != want[key]:
                    bad += 1
                    print("    %s %s: got %r, want %r" % (record["source"], key, got[key], want[key]))
    print("%s %s: %d of %d keys right" % ("FAIL" if bad or not total else "ok", name, total - bad, total))
    return not bad and total > 0


def stamps(mtatop, name):
    bad = total = 0
    for record in load(name):
        row, want = replay(mtatop, [record["line"]]).get(0, {}), record["expect"]
        for key, ours in (("time_iso", "time"), ("host", "host"), ("queue_id", "queue_id"), ("status", "status")):
            total += 1
            if not same(ours, row.get(ours), want[key]):
                bad += 1
                print("    %s %s: got %r, want %r" % (record["kind"], key, row.get(ours), want[key]))
    print("%s %s: %d of %d keys right" % ("FAIL" if bad or not total else "ok", name, total - bad, total))
    return not bad and total > 0


def main(argv):
    if not os.path.isdir(CORPORA):
        print("skip corpora (no ../shared beside the checkout)")
        return MESON_SKIP
    excused = Excused()
    good = [score(argv[0], name, mechanical, excused)
            for name, mechanical in (("postfix_asserted.jsonl", False), ("postfix_asserted.jsonl", True),
                                     ("postfix_spec_311.jsonl", True))]
    good += [score(argv[0], name, mechanical, excused, "exim", exim_keys)
             for name, mechanical in (("exim_asserted.jsonl", False), ("exim_asserted.jsonl", True), ("exim_mechanical.jsonl", True))]
    good.append(score(argv[0], "opensmtpd_mechanical.jsonl", True, excused, "opensmtpd", opensmtpd_keys))
    good += [score(argv[0], name, mechanical, excused, "exchange", exchange_keys)
             for name, mechanical in (("exchange_asserted.jsonl", False), ("exchange_mechanical.jsonl", True))]
    good += [score(argv[0], name, mechanical, excused, "sendmail", sendmail_keys)
             for name, mechanical in (("sendmail_asserted.jsonl", False), ("sendmail_mechanical.jsonl", True))]
    good.append(transactions(argv[0], "postfix_transactions.jsonl"))
    good.append(stamps(argv[0], "timestamps.jsonl"))
    for source, key, got in excused.unused():
        print("    not needed: %s %s %s" % (source, key, got))
    print("%s every listed exception is needed" % ("FAIL" if excused.unused() else "ok"))
    return 0 if all(good) and not excused.unused() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
