// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of stalled_poll: the holder lets go of `mutex_shared` after a while, and takes it
 * again. The pollers fail several times for each time that they get it.
 *
 * Invariant: the mutex is free for several ticks of the pollers' grid in each period of the holder.
 *
 * Lock order: one lock.
 */
#include <pthread.h>

#include "libcorpus.h"

#define GRID_NS		(10 * CORPUS_NSEC_PER_MSEC)
#define HOLD_NS		(60 * CORPUS_NSEC_PER_MSEC)
#define FREE_NS		(40 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_shared = PTHREAD_MUTEX_INITIALIZER;

static void holder(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		pthread_mutex_lock(&mutex_shared);
		corpus_sleep_until(corpus_now_ns() + HOLD_NS);
		pthread_mutex_unlock(&mutex_shared);
		corpus_complete(self);
		corpus_sleep_until(corpus_now_ns() + FREE_NS);
	}
}

static CORPUS_SITE void poll_once(struct corpus_actor *self)
{
	corpus_attempt(self);
	if (pthread_mutex_trylock(&mutex_shared)) {
		corpus_fail(self);
	} else {
		corpus_complete(self);
		pthread_mutex_unlock(&mutex_shared);
	}
}

static void poller(struct corpus_actor *self)
{
	uint64_t tick;

	for (tick = 1; !corpus_stopped(); tick++) {
		corpus_sleep_until(corpus_grid_ns(tick, GRID_NS));
		poll_once(self);
	}
}

int main(void)
{
	corpus_add("holder", 0, holder);
	corpus_add("poller_1", 1, poller);
	corpus_add("poller_2", 0, poller);
	return corpus_run();
}
