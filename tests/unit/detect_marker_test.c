// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * detect_marker_test.c - what markers prove, and what they forbid to say.
 */
#include "ktap.h"
#include "stream.h"

#define W5 (5 * SECOND)

enum { BEGIN, DONE };	/* markers */

static const struct headway_assessment *assessment(const struct stream *s)
{
	return headway_detect_assessment(s->detect);
}

static void attempts(struct stream *s, uint32_t tid, uint64_t n)
{
	stream_mark(s, tid, BEGIN, HEADWAY_MARKER_ATTEMPT, n);
}

static void progress(struct stream *s, uint32_t tid, uint64_t n)
{
	stream_mark(s, tid, DONE, HEADWAY_MARKER_PROGRESS, n);
}

/* Both markers are watched in the process, whose first thread is 100. */
static void begin(struct stream *s)
{
	stream_begin(s, W5, SECOND);
	stream_watch(s, 100, BEGIN, HEADWAY_MARKER_ATTEMPT);
	stream_watch(s, 100, DONE, HEADWAY_MARKER_PROGRESS);
}

KTAP_TEST(attempts_without_progress_are_a_livelock)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 8) {
		attempts(&s, 101, 20);
		attempts(&s, 102, 30);
	}
	EXPECT_ONLY(&s, HEADWAY_LIVELOCK);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	EXPECT_EQ(s.last.nr_actors, 2u);
	EXPECT_EQ(s.last.attempts, 250u);
	EXPECT_EQ(s.last.completions, 0u);
	EXPECT_EQ(s.last.nr_markers, 2u);
	EXPECT_EQ(s.last.markers[BEGIN].count, 250u);
	EXPECT_EQ(s.last.markers[BEGIN].threads, 2u);
	EXPECT_EQ(s.last.markers[DONE].count, 0u);
	EXPECT_LE(s.last_at_ns, W5 + SECOND);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	stream_end(&s);
}

/* More threads than a finding holds: nobody is forgotten, and the silence is still said. */
KTAP_TEST(many_actors)
{
	struct stream s;
	bool silent = false;

	begin(&s);
	stream_for_each_tick(&s, i, 8) {
		for (uint32_t tid = 101; tid < 131; tid++)
			attempts(&s, tid, 20);
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	EXPECT_EQ(s.last.actors_total, 30u);
	for (unsigned int i = 0; i < s.last.nr_evidence; i++)
		silent |= strstr(s.last.evidence[i], "passed by nobody") != NULL;
	EXPECT(silent);
	stream_end(&s);
}

KTAP_TEST(one_actor_is_a_spin_hang)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 8)
		attempts(&s, 101, 20);
	EXPECT_ONLY(&s, HEADWAY_SPIN_HANG);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	stream_end(&s);
}

/* One sum over both would look healthy. */
KTAP_TEST(progress_of_others_is_starvation)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 8) {
		attempts(&s, 101, 20);
		progress(&s, 101, 18);
		attempts(&s, 102, 20);
	}
	EXPECT_ONLY(&s, HEADWAY_STARVATION);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	EXPECT_EQ(s.last.actors[0].tid, 102u);
	EXPECT_EQ((int)s.last.actors[0].role, HEADWAY_ROLE_VICTIM);
	EXPECT_EQ(s.last.actors[0].attempts, 100u);
	EXPECT_EQ(s.last.actors[0].completions, 0u);
	EXPECT_EQ(s.last.actors[1].tid, 101u);
	EXPECT_EQ(s.last.actors[1].completions, 90u);
	stream_end(&s);
}

/* Few of anybody's attempts succeed: none of one's own in a window is bad luck. */
KTAP_TEST(bad_luck_is_not_starvation)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 8) {
		for (uint32_t tid = 101; tid < 110; tid++)
			attempts(&s, tid, 20);
		progress(&s, 101, 2);
	}
	EXPECT_NONE(&s, HEADWAY_HEALTHY);
	stream_end(&s);
}

KTAP_TEST(healthy_says_the_rates)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 8) {
		attempts(&s, 101, 20);
		progress(&s, 101, 10);
		progress(&s, 102, 5);
	}
	EXPECT_NONE(&s, HEADWAY_HEALTHY);
	EXPECT(strstr(assessment(&s)->reason, "progress at done 15.0/s"));
	EXPECT_EQ(assessment(&s)->nr_markers, 2u);
	stream_end(&s);
}

/* Looks like a livelock at its locks, and both work. */
KTAP_TEST(progress_vetoes_a_livelock)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 8) {
		stream_abba(&s, 50);
		progress(&s, 101, 3);
		progress(&s, 102, 3);
	}
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_LE(stream_state(&s), HEADWAY_CONTENDED);
	stream_end(&s);
}

/* Locks alone would say `likely`: nobody is seen to roll back. */
KTAP_TEST(silence_confirms)
{
	for (int watched = 0; watched < 2; watched++) {
		struct stream s;

		stream_begin(&s, W5, SECOND);
		stream_thread(&s, 100);
		if (watched)
			stream_watch(&s, 100, DONE, HEADWAY_MARKER_PROGRESS);
		stream_for_each_tick(&s, i, 8) {
			stream_fail(&s, 101, 0xb000, 102, 0, 50);
			stream_fail(&s, 102, 0xa000, 101, 0, 50);
		}
		EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
		EXPECT_EQ((int)s.last.confidence, watched ? HEADWAY_CONFIRMED : HEADWAY_LIKELY);
		EXPECT_EQ(s.last.nr_markers, watched ? 1u : 0u);
		stream_end(&s);
	}
}

/* A locked-out pair and two more that only the markers show: one story. */
KTAP_TEST(markers_join_a_livelock_of_locks)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 8) {
		stream_abba(&s, 50);
		for (uint32_t tid = 101; tid < 105; tid++)
			attempts(&s, tid, 50);
	}
	EXPECT_ONLY(&s, HEADWAY_LIVELOCK);
	EXPECT_EQ(s.last.actors_total, 4u);
	EXPECT_GE(s.last.nr_locks, 2u);
	stream_end(&s);
}

/* Without a progress marker nothing is known of progress. */
KTAP_TEST(attempts_alone_prove_nothing)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_watch(&s, 100, BEGIN, HEADWAY_MARKER_ATTEMPT);
	stream_for_each_tick(&s, i, 8) {
		for (uint32_t tid = 101; tid < 103; tid++) {
			attempts(&s, tid, 50);
			stream_cpu(&s, tid, 0.9);
		}
	}
	EXPECT_EQ(s.announced[HEADWAY_UNDETERMINED], stream_total(&s));
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT(strstr(assessment(&s)->advice, "--progress uprobe:"));
	stream_end(&s);
}

/* Busy, a silent progress marker, and locks that pass: never healthy, and the advice is exact. */
KTAP_TEST(silence_is_never_healthy)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_watch(&s, 100, DONE, HEADWAY_MARKER_PROGRESS);
	stream_for_each_tick(&s, i, 8) {
		stream_pass(&s, 101, 0xa000, 50);
		stream_cpu(&s, 101, 0.9);
	}
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT(strstr(assessment(&s)->reason, "no progress marker"));
	EXPECT(strstr(assessment(&s)->advice, "--attempt uprobe:"));
	stream_end(&s);
}

KTAP_TEST(silent_and_idle_is_idle)
{
	struct stream s;

	begin(&s);
	for (int i = 0; i < 8; i++)
		stream_tick(&s);
	EXPECT_NONE(&s, HEADWAY_IDLE);
	stream_end(&s);
}

/* A process that works does not speak for another one. */
KTAP_TEST(processes_apart)
{
	struct stream s;

	begin(&s);
	stream_process(&s, 201, 200);
	stream_process(&s, 202, 200);
	stream_watch(&s, 201, DONE, HEADWAY_MARKER_PROGRESS);
	stream_for_each_tick(&s, i, 8) {
		attempts(&s, 101, 20);
		progress(&s, 101, 20);
		attempts(&s, 201, 20);
		attempts(&s, 202, 20);
	}
	EXPECT_ONLY(&s, HEADWAY_LIVELOCK);
	EXPECT_EQ(s.last.pid, 200u);
	stream_end(&s);
}

/* Workers that are processes: a group by the markers that they share. */
KTAP_TEST(processes_of_one_thread)
{
	for (int works = 0; works < 2; works++) {
		struct stream s;

		stream_begin(&s, W5, SECOND);
		for (uint32_t tid = 301; tid < 304; tid++) {
			stream_process(&s, tid, tid);
			stream_watch(&s, tid, DONE, HEADWAY_MARKER_PROGRESS);
		}
		stream_for_each_tick(&s, i, 8) {
			for (uint32_t tid = 301; tid < 304; tid++)
				attempts(&s, tid, 20);
			if (works)
				progress(&s, 303, 20);
		}
		EXPECT_EQ(s.announced[works ? HEADWAY_STARVATION : HEADWAY_LIVELOCK],
			  works ? 2u : 1u);
		EXPECT_EQ(stream_total(&s), works ? 2u : 1u);
		if (!works)
			EXPECT_EQ(s.last.nr_actors, 3u);
		stream_end(&s);
	}
}

KTAP_TEST(over_when_progress_comes)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 7) {
		attempts(&s, 101, 20);
		attempts(&s, 102, 20);
	}
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	stream_for_each_tick(&s, i, 8) {
		attempts(&s, 101, 20);
		progress(&s, 101, 20);
		attempts(&s, 102, 20);
		progress(&s, 102, 20);
	}
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	EXPECT_EQ(stream_total(&s), 1u);
	stream_end(&s);
}

KTAP_TEST(short_livelock_is_transient)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 12) {
		bool stuck = i >= 4 && i < 8;

		for (uint32_t tid = 101; tid < 103; tid++) {
			attempts(&s, tid, 20);
			if (!stuck)
				progress(&s, tid, 20);
		}
	}
	EXPECT_ONLY(&s, HEADWAY_TRANSIENT);
	stream_end(&s);
}

/* A missing marker was asked for: nothing good may be said. */
KTAP_TEST(missing_marker)
{
	struct stream s;

	begin(&s);
	s.snap.missing_probes = 1u << HEADWAY_PROBE_MARKERS;
	stream_for_each_tick(&s, i, 8)
		progress(&s, 101, 20);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT(headway_detect_needs(HEADWAY_LIVELOCK) & 1u << HEADWAY_PROBE_MARKERS);
	stream_end(&s);
}

/* musl, Go: no trylock to probe, and none needed where progress is told. */
KTAP_TEST(markers_need_no_trylock)
{
	struct stream s;

	begin(&s);
	s.snap.missing_probes = 1u << HEADWAY_PROBE_TRYLOCK;
	stream_for_each_tick(&s, i, 8)
		progress(&s, 101, 20);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	stream_end(&s);
}

KTAP_TEST(lost_marks_are_lost_events)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 8) {
		progress(&s, 101, 20);
		s.snap.counters[HEADWAY_CNT_LOST_MARKS] += 20;
	}
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT(strstr(assessment(&s)->reason, "lost"));
	stream_end(&s);
}

/* A mark of a marker that is not there, or twice: refused, like everything that is not sorted. */
KTAP_TEST(bad_marks)
{
	struct stream s;

	begin(&s);
	s.marks[0].marker = 7;
	stream_tick(&s);
	EXPECT_EQ(s.error, -22);
	s.marks[0].marker = DONE;
	s.marks[1].marker = DONE;
	stream_tick(&s);
	EXPECT_EQ(s.error, -22);
	stream_end(&s);
}

KTAP_MAIN("detect_marker")
