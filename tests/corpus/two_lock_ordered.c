// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of two_lock_grid: the same two mutexes, the same trylocks and the same 50 ms
 * grid, but both threads take mutex_a first. A try may fail, then the thread sleeps to the next
 * tick; whoever has mutex_a gets mutex_b too.
 *
 * Invariant: both complete. The pause after a completion is a random number of ticks, so that
 * neither can win every tick.
 *
 * Lock order: mutex_a -> mutex_b.
 */
#include <pthread.h>

#include "libcorpus.h"

#define GRID_NS		(50 * CORPUS_NSEC_PER_MSEC)
#define HOLD_NS		(10 * CORPUS_NSEC_PER_MSEC)
#define PAUSE_TICKS_MAX	2

pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;

static CORPUS_SITE bool transfer_in_order(void)
{
	bool completed = false;

	if (pthread_mutex_trylock(&mutex_a))
		return false;
	if (pthread_mutex_trylock(&mutex_b) == 0) {
		corpus_sleep_until(corpus_now_ns() + HOLD_NS);
		completed = true;
		pthread_mutex_unlock(&mutex_b);
	}
	pthread_mutex_unlock(&mutex_a);
	return completed;
}

static void transfer_loop(struct corpus_actor *self)
{
	uint64_t tick = 0, now;

	while (!corpus_stopped()) {
		corpus_sleep_until(corpus_grid_ns(tick, GRID_NS));
		corpus_attempt(self);
		if (transfer_in_order()) {
			corpus_complete(self);
			tick += corpus_random(self) % (PAUSE_TICKS_MAX + 1);
		} else {
			corpus_fail(self);
		}
		tick++;
		/* do not run to catch up with ticks that a busy machine made us miss */
		now = corpus_now_ns();
		while (corpus_grid_ns(tick, GRID_NS) < now)
			tick++;
	}
}

int main(void)
{
	corpus_add("ordered_0", 0, transfer_loop);
	corpus_add("ordered_1", 1, transfer_loop);
	return corpus_run();
}
