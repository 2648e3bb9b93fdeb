// SPDX-License-Identifier: GPL-2.0
// links: userspace/activity.c userspace/activity_detail.c userspace/detect.c userspace/assess.c
// links: userspace/judge.c userspace/verdict_blocked.c userspace/verdict_retry.c
// links: userspace/verdict_storm.c userspace/window.c userspace/view.c userspace/contact.c
// links: userspace/mutexes.c userspace/graph.c userspace/finding.c userspace/futexword.c
// links: userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * activity_test.c - what each process did, with a verdict of its own, and the details of one.
 */
#include <errno.h>

#include "activity.h"
#include "ktap.h"
#include "stream.h"

#define W5 (5 * SECOND)

static const struct headway_activity_process *process(const struct headway_activity *a,
						      uint32_t pid)
{
	static const struct headway_activity_process none;

	for (size_t i = 0; i < a->nr_processes; i++)
		if (a->processes[i].pid == pid)
			return &a->processes[i];
	return &none;
}

/* 200 livelocks, 300 completes, 400 sleeps, 500 is busy with what nobody sees. */
static void four_processes(struct stream *s)
{
	stream_for_each_tick(s, i, 8) {
		stream_process(s, 201, 200);
		stream_process(s, 202, 200);
		stream_process(s, 301, 300);
		stream_process(s, 401, 400);
		stream_process(s, 501, 500);
		stream_fail(s, 201, 0xb000, 202, 0xa000, 20);
		stream_fail(s, 202, 0xa000, 201, 0xb000, 20);
		stream_commit(s, 301, 0xc000, 10);
		stream_cpu(s, 501, 0.9);
	}
}

KTAP_TEST(each_process_has_a_verdict_of_its_own)
{
	struct headway_activity a;
	struct stream s;

	stream_begin(&s, W5, SECOND);
	four_processes(&s);
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 0), 0);
	EXPECT(a.full);
	EXPECT_NEAR(a.seconds, 5.0, 0.1);
	EXPECT_EQ((int)a.nr_processes, 4);
	EXPECT(process(&a, 200)->verdict == HEADWAY_LIVELOCK);
	EXPECT(process(&a, 300)->verdict == HEADWAY_HEALTHY);
	EXPECT(process(&a, 400)->verdict == HEADWAY_IDLE);
	EXPECT(process(&a, 500)->verdict == HEADWAY_UNDETERMINED);
	EXPECT_EQ((int)process(&a, 200)->threads, 2);
	EXPECT_EQ((int)process(&a, 200)->fails, 200);
	EXPECT_EQ((int)process(&a, 200)->completions, 0);
	EXPECT_EQ((int)process(&a, 300)->completions, 50);
	EXPECT_EQ((int)a.nr_threads, 0);
	headway_activity_free(&a);
	ASSERT(headway_activity_finding(s.detect, 200));
	EXPECT(headway_activity_finding(s.detect, 200)->verdict == HEADWAY_LIVELOCK);
	EXPECT(!headway_activity_finding(s.detect, 300));
	stream_end(&s);
}

KTAP_TEST(locks_that_are_got_prove_nothing_where_tries_are_hidden)
{
	struct headway_activity a;
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_process(&s, 201, 200);
		stream_thread(&s, 201)->tries_hidden = true;
		stream_commit(&s, 201, 0xc000, 10);
		stream_cpu(&s, 201, 0.9);
	}
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 0), 0);
	EXPECT(process(&a, 200)->verdict == HEADWAY_UNDETERMINED);
	EXPECT_EQ((int)process(&a, 200)->completions, 0);
	headway_activity_free(&a);
	stream_end(&s);
}

KTAP_TEST(details_are_of_one_process)
{
	struct headway_activity a;
	struct stream s;

	stream_begin(&s, W5, SECOND);
	four_processes(&s);
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 200), 0);
	ASSERT(a.nr_threads == 2 && a.nr_locks == 2 && a.nr_edges == 2);
	EXPECT_EQ(a.threads[0].tid, 201u);
	EXPECT_EQ((int)a.threads[0].fails, 100);
	EXPECT_EQ(a.threads[0].tries_addr, (uint64_t)0xb000);
	EXPECT_EQ(a.threads[1].tid, 202u);
	EXPECT_EQ((int)a.locks[0].fails, 100);
	EXPECT_EQ(a.edges[0].waiter_tid, 201u);
	EXPECT_EQ(a.edges[0].holder_tid, 202u);
	EXPECT_EQ(a.edges[0].lock, (uint64_t)0xb000);
	EXPECT(!a.edges[0].blocked);
	headway_activity_free(&a);
	/* One that is not there has none. */
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 999), 0);
	EXPECT_EQ((int)(a.nr_threads + a.nr_locks + a.nr_edges), 0);
	headway_activity_free(&a);
	stream_end(&s);
}

KTAP_TEST(who_sleeps_for_a_lock_waits)
{
	struct headway_activity a;
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_thread(&s, 101);
	stream_block(&s, 102, 0xa000, 101);
	stream_for_each_tick(&s, i, 8)
		stream_events(&s, 1);
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 100), 0);
	EXPECT_EQ((int)process(&a, 100)->waiting, 1);
	ASSERT(a.nr_threads == 2 && a.nr_edges == 1);
	EXPECT_EQ(a.threads[1].wait_addr, (uint64_t)0xa000);
	EXPECT_EQ(a.threads[1].owner_tid, 101u);
	EXPECT(a.threads[1].waited_ns >= W5);
	EXPECT(a.edges[0].blocked);
	headway_activity_free(&a);
	stream_end(&s);
}

/* Who has ended is in the window still, and in no list. */
KTAP_TEST(who_has_ended_is_gone)
{
	struct headway_activity a;
	struct stream s;

	stream_begin(&s, W5, SECOND);
	four_processes(&s);
	stream_kill(&s, 301);
	stream_tick(&s);
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 0), 0);
	EXPECT_EQ(process(&a, 300)->pid, 0u);
	headway_activity_free(&a);
	stream_end(&s);
}

KTAP_TEST(nothing_is_said_while_the_probes_rest)
{
	struct headway_activity a;
	struct stream s;

	stream_begin(&s, W5, SECOND);
	four_processes(&s);
	s.snap.rested_ns += SECOND;
	stream_tick(&s);
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 0), 0);
	for (size_t i = 0; i < a.nr_processes; i++)
		EXPECT(headway_verdict_is_finding(a.processes[i].verdict) ||
		       a.processes[i].verdict == HEADWAY_UNDETERMINED);
	headway_activity_free(&a);
	stream_end(&s);
}

KTAP_TEST(nothing_is_known_at_first)
{
	struct headway_activity a;
	struct stream s;

	stream_begin(&s, W5, SECOND);
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 0), -EAGAIN);
	EXPECT_EQ((int)a.nr_processes, 0);
	headway_activity_free(&a);
	stream_thread(&s, 101);
	stream_tick(&s);
	stream_tick(&s);
	EXPECT_EQ(headway_activity_collect(&a, s.detect, 0), 0);
	EXPECT(!a.full);
	EXPECT_EQ((int)a.nr_processes, 1);
	headway_activity_free(&a);
	stream_end(&s);
}

KTAP_MAIN("activity")
