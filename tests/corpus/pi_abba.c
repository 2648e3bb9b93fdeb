// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlock of two priority-inheriting mutexes. The kernel sees it coming and refuses the second
 * waiter (EDEADLK); glibc then lets that thread sleep for ever on a word of its own stack.
 *
 * Lock order: deliberately none.
 */
#include "pi_pair.h"

int main(void)
{
	pi_pair_new();
	corpus_add("left_right", 0, left_right);
	corpus_add("right_left", 1, right_left);
	return corpus_run();
}
