/* SPDX-License-Identifier: GPL-2.0 */
/* Two robust mutexes in memory that the actors' processes share, each at an address of its own. */
#ifndef CORPUS_ROBUST_PAIR_H
#define CORPUS_ROBUST_PAIR_H

#include <sys/mman.h>

#include "abba.h"

struct robust_pair {
	pthread_mutex_t side[2];
	_Atomic uint64_t holders;
};

static struct robust_pair *pair;

static void robust_lock(unsigned int side)
{
	pthread_mutex_lock(&pair->side[side]);
}

static void robust_unlock(unsigned int side)
{
	pthread_mutex_unlock(&pair->side[side]);
}

static inline void robust_pair_new(void)
{
	pair = corpus_shared(sizeof(*pair));
	abba_mutex(&pair->side[0], PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 1);
	abba_mutex(&pair->side[1], PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 1);
	abba = (struct abba){ robust_lock, robust_unlock, &pair->holders };
}

/* In one of the processes, before it locks: the same memory, elsewhere. */
static inline void robust_pair_move(void)
{
	void *moved = mremap(pair, 0, sizeof(*pair), MREMAP_MAYMOVE);

	if (moved == MAP_FAILED) {
		perror("corpus: mremap");
		exit(1);
	}
	pair = moved;
	abba.holders = &pair->holders;
}

#endif
