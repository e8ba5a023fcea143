# SPDX-License-Identifier: MIT
"""gen_pane_table - the registry of panes from meson's list: gen_pane_table.py OUTPUT NAME..."""
import sys

names = sys.argv[2:]
with open(sys.argv[1], "w") as f:
    f.write("/* Made from the list in tui/meson.build. */\n#include \"tui/pane.h\"\n\n")
    f.writelines("extern const struct pane_ops pane_%s;\n" % n for n in names)
    f.write("\nconst struct pane_ops *const pane_table[] = {\n")
    f.writelines("\t&pane_%s,\n" % n for n in names)
    f.write("\tNULL,\n};\n")
