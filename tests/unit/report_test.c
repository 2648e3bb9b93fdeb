// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c userspace/report.c
// links: userspace/report_top.c
/*
 * report_test.c - what a report collects of a watch: the numbers of each interval, who waited for
 * whom and where, from when to when a finding held; and that it stays bounded.
 */
#include "ktap.h"
#include "report_out.h"
#include "stream.h"

#define W5 (5 * SECOND)

static struct headway_report *begin(struct stream *s)
{
	struct headway_report *r = headway_report_new();

	struct headway_detect_options o = {
		.window_ns = W5, .interval_ns = SECOND, .changes = headway_report_changes, .ctx = r,
	};

	stream_begin(s, W5, SECOND);
	headway_detect_free(s->detect);
	s->detect = r ? headway_detect_new(&o) : NULL;
	if (!s->detect)
		abort();
	stream_feed(s);
	EXPECT_EQ(headway_report_look(r, s->detect, s->snap.time_ns), 0);
	return r;
}

/* Ends the interval, and takes it in. */
static void look(struct headway_report *r, struct stream *s)
{
	stream_tick(s);
	EXPECT_EQ(headway_report_look(r, s->detect, s->snap.time_ns), 0);
}

static void end(struct headway_report *r, struct stream *s)
{
	headway_report_free(r);
	stream_end(s);
}

static const struct headway_report_lock *find_lock(const struct headway_report *r, uint64_t addr)
{
	for (size_t i = 0; i < r->nr_locks; i++)
		if (r->locks[i].addr == addr)
			return &r->locks[i];
	return NULL;
}

KTAP_TEST(effort_is_that_of_each_interval)
{
	const struct headway_report_actor *a;
	struct stream s;
	struct headway_report *r = begin(&s);

	for (unsigned int i = 1; i <= 3; i++) {
		stream_fail(&s, 101, 0xb000, 102, 0, 10 * i);
		stream_commit(&s, 102, 0xb000, i);
		stream_cpu(&s, 102, 0.5);
		look(r, &s);
	}
	EXPECT_EQ(r->nr_columns, 3u);
	EXPECT_EQ(r->columns[1].start_ns, s.began_ns + SECOND);
	EXPECT_EQ(r->columns[1].end_ns, s.began_ns + 2 * SECOND);
	a = headway_report_find_actor(r, 101);
	ASSERT(a && a->columns);
	EXPECT_EQ(a->columns[0].attempts, 10u);
	EXPECT_EQ(a->columns[2].attempts, 30u);
	EXPECT_EQ(a->all.attempts, 60u);
	EXPECT_EQ(a->all.completions, 0u);
	a = headway_report_find_actor(r, 102);
	ASSERT(a && a->columns);
	EXPECT_EQ(a->columns[1].completions, 2u);
	EXPECT_EQ(a->columns[1].cpu_ns, SECOND / 2);
	EXPECT(!headway_report_find_actor(r, 103));
	end(r, &s);
}

KTAP_TEST(locks_edges_and_stacks_of_failed_tries)
{
	const struct headway_report_lock *l;
	struct stream s;
	struct headway_report *r = begin(&s);

	stream_abba(&s, 20);
	stream_lock(&s, 101, HEADWAY_KIND_PTHREAD_MUTEX, 0xb000)->fail_stack = 7;
	look(r, &s);
	stream_abba(&s, 20);
	look(r, &s);
	l = find_lock(r, 0xb000);
	ASSERT(l);
	EXPECT_EQ(l->kind, (uint32_t)HEADWAY_KIND_PTHREAD_MUTEX);
	EXPECT_EQ(l->all.contentions, 40u);
	EXPECT_EQ(l->columns[1].contentions, 20u);
	EXPECT_EQ(l->owner_tid, 102u);
	EXPECT_EQ(r->nr_edges, 2u);
	EXPECT_EQ(r->edges[0].from_tid, 101u);
	EXPECT_EQ(r->edges[0].to_tid, 102u);
	EXPECT_EQ(r->edges[0].addr, 0xb000u);
	EXPECT_EQ(r->edges[0].fails, 40u);
	EXPECT_EQ(r->edges[0].asleep, 0u);
	EXPECT_EQ(r->nr_stacks, 1u);
	EXPECT_EQ(r->stacks[0].id, 7);
	EXPECT_EQ(r->stacks[0].fails, 40u);
	end(r, &s);
}

KTAP_TEST(sleepers_are_counted_once_an_interval)
{
	const struct headway_report_lock *l;
	struct stream s;
	struct headway_report *r = begin(&s);

	stream_thread(&s, 103);
	look(r, &s);
	stream_block(&s, 101, 0xa000, 103);
	stream_block(&s, 102, 0xa000, 103);
	/* They went to sleep as the interval began: all of it. */
	for (int i = 0; i < 4; i++)
		look(r, &s);
	l = find_lock(r, 0xa000);
	ASSERT(l);
	EXPECT_EQ(l->all.sleepers, 2u);
	EXPECT_EQ(l->columns[0].sleepers, 0u);
	EXPECT_EQ(l->columns[1].sleepers, 2u);
	EXPECT_EQ(l->columns[4].sleepers, 2u);
	EXPECT_EQ(l->all.contentions, 0u);
	EXPECT_EQ(l->owner_tid, 103u);
	EXPECT_EQ(r->nr_edges, 2u);
	EXPECT_EQ(r->edges[1].asleep, 4u);
	end(r, &s);
}

KTAP_TEST(a_finding_holds_until_it_does_not)
{
	struct stream s;
	struct headway_report *r = begin(&s);

	for (int i = 0; i < 8; i++) {
		stream_abba(&s, 20);
		look(r, &s);
	}
	EXPECT_EQ(r->nr_findings, 1u);
	EXPECT_EQ((int)r->findings[0].finding.verdict, HEADWAY_LIVELOCK);
	EXPECT_EQ(r->findings[0].at_ns, W5);
	EXPECT_EQ(r->findings[0].until_ns, 8 * SECOND);
	EXPECT(!r->findings[0].over);
	EXPECT(!r->columns[3].judged);
	EXPECT_EQ((int)r->columns[7].state, HEADWAY_LIVELOCK);
	for (int i = 0; i < 12; i++) {
		stream_commit(&s, 101, 0xb000, 20);
		stream_commit(&s, 102, 0xb000, 20);
		look(r, &s);
	}
	EXPECT(r->findings[0].over);
	EXPECT_GE(r->findings[0].until_ns, 8 * SECOND);
	EXPECT(r->findings[0].until_ns < 16 * SECOND);
	/* The same again is another one; the first stays as it was. */
	for (int i = 0; i < 8; i++) {
		stream_abba(&s, 20);
		look(r, &s);
	}
	EXPECT_EQ(r->nr_findings, 2u);
	EXPECT(r->findings[0].until_ns < 16 * SECOND);
	EXPECT_EQ(r->findings[1].until_ns, 28 * SECOND);
	end(r, &s);
}

/* However long it lasts: every two intervals become one, and no attempt is lost. */
KTAP_TEST(a_long_watch_is_merged)
{
	const struct headway_report_actor *a;
	uint64_t sum = 0, most = 0;
	struct stream s;
	struct headway_report *r = begin(&s);

	for (int i = 0; i < 3 * HEADWAY_REPORT_COLUMNS + 3; i++) {
		stream_commit(&s, 101, 0xb000, 2);
		stream_fail(&s, 102, 0xb000, 101, 0, 1);
		look(r, &s);
	}
	EXPECT_EQ(r->merge, 4u);
	EXPECT_EQ(r->nr_columns, 3u * HEADWAY_REPORT_COLUMNS / 4 + 1);
	EXPECT_EQ(r->columns[0].end_ns - r->columns[0].start_ns, 4 * SECOND);
	for (size_t i = 1; i < r->nr_columns; i++)
		EXPECT_EQ(r->columns[i].start_ns, r->columns[i - 1].end_ns);
	EXPECT_EQ(r->columns[r->nr_columns - 1].end_ns, s.snap.time_ns);
	a = headway_report_find_actor(r, 102);
	ASSERT(a && a->columns);
	for (size_t i = 0; i < r->nr_columns; i++) {
		sum += a->columns[i].attempts;
		if (a->columns[i].attempts > most)
			most = a->columns[i].attempts;
	}
	EXPECT_EQ(sum, 3u * HEADWAY_REPORT_COLUMNS + 3);
	EXPECT_EQ(most, 4u);
	end(r, &s);
}

KTAP_TEST(what_has_no_room_is_counted)
{
	struct stream s;
	struct headway_report *r = begin(&s);

	/* Threads come and go. */
	for (uint32_t i = 0; i < HEADWAY_REPORT_ACTORS; i += 32) {
		for (uint32_t k = 0; k < 32; k++)
			stream_commit(&s, 1000 + i + k, 0x10000 + 64ull * (i + k), 1);
		look(r, &s);
		for (uint32_t k = 0; k < 32; k++)
			stream_kill(&s, 1000 + i + k);
	}
	EXPECT_EQ(r->nr_actors, (size_t)HEADWAY_REPORT_ACTORS);
	EXPECT_EQ(r->left_out.actors, 0u);
	stream_commit(&s, 9999, 0xffff000, 1);
	look(r, &s);
	EXPECT_EQ(r->left_out.actors, 1u);
	EXPECT_EQ(r->left_out.locks, 1u);
	end(r, &s);
}

/* Who is part of a finding is shown before who is busy. */
KTAP_TEST(the_top_are_those_that_matter)
{
	const struct headway_report_actor *actors[2];
	const struct headway_report_lock *locks[1];
	struct stream s;
	struct headway_report *r = begin(&s);

	for (int i = 0; i < 6; i++) {
		stream_abba(&s, 20);
		stream_commit(&s, 50, 0xc000, 5000);
		stream_commit(&s, 60, 0xd000, 1);
		look(r, &s);
	}
	EXPECT_EQ(headway_report_top_actors(r, actors, 2), 2);
	EXPECT_EQ(actors[0]->tid, 101u);
	EXPECT_EQ(actors[1]->tid, 102u);
	EXPECT_EQ(headway_report_top_locks(r, locks, 1), 1);
	EXPECT_EQ(locks[0]->addr, 0xa000u);
	end(r, &s);
}

KTAP_MAIN("report")
