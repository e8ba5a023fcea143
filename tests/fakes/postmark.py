#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""postmark - a Postmark server on loopback: counters by the day (US Eastern), bounces, suppressions of a stream.

State is tests/fakes/traffic.py's messages on a clock the test sets.
"""
import collections
import datetime
import os
import sys
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from traffic import Traffic  # noqa: E402
from vendor import Fake, Raise, Reply  # noqa: E402

ZONE = zoneinfo.ZoneInfo("America/New_York")
TYPES = {"bounce": "HardBounce", "espblock": "Blocked", "generic": "SoftBounce", "greylisted": "Transient",
         "suppress-bounce": "SMTPApiError", "suppress-unsubscribe": "SMTPApiError", "suppress-complaint": "SMTPApiError"}


class Postmark(Fake):
    """A Postmark server on loopback."""
    name = "postmark"
    KEY = "made-up-postmark-token"
    ROUTES = [
        ("GET", r"/stats/outbound/(sends|bounces|spam|opens|clicks)", "stats"),
        ("GET", r"/bounces", "bounces"),
        ("GET", r"/message-streams/([^/]+)/suppressions/dump", "suppressions"),
        ("GET", r"/server", "server"),
    ]

    def __init__(self, **kw):
        super().__init__(**kw)
        self.traffic = Traffic()

    def do_traffic(self, count, ago_ms, span_ms, **more):
        return self.traffic.add("server.example", count, self.clock.ms() - ago_ms, span_ms, **more)

    def auth(self, headers):
        given = headers.get("X-Postmark-Server-Token")
        return "absent" if given is None else "right" if given == self.key else "wrong"

    def note(self, request, reply, auth, fault):
        super().note(request, reply, auth, fault)
        self.log[-1]["headers"].pop("x-postmark-server-token", None)

    def unauthorized(self, auth):
        return Reply(401, {"ErrorCode": 10, "Message": "Bad or missing server API token."})

    def error(self, status, text):
        return Reply(status, {"ErrorCode": 300, "Message": text})

    def too_many_body(self):
        return {"ErrorCode": 429, "Message": "Too many requests"}

    @staticmethod
    def day(t):
        return datetime.datetime.fromtimestamp(t / 1000, ZONE).strftime("%Y-%m-%d")

    @staticmethod
    def midnight_s(date):
        return int(datetime.datetime.fromisoformat(date).replace(tzinfo=ZONE).timestamp())

    def kind(self, e):
        """Postmark's type of an event that failed, None of others; a deferral is one of any reason."""
        return "Transient" if e.kind == "temporary" else TYPES[e.reason] if e.kind == "permanent" else None

    def shown(self, request):
        first, last = request.arg("fromdate", "0000"), request.arg("todate", "9999")
        now = self.clock.ms()
        return [e for e in self.traffic.between(0, now + 1, now) if first <= self.day(e.t) <= last]

    def members(self, what, e):
        if what == "sends":
            return ("Sent",) if e.kind == "accepted" else ()
        if what == "bounces":
            kind = self.kind(e)
            return () if kind is None else ("HardBounce",) if kind == "Blocked" else (kind,)
        wanted = {"spam": ("complained", ("SpamComplaint",)), "opens": ("opened", ("Opens", "Unique")),
                  "clicks": ("clicked", ("Clicks", "Unique"))}[what]
        return wanted[1] if e.kind == wanted[0] else ()

    def stats(self, request, what):
        days, total = collections.defaultdict(collections.Counter), collections.Counter()
        for e in self.shown(request):
            for name in self.members(what, e):
                days[self.day(e.t)][name] += 1
                total[name] += 1
        return Reply(200, dict({"Days": [dict({"Date": d}, **row) for d, row in sorted(days.items())]}, **total))

    def bounces(self, request):
        count, offset = request.number("count", 0), request.number("offset", 0)
        if not 1 <= count <= 500 or count + offset > 10000:
            raise Raise(self.error(422, "count and offset"))
        found = [e for e in reversed(self.shown(request)) if self.kind(e) or e.kind == "complained"]
        rows = [{"RecordType": "Bounce", "ID": 1000 + e.message.n * 10 + e.attempt + (5 if e.kind == "complained" else 0),
                 "Type": self.kind(e) or "SpamComplaint", "TypeCode": 1, "Name": "made up", "MessageID": "pm-%d" % e.message.n,
                 "ServerID": 1, "MessageStream": "outbound", "Description": "made up", "Details": "smtp;" + e.text,
                 "Email": e.message.to, "From": e.message.sender, "Subject": e.message.subject, "Inactive": False,
                 "BouncedAt": datetime.datetime.fromtimestamp(e.t / 1000, ZONE).strftime("%Y-%m-%dT%H:%M:%S.%f0%z")[:-2] + ":00",
                 "DumpAvailable": False, "CanActivate": True} for e in found]
        return Reply(200, {"TotalCount": len(rows), "Bounces": rows[offset:offset + count]})

    def suppressed(self):
        now, out = self.clock.ms(), {}
        for e in self.traffic.between(0, now + 1, now):
            reason = {"complained": "SpamComplaint", "unsubscribed": "ManualSuppression"}.get(e.kind)
            if e.reason == "bounce":
                reason = "HardBounce"
            if reason:
                out[e.message.to] = (reason, e.t)
        return out

    def suppressions(self, request, stream):
        if stream != "outbound":
            return self.error(422, "no such stream")
        return Reply(200, {"Suppressions": [
            {"EmailAddress": to, "SuppressionReason": reason, "Origin": "Recipient",
             "CreatedAt": datetime.datetime.fromtimestamp(t // 1000, ZONE).isoformat()}
            for to, (reason, t) in self.suppressed().items()]})

    def server(self, request):
        return Reply(200, {"ID": 1, "Name": "made up", "Color": "red", "DeliveryType": "Live"})

    def ledger(self):
        """start of the day (s) -> metric of the cache -> n; ids of failures; addresses by reason. Counted on its own."""
        now, days, failures = self.clock.ms(), {}, set()
        for m in self.traffic.messages:
            for e in m.events:
                if e.t > now or e.seen > now:
                    continue
                row = days.setdefault(self.midnight_s(self.day(e.t)), {})
                names = {"accepted": ("REQUESTS",), "temporary": ("DEFERRED",), "complained": ("COMPLAINTS",),
                         "opened": ("OPENS", "UNIQUE_OPENS"), "clicked": ("CLICKS", "UNIQUE_CLICKS")}.get(e.kind, ())
                if e.kind == "permanent":
                    names = ("SUPPRESSED",) if e.reason.startswith("suppress") else ("BOUNCED",)
                for name in names:
                    row[name] = row.get(name, 0) + 1
                if e.kind in ("temporary", "permanent"):
                    failures.add("pm-%d" % m.n)
        return {"days": days, "failures": failures, "suppressed": self.suppressed()}


if __name__ == "__main__":
    Postmark.main()
