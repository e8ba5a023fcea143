#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mailgun - a Mailgun account on loopback: domains, metrics, logs, events, v3 stats, suppressions, IPs, warm-up.

State is tests/fakes/traffic.py's messages on a clock the test sets. Paging URLs point where `url_style` says: at the
vendor's own host (as recorded), at this server, at another host, or are no URL at all.
"""
import base64
import collections
import datetime
import json
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from traffic import Traffic  # noqa: E402
from vendor import UTC, Fake, Raise, Reply, parse_rfc2822, rfc2822, utc  # noqa: E402

HOUR_MS, DAY_MS = 3600000, 86400000
DIMENSIONS = {"time", "domain", "ip", "ip_pool", "recipient_domain", "recipient_provider", "tag", "country", "device",
              "subaccount", "bot"}
COUNTS = """accepted_incoming_count accepted_outgoing_count accepted_count delivered_smtp_count delivered_http_count
delivered_optimized_count delivered_count processed_count sent_count opened_count clicked_count unique_opened_count
unique_clicked_count unsubscribed_count complained_count failed_count temporary_failed_count permanent_failed_count
temporary_failed_esp_block_count permanent_failed_esp_block_count webhook_count rate_limit_count
permanent_failed_optimized_count permanent_failed_old_count bounced_count hard_bounces_count soft_bounces_count
delayed_bounce_count suppressed_bounces_count suppressed_unsubscribed_count suppressed_complaints_count
delivered_first_attempt_count delayed_first_attempt_count delivered_two_plus_attempts_count stored_count""".split()
RATES = {"delivered_rate": ("delivered_count", "sent_count"), "bounce_rate": ("bounced_count", "processed_count"),
         "opened_rate": ("opened_count", "delivered_count"), "clicked_rate": ("clicked_count", "delivered_count"),
         "unique_opened_rate": ("unique_opened_count", "delivered_count"),
         "unique_clicked_rate": ("unique_clicked_count", "delivered_count"),
         "unsubscribed_rate": ("unsubscribed_count", "delivered_count"),
         "complained_rate": ("complained_count", "delivered_count"),
         "permanent_fail_rate": ("permanent_failed_count", "processed_count"),
         "temporary_fail_rate": ("temporary_failed_count", "processed_count"),
         "delayed_rate": ("delivered_two_plus_attempts_count", "delivered_count"),
         "delayed_first_attempt_rate": ("delayed_first_attempt_count", "delivered_count"),
         "fail_rate": ("failed_count", "processed_count")}


def counted(event):
    """The metrics one event adds one to (metric-definitions page: the formulas of apis.md section 1.4)."""
    kind, reason = event.kind, event.reason
    if kind == "accepted":
        return ("accepted_outgoing_count", "accepted_count")
    if kind == "delivered":
        return ("delivered_smtp_count", "delivered_count", "processed_count", "sent_count",
                "delivered_first_attempt_count" if event.attempt == 1 else "delivered_two_plus_attempts_count")
    if kind == "temporary":
        return ("temporary_failed_count", "failed_count") + \
            (("temporary_failed_esp_block_count",) if reason == "espblock" else ()) + \
            (("delayed_first_attempt_count",) if event.attempt == 1 else ())
    if kind == "permanent":
        base = ("permanent_failed_count", "failed_count", "processed_count")
        more = {"bounce": ("hard_bounces_count", "bounced_count", "sent_count"),
                "generic": ("soft_bounces_count", "bounced_count", "sent_count"),
                "espblock": ("soft_bounces_count", "bounced_count", "sent_count", "permanent_failed_esp_block_count"),
                "old": ("permanent_failed_old_count", "bounced_count", "sent_count"),
                "suppress-bounce": ("suppressed_bounces_count",),
                "suppress-unsubscribe": ("suppressed_unsubscribed_count",),
                "suppress-complaint": ("suppressed_complaints_count",)}
        return base + more[reason]
    return {"opened": ("opened_count", "unique_opened_count"), "clicked": ("clicked_count", "unique_clicked_count"),
            "complained": ("complained_count",), "unsubscribed": ("unsubscribed_count",)}[kind]


class Mailgun(Fake):
    """A Mailgun account on loopback."""
    name = "mailgun"
    KEY = "made-up-mailgun-key"
    ROUTES = [
        ("GET", r"/v[34]/domains", "domains"),
        ("GET", r"/v4/domains/([^/]+)", "domain"),
        ("GET", r"/v3/domains/([^/]+)/sending_queues", "queues"),
        ("GET", r"/v3/domains/([^/]+)/messages/([^/]+)", "stored"),
        ("POST", r"/v1/analytics/metrics", "metrics"),
        ("POST", r"/v1/analytics/logs", "logs"),
        ("POST", r"/v2/bounce-classification/metrics", "classification"),
        ("GET", r"/v3/stats/total", "stats_account"),
        ("GET", r"/v3/([^/]+)/stats/total", "stats"),
        ("GET", r"/v3/([^/]+)/aggregates/providers", "providers"),
        ("GET", r"/v3/ips", "ips"),
        ("GET", r"/v3/ips/([^/]+)", "ip"),
        ("GET", r"/v3/ip_pools", "pools"),
        ("GET", r"/v3/ip_warmups", "warmups"),
        ("GET", r"/v3/ip_warmups/([^/]+)", "warmup"),
        ("GET", r"/v5/accounts/limit/custom/monthly", "limit"),
        ("GET", r"/v5/users/me", "me"),
        ("GET", r"/v3/([^/]+)/events(?:/([^/]+))?", "events"),
        ("GET", r"/v3/([^/]+)/(bounces|complaints|unsubscribes|whitelists)", "suppressions"),
        ("GET", r"/v3/([^/]+)/(bounces|complaints|unsubscribes|whitelists)/([^/]+)", "suppression"),
        ("DELETE", r"/v3/([^/]+)/(bounces|complaints|unsubscribes|whitelists)/([^/]+)", "suppression_delete"),
    ]

    def __init__(self, **kw):
        super().__init__(**kw)
        self.traffic = Traffic()
        self.names = {}  # domain -> state
        self.owners = {}  # domain -> the subaccount it is of, "" the account itself
        self.disabled = {}  # domain -> reason
        self.blocked = {}  # domain -> why its sending queue is
        self.lists = collections.defaultdict(dict)  # (domain, list) -> address -> item
        self.deltas = []  # (bucket ms, domain, metric, delta): corrections
        self.ip_list = {"198.51.100.7": True, "198.51.100.8": False}  # address -> on warm-up
        self.url_style, self.deny = "vendor", set()
        self.total_lies = self.same_rows = self.equal_next = self.null_counts = False
        self.trap_base = self.base  # where url_style "trap" leads
        self.short_ids = self.string_codes = False

    # control
    def do_domain(self, name, state="active", disabled=None, blocked=None):
        self.names[name] = state
        if disabled:
            self.disabled[name] = disabled
        self.blocked[name] = blocked

    def do_traffic(self, domain, count, start_ms=None, span_ms=HOUR_MS, ago_ms=None, **more):
        self.names.setdefault(domain, "active")
        start = self.clock.ms() - ago_ms if ago_ms is not None else start_ms
        for message in self.traffic.add(domain, count, start, span_ms, **more):
            for e in message.events:
                self.suppress(e)
        return start

    def do_correct(self, bucket_ms, domain, metric, delta):
        self.deltas.append((bucket_ms, domain, metric, delta))

    def do_style(self, **options):
        for name, value in options.items():
            if not hasattr(self, name):
                raise KeyError(name)
            setattr(self, name, set(value) if name == "deny" else value)

    def do_list_add(self, domain, kind, address, created_ms=None, **more):
        self.names.setdefault(domain, "active")
        created = rfc2822(created_ms or self.clock.ms())
        item = {"bounces": {"address": address, "code": "550", "error": "550 5.1.1 no such user", "created_at": created},
                "complaints": {"address": address, "created_at": created},
                "unsubscribes": {"address": address, "tags": ["*"], "created_at": created},
                "whitelists": {"type": "address", "value": address, "reason": "made up", "createdAt": created}}[kind]
        item.update(more)
        self.lists[domain, kind][address] = item

    def do_list_remove(self, domain, kind, address):
        del self.lists[domain, kind][address]

    def suppress(self, e):
        kind = {"complained": "complaints", "unsubscribed": "unsubscribes"}.get(e.kind)
        if e.kind == "permanent" and e.reason == "bounce":
            kind = "bounces"
        if kind:
            more = {"error": e.text, "code": str(e.code)} if kind == "bounces" else {}
            self.do_list_add(e.message.domain, kind, e.message.to, e.t, **more)

    # answers that are errors
    def auth(self, headers):
        given = headers.get("authorization")
        wanted = "Basic " + base64.b64encode(("api:" + self.key).encode()).decode()
        return "absent" if given is None else "right" if given == wanted else "wrong"

    def unauthorized(self, auth):
        return Reply(401, b"Forbidden", {"Www-Authenticate": 'Basic realm="MG API"'}, "text/plain")

    def error(self, status, text):
        return Reply(status, {"message": text})

    def too_many_body(self):
        return {"message": "Too Many Requests"}

    def check(self, domain):
        if domain not in self.names:
            raise Raise(self.error(404, "Domain not found: %s" % domain))

    def route(self, request):
        if any(request.path.startswith(prefix) for prefix in self.deny):
            return self.error(403, "forbidden")
        return super().route(request)

    def visible(self, request, everyone):
        """Does a domain show in an answer? As a subaccount its own, else the account's, with everyone all."""
        who = request.headers.get("X-Mailgun-On-Behalf-Of")
        return lambda domain: self.owners.get(domain, "") == (who or "") or (everyone and not who)

    def url(self, path, **query):
        text = path + ("?" + urllib.parse.urlencode(query) if query else "")
        return {"vendor": "https://api.mailgun.net" + text, "own": self.base + text,
                "other": "https://evil.example:8443" + text, "userinfo": "https://api.mailgun.net@evil.example" + text,
                "dots": "https://api.mailgun.net/v3/../../v9" + text, "none": "<next page url>", "word": "next",
                "trap": self.trap_base + text, "prefix": "https://api.mailgun.net/v5/keys?x=1"}[self.url_style]

    # domains
    def item(self, i, name):
        item = {"id": "%d" % (i + 1), "name": name, "state": self.names[name], "type": "custom", "is_disabled": False,
                "created_at": "Mon, 02 Jan 2006 15:04:05 GMT", "web_prefix": "email"}
        if self.owners.get(name):
            item["subaccount_id"] = self.owners[name]
        if name in self.disabled:
            item.update(is_disabled=True, disabled={"code": "blacklisted", "note": "", "permanently": True,
                                                    "reason": self.disabled[name], "until": rfc2822(self.clock.ms())})
        return item

    def domains(self, request):
        names = sorted(filter(self.visible(request, request.arg("include_subaccounts") == "true"), self.names))
        skip, limit = request.number("skip", 0), min(request.number("limit", 100), 1000)
        rows = [self.item(i, n) for i, n in enumerate(names)][skip:skip + limit]
        return Reply(200, {"total_count": len(names), "items": rows})

    def domain(self, request, name):
        self.check(name)
        active = self.names[name] == "active"
        record = {"record_type": "TXT", "name": name, "value": "v=spf1 include:mailgun.example ~all",
                  "valid": "valid" if active else "invalid", "cached": [], "is_active": active}
        mx = {"record_type": "MX", "priority": "10", "value": "mxa.mailgun.example", "valid": "unknown", "cached": [],
              "is_active": False}
        return Reply(200, {"domain": self.item(sorted(self.names).index(name), name), "receiving_dns_records": [mx],
                           "sending_dns_records": [record]})

    def queues(self, request, name):
        self.check(name)
        why = self.blocked.get(name)
        regular = {"is_disabled": bool(why)}
        if why:
            regular["disabled"] = {"until": rfc2822(self.clock.ms() + HOUR_MS), "reason": why}
        return Reply(200, {"regular": regular, "scheduled": {"is_disabled": False}})

    def stored(self, request, domain, key):
        self.check(domain)
        for m in self.traffic.messages:
            if key == "key%d" % m.n:
                return Reply(200, {
                    "Content-Transfer-Encoding": "7bit", "Content-Type": "text/plain", "From": m.sender, "To": m.to,
                    "Subject": m.subject, "Message-Id": "<%d@%s>" % (m.n, domain), "Mime-Version": "1.0",
                    "X-Mailgun-Tag": m.tag, "X-Mailgun-Template-Name": "", "X-Mailgun-Template-Variables": "",
                    "sender": m.sender, "recipients": m.to, "body-plain": "made up\n", "body-html": "", "stripped-html": "",
                    "stripped-text": "made up", "stripped-signature": "", "message-headers": []})
        return self.error(404, "Message not found")

    # metrics
    def metrics(self, request):
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            return self.error(400, "JSON wanted")
        q = request.json()
        dims, names = q.get("dimensions", []), q.get("metrics", [])
        if len(dims) > 3 or len(names) > 10 or not names:
            return self.error(400, "at most 3 dimensions and 10 metrics, and one metric at least")
        if set(dims) - DIMENSIONS or set(names) - set(COUNTS) - set(RATES):
            return self.error(400, "unknown dimension or metric")
        resolution = q.get("resolution", "day")
        start, end = parse_rfc2822(q["start"]), parse_rfc2822(q["end"])
        step = {"hour": HOUR_MS, "day": DAY_MS}[resolution]
        start, end = start // step * step, -(-end // step) * step
        if "duration" in q:
            start = end - int(q["duration"][:-1]) * {"h": HOUR_MS, "d": DAY_MS, "m": 30 * DAY_MS}[q["duration"][-1]]
        table = self.table(start, end, step, dims, q.get("filter"), self.visible(request, q.get("include_subaccounts")))
        return self.metrics_page(q, table, dims, names, start, end, resolution)

    def table(self, start, end, step, dims, wanted=None, visible=bool):
        """key of dims -> metric -> n, of all events shown by now, and corrections where the dims allow them."""
        domains = {v["value"] for cond in (wanted or {}).get("AND", []) if cond["attribute"] == "domain"
                   and cond["comparator"] == "=" for v in cond["values"]}
        table = collections.defaultdict(collections.Counter)
        for e in self.traffic.between(start, end, self.clock.ms()):
            m = e.message
            if domains and m.domain not in domains or not visible(m.domain):
                continue
            known = {"time": e.t // step * step, "domain": m.domain, "ip": m.ip, "recipient_domain": m.rdomain,
                     "recipient_provider": m.provider, "tag": m.tag}
            row = table[tuple(known.get(d, "") for d in dims)]
            for name in counted(e):
                if "ip" not in dims or not name.startswith("accepted"):
                    row[name] += 1
        if set(dims) <= {"time", "domain"}:
            for bucket, domain, metric, delta in self.deltas:
                if start <= bucket < end and (not domains or domain in domains):
                    known = {"time": bucket // step * step, "domain": domain}
                    table[tuple(known[d] for d in dims)][metric] += delta
        return {key: row for key, row in table.items() if any(row.values())}  # empty buckets are omitted

    def values(self, row, names):
        out = {}
        for name in names:
            if name in RATES:
                n, d = (row[x] for x in RATES[name])
                out[name] = "%.4f" % (n / d if d else 0)
            elif row[name] or not self.null_counts:
                out[name] = row[name]
            elif len(name) % 2:
                out[name] = None  # null here, absent there: as the vendor's schema allows
        return out

    def metrics_page(self, q, table, dims, names, start, end, resolution):
        paging = q.get("pagination", {})
        limit = min(paging.get("limit", 1500 if "time" in dims else 10), 1500 if "time" in dims else 1000)
        skip = 0 if self.same_rows else paging.get("skip", 0)
        rows = sorted(table.items())
        items = []
        for key, row in rows[skip:skip + limit]:
            shown = [rfc2822(k, "+0000") if d == "time" else str(k) for d, k in zip(dims, key)]
            items.append({"dimensions": [{"dimension": d, "value": v, "display_value": v.title()}
                                         for d, v in zip(dims, shown)], "metrics": self.values(row, names)})
        total = 100000 if self.total_lies else len(rows)
        answer = {"start": rfc2822(start, "+0000"), "end": rfc2822(end, "+0000"), "resolution": resolution,
                  "dimensions": dims, "pagination": {"sort": paging.get("sort", ""), "skip": paging.get("skip", 0),
                                                     "limit": limit, "total": total}, "items": items}
        if q.get("include_aggregates"):
            whole = collections.Counter()
            for row in table.values():
                whole.update(row)
            answer["aggregates"] = {"metrics": self.values(whole, names)}
        return Reply(200, answer)

    # logs and events
    NAMES = {"temporary": "failed", "permanent": "failed"}

    def matching(self, start, end, kinds, domain=None, severity=None):
        return [e for e in self.traffic.between(start, end, self.clock.ms())
                if (not kinds or self.NAMES.get(e.kind, e.kind) in kinds) and domain in (None, e.message.domain)
                and severity in (None, e.kind)]

    def ident(self, e):
        if self.short_ids:  # unique within a day only
            return "id%d" % (e.message.n % 40 * 10 + e.attempt)
        return "%s-%d-%d" % (e.kind[:4], e.message.n, e.attempt)

    def status_of(self, e):
        status = {"message": e.text, "attempt-no": e.attempt, "code": str(e.code) if self.string_codes else e.code, "session-seconds": 0.5, "tls": True,
                  "mx-host": "mx." + e.message.rdomain, "certificate-verified": False, "utf8": True}
        if e.dsn:
            status["enhanced-code"] = e.dsn
        if e.kind == "temporary":
            status["retry-seconds"] = 300
        return status

    def entry(self, e, log):
        m = e.message
        item = {"id": self.ident(e), "event": self.NAMES.get(e.kind, e.kind), "recipient": m.to,
                "recipient-domain": m.rdomain, "recipient-provider": m.provider, "tags": [m.tag],
                "envelope": {"sender": m.sender, "transport": "smtp", "targets": m.to, "sending-ip": m.ip},
                "message": {"headers": {"to": m.to, "from": m.sender, "subject": m.subject,
                                        "message-id": "%d@%s" % (m.n, m.domain)}, "attachments": [], "size": m.size}}
        url = "https://storage.mailgun.example/v3/domains/%s/messages/key%d" % (m.domain, m.n)
        if log:
            item["@timestamp"] = utc(e.t).strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (e.t % 1000)
            owner = self.owners.get(m.domain)
            account = {"id": owner, "parent-id": "12345"} if owner else {"id": "12345"}
            item.update({"domain": {"name": m.domain}, "account": account, "user-variables": "{}",
                         "storage": {"region": "us", "env": "test", "key": "key%d" % m.n, "url": [url]},
                         "flags": {"is-authenticated": True, "is-system-test": False, "is-routed": False,
                                   "is-test-mode": False, "is-delayed-bounce": False, "is-callback": False}})
        else:
            item["timestamp"] = e.t / 1000
            item.update({"log-level": "info", "user-variables": {}, "storage": {"key": "key%d" % m.n, "url": url},
                         "flags": {"is-authenticated": True, "is-routed": False, "is-test-mode": False}})
        if e.kind in ("delivered", "temporary", "permanent"):
            item["delivery-status"] = self.status_of(e)
        if e.kind in ("temporary", "permanent"):
            item.update({"severity": e.kind, "reason": e.reason, "log-level": "warn"})
        return item

    def logs(self, request):
        q = request.json()
        paging = q.get("pagination", {})
        limit = min(paging.get("limit", 100), 100)
        domains = [v["value"] for c in q.get("filter", {}).get("AND", []) if c["attribute"] == "domain" for v in c["values"]]
        start = parse_rfc2822(q["start"]) if "start" in q else self.clock.ms() - DAY_MS
        end = parse_rfc2822(q["end"]) if "end" in q else self.clock.ms()
        visible = self.visible(request, q.get("include_subaccounts"))
        found = [e for e in self.matching(start, end + 1000, set(q.get("events", [])))
                 if (not domains or e.message.domain in domains) and visible(e.message.domain)]
        if not paging.get("sort", "timestamp:desc").endswith("asc"):
            found.reverse()
        skip = 0 if self.same_rows else int(base64.b64decode(paging.get("token", "MA==")))
        rows = found[skip:skip + limit]
        more = {}
        if skip + limit < len(found) or self.equal_next or skip:
            token = lambda n: base64.b64encode(b"%d" % n).decode()  # noqa: E731
            more = {"first": token(0), "previous": token(max(0, skip - limit)), "last": token(len(found) // limit * limit),
                    "total": len(found)}
            if skip + limit < len(found) or self.equal_next:
                more["next"] = token(skip if self.equal_next else skip + limit)
        return Reply(200, {"start": rfc2822(start, "+0000"), "end": rfc2822(end, "+0000"),
                           "items": [self.entry(e, True) for e in rows], "pagination": more, "aggregates": {}})

    def events(self, request, domain, token=None):
        self.check(domain)
        if token:
            q = json.loads(base64.urlsafe_b64decode(token))
        else:
            times = [float(request.arg(n)) if (request.arg(n) or "x").replace(".", "").isdigit() else
                     parse_rfc2822(request.arg(n)) / 1000 if request.arg(n) else None for n in ("begin", "end")]
            q = {"begin": times[0], "end": times[1], "limit": min(request.number("limit", 100), 300), "skip": 0,
                 "event": request.arg("event", ""), "ascending": request.arg("ascending"), "severity": request.arg("severity")}
            if q["limit"] < 1 or q["ascending"] is None and q["end"] is None and q["begin"] is not None:
                return self.error(400, "ascending is needed without end")
        start, end = int((q["begin"] or 0) * 1000), int(q["end"] * 1000) if q["end"] else self.clock.ms()
        kinds = {k.strip() for k in q["event"].split(" OR ") if k.strip()}
        found = self.matching(min(start, end), max(start, end) + 1000, kinds, domain, q["severity"])
        if q["ascending"] == "no" or start > end:
            found.reverse()
        rows = found[0 if self.same_rows else q["skip"]:][:q["limit"]]

        def link(skip):
            text = base64.urlsafe_b64encode(json.dumps(dict(q, skip=skip)).encode()).decode()
            return self.url("/v3/%s/events/%s" % (domain, text))
        following = q["skip"] if self.equal_next else q["skip"] + len(rows)
        return Reply(200, {"items": [self.entry(e, False) for e in rows], "paging": {
            "next": link(following), "previous": link(max(0, q["skip"] - q["limit"])), "first": link(0),
            "last": link(len(found) // q["limit"] * q["limit"])}})

    def do_bench(self, count, domain="bench.example", ago_ms=HOUR_MS):
        """count failures as rendered pages of 100, so that serving them costs next to nothing."""
        start = self.clock.ms() - ago_ms
        self.do_traffic(domain, 100, start_ms=start, span_ms=1000, only="bounce")
        entries = [self.entry(e, True) for m in self.traffic.messages[-100:] for e in m.events[1:2]]
        head = '{"start":"%s","end":"%s","items":' % (rfc2822(start, "+0000"), rfc2822(self.clock.ms(), "+0000"))
        # ids are made new from page to page where the text is cut
        self.pages = re.split(rb'(?<="id": ")(?=perm-)|(?<="message-id": ")', (head + json.dumps(entries)).encode())
        self.page_count, self.quiet = count, True

    def page_of(self, target, body):
        if target != b"/v1/analytics/logs":
            return None
        token = re.search(rb'"token":"([^"]+)"', body)
        skip = int(base64.b64decode(token[1])) if token else 0
        if skip >= self.page_count:
            return self.pages[0].split(b"[")[0] + b'[],"pagination":{}}'
        return b"".join(((b"b%d-" % skip).join(self.pages), b',"pagination":{"next":"',
                         base64.b64encode(b"%d" % (skip + 100)), b'"}}'))

    # v3 stats
    def stats_account(self, request):
        return self.v3(request, None)

    def stats(self, request, domain):
        self.check(domain)
        return self.v3(request, domain)

    def v3(self, request, domain):
        wanted = request.query.get("event", [])
        if not wanted:
            return self.error(400, "event is required")
        resolution = request.arg("resolution", "day")
        step = {"hour": HOUR_MS, "day": DAY_MS}[resolution]
        read = lambda s: int(float(s) * 1000) if s.replace(".", "").isdigit() else parse_rfc2822(s)  # noqa: E731
        end = read(request.arg("end")) if request.arg("end") else self.clock.ms()
        start = read(request.arg("start")) if request.arg("start") else end - 7 * DAY_MS
        if request.arg("duration"):
            start = end - int(request.arg("duration")[:-1]) * {"h": HOUR_MS, "d": DAY_MS}[request.arg("duration")[-1]]
        start, end = start // step * step, end // step * step
        filt = {"AND": [{"attribute": "domain", "comparator": "=", "values": [{"value": domain}]}]} if domain else None
        table = self.table(start, end + step, step, ["time"], filt)
        stats = []
        for t in range(start, end + step, step):  # zero buckets are listed, both ends included
            row = table.get((t,), collections.Counter())
            stats.append(dict({"time": rfc2822(t)}, **{name: self.v3_value(name, row) for name in wanted}))
        return Reply(200, {"description": "", "start": rfc2822(start), "end": rfc2822(end), "resolution": resolution,
                           "stats": stats})

    @staticmethod
    def v3_value(name, row):
        if name == "accepted":
            return {"incoming": 0, "outgoing": row["accepted_count"], "total": row["accepted_count"]}
        if name == "delivered":
            return {"smtp": row["delivered_count"], "http": 0, "optimized": 0, "total": row["delivered_count"]}
        if name == "failed":
            suppressed = {"suppress-bounce": row["suppressed_bounces_count"],
                          "suppress-unsubscribe": row["suppressed_unsubscribed_count"],
                          "suppress-complaint": row["suppressed_complaints_count"]}
            bounce = row["permanent_failed_count"] - sum(suppressed.values())
            return {"temporary": {"espblock": row["temporary_failed_esp_block_count"], "total": row["temporary_failed_count"]},
                    "permanent": dict(suppressed, bounce=bounce, webhook=0, optimized=0, total=row["permanent_failed_count"],
                                      **{"delayed-bounce": 0})}
        return {"total": row[name + "_count"]}

    def providers(self, request, domain):
        self.check(domain)
        rows = self.table(0, self.clock.ms() + 1, DAY_MS, ["recipient_provider", "domain"])
        return Reply(200, {"items": {p: {"accepted": r["accepted_count"], "delivered": r["delivered_count"]}
                                     for (p, d), r in rows.items() if d == domain}})

    def classification(self, request):
        return Reply(200, {"items": [], "pagination": {"limit": 10, "skip": 0, "total": 0}})

    # suppressions: alphabetical
    def suppressions(self, request, domain, kind):
        self.check(domain)
        limit = request.number("limit", 100)
        if not 1 <= limit <= 1000:
            return self.error(400, "limit must be between 1 and 1000")
        names = sorted(self.lists[domain, kind])
        page, pivot = request.arg("page"), request.arg("address", "")
        if page == "next" and not self.same_rows:
            rows = [n for n in names if n > pivot][:limit]
        elif page == "previous":
            rows = [n for n in names if n < pivot][-limit:]
        else:
            rows = names[-limit:] if page == "last" else names[:limit]
        path = "/v3/%s/%s" % (domain, kind)
        last = pivot if self.equal_next or not rows else rows[-1]
        paging = {"first": self.url(path, limit=limit), "last": self.url(path, page="last", limit=limit),
                  "next": self.url(path, page="next", address=last, limit=limit),
                  "previous": self.url(path, page="previous", address=rows[0] if rows else pivot, limit=limit)}
        if not names:
            paging = dict.fromkeys(paging, paging["first"])
        headers = {"X-Request-Limit": "2500", "X-Request-Remaining": "2497",
                   "X-Request-Reset": str(self.clock.ms() + 15000)}
        return Reply(200, {"items": [self.lists[domain, kind][n] for n in rows], "paging": paging}, headers)

    def suppression(self, request, domain, kind, address):
        self.check(domain)
        item = self.lists[domain, kind].get(address)
        return Reply(200, item) if item else self.error(404, "Address not found in %s table" % kind)

    def suppression_delete(self, request, domain, kind, address):
        self.check(domain)
        if not self.lists[domain, kind].pop(address, None):
            return self.error(404, "Address not found in %s table" % kind)
        what = "value" if kind == "whitelists" else "address"
        return Reply(200, {"message": "Bounced address has been removed", what: address})

    # IPs
    def ips(self, request):
        return Reply(200, {"items": list(self.ip_list), "total_count": len(self.ip_list), "assignable_to_pools": [],
                           "details": [dict({"ip": ip}, **({"is_on_warmup": True} if on else {}))
                                       for ip, on in self.ip_list.items()]})

    def ip(self, request, ip):
        if ip not in self.ip_list:
            return self.error(404, "IP not found")
        return Reply(200, {"ip": ip, "dedicated": True, "rdns": "m%s.mail.example" % ip.split(".")[-1]})

    def pools(self, request):
        return Reply(200, {"message": "success", "ip_pools": [{
            "pool_id": "60140bc1fee3e84dec5abeeb", "name": "main", "description": "made up", "ips": list(self.ip_list),
            "is_linked": True, "is_inherited": False}]})

    def warmups(self, request):
        limit, page = request.number("limit", 10), request.number("page", 0)
        on = sorted(ip for ip, warming in self.ip_list.items() if warming)
        items = [{"ip": ip, "sent_within_stage": "25%", "throttle": 90, "stage_number": 4, "stage_start_volume": 10000,
                  "stage_start_time": "2026-11-20T00:00:00Z", "stage_volume_limit": 8000} for ip in on]
        if limit < 1:
            return self.error(400, "limit")
        return Reply(200, {"items": items[page * limit:][:limit], "paging": {"first": "first", "next": "next"}})

    def warmup(self, request, ip):
        if not self.ip_list.get(ip):
            return self.error(404, "no warm-up of this address")
        return Reply(200, {"details": {
            "sent_within_stage": "25%", "throttle": 90, "start_volume": 10000, "stage": 4, "stage_limit": 8000,
            "stage_started_at": "2026-11-20T00:00:00Z", "hour_started_at": "0001-01-01T00:00:00Z", "total_stages": 15,
            "plan_started_at": "2026-11-14T21:33:55.000000123Z", "plan_last_updated_at": "2026-11-20T00:00:00Z",
            "stage_history": [{"first_updated_at": "0001-01-01T00:00:00Z",
                               "completed_at": "2026-11-15T21:33:55.000000123Z", "limit": 1000}]}})

    def limit(self, request):
        month = utc(self.clock.ms())
        first = int(datetime.datetime(month.year, month.month, 1, tzinfo=UTC).timestamp() * 1000)
        used = sum(e.kind == "accepted" for e in self.traffic.between(first, self.clock.ms() + 1, self.clock.ms()))
        return Reply(200, {"limit": 100000, "current": used, "period": "1m"})

    def me(self, request):
        return Reply(200, {"account_id": "12345", "activated": True, "email": "me@example.com", "id": "1", "name": "made up",
                           "role": "basic", "is_master": False})

    # the truth, counted on its own: one walk over all events shown by now
    def ledger(self):
        now, hours, days = self.clock.ms(), collections.defaultdict(dict), {}
        for m in self.traffic.messages:
            for e in m.events:
                if e.t > now or e.seen > now:
                    continue
                hour = hours["%d" % (e.t - e.t % HOUR_MS)].setdefault(m.domain, {})
                name = e.kind if not e.reason.startswith("suppress") else "suppressed"
                hour[name] = hour.get(name, 0) + 1
                if e.reason == "bounce":
                    hour["hard"] = hour.get("hard", 0) + 1
        for bucket, domain, metric, delta in self.deltas:
            hour = hours["%d" % (bucket - bucket % HOUR_MS)].setdefault(domain, {})
            name = {"delivered_count": "delivered", "accepted_count": "accepted", "temporary_failed_count": "temporary",
                    "permanent_failed_count": "permanent", "complained_count": "complained"}.get(metric, metric)
            hour[name] = hour.get(name, 0) + delta
        for rows in hours.values():
            for domain, row in rows.items():
                total = days.setdefault(domain, {})
                for name, n in row.items():
                    total[name] = total.get(name, 0) + n
        failures = sorted(self.ident(e) for e in self.traffic.between(0, now + 1, now) if e.kind in self.NAMES)
        return {"hours": hours, "domains": days, "failures": failures,
                "lists": {"%s/%s" % key: sorted(rows) for key, rows in self.lists.items()}}


if __name__ == "__main__":
    Mailgun.main()
