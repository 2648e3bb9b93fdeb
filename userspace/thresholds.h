/* SPDX-License-Identifier: GPL-2.0 */
/*
 * thresholds.h - every number that a verdict depends on, in one place. PURE.
 *
 * Rates are scaled by the length of the window. A recording has those that its watch used. Tuned on
 * tests/corpus at windows of 2 and 5 s; the unit tests of detect.c check the edges.
 */
#ifndef HEADWAY_THRESHOLDS_H
#define HEADWAY_THRESHOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct headway_thresholds {
	/* A retrier fails this often, in every interval of the window, and completes nothing. */
	double retries_per_s;
	uint64_t retries_min;
	/* The same for timed waits and lost races, which are slow by nature. */
	double slow_retries_per_s;
	uint64_t slow_retries_min;
	/* Up to this share of its attempts may have got some other lock; more is progress. */
	double abort_ratio;
	/* Intervals in a row that look like a livelock before its end is worth a `transient`. */
	unsigned int transient_intervals;
	uint64_t transient_ns;
	/* Evaluations without the condition before a finding is over. */
	unsigned int clear_evaluations;
	/* Evaluations in a row that cannot tell, before that is reported: a start looks so. */
	unsigned int abstain_evaluations;
	/* Less of one CPU than this is off CPU; more than active_cpu_share is active. */
	double off_cpu_share;
	double active_cpu_share;
	double active_events_per_s;	/* yields, futex returns */
	/* More of the events lost than this: nothing good may be said. */
	double lost_ratio;
	/* Acquisitions by others while one waits a whole window. */
	uint64_t starving_peers_min;
	/* Retry storms: share and rate of futile calls; a period this steady has no jitter. */
	double storm_ratio;
	double storm_eagain_per_s;
	double storm_tries_per_s;	/* futile passages of attempt markers, of one thread */
	double storm_period_min_ns;
	double storm_steady;
	/* Failed share of attempts from which a program that completes is called contended. */
	double contended_ratio;
	double contended_eagain_ratio;
};

static const struct headway_thresholds headway_thresholds_default = {
	.retries_per_s = 4.0,
	.retries_min = 6,
	.slow_retries_per_s = 0.6,
	.slow_retries_min = 3,
	.abort_ratio = 0.95,
	.transient_intervals = 3,
	.transient_ns = 1000000000ull,
	.clear_evaluations = 2,
	.abstain_evaluations = 3,
	.off_cpu_share = 0.05,
	.active_cpu_share = 0.05,
	.active_events_per_s = 50.0,
	.lost_ratio = 0.01,
	.starving_peers_min = 10,
	.storm_ratio = 0.95,
	.storm_eagain_per_s = 1000.0,
	.storm_tries_per_s = 50.0,
	.storm_period_min_ns = 1e6,
	.storm_steady = 0.8,
	.contended_ratio = 0.5,
	.contended_eagain_ratio = 0.25,
};

/* By name, for options and recordings. */
struct headway_threshold {
	const char *name;
	size_t offset;
	size_t size;
	bool whole;			/* a count; else a double */
	double min;
	double max;
};

extern const struct headway_threshold headway_threshold_table[];
extern const size_t headway_nr_thresholds;

double headway_threshold_get(const struct headway_thresholds *t,
			     const struct headway_threshold *which);
/* -ERANGE: not from min to max, or not whole where it must be. */
int headway_threshold_set(struct headway_thresholds *t, const struct headway_threshold *which,
			  double value);

#endif /* HEADWAY_THRESHOLDS_H */
