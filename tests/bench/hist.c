// SPDX-License-Identifier: GPL-2.0
/*
 * hist.c - a histogram of times: 16 buckets for each power of two, so that a quantile is known to
 * one part in 16. 2^41 ns and more are in the last one.
 */
#include "bench.h"

#define BENCH_HIST_SHIFT 4

static unsigned int bench_hist_bucket(u64 ns)
{
	unsigned int exponent;

	if (ns < 1 << BENCH_HIST_SHIFT)
		return ns;
	exponent = fls64(ns) - 1 - BENCH_HIST_SHIFT;
	return min_t(u64, ((u64)exponent << BENCH_HIST_SHIFT) + (ns >> exponent),
		     BENCH_HIST_BUCKETS - 1);
}

/* The least time that is not in the bucket. */
static u64 bench_hist_end(unsigned int bucket)
{
	unsigned int exponent = bucket >> BENCH_HIST_SHIFT;

	if (!exponent)
		return bucket + 1;
	exponent--;
	return ((u64)bucket + 1 - ((u64)exponent << BENCH_HIST_SHIFT)) << exponent;
}

void bench_hist_add(u32 *hist, u64 ns)
{
	hist[bench_hist_bucket(ns)]++;
}

/* Return: ns, at most a sixteenth above the quantile; 0 of an empty one. */
u64 bench_hist_quantile(const u32 *hist, unsigned int per_mille)
{
	u64 total = 0, seen = 0;
	unsigned int i;

	for (i = 0; i < BENCH_HIST_BUCKETS; i++)
		total += hist[i];
	for (i = 0; i < BENCH_HIST_BUCKETS; i++) {
		seen += hist[i];
		if (seen && seen * 1000 >= total * per_mille)
			return bench_hist_end(i);
	}
	return 0;
}
