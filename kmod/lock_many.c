// SPDX-License-Identifier: GPL-2.0
/*
 * lock_many.c - a set of locks in one call: first as it comes, for as long as they are free, then
 * in order.
 */
#include <linux/module.h>

#include "branch.h"
#include "broken.h"
#include "dep.h"
#include "internal.h"
#include "lock.h"
#include "sort.h"
#include "txn.h"

/* One pass over the set. Locks held already, duplicates among them, count as taken. */
static int headway_lock_set(struct headway_txn *txn, struct headway_lock **locks, unsigned int n,
			    const struct headway_wait *wait)
{
	unsigned int i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = headway_acquire(txn, locks[i], wait);
		if (likely(!ret))
			continue;
		if (ret == -EALREADY) {
			if (txn->live && txn->prelocked == locks[i]) {
				headway_branch(SET_PRELOCKED);
				txn->prelocked = NULL;
			}
			continue;
		}
		if (ret == -EDEADLK)
			headway_note_conflict(txn, locks[i], wait);
		return ret;
	}
	return 0;
}

/*
 * Takes locks of the set from the @i-th on, as it is given, for as long as that needs no waiting;
 * so the order matters to `ordered` only, and most sets need no sorting. Ends early after one whose
 * hold is to be timed. Return: up to which one.
 */
static __always_inline unsigned int headway_lock_free_ones(struct headway_txn *txn,
							   struct headway_lock **locks,
							   unsigned int i, unsigned int n, bool try)
{
	/* In registers, as the compiler does not keep them there across a lock's word. */
	bool ordered = txn->policy == HEADWAY_POLICY_ORDERED;
	unsigned int mask = headway_hold_sample_mask;
	struct headway_domain *domain = txn->domain;
	struct headway_lock *held = txn->held;
	struct task_struct *task = txn->task;
	unsigned int first = i;

	while (i < n) {
		struct headway_lock *lock = locks[i];

		if (unlikely(lock->domain != domain ||
			     (ordered && !headway_in_order(held, lock))) ||
		    !headway_try_fast(txn, lock))
			break;
		headway_dep_acquire(txn, lock, try);
		headway_link(lock, task, held);
		held = lock;
		i++;
		if (headway_count_hold(lock, mask))
			break;
	}
	txn->held = held;
	WRITE_ONCE(txn->nr_held, txn->nr_held + i - first);
	return i;
}

/* Whether @lock, which was just taken, is why headway_lock_free_ones() ended. */
static bool headway_hold_is_due(const struct headway_lock *lock)
{
	return static_branch_likely(&headway_stats_key) &&
	       !((lock->stats.acquired - 1) & headway_hold_sample_mask);
}

static int headway_check_set(const struct headway_txn *txn, struct headway_lock **locks,
			     unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (locks[i]->domain != txn->domain)
			return -EINVAL;
	return 0;
}

/* Gives back what was taken of a set. */
static void headway_drop_set(struct headway_txn *txn, struct headway_lock *mark)
{
	headway_release_until(txn, mark);
	if (unlikely(READ_ONCE(txn->wounded)))
		headway_review_wound(txn);
}

static void headway_set_failed(const struct headway_lock *mark)
{
	if (mark)
		headway_branch(SET_KEPT);
	else
		headway_branch(SET_FAILED);
}

/* What a call returns instead of trying. A set that could never be taken is no use to wait for. */
static noinline int headway_lock_many_pending(struct headway_txn *txn, struct headway_lock **locks,
					      unsigned int n, unsigned long caller)
{
	int ret = headway_check_set(txn, locks, n);

	return ret ?: headway_take_pending(txn, caller);
}

/* The same from the @taken-th lock on, where the one before it is to be timed. */
static unsigned int headway_lock_free_timed(struct headway_txn *txn, struct headway_lock **locks,
					    unsigned int taken, unsigned int n, bool try)
{
	unsigned int before;

	do {
		headway_stats_hold_begin(locks[taken - 1]);
		before = taken;
		taken = headway_lock_free_ones(txn, locks, taken, n, try);
	} while (taken != before && headway_hold_is_due(locks[taken - 1]));
	return taken;
}

/*
 * The set, where some lock of it may have to be waited for: in order. @mark: the newest lock held
 * before any of the set was taken. @taken: how many were. Return: as headway_lock_many_wait().
 */
static noinline int headway_lock_many_other(struct headway_txn *txn, struct headway_lock **locks,
					    unsigned int n, const struct headway_wait *wait,
					    struct headway_lock *mark, unsigned int taken)
{
	int ret;

	if (taken && headway_hold_is_due(locks[taken - 1])) {
		taken = headway_lock_free_timed(txn, locks, taken, n, headway_tries(wait));
		if (likely(taken == n)) {
			txn->last = 0;
			return 0;
		}
	}
	ret = headway_check_set(txn, locks, n);
	if (ret) {
		headway_drop_set(txn, mark);
		return ret;
	}
	for (;;) {
		/* Nothing is waited for while others are held that come later in the order. */
		if (headway_sorts(txn->policy) && headway_sort(locks, n))
			headway_drop_set(txn, mark);
		ret = headway_lock_set(txn, locks, n, wait);
		if (likely(!ret))
			break;
		if (ret != -EDEADLK || mark) {
			headway_set_failed(mark);
			if (!headway_broken(KEEP))
				headway_drop_set(txn, mark);
			break;
		}
		headway_release_until(txn, mark);
		headway_branch(SET_RETRY);
		ret = headway_txn_rollback_wait(txn, wait);
		if (ret)
			break;
	}
	txn->last = ret;
	return ret;
}

/**
 * headway_lock_many_wait - take a set of locks, all or none
 * @txn: transaction of the current task
 * @locks: locks of its domain, in any order, with or without duplicates; may be sorted in place
 * @n: number of them
 * @wait: how to wait; NULL = uninterruptibly, for as long as it takes
 *
 * Hides conflicts: rolls back, backs off and retries, for as long as @wait allows. With locks held
 * from before that is not possible, so that a conflict is then returned as -EDEADLK.
 *
 * Context: may sleep.
 * Return: 0; -EDEADLK (see above), -ETIMEDOUT, -EINTR, -EBUSY (try), -EINVAL: no lock of the set
 * has been taken.
 */
int headway_lock_many_wait(struct headway_txn *txn, struct headway_lock **locks, unsigned int n,
			   const struct headway_wait *wait)
{
	struct headway_lock *mark = txn->held;
	unsigned int taken = 0;

	if (!headway_tries(wait))
		headway_may_sleep();
	if (unlikely(txn->pending))
		return headway_lock_many_pending(txn, locks, n, _RET_IP_);
	/*
	 * Of a large set some lock is likely to be held, and then the work was for nothing. And
	 * under wait-die somebody may have died of a lock that is then given back, and would die
	 * again when we take it in order: twice for one attempt (TRY_FIRST in queue.pml).
	 */
	if (likely(n <= HEADWAY_SORT_SMALL && txn->policy != HEADWAY_POLICY_WAIT_DIE))
		taken = headway_lock_free_ones(txn, locks, 0, n, headway_tries(wait));
	if (unlikely(taken != n || !n || headway_hold_is_due(locks[n - 1])))
		return headway_lock_many_other(txn, locks, n, wait, mark, taken);
	txn->last = 0;
	return 0;
}
EXPORT_SYMBOL_GPL(headway_lock_many_wait);
