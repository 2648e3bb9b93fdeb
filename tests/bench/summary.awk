# SPDX-License-Identifier: GPL-2.0
# summary.awk - from headway_bench.ko's raw lines to BENCH lines and one table. Plain awk, no gawk.
#
# Round 0 warms up and does not count. The better of wound-wait and wait-die is the one with the lower median
# time for a commit; ratios to it are taken within each round, and the median of those is shown.

function median(list, n,    i, j, x, v) {
	for (i = 1; i <= n; i++) {
		x = list[i]
		for (j = i; j > 1 && v[j - 1] > x; j--)
			v[j] = v[j - 1]
		v[j] = x
	}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function middle(run, side, metric,    i, n, list) {
	for (i = 1; i <= rounds[run]; i++)
		if ((run, side, i, metric) in value)
			list[++n] = value[run, side, i, metric]
	return n ? median(list, n) : 0
}

function ratio(run, side, base, metric,    i, n, list, below) {
	for (i = 1; i <= rounds[run]; i++) {
		below = value[run, base, i, metric]
		if ((run, side, i, metric) in value && below > 0)
			list[++n] = value[run, side, i, metric] / below
	}
	return n ? median(list, n) : 0
}

function bench(run, side, metric, number, unit) {
	split(run, part, " ")
	printf "BENCH name=lock.%s threads=%d policy=%s metric=%s value=%.4g unit=%s\n",
		part[1], part[2], side, metric, number, unit
}

/headway-bench: op=/ {
	sub(/.*headway-bench: /, "")
	delete f
	for (i = 1; i <= NF; i++)
		if (split($i, pair, "=") == 2)
			f[pair[1]] = pair[2]
	if (f["round"] == 0 || f["commits"] == 0)
		next
	run = f["op"] " " f["threads"]
	if (!(run in rounds))
		order[++runs] = run
	if (f["round"] > rounds[run])
		rounds[run] = f["round"]
	if (!((run, f["side"]) in seen)) {
		seen[run, f["side"]] = 1
		sides[run] = sides[run] " " f["side"]
	}
	value[run, f["side"], f["round"], "us"] = f["time_ns"] / f["commits"] / 1000
	value[run, f["side"], f["round"], "rollbacks"] = f["rollbacks"] / f["commits"]
	value[run, f["side"], f["round"], "wasted"] = f["wasted"] / f["commits"]
	value[run, f["side"], f["round"], "restarts_max"] = f["restarts_max"]
	value[run, f["side"], f["round"], "waits"] = f["waits"] / f["commits"]
	value[run, f["side"], f["round"], "unfair"] = f["commits_most"] / (f["commits_least"] ? f["commits_least"] : 1)
}

END {
	for (r = 1; r <= runs; r++) {
		run = order[r]
		better = middle(run, "wound-wait", "us") <= middle(run, "wait-die", "us") ? "wound-wait" : "wait-die"
		n = split(sides[run], list, " ")
		for (s = 1; s <= n; s++) {
			bench(run, list[s], "commits_per_s", 1e6 / middle(run, list[s], "us"), "1/s")
			bench(run, list[s], "rollbacks_per_commit", middle(run, list[s], "rollbacks"), "1")
			bench(run, list[s], "wasted_locks_per_commit", middle(run, list[s], "wasted"), "1")
			bench(run, list[s], "restarts_max", middle(run, list[s], "restarts_max"), "1")
			if ((run, better) in seen)
				bench(run, list[s], "time_vs_better_arm", ratio(run, list[s], better, "us"), "ratio")
		}
	}
	for (r = 1; r <= runs; r++) {
		run = order[r]
		split(run, part, " ")
		printf "\n%s, %d threads, medians of %d rounds:\n", part[1], part[2], rounds[run]
		printf "  %-20s %9s %10s %8s %12s %8s\n", "", "us/commit", "rollbacks", "wasted", "restarts max", "waits"
		n = split(sides[run], list, " ")
		for (s = 1; s <= n; s++)
			printf "  %-20s %9.1f %10.2f %8.0f %12d %8.2f\n", list[s], middle(run, list[s], "us"),
				middle(run, list[s], "rollbacks"), middle(run, list[s], "wasted"),
				middle(run, list[s], "restarts_max"), middle(run, list[s], "waits")
	}
}
