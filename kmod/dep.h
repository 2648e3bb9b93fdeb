/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dep.h - what lockdep is told.
 *
 * All locks of a transaction nest under the transaction itself, so that taking several of one class
 * is no recursion; that is safe because policies, not lockdep's class order, rule out cycles inside
 * a domain. For the same reason all locks of a domain are one class, as those of a ww_class are:
 * between classes lockdep would learn an order, and transactions need not follow one. Orders
 * against other locks of the kernel are checked as usual.
 *
 * lock_set_cmp_fn(), which tells lockdep the order of locks of one class, is not used: lockdep asks
 * no further where a nest lock is held, and without one it would hold classes to an order that
 * ranks need not follow. Policy `ordered` checks ranks itself, on every kernel.
 */
#ifndef HEADWAY_DEP_H
#define HEADWAY_DEP_H

#include "headway.h"

#ifdef CONFIG_DEBUG_LOCK_ALLOC
static inline void headway_dep_acquire(struct headway_txn *txn, struct headway_lock *lock, bool try)
{
	mutex_acquire_nest(&lock->dep_map, 0, try, &txn->dep_map, _RET_IP_);
}

static inline void headway_dep_release(struct headway_lock *lock)
{
	mutex_release(&lock->dep_map, _RET_IP_);
}

static inline void headway_dep_init(struct headway_lock *lock)
{
	lockdep_init_map_wait(&lock->dep_map, headway_lock_class, &lock->domain->lock_key, 0,
			      LD_WAIT_SLEEP);
}

static inline void headway_dep_begin(struct headway_txn *txn)
{
	lockdep_init_map_wait(&txn->dep_map, "headway_txn", &txn->domain->txn_key, 0,
			      LD_WAIT_SLEEP);
	mutex_acquire(&txn->dep_map, 0, 0, _RET_IP_);
}

static inline void headway_dep_end(struct headway_txn *txn)
{
	mutex_release(&txn->dep_map, _RET_IP_);
}
#else
static inline void headway_dep_acquire(struct headway_txn *txn, struct headway_lock *lock, bool try)
{
}

static inline void headway_dep_release(struct headway_lock *lock)
{
}

static inline void headway_dep_init(struct headway_lock *lock)
{
}

static inline void headway_dep_begin(struct headway_txn *txn)
{
}

static inline void headway_dep_end(struct headway_txn *txn)
{
}
#endif

#endif /* HEADWAY_DEP_H */
