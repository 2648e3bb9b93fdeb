// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlock: two threads take two mutexes in opposite order with pthread_mutex_lock and block for
 * ever. Only the futex word shows it.
 *
 * Invariant: each waits until the other holds its first mutex, so that it deadlocks at once,
 * always.
 *
 * Lock order: deliberately none (left then right in one thread, right then left in the other).
 */
#include <pthread.h>

#include "libcorpus.h"

pthread_mutex_t mutex_left = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_right = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t holds_first[2];	/* written by actor i: 1 when it has its first mutex */

static CORPUS_SITE void lock_both(struct corpus_actor *self, pthread_mutex_t *first,
				  pthread_mutex_t *second)
{
	corpus_attempt(self);
	pthread_mutex_lock(first);
	atomic_store(&holds_first[self->index], 1);
	if (corpus_gate(&holds_first[!self->index], 1)) {
		pthread_mutex_lock(second);
		corpus_complete(self);
		pthread_mutex_unlock(second);
	}
	pthread_mutex_unlock(first);
}

static void left_then_right(struct corpus_actor *self)
{
	lock_both(self, &mutex_left, &mutex_right);
}

static void right_then_left(struct corpus_actor *self)
{
	lock_both(self, &mutex_right, &mutex_left);
}

int main(void)
{
	corpus_add("left_right", 0, left_then_right);
	corpus_add("right_left", 1, right_then_left);
	return corpus_run();
}
