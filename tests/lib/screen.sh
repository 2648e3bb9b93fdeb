# SPDX-License-Identifier: GPL-2.0
# screen.sh - `headway top` in a real terminal, which tmux is: keys go in, and what stands on the screen is
# read (sourced). Nothing is waited for by sleeping.
#
# Usage:	begin COLUMNS LINES TERM OPTIONS...
#		shows REGEX...		waits until all of them are on the screen, which is then in $tmp/now
#		keys KEY...
#		keep NAME		the screen, into $captures/NAME.txt and .ansi
#		end_screen
#
# Who sources it sets headway, captures, tmp (directories that are there) and limit_s.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables above
# shellcheck disable=SC2317 # the functions below are called by check
socket=		# each begin() has a server of its own: one that is told to end takes new sessions until it has
servers=0

tm() {
	# The server takes over the environment that it is started in.
	env -u TMUX LC_ALL=C.UTF-8 tmux -L "$socket" -f /dev/null "$@"
}

end_screen() {
	[ -z "$socket" ] || tm kill-server 2>/dev/null
	socket=
}

screen() {
	tm capture-pane -p -t top
}

keep() {	# NAME: the screen, into build/captures/
	screen >"$captures/$1.txt"
	tm capture-pane -p -e -t top >"$captures/$1.ansi"
}

# shows REGEX...: the screen does, all of them at once. It is then in $tmp/now.
shows() {
	local end=$((SECONDS + limit_s)) regex all

	while :; do
		screen >"$tmp/now"
		all=1
		for regex in "$@"; do
			grep -Eq -- "$regex" "$tmp/now" || all=
		done
		[ -z "$all" ] || return 0
		[ "$SECONDS" -lt "$end" ] || break
		sleep 0.1
	done
	printf 'not on the screen: %s\n' "$*"
	cat "$tmp/now"
	return 1
}

keys() {
	tm send-keys -t top "$@"
}

# begin COLUMNS LINES TERM OPTIONS...: headway top in a shell, which goes on when it has ended.
begin() {
	local columns=$1 lines=$2 name=$3
	shift 3

	end_screen
	servers=$((servers + 1))
	socket=headway-top-$$-$servers
	cat >"$tmp/shell.sh" <<-END
		export TERM=$name LC_ALL=C.UTF-8
		[ $name != screen-mono ] || export TERM=screen NO_COLOR=1
		echo "the screen before"
		stty -a >"$tmp/stty.before"
		$headway top $*
		echo "status \$?"
		stty -a >"$tmp/stty.after"
		echo "the screen after"
		read -r _
	END
	tm new-session -d -s top -x "$columns" -y "$lines" "bash --noprofile --norc $tmp/shell.sh"
}
