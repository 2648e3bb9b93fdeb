/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sort.h - PURE: the one global order of a domain's locks, (rank, key, address).
 *
 * A host test defines struct headway_lock with rank and key itself and includes sort.c.
 */
#ifndef HEADWAY_SORT_H
#define HEADWAY_SORT_H

#ifdef __KERNEL__
#include "headway.h"
#else
#include <stdlib.h>
#include "headway_types.h"
#endif

/* Sets up to this size, nearly all there are, are sorted without an indirect call. */
#define HEADWAY_SORT_SMALL 16

static inline int headway_lock_cmp(const struct headway_lock *a, const struct headway_lock *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a != b)
		return a < b ? -1 : 1;
	return 0;
}

bool headway_sort(struct headway_lock **locks, unsigned int n);

#endif /* HEADWAY_SORT_H */
