# SPDX-License-Identifier: MIT
"""test_real - nsd with signed, broken and unsigned zones behind a validating unbound: what the resolver vouches for, and what not."""
import tempfile

from common import Skip, same, tool
from real import Real, programs
from test_names import IP, dns, one, verdicts

ZONE = """@ IN A 192.0.2.25
@ IN MX 10 mx
@ IN MX 20 backup
@ IN TXT "v=spf1 mx include:_spf ~all"
_spf IN TXT "v=spf1 ip4:198.51.100.0/24 -all"
mx IN A 192.0.2.25
mx IN AAAA 2001:db8::25
backup IN CNAME mx
_25._tcp.mx IN TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
_dmarc IN TXT "v=DMARC1; p=reject; " "rua=mailto:d@example.test"
s1._domainkey IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
*.wild IN A 127.0.0.2
loop IN CNAME loop2
loop2 IN CNAME loop
big IN TXT %s
deep IN CNAME alias.plain.test.
""" % " ".join('"%s"' % ("x" * 250) for _ in range(35))
ZONE = ZONE.replace("include:_spf ", "include:_spf.@@ ")
LIST = "2.0.0.127 IN A 127.0.0.2\n25.2.0.192 IN A 127.0.0.4\n25.2.0.192 IN TXT \"listed for the test\"\n"


def world():
    found = programs()
    if not found:
        raise Skip("nsd, unbound or ldnsutils can't be had")
    zones = {name: ZONE.replace("@@", name) for name in ("signed.test", "broken.test", "plain.test")}
    zones["plain.test"] += "alias IN A 192.0.2.77\n"
    zones["list.test"] = LIST
    zones["2.0.192.in-addr.arpa"] = "25 IN PTR mx.plain.test.\n"
    return Real(found, tempfile.mkdtemp(prefix="mtdns", dir="/tmp"), zones, signed=("signed.test",), broken=("broken.test",))


class At:
    """A server's address, as dns() wants it."""

    def __init__(self, port):
        self.address = "127.0.0.1:%d" % port


def test_signed_broken_and_unsigned_zones(build):
    real = world()
    extra = "addresses = %s\nselectors = s1\nblocklists = list.test nothing.plain.test\n" % IP
    try:
        resolver, authority = At(real.unbound_port), At(real.nsd_port)
        signed = dns(build, resolver, "signed.test", extra)
        plain = dns(build, resolver, "plain.test", extra)
        broken = dns(build, resolver, "broken.test", extra)
        alone = dns(build, authority, "signed.test", extra)
        address = dns(build, resolver, IP, extra)
    finally:
        real.close()
    for name, found in (("signed", signed), ("plain", plain), ("alone", alone)):
        same(name + " SPF", one(found, "SPF record")["verdict"], "ok")
        same(name + " result", one(found, "SPF result", IP)["text"], "pass: mx")
        same(name + " DMARC", (one(found, "DMARC policy")["verdict"], one(found, "DMARC policy")["record"]),
             ("ok", "v=DMARC1; p=reject; rua=mailto:d@example.test"))
        same(name + " DKIM", verdicts(found, "DKIM key"), {"s1": "ok"})
        same(name + " MX", verdicts(found, "MX"), {None: "ok", "mx.%s.test" % name.replace("alone", "signed"): "ok",
                                                  "backup.%s.test" % name.replace("alone", "signed"): "ok"})
    same("DANE signed", verdicts(signed, "DANE")["mx.signed.test"], "ok")
    same("DANE plain", verdicts(plain, "DANE")["mx.plain.test"], "warning")
    same("DANE by the authority, which vouches for nothing", verdicts(alone, "DANE")["mx.signed.test"], "warning")
    # a wrong signature is SERVFAIL at a validating resolver: nothing is known then, good or bad
    same("broken SPF", one(broken, "SPF record")["verdict"], "cant-check")
    same("broken result", one(broken, "SPF result", IP)["verdict"], "cant-check")
    same("broken DANE", verdicts(broken, "DANE")["mx.broken.test"], "cant-check")
    same("list", verdicts(address, "blocklist"), {"list.test": "bad", "nothing.plain.test": "cant-check"})
    same("reason", one(address, "blocklist", "list.test")["record"], "listed for the test")
    same("reverse", one(address, "reverse name")["verdict"], "ok")


def test_answers_of_a_real_server(build):
    real = world()
    try:
        questions = ["ask\t%s\t%s.plain.test" % q for q in (("A", "loop"), ("TXT", "big"), ("A", "x.wild"), ("A", "deep"), ("A", "no"),
                                                             ("AAAA", "alias"), ("TLSA", "_25._tcp.mx"), ("A", "backup"))]
        by_resolver = tool(build, At(real.unbound_port), questions)
        by_authority = tool(build, At(real.nsd_port), questions)
    finally:
        real.close()
    for who, got in (("unbound", by_resolver), ("nsd", by_authority)):
        assert got[0].split(" ")[0] in ("3", "7"), (who, got[0])  # SERVFAIL or aliases without end
        assert "n=1 [xxx" in got[1] and "cut=0" in got[1] and len(got[1]) > 8000, (who, got[1][:80])  # by TCP
        assert "[7f000002]" in got[2], (who, got[2])
        assert "[c000024d]" in got[3], (who, got[3])
        same(who, [line.split(" ")[0] for line in got[4:6]], ["2", "1"])
        assert "n=1 [03010101" in got[6], (who, got[6])
        assert "[c0000219]" in got[7], (who, got[7])
