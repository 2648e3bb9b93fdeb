# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# room.sh - part of run.sh: more processes, threads and events than there is room for, 32-bit programs, and
# those that live for an instant: what is not seen is counted and told, and no verdict is made of the rest.
# shellcheck disable=SC2154,SC2034	# run.sh sets some, and reads others

build() {	# NAME FLAGS...
	local name=$1
	shift
	"${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror "$@" -o "$tmp/$name" "tests/tool/$name.c"
}

test_full_maps() {
	local i
	local -x CORPUS_SECONDS=120
	run threads 30 watch --json --room-threads 1 -d 3 -w 1 --fail-on livelock -- "$corpus/hot_mutex"
	expect threads 4 "--room-threads: too much is lost for --fail-on" err 'left out.*--room-threads'
	same "--room-threads: nothing is made up, and it is not called healthy" \
		"$(get '[f["verdict"] for f in F if f["verdict"] != "undetermined"], S["state"], S["lost"] > 0' threads)" "([], 'undetermined', True)"
	run text-threads 30 watch --room-threads 1 -d 3 -w 1 -- "$corpus/hot_mutex"
	expect text-threads 0 "--room-threads: in text, with what to do" out '^State: undetermined: .*lost' \
		out '--room-threads' out ' [1-9][0-9]* lost;'
	run blocked 30 watch --json --room-threads 1 -d 3 -w 1 -- "$corpus/abba_deadlock"
	same "--room-threads: nothing wrong is said of a deadlock of which half is seen" \
		"$(get '[f["verdict"] for f in F if f["verdict"] not in ("deadlock", "undetermined")], S["state"] in ("undetermined", "deadlock", "idle")' blocked)" \
		"([], True)"
	mkdir "$home/full"
	cgroups=("$home/full" "${cgroups[@]}")
	for i in 1 2 3; do
		in_cgroup "$home/full" "$corpus/two_lock_ordered"
	done
	run processes 30 watch --json --room-processes 2 -d 3 -w 1 --fail-on livelock -c "$home/full"
	expect processes 4 "--room-processes: with somebody left out, --fail-on cannot be answered" err 'left out.*--room-processes'
	same "--room-processes: nothing is made up, and who is left out is counted" \
		"$(get '[f["verdict"] for f in F if f["verdict"] != "undetermined"], S["group"]["left_out"], S["left_out"], S["group"]["processes_most"], S["state"]' processes)" "([], 1, 1, 2, 'undetermined')"
	run all 30 watch --json --room-processes 2 -d 3 -w 1 --fail-on livelock -a
	expect all 4 "--room-processes: so it is of all processes" err 'left out|were lost'
	same "--room-processes: nothing is made up of those of all that fit" \
		"$(get '[f["verdict"] for f in F if f["verdict"] != "undetermined"], S["group"]["left_out"] > 0, S["state"] != "healthy"' all)" "([], True, True)"
	run named 20 watch --room-processes 1 -d 1 -p "$pid" -p "$$"
	expect named 1 "--room-processes: one that was named does not fit: status 1" \
		err '1 are watched already.*--room-processes'
	end "${started[@]: -3}"
}

# with_outsider NAME ARGS... -- FIRST SECOND: there is room for a shell and FIRST, and none for SECOND.
with_outsider() {
	local name=$1 ours=() script
	shift
	while [ "$1" != -- ]; do
		ours+=("$1")
		shift
	done
	# shellcheck disable=SC2016	# for the sh that is watched
	script='$1 >/dev/null & $2 >/dev/null & wait'
	run "$name" 60 watch --room-processes 2 -w 1 "${ours[@]}" -- sh -c "$script" sh "$2" "$3"
}

# What is not watched may livelock, while all that are seen get on.
test_left_out() {
	local -x CORPUS_SECONDS=120
	with_outsider outsider --json -d 4 -o "$tmp/outsider.hw" --fail-on livelock -- "$corpus/two_lock_ordered" "$corpus/two_lock_grid"
	expect outsider 4 "a child without room: --fail-on cannot be answered" err 'left out.*--room-processes'
	same "a child without room: not called healthy for what the others do, and nothing is made up" \
		"$(get '[f["verdict"] for f in F if f["verdict"] != "undetermined"], S["state"], S["left_out"], S["lost"]' outsider)" "([], 'undetermined', 1, 1)"
	same "a child without room: why, and what makes room" \
		"$(get '"1 process found no room" in S["reason"], "--room-processes" in S["advice"]' outsider)" "(True, True)"
	run outsider-replay 20 replay --json --fail-on livelock "$tmp/outsider.hw"
	check "a child without room: a replay says the same" cmp "$tmp/outsider.out" "$tmp/outsider-replay.out"
	same "a child without room: and ends as the watch did" "$status" 4
	with_outsider outsider-text -d 3 -- "$corpus/two_lock_ordered" "$corpus/two_lock_grid"
	expect outsider-text 0 "a child without room: in text" out '^State: undetermined: 1 process found no room' \
		out '--room-processes' out 'left out: 1 processes'
	with_outsider seen --json -d 8 --fail-on livelock -- "sleep 1" "$corpus/two_lock_grid"
	expect seen 3 "a child without room has some when another has ended, and its livelock is found"
}

# is_blind NAME: of the 32-bit program nothing was said, and that it was there was.
is_blind() {
	same "$1: a 32-bit program is counted, and nothing is said of it" \
		"$(get '[f for f in F if f["comm"] == "bits32"], S["group"]["left_out_32bit"]' "$1")" "([], 1)"
}

test_32bit() {
	if ! build bits32 -m32 -ffreestanding -fno-pic -nostdlib -static; then
		not_ok "a 32-bit program builds" "see above"
		return
	fi
	# Ended by timeout: it runs.
	timeout 0.2 "$tmp/bits32"
	if [ $? -ne 124 ]; then
		skip "32-bit programs" "this kernel runs none"
		return
	fi
	mkdir "$home/bits32"
	cgroups=("$home/bits32" "${cgroups[@]}")
	in_cgroup "$home/bits32" "$tmp/bits32"
	run bits-cgroup 30 watch --json -d 3 -w 1 -c "$home/bits32"
	expect bits-cgroup 0 "-c: a 32-bit program is left out"
	is_blind bits-cgroup
	run bits-text 30 watch -d 1 -w 0.5 -c "$home/bits32"
	expect bits-text 0 "-c: which is told" out '1 32-bit left out, their calls cannot be seen'
	run bits-all 60 watch --json -d 3 -w 1 -a
	same "bits-all: a 32-bit program is counted, and nothing is said of it" \
		"$(get '[f for f in F if f["comm"] == "bits32"], S["group"]["left_out_32bit"] > 0' bits-all)" "([], True)"
	end "$pid"
}

# lived NAME CALLS: they went by, each with CALLS calls at least, and there was nothing to find.
lived() {
	local number
	expect "$1" 0 "$1: the watch ends with them" err '^[1-9][0-9]*$'
	number=$(grep -E '^[0-9]+$' "$tmp/$1.err")
	echo "# $1: $number, $(get 'S["events"], S["lost"]' "$1") events and lost ones, $(get 'S["duration_s"]' "$1") s"
	same "$1: nothing is found, and what they did was seen or counted as lost" \
		"$(get "[f['verdict'] for f in F if f['verdict'] != 'undetermined'], S['events'] + S['lost'] >= $2 * ${number:-1}" "$1")" "([], True)"
}

test_short_lived() {
	build shortlived -pthread || {
		not_ok "shortlived builds" "see above"
		return
	}
	run short-threads 150 watch --json -w 0.5 -- "$tmp/shortlived" threads 100000 120
	lived short-threads 3
	same "short-threads: as many as there were to be" "$(grep -E '^[0-9]+$' "$tmp/short-threads.err")" 100000
	run short-room 60 watch --json -w 0.5 --room-threads 64 -- "$tmp/shortlived" threads 5000 10
	lived short-room 3
	run short-processes 60 watch --json -w 0.5 -i 0.02 -- "$tmp/shortlived" processes 500 10
	lived short-processes 3
	check "short-processes: no word of one that died while it was read" \
		lacks 'cannot|No such' "$tmp/short-processes.err"
}

# stopped PID: by SIGSTOP.
stopped() {
	grep -q '^State:[[:space:]]*T' "/proc/$1/status"
}

# More events of births and deaths than the ring holds, as nobody takes them out: the tool is stopped.
test_lost_events() {
	local tool go fifo=$tmp/go script
	local -x CORPUS_SECONDS=120
	mkfifo "$fifo"
	# shellcheck disable=SC2016	# for the sh that is watched
	script=': >"$1.up"; read -r _ <"$1"; "$2" forks 6000 60 >"$1.forked"; "$3" & echo $! >"$1.child"; wait'
	"$headway" watch --json -w 1 -- sh -c "$script" sh "$fifo" "$tmp/shortlived" "$corpus/two_lock_grid" \
		>"$tmp/ring.out" 2>"$tmp/ring.err" </dev/null &
	tool=$!
	started+=("$tool")
	check "lost events: the command is watched" until_true 300 test -e "$fifo.up"
	exec {go}<>"$fifo"
	kill -STOP "$tool"
	check "lost events: the tool is stopped" until_true 100 stopped "$tool"
	echo go >&"$go"
	check "lost events: processes came and went" until_true 900 test -s "$fifo.child"
	check "lost events: enough of them" test "$(cat "$fifo.forked")" -ge 5000
	kill -CONT "$tool"
	exec {go}>&-
	check "lost events: a process of whose birth no event told is watched, and its livelock found" \
		until_true 300 grep -q '"livelock"' "$tmp/ring.out"
	kill -TERM "$tool"
	wait "$tool"
	status=$?
	expect ring 0 "lost events: it ends as ever"
	same "lost events: they are counted" "$(get 'S["lost"] > 0, {f["pid"] for f in F if f["verdict"] != "undetermined"}' ring)" \
		"(True, {$(cat "$fifo.child")})"
}

# The same without anything to find: the ring overflows between two looks.
test_lost_events_at_rest() {
	run rare 90 watch --json -w 60 -i 30 --fail-on livelock -- "$tmp/shortlived" forks 6000 25
	expect rare 4 "lost events: too many for --fail-on" err 'events were lost'
	same "lost events: not called healthy" "$(get '[f for f in F if f["verdict"] != "undetermined"], S["state"], S["lost"] > 0' rare)" "([], 'undetermined', True)"
	run rare-text 90 watch -w 60 -i 30 -- "$tmp/shortlived" forks 6000 25
	expect rare-text 0 "lost events: in text" out '^State: undetermined: .* events were lost' out ' [1-9][0-9]* lost;'
}

# mib NAME: what the maps take, in tenths of a MiB.
mib() {
	sed -n 's/.*maps take \([0-9]*\)\.\([0-9]\) MiB.*/\1\2/p' "$tmp/$1.err"
}

# All of it is there before the first event, and it is told.
test_memory() {
	run usual 20 watch --verbose -d 0.5 -w 0.5 -- sleep 5
	expect usual 0 "--verbose: memory of the maps" err 'room for 4096 processes and 16384 threads: .* MiB'
	run small 20 watch --verbose --room-processes 64 --room-threads 64 -d 0.5 -w 0.5 -- sleep 5
	expect small 0 "--verbose: of smaller ones" err 'room for 64 processes and 64 threads: .* MiB'
	echo "# maps: $(mib usual) by default, $(mib small) with room for 64, in tenths of a MiB"
	check "less room takes less memory" test "$(mib small)" -lt "$(mib usual)"
}

test_room() {
	local home pid
	test_memory
	test_short_lived
	test_lost_events
	test_lost_events_at_rest
	test_left_out
	if ! find_hierarchy || ! home=$(mktemp -d "$hierarchy/headway-room.XXXXXX"); then
		skip "more than there is room for" "no cgroup can be made here"
		return
	fi
	cgroups+=("$home")
	test_full_maps
	test_32bit
}
