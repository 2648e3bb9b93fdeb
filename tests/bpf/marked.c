// SPDX-License-Identifier: GPL-2.0
/*
 * marked.c - passes markers an exact number of times: of headway/sdt.h, of a note of its own that
 * has a semaphore, functions, and a system call.
 *
 * Built whole, or as a library (-DMARKED_LIB) and a program that uses it (-DMARKED_MAIN), in C and
 * in C++. Usage: marked [LIBRARY]: a library to dlopen instead. Says "ready PID TID TID", works at
 * each line that it reads, says "done SEEN" (how often the semaphore was raised), and ends with its
 * input.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <headway/sdt.h>

/* Thread 0 and 1: attempts each; the first half of them of thread 0 are progress. */
#define ATTEMPTS	200
#ifdef __clang__
#define NOT_INLINED	__attribute__((__noinline__, __visibility__("default")))
#else
#define NOT_INLINED	__attribute__((__noinline__, __noclone__, __visibility__("default")))
#endif

#ifdef __cplusplus
namespace pool {
NOT_INLINED void finish(int i);
}
extern "C" {
#endif
void work_begin(int i);
void work_done(int i);
int marked_work(int thread);
#ifdef __cplusplus
}
#endif

#ifndef MARKED_MAIN
/* A reference counter that whoever watches the probe "guarded" raises, in its own section. */
__attribute__((section(".probes"), used)) volatile unsigned short marked_semaphore;

#define GUARDED()							\
	__asm__ __volatile__(						\
		"781:\tnop\n"						\
		"\t.pushsection .note.stapsdt,\"?\",\"note\"\n"		\
		"\t.balign 4\n\t.4byte 783f-782f, 785f-784f, 3\n"	\
		"782:\t.asciz \"stapsdt\"\n"				\
		"783:\t.balign 4\n"					\
		"784:\t.8byte 781b, _.stapsdt.base, marked_semaphore\n"	\
		"\t.asciz \"marked\"\n\t.asciz \"guarded\"\n\t.asciz \"\"\n" \
		"785:\t.balign 4\n\t.popsection\n")

NOT_INLINED void work_begin(int i)
{
	HEADWAY_ATTEMPT(work);
	__asm__ __volatile__("" : : "r"(i));
}

NOT_INLINED void work_done(int i)
{
	HEADWAY_PROGRESS(work);
	__asm__ __volatile__("" : : "r"(i));
}

#ifdef __cplusplus
NOT_INLINED void pool::finish(int i)
{
	__asm__ __volatile__("" : : "r"(i));
}
#endif

/* How often the semaphore was raised. */
NOT_INLINED int marked_work(int thread)
{
	int seen = 0, i;

	for (i = 0; i < ATTEMPTS; i++) {
		work_begin(i);
		if (marked_semaphore) {
			seen++;
			GUARDED();
		}
		if (thread || i >= ATTEMPTS / 2)
			continue;
		work_done(i);
#ifdef __cplusplus
		pool::finish(i);
#endif
		syscall(SYS_getppid);
	}
	return seen;
}
#endif

#ifndef MARKED_LIB
static int (*work)(int thread);
static pthread_barrier_t start, end;
static volatile int tids[2], seen[2];

static void *worker(void *arg)
{
	int thread = (int)(long)arg;

	tids[thread] = (int)syscall(SYS_gettid);
	pthread_barrier_wait(&end);
	for (;;) {
		pthread_barrier_wait(&start);
		seen[thread] = work(thread);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

#ifdef MARKED_DLOPEN
static void load(const char *library)
{
	void *lib = dlopen(library, RTLD_NOW);

	if (lib)
		work = (int (*)(int))dlsym(lib, "marked_work");
	if (!work) {
		fprintf(stderr, "%s: %s\n", library, dlerror());
		exit(1);
	}
}
#endif

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	pthread_t thread;
	int c;

#ifndef MARKED_DLOPEN
	work = marked_work;
#endif
	pthread_barrier_init(&start, NULL, 3);
	pthread_barrier_init(&end, NULL, 3);
	for (long i = 0; i < 2; i++)
		pthread_create(&thread, NULL, worker, (void *)i);
	pthread_barrier_wait(&end);
	printf("ready %d %d %d\n", getpid(), tids[0], tids[1]);
	fflush(stdout);
	while ((c = getchar()) != EOF) {
#ifdef MARKED_DLOPEN
		if (c == 'l') {
			load(argv[argc - 1]);
			continue;
		}
#endif
		if (c != '\n')
			continue;
		pthread_barrier_wait(&start);
		pthread_barrier_wait(&end);
		printf("done %d\n", seen[0] + seen[1]);
		fflush(stdout);
	}
	return 0;
}
#endif
