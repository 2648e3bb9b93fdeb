// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock at full speed: two threads, each on its own CPU, hold one mutex and try the other's,
 * roll back and start again together. Between two barriers both do the same step, and the barriers
 * spin: no system call at all, two busy CPUs.
 *
 * Invariant: in the step "try the second" both firsts are held, so nobody ever completes.
 *
 * Lock order: deliberately none (mutex_a then mutex_b in one thread, the reverse in the other).
 */
#include <pthread.h>

#include "libcorpus.h"

#define ACTORS		2
#define PAUSE_NS	20000	/* between rounds; a real program prepares its work here */

pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t arrived;	/* all-time arrivals; generation is arrived / ACTORS */

/* Return: false when it is time to end; nobody may act on the step then. */
static bool spin_barrier(void)
{
	uint64_t mine = atomic_fetch_add(&arrived, 1);
	uint64_t want = (mine / ACTORS + 1) * ACTORS;

	while (atomic_load_explicit(&arrived, memory_order_acquire) < want)
		if (corpus_stopped())
			return false;
	return true;
}

/* Return: 1 when both were taken, 0 when it rolled back, -1 when it is time to end. */
static CORPUS_SITE int transfer_spinning(pthread_mutex_t *first, pthread_mutex_t *second)
{
	int completed = 0;

	if (pthread_mutex_trylock(first))
		return spin_barrier() && spin_barrier() ? 0 : -1;
	/* At the end `first` stays locked: a late release would let the peer complete. */
	if (!spin_barrier())
		return -1;
	if (pthread_mutex_trylock(second) == 0) {
		completed = 1;
		pthread_mutex_unlock(second);
	}
	if (!spin_barrier())
		return -1;
	pthread_mutex_unlock(first);
	return completed;
}

static void transfer_loop(struct corpus_actor *self)
{
	pthread_mutex_t *first = self->index ? &mutex_b : &mutex_a;
	pthread_mutex_t *second = self->index ? &mutex_a : &mutex_b;
	int completed;

	do {
		corpus_attempt(self);
		completed = transfer_spinning(first, second);
		if (completed < 0)
			break;
		if (completed)
			corpus_complete(self);
		else
			corpus_fail(self);
		corpus_work(PAUSE_NS);
	} while (spin_barrier());
}

int main(void)
{
	corpus_add("a_to_b", 0, transfer_loop);
	corpus_add("b_to_a", 1, transfer_loop);
	return corpus_run();
}
