# SPDX-License-Identifier: GPL-2.0
# verdicts.awk - the table of what has a target; comes after the reports, see summary.awk.

END {
	if (verdicts) {
		printf "\n  %-52s %10s   %-8s\n", "target (medians of ratios within a round)", "measured", "target"
		for (i = 1; i <= verdicts; i++)
			print verdict_row[i]
		printf "  %d of %d met\n", verdicts_met, verdicts
	}
}
