// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlock of two processes over two robust, process-shared mutexes that they have at different
 * addresses. Nobody dies, so being robust does not help.
 *
 * Lock order: deliberately none.
 */
#define _GNU_SOURCE
#include "robust_pair.h"

static void moved_right_left(struct corpus_actor *self)
{
	robust_pair_move();
	right_left(self);
}

int main(void)
{
	robust_pair_new();
	corpus_add("left_right", 0, left_right);
	corpus_add("right_left", 1, moved_right_left);
	return corpus_run_processes();
}
