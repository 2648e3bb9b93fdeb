# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# privileges.sh - part of run.sh: with the three capabilities that are needed, without each of them, and
# what root gives up.
# shellcheck disable=SC2154,SC2034	# run.sh sets some, and reads others

# as_nobody NAME LIMIT CAPS ARGS...: the tool as run() runs it, as somebody who has these and no more.
as_nobody() {
	local name=$1 limit=$2 caps=$3
	shift 3
	timeout -k 5 "$limit" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps="$caps" \
		--ambient-caps="$caps" --bounding-set="$caps" "$tmp/open/headway" "$@" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null
	status=$?
}

# What the process may use: its permitted set, all of which we make effective.
capabilities_of() {
	sed -n 's/^CapPrm:[[:space:]]*//p' "/proc/$1/status"
}

capabilities_are() {	# PID SET
	[ "$(capabilities_of "$1")" = "$2" ]
}

test_privileges() {
	local all=+bpf,+perfmon,+sys_ptrace setcap='sudo setcap cap_bpf,cap_perfmon,cap_sys_ptrace=ep .*/headway' pid want
	local -x CORPUS_SECONDS=120
	mkdir "$tmp/open" && chmod 755 "$tmp" "$tmp/open"
	install -m 755 "$headway" "$corpus/abba_deadlock" "$tmp/open/"
	"$tmp/open/abba_deadlock" >/dev/null 2>&1 </dev/null &
	pid=$!
	started+=("$pid")

	as_nobody three 30 "$all" watch --json -d 2.5 -w 1 --fail-on deadlock -p "$pid"
	expect three 3 "three capabilities: a deadlock in another user's process is found"
	same "three capabilities: locks by name" "$(get 'sorted(l["name"] for l in F[0]["locks"])' three)" \
		"['mutex_left', 'mutex_right']"
	check "three capabilities: no word of any that is missing" lacks 'missing:' "$tmp/three.err"
	as_nobody no-bpf 20 +perfmon,+sys_ptrace watch -d 2 -p "$pid"
	expect no-bpf 1 "without CAP_BPF: status 1, which, and what to do" err "missing: CAP_BPF; .*$setcap"
	as_nobody no-perfmon 20 +bpf,+sys_ptrace watch -d 2 -p "$pid"
	expect no-perfmon 1 "without CAP_PERFMON: status 1, which, and what to do" err "missing: CAP_PERFMON; .*$setcap"
	as_nobody no-ptrace 30 +bpf,+perfmon watch --json -d 2.5 -w 1 -p "$pid"
	expect no-ptrace 0 "without CAP_SYS_PTRACE: goes on, says which, and what to do" err "missing: CAP_SYS_PTRACE; .*$setcap"
	same "without CAP_SYS_PTRACE: nothing wrong is found" \
		"$(get '[f["verdict"] for f in F if f["verdict"] not in ("deadlock", "undetermined")], S["state"] in ("deadlock", "undetermined")' no-ptrace)" \
		"([], True)"
	as_nobody no-doctor 20 +bpf,+sys_ptrace doctor
	expect no-doctor 1 "doctor without CAP_PERFMON: status 1, which, and what to do" \
		out 'missing +permission: uid 65534 lacks CAP_PERFMON$' out "to do: .*$setcap"

	# DAC_READ_SEARCH, SYS_PTRACE, PERFMON, BPF and CHECKPOINT_RESTORE, of those that we have
	printf -v want %016x $((0x$(capabilities_of self) & 0x1c000080004))
	"$headway" watch --no-uprobes -w 1 -p "$pid" >"$tmp/drop.out" 2>"$tmp/drop.err" </dev/null &
	started+=("$!")
	check "root gives up all but what a watch needs" until_true 200 capabilities_are "$!" "$want"
	check "and still finds what it looks for" until_true 300 grep -q '^DEADLOCK' "$tmp/drop.out"
	kill -TERM "$!"
	wait "$!"
	status=$?
	expect drop 0 "and ends as ever" out '^State: deadlock'
	end "$pid"
}
