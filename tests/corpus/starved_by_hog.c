// SPDX-License-Identifier: GPL-2.0
/*
 * Starvation: a hog holds `mutex_hot` nearly all the time and lets go for an instant, always
 * between two ticks of the victim's grid. The victim tries at every tick and never gets it,
 * while the group as a whole completes at full speed.
 *
 * Invariant: at each tick the hog holds the mutex. It lets go only after the victim's try of
 * this tick, and the victim's next try waits until the hog has it again; on a quiet machine the
 * grid alone gives that, the gates keep it under noise.
 *
 * Lock order: one lock.
 */
#include <pthread.h>

#include "libcorpus.h"

#define GRID_NS	(10 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_hot = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t hog_holds;	/* written by the hog: ticks for which it took the mutex */
static _Atomic uint64_t victim_tried;	/* written by the victim: ticks at which it has tried */

static CORPUS_SITE bool hog_once(struct corpus_actor *self, uint64_t tick)
{
	corpus_attempt(self);
	if (pthread_mutex_trylock(&mutex_hot)) {
		corpus_fail(self);
		return true;
	}
	atomic_store(&hog_holds, tick + 1);
	corpus_sleep_until(corpus_grid_ns(tick, GRID_NS) + GRID_NS / 2);
	if (!corpus_gate(&victim_tried, tick + 1))
		return false;
	pthread_mutex_unlock(&mutex_hot);
	corpus_complete(self);
	return true;
}

static void hog(struct corpus_actor *self)
{
	uint64_t tick;

	for (tick = 0; hog_once(self, tick); tick++)
		;
}

static CORPUS_SITE bool victim_once(struct corpus_actor *self)
{
	bool got = pthread_mutex_trylock(&mutex_hot) == 0;

	if (got) {
		corpus_complete(self);
		pthread_mutex_unlock(&mutex_hot);
	} else {
		corpus_fail(self);
	}
	return got;
}

static void victim(struct corpus_actor *self)
{
	uint64_t tick;

	for (tick = 0; !corpus_stopped(); tick++) {
		corpus_sleep_until(corpus_grid_ns(tick, GRID_NS));
		if (!corpus_gate(&hog_holds, tick + 1))
			break;
		corpus_attempt(self);
		victim_once(self);
		atomic_store(&victim_tried, tick + 1);
	}
}

int main(void)
{
	corpus_add("hog", 0, hog);
	corpus_add("victim", 1, victim);
	return corpus_run();
}
