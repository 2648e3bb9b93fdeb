// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock of 5 polite philosophers on a grid of time: no futex call, idle CPUs, and round the
 * table everybody waits for everybody. Invariants and lock order: philosophers.h.
 */
#define SEATS	5
#define PHILOSOPHERS_CYCLIC

#include "philosophers.h"

int main(void)
{
	return philosophers_main();
}
