# SPDX-License-Identifier: GPL-2.0
# report_scale.awk - scale and stats: what many locks, and what statistics cost; see summary.awk.
#
# "Flat" is judged by what is added from one lock to the most, over what is added to a plain mutex in objects of the same
# size: nothing is flat once it is not in the caches. A lock of 128 bytes is two cache lines, a mutex one: hence the 2.

function scale_stats(run) {
	if (param[run, "op"] == "stats")
		judge("lock.stats n=" param[run, "locks"], "on_vs_off", ratio(run, "off", "on", "once_ns"), ">= 0.95")
	else
		judge("lock.stats threads=" param[run, "threads"] " locks=" param[run, "locks"], "on_vs_off",
			ratio(run, "on", "off", "rate"), ">= 0.95")
}

function scale_size(run,    bytes, bare) {
	if (!((run, "headway") in seen))
		return
	bytes = middle(run, "headway", "lock_bytes")
	bare = bytes - middle(run, "headway", "stats_bytes")
	printf "BENCH name=lock.size metric=with_stats value=%d unit=bytes target=<=128\n", bytes
	printf "BENCH name=lock.size metric=without_stats value=%d unit=bytes target=<=64\n", bare
	bench("lock.size", "with_stats_in_use", middle(run, "headway", "used_bytes"), "bytes")
	verdict("lock.size with_stats", bytes, "<= 128", bytes <= 128)
	verdict("lock.size without_stats (less their member)", bare, "<= 64", bare <= 64)
}

function scale_line(run,    name, once, first) {
	name = "lock.scale locks=" param[run, "pool"]
	once = middle(run, "headway", "once_ns")
	first = middle(scales[1], "headway", "once_ns")
	bench(name, "acquire_ns", once, "ns")
	bench(name, "vs_one_lock", once != "" && first > 0 ? once / first : "", "ratio")
	bench_ratio(name, "vs_mutex", ratio(run, "headway", "mutex", "once_ns"))
	if (once != "")
		bench(name, "memory_per_lock", middle(run, "headway", "used_bytes"), "bytes")
}

function scale_row(run) {
	printf "  %-10d %s %s %s %s\n", param[run, "pool"], cell("%9.1f", middle(run, "headway", "once_ns")),
		cell("%9.1f", middle(run, "mutex", "once_ns")), cell("%7.2f", ratio(run, "headway", "mutex", "once_ns")),
		cell("%10d", (run, "headway") in seen ? middle(run, "headway", "used_bytes") : "")
}

# What the most locks add to taking one; "" if that is not known.
function scale_added(run, side,    once, first) {
	once = middle(run, side, "once_ns")
	first = middle(scales[1], side, "once_ns")
	return once == "" || first == "" ? "" : once - first
}

# The runs at one lock and at most are not interleaved: the ratio is one of medians.
function scale_judge(run,    added, mutex_added) {
	added = scale_added(run, "headway")
	mutex_added = scale_added(run, "mutex")
	if (added != "" && mutex_added != "" && mutex_added > 0)
		judge("lock.scale locks=" param[run, "pool"], "added_vs_mutex", exactly(added / mutex_added), "<= 2")
}

END {
	for (r = 1; r <= runs; r++) {
		if (param[order[r], "op"] ~ /^stats/)
			scale_stats(order[r])
		if (param[order[r], "op"] == "scale")
			scales[++nr_scales] = order[r]
	}
	for (i = 1; i <= nr_scales; i++)
		scale_line(scales[i])
	if (nr_scales) {
		scale_size(scales[nr_scales])
		printf "\none of many locks at random, uncontended, ns a transaction\n  %-10s %9s %9s %7s %10s\n", "locks",
			"headway", "mutex", "ratio", "bytes/lock"
		for (i = 1; i <= nr_scales; i++)
			scale_row(scales[i])
		if (nr_scales > 1)
			scale_judge(scales[nr_scales])
	}
}
