# SPDX-License-Identifier: MIT
"""pfx - a real Postfix of our own on loopback, with destinations that accept, defer, bounce and hang.

Postfix(dir) needs root (it starts a private instance, never the machine's). Real ports 25, 587 and 465 are
used when this process may make a network namespace of its own (see enter_namespace); else free high ones.
Nothing leaves loopback: DNS is off. Every process is ended by its pid.
"""
import ctypes
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
DEADLINE_S = 30


def wait_for(what, condition, deadline_s=DEADLINE_S):
    """Poll condition until it is true; its value is returned. Raises with `what` when the deadline passes."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %d s for %s" % (deadline_s, what))
        time.sleep(0.02)  # the poll of a condition, not a wait for luck


def enter_namespace():
    """Move this process into a network namespace with only lo up. True when it worked."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return False
    return subprocess.run(["ip", "link", "set", "lo", "up"], stderr=subprocess.DEVNULL).returncode == 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Sink:
    """An SMTP destination: mode accept, soft (450 at RCPT), hard (550 at RCPT), or hang (never greets)."""

    REPLY = {"soft": b"450 4.2.2 mailbox full, try later\r\n", "hard": b"550 5.1.1 no such user here\r\n"}

    def __init__(self, mode, port=0, reply=None):
        self.mode, self.reply = mode, reply or self.REPLY.get(mode)
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", port))
        self.sock.listen(50)
        self.port = self.sock.getsockname()[1]
        self.open, self.count = True, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while self.open:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(conn,), daemon=True).start()

    def talk(self, conn):
        try:
            if self.mode == "hang":
                conn.recv(1)  # returns when the client gives up
                return
            conn.sendall(b"220 sink.test ESMTP\r\n")
            data = False
            for line in conn.makefile("rb"):
                word = line[:4].upper()
                if data:
                    if line == b".\r\n":
                        data, self.count = False, self.count + 1
                        conn.sendall(b"250 2.0.0 Ok: queued as SINK%05d\r\n" % self.count)
                elif word == b"EHLO":
                    conn.sendall(b"250-sink.test\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n")
                elif word == b"RCPT" and self.reply:
                    conn.sendall(self.reply)
                elif word == b"DATA":
                    data = True
                    conn.sendall(b"354 go on\r\n")
                elif word == b"QUIT":
                    conn.sendall(b"221 2.0.0 Bye\r\n")
                    return
                else:
                    conn.sendall(b"250 2.0.0 Ok\r\n")
        except OSError:
            pass
        finally:
            conn.close()

    def close(self):
        self.open = False
        self.sock.close()


class FilterProxy(Sink):
    """An after-queue content filter: takes a message, gives it back to Postfix, answers with Postfix's answer."""

    def __init__(self, reinject_port):
        self.reinject_port = reinject_port
        super().__init__("accept")

    def talk(self, conn):
        sender, rcpts, lines = None, [], None
        try:
            conn.sendall(b"220 filter.test ESMTP\r\n")
            for line in conn.makefile("rb"):
                word = line[:4].upper()
                if lines is not None:
                    if line != b".\r\n":
                        lines.append(line)
                        continue
                    answer = self.reinject(sender, rcpts, b"".join(lines))
                    lines, rcpts = None, []
                    conn.sendall(b"250 2.0.0 from MTA(smtp:[127.0.0.1]:%d): %s\r\n" % (self.reinject_port, answer))
                elif word == b"MAIL":
                    sender = line[line.index(b"<") + 1:line.index(b">")].decode()
                    conn.sendall(b"250 2.1.0 Ok\r\n")
                elif word == b"RCPT":
                    rcpts.append(line[line.index(b"<") + 1:line.index(b">")].decode())
                    conn.sendall(b"250 2.1.5 Ok\r\n")
                elif word == b"DATA":
                    lines = []
                    conn.sendall(b"354 go on\r\n")
                elif word == b"QUIT":
                    conn.sendall(b"221 2.0.0 Bye\r\n")
                    return
                else:
                    conn.sendall(b"250 filter.test\r\n")
        except OSError:
            pass
        finally:
            conn.close()

    def reinject(self, sender, rcpts, body):
        with smtplib.SMTP("127.0.0.1", self.reinject_port, local_hostname="filter.test", timeout=DEADLINE_S) as s:
            s.mail(sender)
            for rcpt in rcpts:
                s.rcpt(rcpt)
            code, text = s.data(body)
            return b"%d %s" % (code, text)


MAIN_CF = """compatibility_level = 3.6
config_directory = {etc}
queue_directory = {dir}/spool
data_directory = {dir}/lib
maillog_file_prefixes = /var, /dev/stdout, {dir}
maillog_file = {log}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_bind_address = 127.0.0.1
mynetworks = 127.0.0.1/32
myhostname = mail.example.test
mydomain = example.test
myorigin = example.test
mydestination = mail.example.test, localhost, local.test
local_transport = local:mail.example.test
local_recipient_maps = texthash:{etc}/locals
alias_maps = texthash:{etc}/aliases
alias_database =
biff = no
append_dot_mydomain = no
transport_maps = texthash:{etc}/transport
default_transport = error:5.1.2 no route in the test
smtpd_tls_cert_file = {etc}/cert.pem
smtpd_tls_key_file = {etc}/key.pem
smtpd_tls_loglevel = 1
smtpd_tls_security_level = may
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtp_helo_timeout = 2s
smtp_connect_timeout = 2s
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {etc}/sasl
smtpd_sasl_local_domain = example.test
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
minimal_backoff_time = 300s
queue_run_delay = 300s
enable_long_queue_ids = yes
{extra}
"""


class Postfix:
    """A private instance under a short directory. start() .. stop(); ports in p25, p587, p465."""

    USER, PASSWORD = "alice", "correct horse"

    def __init__(self, directory, real_ports=False, extra="", master_extra=(), filtered=False):
        self.dir, self.etc = directory, directory + "/etc"
        self.log = directory + "/log/mail.log"
        self.extra, self.master_extra = extra, master_extra
        self.p25, self.p587, self.p465 = (25, 587, 465) if real_ports else (free_port(), free_port(), free_port())
        self.sinks = {m: Sink(m) for m in ("accept", "soft", "hard", "hang")}
        self.filter = FilterProxy(free_port()) if filtered else None  # on mail of port 25 only
        self.refused = free_port()  # nobody listens there

    def run(self, *argv, check=True, **kw):
        return subprocess.run(argv, check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)

    def configure(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        for d in (self.dir, self.etc, self.dir + "/spool", self.dir + "/log", self.etc + "/sasl"):
            os.makedirs(d, mode=0o755)
        self.run("install", "-d", "-o", "postfix", "-g", "postfix", "-m", "700", self.dir + "/lib")
        self.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=mail.example.test",
                 "-keyout", self.etc + "/key.pem", "-out", self.etc + "/cert.pem")
        with open(self.etc + "/main.cf", "w") as f:
            f.write(MAIN_CF.format(etc=self.etc, dir=self.dir, log=self.log, extra=self.extra))
        with open(self.etc + "/locals", "w") as f:
            f.write("bob@local.test x\nfw@local.test x\nroot@local.test x\n")
        with open(self.etc + "/aliases", "w") as f:
            f.write("bob /dev/null\nroot /dev/null\nfw forwarded@accept.test\n")
        with open(self.etc + "/transport", "w") as f:
            for name, sink in self.sinks.items():
                f.write("%s.test smtp:[127.0.0.1]:%d\n" % (name, sink.port))
            f.write("refused.test smtp:[127.0.0.1]:%d\n" % self.refused)
        self.configure_sasl()
        self.configure_master()

    def configure_sasl(self):
        db = self.etc + "/sasl/sasldb2"
        with open(self.etc + "/sasl/smtpd.conf", "w") as f:
            f.write("pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: %s\nmech_list: PLAIN LOGIN\n" % db)
        self.run("saslpasswd2", "-p", "-c", "-f", db, "-u", "example.test", self.USER, input=self.PASSWORD)
        self.run("chown", "postfix", db)

    def configure_master(self):
        shutil.copy("/usr/share/postfix/master.cf.dist", self.etc + "/master.cf")
        pc = ("postconf", "-c", self.etc)
        self.run(*pc, "-F", "*/*/chroot=n")
        self.run(*pc, "-MX", "smtp/inet")
        auth = ["smtpd_sasl_auth_enable=yes", "smtpd_relay_restrictions=permit_sasl_authenticated,reject",
                "smtpd_recipient_restrictions=permit_sasl_authenticated,reject"]
        for port, name, options in (
                (self.p25, None, ["content_filter=smtp:[127.0.0.1]:%d" % self.filter.port] if self.filter else []),
                (self.p587, "postfix/submission", ["smtpd_tls_security_level=encrypt"] + auth),
                (self.p465, "postfix/submissions", ["smtpd_tls_wrappermode=yes"] + auth)):
            key = "127.0.0.1:%d/inet" % port
            self.run(*pc, "-M", "%s=127.0.0.1:%d inet n - n - - smtpd" % (key, port))
            if name:
                options = ["syslog_name=" + name] + options
            if options:
                self.run(*pc, "-P", *["%s/%s" % (key, o) for o in options])
        if self.filter:
            self.run(*pc, "-M", "127.0.0.1:%d/inet=127.0.0.1:%d inet n - n - - smtpd" % ((self.filter.reinject_port,) * 2))
            self.run(*pc, "-P", "127.0.0.1:%d/inet/syslog_name=postfix/reinject" % self.filter.reinject_port)
        for line in self.master_extra:
            self.run(*pc, "-M", line)

    def listening(self):
        for port in (self.p25, self.p587, self.p465):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) != 0:
                    return False
        return True

    def start(self):
        self.configure()
        self.run("postfix", "-c", self.etc, "start")
        wait_for("Postfix to listen", self.listening)

    def stop(self):
        try:
            with open(self.dir + "/spool/pid/master.pid") as f:
                pid = int(f.read())
        except (OSError, ValueError):
            pid = 0
        self.run("postfix", "-c", self.etc, "stop", check=False)
        if pid:
            wait_for("Postfix to end", lambda: not os.path.exists("/proc/%d" % pid))
        for sink in list(self.sinks.values()) + ([self.filter] if self.filter else []):
            sink.close()

    def postqueue(self, *args):
        return self.run("postqueue", "-c", self.etc, *args, check=False).stdout

    # ---- sending

    def message(self, rcpts, subject="test"):
        return "From: <a@example.test>\r\nTo: <%s>\r\nSubject: %s\r\n\r\nhello\r\n" % (rcpts[0], subject)

    def send25(self, rcpts, sender="a@example.test"):
        with smtplib.SMTP("127.0.0.1", self.p25, local_hostname="client.test", timeout=DEADLINE_S) as s:
            return s.sendmail(sender, rcpts, self.message(rcpts))

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the test's own self-signed certificate
        return context

    def session(self, port):
        """An encrypted session on the submission (STARTTLS) or submissions (implicit TLS) port."""
        if port == self.p465:
            return smtplib.SMTP_SSL("127.0.0.1", port, local_hostname="client.test", timeout=DEADLINE_S, context=self.context())
        s = smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=DEADLINE_S)
        s.starttls(context=self.context())
        return s

    def send_auth(self, port, rcpts, password=None):
        """Submit with AUTH; False when the password is refused."""
        with self.session(port) as s:
            try:
                s.login(self.USER + "@example.test", password or self.PASSWORD)
            except smtplib.SMTPAuthenticationError:
                return False
            s.sendmail("a@example.test", rcpts, self.message(rcpts))
            return True

    def log_text(self):
        try:
            with open(self.log, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, pattern_count, deadline_s=60):
        """Wait until every (substring, count) is reached in the log."""
        def enough():
            text = self.log_text()
            return all(text.count(p) >= n for p, n in pattern_count)
        wait_for("log lines %r" % (pattern_count,), enough, deadline_s)


def kill_pid(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
