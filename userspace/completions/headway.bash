# SPDX-License-Identifier: GPL-2.0
# Completion of headway(8) for bash. What there is to choose is what --help lists at that moment.
# shellcheck shell=bash disable=SC2207 # words of ours have no space or pattern in them

# What an option or an argument named WHAT in --help can be.
_headway_values()
{
	local what=$1 tool=$2 domains=/sys/kernel/debug/headway/domains

	case $what in
	PID)
		_pids
		;;
	FILE)
		_filedir
		;;
	CGROUP)
		COMPREPLY=($(cd /sys/fs/cgroup 2>/dev/null && compgen -S / -d -- "${cur#/}"))
		COMPREPLY=("${COMPREPLY[@]/#//}")
		compopt -o nospace
		;;
	DOMAIN)
		COMPREPLY=($(compgen -W "$(command ls "$domains" 2>/dev/null)" -- "$cur"))
		;;
	SPEC)
		COMPREPLY=($(compgen -W "uprobe: usdt: syscall: tracepoint:" -- "$cur"))
		compopt -o nospace
		;;
	VERDICT*)
		# The list is in the tool's answer to a word that is none; those before a comma stay.
		local before=${cur%"${cur##*,}"} list
		list=$("$tool" replay --fail-on '?' 2>&1 | sed -n 's/.*there are: *//p')
		COMPREPLY=($(compgen -P "$before" -W "$list" -- "${cur##*,}"))
		;;
	esac
}

_headway()
{
	local cur prev words cword split
	_init_completion -s -n : || return

	local tool=$1 command=${words[1]} help what i

	if ((cword == 1)); then
		help=$("$tool" --help 2>/dev/null)
		COMPREPLY=($(compgen -W "--help --version $(
			sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help")" -- "$cur"))
		return
	fi
	# Behind -- is another program's command line.
	for ((i = 2; i < cword; i++)); do
		if [[ ${words[i]} == -- ]]; then
			_command_offset $((i + 1))
			return
		fi
	done
	help=$("$tool" "$command" --help 2>/dev/null)
	if [[ $prev == -* ]]; then
		what=$(sed -n "s/^ *\(-., \)*$prev\[*=\([^] ]*\).*/\2/p; s/^ *$prev, --[a-z-]*\[*=\([^] ]*\).*/\1/p" \
			<<<"$help")
		if [[ -n $what ]]; then
			_headway_values "$what" "$tool"
			return
		fi
	fi
	$split && return
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$(_parse_help - <<<"$help")" -- "$cur"))
		[[ ${COMPREPLY-} != *= ]] || compopt -o nospace
		return
	fi
	# The one argument that the usage names.
	for what in FILE DOMAIN; do
		if grep -q "^Usage: [^]]*\] \[*$what" <<<"$help"; then
			_headway_values "$what" "$tool"
			return
		fi
	done
} && complete -F _headway headway
