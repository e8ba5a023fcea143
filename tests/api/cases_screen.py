# SPDX-License-Identifier: MIT
"""cases_screen - what a person does with a vendor's account in the dashboard, in tmux: look, ask for detail, remove."""
import json
import os
import shutil

import cases_sendgrid
from harness import Failed, Skip, check_sendgrid, same
from term import Terminal

HOUR_MS = 3600000


def open_screen(case, *more):
    if not shutil.which("tmux"):
        raise Skip("no tmux")
    return Terminal([case.mtatop(), "--config", case.conf, "--cache", case.cache, "--provider", "acme", *more],
                    env={"HOME": case.dir, "XDG_CACHE_HOME": os.path.join(case.dir, "xdg")})


def watched(case, **traffic):
    fake = cases_sendgrid.account()
    fake.do_subuser("alpha")
    fake.do_traffic(40, ago_ms=2 * HOUR_MS, span_ms=HOUR_MS, **traffic)
    fake.do_list_add("bounces", "aaa@example.net", fake.clock.ms() - HOUR_MS, subuser="alpha")
    case.add(fake, "acme", subusers="alpha")
    case.start()
    case.wait("figures", lambda: check_sendgrid(case, fake, "acme", ("", "alpha")))
    return fake


def screen_removes_an_address(case):
    """--read-write: confirmed, asked of the vendor for the right subuser, gone from list and cache, logged with who."""
    fake = watched(case)
    screen = open_screen(case, "--read-write")
    try:
        screen.wait("acme")
        screen.text(":suppressions")
        screen.keys("Enter")
        screen.wait("aaa@example.net")
        screen.text("/aaa@")
        screen.keys("Enter", "DC")
        case.screens.append(screen.wait("aaa@example.net", "off the vendor's list?").encode())
        same([x for x in fake.log if x["method"] == "DELETE"], [], "removals before it was confirmed")
        screen.text("1")  # how many: typed, so that nobody confirms by habit
        screen.keys("Enter")
        case.wait("the removal", lambda: any(x["method"] == "DELETE" for x in fake.log))
        asked = [x for x in fake.log if x["method"] == "DELETE"]
        same([(x["path"], x["status"], x["headers"].get("on-behalf-of")) for x in asked],
             [("/v3/suppression/bounces/aaa@example.net", 204, "alpha")], "what was asked")
        case.wait("the cache to have it", lambda: "aaa@example.net" not in case.lists("acme").get(("bounces", "alpha"), ()))
        rows = case.query("SELECT user, verb, qids, asked, done FROM action")
        same([row[2:] for row in rows], [("aaa@example.net", 1, 1)], "the log of actions")
        screen.keys("q", "q", "q", "q")
        screen.exit_status()
    finally:
        screen.close()
    case.stop()


def screen_without_read_write_removes_nothing(case):
    fake = watched(case)
    screen = open_screen(case)
    try:
        screen.wait("acme")
        screen.text(":suppressions")
        screen.keys("Enter")
        screen.wait("aaa@example.net")
        screen.keys("DC")
        case.screens.append(screen.wait("--read-write").encode())
        screen.keys("q", "q", "q", "q")
        screen.exit_status()
    finally:
        screen.close()
    same([x for x in fake.log if x["method"] == "DELETE"], [], "removals")
    case.stop()


def screen_has_the_detail_of_a_message(case):
    """Fetched when a message is opened, with the remote server's own words, once a look."""
    fake = watched(case, only="bounce")
    screen = open_screen(case, "--window", "24h")
    try:
        screen.wait("acme")
        screen.keys("5")
        screen.wait("overview > failures", "of 40")
        screen.keys("Enter")
        text = screen.wait("processed", "Invalid Address")
        case.screens.append(text.encode())
        screen.keys("q", "q", "q", "q")
        screen.exit_status()
    finally:
        screen.close()
    asked = [x for x in fake.log if x["path"].startswith("/v3/logs/")]
    if not asked or len(asked) > 5 or any(x["status"] != 200 for x in asked):
        raise Failed("questions for the detail: %s" % json.dumps(asked)[:400])
    case.stop()


CASES = [screen_removes_an_address, screen_without_read_write_removes_nothing, screen_has_the_detail_of_a_message]
