#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# report.sh - from headway_bench.ko's raw lines to BENCH lines, tables and verdicts, on stdout.
#
# Usage: report.sh KERNEL LOG [PLOT]
#
# KERNEL: "uml" or the series of a stock kernel. PLOT: file for what throughput.gp draws, if the log has it.
set -u

here=$(dirname "${BASH_SOURCE[0]}")
programs=(-f "$here/summary.awk")
for report in "$here"/report_*.awk; do
	programs+=(-f "$report")
done
exec awk -v kernel="$1" -v plot="${3:-}" "${programs[@]}" -f "$here/verdicts.awk" "$2"
