/* SPDX-License-Identifier: GPL-2.0 */
/* Two priority-inheriting mutexes: their words hold the owner, and the kernel hands them over. */
#ifndef CORPUS_PI_PAIR_H
#define CORPUS_PI_PAIR_H

#include "abba.h"

pthread_mutex_t mutex_left, mutex_right;

static _Atomic uint64_t holders;

static void pi_lock(unsigned int side)
{
	pthread_mutex_lock(side ? &mutex_right : &mutex_left);
}

static void pi_unlock(unsigned int side)
{
	pthread_mutex_unlock(side ? &mutex_right : &mutex_left);
}

static inline void pi_pair_new(void)
{
	abba_mutex(&mutex_left, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, 0);
	abba_mutex(&mutex_right, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, 0);
	abba = (struct abba){ pi_lock, pi_unlock, &holders };
}

#endif
