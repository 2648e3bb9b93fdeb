// SPDX-License-Identifier: GPL-2.0
/*
 * A deadlock between threads whose names attack whoever prints them: escape sequences, quotes, line
 * ends, bytes that are not UTF-8.
 *
 * Prints "ready PID TID TID" (the threads in the order of `names`) and stays blocked until its
 * stdin ends. cli.py knows the names.
 *
 * Lock order: deliberately none.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *const names[2] = { "\x1b[31m\"red\"\\\n\r", "\xff\x9b" "2J</b>'\xc3(\t\x7f" };

pthread_mutex_t mutex_left = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_right = PTHREAD_MUTEX_INITIALIZER;

static _Atomic int tids[2], holding;

static void *lock_both(void *arg)
{
	int me = *(int *)arg;

	prctl(PR_SET_NAME, names[me]);
	tids[me] = gettid();
	pthread_mutex_lock(me ? &mutex_right : &mutex_left);
	holding++;
	while (holding < 2)
		poll(NULL, 0, 1);
	pthread_mutex_lock(me ? &mutex_left : &mutex_right);
	return NULL;
}

int main(void)
{
	static int which[2] = { 0, 1 };
	pthread_t thread;

	prctl(PR_SET_NAME, "\x1b]0;owned\x07");
	if (pthread_create(&thread, NULL, lock_both, &which[0]) ||
	    pthread_create(&thread, NULL, lock_both, &which[1])) {
		fprintf(stderr, "hostile: cannot start a thread\n");
		return 1;
	}
	while (holding < 2)
		poll(NULL, 0, 1);
	printf("ready %d %d %d\n", getpid(), tids[0], tids[1]);
	fflush(stdout);
	while (getchar() != EOF)
		;
	_exit(0);
}
