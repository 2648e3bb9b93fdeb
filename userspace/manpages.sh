#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# manpages.sh - writes headway(8) and a page for each command of the tool.
#
# Usage:  manpages.sh TOOL PAGE DIR     PAGE: headway.8, which has all that is said of options
#
# What commands there are, what each is for and which options it takes is TOOL's own --help; what is said
# about an option comes out of PAGE, from the section of the command or that of watch. So a command without
# a section and an option without a word are errors here, and nothing has to be written twice.
set -u -o pipefail

tool=$1
page=$2
dir=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# What a person reads in a terminal, as roff.
# shellcheck disable=SC2016 # backquotes are text
to_roff() {
	sed 's/\\/\\e/g; s/-/\\-/g; s/`\([^`]*\)`/\\fB\1\\fP/g; '"s/^[.']/\\\\\&&/"
}

# cut COMMAND: "" is headway(8) itself.
cut_page() {
	awk -v command="$1" -v help="$work/help" -v about="$work/about" -v status="$work/status" \
		-v listing="$work/listing" -f "$here/manpages.awk" "$page"
}

mkdir -p "$dir" || exit 1
"$tool" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p' >"$work/commands" || exit 1
[ -s "$work/commands" ] || {
	echo "manpages.sh: $tool --help lists no command" >&2
	exit 1
}
to_roff <"$work/commands" >"$work/listing"
while IFS=$'\t' read -r command what; do
	# A line for each option, however long.
	ARGP_HELP_FMT=rmargin=1000 "$tool" "$command" --help >"$work/help" || exit 1
	{
		to_roff <<<"$what"
		sed '1,/^$/!d; /^Usage:/d; /^  or:/d; /^$/d' "$work/help" | to_roff
	} >"$work/about"
	sed -n 's/^ *Exit status: //p' "$work/help" | to_roff >"$work/status"
	cut_page "$command" >"$dir/headway-$command.8" || exit 1
done <"$work/commands"
cut_page "" >"$work/page" && mv "$work/page" "$dir/headway.8"
