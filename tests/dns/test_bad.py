# SPDX-License-Identifier: MIT
"""test_bad - answers nobody should send: cut, forged, endless, huge, of another name; nothing hangs, nothing is believed."""
import socket
import struct
import time

from common import same, tool
from server import Server, message, rdata, wire_name

ANSWER, NODATA, NXDOMAIN, SERVFAIL, REFUSED, TIMEOUT, UNREACHABLE, LOOP, BAD, NONAME, CROWD = range(11)
A = rdata("A", "192.0.2.1")


def status(line):
    return int(line.split(" ")[0])


def ask(build, zone=None, hook=None, name="x.test", kind="A", deadline_ms=1500, **kw):
    server = Server(zone, hook, **kw)
    try:
        return tool(build, server, ["ask\t%s\t%s" % (kind, name)], deadline_ms)[0], server.asked
    finally:
        server.close()


def reply(answers, **kw):
    """A hook that sends one message with these answers."""
    return lambda server, query: [message(query, answers=[(wire_name(o), t, d, 60) for o, t, d in answers], **kw)]


def test_good_answers_of_each_type(build):
    zone = {"x.test": [("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("MX", (10, "mail.x.test")), ("TXT", ["a", "b"]),
                       ("PTR", "p.test"), ("TLSA", bytes([3, 1, 1]) + b"x" * 32)]}
    server = Server(zone, ttl_s=77)
    try:
        got = tool(build, server, ["ask\t%s\tX.Test." % k for k in ("A", "AAAA", "MX", "TXT", "PTR", "TLSA")])
    finally:
        server.close()
    same("answers", got, ["0 ttl=77 ad=0 cut=0 n=1 [%s]" % s for s in (
        "c0000201", "20010db8000000000000000000000001", "10 mail.x.test", "ab", "p.test", "030101" + "78" * 32)])


def test_no_name_and_no_record_are_apart(build):
    zone = {"x.test": [("TXT", "x")], "r.test": 5, "s.test": 2}
    server = Server(zone)
    try:
        got = tool(build, server, ["ask\tA\t" + n for n in ("x.test", "y.test", "r.test", "s.test")])
    finally:
        server.close()
    same("statuses", [status(line) for line in got], [NODATA, NXDOMAIN, REFUSED, SERVFAIL])
    same("negative TTL", [line.split(" ")[1] for line in got[:2]], ["ttl=60", "ttl=60"])


def test_authentic_as_told_by_the_resolver(build):
    assert "ad=1" in ask(build, {"x.test": [("A", "192.0.2.1")]}, signed=True)[0]
    assert "ad=0" in ask(build, {"x.test": [("A", "192.0.2.1")]})[0]


def test_truncated_answers_come_by_tcp(build):
    zone = {"x.test": [("TXT", "%d " % n + "t" * 200) for n in range(20)]}
    assert " n=20 " in ask(build, zone, kind="TXT")[0]


def test_truncated_by_tcp_too_ends(build):
    line, _ = ask(build, hook=lambda s, q: [message(q, tc=True)], kind="TXT")
    assert status(line) in (NODATA, BAD, TIMEOUT), line


def test_messages_cut_at_every_byte(build):
    whole = [b""]

    def cut(server, query):
        full = message(query, answers=[(wire_name("n%s.test" % query.name[1:-5]), 1, A, 60)])
        whole[0] = full
        return [full[:int(query.name[1:-5])]]
    server = Server(hook=cut)
    try:
        sizes = [n for n in range(12, 60)]
        got = tool(build, server, ["ask\tA\tn%d.test" % n for n in sizes], 300)
    finally:
        server.close()
    for n, line in zip(sizes, got):
        full = 12 + len(wire_name("n%d.test" % n)) * 2 + 4 + 14
        assert status(line) == ANSWER if n >= full else status(line) in (BAD, TIMEOUT), (n, line)


def test_aliases_in_a_circle(build):
    line, asked = ask(build, {"x.test": [("CNAME", "y.test")], "y.test": [("CNAME", "x.test")]})
    assert status(line) in (LOOP, SERVFAIL), line
    line, asked = ask(build, hook=reply([("x.test", 5, wire_name("x.test"))]))
    same("itself", status(line), LOOP)
    # an authoritative server tells one link a time
    line, asked = ask(build, hook=lambda s, q: [message(q, answers=[(wire_name(q.name), 5, wire_name("a" + q.name), 60)])])
    same("ever longer", status(line), LOOP)
    same("questions", len(asked), 9)


def test_aliases_told_one_at_a_time_are_followed(build):
    def links(server, query):
        if query.name == "x5.test":
            return [message(query, answers=[(wire_name(query.name), 1, A, 60)])]
        return [message(query, answers=[(wire_name(query.name), 5, wire_name("x%d.test" % (int(query.name[1]) + 1)), 30)])]
    same("found", ask(build, hook=links, name="x0.test")[0], "0 ttl=30 ad=0 cut=0 n=1 [c0000201]")


def test_answers_from_elsewhere_or_with_other_ids_are_not_taken(build):
    forged = rdata("A", "203.0.113.66")

    def forge(server, query):
        owner = wire_name(query.name)
        out = [message(query, answers=[(owner, 1, forged, 60)], ident=query.id ^ n) for n in (1, 2, 0x8000)]
        out += [(message(query, answers=[(owner, 1, forged, 60)]), "elsewhere")]
        out += [message(query, answers=[(owner, 1, forged, 60)], question=wire_name("other.test") + query.question[-4:])]
        return out + [message(query, answers=[(owner, 1, A, 60)])]
    assert "[c0000201]" in ask(build, hook=forge)[0]


def test_records_of_other_names_are_left_out(build):
    line, _ = ask(build, hook=reply([("evil.test", 1, rdata("A", "203.0.113.66")), ("x.test", 1, A)]))
    assert "n=1 [c0000201]" in line, line


def test_ids_are_not_guessable(build):
    ids = []
    server = Server(hook=lambda s, q: ids.append(q.id))
    server.hook = lambda s, q: (ids.append(q.id), None)[1]
    try:
        tool(build, server, ["ask\tA\tn%d.test" % n for n in range(60)])
    finally:
        server.close()
    assert len(set(ids)) > 55 and max(abs(a - b) for a, b in zip(ids, ids[1:])) > 1000, ids


def test_64_KB_of_TXT_is_cut_and_said(build):
    big = [b"x" * 255] * 251
    line, _ = ask(build, {"x.test": [("TXT", big)]}, kind="TXT")
    assert line.startswith("0 ") and "cut=1" in line and "n=0" in line, line[:80]
    spf = tool_one(build, {"x.test": [("TXT", [b"v=spf1 "] + [b"ip4:192.0.2.1 " * 18] * 250)]}, "spf\t192.0.2.1\th\tl\tx.test")
    assert spf.startswith("permerror"), spf[:80]


def tool_one(build, zone, line):
    server = Server(zone)
    try:
        return tool(build, server, [line])[0]
    finally:
        server.close()


def test_many_records_are_bounded(build):
    line, _ = ask(build, {"x.test": [("A", "10.0.%d.%d" % (n >> 8, n & 255)) for n in range(1000)]})
    assert "cut=1 n=128 " in line, line[:60]


def test_NUL_and_escapes_stay_bytes(build):
    line, _ = ask(build, {"x.test": [("TXT", b"a\0b\x1b[2J\x07\xff\xc2\x9b31m")]}, kind="TXT")
    assert "a^@b^[[2J^G" in line and "\x1b" not in line and "\x9b" not in line, line
    got = tool_one(build, {"x.test": [("TXT", b"v=spf1 ip4:1.2.3.4\0 \x1b]0;x\x07 -all")]}, "spf\t192.0.2.1\th\tl\tx.test")
    assert got.startswith("permerror") and "\x1b" not in got, got


def test_names_with_dots_in_a_label(build):
    line, _ = ask(build, {"1.2.0.192.in-addr.arpa": [("PTR", [b"mail.bank.test"]), ("PTR", [b"a\0b", b"te st"])]},
                  name="1.2.0.192.in-addr.arpa", kind="PTR")
    assert "[mail\\046bank\\046test]" in line and "[a\\000b.te\\032st]" in line, line


def test_pointers_in_a_circle(build):
    def circle(server, query):
        full = message(query)
        return [full[:6] + struct.pack("!H", 1) + full[8:] + struct.pack("!H", 0xc000 | len(full)) +
                struct.pack("!HHIH", 1, 1, 60, 4) + A]
    same("circle", status(ask(build, hook=circle)[0]), BAD)


def test_wrong_lengths_of_data(build):
    for kind, number, data in (("A", 1, b"abc"), ("AAAA", 28, A), ("MX", 15, b"\0"), ("TLSA", 52, b"x"),
                               ("TXT", 16, b"\xffabc"), ("PTR", 12, b"\x3fabc")):
        same(kind, status(ask(build, hook=reply([("x.test", number, data)]), kind=kind)[0]), BAD)


def test_TTL_of_nonsense(build):
    def hook(server, query):
        return [message(query, answers=[(wire_name(query.name), 1, A, ttl)]) for ttl in (0xffffffff,)]
    assert " ttl=0 " in ask(build, hook=hook)[0]
    assert " ttl=86400 " in ask(build, {"x.test": [("A", "192.0.2.1")]}, ttl_s=0x7fffffff)[0]


def test_silence_ends_at_the_deadline(build):
    start = time.monotonic()
    line, _ = ask(build, hook=lambda s, q: [], deadline_ms=700)
    same("silence", status(line), TIMEOUT)
    assert time.monotonic() - start < 10


def test_a_dead_resolver_is_not_asked_a_thousand_times(build):
    server = Server(hook=lambda s, q: [])
    try:
        got = tool(build, server, ["many\t%d" % 1000], 500)
    finally:
        server.close()
    same("all of them", got, ["1000 known, 0 answered"])
    assert len({name for name, _ in server.asked}) <= 64 + 32, len(server.asked)


def test_nobody_listens(build):
    closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    assert status(tool(build, "127.0.0.1:%d" % port, ["ask\tA\tx.test"])[0]) in (UNREACHABLE, TIMEOUT)


def test_names_that_cannot_be_asked(build):
    names = ("a..b", ".", "a" * 64 + ".test", ("a" * 60 + ".") * 5, "x\\y.test", "x.test..")
    server = Server()
    try:
        got = tool(build, server, ["ask\tA\t" + n for n in names])
    finally:
        server.close()
    same("statuses", [status(line) for line in got], [NONAME] * len(names))
    same("asked", server.asked, [])


def test_random_messages(build):
    """Whatever comes: an end, and no crash (run under ASan in the clang build)."""
    import random
    luck = random.Random(7)

    def noise(server, query):
        full = bytearray(message(query, answers=[(wire_name(query.name), 16, rdata("TXT", "v=spf1 -all"), 60)] * 3, soa_ttl=9))
        for _ in range(luck.randrange(1, 6)):
            full[luck.randrange(12, len(full))] = luck.randrange(256)
        return [bytes(full)]
    server = Server(hook=noise)
    try:
        got = tool(build, server, ["ask\tTXT\tn%d.test" % n for n in range(200)], 60)
    finally:
        server.close()
    same("answers", len(got), 200)
