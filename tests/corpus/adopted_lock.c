// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of orphaned_lock: the owner ends with the mutex locked again and again, but it is a
 * robust one: the survivor is told so, repairs it and goes on.
 *
 * Invariant: a new owner is born only when the survivor has the mutex in order.
 *
 * Lock order: one lock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "libcorpus.h"

#define SLEEP_NS	(5 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_robust;

static void *owner(void *unused)
{
	if (pthread_mutex_lock(&mutex_robust) == EOWNERDEAD)
		pthread_mutex_consistent(&mutex_robust);
	corpus_sleep_until(corpus_now_ns() + SLEEP_NS);
	return unused;
}

static CORPUS_SITE bool append_entry(void)
{
	int err = pthread_mutex_trylock(&mutex_robust);

	if (err == EOWNERDEAD)
		err = pthread_mutex_consistent(&mutex_robust);
	if (err)
		return false;
	pthread_mutex_unlock(&mutex_robust);
	return true;
}

static void survivor(struct corpus_actor *self)
{
	pthread_t thread;
	bool got = true;

	while (!corpus_stopped()) {
		if (got && !pthread_create(&thread, NULL, owner, NULL))
			pthread_detach(thread);
		corpus_sleep_until(corpus_now_ns() + SLEEP_NS / 2);
		corpus_attempt(self);
		got = append_entry();
		if (got)
			corpus_complete(self);
		else
			corpus_fail(self);
	}
}

int main(void)
{
	pthread_mutexattr_t robust;

	if (pthread_mutexattr_init(&robust) ||
	    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST) ||
	    pthread_mutex_init(&mutex_robust, &robust)) {
		fputs("adopted_lock: no robust mutex\n", stderr);
		return 1;
	}
	corpus_add("survivor", 0, survivor);
	return corpus_run();
}
