// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * detect_rest_test.c - windows in which the probes rested: nothing begins, ends or is said in them.
 */
#include "ktap.h"
#include "stream.h"

#define W5 (5 * SECOND)

/* Nothing is counted, whatever the threads do. */
static void rest(struct stream *s, int ticks)
{
	stream_for_each_tick(s, i, ticks)
		s->snap.rested_ns += SECOND;
}

KTAP_TEST(livelock_goes_on_while_the_probes_rest)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 5)
		stream_abba(&s, 20);
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	rest(&s, 20);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	EXPECT_EQ(headway_detect_assessment(s.detect)->rested_ns, 20 * SECOND);
	stream_for_each_tick(&s, i, 5)
		stream_abba(&s, 20);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	EXPECT_EQ(stream_total(&s), 1u);
	stream_end(&s);
}

/* Failures on both sides of a rest are not failures all the time. */
KTAP_TEST(no_livelock_of_half_a_window)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 5)
		stream_commit(&s, 101, 0xa000, 50);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	stream_for_each_tick(&s, i, 2)
		stream_abba(&s, 20);
	rest(&s, 1);
	stream_for_each_tick(&s, i, 4)
		stream_abba(&s, 20);
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	/* A window without a rest in it. */
	stream_abba(&s, 20);
	stream_tick(&s);
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	stream_end(&s);
}

/* Who completes unseen must not look as if it had stopped. */
KTAP_TEST(silence_of_probes_is_no_hang)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 5)
		stream_commit(&s, 101, 0xa000, 50);
	stream_for_each_tick(&s, i, 20) {
		stream_cpu(&s, 101, 1.0);
		s.snap.rested_ns += SECOND;
	}
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	stream_end(&s);
}

/* An end that nobody saw is not the end of a transient. */
KTAP_TEST(no_transient_across_a_rest)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 4)
		stream_abba(&s, 20);
	rest(&s, 1);
	stream_for_each_tick(&s, i, 10) {
		stream_commit(&s, 101, 0xa000, 50);
		stream_commit(&s, 102, 0xb000, 50);
	}
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	stream_end(&s);
}

/* Only trylock is not watched: what blocks is found all the same, and the rest stays as it was. */
KTAP_TEST(deadlock_is_found_while_tries_rest)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	EXPECT_FALSE(headway_detect_calm(s.detect));
	stream_for_each_tick(&s, i, 5)
		stream_commit(&s, 101, 0xa000, 50);
	EXPECT_TRUE(headway_detect_calm(s.detect));
	stream_for_each_tick(&s, i, 10) {
		stream_cpu(&s, 101, 1.0);
		s.snap.tries_rested_ns += SECOND;
	}
	EXPECT_NONE(&s, HEADWAY_HEALTHY);
	EXPECT_EQ(headway_detect_assessment(s.detect)->tries_rested_ns, 10 * SECOND);
	stream_block(&s, 102, 0xb000, 103);
	stream_block(&s, 103, 0xc000, 102);
	stream_for_each_tick(&s, i, 7)
		s.snap.tries_rested_ns += SECOND;
	EXPECT_ONLY(&s, HEADWAY_DEADLOCK);
	EXPECT_EQ(stream_state(&s), HEADWAY_DEADLOCK);
	EXPECT_FALSE(headway_detect_calm(s.detect));
	stream_end(&s);
}

/* Neither begun nor ended by tries that nobody counted; what it was is suspicious until then. */
KTAP_TEST(livelock_goes_on_while_tries_rest)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 5)
		stream_abba(&s, 20);
	EXPECT_FALSE(headway_detect_calm(s.detect));
	stream_for_each_tick(&s, i, 20)
		s.snap.tries_rested_ns += SECOND;
	EXPECT_ONLY(&s, HEADWAY_LIVELOCK);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	stream_end(&s);
}

KTAP_MAIN("detect_rest")
