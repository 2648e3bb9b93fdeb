// SPDX-License-Identifier: GPL-2.0
/*
 * A program whose threads do an exact number of things that the probes count, and say so.
 *
 * Protocol, on stdin and stdout: it prints "ready PID" and waits for a line (attach the probes
 * now); then every thread does its work and stops in pause(), and it prints one line per thread
 * with the tid and what must have been counted, then "done"; it ends at the end of stdin.
 *
 * Invariants: a thread does nothing that a probe sees except its work: they wait for the start in
 * read(2), they end in pause(2), and nobody is joined. The numbers are primes, so that no count
 * can pass for another. Counters in `struct work` are written by their thread only.
 *
 * Lock order: `mutex_held` is taken once, by the holder, before "ready"; all others only try it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NR_futex_waitv	449
#define NR_futex_wake	454
#define NR_futex_wait	455
#define ANY_BIT		0xffffffffUL

enum {
	EAGAINS = 1009,
	WAITV_EAGAINS = 211,
	FUTEX2_EAGAINS = 107,
	FUTEX2_WAKES = 89,
	TIMEOUTS = 13,
	WAKES = 503,
	YIELDS = 2003,
	NANOSLEEPS = 17,
	CLOCK_NANOSLEEPS = 19,
	TRIES_OK = 401,
	TRIES_FAILED = 307,
	ROLLBACKS = 103,
	PAIRS = 97,
};

/* What must have been counted for one thread. */
struct work {
	const char *name;
	void (*fn)(struct work *w);
	int late;			/* born after "ready": after the probes were attached */
	_Atomic int tid;
	unsigned long yields, sleeps, waits, wakes, eagain, timeout, try_ok, try_fail;
	unsigned long aborts, commits;
	const void *word;		/* the futex word or mutex it worked on */
	const void *held;		/* a mutex it held meanwhile */
	const void *fn_site;		/* function that must be in the stack */
};

pthread_mutex_t mutex_held = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_free = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_first = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_outer = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t mutex_inner = PTHREAD_MUTEX_INITIALIZER;

static _Atomic uint32_t word_eagain = 1, word_waitv = 1, word_futex2 = 1, word_timeout, word_wake;
static int go_pipe[2];
static _Atomic int holder_ready, finished;

static void do_eagain(struct work *w)
{
	int i;

	for (i = 0; i < EAGAINS; i++)
		if (syscall(SYS_futex, &word_eagain, FUTEX_WAIT_PRIVATE, 0, NULL) == -1 &&
		    errno == EAGAIN)
			w->eagain++;
	w->waits = EAGAINS;
	w->word = &word_eagain;
}

static void do_waitv(struct work *w)
{
	struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} v = { .val = 0, .uaddr = (uintptr_t)&word_waitv, .flags = 2 | FUTEX_PRIVATE_FLAG };
	int i;

	w->word = &word_waitv;
	for (i = 0; i < WAITV_EAGAINS; i++) {
		syscall(NR_futex_waitv, &v, 1, 0, NULL, CLOCK_MONOTONIC);
		if (errno == ENOSYS)
			return;		/* before 5.16 */
		w->waits++;
		w->eagain += errno == EAGAIN;
	}
}

static void do_futex2(struct work *w)
{
	int i;

	w->word = &word_futex2;
	for (i = 0; i < FUTEX2_EAGAINS; i++) {
		syscall(NR_futex_wait, &word_futex2, 0UL, ANY_BIT, 2 | FUTEX_PRIVATE_FLAG, NULL,
			CLOCK_MONOTONIC);
		if (errno == ENOSYS)
			return;		/* before 6.7 */
		w->waits++;
		w->eagain += errno == EAGAIN;
	}
	for (i = 0; i < FUTEX2_WAKES; i++)
		syscall(NR_futex_wake, &word_futex2, ANY_BIT, 1, 2 | FUTEX_PRIVATE_FLAG);
	w->wakes = FUTEX2_WAKES;
}

static void do_timeout(struct work *w)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < TIMEOUTS; i++)
		if (syscall(SYS_futex, &word_timeout, FUTEX_WAIT_PRIVATE, 0, &ms) == -1 &&
		    errno == ETIMEDOUT)
			w->timeout++;
	w->waits = TIMEOUTS;
	w->word = &word_timeout;
}

static void do_wake(struct work *w)
{
	int i;

	for (i = 0; i < WAKES; i++)
		syscall(SYS_futex, &word_wake, FUTEX_WAKE_PRIVATE, 1);
	w->wakes = WAKES;
	w->word = &word_wake;
}

static void do_yield(struct work *w)
{
	int i;

	for (i = 0; i < YIELDS; i++)
		sched_yield();
	w->yields = YIELDS;
}

static void do_sleep(struct work *w)
{
	struct timespec us = { .tv_nsec = 1000 };
	int i;

	for (i = 0; i < NANOSLEEPS; i++)
		syscall(SYS_nanosleep, &us, NULL);
	for (i = 0; i < CLOCK_NANOSLEEPS; i++)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &us, NULL);
	w->sleeps = NANOSLEEPS + CLOCK_NANOSLEEPS;
}

static void do_try_ok(struct work *w)
{
	int i;

	for (i = 0; i < TRIES_OK; i++) {
		if (pthread_mutex_trylock(&mutex_free) == 0) {
			w->try_ok++;
			pthread_mutex_unlock(&mutex_free);
		}
	}
	w->commits = TRIES_OK;
	w->word = &mutex_free;
}

static void do_try_fail(struct work *w)
{
	int i;

	for (i = 0; i < TRIES_FAILED; i++)
		if (pthread_mutex_trylock(&mutex_held) == EBUSY)
			w->try_fail++;
	w->word = &mutex_held;
}

static __attribute__((__noinline__)) int roll_back_once(struct work *w)
{
	int busy;

	if (pthread_mutex_trylock(&mutex_first))
		return 0;
	w->try_ok++;
	busy = pthread_mutex_trylock(&mutex_held) == EBUSY;
	w->try_fail += (unsigned long)busy;
	pthread_mutex_unlock(&mutex_first);
	return busy;
}

static void do_rollback(struct work *w)
{
	int i;

	for (i = 0; i < ROLLBACKS; i++)
		w->aborts += (unsigned long)roll_back_once(w);
	w->word = &mutex_held;
	w->held = &mutex_first;
	w->fn_site = roll_back_once;
}

static void do_pairs(struct work *w)
{
	int i;

	for (i = 0; i < PAIRS; i++) {
		if (pthread_mutex_trylock(&mutex_outer))
			continue;
		w->try_ok++;
		if (pthread_mutex_trylock(&mutex_inner) == 0) {
			w->try_ok++;
			w->commits++;
			pthread_mutex_unlock(&mutex_inner);
		}
		pthread_mutex_unlock(&mutex_outer);
	}
	w->word = &mutex_inner;
	w->held = &mutex_outer;
}

static struct work works[] = {
	{ .name = "eagain", .fn = do_eagain },
	{ .name = "waitv", .fn = do_waitv },
	{ .name = "futex2", .fn = do_futex2 },
	{ .name = "timeout", .fn = do_timeout },
	{ .name = "wake", .fn = do_wake },
	{ .name = "yield", .fn = do_yield },
	{ .name = "sleep", .fn = do_sleep },
	{ .name = "try_ok", .fn = do_try_ok },
	{ .name = "try_fail", .fn = do_try_fail },
	{ .name = "rollback", .fn = do_rollback },
	{ .name = "pairs", .fn = do_pairs },
	{ .name = "late_eagain", .fn = do_eagain, .late = 1 },
	{ .name = "late_try_fail", .fn = do_try_fail, .late = 1 },
};

#define NR_WORKS	((int)(sizeof(works) / sizeof(works[0])))

static void *work_main(void *arg)
{
	struct work *w = arg;
	char byte;

	prctl(PR_SET_NAME, w->name);
	w->tid = gettid();
	/* the end of the pipe is the start: main closes the other side */
	while (read(go_pipe[0], &byte, 1) > 0)
		;
	w->fn(w);
	finished++;
	for (;;)
		pause();
	return NULL;
}

static void *holder_main(void *arg)
{
	struct work *w = arg;

	prctl(PR_SET_NAME, w->name);
	w->tid = gettid();
	pthread_mutex_lock(&mutex_held);
	w->word = &mutex_held;
	holder_ready = 1;
	for (;;)
		pause();
	return NULL;
}

/* Blocks before the probes are attached, and stays blocked. */
static void *waiter_main(void *arg)
{
	struct work *w = arg;

	prctl(PR_SET_NAME, w->name);
	w->word = &mutex_held;
	w->tid = gettid();
	pthread_mutex_lock(&mutex_held);
	return NULL;
}

static void start(void *(*fn)(void *), struct work *w)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, fn, w);

	if (err) {
		fprintf(stderr, "actions: pthread_create: error %d\n", err);
		exit(1);
	}
	while (!w->tid)
		poll(NULL, 0, 1);
}

static void print_work(const struct work *w)
{
	printf("thread name=%s tid=%d yields=%lu sleeps=%lu waits=%lu wakes=%lu",
	       w->name, w->tid, w->yields, w->sleeps, w->waits, w->wakes);
	printf(" eagain=%lu timeout=%lu", w->eagain, w->timeout);
	printf(" try_ok=%lu try_fail=%lu aborts=%lu commits=%lu word=%llu held=%llu site=%llu\n",
	       w->try_ok, w->try_fail, w->aborts, w->commits,
	       (unsigned long long)(uintptr_t)w->word, (unsigned long long)(uintptr_t)w->held,
	       (unsigned long long)(uintptr_t)w->fn_site);
}

int main(void)
{
	struct work holder = { .name = "holder" }, waiter = { .name = "waiter" };
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (pipe(go_pipe)) {
		perror("actions: pipe");
		return 1;
	}
	start(holder_main, &holder);
	while (!holder_ready)
		poll(NULL, 0, 1);
	start(waiter_main, &waiter);
	poll(NULL, 0, 50);	/* until it is blocked; a thread cannot say that of itself */
	for (i = 0; i < NR_WORKS; i++)
		if (!works[i].late)
			start(work_main, &works[i]);
	printf("ready %d\n", getpid());
	if (getchar() == EOF)
		return 1;
	close(go_pipe[1]);
	for (i = 0; i < NR_WORKS; i++)
		if (works[i].late)
			start(work_main, &works[i]);
	while (finished < NR_WORKS)
		poll(NULL, 0, 1);
	for (i = 0; i < NR_WORKS; i++)
		print_work(&works[i]);
	print_work(&holder);
	print_work(&waiter);
	printf("done\n");
	while (getchar() != EOF)
		;
	_exit(0);
}
