/* SPDX-License-Identifier: GPL-2.0 */
/*
 * verdict.h - PURE: what one window of a domain shows, and when a verdict changes.
 *
 * Includes no kernel header; the host unit tests compile the same source.
 */
#ifndef HEADWAY_VERDICT_H
#define HEADWAY_VERDICT_H

#include "headway_types.h"

/**
 * struct headway_window - what was measured in one window
 * @length_ns: from the previous evaluation to this one
 * @in_flight_throughout: at every sample a transaction was in flight
 * @in_flight: transactions in flight at the end
 * @attempts: passes begun, retries included
 * @commits: transactions that ended with what they wanted
 * @aborts: transactions that ended after a failed call
 * @rollbacks: times that a transaction released everything to retry
 * @actors: live transactions that rolled back in the window
 * @waiters: transactions that wait for a lock at the end
 * @wait_max_ns: how long the longest waiting of them has waited
 * @restarts_max: most restarts of a transaction that rolled back in the window and is still there
 * @held_max_ns: how long the same transaction was seen to own a lock without rolling back. Looked
 *	at only while nothing commits
 */
struct headway_window {
	u64 length_ns;
	bool in_flight_throughout;
	u64 in_flight;
	u64 attempts;
	u64 commits;
	u64 aborts;
	u64 rollbacks;
	u32 actors;
	u32 waiters;
	u64 wait_max_ns;
	u32 restarts_max;
	u64 held_max_ns;
};

/**
 * struct headway_limits - a domain's thresholds; see debugfs file watchdog
 * @rollbacks_min: fewer rollbacks in a window are no evidence
 * @contended_ratio: rollbacks per 100 commits; more is contended
 * @restarts_max: more restarts of one transaction are starvation
 * @wait_max_ns: a longer wait is starvation, or a stalled holder when nothing moves
 */
struct headway_limits {
	u32 rollbacks_min;
	u32 contended_ratio;
	u32 restarts_max;
	u64 wait_max_ns;
};

/* Windows in a row that show a verdict before it is believed. */
#define HEADWAY_VERDICT_WINDOWS 2

/**
 * struct headway_hysteresis - the verdict believed, and the one that may follow
 * @verdict: believed
 * @candidate: what the last windows showed instead
 * @windows: how many in a row
 */
struct headway_hysteresis {
	enum headway_verdict verdict;
	enum headway_verdict candidate;
	u32 windows;
};

enum headway_verdict headway_judge(const struct headway_window *window,
				   const struct headway_limits *limits);
bool headway_verdict_is_alarm(enum headway_verdict verdict);
bool headway_verdict_step(struct headway_hysteresis *state, enum headway_verdict seen);

#endif /* HEADWAY_VERDICT_H */
