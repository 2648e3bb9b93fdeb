// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of starved_by_hog: the hog still holds `mutex_hot` for most of the time, across
 * every second tick of the victim's grid, but then pauses across the next one. So every second
 * try of the victim fails, and every other one succeeds.
 *
 * Invariant: both complete. No gate: noise may cost a try, never all of them.
 *
 * Lock order: one lock.
 */
#include <pthread.h>

#include "libcorpus.h"

#define GRID_NS	(10 * CORPUS_NSEC_PER_MSEC)
#define USE_NS	(1 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_hot = PTHREAD_MUTEX_INITIALIZER;

/* Holds from 0.4 to 1.7 periods after an even tick: across the odd tick. */
static CORPUS_SITE bool hog_once(uint64_t even_tick)
{
	if (pthread_mutex_trylock(&mutex_hot))
		return false;
	corpus_sleep_until(corpus_grid_ns(even_tick + 1, GRID_NS) + GRID_NS * 7 / 10);
	pthread_mutex_unlock(&mutex_hot);
	return true;
}

static void hog(struct corpus_actor *self)
{
	uint64_t tick;

	for (tick = 0; !corpus_stopped(); tick += 2) {
		corpus_sleep_until(corpus_grid_ns(tick, GRID_NS) + GRID_NS * 4 / 10);
		corpus_attempt(self);
		if (hog_once(tick))
			corpus_complete(self);
		else
			corpus_fail(self);
	}
}

static CORPUS_SITE bool victim_once(void)
{
	if (pthread_mutex_trylock(&mutex_hot))
		return false;
	corpus_work(USE_NS);
	pthread_mutex_unlock(&mutex_hot);
	return true;
}

static void victim(struct corpus_actor *self)
{
	uint64_t tick;

	for (tick = 0; !corpus_stopped(); tick++) {
		corpus_sleep_until(corpus_grid_ns(tick, GRID_NS));
		corpus_attempt(self);
		if (victim_once())
			corpus_complete(self);
		else
			corpus_fail(self);
	}
}

int main(void)
{
	corpus_add("hog", 0, hog);
	corpus_add("victim", 1, victim);
	return corpus_run();
}
