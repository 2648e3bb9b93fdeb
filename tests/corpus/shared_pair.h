/* SPDX-License-Identifier: GPL-2.0 */
/* Two process-shared mutexes in memory that the actors' processes share. Lock order: the user's. */
#ifndef CORPUS_SHARED_PAIR_H
#define CORPUS_SHARED_PAIR_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcorpus.h"

struct shared_pair {
	pthread_mutex_t left, right;
	_Atomic uint64_t holders;	/* for gates: who has its first */
};

static inline struct shared_pair *shared_pair_new(void)
{
	struct shared_pair *pair = corpus_shared(sizeof(*pair));
	pthread_mutexattr_t shared;

	if (pthread_mutexattr_init(&shared) ||
	    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) ||
	    pthread_mutex_init(&pair->left, &shared) || pthread_mutex_init(&pair->right, &shared)) {
		fputs("corpus: no process-shared mutex\n", stderr);
		exit(1);
	}
	return pair;
}

#endif
