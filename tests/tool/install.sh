# SPDX-License-Identifier: GPL-2.0
# install.sh - what `make install` brings beside the tool: manual pages, completions, the header
# (sourced by run.sh).
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016	# run.sh sets them; other shells' own variables

# The verbs, from the tool: one that comes later is held to the same.
commands() {
	"$headway" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# The long options that a text of --help, or the heads of the paragraphs of a page, name.
help_options() {
	grep -oE '^ +(-., )?--[a-z][a-z-]+' "$1" | grep -oE -- '--[a-z-]+' | grep -vx -e --help -e --usage |
		sort -u
}

page_options() {
	awk '/^\.SH/ { options = $2 == "OPTIONS" } options && head { print } { head = $0 == ".TP" }' "$1" |
		sed 's/\\-/-/g' | grep -oE -- '--[a-z][a-z-]+' | sort -u
}

man_is_clean() {	# PAGE
	local said

	said=$(man --warnings -l "$1" 2>&1 >/dev/null)
	echo "$said"
	[ -z "$said" ]
}

refuses() {	# PATTERN COMMAND...: it fails, and says so
	local pattern=$1 said
	shift

	if said=$("$@" 2>&1); then
		echo "it succeeded"
		return 1
	fi
	grep -E -- "$pattern" <<<"$said" >/dev/null || {
		echo "$said"
		return 1
	}
}

test_man_pages() {
	local command pages=$tmp/pages

	check "pages: written" userspace/manpages.sh "$headway" "$page" "$pages"
	for command in $(commands); do
		run "help-$command" 5 "$command" --help
		expect "help-$command" 0 "$command --help" out "^Usage: headway $command"
		same "headway-$command(8) has the options of its --help, and no other" \
			"$(page_options "$pages/headway-$command.8" | xargs)" \
			"$(help_options "$tmp/help-$command.out" | xargs)"
		check "headway-$command(8) formats without complaint" man_is_clean "$pages/headway-$command.8"
		check "headway(8) names headway-$command(8)" \
			grep -qx ".BR headway.-$command (8)" "$pages/headway.8"
	done
	check "headway(8) formats without complaint" man_is_clean "$pages/headway.8"
	same "every option of headway(8) exists" \
		"$(comm -23 <(page_options "$page") <(cat "$tmp"/help-*.out >"$tmp/help-all" &&
			help_options "$tmp/help-all"))" ""
	# Controls: a command, and an option, about which nothing is said.
	sed '/^\.SS headway policy/,/^\.SH/{/^\.SH/!d}' "$page" >"$tmp/no-policy.8"
	check "control: a command without a section" \
		refuses "no '.SS headway policy'" userspace/manpages.sh "$headway" "$tmp/no-policy.8" "$tmp/bad"
	sed 's/^\.BR .* .-.-stacks$/.B nothing/' "$page" >"$tmp/no-stacks.8"
	check "control: an option without a word" \
		refuses "headway stat takes --stacks" userspace/manpages.sh "$headway" "$tmp/no-stacks.8" "$tmp/bad"
}

# ---- completions: the three shells themselves say what they would offer ----------------------

in_bash() {	# WORD...: what bash offers for the last one
	PATH=$tmp/alone:$PATH bash --norc -c '
		. /usr/share/bash-completion/bash_completion
		. userspace/completions/headway.bash
		compopt() { :; }	# only while a key is pressed
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$* COMP_POINT=${#COMP_LINE}
		_headway "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

in_fish() {	# LINE
	PATH=$tmp/alone:$PATH HOME=$tmp fish --no-config -c \
		'source userspace/completions/headway.fish; complete -C $argv[1]' -- "$1" | cut -f 1
}

# A terminal of its own, as the completion of zsh works in its line editor only: LINE is typed, with a tab,
# and a widget shows what the line has become.
in_zsh() {	# LINE
	PATH=$tmp/alone:$PATH HOME=$tmp timeout -k 5 60 zsh -f -c '
		zmodload zsh/zpty
		zpty shell zsh -f -i
		zpty -w shell "PS1=; fpath=($PWD/userspace/completions \$fpath); autoload -Uz compinit; compinit -u -D
			shown() { zle complete-word; print -r -- \"line<\$BUFFER>\" }
			zle -N shown; bindkey \"^I\" shown; print re\"\"ady"
		zpty -r shell said "*ready*"
		zpty -w -n shell "$1"$'"'\\t'"'
		zpty -r shell said "*line<headway*>*"
		zpty -d shell
		said=${said##*line<}
		print -r -- "${said%%>*}"' zsh "$1"
}

becomes() {	# WANTED LINE
	local got
	got=$(in_zsh "$2")
	[ "$got" = "$1" ] || {
		echo "the line became: '$got'"
		return 1
	}
}

offers() {	# WANTED(sorted, one line) COMMAND...
	local wanted=$1 got
	shift
	got=$("$@" | sort | xargs)
	[ "$got" = "$wanted" ] || {
		echo "offered: $got"
		echo "wanted:  $wanted"
		return 1
	}
}

has_offer() {	# WANTED COMMAND...
	local wanted=$1 got
	shift
	got=$("$@" 2>&1)
	grep -Fx -- "$wanted" <<<"$got" >/dev/null || {
		echo "offered: $got"
		return 1
	}
}

test_completions() {
	local command all
	local -a options

	# Beside it may be others whose names begin so.
	mkdir "$tmp/alone" && ln -s "$headway" "$tmp/alone/headway"
	all=$(commands | sort | xargs)
	check "bash: commands" offers "--help --version $all" in_bash headway ''
	check "bash: a command" offers watch in_bash headway wa
	check "fish: commands" offers "$all" in_fish 'headway '
	check "fish: a command" offers watch in_fish 'headway wa'
	check "zsh: a command" becomes 'headway watch ' 'headway wa'
	for command in $(commands); do
		mapfile -t options < <(help_options <("$headway" "$command" --help))
		all=$(printf '%s\n' --help --usage "${options[@]}" | sort | xargs)
		check "bash: options of $command" offers "$all" options_in_bash "$command"
		check "fish: options of $command" offers "$all" options_in_fish "$command"
	done
	check "zsh: an option" becomes 'headway watch --pid=' 'headway watch --pi'
	check "zsh: an option of another command" becomes 'headway export --max-series=' 'headway export --max-s'
	check "zsh: a verdict" becomes 'headway watch --fail-on deadlock,' 'headway watch --fail-on deadl'
	check "bash: a verdict" offers deadlock in_bash headway watch --fail-on deadl
	check "bash: a second verdict" offers livelock,deadlock in_bash headway watch --fail-on livelock,deadl
	check "fish: a verdict" offers deadlock in_fish 'headway watch --fail-on deadl'
	check "fish: a second verdict" offers livelock,deadlock in_fish 'headway watch --fail-on livelock,deadl'
	check "bash: a process" has_offer $$ in_bash headway watch -p ''
	check "fish: a process" has_offer $$ in_fish 'headway watch -p '
	touch "$tmp/night.hw"
	check "bash: a recording" has_offer "$tmp/night.hw" in_bash headway replay "$tmp/nig"
	check "fish: a recording" has_offer "$tmp/night.hw" in_fish "headway replay $tmp/nig"
	check "zsh: a recording" becomes "headway replay $tmp/night.hw " "headway replay $tmp/nig"
	check "zsh: behind --, another program" becomes 'headway watch -d 1 -- headway ' \
		'headway watch -d 1 -- headwa'
	check "bash: behind --, another program" has_offer /usr/bin/env in_bash headway watch -d 1 -- /usr/bin/en
	check "fish: behind --, another program" has_offer /usr/bin/env in_fish 'headway watch -d 1 -- /usr/bin/en'
}

options_in_bash() {
	in_bash headway "$1" -- | sed 's/=$//'
}

options_in_fish() {
	in_fish "headway $1 --" | sed 's/=$//'
}

# ---- make install ---------------------------------------------------------------------------

test_install() {
	local root=$tmp/root command expected

	check "make install PREFIX= DESTDIR=" make -s install PREFIX=/opt/headway DESTDIR="$root"
	expected=$(
		printf '%s\n' bin/headway include/headway/sdt.h share/pkgconfig/headway.pc \
			share/bash-completion/completions/headway share/zsh/site-functions/_headway \
			share/fish/vendor_completions.d/headway.fish share/man/man8/headway.8
		for command in $(commands); do
			echo "share/man/man8/headway-$command.8"
		done)
	same "nothing of these is missing" "$(comm -13 \
		<(cd "$root/opt/headway" && find . -type f -printf '%P\n' | sort) <(sort <<<"$expected"))" ""
	same "nothing beside the prefix" "$(find "$root" -type f ! -path "$root/opt/headway/*")" ""
	check "the installed tool runs" "$root/opt/headway/bin/headway" --version
	printf '#include <headway/sdt.h>\nint main(void)\n{\n\tHEADWAY_PROGRESS(x);\n}\n' >"$tmp/marked.c"
	check "a program builds with the .pc file" with_pc "$root" -o "$tmp/marked" "$tmp/marked.c"
	check "and has its marker" readelf_has "$tmp/marked" progress_x
}

with_pc() {	# ROOT CC-ARGUMENTS...
	local root=$1 flags
	shift
	flags=$(PKG_CONFIG_PATH=$root/opt/headway/share/pkgconfig pkg-config --define-variable=prefix="$root/opt/headway" \
		--cflags headway) || return 1
	# shellcheck disable=SC2086 # several words
	gcc $flags "$@"
}

readelf_has() {
	readelf -n "$1" | finds "Name: $2"
}
