/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lock.h - what lock.c and lock_wait.c share: the word and the queue. All of it under wait_lock,
 * unless it says otherwise.
 */
#ifndef HEADWAY_LOCK_H
#define HEADWAY_LOCK_H

#include "broken.h"
#include "dep.h"
#include "internal.h"
#include "sort.h"

/*
 * A wake-up takes a microsecond or more, and a release 15 ns: so a batch of those (txn.c) ends at
 * so many as well. With a waiter at each of its locks it would keep preemption off for a hundred
 * times as long. Not fewer: with 8, where 16 threads take 800 of 100,000 locks each, wait-die rolls
 * back a fifth more often.
 */
#define HEADWAY_RELEASE_WAKES 16

struct headway_waiter {
	struct list_head node;		/* lock->waiters, wait_lock */
	struct headway_txn *txn;	/* const */
	bool granted;			/* wait_lock: the release gave it to us, unlinked us */
};

/* Of any value of the word; the transaction may only be looked at as lock.c says. */
static inline struct headway_txn *headway_word_txn(long word)
{
	return (struct headway_txn *)(word & ~HEADWAY_LOCK_FLAGS);
}

static inline struct headway_waiter *headway_first(struct headway_lock *lock)
{
	return list_first_entry_or_null(&lock->waiters, struct headway_waiter, node);
}

static inline struct headway_party headway_party(struct headway_txn *txn)
{
	return (struct headway_party){
		.ticket = atomic64_read(&txn->ticket),
		.bonus = txn->bonus,
		.nr_held = READ_ONCE(txn->nr_held),
	};
}

/* Under wait_lock: whether somebody older than @txn, which may be queued itself, waits already. */
static inline bool headway_behind(struct headway_txn *txn, struct headway_lock *lock)
{
	struct headway_waiter *first = headway_first(lock);
	struct headway_party self = headway_party(txn);
	struct headway_party other;

	if (!first || first->txn == txn)
		return false;
	other = headway_party(first->txn);
	return headway_party_cmp(&other, &self) < 0;
}

/* Own transaction, any context: nobody waits for what it holds, but at the token. */
static inline bool headway_txn_bare(const struct headway_txn *txn)
{
	/* Where it is taken, the token is taken first, and so is the last of the list. */
	return !txn->held || txn->held == &txn->domain->token;
}

/* Own transaction, any context: a wounded one that holds nothing is in nobody's way. */
static inline bool headway_must_back_out(const struct headway_txn *txn)
{
	return READ_ONCE(txn->wounded) && txn->nr_held && !headway_broken(WOUND);
}

/* lock_life.c */
void headway_lock_track(struct headway_lock *lock);

/* lock.c */
int headway_acquire_other(struct headway_txn *txn, struct headway_lock *lock,
			  const struct headway_wait *wait);
bool headway_release_slow(struct headway_txn *txn, struct headway_lock *lock);

/* lock_wait.c; called without wait_lock */
int headway_acquire_slow(struct headway_txn *txn, struct headway_lock *lock,
			 const struct headway_wait *wait);

/* The fast path. Acquire pairs with the release in headway_release() and in its slow path. */
static __always_inline bool headway_try_fast(struct headway_txn *txn, struct headway_lock *lock)
{
	long word = 0;

	return likely(atomic_long_try_cmpxchg_acquire(&lock->owner, &word, (long)txn));
}

/* Under `ordered`, locks are asked for in one order; the newest held one is the highest. */
static __always_inline bool headway_in_order(const struct headway_lock *held,
					     const struct headway_lock *lock)
{
	return !held || headway_lock_cmp(held, lock) < 0;
}

static __always_inline bool headway_may_ask(const struct headway_txn *txn,
					    const struct headway_lock *lock)
{
	return txn->policy != HEADWAY_POLICY_ORDERED || headway_in_order(txn->held, lock);
}

/* Counts an acquisition. Return: whether headway_stats_hold_begin() is due. */
static __always_inline bool headway_count_hold(struct headway_lock *lock, unsigned int mask)
{
	return static_branch_likely(&headway_stats_key) &&
	       unlikely(!(lock->stats.acquired++ & mask));
}

/*
 * What a lock that was just acquired is told. The transaction's side of it is the caller's, who may
 * do it once for several locks.
 */
static __always_inline void headway_link(struct headway_lock *lock, struct task_struct *task,
					 struct headway_lock *held)
{
	WRITE_ONCE(lock->spin_task, task);
	lock->held_next = held;
}

/* All bookkeeping of a lock that was just acquired. */
static __always_inline void headway_own(struct headway_txn *txn, struct headway_lock *lock)
{
	headway_link(lock, txn->task, txn->held);
	txn->held = lock;
	WRITE_ONCE(txn->nr_held, txn->nr_held + 1);
	if (headway_count_hold(lock, headway_hold_sample_mask))
		headway_stats_hold_begin(lock);
}

/*
 * might_sleep() for what takes locks: complains in atomic context where the kernel is built to, but
 * does not yield the CPU to others, as holders would. The begin does, where nothing is held.
 */
static __always_inline void headway_may_sleep(void)
{
	__might_sleep(__FILE__, __LINE__);
}

/* Whether a call is not to block. */
static __always_inline bool headway_tries(const struct headway_wait *wait)
{
	return wait && wait->state == TASK_RUNNING;
}

/**
 * headway_acquire - take one lock; the module's inner entry
 * @txn: transaction of the current task
 * @lock: lock of the same domain
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Context: as @wait says; the caller tells headway_may_sleep().
 * Return: 0, -EALREADY, -EBUSY, -EDEADLK, -EINTR, -ETIMEDOUT.
 */
static __always_inline int headway_acquire(struct headway_txn *txn, struct headway_lock *lock,
					   const struct headway_wait *wait)
{
	if (unlikely(!headway_may_ask(txn, lock)) || !headway_try_fast(txn, lock))
		return headway_acquire_other(txn, lock, wait);
	headway_dep_acquire(txn, lock, headway_tries(wait));
	headway_own(txn, lock);
	return 0;
}

/* What comes before the word is let go: spinners lose the task, lockdep the lock. */
static __always_inline void headway_unlink(struct headway_lock *lock)
{
	WRITE_ONCE(lock->spin_task, NULL);
	headway_dep_release(lock);
}

/* Lets the word go if nobody waits. Release pairs with the acquire in headway_try_fast(). */
static __always_inline bool headway_let_go(struct headway_txn *txn, struct headway_lock *lock)
{
	long word = (long)txn;

	return likely(atomic_long_try_cmpxchg_release(&lock->owner, &word, 0));
}

/**
 * headway_release - give one lock back; the module's inner entry
 * @txn: transaction that holds it and has unlinked it from its held list
 * @lock: lock
 *
 * Return: whether somebody was woken.
 */
static __always_inline bool headway_release(struct headway_txn *txn, struct headway_lock *lock)
{
	if (unlikely(lock->stats.hold_since_ns))
		headway_stats_hold_end(lock);
	WRITE_ONCE(txn->nr_held, txn->nr_held - 1);
	headway_unlink(lock);
	return !headway_let_go(txn, lock) && headway_release_slow(txn, lock);
}

#endif /* HEADWAY_LOCK_H */
