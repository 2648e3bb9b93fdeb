/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy.h - PURE: who waits, who is wounded, who backs off; ticket and priority arithmetic.
 *
 * Includes no kernel header; the host unit tests and tests/model compile the same source.
 */
#ifndef HEADWAY_POLICY_H
#define HEADWAY_POLICY_H

#include "headway_types.h"

/**
 * enum headway_action - what a requester does about a held lock
 * @HEADWAY_WAIT: wait for it
 * @HEADWAY_WOUND: tell the holder to roll back, then wait
 * @HEADWAY_BACKOUT: fail with -EDEADLK: roll back, back off, retry
 */
enum headway_action {
	HEADWAY_WAIT,
	HEADWAY_WOUND,
	HEADWAY_BACKOUT,
};

/* One side of a conflict, as the rules see it. */
struct headway_party {
	u64 ticket;			/* 0 = none; both sides have one when a rule compares */
	s64 bonus;			/* subtracted from the ticket */
	u32 nr_held;			/* locks held */
	bool behind;			/* requester: somebody older waits already */
	bool token;			/* requester: holds the domain's token */
	bool ending;			/* owner: is giving back all that it holds */
};

/* Priorities are 0 (normal) to HEADWAY_PRIORITY_MAX; the bonus is bounded, so that age wins. */
#define HEADWAY_PRIORITY_MAX	15u
#define HEADWAY_BONUS_STEP	64
#define HEADWAY_BONUS_MAX	((s64)HEADWAY_PRIORITY_MAX * HEADWAY_BONUS_STEP)

/* So often a `polite` transaction gives way; then it takes the domain's token and stands firm. */
#define HEADWAY_POLITE_RESTARTS	32u
/*
 * So often it only lets others run: the lock that it lacks is waited for before it starts anew, so
 * most of those who give way once need no more. See Hinnant, "Dining Philosophers Rebooted", 2014.
 */
#define HEADWAY_POLITE_YIELDS	4u
/*
 * So often under `adaptive` while its arm is wound-wait: after that it is crowded, and restarts go
 * one by one. Where 16 threads take 800 of 100,000 locks each, plain wound-wait needs 3 to 4
 * rollbacks for a commit and four times wait-die's time (make bench-lock). Turns were measured when
 * locks were not yet released with preemption off: 0.6 rollbacks instead of 10, 1.1 times wait-die.
 */
#define HEADWAY_TURN_RESTARTS	2u

static inline s32 headway_priority_bonus(unsigned int priority)
{
	return HEADWAY_BONUS_STEP *
	       (s32)(priority > HEADWAY_PRIORITY_MAX ? HEADWAY_PRIORITY_MAX : priority);
}

/* < 0: a goes before b (is effectively older); never 0 for different tickets. */
int headway_party_cmp(const struct headway_party *a, const struct headway_party *b);
enum headway_action headway_resolve(enum headway_policy policy, const struct headway_party *self,
				    const struct headway_party *owner);
/* Whether waiters queue by age (oldest first) or in order of arrival. */
bool headway_queues_by_age(enum headway_policy policy);
/* Whether a set is taken in sorted order, or as the caller gave it. */
bool headway_sorts(enum headway_policy policy);
/* Whether, after a rollback, the contended lock is waited for first. */
bool headway_waits_contended(enum headway_policy policy);
/* Whether a new waiter looks for a cycle before it sleeps. */
bool headway_detects(enum headway_policy policy);
/* Whether a rollback is followed by a delay. */
bool headway_delays(enum headway_policy policy);
/* Whether that delay is only as long as others want the CPU. */
bool headway_yields(enum headway_policy policy, u32 restarts);
/*
 * Whether a transaction that holds nothing takes the domain's token before anything else.
 * @adaptive: @policy is an arm of `adaptive`.
 */
static inline bool headway_takes_token(enum headway_policy policy, bool adaptive, u32 restarts)
{
	switch (policy) {
	case HEADWAY_POLICY_SERIAL:
		return true;
	case HEADWAY_POLICY_POLITE:
		return restarts >= HEADWAY_POLITE_RESTARTS;
	case HEADWAY_POLICY_WOUND_WAIT:
		return adaptive && restarts >= HEADWAY_TURN_RESTARTS;
	default:
		return false;
	}
}

#endif /* HEADWAY_POLICY_H */
