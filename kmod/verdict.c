// SPDX-License-Identifier: GPL-2.0
/*
 * verdict.c - PURE: from one window's figures to a verdict.
 *
 * Two mistakes to avoid. Work that takes longer than a window must not alarm: nothing commits then
 * either, but the owner of a lock neither ends nor rolls back. So a livelock needs owners that do
 * roll back, and a stalled holder a wait beyond the limit, which the domain's user sets to suit the
 * work. And what ends without success is no progress: aborts do not count as commits.
 */
#include "verdict.h"

static bool headway_is_contended(const struct headway_window *w, const struct headway_limits *l)
{
	/* commits < 2^57 in any window, so that this does not overflow. */
	return w->rollbacks >= l->rollbacks_min &&
	       w->rollbacks * 100 > w->commits * l->contended_ratio;
}

static bool headway_is_starving(const struct headway_window *w, const struct headway_limits *l)
{
	return w->restarts_max > l->restarts_max || w->wait_max_ns > l->wait_max_ns;
}

/* Nothing committed. Either they undo each other's work, or they wait for one who does nothing. */
static enum headway_verdict headway_judge_stuck(const struct headway_window *w,
						const struct headway_limits *l)
{
	bool owner_stays = w->held_max_ns > w->length_ns / 2;
	u64 stall_ns = w->held_max_ns > w->wait_max_ns ? w->held_max_ns : w->wait_max_ns;
	bool wanted = w->waiters || w->rollbacks;

	if (wanted && (owner_stays || !w->rollbacks))
		return stall_ns > l->wait_max_ns ? HEADWAY_VERDICT_STALLED_HOLDER :
		       w->rollbacks >= l->rollbacks_min ? HEADWAY_VERDICT_CONTENDED :
							  HEADWAY_VERDICT_HEALTHY;
	if (w->rollbacks >= l->rollbacks_min)
		return w->actors >= 2 ? HEADWAY_VERDICT_LIVELOCK : HEADWAY_VERDICT_CONTENDED;
	return HEADWAY_VERDICT_HEALTHY;
}

/**
 * headway_judge - what one window shows
 * @window: its figures
 * @limits: the domain's thresholds
 *
 * Return: the verdict, not to be believed before headway_verdict_step() says so.
 */
enum headway_verdict headway_judge(const struct headway_window *window,
				   const struct headway_limits *limits)
{
	if (!window->in_flight && !window->attempts && !window->commits && !window->aborts)
		return HEADWAY_VERDICT_IDLE;
	if (!window->commits)
		return window->in_flight_throughout ? headway_judge_stuck(window, limits) :
						      HEADWAY_VERDICT_HEALTHY;
	if (headway_is_starving(window, limits))
		return HEADWAY_VERDICT_STARVATION;
	return headway_is_contended(window, limits) ? HEADWAY_VERDICT_CONTENDED :
						      HEADWAY_VERDICT_HEALTHY;
}

/**
 * headway_verdict_is_alarm - whether a person should be told
 * @verdict: a verdict
 *
 * Return: true for starvation, a stalled holder and livelock.
 */
bool headway_verdict_is_alarm(enum headway_verdict verdict)
{
	return verdict == HEADWAY_VERDICT_STARVATION || verdict == HEADWAY_VERDICT_STALLED_HOLDER ||
	       verdict == HEADWAY_VERDICT_LIVELOCK;
}

/**
 * headway_verdict_step - take one window's verdict into account
 * @state: what is believed
 * @seen: what the window showed
 *
 * It takes HEADWAY_VERDICT_WINDOWS windows in a row to believe another verdict. Alarms of different
 * kind, and calm verdicts of different kind, each count together: of windows that show a livelock
 * and a stalled holder by turns none is calm, and the last one decides what it is called.
 *
 * Return: true when the verdict believed has changed.
 */
bool headway_verdict_step(struct headway_hysteresis *state, enum headway_verdict seen)
{
	bool was_alarm = headway_verdict_is_alarm(state->candidate);
	bool same_side = headway_verdict_is_alarm(seen) == was_alarm;

	if (seen == state->verdict) {
		state->windows = 0;
		state->candidate = seen;
		return false;
	}
	state->windows = state->windows && same_side ? state->windows + 1 : 1;
	state->candidate = seen;
	if (state->windows < HEADWAY_VERDICT_WINDOWS)
		return false;
	state->verdict = seen;
	state->windows = 0;
	return true;
}
