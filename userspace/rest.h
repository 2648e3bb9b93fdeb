/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rest.h - when the probes rest, because what they see would cost the target too much. PURE.
 *
 * After a whole window with more events than are allowed, the probes are taken away for so many
 * windows that the average is what is allowed. A window in which they rested gets no verdict: what
 * is judged is whole windows.
 *
 * A rest may be broken by short looks, peeks. What is counted in one is no ground for a verdict,
 * but may be one for a suspicion, which ends the rest at once. As a peek comes every third
 * interval, is weighed after the interval in which it was, and a rest takes one more to end, what
 * begins in a rest is told within two windows, if these have four intervals and four seconds or
 * more. Suspicions that a whole window did not bear out are heeded less often, so that they do not
 * cost what the rest spares.
 */
#ifndef HEADWAY_REST_H
#define HEADWAY_REST_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HEADWAY_REST_RATE = 2000000,	/* events a second, when nothing else was asked for */
	HEADWAY_REST_MOST = 4,		/* windows at most: a fifth of the time is watched */
	/*
	 * The same for trylocks, each of which costs 3 to 4 us, ten times as much as another event:
	 * 3 % of one CPU.
	 */
	HEADWAY_REST_TRIES = 8000,
	HEADWAY_REST_TRIES_MOST = 60,
	HEADWAY_REST_TRIES_BLIND = 24,	/* without peeks */
};

enum headway_rest_phase {
	HEADWAY_REST_WATCHING,
	HEADWAY_REST_RESTING,
	HEADWAY_REST_SETTLING,	/* one interval: what spans the rest is over before we look */
};

struct headway_rest {
	uint64_t max_rate;	/* events a second; 0: the probes never rest */
	uint64_t most;		/* windows of rest at most */
	uint64_t peek_every;	/* a rest's intervals, from one peek to the next; 0: no peeks */
	bool suspicious;	/* what is seen now is worth its price: no rest begins */
	uint64_t window_ns;
	uint64_t interval_ns;
	/* The rest is headway_rest_step()'s own. */
	enum headway_rest_phase phase;
	uint64_t since_ns;	/* this window began, or the rest ends */
	uint64_t events;	/* at the beginning of this window */
	uint64_t last_ns;
	uint64_t rested_ns;	/* in all */
	uint64_t looks;		/* since the last peek */
	bool broken;		/* this window is watched because of a suspicion */
	unsigned int doubts;	/* so many of them were wrong, less those rests that went well */
	uint64_t heeded_ns;	/* from then on a suspicion ends a rest again */
};

enum headway_rest_step {
	HEADWAY_REST_STAY,
	HEADWAY_REST_DETACH,
	HEADWAY_REST_ATTACH,
	HEADWAY_REST_PEEK,	/* attach for headway_rest_peek_ns(); the rest goes on */
};

/* At each snapshot: its time, and the events so far. What is to be done with the probes now. */
enum headway_rest_step headway_rest_step(struct headway_rest *r, uint64_t now_ns, uint64_t events);
/* Something is suspected. Are the probes to be attached, as that ends a rest? */
bool headway_rest_break(struct headway_rest *r, uint64_t now_ns);
/* For windows and intervals like these. */
uint64_t headway_rest_peek_every(uint64_t window_ns, uint64_t interval_ns);
uint64_t headway_rest_peek_ns(uint64_t interval_ns);

#endif /* HEADWAY_REST_H */
