/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two actors and two locks of whatever kind, left (0) and right (1): taken in opposite orders, so
 * that they deadlock, or in one.
 *
 * Invariant of the deadlock: both have their first before either asks for its second.
 */
#ifndef CORPUS_ABBA_H
#define CORPUS_ABBA_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcorpus.h"

#define ABBA_HOLD_NS	(1 * CORPUS_NSEC_PER_MSEC)

struct abba {
	void (*lock)(unsigned int side);
	void (*unlock)(unsigned int side);
	_Atomic uint64_t *holders;	/* who has its first; where all actors see it */
};

static struct abba abba;	/* written by main() before the actors start */

static CORPUS_SITE void lock_both(struct corpus_actor *self, unsigned int first)
{
	corpus_attempt(self);
	abba.lock(first);
	atomic_fetch_add(abba.holders, 1);
	if (!corpus_gate(abba.holders, 2))
		return;
	abba.lock(!first);
	corpus_complete(self);
	abba.unlock(!first);
	abba.unlock(first);
}

static inline void left_right(struct corpus_actor *self)
{
	lock_both(self, 0);
}

static inline void right_left(struct corpus_actor *self)
{
	lock_both(self, 1);
}

/* The healthy twin: left, then right. They often wait for each other. */
static inline void in_order(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		abba.lock(0);
		abba.lock(1);
		corpus_sleep_until(corpus_now_ns() + ABBA_HOLD_NS);
		abba.unlock(1);
		abba.unlock(0);
		corpus_complete(self);
		corpus_sleep_until(corpus_now_ns() + corpus_random(self) % ABBA_HOLD_NS);
	}
}

static inline void abba_mutex(pthread_mutex_t *mutex, int protocol, int robust, int shared)
{
	pthread_mutexattr_t kind;

	if (pthread_mutexattr_init(&kind) || pthread_mutexattr_setprotocol(&kind, protocol) ||
	    pthread_mutexattr_setrobust(&kind, robust) ||
	    pthread_mutexattr_setpshared(&kind, shared) || pthread_mutex_init(mutex, &kind)) {
		fputs("corpus: no mutex of this kind\n", stderr);
		exit(1);
	}
}

#endif
