#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""utf8_tables - writes utf8_tables.h: `python3 store/base/utf8_tables.py > store/base/utf8_tables.h`.

One range a run of code points that differ from the default (one column): -1 must not be shown, 0 combining, 2 wide.
The output is checked in, so that a build shows the same on every machine.
"""
import unicodedata

# Default_Ignorable_Code_Point (DerivedCoreProperties.txt) that are not Cf: they have no glyph, so they hide text.
IGNORABLE = [(0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164),
             (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF)]
JAMO_JOINING = [(0x1161, 0x11FF), (0xD7B0, 0xD7FF)]  # vowels and finals drawn onto the consonant before


def within(cp, ranges):
    return any(first <= cp <= last for first, last in ranges)


def width(cp):
    category = unicodedata.category(chr(cp))
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or within(cp, IGNORABLE):
        return -1
    if category in ("Mn", "Me") or within(cp, JAMO_JOINING):
        return 0
    return 2 if unicodedata.east_asian_width(chr(cp)) in "WF" else 1


def ranges():
    first, current = 0, width(0)
    for cp in range(1, 0x110001):
        now = width(cp) if cp < 0x110000 else None
        if now != current:
            if current != 1:
                yield first, cp - 1, current
            first, current = cp, now


def main():
    rows = ["{0x%X, 0x%X, %d}," % r for r in ranges()]
    print("/* SPDX-License-Identifier: MIT */")
    print("/* utf8_tables - width of every code point, made by utf8_tables.py from Unicode %s; don't edit. {first, last, columns}; absent = 1 column. */"
          % unicodedata.unidata_version)
    print("/* clang-format off */")
    print("static const struct width_range width_ranges[] = {")
    for i in range(0, len(rows), 4):
        print("\t" + " ".join(rows[i:i + 4]))
    print("};")
    print("/* clang-format on */")


main()
