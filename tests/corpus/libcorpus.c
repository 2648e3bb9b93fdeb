// SPDX-License-Identifier: GPL-2.0
/*
 * Counters, pinning, start gate and end of the corpus programs. See libcorpus.h for the
 * invariants.
 *
 * Lock order: none; the actors meet in atomics only.
 */
#define _GNU_SOURCE
#include "libcorpus.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define START_POLL_NS	(1 * CORPUS_NSEC_PER_MSEC)
#define GATE_POLL_NS	(CORPUS_NSEC_PER_MSEC / 2)
#define END_GRACE_NS	(300 * CORPUS_NSEC_PER_MSEC)
#define SECONDS_DEFAULT	10.0
#define SECONDS_MAX	3600.0

/* judge.py reads the file with these offsets. */
_Static_assert(sizeof(struct corpus_actor) == 64, "judge.py: size of an actor");
_Static_assert(offsetof(struct corpus_actor, tid) == 24, "judge.py: tid");
_Static_assert(offsetof(struct corpus_actor, name) == 32, "judge.py: name");
_Static_assert(offsetof(struct corpus_counters, actor) == 64, "judge.py: first actor");

struct actor_start {
	struct corpus_actor *actor;
	corpus_fn fn;
	int cpu;
};

static struct corpus_counters private_counters;
static struct corpus_counters *counters = &private_counters;
static struct actor_start starts[CORPUS_ACTORS_MAX];
static unsigned int nr_actors;
static bool as_processes;
static pid_t children[CORPUS_ACTORS_MAX];

static void die(const char *what, int error)
{
	fprintf(stderr, "corpus: %s: %s\n", what, strerror(error));
	exit(1);
}

uint64_t corpus_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CORPUS_NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t corpus_grid_ns(uint64_t n, uint64_t period_ns)
{
	return atomic_load_explicit(&counters->epoch_ns, memory_order_relaxed) + n * period_ns;
}

void corpus_sleep_until(uint64_t when_ns)
{
	struct timespec when = {
		.tv_sec = (time_t)(when_ns / CORPUS_NSEC_PER_SEC),
		.tv_nsec = (long)(when_ns % CORPUS_NSEC_PER_SEC),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		;
}

bool corpus_gate(_Atomic uint64_t *word, uint64_t value)
{
	while (atomic_load(word) < value) {
		if (corpus_stopped())
			return false;
		corpus_sleep_until(corpus_now_ns() + GATE_POLL_NS);
	}
	return !corpus_stopped();
}

bool corpus_stopped(void)
{
	return atomic_load_explicit(&counters->stop, memory_order_relaxed);
}

void corpus_work(uint64_t ns)
{
	uint64_t end = corpus_now_ns() + ns;

	while (corpus_now_ns() < end)
		;
}

uint64_t corpus_random(struct corpus_actor *self)
{
	/* xorshift64*: small, and good enough to break a phase */
	uint64_t x = self->seed;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	self->seed = x;
	return (x * 0x2545f4914f6cdd1dULL) >> 32;
}

/* The @wanted-th CPU that the process may use, so that cpusets without CPU 0 work too. */
static int allowed_cpu(unsigned int wanted)
{
	cpu_set_t set;
	int cpu, count;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity", errno);
	count = CPU_COUNT(&set);
	wanted %= (unsigned int)count;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && wanted-- == 0)
			return cpu;
	die("no CPU in the affinity mask", EINVAL);
	return -1;
}

void corpus_add(const char *name, unsigned int cpu, corpus_fn fn)
{
	struct actor_start *start = &starts[nr_actors];

	if (nr_actors == CORPUS_ACTORS_MAX)
		die("too many actors", ENOSPC);
	start->fn = fn;
	start->cpu = allowed_cpu(cpu);
	/* private until corpus_run() maps the file and copies them */
	start->actor = &private_counters.actor[nr_actors];
	start->actor->index = nr_actors;
	start->actor->seed = 0x9e3779b97f4a7c15ULL * (nr_actors + 1);
	snprintf(start->actor->name, sizeof(start->actor->name), "%s", name);
	nr_actors++;
}

void *corpus_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap of shared memory", errno);
	return memory;
}

static void map_counters(void)
{
	const char *path = getenv("CORPUS_COUNTERS");
	unsigned int i;
	int fd;

	if (path && *path) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			die(path, errno);
		if (ftruncate(fd, sizeof(*counters)))
			die("ftruncate of the counters", errno);
		counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (counters == MAP_FAILED)
			die("mmap of the counters", errno);
		close(fd);
	} else {
		counters = corpus_shared(sizeof(*counters));
	}
	memcpy(counters, &private_counters, sizeof(*counters));
	for (i = 0; i < nr_actors; i++)
		starts[i].actor = &counters->actor[i];
	counters->pid = (uint32_t)getpid();
	counters->actors = nr_actors;
}

static double wanted_seconds(void)
{
	const char *text = getenv("CORPUS_SECONDS");
	double seconds = SECONDS_DEFAULT;
	char *end;

	if (text && *text) {
		seconds = strtod(text, &end);
		if (*end || !(seconds > 0 && seconds <= SECONDS_MAX)) {
			fprintf(stderr, "corpus: CORPUS_SECONDS=%s: want seconds, 0 < n <= %.0f\n",
				text, SECONDS_MAX);
			exit(2);
		}
	}
	return seconds;
}

static void *actor_main(void *arg)
{
	struct actor_start *start = arg;
	cpu_set_t set;
	int err;

	CPU_ZERO(&set);
	CPU_SET(start->cpu, &set);
	err = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	if (err)
		die("pthread_setaffinity_np", err);
	pthread_setname_np(pthread_self(), start->actor->name);
	atomic_store(&start->actor->tid, (uint32_t)gettid());
	atomic_fetch_add(&counters->ready, 1);
	if (corpus_gate(&counters->opened, 1))
		start->fn(start->actor);
	atomic_fetch_add(&counters->done, 1);
	return NULL;
}

static void wait_for(_Atomic uint64_t *word, uint64_t value, uint64_t limit_ns)
{
	uint64_t end = corpus_now_ns() + limit_ns;

	while (atomic_load(word) < value && corpus_now_ns() < end)
		corpus_sleep_until(corpus_now_ns() + START_POLL_NS);
}

static void start_thread(unsigned int i)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, actor_main, &starts[i]);

	if (err)
		die("pthread_create", err);
	pthread_detach(thread);
}

static void start_process(unsigned int i)
{
	pid_t parent = getpid();

	children[i] = fork();
	if (children[i] < 0)
		die("fork", errno);
	if (children[i])
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		die("PR_SET_PDEATHSIG", errno);
	if (getppid() == parent)
		actor_main(&starts[i]);
	_exit(0);
}

int corpus_run_processes(void)
{
	as_processes = true;
	return corpus_run();
}

int corpus_run(void)
{
	double seconds = wanted_seconds();
	struct timespec limit = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};
	sigset_t ends;
	unsigned int i;

	map_counters();
	/* blocked before the threads are born, so that only sigtimedwait below takes them */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);

	for (i = 0; i < nr_actors; i++) {
		if (as_processes)
			start_process(i);
		else
			start_thread(i);
	}
	wait_for(&counters->ready, nr_actors, 10 * CORPUS_NSEC_PER_SEC);
	if (atomic_load(&counters->ready) < nr_actors)
		die("the actors did not start", ETIMEDOUT);
	atomic_store(&counters->epoch_ns, corpus_now_ns() + 5 * CORPUS_NSEC_PER_MSEC);
	atomic_thread_fence(memory_order_release);	/* with the harness's read of magic */
	counters->magic = CORPUS_MAGIC;
	atomic_store(&counters->opened, 1);

	if (sigtimedwait(&ends, NULL, &limit) < 0 && errno != EAGAIN && errno != EINTR)
		die("sigtimedwait", errno);
	atomic_store(&counters->stop, 1);
	wait_for(&counters->done, nr_actors, END_GRACE_NS);
	for (i = 0; as_processes && i < nr_actors; i++)
		kill(children[i], SIGKILL);
	/* _exit: actors that are blocked for ever must not keep the process */
	_exit(0);
}
