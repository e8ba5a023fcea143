#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed - turn schema/NNN.sql files into a C table of strings. usage: embed.py OUT.c FILE.sql..."""
import os
import sys


def array(number, data):
    """A char array: C11 compilers need not take string literals over 4095 bytes."""
    rows = [data[i:i + 24] for i in range(0, len(data), 24)]
    body = "".join("\t" + " ".join("%d," % b for b in row) + "\n" for row in rows)
    return "static const char schema_%03d[] = {\n%s\t0};\n\n" % (number, body)


def main():
    out, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
    numbers = [int(os.path.basename(f).split(".")[0]) for f in files]
    if numbers != list(range(1, len(files) + 1)):
        sys.exit("schema files must be numbered 001, 002 ... without a gap: %s" % numbers)
    with open(out, "w", encoding="utf-8") as c:
        c.write("/* made by store/schema/embed.py; do not edit */\n")
        c.write('#include "store/migrate.h"\n\n')
        for number, f in zip(numbers, files):
            with open(f, "rb") as sql:
                data = sql.read()
            if not data.isascii():
                sys.exit("%s: only ASCII, please" % f)
            c.write(array(number, data))
        table = ", ".join("schema_%03d" % n for n in numbers)
        c.write("const char *const schema_sql[] = {%s};\n\n" % table)
        c.write("const int schema_version = %d;\n" % len(files))


main()
