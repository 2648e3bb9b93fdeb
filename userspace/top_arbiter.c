// SPDX-License-Identifier: GPL-2.0
/*
 * top_arbiter.c - of the page about an arbiter of headway.ko: its counts, who waits for whom, and
 * what each request wants and holds, in the tables of `headway stat` (arbiter_table.h).
 */
#include <stdio.h>

#include "arbiter_table.h"
#include "stat.h"
#include "top.h"

static void add_summary(struct headway_top *t)
{
	struct headway_record summary;
	struct headway_table table;
	struct headway_text text;

	headway_top_section(&t->page, "COUNTS");
	if (headway_top_read_file(t, "summary", &text))
		return;
	summary = headway_text_all(&text);
	headway_arbiter_table_init(&table);
	headway_arbiter_table_add(&table, t->about.name, &summary);
	headway_top_add_table(&t->page, &table);
	headway_text_free(&text);
}

/* All requests of a holder are one activity, and one node. */
static const char *holder_name(void *ctx, uint32_t activity, char *out, size_t len)
{
	const struct headway_text *text = ctx;

	snprintf(out, len, "%u", activity);
	for (size_t i = 0; i < text->nr_records; i++) {
		const struct headway_record *r = &text->records[i];
		bool waits = (uint32_t)stat_u64(r, "waiter_activity") == activity;

		if (!waits && (uint32_t)stat_u64(r, "holder_activity") != activity)
			continue;
		snprintf(out, len, "%s (%s)", stat_str(r, waits ? "waiter" : "holder"),
			 stat_str(r, waits ? "waiter_pid" : "holder_pid"));
		break;
	}
	return out;
}

static void read_edge(struct headway_top_wait *w, const struct headway_record *r)
{
	w->waiter = (uint32_t)stat_u64(r, "waiter_activity");
	w->holder = (uint32_t)stat_u64(r, "holder_activity");
	snprintf(w->how, sizeof(w->how), "waits for resource %.64s, %s that one, for %.1f ms",
		 stat_str(r, "resources"), headway_request_edge_why(r),
		 (double)stat_u64(r, "wait_ns") / 1e6);
}

static const struct headway_top_edges holder_edges = { .read = read_edge, .name = holder_name };

static void add_requests(struct headway_top *t)
{
	struct headway_table table;
	struct headway_text text;

	headway_top_section(&t->page, "REQUESTS");
	if (headway_top_read_file(t, "requests", &text))
		return;
	headway_request_table_init(&table);
	for (size_t i = 0; i < text.nr_records; i++)
		headway_request_table_add(&table, &text.records[i]);
	if (text.nr_records)
		headway_top_add_table(&t->page, &table);
	else
		headway_top_line(&t->page, HEADWAY_TINT_DIM,
				 "  No request holds resources or waits for any.");
	headway_text_free(&text);
}

void headway_top_arbiter_page(struct headway_top *t)
{
	add_summary(t);
	headway_top_graph(t, &holder_edges);
	add_requests(t);
}
