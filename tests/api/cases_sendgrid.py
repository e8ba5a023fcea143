# SPDX-License-Identifier: MIT
"""cases_sendgrid - truth: board = report = cache = the fake's ledger, whatever happened on the way."""
import os
import random
import signal
import time

from harness import (CANARY, Failed, Proxy, check_seen, check_sendgrid, in_words, same, sendgrid, sendgrid_days, slots_of,
                     total_of, SENDGRID_WORDS, SLOT_DAY)

HOUR_MS = 3600000
KEY = "SG." + CANARY + ".sendgrid"


def account(**kw):
    return sendgrid.SendGrid(key=KEY, **kw).start()


def traffic(fake, days=3, count=300, **more):
    """count messages over the last days, none younger than some minutes."""
    fake.do_traffic(count, ago_ms=days * 24 * HOUR_MS, span_ms=days * 24 * HOUR_MS - 20 * 60000, **more)


def settled(case, fake, name, subusers=("",)):
    case.wait("the cache to be the ledger", lambda: check_sendgrid(case, fake, name, subusers))


def truth_history_and_subusers(case):
    fake = account()
    for name in ("alpha", "beta"):
        fake.do_subuser(name)
    traffic(fake)
    traffic(fake, 2, 150, subuser="alpha", seed=2)
    traffic(fake, 2, 90, subuser="beta", seed=3)
    fake.do_list_add("invalid_emails", "Nobody@Nowhere.example", fake.clock.ms() - HOUR_MS, subuser="beta")
    case.add(fake, "acme", subusers="alpha beta")
    case.once()
    everyone = ("", "alpha", "beta")
    check_sendgrid(case, fake, "acme", everyone)
    check_seen(case, "acme", total_of(sendgrid_days(fake, everyone)))
    own = {who: total_of(sendgrid_days(fake, (who,))).get("SENT") for who in everyone}
    got = {}
    for keys in case.slots("acme", "SUBACCOUNT").values():
        for key, row in keys.items():
            got[key] = got.get(key, 0) + row.get("SENT", 0)
    same(got, {"(account)": own[""], "alpha": own["alpha"], "beta": own["beta"]}, "sent by subuser")


def split_by(case, dim, words=SENDGRID_WORDS):
    """start of the day (s) -> key -> metric -> n of the cache, without zeros."""
    out = {}
    for t, keys in case.slots("acme", dim).items():
        for key, row in keys.items():
            row = {m: n for m, n in row.items() if m in words and n}
            if row:
                out.setdefault(t, {})[key] = row
    return out


def truth_by_provider_category_and_class(case):
    """What the vendor splits up is what its messages say, day by day, over the account and two subusers, one of them quiet."""
    fake = account()
    fake.do_subuser("alpha")
    fake.do_subuser("quiet")
    traffic(fake, 5, 400)
    traffic(fake, 3, 150, subuser="alpha", seed=2)
    case.add(fake, "acme", subusers="alpha quiet")
    case.once()
    for dim, of in (("MAILBOX", lambda m: m.provider), ("TAG", lambda m: m.tag)):
        want = {}
        for key, days in fake.outcomes(of).items():
            for date, row in days.items():
                row = in_words(row, {k: v for k, v in SENDGRID_WORDS.items() if dim == "TAG" or k != "UNSUBSCRIBES"})
                if row:
                    want.setdefault(fake.midnight_s(date), {})[key] = row
        same(split_by(case, dim), want, dim)
    want, names = {}, {"bounce": "Invalid Address", "espblock": "Reputation", "generic": "Technical Failure"}
    for m in fake.traffic.messages:
        for e in m.events:
            if e.kind == "permanent" and e.reason in names and e.t <= fake.clock.ms():
                row = want.setdefault(fake.midnight_s(fake.day(e.t)), {}).setdefault(names[e.reason], {"BOUNCED": 0})
                row["BOUNCED"] += 1
    same(split_by(case, "CLASS"), want, "classes of bounces")


def truth_all_subusers_are_found(case):
    fake = account()
    for name in ("alpha", "beta", "gamma"):
        fake.do_subuser(name)
        traffic(fake, 1, 60, subuser=name, seed=name)
    case.add(fake, "acme", subusers="*")
    case.start()
    settled(case, fake, "acme", ("", "alpha", "beta", "gamma"))
    case.stop()


def truth_through_the_vendors_document(case):
    """Every request of ours and every answer of the fake conforms to the vendor's OpenAPI document."""
    fake = account()
    fake.do_subuser("alpha")
    traffic(fake)
    traffic(fake, 1, 40, subuser="alpha", seed=2)
    case.fakes.append(fake)
    proxy = Proxy("sendgrid", fake, case.dir)
    case.proxies.append(proxy)
    case.add(fake, "acme", base=proxy.base, subusers="alpha")
    case.once()
    check_sendgrid(case, fake, "acme", ("", "alpha"))
    bad = [line for line in proxy.log().splitlines() if ("iolation" in line or " ✖ " in line) and "/nothing" not in line]
    if bad:
        raise Failed("prism: %s" % bad[:5])
    wrong = [x for x in fake.log if x["status"] >= 400]
    same(wrong, [], "refused requests")


def truth_live_late_and_corrected(case):
    """Traffic while it runs, outcomes that show late, and figures the vendor corrects up and down."""
    fake = account()
    traffic(fake, 2, 100)
    case.add(fake, "acme", full_walk_interval="1m")
    case.start()
    settled(case, fake, "acme")
    fake.do_traffic(200, ago_ms=90 * 60000, span_ms=80 * 60000, seed=9, lag_ms=6000, late_share=0.5)
    settled(case, fake, "acme")
    today, before = (fake.day(fake.clock.ms() - d * 24 * HOUR_MS) for d in (0, 1))
    for date, metric, delta in ((today, "delivered", 40), (before, "delivered", -3), (today, "deferred", 1000),
                                (before, "bounces", 2)):
        fake.do_correct(date, metric, delta)
        settled(case, fake, "acme")
    fake.do_correct(today, "delivered", -25)
    settled(case, fake, "acme")
    check_seen(case, "acme", total_of(sendgrid_days(fake)))
    case.stop()


def truth_kill_and_restart(case):
    fake = account()
    fake.do_subuser("alpha")
    traffic(fake, 3, 1500)
    traffic(fake, 1, 200, subuser="alpha", seed=2)
    case.add(fake, "acme", subusers="alpha")
    rng = random.Random(5)
    for n in range(8):
        case.start()
        asked, more = len(fake.log), rng.randrange(2, 40)
        case.wait("%d requests" % more, lambda: len(fake.log) >= asked + more)  # noqa: B023
        case.stop(signal.SIGKILL)
        fake.do_traffic(20, ago_ms=30 * 60000, span_ms=10 * 60000, seed=100 + n)
    case.start()
    settled(case, fake, "acme", ("", "alpha"))
    check_seen(case, "acme", total_of(sendgrid_days(fake, ("", "alpha"))))
    case.stop()


def truth_an_hour_of_429(case):
    """Everything is refused for an hour of the vendor's clock: figures stay, nobody hammers, and then all is had."""
    fake = account()
    traffic(fake, 2, 200)
    case.add(fake, "acme")
    case.start()
    settled(case, fake, "acme")
    had = slots_of(case, "acme", SLOT_DAY, SENDGRID_WORDS)
    fake.do_fault(".", "429", times=-1, style="delta", wait_s=3)
    asked = len(fake.log)
    case.wait("the refusals to show", lambda: any("429" in (b["detail"] or "") or b["health"] in (2, 4)
                                                  for b in case.budgets("acme").values()))
    end = time.monotonic() + 8
    case.wait("8 s of refusals", lambda: time.monotonic() > end)
    refused = len(fake.log) - asked
    if refused > 21 * 5:  # 21 endpoints, each 3 s apart at least
        raise Failed("%d requests in 8 s of refusals" % refused)
    same(slots_of(case, "acme", SLOT_DAY, SENDGRID_WORDS), had, "figures while refused")
    fake.do_traffic(100, ago_ms=50 * 60000, span_ms=45 * 60000, seed=7)
    fake.do_clear()
    settled(case, fake, "acme")
    case.stop()


def truth_a_day_change_in_the_accounts_zone(case):
    """Midnight of the account comes while it runs: what is counted after it is of the next day."""
    fake = account()
    now_s = int(fake.clock.ms() / 1000)
    east = (86400 - now_s % 86400) - 12  # midnight in 12 s
    east -= 86400 if east > 43200 else 0
    fake.zone_ms = east * 1000
    sign, at = ("-" if east < 0 else "+"), abs(east)
    zone = "%s%02d:%02d:%02d" % (sign, at // 3600, at // 60 % 60, at % 60)
    midnight_ms = (now_s + 12) * 1000
    fake.do_traffic(80, start_ms=midnight_ms - 4 * HOUR_MS, span_ms=3 * HOUR_MS)
    fake.do_traffic(5, start_ms=midnight_ms + 500, span_ms=1000, seed=2, only="delivered")
    case.add(fake, "acme", time_zone=zone)
    case.start()
    case.wait("the day before", lambda: check_sendgrid(case, fake, "acme"))
    if fake.clock.ms() >= midnight_ms:
        return case.wait("the days (the machine was slow)", lambda: check_sendgrid(case, fake, "acme"))
    same(sorted(sendgrid_days(fake)), [midnight_ms // 1000 - 86400], "days before midnight")
    case.wait("midnight", lambda: fake.clock.ms() > midnight_ms + 4000)
    settled(case, fake, "acme")
    days = sendgrid_days(fake)
    same(sorted(days), [midnight_ms // 1000 - 86400, midnight_ms // 1000], "days after midnight")
    same(days[midnight_ms // 1000]["SENT"], 5, "sent after midnight, by the ledger")
    case.stop()
    return None


def truth_lists_grow_and_shrink(case):
    """New addresses of the same second, and removals, which only a walk over the whole list can see."""
    fake = account()
    traffic(fake, 1, 50)
    second = (fake.clock.ms() // 1000 - 60) * 1000
    for n in range(1203):  # three pages, the last of them short
        fake.do_list_add("bounces", "many%d@example.net" % n, second - n * 1000)
    case.add(fake, "acme", full_walk_interval="3s")
    case.start()
    settled(case, fake, "acme")
    for n in range(5):
        fake.do_list_add("bounces", "same%d@example.net" % n, second)
    settled(case, fake, "acme")
    for n in range(0, 1203, 7):
        fake.do_list_remove("bounces", "many%d@example.net" % n)
    settled(case, fake, "acme")
    case.stop()


def truth_warmup_and_account(case):
    fake = account()
    case.add(fake, "acme")
    case.once()
    ips = case.ips("acme")
    same((ips["198.51.100.7"]["warming"], ips["198.51.100.7"]["day"], ips["198.51.100.7"]["max_messages"]), (1, 5, 108),
         "warm-up by the vendor's table")
    same(ips["198.51.100.8"]["warming"], 0, "the other address")
    figures = case.accounts("acme")
    same((figures["reputation"], figures["plan"], figures["credits left"]), ("99.7", "paid", "100000"), "account")


def a_key_others_can_read_is_refused(case):
    fake = account()
    case.add(fake, "acme")
    path = case.key_file("acme", KEY, 0o644)
    text = case.once(ok=(0, 1, 2, 3))
    if "chmod 600 " + path not in text or KEY in text:
        raise Failed("no word of chmod: %s" % text[-500:])
    same(fake.log, [], "requests")


def the_key_by_environment(case):
    fake = account()
    traffic(fake, 1, 20)
    case.add(fake, "acme", key_file=None)
    case.once(env={"MTATOP_SENDGRID_ACME_KEY": KEY})
    check_sendgrid(case, fake, "acme")


def the_key_by_systemd_credential(case):
    fake = account()
    traffic(fake, 1, 20)
    case.add(fake, "acme", key_file=None)
    folder = os.path.join(case.dir, "credentials")
    os.mkdir(folder, 0o700)
    os.rename(os.path.join(case.dir, "acme.key"), os.path.join(folder, "sendgrid-acme"))
    case.once(env={"CREDENTIALS_DIRECTORY": folder})
    check_sendgrid(case, fake, "acme")


CASES = [truth_history_and_subusers, truth_by_provider_category_and_class, truth_all_subusers_are_found, truth_through_the_vendors_document,
         truth_live_late_and_corrected, truth_kill_and_restart, truth_an_hour_of_429, truth_a_day_change_in_the_accounts_zone,
         truth_lists_grow_and_shrink, truth_warmup_and_account,
         a_key_others_can_read_is_refused, the_key_by_environment, the_key_by_systemd_credential]
