// SPDX-License-Identifier: GPL-2.0
/*
 * load.c - what the watchers of "make bench-probe" watch: does one thing for a time, says what it
 * cost.
 *
 * Usage:  load              reads lines "OP MS" and answers each with "OP CALLS NS_PER_CALL"
 *         load crowd N      N threads that wait on a futex, 20 times a second each, until killed
 *
 * OP: futex (a FUTEX_WAIT that fails at once), syscall (getppid), pair (lock and unlock a mutex),
 * trylock (try and unlock one), served (a request of some us, for which a mutex is tried).
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BATCH		64

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t word = 1;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void do_futex(void)
{
	/* The word is not 0: EAGAIN. */
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void do_syscall(void)
{
	syscall(SYS_getppid);
}

static void do_pair(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void do_trylock(void)
{
	if (!pthread_mutex_trylock(&mutex))
		pthread_mutex_unlock(&mutex);
}

static void do_served(void)
{
	for (volatile unsigned int i = 0; i < 5000; i++)
		;
	do_trylock();
}

static const struct op {
	const char *name;
	void (*once)(void);
} ops[] = {
	{ "futex", do_futex }, { "syscall", do_syscall },
	{ "pair", do_pair }, { "trylock", do_trylock },
	{ "served", do_served },
};

static int run(const char *name, unsigned int ms)
{
	uint64_t start = now_ns(), end = start + (uint64_t)ms * 1000000, calls = 0, now = start;
	const struct op *op = NULL;

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (!strcmp(ops[i].name, name))
			op = &ops[i];
	if (!op) {
		fprintf(stderr, "load: no operation \"%s\"\n", name);
		return 2;
	}
	while (now < end) {
		for (int i = 0; i < BATCH; i++)
			op->once();
		calls += BATCH;
		now = now_ns();
	}
	printf("%s %llu %.2f\n", name, (unsigned long long)calls,
	       (double)(now - start) / (double)calls);
	fflush(stdout);
	return 0;
}

static void *wait_often(void *arg)
{
	const struct timespec often = { .tv_nsec = 50000000 };
	uint32_t own = 0;

	for (;;)
		syscall(SYS_futex, &own, FUTEX_WAIT_PRIVATE, 0, &often, NULL, 0);
	return arg;
}

static int crowd(unsigned int n)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	while (n--) {
		int ret = pthread_create(&thread, &attr, wait_often, NULL);

		if (ret) {
			fprintf(stderr, "load: pthread_create: %s\n", strerror(ret));
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	char name[16];
	unsigned int ms;

	if (argc == 3 && !strcmp(argv[1], "crowd"))
		return crowd((unsigned int)atoi(argv[2]));
	while (scanf("%15s %u", name, &ms) == 2) {
		int ret = run(name, ms);

		if (ret)
			return ret;
	}
	return 0;
}
