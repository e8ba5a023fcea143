# SPDX-License-Identifier: MIT
"""board - what a person reads on the dashboard's views, as figures: one function a view, from a terminal's screen."""
import re


def number(text):
    return int(text.replace(",", ""))


def lines_of(screen):
    return [line.lstrip("> *").rstrip() for line in screen.splitlines()]


def queue(screen):
    """{queue name: depth} of the queue view; a depth not known is None."""
    found = re.findall(r"\b(maildrop|incoming|active|deferred|hold|corrupt) +([\d,]+|\?)(?= |$|[^\w%])", screen)
    return {name: None if n == "?" else number(n) for name, n in reversed(found)}


def labelled(screen, *names):
    """{name: the figure behind it} of `name 1,234`; a name that is not there, or is `?`, is None."""
    out = {}
    for name in names:
        found = re.search(r"\b%s +([\d,]+)" % re.escape(name), screen)
        out[name] = number(found[1]) if found else None
    return out


def errors(screen):
    """{"5.1.1 bounced": n} of the errors view."""
    rows = (re.match(r"(\d\.\d+\.\d+|\d{3}) +(\w+) +([\d,]+) ", line) for line in lines_of(screen))
    return {"%s %s" % (r[1], r[2]): number(r[3]) for r in rows if r}


def cell(text):
    return None if text in ("?", "-") else number(text)


def ports(screen):
    """{port: (connections, accepted, refused, auth ok, auth bad)} of the inbound rows of the ports view."""
    row = re.compile(r"in +(\d+) +(?:[a-z]+ +)?(?:[\d,]+|-|\?) +([\d,]+|\?) +(?:[\d.,]+|\?) +([\d,]+|\?) +([\d,]+|\?) +(?:[\d,]+|-|\?) +([\d,]+|-|\?) +([\d,]+|-|\?) ")
    found = (row.match(line) for line in lines_of(screen))
    return {int(r[1]): tuple(cell(c) for c in r.groups()[1:]) for r in found if r}


def sockets(screen):
    """{(in or out, port): open connections} of the sockets view."""
    row = re.compile(r"(in|out) +(\d+) +(?:[a-z]+ )+ *([\d,]+|\?) ")
    found = (row.match(line) for line in lines_of(screen))
    return {(r[1], int(r[2])): cell(r[3]) for r in found if r}


def destinations(screen):
    """{domain: (sent, deferred, bounced)} of the destinations view."""
    row = re.compile(r"(\S+\.\w+) +([\d,]+) +\S+ +([\d,]+) +([\d,]+) ")
    found = (row.match(line) for line in lines_of(screen))
    return {r[1]: tuple(number(c) for c in r.groups()[1:]) for r in found if r}
