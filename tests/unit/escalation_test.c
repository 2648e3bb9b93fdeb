// SPDX-License-Identifier: GPL-2.0
/*
 * escalation_test.c - when a livelocked domain goes to `serial`, when back, and that it cannot
 * flap.
 */
// links: kmod/escalation.c
#include "ktap.h"
#include "escalation.h"

#define N 10

static const struct headway_escalation_window livelock = {
	.enabled = true, .healthy_windows = N, .livelock = true, .raisable = true, .alarm = true,
};
static const struct headway_escalation_window healthy = {
	.enabled = true, .healthy_windows = N, .raisable = true, .healthy = true,
};
static const struct headway_escalation_window idle = {
	.enabled = true, .healthy_windows = N, .raisable = true,
};

#define STEP(e, window) ((int)headway_escalation_window(&(e), &(window)))

/* The windows of a kind until there is a step; -1: none within a million. */
static int windows_until(struct headway_escalation *e, const struct headway_escalation_window *w,
			 enum headway_escalation_step step)
{
	for (int n = 1; n <= 1000000; n++)
		if (headway_escalation_window(e, w) == step)
			return n;
	return -1;
}

static void raise(struct headway_escalation *e)
{
	windows_until(e, &livelock, HEADWAY_ESCALATION_RAISE);
	headway_escalation_ended(e, HEADWAY_ESCALATION_RAISE, true);
}

static int lower(struct headway_escalation *e)
{
	int n = windows_until(e, &healthy, HEADWAY_ESCALATION_LOWER);

	headway_escalation_ended(e, HEADWAY_ESCALATION_LOWER, true);
	return n;
}

KTAP_TEST(raising_needs_every_one_of_its_conditions)
{
	struct headway_escalation e = { 0 };
	struct headway_escalation_window w = livelock;

	w.enabled = false;
	EXPECT_EQ(STEP(e, w), HEADWAY_ESCALATION_NOTHING);
	w = livelock;
	w.livelock = false;
	EXPECT_EQ(STEP(e, w), HEADWAY_ESCALATION_NOTHING);
	w = livelock;
	w.raisable = false;
	EXPECT_EQ(STEP(e, w), HEADWAY_ESCALATION_NOTHING);
	EXPECT_EQ(STEP(e, healthy), HEADWAY_ESCALATION_NOTHING);
	EXPECT_EQ(STEP(e, idle), HEADWAY_ESCALATION_NOTHING);
	EXPECT_EQ(STEP(e, livelock), HEADWAY_ESCALATION_RAISE);
}

KTAP_TEST(one_step_at_a_time)
{
	struct headway_escalation e = { 0 };

	EXPECT_EQ(STEP(e, livelock), HEADWAY_ESCALATION_RAISE);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(STEP(e, livelock), HEADWAY_ESCALATION_NOTHING);
	headway_escalation_ended(&e, HEADWAY_ESCALATION_RAISE, true);
	EXPECT_TRUE(e.raised);
	/* A livelock that is still believed is no reason to raise again. */
	EXPECT_EQ(STEP(e, livelock), HEADWAY_ESCALATION_NOTHING);
}

KTAP_TEST(goes_back_after_exactly_so_many_healthy_windows)
{
	struct headway_escalation e = { 0 };

	raise(&e);
	EXPECT_EQ(lower(&e), N);
	EXPECT_FALSE(e.raised);
}

KTAP_TEST(idle_windows_neither_count_nor_disturb)
{
	struct headway_escalation e = { 0 };

	raise(&e);
	for (int i = 0; i < N - 1; i++)
		EXPECT_EQ(STEP(e, healthy), HEADWAY_ESCALATION_NOTHING);
	for (int i = 0; i < 1000; i++)
		EXPECT_EQ(STEP(e, idle), HEADWAY_ESCALATION_NOTHING);
	EXPECT_EQ(STEP(e, healthy), HEADWAY_ESCALATION_LOWER);
}

KTAP_TEST(an_alarm_starts_the_count_anew)
{
	struct headway_escalation e = { 0 };
	struct headway_escalation_window starving = idle;

	starving.alarm = true;
	raise(&e);
	for (int i = 0; i < N - 1; i++)
		EXPECT_EQ(STEP(e, healthy), HEADWAY_ESCALATION_NOTHING);
	EXPECT_EQ(STEP(e, starving), HEADWAY_ESCALATION_NOTHING);
	EXPECT_EQ(lower(&e), N);
}

KTAP_TEST(switched_off_it_goes_back_at_once)
{
	struct headway_escalation e = { 0 };
	struct headway_escalation_window off = idle;

	off.enabled = false;
	raise(&e);
	EXPECT_EQ(STEP(e, off), HEADWAY_ESCALATION_LOWER);
}

KTAP_TEST(each_relapse_doubles_up_to_a_cap)
{
	struct headway_escalation e = { 0 };
	int want = N;

	for (int i = 0; i < 12; i++) {
		raise(&e);
		EXPECT_EQ(lower(&e), want);
		EXPECT_EQ((int)e.relapses, i);
		if (i < HEADWAY_ESCALATION_LEVELS)
			want *= 2;
	}
	EXPECT_EQ(want, N << HEADWAY_ESCALATION_LEVELS);
}

/* Three windows are lost each time: of the rest nearly all is spent with progress. */
KTAP_TEST(a_workload_that_always_livelocks_spends_little_time_in_it)
{
	struct headway_escalation e = { 0 };
	uint64_t lost = 0, all = 0;

	for (int i = 0; i < 100; i++) {
		raise(&e);
		lost += 3;
		all += 3 + (uint64_t)lower(&e);
	}
	EXPECT_TRUE(lost * 100 < all);
}

KTAP_TEST(long_health_makes_a_relapse_a_first_time_again)
{
	struct headway_escalation e = { 0 };

	for (int i = 0; i < 3; i++) {
		raise(&e);
		lower(&e);
	}
	/* As many as the last time were asked for. */
	for (int i = 0; i < 4 * N - 1; i++)
		EXPECT_EQ(STEP(e, healthy), HEADWAY_ESCALATION_NOTHING);
	raise(&e);
	EXPECT_EQ((int)e.relapses, 3);
	EXPECT_EQ(lower(&e), 8 * N);
	for (int i = 0; i < 8 * N; i++)
		EXPECT_EQ(STEP(e, healthy), HEADWAY_ESCALATION_NOTHING);
	raise(&e);
	EXPECT_EQ((int)e.relapses, 3);
	EXPECT_EQ(lower(&e), N);
}

/* Each attempt shuts the gate for a second, so they must not come often. */
KTAP_TEST(attempts_that_fail_become_rare)
{
	struct headway_escalation e = { 0 };
	int want = 1;

	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(windows_until(&e, &livelock, HEADWAY_ESCALATION_RAISE), want);
		headway_escalation_ended(&e, HEADWAY_ESCALATION_RAISE, false);
		EXPECT_FALSE(e.raised);
		want = 1 + (1 << (i < HEADWAY_ESCALATION_LEVELS ? i : HEADWAY_ESCALATION_LEVELS));
	}
	/* It was one livelock all the time. */
	EXPECT_EQ((int)e.relapses, 0);
	raise(&e);
	EXPECT_EQ(lower(&e), N);
}

KTAP_TEST(a_restore_that_fails_is_tried_again)
{
	struct headway_escalation e = { 0 };

	raise(&e);
	EXPECT_EQ(windows_until(&e, &healthy, HEADWAY_ESCALATION_LOWER), N);
	headway_escalation_ended(&e, HEADWAY_ESCALATION_LOWER, false);
	EXPECT_TRUE(e.raised);
	EXPECT_EQ(lower(&e), N);
}

KTAP_TEST(override_ends_it_and_forgives)
{
	struct headway_escalation e = { 0 };

	raise(&e);
	lower(&e);
	raise(&e);
	EXPECT_EQ((int)e.relapses, 1);
	headway_escalation_override(&e);
	EXPECT_FALSE(e.raised);
	EXPECT_EQ(STEP(e, healthy), HEADWAY_ESCALATION_NOTHING);
	raise(&e);
	EXPECT_EQ((int)e.relapses, 1);
	EXPECT_EQ(lower(&e), N);
}

KTAP_MAIN("escalation")
