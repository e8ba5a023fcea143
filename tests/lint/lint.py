#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lint - layers, sizes, banned functions, licence lines, mutable variables, format. See run.

Each check is a function that yields findings ("file:line: what") and may raise Skip; its docstring is its name.
"""
import glob
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

TOP, BUILD = sys.argv[1], sys.argv[2]
FUNCTION_MAX_LINES = 100
FUNCTION_MEDIAN_LINES = 20
FILE_MAX_LINES = 500
TEST_FILE_MAX_LINES = 700  # tables of cases
SPDX = "SPDX-License-Identifier: MIT"

# Who may include whom: the first rule whose pattern matches the file counts. Prefixes, or whole names.
SHARED = ["store/base/", "store/event.h", "store/vocab.h", "store/service.h", "store/reply.h", "store/explain/explain.h",
          "store/mailbox.h", "store/names.h", "store/probe.h", "store/warmup.h", "store/warmup_conf.h", "store/alert.h"]
LAYERS = [
    (r"store/base/", ["store/base/"]),
    (r"store/", ["store/"]),
    (r"backends/", SHARED + ["store/store_write.h", "store/store_api.h", "store/store_alert.h", "store/store_probe.h", "backends/"]),
    (r"tui/main[a-z_]*\.[ch]$", SHARED + ["store/store_read.h", "tui/", "backends/"]),
    (r"tui/", SHARED + ["store/store_read.h", "store/warmup_board.h", "tui/"]),
]
# A system header -> the files that may include it.
SYSTEM_HEADERS = [
    (r"n?curses(w/.*)?\.h|ncursesw/.*|term\.h", r"tui/screen_curses\.c$"),
    (r"curl/.*|jansson\.h", r"backends/"),
    (r"ares.*\.h", r"backends/dns\.c$"),
    (r"sqlite3\.h", r"store/(?!base/)"),
    (r"ini\.h", r"store/base/conf_file\.c$"),
]
SQL = re.compile(r'"[^"]*\b(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\b|DELETE\s+FROM\b|CREATE\s+TABLE\b|UPDATE\s+\w+\s+SET\b|PRAGMA\s)')
BANNED = ("sprintf vsprintf strcpy stpcpy strcat strncat strncpy strtok strtok_r sscanf vsscanf atoi atol atoll atof "
          "strtol strtoll strtoul strtoull gets system popen localtime gmtime asctime ctime alloca rand srand "
          "sleep usleep signal tmpnam mktemp tempnam skip").split()  # skip: meson counts cmocka's as a failure
BANNED_CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))


class Skip(Exception):
    pass


def tracked(*endings):
    out = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard"], stdout=subprocess.PIPE, text=True,
                         check=True).stdout.splitlines()
    return [f for f in out if f.endswith(endings) and os.path.isfile(os.path.join(TOP, f))]


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def rooms(*endings):
    return [f for f in tracked(*endings) if f.startswith(("store/", "backends/", "tui/"))]


def blank(text, strings):
    """Comments (and string and character literals) replaced by spaces, lines kept."""
    def keep_lines(match):
        found = match.group(0)
        if not strings and found[0] in "\"'":
            return found
        return re.sub(r"[^\n]", " ", found)
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", keep_lines, text, flags=re.S)


def lines_of(name, strings):
    return enumerate(blank(read(name), strings).splitlines(), 1)


def check_layers():
    """layers: who includes whom"""
    for name in rooms(".c", ".h"):
        allowed = next((rule[1] for rule in LAYERS if re.match(rule[0], name)), [])
        for number, line in lines_of(name, False):
            ours = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if ours and not ours[1].endswith(".def") and not any(ours[1] == a or a.endswith("/") and ours[1].startswith(a) for a in allowed):
                yield "%s:%d: may not include %s" % (name, number, ours[1])
            system = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            for header, where in SYSTEM_HEADERS if system else ():
                if re.fullmatch(header, system[1]) and not re.match(where, name):
                    yield "%s:%d: may not include <%s>" % (name, number, system[1])


def check_sql():
    """no SQL outside store"""
    for name in rooms(".c", ".h", ".def"):
        if name.startswith("store/") and not name.startswith("store/base/"):
            continue
        for number, line in lines_of(name, False):
            if SQL.search(line):
                yield "%s:%d: SQL" % (name, number)


def check_sizes():
    """sizes: function <= %d lines, median <= %d, file <= %d lines"""
    ctags = shutil.which("ctags")
    if not ctags:
        raise Skip("no ctags")
    for name in tracked(".c", ".h"):
        count = read(name).count("\n")
        if count > (TEST_FILE_MAX_LINES if name.startswith("tests/") else FILE_MAX_LINES):
            yield "%s: %d lines" % (name, count)
    sources = tracked(".c")
    out = subprocess.run([ctags, "--languages=C", "--kinds-C=f", "--fields=+ne", "--output-format=json", "-f", "-", "-L", "-"],
                         cwd=TOP, input="\n".join(sources), stdout=subprocess.PIPE, text=True, check=True).stdout
    lengths = []
    for tag in map(json.loads, out.splitlines()):
        length = tag.get("end", tag["line"]) - tag["line"] + 1
        if not tag["path"].startswith("tests/"):
            lengths.append(length)
        if length > FUNCTION_MAX_LINES:
            yield "%s:%d: %s has %d lines" % (tag["path"], tag["line"], tag["name"], length)
    if not lengths:
        yield "ctags found no function"
    elif statistics.median(lengths) > FUNCTION_MEDIAN_LINES:
        yield "the median function has %d lines" % statistics.median(lengths)


check_sizes.__doc__ %= (FUNCTION_MAX_LINES, FUNCTION_MEDIAN_LINES, FILE_MAX_LINES)


def check_banned():
    """banned functions, typedef'd structs"""
    for name in tracked(".c", ".h"):
        for number, line in lines_of(name, True):
            found = BANNED_CALL.search(line)
            if found:
                yield "%s:%d: %s" % (name, number, found[1])
            if re.match(r"\s*typedef\s+(struct|union|enum)\b", line):
                yield "%s:%d: typedef" % (name, number)


def check_spdx():
    """licence line in every source, head comment in every C file"""
    for name in tracked(".c", ".h", ".py", ".sql", ".def", ".sh", "/run"):
        if name.startswith("."):
            continue
        head = read(name).splitlines()[:3]
        if not any(SPDX in line for line in head[:2]):
            yield "%s:1: no %s" % (name, SPDX)
        elif name.endswith((".c", ".h")) and not (len(head) > 1 and head[1].startswith("/*")):
            yield "%s:2: no head comment" % name


def is_mutable(section):
    return section == "*COM*" or re.match(r"\.(data|bss|tdata|tbss)", section) and not section.startswith(".data.rel.ro")


def check_variables():
    """no exported mutable variable, no file-static one in backends/ and tui/panes/"""
    objects = [o for room in ("store", "backends", "tui") for o in glob.glob(os.path.join(BUILD, room, "*.a.p", "*.o"))]
    if not objects:
        raise Skip("nothing built in %s" % BUILD)
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as f:
        if any(o["name"] == "b_sanitize" and o["value"] != "none" for o in json.load(f)):
            raise Skip("%s is a sanitizer build" % BUILD)
    for path in objects:
        name = os.path.relpath(path, BUILD)
        no_static = name.startswith("backends/") or name.startswith("tui/") and os.path.basename(name).startswith("panes_")
        out = subprocess.run(["objdump", "-t", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in out.splitlines():
            row = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$", line)
            if not row or "O" not in row[1] or not is_mutable(row[2]):
                continue
            if row[1][0] in "gu" or row[2] == "*COM*":
                yield "%s: exports the variable %s" % (name, row[3])
            elif no_static:
                yield "%s: static variable %s" % (name, row[3])


def check_format():
    """clang-format"""
    if not shutil.which("clang-format"):
        raise Skip("no clang-format")
    names = tracked(".c", ".h")
    done = subprocess.run(["clang-format", "--dry-run", "--ferror-limit=1", *names], cwd=TOP, stderr=subprocess.PIPE, text=True,
                          check=False)
    seen = set()
    for line in done.stderr.splitlines():
        found = re.match(r"(\S+?):(\d+):\d+: (warning|error)", line)
        if found and found[1] not in seen:
            seen.add(found[1])
            yield "%s:%s: run clang-format -i" % (found[1], found[2])
    if done.returncode and not seen:
        yield done.stderr.strip()


def check_filemap():
    """hacking.md lists every source file as its head describes it"""
    done = subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "filemap.py"), TOP],
                          stdout=subprocess.PIPE, text=True, check=False)
    yield from (line.strip() for line in done.stdout.splitlines())


def main():
    failed = False
    for check in (check_layers, check_sql, check_sizes, check_banned, check_spdx, check_variables, check_format, check_filemap):
        try:
            findings = list(check())
        except Skip as why:
            print("skip %s: %s" % (check.__doc__, why))
            continue
        for finding in findings:
            print("  " + finding)
        print("%s %s" % ("FAIL" if findings else "ok", check.__doc__), flush=True)
        failed |= bool(findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
