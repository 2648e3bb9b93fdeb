/* SPDX-License-Identifier: GPL-2.0 */
/*
 * adapt.h - PURE: which of two policies suits a domain better, found out by trying them.
 *
 * Includes no kernel header; the host unit tests compile the same source. adaptive.c feeds it.
 */
#ifndef HEADWAY_ADAPT_H
#define HEADWAY_ADAPT_H

#include "headway_types.h"

/* The arms, in the order in which they are tried. */
#define HEADWAY_ARMS 2

/* One trial; longer, up to four times, while it has too few commits to tell. */
#define HEADWAY_TRIAL_NS	(50 * 1000000ull)
#define HEADWAY_TRIAL_MAX_NS	(4 * HEADWAY_TRIAL_NS)
#define HEADWAY_TRIAL_COMMITS	32
/* Fewer after that time, and the domain is too slow to compare anything. */
#define HEADWAY_TRIAL_COMMITS_MIN 4
/* An idle domain is looked at so often. */
#define HEADWAY_ADAPT_IDLE_NS	(5 * HEADWAY_TRIAL_NS)
/* For each ns of probing the other arm in vain, so many in the better one: 1 / 41 = 2.4 %. */
#define HEADWAY_ADAPT_SPARE	40
/* Pairs of trials in a comparison, at most. */
#define HEADWAY_ADAPT_PAIRS	64

/* What was counted since the trial began. */
struct headway_trial {
	u64 length_ns;
	u64 commits;
	u64 rollbacks;
	u64 waits;			/* 0 with statistics off */
	bool in_flight;			/* somebody is, now */
};

/* X(enumerator, name): why the present arm is on */
#define HEADWAY_WHYS(X) \
	X(START, "start") \
	X(IDLE, "idle") \
	X(LITTLE_CONFLICT, "little-conflict") \
	X(COMPARING, "comparing") \
	X(MORE_COMMITS, "more-commits") \
	X(FEWER_ROLLBACKS, "fewer-rollbacks") \
	X(NOT_BEATEN, "not-beaten") \
	X(BUSY, "busy")

/**
 * enum headway_why - why the present arm is on
 * @HEADWAY_WHY_START: nothing has been measured yet, or not since somebody is there again
 * @HEADWAY_WHY_IDLE: nobody is there to measure
 * @HEADWAY_WHY_LITTLE_CONFLICT: so few rollbacks and waits that the other arm could not matter
 * @HEADWAY_WHY_COMPARING: a comparison is under way
 * @HEADWAY_WHY_MORE_COMMITS: it won the last comparison
 * @HEADWAY_WHY_FEWER_ROLLBACKS: it commits as much as the other, with half of its rollbacks
 * @HEADWAY_WHY_NOT_BEATEN: it was on, and the other was no better
 * @HEADWAY_WHY_BUSY: the change to the other could not be made in time
 * @HEADWAY_NR_WHYS: number of reasons
 */
enum headway_why {
#define X(id, name) HEADWAY_WHY_##id,
	HEADWAY_WHYS(X)
#undef X
	HEADWAY_NR_WHYS
};

/* A trial's result. */
struct headway_rate {
	u64 commits_per_s;
	u64 rollbacks_per_1000;		/* commits */
};

struct headway_adapt {
	u32 arm;			/* that should be on */
	u32 best;			/* that was found better; the incumbent of a comparison */
	enum headway_why why;
	struct headway_rate rate[HEADWAY_ARMS];	/* of each one's last trial; 0 = none */
	u64 trials;			/* complete ones */
	u64 comparisons;
	u64 switches;			/* of best */
	/* A comparison: */
	bool comparing;
	bool known;			/* there has been one under the present load */
	u32 pairs;
	u32 gain[HEADWAY_ADAPT_PAIRS];	/* challenger / incumbent, commits, 1 / 1024; ascending */
	u64 rollbacks[HEADWAY_ARMS];	/* per 1000 commits, sums over the pairs */
	u64 spent_ns;			/* in the challenger's trials, and in changes of the arm */
	/* Between comparisons: */
	u64 since_ns;			/* the last one */
	u64 owed_ns;			/* to the best arm, before the next */
	u32 patience;			/* times that; more after each one in vain */
	u64 usual_per_s;		/* commits, running mean */
	u32 unusual;			/* trials in a row far from it */
};

/* What to do after a look. */
struct headway_adapt_step {
	bool fresh;			/* start a new trial; false = let it go on */
	u64 next_ns;			/* when to look again */
};

void headway_adapt_init(struct headway_adapt *adapt);
struct headway_adapt_step headway_adapt_step(struct headway_adapt *adapt,
					     const struct headway_trial *trial);
void headway_adapt_changed(struct headway_adapt *adapt, bool made, u64 took_ns);

#endif /* HEADWAY_ADAPT_H */
