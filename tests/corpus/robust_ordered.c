// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of robust_abba: the same two mutexes in one order.
 *
 * Lock order: left, then right.
 */
#define _GNU_SOURCE
#include "robust_pair.h"

static void moved_in_order(struct corpus_actor *self)
{
	robust_pair_move();
	in_order(self);
}

int main(void)
{
	robust_pair_new();
	corpus_add("one", 0, in_order);
	corpus_add("two", 1, moved_in_order);
	return corpus_run_processes();
}
