# SPDX-License-Identifier: MIT
"""cases_account - what an account of Mailgun's is like beside its figures: rights, limits, subaccounts, regions, proxies,
lists that are walked, jobs of the screen, doctor."""
import os
import socket
import threading
import time

import cases_mailgun
import cases_sendgrid
from harness import (Failed, MAILGUN_WORDS, SLOT_HOUR, check_mailgun, check_sendgrid, mailgun_hours, same, slots_of)
from traps import MG, mg
from vendor import bomb

HOUR_MS = 3600000
HEALTH_FRESH, HEALTH_LATE, HEALTH_FAILING, HEALTH_STOPPED = 1, 2, 4, 5


def small(case, of=("a.example",), count=30, **keys):
    fake = cases_mailgun.account()
    cases_mailgun.traffic(fake, of, 6, count)
    case.add(fake, "mg", **dict(MG, **keys))
    return fake


def walk_again(case):
    """A walk of the lists is not begun anew for 6 h: its cursor is taken away by the test."""
    case.write_cache("DELETE FROM cursor WHERE key = 'walked'")
    case.once()


# what the key may do
def trap_02_mailgun_403_on_one_panel_only(case):
    fake = mg(case)
    fake.do_style(deny=["/v3/ips", "/v3/a.example/bounces"])
    case.once()
    check_mailgun(case, fake, "mg", lists=False)
    rows = case.budgets("mg")
    for name, role in (("IPs", "role analyst"), ("suppressions", "role support")):
        same((rows[name]["health"], rows[name]["missing"]), (HEALTH_STOPPED, role), name)
    same(rows["metrics"]["health"], HEALTH_FRESH, "what is allowed")
    if "403" not in rows["IPs"]["detail"]:
        raise Failed("IPs: %s" % rows["IPs"]["detail"])


def trap_17_not_warming_is_no_fault(case):
    fake = small(case)
    fake.do_fault("ip_warmups", "status", times=100, status=404)
    fake.do_fault("ip_pools", "status", times=100, status=403)
    case.once()
    same(case.budgets("mg")["IPs"]["health"], HEALTH_FRESH, "health of what has no warm-up")
    same({ip: row["warming"] for ip, row in case.ips("mg").items()}, {"198.51.100.7": 1, "198.51.100.8": 0}, "addresses")


def doctor_says_what_the_key_may_do(case):
    fake = small(case)
    key = os.path.join(case.dir, "mg.key")

    def said(*words, absent="\x1b"):
        code, text = case.answer("doctor")
        missing = [w for w in words if w not in text]
        if missing or absent in text:
            raise Failed("doctor does not say %s: %s" % (missing, text))
        return code
    said("ok  key: key_file %s" % key, "ok  Mailgun: the API is reached", "ok  counters: ", "ok  IPs: ")
    fake.do_style(deny=["/v3/ips", "/v1/analytics/metrics"])
    said("--  counters: not for this key", "role analyst; the older v3 stats are read instead")
    fake.do_fault("domains", "body", times=1, status=500, body='{"message":"\\u001b[31m\x1b[31mred"}')
    same(said("!!  Mailgun: "), 1, "exit status")
    fake.do_key("a-new-one")
    same(said("401: Forbidden", "fix: put a valid key", absent=cases_mailgun.KEY), 1, "exit status")
    os.chmod(key, 0o604)
    said("chmod 600 %s" % key)


# limits
def trap_04_mailgun_a_429_says_how_long(case):
    styles = {"delta": 100, "date": 100, "reset_s": 100, "reset_ms": 100, "case": 100, "absent": 80, "past": 80}
    for style in styles:
        fake = cases_mailgun.account()
        fake.do_domain("a.example")
        fake.do_fault("analytics/metrics", "429", times=1000, style=style, wait_s=90)
        case.add(fake, "mg-" + style, **MG)
    case.start()
    for fake, (style, longest) in zip(case.fakes, styles.items()):
        name = "mg-" + style

        def next_ms():
            rows = case.query("SELECT next_ms FROM api_budget JOIN provider ON provider.id = provider WHERE name = ? AND "
                              "endpoint = 'metrics' AND requests > 0 AND next_ms > 0", name)  # noqa: B023
            return rows[0][0] if rows else None
        case.wait("the budget of " + name, next_ms)
        case.wait("the logs of " + name, lambda: case.budgets(name)["logs"]["health"] == HEALTH_FRESH)  # noqa: B023
        left = next_ms() / 1000 - time.time()
        if not longest - 40 < left < longest:
            raise Failed("%s: %.1f s to the next" % (style, left))
        same(case.budgets(name)["metrics"]["health"], HEALTH_LATE, "health of " + name)
        asked = sum("metrics" in r["path"] and '"domain"' in r["body"] for r in fake.log)
        same(asked, 1, "questions that were refused, " + style)
    case.stop()


def a_429_hour_costs_few_requests(case):
    """Its beginning on the wire; the hour itself passes in tests/unit/test_api_plan.c, by a clock that a test moves."""
    fake = mg(case)
    fake.do_fault(".", "429", times=10000, style="delta", wait_s=3600)
    case.start()
    case.wait("the first refusals", lambda: len(fake.log) >= 6)
    end = time.monotonic() + 2
    case.wait("what would hammer to do it", lambda: time.monotonic() > end)
    if len(fake.log) > 14:
        raise Failed("%d requests" % len(fake.log))
    case.stop()
    fake.do_clear()
    case.once()
    check_mailgun(case, fake, "mg")


def one_dead_network_is_no_zero(case):
    fake = mg(case)
    case.once()
    before = slots_of(case, "mg", SLOT_HOUR, ("SENT", "BOUNCED", "DEFERRED"))
    fake.do_fault(".", "drop", times=10000)
    case.once(ok=(1,))
    same(slots_of(case, "mg", SLOT_HOUR, ("SENT", "BOUNCED", "DEFERRED")), before, "figures after it")
    same(case.health("mg")[0], HEALTH_FAILING, "health")


def trap_21_mailgun_answers_that_are_none(case):
    fake = small(case)
    for kind, more in (("html", {}), ("empty", {}), ("html", {"status": 200}), ("body", {"body": '{"items":[1,],}'}),
                       ("empty", {"status": 200}), ("deep", {}), ("huge_headers", {}), ("body", {"body": '{"message":"x",}', "status": 500})):
        fake.do_fault("analytics/metrics", kind, times=1000, **more)
        case.once(ok=(1,))
        same(slots_of(case, "mg", SLOT_HOUR, ("SENT",)), {}, "counters of nothing: %s %s" % (kind, more))
        same((case.budgets("mg")["metrics"]["health"], case.health("mg")[0]), (HEALTH_FAILING, HEALTH_FAILING), kind)
        fake.do_clear()
    case.once()
    check_mailgun(case, fake, "mg")


def trap_26_four_endless_bodies_at_once(case):
    bomb(1 << 28)  # made before anybody waits for it
    with open(case.mtatop(), "rb") as f:
        sanitized = b"__asan_init" in f.read()
    for kind, more in (("gzip_bomb", {"bytes": 1 << 28}), ("huge", {"bytes": 80 << 20})):
        fake = small(case)
        case.text = case.text.replace("[mailgun mg]", "[mailgun %s]" % kind)
        case.write()
        fake.do_fault("analytics", kind, times=1000, **more)
    case.start()
    for kind in ("gzip_bomb", "huge"):
        case.wait("both to fail", lambda: all((case.budgets(kind).get(e) or {}).get("health") == HEALTH_FAILING  # noqa: B023
                                              for e in ("metrics", "logs")))
        if "larger than 32 MB" not in case.budgets(kind)["metrics"]["detail"]:
            raise Failed("metrics: %s" % case.budgets(kind)["metrics"])
    with open("/proc/%d/status" % case.process.pid, encoding="ascii", errors="replace") as f:
        peak_kb = int(f.read().split("VmHWM:")[1].split()[0])
    if peak_kb > 460 << 10 and not sanitized:
        raise Failed("%d kB at most" % peak_kb)  # two accounts with four answers of 32 MB under way at once
    case.stop()


# lists
def a_walk_goes_on_after_a_restart(case):
    fake = small(case, count=5)
    for i in range(5500):
        fake.do_list_add("a.example", "unsubscribes", "w%04d@x.example" % i)
    fake.do_fault("unsubscribes.*w2999", "hang", times=1, seconds=30)
    case.start()
    case.wait("three pages", lambda: case.query("SELECT 1 FROM cursor WHERE key = 'walk' AND instr(value, 'w2999')"))
    case.stop(9)
    asked = len(fake.log)
    case.once()
    check_mailgun(case, fake, "mg")
    pages = [r["target"] for r in fake.log[asked:] if "unsubscribes" in r["target"]]
    if not pages or "w2999" not in pages[0]:
        raise Failed("the walk began anew: %s" % pages[:3])


def gone_from_the_list_is_gone(case):
    fake = small(case, count=5)
    fake.do_list_add("a.example", "complaints", "Stay@x.example")
    fake.do_list_add("a.example", "complaints", "go@x.example")
    case.once()
    fake.do_list_remove("a.example", "complaints", "go@x.example")
    walk_again(case)
    check_mailgun(case, fake, "mg")


# what was
def history_stays_when_the_vendor_drops_it(case):
    """Hours, days by mailbox provider and failures that an account no longer tells of are in the cache as they were."""
    fake, other = small(case, count=200), cases_sendgrid.account()
    cases_sendgrid.traffic(other, 5, 200)
    case.add(other, "acme")
    case.once()
    had = (slots_of(case, "mg", SLOT_HOUR, MAILGUN_WORDS), case.slots("acme", "MAILBOX"), set(case.messages()))
    limit_s = fake.clock.ms() // 1000 - 4 * 3600  # Mailgun's last three hours are asked for again, and are what it says
    fake.traffic.keep(lambda m: m.t > limit_s * 1000)
    other.provider_days = 2
    case.once()
    now = (slots_of(case, "mg", SLOT_HOUR, MAILGUN_WORDS), case.slots("acme", "MAILBOX"), set(case.messages()))
    old = {t: row for t, row in had[0].items() if t < limit_s - 3600}
    same(({t: row for t, row in now[0].items() if t < limit_s - 3600}, len(old) > 0), (old, True), "hours")
    same((now[1], len(had[1]) >= 5), (had[1], True), "days by mailbox provider")
    same(had[2] - now[2], set(), "messages that are gone")


# jobs of the screen
def detail_of_one_message(case):
    fake = small(case, count=80)
    case.once()
    message = next(m for m in fake.traffic.messages if len(m.events) > 2 and m.events[1].kind == "temporary")
    name = "%d@%s" % (message.n, message.domain)
    code, lines = case.job("mg", "detail", name)
    shown = [e for e in message.events if e.t <= fake.clock.ms()]
    same((code, len(lines)), (0, len(shown) + 1), "exit status and lines: %s" % lines)
    if "accepted" not in lines[0] or message.to not in lines[0] or "deferred (try 1)" not in lines[1]:
        raise Failed("lines: %s" % lines)
    code, lines = case.job("mg", "detail", "nobody@nowhere")
    same((code, "does not know this message" in lines[-1]), (1, True), "a message nobody knows: %s" % lines)
    fake.do_fault("logs", "status", times=10, status=403)
    code, lines = case.job("mg", "detail", name)
    same((code, "403" in lines[-1]), (1, True), "a refusal: %s" % lines)


def an_address_is_taken_off_its_list(case):
    fake = small(case, count=5)
    fake.do_list_add("a.example", "bounces", "a+b%c@x.example")
    fake.do_list_add("a.example", "whitelists", "w@x.example")
    case.once()
    for number, address in (("0", "a+b%c@x.example"), ("3", "w@x.example")):
        code, lines = case.job("mg", "remove", number, "a.example", address)
        same((code, "1 of 1 taken off" in lines[-1]), (0, True), "removal: %s" % lines)
    check_mailgun(case, fake, "mg")
    same(case.query("SELECT count(*) FROM action"), [(2,)], "the log of actions")
    code, lines = case.job("mg", "remove", "0", "a.example", "never@x.example")
    deleted = [r for r in fake.log if r["method"] == "DELETE"]
    same(("was not on it" in lines[-1], len(deleted)), (True, 3), "an address that was not there: %s" % lines)


# which mail
def domains_that_are_asked_for_alone(case):
    fake = small(case, ("a.example", "b.example", "c.example", "d.example"), domains="b.example d.example")
    case.once()
    fake.traffic.keep(lambda m: m.domain in ("b.example", "d.example"))
    check_mailgun(case, fake, "mg", lists=False)
    same(len(case.messages()), len(cases_mailgun.failures(fake)), "messages with a failure")
    same(case.query("SELECT name FROM sending_domain ORDER BY name"), [("b.example",), ("d.example",)], "domains")


def subaccounts_by_configuration(case):
    """Without them, with all of them, as one of them: each time the figures and failures are those and no others'."""
    owners = {"a.example": "", "b.example": "sub-1", "c.example": "sub-2"}
    for name, keys, kept in (("alone", {}, ("",)), ("all", {"subaccounts": "yes"}, ("", "sub-1", "sub-2")),
                             ("one", {"subaccount": "sub-2"}, ("sub-2",))):
        fake = cases_mailgun.account()
        cases_mailgun.traffic(fake, tuple(owners), 6, 60)
        fake.do_style(owners=owners)
        case.add(fake, name, **dict(MG, **keys))
        fake.kept = [d for d, owner in owners.items() if owner in kept]
    case.once()
    for fake, name in zip(case.fakes, ("alone", "all", "one")):
        ledger = fake.traffic
        ledger.keep(lambda m: m.domain in fake.kept)  # noqa: B023
        same(slots_of(case, name, SLOT_HOUR, ("SENT", "BOUNCED", "DEFERRED")), {t: r for t, r in (
            (t, {m: n for m, n in row.items() if m in ("SENT", "BOUNCED", "DEFERRED")}) for t, row in mailgun_hours(fake).items()) if r},
            "hours of " + name)
        rows = case.query("SELECT sending_domain.name, subaccount FROM sending_domain JOIN provider ON provider.id = provider "
                          "WHERE provider.name = ? ORDER BY 1", name)
        same(rows, [(d, owners[d] or None) for d in sorted(fake.kept)], "domains of " + name)
        own = {"%d@%s" % (m.n, m.domain) for m in ledger.messages} & set(case.messages())
        if not own:
            raise Failed("no failure of %s is in the cache" % name)
    same(len(case.messages()), sum(len(cases_mailgun.failures(f)) for f in case.fakes), "messages with a failure")


# the way there
class Tunnel:
    """A proxy that tunnels to where it is asked to, and notes what it was asked; 407 when it wants a password."""

    def __init__(self, refuse=False):
        self.asked, self.refuse = [], refuse
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            more = client.recv(4096)
            if not more:
                return
            head += more
        self.asked.append(head)
        if self.refuse or not head.startswith(b"CONNECT"):
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        host, port = head.split()[1].decode().rsplit(":", 1)
        there = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self.copy, args=(there, client), daemon=True).start()
        self.copy(client, there)

    @staticmethod
    def copy(a, b):
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    break
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.close()


def proxies_of_the_environment_are_used(case):
    fake = cases_mailgun.account(tls=os.path.join(case.dir, "ca"))
    cases_mailgun.traffic(fake, ("a.example",), 6, 10)
    case.add(fake, "mg", ca_file=fake.ca, **MG)
    with Tunnel(refuse=True) as proxy:
        case.once(env={"https_proxy": proxy.url}, ok=(1,))
        same(fake.log, [], "requests past a proxy that refuses")
    with Tunnel() as proxy:
        case.once(env={"https_proxy": proxy.url})
        check_mailgun(case, fake, "mg")
        odd = [head for head in proxy.asked if b"CONNECT 127.0.0.1:%d" % fake.port not in head or b"Authorization" in head or
               cases_mailgun.KEY.encode() in head]
        same((odd, bool(proxy.asked)), ([], True), "what the proxy was told")


def a_key_in_plain_goes_to_loopback_alone(case):
    fake = small(case)
    with Tunnel() as proxy:
        case.once(env={"http_proxy": proxy.url, "ALL_PROXY": proxy.url})
        same(proxy.asked, [], "what a proxy was asked")
    check_mailgun(case, fake, "mg")


def the_region_names_the_host(case):
    """Without base_url; a proxy is told the host before any TLS, so nothing leaves this machine."""
    hosts = {"mailgun": {"us": b"api.mailgun.net:443", "eu": b"api.eu.mailgun.net:443"},
             "sendgrid": {"global": b"api.sendgrid.com:443", "eu": b"api.eu.sendgrid.com:443"}}
    for family, regions in hosts.items():
        for region, host in regions.items():
            case.text = "[postfix]\nenabled = no\n[%s x]\nkey_file = %s\nregion = %s\n" % (
                family, case.key_file("x", "a-made-up-key-0123456789"), region)
            case.write()
            with Tunnel(refuse=True) as proxy:
                case.once(env={"https_proxy": proxy.url}, ok=(1, 2))
                asked = {head.split()[1] for head in proxy.asked}
                same(asked, {host}, "%s, region %s" % (family, region))


def https_with_an_authority_of_our_own(case):
    fake = cases_sendgrid.account(tls=os.path.join(case.dir, "ca"))
    other = cases_sendgrid.account(tls=os.path.join(case.dir, "another"))
    cases_sendgrid.traffic(fake, 1, 40)
    case.fakes.append(other)
    case.add(fake, "acme", ca_file=other.ca)
    text = case.once(ok=(1,))
    same(("certificate" in text.lower(), fake.log), (True, []), "another authority: " + text[-200:])
    case.text = case.text.replace(other.ca, fake.ca)
    case.write()
    case.once()
    check_sendgrid(case, fake, "acme")


CASES = [trap_02_mailgun_403_on_one_panel_only, trap_17_not_warming_is_no_fault, doctor_says_what_the_key_may_do,
         trap_04_mailgun_a_429_says_how_long, a_429_hour_costs_few_requests, one_dead_network_is_no_zero,
         trap_21_mailgun_answers_that_are_none, trap_26_four_endless_bodies_at_once, a_walk_goes_on_after_a_restart,
         gone_from_the_list_is_gone, history_stays_when_the_vendor_drops_it, detail_of_one_message, an_address_is_taken_off_its_list, domains_that_are_asked_for_alone,
         subaccounts_by_configuration, proxies_of_the_environment_are_used, a_key_in_plain_goes_to_loopback_alone,
         the_region_names_the_host, https_with_an_authority_of_our_own]
