// SPDX-License-Identifier: GPL-2.0
/*
 * Retry storm of wake-ups: many threads wait on one condition variable, each for its own turn, and
 * every change of turn is broadcast. One goes on, the others look and sleep again: a herd.
 *
 * Invariant: all complete; of N wake-ups N - 1 get nothing.
 *
 * Lock order: one lock.
 */
#include <pthread.h>
#include <stdio.h>

#include "libcorpus.h"

#define ACTORS		16
#define TURN_NS		(2 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_turn = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t cond_turn = PTHREAD_COND_INITIALIZER;

static uint64_t turn;	/* under mutex_turn */

static CORPUS_SITE bool await_turn(struct corpus_actor *self)
{
	pthread_mutex_lock(&mutex_turn);
	corpus_attempt(self);
	while (turn % ACTORS != self->index && !corpus_stopped()) {
		corpus_fail(self);
		pthread_cond_wait(&cond_turn, &mutex_turn);
		corpus_attempt(self);
	}
	pthread_mutex_unlock(&mutex_turn);
	return !corpus_stopped();
}

static CORPUS_SITE void pass_turn(void)
{
	pthread_mutex_lock(&mutex_turn);
	turn++;
	pthread_cond_broadcast(&cond_turn);
	pthread_mutex_unlock(&mutex_turn);
}

static void worker(struct corpus_actor *self)
{
	while (await_turn(self)) {
		corpus_sleep_until(corpus_now_ns() + TURN_NS);
		corpus_complete(self);
		pass_turn();
	}
}

int main(void)
{
	char name[16];
	unsigned int i;

	for (i = 0; i < ACTORS; i++) {
		snprintf(name, sizeof(name), "worker_%u", i);
		corpus_add(name, i % 2, worker);
	}
	return corpus_run();
}
