// SPDX-License-Identifier: GPL-2.0
/*
 * lock_life.c - locks come, are listed in their domain, and go.
 *
 * A lock is listed at its first acquisition, by its owner, so that initialising a million of them
 * touches nothing but themselves.
 *
 * Lock order: headway locks > locks_mutex.
 */
#include <linux/module.h>

#include "dep.h"
#include "internal.h"
#include "lock.h"

/**
 * headway_lock_track - put a lock on its domain's list, at its first acquisition
 * @lock: lock, owned by the caller
 */
void headway_lock_track(struct headway_lock *lock)
{
	struct headway_domain *domain = lock->domain;

	mutex_lock(&domain->locks_mutex);
	list_add_tail(&lock->stats.node, &domain->locks);
	domain->nr_locks += lock != &domain->token;
	mutex_unlock(&domain->locks_mutex);
}

#ifdef CONFIG_DEBUG_LOCK_ALLOC
/* lockdep wants one name for a class, and the same string wherever a lock is initialised. */
const char headway_lock_class[sizeof("headway_lock")] = "headway_lock";
EXPORT_SYMBOL_GPL(headway_lock_class);
#endif

/**
 * headway_lock_init - initialise a lock
 * @lock: the lock
 * @domain: its domain, for good
 * @rank: order among the domain's locks, lowest first
 * @key: order among equal ranks (an inode number, say); the address decides between equal keys
 * @name: shown in debugfs; must outlive the lock. Letters, digits and ``_.:-`` are shown as they
 *	are, anything else as ``?``
 *
 * Context: any. Pair with headway_lock_destroy().
 */
void headway_lock_init(struct headway_lock *lock, struct headway_domain *domain, u32 rank, u64 key,
		       const char *name)
{
	memset(lock, 0, sizeof(*lock));
	raw_spin_lock_init(&lock->wait_lock);
	INIT_LIST_HEAD(&lock->waiters);
	lock->rank = rank;
	lock->key = key;
	lock->domain = domain;
	lock->stats.name = name ?: "unnamed";
	headway_dep_init(lock);
}
EXPORT_SYMBOL_GPL(headway_lock_init);

/**
 * headway_lock_destroy - forget a lock before its memory is freed
 * @lock: lock that nobody holds or waits for; anything else warns
 *
 * Context: may sleep. No headway lock of the domain may be waited for by its caller meanwhile.
 */
void headway_lock_destroy(struct headway_lock *lock)
{
	struct headway_domain *domain = lock->domain;

	WARN_ONCE(atomic_long_read(&lock->owner), "headway: %s destroyed while in use\n",
		  lock->stats.name);
	if (lock->stats.node.next) {
		mutex_lock(&domain->locks_mutex);
		list_del(&lock->stats.node);
		lock->stats.node.next = NULL;
		domain->nr_locks -= lock != &domain->token;
		domain->locks_gone++;
		mutex_unlock(&domain->locks_mutex);
	}
	headway_stats_free(lock);
}
EXPORT_SYMBOL_GPL(headway_lock_destroy);

/**
 * headway_lock_nr_waiters - count who waits for a lock
 * @lock: lock that stays allocated meanwhile
 *
 * Context: any that may take raw spinlocks.
 * Return: the number.
 */
u32 headway_lock_nr_waiters(struct headway_lock *lock)
{
	struct list_head *waiter;
	u32 n = 0;

	raw_spin_lock(&lock->wait_lock);
	list_for_each(waiter, &lock->waiters)
		n++;
	raw_spin_unlock(&lock->wait_lock);
	return n;
}
