# SPDX-License-Identifier: MIT
"""cases_mailgun - truth: board = report = cache = the fake's ledger. The backend's intervals can't be shortened, so rounds
are those of `collect --until-caught-up`, one after the other over the same cache; a kill hits a collector that runs."""
import random
import signal

from harness import (CANARY, DIMS, Failed, MAILGUN_WORDS, Proxy, SLOT_HOUR, check_mailgun, check_seen, in_words, mailgun,
                     mailgun_hours, same, slots_of, total_of)

HOUR_MS = 3600000
KEY = "key-" + CANARY + "-mailgun"


def account(**kw):
    return mailgun.Mailgun(key=KEY, **kw).start()


def traffic(fake, domains=("a.example", "b.example"), hours=40, count=200, **more):
    for n, domain in enumerate(domains):
        fake.do_traffic(domain, count, ago_ms=hours * HOUR_MS, span_ms=hours * HOUR_MS - 20 * 60000, seed=n, **more)


def failures(fake):
    """Ids that messages of failures are shown under: their Message-ID."""
    return {"%d@%s" % (m.n, m.domain) for m in fake.traffic.messages
            if any(e.kind in ("temporary", "permanent") and e.t <= fake.clock.ms() for e in m.events)}


def hours_by(case, dim, but=None):
    """(start of the hour (s), key) -> metric -> n of the cache, without zeros."""
    out = {}
    for t, keys in case.slots("mg", dim, SLOT_HOUR).items():
        for key, row in keys.items():
            row = {m: n for m, n in row.items() if m in MAILGUN_WORDS and m != but and n}
            if row:
                out[t, key] = row
    return out


def hours_of(fake, key, but=None):
    """The same, counted from the fake's messages."""
    out, now = {}, fake.clock.ms()
    for m in fake.traffic.messages:
        for e in m.events:
            if e.t <= now and e.seen <= now and e.kind != but:
                name = "suppressed" if e.reason.startswith("suppress") else e.kind
                row = out.setdefault((e.t // HOUR_MS * HOUR_MS // 1000, key(m)), {})
                row[name] = row.get(name, 0) + 1
                if e.reason == "bounce":
                    row["hard"] = row.get("hard", 0) + 1
    out = {k: in_words(row, MAILGUN_WORDS) for k, row in out.items()}
    return {k: row for k, row in out.items() if row}


def truth_mailgun_history(case):
    fake = account()
    traffic(fake)
    fake.do_list_add("a.example", "whitelists", "friend@example.net")
    case.add(fake, "mg", fast=False, requests_per_minute="100000")
    case.once()
    check_mailgun(case, fake, "mg")
    check_seen(case, "mg", total_of(mailgun_hours(fake)))
    same(hours_by(case, "SENDER"), hours_of(fake, lambda m: m.domain), "hours by domain")
    same(hours_by(case, "MAILBOX"), hours_of(fake, lambda m: m.provider), "hours by mailbox provider")
    same(hours_by(case, "IP", but="REQUESTS"), hours_of(fake, lambda m: m.ip, but="accepted"), "hours by sending IP")
    same(case.query("SELECT name, state FROM sending_domain ORDER BY name"), [("a.example", "active"), ("b.example", "active")],
         "domains")
    want = len({fake.ident(e) for m in fake.traffic.messages for e in m.events if e.kind in ("temporary", "permanent")})
    got = case.query("SELECT count(*) FROM api_id")[0][0]
    if got < want:
        raise Failed("%d events of failures in the cache, %d in the ledger" % (got, want))
    same(len(case.messages()), len(failures(fake)), "messages with a failure")


def truth_mailgun_through_the_vendors_document(case):
    fake = account()
    traffic(fake)
    case.fakes.append(fake)
    proxy = Proxy("mailgun", fake, case.dir)
    case.proxies.append(proxy)
    case.add(fake, "mg", base=proxy.base, fast=False, requests_per_minute="100000")
    case.once()
    check_mailgun(case, fake, "mg")
    bad = [line for line in proxy.log().splitlines() if ("iolation" in line or " ✖ " in line) and "/nothing" not in line]
    if bad:
        raise Failed("prism: %s" % bad[:5])


def truth_mailgun_late_and_corrected(case):
    fake = account()
    traffic(fake, lag_ms=120000, late_share=0.1)
    case.add(fake, "mg", fast=False, requests_per_minute="100000")
    case.once()
    check_mailgun(case, fake, "mg")
    hour = fake.clock.ms() // HOUR_MS * HOUR_MS
    fake.do_advance(150000)
    fake.do_traffic("a.example", 50, ago_ms=50 * 60000, span_ms=40 * 60000, seed=77)
    for delta in (30, -12):
        fake.do_correct(hour - HOUR_MS, "a.example", "delivered_count", delta)
        fake.do_correct(hour, "b.example", "temporary_failed_count", 7)
        case.once()
        check_mailgun(case, fake, "mg", lists=False)  # those are walked every 6 h
    check_seen(case, "mg", total_of(mailgun_hours(fake)))


def truth_mailgun_kill_and_restart(case):
    fake = account()
    traffic(fake, tuple("d%d.example" % n for n in range(6)), count=300)
    case.add(fake, "mg", fast=False, requests_per_minute="100000")
    rng = random.Random(3)
    for _ in range(6):
        case.start()
        asked, more = len(fake.log), rng.randrange(1, 25)
        case.wait("%d requests" % more, lambda: len(fake.log) >= asked + more)  # noqa: B023
        case.stop(signal.SIGKILL)
    case.once()
    check_mailgun(case, fake, "mg")
    got = case.messages()
    same(len(got), len(set(got)), "messages that are in the cache once")
    check_seen(case, "mg", total_of(mailgun_hours(fake)))


def truth_mailgun_without_metrics_and_logs(case):
    """An old plan: v3 stats and events in their place. What these do not split up is unknown, not zero."""
    for name in ("denied", "absent"):
        fake = account()
        traffic(fake, hours=20, count=120)
        if name == "denied":
            fake.do_style(deny=["/v1/analytics"], url_style="vendor")
        else:
            fake.do_fault("analytics", "status", times=10000, status=404)
        case.add(fake, name, fast=False, requests_per_minute="100000")
    case.once()
    words = [word for word in MAILGUN_WORDS if word != "HARD_BOUNCES"]
    for fake, name in zip(case.fakes, ("denied", "absent")):
        want = {t: {m: n for m, n in row.items() if m in words} for t, row in mailgun_hours(fake).items()}
        same(slots_of(case, name, SLOT_HOUR, words), {t: row for t, row in want.items() if row}, "hours by v3 stats")
        same(failures(fake) <= set(case.messages()), True, "failures by v3 events")
        splits = case.query("SELECT dim FROM api_cover JOIN provider ON provider.id = provider WHERE name = ? AND dim IN (?, ?)",
                            name, DIMS["MAILBOX"], DIMS["IP"])
        same((splits, case.slots(name, "MAILBOX", SLOT_HOUR), case.slots(name, "IP", SLOT_HOUR)), ([], {}, {}),
             "what is claimed of mailbox providers and addresses")
        rows = case.budgets(name)
        for endpoint in ("metrics", "logs"):
            if "older" not in (rows[endpoint]["detail"] or ""):
                raise Failed("%s does not say what is read instead: %s" % (endpoint, rows[endpoint]))


CASES = [truth_mailgun_history, truth_mailgun_through_the_vendors_document, truth_mailgun_late_and_corrected,
         truth_mailgun_kill_and_restart, truth_mailgun_without_metrics_and_logs]
