// SPDX-License-Identifier: GPL-2.0
/*
 * Stalled holder: one thread takes `mutex_shared` and then reads from a pipe into which nobody
 * ever writes; three others wait for the mutex. There is no cycle of locks: the culprit is the
 * holder.
 *
 * Invariant: the waiters start after the holder has the mutex. The write end of the pipe stays
 * open in this process, so the read blocks for ever instead of seeing the end of the file.
 *
 * Lock order: one lock.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "libcorpus.h"

pthread_mutex_t mutex_shared = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint64_t held;	/* written by the holder: 1 when it has the mutex */
static int request_pipe[2];

static CORPUS_SITE void wait_for_request(struct corpus_actor *self)
{
	char request;

	if (read(request_pipe[0], &request, 1) == 1)
		corpus_complete(self);
}

static void holder(struct corpus_actor *self)
{
	corpus_attempt(self);
	pthread_mutex_lock(&mutex_shared);
	atomic_store(&held, 1);
	wait_for_request(self);
	pthread_mutex_unlock(&mutex_shared);
}

static void waiter(struct corpus_actor *self)
{
	if (!corpus_gate(&held, 1))
		return;
	corpus_attempt(self);
	pthread_mutex_lock(&mutex_shared);
	corpus_complete(self);
	pthread_mutex_unlock(&mutex_shared);
}

int main(void)
{
	if (pipe(request_pipe)) {
		perror("stalled_holder: pipe");
		return 1;
	}
	corpus_add("holder", 0, holder);
	corpus_add("waiter_1", 1, waiter);
	corpus_add("waiter_2", 0, waiter);
	corpus_add("waiter_3", 1, waiter);
	return corpus_run();
}
