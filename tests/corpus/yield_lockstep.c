// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock of another shape: three polite philosophers in a ring, all left-handed. Each takes
 * its own fork, finds the next one taken, puts its own back and yields; in lockstep, so nobody
 * ever eats. The CPUs are busy, and the only syscall is sched_yield.
 *
 * Invariant: between two barriers every philosopher does the same step, so in the step "try the
 * next fork" every fork is held. The barrier is a generation counter; waiting is spin and
 * sched_yield, so noise only slows the rounds down and cannot break the step.
 *
 * Lock order: deliberately cyclic (fork i, then fork i + 1 modulo 3).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

#include "libcorpus.h"

#define SEATS		3
#define SPINS_PER_YIELD	64

pthread_mutex_t fork_0 = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t fork_1 = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t fork_2 = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t *const forks[SEATS] = { &fork_0, &fork_1, &fork_2 };
static _Atomic uint64_t arrived;	/* all-time arrivals; generation is arrived / SEATS */

/* Return: false when it is time to end; nobody may act on the step then. */
static bool round_barrier(void)
{
	uint64_t mine = atomic_fetch_add(&arrived, 1);
	uint64_t want = (mine / SEATS + 1) * SEATS;
	unsigned int spins = 0;

	while (atomic_load_explicit(&arrived, memory_order_acquire) < want) {
		if (++spins < SPINS_PER_YIELD)
			continue;
		spins = 0;
		if (corpus_stopped())
			return false;
		sched_yield();
	}
	return true;
}

/* Return: 1 ate, 0 rolled back, -1 it is time to end. */
static CORPUS_SITE int dine_politely(pthread_mutex_t *own, pthread_mutex_t *next)
{
	int ate = 0;

	if (pthread_mutex_trylock(own))
		return round_barrier() && round_barrier() ? 0 : -1;
	/* At the end `own` stays taken: a late release would let the neighbour eat. */
	if (!round_barrier())
		return -1;
	if (pthread_mutex_trylock(next) == 0) {
		ate = 1;
		pthread_mutex_unlock(next);
	}
	if (!round_barrier())
		return -1;
	pthread_mutex_unlock(own);
	return ate;
}

static void philosopher(struct corpus_actor *self)
{
	pthread_mutex_t *own = forks[self->index], *next = forks[(self->index + 1) % SEATS];
	int ate;

	do {
		corpus_attempt(self);
		ate = dine_politely(own, next);
		if (ate < 0)
			break;
		if (ate)
			corpus_complete(self);
		else
			corpus_fail(self);
		sched_yield();
	} while (round_barrier());
}

int main(void)
{
	corpus_add("philosopher_0", 0, philosopher);
	corpus_add("philosopher_1", 1, philosopher);
	corpus_add("philosopher_2", 0, philosopher);
	return corpus_run();
}
