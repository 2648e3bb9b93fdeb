// SPDX-License-Identifier: GPL-2.0
/*
 * kmod_verdict_test.c - the module's watchdog rules: what is an alarm, what is not, and when it is
 * believed. Each figure that a rule depends on is tried on both sides of its limit.
 */
// links: kmod/verdict.c
#include "ktap.h"
#include "verdict.h"

#define SECOND 1000000000ull

static const struct headway_limits limits = {
	.rollbacks_min = 16,
	.contended_ratio = 200,
	.restarts_max = 256,
	.wait_max_ns = 10 * SECOND,
};

/* A window as the philosophers make it under policy none. */
static struct headway_window livelock(void)
{
	return (struct headway_window){
		.length_ns = SECOND, .in_flight_throughout = true, .in_flight = 5,
		.attempts = 100, .rollbacks = 100, .actors = 5, .restarts_max = 20,
	};
}

static struct headway_window healthy(void)
{
	return (struct headway_window){
		.length_ns = SECOND, .in_flight_throughout = true, .in_flight = 5,
		.attempts = 1000, .commits = 1000, .waiters = 3, .wait_max_ns = SECOND / 100,
	};
}

#define JUDGE(window) ((int)headway_judge(&(window), &limits))

KTAP_TEST(nothing_in_flight_is_idle)
{
	struct headway_window w = { .length_ns = SECOND };

	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_IDLE);
	w.commits = 1;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
}

KTAP_TEST(livelock_needs_every_one_of_its_conditions)
{
	struct headway_window w = livelock();

	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_LIVELOCK);
	w.commits = 1;
	EXPECT_NE(JUDGE(w), HEADWAY_VERDICT_LIVELOCK);
	w = livelock();
	w.rollbacks = limits.rollbacks_min;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_LIVELOCK);
	w.rollbacks = limits.rollbacks_min - 1;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
	w = livelock();
	w.actors = 2;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_LIVELOCK);
	w.actors = 1;
	EXPECT_NE(JUDGE(w), HEADWAY_VERDICT_LIVELOCK);
	w = livelock();
	w.in_flight_throughout = false;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
}

KTAP_TEST(failures_are_no_progress)
{
	struct headway_window w = livelock();

	w.aborts = 50;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_LIVELOCK);
}

KTAP_TEST(an_owner_that_stays_is_no_livelock)
{
	struct headway_window w = livelock();

	w.held_max_ns = SECOND / 2;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_LIVELOCK);
	w.held_max_ns = SECOND / 2 + 1;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_CONTENDED);
	w.held_max_ns = limits.wait_max_ns;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_CONTENDED);
	w.held_max_ns = limits.wait_max_ns + 1;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_STALLED_HOLDER);
}

KTAP_TEST(slow_work_is_no_alarm_until_somebody_waits_too_long)
{
	struct headway_window w = {
		.length_ns = SECOND, .in_flight_throughout = true, .in_flight = 1,
	};

	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
	w.in_flight = 2;
	w.waiters = 1;
	w.wait_max_ns = limits.wait_max_ns;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
	w.wait_max_ns = limits.wait_max_ns + 1;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_STALLED_HOLDER);
}

KTAP_TEST(starvation_is_one_stuck_while_others_commit)
{
	struct headway_window w = healthy();

	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
	w.wait_max_ns = limits.wait_max_ns;
	w.restarts_max = limits.restarts_max;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
	w.wait_max_ns++;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_STARVATION);
	w.wait_max_ns = 0;
	w.restarts_max++;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_STARVATION);
}

KTAP_TEST(contended_is_a_ratio_with_enough_evidence)
{
	struct headway_window w = healthy();

	w.rollbacks = 2000;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
	w.rollbacks = 2001;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_CONTENDED);
	w.commits = 1;
	w.rollbacks = limits.rollbacks_min - 1;
	EXPECT_EQ(JUDGE(w), HEADWAY_VERDICT_HEALTHY);
}

KTAP_TEST(only_three_verdicts_are_alarms)
{
	for (int v = 0; v < HEADWAY_NR_VERDICTS; v++)
		EXPECT_EQ(headway_verdict_is_alarm(v), v >= HEADWAY_VERDICT_STARVATION);
}

KTAP_TEST(two_windows_to_appear_and_two_to_clear)
{
	struct headway_hysteresis state = { .verdict = HEADWAY_VERDICT_HEALTHY };

	EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_LIVELOCK));
	EXPECT_EQ((int)state.verdict, HEADWAY_VERDICT_HEALTHY);
	EXPECT_TRUE(headway_verdict_step(&state, HEADWAY_VERDICT_LIVELOCK));
	EXPECT_EQ((int)state.verdict, HEADWAY_VERDICT_LIVELOCK);
	EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_LIVELOCK));
	EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_HEALTHY));
	EXPECT_EQ((int)state.verdict, HEADWAY_VERDICT_LIVELOCK);
	EXPECT_TRUE(headway_verdict_step(&state, HEADWAY_VERDICT_HEALTHY));
	EXPECT_EQ((int)state.verdict, HEADWAY_VERDICT_HEALTHY);
}

KTAP_TEST(single_windows_in_between_never_count)
{
	struct headway_hysteresis state = { .verdict = HEADWAY_VERDICT_HEALTHY };

	for (int i = 0; i < 20; i++) {
		EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_LIVELOCK));
		EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_HEALTHY));
	}
	/* Nor does one alarm followed by a calm change of another kind. */
	EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_LIVELOCK));
	EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_IDLE));
	EXPECT_TRUE(headway_verdict_step(&state, HEADWAY_VERDICT_IDLE));
}

KTAP_TEST(different_alarms_in_a_row_do_not_cancel_out)
{
	struct headway_hysteresis state = { .verdict = HEADWAY_VERDICT_HEALTHY };

	EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_LIVELOCK));
	EXPECT_TRUE(headway_verdict_step(&state, HEADWAY_VERDICT_STALLED_HOLDER));
	EXPECT_EQ((int)state.verdict, HEADWAY_VERDICT_STALLED_HOLDER);
	EXPECT_FALSE(headway_verdict_step(&state, HEADWAY_VERDICT_CONTENDED));
	EXPECT_TRUE(headway_verdict_step(&state, HEADWAY_VERDICT_HEALTHY));
}

KTAP_MAIN("kmod_verdict")
