// SPDX-License-Identifier: GPL-2.0
/*
 * top_help.c - what `headway top` says about itself.
 */
#include "finding.h"
#include "top.h"
#include "top_columns.h"

static const char keys[] =
"  Up Down PgUp PgDn Home End, j k   move; the wheel of a mouse as well\n"
"  Enter, click on the selected row  all about that row: who waits for whom, threads or\n"
"                                    transactions, locks, stacks, histograms, the finding\n"
"  Esc, Backspace, q                 back; q in the table: quit, as Ctrl-C anywhere\n"
"  Tab, Shift-Tab                    in a page: to the next section, or back\n"
"  < >, click on a column's head     sort by another column\n"
"  r                                 the other way round\n"
"  /                                 search in name, PID, source and verdict; n N: again\n"
"  f                                 show only rows with a text; empty: all\n"
"  i                                 hide what is idle, or show it again\n"
"  p, Space                          pause: the table stands, the watch goes on\n"
"  l                                 what was found so far\n"
"  Ctrl-L                            draw the screen again\n"
"  ? h                               this text\n";

static const char columns[] =
"  SOURCE    process, or domain, loop or arbiter of the kernel module headway.ko\n"
"  VERDICT   of the last window: ! is a finding, ? cannot be told, ~ contended, + healthy, . idle\n"
"            an arbiter has none\n"
"  ATT/s     attempts a second: tries of a lock, passages of a marker; in the kernel, passes begun\n"
"            of an arbiter, requests that ended\n"
"  COMPL/s   completions a second; in the kernel, commits; of an arbiter, grants\n"
"  FAIL/s    tries that failed; in the kernel, rollbacks; of an arbiter, requests not granted\n"
"  WAIT      threads that sleep now for a lock that somebody has; requests that wait\n"
"  ACTORS    threads; in the kernel, what is in flight; of an arbiter, resources held\n"
"  CPU%      of one CPU\n"
"  HISTORY   the verdict at each look, the newest at the right\n";

void headway_top_help_page(struct headway_top_page *p)
{
	headway_top_page_clear(p);
	headway_top_section(p, "KEYS");
	headway_top_text(p, keys);
	headway_top_section(p, "COLUMNS");
	headway_top_text(p, columns);
	headway_top_section(p, "VERDICTS, as they stand in a history without UTF-8");
	for (unsigned int v = HEADWAY_NR_VERDICTS; v--;) {
		const char *meaning = headway_verdict_meaning((enum headway_verdict)v);

		headway_top_line(p, headway_top_tint((enum headway_verdict)v), "  %s  %c %-15s%s",
				 headway_top_mark(v, false),
				 headway_top_symbol((enum headway_verdict)v),
				 headway_verdict_name((enum headway_verdict)v),
				 meaning ? meaning : "");
	}
}
