#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""conform - the fakes against the vendors' own documents: every answer a fake gives goes through `prism proxy`.

Prints ok/FAIL/skip a case. Needs ../shared/tools/prism, node and the npm registry (or what an earlier run left in
~/.cache); says so and skips when they are missing.
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "fakes"))
import mailgun  # noqa: E402
import sendgrid  # noqa: E402
from vendor import rfc2822  # noqa: E402

PRISM = os.path.join(TOP, "..", "shared", "tools", "prism")
INSTALL_DEADLINE_S = 240  # the first use installs from npm
KEPT = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "mtatop-prism")


class Skip(Exception):
    pass


class Proxy:
    """`prism proxy` between a client and a fake; its log says what broke the contract."""

    def __init__(self, vendor, fake, folder):
        if not os.path.exists(PRISM):
            raise Skip("no ../shared/tools/prism beside the checkout")
        if not shutil.which("node") or not shutil.which("npm"):
            raise Skip("prism needs node and npm")
        self.path = os.path.join(folder, "prism-%s.log" % vendor)
        with sendgrid.SendGrid() as spare:  # a free port, as free as one gets
            self.port = spare.port
        with open(self.path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["sh", PRISM, "proxy", vendor, str(self.port), fake.base], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.base = "http://127.0.0.1:%d" % self.port
        deadline = time.monotonic() + INSTALL_DEADLINE_S
        while not self.up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Skip("prism does not start here (no npm registry?): %s" % self.log()[-200:].replace("\n", " "))
            time.sleep(0.2)

    def up(self):
        try:
            urllib.request.urlopen(self.base + "/nothing", timeout=5)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def log(self):
        with open(self.path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()


def call(base, method, path, auth, body=None, **headers):
    """(status, body, what prism found against the contract)"""
    data = json.dumps(body).encode() if body is not None else None
    headers = dict({"Authorization": auth, "Accept": "application/json"}, **headers)
    if data is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(base + path, method=method, data=data, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as e:
        answer = e
    return answer.status, answer.read(), answer.headers.get("sl-violations", "")


def mailgun_calls(fake):
    """(method, path, body, status) of all the fake knows."""
    now = fake.clock.ms()
    start, end = rfc2822(now - 7200000, "+0000"), rfc2822(now, "+0000")
    bounce = sorted(fake.lists["a.example", "bounces"])[0]
    lists = ["/v3/a.example/%s?limit=1000" % k for k in ("bounces", "complaints", "unsubscribes", "whitelists")]
    for path in ["/v4/domains?limit=1000", "/v4/domains/a.example", "/v4/domains/c.example", "/v3/ips", "/v3/ips/198.51.100.7",
                 "/v3/domains/c.example/sending_queues", "/v3/ip_pools", "/v3/ip_warmups?limit=100",
                 "/v3/ip_warmups/198.51.100.7", "/v3/stats/total?event=delivered&event=failed&event=accepted",
                 "/v3/a.example/stats/total?event=delivered&event=failed&resolution=hour", "/v3/a.example/aggregates/providers",
                 "/v3/a.example/events?limit=300&ascending=yes&begin=%d" % (now // 1000 - 7200), "/v5/users/me",
                 "/v5/accounts/limit/custom/monthly", "/v3/domains/a.example/messages/key3",
                 "/v3/a.example/bounces/" + bounce] + lists:
        yield "GET", path, None, 200
    yield "DELETE", "/v3/a.example/bounces/" + bounce, None, 200
    metrics = {"start": start, "end": end, "resolution": "hour", "dimensions": ["time", "domain"], "include_aggregates": True,
               "metrics": ["accepted_count", "delivered_count", "bounce_rate"], "pagination": {"sort": "time:asc", "limit": 9}}
    yield "POST", "/v1/analytics/metrics", metrics, 200
    for events in (["failed", "rejected"], ["accepted", "delivered", "failed", "opened", "clicked", "complained"]):
        yield "POST", "/v1/analytics/logs", {"start": start, "end": end, "events": events,
                                             "pagination": {"sort": "timestamp:asc", "limit": 100}}, 200


def sendgrid_calls(fake):
    day = fake.day(fake.clock.ms())
    for path in ["/v3/scopes", "/v3/stats?aggregated_by=day&start_date=" + day, "/v3/mailbox_providers/stats?start_date=" + day,
                 "/v3/categories?limit=50", "/v3/categories/stats?categories=news&start_date=" + day,
                 "/v3/categories/stats/sums?limit=100&start_date=%s&end_date=%s" % (day, day),
                 "/v3/suppression/bounces/classifications?start_date=" + day, "/v3/ips?limit=100", "/v3/ips/pools",
                 "/v3/ips/pools/main", "/v3/ips/warmup", "/v3/ips/warmup/198.51.100.7", "/v3/user/account", "/v3/user/credits",
                 "/v3/user/username", "/v3/subusers?limit=500", "/v3/subusers/reputations"] + \
            ["/v3/suppression/%s?limit=500&start_time=0" % k for k in sendgrid.LISTS] + \
            ["/v3/logs/" + fake.ident(m) for m in fake.traffic.messages if m.events[-1].kind not in ("delivered", "opened")]:
        yield "GET", path, None, 200
    yield "GET", "/v3/ips/warmup/198.51.100.8", None, 404
    yield "GET", "/v3/messages?limit=10&query=x", None, 400
    since = 'sg_message_id_created_at >= TIMESTAMP "2020-01-01T00:00:00Z"'
    for query in (since, "status IN ('bounced','blocked','deferred','dropped') AND " + since):
        yield "POST", "/v3/logs", {"limit": 1000, "query": query}, 200


def asked(*request):
    """call(), again where the proxy lost its own connection: node reuses one that has just ended, and the fake never saw
    the request."""
    for _ in range(5):
        answer = call(*request)
        if not (answer[0] == 500 and b"socket hang up" in answer[1]):
            break
    return answer


def check(vendor, fake, auth, calls, folder):
    with fake, Proxy(vendor, fake, folder) as proxy:
        for method, path, body, wanted in calls(fake):
            status, text, found = asked(proxy.base, method, path, auth, body)
            if status != wanted or found:
                print("%s %s: %d, wanted %d; %s %s" % (method, path, status, wanted, found, text[:600]))
                return False
    return True


def main(folder):
    mg, sg = mailgun.Mailgun(), sendgrid.SendGrid()
    mg.do_traffic("a.example", 300, ago_ms=7200000)
    mg.do_domain("c.example", "unverified", disabled="made up", blocked="too many")
    mg.do_list_add("a.example", "whitelists", "friend@example.net")
    sg.do_subuser("sub1")
    sg.do_traffic(300, ago_ms=7200000)
    sg.do_list_add("invalid_emails", "nobody@example.net")
    basic = "Basic " + base64.b64encode(("api:" + mg.key).encode()).decode()
    for vendor, fake, auth, calls in (("mailgun", mg, basic, mailgun_calls), ("sendgrid", sg, "Bearer " + sg.key, sendgrid_calls)):
        name = "fake_%s_answers_as_the_vendors_document_says" % vendor
        try:
            print("%s %s" % ("ok" if check(vendor, fake, auth, calls, folder) else "FAIL", name), flush=True)
        except Skip as e:
            print("skip %s: %s" % (name, e), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
