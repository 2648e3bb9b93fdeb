// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy, and looks bad: four threads on one mutex, two of which try first and then lock. Much
 * of the futex traffic ends in EAGAIN and many tries fail, at full speed.
 *
 * Invariant: all four complete all the time.
 *
 * Lock order: one lock.
 */
#include <pthread.h>

#include "libcorpus.h"

#define INSIDE_NS	500
#define OUTSIDE_NS	2000

pthread_mutex_t mutex_hot = PTHREAD_MUTEX_INITIALIZER;

static uint64_t shared_sum;	/* protected by mutex_hot */

static void use(struct corpus_actor *self)
{
	shared_sum += self->index;
	corpus_work(INSIDE_NS);
	pthread_mutex_unlock(&mutex_hot);
	corpus_complete(self);
	corpus_work(corpus_random(self) % OUTSIDE_NS);
}

static void lock_worker(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		pthread_mutex_lock(&mutex_hot);
		use(self);
	}
}

static void try_worker(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		if (pthread_mutex_trylock(&mutex_hot)) {
			corpus_fail(self);
			pthread_mutex_lock(&mutex_hot);
		}
		use(self);
	}
}

int main(void)
{
	corpus_add("lock_0", 0, lock_worker);
	corpus_add("lock_1", 1, lock_worker);
	corpus_add("try_2", 0, try_worker);
	corpus_add("try_3", 1, try_worker);
	return corpus_run();
}
