// SPDX-License-Identifier: GPL-2.0
/*
 * uprobes.c - trylock probed by uprobe_multi links and by perf events: the same counts, also when
 * the first thread has ended, and how long it takes to attach and detach many.
 *
 * Actors are children that have not called exec: they do one trylock when they are told to.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"
#include "probe.h"
#include "uprobe_multi.h"

#define MANY	200

struct actor {
	pid_t pid;
	int to, from;
};

static struct actor actors[MANY];

static void *try_on_command(void *arg)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	int *fds = arg;
	char byte;

	while (read(fds[0], &byte, 1) == 1) {
		if (!pthread_mutex_trylock(&mutex))
			pthread_mutex_unlock(&mutex);
		if (write(fds[1], &byte, 1) != 1)
			break;
	}
	_exit(0);
}

/* leaderless: another thread does it, and the first one has ended. */
static void be_actor(int in, int out, bool leaderless)
{
	static int fds[2];
	pthread_t thread;

	fds[0] = in;
	fds[1] = out;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!leaderless)
		try_on_command(fds);
	if (pthread_create(&thread, NULL, try_on_command, fds))
		_exit(1);
	pthread_exit(NULL);
}

static bool start(struct actor *a, bool leaderless)
{
	int in[2], out[2];

	if (pipe(in) || pipe(out))
		return false;
	a->pid = fork();
	if (!a->pid) {
		close(in[1]);
		close(out[0]);
		be_actor(in[0], out[1], leaderless);
	}
	close(in[0]);
	close(out[1]);
	a->to = in[1];
	a->from = out[0];
	return a->pid > 0;
}

static bool act(const struct actor *a)
{
	char byte = 'x';

	return write(a->to, &byte, 1) == 1 && read(a->from, &byte, 1) == 1;
}

static void end(const struct actor *a)
{
	close(a->to);
	close(a->from);
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct headway_probe *watch(const struct actor *a, size_t nr, bool events)
{
	struct headway_probe_options opts = { .uprobes = true, .uprobe_events = events };
	struct headway_probe *p;
	uint64_t begun;
	int err = headway_probe_open(&p, &opts);

	for (size_t i = 0; i < nr && !err; i++)
		err = headway_probe_add_pid(p, a[i].pid);
	begun = now_ms();
	if (!err)
		err = headway_probe_attach(p);
	if (err) {
		printf("# %s\n", headway_probe_error(p));
		headway_probe_close(p);
		return NULL;
	}
	printf("# %zu targets by %s: attached in %llu ms\n", nr,
	       headway_probe_uprobe_multi(p) ? "uprobe_multi" : "events",
	       (unsigned long long)(now_ms() - begun));
	return p;
}

static uint64_t stop(struct headway_probe *p)
{
	uint64_t begun = now_ms(), took;

	headway_probe_close(p);
	took = now_ms() - begun;
	printf("# closed in %llu ms\n", (unsigned long long)took);
	return took;
}

/* Tries that were seen of a process. */
static unsigned long tries_of(const struct headway_snapshot *snap, pid_t pid)
{
	unsigned long n = 0;

	for (size_t i = 0; i < snap->nr_threads; i++)
		if (snap->threads[i].rec.tgid == (uint32_t)pid)
			n += snap->threads[i].rec.try_ok;
	return n;
}

/* Actor i does i + 1 tries; the last one's first thread has ended, and one more is not watched. */
static void count_tries(bool events)
{
	enum { WATCHED = 4 };
	struct headway_snapshot snap;
	struct headway_probe *p;

	for (size_t i = 0; i <= WATCHED; i++)
		ASSERT(start(&actors[i], i == WATCHED - 1));
	ASSERT(act(&actors[WATCHED - 1]));
	usleep(100000);		/* its first thread is a zombie by then */
	p = watch(actors, WATCHED, events);
	ASSERT(p);
	EXPECT_EQ(headway_probe_uprobe_multi(p), !events && headway_uprobe_multi_usable());
	for (size_t i = 0; i <= WATCHED; i++)
		for (size_t n = 0; n <= i; n++)
			EXPECT(act(&actors[i]));
	EXPECT_EQ(headway_probe_snapshot(p, &snap), 0);
	EXPECT_EQ(snap.counters[HEADWAY_CNT_TRIES], 1ul + 2 + 3 + 4);
	for (size_t i = 0; i < WATCHED; i++)
		EXPECT_EQ(tries_of(&snap, actors[i].pid), i + 1);
	stop(p);
	for (size_t i = 0; i <= WATCHED; i++)
		end(&actors[i]);
}

KTAP_TEST(tries_by_the_way_of_this_kernel)
{
	count_tries(false);
}

KTAP_TEST(tries_by_events)
{
	count_tries(true);
}

KTAP_TEST(many_targets_are_let_go_soon)
{
	static const size_t sizes[] = { 1, 8, 64, MANY };

	if (!headway_uprobe_multi_usable())
		KTAP_SKIP("no usable uprobe_multi links");
	for (size_t i = 0; i < MANY; i++)
		ASSERT(start(&actors[i], false));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct headway_probe *p = watch(actors, sizes[i], false);

		ASSERT(p);
		EXPECT(stop(p) < 10000);	/* by events: 40 s for the last */
	}
	for (size_t i = 0; i < MANY; i++)
		end(&actors[i]);
}

KTAP_MAIN("uprobes")
