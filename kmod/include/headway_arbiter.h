/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_arbiter.h - a central resource manager: sets of resources, granted whole. Comes with
 * headway.h.
 *
 * What is outside of __KERNEL__ is pure: arbiter_core.c is compiled into the host tests too.
 */
#ifndef HEADWAY_ARBITER_H
#define HEADWAY_ARBITER_H

#include "headway_types.h"

#ifdef __KERNEL__
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "headway.h"
#else
#include <errno.h>
#endif

/**
 * DOC: Arbiter in one page
 *
 * An *arbiter* gives out resources that have numbers: 0 to n - 1. A *request* names a set of them
 * and is granted as a whole or not at all, so that half a set never lies idle in somebody's hands.
 * A *holder* is an activity that makes requests and holds what was granted. From
 * kmod/examples/device_claim.c, where clerks share the devices of an office::
 *
 *	headway_holder_init(&clerk->holder, office);
 *
 *	headway_request_init(&first, &clerk->holder, clerk->priority);
 *	for_each_set_bit(d, &clerk->devices, NR_DEVICES)
 *		headway_request_add(&first, d);
 *	err = headway_arbiter_acquire_timeout(&first, PATIENCE_NS);
 *	if (err)
 *		return err;
 *
 *	use_devices(clerk->devices);
 *
 *	headway_arbiter_release(&first);
 *
 * Order. A request's age is its ticket (they are counted), less its priority times the arbiter's
 * age_step; older requests are served first. A younger one may pass an older one while the latter
 * cannot be granted, but only so often: after max_passed passes the older one's set is *reserved*
 * for it. So narrow requests cannot starve a wide one, nor high priorities a low one.
 *
 * Bound. While a request of priority p waits, at most this many grants take something that it
 * wants: the older requests that it finds there, at most age_step * (15 - p) later ones of higher
 * priority, and at most max_passed younger ones; besides these only requests of holders for which
 * it waits already, directly or through others, as it could not be served before they are done, and
 * retries of victims, which keep their tickets. (arbiter_core.c argues it;
 * tests/unit/arbiter_test.c and tests/kunit/arbiter_kunit.c check it.)
 *
 * Asking for more while holding may close a cycle of holders that wait for each other. The arbiter
 * finds it, at once and exactly (graph reduction, not a timeout, not a count of waiters), and picks
 * a *victim* on it: the lowest priority, then the fewest resources held, then the youngest. The
 * victim's requests fail with -EDEADLK. Nothing is taken from it: it must release all that it
 * holds, and gets -EDEADLK for any other request until it has. When it then tries again, it keeps
 * its ticket, and counts as one priority higher for each time that it was a victim, until it has
 * released everything at the end of its work, or gives up: a request fails otherwise while it holds
 * nothing. After 16 - p times in a row it is a *senior*, who gives way only to older seniors,
 * however much it holds, and the oldest to nobody. There are no older ones but those that were
 * there when it began, so nobody is a victim for ever if all work ends.
 *
 * A holder that waits for one of several requests (headway_arbiter_acquire_any(), or
 * headway_arbiter_wait_any() for submitted ones) is in a deadlock only if none of them can be
 * granted any more. A request that is pending counts as waited for, whether or not somebody sleeps
 * on it: withdraw submitted ones that are not wanted any more.
 *
 * Cancelling and granting exclude each other: a request that is cancelled in time ends with
 * -ECANCELED; one that was granted before that stays granted, and headway_request_cancel() says so
 * with -EALREADY.
 *
 * Ends. A callback runs, and a waiter leaves, in their own time: whoever frees a request or an
 * arbiter waits for them, headway_request_withdraw() and headway_arbiter_destroy() without a limit,
 * headway_request_withdraw_wait() and headway_arbiter_destroy_wait() with one.
 *
 * Results of a request, and of the call that waits for it:
 *
 * ============ ==================================================================================
 * 0            granted: all of the set is held, until headway_arbiter_release()
 * -EDEADLK     the holder is a victim: release everything, then try again
 * -ETIMEDOUT   the deadline passed
 * -EINTR       a signal (interruptible) or a fatal signal (killable) arrived
 * -ECANCELED   somebody else ended it: cancelled or withdrew it, or shut the arbiter down
 * -EALREADY    the holder has one of the resources by another of its requests; of several it has
 *              got another one
 * -EBUSY       it must not sleep, and the set is not to be had now; or the request is in use
 * -EINVAL      the set is empty; the requests are not of one holder or arbiter; another task waits
 * -ENOENT      wait: the request is not submitted
 * ============ ==================================================================================
 *
 * Results of withdraw and destroy with a limit:
 *
 * ============ ==================================================================================
 * 0            nobody looks at it any more: it may be freed; the arbiter is gone
 * -ETIMEDOUT   the deadline passed, and somebody still looks at it. The request holds nothing,
 *              nobody can enter the arbiter: call again
 * -EINTR       a signal arrived; as above
 * -EBUSY       it must not sleep; as above
 * -EINVAL      destroy: called by a callback of the arbiter
 * ============ ==================================================================================
 */

#define HEADWAY_ARBITER_MAX		512	/* resources */
#define HEADWAY_ARBITER_WORDS		(HEADWAY_ARBITER_MAX / 64)
#define HEADWAY_ARBITER_PRIORITY_MAX	15

struct headway_arbiter;
struct headway_holder;
struct headway_request;

/**
 * struct headway_arbiter_params - an arbiter's settings
 * @nr: number of resources, 1 to HEADWAY_ARBITER_MAX
 * @age_step: what one step of priority is worth, in later requests; 0 = 64
 * @max_passed: so often younger requests may take what an older one waits for
 */
struct headway_arbiter_params {
	u32 nr;
	u32 age_step;
	u32 max_passed;
};

/**
 * struct headway_arbiter_stats - an arbiter's figures
 * @grants: requests granted
 * @passes: grants that took what an older request was waiting for, counted once per older request
 * @deadlocks: victims told
 * @acknowledged: victims that have released everything since
 * @cancels: pending requests that were cancelled
 * @timeouts: pending requests whose time ran out, or whose waiter left for a signal
 * @waiting: requests pending now
 * @held: resources held now
 * @victims: victims now that have been told and have not released everything
 */
struct headway_arbiter_stats {
	u64 grants;
	u64 passes;
	u64 deadlocks;
	u64 acknowledged;
	u64 cancels;
	u64 timeouts;
	u32 waiting;
	u32 held;
	u32 victims;
};

struct headway_set {
	u64 word[HEADWAY_ARBITER_WORDS];
};

/**
 * enum headway_request_state - where a request stands
 * @HEADWAY_REQUEST_IDLE: not submitted, or released
 * @HEADWAY_REQUEST_PENDING: waits
 * @HEADWAY_REQUEST_GRANTED: holds its set
 * @HEADWAY_REQUEST_FAILED: holds nothing; the result says why
 */
enum headway_request_state {
	HEADWAY_REQUEST_IDLE,
	HEADWAY_REQUEST_PENDING,
	HEADWAY_REQUEST_GRANTED,
	HEADWAY_REQUEST_FAILED,
};

/**
 * struct headway_holder - an activity that holds resources; headway_holder_init() makes one
 *
 * Use one for each activity: what it holds and waits for is one node of the wait-for graph. May be
 * freed when none of its requests is pending or granted.
 */
struct headway_holder {
	/* private: arbiter->lock, but for const */
	struct headway_request *requests;	/* pending and granted, through ->sibling */
	u64 ticket;			/* when this activity began; 0 = idle */
	u32 nr_held;			/* resources */
	u32 nr_pending;			/* requests */
	u32 times_victim;		/* since the activity began */
	bool victim;			/* told, and has not released everything yet */
	bool live;			/* of a reduction: can go on some day */
	u64 seen;			/* of a walk: its number */
	struct headway_holder *walk;	/* of a walk: next to look at */
#ifdef __KERNEL__
	struct headway_arbiter *arbiter;	/* const */
#endif
};

/**
 * struct headway_request - a set of resources that is wanted or held; headway_request_init() makes
 * one
 *
 * Nothing is allocated. May be freed when it is neither pending nor granted, and no callback of it
 * is outstanding: headway_request_withdraw() sees to all of that.
 */
struct headway_request {
	/* private: const while submitted */
	struct headway_holder *holder;
	struct headway_set ids;
	u32 nr_ids;
	u32 priority;
	/* private: arbiter->lock */
	enum headway_request_state state;
	int result;			/* 0 or negative errno; valid when granted or failed */
	u64 ticket;
	s64 age;			/* ticket less bonus: smaller is older */
	bool one_of;			/* the grant of another such of its holder fails it */
	u32 passed;			/* younger grants that took what this one wants */
	struct headway_request *older, *younger;	/* core->oldest; while pending */
	struct headway_request *sibling;	/* holder->requests */
	struct headway_request *next_done;	/* core->done */
#ifdef __KERNEL__
	u64 since_ns;			/* submitted */
	u64 ended_ns;			/* granted or failed */
	ktime_t deadline;		/* asynchronous: expires; others: for show, the sleep's */
	pid_t pid;			/* who asked; 0 = an interrupt */
	char comm[TASK_COMM_LEN];	/* who asked */
	bool async;			/* submitted: the callback and the completion are due */
	struct task_struct *waiter;	/* sleeps on it */
	struct list_head called;	/* arbiter->calls; empty = no callback outstanding */
	/* private: const while submitted */
	struct completion *done;
	void (*callback)(struct headway_request *request, int ret);
#endif
};

/* The arbiter's state; the caller serializes. */
struct headway_arbiter_core {
	struct headway_arbiter_params params;
	struct headway_holder **owner;	/* params.nr of them; NULL = free */
	struct headway_set busy;	/* owner[i] is there */
	struct headway_request *oldest, *youngest;	/* pending */
	struct headway_request *done, *done_last;	/* to be told, in order; by ->next_done */
	u64 last_ticket;
	u64 walks;
	u32 nr_both;			/* holders that hold and wait */
	struct headway_arbiter_stats stats;
};

bool headway_arbiter_core_init(struct headway_arbiter_core *core,
			       const struct headway_arbiter_params *params,
			       struct headway_holder **owner);
int headway_arbiter_core_submit(struct headway_arbiter_core *core,
				struct headway_request *request);
int headway_arbiter_core_try(struct headway_arbiter_core *core, struct headway_request *request);
void headway_arbiter_core_fail(struct headway_arbiter_core *core, struct headway_request *request,
			       int result);
void headway_arbiter_core_release(struct headway_arbiter_core *core,
				  struct headway_request *request);
void headway_arbiter_core_settle(struct headway_arbiter_core *core);
struct headway_request *headway_arbiter_core_next(struct headway_arbiter_core *core);

#ifdef __KERNEL__

struct headway_arbiter *headway_arbiter_create(const char *name,
					       const struct headway_arbiter_params *params);
void headway_arbiter_shutdown(struct headway_arbiter *arbiter);
void headway_arbiter_destroy(struct headway_arbiter *arbiter);
int __must_check headway_arbiter_destroy_wait(struct headway_arbiter *arbiter,
					      const struct headway_wait *wait);
void headway_arbiter_read(struct headway_arbiter *arbiter, struct headway_arbiter_stats *stats);

void headway_holder_init(struct headway_holder *holder, struct headway_arbiter *arbiter);
void headway_request_init(struct headway_request *request, struct headway_holder *holder,
			  unsigned int priority);
int headway_request_add(struct headway_request *request, unsigned int id);
void headway_request_on_grant(struct headway_request *request,
			      void (*callback)(struct headway_request *request, int ret),
			      struct completion *done);

int __must_check headway_arbiter_acquire_wait(struct headway_request *request,
					      const struct headway_wait *wait);
int __must_check headway_arbiter_acquire_any(struct headway_request **requests, unsigned int n,
					     const struct headway_wait *wait);
int __must_check headway_arbiter_submit(struct headway_request *request, ktime_t deadline);
int __must_check headway_arbiter_wait(struct headway_request *request,
				      const struct headway_wait *wait);
int __must_check headway_arbiter_wait_any(struct headway_request **requests, unsigned int n,
					  const struct headway_wait *wait);
void headway_arbiter_release(struct headway_request *request);
int headway_request_cancel(struct headway_request *request);
int headway_request_withdraw_wait(struct headway_request *request,
				  const struct headway_wait *wait);
int headway_request_result(struct headway_request *request);

/**
 * headway_request_withdraw - whatever it is: afterwards nothing is waited for, held or called back
 * @request: any; may be freed afterwards
 *
 * Uninterruptible form of headway_request_withdraw_wait(): a callback that has begun, or another
 * task that sleeps on the request, is waited for without a limit.
 *
 * Context: as headway_request_withdraw_wait().
 */
static inline void headway_request_withdraw(struct headway_request *request)
{
	headway_request_withdraw_wait(request, NULL);
}

/**
 * headway_arbiter_acquire - get a set, for as long as it takes
 * @request: not in use
 *
 * Context: task context, may sleep.
 * Return: as headway_arbiter_acquire_wait(), without -EINTR, -ETIMEDOUT.
 */
static inline int __must_check headway_arbiter_acquire(struct headway_request *request)
{
	return headway_arbiter_acquire_wait(request, NULL);
}

/**
 * headway_arbiter_acquire_interruptible - get a set, unless a signal arrives
 * @request: not in use
 *
 * Context: task context, may sleep.
 * Return: as headway_arbiter_acquire_wait(), without -ETIMEDOUT.
 */
static inline int __must_check
headway_arbiter_acquire_interruptible(struct headway_request *request)
{
	return headway_arbiter_acquire_wait(request, __HEADWAY_WAIT(TASK_INTERRUPTIBLE, KTIME_MAX));
}

/**
 * headway_arbiter_acquire_killable - get a set, unless a fatal signal arrives
 * @request: not in use
 *
 * Context: task context, may sleep.
 * Return: as headway_arbiter_acquire_wait(), without -ETIMEDOUT.
 */
static inline int __must_check headway_arbiter_acquire_killable(struct headway_request *request)
{
	return headway_arbiter_acquire_wait(request, __HEADWAY_WAIT(TASK_KILLABLE, KTIME_MAX));
}

/**
 * headway_arbiter_acquire_timeout - get a set within a time, unless a fatal signal arrives
 * @request: not in use
 * @timeout_ns: from now, ns
 *
 * Context: task context, may sleep.
 * Return: as headway_arbiter_acquire_wait().
 */
static inline int __must_check
headway_arbiter_acquire_timeout(struct headway_request *request, u64 timeout_ns)
{
	return headway_arbiter_acquire_wait(request, __HEADWAY_WAIT(TASK_KILLABLE,
					    ktime_add_safe(ktime_get(), ns_to_ktime(timeout_ns))));
}

/**
 * headway_arbiter_acquire_try - get a set at once or not at all
 * @request: not in use
 *
 * Context: any that may take a spinlock_t with interrupts off.
 * Return: 0, -EBUSY, -EALREADY, -EDEADLK, -ECANCELED, -EINVAL.
 */
static inline int __must_check headway_arbiter_acquire_try(struct headway_request *request)
{
	return headway_arbiter_acquire_wait(request, __HEADWAY_WAIT(TASK_RUNNING, KTIME_MAX));
}

#endif /* __KERNEL__ */
#endif /* HEADWAY_ARBITER_H */
