# SPDX-License-Identifier: MIT
"""count_mx - how hosts were reached by a Postfix log, counted apart from mtatop: for count_postfix.py.

The definitions are those of MX_FIGURE_LIST in store/vocab.h. What a process (host, pid) of smtp or lmtp fails at
belongs to the message of its next delivery record.
"""
import bisect
import collections
import re

HOST = r"(?P<host>[^\[\s]+)\[(?P<ip>[^\]]*)\]"
FAILURE = re.compile(r"(?:\w+: )?(?P<what>(?:connect to|host|lost connection with|conversation with|SSL_connect error to) "
                     + HOST + r"|Cannot start TLS: |TLS is required, .*?by host " + HOST.replace("host>", "host2>").replace("ip>", "ip2>")
                     + r"|Server certificate not )", re.S)
HANDSHAKE = re.compile(r"\w+ TLS connection established to [^\[]+\[(?P<ip>[^\]]*)\]:\d+: (?P<version>\S+) with")
DELIVERY = re.compile(r"(?P<qid>\w+): to=<(?P<to>.*?)>, (?:orig_to=<.*?>, )?relay=(?P<relay>[^,]*), (?P<mid>.*?)dsn=[\d.]+, "
                      r"status=(?P<status>\w+) \((?P<reply>.*)", re.S)
STEPS = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000,
         1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10000, 12000, 15000, 20000, 25000, 30000, 40000, 50000, 60000,
         80000, 100000, 200000, 500000, 1000000]  # hundredths of a second
VERSIONS = {"TLSv1.3": "tls_1_3", "TLSv1.2": "tls_1_2", "TLSv1.1": "tls_older", "TLSv1": "tls_older"}
KINDS = ("refused", "timed_out", "no_route", "lost", "tls_failed", "dns_failed", "stepped_in")
DNS = ("Host or domain name not found", "Host not found", "Name service error", "unable to look up host")


def kind(text):
    if "said: " in text or "refused to talk to me" in text:
        return None
    for words, name in ((r"SSL_connect error|TLS is required|Server certificate not", "tls_failed"), ):
        if re.match(words, text):
            return name
    for words, name in (("onnection refused", "refused"), (" timed out|timeout", "timed_out"),
                        ("No route to host|is unreachable", "no_route"), ("lost connection|onnection reset|closed connection", "lost")):
        if re.search(words, text):
            return name
    return None


def new_row():
    return {"sent": 0, "times": [], "tls": collections.Counter(), "n": collections.Counter()}


class Reach:
    def __init__(self):
        self.hosts = collections.defaultdict(new_row)
        self.domains = collections.defaultdict(new_row)
        self.fallbacks = collections.Counter()
        self.failed = {}        # process -> [hosts], Counter of kinds; until its next delivery record
        self.message = {}       # process -> message and queue run that had them, hosts, the host whose failure a record told
        self.tls = {}           # process -> ip, version, message it was used for
        self.runs = collections.Counter()  # of a message through the queue
        self.sent = []          # settled when hand-overs are known

    def line(self, process, daemon, text):
        if daemon == "qmgr" and "(queue active)" in text:
            self.runs[text.partition(":")[0]] += 1
        if daemon not in ("smtp", "lmtp"):
            return
        delivery = DELIVERY.match(text)
        if delivery:
            self.delivery(process, delivery)
            return
        made = HANDSHAKE.match(text)
        if made:
            self.tls[process] = [made["ip"], VERSIONS.get(made["version"], "tls_other"), None]
        failure = FAILURE.match(text)
        host = failure and (failure["host"] or failure["host2"])
        if host:
            what = kind(re.sub(r"^[0-9A-Za-z]+: (?=lost|conv|host|TLS|Server|Cannot)", "", text))
            if what:
                self.hosts[host]["n"][what] += 1
            hosts, kinds = self.failed.setdefault(process, ([], collections.Counter()))
            self.message.pop(process, None)
            if host not in hosts:
                hosts.append(host)
            if what:
                kinds[what] += 1

    def delivery(self, process, d):
        domain = d["to"].rpartition("@")[2].lower() if "@" in d["to"] else ""
        relay = re.match(HOST, d["relay"])
        relay = relay if relay and "/" not in relay["ip"] else None
        if d["status"] not in ("sent", "deferred", "bounced"):
            return
        if process in self.failed:
            hosts, kinds = self.failed.pop(process)
            self.message[process] = [self.run(d), hosts, None]
            for what, n in kinds.items():
                self.domains[domain]["n"][what] += n
        before = self.message.get(process)
        if before and before[0] != self.run(d):
            before = None
        if d["status"] == "sent":
            if relay:
                self.sent.append((d["qid"], domain, relay["host"], d["reply"], d["relay"], self.connect(d["mid"]),
                                  self.tls_of(process, d["qid"], relay["ip"], d["mid"]), before[1] if before else None))
        elif relay:
            what = kind(d["reply"])
            if what and not (before and before[2] == relay["host"]):
                self.hosts[relay["host"]]["n"][what] += 1
                self.domains[domain]["n"][what] += 1
                self.message[process] = [self.run(d), before[1] if before else [], relay["host"]]
        elif d["reply"].startswith(DNS):
            self.domains[domain]["n"]["dns_failed"] += 1
            name = re.search(r" name=(\S+) type=A", d["reply"]) or re.match(r"unable to look up host ([^:]+):", d["reply"])
            if name and name[1].lower() != domain:
                self.hosts[name[1]]["n"]["dns_failed"] += 1

    def run(self, d):
        return d["qid"], self.runs[d["qid"]]

    @staticmethod
    def connect(middle):
        found = re.search(r"delays=[\d.]+/[\d.]+/([\d.]+)/", middle)
        used = re.search(r"conn_use=(\d+)", middle)
        if not found or used and int(used[1]) > 1:
            return None
        whole, _, part = found[1].partition(".")
        hundredths = int(whole) * 100 + int((part + "00")[:2])
        return STEPS[min(bisect.bisect_left(STEPS, hundredths), len(STEPS) - 1)]

    def tls_of(self, process, qid, ip, middle):
        made = self.tls.get(process)
        if made and made[0] == ip and made[2] in (None, qid):
            made[2] = qid
            return made[1]
        used = re.search(r"conn_use=(\d+)", middle)
        return "reused" if used and int(used[1]) > 1 else "untold"

    def settle(self, is_handed_over):
        for qid, domain, host, reply, relay, connect, tls, before in self.sent:
            if is_handed_over(qid, relay, reply):
                continue
            for row, time in ((self.hosts[host], None if before else connect), (self.domains[domain], connect)):
                row["sent"] += 1
                row["tls"][tls] += 1
                if time is not None:
                    row["times"].append(time)
                if before and host not in before:
                    row["n"]["stepped_in"] += 1
            for other in before if before and host not in before else ():
                self.fallbacks["%s %s" % (other, host)] += 1

    def result(self):
        told = any(k.startswith("tls") for row in self.hosts.values() for k in row["tls"])
        return {"hosts": {k: figures(v, told) for k, v in self.hosts.items() if is_told(v)},
                "domains": {k: figures(v, told) for k, v in self.domains.items() if k and is_told(v)},
                "fallbacks": dict(self.fallbacks)}


def is_told(row):
    return row["sent"] or any(row["n"].values())


def figures(row, tls_in_log):
    times = sorted(row["times"])
    used = sum(n for k, n in row["tls"].items() if k.startswith("tls"))
    told = used + (row["tls"]["untold"] if tls_in_log else 0)
    out = {"sent": row["sent"], "connects": len(times), "tls_told": told or None, "tls": used if told else None}
    for version in ("tls_1_3", "tls_1_2", "tls_older"):
        out[version] = row["tls"][version] if told else None
    for name, percent in (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)):
        out["connect_" + name] = times[-(-len(times) * percent // 100) - 1] / 100 if times else None
    out.update({k: row["n"][k] for k in KINDS})
    return out
