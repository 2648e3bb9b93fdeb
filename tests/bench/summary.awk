# SPDX-License-Identifier: GPL-2.0
# summary.awk - what the reports (report_*.awk, each for some operations) share: reads headway_bench.ko's raw
# lines. Plain awk, no gawk.
#
# A run is an operation at one point: its name, threads, locks, pool, hold_ns, in order[1..runs] and each of them in
# param[run, KEY]; contestants are in sides[run], in the order in which they came. Round 0 warms up and does not count.

function median(list, n,    i, j, x, v) {
	for (i = 1; i <= n; i++) {
		x = list[i]
		for (j = i; j > 1 && v[j - 1] > x; j--)
			v[j] = v[j - 1]
		v[j] = x
	}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

# The median over rounds of a contestant's value.
function middle(run, side, metric,    i, n, list) {
	for (i = 1; i <= rounds[run]; i++)
		if ((run, side, i, metric) in value)
			list[++n] = value[run, side, i, metric]
	return n ? median(list, n) : 0
}

# The median over rounds of the ratio of two contestants within the round; the least and the greatest of these
# are then in ratio_min and ratio_max.
function ratio(run, side, base, metric,    i, n, list, below) {
	ratio_min = ratio_max = 0
	for (i = 1; i <= rounds[run]; i++) {
		if (!((run, side, i, metric) in value) || !((run, base, i, metric) in value))
			continue
		below = value[run, base, i, metric]
		if (below <= 0)
			continue
		list[++n] = value[run, side, i, metric] / below
		if (n == 1 || list[n] < ratio_min)
			ratio_min = list[n]
		if (n == 1 || list[n] > ratio_max)
			ratio_max = list[n]
	}
	return n ? median(list, n) : 0
}

# bench("lock.presorted n=8", "vs_mutex", 1.05, "ratio"): a line that can be followed over time.
function bench(name, metric, number, unit) {
	printf "BENCH name=%s metric=%s value=%.4g unit=%s\n", name, metric, number, unit
}

# The same for what ratio() has just returned, with the least and the greatest beside it.
function bench_ratio(name, metric, number) {
	printf "BENCH name=%s metric=%s value=%.4g unit=ratio min=%.4g max=%.4g\n",
		name, metric, number, ratio_min, ratio_max
}

# A ratio that has a target ("<= 1.05", ">= 1"): in a BENCH line, and kept for the table at the end (verdicts.awk).
function judge(name, metric, number, target,    part, met) {
	split(target, part, " ")
	met = part[1] == "<=" ? number <= part[2] + 0.005 : number >= part[2] - 0.005
	printf "BENCH name=%s metric=%s value=%.4g unit=ratio min=%.4g max=%.4g target=%s%s verdict=%s\n",
		name, metric, number, ratio_min, ratio_max, part[1], part[2], met ? "met" : "missed"
	verdict(name " " metric, sprintf("%.2f", number), target, met)
	return met
}

function verdict(what, number, target, met) {
	verdicts++
	verdict_row[verdicts] = sprintf("  %-52s %10s   %-8s %s", what, number, target, met ? "met" : "MISSED")
	verdicts_met += met
}

/headway-bench: op=/ {
	sub(/.*headway-bench: /, "")
	delete f
	for (i = 1; i <= NF; i++)
		if (split($i, pair, "=") == 2)
			f[pair[1]] = pair[2] ~ /^-?[0-9]+$/ ? pair[2] + 0 : pair[2]
	if (f["round"] == 0 || f["commits"] == 0)
		next
	run = f["op"] " " f["threads"] " " f["locks"] " " f["pool"] " " f["hold_ns"]
	if (!(run in rounds)) {
		order[++runs] = run
		param[run, "op"] = f["op"]
		param[run, "threads"] = f["threads"]
		param[run, "locks"] = f["locks"]
		param[run, "pool"] = f["pool"]
		param[run, "hold_ns"] = f["hold_ns"]
	}
	if (f["round"] > rounds[run])
		rounds[run] = f["round"]
	if (!((run, f["side"]) in seen)) {
		seen[run, f["side"]] = 1
		sides[run] = sides[run] " " f["side"]
	}
	value[run, f["side"], f["round"], "rate"] = f["commits"] / f["time_ns"] * 1e9
	value[run, f["side"], f["round"], "us"] = f["time_ns"] / f["commits"] / 1000
	value[run, f["side"], f["round"], "rollbacks"] = f["rollbacks"] / f["commits"]
	value[run, f["side"], f["round"], "wasted"] = f["wasted"] / f["commits"]
	value[run, f["side"], f["round"], "restarts_max"] = f["restarts_max"]
	value[run, f["side"], f["round"], "waits"] = f["waits"] / f["commits"]
	value[run, f["side"], f["round"], "unfair"] = f["commits_most"] / (f["commits_least"] ? f["commits_least"] : 1)
	value[run, f["side"], f["round"], "once_ns"] = f["once_ps"] / 1000
	value[run, f["side"], f["round"], "lock_bytes"] = f["lock_bytes"]
	value[run, f["side"], f["round"], "stats_bytes"] = f["stats_bytes"]
	value[run, f["side"], f["round"], "used_bytes"] = f["used_bytes"]
	value[run, f["side"], f["round"], "wait_p50"] = f["wait_p50_ns"]
	# The clock of User Mode Linux ticks every 256 ns, so that shorter waits than 1 us are all alike.
	value[run, f["side"], f["round"], "wait_p999"] = f["wait_p999_ns"] > 1000 ? f["wait_p999_ns"] : 1000
}
