# SPDX-License-Identifier: GPL-2.0
# report_uncontended.awk - presorted, unsorted, incremental: one thread, a set that nobody else wants.
#
# Judged is wound-wait, the policy that a domain has that needs no order; others are shown. `kernel` is "uml" or the
# series of a stock kernel, which is emulated: its ratio to ww_mutex is another.

BEGIN {
	presorted_target[1] = 1.10
	presorted_target[2] = 1.05
	presorted_target[4] = 0.90
	presorted_target[8] = 0.85
	presorted_target[16] = 0.85
	unsorted_target[1] = 1.10
	unsorted_target[2] = 1.10
	unsorted_target[4] = 1.00
	unsorted_target[8] = 1.05
	unsorted_target[16] = 1.15
}

function uncontended_judge(run,    op, locks, name, stock) {
	op = param[run, "op"]
	locks = param[run, "locks"]
	name = "lock." op " n=" locks (kernel == "uml" ? "" : " kernel=" kernel)
	stock = kernel != "uml"
	if (op == "presorted" && locks in presorted_target)
		judge(name, "vs_mutex", ratio(run, "wound-wait", "mutex", "once_ns"), "<= " presorted_target[locks])
	if (op == "unsorted" && locks in unsorted_target)
		judge(name, "vs_mutex", ratio(run, "wound-wait", "mutex", "once_ns"), "<= " unsorted_target[locks])
	if (op == "presorted" && locks > 1)
		judge(name, "vs_ww", ratio(run, "wound-wait", "ww_mutex", "once_ns"), stock ? "<= 0.60" : "<= 0.25")
	if (op == "incremental" && !stock)
		judge(name, "vs_ww", ratio(run, "wound-wait", "ww_mutex", "once_ns"), "<= 0.40")
	else if (op != "presorted")
		bench_ratio(name, "vs_ww", ratio(run, "wound-wait", "ww_mutex", "once_ns"))
	bench_ratio(name " policy=ordered", "vs_mutex", ratio(run, "ordered", "mutex", "once_ns"))
}

# A number for each size of the set; base: of which contestant it is divided by, if any.
function uncontended_row(title, op, side, base,    i, number, line, some) {
	for (i = 1; i <= ops[op]; i++) {
		number = base == "" ? middle(ops[op, i], side, "once_ns") : ratio(ops[op, i], side, base, "once_ns")
		line = line " " cell("%8.2f", number)
		some = some || number != ""
	}
	if (some)
		printf "  %-22s%s\n", title, line
}

function uncontended_table(op,    i, n, list, s) {
	printf "\n%s, uncontended, ns a transaction, medians of %d rounds (%s)\n  %-22s", op, rounds[ops[op, 1]], kernel, "locks"
	for (i = 1; i <= ops[op]; i++)
		printf " %8d", param[ops[op, i], "locks"]
	print ""
	n = split(sides[ops[op, 1]], list, " ")
	for (s = 1; s <= n; s++)
		uncontended_row(list[s], op, list[s], "")
	uncontended_row("wound-wait / mutex", op, "wound-wait", "mutex")
	uncontended_row("wound-wait / ww_mutex", op, "wound-wait", "ww_mutex")
	uncontended_row("ordered / mutex", op, "ordered", "mutex")
}

END {
	for (r = 1; r <= runs; r++) {
		op = param[order[r], "op"]
		if (op != "presorted" && op != "unsorted" && op != "incremental")
			continue
		if (!(op in ops))
			uncontended_ops[++uncontended] = op
		ops[op, ++ops[op]] = order[r]
		uncontended_judge(order[r])
	}
	for (i = 1; i <= uncontended; i++)
		uncontended_table(uncontended_ops[i])
}
