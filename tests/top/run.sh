#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# top tier: `headway top` in a real terminal, which tmux is: keys go in, and what stands on the screen is
# read. The screens are kept in build/captures/, to be looked at.
#
# Usage:  run.sh [PART...]     default: all; a part stands on those before it, up to `end`
#
# Nothing is waited for by sleeping: a key is followed by what it must bring onto the screen.
set -u -o pipefail

# shellcheck source=tests/lib/tier.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tier.sh"
# shellcheck source=tests/lib/screen.sh
. "$top/tests/lib/screen.sh"
headway=$top/build/headway
corpus=$top/build/corpus
captures=$top/build/captures
limit_s=60	# for anything to come onto the screen: the machine may be busy

clean_more() {
	end_screen
}

# The shell has its terminal back, as it was.
is_restored() {	# STATUS
	shows "the screen before" "^status $1\$" "the screen after" &&
		cmp "$tmp/stty.before" "$tmp/stty.after"
}

lacks() {	# PCRE FILE
	! LC_ALL=C grep -aP -- "$1" "$2"
}

# No colour is on the screen.
is_plain() {
	tm capture-pane -p -e -t top >"$tmp/now.ansi"
	lacks '\x1b\[[0-9;]*3[0-7]m' "$tmp/now.ansi"
}

fits() {	# COLUMNS LINES: nothing is cut by the terminal, or beyond it
	[ "$(wc -l <"$tmp/now")" -le "$2" ] || { echo "more than $2 lines"; return 1; }
	! LC_ALL=C.UTF-8 grep -E "^.{$(($1 + 1)),}" "$tmp/now"
}

# above REGEX REGEX: both are there, in this order.
above() {
	local a b

	a=$(grep -nE -- "$1" "$tmp/now" | head -1)
	b=$(grep -nE -- "$2" "$tmp/now" | head -1)
	if [ -z "$a" ] || [ -z "$b" ] || [ "${a%%:*}" -ge "${b%%:*}" ]; then
		cat "$tmp/now"
		return 1
	fi
}

start() {	# NAME: a program of the corpus, for as long as we run
	CORPUS_SECONDS=3000 "$corpus/$1" >/dev/null 2>&1 </dev/null &
	started+=("$!")
	disown "$!"	# no word when it is killed
}

test_table() {
	begin 120 30 tmux-256color "-w 2 ${targets[*]}"
	check "verdicts come, each beside its process" shows '! livelock +' \
		'process +[0-9]+ two_lock_grid +! livelock' 'process +[0-9]+ abba_deadlock +! deadlock' \
		'process +[0-9]+ two_lock_ordere +[+~] (healthy|contended)' '^! 1 deadlock  ! 1 livelock'
	keep table
	check "the worst comes first" above 'abba_deadlock' 'two_lock_grid'
	check "the livelock has failed tries and no completion" \
		shows 'two_lock_grid +! livelock +[1-9][0-9.]* +0 +[1-9][0-9.]* '
	keys '<'
	check "sorted by name" shows 'NAMEv'
	check "... it is" above 'abba_deadlock' 'two_lock_grid'
	keys r
	check "the other way round" shows 'NAME\^'
	check "... it is, too" above 'two_lock_grid' 'abba_deadlock'
	keys '>' r r
	check "sorted by verdict again" shows 'VERDICTv'
	keys f
	check "the filter asks" shows '^show only rows with: _'
	keys -l livelock
	keys Enter
	check "only rows with the text" shows '^only: livelock' '2 not shown' 'two_lock_grid'
	check "no other is there" lacks 'abba_deadlock' "$tmp/now"
	keep filter
	keys Escape
	check "all are back" shows 'abba_deadlock' '3 of 3 rows'
	keys p
	check "paused" shows ' PAUSED '
	keys p
	check "... and not any more" shows '^headway top  3 of 3'
	keys /
	keys -l nosuch
	keys Enter
	check "a search for what is not there says so" shows "no row has 'nosuch'"
}

test_details() {
	keys /
	keys -l two_lock_grid
	keys Enter
	keys Enter
	check "all about a livelock" shows 'process [0-9]+ \(two_lock_grid\)' 'WHO WAITS FOR WHOM' \
		'closes the cycle' '(a_to_b|b_to_a)\) tries mutex_[ab]' '^THREADS \([0-9]+\)' 'history .*█'
	keep livelock
	keys Tab Tab Tab
	check "further down: locks" shows '^LOCKS AND FUTEX WORDS' 'mutex_a +[1-9]'
	keep locks
	keys End
	check "at the end: what to try" shows 'What to try' 'one order everywhere'
	keep finding
	tm resize-window -t top -x 80 -y 24
	keys End
	check "at the end, 80x24: the whole of it" shows '^ +- take mutex_[ab] and' 'the reverse$'
	keep finding-80x24
	tm resize-window -t top -x 120 -y 30
	keys Home
	check "back at the top" shows 'WHO WAITS FOR WHOM'
	keys Escape
	check "back in the table" shows 'SOURCE +PID NAME'
	keys /
	keys -l abba
	keys Enter Enter
	check "all about a deadlock" shows '\(abba_deadlock\)' 'sleeps on mutex_(left|right)' 'closes the cycle'
	keep deadlock
	keys q l
	check "what was found" shows 'FINDING [0-9]+' '(LIVELOCK|DEADLOCK) \(confirmed\)'
	keep log
	keys q '?'
	check "help" shows '^KEYS' 'Ctrl-L' '^COLUMNS'
	keep help
	keys q
	check "and the table again" shows 'SOURCE +PID NAME'
}

test_sizes() {
	tm resize-window -t top -x 80 -y 24
	check "80x24" shows '^SOURCE +PID NAME +VERDICT' '^q quit .*p pause'
	check "80x24: nothing is cut" fits 80 24
	check "80x24: failed tries are there" shows 'FAIL/s' 'two_lock_grid +! livelock'
	keep table-80x24
	tm resize-window -t top -x 40 -y 10
	check "40x10" shows '^ +PID NAME +VERDICT' 'two_lock_grid +! livelock'
	check "40x10: nothing is cut" fits 40 10
	keep table-40x10
	tm resize-window -t top -x 20 -y 3
	check "20x3: still a row" shows '! (dead|live)lock'
	tm resize-window -t top -x 120 -y 30
	check "and large again" shows 'CPU% HISTORY' 'abba_deadlock +! deadlock'
}

# click COLUMN LINE: as a terminal says it that has no SGR mode: button, column and line, from 33 on.
click() {
	local at

	# shellcheck disable=SC2059 # the octal numbers are the format
	at=$(printf "\\$(printf %o $(($1 + 32)))\\$(printf %o $(($2 + 32)))")
	keys -l $'\e[M '"$at"$'\e[M#'"$at"
}

test_mouse() {
	local head

	keys Home
	shows 'SOURCE +PID NAME' >/dev/null
	click 10 6
	click 10 6
	check "a click selects, one more opens" shows 'process [0-9]+ \(two_lock_grid\)'
	keys Escape
	check "... and Esc closes" shows 'SOURCE +PID NAME'
	head=$(grep 'SOURCE' "$tmp/now")
	head=${head%%FAIL/s*}
	click $((${#head} + 2)) 4
	check "a click on a head sorts" shows 'FAIL/sv'
	check "... the rows" above 'two_lock_grid' 'abba_deadlock'
	click $((${#head} + 2)) 4
	check "... and one more the other way round" shows 'FAIL/s\^'
}

test_end() {
	keys q
	check "q: the terminal is as it was" is_restored 0
	begin 80 24 tmux-256color "-w 2 ${targets[*]}"
	shows 'SOURCE' >/dev/null
	keys C-c
	check "Ctrl-C: the terminal is as it was" is_restored 0
	begin 80 24 tmux-256color "-w 2 ${targets[*]}"
	shows 'SOURCE' >/dev/null
	pkill -TERM -f "^$headway top -w 2 ${targets[*]}\$"
	check "SIGTERM: the terminal is as it was" is_restored 0
	begin 80 24 tmux-256color "-w 2 -p 4194000"
	check "what goes wrong before is said on the terminal" shows '^headway top: .*4194000' '^status 1'
}

test_plain() {
	begin 80 24 vt100 "-w 2 ${targets[*]}"
	check "TERM=vt100" shows 'two_lock_grid +! livelock'
	keep vt100
	keys -l /abba
	keys Enter Enter
	check "TERM=vt100: a page" shows 'closes the cycle' '`- '
	check "TERM=vt100: nothing but ASCII" lacks '[^\x00-\x7f]' "$tmp/now"
	check "TERM=vt100: no colour" is_plain
	keys C-c
	begin 80 24 screen-mono "-w 2 ${targets[*]}"
	check "NO_COLOR" shows 'two_lock_grid +! livelock'
	check "NO_COLOR: no colour" is_plain
	keys C-c
	begin 120 24 dumb "-w 2 ${targets[*]}"
	check "TERM=dumb: refused, with what to do" shows 'headway watch' '^status 1'
	"$headway" top -d 1 >"$tmp/out" 2>&1 </dev/null
	check "not a terminal: status 1 and what to do" \
		sh -c "test $? -eq 1 && grep -q 'headway watch.*headway stat' $tmp/out"
}

rested() {	# TIMES
	[ "$(cat "$tmp/rests")" -ge "$1" ]
}

# It has no size, 960 bytes a second, and a terminal of hardware at its end.
test_serial() {
	local headway="$top/tests/top/serial.py 9600 $tmp/rests $headway"

	begin 80 24 vt100 "-w 2 ${targets[*]}"
	check "serial line: the table" shows 'two_lock_grid +! livelock' 'two_lock_orde +[+~]' '^q quit .*p pause'
	check "serial line: 80x24 without being told" fits 80 24
	check "serial line: it carries more than what changes" until_true 120 rested 5
	keep serial
	keys -l /abba
	keys Enter Enter
	check "serial line: a page" shows 'closes the cycle' '^THREADS' '^Esc back'
	keep serial-page
	keys q q
	check "serial line: q: the shell goes on below" shows 'status 0' '^the screen after'
	check "serial line: the terminal is as it was" cmp "$tmp/stty.before" "$tmp/stty.after"
	tests/top/serial.py 9600 "$tmp/rests" /usr/bin/head -c 3000 /dev/zero >"$tmp/zeros" </dev/null
	same "control: all is carried" "$(stat -c %s "$tmp/zeros")" 3000
	same "control: a line that is never at rest" "$(cat "$tmp/rests")" 0
}

test_states() {
	local program="$tmp/"$'e\033[31m\n"\\'

	cp "$corpus/two_lock_grid" "$program"
	CORPUS_SECONDS=3000 "$program" >/dev/null 2>&1 </dev/null &
	started+=("$!")
	begin 120 30 tmux-256color "-w 2 --no-uprobes -p $!"
	# shellcheck disable=SC1003
	check "a hostile name is escaped" shows '[0-9] e\\x1b\[31m\\x0a"'
	check "a probe that is missing is said" shows '^LIMITED: no pthread_mutex_trylock probe'
	keep limited
	{ kill -KILL "$!" && wait "$!"; } 2>/dev/null
	check "the end of all that is watched is said, and the screen stays" \
		shows 'what was watched has ended'
	keys q
	check "... until q" is_restored 0
	begin 120 30 tmux-256color "-w 1 -- $corpus/two_lock_grid"
	check "a COMMAND" shows 'two_lock_grid +! livelock'
	keys q
	check "a COMMAND: the terminal is as it was" is_restored 0
	begin 120 30 tmux-256color "-w 2"
	check "without a target: all processes" shows 'two_lock_grid +! livelock' '\b(systemd|bash|tmux)\b|rows'
	keep all
	keys q
	check "without a target: the terminal is as it was" is_restored 0
}

ktap_begin top
if [ "$(id -u)" -ne 0 ]; then
	skip everything "needs root"
	ktap_end
	exit
fi
mkdir -p "$captures"
start two_lock_grid
start two_lock_ordered
start abba_deadlock
targets=()
for pid in "${started[@]}"; do
	targets+=(-p "$pid")
done
[ $# -gt 0 ] || set -- table details sizes mouse end plain serial states
for part in "$@"; do
	"test_$part"
done
ktap_end
