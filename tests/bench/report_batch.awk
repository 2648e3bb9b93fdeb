# SPDX-License-Identifier: GPL-2.0
# report_batch.awk - batch800 and batch800_sorted; see summary.awk.
#
# The better arm is, of wound-wait and wait-die, the one with the lower median time for a commit. Judged is adaptive
# in batch800, against the better median of both, headway's and ww_mutex's.

function batch_lines(run, better,    n, list, s, side, name) {
	n = split(sides[run], list, " ")
	for (s = 1; s <= n; s++) {
		side = list[s]
		name = "lock." param[run, "op"] " threads=" param[run, "threads"] " policy=" side
		bench(name, "commits_per_s", 1e6 / middle(run, side, "us"), "1/s")
		bench(name, "rollbacks_per_commit", middle(run, side, "rollbacks"), "1")
		bench(name, "wasted_locks_per_commit", middle(run, side, "wasted"), "1")
		bench(name, "restarts_max", middle(run, side, "restarts_max"), "1")
		if ((run, better) in seen)
			bench_ratio(name, "time_vs_better_arm", ratio(run, side, better, "us"))
	}
}

# The one of wound-wait and wait-die, ours and ww_mutex's, with the lowest median.
function batch_best(run, metric,    n, list, s, lowest) {
	lowest = ""
	n = split("wound-wait wait-die ww_mutex-wound-wait ww_mutex-wait-die", list, " ")
	for (s = 1; s <= n; s++)
		if ((run, list[s]) in seen && (lowest == "" || middle(run, list[s], metric) < middle(run, lowest, metric)))
			lowest = list[s]
	return lowest
}

function batch_verdicts(run,    name, best) {
	best = batch_best(run, "us")
	name = "lock.batch800 threads=" param[run, "threads"]
	judge(name, "time_vs_best", ratio(run, "adaptive", best, "us"), "<= 1.0")
	if ((run, best "-again") in seen)
		bench_ratio(name, "same_policy_again_vs_best", ratio(run, best "-again", best, "us"))
	judge(name, "rollbacks_vs_best", ratio(run, "adaptive", batch_best(run, "rollbacks"), "rollbacks"), "<= 1.0")
}

function batch_table(run,    n, list, s) {
	printf "\n%s, %d threads, medians of %d rounds:\n", param[run, "op"], param[run, "threads"], rounds[run]
	printf "  %-20s %9s %10s %8s %12s %8s\n", "", "us/commit", "rollbacks", "wasted", "restarts max", "waits"
	n = split(sides[run], list, " ")
	for (s = 1; s <= n; s++)
		printf "  %-20s %9.1f %10.2f %8.0f %12d %8.2f\n", list[s], middle(run, list[s], "us"),
			middle(run, list[s], "rollbacks"), middle(run, list[s], "wasted"),
			middle(run, list[s], "restarts_max"), middle(run, list[s], "waits")
}

END {
	for (r = 1; r <= runs; r++) {
		run = order[r]
		if (param[run, "op"] !~ /^batch800/)
			continue
		batch_lines(run, middle(run, "wound-wait", "us") <= middle(run, "wait-die", "us") ? "wound-wait" : "wait-die")
		if (param[run, "op"] == "batch800" && (run, "adaptive") in seen && batch_best(run, "us") != "")
			batch_verdicts(run)
		batch_table(run)
	}
}
