// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy: a pool of workers that wait on a condition variable for what one thread hands out. Most
 * of them sleep most of the time, some for the whole run.
 *
 * Invariant: all that is handed out gets done.
 *
 * Lock order: one lock.
 */
#include <pthread.h>
#include <stdio.h>

#include "libcorpus.h"

#define WORKERS		6
#define PERIOD_NS	(2 * CORPUS_NSEC_PER_MSEC)
#define WORK_NS		(CORPUS_NSEC_PER_MSEC / 2)

pthread_mutex_t mutex_queue = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t cond_queue = PTHREAD_COND_INITIALIZER;

static uint64_t queued;		/* under mutex_queue */

static void producer(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		pthread_mutex_lock(&mutex_queue);
		queued++;
		pthread_cond_signal(&cond_queue);
		pthread_mutex_unlock(&mutex_queue);
		corpus_complete(self);
		corpus_sleep_until(corpus_now_ns() + PERIOD_NS);
	}
}

static void worker(struct corpus_actor *self)
{
	for (;;) {
		pthread_mutex_lock(&mutex_queue);
		while (!queued)
			pthread_cond_wait(&cond_queue, &mutex_queue);
		queued--;
		pthread_mutex_unlock(&mutex_queue);
		corpus_attempt(self);
		corpus_work(WORK_NS);
		corpus_complete(self);
	}
}

int main(void)
{
	char name[16];
	unsigned int i;

	corpus_add("producer", 0, producer);
	for (i = 0; i < WORKERS; i++) {
		snprintf(name, sizeof(name), "worker_%u", i);
		corpus_add(name, i, worker);
	}
	return corpus_run();
}
