// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock without a single trylock: two threads hold one mutex each and wait for the other's with
 * the same timeout. Both time out, roll back, and start again together. Only futex waits that end
 * in ETIMEDOUT show it.
 *
 * Invariant: in every round both hold their first mutex until both have timed out; the gates keep
 * that when a wake-up is late.
 *
 * Lock order: deliberately none (mutex_a then mutex_b in one thread, the reverse in the other).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "libcorpus.h"

#define GRID_NS		(50 * CORPUS_NSEC_PER_MSEC)
#define TIMEOUT_NS	(20 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t holds_first[2];	/* by actor i: rounds in which it got its first */
static _Atomic uint64_t tried_second[2]; /* by actor i: rounds in which it tried its second */

static CORPUS_SITE int lock_within(pthread_mutex_t *mutex, uint64_t timeout_ns)
{
	uint64_t end_ns = corpus_now_ns() + timeout_ns;
	struct timespec end = {
		.tv_sec = (time_t)(end_ns / CORPUS_NSEC_PER_SEC),
		.tv_nsec = (long)(end_ns % CORPUS_NSEC_PER_SEC),
	};

	return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &end);
}

/* Return: 1 when both were taken and used, 0 when it rolled back, -1 when it is time to end. */
static CORPUS_SITE int transfer_with_timeout(struct corpus_actor *self, uint64_t round,
					     pthread_mutex_t *first, pthread_mutex_t *second)
{
	unsigned int me = self->index, peer = !me;
	int completed = 0;

	/* At the end `first` stays locked: a late release would let the peer complete. */
	pthread_mutex_lock(first);
	atomic_store(&holds_first[me], round + 1);
	if (!corpus_gate(&holds_first[peer], round + 1))
		return -1;
	if (lock_within(second, TIMEOUT_NS) != ETIMEDOUT) {
		completed = 1;
		pthread_mutex_unlock(second);
	}
	atomic_store(&tried_second[me], round + 1);
	if (!corpus_gate(&tried_second[peer], round + 1))
		return -1;
	pthread_mutex_unlock(first);
	return completed;
}

static void transfer_loop(struct corpus_actor *self, pthread_mutex_t *first,
			  pthread_mutex_t *second)
{
	uint64_t round;
	int completed = 0;

	for (round = 0; completed >= 0; round++) {
		corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
		corpus_attempt(self);
		completed = transfer_with_timeout(self, round, first, second);
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
