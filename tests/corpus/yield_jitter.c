// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of yield_lockstep: the same polite ring, the same trylocks and yields, but no
 * lockstep, and after a failure each philosopher yields a random number of times. Many tries
 * fail, all eat.
 *
 * Invariant: every philosopher completes; a large part of the tries fails (the yield between the
 * two tries lets the neighbours in), so that a detector that only counts failures is caught.
 *
 * Lock order: cyclic (fork i, then fork i + 1 modulo 3); trylock and rollback make it safe.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

#include "libcorpus.h"

#define SEATS		3
#define BACKOFF_MAX	4	/* yields */
#define EAT_NS		2000

pthread_mutex_t fork_0 = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t fork_1 = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t fork_2 = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t *const forks[SEATS] = { &fork_0, &fork_1, &fork_2 };

static CORPUS_SITE bool dine_politely(pthread_mutex_t *own, pthread_mutex_t *next)
{
	bool ate = false;

	if (pthread_mutex_trylock(own))
		return false;
	sched_yield();
	if (pthread_mutex_trylock(next) == 0) {
		corpus_work(EAT_NS);
		ate = true;
		pthread_mutex_unlock(next);
	}
	pthread_mutex_unlock(own);
	return ate;
}

static void philosopher(struct corpus_actor *self)
{
	pthread_mutex_t *own = forks[self->index], *next = forks[(self->index + 1) % SEATS];
	uint64_t backoff;

	while (!corpus_stopped()) {
		corpus_attempt(self);
		if (dine_politely(own, next)) {
			corpus_complete(self);
			continue;
		}
		corpus_fail(self);
		for (backoff = corpus_random(self) % BACKOFF_MAX; backoff; backoff--)
			sched_yield();
	}
}

int main(void)
{
	corpus_add("philosopher_0", 0, philosopher);
	corpus_add("philosopher_1", 1, philosopher);
	corpus_add("philosopher_2", 0, philosopher);
	return corpus_run();
}
