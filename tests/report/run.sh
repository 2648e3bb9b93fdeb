#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runs: beside
# report tier: `headway report` on the recordings of the corpus: the page, opened and used in headless Chromium;
# names that would be script; the trace, the folded stacks and the graph, each read by what reads such.
#
# Screenshots are kept in build/captures.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lib/ktap.sh
. tests/lib/ktap.sh
recordings=tests/replay/recordings
tmp=$(mktemp -d)
pages=$tmp/pages
mkdir "$pages"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

make -s build/headway build/headway-nopage build/corpus/two_lock_grid >&2 || exit 1

# report NAME FILE OPTION...: output in $tmp/NAME; sets $status.
report() {
	local name=$1 file=$2
	shift 2
	timeout -k 5 60 build/headway report "$@" "$file" >"$tmp/$name" 2>"$tmp/$name.err" </dev/null
	status=$?
}

fails() {
	! "$@" >/dev/null
}

# What is in the page as data, as a browser takes it out.
data_of() {
	sed -n '/<script type="application\/json" id="data">/,/<\/script>/p' "$1" | sed '1d; s,</script>$,,'
}

# The findings of the page are those of the replay, each with its times.
same_findings() {
	data_of "$1" >"$tmp/data"
	build/headway replay --json "$2" | /usr/bin/python3 -B -c '
import json, sys
page = json.load(open(sys.argv[1]))
lines = [json.loads(line) for line in sys.stdin]
for finding in page["findings"]:
    at, until, _ = finding.pop("at_s"), finding.pop("until_s"), finding.pop("over")
    assert finding.pop("meaning")
    assert finding["first_seen_s"] <= at <= until <= page["summary"]["duration_s"] + 1, (at, until)
assert page["findings"] + [page["summary"]] == lines, "the page says something else than replay"
columns = len(page["ends_s"])
assert columns == len(page["states"]) and page["ends_s"] == sorted(page["ends_s"])
assert (page["actors"] or page["domains"]) and page["clock_ns"] > 0
for actor in page["actors"]:
    assert columns == len(actor["attempts"]) == len(actor["completions"]) == len(actor["cpu_percent"])
for domain in page["domains"]:
    assert columns == len(domain["attempts"]) == len(domain["completions"]) == len(domain["states"])
' "$tmp/data"
}

# remade HOW NAME RECORDING: the page of a recording that remake.py has changed.
remade() {
	tests/report/remake.py "$1" "$recordings/$3.hw" "$tmp/$2.hw" || exit 1
	report "pages/$2.html" "$tmp/$2.hw"
	check "$2: status 0" test "$status" -eq 0
	check "$2: no tag in the data" fails grep -F '<' <(data_of "$pages/$2.html")
}

test_pages() {
	local name

	while IFS=$'\t' read -r name _; do
		[[ "$name" != \#* ]] || continue
		report "pages/$name.html" "$recordings/$name.hw"
		check "$name: status 0" test "$status" -eq 0
		check "$name: says what replay says" same_findings "$pages/$name.html" "$recordings/$name.hw"
	done <"$recordings/expected.tsv"
	report again "$recordings/two_lock_grid.hw"
	check "the same recording makes the same page" cmp "$tmp/again" "$pages/two_lock_grid.html"
	check "nothing in it is fetched" fails grep -oE '(src|href|url)[=(]"?https?:[^"]*' "$tmp/again"
	remade hostile hostile two_lock_grid
	remade hostile hostile-kernel philosophers
	remade bare bare philosophers
	check "without a reading of locks: none are in the page" grep -q '"locks":\[\]' <(data_of "$pages/bare.html")
	sed 's/\\u003c/</g; s/\\u003e/>/g' "$pages/hostile.html" >"$pages/injected.html"
}

test_colours() {
	local style=userspace/report/style.css

	check "colours: apart for the colour-blind, and readable" tests/report/colours.py "$style"
	sed 's/--completions: #[0-9a-f]*/--completions: #7a6a00/' "$style" >"$tmp/style.css"
	check "control: orange beside olive is not" fails tests/report/colours.py "$tmp/style.css"
	sed 's/--faint: #[0-9a-f]*/--faint: #9a9a9a/' "$style" >"$tmp/style.css"
	check "control: pale grey on white is not" fails tests/report/colours.py "$tmp/style.css"
}

# Some of each kind are opened; the rest would say the same for more time.
test_browser() {
	local name why=''

	[ -x /usr/bin/chromedriver ] && [ -x /usr/bin/chromium ] || why="no chromium-driver or chromium"
	/usr/bin/python3 -B -c 'import selenium.webdriver' 2>/dev/null || why="no python3-selenium"
	if [ -n "$why" ]; then
		skip "in a browser" "$why"
		return
	fi
	for name in two_lock_grid abba_deadlock hot_mutex starved_by_hog idle_yield philosophers kernel_and_process; do
		data_of "$pages/$name.html" | /usr/bin/python3 -B -c \
			'import json, sys; print(json.load(sys.stdin)["summary"]["state"])' >"$pages/$name.state"
	done
	HOME=$tmp timeout -k 10 500 tests/report/browse.py "$pages" build/captures >"$tmp/browse.out" 2>"$tmp/browse.err"
	status=$?
	browsed=$(grep -c '^ok' "$tmp/browse.out")
	sed -n 's/^# /# /p' "$tmp/browse.out"
	while read -r line; do
		case $line in
		ok*) ok "${line#* - report.}" ;;
		not*) not_ok "${line#* - report.}" "see above" ;;
		esac
	done <"$tmp/browse.out"
	check "the browser came to the end" test "$status" -eq 0 -a "$browsed" -gt 0
	[ "$status" -eq 0 ] || sed 's/^/# /' "$tmp/browse.err"
}

folded_is_right() {
	[ -s "$1" ] && fails grep -vE '^[^;]+(;[^;]+)+ [0-9]+$' "$1"
}

test_others() {
	report trace "$recordings/two_lock_grid.hw" --perfetto
	check "--perfetto: a trace with the livelock" tests/report/trace.py "$tmp/trace" livelock
	check "control: a trace without it is noticed" fails tests/report/trace.py "$tmp/trace" deadlock
	sed 's/"ph":"e"/"ph":"b"/' "$tmp/trace" >"$tmp/bad-trace"
	check "control: a finding that does not end is noticed" fails tests/report/trace.py "$tmp/bad-trace" livelock
	report healthy "$recordings/hot_mutex.hw" --perfetto
	check "--perfetto: nothing found" tests/report/trace.py "$tmp/healthy"
	report hostile-trace "$tmp/hostile.hw" --perfetto
	check "--perfetto: hostile names" tests/report/trace.py "$tmp/hostile-trace" livelock
	report kernel-trace "$recordings/kernel_and_process.hw" --perfetto
	check "--perfetto: the kernel as well" tests/report/trace.py "$tmp/kernel-trace" livelock
	check "--perfetto: what a domain did" grep -q '"name":"kernel domain philosophers, per second".*"rollbacks"' \
		"$tmp/kernel-trace"
	report folded "$recordings/two_lock_grid.hw" --folded
	check "--folded: lines of a flame graph" folded_is_right "$tmp/folded"
	check "--folded: where it rolls back" grep -Eq '^two_lock_grid;.*;transfer_with_rollback\+0x[^;]* [0-9]+$' "$tmp/folded"
	report hostile-folded "$tmp/hostile.hw" --folded
	check "--folded: hostile names" folded_is_right "$tmp/hostile-folded"
	report kernel-folded "$recordings/philosophers.hw" --folded
	check "--folded: the kernel" grep -Eq '^kernel domain philosophers;.*;dine\+0x[^;]*;.* [1-9][0-9]*$' \
		"$tmp/kernel-folded"
	report hostile-kernel-folded "$tmp/hostile-kernel.hw" --folded
	check "--folded: hostile names of the kernel" folded_is_right "$tmp/hostile-kernel-folded"
	report kernel-graph "$recordings/philosophers.hw" --dot
	check "--dot: the kernel" grep -q '^	"kernel thread [0-9]*" -> .*label="fork' "$tmp/kernel-graph"
	report hostile-kernel-graph "$tmp/hostile-kernel.hw" --dot
	check "--dot: hostile names of the kernel" dot -Tsvg -o "$tmp/graph.svg" "$tmp/hostile-kernel-graph"
	report graph "$recordings/abba_deadlock.hw" --dot
	check "--dot: Graphviz draws it" dot -Tsvg -o "$tmp/graph.svg" "$tmp/graph"
	check "--dot: a cycle of two" test "$(grep -c ' -> ' "$tmp/graph")" -eq 2
	report hostile-graph "$tmp/hostile.hw" --dot
	check "--dot: hostile names" dot -Tsvg -o "$tmp/graph.svg" "$tmp/hostile-graph"
}

test_errors() {
	local size

	report usage "$recordings/abba_deadlock.hw" --dot --folded
	check "two forms: status 2" test "$status" -eq 2
	report nowhere /nowhere/x.hw
	check "no such file: status 1" test "$status" -eq 1
	check "no such file: nothing printed" test ! -s "$tmp/nowhere"
	size=$(stat -c %s "$recordings/two_lock_grid.hw")
	head -c $((size * 9 / 10)) "$recordings/two_lock_grid.hw" >"$tmp/cut.hw"
	report cut "$tmp/cut.hw"
	check "cut off: status 1" test "$status" -eq 1
	check "cut off: says where" grep -q 'byte [0-9]* .*expected' "$tmp/cut.err"
	check "cut off: a page all the same" grep -q '"findings":\[{' <(data_of "$tmp/cut")
	script -qec "build/headway report $recordings/abba_deadlock.hw" /dev/null >"$tmp/terminal" </dev/null
	check "a terminal: status 2" test $? -eq 2
	check "a terminal: says where the page goes" grep -q 'the page goes to a file' "$tmp/terminal"
	build/headway report "$recordings/abba_deadlock.hw" >/dev/full 2>"$tmp/full.err"
	check "a full disk: status 1" test $? -eq 1
	check "a full disk: said" grep -q 'cannot write' "$tmp/full.err"
	build/headway-nopage report "$recordings/abba_deadlock.hw" >"$tmp/nopage" 2>"$tmp/nopage.err"
	check "built without the page: status 1" test $? -eq 1
	check "built without the page: says what to do" grep -q 'build.sh --can' "$tmp/nopage.err"
	check "built without the page: the others work" grep -q digraph \
		<(build/headway-nopage report --dot "$recordings/abba_deadlock.hw")
}

# What is watched now: the same page, with the names that the program has.
test_live() {
	if [ "$(id -u)" -ne 0 ]; then
		skip "live" "needs root"
		return
	fi
	timeout -k 5 60 build/headway report --live -d 2 -w 1 -o "$tmp/kept.hw" -- build/corpus/two_lock_grid \
		>"$tmp/live.html" 2>"$tmp/live.err" </dev/null
	check "live: status 0" test $? -eq 0
	check "live: says what replay says" same_findings "$tmp/live.html" "$tmp/kept.hw"
	check "live: names of threads" grep -q '"comm":"a_to_b"' <(data_of "$tmp/live.html")
	check "live: names of functions" grep -q 'transfer_with_rollback' <(data_of "$tmp/live.html")
	timeout -k 5 60 build/headway report --live --folded -d 2 -w 1 -- build/corpus/two_lock_grid >"$tmp/live.folded" \
		2>"$tmp/live.err" </dev/null
	check "live: kept nowhere" folded_is_right "$tmp/live.folded"
	build/headway report --live -k no-such-domain >"$tmp/absent" 2>"$tmp/absent.err"
	check "live: the kernel alone, which is not there: status 1" test $? -eq 1
	check "live: the kernel alone, which is not there: said once" test "$(wc -l <"$tmp/absent.err")" -eq 1
	build/headway report --dot --live -a >"$tmp/late" 2>"$tmp/late.err"
	check "live: not the first option: status 2" test $? -eq 2
	build/headway report --live -p 4194000 >"$tmp/gone" 2>"$tmp/gone.err"
	check "live: no such process: status 1" test $? -eq 1
	check "live: no such process: said once" test "$(wc -l <"$tmp/gone.err")" -eq 1
}

ktap_begin report
test_colours
test_pages
test_others
test_errors
test_live
test_browser
ktap_end
