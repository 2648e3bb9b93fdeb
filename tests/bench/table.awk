# SPDX-License-Identifier: GPL-2.0
# table.awk - from BENCH lines (build/logs/bench-*.log) to a table for README.md: what has a target, a row for each kind.
#
# Usage: awk -f tests/bench/table.awk build/logs/bench-uml.log build/logs/bench-6.1.log

BEGIN {
	label["lock.presorted vs_mutex"] = "sorted set of 1, 2, 4, 8, 16 locks / loop of mutexes"
	label["lock.presorted vs_ww"] = "sorted set of 2, 4, 8, 16 locks / `ww_mutex`"
	label["lock.unsorted vs_mutex"] = "the set in any order / loop of mutexes, sorted before"
	label["lock.incremental vs_ww"] = "1, 2, 4, 8, 16 locks one by one / `ww_mutex`"
	label["lock.contended vs_best"] = "contended: throughput / the best peer's, points of the grid"
	label["lock.contended vs_ww"] = "the same / `ww_mutex`'s, with 2 or 4 locks held for 1 us at most"
	label["lock.contended fairness_max_min"] = "commits of the busiest thread / of the laziest, all rounds"
	label["lock.contended p999_wait_vs_ww"] = "99.9 % of waits are shorter than / `ww_mutex`'s"
	label["lock.batch800 time_vs_best"] = "`adaptive`, 800 of 100,000 locks, 4, 16 threads: time / best fixed policy"
	label["lock.batch800 rollbacks_vs_best"] = "its rollbacks / the fewest"
	label["philosophers vs_best"] = "dining philosophers: time / the best of four mutex algorithms, 4 tables"
	label["lock.stats on_vs_off"] = "throughput with statistics / without"
	label["lock.scale added_vs_mutex"] = "what a million locks add to taking one / to a mutex"
	label["lock.size with_stats"] = "bytes of a lock"
	label["lock.size without_stats"] = "bytes of a lock, less its statistics"
	print "| what | target | measured | met |"
	print "|---|---|---|---|"
}

/^BENCH name=.* target=/ {
	name = kernel = judged = metric = value = target = ""
	for (i = 2; i <= NF; i++) {
		key = $i
		sub(/=.*/, "", key)
		rest = substr($i, length(key) + 2)
		if (key == "name")
			name = rest
		else if (key == "kernel")
			kernel = rest
		else if (key == "judged")
			judged = ", `" rest "`"
		else if (key == "metric")
			metric = rest
		else if (key == "value")
			value = rest + 0
		else if (key == "target")
			target = rest
	}
	kind = name " " metric
	row = kind SUBSEP kernel
	if (!(row in points)) {
		rows[++nr_rows] = row
		title[row] = ((kind in label) ? label[kind] : kind) (kernel == "" ? "" : ", on " kernel) judged
	}
	number = substr(target, 3)
	# Rounded as it is shown.
	is_met = substr(target, 1, 2) == "<=" ? value <= number + 0.005 : value >= number - 0.005
	points[row]++
	met[row] += is_met
	values[row] = values[row] (points[row] > 1 ? ", " : "") sprintf(name == "lock.size" ? "%d" : "%.2f", value)
	if (index(targets[row] ",", " " number ",") == 0 || name ~ /presorted|unsorted/)
		targets[row] = targets[row] (points[row] > 1 ? "," : "") " " number
	sense[row] = substr(target, 1, 2)
}

# All the same is said once.
function short(list,    part, n, i) {
	n = split(list, part, ", *")
	for (i = 2; i <= n; i++)
		if (part[i] + 0 != part[1] + 0)
			return list
	return part[1]
}

END {
	for (r = 1; r <= nr_rows; r++) {
		row = rows[r]
		sub(/^ /, "", targets[row])
		many = points[row] > 8
		printf("| %s | %s %s | %s | %s |\n", title[row], sense[row] == "<=" ? "at most" : "at least",
			short(targets[row]), many ? met[row] " of " points[row] : values[row],
			met[row] == points[row] ? "yes" : many ? "no" : met[row] " of " points[row])
	}
}
