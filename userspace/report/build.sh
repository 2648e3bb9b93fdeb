#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# build.sh - makes the page of `headway report` out of the files beside this script and D3's modules.
#
# Usage:  build.sh DIR        writes DIR/head.html and DIR/tail.html: what comes before and after the data
#         build.sh --can      is all here that it needs? Says what is missing
#
# One file: style and script are in the page, which lets nothing else run or be loaded.
set -eu -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=/usr/share/nodejs	# where Debian's packages put JavaScript modules

if [ "$1" = --can ]; then
	missing=''
	command -v esbuild >/dev/null || missing=esbuild
	while read -r module; do
		[ -d "$modules/$module" ] || missing="$missing node-$module"
	done < <(sed -n 's/^import .* from "\(d3-[a-z-]*\)";$/\1/p' "$here"/*.js | sort -u)
	[ -z "$missing" ] || echo "${missing# }"
	exit 0
fi

dir=$1
mkdir -p "$dir"
NODE_PATH=$modules esbuild "$here/main.js" --bundle --minify --format=iife --target=es2020 \
	--log-level=warning --outfile="$dir/script.js"
esbuild "$here/style.css" --minify --log-level=warning --outfile="$dir/style.css"
# What D3's licence asks of those who pass it on.
{ echo '/*'; cat "$here/d3-licence.txt"; echo '*/'; cat "$dir/script.js"; } >"$dir/script-licensed.js"
if grep -q '</script' "$dir/script-licensed.js" || grep -q '</style' "$dir/style.css"; then
	echo "build.sh: the script or the style would end its own element" >&2
	exit 1
fi

# hash FILE: as a Content-Security-Policy has it.
hash() {
	local bytes

	bytes=$(sha256sum <"$1" | sed 's/ .*//; s/../\\x&/g')
	printf '%b' "$bytes" | base64
}

script_hash=$(hash "$dir/script-licensed.js")
style_hash=$(hash "$dir/style.css")
part() {
	local line

	while IFS= read -r line; do
		case $line in
		@STYLE@) printf '<style>' && cat "$dir/style.css" && printf '</style>\n' ;;
		@SCRIPT@) printf '<script>' && cat "$dir/script-licensed.js" && printf '</script>\n' ;;
		*)
			line=${line//@SCRIPT_HASH@/$script_hash}
			printf '%s\n' "${line//@STYLE_HASH@/$style_hash}"
			;;
		esac
	done
}
# The data follows the last tag at once.
sed '/^@DATA@$/,$d' "$here/page.html" | part >"$dir/head.html.new"
sed '1,/^@DATA@$/d' "$here/page.html" | part >"$dir/tail.html"
mv "$dir/head.html.new" "$dir/head.html"
