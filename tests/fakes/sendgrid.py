#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""sendgrid - a SendGrid account on loopback: daily stats, suppressions, email logs, IPs, scopes, subusers.

State is tests/fakes/traffic.py's messages on a clock the test sets; the "domain" of a message is the subuser it was
sent by, "" the parent. Days are those of the account's time zone (zone_ms, east of UTC).
"""
import base64
import collections
import datetime
import json
import os
import re
import sys
import urllib.parse
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from traffic import Traffic  # noqa: E402
from vendor import UTC, Fake, Raise, Reply, utc  # noqa: E402

DAY_MS = 86400000
METRICS = """blocks bounce_drops bounces clicks deferred delivered invalid_emails opens processed requests
spam_report_drops spam_reports unique_clicks unique_opens unsubscribe_drops unsubscribes""".split()
PROVIDER_METRICS = """blocks bounces clicks deferred delivered drops opens processed requests spam_reports unique_clicks
unique_opens""".split()
SCOPES = """stats.read stats.global.read mailbox_providers.stats.read categories.read categories.stats.read suppression.read
suppression.bounces.read suppression.blocks.read suppression.invalid_emails.read suppression.spam_reports.read
suppression.unsubscribes.read suppression.delete suppression.bounces.delete ips.read ips.warmup.read ips.pools.read
ips.assigned.read user.account.read user.credits.read user.username.read subusers.read subusers.reputations.read
messages.read email_activity.read""".split()
LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
CLASSES = {"bounce": "Invalid Address", "espblock": "Reputation", "generic": "Technical Failure"}


def counted(e):
    if e.kind == "accepted":
        dropped = {"suppress-bounce": "bounce_drops", "suppress-unsubscribe": "unsubscribe_drops",
                   "suppress-complaint": "spam_report_drops"}
        for other in e.message.events:
            if other.reason in dropped:
                return ("requests", dropped[other.reason])
        return ("requests", "processed")
    if e.kind == "permanent":
        return ("bounces",) if e.reason == "bounce" else () if e.reason.startswith("suppress") else ("blocks",)
    return {"delivered": ("delivered",), "temporary": ("deferred",), "opened": ("opens", "unique_opens"),
            "clicked": ("clicks", "unique_clicks"), "complained": ("spam_reports",), "unsubscribed": ("unsubscribes",)}[e.kind]


class SendGrid(Fake):
    """A SendGrid account on loopback."""
    name = "sendgrid"
    KEY = "SG.made-up-sendgrid-key"
    ROUTES = [
        ("GET", r"/v3/scopes", "scopes"),
        ("GET", r"/v3/stats", "stats"),
        ("GET", r"/v3/mailbox_providers/stats", "providers"),
        ("GET", r"/v3/categories", "categories"),
        ("GET", r"/v3/categories/stats", "category_stats"),
        ("GET", r"/v3/categories/stats/sums", "category_sums"),
        ("GET", r"/v3/suppression/bounces/classifications", "classes"),
        ("GET", r"/v3/suppression/(%s)" % "|".join(LISTS), "suppressions"),
        ("DELETE", r"/v3/(suppression|asm)/(%s|suppressions/global)/([^/]+)" % "|".join(LISTS), "suppression_delete"),
        ("POST", r"/v3/logs", "logs"),
        ("GET", r"/v3/logs/([^/]+)", "log_detail"),
        ("GET", r"/v3/messages", "messages"),
        ("GET", r"/v3/ips", "ips"),
        ("GET", r"/v3/ips/pools", "pools"),
        ("GET", r"/v3/ips/pools/([^/]+)", "pool"),
        ("GET", r"/v3/ips/warmup", "warmups"),
        ("GET", r"/v3/ips/warmup/([^/]+)", "warmup"),
        ("GET", r"/v3/user/account", "account"),
        ("GET", r"/v3/user/credits", "credits"),
        ("GET", r"/v3/user/username", "username"),
        ("GET", r"/v3/subusers", "subusers"),
        ("GET", r"/v3/subusers/reputations", "reputations"),
    ]

    def __init__(self, **kw):
        super().__init__(**kw)
        self.traffic = Traffic()
        self.granted, self.zone_ms, self.zone = list(SCOPES), 0, None
        self.names = {}  # subuser -> id
        self.lists = collections.defaultdict(list)  # (subuser, list) -> items
        self.deltas = []  # (date, subuser, metric, delta)
        self.ip_list = [{"ip": "198.51.100.%d" % n, "pools": ["main"], "warmup": n == 7} for n in (7, 8)]
        self.activity = False  # the add-on behind /v3/messages
        self.same_rows = self.object_warmup = self.float_created = False
        self.provider_days = 7

    # control
    def do_traffic(self, count, start_ms=None, span_ms=3600000, ago_ms=None, subuser="", **more):
        start = self.clock.ms() - ago_ms if ago_ms is not None else start_ms
        for m in self.traffic.add(subuser, count, start, span_ms, **more):
            for e in m.events:
                self.suppress(subuser, e)
        return start

    def do_subuser(self, name):
        self.names[name] = 1000 + len(self.names)

    def do_scopes(self, scopes):
        self.granted = scopes

    def do_correct(self, date, metric, delta, subuser=""):
        self.deltas.append((date, subuser, metric, delta))

    def do_list_add(self, kind, email, created_ms=None, subuser="", **more):
        created = (created_ms or self.clock.ms()) // 1000
        item = {"created": created, "email": email}
        if kind in ("bounces", "blocks"):
            item.update(reason="550 5.1.1 no such user", status="5.1.1")
        elif kind == "invalid_emails":
            item["reason"] = "Mail domain mentioned in email address is unknown"
        elif kind == "spam_reports":
            item["ip"] = "198.51.100.7"
        item.update(more)
        self.lists[subuser, kind].append(item)

    def do_list_remove(self, kind, email, subuser=""):
        self.lists[subuser, kind] = [i for i in self.lists[subuser, kind] if i["email"] != email]

    def do_style(self, **options):
        for name, value in options.items():
            if not hasattr(self, name):
                raise KeyError(name)
            setattr(self, name, value)

    def suppress(self, subuser, e):
        kind = {"complained": "spam_reports", "unsubscribed": "unsubscribes"}.get(e.kind)
        if e.kind == "permanent" and not e.reason.startswith("suppress"):
            kind = "bounces" if e.reason == "bounce" else "blocks"
        if kind:
            more = {"reason": e.text, "status": e.dsn} if kind in ("bounces", "blocks") else {}
            self.do_list_add(kind, e.message.to, e.t, subuser, **more)

    # errors
    def auth(self, headers):
        given = headers.get("authorization")
        return "absent" if given is None else "right" if given == "Bearer " + self.key else "wrong"

    def unauthorized(self, auth):
        text = "authorization required" if auth == "absent" else \
            "The provided authorization grant is invalid, expired, or revoked"
        return Reply(401, {"errors": [{"field": None, "message": text}]})

    def error(self, status, text, field=None):
        return Reply(status, {"errors": [{"message": text} if field is None else {"field": field, "message": text}]})

    def too_many_body(self):
        return b'{"errors":[{"field":null,"message":"too many requests"},]}'  # as the vendor's page prints it

    def not_found(self, request):
        return Reply(404, {"errors": [{"field": None, "message": "resource not found"}]})

    NEEDS = ((r"/v3/stats", "stats.read"), (r"/v3/mailbox_providers/stats", "mailbox_providers.stats.read"),
             (r"/v3/categories/stats", "categories.stats.read"), (r"/v3/suppression/bounces", "suppression.bounces.read"),
             (r"/v3/suppression/blocks", "suppression.blocks.read"),
             (r"/v3/suppression/invalid_emails", "suppression.invalid_emails.read"),
             (r"/v3/suppression/spam_reports", "suppression.spam_reports.read"),
             (r"/v3/suppression/unsubscribes", "suppression.unsubscribes.read"), (r"/v3/ips/warmup", "ips.warmup.read"),
             (r"/v3/ips/pools", "ips.pools.read"), (r"/v3/ips", "ips.read"), (r"/v3/user/account", "user.account.read"),
             (r"/v3/user/credits", "user.credits.read"), (r"/v3/subusers/reputations", "subusers.reputations.read"),
             (r"/v3/subusers", "subusers.read"), (r"/v3/logs", "messages.read"))

    def route(self, request):
        for prefix, scope in self.NEEDS:
            if request.path.startswith(prefix):
                wide = scope.split(".")[0] + ".read"
                if request.method == "GET" and scope not in self.granted and wide not in self.granted:
                    return self.error(403, "access forbidden")
                break
        if "json" not in request.headers.get("Accept", "application/json") and "*/*" not in request.headers.get("Accept"):
            return self.error(406, "not acceptable")
        reply = super().route(request)
        reply.headers.setdefault("X-Ratelimit-Limit", "600")
        reply.headers.setdefault("X-Ratelimit-Remaining", "598")
        reply.headers.setdefault("X-Ratelimit-Reset", str(self.clock.ms() // 1000 + 30))
        return reply

    def who(self, request):
        name = request.headers.get("on-behalf-of", "")
        if name and name not in self.names:
            raise Raise(self.error(401, "authorization required"))
        return name

    def scopes(self, request):
        return Reply(200, {"scopes": sorted(set(self.granted))})

    # stats: days of the account
    def day(self, t):
        if self.zone:
            return datetime.datetime.fromtimestamp(t / 1000, zoneinfo.ZoneInfo(self.zone)).strftime("%Y-%m-%d")
        return utc(t + self.zone_ms).strftime("%Y-%m-%d")

    def midnight_s(self, date):
        """UTC seconds of a day's beginning."""
        t = datetime.datetime.fromisoformat(date)
        if self.zone:
            return int(t.replace(tzinfo=zoneinfo.ZoneInfo(self.zone)).timestamp())
        return int(t.replace(tzinfo=UTC).timestamp()) - self.zone_ms // 1000

    def days(self, request):
        start = request.arg("start_date")
        if not start or not re.fullmatch(r"\d{4}-\d\d-\d\d", start):
            raise Raise(self.error(400, "start_date must be YYYY-MM-DD", "start_date"))
        if request.arg("aggregated_by", "day") != "day":
            raise Raise(self.error(400, "unable to get stats"))
        first = datetime.date.fromisoformat(start)
        last = datetime.date.fromisoformat(request.arg("end_date") or self.day(self.clock.ms()))
        last = min(last, datetime.date.fromisoformat(self.day(self.clock.ms())))
        return [(first + datetime.timedelta(days=i)).isoformat() for i in range((last - first).days + 1)]

    def counts(self, days, who, key):
        """(day, key of the message) -> Counter"""
        table = collections.defaultdict(collections.Counter)
        if not days:
            return table
        start = self.midnight_s(days[0]) * 1000
        for e in self.traffic.between(start, start + (len(days) + 1) * DAY_MS, self.clock.ms()):
            if e.message.domain == who and days[0] <= self.day(e.t) <= days[-1]:
                for name in counted(e):
                    table[self.day(e.t), key(e.message)][name] += 1
        return table

    def stats(self, request):
        days, who = self.days(request), self.who(request)
        table = self.counts(days, who, lambda m: None)
        for date, subuser, metric, delta in self.deltas:
            if date in days and subuser == who:
                table[date, None][metric] += delta
        rows = [{"date": d, "stats": [{"metrics": {n: table[d, None][n] for n in METRICS}}]} for d in days]
        return self.sliced(request, rows, 500)

    def sliced(self, request, rows, limit):
        limit = request.number("limit", limit)
        offset = 0 if self.same_rows else request.number("offset", 0)
        part = rows[offset:offset + limit]
        headers = {}
        if offset + limit < len(rows):
            link = 'http://api.sendgrid.com%s?limit=%d&offset=%d' % (request.path, limit, offset + limit)
            headers["Link"] = '<%s>; rel="next"; title="2"' % link
        return Reply(200, part, headers)

    def providers(self, request):
        days, who = self.days(request), self.who(request)
        kept = self.day(self.clock.ms() - (self.provider_days - 1) * DAY_MS)
        table = self.counts(days, who, lambda m: m.provider)
        wanted = request.query.get("mailbox_providers")
        names = sorted({k[1] for k in table if not wanted or k[1] in wanted})

        def metrics(row):
            out = {n: row[n] for n in PROVIDER_METRICS}
            out["drops"] = row["bounce_drops"] + row["spam_report_drops"] + row["unsubscribe_drops"]
            return out
        rows = [{"date": d, "stats": [{"type": "mailbox_provider", "name": n, "metrics": metrics(table[d, n])}
                                      for n in names]} for d in days if d >= kept]
        return self.sliced(request, rows, 500)

    def categories(self, request):
        names = sorted({m.tag for m in self.traffic.messages if m.domain == self.who(request)})
        return self.sliced(request, [{"category": n} for n in names], 50)

    def category_stats(self, request):
        days, who = self.days(request), self.who(request)
        wanted = request.query.get("categories")
        if not wanted or len(wanted) > 10:
            return self.error(400, "1 to 10 categories", "categories")
        table = self.counts(days, who, lambda m: m.tag)
        return Reply(200, [{"date": d, "stats": [{"type": "category", "name": n, "metrics": {
            x: table[d, n][x] for x in METRICS}} for n in wanted]} for d in days])

    def category_sums(self, request):
        days, who = self.days(request), self.who(request)
        table = collections.defaultdict(collections.Counter)
        for (_, name), row in self.counts(days, who, lambda m: m.tag).items():
            table[name].update(row)
        names = sorted(table, key=lambda n: (-table[n]["delivered"], n))
        limit, offset = request.number("limit", 5), 0 if self.same_rows else request.number("offset", 0)
        return Reply(200, {"date": days[0] if days else request.arg("start_date"), "stats": [
            {"type": "category", "name": n, "metrics": {x: table[n][x] for x in METRICS}} for n in names[offset:offset + limit]]})

    # suppressions, in no order anyone promised
    def suppressions(self, request, kind):
        who = self.who(request)
        limit = request.number("limit", 500)
        if not 1 <= limit <= 500:
            return self.error(400, "limit must be 1 to 500", "limit")
        start, end = request.number("start_time", 0), request.number("end_time", 1 << 40)
        now = self.clock.ms() // 1000
        rows = [dict(i) for i in self.lists[who, kind] if start <= i["created"] <= min(end, now)]
        rows.sort(key=lambda i: (hash_of(i["email"]), i["created"]))
        if self.float_created:
            for row in rows:
                row["created"] = float(row["created"])
        return self.sliced(request, rows, limit)

    def suppression_delete(self, request, family, kind, email):
        kind = "unsubscribes" if kind == "suppressions/global" else kind
        who = self.who(request)
        left = [i for i in self.lists[who, kind] if i["email"] != email]
        if len(left) == len(self.lists[who, kind]):
            return self.not_found(request)
        self.lists[who, kind] = left
        return Reply(204, b"")

    def classes(self, request):
        who = self.who(request)
        start, end = request.arg("start_date"), request.arg("end_date")
        table = collections.defaultdict(collections.Counter)
        for e in self.traffic.between(0, self.clock.ms() + 1, self.clock.ms()):
            if e.message.domain == who and e.kind == "permanent" and e.reason in CLASSES:
                table[self.day(e.t)][CLASSES[e.reason]] += 1
        return Reply(200, {"result": [{"date": d, "stats": [{"classification": c, "count": n} for c, n in sorted(row.items())]}
                                      for d, row in sorted(table.items()) if (start or d) <= d <= (end or d)]})

    # email logs
    STATUS = {"delivered": "delivered", "temporary": "deferred"}

    def state(self, m):
        """(status, reason) by the last event shown."""
        now, status, reason = self.clock.ms(), "processed", ""
        for e in m.events:
            if e.t > now or e.seen > now:
                continue
            if e.kind == "permanent":
                reason = e.text
                status = "dropped" if e.reason.startswith("suppress") else "bounced" if e.reason == "bounce" else "blocked"
            elif e.kind in self.STATUS:
                status, reason = self.STATUS[e.kind], e.text if e.kind == "temporary" else ""
        return status, reason

    def ident(self, m):
        return "made-up-%d.recvd-%s" % (m.n, base64.b32encode(b"%d" % m.n).decode().strip("="))

    def row(self, m):
        status, reason = self.state(m)
        row = {"from_email": m.sender, "sg_message_id": self.ident(m), "subject": m.subject, "to_email": m.to,
               "status": status, "sg_message_id_created_at": utc(m.t).strftime("%Y-%m-%dT%H:%M:%SZ")}
        if reason:
            row["reason"] = reason
        return row

    def logs(self, request):
        q = request.json()
        limit = q.get("limit", 10)
        if not 1 <= limit <= 1000:
            return self.error(400, "limit must be 1 to 1000", "limit")
        tests = [self.condition(c) for c in re.split(r" AND ", q.get("query", "")) if c.strip()]
        who = self.who(request)
        if q.get("subusers"):
            who = {"%d" % v: k for k, v in self.names.items()}.get(q["subusers"][0], "?")
        found = [m for m in self.traffic.messages if m.domain == who and m.t <= self.clock.ms()
                 and m.t > self.clock.ms() - 30 * DAY_MS]
        rows = [r for r in map(self.row, found) if all(t(r) for t in tests)]
        rows.sort(key=lambda r: r["sg_message_id_created_at"], reverse=True)
        return Reply(200, {"messages": rows[:limit]})

    def condition(self, text):
        text = text.strip()
        m = re.fullmatch(r"(status|categories) IN \(((?:'[^']*'(?:,\s*)?)+)\)", text)
        if m:
            values = set(re.findall(r"'([^']*)'", m[2]))
            return lambda row: row.get(m[1]) in values
        m = re.fullmatch(r'sg_message_id_created_at (>=|<=|>|<) TIMESTAMP "(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"', text)
        if m:
            compare = {">": str.__gt__, "<": str.__lt__, ">=": str.__ge__, "<=": str.__le__}[m[1]]
            return lambda row: compare(row["sg_message_id_created_at"], m[2])
        m = re.fullmatch(r"(sg_message_id|subject|to_email|reason)\s*=\s*['\"]([^'\"]*)['\"]", text)
        if m:
            return lambda row: row.get(m[1]) == m[2]
        raise Raise(self.error(400, "invalid syntax: %r" % text, "query"))

    def log_detail(self, request, ident):
        for m in self.traffic.messages:
            if self.ident(m) == ident and m.t <= self.clock.ms():
                return Reply(200, dict(self.row(m), events=[x for x in map(self.detail, m.events) if x]))
        return self.error(404, "not found", "sg_message_id")

    def detail(self, e):
        m, now = e.message, self.clock.ms()
        if e.t > now or e.seen > now:
            return None
        base = {"email": m.to, "sg_message_id": self.ident(m), "sg_event_id": "ev%d-%s-%d" % (m.n, e.kind, e.attempt),
                "timestamp": utc(e.t).strftime("%Y-%m-%dT%H:%M:%SZ")}
        smtp = {"smtp-id": "<%d@ismtpd.example>" % m.n}
        if e.kind == "accepted":
            return dict(base, event="processed", **smtp)
        if e.kind == "delivered":
            return dict(base, event="delivered", ip=m.ip, response="250 OK", tls=1, **smtp)
        if e.kind == "temporary":
            return dict(base, event="deferred", response=e.text, attempt=str(e.attempt - 1), domain=m.rdomain, ip=m.ip, **smtp)
        if e.kind == "permanent" and e.reason.startswith("suppress"):
            return dict(base, event="dropped", reason=e.text, **smtp)
        if e.kind == "permanent":
            return dict(base, event="bounce", type="bounce" if e.reason == "bounce" else "blocked", reason=e.text,
                        status=e.dsn, ip=m.ip, bounce_classification=CLASSES[e.reason], **smtp)
        names = {"opened": "open", "clicked": "click", "complained": "spamreport", "unsubscribed": "unsubscribe"}
        return dict(base, event=names[e.kind])

    def messages(self, request):
        if not self.activity:
            return self.error(400, "authorization required")
        rows = [r for r in (self.row(m) for m in self.traffic.messages if m.t <= self.clock.ms())]
        state = lambda s: s if s in ("processed", "delivered") else "not_delivered"  # noqa: E731
        return Reply(200, {"messages": [{
            "from_email": r["from_email"], "msg_id": r["sg_message_id"], "subject": r["subject"], "to_email": r["to_email"],
            "status": state(r["status"]), "opens_count": 0, "clicks_count": 0,
            "last_event_time": r["sg_message_id_created_at"]} for r in rows[:request.number("limit", 10)]]})

    def do_bench(self, count, ago_ms=86400000):
        """count messages spread over ago_ms, each rendered once."""
        start, texts, at = self.clock.ms() - ago_ms, [], [0]
        for n in range(count):
            when = utc(start + n * ago_ms // count).strftime("%Y-%m-%dT%H:%M:%SZ")
            texts.append(b'{"from_email":"a@example.com","sg_message_id":"b%d","subject":"s","to_email":"u%d@example.net",'
                         b'"status":"bounced","reason":"550 5.1.1 no","sg_message_id_created_at":"%s"},' % (n, n, when.encode()))
            at.append(at[-1] + len(texts[-1]))
        self.pages, self.page_at, self.page_range, self.quiet = b"".join(texts), at, (count, start, ago_ms), True

    def page_of(self, target, body):
        if target != b"/v3/logs":
            return None
        count, start, span = self.page_range
        lo, hi = (datetime.datetime.fromisoformat(t.decode()).replace(tzinfo=UTC).timestamp() * 1000
                  for t in re.findall(rb'TIMESTAMP \\"([^"\\]+)Z\\"', body)[:2])
        first = max(0, min(count, -int(-(lo - start) * count // span)))
        last = max(first, min(count, -int(-(hi - start) * count // span), first + json.loads(body)["limit"]))
        return b'{"messages":[%s]}' % self.pages[self.page_at[first]:self.page_at[last]].rstrip(b",")

    # IPs
    def ips(self, request):
        rows = [{"ip": i["ip"], "subusers": [], "rdns": "o1.email.example", "pools": i["pools"], "warmup": i["warmup"],
                 "start_date": self.started() if i["warmup"] else None, "whitelabeled": True, "assigned_at": 1482883200}
                for i in self.ip_list]
        return self.sliced(request, rows, 10)

    def started(self):
        return self.clock.ms() // 1000 - 5 * 86400 - 3600

    def pools(self, request):
        return Reply(200, [{"name": n} for n in sorted({p for i in self.ip_list for p in i["pools"]})])

    def pool(self, request, name):
        ips = [i["ip"] for i in self.ip_list if name in i["pools"]]
        if not ips:
            return self.error(404, "Unable to locate specified IPs Pool", "error")
        return Reply(200, {"pool_name": name, "ips": ips})

    def warmups(self, request):
        rows = [{"ip": i["ip"], "start_date": self.started()} for i in self.ip_list if i["warmup"]]
        return Reply(200, rows[0] if self.object_warmup and len(rows) == 1 else rows)

    def warmup(self, request, ip):
        for i in self.ip_list:
            if i["ip"] == ip and i["warmup"]:
                row = {"ip": ip, "start_date": self.started()}
                return Reply(200, row if self.object_warmup else [row])
        return self.not_found(request)

    # account
    def account(self, request):
        return Reply(200, {"type": "paid", "reputation": 99.7})

    def credits(self, request):
        used = sum(m.t <= self.clock.ms() for m in self.traffic.messages)
        return Reply(200, {"remain": 100000 - used, "total": 100000, "overage": 0, "used": used, "last_reset": "2026-11-01",
                           "next_reset": "2026-12-01", "reset_frequency": "monthly"})

    def username(self, request):
        return Reply(200, {"username": "made_up", "user_id": 1})

    def subusers(self, request):
        rows = [{"disabled": False, "id": i, "username": n, "email": n + "@example.com"} for n, i in sorted(self.names.items())]
        return self.sliced(request, rows, 500)

    def reputations(self, request):
        names = urllib.parse.unquote(request.arg("usernames", "")).split(",")
        return Reply(200, [{"username": n, "reputation": 95.2} for n in sorted(self.names) if names == [""] or n in names])

    # the truth, counted on its own
    def outcomes(self, key):
        """key(message) -> day -> outcome -> n, counted from the messages."""
        now, out = self.clock.ms(), {}
        for m in self.traffic.messages:
            dropped = any(e.reason.startswith("suppress") for e in m.events)
            for e in m.events:
                if e.t > now or e.seen > now:
                    continue
                row = out.setdefault(key(m), {}).setdefault(self.day(e.t), {})
                name = e.kind
                if e.kind == "permanent":
                    name = "dropped" if dropped else "bounced" if e.reason == "bounce" else "blocked"
                row[name] = row.get(name, 0) + 1
                if e.kind == "accepted" and not dropped:
                    row["processed"] = row.get("processed", 0) + 1
        return out

    def ledger(self):
        now, days = self.clock.ms(), self.outcomes(lambda m: m.domain)
        for date, subuser, metric, delta in self.deltas:
            row = days.setdefault(subuser, {}).setdefault(date, {})
            name = {"bounces": "bounced", "blocks": "blocked", "requests": "accepted", "deferred": "temporary"}.get(metric, metric)
            row[name] = row.get(name, 0) + delta
        status = {self.ident(m): self.state(m)[0] for m in self.traffic.messages if m.t <= now}
        return {"days": days, "status": status,
                "lists": {"%s/%s" % key: sorted(i["email"] for i in rows if i["created"] <= now // 1000)
                          for key, rows in self.lists.items()}}


def hash_of(text):
    n = 0
    for c in text:
        n = (n * 131 + ord(c)) & 0xffffffff
    return n


if __name__ == "__main__":
    SendGrid.main()
