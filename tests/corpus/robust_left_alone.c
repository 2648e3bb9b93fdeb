// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy: the owner of a robust mutex has ended with it, nobody repairs it, and nobody needs it:
 * one that asks is told at once, and all go on with another mutex.
 *
 * Invariant: the first that asks unlocks without a repair, so that the mutex can never be had again
 * and every later call returns an error.
 *
 * Lock order: mutex_robust -> mutex_work; the former is never held.
 */
#include "robust_repair.h"

#define WORK_NS	(CORPUS_NSEC_PER_MSEC / 5)

pthread_mutex_t mutex_work = PTHREAD_MUTEX_INITIALIZER;

static void worker(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		if (pthread_mutex_lock(&mutex_robust) == EOWNERDEAD)
			pthread_mutex_unlock(&mutex_robust);
		pthread_mutex_lock(&mutex_work);
		corpus_work(WORK_NS);
		pthread_mutex_unlock(&mutex_work);
		corpus_complete(self);
		corpus_sleep_until(corpus_now_ns() + corpus_random(self) % WORK_NS);
	}
}

int main(void)
{
	robust_orphan();
	corpus_add("worker_1", 0, worker);
	corpus_add("worker_2", 1, worker);
	return corpus_run();
}
