/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_sets.h - ordered acquisition of locks that are not Headway's own: raw spinlocks, and the
 * struct mutex arrays that callers already have.
 *
 * Part of headway.h; callers include that.
 */
#ifndef HEADWAY_SETS_H
#define HEADWAY_SETS_H

#include <linux/mutex.h>
#include <linux/spinlock.h>

struct headway_wait;

/*
 * Different locks in one set. Each spinlock that is held counts in the 8 bits that the kernel has
 * for nested preempt_disable(); lockdep counts the locks of a class in 12.
 */
#define HEADWAY_SPIN_SET_MAX	128
#define HEADWAY_MUTEX_SET_MAX	1024

/**
 * struct headway_spin_set - raw spinlocks that are held together, interrupts off
 * @locks: the caller's array, sorted, duplicates and NULL dropped
 * @n: locks in it after that
 * @flags: interrupt state to go back to
 */
struct headway_spin_set {
	raw_spinlock_t **locks;
	unsigned int n;
	unsigned long flags;
};

/* sets.c */
int __must_check headway_spin_set_lock(struct headway_spin_set *set, raw_spinlock_t **locks,
				       unsigned int n);
int __must_check headway_spin_set_trylock(struct headway_spin_set *set, raw_spinlock_t **locks,
					  unsigned int n);
int __must_check headway_spin_set_lock_timeout(struct headway_spin_set *set, raw_spinlock_t **locks,
					       unsigned int n, u64 timeout_ns);
void headway_spin_set_unlock(struct headway_spin_set *set);

/**
 * struct headway_mutex_set - mutexes that are held together
 * @locks: the caller's array, sorted, duplicates and NULL dropped
 * @n: locks in it after that
 */
struct headway_mutex_set {
	/* Sorted; the caller's memory. */
	struct mutex **locks;
	unsigned int n;
};

int __must_check headway_mutex_set_lock(struct headway_mutex_set *set, struct mutex **locks,
					unsigned int n, const struct headway_wait *wait);
void headway_mutex_set_unlock(struct headway_mutex_set *set);

#endif /* HEADWAY_SETS_H */
