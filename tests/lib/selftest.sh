#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# selftest.sh - does the test machinery itself fail when it should? (run by the unit tier)
#
# Each case is a canned tier, judged by the real run.sh. A runner that forgives a hang or a crash
# makes every other result worthless, so this is the first thing that is tested.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$here/ktap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# judge NAME EXPECTED_LAST_LINE EXPECTED_STATUS, with the tier's script on stdin.
judge() {
	local name=$1 expected=$2 expected_status=$3 tier=$work/tests/$1 output status last

	mkdir -p "$tier"
	{ echo '#!/bin/bash'; cat; } >"$tier/run.sh"
	chmod "${mode:-0755}" "$tier/run.sh"
	output=$(HEADWAY_TESTS_DIR=$work/tests HEADWAY_LOGS_DIR=$work/logs \
		HEADWAY_TIER_TIMEOUT=${limit:-20} "$top/tests/run.sh" "$name" 2>&1)
	status=$?
	last=${output##*$'\n'}
	if [ "$last" = "$expected" ] && [ "$status" -eq "$expected_status" ]; then
		ok "$name"
	else
		not_ok "$name" "expected '$expected' and status $expected_status, got '$last' and $status from:
$output"
	fi
}

# splat_judge NAME EXPECTED_STATUS, with a console log on stdin.
splat_judge() {
	local output status

	cat >"$work/console"
	output=$("$here/splat.sh" "$work/console")
	status=$?
	if [ "$status" -eq "$2" ]; then
		ok "splat_$1"
	else
		not_ok "splat_$1" "expected status $2, got $status: $output"
	fi
}

ktap_begin selftest

judge all_pass '2 passed, 0 failed, 0 skipped' 0 <<'END'
printf 'KTAP version 1\n1..2\nok 1 - a\nok 2 - b\n'
END
judge one_fails '1 passed, 1 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\n1..2\nok 1 - a\nnot ok 2 - b\n'; exit 1
END

# A failure that happens once in a hundred runs must be understood from the last lines of one.
says=$(HEADWAY_TESTS_DIR=$work/tests HEADWAY_LOGS_DIR=$work/logs bash -c '
	mkdir -p "$HEADWAY_TESTS_DIR/says"
	cat >"$HEADWAY_TESTS_DIR/says/run.sh"
	chmod 0755 "$HEADWAY_TESTS_DIR/says/run.sh"
	exec "$0" says' "$top/tests/run.sh" <<'END'
#!/bin/bash
echo '# kernel: 6.1-rt'
printf 'KTAP version 1\n1..1\n    KTAP version 1\n    1..2\n    # a: all is well\n    ok 1 a\n'
printf '    # b: EXPECTATION FAILED at b.c:7\n    Expected x == y, but\n        x == 1\n        y == 2\n'
printf 'other words\n    not ok 2 b\nnot ok 1 suite\n'
END
)
says=$(sed -n '/^failed/,$p' <<<"$says" | tail -n +2)
expected='  says: not ok 2 b (kernel 6.1-rt)
      # b: EXPECTATION FAILED at b.c:7
      Expected x == y, but
      x == 1
      y == 2
1 passed, 1 failed, 0 skipped'
if [ "$says" = "$expected" ]; then
	ok says_why_it_failed
else
	not_ok says_why_it_failed "expected:
$expected
got:
$says"
fi

check finds_reads_to_the_end eval "seq 1000000 | finds '^1$'"
check finds_nothing eval "! seq 10 | finds x"
judge fails_but_exits_0 '1 passed, 1 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\n1..2\nok 1 - a\nnot ok 2 - b\n'
END
judge one_skipped '1 passed, 0 failed, 1 skipped' 0 <<'END'
printf 'KTAP version 1\n1..2\nok 1 - a\nok 2 - b # SKIP no such thing here\n'
END
judge all_skipped '0 passed, 0 failed, 1 skipped' 1 <<'END'
printf 'KTAP version 1\n1..1\nok 1 - b # SKIP no such thing here\n'
END
judge prints_nothing '0 passed, 1 failed, 0 skipped' 1 <<'END'
exit 0
END
judge dies_in_silence '1 passed, 1 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\n1..1\nok 1 - a\n'; exit 3
END
judge dies_midway '1 passed, 1 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\n1..3\nok 1 - a\n'
END
judge no_plan '1 passed, 1 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\nok 1 - a\n'
END
judge second_document_without_plan '2 passed, 1 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\n1..1\nok 1 - a\nKTAP version 1\nok 1 - b\n'
END
judge more_than_planned '2 passed, 1 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\n1..1\nok 1 - a\nok 2 - b\n'
END
limit=2 judge hangs '1 passed, 2 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\n1..2\nok 1 - a\n'; sleep 60
END
# A process that a tier leaves behind keeps its output open; that must not hang the runner.
judge leaves_a_process '1 passed, 0 failed, 0 skipped' 0 <<'END'
printf 'KTAP version 1\n1..1\nok 1 - a\n'; setsid sleep 15 &
END
mode=0644 judge unexecutable_tier_script '0 passed, 1 failed, 0 skipped' 1 <<'END'
printf 'KTAP version 1\n1..1\nok 1 - a\n'
END
# KUnit's form: only the three leaves count.
judge nested '2 passed, 0 failed, 1 skipped' 0 <<'END'
cat <<'KTAP'
KTAP version 1
1..2
    KTAP version 1
    # Subtest: one
    1..2
    ok 1 a
        KTAP version 1
        # Subtest: b
        ok 1 parameter
    ok 2 b
# one: pass:2 fail:0 skip:0 total:2
ok 1 one
    KTAP version 1
    # Subtest: two
    1..1
    ok 1 c # SKIP not here
ok 2 two # SKIP
KTAP
END
judge nested_failure '1 passed, 1 failed, 0 skipped' 1 <<'END'
cat <<'KTAP'
KTAP version 1
1..1
    KTAP version 1
    # Subtest: one
    1..2
    ok 1 a
    not ok 2 b
not ok 1 one
KTAP
END
judge suite_fails_alone '1 passed, 1 failed, 0 skipped' 1 <<'END'
cat <<'KTAP'
KTAP version 1
1..1
    KTAP version 1
    # Subtest: one
    1..1
    ok 1 a
not ok 1 one
KTAP
END
judge nested_stops_midway '1 passed, 2 failed, 0 skipped' 1 <<'END'
cat <<'KTAP'
KTAP version 1
1..2
    KTAP version 1
    # Subtest: one
    1..3
    ok 1 a
KTAP
END

splat_judge clean 0 <<'END'
[    1.000000] Linux version 6.1.0
[    2.000000] headway: loaded
ok 1 - WARNING in a test's name is no splat
END
splat_judge warning 1 <<'END'
[    2.000000] headway: loaded
[    2.100000] ------------[ cut here ]------------
[    2.100001] WARNING: CPU: 0 PID: 1 at kmod/lock.c:1 headway_lock+0x1/0x2
END
splat_judge kasan 1 <<'END'
BUG: KASAN: slab-use-after-free in headway_lock+0x1/0x2
END
splat_judge lockdep 1 <<'END'
[    2.000000][  T100] WARNING: possible circular locking dependency detected
END
splat_judge rcu_stall 1 <<'END'
[   22.000000] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
END
splat_judge hung_task 1 <<'END'
[  242.000000] INFO: task insmod:77 blocked for more than 120 seconds.
END
splat_judge panic 1 <<'END'
[    2.000000] Kernel panic - not syncing: Attempted to kill init!
END
splat_judge fenced 0 <<'END'
[    2.000000] headway-expect-splat: begin
[    2.100001] WARNING: CPU: 0 PID: 1 at kmod/lock.c:1 headway_lock+0x1/0x2
[    2.200000] headway-expect-splat: end
END
splat_judge after_a_fence 1 <<'END'
[    2.000000] headway-expect-splat: begin
[    2.200000] headway-expect-splat: end
[    2.300000] BUG: scheduling while atomic: insmod/77/0x2
END

# race FUNCTION...: a report of two accesses, each by these functions, innermost first.
race() {
	local access

	echo "[    3.000000] BUG: KCSAN: data-race in a / b"
	for access in "write to 0x1 of 8 bytes by task 1 on cpu 0:" "read (marked) to 0x1 of 8 bytes by interrupt on cpu 1:"; do
		echo "[    3.000000] $access"
		printf '[    3.000000]  %s\n' "$@"
		echo "[    3.000000]"
	done
	echo "[    3.000000] =================================================================="
}
splat_judge race 1 < <(race "a+0x1/0x2")
export HEADWAY_FOREIGN_RACES=1
splat_judge race_elsewhere 0 < <(race "hrtimer_wakeup+0x1/0x2" "headway_sleep+0x1/0x2 [headway]")
splat_judge race_of_ours 1 < <(race "headway_own+0x1/0x2 [headway]" "kthread+0x1/0x2")
splat_judge race_by_memcpy 1 < <(race "__memcpy+0x1/0x2" "headway_own+0x1/0x2 [headway]")
splat_judge race_cut_short 1 < <(race "a+0x1/0x2" | head -2)
splat_judge warning_after_races 1 < <(race "a+0x1/0x2" && echo "[    4.000000] BUG: scheduling while atomic")
unset HEADWAY_FOREIGN_RACES

ktap_end
