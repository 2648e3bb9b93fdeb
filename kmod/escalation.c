// SPDX-License-Identifier: GPL-2.0
/*
 * escalation.c - PURE: when a livelocked domain goes to `serial`, and when back.
 *
 * Livelock only. `serial` ends it for certain, and everybody in it rolls back, so that the change
 * gets through at once. Starvation is not escalated: others do commit, so that all would pay with
 * their concurrency for one; and who waits long for a lock neither ends nor rolls back, so that the
 * change would shut the gate for all and then fail.
 *
 * Healthy windows are those in which something was committed: an idle domain proves nothing, and
 * loses nothing under `serial`.
 *
 * No flapping: a domain that livelocks again before it was healthy for as many windows as had been
 * asked for has relapsed, and the next time twice as many are asked for, up to 2^6 times the
 * setting. So of a workload that always livelocks under its own policy the share of time that is
 * lost to livelock, two windows or three each time, goes to three in 64 times healthy_windows.
 */
#include "escalation.h"

static void headway_escalation_raise(struct headway_escalation *e, u32 healthy_windows)
{
	bool relapse = e->need && e->calm < e->need;

	/* An attempt that was refused is the same livelock, not another one. */
	if (!e->refused) {
		e->relapses += relapse;
		if (!relapse)
			e->level = 0;
		else if (e->level < HEADWAY_ESCALATION_LEVELS)
			e->level++;
	}
	e->need = healthy_windows << e->level;
	e->busy = true;
}

/**
 * headway_escalation_window - take a window into account
 * @e: state
 * @window: what it means
 *
 * Return: the step to take now; headway_escalation_ended() must follow.
 */
enum headway_escalation_step
headway_escalation_window(struct headway_escalation *e,
			  const struct headway_escalation_window *window)
{
	if (e->busy)
		return HEADWAY_ESCALATION_NOTHING;
	if (e->raised)
		e->healthy = window->alarm ? 0 : e->healthy + window->healthy;
	else
		e->calm += window->healthy;
	if (e->hold_off) {
		e->hold_off--;
		return HEADWAY_ESCALATION_NOTHING;
	}
	if (e->raised) {
		if (window->enabled && e->healthy < e->need)
			return HEADWAY_ESCALATION_NOTHING;
		e->busy = true;
		return HEADWAY_ESCALATION_LOWER;
	}
	if (!window->enabled || !window->livelock || !window->raisable)
		return HEADWAY_ESCALATION_NOTHING;
	headway_escalation_raise(e, window->healthy_windows);
	return HEADWAY_ESCALATION_RAISE;
}

/**
 * headway_escalation_ended - a step was taken, or could not be
 * @e: state
 * @step: which
 * @changed: the policy was changed
 */
void headway_escalation_ended(struct headway_escalation *e, enum headway_escalation_step step,
			      bool changed)
{
	e->busy = false;
	e->healthy = 0;
	if (!changed) {
		/* Each attempt shuts the gate for a while. */
		e->hold_off = 1u << e->refused;
		if (e->refused < HEADWAY_ESCALATION_LEVELS)
			e->refused++;
		return;
	}
	e->refused = 0;
	e->raised = step == HEADWAY_ESCALATION_RAISE;
	e->calm = 0;
}

/**
 * headway_escalation_override - somebody else has set a policy
 * @e: state
 *
 * Whatever it is, it stays, and what happened under the old one is no relapse of the new one.
 */
void headway_escalation_override(struct headway_escalation *e)
{
	u64 relapses = e->relapses;

	*e = (struct headway_escalation){ .relapses = relapses };
}
