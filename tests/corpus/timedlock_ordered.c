// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of timedlock_grid: the same two mutexes, the same timeouts, on the same grid, but
 * both threads take them in one order. Some waits still time out, both complete.
 *
 * Invariant: the holds are shorter than the timeout nearly always.
 *
 * Lock order: mutex_a, then mutex_b.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "libcorpus.h"

#define GRID_NS		(50 * CORPUS_NSEC_PER_MSEC)
#define TIMEOUT_NS	(20 * CORPUS_NSEC_PER_MSEC)
#define HOLD_NS		(15 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;

static CORPUS_SITE int lock_within(pthread_mutex_t *mutex, uint64_t timeout_ns)
{
	uint64_t end_ns = corpus_now_ns() + timeout_ns;
	struct timespec end = {
		.tv_sec = (time_t)(end_ns / CORPUS_NSEC_PER_SEC),
		.tv_nsec = (long)(end_ns % CORPUS_NSEC_PER_SEC),
	};

	return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &end);
}

static CORPUS_SITE bool transfer_with_timeout(void)
{
	bool completed = false;

	if (lock_within(&mutex_a, TIMEOUT_NS))
		return false;
	if (lock_within(&mutex_b, TIMEOUT_NS) == 0) {
		corpus_sleep_until(corpus_now_ns() + HOLD_NS);
		completed = true;
		pthread_mutex_unlock(&mutex_b);
	}
	pthread_mutex_unlock(&mutex_a);
	return completed;
}

static void transfer_loop(struct corpus_actor *self)
{
	uint64_t round;

	for (round = 0; !corpus_stopped(); round++) {
		corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
		corpus_attempt(self);
		if (transfer_with_timeout())
			corpus_complete(self);
		else
			corpus_fail(self);
	}
}

int main(void)
{
	corpus_add("one", 0, transfer_loop);
	corpus_add("two", 1, transfer_loop);
	return corpus_run();
}
