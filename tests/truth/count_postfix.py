#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""count_postfix - an independent count of a Postfix log: regexes and dictionaries, nothing of mtatop's.

  count_postfix.py LOG...        prints JSON
The definitions are those of METRIC_LIST in store/vocab.h, worked out here a second time on the whole log at
once: who re-injected whom is decided with the complete list of queue ids at hand, not line by line.
"""
import collections
import json
import re
import sys

LINE = re.compile(r"(?:\S+T\S+|\w{3} [ \d]\d \d\d:\d\d:\d\d) (?P<host>\S+) (?P<tag>\S*postfix[^\s\[]*)\[(?P<pid>\d+)\]: (?P<text>.*)", re.S)
QID = re.compile(r"([0-9A-F]{5,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}): (.*)", re.S)
DELIVERY = re.compile(r"to=<(?P<to>.*?)>, (?:orig_to=<.*?>, )?relay=(?P<relay>[^,]*), .*?dsn=(?P<dsn>[\d.]+), "
                      r"status=(?P<status>[\w-]+) \((?P<reply>.*)\)?", re.S)
PROBES = ("deliverable", "undeliverable", "undeliverable-but-not-cached")
STOCK = {"smtpd": 25, "submission": 587, "submissions": 465, "smtps": 465}
LOOPBACK = ("127.", "::1")


class Message:
    def __init__(self, starts):
        self.starts = starts          # the log has its arrival
        self.client = self.origin = self.nrcpt = None
        self.parent = False           # made of another queue id here


def service_port(tag):
    """Stock port of an smtpd tag; None when its name tells nothing."""
    parts = tag.split("/")
    if parts[-1] != "smtpd":
        return None
    return 25 if len(parts) == 2 else STOCK.get(parts[-2])


class Counter:
    def __init__(self):
        self.n = collections.Counter()
        self.codes = collections.Counter()
        self.domains = collections.defaultdict(lambda: {"sent": 0, "deferred": 0, "bounced": 0})
        self.ports = collections.defaultdict(lambda: {"connections": 0, "accepted": 0, "rejected": 0})
        self.out = collections.Counter()
        self.messages = {}
        self.sent = []                # (qid, relay, reply, dsn, domain, port): settled at the end

    def message(self, qid, starts=False):
        if qid not in self.messages:
            self.messages[qid] = Message(starts)
        return self.messages[qid]

    def line(self, raw):
        self.n["lines"] += 1
        found = LINE.match(raw)
        if not found:
            self.n["foreign"] += 1
            return
        tag, text = found["tag"], found["text"]
        daemon = tag.split("/")[-1]
        if re.match(r"(warning|error|fatal|panic): ", text) or re.match(r"\w+: (warning|error|fatal): (?!header|body)", text):
            self.n["warnings"] += 1
        if daemon == "smtpd" and text.startswith("connect from "):
            self.port(tag)["connections"] += 1
        self.reject(tag, text)
        with_id = QID.match(text)
        if with_id:
            self.with_id(tag, daemon, with_id[1], with_id[2])

    def port(self, tag):
        port = service_port(tag)
        return self.ports[str(port if port is not None else tag)]

    def reject(self, tag, text):
        found = re.match(r"(?:NOQUEUE|\w+): (?:reject|milter-reject|proxy-reject): \S+ from [^ ]*: (.*)", text, re.S)
        if not found:
            return
        self.n["rejected"] += 1
        temporary = re.match(r"4\d\d |4\.\d+\.\d+ ", found[1])
        self.n["rejected_temporary"] += bool(temporary)
        if tag.endswith("smtpd"):
            self.port(tag)["rejected"] += 1

    def with_id(self, tag, daemon, qid, rest):
        if daemon == "smtpd" and rest.startswith("client="):
            message = self.message(qid, True)
            message.client = re.match(r"client=[^\[]*\[([^\]]*)\]", rest)[1]
            message.parent |= "orig_queue_id=" in rest
            self.port(tag)["accepted"] += 1
        elif daemon == "pickup" and "uid=" in rest:
            message = self.message(qid, True)
            message.parent |= "orig_id=" in rest
        elif daemon == "cleanup" and rest.startswith("message-id="):
            self.message(qid, True)
        elif daemon == "qmgr" and "(queue active)" in rest:
            message = self.message(qid)
            if message.nrcpt is None:
                message.nrcpt = int(re.search(r"nrcpt=(\d+)", rest)[1])
        elif daemon == "qmgr" and re.search(r"status=(force-)?expired", rest):
            self.n["expired"] += 1
        elif " status=" in rest:
            self.delivery(qid, DELIVERY.match(rest))

    def delivery(self, qid, found):
        if not found or found["status"] in PROBES:
            return
        domain = found["to"].rpartition("@")[2].lower() if "@" in found["to"] else ""
        port = re.search(r"\]:(\d+)$", found["relay"])
        if found["status"] == "sent":
            self.sent.append((qid, found["relay"], found["reply"], found["dsn"], domain, port))
            return
        if found["status"] not in ("deferred", "bounced"):
            return
        self.count(found["status"], found["dsn"], domain, port)

    def count(self, status, dsn, domain, port):
        self.n[status] += 1
        self.codes["%s %s" % (dsn, status)] += 1
        self.domains[domain][status] += 1
        if port:
            self.out["%s %s" % (port[1], status)] += 1

    def settle(self):
        """Sent records: a hand-over to another queue id of this server, or a delivery."""
        for qid, relay, reply, dsn, domain, port in self.sent:
            child = re.search(r"(?:queued|forwarded) as (\w+)", reply)
            other = self.messages.get(child[1]) if child and child[1] != qid else None
            ip = re.search(r"\[([^\]]*)\]", relay)
            near = other and (reply.startswith("forwarded as") or other.client is not None and ip and
                              (other.client == ip[1] or (other.client.startswith(LOOPBACK) and ip[1].startswith(LOOPBACK))))
            if near:
                other.parent = True
                self.n["handed_over"] += 1
            else:
                self.count("sent", dsn, domain, port)
        counted = [m for m in self.messages.values() if m.starts and not m.parent]
        self.n["messages"] = len(counted)
        self.n["recipients"] = sum(m.nrcpt or 0 for m in counted)

    def result(self):
        keys = ("lines", "foreign", "messages", "recipients", "sent", "handed_over", "deferred", "bounced", "expired",
                "rejected", "rejected_temporary", "warnings")
        return dict({k: self.n[k] for k in keys}, by_code=dict(self.codes), by_domain=dict(self.domains),
                    by_port={"in": dict(self.ports), "out": dict(self.out)})


def main(paths):
    counter = Counter()
    for path in paths:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as f:
            for raw in f:
                counter.line(raw.rstrip("\n"))
    counter.settle()
    json.dump(counter.result(), sys.stdout, sort_keys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
