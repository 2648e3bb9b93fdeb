// SPDX-License-Identifier: GPL-2.0
/*
 * Spin-hang: a thread ended with `mutex_orphan` locked, and the one that is left tries it for
 * ever. Nobody competes with it, nobody will ever unlock.
 *
 * Invariant: the owner is gone before the first try. It is not an actor of the case, since it
 * would stay until the end.
 *
 * Lock order: one lock.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

#include "libcorpus.h"

#define TRIES_PER_SLEEP	20
#define SLEEP_NS	(2 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_orphan = PTHREAD_MUTEX_INITIALIZER;

static void *owner(void *unused)
{
	pthread_mutex_lock(&mutex_orphan);
	return unused;
}

static CORPUS_SITE void append_entry(struct corpus_actor *self)
{
	corpus_attempt(self);
	if (pthread_mutex_trylock(&mutex_orphan)) {
		corpus_fail(self);
	} else {
		corpus_complete(self);
		pthread_mutex_unlock(&mutex_orphan);
	}
}

static void survivor(struct corpus_actor *self)
{
	unsigned int i;

	while (!corpus_stopped()) {
		for (i = 0; i < TRIES_PER_SLEEP; i++) {
			append_entry(self);
			sched_yield();
		}
		corpus_sleep_until(corpus_now_ns() + SLEEP_NS);
	}
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, owner, NULL) || pthread_join(thread, NULL))
		return 1;
	corpus_add("survivor", 0, survivor);
	return corpus_run();
}
