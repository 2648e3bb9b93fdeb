# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# hostile.sh - part of run.sh: programs whose names, symbols and ELF files attack whoever reads them.
# shellcheck disable=SC2154,SC2034	# run.sh sets some, and reads others

test_hostile_names() {
	local program="$tmp/"$'e\033[31m\n"\\'
	cp "$corpus/abba_deadlock" "$program"
	run hostile 20 watch --json -d 2 -w 1 -- "$program"
	expect hostile 0 "hostile name of a program"
	check "hostile name: fits the schema" tests/tool/schema.py "$schema" "$tmp/hostile.out"
	# shellcheck disable=SC1003
	same "hostile name is escaped" "$(get 'F[0]["comm"]' hostile)" 'e\x1b[31m\x0a"\\'
	run hostile-text 20 watch -d 2 -w 1 -- "$program"
	check "hostile name: no control character in the text" \
		lacks '[\x00-\x08\x0b-\x1f\x7f]' "$tmp/hostile-text.out" "$tmp/hostile-text.err"
}

# Of a deadlock the names of locks and functions come from the file's symbols.
test_hostile_symbols() {
	local program=$tmp/symbols lock=$'lock\e[31m"<b>\n' function=$'both\e]0;\a\\'
	objcopy --strip-debug --redefine-sym "mutex_left=$lock" --redefine-sym "lock_both=$function" \
		"$corpus/abba_deadlock" "$program"
	run symbols 20 watch --json -d 2 -w 1 -- "$program"
	expect symbols 0 "hostile names of symbols"
	check "hostile symbols: fits the schema" tests/tool/schema.py "$schema" "$tmp/symbols.out"
	# shellcheck disable=SC1003,SC2016
	same "hostile symbols: they are escaped" \
		"$(get '[l["name"] for l in F[0]["locks"] if l["name"] != "mutex_right"][0], any(r"both\x1b]0;\x07" in x for a in F[0]["actors"] for x in a["stack"])' symbols)" \
		"('lock\\\\x1b[31m\"<b>\\\\x0a', True)"
	run symbols-text 20 watch -d 2 -w 1 -- "$program"
	expect symbols-text 0 "hostile symbols in text" out 'lock\\x1b'
	check "hostile symbols: no control character in the text" \
		lacks '[\x00-\x08\x0b-\x1f\x7f]' "$tmp/symbols-text.out" "$tmp/symbols-text.err"
}

# crafted NAME: a program that runs, and whose file is not what it says; nothing breaks, nothing is made up.
crafted() {
	run "$1" 20 watch --json -d 2.5 -w 1 --fail-on deadlock -- "$tmp/$1"
	expect "$1" 3 "$1: its deadlock is found"
	same "$1: and nothing else" "$(get '{f["verdict"] for f in F}' "$1")" "{'deadlock'}"
	check "$1: fits the schema" tests/tool/schema.py "$schema" "$tmp/$1.out"
}

# What the kernel runs is in the segments; the tables of sections are for those who read symbols.
test_crafted_elf() {
	local offset size
	install -m 755 "$corpus/abba_deadlock" "$tmp/elf-sections-nowhere"
	printf '\377\377\377\377\377\377\377\177' |
		dd of="$tmp/elf-sections-nowhere" bs=1 seek=40 conv=notrunc status=none
	crafted elf-sections-nowhere
	read -r _ offset _ _ size _ < <(readelf -lW "$corpus/abba_deadlock" | grep LOAD | tail -1)
	install -m 755 /dev/null "$tmp/elf-cut-off"
	head -c "$((offset + size))" "$corpus/abba_deadlock" >"$tmp/elf-cut-off"
	crafted elf-cut-off
}
