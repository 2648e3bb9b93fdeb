// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter_wait.c - the arbiter's waits: for one request, for any of several.
 *
 * Lock order: see arbiter.c. A request has one waiter at a time, which is woken under arbiter->lock
 * and looks at the request under it, so that a result that came in time is never lost.
 */
#include <linux/module.h>

#include "arbiter.h"
#include "wait.h"

static bool headway_has_result(const struct headway_request *request)
{
	return request->state == HEADWAY_REQUEST_GRANTED ||
	       request->state == HEADWAY_REQUEST_FAILED;
}

/*
 * Under the lock. Return: index of the first request that has a result, -EBUSY: none yet, -ENOENT.
 */
static int headway_first_result(struct headway_request **requests, unsigned int n)
{
	bool pending = false;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!requests[i])
			continue;
		if (headway_has_result(requests[i]))
			return i;
		pending |= requests[i]->state == HEADWAY_REQUEST_PENDING;
	}
	return pending ? -EBUSY : -ENOENT;
}

/*
 * Sleeps until there is a result of one of the requests, whose ->waiter we are. Called without the
 * lock. Return: index, -ENOENT, -EINTR, -ETIMEDOUT.
 */
static int headway_sleep_on(struct headway_arbiter *arbiter, struct headway_request **requests,
			    unsigned int n, const struct headway_wait *wait)
{
	bool expired = false;
	int ret;

	wait = headway_wait_or_forever(wait);
	do {
		/* Pairs with wake_up_process() in headway_arbiter_finish(). */
		set_current_state(wait->state);
		spin_lock_irq(&arbiter->lock);
		ret = headway_first_result(requests, n);
		spin_unlock_irq(&arbiter->lock);
		if (ret != -EBUSY)
			break;
		ret = headway_sleep_once(wait, &expired);
	} while (!ret);
	__set_current_state(TASK_RUNNING);
	return ret;
}

/* Under the lock: they are ours until headway_leave(); who destroys the arbiter waits for us. */
static void headway_settle_down(struct headway_arbiter *arbiter,
				struct headway_request **requests, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (requests[i])
			requests[i]->waiter = current;
	arbiter->nr_sleepers++;
}

/* Under the lock; after it they may be freed, as soon as the lock is dropped. */
static void headway_leave(struct headway_arbiter *arbiter, struct headway_request **requests,
			  unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (requests[i])
			requests[i]->waiter = NULL;
	arbiter->nr_sleepers--;
	headway_arbiter_stir(arbiter);
}

/**
 * headway_arbiter_acquire_wait - get a set
 * @request: not in use
 * @wait: how to wait; NULL = for as long as it takes
 *
 * On an error the request waits no longer and holds nothing. If the grant comes together with a
 * signal, the deadline or a cancellation, one of them wins, and the return value says which.
 *
 * Context: task context, may sleep; with @wait->state TASK_RUNNING (the try form) any that may take
 * a spinlock_t with interrupts off.
 * Return: 0; -EDEADLK: the holder is a victim; -ETIMEDOUT: the deadline passed; -EINTR: a signal
 * arrived; -ECANCELED: the request was cancelled, or the arbiter is shut down; -EALREADY: the
 * holder holds one of the resources; -EBUSY: the try form found it not to be had, or the request is
 * in use; -EINVAL: the set is empty.
 */
int headway_arbiter_acquire_wait(struct headway_request *request, const struct headway_wait *wait)
{
	struct headway_arbiter *arbiter = request->holder->arbiter;
	bool try = wait && wait->state == TASK_RUNNING;
	unsigned long flags;
	int ret, woken;

	if (!try)
		might_sleep();
	spin_lock_irqsave(&arbiter->lock, flags);
	ret = headway_arbiter_enter(arbiter, request, try);
	if (ret || try)
		goto unlock;
	headway_arbiter_settle(arbiter);
	if (request->state == HEADWAY_REQUEST_PENDING) {
		request->deadline = headway_wait_or_forever(wait)->deadline;
		headway_settle_down(arbiter, &request, 1);
		spin_unlock_irqrestore(&arbiter->lock, flags);
		woken = headway_sleep_on(arbiter, &request, 1, wait);
		spin_lock_irqsave(&arbiter->lock, flags);
		if (request->state == HEADWAY_REQUEST_PENDING) {
			headway_arbiter_fail(arbiter, request, woken);
			headway_arbiter_settle(arbiter);
		}
		headway_leave(arbiter, &request, 1);
	}
	/* No result any more: somebody has withdrawn it under our hands. */
	ret = headway_has_result(request) ? request->result : -ECANCELED;
unlock:
	spin_unlock_irqrestore(&arbiter->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_arbiter_acquire_wait);

/* Under the lock. Return: index of the granted one; otherwise what headway_first_result() says. */
static int headway_first_granted(struct headway_request **requests, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (requests[i]->state == HEADWAY_REQUEST_GRANTED)
			return i;
	return headway_first_result(requests, n);
}

/* Under the lock: whether one was granted, and withdrawn by another before we saw it. */
static bool headway_any_idle(struct headway_request **requests, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (requests[i]->state == HEADWAY_REQUEST_IDLE)
			return true;
	return false;
}

/* Under the lock: those that still wait come to an end. */
static void headway_fail_all(struct headway_arbiter *arbiter, struct headway_request **requests,
			     unsigned int n, int ret)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (requests[i]->state == HEADWAY_REQUEST_PENDING)
			headway_arbiter_fail(arbiter, requests[i], ret);
	headway_arbiter_settle(arbiter);
}

/* Under the lock. Return: 0: all are queued, or have a result; or the first one's error. */
static int headway_enter_all(struct headway_arbiter *arbiter, struct headway_request **requests,
			     unsigned int n)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < n; i++) {
		ret = headway_arbiter_enter(arbiter, requests[i], false);
		if (!ret)
			requests[i]->one_of = true;
	}
	if (ret)
		headway_fail_all(arbiter, requests, i - 1, ret);
	else
		headway_arbiter_settle(arbiter);
	return ret;
}

static int headway_try_any(struct headway_arbiter *arbiter, struct headway_request **requests,
			   unsigned int n)
{
	unsigned int i;
	int ret = -EBUSY;

	for (i = 0; ret == -EBUSY && i < n; i++)
		ret = headway_arbiter_enter(arbiter, requests[i], true);
	return ret ?: i - 1;
}

/**
 * headway_arbiter_acquire_any - get one of several sets
 * @requests: one or more requests of one holder, not in use; the first is preferred when several
 *	can be had
 * @n: how many
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Exactly one is granted, and the others end with it, with -EALREADY, so that nobody waits for what
 * is not wanted any more. On an error none is granted, and none waits.
 *
 * Context: as headway_arbiter_acquire_wait().
 * Return: index of the granted request; otherwise as headway_arbiter_acquire_wait(), where the
 * cancellation of one of them ends them all; -EINVAL: @n is 0, a set is empty, or they are not of
 * one holder.
 */
int headway_arbiter_acquire_any(struct headway_request **requests, unsigned int n,
				const struct headway_wait *wait)
{
	bool try = wait && wait->state == TASK_RUNNING;
	struct headway_arbiter *arbiter;
	unsigned long flags;
	unsigned int i;
	int ret, index;

	for (i = 0; i < n; i++)
		if (requests[i]->holder != requests[0]->holder)
			return -EINVAL;
	if (!n)
		return -EINVAL;
	if (!try)
		might_sleep();
	arbiter = requests[0]->holder->arbiter;
	spin_lock_irqsave(&arbiter->lock, flags);
	ret = try ? headway_try_any(arbiter, requests, n) : headway_enter_all(arbiter, requests, n);
	if (ret || try)
		goto unlock;
	index = headway_first_granted(requests, n);
	if (index == -EBUSY) {
		headway_settle_down(arbiter, requests, n);
		spin_unlock_irqrestore(&arbiter->lock, flags);
		ret = headway_sleep_on(arbiter, requests, n, wait);
		spin_lock_irqsave(&arbiter->lock, flags);
		headway_leave(arbiter, requests, n);
		index = headway_first_granted(requests, n);
	}
	if (index >= 0 && !requests[index]->result) {
		ret = index;
	} else {
		/* Without a result we were called off by a signal or by the time. */
		if (headway_any_idle(requests, n))
			ret = -ECANCELED;
		else if (index >= 0)
			ret = requests[index]->result;
		headway_fail_all(arbiter, requests, n, ret);
	}
unlock:
	spin_unlock_irqrestore(&arbiter->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_arbiter_acquire_any);

/* Under the lock. */
static int headway_check_any(struct headway_arbiter *arbiter, struct headway_request **requests,
			     unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!requests[i])
			continue;
		if (requests[i]->holder->arbiter != arbiter)
			return -EINVAL;
		if (requests[i]->waiter)
			return -EINVAL;
	}
	return headway_first_result(requests, n);
}

/**
 * headway_arbiter_wait_any - wait until one of several submitted requests has a result
 * @requests: the requests, of one arbiter; NULL entries are skipped
 * @n: how many
 * @wait: how to wait; NULL = for as long as it takes; with @wait->state TASK_RUNNING it only looks
 *
 * Changes none of them: the others stay pending and may be granted too. Withdraw those that are not
 * wanted any more, for as long as they are pending they count as waited for. Do not wait again for
 * one that has had its result.
 *
 * Context: task context, may sleep; with @wait->state TASK_RUNNING any that may take a spinlock_t
 * with interrupts off.
 * Return: index of the first that has a result, see headway_request_result(); -EBUSY: none has yet,
 * and @wait forbids sleeping; -ETIMEDOUT: none had until the deadline; -EINTR: a signal arrived;
 * -ECANCELED: all were withdrawn meanwhile; -ENOENT: none is submitted; -EINVAL: they belong to
 * several arbiters, or another task waits for one.
 */
int headway_arbiter_wait_any(struct headway_request **requests, unsigned int n,
			     const struct headway_wait *wait)
{
	struct headway_arbiter *arbiter = NULL;
	unsigned long flags;
	unsigned int i;
	int ret, late;

	for (i = 0; i < n && !arbiter; i++)
		if (requests[i])
			arbiter = requests[i]->holder->arbiter;
	if (!arbiter)
		return -ENOENT;
	if (!wait || wait->state != TASK_RUNNING)
		might_sleep();
	spin_lock_irqsave(&arbiter->lock, flags);
	ret = headway_check_any(arbiter, requests, n);
	if (ret == -EBUSY && (!wait || wait->state != TASK_RUNNING)) {
		headway_settle_down(arbiter, requests, n);
		spin_unlock_irqrestore(&arbiter->lock, flags);
		ret = headway_sleep_on(arbiter, requests, n, wait);
		spin_lock_irqsave(&arbiter->lock, flags);
		/* In doubt a result wins. */
		late = headway_first_result(requests, n);
		if (late >= 0)
			ret = late;
		else if (late == -ENOENT)
			ret = -ECANCELED;
		headway_leave(arbiter, requests, n);
	}
	spin_unlock_irqrestore(&arbiter->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_arbiter_wait_any);

/**
 * headway_arbiter_wait - wait until a submitted request has a result
 * @request: submitted
 * @wait: how to wait; NULL = for as long as it takes; with @wait->state TASK_RUNNING it only looks
 *
 * When the wait ends early the request stays pending: wait again, or withdraw it.
 *
 * Context: as headway_arbiter_wait_any().
 * Return: 0: granted; -EINTR: a signal arrived, and -EBUSY: @wait forbids sleeping: no result yet;
 * -ETIMEDOUT: the deadline of @wait passed, no result yet, or that of the request did:
 * headway_request_result() tells one (-EINPROGRESS) from the other; -ECANCELED: it was cancelled or
 * withdrawn, or the arbiter is shut down; -EDEADLK: the holder is a victim; -EALREADY: its holder
 * has got a resource of the set otherwise; -ENOENT: it is not submitted; -EINVAL: another task
 * waits for it.
 */
int headway_arbiter_wait(struct headway_request *request, const struct headway_wait *wait)
{
	int ret = headway_arbiter_wait_any(&request, 1, wait);

	return ret < 0 ? ret : headway_request_result(request);
}
EXPORT_SYMBOL_GPL(headway_arbiter_wait);

/**
 * headway_request_result - what has become of a request
 * @request: any
 *
 * Context: any that may take a spinlock_t with interrupts off.
 * Return: 0: granted; -EINPROGRESS: pending; -ENOENT: not submitted, or released; otherwise why it
 * failed: -EDEADLK, -ETIMEDOUT, -EINTR, -ECANCELED, -EALREADY.
 */
int headway_request_result(struct headway_request *request)
{
	struct headway_arbiter *arbiter = request->holder->arbiter;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&arbiter->lock, flags);
	if (headway_has_result(request))
		ret = request->result;
	else
		ret = request->state == HEADWAY_REQUEST_PENDING ? -EINPROGRESS : -ENOENT;
	spin_unlock_irqrestore(&arbiter->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_request_result);
