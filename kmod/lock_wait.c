// SPDX-License-Identifier: GPL-2.0
/*
 * lock_wait.c - what happens at a lock that somebody else holds: spin, queue, wound, wait, leave.
 *
 * The lock word and its invariants are described in lock.c.
 *
 * Every waiter judges the present owner whenever it wakes. The first, which a release wakes, is the
 * oldest, so it judges for all; one that leaves without the lock wakes the next, since a wounded
 * one leaves without judging. That is why a lock that is stolen (taken while a woken waiter is on
 * its way) needs no look at the queue by the thief. See tests/model/queue.pml.
 *
 * Lock order: domain->live_lock > txn->pin > lock->wait_lock > the scheduler's locks.
 */
#include <linux/hrtimer.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "branch.h"
#include "internal.h"
#include "lock.h"
#include HEADWAY_CONTENTION_HEADER
#include "trace.h"

/* Bounds on optimistic spinning, in cpu_relax() calls, which take 10 to 50 ns: */
#define HEADWAY_SPIN_MAX 4096
/* Where something better comes next. Long enough for critical sections of a microsecond. */
#define HEADWAY_SPIN_BRIEF 64

/*
 * Whoever has rolled back and starts anew, with nothing held (the token does not count), goes
 * behind those who wait: by what it took from the older one that it gave way to, it would only be
 * made to give way again.
 */
static bool headway_may_steal(const struct headway_txn *txn)
{
	return !txn->restarts || !headway_txn_bare(txn);
}

/* Whoever is given a ticket earlier is older. Others may give us ours at the same time. */
static void headway_give_ticket(struct headway_txn *txn)
{
	if (!atomic64_read(&txn->ticket))
		atomic64_cmpxchg(&txn->ticket, 0, atomic64_inc_return(&txn->domain->last_ticket));
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
static bool headway_spin(struct headway_txn *txn, struct headway_lock *lock, unsigned int most)
{
	unsigned int spins;

	if (!HEADWAY_CAN_SPIN)
		return false;
	for (spins = 0; spins < most; spins++) {
		long word = atomic_long_read(&lock->owner);
		struct task_struct *task;
		bool running;

		if (word & HEADWAY_LOCK_HANDOFF) {
			headway_branch(SPIN_HANDOFF);
			return false;
		}
		if (!headway_word_txn(word)) {
			if (word && !headway_may_steal(txn)) {
				headway_branch(SPIN_BEHIND);
				return false;
			}
			if (!atomic_long_try_cmpxchg_acquire(&lock->owner, &word, (long)txn | word))
				continue;
			if (word & HEADWAY_LOCK_WAITERS)
				headway_count(txn->domain, HEADWAY_STAT_STEALS);
			headway_branch(SPIN_TOOK);
			return true;
		}
		if (need_resched() || headway_must_back_out(txn)) {
			headway_branch(SPIN_CALLED_OFF);
			return false;
		}
		rcu_read_lock();
		task = READ_ONCE(lock->spin_task);
		running = !task || headway_task_on_cpu(task);
		rcu_read_unlock();
		if (!running) {
			headway_branch(SPIN_OFF_CPU);
			return false;
		}
		cpu_relax();
	}
	headway_branch(SPIN_BOUND);
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
				headway_branch(ENQUEUE_AHEAD);
				/* It may not wait behind us any more: wait-die. */
				if (READ_ONCE(pos->txn->nr_held)) {
					headway_branch(ENQUEUE_AHEAD_OF_HOLDER);
					wake_up_process(pos->txn->task);
				}
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
	if (first && !list_empty(&lock->waiters)) {
		headway_branch(DEQUEUE_FIRST);
		wake_up_process(headway_first(lock)->txn->task);
	} else {
		headway_branch(DEQUEUE_OTHER);
	}
}

/*
 * Under wait_lock, which pins @owner. The victim notices when it would block, or is asleep in
 * headway_wait_locked() and gets woken.
 */
static void headway_wound(struct headway_txn *txn, struct headway_lock *lock,
			  struct headway_txn *owner)
{
	if (READ_ONCE(owner->wounded)) {
		headway_branch(WOUND_AGAIN);
		return;
	}
	/* Of several wounders at several locks either will do: each waits where it says. */
	WRITE_ONCE(owner->wounded_at, lock);
	WRITE_ONCE(owner->wounded, 1);
	/*
	 * Pairs with set_current_state() in headway_wait_locked(): either we see that the victim
	 * waits, or it sees that it is wounded.
	 */
	smp_mb();
	if (READ_ONCE(owner->waiting_on)) {
		headway_branch(WOUND_ASLEEP);
		wake_up_process(owner->task);
	} else {
		headway_branch(WOUND_AWAKE);
	}
	headway_count(txn->domain, HEADWAY_STAT_WOUNDS);
	trace_headway_wound(lock, atomic64_read(&owner->ticket), atomic64_read(&txn->ticket));
}

/* Under wait_lock, which pins @owner and who is queued. Return: 0 = wait, or -EDEADLK. */
static int headway_conflict(struct headway_txn *txn, struct headway_lock *lock,
			    struct headway_txn *owner)
{
	struct headway_party self, other;

	/* The owner first, so that holders come out older than those who run into them. */
	headway_give_ticket(owner);
	headway_give_ticket(txn);
	if (headway_must_back_out(txn)) {
		headway_branch(CONFLICT_WOUNDED);
		return -EDEADLK;
	}
	/* Whoever waits for the token holds nothing, so that nobody need give way there. */
	if (lock == &txn->domain->token)
		return 0;

	self = headway_party(txn);
	self.behind = headway_behind(txn, lock);
	self.token = txn->policy == HEADWAY_POLICY_POLITE &&
		     headway_lock_held(txn, &txn->domain->token);
	other = headway_party(owner);
	other.ending = READ_ONCE(owner->ending);
	switch (headway_resolve(txn->policy, &self, &other)) {
	case HEADWAY_WOUND:
		headway_wound(txn, lock, owner);
		return 0;
	case HEADWAY_WAIT:
		return 0;
	case HEADWAY_BACKOUT:
	default:
		headway_branch(CONFLICT_BACKOUT);
		return -EDEADLK;
	}
}

/*
 * Queued, and first: spins on while the owner runs, with the task's state set for the sleep. So who
 * gives way, where age decides, is settled before the long spin: of two transactions that spin on
 * each other one finds itself wounded, or backs out, instead of both spinning in vain to the bound.
 * And whoever gives way to us finds us in the queue, and goes behind.
 *
 * Return: true when we were woken meanwhile.
 */
static bool headway_spin_queued(struct headway_lock *lock)
{
	unsigned int spins;

	if (!HEADWAY_CAN_SPIN)
		return false;
	for (spins = 0; spins < HEADWAY_SPIN_MAX && !need_resched(); spins++) {
		struct task_struct *task;
		bool running;

		if (task_is_running(current)) {
			headway_branch(QUEUED_SPIN_WOKEN);
			return true;
		}
		rcu_read_lock();
		task = READ_ONCE(lock->spin_task);
		running = !task || headway_task_on_cpu(task);
		rcu_read_unlock();
		if (!running) {
			headway_branch(QUEUED_SPIN_OFF_CPU);
			return false;
		}
		cpu_relax();
	}
	headway_branch(QUEUED_SPIN_BOUND);
	return false;
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

static bool headway_interrupted(unsigned int state)
{
	return signal_pending_state(headway_broken(SIGNAL) ? TASK_INTERRUPTIBLE : state, current);
}

static void headway_wait_failed(int ret)
{
	if (ret == -EINTR)
		headway_branch(WAIT_EINTR);
	else if (ret == -ETIMEDOUT)
		headway_branch(WAIT_ETIMEDOUT);
	else
		headway_branch(WAIT_EDEADLK);
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
	txn->wait_look = READ_ONCE(txn->domain->looks);
	WRITE_ONCE(txn->waiting_on, lock);

	for (;;) {
		struct headway_txn *owner;
		bool first;

		/* Full barrier; pairs with smp_mb() in headway_wound(). */
		set_current_state(state);
		if (waiter.granted) {
			headway_branch(WAIT_GRANTED);
			break;
		}
		first = headway_first(lock) == &waiter;
		if (first) {
			owner = headway_take_or_pin(txn, lock, &waiter);
			if (!owner) {
				headway_branch(WAIT_TOOK);
				list_del(&waiter.node);
				break;
			}
			/* Woken, and somebody was faster: from now on nobody passes us. */
			if (woken) {
				headway_branch(WAIT_OVERTAKEN);
				atomic_long_or(HEADWAY_LOCK_HANDOFF, &lock->owner);
			}
		} else {
			owner = headway_word_txn(atomic_long_read(&lock->owner));
			/*
			 * Free, and the first is on its way. It is judged as the owner that it may
			 * be before we run again: nobody wakes us for that. Without this wait-die
			 * hangs (tests/model/queue.pml, BREAK_FREE).
			 */
			if (!owner) {
				headway_branch(WAIT_JUDGED_FIRST);
				owner = headway_first(lock)->txn;
			}
		}
		ret = headway_conflict(txn, lock, owner);
		if (!ret && headway_interrupted(state))
			ret = -EINTR;
		if (!ret && expired)
			ret = -ETIMEDOUT;
		if (ret) {
			headway_wait_failed(ret);
			headway_dequeue(lock, &waiter);
			break;
		}
		raw_spin_unlock(&lock->wait_lock);
		if (headway_detects(txn->policy))
			headway_detect(txn);
		if (!first || !headway_queues_by_age(txn->policy) || !headway_spin_queued(lock))
			expired = headway_sleep(deadline);
		/* Who wants our stack wakes us as well: nobody was faster than us then. */
		if (unlikely(READ_ONCE(txn->stack_to)))
			headway_stack_answer(txn);
		else
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
	/* Orders with headway_views_copy() and detect.c, which follow waiting_on under the pin. */
	raw_spin_lock(&txn->pin);
	headway_stack_give(txn);
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

static void headway_slow_branch(const struct headway_txn *owner, bool queue)
{
	if (queue && owner)
		headway_branch(SLOW_BEHIND);
	else if (queue)
		headway_branch(SLOW_BEHIND_FREE);
	else if (!owner)
		headway_branch(SLOW_TOOK);
}

/*
 * Where age decides, that is settled before a long spin. Whoever is polite and holds something
 * gives way instead of spinning, and lets somebody else use the CPU.
 */
static unsigned int headway_spins(const struct headway_txn *txn)
{
	if (headway_queues_by_age(txn->policy) ||
	    (txn->policy == HEADWAY_POLICY_POLITE && !headway_txn_bare(txn)))
		return HEADWAY_SPIN_BRIEF;
	return HEADWAY_SPIN_MAX;
}

/**
 * headway_acquire_slow - take a lock that was not free, or wait for it
 * @txn: transaction of the current task
 * @lock: lock of the same domain
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Return: 0 = the lock is ours, -EDEADLK, -EINTR, -ETIMEDOUT.
 */
int headway_acquire_slow(struct headway_txn *txn, struct headway_lock *lock,
			 const struct headway_wait *wait)
{
	struct headway_txn *owner;
	bool queue, waited = false;
	int ret = 0;

	headway_contention_spin(lock);
	if (txn->policy != HEADWAY_POLICY_NONE && headway_spin(txn, lock, headway_spins(txn))) {
		headway_contention_end(lock, 0);
		return 0;
	}
	headway_txn_go_live(txn);

	raw_spin_lock(&lock->wait_lock);
	queue = !list_empty(&lock->waiters) && !headway_may_steal(txn);
	owner = queue ? headway_pin_owner(lock) : headway_take_or_pin(txn, lock, NULL);
	headway_slow_branch(owner, queue);
	if (owner || queue) {
		lock->stats.contended++;
		/* Free, with somebody on the way to it: judged when that one has it. */
		ret = owner ? headway_conflict(txn, lock, owner) : 0;
		if (!ret) {
			waited = true;
			trace_headway_lock_wait_begin(txn, lock);
			headway_contention_sleep(lock);
			ret = headway_wait_locked(txn, lock, wait);
		}
		if (ret) {
			if (ret == -EDEADLK)
				lock->stats.rollbacks++;
			headway_unpin(lock);
		}
	}
	raw_spin_unlock(&lock->wait_lock);
	headway_contention_end(lock, ret);

	if ((owner || queue) && !headway_broken(COUNT))
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
