// SPDX-License-Identifier: GPL-2.0
/*
 * The shortest deadlock: a function that takes `mutex_log` calls another that takes it too.
 *
 * Lock order: one lock, taken twice by the same thread.
 */
#include <pthread.h>

#include "libcorpus.h"

pthread_mutex_t mutex_log = PTHREAD_MUTEX_INITIALIZER;

static CORPUS_SITE void append_line(struct corpus_actor *self)
{
	pthread_mutex_lock(&mutex_log);
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

int main(void)
{
	corpus_add("logger", 0, rotate_log);
	return corpus_run();
}
