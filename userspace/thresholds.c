// SPDX-License-Identifier: GPL-2.0
/*
 * thresholds.c - the thresholds of the verdicts by name. PURE.
 *
 * Invariants: every member of the structure is in the table (tests/unit/thresholds_test.c),
 * in its order; no value that it lets through makes the engine divide by 0 or overflow.
 */
#include "thresholds.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define THRESHOLD(member, whole, min, max) \
	{ #member, offsetof(struct headway_thresholds, member), \
	  sizeof(((struct headway_thresholds *)0)->member), whole, min, max }
#define RATE(member) THRESHOLD(member, false, 0.001, 1e9)	/* a second */
#define SHARE(member) THRESHOLD(member, false, 0, 1)
#define COUNT(member) THRESHOLD(member, true, 1, 1e9)
const struct headway_threshold headway_threshold_table[] = {
	RATE(retries_per_s), COUNT(retries_min), RATE(slow_retries_per_s), COUNT(slow_retries_min),
	SHARE(abort_ratio), COUNT(transient_intervals),
	THRESHOLD(transient_ns, true, 0, 3.6e12),
	COUNT(clear_evaluations), COUNT(abstain_evaluations), SHARE(off_cpu_share),
	SHARE(active_cpu_share), RATE(active_events_per_s), SHARE(lost_ratio),
	COUNT(starving_peers_min), SHARE(storm_ratio), RATE(storm_eagain_per_s),
	RATE(storm_tries_per_s), THRESHOLD(storm_period_min_ns, false, 0, 3.6e12),
	SHARE(storm_steady), SHARE(contended_ratio), SHARE(contended_eagain_ratio),
};
const size_t headway_nr_thresholds =
	sizeof(headway_threshold_table) / sizeof(headway_threshold_table[0]);

double headway_threshold_get(const struct headway_thresholds *t,
			     const struct headway_threshold *which)
{
	const unsigned char *from = (const unsigned char *)t + which->offset;
	unsigned int narrow;
	uint64_t wide;
	double value;

	if (!which->whole) {
		memcpy(&value, from, sizeof(value));
		return value;
	}
	if (which->size == sizeof(narrow)) {
		memcpy(&narrow, from, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, from, sizeof(wide));
	return (double)wide;
}

int headway_threshold_set(struct headway_thresholds *t, const struct headway_threshold *which,
			  double value)
{
	unsigned char *to = (unsigned char *)t + which->offset;
	unsigned int narrow;
	uint64_t wide;

	if (!(value >= which->min && value <= which->max) || (which->whole && value != rint(value)))
		return -ERANGE;
	/* Converted to what it is kept in only: to what cannot hold it, that is undefined. */
	if (!which->whole) {
		memcpy(to, &value, sizeof(value));
	} else if (which->size == sizeof(narrow)) {
		narrow = (unsigned int)value;
		memcpy(to, &narrow, sizeof(narrow));
	} else {
		wide = (uint64_t)value;
		memcpy(to, &wide, sizeof(wide));
	}
	return 0;
}
