// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of spin_lockstep: the same two mutexes in opposite orders, taken by trylock at full
 * speed, but after a rollback each spins for a random time that doubles with every failure.
 *
 * Invariant: both complete; a good part of the tries fails.
 *
 * Lock order: none; trylock and rollback make it safe.
 */
#include <pthread.h>

#include "libcorpus.h"

#define HOLD_NS		5000
#define BACKOFF_NS	4000	/* the first one, at most */
#define DOUBLINGS_MAX	6

pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;

static CORPUS_SITE bool transfer_spinning(pthread_mutex_t *first, pthread_mutex_t *second)
{
	bool completed = false;

	if (pthread_mutex_trylock(first))
		return false;
	corpus_work(HOLD_NS);
	if (pthread_mutex_trylock(second) == 0) {
		completed = true;
		pthread_mutex_unlock(second);
	}
	pthread_mutex_unlock(first);
	return completed;
}

static void transfer_loop(struct corpus_actor *self)
{
	pthread_mutex_t *first = self->index ? &mutex_b : &mutex_a;
	pthread_mutex_t *second = self->index ? &mutex_a : &mutex_b;
	unsigned int failed = 0;

	while (!corpus_stopped()) {
		corpus_attempt(self);
		if (transfer_spinning(first, second)) {
			corpus_complete(self);
			failed = 0;
		} else {
			corpus_fail(self);
			failed += failed < DOUBLINGS_MAX;
		}
		corpus_work(corpus_random(self) % (BACKOFF_NS << failed));
	}
}

int main(void)
{
	corpus_add("a_to_b", 0, transfer_loop);
	corpus_add("b_to_a", 1, transfer_loop);
	return corpus_run();
}
