# SPDX-License-Identifier: GPL-2.0
# throughput.gp - gnuplot: commits a second against threads, for each policy and peer, a panel for each size of the
# pool, and the key in one of its own. Variables: data (from report_contended.awk: threads locks pool hold_ns contestant
# rate), output.
set terminal svg noenhanced size 960,360 font "sans-serif,11" background "white" dynamic
set output output
set multiplot layout 1,4 title "Two locks of a pool, held for 1 us, two CPUs: more is better"
set logscale x 2
set xrange [1.8:17.5]
set yrange [0:*]
set xtics (2, 4, 8, 16)
set xlabel "threads"
set format y "%.0s%c"
set grid ytics lc rgb "#dddddd"
unset key
set tmargin 4

sides = "ordered wound-wait wait-die polite adaptive mutex ww_mutex drm_exec xfs-trylock std-lock rt_mutex"
array colour[11] = ["#d7191c", "#e66101", "#b2182b", "#e7298a", "#7b3294", "#000000", "#2c7bb6", "#80b1d3", "#4d9221", \
	"#a6d96a", "#999999"]
# Ours: thick.
array width[11] = [2.5, 2.5, 2.5, 2.5, 2.5, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2]
array dash[11] = [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]

do for [pool in "8 64 4096"] {
	set title "pool of ".pool
	set ylabel (pool eq "8" ? "commits a second" : "")
	pick = "< awk '$2 == 2 && $3 == ".pool." && $4 == 1000 && $5 == \"%s\" { print $1, $6 }' ".data
	plot for [i = 1:11] sprintf(pick, word(sides, i)) using 1:2 with linespoints lw width[i] dt dash[i] pt 7 ps 0.4 \
		lc rgb colour[i] notitle
}
unset title
unset ylabel
unset xlabel
unset border
unset tics
set key center left samplen 2
set yrange [0:1]
plot for [i = 1:11] NaN with lines lw width[i] dt dash[i] lc rgb colour[i] title word(sides, i)
unset multiplot
