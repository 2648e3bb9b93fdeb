// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of cond_broadcast: each thread has a condition variable of its own, and the one
 * whose turn comes is signalled.
 *
 * Invariant: all complete; every wake-up finds its turn.
 *
 * Lock order: one lock.
 */
#include <pthread.h>
#include <stdio.h>

#include "marked.h"

#define ACTORS		16
#define TURN_NS		(2 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_turn = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t cond_turn[ACTORS];

static uint64_t turn;	/* under mutex_turn */

static CORPUS_SITE bool await_turn(struct corpus_actor *self)
{
	pthread_mutex_lock(&mutex_turn);
	unit_tried(self);
	while (turn % ACTORS != self->index && !corpus_stopped())
		pthread_cond_wait(&cond_turn[self->index], &mutex_turn);
	pthread_mutex_unlock(&mutex_turn);
	return !corpus_stopped();
}

static CORPUS_SITE void pass_turn(void)
{
	pthread_mutex_lock(&mutex_turn);
	turn++;
	pthread_cond_signal(&cond_turn[turn % ACTORS]);
	pthread_mutex_unlock(&mutex_turn);
}

static void worker(struct corpus_actor *self)
{
	while (await_turn(self)) {
		corpus_sleep_until(corpus_now_ns() + TURN_NS);
		unit_done(self);
		pass_turn();
	}
}

int main(void)
{
	char name[16];
	unsigned int i;

	for (i = 0; i < ACTORS; i++) {
		pthread_cond_init(&cond_turn[i], NULL);
		snprintf(name, sizeof(name), "worker_%u", i);
		corpus_add(name, i % 2, worker);
	}
	return corpus_run();
}
