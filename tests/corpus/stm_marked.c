// SPDX-License-Identifier: GPL-2.0
/*
 * stm_abort with markers of its own (headway/sdt.h): the livelock can be confirmed.
 *
 * Invariant: nobody completes.
 *
 * Lock order: none.
 */
#include <headway/sdt.h>

#define STM_PROGRESS()	HEADWAY_PROGRESS(transaction)
#define STM_ATTEMPT()	HEADWAY_ATTEMPT(transaction)
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
