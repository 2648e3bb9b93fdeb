// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * detect_ownerless_test.c - programs whose failed tries are hidden and whose locks have no owner.
 */
#include "ktap.h"
#include "stream.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#define W5 (5 * SECOND)

enum { BEGIN, DONE };	/* markers */

static const struct headway_assessment *assessment(const struct stream *s)
{
	return headway_detect_assessment(s->detect);
}

static struct headway_snap_thread *hidden_thread(struct stream *s, uint32_t tid)
{
	struct headway_snap_thread *t = stream_thread(s, tid);

	t->tries_hidden = true;
	return t;
}

/* Asleep as in a Rust mutex whose data looks like the id of a thread. */
static void sleep_at(struct stream *s, uint32_t tid, uint64_t addr, uint32_t word)
{
	struct headway_thread_rec *rec = &hidden_thread(s, tid)->rec;

	rec->wait_addr = addr;
	rec->wait_since_ns = s->snap.time_ns;
	rec->wait_op = FUTEX_WAIT_BITSET;
	rec->wait_flags = HEADWAY_WAIT_OWNER_READ | HEADWAY_WAIT_PRIVATE;
	rec->wait_word = word;
	rec->wait_owner = 101;
}

static void ticks(struct stream *s, int n)
{
	while (n--)
		stream_tick(s);
}

KTAP_TEST(locks_that_are_got_prove_nothing_where_tries_are_hidden)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	for (int i = 0; i < 12; i++) {
		hidden_thread(&s, 101);
		hidden_thread(&s, 102);
		stream_commit(&s, 101, 0xa000, 200);
		stream_pass(&s, 102, 0xb000, 200);
		stream_cpu(&s, 101, 0.5);
		stream_tick(&s);
	}
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT_EQ(assessment(&s)->completions, 0u);
	EXPECT(strstr(assessment(&s)->reason, "failed tries are not seen"));
	EXPECT(strstr(assessment(&s)->advice, "marker"));
	stream_end(&s);
}

/* Another process that is seen well is not put in doubt. */
KTAP_TEST(other_processes_count)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	for (int i = 0; i < 8; i++) {
		hidden_thread(&s, 101);
		stream_pass(&s, 101, 0xa000, 200);
		stream_process(&s, 201, 200);
		stream_pass(&s, 201, 0xb000, 10);
		stream_tick(&s);
	}
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	EXPECT_EQ(assessment(&s)->completions, 50u);
	stream_end(&s);
}

KTAP_TEST(two_locks_without_owner_cannot_be_told)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	sleep_at(&s, 101, 0xa000, 2);
	sleep_at(&s, 102, 0xb000, 2);
	ticks(&s, 12);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 0u);
	EXPECT(strstr(assessment(&s)->advice, "marker"));
	stream_end(&s);
}

/* A pool at one lock or at an empty queue, a wait that may end by itself: it idles. */
KTAP_TEST(who_waits_for_work_is_idle)
{
	static const struct {
		uint64_t second;
		uint32_t word;
		uint32_t flags;
	} waits[] = {
		{ 0xa000, 2, 0 }, { 0xb000, 0, 0 }, { 0xb000, 2, HEADWAY_WAIT_TIMEOUT },
	};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct stream s;

		stream_begin(&s, W5, SECOND);
		sleep_at(&s, 101, 0xa000, 2);
		sleep_at(&s, 102, waits[i].second, waits[i].word);
		stream_thread(&s, 102)->rec.wait_flags |= waits[i].flags;
		ticks(&s, 12);
		if (stream_state(&s) != HEADWAY_IDLE)
			KTAP_FAIL("wait %zu is not idle", i);
		stream_end(&s);
	}
}

/* Both begin a unit of work and go to sleep; word: what they sleep on. */
static void begin_and_sleep(struct stream *s, uint32_t word)
{
	stream_begin(s, W5, SECOND);
	hidden_thread(s, 100)->syscall_nr = SYS_rt_sigtimedwait;
	stream_watch(s, 100, BEGIN, HEADWAY_MARKER_ATTEMPT);
	stream_watch(s, 100, DONE, HEADWAY_MARKER_PROGRESS);
	for (uint32_t tid = 101; tid < 103; tid++) {
		stream_mark(s, tid, DONE, HEADWAY_MARKER_PROGRESS, 1);
		hidden_thread(s, tid);
	}
	stream_tick(s);
	for (uint32_t tid = 101; tid < 103; tid++)
		stream_mark(s, tid, BEGIN, HEADWAY_MARKER_ATTEMPT, 1);
	stream_tick(s);
	sleep_at(s, 101, 0xa000, word);
	sleep_at(s, 102, 0xb000, word);
}

KTAP_TEST(markers_settle_it)
{
	struct stream s;

	/* Any word: in Python it is 0, a semaphore. */
	begin_and_sleep(&s, 0);
	ticks(&s, 12);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 1u);
	EXPECT_EQ(stream_total(&s), 1u);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_LIKELY);
	EXPECT_EQ(s.last.nr_actors, 2u);
	EXPECT_EQ(s.last.locks[0].owner_tid, 0u);
	EXPECT_EQ(stream_state(&s), HEADWAY_DEADLOCK);
	stream_end(&s);
}

/* Word of a process-shared futex: the id of a thread when one is joined. */
static void sleep_at_shared(struct stream *s, uint32_t tid, uint32_t word)
{
	sleep_at(s, tid, 0xc000, word);
	stream_thread(s, tid)->rec.wait_flags &= ~(uint32_t)HEADWAY_WAIT_PRIVATE;
}

KTAP_TEST(who_joins_them_cannot_help)
{
	struct stream s;

	begin_and_sleep(&s, 0);
	sleep_at_shared(&s, 100, 101);
	stream_thread(&s, 101)->exit_word = 0xc000;
	ticks(&s, 12);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 1u);
	stream_end(&s);
}

/*
 * Each but the last is a reason to abstain: somebody could come and wake them, or they are not all
 * asleep.
 */
KTAP_TEST(no_deadlock_where_help_may_come)
{
	for (int reason = 0; reason <= 8; reason++) {
		struct stream s;

		begin_and_sleep(&s, 2);
		if (reason == 0)
			hidden_thread(&s, 103)->syscall_nr = SYS_epoll_wait;
		if (reason == 1)	/* as glibc's thread for timers does */
			hidden_thread(&s, 103)->syscall_nr = SYS_rt_sigtimedwait;
		if (reason == 2)
			stream_mark(&s, 103, BEGIN, HEADWAY_MARKER_ATTEMPT, 1);
		if (reason == 3)
			stream_thread(&s, 102)->rec.wait_addr = 0xa000;
		if (reason == 4)
			stream_thread(&s, 100)->syscall_nr = -1;
		if (reason == 5)
			sleep_at_shared(&s, 103, 5);
		if (reason == 6)
			stream_thread(&s, 102)->rec.wait_flags &= ~(uint32_t)HEADWAY_WAIT_PRIVATE;
		sleep_at(&s, 104, 0xd000, 0);
		if (reason == 7)
			stream_thread(&s, 104)->rec.wait_flags |= HEADWAY_WAIT_TIMEOUT;
		ticks(&s, 12);
		if (s.announced[HEADWAY_DEADLOCK] != (reason == 8))
			KTAP_FAIL("%u deadlocks with reason %d", s.announced[HEADWAY_DEADLOCK],
				  reason);
		stream_end(&s);
	}
}

KTAP_MAIN("detect_ownerless")
