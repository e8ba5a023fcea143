# SPDX-License-Identifier: MIT
"""hostile - a Postfix log whose every field holds bytes meant for a terminal, and what of them must never come out."""
import re
import time
import unicodedata

# name -> (bytes, marks of which one must be seen where the field is shown whole)
KINDS = {
    "csi": (b"\x1b[?1337h\x1b[5;35m\x1b[6n", ["^["]),
    "osc-title": (b"\x1b]0;owned\x07", ["^[]0;owned"]),
    "osc-clipboard": (b"\x1b]52;c;ZXZpbA==\x07", ["^[]52"]),
    "osc-link": (b"\x1b]8;;http://evil.example/\x1b\\", ["^[]8"]),
    "dcs": (b"\x1bP$q\"p\x1b\\", ["^[P"]),
    "c1-csi": (b"\xc2\x9b31m", ["<U+009B>"]),
    "raw-c1": (b"\x9b31m\x90", ["\\x9B"]),
    "bel-bs-del": (b"\x07\x08\x08\x7f", ["^G", "^H", "^?"]),
    "cr": (b"\rstatus=forged", ["^M"]),
    "save-restore": (b"\x1b[s\x1b[uforged", ["^["]),
    "nel-ls": (b"\xc2\x85\xe2\x80\xa8\xe2\x80\xa9", ["<U+0085>", "<U+2028>"]),
    "bidi": (b"\xe2\x80\xaeevil\xe2\x80\xac", ["<U+202E>"]),
    "isolate": (b"\xe2\x81\xa6evil\xe2\x81\xa9", ["<U+2066>"]),
    "zero-width": (b"a\xe2\x80\x8bb\xe2\x80\x8dc\xef\xbb\xbfd", ["<U+200B>"]),
    "tag": (b"\xf3\xa0\x81\x81\xf3\xa0\x81\xbf", ["<U+E0041>"]),
    "soft-hyphen": (b"ad\xc2\xadmin", ["<U+00AD>"]),
    "invalid": (b"\xc0\x80\xed\xa0\x80\xf8\x88\x80\x80\x80\xff\xef\xbf\xbe\xee\x80\x80", ["\\xC0", "\\xFF"]),
    "combining": (("e" + "\u0301" * 6 + "x").encode(), ["<U+0301>"]),
}

# What curses may send to an xterm: cursor, erase, insert, delete, repeat, colours 0-255, the modes it sets, its charsets.
ALLOWED = re.compile(
    rb"\x1b\[[0-9]*(;[0-9]+)?H|\x1b\[[0-9]*[ABCDGdJKLMPX@SbIZ]|\x1b\[[0-9]*;?[0-9]*r|\x1b\[4[hl]"
    rb"|\x1b\[(0|1|2|4|7|22|24|27|3[0-9]|4[0-9]|9[0-7]|10[0-7]|38;5;[0-9]+|48;5;[0-9]+)?"
    rb"(;(0|1|2|4|7|22|24|27|3[0-9]|4[0-9]|9[0-7]|10[0-7]|38;5;[0-9]+|48;5;[0-9]+))*m"
    rb"|\x1b\[\?(1|7|12|25|1000|1002|1003|1006|1049|2004)(;[0-9]+)*[hl]|\x1b\[2[23];0;0t|\x1b\[>4;?[01]?m"
    rb"|\x1b\([B0]|\x1b[=>78M]|\x1b\[!p|\x0f|\r|\n|\x08|\t")


def log_lines(now=None):
    """Each kind in each field of each line shape; times end a minute ago."""
    now = int(now or time.time())
    lines = []

    def stamp(back):
        return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now - back)).encode()

    for i, (name, (raw, _)) in enumerate(KINDS.items()):
        t, qid = stamp(60 + 10 * (len(KINDS) - i)), b"4dM100DC%02dz64x" % i
        tag = b"[" + name.encode() + b"]"
        lines += [
            t + b" mx postfix/smtpd[%d]: connect from " % (100 + i) + raw + b"host[192.0.2.1]",
            t + b" mx postfix/smtpd[%d]: " % (100 + i) + qid + b": client=" + raw + b"host[192.0.2.1], sasl_method=PLAIN, sasl_username=" + raw + b"user",
            t + b" mx postfix/cleanup[2]: " + qid + b": message-id=<" + raw + b"@x>",
            t + b" mx postfix/qmgr[3]: " + qid + b": from=<" + raw + b"s@x.example>, size=5, nrcpt=1 (queue active)",
            t + b" mx postfix/smtp[4]: " + qid + b": to=<" + raw + b"r@d%d.example>, orig_to=<" % i + raw + b">, relay=" + raw + b"mx.example[192.0.2.9]:25, delay=1, delays=0.1/0/0.4/0.5, dsn=5.7.1, status=bounced (host "
            + raw + b"mx.example[192.0.2.9] said: 550 5.7.1 " + tag + raw + b" go away (in reply to RCPT TO command))",
            t + b" mx postfix/bounce[5]: " + qid + b": sender non-delivery notification: 4dM1" + raw,
            t + b" mx postfix/qmgr[3]: " + qid + b": removed",
            t + b" mx postfix/smtpd[%d]: NOQUEUE: reject: RCPT from " % (100 + i) + raw + b"[192.0.2.1]: 554 5.7.1 <" + raw + b"r@x>: " + tag + raw + b"Relay access denied; from=<" + raw
            + b"> to=<" + raw + b"@x> proto=ESMTP helo=<" + raw + b">",
            t + b" mx postfix/smtpd[%d]: warning: hostname " % (100 + i) + raw + b" does not resolve to address 192.0.2.1",
            t + b" mx postfix/smtpd[%d]: what is this " % (100 + i) + tag + raw,
            t + b" mx " + raw + b"evil[9]: a line of " + raw,
            t + b" mx postfix" + raw + b"/smtp[9]: " + qid + b": to=<a@b>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (" + raw + b")",
        ]
    return b"\n".join(lines) + b"\n"


def problems(raw):
    """What in these bytes a terminal would act on, or be fooled by, that curses did not mean: a list, empty if clean."""
    found = []
    rest = ALLOWED.sub(b"", bytes(raw))
    for m in re.finditer(rb"[\x00-\x1f\x7f].{0,20}", rest, re.S):
        found.append("control byte %r" % m.group())
    try:
        text = rest.decode("utf-8")
    except UnicodeDecodeError as e:
        found.append("not UTF-8: %s in %r" % (e, rest[max(0, e.start - 20):e.start + 20]))
        text = rest.decode("utf-8", "replace")
    run = 0
    for c in text:
        category = unicodedata.category(c)
        run = run + 1 if category in ("Mn", "Me") else 0
        if category in ("Cf", "Cn", "Co", "Cs", "Zl", "Zp") or (category == "Cc" and c > "\x7f") or run > 2:
            found.append("U+%04X (%s)" % (ord(c), category))
    return found
