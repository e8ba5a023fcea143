# SPDX-License-Identifier: MIT
"""clusters - the groups of the causes view against a count of the log's lines by regexes of its own.

Destination, egress, sender, stage, mailbox provider and code are read off the lines here; class, cause and side are what
`mtatop explain` says of each text alone, counted here. A signature is checked by what every true grouping keeps: its
records have one text shape, and all shapes together are all records.
"""
import collections
import json
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINE = re.compile(r"(?:\S+T\S+|\w{3} [ \d]\d \d\d:\d\d:\d\d) \S+ (\S*postfix[^\s\[]*)\[\d+\]: (.*)", re.S)
FAILURE = re.compile(r"(\w+): to=<(.*?)>, (?:orig_to=<.*?>, )?relay=([^,]*), .*?dsn=([\d.]+), status=(deferred|bounced) \((.*)\)$", re.S)
REFUSAL = re.compile(r"(?:NOQUEUE|\w+): (?:reject|milter-reject|proxy-reject): (\S+) from [^ ]*: (.*)", re.S)
SENDER = re.compile(r"(\w+): from=<(.*?)>, size=\d+, nrcpt=\d+ \(queue active\)")
STAGES = {"end of DATA": "END-DATA", "MAIL": "MAIL", "RCPT": "RCPT", "DATA": "DATA", "EHLO": "EHLO", "HELO": "EHLO",
          "STARTTLS": "STARTTLS", "AUTH": "AUTH"}


def providers():
    """suffix of an MX host -> the provider's name, of the rules' [provider] sections."""
    found, name = {}, None
    with open(os.path.join(TOP, "assets", "explain", "10-providers.rules"), encoding="utf-8") as f:
        for line in f:
            key, _, value = line.strip().partition(" = ")
            if line.startswith("["):
                name = None
            if key == "name":
                name = value
            if key == "hosts" and name:
                found.update({suffix: name for suffix in value.split()})
    return found


def provider_of(relay, suffixes):
    host = "." + relay.partition("[")[0].lower()
    fits = [s for s in suffixes if host.endswith(s)] if "." in host[1:] else []
    return suffixes[max(fits, key=len)] if fits else None


class Record:
    __slots__ = ("status", "domain", "relay", "egress", "sender", "text", "dsn")

    def __init__(self, status, text, domain="", relay="", egress="", sender=None, dsn=""):
        self.status, self.text, self.domain, self.relay = status, text, domain, relay
        self.egress, self.sender, self.dsn = egress, sender, dsn


def records(log):
    senders, found = {}, []
    with open(log, encoding="utf-8", errors="surrogateescape") as f:
        lines = [m.groups() for m in map(LINE.match, f.read().split("\n")) if m]
    for tag, text in lines:
        m = SENDER.match(text) if tag.endswith("/qmgr") else None
        if m:
            senders.setdefault(m[1], m[2].rpartition("@")[2].lower() if "@" in m[2] else "")
    for tag, text in lines:
        m = FAILURE.match(text)
        if m:
            qid, to, relay, dsn, status, reply = m.groups()
            domain = to.rpartition("@")[2].lower() if "@" in to else ""
            found.append(Record(status, reply, domain, relay, tag, senders.get(qid), dsn))
            continue
        m = REFUSAL.match(text)
        if m:
            found.append(Record("rejected", m[2]))
    return found


def counted(found, key):
    groups = collections.defaultdict(collections.Counter)
    for r in found:
        groups[key(r)][r.status] += 1
    return {k: dict(v) for k, v in groups.items()}


def told(rows, by):
    return {row["group"]: {k: row[k] for k in ("deferred", "bounced", "rejected") if row[k]} for row in rows if row["by"] == by}


def stage_of(r):
    m = re.search(r"\(in reply to (end of DATA|[A-Z]+)| while sending (end of data|RCPT TO|MAIL FROM)", r.text)
    return STAGES.get((m[1] or m[2].replace("data", "DATA")).replace(" TO", "").replace(" FROM", "")) if m else None


def explained(mtatop, found):
    """What explain says of each text with its server and code, apart from any log."""
    answers = {}
    for key in {(r.relay, r.dsn) for r in found}:
        texts = sorted({r.text for r in found if (r.relay, r.dsn) == key})
        argv = [mtatop, "explain", "--format", "json"]
        argv += ["--host", key[0]] if "[" in key[0] else []
        argv += ["--dsn", key[1]] if key[1] else []
        out = subprocess.run(argv, input="\n".join(texts).encode("utf-8", "surrogateescape"), stdout=subprocess.PIPE, check=True,
                             env=dict(os.environ, HOME="/nonexistent", XDG_CONFIG_HOME="/nonexistent"))
        for text, line in zip(texts, out.stdout.decode("utf-8", "replace").splitlines()):
            answers[key + (text,)] = json.loads(line)
    return answers


def compare(name, build, cache, log, check):
    out = subprocess.run([os.path.join(build, "tests", "clusters_tool"), cache], stdout=subprocess.PIPE, check=True)
    rows = [json.loads(line) for line in out.stdout.decode("utf-8", "replace").splitlines()]
    found = records(log)
    failures = [r for r in found if r.status != "rejected"]
    suffixes = providers()
    check("%s: causes by destination" % name, told(rows, "destination"), counted(failures, lambda r: r.domain or None))
    check("%s: causes by egress" % name, told(rows, "egress"), counted(failures, lambda r: r.egress))
    check("%s: causes by sender" % name, told(rows, "sender"), counted([r for r in failures if r.sender is not None],
                                                                     lambda r: r.sender or None))
    check("%s: causes by mailbox provider" % name, told(rows, "mailbox"), counted(
        found, lambda r: "(our own door)" if r.status == "rejected" else provider_of(r.relay, suffixes)))
    staged = counted([r for r in failures if stage_of(r)], stage_of)
    got = {k: {s: n for s, n in v.items() if s != "rejected"} for k, v in told(rows, "stage").items() if k in staged}
    check("%s: causes by stage" % name, got, staged)
    answers = explained(os.path.join(build, "tui", "mtatop"), failures)
    for by in ("cause", "side"):
        want = counted(failures, lambda r: answers[r.relay, r.dsn, r.text][by])
        got = {k: {s: n for s, n in v.items() if s != "rejected"} for k, v in told(rows, by).items()}
        check("%s: causes by %s" % (name, by), {k: v for k, v in got.items() if v}, want)
    total = dict(collections.Counter(r.status for r in found))
    for by in ("signature", "class", "cause", "side", "stage", "mailbox"):
        check("%s: causes by %s: all of them" % (name, by), dict(sum((collections.Counter(v) for v in (
            {k: row[k] for k in ("deferred", "bounced", "rejected") if row[k]} for row in rows if row["by"] == by)),
            collections.Counter())), total)
    texts = {r.text if r.status != "rejected" else r.text.partition("; from=")[0] for r in found}
    examples = [row["example"] for row in rows if row["by"] == "signature" and row["example"]]
    check("%s: every signature's example is a text of the log" % name, [e for e in examples if e not in texts][:3], [])
