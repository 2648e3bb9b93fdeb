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

# The median over rounds of a contestant's value; "" if it has none, as of one that was not run.
function middle(run, side, metric,    i, n, list) {
	for (i = 1; i <= rounds[run]; i++)
		if ((run, side, i, metric) in value)
			list[++n] = value[run, side, i, metric]
	return n ? median(list, n) : ""
}

# The median over rounds of the ratio of two contestants within the round; "" if there is none. The least and the
# greatest of these are then in ratio_min and ratio_max, and in ratio_low and ratio_high what the median would lie
# between in 19 of 20 repetitions: see reach().
function ratio(run, side, base, metric,    i, j, n, list, below, x) {
	ratio_min = ratio_max = ratio_low = ratio_high = noise = ""
	for (i = 1; i <= rounds[run]; i++) {
		if (!((run, side, i, metric) in value) || !((run, base, i, metric) in value))
			continue
		below = value[run, base, i, metric]
		if (below <= 0)
			continue
		x = value[run, side, i, metric] / below
		for (j = ++n; j > 1 && list[j - 1] > x; j--)
			list[j] = list[j - 1]
		list[j] = x
	}
	if (!n)
		return ""
	ratio_min = list[1]
	ratio_max = list[n]
	j = reach(n)
	ratio_low = list[1 + j]
	ratio_high = list[n - j]
	return median(list, n)
}

# How many of n sorted values may be left off at each end so that the rest still spans the true median with a
# probability of 95 %: that fewer than so many of n tosses are heads (the sign test). With 5 rounds and less, all count.
function reach(n,    k, ways, tail) {
	ways = 1
	tail = 0
	for (k = 0; k < n / 2; k++) {
		tail += ways / 2 ^ n
		if (tail > 0.025)
			break
		ways = ways * (n - k) / (k + 1)
	}
	return k > 0 ? k - 1 : 0
}

# For who knows better than the rounds do: what two contestants differ by that are alike.
function noise_is(number, factor) {
	noise = factor
	ratio_low = number / factor
	ratio_high = number * factor
}

function noise_said() {
	if (noise != "")
		return sprintf("of %.2f", noise)
	return ratio_low < ratio_high ? sprintf("%.2f..%.2f", ratio_low, ratio_high) : ""
}

# bench("lock.presorted n=8", "vs_mutex", 1.05, "ratio"): a line that can be followed over time. What was not measured
# is "", here and below, and has no line.
function bench(name, metric, number, unit) {
	if (number != "")
		printf "BENCH name=%s metric=%s value=%.4g unit=%s\n", name, metric, number, unit
}

# The same for what ratio() has just returned, with the least and the greatest beside it.
function bench_ratio(name, metric, number) {
	if (number != "")
		printf "BENCH name=%s metric=%s value=%.4g unit=ratio min=%.4g max=%.4g\n",
			name, metric, number, ratio_min, ratio_max
}

# meets(1.05, "<= 1.05"): as it is shown, with two digits.
function meets(number, target,    part) {
	split(target, part, " ")
	return part[1] == "<=" ? number <= part[2] + 0.005 : number >= part[2] - 0.005
}

# For a number that is no ratio of rounds.
function exactly(number) {
	ratio_min = ratio_max = ratio_low = ratio_high = number
	noise = ""
	return number
}

# Whether a target that was missed would be met at the better end of where the median may be.
function nearly(target) {
	return ratio_low != "" && meets(target ~ /^<=/ ? ratio_low : ratio_high, target)
}

# The line of a ratio that has a target, and what else is to be said of it.
function bench_target(name, metric, number, target, more) {
	sub(/ /, "", target)
	printf "BENCH name=%s metric=%s value=%.4g unit=ratio min=%.4g max=%.4g low=%.4g high=%.4g target=%s %s\n",
		name, metric, number, ratio_min, ratio_max, ratio_low, ratio_high, target, more
}

# A ratio that has a target ("<= 1.05", ">= 1"): in a BENCH line, and kept for the table at the end (verdicts.awk).
function judge(name, metric, number, target,    met) {
	if (number == "")
		return
	met = meets(number, target)
	bench_target(name, metric, number, target, "verdict=" (met ? "met" : "missed"))
	verdict(name " " metric, sprintf("%.2f", number), target, met, noise_said(), nearly(target))
}

# A row of that table. `near`: it was missed by no more than `around`, the noise, in words.
function verdict(what, number, target, met, around, near) {
	verdicts++
	verdict_row[verdicts] = sprintf("  %-52s %10s   %-8s %-12s %s", what, number, target, around,
		met ? "met" : near ? "MISSED, within the noise" : "MISSED")
	verdicts_met += met
	verdicts_near += !met && near
}

# sprintf() of a number that may not have been measured.
function cell(format, number) {
	if (number != "")
		return sprintf(format, number)
	gsub(/\.[0-9]+/, "", format)
	sub(/[dfg]$/, "s", format)
	return sprintf(format, "-")
}

# all_ran(run, "mutex ww_mutex"): the best of these is not the best if one of them is missing.
function all_ran(run, names,    n, list, i) {
	n = split(names, list, " ")
	for (i = 1; i <= n; i++)
		if (!((run, list[i]) in seen))
			return 0
	return 1
}

/headway-bench: op=/ {
	sub(/.*headway-bench: /, "")
	delete f
	for (i = 1; i <= NF; i++)
		if (split($i, pair, "=") == 2)
			f[pair[1]] = pair[2] ~ /^-?[0-9]+$/ ? pair[2] + 0 : pair[2]
	if (f["round"] == 0)
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
	value[run, f["side"], f["round"], "restarts_max"] = f["restarts_max"]
	value[run, f["side"], f["round"], "unfair"] = f["all_most"] / (f["all_least"] ? f["all_least"] : 1)
	value[run, f["side"], f["round"], "lock_bytes"] = f["lock_bytes"]
	value[run, f["side"], f["round"], "stats_bytes"] = f["stats_bytes"]
	value[run, f["side"], f["round"], "used_bytes"] = f["used_bytes"]
	# The rest is of its commits.
	if (f["commits"] == 0)
		next
	value[run, f["side"], f["round"], "us"] = f["time_ns"] / f["commits"] / 1000
	value[run, f["side"], f["round"], "rollbacks"] = f["rollbacks"] / f["commits"]
	value[run, f["side"], f["round"], "wasted"] = f["wasted"] / f["commits"]
	value[run, f["side"], f["round"], "waits"] = f["waits"] / f["commits"]
	value[run, f["side"], f["round"], "once_ns"] = f["once_ps"] / 1000
	value[run, f["side"], f["round"], "wait_p50"] = f["wait_p50_ns"]
	# The clock of User Mode Linux ticks every 256 ns, so that shorter waits than 1 us are all alike.
	value[run, f["side"], f["round"], "wait_p999"] = f["wait_p999_ns"] > 1000 ? f["wait_p999_ns"] : 1000
}
