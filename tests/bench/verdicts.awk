# SPDX-License-Identifier: GPL-2.0
# verdicts.awk - the table of what has a target; comes after the reports, see summary.awk.
#
# Noise is "of 1.07" where two contestants that are alike differ by that, else where the median of so many rounds may
# be. A target that was missed by less is still a target that was missed.

END {
	if (verdicts) {
		printf "\n  %-52s %10s   %-8s %s\n", "target (medians of ratios within a round)", "measured", "target", "noise"
		for (i = 1; i <= verdicts; i++)
			print verdict_row[i]
		printf "  %d of %d met%s\n", verdicts_met, verdicts,
			verdicts_near ? sprintf(", %d missed within the noise", verdicts_near) : ""
	}
}
