#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Are the page's colours apart for those who see fewer of them? Prints what is not, a line each.

Usage: colours.py STYLE.CSS

Each theme is looked at as it is, and as with no red, green or blue cones (Machado, Oliveira and Fernandes 2009, severity
1.0). Colours that stand for different things must be apart there (CIE76), and text must be readable (WCAG 2: 4.5).
"""
import itertools
import re
import sys

CONES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red cones": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green cones": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue cones": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
APART = 20      # 2.3 is just noticed side by side
CONTRAST = 4.5
MEANINGS = (("attempts", "completions"), ("bad", "good"), ("warn", "good"), ("low", "high"))
TEXTS = ("ink", "faint", "bad", "warn", "good", "link")


def linear(text):
    """#rgb or #rrggbb, as light."""
    digits = text.lstrip("#")
    if len(digits) == 3:
        digits = "".join(c + c for c in digits)
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def seen(light, cones):
    return [min(1, max(0, sum(a * b for a, b in zip(row, light)))) for row in CONES[cones]]


def lab(light):
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1, 1.089)
    x, y, z = (sum(a * b for a, b in zip(row, light)) / w for row, w in zip(rows, white))
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one, other):
    return sum((a - b) ** 2 for a, b in zip(lab(one), lab(other))) ** 0.5


def contrast(one, other):
    bright, dark = sorted((0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def themes(style):
    """Each block that gives the colours their values."""
    for block in re.findall(r"\{([^{}]*--back:[^{}]*)\}", style):
        yield dict(re.findall(r"--([a-z]+):\s*(#[0-9a-f]{3,6})\b", block))


def complaints(colours):
    light = {name: linear(value) for name, value in colours.items()}
    for cones, (one, other) in itertools.product(CONES, MEANINGS):
        apart = distance(seen(light[one], cones), seen(light[other], cones))
        if apart < APART:
            yield f"{cones}: {one} {colours[one]} and {other} {colours[other]} are {apart:.0f} apart, not {APART}"
    for name, ground in itertools.product(TEXTS, ("back", "panel")):
        ratio = contrast(light[name], light[ground])
        if ratio < CONTRAST:
            yield f"{name} {colours[name]} on {ground} {colours[ground]}: contrast {ratio:.1f}, not {CONTRAST}"


def main(path):
    with open(path, encoding="utf-8") as file:
        found = list(themes(file.read()))
    wrong = [line for colours in found for line in complaints(colours)]
    if len(found) < 2:
        wrong.append(f"{len(found)} themes were found, not a light and a dark one")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
