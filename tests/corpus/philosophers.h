/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Polite philosophers round a table with SEATS forks, on a grid of time that all share: each takes
 * one fork, thinks for half a period, tries the other one, and puts the first back when it is
 * taken. The CPUs are idle. Included by the programs, which say how the forks are ordered.
 *
 * Invariant with PHILOSOPHERS_CYCLIC: in every round each holds its own fork while any tries its
 * next one (the gates keep that when a wake-up is late), so nobody ever eats. Without it the last
 * one takes its forks the other way round, nobody waits at a gate, and all eat.
 *
 * Lock order: cyclic (fork i, then fork i + 1 modulo SEATS), or by number.
 */
#ifndef CORPUS_PHILOSOPHERS_H
#define CORPUS_PHILOSOPHERS_H

#include <pthread.h>
#include <stdio.h>

#include "libcorpus.h"

#define GRID_NS		(50 * CORPUS_NSEC_PER_MSEC)
#define EAT_NS		(2 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t forks[SEATS];

static _Atomic uint64_t holds_first[SEATS];	/* by seat: rounds in which it got its first */
static _Atomic uint64_t tried_second[SEATS];	/* by seat: rounds in which it tried its second */

/* Return: false when it is time to end. */
static inline bool all_have(_Atomic uint64_t *rounds, uint64_t round)
{
#ifdef PHILOSOPHERS_CYCLIC
	unsigned int seat;

	for (seat = 0; seat < SEATS; seat++)
		if (!corpus_gate(&rounds[seat], round + 1))
			return false;
#else
	(void)rounds;
	(void)round;
#endif
	return !corpus_stopped();
}

/* Return: 1 when it ate, 0 when it rolled back, -1 when it is time to end. */
static CORPUS_SITE int dine(struct corpus_actor *self, uint64_t round, pthread_mutex_t *first,
			    pthread_mutex_t *second)
{
	int ate = 0;

	if (pthread_mutex_trylock(first))
		return 0;
	/* At the end `first` stays locked: a late release would let the neighbour eat. */
	atomic_store(&holds_first[self->index], round + 1);
#ifdef PHILOSOPHERS_CYCLIC
	corpus_sleep_until(corpus_grid_ns(round, GRID_NS) + GRID_NS / 2);
#endif
	if (!all_have(holds_first, round))
		return -1;
	if (pthread_mutex_trylock(second) == 0) {
		corpus_sleep_until(corpus_now_ns() + EAT_NS);
		ate = 1;
		pthread_mutex_unlock(second);
	}
	atomic_store(&tried_second[self->index], round + 1);
	if (!all_have(tried_second, round))
		return -1;
	pthread_mutex_unlock(first);
	return ate;
}

static void philosopher(struct corpus_actor *self)
{
	unsigned int own = self->index, next = (self->index + 1) % SEATS;
	uint64_t round;
	int ate = 0;

#ifndef PHILOSOPHERS_CYCLIC
	if (next < own) {
		next = own;
		own = 0;
	}
#endif
	for (round = 0; ate >= 0; round++) {
#ifdef PHILOSOPHERS_CYCLIC
		corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
#else
		corpus_sleep_until(corpus_now_ns() + corpus_random(self) % (GRID_NS / 4));
#endif
		corpus_attempt(self);
		ate = dine(self, round, &forks[own], &forks[next]);
		if (ate > 0)
			corpus_complete(self);
		else if (ate == 0)
			corpus_fail(self);
	}
}

static inline int philosophers_main(void)
{
	char name[16];
	unsigned int seat;

	for (seat = 0; seat < SEATS; seat++) {
		pthread_mutex_init(&forks[seat], NULL);
		snprintf(name, sizeof(name), "philosopher_%u", seat);
		corpus_add(name, seat % 2, philosopher);
	}
	return corpus_run();
}

#endif
