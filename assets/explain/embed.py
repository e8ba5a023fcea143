#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed - turn NN-name.rules into C strings for store/explain. usage: embed.py OUT.c FILE.rules..."""
import os
import sys


def array(number, data):
    """A char array: C11 compilers need not take string literals over 4095 bytes."""
    rows = [data[i:i + 24] for i in range(0, len(data), 24)]
    body = "".join("\t" + " ".join("%d," % b for b in row) + "\n" for row in rows)
    return "static const char rules_%d[] = {\n%s\t0};\n\n" % (number, body)


def main():
    out, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
    with open(out, "w", encoding="utf-8") as c:
        c.write("/* made by assets/explain/embed.py; do not edit */\n")
        c.write('#include "store/explain/rules.h"\n\n')
        for number, f in enumerate(files):
            with open(f, "rb") as rules:
                data = rules.read()
            if not data.isascii():
                sys.exit("%s: only ASCII, please" % f)
            c.write(array(number, data))
        c.write("const char *const explain_builtin[] = {%s, NULL};\n" % ", ".join("rules_%d" % n for n in range(len(files))))


main()
