// SPDX-License-Identifier: GPL-2.0
/*
 * histogram.c - sums of headway.ko's histograms. See histogram.h.
 */
#include "histogram.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void headway_histogram_add(uint64_t *buckets, const struct headway_record *r)
{
	for (int b = 0; b < HEADWAY_LOG2_BUCKETS; b++) {
		uint64_t count;
		char label[16];

		snprintf(label, sizeof(label), "b%d", b);
		headway_record_u64(r, label, &count);
		buckets[b] += count;
	}
}

uint64_t headway_histogram_sum(uint64_t *buckets, const struct headway_text *text, const char *kind)
{
	uint64_t times = 0;

	for (size_t i = 0; i < text->nr_records; i++) {
		const char *has = headway_record_get(&text->records[i], "kind");

		if (has && !strcmp(has, kind))
			headway_histogram_add(buckets, &text->records[i]);
	}
	for (int b = 0; b < HEADWAY_LOG2_BUCKETS; b++)
		times += buckets[b];
	return times;
}

static const char *begin(int power, char *out, size_t len)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	int unit = power / 10 < 3 ? power / 10 : 3;

	/* 2^10 ns is 1.02 us: near enough to read. */
	snprintf(out, len, "%" PRIu64 " %s", (uint64_t)1 << (power - 10 * unit), units[unit]);
	return out;
}

const char *headway_histogram_range(int power, char *out, size_t len)
{
	char from[24], to[24];

	snprintf(out, len, "%8s to %-8s", begin(power, from, sizeof(from)),
		 begin(power + 1, to, sizeof(to)));
	return out;
}
