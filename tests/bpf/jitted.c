// SPDX-License-Identifier: GPL-2.0
/*
 * jitted.c - a thread that polls a mutex from code that it has made itself, as a compiler at run
 * time does, and names for that code in /tmp/perf-PID.map.
 *
 * Says "ready PID". Whoever runs it removes the file.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex_jit = PTHREAD_MUTEX_INITIALIZER;

/* push rbp; mov rbp,rsp; call rdi; pop rbp; ret */
static const unsigned char stub[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };

static void __attribute__((noinline)) poll_mutex(void)
{
	struct timespec pause = { .tv_nsec = 2000000 };

	for (;;) {
		if (!pthread_mutex_trylock(&mutex_jit))
			pthread_mutex_unlock(&mutex_jit);
		nanosleep(&pause, NULL);
	}
}

static void *poller(void *code)
{
	void (*call)(void (*fn)(void));

	memcpy(&call, &code, sizeof(call));
	call(poll_mutex);
	return NULL;
}

static void *take_and_end(void *arg)
{
	pthread_mutex_lock(&mutex_jit);
	return arg;
}

int main(void)
{
	unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);
	pthread_t thread;
	char map_path[64];
	FILE *map;

	if (code == MAP_FAILED)
		return 1;
	memcpy(code, stub, sizeof(stub));
	if (mprotect(code, 4096, PROT_READ | PROT_EXEC))
		return 1;
	snprintf(map_path, sizeof(map_path), "/tmp/perf-%d.map", getpid());
	map = fopen(map_path, "we");
	if (!map)
		return 1;
	fprintf(map, "%lx %zx LBank;::transfer from compiled code\n", (unsigned long)code,
		sizeof(stub));
	if (fclose(map))
		return 1;
	if (pthread_create(&thread, NULL, take_and_end, NULL) || pthread_join(thread, NULL) ||
	    pthread_create(&thread, NULL, poller, code))
		return 1;
	printf("ready %d\n", getpid());
	fflush(stdout);
	getchar();
	return 0;
}
