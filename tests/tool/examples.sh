# SPDX-License-Identifier: GPL-2.0
# examples.sh - each command of README's section about processes, and of EXAMPLES in headway(8), is run as it
# stands there, but for who is watched and for how long (sourced by run.sh).
# shellcheck shell=bash
# shellcheck disable=SC2154	# run.sh sets them

# `headway demo` and `headway doctor` have tests of their own.
example_lines() {
	{
		sed -n '/^## Watch a process/,/^## /p' README.md |
			awk '/^```(sh)?$/ { inside = !inside; next } inside'
		sed -n '/^\.SH EXAMPLES/,$p' "$page" | sed 's/\\-/-/g'
	} | sed -n 's/ *#.*//; /^headway /p' | grep -vE '^headway (demo|doctor)$' | awk '!seen[$0]++'
}

# What the examples call a program with transactions.
make_program() {
	gcc -x c -O2 -g -o "$1" - <<-'END'
		#include <unistd.h>
		void __attribute__((noinline)) tx_begin(void) { __asm__ volatile(""); }
		void __attribute__((noinline)) tx_commit(void) { __asm__ volatile(""); }
		int main(void)
		{
			for (int i = 0; i < 300000; i++) {
				tx_begin();
				usleep(1000);
				tx_commit();
			}
		}
	END
}

# example_ends STATUS REGEX LINE: in the directory of the examples, of the group and the process there.
example_ends() {
	local wanted=$1 regex=$2 line=$3 status seconds=2

	# A window is to be over before it can be said that nothing was found.
	[[ $line != *--fail-on* ]] || seconds=6
	line=$(sed -E "s/ 1234\b/ $example_pid/; s|/system.slice/[a-z.]+|$example_group|; s/ -d [0-9]+//
		s/^headway (watch|record|top|export)/& -d $seconds/" <<<"$line")
	[[ $line != "headway top"* ]] || line="script -qefc '$line' /dev/null"
	(cd "$examples" && PATH=$examples:$PATH CORPUS_SECONDS=300 TERM=vt100 timeout -k 5 120 bash -c "$line") \
		>"$examples/said" 2>&1 </dev/null
	status=$?
	if [ "$status" -ne "$wanted" ] || { [ -n "$regex" ] && ! grep -aEq -- "$regex" "$examples/said"; }; then
		echo "$line: status $status, wanted $wanted with '$regex'"
		tail -c 2000 "$examples/said"
		return 1
	fi
}

fails_to() {
	! "$@" >/dev/null
}

test_examples() {
	local examples=$tmp/examples example_pid example_group='' line count=0

	mkdir "$examples" && ln -s "$headway" "$examples/headway"
	ln -s "$corpus/two_lock_ordered" "$examples/my-tests" && ln -s "$corpus/two_lock_ordered" "$examples/test"
	check "examples: a program with transactions" make_program "$examples/program"
	"$examples/program" >/dev/null </dev/null &
	example_pid=$!
	started+=("$example_pid")
	if find_hierarchy && mkdir "$hierarchy/headway-examples.$$"; then
		example_group=/headway-examples.$$
		cgroups+=("$hierarchy$example_group")
		echo "$example_pid" >"$hierarchy$example_group/cgroup.procs"
	fi
	while read -r line; do
		count=$((count + 1))
		case $line in
		*" -k"*) check "example: $line" example_ends 1 'headway\.ko|module headway' "$line" ;;
		*usdt:libpq:*) check "example: $line" example_ends 1 'libpq' "$line" ;;
		*" -c "*)
			if [ -n "$example_group" ]; then
				check "example: $line" example_ends 0 '' "$line"
			else
				skip "example: $line" "no cgroup can be made here"
			fi ;;
		*) check "example: $line" example_ends 0 '' "$line" ;;
		esac
	done < <(example_lines)
	check "examples: there are some" test "$count" -gt 10
	check "examples: a report that is a page" grep -q '</html>' "$examples/night.html"
	check "control: an example that does not work is noticed" fails_to example_ends 0 '' "headway watch --frobnicate -p 1234"
	end "$example_pid"
	[ -z "$example_group" ] || rmdir "$hierarchy$example_group"
}
