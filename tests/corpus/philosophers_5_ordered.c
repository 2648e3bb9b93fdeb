// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of philosophers_5: the forks are taken by number, and the pauses are random. Tries
 * still fail, all eat. Invariants and lock order: philosophers.h.
 */
#define SEATS	5

#include "philosophers.h"

int main(void)
{
	return philosophers_main();
}
