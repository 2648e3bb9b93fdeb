/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stat_rates.h - rates of `headway stat -i`: what was counted since the report before. PURE.
 */
#ifndef HEADWAY_STAT_RATES_H
#define HEADWAY_STAT_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEADWAY_STAT_COUNTS = 5 };

struct headway_stat_rates {
	bool known;			/* there was a report before, and nothing was reset since */
	double over_s;
	double per_s[HEADWAY_STAT_COUNTS];
	uint64_t grown[HEADWAY_STAT_COUNTS];
};

/* What was counted when we last looked, by name. {} is an empty one. */
struct headway_stat_samples {
	void *tree;			/* of tsearch() */
};

/* Remembers the counts for the next time. Out of memory, no rates are known. */
struct headway_stat_rates headway_stat_rate(struct headway_stat_samples *s, const char *name,
					    uint64_t now_ns,
					    const uint64_t counts[HEADWAY_STAT_COUNTS]);
void headway_stat_samples_free(struct headway_stat_samples *s);

#endif /* HEADWAY_STAT_RATES_H */
