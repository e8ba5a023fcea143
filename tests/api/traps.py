# SPDX-License-Identifier: MIT
"""traps - the list of what vendors' APIs do to those who trust them (../shared/field/apis.md section 5), each from the
wire to the cache and the screen. Those of single functions are unit tests too."""
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import cases_mailgun
import cases_sendgrid
from harness import (Failed, MAILGUN_WORDS, SLOT_DAY, SLOT_HOUR, Skip, check_mailgun, check_sendgrid, mailgun_hours, same,
                     sendgrid, sendgrid_days, slots_of, total_of)
from term import Terminal

HOUR_MS = 3600000
MG = {"fast": False, "requests_per_minute": "100000"}


def acme(case, count=60, days=1, start=True, traffic=None, **keys):
    """A SendGrid account, watched."""
    fake = cases_sendgrid.account()
    cases_sendgrid.traffic(fake, days, count, **(traffic or {}))
    case.add(fake, "acme", **keys)
    if start:
        case.start()
    return fake


def mg(case, traffic=None, domains=("a.example", "b.example"), count=80, **style):
    fake = cases_mailgun.account()
    cases_mailgun.traffic(fake, domains, 20, count, **(traffic or {}))
    fake.do_style(**style)
    case.add(fake, "mg", **MG)
    return fake


def settled(case, fake):
    case.wait("the cache to be the ledger", lambda: check_sendgrid(case, fake, "acme"))


def trap_01_401_as_text(case):
    fake = mg(case)
    fake.do_key("another key than this one")
    text = case.once(ok=(1, 2, 3, 4))
    if "refused (401)" not in text or len(fake.log) > 14:
        raise Failed("%d requests; %s" % (len(fake.log), text[-400:]))
    same((case.health("mg")[0], slots_of(case, "mg", SLOT_HOUR, MAILGUN_WORDS)), (5, {}), "health (stopped) and figures")
    fake2 = cases_sendgrid.account()
    case.add(fake2, "acme", key="SG.wrong-one-0123456789")
    case.start()
    case.wait("SendGrid's refusal to show", lambda: "401" in (case.health("acme")[1] or ""))
    if len(fake2.log) > 10:
        raise Failed("%d requests with a key that is refused" % len(fake2.log))
    case.stop()


def trap_02_403_on_one_panel_only(case):
    fake = acme(case, start=False)
    fake.do_scopes([s for s in sendgrid.SCOPES if s not in ("suppression.read", "suppression.blocks.read")])
    fake.do_fault("GET /v3/mailbox_providers", "status", times=-1, status=403, message="access forbidden")
    case.start()
    case.wait("the missing scope to be named", lambda: (case.budgets("acme").get("blocks") or {}).get("missing") ==
              "suppression.blocks.read")
    case.wait("the refusal to be named", lambda: (case.budgets("acme").get("mailbox providers") or {}).get("missing") ==
              "mailbox_providers.stats.read")
    same(slots_of(case, "acme", SLOT_DAY, ("SENT",)), {t: {"SENT": r["SENT"]} for t, r in sendgrid_days(fake).items()}, "the rest")
    same([x for x in fake.log if "/blocks" in x["path"]], [], "questions for what is known to be forbidden")
    case.stop()


def trap_02_a_subuser_that_is_refused(case):
    """One of them is not there, or not the key's to act for: the others' figures are had, and it is said."""
    fake = acme(case, start=False, subusers="ghost alpha")
    fake.do_subuser("alpha")
    cases_sendgrid.traffic(fake, 1, 40, subuser="alpha", seed=2)
    case.start()
    case.wait("the cache to be the ledger", lambda: check_sendgrid(case, fake, "acme", ("", "alpha")))
    case.wait("it to be said", lambda: "ghost" in (case.budgets("acme")["stats"]["detail"] or ""))
    case.stop()


def trap_03_400_authorization_required(case):
    fake = acme(case, activity="yes")
    case.wait("the add-on to be missed", lambda: "activity history" in
              ((case.budgets("acme").get("activity") or {}).get("detail") or ""))
    case.wait("the rest", lambda: same(slots_of(case, "acme", SLOT_DAY, ("SENT",)), {
        t: {"SENT": r["SENT"]} for t, r in sendgrid_days(fake).items()}, "sent") is None)
    asked = sum(x["path"] == "/v3/messages" for x in fake.log)
    same(asked, 1, "questions for what the account has not")
    case.stop()


def trap_04_429_in_all_its_forms(case):
    fake = acme(case, start=False)
    for style in ("past", "reset_s", "reset_ms", "delta", "date", "case"):
        fake.do_fault("/v3/stats", "429", style=style, wait_s=2)
    case.start()
    case.wait("the stats after all", lambda: any(x["path"] == "/v3/stats" and x["status"] == 200 for x in fake.log), 200)
    times = [x["t"] for x in fake.log if x["path"] == "/v3/stats"]
    gaps = [b - a for a, b in zip(times, times[1:])]
    if min(gaps) < 1000:
        raise Failed("asked again after %s ms" % gaps)
    settled(case, fake)
    case.stop()


def trap_05_both_families_of_headers_in_any_case(case):
    fake = acme(case, start=False)
    fake.do_fault("/v3/user/account", "edit", times=-1, pattern="$^", by="",
                  headers={"x-RATELIMIT-limit": "77", "X-Ratelimit-Limit": "77", "X-Ratelimit-Remaining": "76"})
    case.start()
    case.wait("the limit", lambda: (case.budgets("acme").get("account") or {}).get("max_requests") == 77)
    case.stop()
    mailgun = mg(case)
    case.once()
    row = case.budgets("mg")["suppressions"]
    same((row["max_requests"], row["remaining"]), (2500, 2497), "X-Request-* of Mailgun")
    check_mailgun(case, mailgun, "mg")


def trap_06_rates_as_strings(case):
    fake = mg(case)
    fake.do_fault("analytics/metrics", "edit", times=-1, pattern='"metrics": {', by='"metrics": {"delivered_rate": "0.8300", ')
    case.once()
    check_mailgun(case, fake, "mg")


def trap_07_null_and_absent_counts(case):
    fake = mg(case, null_counts=True)
    case.once()
    got, want = slots_of(case, "mg", SLOT_HOUR, MAILGUN_WORDS), mailgun_hours(fake)
    hours = fake.ledger()["hours"]
    for t, row in want.items():  # what was told is right; a sum with something untold in it is unknown, never a number
        domains = hours["%d" % (t * 1000)].values()  # the fake tells a 0 as null
        told = {m for m, word in (("SENT", "delivered"), ("REQUESTS", "accepted")) if all(d.get(word) for d in domains)}
        have = got.get(t, {})
        same({m: n for m, n in row.items() if m in told or (m in have and m not in ("SENT", "REQUESTS"))}, have, "hour %d" % t)
    other = acme(case, start=False)
    other.do_fault("GET /v3/stats", "edit", times=-1, pattern=r'"deferred": \d+', by='"deferred": null')
    case.start()
    case.wait("figures", lambda: slots_of(case, "acme", SLOT_DAY, ("SENT",)))
    same(case.report("acme", "-30d")["deferred_attempts"], None, "a figure that was null")
    case.stop()


def trap_08_omitted_buckets_are_zero(case):
    fake = cases_mailgun.account()
    hour = fake.clock.ms() // HOUR_MS * HOUR_MS
    fake.do_traffic("a.example", 30, start_ms=hour - 9 * HOUR_MS, span_ms=HOUR_MS // 2, only="delivered")
    case.add(fake, "mg", **MG)
    case.once()
    stamp = lambda ms: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))  # noqa: E731
    quiet = case.report("mg", stamp(hour - 5 * HOUR_MS), stamp(hour - 4 * HOUR_MS))
    same(quiet["sent"], 0, "an hour that was asked for and had nothing")
    at = (hour - HOUR_MS) // 1000  # and one that had something when it was asked before
    fake.do_traffic("a.example", 30, start_ms=at * 1000, span_ms=HOUR_MS // 2, seed=2)
    case.once()
    check_mailgun(case, fake, "mg", lists=False)
    fake.traffic.keep(lambda m: m.t < at * 1000)
    case.once()
    check_mailgun(case, fake, "mg", lists=False)


def trap_09_corrected_down(case):
    fake = mg(case)
    case.once()
    fake.do_correct(fake.clock.ms() // HOUR_MS * HOUR_MS - HOUR_MS, "a.example", "delivered_count", -2)
    case.once()
    check_mailgun(case, fake, "mg", lists=False)


def trap_10_default_limits_of_ten(case):
    fake = acme(case, start=False, count=300)
    fake.ip_list = [{"ip": "198.51.100.%d" % n, "pools": ["main"], "warmup": n % 2 == 0} for n in range(1, 38)]
    case.start()
    settled(case, fake)
    case.wait("37 addresses", lambda: len(case.ips("acme")) == 37)
    case.stop()
    other = mg(case)
    other.ip_list = {"198.51.100.%d" % n: True for n in range(1, 38)}
    case.once()
    ips = case.ips("mg")
    same((len(ips), sum(row["warming"] for row in ips.values())), (37, 37), "addresses, warming")


def trap_11_pages_without_end(case):
    """The same rows for any offset, a next page that is this one, a total that lies: each ends, and destroys no list."""
    fake = acme(case, start=False, full_walk_interval="5s")
    for n in range(700):
        fake.do_list_add("bounces", "many%d@example.net" % n, fake.clock.ms() - HOUR_MS)
    case.start()
    settled(case, fake)
    fake.do_style(same_rows=True)
    case.wait("the trap to be told", lambda: "had before" in (case.budgets("acme")["bounces"]["detail"] or ""))
    same(len(case.lists("acme")["bounces", ""]), len(fake.ledger()["lists"]["/bounces"]), "bounces after it")
    case.stop()
    for style in ({"same_rows": True}, {"equal_next": True}, {"total_lies": True}):
        other = cases_mailgun.account()
        cases_mailgun.traffic(other, ("a.example",), 20, 900)
        for n in range(1200):
            other.do_list_add("a.example", "bounces", "a%04d@x.example" % n)
        other.do_style(**style)
        name = "mg%d" % len(case.fakes)
        case.add(other, name, **MG)
    case.once(ok=(0, 1, 2, 3, 4))
    for other in case.fakes[1:]:
        if len(other.log) > 600:
            raise Failed("%d requests: %s" % (len(other.log), other.log[-1]["target"]))


class Listener:
    """Where no request may ever come."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.met = self.socket.getsockname()[1], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(5)
            self.met.append(connection.recv(65536))
            connection.close()


def trap_12_next_pages_elsewhere(case):
    trap = Listener()
    for style in ("trap", "other", "userinfo", "dots", "none", "word", "prefix", "own", "vendor"):
        fake = cases_mailgun.account()
        cases_mailgun.traffic(fake, ("a.example",), 20, 60)
        for n in range(1201):
            fake.do_list_add("a.example", "bounces", "u%05d@example.net" % n, fake.clock.ms() - HOUR_MS)
        fake.trap_base = "http://127.0.0.1:%d" % trap.port
        fake.do_style(url_style=style, deny=["/v1/analytics/logs"])
        case.add(fake, "mg-" + style, **MG)
    redirect = acme(case, start=False)
    redirect.do_fault("GET /v3/stats", "redirect", times=-1, to="http://127.0.0.1:%d/v3/stats" % trap.port)
    case.once(ok=(0, 1, 2, 3, 4))
    trap.socket.close()
    same(trap.met, [], "requests at another host")
    for fake in case.fakes:
        odd = [x["target"] for x in fake.log if not x["path"].startswith(("/v1/", "/v3/", "/v4/", "/v5/", "/v2/")) or
               "keys" in x["path"] or ".." in x["target"]]
        same(odd, [], "paths that nobody meant to ask")
    same(len(case.lists("mg-trap")["bounces", "a.example"]), len(case.fakes[0].ledger()["lists"]["a.example/bounces"]),
         "bounces, by re-rooted pages")


def codes(case, provider):
    """dsn or code -> n of the report."""
    out = json.loads(case.run("report", "--format", "json", "--since", "-30d", "--provider", provider))
    return {(r["dsn"] or str(r.get("code")), r["status"]): r["n"] for r in out["by_code"]}


def trap_13_codes_as_text_and_of_their_own(case):
    fake = mg(case, string_codes=True, count=300)
    case.once()
    check_mailgun(case, fake, "mg")
    found = codes(case, "mg")
    strange = [k for k in found if k[0] in ("605", "606", "607", "498", "680")]
    same(strange, [], "codes that are not SMTP's")
    want = sum(e.reason == "bounce" for m in fake.traffic.messages for e in m.events)
    same(found.get(("5.1.1", "bounced")), want, "5.1.1, by text codes")


def trap_14_odd_fields_of_logs(case):
    fake = mg(case)
    fake.do_fault("analytics/logs", "edit", times=-1, pattern='"is-routed": false', by='"is-routed": null')
    case.once()
    check_mailgun(case, fake, "mg")
    same(len(case.messages()), len(cases_mailgun.failures(fake)), "messages with a failure")


def trap_15_dates_of_every_form(case):
    for zone in ("GMT", "+0000", "-0000", "MST"):
        fake = mg(case)
        fake.do_fault("/v3/a.example/bounces", "edit", times=-1, pattern=' UTC"', by=' %s"' % zone)
        fake.do_fault("analytics/metrics", "edit", times=-1, pattern=r' \\+0000"', by=' %s"' % ("GMT" if zone == "MST" else zone))
        case.text = case.text.replace("[mailgun mg]", "[mailgun mg%d]" % len(case.fakes))
        case.write()
    case.once()
    for n, fake in enumerate(case.fakes):
        check_mailgun(case, fake, "mg%d" % (n + 1))
        missing = case.query("SELECT count(*) FROM suppression JOIN provider ON provider.id = provider WHERE name = ? AND "
                             "created_ms IS NULL", "mg%d" % (n + 1))
        same(missing, [(0,)], "dates that could not be read")


def trap_15_created_as_a_float(case):
    other = acme(case, start=False)
    other.do_style(float_created=True)
    case.start()
    settled(case, other)
    case.stop()


def trap_16_per_cent_with_its_sign(case):
    mg(case)
    case.once()
    same(case.ips("mg")["198.51.100.7"]["percent"], 25, "25%")


def trap_17_warmup_list_and_detail(case):
    mg(case)
    case.once()
    ips = case.ips("mg")
    row = ips["198.51.100.7"]
    same((row["stage"], row["stages"], row["max_messages"], row["warming"]), (4, 15, 8000, 1), "warm-up by list and detail")
    same(ips["198.51.100.8"]["warming"], 0, "404: not warming")


def trap_18_warmup_as_an_object(case):
    fake = acme(case, start=False)
    fake.do_style(object_warmup=True)
    case.start()
    case.wait("the warm-up", lambda: case.ips("acme").get("198.51.100.7", {}).get("day") == 5)
    case.stop()


def trap_19_more_deferrals_than_messages(case):
    fake = acme(case, start=False)
    fake.do_correct(fake.day(fake.clock.ms()), "deferred", 90000)
    case.start()
    settled(case, fake)
    case.stop()
    found, text = case.board("acme")
    same(found["deferred"], str(total_of(sendgrid_days(fake))["DEFERRED"]), "deferrals on the board")
    too_long = [line for line in text.splitlines() if len(line) > 120]
    same(too_long, [], "lines over the edge")


def trap_20_full_slices_are_split(case):
    fake = cases_sendgrid.account()
    fake.do_traffic(2600, ago_ms=5 * HOUR_MS, span_ms=40 * 60000, only="bounce")
    fake.do_traffic(1100, ago_ms=7 * HOUR_MS, span_ms=1, seed=2, only="bounce")  # one second of it
    case.add(fake, "acme")
    case.start()
    ids = {fake.ident(m) for m in fake.traffic.messages[:2600]}
    case.wait("2,600 failures", lambda: ids <= set(case.messages()))
    case.wait("what is missing to be told", lambda: "are missing" in (case.budgets("acme")["logs"]["detail"] or ""))
    case.stop()


def trap_21_bodies_that_are_no_answer(case):
    fake = acme(case, start=False)
    for kind, more in (("html", {}), ("empty", {}), ("empty", {"status": 200}), ("body", {"body": '{"errors":[{"message":"x"},]}'}),
                       ("body", {"body": "\x00\xff\xfe", "status": 200}), ("deep", {}), ("html", {"status": 200}),
                       ("body", {"body": "[1,2", "status": 200}), ("huge", {"bytes": 40 << 20})):
        fake.do_fault("GET /v3/(user/account|suppression/blocks|ips)", kind, times=2, **more)
    case.start()
    case.wait("all faults to have been met", lambda: not any(f["times"] > 0 for f in fake.faults), 240)
    settled(case, fake)
    case.stop()


def trap_22_escape_sequences(case):
    fake = acme(case, start=False, traffic={"evil": True})
    fake.do_list_add("bounces", "a\x1b[31mb@example.net", fake.clock.ms() - HOUR_MS, reason="\x1b]0;owned\x07 red \x9b2J")
    case.start()
    case.wait("failures", lambda: len(case.messages()) >= len([m for m in fake.ledger()["status"].values()
                                                              if m in ("bounced", "blocked", "deferred", "dropped")]))
    case.stop()
    for command in (("--once",), ("report",), ("report", "--format", "csv"), ("report", "--format", "json")):
        raw = case.run(*command, "--provider", "acme")
        bad = [c for c in raw if (c < " " and c not in "\n\r\t") or "\x7f" <= c < "\xa0" or c == "\u202e"]
        if command[-1] == "csv" and "\r\n" in raw:
            bad = [c for c in bad if c != "\r"]
        same(bad, [], "control characters in %s" % (command,))
    if not shutil.which("tmux"):
        raise Skip("no tmux")
    screen = Terminal([case.mtatop(), "--config", case.conf, "--cache", case.cache, "--provider", "acme", "--window", "24h"], env={k: v for k, v in case.env.items() if k in ("HOME", "PATH", "XDG_CACHE_HOME")})
    try:
        screen.wait("acme")
        screen.keys("5")
        text = screen.wait("bounced")
        case.screens.append(text.encode())
        title = screen.tmux("display-message", "-p", "-t", "t", "#{pane_title}").stdout.decode()
        if "owned" in title:
            raise Failed("the terminal's title was set: " + title)
        screen.keys("q", "q")
        same(screen.exit_status(), 0, "exit status")
    finally:
        screen.close()


def trap_23_english_dates_in_any_locale(case):
    folder = os.path.join(case.dir, "locales")
    os.mkdir(folder)
    if not shutil.which("localedef") or subprocess.run(
            ["localedef", "-i", "de_DE", "-f", "UTF-8", os.path.join(folder, "de_DE.UTF-8")], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode > 1:
        raise Skip("no locale de_DE can be made here")
    fake = mg(case)
    case.once(env={"LOCPATH": folder, "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"})
    check_mailgun(case, fake, "mg")


def trap_24_the_same_events_again(case):
    """Overlapping reads, a restart, and ids that are unique within a day only."""
    fake = cases_mailgun.account()
    for days in (2, 1):
        fake.do_traffic("a.example", 40, ago_ms=days * 24 * HOUR_MS, span_ms=HOUR_MS, seed=4, only="bounce")
    fake.do_style(short_ids=True)
    case.add(fake, "mg", **MG)
    for _ in range(3):
        case.once()
    got = case.messages()
    same((len(got), len(set(got))), (80, 80), "messages of two days with the same event ids")
    other = acme(case)
    settled(case, other)
    case.stop(signal.SIGKILL)
    case.start()
    asked = len(other.log)
    case.wait("another look at the logs", lambda: sum(x["path"] == "/v3/logs" for x in other.log[asked:]) > 3)
    settled(case, other)
    case.stop()


def trap_25_days_of_the_accounts_zone(case):
    fake = cases_sendgrid.account()
    fake.zone = "America/Denver"
    cases_sendgrid.traffic(fake, 29, 900)
    case.add(fake, "acme", time_zone="America/Denver")
    case.start()
    settled(case, fake)
    case.stop()
    other = cases_sendgrid.account()
    case.add(other, "nowhere", time_zone="Mars/Olympus")
    text = case.once(ok=(1, 2, 3, 4))
    if "Mars/Olympus" not in text:
        raise Failed("a zone that is none is not told: " + text[-300:])


def trap_26_cut_slow_and_untrusted(case):
    fake = acme(case, start=False)
    for kind, more in (("cut", {}), ("gzip_broken", {}), ("gzip_bomb", {"bytes": 1 << 30}), ("drop", {}),
                       ("huge_headers", {}), ("slow", {"bytes_per_s": 1}), ("cut", {"share": 0.01})):
        fake.do_fault("GET /v3/(stats|suppression/bounces|user/credits)", kind, **more)
    case.start()
    peak = 0

    def met():
        nonlocal peak
        with open("/proc/%d/status" % case.process.pid, encoding="ascii") as f:
            peak = max(peak, next(int(line.split()[1]) for line in f if line.startswith("VmHWM")))
        return not any(f["times"] > 0 for f in fake.faults)
    case.wait("all faults to have been met", met, 240)
    settled(case, fake)
    case.stop()
    if peak > 200000:
        raise Failed("%d kB at most: a gzip bomb was unpacked" % peak)
    other = cases_sendgrid.account(tls=os.path.join(case.dir, "ca"))
    case.add(other, "tls")  # and its authority is trusted by nobody
    case.start()
    case.wait("the certificate to be refused", lambda: case.budgets("tls").get("scopes") and
              "certificate" in case.budgets("tls")["scopes"]["detail"].lower())
    same(other.log, [], "requests to a server nobody trusts")
    case.stop()


CASES = [fn for name, fn in sorted(globals().items()) if name.startswith("trap_")]
