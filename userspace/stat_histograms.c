// SPDX-License-Identifier: GPL-2.0
/*
 * stat_histograms.c - the part of `headway stat` about how long waits and holds took: as a table of
 * all locks of the domain together, as JSON of each.
 */
#include <inttypes.h>
#include <stdio.h>

#include "histogram.h"
#include "stat.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

static const struct headway_column columns[] = {
	{ "TIME", NULL, false }, { "WAITS", NULL, false }, { "HOLDS", "sampled", false },
};

static void print_table(const struct headway_text *text, bool color)
{
	uint64_t waits[HEADWAY_LOG2_BUCKETS] = { 0 }, holds[HEADWAY_LOG2_BUCKETS] = { 0 };
	int first = HEADWAY_LOG2_BUCKETS, last = -1;
	struct headway_table table;
	char range[64];

	headway_histogram_sum(waits, text, "wait");
	headway_histogram_sum(holds, text, "hold");
	for (int b = 0; b < HEADWAY_LOG2_BUCKETS; b++) {
		if (!waits[b] && !holds[b])
			continue;
		first = b < first ? b : first;
		last = b;
	}
	putchar('\n');
	if (last < 0) {
		puts("No wait and no hold has been timed yet.");
		return;
	}
	headway_table_init(&table, columns, ARRAY_LEN(columns));
	for (int b = first; b <= last; b++) {
		stat_add(&table, "%s", headway_histogram_range(b, range, sizeof(range)));
		stat_add(&table, "%" PRIu64, waits[b]);
		stat_add(&table, "%" PRIu64, holds[b]);
	}
	headway_table_print(&table, stdout, color);
}

int headway_stat_histograms(struct headway_kernelfs *k, const char *domain, bool json, bool color,
			    size_t *garbled)
{
	struct headway_text text;
	int err = headway_kernelfs_read(k, domain, "histograms", &text);

	if (err)
		return err;
	*garbled += text.garbled;
	for (size_t i = 0; json && i < text.nr_records; i++)
		headway_stat_print_json(headway_stat_json("histogram", "domain", domain,
							  &text.records[i]));
	if (!json)
		print_table(&text, color);
	headway_text_free(&text);
	return 0;
}
