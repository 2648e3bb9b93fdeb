/* SPDX-License-Identifier: GPL-2.0 */
/*
 * histogram.h - times counted by powers of two, as headway.ko's file `histograms` has them.
 */
#ifndef HEADWAY_HISTOGRAM_H
#define HEADWAY_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "kernelfs.h"

/* [2^k, 2^(k+1)) ns, the last without end */
enum { HEADWAY_LOG2_BUCKETS = 32 };

/* Adds what a line of the file has counted. */
void headway_histogram_add(uint64_t *buckets, const struct headway_record *r);
/*
 * Adds all lines of KIND ("wait", "hold"): all locks together. Return: how many times were counted.
 */
uint64_t headway_histogram_sum(uint64_t *buckets, const struct headway_text *text,
			       const char *kind);
/* "4 us to 8 us". */
const char *headway_histogram_range(int power, char *out, size_t len);

#endif /* HEADWAY_HISTOGRAM_H */
