# SPDX-License-Identifier: MIT
"""Exchange's log folders: files that grow, new ones by the hour, old ones deleted, copies being made, kill -9 at any time."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import exchange_made as made

PROVIDER = "exchange-org"
LEDGER = {"RECEIVED": "messages", "RECIPIENTS": "recipients", "SENT": "sent", "BOUNCED": "bounced", "DEFERRED": "deferred_attempts",
          "HANDED_OVER": "handed_over", "NOTIFICATIONS": "notifications", "REJECTED": "rejected", "HOST_FAILURES": "host_failures"}
PORTS = {"CONNECTIONS": "connections", "AUTH_OK": "auth_ok", "AUTH_FAILED": "auth_failed", "TLS": "tls"}
ROUNDS = int(os.environ.get("MTATOP_FOLLOW_ROUNDS", "1"))


class Site:
    """The folders of an organisation that writes them while a case runs."""

    def __init__(self, case, servers=2, most_bytes=40000):
        self.case, self.lines = case, 0
        self.org = made.Org("2019", servers, seed=5, start_ms=int(time.time() * 1000) - 5 * 3600000)
        self.files = made.Files(os.path.join(case.dir, "logs"), self.org, most_bytes)
        self.follow(self.files.folders())

    def follow(self, folders):
        self.case.configure("[postfix]\nenabled = no\n[exchange org]\nfolder = %s\n" % ", ".join(folders))

    def hour(self, n, pause=lambda: None):
        """An hour of mail, written in pieces that end anywhere."""
        rows = self.org.hour(n)
        for at in range(0, len(rows), 50):
            self.files.write(rows[at:at + 50])
            pause()
        self.lines += len(rows)
        self.files.flush()

    def wanted(self):
        want = {ours: self.org.ledger[theirs] for ours, theirs in LEDGER.items()}
        want.update({ours: sum(n for (_, what), n in self.org.ports.items() if what == theirs) for ours, theirs in PORTS.items()})
        return dict(want, LINES=self.lines, UNPARSED=0, FOREIGN=0, OVERSIZE=0)

    def check(self):
        self.case.wait("%d records" % self.lines, lambda: self.case.metrics(PROVIDER)["LINES"] >= self.lines)
        self.same()

    def same(self):
        got = self.case.metrics(PROVIDER)
        wrong = {k: (got[k], v) for k, v in self.wanted().items() if got[k] != v}
        if wrong:
            raise AssertionError("%s (got, want)" % wrong)


def case_exchange_growing_files_and_new_ones(case):
    """Five hours of mail into files that are full soon; a second collection finds nothing new."""
    site = Site(case)
    case.start()
    for _ in range(5):
        site.hour(10, lambda: time.sleep(0.02))
    site.check()
    case.stop()
    case.once()
    told = json.loads(subprocess.run([case.mtatop, "report", "--format", "json", "--cache", case.cache], stdout=subprocess.PIPE,
                                     env=case.env, check=True).stdout)
    queue = sum(told["queue"][name] or 0 for name in ("incoming", "active", "deferred"))
    if queue != site.org.in_queue():
        raise AssertionError("%d messages in the queue, want %d" % (queue, site.org.in_queue()))
    site.same()


def case_exchange_kill_9_at_any_time(case):
    """Killed in the middle of everything, again and again: each record counts once."""
    site, dice = Site(case), random.Random(3)
    case.start()

    def pause():
        time.sleep(dice.random() * 0.1)
        if dice.random() < 0.3:
            case.stop(signal.SIGKILL)
            case.start()

    for _ in range(5 * ROUNDS):
        site.hour(8, pause)
    site.check()
    case.stop(signal.SIGKILL)
    case.once()
    site.same()


def case_exchange_old_files_deleted(case):
    """Exchange deletes what is old; what was read of it stays counted, also over restarts."""
    site = Site(case)
    case.start()
    for _ in range(4):
        site.hour(8)
        site.check()
        open_names = {f.name for _, _, f in site.files.open.values()}
        for path in [p for p in site.files.names if p not in open_names and os.path.exists(p)]:
            os.unlink(path)
        case.stop()
        case.start()
    site.hour(3)
    site.check()
    case.stop()
    case.once()
    site.same()


def case_exchange_folder_copied_bit_by_bit(case):
    """A copy of the folders that is made while it is read: files in any order, each growing from nothing."""
    site = Site(case)
    for _ in range(3):
        site.hour(8)
    copy = os.path.join(case.dir, "copy")
    shutil.copytree(site.files.top, copy, ignore=shutil.ignore_patterns("*.LOG"))
    site.follow([f.replace(site.files.top, copy) for f in site.files.folders()])
    case.start()
    names = list(site.files.names)
    random.Random(9).shuffle(names)
    for path in names:
        with open(path, "rb") as f, open(path.replace(site.files.top, copy), "wb", buffering=0) as out:
            while piece := f.read(7000):
                out.write(piece)
                time.sleep(0.01)
    for kind in ("TRK", "RECV"):  # whatever was written last, one look a minute finds it
        assert any(made.KINDS[kind][1] in name for name in names)
    case.wait("all records", lambda: case.metrics(PROVIDER)["LINES"] >= site.lines, 150)
    got = case.metrics(PROVIDER)
    for ours in ("LINES", "SENT", "BOUNCED", "DEFERRED", "REJECTED", "CONNECTIONS", "HANDED_OVER", "UNPARSED"):
        if got[ours] != site.wanted()[ours]:
            raise AssertionError("%s: %d, want %d" % (ours, got[ours], site.wanted()[ours]))


def copied_again(case, over):
    """The folders are copied every now and then while they grow; `over` puts a newer copy in place of the one before."""
    site = Site(case, servers=1)
    copy = os.path.join(case.dir, "copy")
    shutil.copytree(site.files.top, copy)
    site.follow([f.replace(site.files.top, copy) for f in site.files.folders()])
    case.start()
    for _ in range(4):
        site.hour(6)
        for path in site.files.names:
            over(path, path.replace(site.files.top, copy))
        time.sleep(0.5)
    for path in site.files.names:
        over(path, path.replace(site.files.top, copy))
    site.check()
    time.sleep(3)
    site.same()
    case.stop()
    case.once()
    site.same()


def case_exchange_copied_over_itself(case):
    """As cp and robocopy do it: the file is cut to nothing and written again, longer."""
    def over(path, to):
        with open(path, "rb") as f, open(to, "wb", buffering=0) as out:
            while piece := f.read(20000):
                out.write(piece)
                time.sleep(0.01)
    copied_again(case, over)


def case_exchange_copied_and_renamed(case):
    """As rsync does it: a new file is made beside and takes the name."""
    def over(path, to):
        shutil.copyfile(path, to + ".new")
        os.rename(to + ".new", to)
    copied_again(case, over)


def case_exchange_beside_a_postfix_and_doctor(case):
    """Two mail systems are two providers, each with its own figures; doctor names the folders and what stays unknown."""
    site = Site(case, servers=1)
    site.hour(6)
    tracking = [f for f in site.files.folders() if f.endswith("MessageTracking")]
    missing = os.path.join(case.dir, "not-mounted")
    case.configure("[postfix]\nlog = %s\n[exchange org]\nfolder = %s\n[exchange other]\nfolder = %s\n" % (
        case.path, ", ".join(tracking), missing))
    case.log.put(case.traffic.messages(10))
    case.once(ok=(0, 1))
    got = case.metrics(PROVIDER)
    for ours, theirs in (("RECEIVED", "messages"), ("SENT", "sent"), ("BOUNCED", "bounced")):
        if got[ours] != site.org.ledger[theirs]:
            raise AssertionError("%s: %d, want %d" % (ours, got[ours], site.org.ledger[theirs]))
    if case.metrics("postfix")["RECEIVED"] != 10:
        raise AssertionError("postfix: %s" % case.metrics("postfix"))
    told = subprocess.run([case.mtatop, "doctor", "--config", case.conf, "--cache", case.cache], stdout=subprocess.PIPE, env=case.env,
                          check=False, text=True).stdout
    for line in ("ok  provider: exchange-org", "ok  log: %s: " % tracking[0], "MSGTRKMD", "--  ports, logins, TLS, refusals: unknown: no RECV*.LOG",
                 "--  servers that can't be reached: unknown", "!!  log: can't list %s" % missing, "fix: mount the share"):
        if line not in told:
            raise AssertionError("%r is not in\n%s" % (line, told))


def case_exchange_share_mounted_late_and_elsewhere(case):
    """A folder that isn't there at first is found; the same files under another path are known again."""
    site = Site(case, servers=1)
    site.follow([site.files.top])  # the folder above them all
    hidden = site.files.top + ".not"
    site.hour(10)
    os.rename(site.files.top, hidden)
    case.start()
    case.wait("the collector says so", lambda: "can't list" in str(case.health()) + case.errors(), 30)
    os.rename(hidden, site.files.top)
    site.check()
    case.stop()
    elsewhere = os.path.join(case.dir, "elsewhere")
    os.rename(site.files.top, elsewhere)
    site.follow([elsewhere])
    case.once()
    site.same()
