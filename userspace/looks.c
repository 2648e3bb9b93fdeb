// SPDX-License-Identifier: GPL-2.0
/*
 * looks.c - when a watch looks at its targets. PURE.
 *
 * Looks are spread around the grid by up to an eighth of the interval: a target with a period of
 * its own would else be seen at the same point of it each time. Multiples of the golden ratio fill
 * the interval evenly.
 */
#include "looks.h"

#include <math.h>

uint64_t headway_looks_next(struct headway_looks *l, uint64_t now_ns)
{
	uint64_t next;

	do {
		double phase;

		l->nr++;
		phase = fmod((double)l->nr * 0.6180339887498949, 1.0) - 0.5;
		next = l->begin_ns + (uint64_t)(((double)l->nr + phase / 4) * l->interval_ns);
	} while (next <= now_ns);
	return l->end_ns && next > l->end_ns ? l->end_ns : next;
}
