// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of shm_abba: two processes, the same two process-shared mutexes, one order.
 *
 * Invariant: both complete; they often wait for each other.
 *
 * Lock order: left, then right.
 */
#include "shared_pair.h"

#define HOLD_NS		(1 * CORPUS_NSEC_PER_MSEC)

static struct shared_pair *pair;

static CORPUS_SITE void lock_both(struct corpus_actor *self)
{
	corpus_attempt(self);
	pthread_mutex_lock(&pair->left);
	pthread_mutex_lock(&pair->right);
	corpus_sleep_until(corpus_now_ns() + HOLD_NS);
	corpus_complete(self);
	pthread_mutex_unlock(&pair->right);
	pthread_mutex_unlock(&pair->left);
	corpus_sleep_until(corpus_now_ns() + corpus_random(self) % HOLD_NS);
}

static void worker(struct corpus_actor *self)
{
	while (!corpus_stopped())
		lock_both(self);
}

int main(void)
{
	pair = shared_pair_new();
	corpus_add("one", 0, worker);
	corpus_add("two", 1, worker);
	return corpus_run_processes();
}
