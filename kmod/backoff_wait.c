// SPDX-License-Identifier: GPL-2.0
/*
 * backoff_wait.c - waits as long as backoff.c says: asleep, or spinning.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "internal.h"
#include "trace.h"

/* Spinning longer would be a stall of its own; whoever needs more must sleep. */
#define HEADWAY_SPIN_CAP_NS NSEC_PER_MSEC

static bool headway_backoff_exhausted(const struct headway_backoff *backoff)
{
	return backoff->params.max_attempts && backoff->attempt >= backoff->params.max_attempts;
}

/* Sleeps to the end whoever wakes us, but for a signal that @state lets through. */
static int headway_sleep_until(ktime_t end, unsigned int state)
{
	int ret = 0;

	for (;;) {
		set_current_state(state);
		if (signal_pending_state(state, current)) {
			ret = -EINTR;
			break;
		}
		if (!schedule_hrtimeout(&end, HRTIMER_MODE_ABS))
			break;
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/* The delay, cut at the deadline: a retry after that would come too late. */
static int headway_backoff_sleep(ktime_t now, u64 delay_ns, const struct headway_wait *wait)
{
	unsigned int state = wait ? wait->state : TASK_UNINTERRUPTIBLE;
	ktime_t deadline = wait ? wait->deadline : KTIME_MAX;
	ktime_t end = ktime_add_safe(now, ns_to_ktime(min_t(u64, delay_ns, KTIME_MAX)));
	bool late = ktime_compare(end, deadline) > 0;
	int ret;

	if (state == TASK_RUNNING)
		return delay_ns ? -EBUSY : 0;
	/* Looks for a signal even when there is nothing to wait for. */
	ret = headway_sleep_until(late ? deadline : end, state);
	return ret ?: late ? -ETIMEDOUT : 0;
}

/**
 * headway_backoff_wait - sleep for the schedule's next delay
 * @backoff: where the retrier stands
 * @wait: what may end the sleep; NULL = nothing
 *
 * Context: task context, may sleep.
 * Return: 0; -EAGAIN: the schedule's attempts are used up; -ETIMEDOUT: the deadline passed; -EINTR:
 * a signal (TASK_INTERRUPTIBLE) or a fatal signal (TASK_KILLABLE) arrived; -EBUSY: @wait forbids
 * sleeping and there was a delay to sleep.
 */
int headway_backoff_wait(struct headway_backoff *backoff, const struct headway_wait *wait)
{
	ktime_t now = ktime_get();
	u64 delay;
	int ret;

	if (headway_backoff_exhausted(backoff))
		return -EAGAIN;
	might_sleep_if(!wait || wait->state != TASK_RUNNING);
	delay = headway_backoff_next(backoff, ktime_to_ns(now));
	trace_headway_backoff_begin(backoff->attempt, delay);
	ret = headway_backoff_sleep(now, delay, wait);
	trace_headway_backoff_end(ret);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_backoff_wait);

/**
 * headway_backoff_spin_until - spin for the schedule's next delay, but not past a time
 * @backoff: where the retrier stands
 * @end_ns: CLOCK_MONOTONIC, ns; U64_MAX = none
 *
 * Takes no lock and does not sleep. No delay is longer than 1 ms here, whatever the schedule says,
 * so that interrupts that are off stay off for no longer.
 *
 * Context: any but NMI.
 * Return: 0; -EAGAIN: the schedule's attempts are used up; -ETIMEDOUT: @end_ns is reached.
 */
int headway_backoff_spin_until(struct headway_backoff *backoff, u64 end_ns)
{
	u64 now = ktime_get_ns();
	u64 until;

	if (headway_backoff_exhausted(backoff))
		return -EAGAIN;
	if (now >= end_ns)
		return -ETIMEDOUT;
	until = min_t(u64, headway_backoff_next(backoff, now), HEADWAY_SPIN_CAP_NS);
	trace_headway_backoff_begin(backoff->attempt, until);
	until = min(now + until, end_ns);
	do {
		cpu_relax();
	} while (ktime_get_ns() < until);
	trace_headway_backoff_end(until == end_ns ? -ETIMEDOUT : 0);
	return until == end_ns ? -ETIMEDOUT : 0;
}
EXPORT_SYMBOL_GPL(headway_backoff_spin_until);
