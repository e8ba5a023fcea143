# SPDX-License-Identifier: MIT
"""test_spf - SPF results against the openspf suite, against pyspf on zones of our own, and the lookups of a walk."""
from common import Skip, same, tool
from server import Server
import spf_suite


def dash(text):
    return text or "-"


def test_openspf_suite_of_RFC_7208(build):
    text = spf_suite.fetch()
    if text is None:
        raise Skip("the source of pyspf can't be had")
    try:
        scenarios = list(spf_suite.cases(text))
    except ImportError as error:
        raise Skip("no python3-yaml") from error
    wrong, total = [], 0
    for zone, rows in scenarios:
        server = Server(zone)
        try:
            lines = ["\t".join(("spf", ip, dash(helo), dash(local), domain))
                     for _, ip, helo, local, domain, _ in rows]
            got = tool(build, server, lines, 600)
        finally:
            server.close()
        same("answers", len(got), len(rows))
        for row, line in zip(rows, got):
            total += 1
            if line.split(" ")[0] not in row[5]:
                wrong.append("%s: %s, want %s" % (row[0], line, "/".join(row[5])))
    if wrong or total < 150:
        raise AssertionError("%d of %d:\n%s" % (len(wrong), total, "\n".join(wrong)))
    print("  %d cases" % total)


CASES = {  # domain: records beside those of the helpers below; asked for each of IPS
    "plain.test": [("TXT", "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all")],
    "odd-bits.test": [("TXT", "v=spf1 ip4:192.0.2.0/27 ip6:2001:db8:0:8000::/49 ~all")],
    "split.test": [("TXT", ["v=spf1 ip4:192.0", ".2.1 -all"])],
    "mx.test": [("TXT", "v=spf1 mx ?all"), ("MX", (10, "one.test")), ("MX", (20, "two.test"))],
    "mx-wide.test": [("TXT", "v=spf1 mx/24//64 -all"), ("MX", (10, "one.test"))],
    "a.test": [("TXT", "v=spf1 a:one.test a:two.test/28 -all")],
    "inc.test": [("TXT", "v=spf1 include:plain.test include:a.test ~all")],
    "inc-none.test": [("TXT", "v=spf1 include:nothing.test -all"), ("A", "192.0.2.7")],
    "redir.test": [("TXT", "v=spf1 redirect=plain.test")],
    "redir-none.test": [("TXT", "v=spf1 redirect=nothing.test")],
    "redir-all.test": [("TXT", "v=spf1 ?all redirect=plain.test")],
    "loop.test": [("TXT", "v=spf1 include:loop.test -all")],
    "loop2.test": [("TXT", "v=spf1 redirect=loop2.test")],
    "two.records.test": [("TXT", "v=spf1 -all"), ("TXT", "v=spf1 +all")],
    "other-txt.test": [("TXT", "hello"), ("TXT", "v=spf10 -all"), ("TXT", "V=SPF1 -ALL")],
    "syntax.test": [("TXT", "v=spf1 ip4:192.0.2.1 foo:bar -all")],
    "syntax2.test": [("TXT", "v=spf1 +all ip4:1.2.3.4.5")],
    "modifiers.test": [("TXT", "v=spf1 moo.cow-far_out=man:dog/cat ip4:192.0.2.1 -all")],
    "exp-twice.test": [("TXT", "v=spf1 exp=one.test exp=two.test -all")],
    "exists.test": [("TXT", "v=spf1 exists:%{i}._spf.exists.test -all")],
    "192.0.2.1._spf.exists.test": [("A", "127.0.0.2")],
    "macro.test": [("TXT", "v=spf1 exists:%{ir}.%{l1r-}.%{d2r}.x.test -all")],
    "1.2.0.192.bad.test.macro.x.test": [("A", "127.0.0.2")],
    "ptr.test": [("TXT", "v=spf1 ptr -all")],
    "1.2.0.192.in-addr.arpa": [("PTR", "liar.test"), ("PTR", "host.ptr.test")],
    "host.ptr.test": [("A", "192.0.2.1")],
    "liar.test": [("A", "192.0.2.99")],
    "p.test": [("TXT", "v=spf1 exists:%{p}.p.test -all")],
    "host.ptr.test.p.test": [("A", "127.0.0.2")],
    "void3.test": [("TXT", "v=spf1 a:v1.test a:v2.test a:v3.test ip4:192.0.2.1 -all")],
    "void2.test": [("TXT", "v=spf1 a:v1.test a:v2.test ip4:192.0.2.1 -all")],
    "cname.test": [("TXT", "v=spf1 a:alias.test -all")],
    "alias.test": [("CNAME", "one.test")],
    "ten.test": [("TXT", "v=spf1 " + "a:one.test " * 10 + "-all")],
    "eleven.test": [("TXT", "v=spf1 " + "a:one.test " * 11 + "-all")],
    "mx11.test": [("TXT", "v=spf1 mx -all")] + [("MX", (n, "one.test")) for n in range(11)],
    "broken.test": [("TXT", "v=spf1 a:servfail.test -all")],
    "servfail.test": 2,
    "nospf.test": [("TXT", "hello")],
    "one.test": [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")],
    "two.test": [("A", "198.51.100.17")],
    "nothing.test": [("A", "192.0.2.5")],
}
IPS = ("192.0.2.1", "192.0.2.33", "198.51.100.30", "2001:db8::1", "2001:db8:0:8001::5", "2001:db9::1")


def pyspf_view(server):
    """pyspf's own check(), its lookups answered by the same server over its own resolver (python3-dns)."""
    try:
        import DNS
        import spf
    except ImportError as error:
        raise Skip("no python3-spf") from error
    DNS.defaults["server"] = ["127.0.0.1"]
    DNS.defaults["server_rotate"] = False
    DNS.defaults["port"] = server.port
    spf.MAX_PER_LOOKUP_TIME = 5
    return spf


def test_the_same_results_as_pyspf(build):
    server = Server(CASES)
    try:
        spf = pyspf_view(server)
        lines, want = [], []
        for domain in CASES:
            if domain in ("broken.test", "servfail.test"):
                continue  # python3-dns does not look at the RCODE; RFC 7208 4.4 says temperror
            for ip in IPS:
                lines.append("spf\t%s\tmail.%s\tbad-x\t%s" % (ip, domain, domain))
                want.append(spf.check2(i=ip, s="bad-x@" + domain, h="mail." + domain)[0])
        got = tool(build, server, lines)
    finally:
        server.close()
    wrong = ["%s: %s, pyspf: %s" % (line.replace("\t", " "), g, w)
             for line, g, w in zip(lines, got, want) if g.split(" ")[0] != w]
    if wrong:
        raise AssertionError("%d of %d:\n%s" % (len(wrong), len(lines), "\n".join(wrong)))
    print("  %d cases" % len(lines))


def test_walk_counts_all_lookups(build):
    zone = dict(CASES)
    zone["hundred.test"] = [("TXT", "v=spf1 " + "a:one.test " * 100 + "-all")]
    zone["tree.test"] = [("TXT", "v=spf1 include:ten.test include:inc.test mx -all")]
    zone["sender.test"] = [("TXT", "v=spf1 include:%{l}.x.test exists:%{i}.y.test -all")]
    server = Server(zone)
    try:
        got = tool(build, server, ["walk\t" + d for d in ("plain.test", "ten.test", "eleven.test", "hundred.test",
                                                          "tree.test", "inc-none.test", "loop.test", "nospf.test",
                                                          "sender.test", "broken.test")])
    finally:
        server.close()
    same("walks", [" ".join(line.split(" ")[:2]) for line in got],
         ["neutral 0", "neutral 10", "permerror 11", "permerror 100", "permerror 17", "permerror 1", "permerror 101",
          "none 0", "neutral 2", "temperror 1"])
