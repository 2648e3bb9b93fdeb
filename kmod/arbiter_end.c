// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter_end.c - how requests and arbiters come to an end: withdraw, shut down, destroy.
 *
 * Lock order: see arbiter.c. What is waited for here changes under arbiter->lock, and whoever
 * changes it calls headway_arbiter_stir() before the lock is dropped. It is looked at under the
 * lock, so that whoever changed it has left the lock, and does not come back to what is freed then.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "arbiter.h"
#include "wait.h"

void headway_arbiter_stir(struct headway_arbiter *arbiter)
{
	/* Whoever waits is on the queue before it looks, under the lock that we hold. */
	if (waitqueue_active(&arbiter->idle))
		wake_up_all(&arbiter->idle);
}

/**
 * headway_arbiter_shutdown - let nobody wait any more
 * @arbiter: the arbiter
 *
 * Pending requests fail with -ECANCELED, and so does every new one. What is held stays held until
 * it is released.
 *
 * Context: any that may take a spinlock_t with interrupts off.
 */
void headway_arbiter_shutdown(struct headway_arbiter *arbiter)
{
	unsigned long flags;

	spin_lock_irqsave(&arbiter->lock, flags);
	arbiter->closing = true;
	while (arbiter->core.oldest)
		headway_arbiter_fail(arbiter, arbiter->core.oldest, -ECANCELED);
	spin_unlock_irqrestore(&arbiter->lock, flags);
}
EXPORT_SYMBOL_GPL(headway_arbiter_shutdown);

/* Whether nobody is in it any more: no waiter, no callback that runs or is due. */
static bool headway_is_deserted(struct headway_arbiter *arbiter, u32 *held)
{
	bool deserted;

	spin_lock_irq(&arbiter->lock);
	*held = arbiter->core.stats.held;
	deserted = !arbiter->nr_sleepers && !arbiter->calling && list_empty(&arbiter->calls);
	spin_unlock_irq(&arbiter->lock);
	return deserted;
}

/* Nobody is in it, nothing is held. What may still run of it ends by itself, soon. */
static void headway_arbiter_free(struct headway_arbiter *arbiter)
{
	headway_debugfs_remove_arbiter(arbiter);
	cancel_delayed_work_sync(&arbiter->expire_work);
	destroy_workqueue(arbiter->wq);
	kfree(arbiter);
}

/* A callback would wait for itself. Only we ourselves can have written that we are it. */
static bool headway_in_callback(struct headway_arbiter *arbiter)
{
	return READ_ONCE(arbiter->caller) == current;
}

/**
 * headway_arbiter_destroy_wait - shut an arbiter down and free it, when all have left
 * @arbiter: from headway_arbiter_create()
 * @wait: how to wait; NULL = for as long as it takes; with @wait->state TASK_RUNNING it waits for
 *	nobody
 *
 * Waits for those who wait in it (they return with -ECANCELED), for its callbacks, and for what is
 * held to be released. When the wait ends early the arbiter is shut down, so that nobody can enter,
 * and is still there: release what is held, or wait longer, and call this again.
 *
 * Context: task context, may sleep; not in a callback of the arbiter.
 * Return: 0: it is gone; -ETIMEDOUT: the deadline passed; -EINTR: a signal arrived; -EBUSY:
 * somebody is in it or holds something, and @wait forbids waiting; -EINVAL: in a callback of the
 * arbiter.
 */
int headway_arbiter_destroy_wait(struct headway_arbiter *arbiter, const struct headway_wait *wait)
{
	u32 held;
	int ret;

	if (headway_in_callback(arbiter))
		return -EINVAL;
	headway_arbiter_shutdown(arbiter);
	ret = headway_wait_event(&arbiter->idle, headway_is_deserted(arbiter, &held) && !held,
				 wait);
	if (!ret)
		headway_arbiter_free(arbiter);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_arbiter_destroy_wait);

/**
 * headway_arbiter_destroy - shut an arbiter down and free it
 * @arbiter: from headway_arbiter_create(), or an ERR_PTR() or NULL, which are ignored
 *
 * Waiters return with -ECANCELED and callbacks run before this returns: it waits for them without a
 * limit, see headway_arbiter_destroy_wait() for one. Resources must have been released: otherwise
 * it warns and leaves the memory, which their holders will use, where it is.
 *
 * Context: task context, may sleep; not in a callback of the arbiter.
 */
void headway_arbiter_destroy(struct headway_arbiter *arbiter)
{
	u32 held;

	if (IS_ERR_OR_NULL(arbiter) ||
	    WARN(headway_in_callback(arbiter), "headway: arbiter %s: destroyed by its callback\n",
		 arbiter->name))
		return;
	headway_arbiter_shutdown(arbiter);
	wait_event(arbiter->idle, headway_is_deserted(arbiter, &held));
	if (WARN(held, "headway: arbiter %s: destroyed while %u resources are held: release them\n",
		 arbiter->name, held))
		return;
	headway_arbiter_free(arbiter);
}
EXPORT_SYMBOL_GPL(headway_arbiter_destroy);

/* Under the lock: whether somebody else still looks at a request that has no claim any more. */
static bool headway_in_hands(const struct headway_arbiter *arbiter,
			     const struct headway_request *request)
{
	return request->waiter || (arbiter->calling == request && arbiter->caller != current);
}

static bool headway_left_alone(struct headway_arbiter *arbiter,
			       const struct headway_request *request)
{
	bool alone;

	spin_lock_irq(&arbiter->lock);
	alone = !headway_in_hands(arbiter, request);
	spin_unlock_irq(&arbiter->lock);
	return alone;
}

/**
 * headway_request_withdraw_wait - whatever it is: afterwards nothing is waited for or held
 * @request: any
 * @wait: how to wait for a callback or for another task; NULL = for as long as it takes; with
 *	@wait->state TASK_RUNNING it waits for nobody
 *
 * Cancels what is pending, without a callback; releases what was granted; takes back a callback
 * that has not begun. Waits for one that has, unless that is where it is called, and for another
 * task that sleeps on the request, which is told -ECANCELED, to leave.
 *
 * Context: task context, may sleep; where there is neither a callback nor another task, and with
 * @wait->state TASK_RUNNING, any that may take a spinlock_t with interrupts off.
 * Return: 0: nobody looks at it any more: it may be freed; -ETIMEDOUT: the deadline passed; -EINTR:
 * a signal arrived; -EBUSY: @wait forbids waiting. After an error nothing is held or waited for
 * either, but the callback still runs or the task has not left: the request must stay. Call again.
 */
int headway_request_withdraw_wait(struct headway_request *request, const struct headway_wait *wait)
{
	struct headway_arbiter *arbiter = request->holder->arbiter;
	unsigned long flags;
	bool in_hands;

	spin_lock_irqsave(&arbiter->lock, flags);
	if (request->state == HEADWAY_REQUEST_PENDING)
		headway_arbiter_fail(arbiter, request, -ECANCELED);
	else if (request->state == HEADWAY_REQUEST_GRANTED)
		headway_arbiter_core_release(&arbiter->core, request);
	list_del_init(&request->called);
	headway_arbiter_settle(arbiter);
	headway_arbiter_stir(arbiter);
	in_hands = headway_in_hands(arbiter, request);
	spin_unlock_irqrestore(&arbiter->lock, flags);
	if (!in_hands)
		return 0;
	if (wait && wait->state == TASK_RUNNING)
		return -EBUSY;
	return headway_wait_event(&arbiter->idle, headway_left_alone(arbiter, request), wait);
}
EXPORT_SYMBOL_GPL(headway_request_withdraw_wait);
