// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of stalled_holder: the holder still waits for a request with the mutex held, and
 * none ever comes, but it gives up after a time and lets the others in.
 *
 * Invariant: between two waits it sleeps with the mutex free, so that the waiters get it.
 *
 * Lock order: one lock.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "libcorpus.h"

#define WAIT_MS		20
#define FREE_NS		(20 * CORPUS_NSEC_PER_MSEC)
#define USE_NS		(1 * CORPUS_NSEC_PER_MSEC)

pthread_mutex_t mutex_shared = PTHREAD_MUTEX_INITIALIZER;

static int request_pipe[2];

static void holder(struct corpus_actor *self)
{
	struct pollfd request = { .fd = request_pipe[0], .events = POLLIN };

	while (!corpus_stopped()) {
		corpus_attempt(self);
		pthread_mutex_lock(&mutex_shared);
		poll(&request, 1, WAIT_MS);
		pthread_mutex_unlock(&mutex_shared);
		corpus_complete(self);
		corpus_sleep_until(corpus_now_ns() + FREE_NS);
	}
}

static void waiter(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		pthread_mutex_lock(&mutex_shared);
		corpus_sleep_until(corpus_now_ns() + USE_NS);
		corpus_complete(self);
		pthread_mutex_unlock(&mutex_shared);
		corpus_sleep_until(corpus_now_ns() + USE_NS);
	}
}

int main(void)
{
	if (pipe(request_pipe)) {
		perror("holder_timeout: pipe");
		return 1;
	}
	corpus_add("holder", 0, holder);
	corpus_add("waiter_1", 1, waiter);
	corpus_add("waiter_2", 0, waiter);
	corpus_add("waiter_3", 1, waiter);
	return corpus_run();
}
