// SPDX-License-Identifier: GPL-2.0
/*
 * Starvation in the same transactional memory: thread 0 always wins. All of its transactions
 * commit, none of the other's does; one sum over both would look healthy.
 *
 * Invariant: stm_0 completes, stm_1 never.
 *
 * Lock order: none.
 */
#include <headway/sdt.h>

#define STM_PROGRESS()	HEADWAY_PROGRESS(transaction)
#define STM_ATTEMPT()	HEADWAY_ATTEMPT(transaction)
#include "stm.h"

static bool stm_wins(unsigned int self, unsigned int other)
{
	(void)other;
	return self == 0;
}

int main(void)
{
	return stm_main();
}
