# SPDX-License-Identifier: GPL-2.0
# report_contended.awk - the grid of threads x locks x pool x hold; see summary.awk.
#
# The best peer of a point is, of all contestants that are not ours, the one with the most commits a second there: if all
# of them were run, or nothing is judged by it. Judged is one of our policies for the whole grid, as a user has to choose
# one: that which meets most points. What the others would have got is shown. With plot=FILE the throughputs are written
# there, for throughput.gp.

function contended_is_ours(side) {
	return side == "ordered" || side == "wound-wait" || side == "wait-die" || side == "polite" || side == "adaptive"
}

function contended_name(run) {
	return "lock.contended threads=" param[run, "threads"] " locks=" param[run, "locks"] " pool=" param[run, "pool"] \
		" hold_ns=" param[run, "hold_ns"]
}

# Fills best[run], and better[run, policy], a ratio, for each policy of ours.
function contended_compare(run,    n, list, s, rate, most) {
	most = 0
	best[run] = ""
	n = split(sides[run], list, " ")
	for (s = 1; s <= n; s++) {
		rate = middle(run, list[s], "rate")
		if (!contended_is_ours(list[s]) && rate > most) {
			most = rate
			best[run] = list[s]
		}
		if (plot != "")
			print param[run, "threads"], param[run, "locks"], param[run, "pool"], param[run, "hold_ns"],
				list[s], rate >plot
	}
	for (s = 1; s <= n; s++) {
		if (!contended_is_ours(list[s]))
			continue
		if (!(list[s] in policy_met)) {
			policy_met[list[s]] = 0
			policies[++nr_policies] = list[s]
		}
		better[run, list[s]] = ratio(run, list[s], best[run], "rate")
		if (better[run, list[s]] == "")
			continue
		policy_points[list[s]]++
		policy_met[list[s]] += meets(better[run, list[s]], ">= 1.0")
		policy_log[list[s]] += log(better[run, list[s]] + 1e-9)
	}
}

# A BENCH line of a point that has a target, and how many such there are, are met, and are missed within the noise.
function contended_point(run, metric, number, target) {
	if (number == "")
		return
	points_of[metric]++
	if (meets(number, target))
		met_of[metric]++
	else if (nearly(target))
		near_of[metric]++
	bench_target(contended_name(run), metric, number, target, "judged=" chosen)
}

function contended_lines(run, policy,    short, p, fairness) {
	short = param[run, "locks"] > 1 && param[run, "locks"] < 5 && param[run, "hold_ns"] <= 1000
	if (all_ran(run, contended_peers))
		contended_point(run, "vs_best", ratio(run, policy, best[run], "rate"), ">= 1.0")
	else
		bench_ratio(contended_name(run) " best_of_those_run=" best[run], "vs_best",
			ratio(run, policy, best[run], "rate"))
	if (short)
		contended_point(run, "vs_ww", ratio(run, policy, "ww_mutex", "rate"), ">= 1.5")
	else
		bench_ratio(contended_name(run), "vs_ww", ratio(run, policy, "ww_mutex", "rate"))
	fairness = value[run, policy, rounds[run], "unfair"]
	if (fairness != "")
		contended_point(run, "fairness_max_min", exactly(fairness), "<= 2")
	contended_point(run, "p999_wait_vs_ww", ratio(run, policy, "ww_mutex", "wait_p999"), "<= 1.0")
	for (p = 1; p <= nr_policies; p++)
		if (policies[p] != policy)
			bench_ratio(contended_name(run) " policy=" policies[p], "vs_best",
				ratio(run, policies[p], best[run], "rate"))
}

function contended_verdict(what, metric, target) {
	if (points_of[metric])
		verdict("lock.contended " what, met_of[metric] + 0 " of " points_of[metric], target,
			met_of[metric] == points_of[metric], near_of[metric] ? near_of[metric] " within it" : "",
			met_of[metric] + near_of[metric] == points_of[metric])
}

# A row for threads and locks, a column for pool and hold.
function contended_grid(policy,    i, run, row, column, rows, row_name, columns, column_name, shown, r, c) {
	for (i = 1; i <= contended; i++) {
		run = contended_run[i]
		row = sprintf("%2d threads, %d lock%s", param[run, "threads"], param[run, "locks"],
			param[run, "locks"] > 1 ? "s" : "")
		column = sprintf("%d/%dus", param[run, "pool"], param[run, "hold_ns"] / 1000)
		if (!((row, "") in shown)) {
			shown[row, ""] = 1
			row_name[++rows] = row
		}
		if (!(("", column) in shown)) {
			shown["", column] = 1
			column_name[++columns] = column
		}
		shown[row, column] = cell("%.2f", better[run, policy])
	}
	printf "\ncontended: throughput of policy %s / best peer, medians of %d rounds; pool/hold\n  %-20s", policy,
		rounds[contended_run[1]], ""
	for (c = 1; c <= columns; c++)
		printf " %9s", column_name[c]
	print ""
	for (r = 1; r <= rows; r++) {
		printf "  %-20s", row_name[r]
		for (c = 1; c <= columns; c++)
			printf " %9s", shown[row_name[r], column_name[c]]
		print ""
	}
}

function contended_worst(policy, many,    i, run, worst, shown) {
	printf "  worst points of %s:\n", policy
	while (many-- > 0) {
		worst = ""
		for (i = 1; i <= contended; i++) {
			run = contended_run[i]
			if (!(run in shown) && better[run, policy] != "" &&
			    (worst == "" || better[run, policy] < better[worst, policy]))
				worst = run
		}
		if (worst == "" || meets(better[worst, policy], ">= 1.0"))
			break
		shown[worst] = 1
		printf "    %.2f of %-12s %s\n", better[worst, policy], best[worst], contended_name(worst)
	}
}

BEGIN {
	contended_peers = "mutex ww_mutex drm_exec xfs-trylock std-lock rt_mutex"
}

END {
	for (r = 1; r <= runs; r++) {
		if (param[order[r], "op"] != "contended")
			continue
		contended_run[++contended] = order[r]
		contended_compare(order[r])
	}
	for (p = 1; p <= nr_policies; p++)
		if (chosen == "" || policy_met[policies[p]] > policy_met[chosen])
			chosen = policies[p]
	for (i = 1; i <= contended && chosen != ""; i++)
		contended_lines(contended_run[i], chosen)
	if (policy_points[chosen]) {
		contended_grid(chosen)
		contended_worst(chosen, 8)
	}
	for (p = 1; p <= nr_policies; p++)
		if (policy_points[policies[p]])
			printf "  %-12s >= best peer at %d of %d points, geometric mean %.2f\n", policies[p],
				policy_met[policies[p]], policy_points[policies[p]],
				exp(policy_log[policies[p]] / policy_points[policies[p]])
	contended_verdict("vs_best, points, " chosen, "vs_best", ">= 1.0")
	contended_verdict("vs_ww, points, 2-4 locks, hold <= 1 us", "vs_ww", ">= 1.5")
	contended_verdict("fairness_max_min, points", "fairness_max_min", "<= 2")
	contended_verdict("p999_wait_vs_ww, points", "p999_wait_vs_ww", "<= 1.0")
}
