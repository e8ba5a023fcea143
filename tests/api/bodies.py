#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bodies - the example bodies of Mailgun in ../shared/api-bodies through `mtatop --replay mailgun`: their rows hold what an
independent reading of the same JSON finds.

  bodies.py MTATOP     prints ok/FAIL/skip a shape; skips when ../shared is not beside the checkout
"""
import collections
import datetime
import email.utils
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BODIES = os.path.join(TOP, "..", "shared", "api-bodies", "mailgun")
# What a body is an answer to, by its file's name; the others are of endpoints that mtatop does not ask.
SHAPES = [
    (r"post_v1_analytics_metrics\.200", "metrics"), (r"post_v1_analytics_logs\.200", "logs"),
    (r"get_v3_(domain_)?stats_total\.200|stats\.00", "stats"), (r"get_v3_domain_name_events\.200", "events"),
    (r"event\.\d\d\.", "events"), (r"get_v3_domain_name_bounces\.200", "bounces d.example"),
    (r"get_v3_domain_name_complaints\.200", "complaints d.example"),
    (r"get_v3_domain_name_unsubscribes\.200", "unsubscribes d.example"),
    (r"get_v3_domain_name_whitelists\.200", "whitelists d.example"), (r"get_v4_domains\.200|domains\.00\.json", "domains"),
    (r"get_v4_domains_name_\.200|domains\.0[12]\.json", "domain"), (r"sending_queues\.200", "sending_queues d.example"),
    (r"get_v3_ips\.200|/ips\.0[02]\.json", "ips"), (r"get_v3_ips_ip_\.200|/ips\.01\.json", "ip"),
    (r"get_v3_ip_pools\.200", "ip_pools"), (r"get_v3_ip_warmups\.200", "ip_warmups"),
    (r"get_v3_ip_warmups_addr_\.200", "ip_warmup 192.0.2.1"), (r"limit_custom_monthly\.200", "limit"),
    (r"get_v5_users_me\.200", "me"),
]


def replay(mtatop, shape, body):
    with tempfile.NamedTemporaryFile("wb") as f:
        f.write(b"# %s\n" % shape.encode() + body)
        f.flush()
        done = subprocess.run([mtatop, "--replay", "mailgun", f.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
    if done.returncode:
        raise AssertionError("exit status %d: %s" % (done.returncode, done.stderr.decode()))
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    found = collections.defaultdict(list)
    for row in rows:
        found[row.pop("row")].append(row)
    return found


def when(text):
    """ms since 1970 of RFC 2822 or ISO 8601; None for the year 1."""
    if re.match(r"\d{4}-", text):
        t = datetime.datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text).replace("Z", "+00:00"))
    else:
        t = email.utils.parsedate_to_datetime(re.sub(r" (UTC|GMT|MST)$", " +0000", text))
    return int(t.timestamp() * 1000) if t.year > 1 else None


def shown(row, name):
    return when(row[name]) if name in row else None


def same(have, want, what):
    assert have == want, "%s: %r, in the body %r" % (what, have, want)


def check_metrics(body, rows):
    names = {"accepted_outgoing_count": "requests", "delivered_count": "sent", "opened_count": "opens", "clicked_count": "clicks",
             "processed_count": "processed", "hard_bounces_count": "hard bounces", "complained_count": "complaints"}
    same(len(rows["counts"]), len(body["items"]), "rows")
    for item, row in zip(body["items"], rows["counts"]):
        dims = {d["dimension"]: d["value"] for d in item["dimensions"]}
        same(shown(row, "time"), when(dims["time"]) if "time" in dims else None, "time")
        for name, ours in names.items():
            same(row.get(ours), item["metrics"].get(name), name)


def check_stats(body, rows):
    same(len(rows["counts"]), len(body["stats"]), "rows")
    for item, row in zip(body["stats"], rows["counts"]):
        same(shown(row, "time"), when(item["time"]), "time")
        same(row.get("sent"), item.get("delivered", {}).get("total"), "delivered")
        same(row.get("requests"), item.get("accepted", {}).get("outgoing"), "accepted")
        if "failed" in item:
            p = item["failed"]["permanent"]
            parts = [p.get("suppress-" + x) for x in ("bounce", "unsubscribe", "complaint")]
            same(row.get("suppressed"), None if None in parts else sum(parts), "suppressed")
            if None not in parts and "total" in p:
                same(row["bounced"], max(0, p["total"] - sum(parts)), "bounced")


def check_events(body, rows):
    items = body["items"] if "items" in body else [body]
    kinds = {"failed": ("bounced", "deferred", "suppressed"), "rejected": ("bounced",), "accepted": ("accepted",)}
    same(len(rows["event"]), len([i for i in items if "event" in i]), "rows")
    for item, row in zip(items, rows["event"]):
        same(shown(row, "time"), when(item["@timestamp"]) if "@timestamp" in item else int(item["timestamp"] * 1000), "time")
        assert row["kind"] in kinds.get(item["event"], (item["event"], "other")), (row["kind"], item["event"])
        if item["event"] == "failed":
            retried = item["delivery-status"].get("retry-seconds", 0) > 0
            kind = "suppressed" if item.get("reason", "").startswith("suppress") else \
                {"temporary": "deferred", "permanent": "bounced"}.get(item.get("severity"), "deferred" if retried else "other")
            same(row["kind"], kind, "kind")
        message_id = item.get("message", {}).get("headers", {}).get("message-id")
        same(row.get("message_id"), message_id or None, "message id")
        same(row.get("to"), item.get("recipient") or item.get("envelope", {}).get("targets") or None, "recipient")
        code = item.get("delivery-status", {}).get("code")
        same(row.get("code"), int(code) if code and 200 <= int(code) < 600 and int(code) not in (498, 499) else None, "code")
        same(row.get("size"), item.get("message", {}).get("size"), "size")


def check_suppressions(body, rows):
    same(len(rows["suppression"]), len(body["items"]), "rows")
    for item, row in zip(body["items"], rows["suppression"]):
        same(row["address"], item.get("address") or item["value"], "address")
        same(row.get("code"), str(item["code"]) if "code" in item else None, "code")
        created = item.get("created_at") or item.get("createdAt")
        same(shown(row, "created"), when(created) if created else None, "date")
        same(row["domain"], "d.example", "domain")


def check_domains(body, rows):
    same([(r["name"], r["state"], "disabled" in r) for r in rows["domain"]],
         [(i["name"], i["state"], bool(i.get("is_disabled", "disabled" in i))) for i in body["items"]], "domains")


def check_domain(body, rows):
    row, records = rows["domain"][0], body["sending_dns_records"]
    same((row["name"], row["state"]), (body["domain"]["name"], body["domain"]["state"]), "domain")
    for state in ("valid", "invalid", "unknown"):
        same(row["dns_" + state], sum(r["valid"] == state for r in records), state)


def check_queues(body, rows):
    same(bool(rows["domain"][0]["queue_disabled"]), body["regular"]["is_disabled"], "disabled")
    if body["regular"]["is_disabled"]:
        same(rows["domain"][0]["queue_reason"], body["regular"]["disabled"]["reason"], "reason")


def check_ips(body, rows):
    same({r["ip"] for r in rows["ip"]}, set(body["items"]) | {d["ip"] for d in body.get("details", [])}, "addresses")
    for d in body.get("details", []):
        assert any(r["ip"] == d["ip"] and r.get("warming") == int(d.get("is_on_warmup", False)) for r in rows["ip"]), d


def check_ip(body, rows):
    row = rows["ip"][0]
    same((row["ip"], row["rdns"], bool(row["dedicated"])), (body["ip"], body["rdns"], body["dedicated"]), "address")


def check_pools(body, rows):
    want = collections.defaultdict(list)
    for pool in body["ip_pools"]:
        for ip in pool["ips"]:
            want[ip].append(pool["name"])
    same({r["ip"]: r["pools"] for r in rows["ip"]}, {ip: ", ".join(names) for ip, names in want.items()}, "pools")


def check_warmups(body, rows):
    for item, row in zip(body["items"], rows["ip"]):
        same((row["ip"], row["stage"], row["limit"], row["percent"], shown(row, "stage_started")),
             (item["ip"], item["stage_number"], item["stage_volume_limit"], int(item["sent_within_stage"][:-1]),
              when(item["stage_start_time"])), "warm-up")


def check_warmup(body, rows):
    row, d = rows["ip"][0], body["details"]
    same((row["stage"], row["limit"], row["stages"], row["percent"], row.get("hourly_limit"), shown(row, "started")),
         (d["stage"], d["stage_limit"], d["total_stages"], int(d["sent_within_stage"][:-1]), d.get("hourly_limit"),
          when(d["plan_started_at"])), "warm-up")


def check_limit(body, rows):
    same({r["name"]: r["value"] for r in rows["account"]},
         {"monthly limit": str(body["limit"]), "sent this month": str(body["current"])}, "limit")


def check_me(body, rows):
    same([r["value"] for r in rows["account"]], [body["role"]], "role")


CHECKS = {"metrics": check_metrics, "stats": check_stats, "logs": check_events, "events": check_events,
          "bounces": check_suppressions, "complaints": check_suppressions, "unsubscribes": check_suppressions,
          "whitelists": check_suppressions, "domains": check_domains, "domain": check_domain, "sending_queues": check_queues,
          "ips": check_ips, "ip": check_ip, "ip_pools": check_pools, "ip_warmups": check_warmups, "ip_warmup": check_warmup,
          "limit": check_limit, "me": check_me}


def other_shapes(mtatop, path, body):
    """A body of another endpoint, taken for what it is not: rows or a refusal, never a crash."""
    for shape in ("metrics", "logs", "domains", "ips"):
        try:
            replay(mtatop, shape, body)
        except AssertionError as e:
            assert "exit status 1" in str(e), "%s as %s: %s" % (path, shape, e)


def main(argv):
    mtatop = os.path.abspath(argv[0])
    paths = sorted(glob.glob(os.path.join(BODIES, "*", "*.json")))
    if not paths:
        print("skip bodies of Mailgun: no ../shared/api-bodies beside the checkout")
        return 0
    checked, failed, others = collections.Counter(), 0, 0
    for path in paths:
        with open(path, "rb") as f:
            raw = f.read()
        shape = next((s for pattern, s in SHAPES if re.search(pattern, path)), None)
        try:
            if not shape:
                other_shapes(mtatop, path, raw)
                others += 1
                continue
            CHECKS[shape.split()[0]](json.loads(raw), replay(mtatop, shape, raw))
            checked[shape.split()[0]] += 1
        except (AssertionError, KeyError, TypeError, ValueError) as e:
            print("FAIL body %s: %s: %s" % (os.path.basename(path), type(e).__name__, e))
            failed += 1
    for shape in CHECKS:
        if not checked[shape] and not failed:
            print("FAIL no body of shape %s" % shape)
            failed += 1
    if not failed:
        print("ok   bodies of Mailgun: %d with checked values (%s), %d of endpoints not asked survived" % (
            sum(checked.values()), ", ".join("%d %s" % (n, s) for s, n in checked.items()), others))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
