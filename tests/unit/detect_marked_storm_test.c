// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * detect_marked_storm_test.c - markers that tell of progress: a herd that mostly wakes in vain, and
 * work that is handed from the thread that tries to those that get on.
 */
#include "ktap.h"
#include "stream.h"

#define W5 (5 * SECOND)

enum { TRIED, DONE };	/* markers */

enum { FIRST = 100, THREADS = 4 };	/* thread ids */

static struct headway_snap_marker markers[] = {
	[TRIED] = { .role = HEADWAY_MARKER_ATTEMPT, .attached = true, .name = "tried" },
	[DONE] = { .role = HEADWAY_MARKER_PROGRESS, .attached = true, .name = "done" },
};
static struct headway_snap_mark marks[2 * THREADS];	/* sorted: by thread, then marker */

static void mark(struct stream *s, uint32_t tid, uint32_t marker, uint64_t n)
{
	struct headway_snap_mark *m = &marks[2 * (tid - FIRST) + marker];

	m->rec.count += n;
	if (n)
		m->rec.last_ns = s->snap.time_ns + s->interval_ns / 2;
	stream_events(s, n);
}

static void pass(struct stream *s, uint32_t tid, uint64_t tried, uint64_t done)
{
	mark(s, tid, TRIED, tried);
	mark(s, tid, DONE, done);
}

static void begin(struct stream *s)
{
	stream_begin(s, W5, SECOND);
	for (uint32_t i = 0; i < 2 * THREADS; i++) {
		marks[i] = (struct headway_snap_mark){ .tid = FIRST + i / 2, .marker = i % 2 };
		stream_thread(s, FIRST + i / 2);
	}
	s->snap.markers = markers;
	s->snap.nr_markers = 2;
	s->snap.marks = marks;
	s->snap.nr_marks = 2 * THREADS;
}

/* `tried` and `done` each second by each of two threads. Return: retry storms announced. */
static unsigned int storms(uint64_t tried, uint64_t done)
{
	struct stream s;
	unsigned int n;

	begin(&s);
	stream_for_each_tick(&s, i, 9) {
		pass(&s, 101, tried, done);
		pass(&s, 102, tried, done);
	}
	n = s.announced[HEADWAY_RETRY_STORM];
	EXPECT_EQ(stream_total(&s), n);
	if (n)
		EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	if (n)
		EXPECT_EQ(s.last.nr_actors, 2u);
	stream_end(&s);
	return n;
}

KTAP_TEST(herd)
{
	EXPECT_EQ(storms(400, 10), 1u);
}

KTAP_TEST(edges)
{
	/* 95 % in vain, at 50 a second and more; progress at all, else it is a livelock. */
	EXPECT_EQ(storms(1000, 50), 1u);
	EXPECT_EQ(storms(1000, 51), 0u);
	EXPECT_EQ(storms(52, 2), 1u);
	EXPECT_EQ(storms(51, 2), 0u);
	/* One attempt may get on more than once. */
	EXPECT_EQ(storms(10, 1000), 0u);
}

/* It accepts, the others answer: none that tries gets on, none that gets on tries. */
KTAP_TEST(handed_over)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 9) {
		pass(&s, 101, 100, 0);
		mark(&s, 102, DONE, 50);
		mark(&s, 103, DONE, 50);
	}
	EXPECT_NONE(&s, HEADWAY_HEALTHY);
	stream_end(&s);
}

/* One of the others accepts too, and gets on with it: then the first one does starve. */
KTAP_TEST(handed_over_to_some)
{
	struct stream s;

	begin(&s);
	stream_for_each_tick(&s, i, 9) {
		pass(&s, 101, 100, 0);
		pass(&s, 102, 100, 90);
		mark(&s, 103, DONE, 50);
	}
	EXPECT_EQ(s.announced[HEADWAY_STARVATION], 1u);
	stream_end(&s);
}

KTAP_MAIN("detect_marked_storm")
