# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# group.sh - part of run.sh: watching a cgroup, and the whole system.
# shellcheck disable=SC2154,SC2034	# run.sh sets some, and reads others

# A directory of the v2 hierarchy that is ours; mounts it when it is not there. Sets $hierarchy.
find_hierarchy() {
	hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[ -z "$hierarchy" ] || return 0
	mkdir "$tmp/cgroup2" && mount -t cgroup2 none "$tmp/cgroup2" 2>/dev/null || return 1
	mounted=$tmp/cgroup2
	hierarchy=$mounted
}

# in_cgroup DIR PROGRAM ARGS...: in the background; sets $pid.
in_cgroup() {
	local dir=$1
	shift
	( echo "$BASHPID" >"$dir/cgroup.procs" && exec "$@" ) >/dev/null 2>&1 </dev/null &
	pid=$!
	started+=("$pid")
}

end() {	# PID...
	kill -KILL "$@" 2>/dev/null
	wait "$@" 2>/dev/null
}

v1_path() {
	awk '$3 == "cgroup" { print $2; exit }' /proc/self/mounts
}

watch_cgroup_paths() {
	local v1
	run nowhere 10 watch -d 1 -c /no/such/cgroup
	expect nowhere 1 "-c of a path that is none: status 1" err 'there is no cgroup /no/such/cgroup'
	check "-c of a path that is none: one line" one_line nowhere
	run plain 10 watch -d 1 -c /proc
	expect plain 1 "-c of another directory: status 1" err 'there is no cgroup /proc'
	v1=$(v1_path)
	if [ -n "$v1" ]; then
		run v1 10 watch -d 1 -c "$v1"
		expect v1 1 "-c of a cgroup v1: status 1, and what to give" err 'of the v1 hierarchy' err '0::'
	else
		skip "-c of a cgroup v1" "there is none here"
	fi
	run empty 20 watch --json -d 1 -w 0.5 -c "$home/empty"
	expect empty 0 "-c of an empty cgroup: waits" err 'no process is in the cgroup .*/empty: waiting'
	check "its summary fits the schema" tests/tool/schema.py "$schema" "$tmp/empty.out"
	same "an empty cgroup is idle" "$(get 'S["state"], S["group"]["processes_entered"]' empty)" "('idle', 0)"
	run empty-fail 20 watch -d 1 -w 0.5 --fail-on livelock -c "$home/empty"
	expect empty-fail 4 "--fail-on, and nobody was in the cgroup: status 4" err 'no process was ever in'
}

test_cgroup() {
	local home inside outside below
	local -x CORPUS_SECONDS=300
	if ! find_hierarchy; then
		skip "-c CGROUP" "no cgroup v2 hierarchy, and none can be mounted"
		return
	fi
	if ! home=$(mktemp -d "$hierarchy/headway-test.XXXXXX"); then
		skip "-c CGROUP" "no cgroup can be made in $hierarchy"
		return
	fi
	mkdir "$home/empty" "$home/below" "$home/gone"
	cgroups+=("$home/below" "$home/gone" "$home/empty" "$home")
	watch_cgroup_paths

	in_cgroup "$home/below" "$corpus/two_lock_grid"
	inside=$pid
	"$corpus/two_lock_grid" >/dev/null 2>&1 </dev/null &
	outside=$!
	started+=("$outside")
	run in 30 watch --json -d 6 -w 2 --fail-on livelock -c "$home"
	expect in 3 "-c: a livelock in a cgroup below is found"
	check "-c: fits the schema" tests/tool/schema.py "$schema" "$tmp/in.out"
	same "-c: of the process inside, not of the one outside" "$(get 'set(f["pid"] for f in F)' in)" "{$inside}"
	same "-c: what it watched" "$(get 'S["group"]["cgroup"], S["group"]["processes_entered"]' in)" \
		"('$home', 1)"
	run by-name 30 watch --json -d 6 -w 2 --fail-on livelock -c "${home#"$hierarchy"}/below"
	expect by-name 3 "-c: a path as in /proc/PID/cgroup"
	run both 30 watch --json -d 6 -w 2 --fail-on livelock -c "$home" -p "$outside"
	same "-c with -p: both" "$(get 'sorted(set(f["pid"] for f in F))' both)" \
		"[$(printf '%s\n' "$inside" "$outside" | sort -n | paste -sd, | sed 's/,/, /')]"
	run file 30 record -o "$tmp/cgroup.hw" -d 6 -w 2 -c "$home"
	run replay 20 replay --json "$tmp/cgroup.hw"
	same "record -c: the replay finds it" "$(get 'set(f["pid"] for f in F)' replay)" "{$inside}"
	end "$inside" "$outside"

	# One that comes later.
	"$headway" watch --json -w 1 -c "$home/gone" >"$tmp/later.out" 2>"$tmp/later.err" </dev/null &
	below=$!
	started+=("$below")
	check "-c: it says that it waits" until_true 60 grep -q waiting "$tmp/later.err"
	in_cgroup "$home/gone" "$corpus/two_lock_grid"
	inside=$pid
	check "-c: who enters later is watched, too" until_true 60 grep -q '"livelock"' "$tmp/later.out"
	end "$inside"
	check "-c: a cgroup can be removed under a watch" until_true 60 rmdir "$home/gone"
	wait "$below"
	status=$?
	expect later 0 "-c: its removal ends the watch" err 'the cgroup was removed'
	same "-c: with a summary" "$(get 'L[-1]["type"]' later)" summary
}

# Both of its actors sleep in futex().
is_blocked() {	# PID
	[ "$(cat "/proc/$1/task/"*/syscall 2>/dev/null | grep -c '^202 ')" -eq 2 ]
}

test_all() {
	local pid
	local -x CORPUS_SECONDS=300
	"$corpus/two_lock_grid" >/dev/null 2>&1 </dev/null &
	pid=$!
	started+=("$pid")
	run all 40 watch --json -a -d 8 -w 2 --fail-on livelock
	expect all 3 "-a: a livelock somewhere is found"
	check "-a: fits the schema" tests/tool/schema.py "$schema" "$tmp/all.out"
	same "-a: it is that process" "$(get "$pid in [f['pid'] for f in F]" all)" True
	same "-a: more than one process was watched" "$(get 'S["group"]["processes_most"] > 1' all)" True
	end "$pid"
	# Asleep since before the watch, and for longer than idle ones are watched.
	"$corpus/abba_deadlock" >/dev/null 2>&1 </dev/null &
	pid=$!
	started+=("$pid")
	check "-a: the deadlock is there" until_true 60 is_blocked "$pid"
	run all-asleep 60 watch --json -a -d 12 -w 2 --fail-on deadlock
	expect all-asleep 3 "-a: a deadlock from before the watch is found"
	same "-a: what is part of a finding is not let go" \
		"$(get "$pid in [f['pid'] for f in F], S['state']" all-asleep)" "(True, 'deadlock')"
	end "$pid"
	run all-command 40 watch --json -a -w 2 -- sh -c 'sleep 3; exit 5'
	same "-a: ends with the COMMAND" "$(get 'S["command"]["exit_status"]' all-command)" 5
}

# How much memory does the tool need? In KiB.
peak_rss() {	# PID
	sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

# 200 processes with 25 threads each, of which each does something once in a second.
test_crowd() {
	local crowd watch rss
	"${CC:-gcc}" -std=gnu11 -O2 -Wall -Werror -pthread -o "$tmp/crowd" tests/tool/crowd.c || {
		not_ok "crowd builds" "see above"
		return
	}
	"$tmp/crowd" 200 25 >"$tmp/crowd.out" 2>&1 </dev/null &
	crowd=$!
	started+=("$crowd")
	check "the crowd is there" until_true 60 grep -q ready "$tmp/crowd.out"
	"$headway" watch --json -a -d 12 -w 5 >"$tmp/many.out" 2>"$tmp/many.err" </dev/null &
	watch=$!
	started+=("$watch")
	rss=0
	while alive "$watch"; do
		rss=$(peak_rss "$watch" || echo 0)
		[ -n "$rss" ] && [ "$rss" -gt 0 ] && echo "$rss" >"$tmp/rss"
		sleep 0.2
	done
	wait "$watch"
	status=$?
	expect many 0 "-a: 5,000 threads in 200 processes"
	rss=$(cat "$tmp/rss" 2>/dev/null || echo 0)
	echo "# 200 processes x 25 threads under -a: peak RSS $rss KiB"
	same "-a: the crowd was watched" "$(get 'S["group"]["processes_most"] >= 200' many)" True
	same "-a: and no event of it was lost" "$(get 'S["lost"]' many)" 0
	if [ "$rss" -gt 0 ] && [ "$rss" -le 65536 ]; then
		ok "-a: in 64 MiB"
	else
		not_ok "-a: in 64 MiB" "peak RSS $rss KiB"
	fi
	run crowd-record 30 record -o "$tmp/crowd.hwr" -a -d 6 -w 5
	expect crowd-record 0 "-a: a recording of the crowd"
	run crowd-report 30 report "$tmp/crowd.hwr"
	check "-a: at a crowd it looks twice in a window" grep -q '"interval_s":2\.500' "$tmp/crowd-report.out"
	let_go_of_many "$crowd"
	end "$crowd"
}

# To let go of a target takes the kernel a while; of 200 it must not take 200 times as long.
let_go_of_many() {	# PARENT
	local pid options=() watch begun ended
	for pid in $(ps -o pid= --ppid "$1"); do
		options+=(-p "$pid")
	done
	same "200 times -p" $((${#options[@]} / 2)) 200
	"$headway" watch --json -w 1 "${options[@]}" >"$tmp/let-go.out" 2>"$tmp/let-go.err" </dev/null &
	watch=$!
	started+=("$watch")
	check "200 times -p: windows are judged" until_true 60 grep -q watched "$tmp/let-go.err"
	begun=$(date +%s%3N)
	kill -INT "$watch"
	wait "$watch"
	status=$?
	ended=$(($(date +%s%3N) - begun))
	echo "# 200 times -p: ended $ended ms after Ctrl-C"
	expect let-go 0 "200 times -p: ends with status 0"
	if ! "$headway" doctor | grep -q 'works .*uprobe_multi'; then
		skip "200 times -p: soon after Ctrl-C" "no uprobe_multi links in this kernel"
	elif [ "$ended" -lt 15000 ]; then
		ok "200 times -p: soon after Ctrl-C"
	else
		not_ok "200 times -p: soon after Ctrl-C" "$ended ms"
	fi
}
