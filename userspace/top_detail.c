// SPDX-License-Identifier: GPL-2.0
/*
 * top_detail.c - the page about one row of `headway top`: what it is and how it went, then the
 * parts of top_process.c, top_domain.c or top_arbiter.c.
 */
#include <stdio.h>
#include <string.h>

#include "top.h"
#include "top_columns.h"

enum { HISTORY_WIDTH = 60 };

/* The newest at the right. */
static void add_history(struct headway_top *t, const struct headway_top_row *row)
{
	char text[4 * HISTORY_WIDTH + 1];
	size_t used = 0;

	for (size_t ago = HISTORY_WIDTH; ago--;)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
					 headway_top_mark(headway_top_history(row, ago),
							  t->page.utf8));
	headway_top_line(&t->page, HEADWAY_TINT_NONE, "  history %s now", text);
}

static void add_rates(struct headway_top *t, const struct headway_top_row *row)
{
	char attempts[16], completions[16], failed[16];

	headway_top_number(row->attempts_per_s, attempts, sizeof(attempts));
	headway_top_number(row->completions_per_s, completions, sizeof(completions));
	headway_top_number(row->failed_per_s, failed, sizeof(failed));
	if (row->source == HEADWAY_TOP_ARBITER)
		headway_top_line(&t->page, HEADWAY_TINT_NONE,
				 "  rates   %s grants/s, %s requests/s that were not granted",
				 completions, failed);
	else
		headway_top_line(&t->page, HEADWAY_TINT_NONE,
				 "  rates   %s attempts/s, %s completions/s, %s %s/s", attempts,
				 completions, failed,
				 row->source == HEADWAY_TOP_PROCESS ? "failed" : "rollbacks");
}

static void add_verdict(struct headway_top *t, const struct headway_top_row *row)
{
	char cell[64];

	headway_top_line(&t->page, row->judged ? headway_top_tint(row->verdict) : HEADWAY_TINT_DIM,
			 "  verdict %s",
			 headway_top_cell(row, HEADWAY_TOP_BY_VERDICT, cell, sizeof(cell)));
}

void headway_top_detail(struct headway_top *t)
{
	const struct headway_top_row *now = headway_top_find(&t->model, &t->about);

	t->gone = !now;
	/* The last of it is worth more than an empty page. */
	if (t->gone && t->page.nr)
		return;
	if (now)
		t->about = *now;
	headway_top_page_clear(&t->page);
	if (t->about.source != HEADWAY_TOP_ARBITER)
		add_verdict(t, &t->about);
	add_rates(t, &t->about);
	if (t->about.source != HEADWAY_TOP_ARBITER)
		add_history(t, &t->about);
	if (t->about.source == HEADWAY_TOP_PROCESS)
		headway_top_process_page(t);
	else if (t->about.source == HEADWAY_TOP_ARBITER)
		headway_top_arbiter_page(t);
	else
		headway_top_domain_page(t);
}
