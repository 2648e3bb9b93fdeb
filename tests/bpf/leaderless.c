// SPDX-License-Identifier: GPL-2.0
/*
 * A deadlock in a process whose first thread has ended: /proc shows that thread as a zombie, while
 * the others live on, stuck.
 *
 * Prints "ready PID" and stays blocked until its stdin ends.
 *
 * Lock order: deliberately none.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

pthread_mutex_t mutex_left = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_right = PTHREAD_MUTEX_INITIALIZER;

static _Atomic int holding;

static void *lock_both(void *arg)
{
	int me = *(int *)arg;

	pthread_mutex_lock(me ? &mutex_right : &mutex_left);
	holding++;
	while (holding < 2)
		poll(NULL, 0, 1);
	pthread_mutex_lock(me ? &mutex_left : &mutex_right);
	return NULL;
}

static void *wait_for_the_end(void *unused)
{
	while (holding < 2)
		poll(NULL, 0, 1);
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (getchar() != EOF)
		;
	_exit(0);
	return unused;
}

int main(void)
{
	static int which[2] = { 0, 1 };
	pthread_t thread;

	if (pthread_create(&thread, NULL, lock_both, &which[0]) ||
	    pthread_create(&thread, NULL, lock_both, &which[1]) ||
	    pthread_create(&thread, NULL, wait_for_the_end, NULL)) {
		fprintf(stderr, "leaderless: cannot start a thread\n");
		return 1;
	}
	pthread_exit(NULL);
}
