// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of stm_marked: the older transaction wins, and keeps its age when it is aborted.
 *
 * Invariant: one of the two commits in each round, and they take turns.
 *
 * Lock order: none.
 */
#include <headway/sdt.h>

#define STM_PROGRESS()	HEADWAY_PROGRESS(transaction)
#define STM_ATTEMPT()	HEADWAY_ATTEMPT(transaction)
#include "stm.h"

static bool stm_wins(unsigned int self, unsigned int other)
{
	return atomic_load(&stm_tx[self].ticket) < atomic_load(&stm_tx[other].ticket);
}

int main(void)
{
	return stm_main();
}
