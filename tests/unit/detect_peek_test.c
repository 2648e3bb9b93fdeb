// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c userspace/rest.c
/*
 * detect_peek_test.c - trylocks rest, and are peeked at: what begins then is told in time, and what
 * is healthy is left in peace.
 *
 * The engine and the rests together, as the loader has them; windows of five seconds, a look each.
 */
#include "ktap.h"
#include "rest.h"
#include "stream.h"

#define W5 (5 * SECOND)

struct peeks {
	struct stream s;
	struct headway_rest rest;
	bool attached;
	bool peeked;			/* in this interval, at its beginning */
	uint64_t seconds;
	double watched_s;
};

static void begin(struct peeks *p)
{
	*p = (struct peeks){
		.rest = {
			.max_rate = HEADWAY_REST_TRIES, .most = HEADWAY_REST_TRIES_MOST,
			.window_ns = W5, .interval_ns = SECOND,
			.peek_every = headway_rest_peek_every(W5, SECOND),
		},
		.attached = true,
	};
	stream_begin(&p->s, W5, SECOND);
	headway_rest_step(&p->rest, p->s.snap.time_ns, 0);
}

/* Of n tries in this interval, those that the probes see. */
static uint64_t seen(const struct peeks *p, uint64_t n)
{
	return p->attached ? n : p->peeked ? n / 10 : 0;
}

static void look(struct peeks *p)
{
	struct headway_snapshot *snap = &p->s.snap;
	enum headway_rest_step step;

	p->watched_s += p->attached ? 1 : p->peeked ? 0.1 : 0;
	p->seconds++;
	snap->time_ns += SECOND;
	p->rest.suspicious = !headway_detect_calm(p->s.detect);
	step = headway_rest_step(&p->rest, snap->time_ns, snap->counters[HEADWAY_CNT_TRIES]);
	p->peeked = step == HEADWAY_REST_PEEK;
	if (step == HEADWAY_REST_DETACH || step == HEADWAY_REST_ATTACH)
		p->attached = step == HEADWAY_REST_ATTACH;
	snap->tries_rested_ns = p->rest.rested_ns;
	stream_feed(&p->s);
	if (!headway_detect_calm(p->s.detect) && headway_rest_break(&p->rest, snap->time_ns))
		p->attached = true;
}

static void commit(struct peeks *p, uint32_t tid, uint64_t lock, uint64_t n)
{
	n = seen(p, n);
	if (n)
		stream_commit(&p->s, tid, lock, n);
	p->s.snap.counters[HEADWAY_CNT_TRIES] += n;
}

static void fail(struct peeks *p, uint32_t tid, uint64_t lock, uint32_t owner, uint64_t held,
		 uint64_t n)
{
	n = seen(p, n);
	if (n)
		stream_fail(&p->s, tid, lock, owner, held, n);
	p->s.snap.counters[HEADWAY_CNT_TRIES] += n;
}

/* Two threads that get on, at such a rate. */
static void get_on(struct peeks *p, uint64_t rate)
{
	commit(p, 101, 0xa000, rate / 2);
	commit(p, 102, 0xb000, rate / 2);
	stream_cpu(&p->s, 101, 0.5);
	stream_cpu(&p->s, 102, 0.5);
}

static void livelock(struct peeks *p)
{
	fail(p, 101, 0xb000, 102, 0xa000, 20);
	fail(p, 102, 0xa000, 101, 0xb000, 20);
}

static void calm(struct peeks *p, int seconds)
{
	for (int i = 0; i < seconds; look(p), i++)
		get_on(p, 1000000);
	EXPECT_FALSE(p->attached);
	EXPECT_NONE(&p->s, HEADWAY_HEALTHY);
}

/* Begins right after a peek, or wherever between two. */
KTAP_TEST(livelock_that_begins_in_a_rest_is_told_within_two_windows)
{
	for (int onset = 20; onset < 29; onset++) {
		struct peeks p;

		begin(&p);
		calm(&p, onset);
		if (p.peeked)
			get_on(&p, 1000000);
		for (int i = 0; i < 10; look(&p), i++)
			if (i || !p.peeked)
				livelock(&p);
		EXPECT_ONLY(&p.s, HEADWAY_LIVELOCK);
		/* And is watched from then on. */
		for (int i = 0; i < 100; look(&p), i++)
			livelock(&p);
		EXPECT_ONLY(&p.s, HEADWAY_LIVELOCK);
		EXPECT_EQ(stream_state(&p.s), HEADWAY_LIVELOCK);
		stream_end(&p.s);
	}
}

/* Whoever has it gets on. */
KTAP_TEST(starvation_that_begins_in_a_rest_is_told_within_two_windows)
{
	struct peeks p;

	begin(&p);
	calm(&p, 23);
	for (int i = 0; i < 10; look(&p), i++) {
		commit(&p, 101, 0xa000, 500000);
		fail(&p, 102, 0xa000, 101, 0, 5000);
	}
	EXPECT_ONLY(&p.s, HEADWAY_STARVATION);
	stream_end(&p.s);
}

/* For that it needs no peek, of which none may come in time. */
KTAP_TEST(who_completes_no_more_is_watched_at_once)
{
	struct peeks p;

	begin(&p);
	for (int i = 0; i < 22; look(&p), i++) {
		get_on(&p, 1000000);
		stream_pass(&p.s, 101, 0xc000, 40);
	}
	EXPECT_FALSE(p.attached);
	/* Busy, with nothing to show for it. */
	stream_cpu(&p.s, 101, 1.0);
	look(&p);
	EXPECT_TRUE(p.attached);
	stream_end(&p.s);
}

/* Idle is no suspicion: it may have no work. */
KTAP_TEST(who_sleeps_is_left_in_peace)
{
	struct peeks p;

	begin(&p);
	for (int i = 0; i < 22; look(&p), i++) {
		get_on(&p, 1000000);
		stream_pass(&p.s, 101, 0xc000, 40);
	}
	for (int i = 0; i < 30; look(&p), i++)
		EXPECT_FALSE(p.attached);
	stream_end(&p.s);
}

/* Of a healthy program the probes see at most a twentieth, however many tries there are. */
KTAP_TEST(who_gets_on_is_left_in_peace)
{
	struct peeks p;

	begin(&p);
	for (int i = 0; i < 3000; look(&p), i++) {
		get_on(&p, 1000000);
		/* In the way of each other now and then. */
		fail(&p, 101, 0xb000, 102, 0, 1000);
		/* One that looks in from time to time: a peek sees only that it fails. */
		fail(&p, 103, 0xb000, 102, 0, 10);
		commit(&p, 103, 0xb000, 5);
	}
	EXPECT_NONE(&p.s, HEADWAY_HEALTHY);
	EXPECT_LE(p.watched_s, 0.055 * (double)p.seconds);
	EXPECT_GE(p.watched_s, 0.02 * (double)p.seconds);
	stream_end(&p.s);
}

/* In each peek somebody looks stuck who is not. */
KTAP_TEST(false_suspicions_cost_little)
{
	struct peeks p;

	begin(&p);
	for (int i = 0; i < 3000; look(&p), i++) {
		get_on(&p, 1000000);
		fail(&p, 103, 0xd000, 104, 0, 20);
		if (p.attached)
			commit(&p, 103, 0xd000, 20);
	}
	EXPECT_NONE(&p.s, HEADWAY_HEALTHY);
	EXPECT_LE(p.watched_s, 0.1 * (double)p.seconds);
	stream_end(&p.s);
}

KTAP_MAIN("detect_peek")
