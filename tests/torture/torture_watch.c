// SPDX-License-Identifier: GPL-2.0
/*
 * torture_watch.c - looks at the transactions that wait, from outside.
 *
 * A lock that is free and waited for has woken its first waiter, which is on its way; so has one
 * that was handed to its first waiter. So the same wait at the same free or own lock, seen again
 * and again while the lock changes hands not once, is one that nobody will end. What the domain's
 * own watchdog says is looked at as well.
 *
 * Lock order, as in the module: live_lock > txn->pin > lock->wait_lock.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/err.h>

#include "torture.h"

#define TORTURE_LOOK_MS 50
#define TORTURE_WAITS_MAX 8		/* suspicious ones remembered */

/* Addresses are kept to compare, never followed. */
struct torture_wait {
	const struct headway_txn *txn;
	const struct headway_lock *lock;
	u64 since_ns;
	u64 acquired;
	u64 key;
	unsigned int looks;
};

static struct torture_wait torture_waits[TORTURE_WAITS_MAX];
static struct task_struct *torture_watcher;

/* Under live_lock. Return: whether @txn waits for a lock that is free, or its own by now. */
static bool torture_waits_in_vain(struct headway_txn *txn, struct torture_wait *wait)
{
	struct headway_lock *lock;
	bool in_vain = false;

	raw_spin_lock(&txn->pin);
	lock = READ_ONCE(txn->waiting_on);
	if (lock) {
		raw_spin_lock(&lock->wait_lock);
		in_vain = !(atomic_long_read(&lock->owner) & ~HEADWAY_LOCK_FLAGS) ||
			  headway_lock_held(txn, lock);
		*wait = (struct torture_wait){
			.txn = txn,
			.lock = lock,
			.since_ns = READ_ONCE(txn->wait_since_ns),
			.acquired = data_race(lock->stats.acquired),	/* the owner's */
			.key = lock->key,
			.looks = 1,
		};
		raw_spin_unlock(&lock->wait_lock);
	}
	raw_spin_unlock(&txn->pin);
	return in_vain;
}

static unsigned int torture_looks_before(const struct torture_wait *wait)
{
	unsigned int i;

	for (i = 0; i < TORTURE_WAITS_MAX; i++) {
		const struct torture_wait *old = &torture_waits[i];

		if (old->txn == wait->txn && old->lock == wait->lock &&
		    old->since_ns == wait->since_ns && old->acquired == wait->acquired)
			return old->looks;
	}
	return 0;
}

/*
 * Much longer than a woken thread takes to run, and not so long that whoever reads stacks in
 * debugfs, which wakes those that sleep, helps it out first.
 */
static unsigned int torture_looks_needed(void)
{
	return max(torture.patience_ms / 60, 500U) / TORTURE_LOOK_MS;
}

/* Somebody hangs: gives the watcher the time to see whether it is at a free lock. */
void torture_await_looks(void)
{
	int until = atomic_read(&torture.looks) + torture_looks_needed() + 2;

	while (atomic_read(&torture.looks) - until < 0 && !kthread_should_stop())
		schedule_timeout_idle(msecs_to_jiffies(TORTURE_LOOK_MS));
}

/* Return: how many there are in @waits with those of @domain. */
static unsigned int torture_look_at(struct headway_domain *domain, struct torture_wait *waits,
				    unsigned int n)
{
	struct headway_txn *txn;

	raw_spin_lock(&domain->live_lock);
	list_for_each_entry(txn, &domain->live, live_node)
		if (n < TORTURE_WAITS_MAX && torture_waits_in_vain(txn, &waits[n]))
			n++;
	raw_spin_unlock(&domain->live_lock);
	return n;
}

/* What `adaptive` runs under. */
static void torture_look_at_arm(void)
{
	enum headway_policy arm = READ_ONCE(torture.domain->arm);

	if (arm != torture.arm)
		atomic64_inc(&torture.events[TORTURE_SAW_ARMS]);
	torture.arm = arm;
}

static void torture_look(void)
{
	struct torture_wait now[TORTURE_WAITS_MAX] = {};
	unsigned int n, i;

	torture_look_at_arm();
	n = torture_look_at(torture.domain, now, 0);
	n = torture_look_at(torture.inner, now, n);
	for (i = 0; i < n; i++) {
		now[i].looks += torture_looks_before(&now[i]);
		if (now[i].looks == torture_looks_needed())
			torture_fail(TORTURE_SLEEPER, "lock %llu, %u looks in a row\n",
				     now[i].key, now[i].looks);
	}
	if (n < TORTURE_WAITS_MAX)
		now[n].txn = NULL;
	memcpy(torture_waits, now, sizeof(now));
	atomic_inc(&torture.looks);
	if (headway_domain_verdict(torture.domain) == HEADWAY_VERDICT_LIVELOCK)
		torture_fail(TORTURE_LIVELOCK, "domain %s\n", torture.domain->name);
}

static void torture_say_wait(struct headway_txn *txn)
{
	struct headway_lock *lock;

	raw_spin_lock(&txn->pin);
	lock = READ_ONCE(txn->waiting_on);
	if (lock)
		pr_info("%s: waits for lock %llu, flags %ld, owned %d, by itself %d\n",
			txn->task->comm, lock->key,
			atomic_long_read(&lock->owner) & HEADWAY_LOCK_FLAGS,
			!!(atomic_long_read(&lock->owner) & ~HEADWAY_LOCK_FLAGS),
			headway_lock_held(txn, lock));
	raw_spin_unlock(&txn->pin);
}

/* Who is still there, for a person who has to find out why. */
void torture_say_live(void)
{
	struct headway_txn *txn;

	raw_spin_lock(&torture.domain->live_lock);
	list_for_each_entry(txn, &torture.domain->live, live_node)
		pr_info("%s: ticket %lld, holds %u, restarts %u, wounded %u, waits %d\n",
			txn->task->comm, atomic64_read(&txn->ticket), READ_ONCE(txn->nr_held),
			READ_ONCE(txn->restarts), READ_ONCE(txn->wounded),
			!!READ_ONCE(txn->waiting_on));
	list_for_each_entry(txn, &torture.domain->live, live_node)
		torture_say_wait(txn);
	raw_spin_unlock(&torture.domain->live_lock);
}

static int torture_watch(void *unused)
{
	while (!kthread_should_stop()) {
		torture_look();
		schedule_timeout_idle(msecs_to_jiffies(TORTURE_LOOK_MS));
	}
	return 0;
}

int torture_watch_start(void)
{
	struct task_struct *task;

	torture.arm = torture.domain->arm;
	task = kthread_run(torture_watch, NULL, "torture/watch");
	if (IS_ERR(task))
		return PTR_ERR(task);
	torture_watcher = task;
	return 0;
}

void torture_watch_stop(void)
{
	if (torture_watcher)
		kthread_stop(torture_watcher);
	torture_watcher = NULL;
}
