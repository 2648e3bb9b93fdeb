/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wait.h - how every loop of ours that waits for a condition sleeps, as a struct headway_wait says.
 *
 * A condition that has come true wins over a signal and over the deadline: each loop looks at it
 * once more before it gives up.
 */
#ifndef HEADWAY_WAIT_PRIVATE_H
#define HEADWAY_WAIT_PRIVATE_H

#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "headway.h"

/* What a NULL stands for. */
static inline const struct headway_wait *headway_wait_or_forever(const struct headway_wait *wait)
{
	static const struct headway_wait forever = { TASK_UNINTERRUPTIBLE, KTIME_MAX };

	return wait ?: &forever;
}

/*
 * One sleep of such a loop, after set_current_state(wait->state) and a look at the condition.
 * @expired: false before the first.
 * Return: 0: look again; -EINTR: a signal is there; -ETIMEDOUT: the deadline has passed.
 */
static inline int headway_sleep_once(const struct headway_wait *wait, bool *expired)
{
	ktime_t deadline = wait->deadline;

	if (signal_pending_state(wait->state, current))
		return -EINTR;
	if (*expired)
		return -ETIMEDOUT;
	if (deadline == KTIME_MAX)
		schedule();
	else
		*expired = !schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS);
	return 0;
}

/*
 * Waits until a condition is true, which is woken for on a wait queue. @wait is evaluated once, and
 * NULL stands for as long as it takes. Return: 0; -EBUSY: @wait forbids sleeping; -EINTR;
 * -ETIMEDOUT.
 */
#define headway_wait_event(wq, condition, how) ({ \
	const struct headway_wait *__wait = headway_wait_or_forever(how); \
	wait_queue_head_t *__wq = (wq); \
	bool __expired = false; \
	DEFINE_WAIT(__entry); \
	int __ret = 0; \
	if (__wait->state == TASK_RUNNING) { \
		__ret = (condition) ? 0 : -EBUSY; \
	} else { \
		might_sleep(); \
		for (;;) { \
			prepare_to_wait(__wq, &__entry, __wait->state); \
			if (condition) \
				break; \
			__ret = headway_sleep_once(__wait, &__expired); \
			if (__ret) \
				break; \
		} \
		finish_wait(__wq, &__entry); \
	} \
	__ret; \
})

#endif /* HEADWAY_WAIT_PRIVATE_H */
