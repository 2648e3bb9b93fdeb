// SPDX-License-Identifier: GPL-2.0
/*
 * Mutual abort in a transactional memory whose contention manager is "aggressive": each always
 * aborts the other, so both are aborted in every round and none ever commits.
 *
 * Invariant: nobody completes. There is nothing to see from outside, so abstaining is right, unless
 * stm_begin and stm_done are named as markers.
 *
 * Lock order: none.
 */
#include "stm.h"

static bool stm_wins(unsigned int self, unsigned int other)
{
	(void)self;
	(void)other;
	return true;
}

int main(void)
{
	return stm_main();
}
