# SPDX-License-Identifier: MIT
"""smtpd - SMTP servers of our own that behave well or badly, and certificates that are right or lie.

Server(script) listens on loopback (or the address given) and runs script(conn) for each connection in a thread; what clients
said is in server.heard. The certificates are made by openssl(1).
"""
import os
import socket
import ssl
import subprocess
import threading


class Server:
    def __init__(self, script, host="127.0.0.1", port=0, backlog=16):
        self.script, self.heard = script, []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen(backlog)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(conn,), daemon=True).start()

    def talk(self, conn):
        try:
            conn.settimeout(60)
            self.script(self, conn)
        except (OSError, ValueError):
            pass
        finally:
            try:
                conn.close()
            except OSError:
                pass

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def smtp(name="mx.test.example", greeting=None, keywords=("SIZE 1000",), tls_keywords=("AUTH PLAIN",), context=None, implicit=False,
         after=None, starttls=b"220 2.0.0 go ahead\r\n"):
    """A script of a well-behaved server. after: bytes to send in the place of the greeting's end, by the test."""
    def script(server, conn):
        secure = False
        if implicit:
            conn, secure = context.wrap_socket(conn, server_side=True), True
        conn.sendall(greeting if greeting is not None else b"220 %s ESMTP\r\n" % name.encode())
        if after:
            after(conn)
        stream = conn.makefile("rb")
        while True:
            line = stream.readline(2000)
            if not line:
                return
            server.heard.append(line.decode("latin-1").strip())
            word = line[:8].split()[0].upper() if line.split() else b""
            if word == b"EHLO":
                words = list(tls_keywords if secure else keywords)
                if context and not secure:
                    words.append("STARTTLS")
                lines = [name] + words
                conn.sendall(b"".join(b"250%c%s\r\n" % (b" " if i + 1 == len(lines) else b"-", w.encode("latin-1"))
                                      for i, w in enumerate(lines)))
            elif word == b"STARTTLS":
                conn.sendall(starttls)
                if not starttls.startswith(b"220"):
                    continue
                conn = context.wrap_socket(conn, server_side=True)
                stream, secure = conn.makefile("rb"), True
            elif word == b"QUIT":
                conn.sendall(b"221 2.0.0 bye\r\n")
                return
            else:
                conn.sendall(b"502 5.5.2 not here\r\n")
    return script


def openssl(*argv, folder="."):
    return subprocess.run(["openssl", *argv], cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout


class Certificates:
    """A CA and what it signs, in a folder; context(NAME) is a server's side of it."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.ca = self.path("ca.pem")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=Test CA", "-keyout", "ca.key",
                "-out", "ca.pem", folder=folder)
        openssl("genrsa", "-out", "key.pem", "2048", folder=folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, subject, names=None, days=90, dates=None, signed=True):
        """names: the value of subjectAltName; dates: (start, end) as YYYYMMDDHHMMSSZ."""
        with open(self.path(name + ".ext"), "w", encoding="latin-1") as f:
            f.write("[ext]\n" + ("subjectAltName = %s\n" % names if names else "basicConstraints = CA:FALSE\n"))
            f.write("[ca]\ndefault_ca = one\n[one]\ndatabase = %s.db\nserial = %s.serial\nnew_certs_dir = .\ndefault_md = sha256\n"
                    "policy = any\nx509_extensions = ext\n[any]\ncommonName = optional\norganizationName = optional\n" % (name, name))
        open(self.path(name + ".db"), "w").close()
        with open(self.path(name + ".serial"), "w") as f:
            f.write("%02X\n" % (len(os.listdir(self.folder)) % 200 + 16))
        openssl("req", "-new", "-key", "key.pem", "-subj", subject, "-out", name + ".csr", folder=self.folder)
        signer = ["-cert", "ca.pem", "-keyfile", "ca.key"] if signed else ["-selfsign", "-keyfile", "key.pem"]
        span = ["-startdate", dates[0], "-enddate", dates[1]] if dates else ["-days", str(days)]
        openssl("ca", "-batch", "-config", name + ".ext", "-in", name + ".csr", "-out", name + ".pem", "-notext", *signer, *span,
                folder=self.folder)
        return self

    def context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name + ".pem"), self.path("key.pem"))
        return context
