#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# selftest.sh - do the reports of the benchmarks say what was measured, and nothing of what was not? (run by the
# unit tier)
#
# Each case is a canned log of headway_bench.ko, read by the real report.sh.
# shellcheck disable=SC2317 # says and lacks are called by check
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$here/../lib/ktap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# raw OP SIDE "KEY=VALUE..." NUMBER...: a line for each round, from round 0 on, of a contestant that made a commit in
# so many us; 0 = none at all. The words override what is said otherwise.
raw() {
	local op=$1 side=$2 more=$3 round=0 us
	shift 3

	for us; do
		echo "headway-bench: op=$op threads=1 locks=2 pool=64 hold_ns=0 round=$round side=$side" \
			"time_ns=$((us ? us * 1000000 : 1000000))" \
			"commits=$((us ? 1000 : 0)) rollbacks=0 wasted=0 restarts_max=0 all_most=10" \
			"all_least=10 wait_p50_ns=100 wait_p999_ns=5000 once_ps=$((us * 1000000)) waits=0 $more"
		round=$((round + 1))
	done
}

# report: of the log on stdin.
report() {
	cat >"$work/raw"
	"$here/report.sh" uml "$work/raw" >"$work/out" 2>&1 || echo "report.sh failed" >>"$work/out"
}

# Both with an extended regular expression for one line.
says() {
	grep -Eq -- "$1" "$work/out" || { cat "$work/out"; return 1; }
}

lacks() {
	! grep -E -- "$1|report.sh failed" "$work/out"
}

ktap_begin bench.reports

# Round 0 does not count.
{ raw presorted wound-wait "" 900 10 10 10; raw presorted mutex "" 1 10 10 10; raw presorted ww_mutex "" 9 50 50 50; } | report
check judged says 'name=lock.presorted n=2 metric=vs_mutex value=1 .*target=<=1.05 verdict=met'
check judged_missing_none says 'name=lock.presorted n=2 metric=vs_ww value=0.2 .*verdict=met'
check judged_counted says '^  2 of 2 met$'
check not_run_has_no_row lacks 'ordered / mutex|policy=ordered'

{ raw presorted wound-wait "" 10 10; raw presorted mutex "" 10 10; } | report
check missing_base says 'metric=vs_mutex value=1 '
check missing_base_is_not_judged lacks 'vs_ww|/ ww_mutex'
{ raw presorted mutex "" 10 10; raw presorted ww_mutex "" 10 10; } | report
check missing_ours_is_not_judged lacks 'vs_ww|vs_mutex|target|wound-wait'

{ raw presorted wound-wait "" 1 11 11 10 12; raw presorted mutex "" 1 10 10 10 10; } | report
check missed_within_noise says 'vs_mutex +1\.10 +<= 1\.05 +1\.00\.\.1\.20 +MISSED, within the noise'
check missed_is_missed says 'verdict=missed'
check missed_counted says '0 of 1 met, 1 missed within the noise'
{ raw presorted wound-wait "" 1 13 13 12 14; raw presorted mutex "" 1 10 10 10 10; } | report
check missed_by_more says '1\.20\.\.1\.40 +MISSED$'
# Of 9 rounds the extremes are left off, of 15 three at each end.
{ raw presorted wound-wait "" 1 90 10 11 11 11 11 11 12 1; raw presorted mutex "" 1 10 10 10 10 10 10 10 10 10; } | report
check noise_of_9 says 'min=0.1 max=9 low=1 high=1.2 '

# The noise of batch800 is what two equal domains differ by; the best is one of four.
batch() {
	raw batch800 wound-wait "$1" 1 20 20 20
	raw batch800 wait-die "$1" 1 10 10 10
	raw batch800 adaptive "$1" 1 11 11 11
}
batch_peers() {
	raw batch800 ww_mutex-wound-wait "" 1 20 20 20
	raw batch800 ww_mutex-wait-die "" 1 30 30 30
}
{ batch ""; batch_peers; raw batch800 wait-die-again "" 1 12 12 12; } | report
check batch_noise says 'time_vs_best +1\.10 +<= 1\.0 +of 1\.20 +MISSED, within the noise'
check batch_again says 'policy=wait-die metric=again_vs_once value=1.2 '
{ batch ""; batch_peers; raw batch800 wait-die-again "" 1 10 10 10; raw batch800 wound-wait-again "" 1 19 19 19; } | report
check batch_more_than_noise says 'time_vs_best +1\.10 +<= 1\.0 +of 1\.05 +MISSED$'
{ batch ""; batch_peers; } | report
check batch_without_again says 'time_vs_best +1\.10 +<= 1\.0 +MISSED$'
batch "" | report
check batch_best_of_some says 'best_of_those_run=wait-die metric=time_vs_best value=1.1 '
check batch_best_of_some_is_not_judged lacks 'target'
{ raw batch800 wait-die "" 1 10 10; raw batch800 adaptive "" 1 10 10; } | report
check batch_one_arm lacks 'better_arm|target'

contended() {
	raw contended mutex "" 1 10 10 10
	raw contended drm_exec "" 1 20 20 20
	raw contended xfs-trylock "" 1 20 20 20
	raw contended std-lock "" 1 20 20 20
	raw contended rt_mutex "" 1 20 20 20
}
{ contended; raw contended ww_mutex "" 1 20 20 20; raw contended wound-wait "" 1 10 10 10; } | report
check contended says 'vs_best, points, wound-wait +1 of 1 +>= 1\.0 +met'
check contended_ww says 'metric=vs_ww value=2 .*target=>=1.5 judged=wound-wait'
{ contended; raw contended ww_mutex "" 1 20 20 20; raw contended wound-wait "" 1 11 10 13; } | report
check contended_near says 'vs_best, points, wound-wait +0 of 1 +>= 1\.0 +1 within it +MISSED, within the noise'
{ contended; raw contended wound-wait "" 1 10 10 10; } | report
check contended_without_ww lacks 'vs_ww|p999_wait|metric=vs_best .*target|points, wound-wait'
check contended_best_of_some says 'best_of_those_run=mutex metric=vs_best value=1 '
{ raw contended wound-wait "" 1 10 10 10; raw contended ordered "" 1 10 10 10; } | report
check contended_without_peers lacks 'vs_|best peer'
# Who commits nothing has a throughput, of none.
{ contended; raw contended ww_mutex "" 1 20 20 20; raw contended wound-wait "" 1 0 0 10; } | report
check contended_no_commit says 'metric=vs_best value=0 '

dinner() {
	local side

	for side in ordered persistent smart; do
		raw philosophers_cube hinnant-$side "first_ns=5000000" 1 10 10 10
	done
	raw philosophers_cube adaptive "first_ns=5000000" 1 9 9 9
}
{ dinner; raw philosophers_cube hinnant-polite "first_ns=5000000" 1 8 8 8; } | report
check dinner says 'philosophers table=cube eat_us=0 vs_best +1\.1[23] +<= 1\.00 +MISSED$'
dinner | report
check dinner_without_one_is_shown says "best of those of the four that were run"
check dinner_without_one_is_not_judged lacks 'target|table=cube metric=vs_best'
raw philosophers_cube adaptive "first_ns=5000000" 1 9 9 9 | report
check dinner_without_four lacks 'vs_best|target|best of'

size="lock_bytes=120 stats_bytes=70 used_bytes=130"
scale() {
	raw scale "$1" "pool=1 $size" 1 10 10 10
	raw scale "$1" "pool=1000 $size" 1 "$2" "$2" "$2"
}
{ scale headway 30; scale mutex 20; } | report
check scale_added says 'added_vs_mutex +2\.00 +<= 2 +met'
check scale_size says 'metric=without_stats value=50 .*target=<=64'
scale headway 30 | report
check scale_without_mutex lacks 'vs_mutex'
check scale_without_mutex_says_the_rest says 'locks=1000 metric=vs_one_lock value=3 '
scale mutex 30 | report
check scale_without_headway lacks 'BENCH|target'

{ raw stats on "" 1 10 10 10; raw stats off "" 1 10 10 10; } | report
check stats says 'on_vs_off +1\.00 +>= 0\.95 +met'
raw stats on "" 1 10 10 10 | report
check stats_without_off lacks 'on_vs_off|target'

report </dev/null
check nothing lacks .

ktap_end
