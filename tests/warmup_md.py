#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""warmup_md - the schedules and gates of ../shared/field/warmup.md against what `mtatop warmup plan` prints and
assets/warmup_gates.def holds; skips where ../shared is not beside the checkout. usage: warmup_md.py MTATOP"""
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.path.dirname(os.environ.get("MTATOP_CORPORA", os.path.join(os.path.dirname(TOP), "shared", "corpora")))
TEXT = os.path.join(SHARED, "field", "warmup.md")
MESON_SKIP = 77
SCALE = {"": 1, "k": 1000, "M": 1000000}
NUMBER = r"(\d[\d,]*(?:\.\d+)?)([kM]?)"


def number(text):
    digits, unit = re.fullmatch(NUMBER, text.strip()).groups()
    return round(float(digits.replace(",", "")) * SCALE[unit])


def paragraph(text, head):
    """The text after **head... up to the next blank line or bold paragraph."""
    at = text.index("**" + head)
    return re.split(r"\n\n|\n\*\*", text[at:], maxsplit=1)[0]


def numbers(text):
    return [number(a + b) for a, b in re.findall(NUMBER, text)]


def runs(text):
    """"10k x5, 12.5k x2" -> seven figures."""
    found = []
    for cap, times in re.findall(r"([\d.]+k) x(\d+)", text):
        found += [number(cap)] * int(times)
    return found


def caps(mtatop, lines):
    """The plan of a [warmup] section as `mtatop warmup plan` has it."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write("[warmup x]\negress = 203.0.113.7\nstart = 2026-11-01\n" + lines)
        f.flush()
        out = subprocess.run([mtatop, "--config", f.name, "--cache", f.name + ".db", "warmup", "plan", "--format", "json"],
                             check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)["warmups"][0]


def schedules(mtatop, text):
    part = paragraph(text, "SendGrid automated")
    pairs = [(int(d), number(n)) for d, n in re.findall(r"\b(\d+):([\d,]+)", part)]
    plan = caps(mtatop, "plan = sendgrid-auto\n")
    yield [d for d, _ in pairs] == list(range(42)), "SendGrid's table has the days 0 to 41"
    yield plan["caps"] == [n for _, n in pairs] and plan["per"] == "hour", "sendgrid-auto"
    part = paragraph(text, "SendGrid manual")
    want = numbers(part[part.index(":** ") if ":** " in part else part.index("): ") + 2:].split(", then")[0].split("):")[-1])
    yield "then doubling" in part and len(want) == 17, "SendGrid's manual table: %d days" % len(want)
    yield caps(mtatop, "plan = sendgrid-manual\n")["caps"] == want, "sendgrid-manual"
    yield caps(mtatop, "plan = sendgrid-manual\ntarget = 32000000\n")["caps"] == want + [
        want[-1] * 2, want[-1] * 4, want[-1] * 8], "sendgrid-manual doubles"
    part = paragraph(text, "SparkPost, per DAY")
    want = numbers(re.search(r"\): (.*?)\. \d", part, re.S).group(1))
    yield len(want) == 29 and caps(mtatop, "plan = sparkpost\n")["caps"] == want, "sparkpost: %d stages" % len(want)
    part = paragraph(text, "Oracle Responsys")
    total = [0] * 7
    for name, box in (("Gmail", "gmail"), ("Hotmail", "outlook"), ("Yahoo", "yahoo"), ("Other", "other")):
        want = runs(re.search(name + r" ([^;]*)", part).group(1))
        total = [a + b for a, b in zip(total, want)]
        yield len(want) == 7 and caps(mtatop, "plan = responsys\nmailbox = %s\n" % box)["caps"] == want, "responsys " + box
    low, high = re.search(r"total ([\d.]+k)\.\.([\d.]+k)", part).groups()
    yield caps(mtatop, "plan = responsys\n")["caps"] == total and (total[0], total[-1]) == (
        number(low), number(high)), "responsys in all"
    part = paragraph(text, "iPost growth rule")
    yield ipost(mtatop, part), "ipost"
    part = re.search(r"\*\*Rackspace.*?\.\s\*\*", text.replace("\n", " "))
    warm, limit, days = re.search(r"after ~(\d+) good.*past (\d+) is.*warm >=(\d+) days", part.group(0)).groups()
    plan = caps(mtatop, "plan = rackspace\n")
    yield (plan["caps"], plan["target"], plan["mailbox"], plan["idle_days"]) == (
        [int(limit)], int(warm), "rackspace", int(days)), "rackspace"
    help_text = subprocess.run([mtatop, "--dump-config"], check=True, stdout=subprocess.PIPE, text=True).stdout
    practice, advised = re.search(r"about (\d+)/h/IP in practice, (\d+)/h advised", text).groups()
    said = " ".join(help_text.replace("#", " ").split())
    yield "about %s an hour of a new IP, and %s are advised" % (practice, advised) in said, "Yahoo's hour"


def ipost(mtatop, part):
    """The rule played through from 6000 a day, each level as long as it says."""
    steps = [(50000, int(100)), (100000, int(re.search(r"50-100k \+(\d+)%", part).group(1))),
             (250000, int(re.search(r"100-250k \+(\d+)%", part).group(1))),
             (1 << 62, int(re.search(r">250k \+(\d+)%", part).group(1)))]
    low, high = map(int, re.search(r"stay (\d)-(\d) mailing days", part).groups())
    if "<50k/day doubling" not in part:
        return False
    got = caps(mtatop, "plan = ipost\ncaps = 6000\ntarget = 1000000\n")["caps"]
    level, at, days = 6000, 0, 0
    while at < len(got):
        days = 0
        while at < len(got) and got[at] == level:
            days, at = days + 1, at + 1
        if at < len(got) and not low <= days <= high:
            return False
        level += level * next(p for below, p in steps if level < below) // 100
    return got[-1] >= 1000000 and days >= 1


def gates(text):
    """Lines of the table of gates in the .def: percents and names of replies."""
    with open(os.path.join(TOP, "assets", "warmup_gates.def"), encoding="utf-8") as f:
        data = f.read()
    rows = {cells[1].strip(): "|".join(c.strip() for c in cells[2:]) for cells in
            (line.split("|") for line in text.splitlines() if line.startswith("| ") and line.count("|") >= 5)}
    rates = {(box, name): (float(y), float(r)) for box, y, r, name in re.findall(
        r"^(?:RATE\(\w+, |TOLD\()(\w+), ([\d.]+), ([\d.]+), (?:PUBLISHED, |CONVENTION, )?\"([^\"]+)\"", data, re.M)}
    want = {("GMAIL", "user spam rate"): re.search(r"([\d.]+)-([\d.]+)%\|>=\2%", rows["Gmail"]),
            ("OUTLOOK", "SNDS spam verdicts"): re.search(r"yellow (\d+)-(\d+)%", rows["Outlook.com"]),
            ("ALL", "complaint rate"): re.search(r"complaint >=([\d.]+)% \(review\).*complaint >=([\d.]+)% \(pause", rows["SES account"]),
            ("ALL", "bounce rate by Amazon SES"): re.search(r"bounce >=(\d+)%.*?bounce >=(\d+)%", rows["SES account"]),
            ("ALL", "bounce rate"): re.search(r"\|(\d)-(\d)%\|>\2%", rows["Convention only"])}
    for key, found in want.items():
        yield found is not None and rates.get(key) == (float(found.group(1)), float(found.group(2))), "%s %s: %s" % (
            key + (rates.get(key),))
    yahoo = float(re.search(r"spam <([\d.]+)%", rows["Yahoo/AOL"]).group(1))
    yield rates.get(("YAHOO", "spam rate")) == (yahoo, yahoo), "Yahoo's spam rate"
    deferral = float(re.search(r"deferral >(\d+)%", rows["Convention only"]).group(1))
    yield rates.get(("ALL", "deferral rate")) == (deferral, deferral), "deferral rate"
    for word in ("4.7.28", "TSS04", "TSS05", "[BL", "S3150", "5.7.515", "HCM1", "BS02", "RL0000", "RL000010", "Spamhaus"):
        yield word in data and any(word.strip("[") in row for row in rows.values()), "gate " + word


def main():
    if not os.path.exists(TEXT):
        print("skip: no %s" % TEXT)
        sys.exit(MESON_SKIP)
    with open(TEXT, encoding="utf-8") as f:
        text = f.read()
    failed = 0
    for check in (schedules(sys.argv[1], text), gates(text)):
        for ok, what in check:
            print("ok" if ok else "FAIL", what)
            failed += not ok
    sys.exit(failed > 0)


main()
