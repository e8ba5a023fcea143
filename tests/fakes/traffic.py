# SPDX-License-Identifier: MIT
"""traffic - made-up mail with known outcomes: the same messages for the same seed, whichever vendor serves them.

A message is accepted at t; what follows (deferrals, the final outcome, opens, clicks, complaints) has a time of its
own and an instant from which the vendor shows it (late data). Nothing here counts: the fakes and the tests do that,
each in its own way.
"""
import bisect
import random

PROVIDERS = (("gmail.example", "Gmail"), ("outlook.example", "Outlook US"), ("yahoo.example", "Yahoo"),
             ("web.example", "Other"), ("corp.example", "Other"))
REPLIES = {
    "bounce": (550, "5.1.1", "550 5.1.1 <%s>: Recipient address rejected: User unknown (case %d)"),
    "espblock": (554, "5.7.1", "554 5.7.1 Service unavailable; Client host blocked using list.example (case %d)"),
    "generic": (451, "4.3.0", "451 4.3.0 Mail server temporarily rejected message (case %d)"),
    "old": (498, "", "Too old"),
    "greylisted": (450, "4.2.0", "450 4.2.0 <%s>: Recipient address rejected: Greylisted (case %d)"),
    "suppress-bounce": (605, "", "Not delivering to previously bounced address"),
    "suppress-unsubscribe": (606, "", "Not delivering to unsubscribed address"),
    "suppress-complaint": (607, "", "Not delivering to a user who marked your messages as spam"),
}
EVIL = "\x1b]0;owned\x07\x1b[31m\u202ered\u009b2J\r\nsecond line\x00 %s %n"  # what strangers put into a reply


def reply_text(reason, to, case):
    text = REPLIES[reason][2]
    return text % ((to, case) if text.count("%") == 2 else case) if "%" in text else text


class Event:
    __slots__ = ("t", "seen", "kind", "reason", "attempt", "message", "code", "dsn", "text", "n")

    def __init__(self, t, kind, message, reason="", attempt=1, lag=0, text=None):
        self.t, self.seen, self.kind, self.reason, self.attempt, self.message = t, t + lag, kind, reason, attempt, message
        self.code, self.dsn, self.text, self.n = 250, "", "OK", 0
        if reason:
            self.code, self.dsn = REPLIES[reason][:2]
            self.text = text or reply_text(reason, message.to, message.n % 7)


class Message:
    __slots__ = ("n", "t", "domain", "sender", "to", "rdomain", "provider", "ip", "subject", "tag", "size", "events")


class Traffic:
    def __init__(self):
        self.messages, self.events, self.times = [], [], []  # events by time

    def add(self, domain, count, start_ms, span_ms, seed=1, lag_ms=0, late_share=0.0, evil=False, tags=("news", "bill"),
            ips=("198.51.100.7", "198.51.100.8"), only=None):
        """count messages of a sending domain, spread over span_ms. late_share of the outcomes show lag_ms later.
        only: every outcome is this one ("delivered", a reason of REPLIES)."""
        rng = random.Random("%s %s %s" % (domain, seed, start_ms))
        made = [self.one(rng, domain, start_ms + i * span_ms // max(count, 1), lag_ms, late_share, evil, tags, ips, only)
                for i in range(count)]
        for message in made:
            for event in message.events:
                self.events.append(event)
        self.events.sort(key=lambda e: (e.t, e.message.n, e.attempt))
        self.times = [e.t for e in self.events]
        for n, event in enumerate(self.events):
            event.n = event.n or 1
        return made

    def keep(self, wanted):
        """Of these messages alone: the vendor never had the others, after all."""
        self.messages = [m for m in self.messages if wanted(m)]
        self.events = [e for e in self.events if wanted(e.message)]
        self.times = [e.t for e in self.events]

    def one(self, rng, domain, t, lag_ms, late_share, evil, tags, ips, only):
        m = Message()
        m.n, m.t, m.domain = len(self.messages), t, domain
        m.rdomain, m.provider = rng.choice(PROVIDERS)
        m.to = "user%d@%s" % (m.n, m.rdomain)
        m.sender = "from%d@%s" % (m.n % 5, domain if "." in domain else (domain or "acme") + ".example")
        m.ip, m.tag, m.size = rng.choice(ips), rng.choice(tags), 1000 + m.n % 5000
        m.subject = (EVIL + " " if evil else "") + "made up no. %d" % m.n
        m.events = [Event(t, "accepted", m)]
        self.messages.append(m)
        self.fate(rng, m, lag_ms, late_share, EVIL if evil else None, only)
        return m

    def fate(self, rng, m, lag_ms, late_share, evil, only):
        def put(after_ms, kind, reason="", attempt=1):
            lag = lag_ms if rng.random() < late_share else 0
            text = evil + " " + reply_text(reason, m.to, m.n % 7) if evil and reason else None
            m.events.append(Event(m.t + after_ms, kind, m, reason, attempt, lag, text))

        roll = rng.random()
        if only == "delivered" or only is None and roll < 0.80:
            put(1000, "delivered")
            self.engagement(rng, put)
        elif only is None and roll < 0.87:
            put(1500, "temporary", rng.choice(("generic", "greylisted", "espblock")), 1)
            put(301500, "delivered", "", 2)
        elif only is None and roll < 0.90:
            put(1500, "temporary", "generic", 1)
            put(301500, "temporary", "generic", 2)
        else:
            put(2000, "permanent", only or rng.choice(("bounce", "bounce", "bounce", "espblock", "generic", "suppress-bounce",
                                                       "suppress-unsubscribe", "suppress-complaint")))

    @staticmethod
    def engagement(rng, put):
        if rng.random() < 0.3:
            put(60000, "opened")
            if rng.random() < 0.3:
                put(65000, "clicked")
        roll = rng.random()
        if roll < 0.01:
            put(90000, "complained")
        elif roll < 0.02:
            put(95000, "unsubscribed")

    def between(self, start_ms, end_ms, now_ms):
        """Events with start <= t < end that the vendor shows by now."""
        lo, hi = bisect.bisect_left(self.times, start_ms), bisect.bisect_left(self.times, end_ms)
        return [e for e in self.events[lo:hi] if e.t <= now_ms and e.seen <= now_ms]
