// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of starved_by_hog: the hog still holds `mutex_hot` across a tick of the victim's
 * grid, but then pauses across the next two. So every third try of the victim fails, and the
 * others succeed.
 *
 * Invariant: both complete. No gate: noise may cost a try, never all of them; nobody computes while
 * it holds the mutex, so that a busy machine does not stretch the holds, and nobody runs to catch
 * up with ticks that it has missed.
 *
 * Lock order: one lock.
 */
#include <pthread.h>

#include "libcorpus.h"

#define GRID_NS		(10 * CORPUS_NSEC_PER_MSEC)
#define HOG_TICKS	3
#define USE_NS		(1 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_hot = PTHREAD_MUTEX_INITIALIZER;

static uint64_t next_tick(uint64_t tick, uint64_t step)
{
	uint64_t now = corpus_now_ns();

	do
		tick += step;
	while (corpus_grid_ns(tick, GRID_NS) < now);
	return tick;
}

/* Holds from 0.4 to 1.7 periods after `tick`: across the one that follows. */
static CORPUS_SITE bool hog_once(uint64_t tick)
{
	if (pthread_mutex_trylock(&mutex_hot))
		return false;
	corpus_sleep_until(corpus_grid_ns(tick + 1, GRID_NS) + GRID_NS * 7 / 10);
	pthread_mutex_unlock(&mutex_hot);
	return true;
}

static void hog(struct corpus_actor *self)
{
	uint64_t tick;

	for (tick = 0; !corpus_stopped(); tick = next_tick(tick, HOG_TICKS)) {
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
	corpus_sleep_until(corpus_now_ns() + USE_NS);
	pthread_mutex_unlock(&mutex_hot);
	return true;
}

static void victim(struct corpus_actor *self)
{
	uint64_t tick;

	for (tick = 0; !corpus_stopped(); tick = next_tick(tick, 1)) {
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
