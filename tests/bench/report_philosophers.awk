# SPDX-License-Identifier: GPL-2.0
# report_philosophers.awk - dining philosophers: how long until everybody is full; see philosophers.c, summary.awk.
#
# Best is, of Hinnant's four over mutexes and of headway's policies, the one with the lowest share of a round's time, by
# the median of these: the machine's speed may change from round to round. The target has to be met at each table with
# each length of meals. Fairness is how long the last one took to be full, divided by how long the first one did.

# What summary.awk has left of the line.
/^op=philosophers_/ {
	value[run, f["side"], f["round"], "dinner"] = f["time_ns"] / 1e6
	dinner_round[run, f["round"]] += f["time_ns"] / 1e6
	if (f["first_ns"] > 0)
		value[run, f["side"], f["round"], "last_vs_first"] = f["time_ns"] / f["first_ns"]
}

function dinner_best(run, four,    n, list, s, best, i) {
	n = split(sides[run], list, " ")
	for (s = 1; s <= n; s++)
		for (i = 1; i <= rounds[run]; i++)
			if ((run, list[s], i, "dinner") in value)
				value[run, list[s], i, "share"] = value[run, list[s], i, "dinner"] / dinner_round[run, i]
	for (s = 1; s <= n; s++)
		if ((list[s] ~ /^hinnant-/) == four && middle(run, list[s], "share") != "" &&
		    (best == "" || middle(run, list[s], "share") < middle(run, best, "share")))
			best = list[s]
	return best
}

function dinner_complete(run) {
	return all_ran(run, "hinnant-ordered hinnant-persistent hinnant-smart hinnant-polite")
}

function dinner_name(run) {
	return "philosophers table=" substr(param[run, "op"], 14) " eat_us=" param[run, "hold_ns"] / 1000
}

function dinner_lines(run, four, ours,    n, list, s, side) {
	n = split(sides[run], list, " ")
	for (s = 1; s <= n; s++) {
		side = list[s]
		bench_ratio(dinner_name(run) " policy=" side, "vs_best", ratio(run, side, four, "dinner"))
		bench(dinner_name(run) " policy=" side, "fairness_max_min", middle(run, side, "last_vs_first"), "ratio")
		bench(dinner_name(run) " policy=" side, "rollbacks_per_meal", middle(run, side, "rollbacks"), "1")
	}
	if (dinner_complete(run))
		judge(dinner_name(run), "vs_best", ratio(run, ours, four, "dinner"), "<= 1.00")
	if (ours != "")
		bench(dinner_name(run), "fairness_max_min", middle(run, ours, "last_vs_first"), "ratio")
}

function dinner_note(run, side, four, ours) {
	if (side == four)
		return dinner_complete(run) ? "  best of the four" : "  best of those of the four that were run"
	return side == ours ? "  headway's best" : ""
}

function dinner_table(run, four, ours,    n, list, s, side, quotient, wait) {
	printf "\n%s, %d philosophers, meals of 1 to 10 times %g us, medians of %d rounds:\n", param[run, "op"],
		param[run, "threads"], param[run, "hold_ns"] / 1000, rounds[run]
	printf "  %-20s %9s %8s %15s %8s %10s %12s\n", "", "ms", "vs best", "min..max", "fairness", "rollbacks", "p99.9 wait ms"
	n = split(sides[run], list, " ")
	for (s = 1; s <= n; s++) {
		side = list[s]
		quotient = ratio(run, side, four, "dinner")
		wait = middle(run, side, "wait_p999")
		printf "  %-20s %s %s %15s %s %s %s%s\n", side, cell("%9.1f", middle(run, side, "dinner")),
			cell("%8.2f", quotient), quotient == "" ? "-" : sprintf("%.2f..%.2f", ratio_min, ratio_max),
			cell("%8.1f", middle(run, side, "last_vs_first")), cell("%10.3f", middle(run, side, "rollbacks")),
			cell("%12.2f", wait == "" ? "" : wait / 1e6), dinner_note(run, side, four, ours)
	}
}

END {
	for (r = 1; r <= runs; r++) {
		run = order[r]
		if (param[run, "op"] !~ /^philosophers_/)
			continue
		dinner_four = dinner_best(run, 1)
		dinner_ours = dinner_best(run, 0)
		dinner_lines(run, dinner_four, dinner_ours)
		dinner_table(run, dinner_four, dinner_ours)
		table = substr(param[run, "op"], 14)
		quotient = ratio(run, dinner_ours, dinner_four, "dinner")
		if (dinner_complete(run) && quotient != "" && quotient > dinner_worst[table])
			dinner_worst[table] = quotient
	}
	for (table in dinner_worst)
		bench("philosophers table=" table, "vs_best", dinner_worst[table], "ratio")
}
