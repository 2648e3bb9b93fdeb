// SPDX-License-Identifier: GPL-2.0
/*
 * loop_verdict_kunit.c - watched retry loops: what is an alarm, and its twin that looks like it and
 * is none.
 *
 * Windows are 100 ms. That no alarm comes is watched for several windows; that one comes is
 * awaited.
 */
#include "looplab.h"

/* ---- livelock, and what is none ------------------------------------------------------------- */

static void retries_without_end_are_a_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);
	u64 start_ns = ktime_get_ns();

	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	kunit_info(test, "livelock seen after %llu ms, windows of %llu ms\n",
		   (ktime_get_ns() - start_ns) / MS, WINDOW / MS);
	/* It is over as soon as they get what they want. */
	make_due(1, 1);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_HEALTHY)));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(4));
	stop(lab);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_IDLE)));
}

static void those_who_give_up_and_come_again_livelock_too(struct kunit *test)
{
	struct lab *lab = looping(test);

	play.give_up = 7;
	widen();
	hands(lab, retry_work, 4);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
	KUNIT_EXPECT_GT(test, sums().aborts, 4ull);
}

static void one_who_retries_is_no_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);

	hands(lab, retry_work, 1);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(8));
	KUNIT_EXPECT_TRUE(test, lab_eventually(sums().rollbacks > 8));
	stop(lab);
}

/* Others fail because of it; it may take several windows. Twin: the same, when it is gone. */
static void one_long_attempt_is_no_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct hand *worker = busy(lab, 0);

	hands(lab, retry_work, 3);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(10));
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_CONTENDED)));
	lab_go(worker);
	KUNIT_EXPECT_EQ(test, lab_join(worker), 0);
	widen();
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
}

/* The same, for one that failed before, and beside others that come and go. */
static void a_long_attempt_after_failures_is_no_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct hand *worker = busy(lab, 10);

	play.give_up = 5;
	hands(lab, retry_work, 4);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(10));
	lab_go(worker);
	KUNIT_EXPECT_EQ(test, lab_join(worker), 0);
	widen();
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
}

/* It comes when the loop is suspicious already. */
static void a_long_attempt_that_begins_late_ends_the_alarm(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct hand *worker;

	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	worker = busy(lab, 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_CONTENDED)));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(5));
	lab_go(worker);
	KUNIT_EXPECT_EQ(test, lab_join(worker), 0);
	stop(lab);
}

static void an_attempt_without_end_is_a_stalled_holder(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct hand *worker = busy(lab, 0);

	wait_max(3 * WINDOW);
	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_STALLED_HOLDER)));
	lab_go(worker);
	KUNIT_EXPECT_EQ(test, lab_join(worker), 0);
	stop(lab);
}

/* Something is done in every window, if only once. Twin: never again. */
static void rare_completions_are_no_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);

	play.due_ns = 1;
	play.every_ns = WINDOW / 2;
	hands(lab, retry_work, 3);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(12));
	make_due(0, 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
}

/* Rarer than its window, a loop must be given a longer one. */
static void the_window_is_the_patience(struct kunit *test)
{
	struct lab *lab = looping(test);

	headway_loop_unregister(&kunit_loop);
	kunit_loop.watch.window_ns = 10 * WINDOW;
	KUNIT_ASSERT_EQ(test, headway_loop_register(&kunit_loop), 0);
	play.due_ns = 1;
	play.every_ns = 5 * WINDOW;
	hands(lab, retry_work, 3);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(35));
	stop(lab);
	headway_loop_unregister(&kunit_loop);
	kunit_loop.watch.window_ns = WINDOW;
	KUNIT_ASSERT_EQ(test, headway_loop_register(&kunit_loop), 0);
}

/* ---- starvation, and what is none ----------------------------------------------------------- */

static void a_slow_one_among_fast_ones_is_healthy(struct kunit *test)
{
	struct lab *lab = looping(test);

	/* Longer than a window, beyond what a wait may be. */
	wait_max(WINDOW);
	play.slow_us = 3 * WINDOW / NSEC_PER_USEC;
	play.due_ns = 1;
	play.every_ns = 1;
	hands(lab, succeed_work, 4);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(12));
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(lab->hands[0].count)));
	stop(lab);
}

static void one_who_always_fails_beside_others_starves(struct kunit *test)
{
	struct lab *lab = looping(test);

	wait_max(2 * WINDOW);
	hands(lab, retry_work, 1);
	hands(lab, succeed_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_STARVATION)));
	stop(lab);
}

/* However often: what counts is for how long. */
static void many_quick_failures_are_no_starvation(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct headway_loop_actor actor;
	u64 until = ktime_get_ns() + 6 * WINDOW;
	bool alarm = false;
	int i;

	hands(lab, succeed_work, 1);
	wait_max(WINDOW);
	while (ktime_get_ns() < until || sums().rollbacks <= 2000) {
		u64 start = ktime_get_ns();

		headway_loop_enter(&actor, &kunit_loop);
		/* On a slow machine so many would take too long. */
		for (i = 0; i < 2000 && ktime_get_ns() - start < WINDOW / 4; i++)
			headway_loop_retry(&actor);
		headway_loop_done(&actor);
		headway_loop_leave(&actor);
		alarm |= is_alarm(headway_loop_verdict(&kunit_loop));
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_FALSE(test, alarm);
	stop(lab);
}

/* ---- load that comes and goes --------------------------------------------------------------- */

static void bursts_are_no_alarm(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct headway_loop_actor actors[2];
	bool alarm = false;
	int bursts = 0, tries, i;

	for (tries = 0; bursts < 4 && tries < 100; tries++) {
		u64 start = ktime_get_ns();

		/* Two that fail for less than a window, then nobody. */
		for (i = 0; i < 2; i++)
			headway_loop_enter(&actors[i], &kunit_loop);
		for (i = 0; ktime_get_ns() - start < WINDOW / 2; i++) {
			headway_loop_retry(&actors[i % 2]);
			usleep_range(1000, 1200);
		}
		for (i = 0; i < 2; i++) {
			headway_loop_done(&actors[i]);
			headway_loop_leave(&actors[i]);
		}
		/* On a machine that was held up meanwhile it was no burst, and may be an alarm. */
		if (ktime_get_ns() - start < WINDOW) {
			alarm |= ever_alarmed(3);
			bursts++;
		} else {
			lab_eventually(verdict_is(HEADWAY_VERDICT_IDLE));
		}
	}
	KUNIT_EXPECT_EQ(test, bursts, 4);
	KUNIT_EXPECT_FALSE(test, alarm);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_IDLE)));
	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
}

static struct kunit_case loop_verdict_cases[] = {
	KUNIT_CASE(retries_without_end_are_a_livelock),
	KUNIT_CASE(those_who_give_up_and_come_again_livelock_too),
	KUNIT_CASE(one_who_retries_is_no_livelock),
	KUNIT_CASE(one_long_attempt_is_no_livelock),
	KUNIT_CASE(a_long_attempt_after_failures_is_no_livelock),
	KUNIT_CASE(a_long_attempt_that_begins_late_ends_the_alarm),
	KUNIT_CASE(an_attempt_without_end_is_a_stalled_holder),
	KUNIT_CASE(rare_completions_are_no_livelock),
	KUNIT_CASE(the_window_is_the_patience),
	KUNIT_CASE(a_slow_one_among_fast_ones_is_healthy),
	KUNIT_CASE(one_who_always_fails_beside_others_starves),
	KUNIT_CASE(many_quick_failures_are_no_starvation),
	KUNIT_CASE(bursts_are_no_alarm),
	{}
};

struct kunit_suite headway_loop_verdict_suite = {
	.name = "headway-loop-verdict",
	.exit = loop_exit,
	.test_cases = loop_verdict_cases,
};
