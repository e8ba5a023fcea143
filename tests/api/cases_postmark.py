# SPDX-License-Identifier: MIT
"""cases_postmark - the third provider, which is one file: the same truth as the others'."""
import postmark
from harness import CANARY, Failed, SLOT_DAY, same, slots_of

HOUR_MS = 3600000
KEY = CANARY + "-postmark-token"
WORDS = ("REQUESTS", "BOUNCED", "DEFERRED", "SUPPRESSED", "COMPLAINTS", "OPENS", "UNIQUE_OPENS", "CLICKS", "UNIQUE_CLICKS")


def check(case, fake):
    truth = fake.ledger()
    same(slots_of(case, "pm", SLOT_DAY, WORDS), {t: row for t, row in truth["days"].items() if row}, "days")
    missing = truth["failures"] - set(case.messages())
    if missing:
        raise Failed("failures missing: %s" % sorted(missing)[:3])
    words = {"HardBounce": "bounces", "SpamComplaint": "complaints", "ManualSuppression": "unsubscribes"}
    want = {}
    for address, (reason, _) in truth["suppressed"].items():
        want.setdefault((words[reason], ""), set()).add(address)
    same(case.lists("pm"), want, "suppressions")


def account(case):
    fake = postmark.Postmark(key=KEY).start()
    fake.do_traffic(900, 9 * 24 * HOUR_MS, 9 * 24 * HOUR_MS - HOUR_MS)
    case.add(fake, "pm", fast=False, requests_per_minute="100000")
    return fake


def truth_postmark(case):
    fake = account(case)
    case.once()
    check(case, fake)
    fake.do_traffic(700, 50 * 60000, 40 * 60000, seed=2, only="bounce")  # two pages of bounces
    case.once()
    check(case, fake)
    totals = case.report("pm", "-30d")
    same((totals["bounced"], totals["sent"]), (sum(r.get("BOUNCED", 0) for r in fake.ledger()["days"].values()), None),
         "bounced, and sent: Postmark does not tell it")


def trap_01_postmark_wrong_token(case):
    fake = postmark.Postmark(key=KEY).start()
    case.add(fake, "pm", fast=False, key=CANARY + "-wrong")
    text = case.once(ok=(1, 2, 3, 4))
    if "401" not in text or CANARY in text:
        raise Failed(text[-300:])


def trap_21_postmark_bodies_that_are_no_answer(case):
    fake = account(case)
    for kind, more in (("html", {"status": 200}), ("empty", {"status": 200}), ("body", {"body": '{"Days":7}', "status": 200}),
                       ("body", {"body": '{"Days":[7,{"Date":"x"},{"Date":"2026-01-01","Sent":-1}]}', "status": 200})):
        for path in ("sends", "bounces", "/bounces", "dump"):
            fake.do_fault(path, kind, **more)
    for _ in range(6):
        case.once(ok=(0, 1, 2, 3, 4))
    check(case, fake)


CASES = [truth_postmark, trap_01_postmark_wrong_token, trap_21_postmark_bodies_that_are_no_answer]
