// SPDX-License-Identifier: GPL-2.0
/*
 * shortlived.c - threads or processes that come, do little and go.
 *
 * Usage:  shortlived threads|processes|forks NUMBER SECONDS
 *
 * Threads make three futex calls each and come in batches, from two threads; processes are such a
 * thread, forks do nothing, both one after the other. All end their work: there is nothing to find
 * in it. Prints how many there were until one of the two was reached.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAKERS = 2, BATCH = 16 };

static int word;
static time_t end;

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

/* Makes threads until there were enough of them; its part of the number, then how many it made. */
static void *make_threads(void *arg)
{
	int *nr = arg, made = 0;
	pthread_t batch[BATCH];
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
	while (made < *nr && time(NULL) < end) {
		int n = 0, want = *nr - made < BATCH ? *nr - made : BATCH;

		while (n < want && !pthread_create(&batch[n], &small, live, NULL))
			n++;
		for (int i = 0; i < n; i++)
			pthread_join(batch[i], NULL);
		made += n;
	}
	pthread_attr_destroy(&small);
	*nr = made;
	return NULL;
}

static int many_threads(int nr)
{
	int parts[MAKERS], made = 0;
	pthread_t makers[MAKERS];

	for (int i = 0; i < MAKERS; i++) {
		parts[i] = nr / MAKERS + (i < nr % MAKERS);
		if (pthread_create(&makers[i], NULL, make_threads, &parts[i]))
			return -1;
	}
	for (int i = 0; i < MAKERS; i++) {
		pthread_join(makers[i], NULL);
		made += parts[i];
	}
	return made;
}

static int one_process(int (*work)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(work ? work() : 0);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

static int many_processes(int nr, int (*work)(void))
{
	int made = 0;

	while (made < nr && time(NULL) < end) {
		if (one_process(work))
			return -1;
		made++;
	}
	return made;
}

int main(int argc, char **argv)
{
	int nr = argc == 4 ? atoi(argv[2]) : 0, made;

	end = time(NULL) + (nr ? atoi(argv[3]) : 0);
	if (nr && !strcmp(argv[1], "threads"))
		made = many_threads(nr);
	else
		made = many_processes(nr, nr && strcmp(argv[1], "forks") ? one_thread : NULL);
	if (made < 0)
		return 1;
	printf("%d\n", made);
	return made ? 0 : 2;
}
