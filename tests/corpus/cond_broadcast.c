// SPDX-License-Identifier: GPL-2.0
/*
 * Retry storm of wake-ups: many threads wait on one condition variable, each for its own turn, and
 * every event is broadcast: that a turn is used, and that it is passed on. At most one goes on, the
 * others look and sleep again: a herd. Only the program knows that: a barrier looks the same.
 *
 * Invariant: all complete; of 2 N wake-ups all but one get nothing.
 *
 * Lock order: one lock.
 */
#include <pthread.h>
#include <stdio.h>

#include "marked.h"

#define ACTORS		16
#define TURN_NS		(2 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_turn = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t cond_turn = PTHREAD_COND_INITIALIZER;

static uint64_t turn;	/* under mutex_turn */

static CORPUS_SITE bool await_turn(struct corpus_actor *self)
{
	pthread_mutex_lock(&mutex_turn);
	unit_tried(self);
	while (turn % ACTORS != self->index && !corpus_stopped()) {
		corpus_fail(self);
		pthread_cond_wait(&cond_turn, &mutex_turn);
		unit_tried(self);
	}
	pthread_mutex_unlock(&mutex_turn);
	return !corpus_stopped();
}

static CORPUS_SITE void tell_all(uint64_t turns)
{
	pthread_mutex_lock(&mutex_turn);
	turn += turns;
	pthread_cond_broadcast(&cond_turn);
	pthread_mutex_unlock(&mutex_turn);
}

static void worker(struct corpus_actor *self)
{
	while (await_turn(self)) {
		tell_all(0);
		corpus_sleep_until(corpus_now_ns() + TURN_NS);
		unit_done(self);
		tell_all(1);
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
