// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock: two polite threads want two mutexes in opposite order. Each tries its first, waits,
 * tries the other, rolls back and sleeps to the next tick of a grid that both share. No futex
 * call is ever made, the CPUs are idle, and nothing completes.
 *
 * Invariant: in every round both hold their first mutex while either tries its second. The grid
 * alone gives that on a quiet machine; corpus_gate() keeps it when a wake-up is late, so that
 * the case is sustained and not a transient.
 *
 * Lock order: deliberately none (mutex_a then mutex_b in one thread, the reverse in the other).
 */
#include <pthread.h>

#include "libcorpus.h"

#define GRID_NS	(50 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t holds_first[2];	/* by actor i: rounds in which it got its first */
static _Atomic uint64_t tried_second[2]; /* by actor i: rounds in which it tried its second */

/* Return: 1 when both were taken and used, 0 when it rolled back, -1 when it is time to end. */
static CORPUS_SITE int transfer_with_rollback(struct corpus_actor *self, uint64_t round,
					      pthread_mutex_t *first, pthread_mutex_t *second)
{
	unsigned int me = self->index, peer = !me;
	int completed = 0;

	if (pthread_mutex_trylock(first))
		return 0;
	/* At the end `first` stays locked: a late release would let the peer complete. */
	atomic_store(&holds_first[me], round + 1);
	corpus_sleep_until(corpus_grid_ns(round, GRID_NS) + GRID_NS / 2);
	if (!corpus_gate(&holds_first[peer], round + 1))
		return -1;
	if (pthread_mutex_trylock(second) == 0) {
		completed = 1;
		pthread_mutex_unlock(second);
	}
	atomic_store(&tried_second[me], round + 1);
	if (!corpus_gate(&tried_second[peer], round + 1))
		return -1;
	pthread_mutex_unlock(first);
	return completed;
}

static CORPUS_SITE void transfer_loop(struct corpus_actor *self, pthread_mutex_t *first,
				      pthread_mutex_t *second)
{
	uint64_t round;
	int completed = 0;

	for (round = 0; completed >= 0; round++) {
		corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
		corpus_attempt(self);
		completed = transfer_with_rollback(self, round, first, second);
		if (completed > 0)
			corpus_complete(self);
		else if (completed == 0)
			corpus_fail(self);
	}
}

static void transfer_a_to_b(struct corpus_actor *self)
{
	transfer_loop(self, &mutex_a, &mutex_b);
}

static void transfer_b_to_a(struct corpus_actor *self)
{
	transfer_loop(self, &mutex_b, &mutex_a);
}

int main(void)
{
	corpus_add("a_to_b", 0, transfer_a_to_b);
	corpus_add("b_to_a", 1, transfer_b_to_a);
	return corpus_run();
}
