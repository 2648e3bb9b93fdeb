#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# splat.sh - does this console log hold a kernel splat?
#
# Usage:  splat.sh LOGFILE     exit status 1, and the first splat with its context, when there is one
#
# Deliberate splats (a negative control that must be caught) are fenced by the test itself: lines from
# "headway-expect-splat: begin" to "headway-expect-splat: end" in the log are not looked at.
#
# Of a kernel's data races (KCSAN), those are ours in which a function of a headway module makes one of
# the accesses, itself or by mem*() or str*(). With HEADWAY_FOREIGN_RACES set, others are only counted.
set -u

[ -r "${1:-}" ] || {
	echo "splat: cannot read the log '${1:-}'" >&2
	exit 2
}

awk -v foreign="${HEADWAY_FOREIGN_RACES:+1}" '
	# What the kernel prints, never part of a test name: each pattern is anchored on the words
	# that only a report has, after the optional timestamp and CPU or task tag.
	BEGIN {
		prefix = "^(<[0-9]+>)?(\\[[ 0-9.]+\\])?(\\[[ TC0-9]+\\])?[ ]*"
		report = "(WARNING: |BUG: |kernel BUG at|Kernel BUG|Oops|general protection fault|" \
			"Kernel panic|Internal error|UBSAN: |KASAN: |KCSAN: |KFENCE: |" \
			"INFO: rcu|rcu: INFO: .*(stall|detected)|INFO: task .* blocked for more than|" \
			"watchdog: BUG|INFO: possible|possible (circular|recursive) locking|" \
			"unreferenced object|------------\\[ cut here \\]|Call Trace:|" \
			"refcount_t: |list_(add|del) corruption|DEADLOCK|ODEBUG: |" \
			"sched: RT throttling|Unable to handle kernel|Modules linked in:)"
		context = 30
	}
	/headway-expect-splat: begin/ { fenced = 1 }
	/headway-expect-splat: end/ { fenced = 0; next }
	fenced { next }
	foreign && race == "" && $0 ~ (prefix "BUG: KCSAN: ") {
		race = $0
		ours = /\[headway/
		next
	}
	# A report ends with a line of these.
	race != "" && !/====================/ {
		race = race "\n" $0
		if (/ by (task|interrupt)/) {
			innermost = 1
		} else if (innermost && $0 !~ (prefix "_*(mem|str)[a-z_]*\\+0x")) {
			if (/\[headway/) ours = 1
			innermost = 0
		}
		next
	}
	race != "" {
		if (ours) {
			print "splat: a data race at console line " NR ":"
			gsub(/\n/, "\n  | ", race)
			print "  | " race
			found = 1
		} else {
			others++
		}
		race = ""
		next
	}
	left > 0 { print "  | " $0; if (!--left) exit; next }
	$0 ~ (prefix report) {
		print "splat: a kernel report at console line " NR ":"
		for (i = NR - 5; i < NR; i++)
			if (i in before) print "  | " before[i]
		print "  > " $0
		found = 1
		left = context
	}
	{ before[NR] = $0; delete before[NR - 5] }
	END {
		# One that was cut short is taken for ours.
		if (race != "") {
			print "splat: a data race at the end:\n" race
			found = 1
		}
		if (others) print "# " others " data races of the kernel alone" > "/dev/stderr"
		exit found ? 1 : 0
	}
' "$1"
