/* SPDX-License-Identifier: GPL-2.0 */
/*
 * assess.h - the state of a window in which nothing was found. PURE, private to the engine.
 */
#ifndef HEADWAY_ASSESS_H
#define HEADWAY_ASSESS_H

#include "detect.h"
#include "judge.h"

/*
 * Fills state, reason, advice and the numbers of the window from a judged window. unexplained: set
 * to the actor that is the reason for `undetermined`, -1 when there is none.
 */
void headway_assess(struct headway_assessment *out, const struct headway_judge *j,
		    long *unexplained);
/* Of what completes: do so many of its tries fail, or waits come too late, that it is contended? */
bool headway_is_contended(const struct headway_thresholds *t, uint64_t attempts, uint64_t fails,
			  uint64_t completions, uint64_t waits, uint64_t eagain);
/* Does it use a CPU, or call often enough, to be called active? */
bool headway_is_active(const struct headway_thresholds *t, double cpu_share, uint64_t events,
		       double seconds);
/* The sum of what was dropped, in events. */
uint64_t headway_lost_events(const uint64_t *counters);
/* What limits what could be seen in a window. */
struct headway_sight {
	const uint64_t *counters;	/* growth in it */
	uint32_t missing_probes;
	uint64_t left_out;		/* processes without room */
	bool marked;			/* so that nothing need be inferred from trylocks */
};

/*
 * False when more than 1 % of the events were lost, a needed probe is missing, or a process or
 * thread found no room: one of which nothing is known may be the one that is stuck, however few its
 * events.
 */
bool headway_observed_well(const struct headway_thresholds *t, const struct headway_sight *sight,
			   char *why, size_t len);

#endif /* HEADWAY_ASSESS_H */
