// SPDX-License-Identifier: GPL-2.0
/*
 * sets.c - ordered acquisition of raw spinlocks and of plain mutexes.
 *
 * For locks that are there already and stay what they are: sorting a set by address is all it
 * takes to rule out ABBA among callers of these functions. It does not help against callers that
 * take the same locks in another order by hand.
 *
 * lockdep: the locks of a set nest under a map of ours, so that several of one class are no
 * recursion. The map is taken as a recursive reader: sets may nest in sets of other classes.
 *
 * Lock order: by address within a set; between sets the caller's own.
 */
#include <linux/hrtimer.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sort.h>

#include "headway.h"

/* A mutex has no timed wait, so a timed set tries again after these. */
static const struct headway_backoff_params headway_mutex_poll = {
	.base_ns = 20 * NSEC_PER_USEC,
	.cap_ns = NSEC_PER_MSEC,
	.kind = HEADWAY_BACKOFF_EXPONENTIAL,
	.jitter = HEADWAY_JITTER_EQUAL,
};

#ifdef CONFIG_LOCKDEP
static struct lock_class_key headway_nest_key;
static struct {
	struct lockdep_map dep_map;
} headway_nest = { STATIC_LOCKDEP_MAP_INIT("headway_set", &headway_nest_key) };

static void headway_nest_enter(void)
{
	lock_map_acquire_read(&headway_nest.dep_map);
}

static void headway_nest_leave(void)
{
	lock_map_release(&headway_nest.dep_map);
}
#else
/* Only the types of what the lock macros throw away. */
static struct {
} headway_nest __maybe_unused;

static void headway_nest_enter(void)
{
}

static void headway_nest_leave(void)
{
}
#endif

static int headway_pointer_cmp(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* Return: the number of different pointers, which come first. */
static unsigned int headway_sort_unique(void **pointers, unsigned int n)
{
	unsigned int i, kept = 0;

	sort(pointers, n, sizeof(*pointers), headway_pointer_cmp, NULL);
	for (i = 0; i < n; i++)
		if (!kept || pointers[i] != pointers[kept - 1])
			pointers[kept++] = pointers[i];
	return kept;
}

static void headway_spin_set_prepare(struct headway_spin_set *set, raw_spinlock_t **locks,
				     unsigned int n)
{
	set->locks = locks;
	set->n = headway_sort_unique((void **)locks, n);
	local_irq_save(set->flags);
	headway_nest_enter();
}

/*
 * Sparse counts locks within a function and cannot follow a loop over an array: to it these two
 * leave the count as it was.
 */
static void headway_spin_take(raw_spinlock_t *lock)
{
	raw_spin_lock_nest_lock(lock, &headway_nest);
	__release(lock);
}

static void headway_spin_give(raw_spinlock_t *lock)
{
	__acquire(lock);
	raw_spin_unlock(lock);
}

/**
 * headway_spin_set_lock - take raw spinlocks in address order, interrupts off
 * @set: to unlock with
 * @locks: the locks; sorted in place, duplicates dropped
 * @n: their number, duplicates included
 *
 * Keep sets small: interrupts stay off while the later locks are spun for. Spinlocks have no timed
 * wait; where a bound is needed, use headway_spin_set_trylock() with headway_backoff_spin().
 *
 * Context: any that may take these locks; not NMI.
 */
void headway_spin_set_lock(struct headway_spin_set *set, raw_spinlock_t **locks, unsigned int n)
{
	unsigned int i;

	headway_spin_set_prepare(set, locks, n);
	for (i = 0; i < set->n; i++)
		headway_spin_take(locks[i]);
}
EXPORT_SYMBOL_GPL(headway_spin_set_lock);

static void headway_spin_set_drop(struct headway_spin_set *set, unsigned int n)
{
	while (n--)
		headway_spin_give(set->locks[n]);
	headway_nest_leave();
	local_irq_restore(set->flags);
}

/**
 * headway_spin_set_trylock - take raw spinlocks if all are free, interrupts off
 * @set: to unlock with, if it succeeds
 * @locks: the locks; sorted in place, duplicates dropped
 * @n: their number, duplicates included
 *
 * Context: any that may take these locks.
 * Return: true: all are held; false: none is, interrupts are as before.
 */
bool headway_spin_set_trylock(struct headway_spin_set *set, raw_spinlock_t **locks,
			      unsigned int n)
{
	unsigned int i;

	headway_spin_set_prepare(set, locks, n);
	for (i = 0; i < set->n; i++) {
		if (!raw_spin_trylock(locks[i])) {
			headway_spin_set_drop(set, i);
			return false;
		}
		__release(locks[i]);
	}
	return true;
}
EXPORT_SYMBOL_GPL(headway_spin_set_trylock);

/**
 * headway_spin_set_unlock - give a set back and restore interrupts
 * @set: held set
 *
 * Context: that of the lock call.
 */
void headway_spin_set_unlock(struct headway_spin_set *set)
{
	headway_spin_set_drop(set, set->n);
}
EXPORT_SYMBOL_GPL(headway_spin_set_unlock);

/*
 * lockdep has no nest-lock form of the interruptible waits on all our kernels. Subclasses do for
 * the first of them; behind those, and only on kernels with lockdep, a wait cannot be interrupted.
 */
static int headway_mutex_wait(struct mutex *lock, unsigned int state, unsigned int nth)
{
	if (state == TASK_UNINTERRUPTIBLE ||
	    (IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC) && nth >= MAX_LOCKDEP_SUBCLASSES)) {
		mutex_lock_nest_lock(lock, &headway_nest);
		return 0;
	}
	if (state == TASK_INTERRUPTIBLE)
		return mutex_lock_interruptible_nested(lock, nth);
	return mutex_lock_killable_nested(lock, nth);
}

static int headway_mutex_poll_until(struct mutex *lock, const struct headway_wait *wait)
{
	struct headway_backoff backoff;
	int ret;

	headway_backoff_init(&backoff, &headway_mutex_poll, ktime_get_ns() ^ (unsigned long)lock);
	while (!mutex_trylock(lock)) {
		ret = headway_backoff_wait(&backoff, wait);
		/* Once more after the deadline: the lock wins in doubt. */
		if (ret)
			return mutex_trylock(lock) ? 0 : ret;
	}
	return 0;
}

static int headway_mutex_take(struct mutex *lock, const struct headway_wait *wait, unsigned int nth)
{
	unsigned int state = wait ? wait->state : TASK_UNINTERRUPTIBLE;

	if (state == TASK_RUNNING)
		return mutex_trylock(lock) ? 0 : -EBUSY;
	if (wait && wait->deadline != KTIME_MAX)
		return headway_mutex_poll_until(lock, wait);
	return headway_mutex_wait(lock, state, nth);
}

static void headway_mutex_set_drop(struct headway_mutex_set *set, unsigned int n)
{
	while (n--)
		mutex_unlock(set->locks[n]);
	headway_nest_leave();
}

/**
 * headway_mutex_set_lock - take plain mutexes in address order, all or none
 * @set: to unlock with, if it succeeds
 * @locks: the mutexes; sorted in place, duplicates dropped
 * @n: their number, duplicates included
 * @wait: how to wait; NULL = uninterruptibly, for as long as it takes. With a deadline the mutexes
 *	are tried again and again with backoff, as they have no timed wait.
 *
 * Context: task context.
 * Return: 0; -EBUSY (try), -EINTR, -ETIMEDOUT: none is held.
 */
int headway_mutex_set_lock(struct headway_mutex_set *set, struct mutex **locks, unsigned int n,
			   const struct headway_wait *wait)
{
	unsigned int i;
	int ret;

	set->locks = locks;
	set->n = headway_sort_unique((void **)locks, n);
	headway_nest_enter();
	for (i = 0; i < set->n; i++) {
		ret = headway_mutex_take(locks[i], wait, i);
		if (ret) {
			headway_mutex_set_drop(set, i);
			return ret;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(headway_mutex_set_lock);

/**
 * headway_mutex_set_unlock - give a set back
 * @set: held set
 *
 * Context: task context.
 */
void headway_mutex_set_unlock(struct headway_mutex_set *set)
{
	headway_mutex_set_drop(set, set->n);
}
EXPORT_SYMBOL_GPL(headway_mutex_set_unlock);
