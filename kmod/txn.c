// SPDX-License-Identifier: GPL-2.0
/*
 * txn.c - transactions: begin, sets of locks, rollback, retry, end.
 *
 * A transaction lives on its caller's stack. Others reach it only while it owns a lock (under that
 * lock's wait_lock, see lock.c) or is on domain->live (under live_lock). It is on `live` from its
 * first conflict to its end, so that one that meets none touches nothing shared but its locks.
 *
 * Tickets survive rollbacks, so a transaction grows older with every retry, and is the oldest in
 * the end. How often it restarts at most is said, and proved, in headway.h; the proof leans on
 * headway_txn_rollback_wait(), which waits where the older one is, and on lock_wait.c, which does
 * not let it steal there.
 *
 * Lock order: domain->live_lock > txn->pin.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/sched/signal.h>

#include "branch.h"
#include "broken.h"
#include "dep.h"
#include "epoch.h"
#include "internal.h"
#include "lock.h"
#include "sort.h"
#include "trace.h"

static noinline void headway_leave_live(struct headway_txn *txn)
{
	raw_spin_lock(&txn->domain->live_lock);
	list_del(&txn->live_node);
	txn->live = 0;
	raw_spin_unlock(&txn->domain->live_lock);
}

static __always_inline int headway_txn_begin_inline(struct headway_txn *txn,
						    struct headway_domain *domain,
						    unsigned int priority,
						    const struct headway_wait *wait)
{
	int ret;

	txn->domain = domain;
	txn->task = current;
	txn->held = NULL;
	txn->prelocked = NULL;
	txn->nr_held = 0;
	txn->restarts = 0;
	txn->pending = 0;
	txn->wounded = 0;
	txn->ending = 0;
	txn->started = 0;
	txn->live = 0;
	txn->last = 1;
	txn->joined = 1;
	txn->bonus = priority ? headway_priority_bonus(priority) : 0;
	atomic64_set(&txn->ticket, 0);
	txn->waiting_on = NULL;

	headway_dep_begin(txn);
	ret = headway_epoch_join(txn, wait);
	if (unlikely(ret)) {
		if (txn->live)
			headway_leave_live(txn);
		headway_dep_end(txn);
		return ret;
	}
	trace_headway_txn_begin(txn);
	return 0;
}

/**
 * headway_txn_begin_wait - begin a transaction
 * @txn: the transaction, on the caller's stack; ended by the same task
 * @domain: a registered domain; the task must have no other transaction of it
 * @priority: 0 (normal) to 15: a head start over others, in tickets; age makes up for it, so that
 *	no priority starves another
 * @wait: how to wait while the domain's policy is being changed; NULL = for as long as it takes
 *
 * Context: may sleep.
 * Return: 0; -EBUSY (try), -EINTR, -ETIMEDOUT: the transaction was not begun and must not be ended.
 */
int headway_txn_begin_wait(struct headway_txn *txn, struct headway_domain *domain,
			   unsigned int priority, const struct headway_wait *wait)
{
	return headway_txn_begin_inline(txn, domain, priority, wait);
}
EXPORT_SYMBOL_GPL(headway_txn_begin_wait);

/**
 * headway_txn_begin_prio - begin a transaction with a priority
 * @txn: the transaction, on the caller's stack
 * @domain: a registered domain
 * @priority: 0 (normal) to 15
 *
 * Context: may sleep, but only while the domain's policy is being changed.
 */
void headway_txn_begin_prio(struct headway_txn *txn, struct headway_domain *domain,
			    unsigned int priority)
{
	/* Uninterruptible and without a deadline, it cannot fail. */
	if (headway_txn_begin_inline(txn, domain, priority, NULL))
		WARN_ON_ONCE(1);
}
EXPORT_SYMBOL_GPL(headway_txn_begin_prio);

/*
 * So many locks are released with preemption off, which takes some 15 us. Whoever is woken by one
 * of them would otherwise run on our CPU at once, into those that we have yet to release. Where 16
 * threads take 800 of 100,000 locks each, under wound-wait two of three rollbacks came from that.
 */
#define HEADWAY_RELEASE_BATCH (IS_ENABLED(CONFIG_PREEMPT_RT) ? 32 : 1024)

/* Return: whether somebody was woken. */
static __always_inline bool headway_release_newest(struct headway_txn *txn)
{
	struct headway_lock *lock = txn->held;

	txn->held = lock->held_next;
	if (txn->prelocked == lock) {
		headway_branch(PRELOCKED_DROPPED);
		txn->prelocked = NULL;
	}
	return headway_release(txn, lock);
}

/*
 * The rest of a batch after its first wake-up, at most @left locks: apart, so that a batch that
 * wakes nobody does not have to count.
 */
static noinline void headway_release_waking(struct headway_txn *txn, struct headway_lock *mark,
					    unsigned int left)
{
	unsigned int woken = 1;

	for (; left && txn->held != mark; left--)
		if (headway_release_newest(txn) && ++woken == HEADWAY_RELEASE_WAKES)
			break;
}

/* Releases what was acquired after @mark was the newest held lock. */
static void headway_release_until(struct headway_txn *txn, struct headway_lock *mark)
{
	unsigned int left;

	while (txn->held != mark) {
		preempt_disable();
		for (left = HEADWAY_RELEASE_BATCH; left && txn->held != mark; left--) {
			if (headway_release_newest(txn)) {
				headway_release_waking(txn, mark, left - 1);
				break;
			}
		}
		preempt_enable();
	}
}

/* Others read it under a wait_lock; who has got one lock from us sees it at all the others. */
static void headway_release_all(struct headway_txn *txn)
{
	WRITE_ONCE(txn->ending, 1);
	headway_release_until(txn, NULL);
}

/* First conflict: from now on the watchdog and debugfs can see us. */
void headway_txn_go_live(struct headway_txn *txn)
{
	if (txn->live)
		return;
	txn->contended = NULL;
	raw_spin_lock_init(&txn->pin);
	txn->restarts_seen = 0;
	txn->backing_off = 0;
	txn->backoff_policy = HEADWAY_NR_POLICIES;
	txn->stack_to = NULL;
	txn->begin_ns = ktime_get_ns();
	raw_spin_lock(&txn->domain->live_lock);
	txn->live = 1;
	list_add_tail(&txn->live_node, &txn->domain->live);
	raw_spin_unlock(&txn->domain->live_lock);
}

/**
 * headway_txn_end - release what is held and end the transaction
 * @txn: transaction of the current task
 *
 * Counts as a commit when the last lock call succeeded, as an abort when it failed.
 *
 * Context: may sleep; never fails.
 */
void headway_txn_end(struct headway_txn *txn)
{
	enum headway_stat why = HEADWAY_STAT_ABORTS;

	if (txn->last >= 0)
		why = txn->last ? HEADWAY_NR_STATS : HEADWAY_STAT_COMMITS;
	headway_release_all(txn);
	if (unlikely(txn->live))
		headway_leave_live(txn);
	trace_headway_txn_end(txn, txn->last);
	headway_dep_end(txn);
	if (txn->joined)
		headway_epoch_leave(txn, why);
	else if (why < HEADWAY_NR_STATS)
		headway_count(txn->domain, why);
}
EXPORT_SYMBOL_GPL(headway_txn_end);

/* What a caller did wrong: always in the counter, and each kind once in the log. */
#define headway_misused(txn, caller, what) do { \
	headway_count((txn)->domain, HEADWAY_STAT_MISUSES); \
	pr_warn_once("%s: %pS " what "\n", (txn)->domain->name, (void *)(caller)); \
} while (0)

/*
 * A rollback that failed has no caller to tell in headway_txn_until_done(): the next call tells.
 * After a conflict no lock call makes sense before the rollback: others wait for what is held.
 */
static int headway_take_pending(struct headway_txn *txn, unsigned long caller)
{
	int ret = txn->pending;

	if (ret == -EDEADLK)
		headway_misused(txn, caller, "asks for a lock after a conflict: roll back first");
	else if (txn->joined)
		txn->pending = 0;
	headway_branch(LOCK_PENDING);
	return ret;
}

static void headway_note_conflict(struct headway_txn *txn, struct headway_lock *lock,
				  const struct headway_wait *wait)
{
	/* A violation of the order got here without a conflict. */
	headway_txn_go_live(txn);
	txn->contended = lock;
	txn->pending = -EDEADLK;
	txn->wait.state = wait ? wait->state : TASK_UNINTERRUPTIBLE;
	txn->wait.deadline = wait ? wait->deadline : KTIME_MAX;
}

/**
 * headway_lock_wait - take one lock
 * @txn: transaction of the current task
 * @lock: a lock of the transaction's domain
 * @wait: how to wait; NULL = uninterruptibly, for as long as it takes
 *
 * The general form; headway_lock(), _interruptible, _killable, _timeout, _try are its short ones.
 * On -EDEADLK roll back with headway_txn_rollback(), or use headway_txn_until_done().
 *
 * Context: may sleep.
 * Return: 0; -EDEADLK, -ETIMEDOUT, -EINTR, -EALREADY, -EBUSY, -EINVAL as in the overview: nothing
 * has changed then.
 */
int headway_lock_wait(struct headway_txn *txn, struct headway_lock *lock,
		      const struct headway_wait *wait)
{
	int ret;

	if (unlikely(lock->domain != txn->domain))
		return -EINVAL;
	might_sleep_if(!wait || wait->state != TASK_RUNNING);
	if (unlikely(txn->pending)) {
		ret = headway_take_pending(txn, _RET_IP_);
	} else if (unlikely(txn->prelocked == lock)) {
		headway_branch(LOCK_PRELOCKED);
		txn->prelocked = NULL;
		ret = 0;
	} else {
		ret = headway_acquire(txn, lock, wait);
		if (unlikely(ret == -EALREADY))
			return ret;
		if (unlikely(ret == -EDEADLK))
			headway_note_conflict(txn, lock, wait);
	}
	txn->last = ret;
	return ret;
}
EXPORT_SYMBOL_GPL(headway_lock_wait);

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
			if (txn->prelocked == locks[i]) {
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
 * Takes locks of the set, as it is given, for as long as that needs no waiting; so the order
 * matters to `ordered` only, and most sets need no sorting. Return: how many.
 */
static __always_inline unsigned int headway_lock_free_ones(struct headway_txn *txn,
							   struct headway_lock **locks,
							   unsigned int n, bool try)
{
	struct headway_domain *domain = txn->domain;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct headway_lock *lock = locks[i];

		if (unlikely(lock->domain != domain || !headway_in_order(txn, lock)) ||
		    !headway_try_fast(txn, lock))
			break;
		headway_dep_acquire(txn, lock, try);
		headway_own(txn, lock);
	}
	return i;
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

/*
 * The set, where some lock of it may have to be waited for: in order. @mark: the newest lock held
 * before any of the set was taken. Return: as headway_lock_many_wait().
 */
static noinline int headway_lock_many_other(struct headway_txn *txn, struct headway_lock **locks,
					    unsigned int n, const struct headway_wait *wait,
					    struct headway_lock *mark)
{
	int ret = headway_check_set(txn, locks, n);

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
	bool try = wait && wait->state == TASK_RUNNING;

	might_sleep_if(!try);
	if (unlikely(txn->pending)) {
		int ret = headway_check_set(txn, locks, n);

		if (!ret) {
			ret = headway_take_pending(txn, _RET_IP_);
			txn->last = ret;
		}
		return ret;
	}
	/*
	 * Of a large set some lock is likely to be held, and then the work was for nothing. And
	 * under wait-die somebody may have died of a lock that is then given back, and would die
	 * again when we take it in order: twice for one attempt (TRY_FIRST in queue.pml).
	 */
	if (likely(n <= HEADWAY_SORT_SMALL && txn->policy != HEADWAY_POLICY_WAIT_DIE &&
		   headway_lock_free_ones(txn, locks, n, try) == n)) {
		txn->last = 0;
		return 0;
	}
	return headway_lock_many_other(txn, locks, n, wait, mark);
}
EXPORT_SYMBOL_GPL(headway_lock_many_wait);

/**
 * headway_unlock - release one lock before the transaction ends
 * @txn: transaction of the current task
 * @lock: a lock that it holds; anything else warns and does nothing
 *
 * Context: any but interrupts. Cheapest for the lock that was taken last.
 */
void headway_unlock(struct headway_txn *txn, struct headway_lock *lock)
{
	struct headway_lock **link = &txn->held;

	while (*link && *link != lock)
		link = &(*link)->held_next;
	if (WARN_ONCE(!*link, "headway: %s released but not held\n", lock->stats.name))
		return;
	*link = lock->held_next;
	if (txn->prelocked == lock)
		txn->prelocked = NULL;
	headway_release(txn, lock);
	if (txn->pending == -EDEADLK) {
		headway_branch(UNLOCK_CONFLICT);
		txn->pending = 0;
	}
	if (unlikely(READ_ONCE(txn->wounded)))
		headway_review_wound(txn);
}
EXPORT_SYMBOL_GPL(headway_unlock);

/* The schedule belongs to the policy, which a migration may have changed. */
static int headway_txn_back_off(struct headway_txn *txn, const struct headway_wait *wait)
{
	struct headway_domain *domain = txn->domain;
	u64 ticket = atomic64_read(&txn->ticket);
	int ret;

	if (!headway_delays(txn->policy))
		return 0;
	if (txn->backoff_policy != txn->policy) {
		bool grid = txn->policy == HEADWAY_POLICY_NONE;

		headway_backoff_init(&txn->backoff, grid ? &domain->grid : &domain->backoff,
				     ktime_get_ns() ^ (ticket << 32));
		txn->backoff_policy = txn->policy;
	}
	headway_count(domain, HEADWAY_STAT_BACKOFFS);
	WRITE_ONCE(txn->backing_off, 1);
	ret = headway_backoff_wait(&txn->backoff, wait);
	raw_spin_lock(&txn->pin);
	WRITE_ONCE(txn->backing_off, 0);
	headway_stack_give(txn);
	raw_spin_unlock(&txn->pin);
	if (ret)
		headway_branch(BACKOFF_FAILED);
	return ret;
}

static int headway_take_contended(struct headway_txn *txn, struct headway_lock *lock,
				  const struct headway_wait *wait)
{
	int ret;

	if (!lock || headway_broken(QUEUE) || !headway_waits_contended(txn->policy))
		return 0;
	/* Nothing is held, so no policy backs out here. */
	ret = headway_acquire(txn, lock, wait);
	if (!ret)
		txn->prelocked = lock;
	return ret;
}

/**
 * headway_txn_rollback_wait - release everything and wait until a retry makes sense
 * @txn: transaction whose last call returned -EDEADLK
 * @wait: how to wait; NULL = uninterruptibly, for as long as it takes
 *
 * Adopts a new policy if the domain's was changed, delays as the policy says, then waits for the
 * lock that the conflict was about and keeps it: the next call for it succeeds at once. That is the
 * lock that was asked for or, for a wounded transaction, the one that the wounder wants: starting
 * before that one has got it and is done would only mean to be wounded again. All of them must stay
 * allocated meanwhile. The ticket is kept: the transaction is older next time.
 *
 * Context: may sleep.
 * Return: 0; -EINTR, -ETIMEDOUT: nothing is held; end the transaction or try again.
 */
int headway_txn_rollback_wait(struct headway_txn *txn, const struct headway_wait *wait)
{
	struct headway_lock *contended;
	enum headway_policy policy = txn->policy;
	int ret;

	headway_txn_go_live(txn);
	headway_release_all(txn);
	/*
	 * Who wounded us did so under a lock that we held, and whose wait_lock the release took:
	 * with nothing held nobody is left, and plain reads see what they wrote.
	 */
	contended = txn->wounded ? txn->wounded_at : txn->contended;
	if (txn->wounded)
		headway_branch(ROLLBACK_WOUNDED);
	trace_headway_rollback(txn, contended);
	txn->contended = NULL;
	txn->pending = 0;
	WRITE_ONCE(txn->wounded, 0);
	if (headway_broken(TICKET))
		atomic64_set(&txn->ticket, 0);
	WRITE_ONCE(txn->ending, 0);
	WRITE_ONCE(txn->restarts, txn->restarts + 1);
	headway_count(txn->domain, HEADWAY_STAT_ROLLBACKS);

	ret = headway_epoch_migrate(txn, wait);
	if (!ret)
		ret = headway_txn_back_off(txn, wait);
	/* Under a new policy the sets may be asked for in another order: no lock is ahead in it. */
	if (!ret && txn->policy == policy)
		ret = headway_take_contended(txn, contended, wait);
	else if (!ret)
		headway_branch(ROLLBACK_NEW_POLICY);
	if (ret)
		headway_branch(ROLLBACK_FAILED);
	txn->last = ret ?: 1;
	trace_headway_rollback_end(txn, ret);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_txn_rollback_wait);

/**
 * __headway_txn_again - whether headway_txn_until_done() runs its body (again)
 * @txn: transaction
 * @from_top: NULL when the body was run to its end, anything else when it is entered from the top
 *
 * The rollback waits as the call did that lost the conflict; when it fails, the body's next lock
 * call returns the error.
 *
 * Return: true the first time and after a conflict.
 */
bool __headway_txn_again(struct headway_txn *txn, const void *from_top)
{
	if (!txn->started) {
		txn->started = 1;
		return true;
	}
	if (txn->last != -EDEADLK)
		return false;
	if (!from_top)
		headway_misused(txn, _RET_IP_,
				"went on after a conflict: headway_txn_retry_on_conflict() belongs after each lock call");
	txn->pending = headway_txn_rollback_wait(txn, &txn->wait);
	return true;
}
EXPORT_SYMBOL_GPL(__headway_txn_again);
