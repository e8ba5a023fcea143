# SPDX-License-Identifier: MIT
"""server - a DNS server on loopback for tests: zones as Python data, and every way to answer badly.

Zone: {name: [(type, value), ...]}; values: A, AAAA "address"; TXT bytes, str or a list of them; MX (preference, name);
PTR, CNAME name; TLSA bytes; RAW (type number, bytes). In place of a list: an int (that RCODE) or None (no answer at all).
A name that only has others below it is empty (NODATA), all else NXDOMAIN. It follows CNAMEs as a resolver does.
hook(server, query) may return a list of messages to send instead of the answer (a tuple (bytes, "elsewhere") comes
from another port), or None.
"""
import ipaddress
import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52}
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
TTL_S = 300
UDP_MAX = 1232


def labels(name):
    """A name as labels; a str is split at dots, a list is taken as it is."""
    if isinstance(name, list):
        return name
    return [part.encode("latin-1") for part in name.rstrip(".").split(".")] if name.rstrip(".") else []


def wire_name(name):
    return b"".join(bytes([len(label)]) + label for label in labels(name)) + b"\0"


def txt(value):
    parts = value if isinstance(value, (list, tuple)) else [value]
    out = b""
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8")
        chunks = [data[i:i + 255] for i in range(0, len(data), 255)] or [b""]
        out += b"".join(bytes([len(chunk)]) + chunk for chunk in chunks)
    return out


def rdata(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "TXT":
        return txt(value)
    if kind == "MX":
        return struct.pack("!H", value[0]) + wire_name(value[1])
    if kind in ("PTR", "CNAME", "NS"):
        return wire_name(value)
    return value


class Query:
    def __init__(self, data, tcp):
        self.data, self.tcp = data, tcp
        self.id = struct.unpack("!H", data[:2])[0]
        at, parts = 12, []
        while data[at]:
            parts.append(data[at + 1:at + 1 + data[at]])
            at += 1 + data[at]
        self.parts = parts
        self.name = b".".join(part.replace(b".", b"\\.") for part in parts).decode("latin-1").lower()  # a dot in a label is no dot
        self.question = data[12:at + 5]
        self.type = struct.unpack("!H", data[at + 1:at + 3])[0]
        self.ad_wanted = bool(data[3] & 0x20)


def message(query, rcode=NOERROR, answers=(), soa_ttl=None, ad=False, tc=False, ident=None, question=None):
    """answers: (wire name, type number, rdata, ttl)."""
    head = struct.pack("!HBBHHHH", query.id if ident is None else ident, 0x81 | (2 if tc else 0),
                       0x80 | (0x20 if ad else 0) | rcode, 1, len(answers), 0 if soa_ttl is None else 1, 0)
    out = head + (query.question if question is None else question)
    for owner, kind, data, ttl in answers:
        out += owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data
    if soa_ttl is not None:
        data = wire_name("ns.test") + wire_name("root.test") + struct.pack("!IIIII", 1, 3600, 600, 86400, soa_ttl)
        out += b"\0" + struct.pack("!HHIH", 6, 1, soa_ttl, len(data)) + data
    return out


class Server:
    def __init__(self, zone=None, hook=None, ttl_s=TTL_S, signed=False):
        self.zone = {name.lower().rstrip("."): value for name, value in (zone or {}).items()}
        self.hook, self.ttl_s, self.signed = hook, ttl_s, signed
        self.asked = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        while True:  # one port for both
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            try:
                self.tcp = TCP(("127.0.0.1", self.port), self)
                break
            except OSError:
                self.udp.close()
                self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = "127.0.0.1:%d" % self.port
        for target in (self.serve_udp, lambda: self.tcp.serve_forever(0.02)):
            threading.Thread(target=target, daemon=True).start()

    def close(self):
        self.tcp.shutdown()
        self.tcp.server_close()
        try:
            self.udp.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.udp.close()
        self.elsewhere.close()

    def serve_udp(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(65535)
                if len(data) < 12:  # shut down
                    return
                for reply in self.replies(Query(data, False)):
                    if isinstance(reply, tuple):
                        self.elsewhere.sendto(reply[0], peer)
                    else:
                        self.udp.sendto(reply, peer)
            except OSError:
                return

    def replies(self, query):
        self.asked.append((query.name, query.type))
        special = self.hook(self, query) if self.hook else None
        if special is not None:
            return special
        reply = self.answer(query)
        if reply is None:
            return []
        if not query.tcp and len(reply) > UDP_MAX:
            return [message(query, tc=True)]
        return [reply]

    def records(self, name):
        return self.zone.get(name)

    def below(self, name):
        return any(other.endswith("." + name) for other in self.zone)

    def answer(self, query):
        name, owner, out = query.name, wire_name(query.parts), []
        for _ in range(12):
            found = self.records(name)
            if found is None and name in self.zone:
                return None
            if isinstance(found, int):
                return message(query, found)
            if found is None:
                rcode = NOERROR if self.below(name) else NXDOMAIN
                return message(query, rcode, out, soa_ttl=60, ad=self.signed)
            alias = [value for kind, value in found if kind == "CNAME"]
            if any(value is None and TYPES.get(kind) == query.type for kind, value in found):
                return None  # this type alone has no answer
            if alias and query.type != 5:
                out.append((owner, 5, wire_name(alias[0]), self.ttl_s))
                name, owner = alias[0].lower().rstrip("."), wire_name(alias[0])
                continue
            mine = [(owner, value[0], value[1], self.ttl_s) if kind == "RAW" else
                    (owner, TYPES[kind], rdata(kind, value), self.ttl_s) for kind, value in found
                    if kind == "RAW" and value[0] == query.type or TYPES.get(kind) == query.type]
            return message(query, NOERROR, out + mine, soa_ttl=None if mine else 60, ad=self.signed)
        return message(query, SERVFAIL)


class TCP(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, address, owner):
        self.owner = owner
        super().__init__(address, Connection)

    def handle_error(self, request, client_address):
        pass  # a client that went away


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            size = self.rfile.read(2)
            if len(size) < 2:
                return
            data = self.rfile.read(struct.unpack("!H", size)[0])
            for reply in self.server.owner.replies(Query(data, True)):
                self.wfile.write(struct.pack("!H", len(reply)) + reply)
                self.wfile.flush()
