// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of self_deadlock: the same calls, with a recursive mutex, by two threads.
 *
 * Lock order: one lock, taken twice by the same thread.
 */
#include <pthread.h>
#include <stdio.h>

#include "libcorpus.h"

#define WORK_NS		(CORPUS_NSEC_PER_MSEC / 5)

pthread_mutex_t mutex_log;

static CORPUS_SITE void append_line(struct corpus_actor *self)
{
	pthread_mutex_lock(&mutex_log);
	corpus_work(WORK_NS);
	corpus_complete(self);
	pthread_mutex_unlock(&mutex_log);
}

static CORPUS_SITE void rotate_log(struct corpus_actor *self)
{
	corpus_attempt(self);
	pthread_mutex_lock(&mutex_log);
	append_line(self);
	pthread_mutex_unlock(&mutex_log);
}

static void logger(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		rotate_log(self);
		corpus_sleep_until(corpus_now_ns() + corpus_random(self) % WORK_NS);
	}
}

int main(void)
{
	pthread_mutexattr_t recursive;

	if (pthread_mutexattr_init(&recursive) ||
	    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE) ||
	    pthread_mutex_init(&mutex_log, &recursive)) {
		fputs("recursive_lock: no recursive mutex\n", stderr);
		return 1;
	}
	corpus_add("logger_1", 0, logger);
	corpus_add("logger_2", 1, logger);
	return corpus_run();
}
