# SPDX-License-Identifier: MIT
"""cases_mailgun - truth: board = report = cache = the fake's ledger. The backend's intervals can't be shortened, so rounds
are those of `collect --until-caught-up`, one after the other over the same cache; a kill hits a collector that runs."""
import random
import signal

from harness import (CANARY, Failed, Proxy, SLOT_HOUR, check_mailgun, check_seen, mailgun, mailgun_hours, same, slots_of, total_of)

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


def truth_mailgun_history(case):
    fake = account()
    traffic(fake)
    fake.do_list_add("a.example", "whitelists", "friend@example.net")
    case.add(fake, "mg", fast=False, requests_per_minute="100000")
    case.once()
    check_mailgun(case, fake, "mg")
    check_seen(case, "mg", total_of(mailgun_hours(fake)))
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
    """An old plan: v3 stats and events in their place."""
    fake = account()
    traffic(fake, hours=20)
    fake.do_style(deny=["/v1/analytics"])
    case.add(fake, "mg", fast=False, requests_per_minute="100000")
    case.once(ok=(0, 1, 2, 3))
    words = ("SENT", "DEFERRED", "BOUNCED", "REQUESTS")

    def told():
        got = {t: {m: n for m, n in row.items()} for t, row in slots_of(case, "mg", SLOT_HOUR, words).items()}
        want = {t: {m: n for m, n in row.items() if m in words} for t, row in mailgun_hours(fake).items()}
        same(got, {t: row for t, row in want.items() if row}, "hours by v3 stats")
        return True
    case.wait("v3 stats", told, 10)


CASES = [truth_mailgun_history, truth_mailgun_through_the_vendors_document, truth_mailgun_late_and_corrected,
         truth_mailgun_kill_and_restart, truth_mailgun_without_metrics_and_logs]
