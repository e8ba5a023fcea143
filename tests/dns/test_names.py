# SPDX-License-Identifier: MIT
"""test_names - the checks of addresses and domains by `mtatop dns`, good and broken zones, lists that lie or refuse."""
import base64
import json
import os
import subprocess
import tempfile

from common import LIMIT_S, Skip, same
from server import Server

IP = "192.0.2.25"
REV = "25.2.0.192"


def dns(build, server, subject=None, extra="", json_format=True):
    """Rows of `mtatop dns`; mtatop's own configuration in a scratch folder."""
    with tempfile.TemporaryDirectory(prefix="mtdns") as folder:
        conf = os.path.join(folder, "mtatop.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write("[dns]\nservers = %s\n%s" % (server.address, extra))
        os.chmod(conf, 0o600)
        argv = [os.path.join(build, "tui", "mtatop"), "--config", conf, "--cache", os.path.join(folder, "c.db"), "dns"]
        argv += [subject] if subject else []
        argv += ["--format", "json"] if json_format else []
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)["checks"] if json_format else done.stdout


def rows(build, zone, subject=None, extra="", **kw):
    server = Server(zone, **kw)
    try:
        return dns(build, server, subject, extra)
    finally:
        server.close()


def verdicts(found, check):
    return {row["at"]: row["verdict"] for row in found if row["check"] == check}


def one(found, check, at=None):
    return next(row for row in found if row["check"] == check and row["at"] == at)


def list_zone(**lists):
    """Entries of block lists; 127.0.0.2 is in each unless said otherwise."""
    zone = {}
    for name, value in lists.items():
        zone["2.0.0.127.%s.list.test" % name] = [("A", "127.0.0.2")]
        if value is not None:
            zone["%s.%s.list.test" % (REV, name)] = value
    return zone


def test_block_lists_that_work_and_that_do_not(build):
    zone = list_zone(good=[("A", "127.0.0.4"), ("A", "127.0.0.10"), ("TXT", b"see \x1b[31mhttp://x.test/\0")],
                     clean=None, public=[("A", "127.255.255.254")], many=[("A", "127.255.255.255")],
                     typo=[("A", "127.255.255.252")], other=[("A", "127.255.255.9")], one=[("A", "127.0.0.1")],
                     refuses=5, broken=2, silent=None)
    zone["%s.silent.list.test" % REV] = None
    zone["2.0.0.127.world.list.test"] = zone["%s.world.list.test" % REV] = [("A", "203.0.113.99")]
    zone["2.0.0.127.public2.list.test"] = [("A", "127.255.255.254")]
    names = ("good clean public many typo other one refuses broken silent world public2 dead").split()
    found = rows(build, zone, IP, "blocklists = %s\n" % " ".join(n + ".list.test" for n in names))
    got = {at.split(".")[0]: v for at, v in verdicts(found, "blocklist").items()}
    want = {name: "cant-check" for name in names}
    want.update(good="bad", clean="ok")
    same("verdicts", got, want)
    listed = one(found, "blocklist", "good.list.test")
    assert "127.0.0.4" in listed["text"] and "127.0.0.10" in listed["text"], listed
    assert listed["record"].startswith("see "), listed
    assert "public or shared resolver" in one(found, "blocklist", "public.list.test")["text"]
    assert "test entry" in one(found, "blocklist", "dead.list.test")["text"]


def test_an_IPv6_address_needs_a_list_with_IPv6(build):
    rev6 = "1." + "0." * 23 + "8.b.d.0.1.0.0.2"
    six = "2.0.0.0.0.0.f.7.f.f.f.f." + "0." * 20
    zone = {"2.0.0.127.four.list.test": [("A", "127.0.0.2")], "%ssix.list.test" % six: [("A", "127.0.0.2")],
            "%s.six.list.test" % rev6: [("A", "127.0.0.3")]}
    found = rows(build, zone, "2001:db8::1", "blocklists = four.list.test six.list.test\n")
    same("verdicts", verdicts(found, "blocklist"), {"four.list.test": "cant-check", "six.list.test": "bad"})


def test_reverse_names(build):
    cases = (
        ([("PTR", "mx.x.test")], {"mx.x.test": [("A", IP)]}, "ok"),
        ([("PTR", "other.test"), ("PTR", "mx.x.test")], {"mx.x.test": [("A", IP)], "other.test": [("A", "192.0.2.9")]}, "ok"),
        ([("PTR", "mx.x.test")], {"mx.x.test": [("A", "192.0.2.9")]}, "bad"),
        ([("PTR", "mx.x.test")], {}, "bad"),
        ([("PTR", "mx.x.test")], {"mx.x.test": 2}, "cant-check"),
        ([("PTR", "host-192-0-2-25.dyn.test")], {"host-192-0-2-25.dyn.test": [("A", IP)]}, "warning"),
        ([("PTR", [b"mx.x.test"])], {"mx.x.test": [("A", IP)]}, "bad"),  # one label with dots in it
        ([("TXT", "x")], {}, "bad"),
        (2, {}, "cant-check"),
        (5, {}, "cant-check"),
        (None, {}, "cant-check"),
    )
    for ptr, more, want in cases:
        zone = dict(more)
        zone["%s.in-addr.arpa" % REV] = ptr
        same(repr(ptr), one(rows(build, zone, IP, "blocklists =\n"), "reverse name")["verdict"], want)
    same("no name", one(rows(build, {"y.in-addr.arpa": []}, IP, "blocklists =\n"), "reverse name")["verdict"], "bad")


def test_HELO_names(build):
    zone = {"good.x.test": [("A", IP)], "other.x.test": [("A", "192.0.2.9")], "six.x.test": [("AAAA", "2001:db8::1")], "s.x.test": 2}
    for name, want in (("good.x.test", "ok"), ("other.x.test", "warning"), ("six.x.test", "warning"), ("none.x.test", "bad"),
                       ("mailhost", "bad"), ("s.x.test", "cant-check")):
        found = rows(build, zone, IP, "blocklists =\nhelo = %s\n" % name)
        same(name, verdicts(found, "HELO name"), {name: want})


def test_SPF_of_a_domain_and_of_own_addresses(build):
    ten = "v=spf1 " + " ".join("a:n%d.x.test" % n for n in range(10)) + " ~all"
    names = {"n%d.x.test" % n: [("A", "192.0.2.9")] for n in range(12)}
    cases = (
        ([("TXT", "v=spf1 ip4:192.0.2.25 -all")], "ok", "ok"),
        ([("TXT", "v=spf1 ip4:192.0.2.1 -all")], "ok", "bad"),
        ([("TXT", "v=spf1 ip4:192.0.2.1 ~all")], "ok", "warning"),
        ([("TXT", "v=spf1 +all")], "warning", "ok"),
        ([("TXT", ten)], "warning", "warning"),
        ([("TXT", ten.replace(" ~all", " a:n10.x.test ~all"))], "bad", "bad"),
        ([("TXT", "v=spf1 ipv4:192.0.2.25 -all")], "bad", "bad"),
        ([("TXT", "v=spf1 -all"), ("TXT", "v=spf1 +all")], "bad", "bad"),
        ([("TXT", "v=spf1 include:nothing.x.test -all")], "bad", "bad"),
        ([("TXT", "hello")], "warning", "none"),
        (2, "cant-check", "cant-check"),
        (5, "cant-check", "cant-check"),
    )
    for records, record, result in cases:
        found = rows(build, dict(names, **{"x.test": records}), "x.test", "addresses = %s\n" % IP)
        same("%r" % (records,), (one(found, "SPF record")["verdict"], one(found, "SPF result", IP)["verdict"]), (record, result))


def key(bits):
    """An RSA public key of that size as openssl makes it, base64."""
    made = subprocess.run(["openssl", "genrsa", str(bits)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    pub = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=made.stdout, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=False)
    if made.returncode or pub.returncode:
        raise Skip("no openssl")
    return base64.b64encode(pub.stdout).decode()


def test_DKIM_keys(build):
    good, small, tiny = key(2048), key(1024), key(768)
    ed = base64.b64encode(b"k" * 32).decode()
    cases = {
        "good": ([("TXT", "v=DKIM1; k=rsa; p=" + good)], "ok", "2048"),
        "plain": ([("TXT", "p=" + good)], "ok", "2048"),
        "blanks": ([("TXT", "v=DKIM1; p=" + " ".join(good[i:i + 64] for i in range(0, len(good), 64)))], "ok", "2048"),
        "small": ([("TXT", "v=DKIM1; p=" + small)], "warning", "1024"),
        "tiny": ([("TXT", "v=DKIM1; p=" + tiny)], "bad", "768"),
        "test": ([("TXT", "v=DKIM1; t=y; p=" + good)], "warning", "test"),
        "ed": ([("TXT", "v=DKIM1; k=ed25519; p=" + ed)], "ok", "Ed25519"),
        "edbad": ([("TXT", "v=DKIM1; k=ed25519; p=" + good)], "bad", "no Ed25519"),
        "revoked": ([("TXT", "v=DKIM1; p=")], "bad", "revoked"),
        "garbage": ([("TXT", "v=DKIM1; p=%%%%")], "bad", "no RSA key"),
        "cut": ([("TXT", "v=DKIM1; p=" + good[:100])], "bad", "no RSA key"),
        "nop": ([("TXT", "v=DKIM1; k=rsa")], "bad", "no p="),
        "version": ([("TXT", "v=DKIM2; p=" + good)], "bad", "DKIM1"),
        "kind": ([("TXT", "v=DKIM1; k=dsa; p=" + good)], "bad", "kind"),
        "two": ([("TXT", "p=" + good), ("TXT", "p=" + small)], "bad", "more than one"),
        "alias": ([("CNAME", "good._domainkey.x.test")], "ok", "2048"),
        "fail": (2, "cant-check", "SERVFAIL"),
    }
    zone = {"%s._domainkey.x.test" % name: case[0] for name, case in cases.items()}
    found = rows(build, zone, "x.test", "selectors = %s gone other._domainkey.y.test\n" % " ".join(cases))
    same("verdicts", verdicts(found, "DKIM key"), dict({n: c[1] for n, c in cases.items()}, gone="bad"))
    for name, case in cases.items():
        assert case[2] in one(found, "DKIM key", name)["text"], one(found, "DKIM key", name)


def test_DMARC_policies(build):
    cases = (
        ({"_dmarc.a.x.test": [("TXT", "v=DMARC1; p=reject; rua=mailto:d@x.test")]}, "ok", "p=reject"),
        ({"_dmarc.x.test": [("TXT", "v=DMARC1; p=quarantine; sp=none; pct=20")]}, "ok", "for 20%"),
        ({"_dmarc.a.x.test": [("TXT", "v=DMARC1; p=none"), ("TXT", "other")]}, "ok", "p=none"),
        ({"_dmarc.a.x.test": [("TXT", "v=DMARC1; p=none"), ("TXT", "v=DMARC1; p=reject")]}, "bad", "more than one"),
        ({"_dmarc.a.x.test": [("TXT", "v=DMARC1; p=quarantined")]}, "bad", "p="),
        ({"_dmarc.a.x.test": [("TXT", "v=DMARC1; rua=mailto:d@x.test")]}, "warning", "none"),
        ({"_dmarc.a.x.test": [("TXT", "v=DMARC1; p=none; pct=200")]}, "warning", "pct"),
        ({"_dmarc.a.x.test": [("TXT", "v=DMARC10; p=none")]}, "warning", "no DMARC"),
        ({"_dmarc.test": [("TXT", "v=DMARC1; p=none")]}, "warning", "no DMARC"),  # of a top-level domain: not asked
        ({"_dmarc.a.x.test": 2}, "cant-check", "SERVFAIL"),
    )
    for zone, verdict, text in cases:
        row = one(rows(build, dict(zone, **{"z.test": []}), "a.x.test"), "DMARC policy")
        assert row["verdict"] == verdict and text in row["text"], (zone, row)


def test_MX_MTA_STS_TLSRPT(build):
    zone = {"x.test": [("MX", (10, "one.x.test")), ("MX", (20, "two.x.test")), ("MX", (30, "six.x.test"))], "one.x.test": [("A", IP)],
            "six.x.test": [("AAAA", "2001:db8::1")], "_mta-sts.x.test": [("TXT", "v=STSv1; id=20240101;")],
            "_smtp._tls.x.test": [("TXT", "v=TLSRPTv1; rua=mailto:t@x.test")]}
    found = rows(build, zone, "x.test")
    same("MX", verdicts(found, "MX"), {None: "ok", "one.x.test": "ok", "two.x.test": "bad", "six.x.test": "ok"})
    same("MTA-STS", one(found, "MTA-STS")["verdict"], "ok")
    same("TLSRPT", one(found, "TLS reports")["verdict"], "ok")
    found = rows(build, {"x.test": [("MX", (0, ""))], "_mta-sts.x.test": [("TXT", "v=STSv1;")]}, "x.test")
    assert "null MX" in one(found, "MX")["text"]
    same("MTA-STS without id", one(found, "MTA-STS")["verdict"], "bad")
    same("no TLSRPT", one(found, "TLS reports")["verdict"], "none")
    same("no MX", one(rows(build, {"x.test": [("A", IP)]}, "x.test"), "MX")["verdict"], "warning")


def test_DANE_counts_only_when_vouched_for(build):
    zone = {"x.test": [("MX", (10, "one.x.test"))], "one.x.test": [("A", IP)], "_25._tcp.one.x.test": [("TLSA", b"\3\1\1" + b"h" * 32)]}
    same("signed", verdicts(rows(build, zone, "x.test", signed=True), "DANE"), {"one.x.test": "ok"})
    same("unsigned", verdicts(rows(build, zone, "x.test"), "DANE"), {"one.x.test": "warning"})
    zone["_25._tcp.one.x.test"] = 2
    same("bogus", verdicts(rows(build, zone, "x.test"), "DANE"), {"one.x.test": "cant-check"})
    del zone["_25._tcp.one.x.test"]
    same("none", verdicts(rows(build, zone, "x.test"), "DANE"), {"one.x.test": "none"})


def test_nothing_reaches_the_terminal_raw(build):
    evil = b"v=spf1 \x1b]0;owned\x07\x9b31m\0 -all"
    server = Server({"x.test": [("TXT", evil), ("MX", (1, [b"\x1b[2J", b"x"]))], "_dmarc.x.test": [("TXT", b"v=DMARC1; p=none\x1b[5m; sp=\x1b")]})
    try:
        out = dns(build, server, "x.test", json_format=False)
    finally:
        server.close()
    bad = [c for c in out if c < 32 and c != 10 or c == 127] + [c for c in out.decode() if "\x80" <= c < "\xa0"]
    same("raw bytes", bad, [])
    assert b"not valid SPF" in out, out


def test_what_could_not_be_found_out_has_no_TTL(build):
    zone = dict(list_zone(good=[("A", "127.0.0.4")], public=[("A", "127.255.255.254")]), **{"x.test": 2})
    extra = "addresses = %s\ndomains = x.test\nblocklists = good.list.test public.list.test\n" % IP
    found = rows(build, zone, None, extra, ttl_s=77)
    same("listed", one(found, "blocklist", "good.list.test")["ttl_s"], 77)
    lost = [row for row in found if row["verdict"] == "cant-check"]
    same("by a list, by a server", {row["check"] for row in lost} >= {"blocklist", "SPF record", "SPF result", "MX"}, True)
    same("TTLs", [row["ttl_s"] for row in lost], [None] * len(lost))


def test_what_is_neither_address_nor_domain(build):
    for word in ("x", "a..b", "-", "a b.test", "$(id).test", "http://x.test/", "x" * 300 + ".test"):
        done = subprocess.run([os.path.join(build, "tui", "mtatop"), "--cache", "/nonexistent/c.db", "dns", "--", word],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT_S, check=False)
        assert done.returncode in (1, 2) and b"neither" in done.stderr, (word, done)


def test_a_resolver_that_says_nothing_ends(build):
    server = Server(hook=lambda s, q: [])
    try:
        found = dns(build, server, None, "addresses = %s\ndomains = x.test y.test\n" % IP)
    finally:
        server.close()
    same("all", {row["verdict"] for row in found}, {"cant-check"})
