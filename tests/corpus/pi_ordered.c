// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of pi_abba: the same two mutexes in one order.
 *
 * Lock order: left, then right.
 */
#include "pi_pair.h"

int main(void)
{
	pi_pair_new();
	corpus_add("one", 0, in_order);
	corpus_add("two", 1, in_order);
	return corpus_run();
}
