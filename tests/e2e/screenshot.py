#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""screenshot - the README's picture: the demo in a real tmux window, what is on it drawn as SVG.

  screenshot.py MTATOP OUT.svg [WIDTHxHEIGHT [KEY...]]     keys are tmux's names, pressed before the picture is taken
"""
import html
import re
import sys

from pfx import wait_for
from term import Terminal

CELL_W, CELL_H, FONT = 8.4, 17, 14  # pixels
INK, PAPER = "#d4d4d4", "#16181d"
PALETTE = ["#16181d", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d4d4d4",
           "#7f848e", "#ff7b85", "#b5e890", "#ffd68a", "#82c4ff", "#e29bf7", "#7fdbe8", "#ffffff"]


def colour_256(n):
    if n < 16:
        return PALETTE[n]
    if n >= 232:
        return "#%02x%02x%02x" % ((8 + (n - 232) * 10,) * 3)
    n -= 16
    return "#%02x%02x%02x" % tuple(0 if v == 0 else 55 + v * 40 for v in (n // 36, n // 6 % 6, n % 6))


class Pen:
    """The colours and weight that SGR sequences have set."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.fg = self.bg = None
        self.bold = self.dim = self.reverse = self.underline = False

    def apply(self, codes):
        codes = [int(c or 0) for c in codes.split(";")]
        while codes:
            c = codes.pop(0)
            if c == 0:
                self.reset()
            elif c in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}[c], True)
            elif 30 <= c <= 37 or 90 <= c <= 97:
                self.fg = PALETTE[c - 30 if c < 90 else c - 82]
            elif 40 <= c <= 47 or 100 <= c <= 107:
                self.bg = PALETTE[c - 40 if c < 100 else c - 92]
            elif c in (38, 48) and codes[:1] == [5]:
                setattr(self, "fg" if c == 38 else "bg", colour_256(codes[1]))
                del codes[:2]
            elif c == 39:
                self.fg = None
            elif c == 49:
                self.bg = None

    def style(self):
        fg, bg = self.fg or INK, self.bg
        if self.reverse:
            fg, bg = bg or PAPER, fg
        return fg, bg, self.bold, self.dim, self.underline


def runs(line):
    """(column, text, style) of every run of one style."""
    pen, column = Pen(), 0
    for piece in re.split(r"(\x1b\[[0-9;]*m|\x1b\([B0]|\x0e|\x0f)", line):
        sgr = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if sgr:
            pen.apply(sgr[1])
        elif piece and piece[0] not in "\x1b\x0e\x0f":
            yield column, piece, pen.style()
            column += len(piece)


def braille(text, x, y):
    """Braille cells as a path of dots, since their width differs from font to font; and the text without them."""
    dots = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]  # column, row of bits 0..7 (Unicode 14, 2800)
    path = []
    for i, char in enumerate(text):
        if 0x2800 <= ord(char) <= 0x28FF:
            path += ["M%.1f %.1fh3v3h-3z" % (x + i * CELL_W + 0.8 + c * CELL_W / 2, y + 0.7 + r * CELL_H / 4)
                     for bit, (c, r) in enumerate(dots) if ord(char) >> bit & 1]
    return "".join(path), re.sub("[\u2800-\u28ff]", " ", text)


def svg(lines, w, h):
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">'
           % ((w * CELL_W + 16, h * CELL_H + 16) * 2),
           '<rect width="100%%" height="100%%" rx="6" fill="%s"/>' % PAPER,
           '<g font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="%d" xml:space="preserve">' % FONT]
    for row, line in enumerate(lines):
        y = 8 + row * CELL_H
        for column, text, (fg, bg, bold, dim, underline) in runs(line):
            x, width = 8 + column * CELL_W, len(text) * CELL_W
            if bg:
                out.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>' % (x, y, width, CELL_H, bg))
            drawn, text = braille(text, x, y)
            if drawn:
                out.append('<path d="%s" fill="%s"/>' % (drawn, fg))
            if text.strip():
                out.append('<text x="%.1f" y="%d" textLength="%.1f" fill="%s"%s%s%s>%s</text>' % (
                    x, y + 13, width, fg, ' font-weight="bold"' if bold else "", ' opacity="0.6"' if dim else "",
                    ' text-decoration="underline"' if underline else "", html.escape(text)))
    return "\n".join(out + ["</g>", "</svg>", ""])


def main(argv):
    mtatop, path = argv[:2]
    w, h = map(int, (argv[2] if len(argv) > 2 else "120x40").split("x"))
    t = Terminal([mtatop, "--demo"], w, h, env={"TERM": "screen-256color", "HOME": "/nonexistent"})
    try:
        wait_for("figures", lambda: re.search(r"delivered +[0-9,]{3,}", t.screen()) and "oldest ?" not in t.screen())
        for key in argv[3:]:
            t.keys(key)
        shown = t.tmux("capture-pane", "-p", "-e", "-t", "t").stdout.decode("utf-8", "replace")
        t.keys("Q")
        t.exit_status()
    finally:
        t.close()
    with open(path, "w", encoding="utf-8") as f:
        f.write(svg(shown.split("\n")[:h], w, h))


if __name__ == "__main__":
    main(sys.argv[1:])
