#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# picture.sh - makes a PNG of a screen that run.sh has kept, as README.md shows one.
#
# Usage:  picture.sh build/captures/NAME.ansi FILE.png
#
# Needs the package aha; the browser is that of the report tier.
set -u -e -o pipefail

capture=${1:?which capture?} picture=${2:?into which file?}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

lines=$(wc -l <"$capture")
columns=$(sed 's/\x1b\[[0-9;]*m//g' "$capture" | LC_ALL=C.UTF-8 awk 'length > n { n = length } END { print n }')
aha --black --title top <"$capture" >"$tmp/screen.html"
# A character of the browser's monospaced font is 8 by 15 points at most; the page has a margin of 8.
chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --force-color-profile=srgb \
	--window-size=$((columns * 8 + 16)),$((lines * 15 + 22)) --screenshot="$tmp/screen.png" "file://$tmp/screen.html" 2>"$tmp/log" || {
	cat "$tmp/log" >&2
	exit 1
}
cp "$tmp/screen.png" "$picture"
