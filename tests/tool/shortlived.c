// SPDX-License-Identifier: GPL-2.0
/*
 * shortlived.c - threads or processes that come, do little and go, one after the other.
 *
 * Usage:  shortlived threads|processes|forks NUMBER SECONDS
 *
 * Threads make three futex calls, processes are such a thread, forks do nothing. All end their
 * work: there is nothing to find in it. Prints how many there were until one of the two was
 * reached.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int word;

/* Nobody waits: the call comes back at once. */
static void *live(void *arg)
{
	for (int i = 0; i < 3; i++)
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return arg;
}

static int one_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, live, NULL) || pthread_join(t, NULL);
}

static int one_process(int (*work)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(work ? work() : 0);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

static int one(const char *what)
{
	if (!strcmp(what, "threads"))
		return one_thread();
	return one_process(strcmp(what, "forks") ? one_thread : NULL);
}

int main(int argc, char **argv)
{
	int nr = argc == 4 ? atoi(argv[2]) : 0, i;
	time_t end = time(NULL) + (nr ? atoi(argv[3]) : 0);

	for (i = 0; i < nr && time(NULL) < end; i++)
		if (one(argv[1]))
			return 1;
	printf("%d\n", i);
	return i ? 0 : 2;
}
