# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# targets.sh - part of guest.sh: what the probes find in a cgroup, in the whole system, and as somebody who
# has three capabilities.
# shellcheck disable=SC2154	# guest.sh sets some
# shellcheck disable=SC2317	# called by check

# found_of FILE VERDICT PID: there is such a finding.
found_of() {
	grep -q "\"verdict\":\"$2\".*\"pid\":$3," "$1" || {
		cat "$1"
		return 1
	}
}

# in_cgroup DIR PROGRAM: in the background.
in_cgroup() {
	echo "$BASHPID" >"$1/cgroup.procs" && exec "$2" >/dev/null 2>&1 </dev/null
}

# gave_up PID: of root's capabilities it has those that a watch needs, and no other. Where a uprobe needs
# CAP_SYS_ADMIN (2 in the sixth digit from the right), that is one of them.
gave_up() {
	sed -n 's/^CapPrm:[[:space:]]*//p' "/proc/$1/status" | grep -xE '000001c000[02]80004' >/dev/null
}

# as_nobody ARGUMENTS...: the tool, as somebody who has what it says that it needs.
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=+bpf,+perfmon,+sys_ptrace \
		--ambient-caps=+bpf,+perfmon,+sys_ptrace --bounding-set=+bpf,+perfmon,+sys_ptrace \
		/tmp/open/headway "$@" </dev/null
}

# One livelocks in the cgroup, another is blocked outside of it; both for longer than this takes.
targets() {
	local cgroup=/sys/fs/cgroup/headway-test livelock deadlock watch
	local -x CORPUS_SECONDS=600

	if ! mkdir "$cgroup" /tmp/open; then
		not_ok "probes: a cgroup can be made" "$(cat /proc/mounts)"
		return
	fi
	chmod 755 /tmp/open
	install -m 755 "$headway" "$top/build/corpus/two_lock_grid" "$top/build/corpus/abba_deadlock" /tmp/open/
	in_cgroup "$cgroup" /tmp/open/two_lock_grid &
	livelock=$!
	/tmp/open/abba_deadlock >/dev/null 2>&1 </dev/null &
	deadlock=$!

	timeout 120 "$headway" watch --json -d 10 -w 3 -c "$cgroup" >/tmp/in.json 2>&1 </dev/null
	check "probes: -c: a livelock in a cgroup is found" found_of /tmp/in.json livelock "$livelock"
	check "probes: -c: and nothing outside of it" eval "! grep '\"pid\":$deadlock,' /tmp/in.json"
	# It ends by itself; under timeout(1) it would be somebody else's child.
	"$headway" watch --json -d 10 -w 3 -a >/tmp/all.json 2>&1 </dev/null &
	watch=$!
	check "probes: root's other capabilities are given up" within 60 gave_up "$watch"
	wait "$watch"
	check "probes: -a: a livelock somewhere is found" found_of /tmp/all.json livelock "$livelock"
	check "probes: -a: and a deadlock" found_of /tmp/all.json deadlock "$deadlock"
	as_nobody watch --json -d 8 -w 3 -p "$deadlock" >/tmp/three.json 2>&1
	check "probes: a deadlock is found with three capabilities" found_of /tmp/three.json deadlock "$deadlock"

	kill -KILL "$livelock" "$deadlock"
	wait "$livelock" "$deadlock"
	check "probes: the cgroup can be removed" within 20 rmdir "$cgroup"
}
