#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""runner - every suite of mtatop, one after the other, with one closing line for people and CI.

A suite is a function that yields (name, result, detail); result is "pass", "fail" or "skip". Builds are kept
between runs (build-test/), so the second run is quick. Exit status 1 on any failure.
"""
import os
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("MTATOP_TEST_BUILD", os.path.join(TOP, "build-test"))
JOBS = str(os.cpu_count() or 2)
MESON_TEST_TIMEOUT_MULTIPLIER = "4"  # a loaded CI machine under sanitizers
SANITIZE = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
FUZZ_SECONDS = os.environ.get("MTATOP_FUZZ_SECONDS", "20")


def sh(argv, **kw):
    env = dict(os.environ, **kw.pop("env", {}))
    return subprocess.run(argv, cwd=TOP, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **kw)


def build_dir(name):
    return os.path.join(BUILD, name)


building = threading.Lock()  # suites may run side by side (tests/proof), builds may not


def build(name, compiler, *options):
    """Configure (once) and build; returns (ok, output)."""
    with building:
        return build_locked(build_dir(name), compiler, options)


def build_locked(path, compiler, options):
    if not os.path.exists(os.path.join(path, "build.ninja")):
        done = sh(["meson", "setup", path, TOP, "-Dwerror=true", *options], env={"CC": compiler})
        if done.returncode:
            return False, done.stdout
    done = sh(["ninja", "-C", path, "-j", JOBS])
    return done.returncode == 0, done.stdout


def tail(text, lines=30):
    return "\n".join(text.splitlines()[-lines:])


def meson_cases(path, prefix):
    """The single cases of the last `meson test`, read from its JUnit file."""
    tree = xml.etree.ElementTree.parse(os.path.join(path, "meson-logs", "testlog.junit.xml"))
    for suite in tree.getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            name = "%s %s: %s" % (prefix, suite.get("name"), case.get("name"))
            failed = case.find("failure") is not None or case.find("error") is not None
            yield name, "fail" if failed else "skip" if case.find("skipped") is not None else "pass", ""


def meson_suite(name, compiler, *options):
    ok, output = build(name, compiler, *options)
    yield "%s build without warnings" % name, "pass" if ok else "fail", "" if ok else tail(output)
    if not ok:
        return
    done = sh(["meson", "test", "-C", build_dir(name), "--no-rebuild", "--print-errorlogs", "-t",
               MESON_TEST_TIMEOUT_MULTIPLIER], env=SANITIZE)
    cases = list(meson_cases(build_dir(name), name))
    yield from cases
    if done.returncode and not any(result == "fail" for _, result, _ in cases):
        yield "%s meson test" % name, "fail", tail(done.stdout)
    elif done.returncode:
        print(tail(done.stdout, 80), flush=True)


# Build folder -> compiler and options; a suite builds what it needs, so that each can be run alone.
BUILDS = {
    "gcc": ("gcc",),
    "clang": ("clang", "-Db_sanitize=address,undefined", "-Db_lundef=false"),
    "tsan": ("clang", "-Db_sanitize=thread", "-Db_lundef=false"),
}


def suite_gcc():
    """gcc, -Werror, all unit, fixture, golden and corpus tests"""
    yield from meson_suite("gcc", *BUILDS["gcc"])


def suite_clang():
    """clang, -Werror, ASan and UBSan over the same"""
    yield from meson_suite("clang", *BUILDS["clang"])


def script_suite(argv, name, env=None):
    """A script that prints `ok NAME`, `FAIL NAME` or `skip NAME` a check, details in other lines."""
    done = sh(argv, env=dict(SANITIZE, **(env or {})))
    words = {"ok": "pass", "FAIL": "fail", "skip": "skip"}
    seen, failed, detail = 0, 0, []
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in words:
            seen += 1
            failed += word == "FAIL"
            yield "%s: %s" % (name, rest.strip()), words[word], "\n".join(detail) if word == "FAIL" else ""
            detail = []
        else:
            detail.append(line)
    if done.returncode and not failed or not seen:
        yield "%s ran to its end" % name, "fail", tail(done.stdout)


def built_suite(folder, argv, name):
    """A script over a build folder: the word BUILD of argv stands for it."""
    ok, output = build(folder, *BUILDS[folder])
    if not ok:
        yield "%s: build" % name, "fail", tail(output)
        return
    yield from script_suite([build_dir(folder) if word == "BUILD" else word for word in argv], name)


def suite_lint():
    """layers, sizes, banned functions, format, symbols"""
    yield from built_suite("gcc", ["sh", "tests/lint/run", "BUILD"], "lint")


def suite_truth():
    """an independent counter against the store: gen-maillog, pflogsumm, real Postfix logs"""
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/truth/run.py", "BUILD"], "truth")
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/truth/exim.py", "BUILD"], "truth")
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/truth/exim_queue.py", "BUILD"], "truth")
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/truth/exchange.py", "BUILD"], "truth")
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/truth/sendmail.py", "BUILD"], "truth")
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/truth/opensmtpd.py", "BUILD"], "truth")
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/truth/sendmail_queue.py", "BUILD"], "truth")


def suite_follow():
    """following a log over rotations, truncations, compression and bad input, with exact counts"""
    yield from built_suite("clang", ["/usr/bin/python3", "tests/follow/run.py", "BUILD"], "follow")


def suite_e2e():
    """real Postfix on loopback, the dashboard in tmux, sanitized binary"""
    yield from built_suite("clang", ["/usr/bin/python3", "tests/e2e/run.py", "BUILD"], "e2e")


def suite_robust():
    """kill -9, damaged caches, full disks, bad configuration, failing calls, privileges"""
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/robust/run.py", "BUILD"], "robust")


def suite_api():
    """Mailgun, SendGrid and their like against fakes on loopback: contract, truth, traps, keys"""
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/api/run.py", "BUILD"], "api")


def suite_dns():
    """the resolver, SPF (openspf suite, pyspf) and the checks of names against DNS servers on loopback, sanitized"""
    yield from built_suite("clang", ["/usr/bin/python3", "tests/dns/run.py", "BUILD"], "dns")


def suite_terminal():
    """bad terminals and hostile bytes through a pty (reliability 1.4 and groups 50-57), sanitized binary"""
    heavy = ["--heavy"] if os.environ.get("MTATOP_PROOF") == "1" else []
    yield from built_suite("clang", ["/usr/bin/python3", "tests/terminal/run.py", "BUILD", *heavy], "terminal")


def suite_valgrind():
    """valgrind-clean exit of the program"""
    yield from built_suite("gcc", ["/usr/bin/python3", "tests/e2e/valgrind.py", "BUILD"], "valgrind")


def suite_threads():
    """ThreadSanitizer over what has threads: catching up, the dashboard with its collector"""
    yield from built_suite("tsan", ["/usr/bin/python3", "tests/e2e/threads.py", "BUILD"], "threads")


def suite_fuzz():
    """each libFuzzer target for a short while"""
    yield from script_suite(["sh", "tests/fuzz/run", FUZZ_SECONDS, build_dir("fuzz")], "fuzz")


def suite_install():
    """meson install into a folder, run from there; the two commands of the README"""
    yield from built_suite("gcc", ["sh", "tests/e2e/install.sh", "BUILD"], "install")


SUITES = {f.__name__[6:]: f for f in (
    suite_gcc,
    suite_lint,
    suite_clang,
    suite_truth,
    suite_follow,
    suite_robust,
    suite_e2e,
    suite_api,
    suite_dns,
    suite_terminal,
    suite_install,
    suite_valgrind,
    suite_threads,
    suite_fuzz,
)}


def main(argv):
    if argv == ["--list"]:
        for name, suite in SUITES.items():
            print("%-10s %s" % (name, suite.__doc__))
        return 0
    counts = {"pass": 0, "fail": 0, "skip": 0}
    failures = []
    for name in argv or SUITES:
        start = time.monotonic()
        print("== %s: %s" % (name, SUITES[name].__doc__), flush=True)
        for case, result, detail in SUITES[name]():
            counts[result] += 1
            if result != "pass":
                print("%s %s" % (result.upper(), case), flush=True)
                if detail:
                    print("    " + detail.replace("\n", "\n    "), flush=True)
            if result == "fail":
                failures.append(case)
        print("   %.0f s" % (time.monotonic() - start), flush=True)
    for case in failures:
        print("failed: " + case)
    print("%(pass)d passed, %(fail)d failed, %(skip)d skipped" % counts)
    return 1 if counts["fail"] or not counts["pass"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
