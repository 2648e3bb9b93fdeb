// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy after a bad start: the livelock of two_lock_grid for its first second, then the threads
 * sleep for a random time after each failure, the phase breaks, and both complete. Most published
 * livelock demonstrations are of this kind.
 *
 * Invariant: nothing completes in the first ROUNDS_STUCK rounds (the gates of two_lock_grid keep
 * the phase), and both complete soon after.
 *
 * Lock order: deliberately none.
 */
#include <pthread.h>

#include "libcorpus.h"

#define GRID_NS		(20 * CORPUS_NSEC_PER_MSEC)
#define ROUNDS_STUCK	50
#define HOLD_NS		(2 * CORPUS_NSEC_PER_MSEC)
#define JITTER_NS	(20 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t holds_first[2];	/* by actor i: rounds in which it got its first */
static _Atomic uint64_t tried_second[2]; /* by actor i: rounds in which it tried its second */

static CORPUS_SITE bool transfer_in_lockstep(struct corpus_actor *self, uint64_t round,
					     pthread_mutex_t *first, pthread_mutex_t *second)
{
	unsigned int me = self->index, peer = !me;
	bool completed = false;

	if (pthread_mutex_trylock(first))
		return false;
	atomic_store(&holds_first[me], round + 1);
	corpus_sleep_until(corpus_grid_ns(round, GRID_NS) + GRID_NS / 2);
	if (!corpus_gate(&holds_first[peer], round + 1))
		return false;	/* the end, with `first` locked: see two_lock_grid */
	if (pthread_mutex_trylock(second) == 0) {
		completed = true;
		pthread_mutex_unlock(second);
	}
	atomic_store(&tried_second[me], round + 1);
	if (!corpus_gate(&tried_second[peer], round + 1))
		return false;
	pthread_mutex_unlock(first);
	return completed;
}

static CORPUS_SITE bool transfer_with_jitter(pthread_mutex_t *first, pthread_mutex_t *second)
{
	bool completed = false;

	if (pthread_mutex_trylock(first))
		return false;
	corpus_sleep_until(corpus_now_ns() + HOLD_NS);
	if (pthread_mutex_trylock(second) == 0) {
		completed = true;
		pthread_mutex_unlock(second);
	}
	pthread_mutex_unlock(first);
	return completed;
}

static void transfer_loop(struct corpus_actor *self, pthread_mutex_t *first,
			  pthread_mutex_t *second)
{
	uint64_t round;
	bool completed;

	for (round = 0; !corpus_stopped(); round++) {
		corpus_attempt(self);
		if (round < ROUNDS_STUCK) {
			corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
			completed = transfer_in_lockstep(self, round, first, second);
		} else {
			completed = transfer_with_jitter(first, second);
			corpus_sleep_until(corpus_now_ns() + corpus_random(self) % JITTER_NS);
		}
		if (completed)
			corpus_complete(self);
		else
			corpus_fail(self);
	}
}

static void transfer_a_to_b(struct corpus_actor *self)
{
	transfer_loop(self, &mutex_a, &mutex_b);
}

static void transfer_b_to_a(struct corpus_actor *self)
{
	transfer_loop(self, &mutex_b, &mutex_a);
}

int main(void)
{
	corpus_add("a_to_b", 0, transfer_a_to_b);
	corpus_add("b_to_a", 1, transfer_b_to_a);
	return corpus_run();
}
