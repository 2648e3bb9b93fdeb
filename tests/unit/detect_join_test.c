// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * detect_join_test.c - threads that wait for the end of others.
 */
#include "ktap.h"
#include "stream.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#define W5 (5 * SECOND)

enum { EXIT_WORD = 0xe000 };

/* As pthread_join() does: on the word with the id of the other, which has it for its end. */
static void join(struct stream *s, uint32_t tid, uint32_t other)
{
	struct headway_thread_rec *rec = &stream_thread(s, tid)->rec;

	stream_thread(s, other)->exit_word = EXIT_WORD;
	rec->wait_addr = EXIT_WORD;
	rec->wait_since_ns = s->snap.time_ns;
	rec->wait_op = FUTEX_WAIT_BITSET;
	rec->wait_flags = HEADWAY_WAIT_OWNER_READ;
	rec->wait_word = other;
}

static void ticks(struct stream *s, int n)
{
	while (n--)
		stream_tick(s);
}

static bool says(const struct headway_finding *f, const char *text)
{
	for (unsigned int i = 0; i < f->nr_evidence; i++)
		if (strstr(f->evidence[i], text))
			return true;
	return false;
}

/* 102 has the mutex that 101 needs to come to its end. */
static void begin_with_lock_held(struct stream *s)
{
	stream_begin(s, W5, SECOND);
	stream_block(s, 101, 0xa000, 102);
	join(s, 102, 101);
}

KTAP_TEST(joined_with_its_lock_held)
{
	struct stream s;

	begin_with_lock_held(&s);
	ticks(&s, 8);
	EXPECT_ONLY(&s, HEADWAY_DEADLOCK);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	EXPECT_EQ(s.last.nr_actors, 2u);
	EXPECT(says(&s.last, "for thread 101 (actor) to end"));
	EXPECT(strstr(s.last.advice[0], "let thread 102 (actor) unlock what thread 101"));
	stream_end(&s);
}

/* A number that looks like a thread's id, another process's, a wait that ends by itself. */
KTAP_TEST(only_the_word_of_its_end_counts)
{
	for (int how = 0; how < 5; how++) {
		struct stream s;
		struct headway_thread_rec *rec;

		begin_with_lock_held(&s);
		rec = &stream_thread(&s, 102)->rec;
		if (how == 0)
			stream_thread(&s, 101)->exit_word = 0;
		if (how == 1)
			rec->wait_word = 103;
		if (how == 2)
			rec->wait_flags |= HEADWAY_WAIT_PRIVATE;
		if (how == 3)
			rec->wait_flags |= HEADWAY_WAIT_TIMEOUT;
		if (how == 4)
			rec->wait_op = FUTEX_WAIT_REQUEUE_PI;
		stream_thread(&s, 103);
		ticks(&s, 8);
		if (s.announced[HEADWAY_DEADLOCK])
			KTAP_FAIL("a deadlock in spite of %d", how);
		stream_end(&s);
	}
}

/* Most programs do nothing else. */
KTAP_TEST(who_waits_for_a_worker_is_idle)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	join(&s, 100, 101);
	stream_thread(&s, 101)->syscall_nr = SYS_epoll_wait;
	ticks(&s, 12);
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_EQ(stream_state(&s), HEADWAY_IDLE);
	stream_end(&s);
}

KTAP_TEST(holder_that_joins)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xa000, 102);
	join(&s, 102, 103);
	stream_thread(&s, 103)->syscall_nr = SYS_read;
	ticks(&s, 8);
	EXPECT_ONLY(&s, HEADWAY_STALLED_HOLDER);
	EXPECT_EQ(s.last.actors[0].tid, 102u);
	EXPECT(says(&s.last, "102 (actor), the holder, waits for thread 103 (actor) to end"));
	stream_end(&s);
}

KTAP_TEST(who_joins_the_deadlocked_waits_as_well)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xb000, 102);
	stream_block(&s, 102, 0xa000, 101);
	join(&s, 100, 101);
	ticks(&s, 8);
	EXPECT_ONLY(&s, HEADWAY_DEADLOCK);
	EXPECT_EQ(s.last.actors_total, 3u);
	EXPECT_EQ((int)s.last.actors[2].role, HEADWAY_ROLE_WAITER);
	EXPECT_EQ(s.last.actors[2].waits[0].owner_tid, 101u);
	EXPECT(strstr(s.last.advice[0], "take the locks in one order"));
	stream_end(&s);
}

KTAP_MAIN("detect_join")
