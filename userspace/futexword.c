// SPDX-License-Identifier: GPL-2.0
/*
 * futexword.c - what the word of a futex says about its owner. PURE.
 */
#include "futexword.h"

#include <linux/futex.h>
#include <stdbool.h>

#include "lockshape.h"

/* Without what is around it: the word alone. */
static uint32_t owner_of_word(uint32_t word, uint32_t next)
{
	uint32_t owner = word & FUTEX_TID_MASK;

	/* A normal glibc mutex: 1 locked, 2 locked with waiters; 1 while it is just changing. */
	if (word == 1 || word == 2)
		return next;
	/* A robust one: TID and the waiters' bit in the word, and the TID again behind it. */
	return word & FUTEX_WAITERS && owner == next ? owner : 0;
}

/*
 * glibc waits for a mutex with FUTEX_WAIT or, with a deadline, with FUTEX_WAIT_BITSET. Without one
 * it is another's lock: that of Rust has what it protects where we look for the owner.
 */
static bool is_no_mutex(uint32_t op, uint32_t flags)
{
	return op == FUTEX_WAIT_BITSET && !(flags & HEADWAY_WAIT_TIMEOUT);
}

uint32_t headway_futex_owner(uint32_t op, uint32_t flags, uint32_t word, uint32_t next)
{
	if (!(flags & HEADWAY_WAIT_OWNER_READ) || (flags & HEADWAY_WAIT_VECTOR))
		return 0;
	/* Priority-inheriting mutexes keep the owner in the word. */
	if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2)
		return word & FUTEX_TID_MASK;
	if (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET)
		return 0;
	switch (headway_shape_of(flags)) {
	case HEADWAY_SHAPE_UNKNOWN:
		return is_no_mutex(op, flags) ? 0 : owner_of_word(word, next);
	case HEADWAY_SHAPE_ROBUST:	/* behind it there is another number while it is repaired */
		return word & FUTEX_TID_MASK;
	case HEADWAY_SHAPE_MUTEX:
		return is_no_mutex(op, flags) ? 0 : next;
	case HEADWAY_SHAPE_RWLOCK_READERS:
	case HEADWAY_SHAPE_RWLOCK_PHASE:
	case HEADWAY_SHAPE_RWLOCK_WRITERS:
		return next;
	default:
		return 0;
	}
}
