// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of join_deadlock: the same, but the mutex is unlocked before the worker is waited
 * for. Workers come and go, and someone always waits for the end of one.
 *
 * Lock order: one lock, and no wait for a thread while it is held.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "libcorpus.h"

#define JOB_NS	(1 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_jobs = PTHREAD_MUTEX_INITIALIZER;

static CORPUS_SITE void *take_last_job(void *arg)
{
	pthread_setname_np(pthread_self(), "worker");
	pthread_mutex_lock(&mutex_jobs);
	corpus_sleep_until(corpus_now_ns() + JOB_NS);
	pthread_mutex_unlock(&mutex_jobs);
	return arg;
}

static CORPUS_SITE void stop_workers(struct corpus_actor *self)
{
	pthread_t worker;
	int err;

	while (!corpus_stopped()) {
		corpus_attempt(self);
		pthread_mutex_lock(&mutex_jobs);
		err = pthread_create(&worker, NULL, take_last_job, NULL);
		corpus_sleep_until(corpus_now_ns() + JOB_NS);
		pthread_mutex_unlock(&mutex_jobs);
		if (!err)
			pthread_join(worker, NULL);
		corpus_complete(self);
	}
}

int main(void)
{
	corpus_add("stopper_0", 0, stop_workers);
	corpus_add("stopper_1", 1, stop_workers);
	return corpus_run();
}
