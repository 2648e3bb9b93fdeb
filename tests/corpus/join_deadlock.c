// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlock of a mutex and a pthread_join: who stops a worker waits for its end with `mutex_jobs`
 * locked, and the worker needs that once more to come to its end.
 *
 * Invariant: the worker asks for the mutex only when it is locked.
 *
 * Lock order: one lock. The end of a thread is waited for like a lock that this thread has.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "libcorpus.h"

pthread_mutex_t mutex_jobs = PTHREAD_MUTEX_INITIALIZER;

static CORPUS_SITE void *take_last_job(void *arg)
{
	pthread_setname_np(pthread_self(), "worker");
	pthread_mutex_lock(&mutex_jobs);
	pthread_mutex_unlock(&mutex_jobs);
	return arg;
}

static CORPUS_SITE void stop_worker(struct corpus_actor *self)
{
	pthread_t worker;

	corpus_attempt(self);
	pthread_mutex_lock(&mutex_jobs);
	if (!pthread_create(&worker, NULL, take_last_job, NULL))
		pthread_join(worker, NULL);
	corpus_complete(self);
	pthread_mutex_unlock(&mutex_jobs);
}

int main(void)
{
	corpus_add("stopper", 0, stop_worker);
	return corpus_run();
}
