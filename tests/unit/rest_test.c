// SPDX-License-Identifier: GPL-2.0
// links: userspace/rest.c
/*
 * rest_test.c - when the probes rest, and for how long.
 */
#include "ktap.h"
#include "rest.h"

#define SECOND 1000000000ull

/* A watch with windows of five seconds and a look each second. */
struct watch {
	struct headway_rest rest;
	uint64_t now_ns;
	uint64_t events;
	uint64_t watched_s;	/* intervals in which events were counted */
	bool attached;
};

static struct watch begin(uint64_t max_rate)
{
	struct watch w = {
		.rest = {
			.max_rate = max_rate,
			.most = HEADWAY_REST_MOST,
			.window_ns = 5 * SECOND,
			.interval_ns = SECOND,
		},
		.now_ns = 1000 * SECOND,
		.attached = true,
	};

	headway_rest_step(&w.rest, w.now_ns, 0);
	return w;
}

static enum headway_rest_step tick(struct watch *w, uint64_t events)
{
	enum headway_rest_step step;

	w->now_ns += SECOND;
	w->events += w->attached ? events : 0;
	w->watched_s += w->attached;
	step = headway_rest_step(&w->rest, w->now_ns, w->events);
	if (step != HEADWAY_REST_STAY)
		w->attached = step == HEADWAY_REST_ATTACH;
	return step;
}

KTAP_TEST(calm_is_watched_all_the_time)
{
	struct watch w = begin(1000);

	for (int i = 0; i < 100; i++)
		EXPECT_EQ((int)tick(&w, 1000), HEADWAY_REST_STAY);
	EXPECT_EQ(w.rest.rested_ns, 0u);
}

KTAP_TEST(without_a_limit_nobody_rests)
{
	struct watch w = begin(0);

	for (int i = 0; i < 100; i++)
		EXPECT_EQ((int)tick(&w, 1ull << 50), HEADWAY_REST_STAY);
	EXPECT_EQ(w.rest.rested_ns, 0u);
}

/* A burst counts only by what it makes of a whole window. */
KTAP_TEST(short_burst_is_not_a_storm)
{
	struct watch w = begin(1000);

	for (int i = 0; i < 100; i++)
		EXPECT_EQ((int)tick(&w, i % 5 ? 0 : 5000), HEADWAY_REST_STAY);
}

KTAP_TEST(storm_is_watched_by_whole_windows)
{
	struct watch w = begin(1000);

	for (int round = 0; round < 3; round++) {
		uint64_t rested = w.rest.rested_ns;

		for (int i = 0; i < 4; i++)
			EXPECT_EQ((int)tick(&w, 2500), HEADWAY_REST_STAY);
		EXPECT_EQ((int)tick(&w, 2500), HEADWAY_REST_DETACH);
		EXPECT_EQ(w.rest.rested_ns, rested);
		/* Two windows and a half are due: it rests for two. */
		for (int i = 0; i < 9; i++)
			EXPECT_EQ((int)tick(&w, 2500), HEADWAY_REST_STAY);
		EXPECT_EQ((int)tick(&w, 2500), HEADWAY_REST_ATTACH);
		/* The interval after that is not part of a window. */
		EXPECT_EQ((int)tick(&w, 2500), HEADWAY_REST_STAY);
		EXPECT_EQ(w.rest.rested_ns, rested + 11 * SECOND);
	}
}

KTAP_TEST(any_storm_is_watched_sometimes)
{
	struct watch w = begin(1);

	for (int i = 0; i < 1000; i++)
		tick(&w, 1ull << 40);
	/* 6 of each 26 s. */
	EXPECT_GE(w.watched_s, 1000u * 6 / 26);
	EXPECT_LE(w.watched_s, 1000u * 6 / 26 + 6);
}

KTAP_TEST(storm_that_is_over_is_noticed)
{
	struct watch w = begin(1000);
	uint64_t rested;

	for (int i = 0; i < 30; i++)
		tick(&w, 2000);
	for (int i = 0; i < 26; i++)
		tick(&w, 10);
	rested = w.rest.rested_ns;
	EXPECT_GT(rested, 0u);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ((int)tick(&w, 10), HEADWAY_REST_STAY);
	EXPECT_EQ(w.rest.rested_ns, rested);
}

/* Looks are late now and then, and early by a little. */
KTAP_TEST(late_looks)
{
	struct watch w = begin(1000);

	w.now_ns += 30 * SECOND;
	EXPECT_EQ((int)tick(&w, 32 * 1500), HEADWAY_REST_DETACH);
	w.now_ns += 30 * SECOND;
	EXPECT_EQ((int)tick(&w, 0), HEADWAY_REST_ATTACH);
	EXPECT_EQ(w.rest.rested_ns, 31 * SECOND);
	w.now_ns -= SECOND / 5;
	EXPECT_EQ((int)tick(&w, 0), HEADWAY_REST_STAY);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ((int)tick(&w, 2500), HEADWAY_REST_STAY);
	w.now_ns -= SECOND / 5;
	EXPECT_EQ((int)tick(&w, 2500), HEADWAY_REST_DETACH);
}

/* However much there is of it, what is suspicious is looked at. */
KTAP_TEST(nobody_rests_while_something_is_suspected)
{
	struct watch w = begin(1000);

	w.rest.suspicious = true;
	for (int i = 0; i < 100; i++)
		EXPECT_EQ((int)tick(&w, 1ull << 40), HEADWAY_REST_STAY);
	w.rest.suspicious = false;
	for (int i = 0; i < 5; i++)
		tick(&w, 1ull << 40);
	EXPECT_FALSE(w.attached);
}

/* What is watched of a steady stream is never more than the limit, on average. */
KTAP_TEST(average_is_within_the_limit)
{
	for (uint64_t rate = 1000; rate < 24000; rate += 700) {
		struct watch w = begin(1000);

		w.rest.most = HEADWAY_REST_TRIES_MOST;
		for (int i = 0; i < 2000; i++)
			tick(&w, rate);
		/* The interval in which a rest settles is one of five. */
		EXPECT_LE(w.events, 2000u * 1000 * 6 / 5 + 6 * rate);
	}
}

static struct watch begin_peeking(void)
{
	struct watch w = begin(1000);

	w.rest.most = HEADWAY_REST_TRIES_MOST;
	w.rest.peek_every = headway_rest_peek_every(5 * SECOND, SECOND);
	for (int i = 0; i < 5; i++)
		tick(&w, 1ull << 40);
	EXPECT_FALSE(w.attached);
	return w;
}

KTAP_TEST(rest_is_broken_by_peeks)
{
	struct watch w = begin_peeking();

	EXPECT_EQ(w.rest.peek_every, 3u);
	for (int i = 1; i < 5 * HEADWAY_REST_TRIES_MOST; i++)
		EXPECT_EQ((int)tick(&w, 0), i % 3 ? HEADWAY_REST_STAY : HEADWAY_REST_PEEK);
	EXPECT_EQ((int)tick(&w, 0), HEADWAY_REST_ATTACH);
}

/* After a peek: an interval in which it is weighed, one to settle, a window. */
KTAP_TEST(peeks_come_often_enough_for_two_windows)
{
	for (uint64_t n = 4; n <= 60; n++)
		EXPECT_LE(headway_rest_peek_every(n * SECOND, SECOND) + 2, n);
	EXPECT_EQ(headway_rest_peek_ns(2 * SECOND), SECOND / 5);
	EXPECT_EQ(headway_rest_peek_ns(SECOND), SECOND / 10);
	/* Short windows: not more often than each two seconds. */
	EXPECT_EQ(headway_rest_peek_every(SECOND, SECOND / 5), 10u);
	EXPECT_EQ(headway_rest_peek_ns(SECOND / 5), SECOND / 10);
	EXPECT_EQ(headway_rest_peek_ns(SECOND / 10), SECOND / 20);
}

KTAP_TEST(suspicion_ends_a_rest)
{
	struct watch w = begin_peeking();
	uint64_t rested = w.rest.rested_ns;

	EXPECT_TRUE(headway_rest_break(&w.rest, w.now_ns));
	EXPECT_FALSE(headway_rest_break(&w.rest, w.now_ns));
	w.attached = true;
	w.rest.suspicious = true;
	for (int i = 0; i < 30; i++)
		EXPECT_EQ((int)tick(&w, 1ull << 40), HEADWAY_REST_STAY);
	/* The interval in which it settles. */
	EXPECT_EQ(w.rest.rested_ns, rested + SECOND);
	EXPECT_EQ(w.rest.doubts, 0u);
	/* Not while it is watched. */
	EXPECT_FALSE(headway_rest_break(&w.rest, w.now_ns));
}

/* Windows from here until a suspicion ends a rest, if there is one all the time. */
static unsigned int windows_until_heeded(struct watch *w)
{
	unsigned int n = 0;

	while (!headway_rest_break(&w->rest, w->now_ns)) {
		tick(w, 1ull << 40);
		n++;
	}
	w->attached = true;
	return (n + 4) / 5;
}

KTAP_TEST(wrong_suspicions_are_heeded_less_and_less)
{
	struct watch w = begin_peeking();

	for (unsigned int wrong = 0; wrong < 6; wrong++) {
		EXPECT_EQ(windows_until_heeded(&w), wrong ? 1u << (wrong - 1) : 0u);
		while (w.attached)
			tick(&w, 1ull << 40);
	}
	/* A rest that nothing broke: somewhat more again. */
	EXPECT_EQ(w.rest.doubts, 6u);
	w.rest.heeded_ns = 0;
	while (!w.attached)
		tick(&w, 1ull << 40);
	EXPECT_EQ(w.rest.doubts, 5u);
}

KTAP_MAIN("rest")
