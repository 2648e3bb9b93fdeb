# SPDX-License-Identifier: GPL-2.0
# report_batch.awk - batch800 and batch800_sorted; see summary.awk.
#
# The better arm is, of wound-wait and wait-die, the one with the lower median time for a commit. Judged is adaptive
# in batch800, against the better median of both, headway's and ww_mutex's, if all of them were run. The noise is what the
# better arm and a second domain of the same policy ("-again") differ by, or the other arm, whatever is more.

function batch_lines(run, better,    n, list, s, side, name) {
	n = split(sides[run], list, " ")
	for (s = 1; s <= n; s++) {
		side = list[s]
		name = "lock." param[run, "op"] " threads=" param[run, "threads"] " policy=" side
		bench(name, "commits_per_s", middle(run, side, "rate"), "1/s")
		bench(name, "rollbacks_per_commit", middle(run, side, "rollbacks"), "1")
		bench(name, "wasted_locks_per_commit", middle(run, side, "wasted"), "1")
		bench(name, "restarts_max", middle(run, side, "restarts_max"), "1")
		bench_ratio(name, "time_vs_better_arm", ratio(run, side, better, "us"))
	}
}

# The one of these with the lowest median.
function batch_best(run, names, metric,    n, list, s, lowest) {
	lowest = ""
	n = split(names, list, " ")
	for (s = 1; s <= n; s++)
		if (middle(run, list[s], metric) != "" &&
		    (lowest == "" || middle(run, list[s], metric) < middle(run, lowest, metric)))
			lowest = list[s]
	return lowest
}

# What two equal domains differ by, as a factor; "" if there are none.
function batch_noise(run,    n, list, s, number, most) {
	most = ""
	n = split("wound-wait wait-die", list, " ")
	for (s = 1; s <= n; s++) {
		number = ratio(run, list[s] "-again", list[s], "us")
		if (number == "")
			continue
		bench_ratio("lock.batch800 threads=" param[run, "threads"] " policy=" list[s], "again_vs_once", number)
		if (number < 1)
			number = 1 / number
		if (most == "" || number > most)
			most = number
	}
	return most
}

function batch_judge(run, metric, what, around,    name, best, number) {
	name = "lock.batch800 threads=" param[run, "threads"]
	best = batch_best(run, batch_peers, what)
	number = ratio(run, "adaptive", best, what)
	if (number == "")
		return
	if (!all_ran(run, batch_peers)) {
		bench_ratio(name " best_of_those_run=" best, metric, number)
		return
	}
	if (around != "")
		noise_is(number, around)
	judge(name, metric, number, "<= 1.0")
}

function batch_table(run,    n, list, s) {
	printf "\n%s, %d threads, medians of %d rounds:\n", param[run, "op"], param[run, "threads"], rounds[run]
	printf "  %-20s %9s %10s %8s %12s %8s\n", "", "us/commit", "rollbacks", "wasted", "restarts max", "waits"
	n = split(sides[run], list, " ")
	for (s = 1; s <= n; s++)
		printf "  %-20s %s %s %s %s %s\n", list[s], cell("%9.1f", middle(run, list[s], "us")),
			cell("%10.2f", middle(run, list[s], "rollbacks")), cell("%8.0f", middle(run, list[s], "wasted")),
			cell("%12d", middle(run, list[s], "restarts_max")), cell("%8.2f", middle(run, list[s], "waits"))
}

BEGIN {
	batch_peers = "wound-wait wait-die ww_mutex-wound-wait ww_mutex-wait-die"
}

END {
	for (r = 1; r <= runs; r++) {
		run = order[r]
		if (param[run, "op"] !~ /^batch800/)
			continue
		batch_lines(run, all_ran(run, "wound-wait wait-die") ? batch_best(run, "wound-wait wait-die", "us") : "")
		if (param[run, "op"] == "batch800") {
			batch_judge(run, "time_vs_best", "us", batch_noise(run))
			batch_judge(run, "rollbacks_vs_best", "rollbacks", "")
		}
		batch_table(run)
	}
}
