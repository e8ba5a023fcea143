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

import count_mx

LINE = re.compile(r"(?:\S+T(?P<iso>\d\d:\d\d)\S+|\w{3} [ \d]\d (?P<bsd>\d\d:\d\d):\d\d) (?P<host>\S+) (?P<tag>\S*postfix[^\s\[]*)\[(?P<pid>\d+)\]: (?P<text>.*)", re.S)
QID = re.compile(r"([0-9A-F]{5,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}): (.*)", re.S)
DELIVERY = re.compile(r"to=<(?P<to>.*?)>, (?:orig_to=<.*?>, )?relay=(?P<relay>[^,]*), .*?dsn=(?P<dsn>[\d.]+), "
                      r"status=(?P<status>[\w-]+) \((?P<reply>.*)\)?", re.S)
PROBES = ("deliverable", "undeliverable", "undeliverable-but-not-cached")
STOCK = {"smtpd": 25, "submission": 587, "submissions": 465, "smtps": 465}
LOOPBACK = ("127.", "::1")
DELAYS = re.compile(r"delay=([\d.]+), delays=([\d.]+)/([\d.]+)/([\d.]+)/([\d.]+), ")
WRAPPED = ("submissions", "smtps")  # TLS from the first byte
BY_MINUTE = ("sent", "deferred", "bounced", "rejected", "connections", "warnings")


class Message:
    def __init__(self, starts):
        self.starts = starts          # the log has its arrival
        self.client = self.nrcpt = self.port = None
        self.parent = False           # made of another queue id here


class Session:
    """One client connection of an smtpd process."""

    def __init__(self, client, wrapped):
        self.client = client
        self.wrapped = wrapped
        self.tls = False
        self.users = self.refused = 0   # messages with sasl_username=, SASL failure warnings


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
        self.ports = collections.defaultdict(lambda: {"connections": 0, "accepted": 0, "rejected": 0, "auth_ok": 0,
                                                      "auth_failed": 0, "tls": 0})
        self.out = collections.defaultdict(lambda: {"accepted": 0, "deferred": 0, "rejected": 0})
        self.messages = {}
        self.sessions = collections.defaultdict(list)  # (host, tag, pid) -> open sessions
        self.minutes = collections.defaultdict(collections.Counter)  # "hh:mm" of the day
        self.delays = [[] for _ in range(5)]  # of sent records, in centiseconds
        self.minute = ""
        self.reach = count_mx.Reach()
        self.sent = []                # what a sent record says: settled at the end

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
        self.minute = found["iso"] or found["bsd"]
        if re.match(r"(warning|error|fatal|panic): ", text) or re.match(r"\w+: (warning|error|fatal): (?!header|body)", text):
            self.add("warnings")
        if daemon == "smtpd":
            self.session(tag, self.sessions[found["host"], tag, found["pid"]], text)
        self.reject(tag, text)
        self.reach.line((found["host"], found["pid"]), daemon, text)
        with_id = QID.match(text)
        if with_id:
            self.with_id(tag, daemon, with_id[1], with_id[2])

    def add(self, what):
        self.n[what] += 1
        self.minutes[self.minute][what] += 1

    def session(self, tag, opened, text):
        """connect ... disconnect of one process; a process serves one client at a time, but a torn log may nest them."""
        connect = re.match(r"connect from (.*)", text)
        leave = re.match(r"disconnect from (\S+)(.*)", text)
        if connect:
            opened.append(Session(connect[1], tag.split("/")[-2:-1] in ([w] for w in WRAPPED)))
            self.add("connections")
            self.port(tag)["connections"] += 1
        elif leave:
            mine = [s for s in opened if s.client == leave[1]][-1:]
            opened[:] = [s for s in opened if s not in mine]
            self.leave(self.port(tag), mine[0] if mine else Session(leave[1], False), leave[2])
        refused = bool(re.match(r"warning: .*: SASL \S+ authentication failed", text))
        if not opened:
            self.port(tag)["auth_failed"] += refused
        for s in opened[-1:]:
            s.tls |= bool(re.match(r"\w+ TLS connection established from ", text))
            s.users += " sasl_username=" in text and "client=" in text
            s.refused += refused

    @staticmethod
    def leave(port, session, counters):
        figures = dict(re.findall(r"(\w+)=([\d/]+)", counters))
        ok, _, tried = figures.get("auth", "0").partition("/")
        refused = int(tried or ok) - int(ok)
        port["auth_ok"] += int(ok) if figures else min(session.users, 1)
        port["auth_failed"] += max(refused, session.refused)
        spoke = figures.get("commands", "0").partition("/")[0] != "0"  # no command without the handshake
        port["tls"] += bool(session.tls or session.wrapped and spoke or figures.get("starttls", "0")[0] != "0")

    def port(self, tag):
        port = service_port(tag)
        return self.ports[str(port if port is not None else tag)]

    def reject(self, tag, text):
        found = re.match(r"(?:NOQUEUE|\w+): (?:reject|milter-reject|proxy-reject): \S+ from [^ ]*: (.*)", text, re.S)
        if not found:
            return
        self.add("rejected")
        temporary = re.match(r"4\d\d |4\.\d+\.\d+ ", found[1])
        self.n["rejected_temporary"] += bool(temporary)
        if tag.endswith("smtpd"):
            self.port(tag)["rejected"] += 1

    def with_id(self, tag, daemon, qid, rest):
        if daemon == "smtpd" and rest.startswith("client="):
            message = self.message(qid, True)
            message.client = re.match(r"client=[^\[]*\[([^\]]*)\]", rest)[1]
            message.parent |= "orig_queue_id=" in rest
            message.port = self.port(tag)
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
            self.delivery(qid, DELIVERY.match(rest), rest)

    def delivery(self, qid, found, rest):
        if not found or found["status"] in PROBES:
            return
        domain = found["to"].rpartition("@")[2].lower() if "@" in found["to"] else ""
        port = re.search(r"\]:(\d+)$", found["relay"])
        if found["status"] == "sent":
            self.sent.append((qid, found["relay"], found["reply"], found["dsn"], domain, port, self.minute,
                              DELAYS.search(rest)))
            return
        if found["status"] not in ("deferred", "bounced"):
            return
        self.count(found["status"], found["dsn"], domain, port)

    def count(self, status, dsn, domain, port):
        self.add(status)
        self.codes["%s %s" % (dsn, status)] += 1
        self.domains[domain][status] += 1
        if port:
            self.out[port[1]][{"sent": "accepted", "bounced": "rejected"}.get(status, status)] += 1

    def handed_over(self, qid, relay, reply):
        """The message of this server that a sent record only moved to; None: it was a delivery."""
        child = re.search(r"(?:queued|forwarded) as (\w+)", reply)
        other = self.messages.get(child[1]) if child and child[1] != qid else None
        ip = re.search(r"\[([^\]]*)\]", relay)
        near = other and (reply.startswith("forwarded as") or other.client is not None and ip and
                          (other.client == ip[1] or (other.client.startswith(LOOPBACK) and ip[1].startswith(LOOPBACK))))
        return other if near else None

    def settle(self):
        """Sent records: a hand-over to another queue id of this server, or a delivery."""
        self.reach.settle(lambda qid, relay, reply: self.handed_over(qid, relay, reply) is not None)
        for qid, relay, reply, dsn, domain, port, self.minute, delays in self.sent:
            other = self.handed_over(qid, relay, reply)
            if other:
                other.parent = True
                self.n["handed_over"] += 1
            else:
                self.count("sent", dsn, domain, port)
                for part in range(5 if delays else 0):
                    self.delays[part].append(centiseconds(delays[part + 1]))
        for (_, tag, _), opened in self.sessions.items():
            for session in opened:  # the log ends within them: they logged in and used TLS all the same
                self.port(tag)["auth_ok"] += min(session.users, 1)
                self.port(tag)["auth_failed"] += session.refused
                self.port(tag)["tls"] += session.tls
        counted = [m for m in self.messages.values() if m.starts and not m.parent]
        self.n["messages"] = len(counted)
        for message in counted:
            if message.port:
                message.port["accepted"] += 1
        self.n["recipients"] = sum(m.nrcpt or 0 for m in counted)

    def result(self):
        keys = ("lines", "foreign", "messages", "recipients", "sent", "handed_over", "deferred", "bounced", "expired",
                "rejected", "rejected_temporary", "warnings")
        return dict({k: self.n[k] for k in keys}, by_code=dict(self.codes), by_domain=dict(self.domains),
                    by_port={"in": dict(self.ports), "out": dict(self.out)}, by_minute=self.minutes, reach=self.reach.result(),
                    delays={name: {"p%d" % p: nearest_rank(self.delays[part], p) for p in (50, 90, 99)}
                            for part, name in enumerate(("total", "a", "b", "c", "d"))})


def centiseconds(text):
    """As logged: Postfix prints two significant digits, hundredths at best."""
    whole, _, fraction = text.partition(".")
    return int(whole) * 100 + int((fraction + "00")[:2])


def nearest_rank(values, percent):
    """The smallest value that at least percent of them do not exceed, in seconds; None of nothing."""
    values = sorted(values)
    return values[-(-len(values) * percent // 100) - 1] / 100 if values else None


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
