// SPDX-License-Identifier: GPL-2.0
/*
 * lock.c - the lock word: fast path, wait queue, wounds, handoff, timeouts.
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
 * Every waiter judges the present owner whenever it wakes. The first, which a release wakes, is the
 * oldest, so it judges for all; one that leaves without the lock wakes the next, since a wounded
 * one leaves without judging. That is why a lock that is stolen (taken while a woken waiter is on
 * its way) needs no look at the queue by the thief. See tests/model/lock.pml.
 *
 * Lock order: domain->live_lock > txn->pin > lock->wait_lock > the scheduler's locks.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "dep.h"
#include "internal.h"
#include "sort.h"
#include "trace.h"

/* A bound on optimistic spinning, in cpu_relax() calls: some tens of microseconds. */
#define HEADWAY_SPIN_MAX 4096

struct headway_waiter {
	struct list_head node;		/* lock->waiters, wait_lock */
	struct headway_txn *txn;	/* const */
	bool granted;			/* wait_lock: the release gave it to us, unlinked us */
};

static inline struct headway_txn *headway_word_txn(long word)
{
	return (struct headway_txn *)(word & ~HEADWAY_LOCK_FLAGS);
}

static struct headway_waiter *headway_first(struct headway_lock *lock)
{
	return list_first_entry_or_null(&lock->waiters, struct headway_waiter, node);
}

static struct headway_party headway_party(struct headway_txn *txn)
{
	return (struct headway_party){
		.ticket = atomic64_read(&txn->ticket),
		.bonus = txn->bonus,
		.nr_held = READ_ONCE(txn->nr_held),
	};
}

/* Under wait_lock: whether somebody older than @txn, which may be queued itself, waits already. */
static bool headway_behind(struct headway_txn *txn, struct headway_lock *lock)
{
	struct headway_waiter *first = headway_first(lock);
	struct headway_party self = headway_party(txn);
	struct headway_party other;

	if (!first || first->txn == txn)
		return false;
	other = headway_party(first->txn);
	return headway_party_cmp(&other, &self) < 0;
}

/* A wounded transaction that holds nothing is in nobody's way. */
static bool headway_must_back_out(const struct headway_txn *txn)
{
	return READ_ONCE(txn->wounded) && txn->nr_held;
}

/* Whoever is given a ticket earlier is older. Others may give us ours at the same time. */
static void headway_give_ticket(struct headway_txn *txn)
{
	if (!atomic64_read(&txn->ticket))
		atomic64_cmpxchg(&txn->ticket, 0, atomic64_inc_return(&txn->domain->last_ticket));
}

/* Bookkeeping of a lock that was just acquired. */
static __always_inline void headway_own(struct headway_txn *txn, struct headway_lock *lock)
{
	WRITE_ONCE(lock->spin_task, txn->task);
	lock->held_next = txn->held;
	txn->held = lock;
	WRITE_ONCE(txn->nr_held, txn->nr_held + 1);
	if (static_branch_likely(&headway_stats_key)) {
		if (unlikely(!lock->stats.node.next))
			headway_lock_track(lock);
		if (!(lock->stats.acquired++ & headway_hold_sample_mask))
			lock->stats.hold_since_ns = ktime_get_ns();
	}
}

/*
 * Spins while the owner runs on a CPU: its critical section is likely to end sooner than two
 * context switches take. The owner's transaction is never touched; its task is, which RCU keeps: a
 * task clears spin_task before it releases, so a reader that still sees it began before the grace
 * period that its exit waits for. That is what lets a transaction that already holds locks spin,
 * which ww_mutex cannot. Cf. mutex_spin_on_owner() in kernel/locking/mutex.c.
 *
 * Return: true when the lock was taken.
 */
static bool headway_spin(struct headway_txn *txn, struct headway_lock *lock)
{
	unsigned int spins;

	if (!HEADWAY_CAN_SPIN)
		return false;
	for (spins = 0; spins < HEADWAY_SPIN_MAX; spins++) {
		long word = atomic_long_read(&lock->owner);
		struct task_struct *task;
		bool running;

		if (word & HEADWAY_LOCK_HANDOFF)
			return false;
		if (!headway_word_txn(word)) {
			if (!atomic_long_try_cmpxchg_acquire(&lock->owner, &word, (long)txn | word))
				continue;
			if (word & HEADWAY_LOCK_WAITERS)
				headway_count(txn->domain, HEADWAY_STAT_STEALS);
			return true;
		}
		if (need_resched() || headway_must_back_out(txn))
			return false;
		rcu_read_lock();
		task = READ_ONCE(lock->spin_task);
		running = !task || headway_task_on_cpu(task);
		rcu_read_unlock();
		if (!running)
			return false;
		cpu_relax();
	}
	return false;
}

/*
 * Under wait_lock. Takes the lock if it is free and returns NULL; otherwise returns the owner,
 * pinned by WAITERS. @waiter is our own entry when we are queued.
 */
static struct headway_txn *headway_take_or_pin(struct headway_txn *txn, struct headway_lock *lock,
					       struct headway_waiter *waiter)
{
	bool others = waiter ? !list_is_singular(&lock->waiters) : !list_empty(&lock->waiters);
	long word = atomic_long_read(&lock->owner);
	long want;

	do {
		if (!headway_word_txn(word))
			want = (long)txn | (others ? HEADWAY_LOCK_WAITERS : 0);
		else
			want = word | HEADWAY_LOCK_WAITERS;
		if (want == word)
			break;
	} while (!atomic_long_try_cmpxchg_acquire(&lock->owner, &word, want));

	return headway_word_txn(word);
}

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

/* Under wait_lock: oldest first, or in order of arrival where age decides nothing. */
static void headway_enqueue(struct headway_lock *lock, struct headway_waiter *waiter)
{
	struct headway_party self = headway_party(waiter->txn);
	struct headway_waiter *pos;

	if (headway_queues_by_age(waiter->txn->policy)) {
		list_for_each_entry(pos, &lock->waiters, node) {
			struct headway_party other = headway_party(pos->txn);

			if (headway_party_cmp(&self, &other) < 0) {
				list_add_tail(&waiter->node, &pos->node);
				/* It may not wait behind us any more: wait-die. */
				if (READ_ONCE(pos->txn->nr_held))
					wake_up_process(pos->txn->task);
				return;
			}
		}
	}
	list_add_tail(&waiter->node, &lock->waiters);
}

/* Under wait_lock. Leaves the queue without the lock; the next first takes over its wake-up. */
static void headway_dequeue(struct headway_lock *lock, struct headway_waiter *waiter)
{
	bool first = headway_first(lock) == waiter;

	list_del(&waiter->node);
	if (first && !list_empty(&lock->waiters))
		wake_up_process(headway_first(lock)->txn->task);
}

/*
 * Under wait_lock, which pins @owner. The victim notices when it would block, or is asleep in
 * headway_wait_locked() and gets woken.
 */
static void headway_wound(struct headway_txn *txn, struct headway_lock *lock,
			  struct headway_txn *owner)
{
	if (READ_ONCE(owner->wounded))
		return;
	WRITE_ONCE(owner->wounded, 1);
	/*
	 * Pairs with set_current_state() in headway_wait_locked(): either we see that the victim
	 * waits, or it sees that it is wounded.
	 */
	smp_mb();
	if (READ_ONCE(owner->waiting_on))
		wake_up_process(owner->task);
	headway_count(txn->domain, HEADWAY_STAT_WOUNDS);
	trace_headway_wound(lock, atomic64_read(&owner->ticket), atomic64_read(&txn->ticket));
}

/* Under wait_lock, which pins @owner. Return: 0 = wait, or -EDEADLK. */
static int headway_conflict(struct headway_txn *txn, struct headway_lock *lock,
			    struct headway_txn *owner)
{
	struct headway_party self, other;

	/* The owner first, so that holders come out older than those who run into them. */
	headway_give_ticket(owner);
	headway_give_ticket(txn);
	if (headway_must_back_out(txn))
		return -EDEADLK;

	self = headway_party(txn);
	self.behind = headway_behind(txn, lock);
	other = headway_party(owner);
	switch (headway_resolve(txn->policy, &self, &other)) {
	case HEADWAY_WOUND:
		headway_wound(txn, lock, owner);
		return 0;
	case HEADWAY_WAIT:
		return 0;
	case HEADWAY_BACKOUT:
	default:
		return -EDEADLK;
	}
}

/* Return: true when the deadline has passed. The caller has set the task's state. */
static bool headway_sleep(ktime_t deadline)
{
	if (deadline == KTIME_MAX) {
		schedule();
		return false;
	}
	return !schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS);
}

/*
 * Called and left with wait_lock held; sleeps without it. Return: 0 = the lock is ours, -EDEADLK,
 * -EINTR, -ETIMEDOUT. In doubt the lock wins: an error is only returned while another owns it.
 */
static int headway_wait_locked(struct headway_txn *txn, struct headway_lock *lock,
			       const struct headway_wait *wait)
	__must_hold(&lock->wait_lock)
{
	unsigned int state = wait ? wait->state : TASK_UNINTERRUPTIBLE;
	ktime_t deadline = wait ? wait->deadline : KTIME_MAX;
	struct headway_waiter waiter = { .txn = txn };
	bool expired = false, woken = false;
	int ret = 0;

	headway_enqueue(lock, &waiter);
	WRITE_ONCE(txn->wait_since_ns, ktime_get_ns());
	WRITE_ONCE(txn->waiting_on, lock);

	for (;;) {
		struct headway_txn *owner;
		bool first;

		/* Full barrier; pairs with smp_mb() in headway_wound(). */
		set_current_state(state);
		if (waiter.granted)
			break;
		first = headway_first(lock) == &waiter;
		if (first) {
			owner = headway_take_or_pin(txn, lock, &waiter);
			if (!owner) {
				list_del(&waiter.node);
				break;
			}
			/* Woken, and somebody was faster: from now on nobody passes us. */
			if (woken)
				atomic_long_or(HEADWAY_LOCK_HANDOFF, &lock->owner);
		} else {
			owner = headway_word_txn(atomic_long_read(&lock->owner));
		}
		/*
		 * No owner: free, and the first waiter, not us, is on its way. A wound counts all
		 * the same: who wounded us may wait for what we hold, and wounds only once.
		 */
		if (owner)
			ret = headway_conflict(txn, lock, owner);
		else
			ret = headway_must_back_out(txn) ? -EDEADLK : 0;
		if (!ret && signal_pending_state(state, current))
			ret = -EINTR;
		if (!ret && expired)
			ret = -ETIMEDOUT;
		if (ret) {
			headway_dequeue(lock, &waiter);
			break;
		}
		raw_spin_unlock(&lock->wait_lock);
		if (headway_detects(txn->policy))
			headway_detect(txn);
		expired = headway_sleep(deadline);
		woken = true;
		raw_spin_lock(&lock->wait_lock);
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/* The wait is over: after this nobody follows waiting_on to the lock any more. */
static void headway_wait_done(struct headway_txn *txn)
{
	if (!txn->waiting_on)
		return;
	/* Orders with headway_txn_view() and detect.c, which follow waiting_on under the pin. */
	raw_spin_lock(&txn->pin);
	WRITE_ONCE(txn->waiting_on, NULL);
	/* A cycle is broken when one wait in it ends, however it ends. */
	if (headway_detects(txn->policy))
		WRITE_ONCE(txn->wounded, 0);
	raw_spin_unlock(&txn->pin);
}

static void headway_count_failure(struct headway_domain *domain, int ret)
{
	if (ret == -ETIMEDOUT)
		headway_count(domain, HEADWAY_STAT_TIMEOUTS);
	else if (ret == -EINTR)
		headway_count(domain, HEADWAY_STAT_INTERRUPTS);
}

static noinline int headway_acquire_slow(struct headway_txn *txn, struct headway_lock *lock,
					 const struct headway_wait *wait)
{
	struct headway_txn *owner;
	bool waited = false;
	int ret = 0;

	if (txn->policy != HEADWAY_POLICY_NONE && headway_spin(txn, lock))
		return 0;

	headway_txn_go_live(txn);
	raw_spin_lock(&lock->wait_lock);
	owner = headway_take_or_pin(txn, lock, NULL);
	if (owner) {
		lock->stats.contended++;
		ret = headway_conflict(txn, lock, owner);
		if (!ret) {
			waited = true;
			trace_headway_lock_wait_begin(txn, lock);
			ret = headway_wait_locked(txn, lock, wait);
		}
		if (ret) {
			if (ret == -EDEADLK)
				lock->stats.rollbacks++;
			headway_unpin(lock);
		}
	}
	raw_spin_unlock(&lock->wait_lock);

	if (owner)
		headway_count(txn->domain, HEADWAY_STAT_CONFLICTS);
	if (waited) {
		u64 waited_ns = ktime_get_ns() - txn->wait_since_ns;

		headway_count(txn->domain, HEADWAY_STAT_WAITS);
		trace_headway_lock_wait_end(txn, lock, ret);
		if (!ret && static_branch_likely(&headway_stats_key))
			headway_stats_wait(lock, waited_ns);
		headway_wait_done(txn);
	}
	if (ret)
		headway_count_failure(txn->domain, ret);
	return ret;
}

/* Under `ordered`, locks are asked for in one order; the newest held one is the highest. */
static int headway_check_order(struct headway_txn *txn, struct headway_lock *lock)
{
	if (likely(!txn->held || headway_lock_cmp(txn->held, lock) < 0))
		return 0;
	if (headway_lock_held(txn, lock))
		return -EALREADY;
	headway_count(txn->domain, HEADWAY_STAT_ORDER_VIOLATIONS);
	pr_warn_once("%s: %s (rank %u, key %llu) asked for while holding %s (rank %u, key %llu): take locks in (rank, key, address) order, or as one set with headway_lock_many()\n",
		     txn->domain->name, lock->stats.name, lock->rank, lock->key,
		     txn->held->stats.name, txn->held->rank, txn->held->key);
	return -EDEADLK;
}

/**
 * headway_acquire - take one lock; the module's inner entry
 * @txn: transaction of the current task
 * @lock: lock of the same domain
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Return: 0, -EALREADY, -EBUSY, -EDEADLK, -EINTR, -ETIMEDOUT.
 */
int headway_acquire(struct headway_txn *txn, struct headway_lock *lock,
		    const struct headway_wait *wait)
{
	bool try = wait && wait->state == TASK_RUNNING;
	long word = 0;
	int ret;

	if (txn->policy == HEADWAY_POLICY_ORDERED) {
		ret = headway_check_order(txn, lock);
		if (unlikely(ret))
			return ret;
	}
	if (!try)
		might_sleep();
	/* Acquire pairs with the release in headway_release() and headway_release_slow(). */
	if (likely(atomic_long_try_cmpxchg_acquire(&lock->owner, &word, (long)txn))) {
		headway_dep_acquire(txn, lock, try);
		headway_own(txn, lock);
		return 0;
	}
	if (headway_word_txn(word) == txn)
		return -EALREADY;
	if (try) {
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

static noinline void headway_release_slow(struct headway_txn *txn, struct headway_lock *lock)
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
	if (task)
		wake_up_process(task);
	rcu_read_unlock();
	if (handoff)
		headway_count(txn->domain, HEADWAY_STAT_HANDOFFS);
}

/**
 * headway_release - give one lock back; the module's inner entry
 * @txn: transaction that holds it and has unlinked it from its held list
 * @lock: lock
 */
void headway_release(struct headway_txn *txn, struct headway_lock *lock)
{
	long word = (long)txn;

	if (lock->stats.hold_since_ns) {
		headway_stats_hold(lock, ktime_get_ns() - lock->stats.hold_since_ns);
		lock->stats.hold_since_ns = 0;
	}
	WRITE_ONCE(txn->nr_held, txn->nr_held - 1);
	WRITE_ONCE(lock->spin_task, NULL);
	headway_dep_release(lock);
	/* Release pairs with the acquire in headway_acquire(). */
	if (unlikely(!atomic_long_try_cmpxchg_release(&lock->owner, &word, 0)))
		headway_release_slow(txn, lock);
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
	WRITE_ONCE(txn->wounded, 0);
	for (lock = txn->held; lock && !stands; lock = lock->held_next) {
		raw_spin_lock(&lock->wait_lock);
		stands = headway_behind(txn, lock);
		if (stands)
			WRITE_ONCE(txn->wounded, 1);
		raw_spin_unlock(&lock->wait_lock);
	}
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
