// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlock of two processes: each takes one process-shared mutex and then waits for the other's.
 * The words are not private to a process, and the owner is a thread of another one.
 *
 * Invariant: both have their first before either asks for its second.
 *
 * Lock order: deliberately none (left then right in one process, the reverse in the other).
 */
#include "shared_pair.h"

static struct shared_pair *pair;

static CORPUS_SITE void lock_both(struct corpus_actor *self, pthread_mutex_t *first,
				  pthread_mutex_t *second)
{
	corpus_attempt(self);
	pthread_mutex_lock(first);
	atomic_fetch_add(&pair->holders, 1);
	if (!corpus_gate(&pair->holders, 2))
		return;
	pthread_mutex_lock(second);
	corpus_complete(self);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

static void left_right(struct corpus_actor *self)
{
	lock_both(self, &pair->left, &pair->right);
}

static void right_left(struct corpus_actor *self)
{
	lock_both(self, &pair->right, &pair->left);
}

int main(void)
{
	pair = shared_pair_new();
	corpus_add("left_right", 0, left_right);
	corpus_add("right_left", 1, right_left);
	return corpus_run_processes();
}
