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
	bytes = middle(run, "headway", "lock_bytes")
	bare = bytes - middle(run, "headway", "stats_bytes")
	printf "BENCH name=lock.size metric=with_stats value=%d unit=bytes target=<=128\n", bytes
	printf "BENCH name=lock.size metric=without_stats value=%d unit=bytes target=<=64\n", bare
	bench("lock.size", "with_stats_in_use", middle(run, "headway", "used_bytes"), "bytes")
	verdict("lock.size with_stats", bytes, "<= 128", bytes <= 128)
	verdict("lock.size without_stats (less their member)", bare, "<= 64", bare <= 64)
}

function scale_line(run,    name) {
	name = "lock.scale locks=" param[run, "pool"]
	bench(name, "acquire_ns", middle(run, "headway", "once_ns"), "ns")
	bench(name, "vs_one_lock", middle(run, "headway", "once_ns") / middle(scales[1], "headway", "once_ns"), "ratio")
	bench_ratio(name, "vs_mutex", ratio(run, "headway", "mutex", "once_ns"))
	bench(name, "memory_per_lock", middle(run, "headway", "used_bytes"), "bytes")
}

function scale_added(run, side) {
	return middle(run, side, "once_ns") - middle(scales[1], side, "once_ns")
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
			printf "  %-10d %9.1f %9.1f %7.2f %10d\n", param[scales[i], "pool"],
				middle(scales[i], "headway", "once_ns"), middle(scales[i], "mutex", "once_ns"),
				ratio(scales[i], "headway", "mutex", "once_ns"), middle(scales[i], "headway", "used_bytes")
		mutex_added = scale_added(scales[nr_scales], "mutex")
		ratio_min = ratio_max = mutex_added > 0 ? scale_added(scales[nr_scales], "headway") / mutex_added : 0
		if (nr_scales > 1 && mutex_added > 0)
			judge("lock.scale locks=" param[scales[nr_scales], "pool"], "added_vs_mutex", ratio_min, "<= 2")
	}
}
