// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy, and looks like the textbook livelock: two threads spin on two mutexes in opposite
 * order with trylock and rollback, without any pause. Nearly all tries fail, millions of them,
 * because each holds its first mutex for most of its loop; but chance breaks the symmetry often
 * enough: both complete.
 *
 * Invariant: both complete in every window.
 *
 * Lock order: deliberately none.
 */
#include <pthread.h>

#include "libcorpus.h"

#define THINK_SPINS	1000	/* between the two tries: holding the first is the common state */

pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;

static CORPUS_SITE bool take_both_once(pthread_mutex_t *first, pthread_mutex_t *second)
{
	bool both = false;
	unsigned int spins;

	if (pthread_mutex_trylock(first))
		return false;
	for (spins = 0; spins < THINK_SPINS; spins++)
		atomic_signal_fence(memory_order_seq_cst);
	if (pthread_mutex_trylock(second) == 0) {
		both = true;
		pthread_mutex_unlock(second);
	}
	pthread_mutex_unlock(first);
	return both;
}

static CORPUS_SITE void spin_loop(struct corpus_actor *self, pthread_mutex_t *first,
				  pthread_mutex_t *second)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		if (take_both_once(first, second))
			corpus_complete(self);
		else
			corpus_fail(self);
	}
}

static void spin_a_then_b(struct corpus_actor *self)
{
	spin_loop(self, &mutex_a, &mutex_b);
}

static void spin_b_then_a(struct corpus_actor *self)
{
	spin_loop(self, &mutex_b, &mutex_a);
}

int main(void)
{
	corpus_add("a_then_b", 0, spin_a_then_b);
	corpus_add("b_then_a", 1, spin_b_then_a);
	return corpus_run();
}
