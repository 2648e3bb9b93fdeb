// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlock round a ring: three philosophers take their own fork and wait for the next one. A
 * fourth thread waits behind the ring and is not part of it.
 *
 * Invariant: all three have their own before any asks for the next; the guest comes last.
 *
 * Lock order: deliberately cyclic.
 */
#include <pthread.h>

#include "libcorpus.h"

#define SEATS	3

pthread_mutex_t forks[SEATS] = {
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
};

static _Atomic uint64_t holders;

static CORPUS_SITE void dine(struct corpus_actor *self)
{
	corpus_attempt(self);
	pthread_mutex_lock(&forks[self->index]);
	atomic_fetch_add(&holders, 1);
	if (!corpus_gate(&holders, SEATS))
		return;
	pthread_mutex_lock(&forks[(self->index + 1) % SEATS]);
	corpus_complete(self);
}

static CORPUS_SITE void guest(struct corpus_actor *self)
{
	if (!corpus_gate(&holders, SEATS))
		return;
	corpus_attempt(self);
	pthread_mutex_lock(&forks[0]);
	corpus_complete(self);
	pthread_mutex_unlock(&forks[0]);
}

int main(void)
{
	corpus_add("philosopher_0", 0, dine);
	corpus_add("philosopher_1", 1, dine);
	corpus_add("philosopher_2", 0, dine);
	corpus_add("guest", 1, guest);
	return corpus_run();
}
