// SPDX-License-Identifier: GPL-2.0
/*
 * lock.c - the lock word: fast path, release, handoff, looks at an owner. lock_wait.c has the rest.
 *
 * Word: owner transaction | WAITERS | HANDOFF; 0 = free and nobody waits. The fast paths swing it
 * between 0 and the transaction and fail on any flag.
 *
 * Invariants, under lock->wait_lock:
 *  - a waiter queued  =>  WAITERS is set;
 *  - WAITERS is set and an owner is there  =>  the owner cannot finish its release, hence cannot
 *    end, before we drop wait_lock: only then may the owner's transaction be looked at;
 *  - free with waiters  =>  the first waiter has been woken and has not run yet, so that nobody
 *    sleeps on a free lock.
 *
 * Lock order: domain->live_lock > txn->pin > lock->wait_lock > the scheduler's locks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "branch.h"
#include "broken.h"
#include "dep.h"
#include "internal.h"
#include "lock.h"
#include "sort.h"

/*
 * Under wait_lock. Return: the owner, which cannot end before headway_unpin(), or NULL. For lookers
 * from outside, when nobody may be queued.
 */
struct headway_txn *headway_pin_owner(struct headway_lock *lock)
{
	long word = atomic_long_read(&lock->owner);

	do {
		if (!headway_word_txn(word) || word & HEADWAY_LOCK_WAITERS)
			break;
	} while (!atomic_long_try_cmpxchg_acquire(&lock->owner, &word,
						  word | HEADWAY_LOCK_WAITERS));
	return headway_word_txn(word);
}

/* Under wait_lock, with an owner there: lets its release be fast again if nobody is queued. */
void headway_unpin(struct headway_lock *lock)
{
	if (list_empty(&lock->waiters))
		atomic_long_andnot(HEADWAY_LOCK_FLAGS, &lock->owner);
}

static void headway_tell_order(struct headway_txn *txn, struct headway_lock *lock)
{
	headway_count(txn->domain, HEADWAY_STAT_ORDER_VIOLATIONS);
	pr_warn_once("%s: %s (rank %u, key %llu) asked for while holding %s (rank %u, key %llu): take locks in (rank, key, address) order, or as one set with headway_lock_many()\n",
		     txn->domain->name, lock->stats.name, lock->rank, lock->key,
		     txn->held->stats.name, txn->held->rank, txn->held->key);
}

/**
 * headway_acquire_other - take one lock where the fast path did not; the rest of headway_acquire()
 * @txn: transaction of the current task
 * @lock: lock of the same domain
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Return: 0, -EALREADY, -EBUSY, -EDEADLK, -EINTR, -ETIMEDOUT.
 */
int headway_acquire_other(struct headway_txn *txn, struct headway_lock *lock,
			  const struct headway_wait *wait)
{
	int ret;

	if (headway_lock_held(txn, lock))
		return -EALREADY;
	if (!headway_may_ask(txn, lock)) {
		headway_tell_order(txn, lock);
		return -EDEADLK;
	}
	if (headway_tries(wait)) {
		headway_count(txn->domain, HEADWAY_STAT_BUSY);
		return -EBUSY;
	}
	/* Before the wait, so that lockdep can warn of a deadlock instead of being in it. */
	headway_dep_acquire(txn, lock, false);
	ret = headway_acquire_slow(txn, lock, wait);
	if (ret)
		headway_dep_release(lock);
	else
		headway_own(txn, lock);
	return ret;
}

/* With waiters. Return: whether one was woken. */
bool headway_release_slow(struct headway_txn *txn, struct headway_lock *lock)
{
	struct headway_waiter *first;
	struct task_struct *task = NULL;
	bool handoff;

	/* RCU keeps the waiter's task, which may have run and exited by the time we wake it. */
	rcu_read_lock();
	raw_spin_lock(&lock->wait_lock);
	first = headway_first(lock);
	handoff = first && (atomic_long_read(&lock->owner) & HEADWAY_LOCK_HANDOFF);
	if (first)
		task = first->txn->task;
	if (handoff) {
		list_del(&first->node);
		first->granted = true;
	}
	/*
	 * A plain store is enough: with an owner in it, only we, under wait_lock, change the word.
	 * Release pairs with the acquire in headway_take_or_pin() and in the fast path; for a
	 * handoff the new owner sees `granted` under wait_lock.
	 */
	atomic_long_set_release(&lock->owner,
				(handoff ? (long)first->txn : 0) |
				(list_empty(&lock->waiters) ? 0 : HEADWAY_LOCK_WAITERS));
	raw_spin_unlock(&lock->wait_lock);
	if (task && !headway_broken(WAKEUP)) {
		headway_branch(RELEASE_WOKE);
		wake_up_process(task);
	}
	rcu_read_unlock();
	if (!task)
		headway_branch(RELEASE_NOBODY);
	if (handoff)
		headway_count(txn->domain, HEADWAY_STAT_HANDOFFS);
	return task;
}

/**
 * headway_review_wound - see whether a wound still stands after some locks were given back
 * @txn: wounded transaction of the current task, which is not in a lock call
 *
 * It does if somebody older waits for a lock that is still held. Clearing comes first: a wounder
 * that we miss in a queue comes after our look at it and wounds again.
 */
void headway_review_wound(struct headway_txn *txn)
{
	struct headway_lock *lock;
	bool stands = false;

	/* Ordered before the looks by the wait_locks, under which wounds are dealt. */
	WRITE_ONCE(txn->wounded_at, NULL);
	WRITE_ONCE(txn->wounded, 0);
	for (lock = txn->held; lock && !stands; lock = lock->held_next) {
		/* Nobody gives way there: see headway_conflict(). */
		if (lock == &txn->domain->token)
			continue;
		raw_spin_lock(&lock->wait_lock);
		stands = headway_behind(txn, lock);
		if (stands) {
			WRITE_ONCE(txn->wounded_at, lock);
			WRITE_ONCE(txn->wounded, 1);
		}
		raw_spin_unlock(&lock->wait_lock);
	}
	if (stands)
		headway_branch(REVIEW_STANDS);
	else
		headway_branch(REVIEW_FALLS);
}

/**
 * headway_lock_owner - look at a lock's owner
 * @lock: lock that stays allocated meanwhile
 * @owner: filled with a copy
 *
 * Context: any that may take raw spinlocks.
 */
void headway_lock_owner(struct headway_lock *lock, struct headway_owner *owner)
{
	struct headway_txn *txn;

	memset(owner, 0, sizeof(*owner));
	raw_spin_lock(&lock->wait_lock);
	txn = headway_pin_owner(lock);
	if (txn) {
		owner->held = true;
		owner->ticket = atomic64_read(&txn->ticket);
		owner->nr_held = READ_ONCE(txn->nr_held);
		owner->restarts = READ_ONCE(txn->restarts);
		owner->pid = task_pid_nr(txn->task);
		owner->task_state = READ_ONCE(txn->task->__state);
		strscpy(owner->comm, txn->task->comm, sizeof(owner->comm));
		headway_unpin(lock);
	}
	raw_spin_unlock(&lock->wait_lock);
}

/**
 * headway_lock_held - whether a transaction holds a lock
 * @txn: transaction of the current task
 * @lock: lock
 *
 * Context: any.
 * Return: true if it does.
 */
bool headway_lock_held(const struct headway_txn *txn, const struct headway_lock *lock)
{
	return headway_word_txn(atomic_long_read(&lock->owner)) == txn;
}
EXPORT_SYMBOL_GPL(headway_lock_held);
