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
#include "trace.h"
#include "txn.h"

static noinline void headway_leave_live(struct headway_txn *txn)
{
	raw_spin_lock(&txn->domain->live_lock);
	list_del(&txn->live_node);
	txn->live = 0;
	raw_spin_unlock(&txn->domain->live_lock);
}

static __always_inline void headway_txn_init(struct headway_txn *txn,
					     struct headway_domain *domain, unsigned int priority)
{
	txn->domain = domain;
	txn->task = current;
	txn->held = NULL;
	txn->waiting_on = NULL;
	atomic64_set(&txn->ticket, 0);
	txn->nr_held = 0;
	txn->restarts = 0;
	txn->pending = 0;
	txn->wounded = 0;
	txn->ending = 0;
	txn->started = 0;
	txn->live = 0;
	txn->last = 1;
	txn->bonus = headway_priority_bonus(priority);
	txn->joined = 1;
	headway_dep_begin(txn);
}

/* Apart: for what a tracepoint calls, the fast path around it would save and restore registers. */
static noinline void headway_txn_begin_traced(struct headway_txn *txn)
{
	trace_headway_txn_begin(txn);
}

static noinline void headway_txn_end_traced(struct headway_txn *txn)
{
	trace_headway_txn_end(txn, 0);
	headway_dep_end(txn);
	headway_epoch_leave(txn, HEADWAY_STAT_COMMITS);
}

/* The rest of a begin that has something to wait for. */
static noinline int headway_txn_begin_other(struct headway_txn *txn, bool passed,
					    const struct headway_wait *wait)
{
	int ret = headway_epoch_join_other(txn, passed, wait);

	if (likely(!ret)) {
		trace_headway_txn_begin(txn);
		return 0;
	}
	if (txn->live)
		headway_leave_live(txn);
	headway_dep_end(txn);
	return ret;
}

static __always_inline int headway_txn_begin_inline(struct headway_txn *txn,
						    struct headway_domain *domain,
						    unsigned int priority,
						    const struct headway_wait *wait)
{
	bool passed;

	might_sleep_if(!headway_tries(wait));
	headway_txn_init(txn, domain, priority);
	passed = headway_gate_pass(txn);
	if (unlikely(!passed || headway_takes_token(txn->policy, txn->adaptive, 0)))
		return headway_txn_begin_other(txn, passed, wait);
	if (trace_headway_txn_begin_enabled())
		headway_txn_begin_traced(txn);
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
 * Context: may sleep. Waits only while the domain's policy is being changed, or for the token.
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

/**
 * headway_release_others - the rest of headway_release_until(), where locks are waited for or timed
 * @txn: transaction of the current task
 * @mark: held lock at which to stop; NULL = none
 * @unlinked: of the newest held one only the word is left to do
 */
void headway_release_others(struct headway_txn *txn, struct headway_lock *mark, bool unlinked)
{
	unsigned int left, woken;

	while (txn->held != mark) {
		woken = 0;
		preempt_disable();
		for (left = HEADWAY_RELEASE_BATCH; left && txn->held != mark; left--) {
			struct headway_lock *lock = txn->held;
			bool woke;

			txn->held = lock->held_next;
			if (unlinked) {
				WRITE_ONCE(txn->nr_held, txn->nr_held - 1);
				woke = headway_release_slow(txn, lock);
			} else {
				woke = headway_release(txn, lock);
			}
			unlinked = false;
			if (woke && ++woken == HEADWAY_RELEASE_WAKES)
				break;
		}
		preempt_enable();
	}
}

/* First conflict: from now on the watchdog and debugfs can see us. */
void headway_txn_go_live(struct headway_txn *txn)
{
	if (txn->live)
		return;
	txn->prelocked = NULL;
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

/* The rest of an end that is not that of an undisturbed commit. */
static noinline void headway_txn_end_other(struct headway_txn *txn, bool unlinked)
{
	enum headway_stat why = HEADWAY_STAT_ABORTS;

	headway_release_others(txn, NULL, unlinked);
	if (txn->live)
		headway_leave_live(txn);
	if (txn->last >= 0)
		why = txn->last ? HEADWAY_NR_STATS : HEADWAY_STAT_COMMITS;
	trace_headway_txn_end(txn, txn->last);
	headway_dep_end(txn);
	if (txn->joined)
		headway_epoch_leave(txn, why);
	else if (why < HEADWAY_NR_STATS)
		headway_count(txn->domain, why);
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
	bool unlinked;

	/* Others read it under a wait_lock; who has got one lock from us sees it at all others. */
	WRITE_ONCE(txn->ending, 1);
	if (unlikely(!headway_release_free_ones(txn, NULL, &unlinked) || txn->live || txn->last)) {
		headway_txn_end_other(txn, unlinked);
		return;
	}
	if (trace_headway_txn_end_enabled()) {
		headway_txn_end_traced(txn);
		return;
	}
	headway_dep_end(txn);
	headway_epoch_leave(txn, HEADWAY_STAT_COMMITS);
}
EXPORT_SYMBOL_GPL(headway_txn_end);

/* What a caller did wrong: always in the counter, and each kind once in the log. */
#define headway_misused(txn, caller, what) do { \
	headway_count((txn)->domain, HEADWAY_STAT_MISUSES); \
	pr_warn_once("%s: %pS " what "\n", (txn)->domain->name, (void *)(caller)); \
} while (0)

/**
 * headway_take_pending - what a lock call returns instead of trying
 * @txn: transaction with something pending
 * @caller: of that call
 *
 * A rollback that failed has no caller to tell in headway_txn_until_done(): the next call tells.
 * After a conflict no lock call makes sense before the rollback: others wait for what is held.
 *
 * Return: the error.
 */
int headway_take_pending(struct headway_txn *txn, unsigned long caller)
{
	int ret = txn->pending;

	if (ret == -EDEADLK)
		headway_misused(txn, caller, "asks for a lock after a conflict: roll back first");
	else if (txn->joined)
		txn->pending = 0;
	headway_branch(LOCK_PENDING);
	txn->last = ret;
	return ret;
}

/**
 * headway_note_conflict - note what a rollback needs to know
 * @txn: transaction whose call returns -EDEADLK
 * @lock: that the conflict was about
 * @wait: how the call was to wait
 */
void headway_note_conflict(struct headway_txn *txn, struct headway_lock *lock,
			   const struct headway_wait *wait)
{
	/* A violation of the order got here without a conflict. */
	headway_txn_go_live(txn);
	txn->contended = lock;
	txn->pending = -EDEADLK;
	txn->wait.state = wait ? wait->state : TASK_UNINTERRUPTIBLE;
	txn->wait.deadline = wait ? wait->deadline : KTIME_MAX;
}

/* The rest of headway_lock_wait(), for a lock that is not simply free. */
static noinline int headway_lock_other(struct headway_txn *txn, struct headway_lock *lock,
				       const struct headway_wait *wait, unsigned long caller)
{
	int ret;

	if (unlikely(lock->domain != txn->domain))
		return -EINVAL;
	if (unlikely(txn->pending))
		return headway_take_pending(txn, caller);
	if (txn->live && txn->prelocked == lock) {
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
	if (!headway_tries(wait))
		headway_may_sleep();
	if (unlikely(lock->domain != txn->domain || txn->pending || !headway_may_ask(txn, lock)) ||
	    !headway_try_fast(txn, lock))
		return headway_lock_other(txn, lock, wait, _RET_IP_);
	txn->last = 0;
	headway_dep_acquire(txn, lock, headway_tries(wait));
	headway_own(txn, lock);
	return 0;
}
EXPORT_SYMBOL_GPL(headway_lock_wait);

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
	if (txn->live && txn->prelocked == lock)
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
	if (headway_yields(txn->policy, txn->restarts)) {
		headway_branch(BACKOFF_YIELD);
		/* For others' sake, not for an event: that is waited for next, in the queue. */
		if (!headway_tries(wait))
			yield();
		return 0;
	}
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
 * Context: may sleep, unless @wait forbids it.
 * Return: 0; -EBUSY (try), -EINTR, -ETIMEDOUT: nothing is held; end the transaction or try again.
 */
int headway_txn_rollback_wait(struct headway_txn *txn, const struct headway_wait *wait)
{
	struct headway_lock *contended;
	enum headway_policy policy = txn->policy;
	int ret;

	headway_txn_go_live(txn);
	/* Others read it under a wait_lock; who has got one lock from us sees it at all others. */
	WRITE_ONCE(txn->ending, 1);
	headway_release_until(txn, NULL);
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
