#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tool tier: the real tool on real programs, as a person or a script would run it. What it finds is
# the corpus tier's; here it is about what it says to bad input, how it ends, what it leaves behind.
# runs: light
set -u -o pipefail

# shellcheck source=tests/lib/tier.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tier.sh"
headway=$top/build/headway
corpus=$top/build/corpus
schema=$top/userspace/headway.schema.json
page=$top/userspace/headway.8
cgroups=()	# what we make, innermost first, to undo on every way out
mounted=

clean_more() {
	[ ${#cgroups[@]} -eq 0 ] || rmdir "${cgroups[@]}" 2>/dev/null
	[ -z "$mounted" ] || umount "$mounted"
}

# run NAME LIMIT ARGS...: the tool, with output in $tmp/NAME.out and .err; sets $status.
run() {
	local name=$1 limit=$2
	shift 2
	timeout -k 5 "$limit" "$headway" "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null
	status=$?
}

# expect NAME STATUS DESCRIPTION [FILE REGEX]...: of the run NAME; FILE is out or err.
expect() {
	local name=$1 want=$2 what=$3 problem=
	shift 3
	[ "$status" -eq "$want" ] || problem="exit status $status, want $want"
	while [ $# -ge 2 ]; do
		grep -Eq -- "$2" "$tmp/$name.$1" || problem+=$'\n'"no /$2/ in its $1"
		shift 2
	done
	if [ -z "$problem" ]; then
		ok "$what"
	else
		not_ok "$what" "$problem"$'\n'"$(head -c 2000 "$tmp/$name.out" "$tmp/$name.err")"
	fi
}

get() {	# EXPRESSION NAME
	tests/tool/schema.py --get "$1" "$tmp/$2.out" 2>&1
}

# alive PID: a zombie that nobody reaps here is dead.
alive() {
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
	[ -n "$state" ] && [ "$state" != Z ] && [ "$state" != X ]
}

lacks() {	# PCRE FILE...
	local pattern=$1
	shift
	! LC_ALL=C grep -aP -- "$pattern" "$@"
}

one_line() {	# NAME: stderr is one line, or one and the hint to --help
	[ "$(grep -vc '^Try ' "$tmp/$1.err")" -eq 1 ]
}

test_usage() {
	run none 5
	expect none 2 "no command: usage, status 2" err '^Usage: headway COMMAND'
	run bogus 5 bogus
	expect bogus 2 "unknown command: status 2" err "no such command 'bogus'; there are: doctor .*watch"
	check "unknown command: one line" one_line bogus
	run option 5 --bogus
	expect option 2 "unknown option before the command: status 2" err 'unknown option'
	run help 5 --help
	expect help 0 "--help on stdout" out 'watch .*livelock' out 'doctor' out 'policy'
	run version 5 --version
	expect version 0 "--version" out '^headway [^ ]+$'
	local args number=0
	while IFS='|' read -r args message; do
		number=$((number + 1))
		# shellcheck disable=SC2086
		run "bad$number" 5 $args
		expect "bad$number" 2 "usage error: headway $args" err "$message"
		check "one line: headway $args" one_line "bad$number"
		same "nothing on stdout: headway $args" "$(cat "$tmp/bad$number.out")" ""
	done <<-'END'
		watch|nothing to watch
		watch -p abc|'abc' is not a process id
		watch -p 0|'0' is not a process id
		watch -p 99999999999999999999|is not a process id
		watch -d 0 -p 1|'0' is not a duration
		watch -d -1 -p 1|'-1' is not a duration
		watch -d nan -p 1|'nan' is not a duration
		watch -w 0 -p 1|'0' is not a window
		watch -w 5 -i 4 -p 1|does not suit a window
		watch --fail-on livelocks -p 1|'livelocks' is not a finding; there are: .*livelock
		watch --fail-on healthy -p 1|'healthy' is not a finding
		watch --fail-on livelock, -p 1|'' is not a finding
		watch -a -p 1|-a watches every process: leave out -p
		watch -a -c /|-a watches every process: leave out -c
		watch -c / -c /|more than one cgroup
		watch -c|option requires an argument -- 'c'
		watch --threshold abort=1 -p 1|no threshold 'abort'; there are: retries_per_s
		watch --threshold abort_ratio=2 -p 1|abort_ratio is a number from 0 to 1, not '2'
		watch --threshold retries_min=2.5 -p 1|a whole number from 1 to
		watch --room-threads 0 -p 1|'0' is not a number of threads: 1 to 65536
		replay -w x y|'x' is not a window
		watch -k --progress syscall:read|a marker is of a process
		watch --progress x -p 1|marker 'x': no kind of marker
		watch --attempt x -p 1|marker 'x': no kind of marker
		top -w 0 -p 1|'0' is not a window
		top -a -p 1|-a watches every process: leave out -p
		top --progress x -p 1|marker 'x': no kind of marker
		doctor extra|takes no argument: 'extra'
		demo extra|takes no argument: 'extra'
		demo -d 1|'1' is not a duration: 6 to 3600
	END
}

# The verdicts themselves are what it exits by.
test_demo() {
	run demo 100 demo
	expect demo 0 "demo: a livelock, and its cure" out '^LIVELOCK .*demo_grid' out 'mutex_a' \
		out 'transfer_with_rollback' out 'both in one order +no finding' \
		out '^Not shown in the kernel: '
	same "demo: nothing stays behind" "$(pgrep -fc -- "$headway demo --grid=")" 0
}

test_bad_targets() {
	run gone 5 watch -d 2 -p 4194000
	expect gone 1 "a pid that is gone: status 1" err '4194000'
	check "a pid that is gone: one line" one_line gone
	# No machine that tests run on has the module; where it is loaded there is no such domain.
	run nodomain 5 watch -d 2 -k no-such-domain
	expect nodomain 1 "-k without the module: status 1 and what to do" \
		err "^headway watch: (the kernel module headway is not loaded|no domain 'no-such-domain')"
	check "-k without the module: one line" one_line nodomain
	same "-k without the module: nothing on stdout" "$(cat "$tmp/nodomain.out")" ""
	run nofile 5 watch -d 2 -- /nonexistent/program
	expect nofile 1 "COMMAND that does not exist" err 'cannot run /nonexistent/program: No such file'
	run nodir 5 watch -d 2 -- /
	expect nodir 1 "COMMAND that is a directory" err 'cannot run /: Permission denied'
	timeout 5 setpriv --reuid nobody --regid nogroup --clear-groups "$headway" \
		watch -d 2 -- true >"$tmp/nobody.out" 2>"$tmp/nobody.err"
	status=$?
	expect nobody 1 "no permission: status 1 and what to do" err '(root|CAP_BPF)'
	check "no permission: one line" one_line nobody
	timeout 5 setpriv --reuid nobody --regid nogroup --clear-groups "$headway" \
		watch -d 2 -k >"$tmp/nobody-kernel.out" 2>"$tmp/nobody-kernel.err"
	status=$?
	expect nobody-kernel 1 "-k without permission: status 1 and what to do" err 'root|not loaded'
	timeout 5 setpriv --reuid nobody --regid nogroup --clear-groups "$headway" doctor \
		>"$tmp/nobody-doctor.out" 2>"$tmp/nobody-doctor.err"
	status=$?
	expect nobody-doctor 1 "doctor without permission: status 1" out 'missing +permission' \
		out 'to do: run as root.* sudo setcap' out 'does not work here'
	run full 8 watch -d 1 -w 0.5 -- sleep 5
	timeout 8 "$headway" watch -d 1 -w 0.5 -- sleep 5 >/dev/full 2>"$tmp/full.err"
	status=$?
	expect full 1 "stdout that cannot be written: status 1" err 'cannot write'
}

test_doctor() {
	run doctor 20 doctor
	expect doctor 0 "doctor: watch works" out '^works +kernel type information' \
		out '^works +futex:' out '^headway watch works here'
	run doctor-json 20 doctor --json
	expect doctor-json 0 "doctor --json"
	check "doctor --json fits the schema" tests/tool/schema.py "$schema" "$tmp/doctor-json.out"
}

test_findings() {
	# Two seconds: the grid has twenty points in one, of which a machine that stands still takes too many.
	run grid 20 watch --json -d 6 -w 2 --fail-on livelock -- "$corpus/two_lock_grid"
	expect grid 3 "--fail-on livelock: status 3"
	check "finding fits the schema" tests/tool/schema.py "$schema" "$tmp/grid.out"
	same "one finding, state livelock" "$(get '[f["verdict"] for f in F], S["state"]' grid)" \
		"(['livelock'], 'livelock')"
	same "locks by name" "$(get 'sorted(l["name"] for l in F[0]["locks"])' grid)" \
		"['mutex_a', 'mutex_b']"
	same "stack by name" "$(get 'F[0]["actors"][0]["stack"][0].split("+")[0]' grid)" \
		"transfer_with_rollback"
	same "reported within two windows" "$(get 'F[0]["latency_s"] <= 4.4' grid)" True
	run other 20 watch --json -d 2 -w 1 --fail-on deadlock,starvation -- "$corpus/two_lock_grid"
	expect other 0 "--fail-on of other verdicts: status 0"
	run text 20 watch -d 2 -w 1 -- "$corpus/abba_deadlock"
	expect text 0 "text: deadlock as a bug report" out '^DEADLOCK \(confirmed\) in process [0-9]+ \(abba_deadlock\)' \
		out 'sleeps on mutex_left, owned by thread' out '^ +lock_both\+0x' out 'What to try' \
		out '^State: deadlock'
	check "text: no escape sequence when it is no terminal" \
		lacks '\x1b' "$tmp/text.out" "$tmp/text.err"
	run blind 20 watch --json --no-uprobes -d 2 -w 1 --fail-on livelock -- "$corpus/two_lock_grid"
	expect blind 4 "--fail-on without the probe it needs: status 4" err 'cannot be ruled out'
	same "never healthy when the probe is missing" "$(get 'S["state"]' blind)" undetermined
	same "the missing probe is named" "$(get 'len(S["missing_probes"]) > 0' blind)" True
	run futex-only 20 watch --json --no-uprobes -d 2 -w 1 --fail-on deadlock -- "$corpus/abba_deadlock"
	expect futex-only 3 "--no-uprobes: a deadlock needs futexes only"
	run short 20 watch -d 1 -w 5 --fail-on livelock -- sleep 10
	expect short 4 "--fail-on and no full window: status 4" err 'no full window'
}

# Any program that does something at all is a storm when one event a second is allowed.
test_storm() {
	run storm 30 record -o "$tmp/storm.hw" --json -d 8 -w 1 --max-rate 1 -- "$corpus/two_lock_grid"
	expect storm 0 "--max-rate: said when the probes rest for the first time" err 'the probes rest'
	check "its summary fits the schema" tests/tool/schema.py "$schema" "$tmp/storm.out"
	same "a livelock is found once, and lasts" "$(get '[f["verdict"] for f in F], S["state"]' storm)" \
		"(['livelock'], 'livelock')"
	# Four windows and the interval after them, once or at most as often as it fits.
	same "how long they rested" "$(get '4 < S["rested_s"] < S["duration_s"] - 1' storm)" True
	check "they count again after a rest" counts_again "$tmp/storm.hw"
	run storm-replay 20 replay --json "$tmp/storm.hw"
	same "a replay says the same" "$(get 'S["rested_s"], S["events"], S["state"]' storm-replay)" \
		"$(get 'S["rested_s"], S["events"], S["state"]' storm)"
	run calm 30 watch -d 3 -w 1 --max-rate 1 -- "$corpus/two_lock_ordered"
	expect calm 0 "--max-rate: nothing is found where nothing is" out 'findings: none' \
		out '^  sampled: .* rested for [0-9.]+ s' out '^State: healthy'
	run storm-usage 5 watch --max-rate much -- true
	expect storm-usage 2 "--max-rate that is no number" err 'is not a rate'
}

# With nothing wrong, trylocks are watched in some windows only; what is wrong is looked at all the time.
test_many_tries() {
	# shellcheck disable=SC2016	# for the sh that is watched
	local script='echo trylock 60000 | "$1"'
	check "the load builds" "${CC:-gcc}" -O2 -pthread -o "$tmp/load" tests/benchprobe/load.c
	run tries 30 record -o "$tmp/tries.hw" --json -d 6 -w 0.5 --max-tries 100 -- sh -c "$script" sh "$tmp/load"
	expect tries 0 "--max-tries: said when it happens first" err '100 trylocks a second, and nothing is wrong'
	check "--max-tries: its summary fits the schema" tests/tool/schema.py "$schema" "$tmp/tries.out"
	same "--max-tries: healthy, and mostly left in peace" \
		"$(get 'F, S["state"], 2 < S["tries_rested_s"] < S["duration_s"] - 0.5, S["rested_s"]' tries)" "([], 'healthy', True, 0.0)"
	run tries-replay 20 replay --json "$tmp/tries.hw"
	same "--max-tries: a replay says the same" "$(get 'S["tries_rested_s"], S["events"], S["state"]' tries-replay)" \
		"$(get 'S["tries_rested_s"], S["events"], S["state"]' tries)"
	run tries-text 30 watch -d 4 -w 0.5 -- sh -c "$script" sh "$tmp/load"
	expect tries-text 0 "--max-tries: by default as well, in text" out '^State: healthy' out '^  sampled: many trylocks .*--max-tries'
	run tries-all 30 watch --json -d 2 -w 0.5 --max-tries 0 -- sh -c "$script" sh "$tmp/load"
	same "--max-tries 0: all are watched" "$(get 'S["state"], S["tries_rested_s"]' tries-all)" "('healthy', 0.0)"
	run tries-wrong 30 watch --json -d 5 -w 1 --max-tries 20 -- "$corpus/two_lock_grid"
	same "--max-tries: a livelock is watched all the time" \
		"$(get '[f["verdict"] for f in F], S["state"], S["tries_rested_s"]' tries-wrong)" "(['livelock'], 'livelock', 0.0)"
}

# It rests for longer than this takes: what begins meanwhile is told because trylocks are peeked at.
test_late_livelock() {
	check "the late livelock builds" "${CC:-gcc}" -O2 -pthread -o "$tmp/late" tests/tool/late_livelock.c
	run late 40 record -o "$tmp/late.hw" --json -d 12 -w 1 --max-tries 20 -- "$tmp/late" 4
	same "--max-tries: a livelock that begins in a rest is told" \
		"$(get '[f["verdict"] for f in F], S["state"], S["tries_rested_s"] > 1' late)" "(['livelock'], 'livelock', True)"
	run late-replay 20 replay --json "$tmp/late.hw"
	same "--max-tries: and by a replay" "$(get '[(f["verdict"], f["latency_s"]) for f in F]' late-replay)" \
		"$(get '[(f["verdict"], f["latency_s"]) for f in F]' late)"
}

# counts_again FILE: in a recording, events grow in an interval in which nobody rests any more.
counts_again() {
	python3 - "$1" <<-'END'
		import gzip, json, sys
		rested, again = 0, False
		for line in gzip.open(sys.argv[1], "rt"):
		    row = json.loads(line)
		    if row["type"] != "snapshot":
		        continue
		    again |= rested > 0 and row["rested_ns"] == rested and "events" in row["counters"]
		    rested = row.get("rested_ns", 0)
		sys.exit(not again)
	END
}

# Zombies that init has not reaped yet do not count.
no_group() {	# PGID
	local left
	left=$(ps -e -o pgid=,stat=,pid=,args= | awk -v g="$1" '$1 == g && $2 !~ /^[ZX]/')
	[ -z "$left" ] || { echo "$left"; return 1; }
}

# The COMMAND's own life: descriptors, stdio, group, ways to end.
test_command() {
	run short-life 10 watch --json -- sh -c 'sleep 0.3; exit 7'
	expect short-life 0 "target's exit ends the watch"
	check "its summary fits the schema" tests/tool/schema.py "$schema" "$tmp/short-life.out"
	same "exit status is shown" "$(get 'S["command"]["ended"], S["command"]["exit_status"], S["command"]["signal"]' short-life)" \
		"(True, 7, None)"
	run killed 10 watch --json -- sh -c 'kill -SEGV $$'
	same "death by signal is shown" "$(get 'S["command"]["exit_status"], S["command"]["signal"]' killed)" \
		"(None, 11)"
	run killed-text 10 watch -- sh -c 'kill -SEGV $$'
	expect killed-text 0 "death by signal in text" out 'killed by signal 11'
	# What we were given ourselves may go on to it; nothing more.
	run fds 10 watch -- sh -c 'ls /proc/$$/fd'
	same "no descriptor of ours is inherited" \
		"$(grep -E '^[0-9]+$' "$tmp/fds.out" | xargs)" "$(sh -c 'ls /proc/$$/fd' </dev/null | xargs)"
	run stdout 10 watch --json -- echo not-json
	check "--json: the command's output is not among ours" tests/tool/schema.py "$schema" "$tmp/stdout.out"
	expect stdout 0 "--json: the command's output goes to stderr" err '^not-json$'
	run stdout-text 10 watch -- echo hello
	expect stdout-text 0 "text: the command keeps its stdout" out '^hello$'
	# A command that ignores SIGTERM, with a child in its group.
	run stubborn 12 watch -d 1 -w 0.5 -- sh -c \
		"trap '' TERM; sleep 300 & echo \$! >$tmp/child; echo \$\$ >$tmp/leader; while :; do sleep 300; done"
	expect stubborn 0 "a command that ignores SIGTERM is killed"
	check "its process group is gone" no_group "$(cat "$tmp/leader")"
	same "it had a child" "$(test -s "$tmp/child" && echo yes)" yes
}

test_signals() {
	local signal pid
	for signal in INT TERM; do
		# job control gives the tool a disposition of SIGINT that is not "ignored"
		(
			set -m
			exec timeout --foreground -k 5 20 "$headway" watch --json -w 1 -- sleep 300
		) >"$tmp/sig.out" 2>"$tmp/sig.err" </dev/null &
		pid=$!
		started+=("$pid")
		sleep 1.5
		pkill_child "$signal" "$pid"
		wait "$pid"
		status=$?
		expect sig 0 "SIG$signal ends it with status 0"
		same "SIG$signal: the last line is the summary" "$(get 'L[-1]["type"]' sig)" summary
	done
	"$headway" watch -w 1 -- sleep 300.25 >/dev/null 2>&1 </dev/null &
	pid=$!
	started+=("$pid")
	until_true 60 pgrep -xf "sleep 300.25" >/dev/null
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	if until_true 60 bash -c '! pgrep -xf "sleep 300.25"' >/dev/null; then
		ok "SIGKILL of the tool takes the command with it"
	else
		not_ok "SIGKILL of the tool takes the command with it" "sleep 300.25 is still there"
	fi
}

# To the tool itself: the timeout(1) around it is ours.
pkill_child() {	# SIGNAL PID
	local tool
	tool=$(pgrep -P "$2" -x headway) || tool=$2
	kill -s "$1" "$tool"
}

test_attach() {
	CORPUS_SECONDS=30 "$corpus/two_lock_ordered" &
	local target=$!
	started+=("$target")
	sleep 0.3
	run attach 10 watch --json -d 2 -w 1 --fail-on livelock,starvation,deadlock -p "$target" -p "$target"
	expect attach 0 "-p of a healthy process, --fail-on: status 0"
	same "attached: healthy or contended" "$(get 'S["state"] in ("healthy", "contended")' attach)" True
	check "a process that we only watched lives on" alive "$target"
	( sleep 4; kill -TERM "$target" ) &
	run vanish 20 watch --json -w 1 -p "$target"
	expect vanish 0 "exit of a watched process ends the watch"
	wait "$target" 2>/dev/null
}

# Threads that were asleep long before: no call of theirs is ever seen.
test_attach_late() {
	CORPUS_SECONDS=30 "$corpus/abba_deadlock" &
	local target=$!
	started+=("$target")
	sleep 1
	run late 20 watch --json -d 3 -w 1 --fail-on deadlock -p "$target"
	expect late 3 "a deadlock from before the watch is found"
	same "its stacks are named" \
		"$(get 'all(any("lock_both" in x for x in a["stack"]) for a in F[0]["actors"])' late)" True
	kill -KILL "$target"
	wait "$target" 2>/dev/null
}

test_terminal() {
	timeout -k 5 20 script -qefc "$headway watch -d 2 -w 1 -- $corpus/two_lock_grid" "$tmp/tty.out" \
		>/dev/null 2>&1 </dev/null
	check "terminal: a live line with the time left" grep -aqE $'\r\033\\[K.*s left' "$tmp/tty.out"
	check "terminal: colour" grep -aqE $'\033\\[[0-9;]*mLIVELOCK' "$tmp/tty.out"
	NO_COLOR=1 timeout -k 5 20 script -qefc "$headway watch -d 2 -w 1 -- $corpus/two_lock_grid" \
		"$tmp/plain.out" >/dev/null 2>&1 </dev/null
	check "terminal: NO_COLOR" lacks '\x1b\[[0-9;]*m' "$tmp/plain.out"
}

# What a watch must not leave: programs of ours in the kernel, mounts, files. Others may be watching
# at the same time, so a program counts as left when no process has it open, directly or by a link.
test_nothing_left() {
	local mounts
	mounts=$(wc -l </proc/self/mountinfo)
	run leave 10 watch -d 1 -w 0.5 -- "$corpus/two_lock_grid"
	check "no BPF program is left" until_true 60 no_orphans
	same "no mount is left" "$(wc -l </proc/self/mountinfo)" "$mounts"
	same "nothing is pinned" "$(find /sys/fs/bpf -iname '*headway*' 2>/dev/null | wc -l)" 0
}

no_orphans() {
	local programs held orphans
	programs=$(/usr/sbin/bpftool prog show | sed -n 's/^\([0-9]*\): .* name headway_.*/\1/p' | sort)
	held=$(cat /proc/[0-9]*/fdinfo/* 2>/dev/null | sed -n 's/^prog_id:[[:space:]]*//p' | sort -u)
	orphans=$(comm -23 <(echo "$programs") <(echo "$held"))
	[ -z "${orphans//[[:space:]]/}" ] || { echo "programs without a process: ${orphans//$'\n'/ }"; return 1; }
}

# shellcheck source=tests/tool/examples.sh
. tests/tool/examples.sh
# shellcheck source=tests/tool/group.sh
. tests/tool/group.sh
# shellcheck source=tests/tool/hostile.sh
. tests/tool/hostile.sh
# shellcheck source=tests/tool/install.sh
. tests/tool/install.sh
# shellcheck source=tests/tool/privileges.sh
. tests/tool/privileges.sh
# shellcheck source=tests/tool/room.sh
. tests/tool/room.sh

ktap_begin tool
if [ "$(id -u)" -ne 0 ]; then
	skip everything "needs root"
	ktap_end
	exit
fi
test_usage
test_man_pages
test_completions
test_install
test_bad_targets
test_doctor
test_demo
test_privileges
test_findings
test_storm
test_many_tries
test_late_livelock
test_hostile_names
test_hostile_symbols
test_crafted_elf
test_command
test_signals
test_attach
test_attach_late
test_cgroup
test_all
test_examples
test_room
test_crowd
test_terminal
test_nothing_left
ktap_end
status=$?
# Each example for those who keep servers running, as it stands there: a document of its own.
tests/docs/session.py userspace/guide.md build && exit "$status"
