// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * detect_retry_test.c - verdicts about threads that try: livelock, starvation, spin-hang,
 * transient, retry storm, and the healthy programs that look like them.
 */
#include "ktap.h"
#include "stream.h"

#define W5 (5 * SECOND)

KTAP_TEST(two_threads_livelock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 4)
		stream_abba(&s, 20);
	/* Nothing is said about less than a window. */
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_FALSE(headway_detect_assessment(s.detect)->judged);
	stream_abba(&s, 20);
	stream_tick(&s);
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	EXPECT_EQ(s.last.nr_actors, 2u);
	EXPECT_EQ(s.last.nr_locks, 2u);
	EXPECT_EQ(s.last.attempts, 200u);
	EXPECT_EQ(s.last.completions, 0u);
	EXPECT_EQ(s.last.actors[0].nr_waits, 1u);
	EXPECT_EQ(s.last.actors[0].waits[0].lock, 0xb000u);
	EXPECT_EQ(s.last.actors[0].waits[0].owner_tid, 102u);
	EXPECT_EQ(s.last.actors[0].holds, 0xa000u);
	EXPECT_EQ(s.last.latency_ns, W5);
	EXPECT_EQ(s.last.first_seen_ns, 0u);
	EXPECT_GE(s.last.nr_evidence, 3u);
	/* Advice names both locks and the rhythm. */
	EXPECT(strstr(s.last.advice[0], "@La000@") && strstr(s.last.advice[0], "@Lb000@"));
	EXPECT(strstr(s.last.advice[1], "every 50.0 ms"));
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	/* Said once, however long it lasts. */
	stream_for_each_tick(&s, i, 20)
		stream_abba(&s, 20);
	EXPECT_EQ(stream_total(&s), 1u);
	stream_end(&s);
}

KTAP_TEST(ring_of_three_livelocks)
{
	struct stream s;

	stream_begin(&s, 2 * SECOND, SECOND * 2 / 5);
	stream_for_each_tick(&s, i, 9) {
		stream_fail(&s, 101, 0xb000, 102, 0xa000, 5000);
		stream_fail(&s, 102, 0xc000, 103, 0xb000, 5000);
		stream_fail(&s, 103, 0xa000, 101, 0xc000, 5000);
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	EXPECT_EQ(s.last.nr_actors, 3u);
	EXPECT_EQ(s.last.nr_locks, 3u);
	EXPECT_EQ(stream_total(&s), 1u);
	stream_end(&s);
}

/* The owner could not be read: what the peer held when it failed tells who was in the way. */
KTAP_TEST(livelock_without_owners_is_likely)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_fail(&s, 101, 0xb000, 0, 0xa000, 20);
		stream_fail(&s, 102, 0xa000, 0, 0xb000, 20);
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_LIKELY);
	stream_end(&s);
}

/* 8.7 million failed tries, 18 thousand completions: healthy. */
KTAP_TEST(progress_is_no_livelock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 20) {
		stream_abba(&s, 870000);
		stream_commit(&s, 101, 0xb000, 1800);
		stream_commit(&s, 102, 0xa000, 1800);
		stream_cpu(&s, 101, 1);
		stream_cpu(&s, 102, 1);
	}
	EXPECT_NONE(&s, HEADWAY_CONTENDED);
	stream_end(&s);
}

/* One completion in every window is progress, however little. */
KTAP_TEST(one_completion_a_window_is_progress)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 25) {
		stream_abba(&s, 2000);
		if (i % 2 == 0) {
			stream_commit(&s, 101, 0xb000, 1);
			stream_commit(&s, 102, 0xa000, 1);
		}
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 0u);
	EXPECT_EQ(s.announced[HEADWAY_STARVATION], 0u);
	stream_end(&s);
}

/* Progress is counted per thread: the group completes, one does not. */
KTAP_TEST(victim_starves)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_commit(&s, 101, 0xa000, 100);
		stream_fail(&s, 102, 0xa000, 101, 0, 100);
	}
	EXPECT_ONLY(&s, HEADWAY_STARVATION);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	EXPECT_EQ(s.last.actors[0].tid, 102u);
	EXPECT_EQ((int)s.last.actors[0].role, HEADWAY_ROLE_VICTIM);
	EXPECT_EQ(s.last.actors[1].tid, 101u);
	EXPECT_EQ(s.last.actors[1].completions, 500u);
	EXPECT_EQ(stream_state(&s), HEADWAY_STARVATION);
	stream_end(&s);
}

/* Three victims of one lock are one story. */
KTAP_TEST(victims_of_one_lock_are_one_finding)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_commit(&s, 101, 0xa000, 100);
		for (uint32_t tid = 102; tid < 105; tid++)
			stream_fail(&s, tid, 0xa000, 101, 0, 50);
	}
	EXPECT_EQ(stream_total(&s), 1u);
	EXPECT_EQ(s.last.nr_actors, 4u);
	EXPECT_EQ((int)s.last.actors[3].role, HEADWAY_ROLE_VICTIM);
	EXPECT_EQ(s.last.actors[3].nr_waits, 1u);
	stream_end(&s);
}

/* Two that block each other while a third completes at their locks: they starve. */
KTAP_TEST(cycle_with_a_winner_is_starvation)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_abba(&s, 50);
		stream_commit(&s, 103, 0xa000, 30);
		stream_commit(&s, 103, 0xb000, 30);
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 0u);
	EXPECT_EQ(s.announced[HEADWAY_STARVATION], 2u);
	stream_end(&s);
}

/* The sleeper was woken, lost the race, slept again, all the time; others passed. */
KTAP_TEST(lost_races_starve)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		struct headway_lock_rec *l = stream_lock(&s, 102, HEADWAY_KIND_FUTEX, 0xa000);

		stream_block(&s, 102, 0xa000, 101);
		l->wait_ok += 10;
		l->lost_races += 10;
		stream_pass(&s, 101, 0xa000, 10);
	}
	EXPECT_ONLY(&s, HEADWAY_STARVATION);
	EXPECT_EQ(s.last.actors[0].tid, 102u);
	stream_end(&s);
}

/* The same counts on a word that is no mutex are how a consumer waits for work. */
KTAP_TEST(consumer_does_not_starve)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		struct headway_lock_rec *l = stream_lock(&s, 102, HEADWAY_KIND_FUTEX, 0xc000);

		stream_block(&s, 102, 0xc000, 0);
		stream_thread(&s, 102)->rec.wait_word = 0;
		l->wait_ok += 100;
		l->lost_races += 100;
		stream_lock(&s, 101, HEADWAY_KIND_FUTEX, 0xc000)->wakes += 100;
	}
	EXPECT_NONE(&s, HEADWAY_HEALTHY);
	stream_end(&s);
}

/* n waits for `lock` time out; each time `held` was unlocked afterwards, with a wake. */
static void time_out(struct stream *s, uint32_t tid, uint64_t lock, uint32_t owner, uint64_t held,
		     uint64_t n)
{
	struct headway_lock_rec *l = stream_lock(s, tid, HEADWAY_KIND_FUTEX, lock);
	struct headway_lock_rec *h = stream_lock(s, tid, HEADWAY_KIND_FUTEX, held);

	stream_block(s, tid, lock, owner);
	stream_thread(s, tid)->rec.wait_flags |= HEADWAY_WAIT_TIMEOUT;
	/* Awake again when the snapshot is taken: the word must be found by its record. */
	stream_unblock(s, tid);
	l->wait_timeout += n;
	l->last_ns = s->snap.time_ns + s->interval_ns / 2;
	h->wakes += n;
	h->last_ns = l->last_ns + 1;
	stream_events(s, 4 * n);
}

KTAP_TEST(synchronized_timeouts_livelock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	/* Each once had to wait for its first lock too: another word it may have slept on. */
	stream_pass(&s, 101, 0xa000, 1);
	stream_pass(&s, 102, 0xb000, 1);
	stream_for_each_tick(&s, i, 8) {
		time_out(&s, 101, 0xb000, 102, 0xa000, 20);
		time_out(&s, 102, 0xa000, 101, 0xb000, 20);
	}
	EXPECT_ONLY(&s, HEADWAY_LIVELOCK);
	/* The wakes were those of rollbacks. */
	EXPECT_EQ(s.last.completions, 0u);
	EXPECT_EQ(s.last.attempts, 200u);
	EXPECT_EQ(s.last.nr_locks, 2u);
	stream_end(&s);
}

/* The same, but each gets the other's lock now and then. */
KTAP_TEST(timeouts_with_progress)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		time_out(&s, 101, 0xb000, 102, 0xa000, 20);
		time_out(&s, 102, 0xa000, 101, 0xb000, 20);
		stream_pass(&s, 101, 0xb000, 1);
		stream_pass(&s, 102, 0xa000, 1);
	}
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_LE(stream_state(&s), HEADWAY_CONTENDED);
	stream_end(&s);
}

KTAP_TEST(polls_its_own_lock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8)
		stream_fail(&s, 101, 0xa000, 101, 0, 1000);
	EXPECT_EQ(s.announced[HEADWAY_SPIN_HANG], 1u);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	EXPECT_EQ(stream_total(&s), 1u);
	stream_end(&s);
}

KTAP_TEST(polls_a_dead_owners_lock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_thread(&s, 103);
	stream_for_each_tick(&s, i, 12) {
		if (i == 1)
			stream_kill(&s, 103);
		stream_fail(&s, 101, 0xa000, 103, 0, 1000);
	}
	EXPECT_ONLY(&s, HEADWAY_SPIN_HANG);
	stream_end(&s);
}

/* A live owner that runs may release it whenever the poller does not look. */
KTAP_TEST(polls_a_running_owners_lock_abstains)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_fail(&s, 101, 0xa000, 102, 0, 1000);
		stream_cpu(&s, 102, 0.9);
	}
	EXPECT_ONLY(&s, HEADWAY_UNDETERMINED);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT(strstr(s.last.advice[0], "marker"));
	stream_end(&s);
}

/* Two pollers that own the one lock in turn, by pthread_mutex_lock, which is not seen. */
KTAP_TEST(one_lock_is_no_cycle)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 10) {
		stream_fail(&s, 101, 0xa000, 102, 0, 40);
		stream_fail(&s, 102, 0xa000, 101, 0, 40);
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 0u);
	stream_end(&s);
}

/* Three seconds of livelock in a window of five, then it goes on. */
KTAP_TEST(livelock_that_resolves_is_transient)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 12) {
		if (i < 3) {
			stream_abba(&s, 50);
		} else {
			stream_commit(&s, 101, 0xb000, 50);
			stream_commit(&s, 102, 0xa000, 50);
		}
	}
	EXPECT_ONLY(&s, HEADWAY_TRANSIENT);
	EXPECT_EQ(s.last.attempts, 300u);
	EXPECT_EQ(s.last.window_ns, 3 * SECOND);
	/* It is over: the last full window does not show it any more. */
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	stream_end(&s);
}

KTAP_TEST(two_intervals_are_not_even_transient)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 12) {
		if (i % 4 < 2) {
			stream_abba(&s, 50);
		} else {
			stream_commit(&s, 101, 0xb000, 50);
			stream_commit(&s, 102, 0xa000, 50);
		}
	}
	EXPECT_EQ(stream_total(&s), 0u);
	stream_end(&s);
}

/* Reported as a livelock, then resolved: not reported again as a transient; later it comes back. */
KTAP_TEST(finding_clears_and_comes_back)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 6)
		stream_abba(&s, 50);
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	stream_for_each_tick(&s, i, 8) {
		stream_commit(&s, 101, 0xb000, 50);
		stream_commit(&s, 102, 0xa000, 50);
	}
	EXPECT_EQ(stream_total(&s), 1u);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	stream_for_each_tick(&s, i, 6)
		stream_abba(&s, 50);
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 2u);
	EXPECT_EQ(stream_total(&s), 2u);
	EXPECT_EQ(s.last.first_seen_ns, 13 * SECOND + SECOND / 2);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	stream_end(&s);
}

/* One silent interval (a snapshot that came early) does not end a finding. */
KTAP_TEST(one_miss_does_not_clear)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 6)
		stream_abba(&s, 50);
	stream_tick(&s);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	stream_end(&s);
}

KTAP_TEST(tid_reuse_starts_anew)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 3)
		stream_abba(&s, 50);
	/* 102 ends; another thread gets its tid and completes. */
	stream_kill(&s, 102);
	stream_for_each_tick(&s, i, 9) {
		stream_commit(&s, 102, 0xa000, 3);
		stream_commit(&s, 101, 0xb000, 3);
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 0u);
	/* 5 s of 3 completions a second, twice; not 2^64 minus something. */
	EXPECT_EQ(headway_detect_assessment(s.detect)->completions, 30u);
	stream_end(&s);
}

/* A pair of new threads every second, in each other's way all their lives, never a window long. */
KTAP_TEST(short_lives_are_not_whole_windows)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	for (uint32_t i = 0; i < 12; i++) {
		uint32_t a = 200 + 2 * i, b = a + 1;

		stream_fail(&s, a, 0xb000, b, 0xa000, 50);
		stream_fail(&s, b, 0xa000, a, 0xb000, 50);
		stream_tick(&s);
		stream_kill(&s, a);
		stream_kill(&s, b);
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 0u);
	stream_end(&s);
}

/* What a thread completed before it ended in the window was progress. */
KTAP_TEST(departed_threads_progress_counts)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	for (uint32_t i = 0; i < 8; i++) {
		stream_commit(&s, 300 + i, 0xa000, 10);
		stream_tick(&s);
		stream_kill(&s, 300 + i);
	}
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	EXPECT_EQ(headway_detect_assessment(s.detect)->completions, 50u);
	stream_end(&s);
}

KTAP_TEST(eagain_loop_is_a_storm)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_lock(&s, 101, HEADWAY_KIND_FUTEX, 0xa000)->wait_eagain += 50000;
		stream_pass(&s, 102, 0xb000, 10);
	}
	EXPECT_ONLY(&s, HEADWAY_RETRY_STORM);
	stream_end(&s);
}

/* A healthy hot mutex returns EAGAIN on 37 % of its futex calls. */
KTAP_TEST(hot_mutex_is_no_storm)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		for (uint32_t tid = 101; tid < 105; tid++) {
			stream_lock(&s, tid, HEADWAY_KIND_FUTEX, 0xa000)->wait_eagain += 37000;
			stream_pass(&s, tid, 0xa000, 63000);
		}
	}
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_LE(stream_state(&s), HEADWAY_CONTENDED);
	stream_end(&s);
}

/* It completes once in five seconds, and fails on a steady beat in between. */
KTAP_TEST(steady_beat_is_a_storm)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_fail(&s, 101, 0xa000, 102, 0, 20);
		stream_commit(&s, 102, 0xa000, 20);
		if (i % 4 == 0)
			stream_commit(&s, 101, 0xa000, 1);
	}
	EXPECT_ONLY(&s, HEADWAY_RETRY_STORM);
	stream_end(&s);
}

KTAP_MAIN("detect_retry")
