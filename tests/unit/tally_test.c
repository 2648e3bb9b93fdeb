// SPDX-License-Identifier: GPL-2.0
// links: userspace/tally.c
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * tally_test.c - sums for each process and lock: what they are of, that none counts backwards, and
 * what happens when there are more than have room.
 */
#include "ktap.h"
#include "stream.h"
#include "tally.h"

struct watch {
	struct stream s;
	struct headway_tally t;
};

static void on_changes(void *ctx, const struct headway_view *v)
{
	headway_tally_add(ctx, v);
}

static void watch_begin(struct watch *w, size_t max)
{
	struct headway_detect_options o = {
		.window_ns = 5 * SECOND, .interval_ns = SECOND,
		.changes = on_changes, .ctx = &w->t,
	};

	stream_begin(&w->s, 5 * SECOND, SECOND);
	headway_detect_free(w->s.detect);
	w->s.detect = headway_detect_new(&o);
	EXPECT_EQ(headway_tally_init(&w->t, max, max), 0);
	stream_feed(&w->s);
}

static void watch_end(struct watch *w)
{
	stream_end(&w->s);
	headway_tally_free(&w->t);
}

/* A process of one thread of that id. */
static void add_process(struct watch *w, uint32_t pid)
{
	stream_process(&w->s, pid, pid);
	stream_commit(&w->s, pid, 0xa000, 1);
}

static const struct headway_tally_line *process(const struct watch *w, uint32_t pid)
{
	for (size_t i = 0; i < w->t.processes.nr; i++)
		if (w->t.processes.lines[i].pid == pid)
			return &w->t.processes.lines[i];
	return NULL;
}

static const struct headway_tally_line *lock(const struct watch *w, uint32_t pid, uint64_t addr)
{
	for (size_t i = 0; i < w->t.locks.nr; i++)
		if (w->t.locks.lines[i].pid == pid && w->t.locks.lines[i].addr == addr)
			return &w->t.locks.lines[i];
	return NULL;
}

KTAP_TEST(sums_of_a_process)
{
	const struct headway_tally_line *p;
	struct watch w;

	watch_begin(&w, 8);
	strcpy(stream_thread(&w.s, 100)->rec.comm, "main");
	stream_commit(&w.s, 100, 0xa000, 1);
	stream_for_each_tick(&w.s, i, 3) {
		stream_fail(&w.s, 101, 0xb000, 102, 0xa000, 20);
		stream_commit(&w.s, 102, 0xb000, 5);
	}
	p = process(&w, 100);
	ASSERT(p && w.t.processes.nr == 1);
	EXPECT_STREQ(p->comm, "main");
	EXPECT_EQ(p->threads, 3u);
	EXPECT_EQ(p->fails, 60u);
	EXPECT_EQ(p->rollbacks, 60u);
	EXPECT_EQ(p->completions, 16u);
	EXPECT_EQ(p->attempts, 76u);
	EXPECT_EQ(w.t.processes.folded, 0u);
	/* 0xa000 was never fought for. */
	ASSERT(lock(&w, 100, 0xb000) && w.t.locks.nr == 1);
	EXPECT_EQ(lock(&w, 100, 0xb000)->fails, 60u);
	EXPECT_STREQ(lock(&w, 100, 0xb000)->comm, "main");
	watch_end(&w);
}

/* A thread that ends takes nothing away, and one that has its id starts from nothing. */
KTAP_TEST(threads_come_and_go)
{
	struct watch w;

	watch_begin(&w, 8);
	stream_commit(&w.s, 100, 0xa000, 1);
	stream_commit(&w.s, 101, 0xa000, 7);
	stream_tick(&w.s);
	stream_kill(&w.s, 101);
	stream_tick(&w.s);
	EXPECT_EQ(process(&w, 100)->completions, 8u);
	EXPECT_EQ(process(&w, 100)->threads, 1u);
	stream_commit(&w.s, 101, 0xa000, 2);
	stream_tick(&w.s);
	EXPECT_EQ(process(&w, 100)->completions, 10u);
	watch_end(&w);
}

/* Where failed tries are not seen, a lock that was got says nothing; what a marker says does. */
KTAP_TEST(locks_got_by_a_program_whose_tries_are_hidden)
{
	struct watch w;

	watch_begin(&w, 8);
	stream_thread(&w.s, 100)->tries_hidden = true;
	stream_commit(&w.s, 100, 0xa000, 5);
	stream_tick(&w.s);
	ASSERT(process(&w, 100) != NULL);
	EXPECT_EQ(process(&w, 100)->completions, 0u);
	EXPECT_EQ(process(&w, 100)->attempts, 0u);
	EXPECT_EQ(process(&w, 100)->threads, 1u);
	stream_mark(&w.s, 100, 0, HEADWAY_MARKER_PROGRESS, 3);
	stream_tick(&w.s);
	EXPECT_EQ(process(&w, 100)->completions, 3u);
	watch_end(&w);
}

KTAP_TEST(waits)
{
	struct headway_lock_rec *l;
	struct watch w;

	watch_begin(&w, 8);
	stream_pass(&w.s, 101, 0xa000, 4);
	l = stream_lock(&w.s, 101, HEADWAY_KIND_FUTEX, 0xa000);
	l->wait_timeout += 2;
	l->wait_ns += 3000;
	stream_tick(&w.s);
	EXPECT_EQ(process(&w, 100)->wait_ns, 3000u);
	ASSERT(lock(&w, 100, 0xa000) != NULL);
	EXPECT_EQ(lock(&w, 100, 0xa000)->wait_ns, 3000u);
	watch_end(&w);
}

/* What the kernel has counted so far; buckets 3 and 31. */
static void tell_times(struct watch *w, size_t nr, uint32_t pid, uint64_t addr, uint64_t short_ones,
		       uint64_t long_ones)
{
	static struct headway_wait_times times[8];
	struct headway_times told = { .nr = nr, .times = times };

	times[nr - 1] = (struct headway_wait_times){ .pid = pid, .addr = addr };
	times[nr - 1].buckets[3] = short_ones;
	times[nr - 1].buckets[31] = long_ones;
	EXPECT_EQ(headway_tally_times(&w->t, &told), 0);
}

KTAP_TEST(times_of_waits)
{
	struct watch w;

	watch_begin(&w, 8);
	/* Earlier than the snapshot knows of it: not lost. */
	tell_times(&w, 1, 100, 0xa000, 1, 0);
	stream_pass(&w.s, 101, 0xa000, 4);
	stream_tick(&w.s);
	tell_times(&w, 1, 100, 0xa000, 3, 1);
	ASSERT(process(&w, 100) && lock(&w, 100, 0xa000));
	EXPECT_EQ(process(&w, 100)->times[3], 3u);
	EXPECT_EQ(lock(&w, 100, 0xa000)->times[31], 1u);
	/* Once more the same is nothing new; less is a beginning from nothing. */
	tell_times(&w, 1, 100, 0xa000, 3, 1);
	EXPECT_EQ(process(&w, 100)->times[3], 3u);
	tell_times(&w, 1, 100, 0xa000, 2, 0);
	EXPECT_EQ(lock(&w, 100, 0xa000)->times[3], 5u);
	/* Of another lock, after it in order. */
	stream_pass(&w.s, 101, 0xb000, 1);
	stream_tick(&w.s);
	tell_times(&w, 2, 100, 0xb000, 7, 0);
	EXPECT_EQ(process(&w, 100)->times[3], 12u);
	EXPECT_EQ(lock(&w, 100, 0xb000)->times[3], 7u);
	watch_end(&w);
}

KTAP_TEST(times_of_others)
{
	struct watch w;

	watch_begin(&w, 1);
	stream_pass(&w.s, 21, 0xa000, 1);
	stream_process(&w.s, 21, 21);
	stream_pass(&w.s, 22, 0xa000, 1);
	stream_process(&w.s, 22, 22);
	stream_tick(&w.s);
	tell_times(&w, 1, 22, 0xa000, 5, 0);
	EXPECT_EQ(w.t.processes.others.times[3], 5u);
	EXPECT_EQ(w.t.locks.others.times[3], 5u);
	watch_end(&w);
}

/* More than there is room for: the first have lines, the sum of all others is right too. */
KTAP_TEST(others_are_summed_up)
{
	uint64_t sum = 0;
	struct watch w;

	watch_begin(&w, 3);
	for (uint32_t pid = 30; pid > 20; pid--)
		add_process(&w, pid);
	stream_tick(&w.s);
	EXPECT_EQ(w.t.processes.nr, 3u);
	for (size_t i = 0; i < w.t.processes.nr; i++)
		sum += w.t.processes.lines[i].completions;
	EXPECT_EQ(sum, 3u);
	EXPECT_EQ(w.t.processes.others.completions, 7u);
	EXPECT_EQ(w.t.processes.others.threads, 7u);
	EXPECT_EQ(w.t.processes.folded, 7u);
	watch_end(&w);
}

/* A minute of doing nothing costs the line, but only when somebody needs it. */
KTAP_TEST(the_idle_make_room)
{
	struct watch w;

	watch_begin(&w, 2);
	add_process(&w, 21);
	add_process(&w, 22);
	stream_tick(&w.s);
	stream_for_each_tick(&w.s, i, 70)
		stream_commit(&w.s, 22, 0xa000, 1);
	EXPECT(process(&w, 21) && process(&w, 22));
	add_process(&w, 23);
	stream_commit(&w.s, 22, 0xa000, 1);
	stream_tick(&w.s);
	EXPECT(!process(&w, 21) && process(&w, 22) && process(&w, 23));
	EXPECT_EQ(process(&w, 22)->completions, 72u);
	/* 21 is there still, but has no line any more, and takes none as long as it is idle. */
	stream_for_each_tick(&w.s, i, 70)
		;
	EXPECT(!process(&w, 21));
	EXPECT_EQ(w.t.processes.folded, 0u);
	add_process(&w, 21);
	stream_tick(&w.s);
	EXPECT(process(&w, 21) != NULL);
	watch_end(&w);
}

KTAP_TEST(the_gone_are_forgotten)
{
	struct watch w;

	watch_begin(&w, 8);
	add_process(&w, 21);
	add_process(&w, 22);
	stream_tick(&w.s);
	stream_kill(&w.s, 21);
	stream_for_each_tick(&w.s, i, 290)
		;
	EXPECT(process(&w, 21) && process(&w, 22));
	stream_for_each_tick(&w.s, i, 20)
		;
	EXPECT(!process(&w, 21) && process(&w, 22));
	watch_end(&w);
}

KTAP_MAIN("tally")
