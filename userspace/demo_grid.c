// SPDX-License-Identifier: GPL-2.0
/*
 * demo_grid.c - the program that `headway demo` watches. Two polite threads want two mutexes: each
 * tries its first, then the other, and rolls back when that is taken.
 *
 * Invariant of the livelock: in every round both hold their first mutex while either tries its
 * second. Each waits for the other to be as far, by sleeping, so that no luck is needed on a loaded
 * machine.
 *
 * Functions and mutexes are not static: a stripped program has the names of exported symbols only
 * (see the Makefile).
 */
#include "demo_grid.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "command.h"

enum { ROUND_MS = 40, HOLD_MS = 5, POLL_MS = 1 };

struct actor {
	const char *name;		/* also the thread's */
	pthread_mutex_t *first, *second;
	_Atomic uint64_t holds;		/* written by the actor: rounds in which it got its first */
	_Atomic uint64_t tried;		/* written by the actor: rounds that it is through with */
	struct actor *peer;
};

pthread_mutex_t headway_demo_mutex_a = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t headway_demo_mutex_b = PTHREAD_MUTEX_INITIALIZER;

void headway_demo_transfer_with_rollback(struct actor *self, uint64_t round);
void headway_demo_transfer_in_order(void);

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

static void wait_for(_Atomic uint64_t *rounds, uint64_t value)
{
	while (atomic_load(rounds) < value)
		sleep_ms(POLL_MS);
}

__attribute__((noinline))
void headway_demo_transfer_with_rollback(struct actor *self, uint64_t round)
{
	if (pthread_mutex_trylock(self->first))
		return;
	atomic_store(&self->holds, round);
	wait_for(&self->peer->holds, round);
	if (!pthread_mutex_trylock(self->second))
		pthread_mutex_unlock(self->second);
	atomic_store(&self->tried, round);
	wait_for(&self->peer->tried, round);
	pthread_mutex_unlock(self->first);
}

/* The cure: who comes second waits for the first lock, and holds nothing that the other needs. */
__attribute__((noinline))
void headway_demo_transfer_in_order(void)
{
	pthread_mutex_lock(&headway_demo_mutex_a);
	pthread_mutex_lock(&headway_demo_mutex_b);
	sleep_ms(HOLD_MS);
	pthread_mutex_unlock(&headway_demo_mutex_b);
	pthread_mutex_unlock(&headway_demo_mutex_a);
}

static void *roll_back(void *arg)
{
	struct actor *self = arg;

	prctl(PR_SET_NAME, self->name);
	for (uint64_t round = 1; ; round++) {
		headway_demo_transfer_with_rollback(self, round);
		sleep_ms(ROUND_MS);
	}
	return NULL;
}

static void *keep_order(void *arg)
{
	struct actor *self = arg;

	prctl(PR_SET_NAME, self->name);
	for (;;) {
		headway_demo_transfer_in_order();
		sleep_ms(ROUND_MS);
	}
	return NULL;
}

int headway_demo_grid(bool in_order)
{
	struct actor actors[] = {
		{ .name = "a_to_b", .first = &headway_demo_mutex_a,
		  .second = &headway_demo_mutex_b, .peer = &actors[1] },
		{ .name = "b_to_a", .first = &headway_demo_mutex_b,
		  .second = &headway_demo_mutex_a, .peer = &actors[0] },
	};
	pthread_t threads[2];

	prctl(PR_SET_NAME, "demo_grid");
	for (int i = 0; i < 2; i++) {
		int err = pthread_create(&threads[i], NULL, in_order ? keep_order : roll_back,
					 &actors[i]);

		if (err) {
			fprintf(stderr, "headway demo: cannot start a thread: %s\n", strerror(err));
			return HEADWAY_EXIT_FAILED;
		}
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return HEADWAY_EXIT_FAILED;
}
