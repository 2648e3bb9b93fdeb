// SPDX-License-Identifier: GPL-2.0
/*
 * late_livelock.c - two threads that get on for so many seconds, and then livelock until killed.
 *
 * Usage:  late_livelock SECONDS
 *
 * Invariant: of the livelock, in every round both hold their first mutex while either tries its
 * second, however late a wake-up is.
 *
 * Lock order: mutex 0, then 1; in the livelock deliberately none.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t mutex[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static atomic_ulong holds_first[2], tried_second[2];
static struct timespec end;

static void pause_ns(long ns)
{
	const struct timespec t = { .tv_nsec = ns };

	nanosleep(&t, NULL);
}

static int calm_is_over(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec);
}

static void gate(atomic_ulong *word, unsigned long value)
{
	while (atomic_load(word) < value)
		pause_ns(100000);
}

static void get_on(void)
{
	while (!calm_is_over()) {
		if (!pthread_mutex_trylock(&mutex[0])) {
			if (!pthread_mutex_trylock(&mutex[1]))
				pthread_mutex_unlock(&mutex[1]);
			pthread_mutex_unlock(&mutex[0]);
		}
		pause_ns(100000);
	}
}

static void *work(void *arg)
{
	int me = arg != NULL, peer = !me;

	get_on();
	for (unsigned long round = 1; ; round++) {
		if (pthread_mutex_trylock(&mutex[me]))
			abort();
		atomic_store(&holds_first[me], round);
		gate(&holds_first[peer], round);
		if (!pthread_mutex_trylock(&mutex[peer]))
			abort();
		atomic_store(&tried_second[me], round);
		gate(&tried_second[peer], round);
		pthread_mutex_unlock(&mutex[me]);
		pause_ns(3000000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 2) {
		fputs("usage: late_livelock SECONDS\n", stderr);
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += atoi(argv[1]);
	if (pthread_create(&thread, NULL, work, mutex))
		return 1;
	work(NULL);
	return 0;
}
