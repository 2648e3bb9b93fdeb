// SPDX-License-Identifier: GPL-2.0
/*
 * crowd.c - many processes with many threads that hardly do anything: each waits on a futex of its
 * own for a second, again and again. "crowd PROCESSES THREADS" says "ready" when all are there, and
 * they end with it.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *idle(void *arg)
{
	uint32_t word = 0;

	(void)arg;
	for (;;) {
		struct timespec second = { .tv_sec = 1 };

		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &second, NULL, 0);
	}
	return NULL;
}

static void be_many(int threads, int ready)
{
	pthread_attr_t small;
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread, &small, idle, NULL))
			_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	idle(NULL);
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 1, threads = argc > 2 ? atoi(argv[2]) : 1;
	int ready[2];
	char byte;

	if (pipe(ready))
		return 1;
	for (int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid)
			be_many(threads, ready[1]);
	}
	for (int i = 0; i < processes; i++)
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}
