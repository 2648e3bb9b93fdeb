/* SPDX-License-Identifier: GPL-2.0 */
/* A robust mutex whose owner has ended with it. Lock order: the user's. */
#ifndef CORPUS_ROBUST_REPAIR_H
#define CORPUS_ROBUST_REPAIR_H

#include <errno.h>

#include "abba.h"

pthread_mutex_t mutex_robust;

static void *die_with_it(void *unused)
{
	pthread_mutex_lock(&mutex_robust);
	return unused;
}

/* Before the actors start. */
static inline void robust_orphan(void)
{
	pthread_t owner;

	abba_mutex(&mutex_robust, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 0);
	if (pthread_create(&owner, NULL, die_with_it, NULL) || pthread_join(owner, NULL)) {
		fputs("corpus: no owner\n", stderr);
		exit(1);
	}
}

#endif
