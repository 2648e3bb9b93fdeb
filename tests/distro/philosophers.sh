# SPDX-License-Identifier: GPL-2.0
# philosophers.sh - the session that guest.sh (it sources this) has with philosophers.ko: a livelock is
# made, seen in every file of debugfs and by the tool and perf, and cured; bad input changes nothing.
# shellcheck shell=bash
# shellcheck disable=SC2154 # root, modules, headway, tracing, reach_ms: guest.sh's
# shellcheck disable=SC2317 # the functions below are called by check

domain=$root/domains/philosophers

verdict_is() {
	grep -qx "verdict=$1" "$domain/summary"
}

meals() {
	local line sum=0

	while read -r line; do
		[[ $line != seat=* ]] || {
			line=${line#*meals=}
			sum=$((sum + ${line%% *}))
		}
	done </sys/kernel/debug/philosophers/meals
	echo "$sum"
}

ate_more_than() {
	[ "$(meals)" -gt "$1" ]
}

logged() {
	log_since 'headway-test: philosophers' | finds "$1"
}

# One look at the summary, so that its lines belong together: busy, and nothing comes of it.
is_livelocked() {
	local line
	local -A now=()

	# Read at once: bash seeks back after each line, and the file is made anew for each seek.
	while read -r line; do
		[[ $line == '#'* ]] || now[${line%%=*}]=${line#*=}
	done <<<"$(<"$domain/summary")"
	[ "${now[verdict]}" = livelock ] && [ "${now[window_commits]}" -eq 0 ] &&
		[ "${now[window_rollbacks]}" -ge 16 ]
}

is_not_livelocked() {
	! verdict_is livelock
}

first_lines_name_their_format() {
	local file line

	for file in "$root/version" "$domain"/*; do
		[ "${file##*/}" != reset ] || continue
		read -r line <"$file" || return 1
		[ "$line" = "# headway.${file##*/} v1" ] || {
			echo "$file begins with: $line"
			return 1
		}
	done
}

only_root_reads() {
	local file mode

	[ "$(stat -c %a "$root")" = 700 ] || {
		echo "mode of $root: $(stat -c %a "$root")"
		return 1
	}
	for file in "$root/version" "$domain"/*; do
		mode=$(stat -c %a "$file")
		case ${file##*/}:$mode in
		policy:600 | watchdog:600 | reset:200) ;;
		policy:* | watchdog:* | reset:*) echo "$file: $mode" && return 1 ;;
		*:400) ;;
		*) echo "$file: $mode" && return 1 ;;
		esac
	done
	! setpriv --reuid 65534 --clear-groups cat "$root/version" 2>/dev/null
}

# What the module makes of the kernel log, the tracepoint and debugfs when nobody eats.
find_livelock() {
	check "none: livelock, with rollbacks and no commits" within 60 is_livelocked
	check "none: the kernel log says so" logged 'headway: philosophers: livelock: 0 commits'
	check "none: the tracepoint says so" \
		grep -q 'headway_verdict: .*philosophers.* to=livelock' "$tracing/trace"
	check "none: the events say so" grep -q ' to=livelock ' "$domain/events"
}

# One command, while somebody waits at all times, if only for the token. Each look takes seconds where all is
# checked and emulated; under other policies most of them find nobody.
while_they_queue() {
	local before ret

	before=$(sed -n 's/^current=//p' "$domain/policy")
	write_to "$domain/policy" serial || return
	"$@"
	ret=$?
	write_to "$domain/policy" "$before" || return
	return $ret
}

# watch_kernel NAME ARGUMENTS...: headway watch in the background; its output in /tmp/NAME.json and .err,
# and what it saw in /tmp/NAME.hw.
watch_kernel() {
	local name=$1
	shift

	"$headway" record -o "/tmp/$name.hw" --json -w 1 "$@" >"/tmp/$name.json" 2>"/tmp/$name.err" </dev/null &
	watcher=$!
}

# watch_said NAME json|err PATTERN: what it has said on stdout or stderr.
watch_said() {
	grep -qE -- "$3" "/tmp/$1.$2" || {
		cat "/tmp/$1.json" "/tmp/$1.err"
		return 1
	}
}

# watch_ends STATUS NAME: by itself, or as it has been told to. What never ends is a failure of the
# guest's time limit, and the last lines say where.
watch_ends() {
	local code

	wait "$watcher"
	code=$?
	[ "$code" -eq "$1" ] || tail -n 3 "/tmp/$2.json" "/tmp/$2.err"
	check "watch -k: ends with status $1" [ "$code" -eq "$1" ]
	check "watch -k: its recording says the same" replay_says "$2"
}

# replay_says NAME: what the watch said, to the byte.
replay_says() {
	"$headway" replay --json "/tmp/$1.hw" </dev/null | cmp - "/tmp/$1.json"
}

# Live transactions: where they wait, and a graph that the real parser takes.
show_transactions() {
	check "transactions: stacks, without addresses" while_they_queue within 60 stacks_are_shown
	check "graph_dot: dot reads it" while_they_queue within 60 dot_has_an_edge
}

stacks_are_shown() {
	local file

	file=$(<"$domain/transactions")
	[[ $file == *' stack='*'headway_'*'+0x'* && $file != *=0x* && $file != *'<-0x'* ]]
}

dot_has_an_edge() {
	dot -Tplain "$domain/graph_dot" 2>&1 | finds '^edge t'
}

# The kernel's own event for contended locks, with the stack that says by whom. On a kernel that does not
# export it there is nothing of ours to see.
show_contention() {
	if ! grep -q ' __ksymtab___tracepoint_contention_begin$' /proc/kallsyms; then
		skip "contention_begin: events are ours" "$(uname -r) does not export it"
		skip "perf lock contention: shows our locks" "$(uname -r) does not export contention_begin"
		return
	fi
	# The KUnit suite of these events runs there too; with a stack at each, the guest gets no further.
	if [ -e /proc/lockdep ]; then
		skip "contention_begin: events are ours" "emulated, with lockdep: a stack takes too long"
		skip "perf lock contention: shows our locks" "emulated, with lockdep: it would take minutes"
		return
	fi
	echo 1 >"$tracing"/options/stacktrace
	echo 1 >"$tracing"/events/lock/contention_begin/enable
	check "contention_begin: events are ours" within 60 contention_is_ours
	echo 0 >"$tracing"/events/lock/contention_begin/enable
	echo 0 >"$tracing"/options/stacktrace
	if [ ! -e /proc/sys/kernel/perf_event_paranoid ]; then
		skip "perf lock contention: shows our locks" "$(uname -r) has no perf events"
	else
		check "perf lock contention: shows our locks" perf_shows_our_locks
	fi
}

# Whose locks: perf names the caller, which is the philosophers' thread or what it was inlined from.
perf_shows_our_locks() {
	timeout 600 perf record -q --no-bpf-event -B -N -e lock:contention_begin -e lock:contention_end \
		-a -g -m 64 -o /tmp/perf.data -- sleep 1 || return
	timeout 300 perf lock contention -i /tmp/perf.data 2>&1 | tee /tmp/perf.txt
	grep -qE ' mutex +(dine|__headway_|headway_)[a-z_]*\+0x' /tmp/perf.txt
}

contention_is_ours() {
	grep -A 24 'contention_begin: .*flags=SPIN|MUTEX' "$tracing/trace" | finds headway_acquire_slow
}

kernel_livelock='"verdict":"livelock","confidence":"confirmed","source":"kernel","pid":null,"comm":null,"domain":"philosophers"'

# The livelock stands as the watch begins.
watch_begins() {
	watch_kernel cured -k philosophers
	check "watch -k: finds the livelock, and who is in it" within 30 \
		watch_said cured json "$kernel_livelock.*\"actors_total\":[2-5],"
	check "watch -k: shows kernel stacks" watch_said cured json '"stack":\[.*\[philosophers\]'
}

watch_saw_the_cure() {
	check "watch -k: says that it is over" within 30 \
		watch_said cured err '^headway record: kernel domain philosophers: [a-z-]+ after [0-9.]+ s of livelock$'
	kill -TERM "$watcher"
	watch_ends 0 cured
	check "watch -k: there is no livelock any more" watch_said cured json '"state":"[^l]'
}

watch_sees_the_relapse() {
	check "watch -k: finds a livelock as it begins" within 30 watch_said relapse json "$kernel_livelock"
}

watch_sees_the_end() {
	watch_ends 3 relapse
	check "watch -k: says that its domain is gone" \
		watch_said relapse err 'kernel domain philosophers is gone; its last verdict was livelock$'
}

# Every policy but none: switched to under load, by file, and they eat.
cure() {
	local policy=$1 before

	before=$(meals)
	check "$policy: switched to while in use" write_to "$domain/policy" "$policy"
	check "$policy: is the current one" grep -qx "current=$policy" "$domain/policy"
	[ "$policy" != adaptive ] || check "adaptive: says which arm is on" \
		grep -qxE 'adaptive_arm=(wound-wait|wait-die)' "$domain/summary"
	check "$policy: they eat" within 60 ate_more_than $((before + 20))
	check "$policy: the alarm is over" within 30 is_not_livelocked
}

watchdog_takes_all_or_nothing() {
	fails_with "out of range" write_to "$domain/watchdog" "rollbacks_min=77 window_ns=1" || return 1
	! grep -qx rollbacks_min=77 "$domain/watchdog" || return 1
	write_to "$domain/watchdog" rollbacks_min=17 && grep -qx rollbacks_min=17 "$domain/watchdog" &&
		write_to "$domain/watchdog" rollbacks_min=16
}

reset_zeroes() {
	local before

	before=$(field "$domain/summary" begun)
	write_to "$domain/reset" 1 && [ "$(field "$domain/summary" commits)" -lt "$before" ] &&
		fails_with "Invalid argument" write_to "$domain/reset" 2
}

bad_input() {
	check "policy: an unknown one is EINVAL" \
		fails_with "Invalid argument" write_to "$domain/policy" no-such-policy
	check "policy: an empty one is EINVAL" fails_with "Invalid argument" write_to "$domain/policy" ""
	check "policy: stays as it was" grep -qx "current=$1" "$domain/policy"
	check "watchdog: garbage is EINVAL" \
		fails_with "Invalid argument" write_to "$domain/watchdog" window_ns=soon
	check "watchdog: takes all or nothing" watchdog_takes_all_or_nothing
	check "reset: 1 zeroes the counters" reset_zeroes
	check "rmmod: a module in use stays" fails_with "in use" rmmod headway
	check "philosophers: twice is refused" \
		fails_with "File exists" insmod "$modules/kmod/examples/philosophers.ko"
}

# What the guide for kernel authors shows, run as it stands there. On one kernel: where everything is checked
# and emulated, bpftrace takes minutes to begin.
guide_is_true() {
	write_to "$domain/policy" none && within 60 is_livelocked &&
		(cd "$top" && tests/docs/session.py kmod/guide.md) >/tmp/guide && return
	cat /tmp/guide
	return 1
}

stat_fits_the_schema() {
	"$headway" stat --json --histograms philosophers >/tmp/stat.json </dev/null &&
		grep -q '"type":"histogram".*"kind":"wait"' /tmp/stat.json &&
		"$top/tests/tool/schema.py" "$top/userspace/headway.schema.json" /tmp/stat.json
}

use_the_tool() {
	if [ ! -x "$headway" ]; then
		skip "tool: stat and policy" "build/headway is not there"
		return
	fi
	check "tool: stat shows the domain" tool 0 fork0 stat philosophers
	check "tool: stat shows stacks" while_they_queue within 30 tool 0 'headway_' stat --stacks philosophers
	check "tool: stat shows how long waits took" while_they_queue within 30 \
		tool 0 sampled stat --histograms philosophers
	check "tool: stat prints DOT" tool 0 'digraph "philosophers" {' stat --dot
	check "tool: stat prints JSON" tool 0 '"domain":"philosophers"' stat --json
	check "tool: stat --json of a domain fits the schema" while_they_queue within 60 stat_fits_the_schema
	check "tool: policy switches" tool 0 polite policy philosophers polite
	check "tool: it has switched" grep -qx current=polite "$domain/policy"
	check "tool: an unknown policy fails" tool 1 no-such-policy policy philosophers no-such-policy
	check "tool: an unknown domain fails" tool 1 no-such-domain stat no-such-domain
	check "tool: watch of an unknown domain fails" tool 1 "Domains now: philosophers" watch -k no-such-domain
	check "tool: watch of one that gets on" tool 0 "State: " watch -kphilosophers -d 0.5 --fail-on livelock
}

# Stopped in the middle of whatever they do; the limit is 2 s, and some for starting rmmod here. With
# lockdep and KASAN all of it takes ten times as long.
stop_quickly() {
	local start limit=4000

	[ ! -e /proc/lockdep ] || limit=40000

	start=$(now_ms)
	rmmod philosophers || return 1
	[ $(($(now_ms) - start)) -lt "$limit" ] || {
		echo "rmmod took $(($(now_ms) - start)) ms"
		return 1
	}
}

philosophers() {
	local policy policies last=none

	mark_log philosophers
	check "tracepoints are there" \
		write_to "$tracing"/events/headway/headway_verdict/enable 1
	check "philosophers.ko loads" insmod "$modules/kmod/examples/philosophers.ko" reach_ms="$reach_ms"
	[ -d "$domain" ] || {
		not_ok "the domain is in debugfs"
		return
	}
	check "debugfs: first lines name the format" first_lines_name_their_format
	check "debugfs: for root only" only_root_reads
	find_livelock
	[ ! -x "$headway" ] || watch_begins
	mapfile -t policies <<<"$(sed -n 's/^policy=//p' "$domain/policy")"
	check "policies are listed" [ ${#policies[@]} -ge 4 ]
	for policy in "${policies[@]}"; do
		[ "$policy" = none ] || {
			cure "$policy"
			last=$policy
		}
	done
	[ ! -x "$headway" ] || watch_saw_the_cure
	show_transactions
	show_contention
	bad_input "$last"
	use_the_tool
	if [ -x "$top/build/bpf-examples/rollbacks" ] && [[ $(uname -r) =~ ^6\.1\.[0-9]+-[0-9]+-amd64 ]]; then
		check "kmod/guide.md: its examples print what it shows" guide_is_true
		write_to "$domain/policy" "$last"
	fi
	[ ! -x "$headway" ] || look_at_domain
	[ ! -x "$headway" ] || watch_kernel relapse -k philosophers --fail-on livelock
	check "none again: switched to" write_to "$domain/policy" none
	check "none again: livelock" within 60 is_livelocked
	[ ! -x "$headway" ] || watch_sees_the_relapse
	check "rmmod in a livelock ends" stop_quickly
	[ ! -x "$headway" ] || watch_sees_the_end
	check "the domain is gone" [ ! -e "$domain" ]
	for policy in "${policies[@]}"; do
		check "$policy: loads as the first policy" insmod "$modules/kmod/examples/philosophers.ko" \
			policy="$policy" seats=9 reach_ms="$reach_ms"
		sleep 0.3
		check "$policy: rmmod under load ends" stop_quickly
	done
	stalled_holder
	for policy in policy=no-such seats=1 seats=65 reach_ms=0 reach_ms=100000 meal_us=2000000; do
		check "philosophers: $policy is refused" \
			fails_with "Invalid parameters" insmod "$modules/kmod/examples/philosophers.ko" "$policy"
	done
}

# Meals that take longer than the domain's user has said that a wait may.
stalled_holder() {
	mark_log "a long meal"
	check "a long meal: loads" insmod "$modules/kmod/examples/philosophers.ko" policy=ordered \
		reach_ms="$reach_ms" meal_us=900000
	check "a long meal: takes limits" \
		write_to "$domain/watchdog" "window_ns=100000000 wait_max_ns=50000000"
	check "a long meal: the log names the holder" within 30 logged_since "a long meal" \
		'philosophers: stalled-holder: .*; waits: philosopher/[0-9]*\[[0-9]*\] -> fork[0-9]* -> philosopher/'
	check "a long meal: the log shows where others wait" within 30 logged_since "a long meal" \
		'philosophers: philosopher/[0-9]*\[[0-9]*\] waits; stack headway_.*<-.*\[philosophers\]'
	# Where the kernel lets a module look at the stack of another task.
	if nm -u "$modules/kmod/headway.ko" | finds ' stack_trace_save_tsk$'; then
		check "a long meal: the log shows where the holder is" within 30 logged_since "a long meal" \
			'philosophers: philosopher/[0-9]*\[[0-9]*\] holds; stack .*\[philosophers\]'
	else
		skip "a long meal: the log shows where the holder is" "this kernel does not let modules see"
	fi
	check "a long meal: rmmod ends" stop_quickly
}

logged_since() {
	log_since "headway-test: $1" | finds "$2"
}
