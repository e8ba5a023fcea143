# SPDX-License-Identifier: MIT
"""collected - `mtatop collect` against a fake of a vendor, and what lies in the cache afterwards."""
import collections
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

TIMEOUT_S = 120
KEY = "CANARYKEY123-mailgun"


class Collected:
    """A folder with configuration, key and cache of one provider; end with close()."""

    def __init__(self, build, family, fake, key=KEY, mode=0o600, **conf):
        self.build, self.fake = build, fake
        self.folder = tempfile.mkdtemp(prefix="mtatop-api-")
        self.cache, self.output = self.at("cache.db"), b""
        self.process = None
        with open(self.at("key"), "w", encoding="ascii") as f:
            f.write(key + "\n")
        os.chmod(self.at("key"), mode)
        values = dict({"base_url": fake.base, "key_file": self.at("key"), "requests_per_minute": 100000}, **conf)
        if fake.ca:
            values.setdefault("ca_file", fake.ca)
        with open(self.at("mtatop.conf"), "w", encoding="utf-8") as f:
            f.write("[postfix]\nenabled = no\n[%s]\n%s" % (family, "".join("%s = %s\n" % v for v in values.items() if v[1] != "")))
        os.chmod(self.at("mtatop.conf"), 0o600)

    def at(self, name):
        return os.path.join(self.folder, name)

    def command(self, *more):
        return [os.path.join(self.build, "tui", "mtatop"), "--config", self.at("mtatop.conf"), "--cache", self.cache, *more]

    def env(self, **more):
        return dict({k: v for k, v in os.environ.items() if not k.startswith("MTATOP_") and "proxy" not in k.lower()},
                    HOME=self.folder, TZ="UTC", **more)

    def once(self, timeout=TIMEOUT_S, **env):
        """One pass over everything; (exit status, what it said)."""
        done = subprocess.run(self.command("collect", "--until-caught-up"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.env(**env), timeout=timeout, check=False)
        self.output += done.stdout
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def doctor(self):
        done = subprocess.run(self.command("doctor"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self.env(), timeout=TIMEOUT_S, check=False)
        self.output += done.stdout
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def job(self, provider, *argv):
        """A job of the screen's; (exit status, lines)."""
        done = subprocess.run([os.path.join(self.build, "tests", "job_tool"), self.at("mtatop.conf"), self.cache, provider, *argv],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.env(),
                              timeout=TIMEOUT_S, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace").splitlines()

    def start(self):
        self.process = subprocess.Popen(self.command("collect"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=self.env())
        return self.process

    def kill(self, sig=signal.SIGKILL):
        if self.process:
            self.process.send_signal(sig)
            self.process.wait()
            self.process = None

    def sql(self, text, *args):
        db = sqlite3.connect("file:%s?mode=ro" % self.cache, uri=True, timeout=10)
        try:
            return db.execute(text, args).fetchall()
        finally:
            db.close()

    def counts(self):
        """(dim, slot start s, key) -> {metric: n}"""
        done = subprocess.run([os.path.join(self.build, "tests", "counts_tool"), self.cache], stdout=subprocess.PIPE, check=True)
        out = collections.defaultdict(dict)
        for line in done.stdout.decode().splitlines():
            _, dim, start, key, metric, n = line.split("\t")
            out[int(dim), int(start), key][metric] = int(n)
        return out

    def budgets(self):
        return {row[0]: row for row in self.sql("SELECT endpoint, health, missing, detail, requests, next_ms FROM api_budget")}

    def source(self):
        """health, detail, last_ok_ms of the one source"""
        return self.sql("SELECT health, detail, last_ok_ms FROM source")[0]

    def wait(self, what, deadline_s=60):
        """Until what() holds; the cache may not be there yet."""
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            try:
                if what():
                    return True
            except (sqlite3.Error, KeyError):
                pass
            time.sleep(0.05)
        return False

    def holds(self, needle):
        """Files of the folder (but the key's) with these bytes in them."""
        found = ["output"] if needle in self.output else []
        for name in os.listdir(self.folder):
            if name != "key":
                with open(self.at(name), "rb") as f:
                    found += [name] if needle in f.read() else []
        return found

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
