// SPDX-License-Identifier: GPL-2.0
/*
 * policy.c - PURE: the rules of each policy.
 *
 * Invariant that makes wound-wait free of cycles: a transaction only ever waits for one that is
 * effectively older than itself, or for one that it has wounded and that will therefore roll back
 * at its next wait; at the token, which it waits for with nothing held, that does not matter.
 * Under wait-die one that holds anything only waits for younger ones: the owner, with nobody older
 * in the queue before it, or for an owner that is giving back all that it holds and so waits for
 * nothing itself. `polite` and `none` never wait while holding, so they cannot form a cycle
 * either; of those that run politely one at a time, which holds the token, does wait, for others
 * that do not. `ordered` waits in one global order; under `serial` there is nobody to wait for but
 * at the token, with nothing held. Only `detect` lets cycles come about.
 */
#include "policy.h"

int headway_party_cmp(const struct headway_party *a, const struct headway_party *b)
{
	s64 age = (s64)a->ticket - a->bonus;
	s64 other = (s64)b->ticket - b->bonus;

	if (age != other)
		return age < other ? -1 : 1;
	if (a->ticket != b->ticket)
		return a->ticket < b->ticket ? -1 : 1;
	return 0;
}

enum headway_action headway_resolve(enum headway_policy policy, const struct headway_party *self,
				    const struct headway_party *owner)
{
	switch (policy) {
	case HEADWAY_POLICY_ORDERED:
	case HEADWAY_POLICY_DETECT:
	case HEADWAY_POLICY_SERIAL:
		return HEADWAY_WAIT;
	case HEADWAY_POLICY_POLITE:
		return self->nr_held && !self->token ? HEADWAY_BACKOUT : HEADWAY_WAIT;
	case HEADWAY_POLICY_WOUND_WAIT:
		return headway_party_cmp(self, owner) < 0 ? HEADWAY_WOUND : HEADWAY_WAIT;
	case HEADWAY_POLICY_WAIT_DIE:
		if (!self->nr_held)
			return HEADWAY_WAIT;
		if (self->behind)
			return HEADWAY_BACKOUT;
		/* It waits for nothing any more, and dying of it at each of its locks is no use. */
		if (owner->ending)
			return HEADWAY_WAIT;
		return headway_party_cmp(self, owner) < 0 ? HEADWAY_WAIT : HEADWAY_BACKOUT;
	case HEADWAY_POLICY_NONE:
	default:
		return HEADWAY_BACKOUT;
	}
}

bool headway_queues_by_age(enum headway_policy policy)
{
	return policy == HEADWAY_POLICY_WOUND_WAIT || policy == HEADWAY_POLICY_WAIT_DIE;
}

bool headway_sorts(enum headway_policy policy)
{
	return policy != HEADWAY_POLICY_NONE;
}

bool headway_waits_contended(enum headway_policy policy)
{
	return policy != HEADWAY_POLICY_NONE;
}

bool headway_detects(enum headway_policy policy)
{
	return policy == HEADWAY_POLICY_DETECT;
}

bool headway_delays(enum headway_policy policy)
{
	return policy == HEADWAY_POLICY_NONE || policy == HEADWAY_POLICY_POLITE;
}

bool headway_yields(enum headway_policy policy, u32 restarts)
{
	return policy == HEADWAY_POLICY_POLITE && restarts <= HEADWAY_POLITE_YIELDS;
}
