# SPDX-License-Identifier: MIT
"""vendor - what the fakes of all vendors share: a threaded HTTP(S) server on loopback with a clock that tests set, a
log of every request, faults on cue, rate limits with either family of headers, and a control endpoint.

A fake is used in the tests' own process (Fake.start) or as a program that prints `PORT n` (Fake.main). Control is by
its methods do_*, or the same names by POST /_control {"op": "advance", "ms": 60000}. Keys are compared, never kept
in the log: it says `right`, `wrong` or `absent`.
"""
import argparse
import datetime
import gzip
import http.client
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

UTC = datetime.timezone.utc
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_BODY_BYTES = 1 << 20  # of a request; ours are a few hundred


def utc(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, UTC)


def rfc2822(ms, zone="UTC"):
    """By hand: strftime's names follow the locale."""
    t = utc(ms)
    return "%s, %02d %s %04d %02d:%02d:%02d %s" % (DAYS[t.weekday()], t.day, MONTHS[t.month - 1], t.year, t.hour,
                                                  t.minute, t.second, zone)


def parse_rfc2822(text):
    """ms UTC of "Mon, 02 Jan 2006 15:04:05 +0000|UTC|GMT"; ValueError."""
    m = re.fullmatch(r"\w{3}, (\d{1,2}) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) (\S+)", text)
    if not m or m[2] not in MONTHS:
        raise ValueError("no RFC 2822 date: %r" % text)
    t = datetime.datetime(int(m[3]), MONTHS.index(m[2]) + 1, int(m[1]), int(m[4]), int(m[5]), int(m[6]), tzinfo=UTC)
    zone = re.fullmatch(r"([+-])(\d\d)(\d\d)", m[7])
    shift = (int(zone[2]) * 60 + int(zone[3])) * (-1 if zone[1] == "-" else 1) if zone else 0
    return int(t.timestamp() * 1000) - shift * 60000


class Clock:
    """Real time plus an offset, or standing still at an instant until moved."""

    def __init__(self, now_ms=None):
        self.fixed, self.offset = now_ms, 0

    def ms(self):
        return self.fixed if self.fixed is not None else int(time.time() * 1000) + self.offset

    def advance(self, ms):
        if self.fixed is not None:
            self.fixed += ms
        else:
            self.offset += ms


class Reply:
    def __init__(self, status, body=b"", headers=None, content_type="application/json"):
        self.status, self.headers = status, dict(headers or {})
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers.setdefault("Content-Type", content_type)


class Raise(Exception):
    """An answer that is an error, from anywhere in a handler."""

    def __init__(self, reply):
        super().__init__(reply.status)
        self.reply = reply


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        parts = urllib.parse.urlsplit(target)
        self.path = urllib.parse.unquote(parts.path)
        self.query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)

    def arg(self, name, fallback=None):
        return self.query.get(name, [fallback])[-1]

    def number(self, name, fallback):
        try:
            return int(self.arg(name, fallback))
        except ValueError:
            return fallback

    def json(self):
        return json.loads(self.body.decode())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_message(self, *args):
        pass

    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(size, MAX_BODY_BYTES))
        request = Request(self.command, self.path, self.headers, body)
        fake = self.server.fake
        if request.path == "/_control":
            return self.send(fake.control(request), None)
        reply, fault = fake.serve(request)
        return self.send(reply, fault)

    def send(self, reply, fault):
        kind = fault["kind"] if fault else ""
        body = reply.body
        if kind == "hang":
            self.server.fake.ended.wait(fault.get("seconds", 60))
            self.close_connection = True
            return
        if kind == "drop":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if kind == "gzip_bomb":
            body, reply.headers["Content-Encoding"] = bomb(fault.get("bytes", 1 << 30)), "gzip"
        if kind == "gzip_broken":
            body, reply.headers["Content-Encoding"] = gzip.compress(body)[:-6], "gzip"
        head = ["HTTP/1.1 %d %s" % (reply.status, self.responses.get(reply.status, ("Status",))[0])]
        headers = dict(reply.headers)
        if "Content-Length" not in headers:
            headers["Content-Length"] = str(len(body))
        head += ["%s: %s" % item for item in headers.items()]
        if kind == "huge_headers":
            head += ["X-Filler-%d: %s" % (i, "f" * 8000) for i in range(fault.get("count", 200))]
        raw = "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
        if kind == "cut":
            self.wfile.write(raw + body[:int(len(body) * fault.get("share", 0.5))])
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif kind == "slow":
            self.drip(raw + body, fault.get("bytes_per_s", 1))
        else:
            self.wfile.write(raw + (b"" if self.command == "HEAD" else body))

    def drip(self, data, rate):
        for i in range(0, len(data)):
            if self.server.fake.ended.wait(1 / rate):
                return
            self.wfile.write(data[i:i + 1])

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer

    def handle_one_request(self):
        if self.server.fake.pages:
            self.handle_page()
        else:
            super().handle_one_request()

    def handle_page(self):
        """A request while the fake has rendered pages (do_bench): by hand, since reading the headers as the library does
        takes longer than the client needs for the page."""
        fake, words = self.server.fake, self.rfile.readline(65536).split()
        if len(words) != 3:
            self.close_connection = True
            return
        lines = list(iter(self.rfile.readline, b"\r\n"))
        fields = {k.lower(): v.strip() for k, v in (line.decode("latin-1").split(":", 1) for line in lines if b":" in line)}
        body = self.rfile.read(min(int(fields.get("content-length", 0)), MAX_BODY_BYTES))
        self.close_connection = False
        page = fake.page_of(words[1], body) if fake.auth(fields) == "right" else None
        if page is None:
            headers = http.client.HTTPMessage()
            for name, value in fields.items():
                headers[name] = value
            self.command, self.path = words[0].decode(), words[1].decode()
            self.send(*fake.serve(Request(self.command, self.path, headers, body)))
        else:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(page) + page)

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError, TimeoutError, OSError):
            pass


BOMBS = {}


def bomb(size):
    """size bytes of spaces, gzipped: about a thousandth of it."""
    if size not in BOMBS:
        chunk, out = b" " * (1 << 20), []
        packer = __import__("zlib").compressobj(9, 8, 31)
        for _ in range(size >> 20):
            out.append(packer.compress(chunk))
        BOMBS[size] = b"".join(out) + packer.flush()
    return BOMBS[size]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass


def certificate(folder, name="localhost"):
    """A CA made for this run, and a certificate of 127.0.0.1 signed by it: (ca, certificate with key)."""
    os.makedirs(folder, exist_ok=True)
    at = lambda leaf: os.path.join(folder, leaf)  # noqa: E731
    run = lambda *argv: subprocess.run(("openssl",) + argv, check=True, stdin=subprocess.DEVNULL,  # noqa: E731
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(at("ext"), "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:%s,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n" % name)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=made up CA of a test",
        "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", at("ca.key"), "-out", at("ca.pem"))
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout", at("srv.key"), "-out", at("srv.csr"))
    run("x509", "-req", "-in", at("srv.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial",
        "-days", "2", "-extfile", at("ext"), "-out", at("srv.pem"))
    with open(at("both.pem"), "w", encoding="ascii") as out:
        for leaf in ("srv.key", "srv.pem"):
            with open(at(leaf), encoding="ascii") as f:
                out.write(f.read())
    return at("ca.pem"), at("both.pem")


class Fake:
    name = "vendor"
    KEY = "made-up-key"

    def __init__(self, key=None, now_ms=None, tls=None, port=0):
        self.key = key or self.KEY
        self.clock = Clock(now_ms)
        self.lock = threading.RLock()
        self.log, self.faults, self.limits, self.used = [], [], [], {}
        self.quiet = False  # keep no log: for measurements
        self.pages = None  # what do_bench rendered
        self.ended = threading.Event()
        self.ca = None
        self.http = Server(("127.0.0.1", port), Handler)
        self.http.fake = self
        self.scheme = "http"
        if tls:
            self.ca, pair = certificate(tls)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair)
            # the handshake in the connection's own thread, not in the one that accepts
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self.port = self.http.server_address[1]
        self.base = "%s://127.0.0.1:%d" % (self.scheme, self.port)

    # life
    def start(self):
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def stop(self):
        self.ended.set()
        self.http.shutdown()
        self.http.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    # a request
    def serve(self, request):
        with self.lock:
            self.begin()
            fault = self.fault_of(request)
            auth = self.auth(request.headers)
            try:
                reply = self.faulty(fault, request) if fault else None
                if reply is None:
                    if auth != "right":
                        reply = self.unauthorized(auth)
                    else:
                        self.rate(request)
                        reply = self.route(request)
            except Raise as e:
                reply = e.reply
            except (ValueError, KeyError, TypeError, AttributeError) as e:
                reply = self.bad_request("%s: %s" % (type(e).__name__, e))
            if fault and fault["kind"] == "edit":
                reply.body = re.sub(fault["pattern"].encode(), fault["by"].encode(), reply.body)
            for header, value in (fault or {}).get("headers", {}).items():
                reply.headers[header] = value
            if not self.quiet:
                self.note(request, reply, auth, fault)
            return reply, fault

    def begin(self):
        """Before each request; what is due by the clock happens here."""

    def note(self, request, reply, auth, fault):
        self.log.append({
            "t": self.clock.ms(), "method": request.method, "target": request.target, "path": request.path,
            "query": request.query, "body": request.body.decode("utf-8", "replace"), "status": reply.status,
            "key": auth, "fault": fault["kind"] if fault else None, "bytes": len(reply.body),
            "headers": {k.lower(): v for k, v in request.headers.items() if k.lower() != "authorization"}})

    def route(self, request):
        for method, pattern, handler in self.ROUTES:
            if method != request.method:
                continue
            m = re.fullmatch(pattern, request.path)
            if m:
                return getattr(self, handler)(request, *m.groups())
        return self.not_found(request)

    # faults
    def fault_of(self, request):
        what = "%s %s" % (request.method, request.target)
        for fault in self.faults:
            if fault["times"] and re.search(fault["match"], what):
                if fault["after"] > 0:
                    fault["after"] -= 1
                    continue
                fault["times"] -= 1
                return fault
        return None

    def faulty(self, fault, request):
        """The whole answer when the fault replaces it; None when it only spoils the true one."""
        kind = fault["kind"]
        if kind == "html":
            return Reply(fault.get("status", 502), b"<html><head><title>502 Bad Gateway</title></head></html>\n",
                         content_type="text/html")
        if kind == "empty":
            return Reply(fault.get("status", 500), b"")
        if kind == "body":
            return Reply(fault.get("status", 200), fault["body"].encode("utf-8", "surrogateescape"),
                         content_type=fault.get("content_type", "application/json"))
        if kind == "huge":
            return Reply(fault.get("status", 200), b'{"items":["' + b"x" * fault.get("bytes", 200 << 20) + b'"]}')
        if kind == "deep":
            return Reply(200, b"[" * fault.get("depth", 200000) + b"]" * fault.get("depth", 200000))
        if kind == "redirect":
            return Reply(fault.get("status", 302), b"", {"Location": fault["to"]})
        if kind == "429":
            return self.too_many(fault)
        if kind == "status":
            return self.error(fault["status"], fault.get("message", "made up by the test"))
        return None

    def too_many(self, fault):
        now_s = self.clock.ms() // 1000
        wait = fault.get("wait_s", 5)
        headers = {"reset_s": {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0",
                               "X-RateLimit-Reset": str(now_s + wait)},
                   "reset_ms": {"X-Request-Limit": "2500", "X-Request-Remaining": "0",
                                "X-Request-Reset": str((now_s + wait) * 1000)},
                   "case": {"x-rateLIMIT-reset": str(now_s + wait), "X-RATELIMIT-REMAINING": "0"},
                   "past": {"X-RateLimit-Reset": str(now_s - 1000)},
                   "delta": {"Retry-After": str(wait)},
                   "date": {"Retry-After": rfc2822((now_s + wait) * 1000, "GMT")},
                   "absent": {}}[fault.get("style", "reset_s")]
        return Reply(429, self.too_many_body(), headers)

    # rate limits: (regex of the request, how many, seconds): counted by the fake's clock
    def rate(self, request):
        now = self.clock.ms()
        for i, (pattern, count, seconds) in enumerate(self.limits):
            if re.search(pattern, "%s %s" % (request.method, request.target)):
                times = self.used[i] = [t for t in self.used.get(i, []) if t > now - seconds * 1000]
                if len(times) >= count:
                    raise Raise(self.too_many({"wait_s": max(1, (times[0] + seconds * 1000 - now) // 1000)}))
                times.append(now)

    # control
    def control(self, request):
        try:
            asked = request.json()
            op = asked.pop("op")
            with self.lock:
                return Reply(200, {"result": getattr(self, "do_" + op)(**asked)})
        except Exception as e:  # a test's mistake: say it to the test
            return Reply(400, {"error": "%s: %s" % (type(e).__name__, e)})

    def do_advance(self, ms):
        self.clock.advance(ms)
        return self.clock.ms()

    def do_now(self):
        return self.clock.ms()

    def do_fault(self, match, kind, times=1, after=0, **more):
        self.faults.append(dict(more, match=match, kind=kind, times=times, after=after))

    def do_clear(self):
        self.faults.clear()

    def do_limit(self, pattern, count, seconds):
        self.limits.append((pattern, count, seconds))

    def do_log(self):
        return self.log

    def do_key(self, key):
        self.key = key

    def do_ledger(self):
        return self.ledger()

    # what each vendor answers in its own way: auth, unauthorized, error, bad_request, not_found, too_many_body, ledger
    def bad_request(self, text):
        return self.error(400, text)

    def not_found(self, request):
        return self.error(404, "not found: %s" % request.path)

    @classmethod
    def main(cls):
        p = argparse.ArgumentParser(description=cls.__doc__)
        p.add_argument("--port", type=int, default=0)
        p.add_argument("--key", default=None)
        p.add_argument("--now", type=int, default=None, help="ms since 1970; without it the clock is the real one")
        p.add_argument("--tls", default=None, help="folder for a CA made at run")
        p.add_argument("--set", default=None, help="JSON list of control operations to begin with, or @FILE")
        args = p.parse_args()
        fake = cls(key=args.key, now_ms=args.now, tls=args.tls, port=args.port)
        text = args.set or "[]"
        if text.startswith("@"):
            with open(text[1:], encoding="utf-8") as f:
                text = f.read()
        for op in json.loads(text):
            getattr(fake, "do_" + op.pop("op"))(**op)
        print("PORT %d" % fake.port, flush=True)
        try:
            fake.http.serve_forever()
        except KeyboardInterrupt:
            sys.exit(0)
