# SPDX-License-Identifier: MIT
"""cases_warmup - `mtatop warmup status` of vendors' sending IPs is what the fakes' ledgers count by day."""
import datetime
import json

from harness import CANARY, Failed, Skip, mailgun, same, sendgrid, sendgrid_days

HOUR_MS = 3600000
DAY_MS = 24 * HOUR_MS
IP = "198.51.100.7"


def day_of(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%d")


def plan(case, name, egress, start_ms):
    case.text += "[warmup %s]\negress = %s\nplan = sparkpost\nstart = %s\n" % (name, egress, day_of(start_ms))
    case.write()


def status(case, name):
    out = json.loads(case.run("warmup", "status", "--format", "json"))
    return next(w for w in out["warmups"] if w["name"] == name)


def history(case, name):
    """day -> (sent, bounced, deferred); days of which nothing is known are left out."""
    return {d["day"]: (d["sent"], d["bounced"], d["deferred"]) for d in status(case, name)["history"] if d["sent"] is not None}


def complaint_gate(row):
    return next((g for g in row["gates"] if g["gate"] == "complaint rate"), None)


def unless_midnight(fake):
    if fake.clock.ms() % DAY_MS > DAY_MS - 10 * 60000:
        raise Skip("the day ends within minutes")


def truth_warmup_mailgun_by_ip(case):
    fake = mailgun.Mailgun(key="key-" + CANARY + "-warm").start()
    unless_midnight(fake)
    fake.do_traffic("a.example", 900, ago_ms=60 * HOUR_MS, span_ms=60 * HOUR_MS - 20 * 60000)
    case.add(fake, "mg", fast=False, requests_per_minute="100000")
    now = fake.clock.ms()
    plan(case, "ip7", IP, now - 5 * DAY_MS)
    plan(case, "all", "mg", now - 5 * DAY_MS)
    case.once()
    want, whole = {}, {}
    complaints = 0
    for m in fake.traffic.messages:
        for e in m.events:
            column = {"delivered": 0, "permanent": 1, "temporary": 2}.get("" if e.reason.startswith("suppress") else e.kind)
            if e.t > now:
                continue
            if e.kind == "complained" and m.ip == IP and day_of(e.t) == day_of(now):
                complaints += 1
            if column is None:
                continue
            for table in (whole,) + ((want,) if m.ip == IP else ()):
                table.setdefault(day_of(e.t), [0, 0, 0])[column] += 1
    today = want.get(day_of(now), [0])[0]
    got = history(case, "ip7")
    same({d: list(n) for d, n in got.items() if any(n)}, want, "days of one IP")
    same({d: list(n) for d, n in history(case, "all").items() if any(n)}, whole, "days of the account")
    if not sum(n[0] for n in want.values()) or want == whole:
        raise Failed("the fake had nothing to tell apart: %s" % want)
    gate = complaint_gate(status(case, "ip7"))
    if today:
        same((gate["k"], gate["n"]), (complaints, today), "complaints of today")
    screen = case.run("--once", env={"COLUMNS": "160", "LINES": "50"})
    if "ip7  day " not in screen:
        raise Failed("the plan is not on the board:\n%s" % screen)


def truth_warmup_sendgrid_of_the_account(case):
    fake = sendgrid.SendGrid(key="SG." + CANARY + ".warm").start()
    unless_midnight(fake)
    fake.do_traffic(600, ago_ms=3 * DAY_MS, span_ms=3 * DAY_MS - 20 * 60000)
    case.add(fake, "acme")
    plan(case, "account", "acme", fake.clock.ms() - 6 * DAY_MS)
    plan(case, "elsewhere", "203.0.113.99", fake.clock.ms() - 6 * DAY_MS)
    case.once()
    want = {day_of(t * 1000): (row.get("SENT", 0), row.get("BOUNCED", 0), row.get("DEFERRED", 0))
            for t, row in sendgrid_days(fake).items()}
    got = history(case, "account")
    same({d: n for d, n in got.items() if any(n)}, {d: n for d, n in want.items() if any(n)}, "days of the account")
    row = status(case, "account")
    total = sum(r.get("SENT", 0) for t, r in sendgrid_days(fake).items() if day_of(t * 1000) == day_of(fake.clock.ms()))
    same(row["delivered"], total, "delivered today")
    if total and complaint_gate(row)["n"] != total:
        raise Failed("complaints are told: %s" % complaint_gate(row))
    same(status(case, "elsewhere")["state"], "COLD", "an IP of nobody")
    if any(n["sent"] for n in status(case, "elsewhere")["history"]):
        raise Failed("mail of an IP of nobody")


CASES = [fn for name, fn in sorted(globals().items()) if name.startswith("truth_")]
