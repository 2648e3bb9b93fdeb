// SPDX-License-Identifier: GPL-2.0
/*
 * sets.c - ordered acquisition of raw spinlocks and of plain mutexes.
 *
 * For locks that are there already and stay what they are: one order for all sets is all it takes
 * to rule out ABBA among callers of these functions. It does not help against callers that take the
 * same locks in another order by hand.
 *
 * Lock order: within a set by address, under lockdep by class and then by address; between sets the
 * caller's own.
 *
 * lockdep. The locks of a set nest under a map of ours, so that several of one class are no
 * recursion, and count as one held lock. By class first, since it would find circles among classes
 * where addresses mix them, and since it counts only neighbours as one. What has no nest-lock form
 * on all our kernels (trylocks, killable waits) is entered in its books once more, as one that has.
 * The map is taken as a recursive reader: sets may nest in sets of other classes.
 */
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/sort.h>

#include "headway.h"

/* Spinlocks and mutexes have no timed wait, so a timed set tries again after these. */
static const struct headway_backoff_params headway_mutex_poll = {
	.base_ns = 20 * NSEC_PER_USEC,
	.cap_ns = NSEC_PER_MSEC,
	.kind = HEADWAY_BACKOFF_EXPONENTIAL,
	.jitter = HEADWAY_JITTER_EQUAL,
};

static const struct headway_backoff_params headway_spin_poll = {
	.base_ns = NSEC_PER_USEC / 2,
	.cap_ns = 20 * NSEC_PER_USEC,
	.kind = HEADWAY_BACKOFF_EXPONENTIAL,
	.jitter = HEADWAY_JITTER_EQUAL,
};

/* A map for each kind, as spinlock sets are for interrupts too. */
#ifdef CONFIG_LOCKDEP
static struct lock_class_key headway_spin_nest_key, headway_mutex_nest_key;
static struct headway_nest {
	struct lockdep_map dep_map;
} headway_spin_nest = {
	STATIC_LOCKDEP_MAP_INIT("headway_spin_set", &headway_spin_nest_key)
}, headway_mutex_nest = {
	STATIC_LOCKDEP_MAP_INIT("headway_mutex_set", &headway_mutex_nest_key)
};

/* Left for what the caller's section takes in turn. */
#define HEADWAY_DEPTH_SPARE 8

#define headway_nest_enter(nest) lock_map_acquire_read(&(nest)->dep_map)
#define headway_nest_leave(nest) lock_map_release(&(nest)->dep_map)

/* Enters a lock that we have just got, without a nest, as one of the nest's. */
static void headway_nest_adopt(struct headway_nest *nest, struct lockdep_map *map)
{
	lock_release(map, _RET_IP_);
	lock_acquire(map, 0, 1, 0, 1, &nest->dep_map, _RET_IP_);
}

/* Static locks are their own class, from when they are first taken. */
static const void *headway_class(const struct lockdep_map *map)
{
	return map->key ?: (const void *)map;
}

#define headway_spin_map(lock) (&(lock)->dep_map)
#define headway_mutex_map(lock) (&(lock)->dep_map)
#else
/* Only the types of what the lock macros throw away. */
static struct headway_nest {
} headway_spin_nest __maybe_unused, headway_mutex_nest __maybe_unused;

#define headway_nest_enter(nest) do { } while (0)
#define headway_nest_leave(nest) do { } while (0)

static void headway_nest_adopt(struct headway_nest *nest, struct lockdep_map *map)
{
}

static const void *headway_class(const struct lockdep_map *map)
{
	return NULL;
}

#define headway_spin_map(lock) ((struct lockdep_map *)NULL)
#define headway_mutex_map(lock) ((struct lockdep_map *)NULL)
#endif

static int headway_pointer_cmp(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

static int headway_spin_cmp(const void *a, const void *b)
{
	raw_spinlock_t *x = *(raw_spinlock_t * const *)a, *y = *(raw_spinlock_t * const *)b;

	return headway_pointer_cmp(headway_class(headway_spin_map(x)),
				   headway_class(headway_spin_map(y))) ?:
	       headway_pointer_cmp(x, y);
}

static int headway_mutex_cmp(const void *a, const void *b)
{
	struct mutex *x = *(struct mutex * const *)a, *y = *(struct mutex * const *)b;

	return headway_pointer_cmp(headway_class(headway_mutex_map(x)),
				   headway_class(headway_mutex_map(y))) ?:
	       headway_pointer_cmp(x, y);
}

/* Return: the number of different pointers that are not NULL, which come first, in order. */
static unsigned int headway_sort_unique(void **pointers, unsigned int n, cmp_func_t cmp)
{
	unsigned int i, some = 0, kept = 0;

	for (i = 0; i < n; i++)
		if (pointers[i])
			pointers[some++] = pointers[i];
	sort(pointers, some, sizeof(*pointers), cmp, NULL);
	for (i = 0; i < some; i++)
		if (!kept || pointers[i] != pointers[kept - 1])
			pointers[kept++] = pointers[i];
	return kept;
}

/*
 * Whether lockdep has room for the set. It holds 48 locks of a task; what it counts as one is one.
 * Without it there is room for all.
 */
#ifdef CONFIG_LOCKDEP
static bool headway_depth_left(unsigned int classes)
{
	return !debug_locks ||
	       current->lockdep_depth + 1 + classes + HEADWAY_DEPTH_SPARE <= MAX_LOCK_DEPTH;
}
#else
static bool headway_depth_left(unsigned int classes)
{
	return true;
}
#endif

/* ---- raw spinlocks -------------------------------------------------------------------------- */

/* Return: 0; -E2BIG. */
static int headway_spin_set_prepare(struct headway_spin_set *set, raw_spinlock_t **locks,
				    unsigned int n)
{
	unsigned int i, classes = 0;

	set->locks = locks;
	set->n = headway_sort_unique((void **)locks, n, headway_spin_cmp);
	for (i = 0; i < set->n; i++)
		classes += !i || headway_class(headway_spin_map(locks[i])) !=
				 headway_class(headway_spin_map(locks[i - 1]));
	return set->n > HEADWAY_SPIN_SET_MAX || !headway_depth_left(classes) ? -E2BIG : 0;
}

static void headway_spin_set_enter(struct headway_spin_set *set)
{
	local_irq_save(set->flags);
	headway_nest_enter(&headway_spin_nest);
}

static void headway_spin_set_drop(struct headway_spin_set *set, unsigned int n)
{
	while (n--) {
		/*
		 * Sparse counts locks within a function and cannot follow a loop over an array: to
		 * it the count stays as it was, here and where they are taken.
		 */
		__acquire(set->locks[n]);
		raw_spin_unlock(set->locks[n]);
	}
	headway_nest_leave(&headway_spin_nest);
	local_irq_restore(set->flags);
}

/* All of a prepared set, or none. */
static bool headway_spin_set_take(struct headway_spin_set *set)
{
	unsigned int i;

	headway_spin_set_enter(set);
	for (i = 0; i < set->n; i++) {
		if (!raw_spin_trylock(set->locks[i])) {
			headway_spin_set_drop(set, i);
			return false;
		}
		headway_nest_adopt(&headway_spin_nest, headway_spin_map(set->locks[i]));
		__release(set->locks[i]);
	}
	return true;
}

/**
 * headway_spin_set_lock - take raw spinlocks in order, interrupts off
 * @set: to unlock with, if it succeeds
 * @locks: the locks; sorted in place, duplicates and NULL dropped
 * @n: their number, duplicates and NULL included
 *
 * Keep sets small: interrupts stay off while the later locks are spun for. Where that needs a
 * bound, use headway_spin_set_lock_timeout().
 *
 * Context: any that may take these locks; not NMI.
 * Return: 0: all are held; -E2BIG: more than HEADWAY_SPIN_SET_MAX different ones, or, on kernels
 * with lockdep, of more classes than it can follow (about 35): none is held.
 */
int headway_spin_set_lock(struct headway_spin_set *set, raw_spinlock_t **locks, unsigned int n)
{
	int ret = headway_spin_set_prepare(set, locks, n);
	unsigned int i;

	if (ret)
		return ret;
	headway_spin_set_enter(set);
	for (i = 0; i < set->n; i++) {
		raw_spin_lock_nest_lock(locks[i], &headway_spin_nest);
		__release(locks[i]);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(headway_spin_set_lock);

/**
 * headway_spin_set_trylock - take raw spinlocks if all are free, interrupts off
 * @set: to unlock with, if it succeeds
 * @locks: the locks; sorted in place, duplicates and NULL dropped
 * @n: their number, duplicates and NULL included
 *
 * Context: any that may take these locks.
 * Return: 0: all are held; otherwise none is and interrupts are as before; -EBUSY: one was not
 * free; -E2BIG: as headway_spin_set_lock().
 */
int headway_spin_set_trylock(struct headway_spin_set *set, raw_spinlock_t **locks, unsigned int n)
{
	int ret = headway_spin_set_prepare(set, locks, n);

	return ret ?: headway_spin_set_take(set) ? 0 : -EBUSY;
}
EXPORT_SYMBOL_GPL(headway_spin_set_trylock);

/**
 * headway_spin_set_lock_timeout - take raw spinlocks within a time, interrupts off
 * @set: to unlock with, if it succeeds
 * @locks: the locks; sorted in place, duplicates and NULL dropped
 * @n: their number, duplicates and NULL included
 * @timeout_ns: from now, ns
 *
 * Tries again and again, all or none, with growing pauses in which it holds nothing and interrupts
 * are as before. There is no queue: against many takers of single locks it may come away with
 * nothing.
 *
 * Context: any that may take these locks; not NMI. Spins for @timeout_ns at most.
 * Return: 0: all are held; otherwise none is and interrupts are as before; -ETIMEDOUT: the time is
 * over; -E2BIG: as headway_spin_set_lock().
 */
int headway_spin_set_lock_timeout(struct headway_spin_set *set, raw_spinlock_t **locks,
				  unsigned int n, u64 timeout_ns)
{
	u64 now = ktime_get_ns(), end = timeout_ns > U64_MAX - now ? U64_MAX : now + timeout_ns;
	int ret = headway_spin_set_prepare(set, locks, n);
	struct headway_backoff backoff;

	headway_backoff_init(&backoff, &headway_spin_poll, now ^ (unsigned long)set);
	while (!ret && !headway_spin_set_take(set)) {
		ret = headway_backoff_spin_until(&backoff, end);
		/* Once more after the end: the locks win in doubt. */
		if (ret && headway_spin_set_take(set))
			return 0;
	}
	return ret;
}
EXPORT_SYMBOL_GPL(headway_spin_set_lock_timeout);

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

/* ---- mutexes -------------------------------------------------------------------------------- */

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

/* The killable waits are of a subclass, so that others of the class may be held. */
static int headway_mutex_wait(struct mutex *lock, const struct headway_wait *wait)
{
	if (wait->state == TASK_RUNNING)
		return mutex_trylock(lock) ? 0 : -EBUSY;
	if (wait->deadline != KTIME_MAX)
		return headway_mutex_poll_until(lock, wait);
	if (wait->state == TASK_INTERRUPTIBLE)
		return mutex_lock_interruptible_nested(lock, SINGLE_DEPTH_NESTING);
	return mutex_lock_killable_nested(lock, SINGLE_DEPTH_NESTING);
}

static int headway_mutex_take(struct mutex *lock, const struct headway_wait *wait)
{
	int ret;

	if (!wait || (wait->state == TASK_UNINTERRUPTIBLE && wait->deadline == KTIME_MAX)) {
		mutex_lock_nest_lock(lock, &headway_mutex_nest);
		return 0;
	}
	ret = headway_mutex_wait(lock, wait);
	if (!ret)
		headway_nest_adopt(&headway_mutex_nest, headway_mutex_map(lock));
	return ret;
}

static void headway_mutex_set_drop(struct headway_mutex_set *set, unsigned int n)
{
	while (n--)
		mutex_unlock(set->locks[n]);
	headway_nest_leave(&headway_mutex_nest);
}

/**
 * headway_mutex_set_lock - take plain mutexes in order, all or none
 * @set: to unlock with, if it succeeds
 * @locks: the mutexes; sorted in place, duplicates and NULL dropped
 * @n: their number, duplicates and NULL included
 * @wait: how to wait; NULL = uninterruptibly, for as long as it takes. With a deadline each mutex
 *	is tried again and again with backoff, as mutexes have no timed wait.
 *
 * Context: task context.
 * Return: 0: all are held; otherwise none is; -EBUSY: @wait forbids sleeping, and one was not free;
 * -EINTR: a signal (TASK_INTERRUPTIBLE) or a fatal signal (TASK_KILLABLE) arrived; -ETIMEDOUT: the
 * deadline passed; -E2BIG: more than HEADWAY_MUTEX_SET_MAX different ones, or, on kernels with
 * lockdep, of more classes than it can follow (about 35).
 */
int headway_mutex_set_lock(struct headway_mutex_set *set, struct mutex **locks, unsigned int n,
			   const struct headway_wait *wait)
{
	unsigned int i, classes = 0;
	int ret;

	set->locks = locks;
	set->n = headway_sort_unique((void **)locks, n, headway_mutex_cmp);
	for (i = 0; i < set->n; i++)
		classes += !i || headway_class(headway_mutex_map(locks[i])) !=
				 headway_class(headway_mutex_map(locks[i - 1]));
	if (set->n > HEADWAY_MUTEX_SET_MAX || !headway_depth_left(classes))
		return -E2BIG;
	headway_nest_enter(&headway_mutex_nest);
	for (i = 0; i < set->n; i++) {
		ret = headway_mutex_take(locks[i], wait);
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
