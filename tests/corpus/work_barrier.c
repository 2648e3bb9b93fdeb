// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy, and easily taken for a herd: four threads meet at a pthread barrier after each small
 * piece of work. Every wake-up is a broadcast, and everybody who was woken goes on.
 *
 * Lock order: none of its own.
 */
#include <pthread.h>
#include <stdio.h>

#include "libcorpus.h"

#define ACTORS		4
#define WORK_NS		20000

static pthread_barrier_t barrier;

static void worker(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		corpus_work(corpus_random(self) % WORK_NS);
		pthread_barrier_wait(&barrier);
		corpus_complete(self);
	}
}

int main(void)
{
	char name[16];
	unsigned int i;

	pthread_barrier_init(&barrier, NULL, ACTORS);
	for (i = 0; i < ACTORS; i++) {
		snprintf(name, sizeof(name), "worker_%u", i);
		corpus_add(name, i % 2, worker);
	}
	return corpus_run();
}
