#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_mailgun - the collector against a Mailgun account on loopback: the cache equals what the fake served, whatever is
corrected, refused, cut, repeated or killed.

  test_mailgun.py BUILD_DIR [NAME...]     prints ok/FAIL NAME a case
"""
import os
import random
import socket
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "fakes")]
from collected import KEY, Collected  # noqa: E402
from mailgun import HOUR_MS, Mailgun  # noqa: E402
from vendor import bomb  # noqa: E402

BUILD = ""
SANITIZED = False
DIM_TOTAL, DIM_SENDER, DIM_MAILBOX, DIM_IP = 0, 7, 13, 14
HEALTH_FRESH, HEALTH_LATE, HEALTH_FAILING, HEALTH_STOPPED = 1, 2, 4, 5
OF = {"accepted": "REQUESTS", "delivered": "SENT", "temporary": "DEFERRED", "permanent": "BOUNCED", "suppressed": "SUPPRESSED",
      "hard": "HARD_BOUNCES", "complained": "COMPLAINTS", "unsubscribed": "UNSUBSCRIBES", "opened": "OPENS", "clicked": "CLICKS"}
V3 = set(OF.values()) - {"HARD_BOUNCES"}


def account(domains=2, count=150, **kw):
    """A fake with traffic in the last hours, its clock standing still a moment from now."""
    fake = Mailgun(key=KEY, now_ms=int(time.time() * 1000), **kw)
    for i in range(domains):
        fake.do_traffic("d%d.example" % i, count, ago_ms=6 * HOUR_MS, span_ms=6 * HOUR_MS - 60000)
    return fake.start()


def forget(fake, gone):
    """Messages that the vendor never had, after all."""
    lot = fake.traffic
    lot.messages = [m for m in lot.messages if not gone(m)]
    lot.events = [e for e in lot.events if not gone(e.message)]
    lot.times = [e.t for e in lot.events]


def truth(ledger):
    """(slot start s, domain) -> {METRIC: n}, the account's sums under ''."""
    out = {}
    for hour, rows in ledger["hours"].items():
        for domain, row in rows.items():
            for where in (domain, ""):
                slot = out.setdefault((int(hour) // 1000, where), {})
                for name, n in row.items():
                    slot[OF[name]] = slot.get(OF[name], 0) + n
    return out


def equal(c, metrics=frozenset(OF.values())):
    """The counters by domain and in all are those of the fake, hour by hour; what is not there is 0 on both sides."""
    want, have = truth(c.fake.do_ledger()), c.counts()
    slots = {(t, key if dim == DIM_SENDER else "") for dim, t, key in have if dim in (DIM_TOTAL, DIM_SENDER)} | set(want)
    for t, domain in sorted(slots):
        got = have.get((DIM_SENDER, t, domain) if domain else (DIM_TOTAL, t, "-"), {})
        wanted = want.get((t, domain), {})
        for metric in metrics:
            assert got.get(metric, 0) == wanted.get(metric, 0), "%d %r %s: cache %s, fake %s" % (
                t, domain, metric, got.get(metric, 0), wanted.get(metric, 0))


def failures(c):
    """As many failures in the cache as the fake has: table api_id knows each, and each of their messages."""
    now = c.fake.clock.ms()
    found = [e for e in c.fake.traffic.between(0, now + 1, now) if e.kind in ("temporary", "permanent")]
    have, want = c.sql("SELECT count(*) FROM api_id")[0][0], len(found) + len({e.message.n for e in found})
    assert have == want, "%d failures and their messages in the cache, the fake has %d" % (have, want)


def lists(c):
    names = {0: "bounces", 1: "complaints", 2: "unsubscribes", 3: "whitelists"}
    have = sorted((scope, names[kind], address) for kind, scope, address in c.sql("SELECT list, scope, address FROM suppression"))
    want = sorted((k.split("/")[0], k.split("/")[1], a.lower()) for k, rows in c.fake.do_ledger()["lists"].items() for a in rows)
    assert have == want, "suppressions: %d in the cache, the fake has %d" % (len(have), len(want))


def well(done):
    assert done[0] == 0, "exit status %d: %s" % done


def collect_equals_the_fake():
    with account() as fake, Collected(BUILD, "mailgun", fake) as c:
        well(c.once())
        equal(c), failures(c), lists(c)
        assert c.sql("SELECT name, state FROM sending_domain ORDER BY name") == [("d0.example", "active"), ("d1.example", "active")]
        have = c.counts()
        assert sum(n.get("SENT", 0) for (dim, *_), n in have.items() if dim == DIM_MAILBOX) == \
            sum(n.get("SENT", 0) for (dim, *_), n in have.items() if dim == DIM_TOTAL)
        assert any(dim == DIM_IP for dim, *_ in have)
        assert all("key" not in str(r["headers"]) or True for r in fake.log) and {r["key"] for r in fake.log} == {"right"}


def trap_01_text_401_stops_the_source():
    with account() as fake, Collected(BUILD, "mailgun", fake, key="another-key-entirely") as c:
        code, said = c.once()
        assert code == 1 and "refused (401)" in said, (code, said)
        assert len(fake.log) <= 14, "%d requests with a bad key" % len(fake.log)
        assert c.source()[0] == HEALTH_STOPPED
        assert not c.counts()


def trap_02_403_on_one_panel_only():
    with account() as fake, Collected(BUILD, "mailgun", fake) as c:
        fake.do_style(deny=["/v3/ips", "/v3/d0.example/bounces"])
        well(c.once())
        equal(c), failures(c)
        rows = c.budgets()
        assert rows["IPs"][1:3] == (HEALTH_STOPPED, "role analyst") and "403" in rows["IPs"][3], rows["IPs"]
        assert rows["suppressions"][1:3] == (HEALTH_STOPPED, "role support"), rows["suppressions"]
        assert rows["metrics"][1] == HEALTH_FRESH and c.source()[0] == HEALTH_FRESH


def trap_04_a_429_says_how_long():
    for style, shortest, longest in (("delta", 90, 100), ("date", 88, 100), ("reset_s", 88, 100), ("reset_ms", 88, 100),
                                     ("case", 88, 100), ("absent", 55, 80), ("past", 55, 80)):
        with Mailgun(key=KEY) as fake, Collected(BUILD, "mailgun", fake) as c:
            fake.do_domain("d0.example")
            fake.do_fault("analytics/metrics", "429", times=1000, style=style, wait_s=90)
            c.start()
            assert c.wait(lambda: c.budgets()["metrics"][4] > 0 and c.budgets()["metrics"][5] and c.budgets()["logs"][1] == HEALTH_FRESH)
            left = c.budgets()["metrics"][5] / 1000 - time.time()
            assert shortest - 10 < left < longest, "%s: %.1f s" % (style, left)
            assert c.budgets()["metrics"][1] == HEALTH_LATE, c.budgets()["metrics"]
            c.kill()
            assert sum("metrics" in r["path"] and "recipient_provider" not in r["body"] and '"ip"' not in r["body"] for r in fake.log) == 1


def trap_07_null_and_absent_counts():
    with account() as fake, Collected(BUILD, "mailgun", fake) as c:
        fake.do_style(null_counts=True)
        well(c.once())
        want, have = truth(fake.do_ledger()), c.counts()
        for (t, domain), row in want.items():
            got = have.get((DIM_SENDER, t, domain) if domain else (DIM_TOTAL, t, "-"), {})
            for metric, n in got.items():
                assert row.get(metric, 0) == n or metric not in OF.values(), (t, domain, metric, n, row)
        fake.do_style(null_counts=False)
        os.unlink(c.cache)
        well(c.once())
        equal(c)


def trap_08_omitted_buckets_are_zero():
    with account(domains=1, count=40) as fake, Collected(BUILD, "mailgun", fake) as c:
        well(c.once())
        equal(c)
        hour = max((t for (dim, t, _), n in c.counts().items() if dim == DIM_TOTAL and n.get("SENT", 0)))
        forget(fake, lambda m: any(e.t // HOUR_MS * HOUR_MS == hour * 1000 for e in m.events))
        well(c.once())
        assert not c.counts().get((DIM_TOTAL, hour, "-"), {}).get("SENT", 0)
        equal(c)


def trap_09_corrections_up_and_down():
    with account() as fake, Collected(BUILD, "mailgun", fake) as c:
        well(c.once())
        hour = (fake.clock.ms() - HOUR_MS) // HOUR_MS * HOUR_MS
        for metric, delta in (("delivered_count", 7), ("permanent_failed_count", 3), ("accepted_count", -2), ("complained_count", 5)):
            fake.do_correct(hour, "d0.example", metric, delta)
            well(c.once())
            equal(c, {"SENT", "BOUNCED", "DEFERRED", "COMPLAINTS"})


def trap_10_more_rows_than_the_default_limit():
    with account(domains=30, count=3) as fake, Collected(BUILD, "mailgun", fake) as c:
        fake.ip_list = {"198.51.100.%d" % i: True for i in range(35)}
        well(c.once())
        equal(c)
        assert c.sql("SELECT count(*), sum(warming), min(stages), min(percent), max(stage) FROM sending_ip")[0] == (35, 35, 15, 25, 4)
        assert c.sql("SELECT count(*) FROM sending_domain")[0][0] == 30


def trap_11_pages_that_repeat_end():
    for style in ({"same_rows": True}, {"equal_next": True}, {"total_lies": True}, {"same_rows": True, "total_lies": True}):
        with account(domains=1, count=300) as fake, Collected(BUILD, "mailgun", fake) as c:
            for i in range(1200):
                fake.do_list_add("d0.example", "bounces", "a%04d@x.example" % i)
            fake.do_style(**style)
            c.once(timeout=60)
            assert len(fake.log) < 200, "%r: %d requests" % (style, len(fake.log))


def trap_12_pages_elsewhere_are_not_followed():
    for style in ("other", "userinfo", "dots", "none", "word", "prefix"):
        with account(domains=1, count=20) as fake, Collected(BUILD, "mailgun", fake) as c:
            for i in range(2500):
                fake.do_list_add("d0.example", "complaints", "a%04d@x.example" % i)
            well(c.once())
            lists(c)
            before = c.sql("SELECT count(*) FROM suppression")[0][0]
            fake.do_style(url_style=style, deny=["/v1/analytics/logs"])
            os.unlink(c.cache)
            c.once()
            after = c.sql("SELECT count(*) FROM suppression")[0][0]
            assert after == before if style == "other" else after < before, "%s: %d of %d" % (style, after, before)
            assert not [r for r in fake.log if not r["path"].startswith(("/v3/", "/v4/", "/v1/analytics", "/v5/accounts", "/v5/users"))]
            if style != "other":
                assert c.budgets()["suppressions"][1] == HEALTH_FAILING, c.budgets()["suppressions"]


def trap_21_answers_that_are_none():
    for kind, more in (("html", {}), ("empty", {}), ("html", {"status": 200}), ("body", {"body": '{"items":[1,],}'}),
                       ("empty", {"status": 200}), ("deep", {}), ("huge_headers", {}), ("body", {"body": '{"message":"x",}', "status": 500})):
        with account(domains=1, count=30) as fake, Collected(BUILD, "mailgun", fake) as c:
            fake.do_fault("analytics/metrics", kind, times=1000, **more)
            code, _ = c.once()
            assert code == 1, "%s %r: exit status %d" % (kind, more, code)
            assert not c.counts(), "%s %r: counters of nothing" % (kind, more)
            assert c.budgets()["metrics"][1] == HEALTH_FAILING and c.source()[0] == HEALTH_FAILING
            failures(c)
            fake.do_clear()
            well(c.once())
            equal(c)


def trap_24_overlaps_count_once():
    with account() as fake, Collected(BUILD, "mailgun", fake) as c:
        for i in range(3):
            well(c.once())
            failures(c)
            fake.do_traffic("d0.example", 20, ago_ms=HOUR_MS // 2, span_ms=HOUR_MS // 2 - 60000)
        well(c.once())
        equal(c), failures(c)
        lists_after_a_walk(c)


def trap_26_cut_and_endless_bodies():
    for kind, more in (("cut", {}), ("drop", {}), ("slow", {"bytes_per_s": 2})):
        with account(domains=1, count=30) as fake, Collected(BUILD, "mailgun", fake) as c:
            fake.do_fault("analytics/metrics", kind, times=1000, **more)
            code, said = c.once(timeout=90)
            assert code == 1, "%s: exit status %d: %s" % (kind, code, said)
            assert not c.counts() and c.budgets()["metrics"][1] == HEALTH_FAILING


def trap_26_what_is_endless_is_capped():
    bomb(1 << 28)  # made before anybody waits for it
    for kind, more in (("gzip_bomb", {"bytes": 1 << 28}), ("huge", {"bytes": 80 << 20})):
        with account(domains=1, count=30) as fake, Collected(BUILD, "mailgun", fake) as c:
            fake.do_fault("analytics", kind, times=1000, **more)
            c.start()
            assert c.wait(lambda: c.budgets()["metrics"][1] == HEALTH_FAILING and c.budgets()["logs"][1] == HEALTH_FAILING)
            assert "larger than 32 MB" in c.budgets()["metrics"][3], c.budgets()["metrics"]
            with open("/proc/%d/status" % c.process.pid, encoding="ascii", errors="replace") as f:
                peak_kb = int(f.read().split("VmHWM:")[1].split()[0])
            if not SANITIZED:
                assert peak_kb < 260 << 10, "%s: %d kB" % (kind, peak_kb)  # four answers of 32 MB under way at once


def trap_26_certificates_are_checked():
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        with account(domains=1, count=10, tls=ours) as fake, account(domains=1, count=10, tls=theirs) as other:
            with Collected(BUILD, "mailgun", fake) as c:
                well(c.once())
                equal(c)
            for ca in ("", other.ca):
                with Collected(BUILD, "mailgun", fake, ca_file=ca) as c:
                    asked = len(fake.log)
                    code, said = c.once()
                    assert code == 1 and "certificate" in said.lower(), (code, said)
                    assert len(fake.log) == asked and not c.counts()


def trap_27_the_key_is_nowhere():
    with account() as fake, Collected(BUILD, "mailgun", fake) as c:
        fake.do_fault("ips", "body", times=100, body='{"message":"your key %s is odd"}' % KEY, status=400)
        well(c.once())
        assert "*****" in c.budgets()["IPs"][3], c.budgets()["IPs"]
        c.start()
        assert c.wait(lambda: len(fake.log) > 40)
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (c.process.pid, name), "rb") as f:
                assert KEY.encode() not in f.read(), name
        c.kill()
        assert c.holds(KEY.encode()) == []
        assert not [r for r in fake.log if KEY in str(r["target"]) or KEY in r["body"]]


def key_of_the_environment():
    with account(domains=1, count=10) as fake, Collected(BUILD, "mailgun", fake, key_file="") as c:
        os.unlink(c.at("key"))
        well(c.once(MTATOP_MAILGUN_KEY=KEY))
        equal(c)
        assert c.holds(KEY.encode()) == []


def key_that_others_can_read_is_refused():
    with account(domains=1, count=10) as fake, Collected(BUILD, "mailgun", fake, mode=0o640) as c:
        code, said = c.once()
        assert code == 2 and "chmod 600 %s" % c.at("key") in said and not fake.log, (code, said)


def no_redirect_is_followed():
    with account(domains=1, count=10) as fake, account(domains=1, count=10) as other, Collected(BUILD, "mailgun", fake) as c:
        fake.do_fault(".", "redirect", times=1000, to=other.base + "/v4/domains")
        assert c.once()[0] == 1
        assert not other.log and not c.counts()


def fallback_to_v3_stats_and_events():
    for status in ("deny", "404"):
        with account() as fake, Collected(BUILD, "mailgun", fake) as c:
            if status == "deny":
                fake.do_style(deny=["/v1/analytics"], url_style="vendor")
            else:
                fake.do_fault("analytics", "status", times=10000, status=404)
            well(c.once())
            equal(c, V3), failures(c)
            assert any("/stats/total" in r["path"] for r in fake.log) and any("/events" in r["path"] for r in fake.log)


def one_dead_network_is_no_zero():
    with account() as fake, Collected(BUILD, "mailgun", fake) as c:
        well(c.once())
        before, ok = c.counts(), c.source()[2]
        fake.do_fault(".", "drop", times=10000)
        assert c.once()[0] == 1
        assert c.counts() == before
        assert c.source()[0] == HEALTH_FAILING and c.source()[1], c.source()
        assert c.source()[2] == ok or c.source()[2] is None or c.source()[2] <= ok


def a_429_hour_costs_few_requests():
    with account() as fake, Collected(BUILD, "mailgun", fake) as c:
        fake.do_fault(".", "429", times=10000, style="delta", wait_s=3600)
        c.start()
        assert c.wait(lambda: len(fake.log) >= 6)
        time.sleep(1)  # what would hammer does it now
        asked = len(fake.log)
        assert asked <= 14, "%d requests" % asked
        c.kill()
        fake.do_clear()
        well(c.once())
        equal(c), failures(c)


def kill_9_anywhere_counts_once():
    lot = random.Random(11)
    with account(domains=6, count=400) as fake, Collected(BUILD, "mailgun", fake) as c:
        for i in range(3000):
            fake.do_list_add("d%d.example" % (i % 3), "bounces", "k%04d@x.example" % i)
        for i in range(25):
            asked = len(fake.log)
            c.start()
            c.wait(lambda: len(fake.log) >= asked + lot.randrange(1, 40), 5)
            time.sleep(lot.random() / 20)  # at any point of what follows
            c.kill()
            if i % 5 == 0:
                fake.do_traffic("d1.example", 10, ago_ms=HOUR_MS // 2, span_ms=HOUR_MS // 2 - 60000)
        c.sql("SELECT 1")
        well(c.once())
        well(c.once())
        equal(c), failures(c)
        lists_after_a_walk(c)


def lists_after_a_walk(c):
    """A walk that ended before the last change is not begun anew for 6 h: its cursor is put back by the test."""
    import sqlite3
    db = sqlite3.connect(c.cache)
    db.execute("DELETE FROM cursor WHERE key IN ('walked')")
    db.commit()
    db.close()
    well(c.once())
    lists(c)


def a_walk_goes_on_after_a_restart():
    with account(domains=1, count=5) as fake, Collected(BUILD, "mailgun", fake) as c:
        for i in range(5500):
            fake.do_list_add("d0.example", "unsubscribes", "w%04d@x.example" % i)
        fake.do_fault("unsubscribes.*w2999", "hang", times=1, seconds=30)
        c.start()
        assert c.wait(lambda: c.sql("SELECT count(*) FROM cursor WHERE key = 'walk' AND instr(value, 'w2999')")[0][0] == 1)
        c.kill()
        asked = len(fake.log)
        well(c.once())
        lists(c)
        pages = [r["target"] for r in fake.log[asked:] if "unsubscribes" in r["target"]]
        assert pages and "w2999" in pages[0], pages[:3]


def gone_from_the_list_is_gone():
    with account(domains=1, count=5) as fake, Collected(BUILD, "mailgun", fake) as c:
        fake.do_list_add("d0.example", "complaints", "Stay@x.example")
        fake.do_list_add("d0.example", "complaints", "go@x.example")
        well(c.once())
        fake.do_list_remove("d0.example", "complaints", "go@x.example")
        lists_after_a_walk(c)


def trap_05_budgets_say_what_headers_say():
    with account(domains=1, count=5) as fake, Collected(BUILD, "mailgun", fake) as c:
        well(c.once())
        row = c.sql("SELECT max_requests, remaining, reset_ms FROM api_budget WHERE endpoint = 'suppressions'")[0]
        assert row[:2] == (2500, 2497) and abs(row[2] / 1000 - time.time()) < 120, row


def doctor_says_what_the_key_may_do():
    with account(domains=1, count=5) as fake, Collected(BUILD, "mailgun", fake) as c:
        code, said = c.doctor()
        for words in ("ok  key: key_file %s" % c.at("key"), "ok  Mailgun: the API is reached", "ok  counters: ", "ok  IPs: "):
            assert words in said, said
        fake.do_style(deny=["/v3/ips", "/v1/analytics/metrics"])
        _, said = c.doctor()
        assert "--  counters: not for this key" in said and "role analyst; the older v3 stats are read instead" in said, said
        fake.do_fault("domains", "body", times=1, status=500, body='{"message":"\\u001b[31m\x1b[31mred"}')
        code, said = c.doctor()
        assert code == 1 and "!!  Mailgun: " in said and "\x1b" not in said, said
        fake.do_key("a-new-one")
        code, said = c.doctor()
        assert code == 1 and "401: Forbidden" in said and "fix: put a valid key" in said and KEY not in said, said
        os.chmod(c.at("key"), 0o604)
        assert "chmod 600 %s" % c.at("key") in c.doctor()[1]


def detail_of_one_message():
    with account(domains=1, count=60) as fake, Collected(BUILD, "mailgun", fake) as c:
        well(c.once())
        message = next(m for m in fake.traffic.messages if len(m.events) > 2 and m.events[1].kind == "temporary")
        code, lines = c.job("mailgun", "detail", "%d@%s" % (message.n, message.domain))
        shown = [e for e in message.events if e.t <= fake.clock.ms()]
        assert code == 0 and len(lines) == len(shown) + 1, (code, lines, shown)
        assert "accepted" in lines[0] and message.to in lines[0] and "deferred (try 1)" in lines[1], lines
        code, lines = c.job("mailgun", "detail", "nobody@nowhere")
        assert code == 1 and "does not know this message" in lines[-1], lines
        fake.do_fault("logs", "status", times=10, status=403)
        code, lines = c.job("mailgun", "detail", "%d@%s" % (message.n, message.domain))
        assert code == 1 and "403" in lines[-1], lines


def an_address_is_taken_off_its_list():
    with account(domains=1, count=5) as fake, Collected(BUILD, "mailgun", fake) as c:
        fake.do_list_add("d0.example", "bounces", "a+b%c@x.example")
        fake.do_list_add("d0.example", "whitelists", "w@x.example")
        well(c.once())
        for number, address in (("0", "a+b%c@x.example"), ("3", "w@x.example")):
            code, lines = c.job("mailgun", "remove", number, "d0.example", address)
            assert code == 0 and "1 of 1 taken off" in lines[-1], (code, lines)
        lists(c)
        assert not fake.lists["d0.example", "whitelists"] and "a+b%c@x.example" not in fake.lists["d0.example", "bounces"]
        assert c.sql("SELECT count(*) FROM action")[0][0] == 2
        code, lines = c.job("mailgun", "remove", "0", "d0.example", "never@x.example")
        assert "was not on it" in lines[-1] and len([r for r in fake.log if r["method"] == "DELETE"]) == 3, lines


def trap_17_not_warming_is_no_fault():
    with account(domains=1, count=5) as fake, Collected(BUILD, "mailgun", fake) as c:
        fake.do_fault("ip_warmups", "status", times=100, status=404)
        fake.do_fault("ip_pools", "status", times=100, status=403)
        well(c.once())
        assert c.budgets()["IPs"][1] == HEALTH_FRESH, c.budgets()["IPs"]
        assert c.sql("SELECT ip, warming FROM sending_ip ORDER BY ip") == [("198.51.100.7", 1), ("198.51.100.8", 0)]


class Proxy:
    """A proxy that tunnels to where it is asked to, and notes what it was asked; 407 when it wants a password."""

    def __init__(self, refuse=False):
        self.asked, self.refuse = [], refuse
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
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
        target = head.split()[1].decode()
        if self.refuse or not head.startswith(b"CONNECT"):
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        host, port = target.rsplit(":", 1)
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


def proxies_of_the_environment_are_used():
    with tempfile.TemporaryDirectory() as tls, account(domains=1, count=10, tls=tls) as fake:
        with Proxy() as proxy, Collected(BUILD, "mailgun", fake) as c:
            well(c.once(https_proxy="http://127.0.0.1:%d" % proxy.port))
            equal(c)
            assert proxy.asked and all(b"CONNECT 127.0.0.1:%d" % fake.port in head for head in proxy.asked)
            assert not [head for head in proxy.asked if b"Authorization" in head or KEY.encode() in head]
        with Proxy(refuse=True) as proxy, Collected(BUILD, "mailgun", fake) as c:
            asked = len(fake.log)
            assert c.once(https_proxy="http://127.0.0.1:%d" % proxy.port)[0] == 1
            assert len(fake.log) == asked and not c.counts()
    with account(domains=1, count=10) as fake, Proxy() as proxy, Collected(BUILD, "mailgun", fake) as c:
        well(c.once(http_proxy="http://127.0.0.1:%d" % proxy.port, ALL_PROXY="http://127.0.0.1:%d" % proxy.port))
        assert not proxy.asked  # a key in plain goes to loopback alone


def domains_that_are_asked_for_alone():
    with account(domains=4) as fake, Collected(BUILD, "mailgun", fake, domains="d1.example d3.example") as c:
        well(c.once())
        forget(fake, lambda m: m.domain not in ("d1.example", "d3.example"))
        equal(c), failures(c)
        assert c.sql("SELECT name FROM sending_domain ORDER BY name") == [("d1.example",), ("d3.example",)]


def main():
    global BUILD, SANITIZED
    BUILD = os.path.abspath(sys.argv[1])
    with open(os.path.join(BUILD, "tui", "mtatop"), "rb") as f:
        SANITIZED = b"__asan_init" in f.read()
    cases = [(n, f) for n, f in globals().items() if callable(f) and getattr(f, "__module__", "") == "__main__" and n not in HELPERS]
    failed = 0
    for name, case in cases:
        if len(sys.argv) > 2 and name not in sys.argv[2:]:
            continue
        try:
            case()
            print("ok   mailgun %s" % name, flush=True)
        except Exception:
            failed += 1
            print("FAIL mailgun %s\n%s" % (name, traceback.format_exc()), flush=True)
    return 1 if failed else 0


HELPERS = {"Proxy", "account", "bomb", "forget", "truth", "equal", "failures", "lists", "well", "main", "lists_after_a_walk"}

if __name__ == "__main__":
    sys.exit(main())
