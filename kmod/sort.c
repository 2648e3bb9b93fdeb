// SPDX-License-Identifier: GPL-2.0
/*
 * sort.c - PURE: sorts a set of locks into the domain's global order.
 *
 * Most callers pass sets that are sorted already, so that is checked first, in one pass.
 */
#include "sort.h"

#ifdef __KERNEL__
#include <linux/export.h>
#include <linux/sort.h>
#else
#define EXPORT_SYMBOL_GPL(symbol)
#endif

static int headway_sort_cmp(const void *a, const void *b)
{
	return headway_lock_cmp(*(struct headway_lock *const *)a,
				*(struct headway_lock *const *)b);
}

static void headway_sort_small(struct headway_lock **locks, unsigned int n)
{
	unsigned int i, j;

	for (i = 1; i < n; i++) {
		struct headway_lock *lock = locks[i];

		for (j = i; j && headway_lock_cmp(lock, locks[j - 1]) < 0; j--)
			locks[j] = locks[j - 1];
		locks[j] = lock;
	}
}

/**
 * headway_sort - sort a set of locks by (rank, key, address)
 * @locks: the set; duplicates are allowed and end up side by side
 * @n: its size
 *
 * headway_lock_many() does this itself; it is for callers that take locks one by one.
 *
 * Context: any.
 * Return: whether it was not sorted before.
 */
bool headway_sort(struct headway_lock **locks, unsigned int n)
{
	unsigned int i;

	for (i = 1; i < n; i++)
		if (headway_lock_cmp(locks[i - 1], locks[i]) > 0)
			break;
	if (i >= n)
		return false;
	if (n <= HEADWAY_SORT_SMALL) {
		headway_sort_small(locks, n);
		return true;
	}
#ifdef __KERNEL__
	sort(locks, n, sizeof(*locks), headway_sort_cmp, NULL);
#else
	qsort(locks, n, sizeof(*locks), headway_sort_cmp);
#endif
	return true;
}
EXPORT_SYMBOL_GPL(headway_sort);
