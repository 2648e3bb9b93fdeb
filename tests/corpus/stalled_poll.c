// SPDX-License-Identifier: GPL-2.0
/*
 * Stalled holder, polled: one thread takes `mutex_shared` and sleeps for ever; two others try it on
 * a grid and fail every time. Their tries look like a livelock or a starvation, but nobody competes
 * and nobody completes: the culprit is the holder, off the CPU.
 *
 * Invariant: the pollers start after the holder has the mutex, and it is never released. They hold
 * nothing while they try.
 *
 * Lock order: one lock.
 */
#include <pthread.h>

#include "libcorpus.h"

#define GRID_NS		(10 * CORPUS_NSEC_PER_MSEC)
#define FOR_EVER_NS	(24 * 3600 * CORPUS_NSEC_PER_SEC)

pthread_mutex_t mutex_shared = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t held;	/* written by the holder: 1 when it has the mutex */

static CORPUS_SITE void sleep_holding(void)
{
	corpus_sleep_until(corpus_now_ns() + FOR_EVER_NS);
}

static void holder(struct corpus_actor *self)
{
	corpus_attempt(self);
	if (pthread_mutex_trylock(&mutex_shared)) {
		corpus_fail(self);
		return;
	}
	atomic_store(&held, 1);
	sleep_holding();
	pthread_mutex_unlock(&mutex_shared);
	corpus_complete(self);
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

	if (!corpus_gate(&held, 1))
		return;
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
