// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of abba_deadlock: the same two mutexes with pthread_mutex_lock, always left
 * first. They collide all the time, so there is plenty of futex traffic, and both complete.
 *
 * Invariant: both complete. The work outside the locks is random, so that neither wins every
 * race.
 *
 * Lock order: mutex_left -> mutex_right.
 */
#include <pthread.h>

#include "libcorpus.h"

#define HOLD_NS		50000
#define OUTSIDE_NS	100000

pthread_mutex_t mutex_left = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_right = PTHREAD_MUTEX_INITIALIZER;

static CORPUS_SITE void lock_both(void)
{
	pthread_mutex_lock(&mutex_left);
	pthread_mutex_lock(&mutex_right);
	corpus_work(HOLD_NS);
	pthread_mutex_unlock(&mutex_right);
	pthread_mutex_unlock(&mutex_left);
}

static void worker(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		lock_both();
		corpus_complete(self);
		corpus_work(corpus_random(self) % OUTSIDE_NS);
	}
}

int main(void)
{
	corpus_add("worker_0", 0, worker);
	corpus_add("worker_1", 1, worker);
	return corpus_run();
}
