// SPDX-License-Identifier: GPL-2.0
/*
 * futexword.c - what the word of a futex says about its owner. PURE.
 */
#include "futexword.h"

#include <linux/futex.h>

#include "headway_abi.h"

uint32_t headway_futex_owner(uint32_t op, uint32_t flags, uint32_t word, uint32_t next)
{
	uint32_t owner = word & FUTEX_TID_MASK;

	if (!(flags & HEADWAY_WAIT_OWNER_READ) || (flags & HEADWAY_WAIT_VECTOR))
		return 0;
	/* Priority-inheriting mutexes keep the owner in the word. */
	if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2)
		return owner;
	if (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET)
		return 0;
	/* A normal glibc mutex: 1 locked, 2 locked with waiters; 1 while it is just changing. */
	if (word == 1 || word == 2)
		return next;
	/* A robust one: TID and the waiters' bit in the word, and the TID again behind it. */
	if ((word & FUTEX_WAITERS) && owner && owner == next)
		return owner;
	return 0;
}
