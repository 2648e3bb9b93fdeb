// SPDX-License-Identifier: GPL-2.0
/*
 * backoff_kunit.c - the waits. The arithmetic of the delays is tested on the host, backoff_test.c.
 */
#include <linux/math64.h>
#include <linux/string.h>

#include "lab.h"

static const struct headway_backoff_params three_of_5_ms = {
	.base_ns = 5 * MS,
	.max_attempts = 3,
	.kind = HEADWAY_BACKOFF_CONSTANT,
	.jitter = HEADWAY_JITTER_NONE,
};

static void wait_lasts_as_long_as_it_says(struct kunit *test)
{
	struct headway_backoff backoff;
	u64 start;
	int i;

	headway_backoff_init(&backoff, &three_of_5_ms, 1);
	for (i = 0; i < 3; i++) {
		start = ktime_get_ns();
		KUNIT_EXPECT_EQ(test, headway_backoff_wait(&backoff, NULL), 0);
		KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 5 * MS);
	}
}

static void linear_waits_grow_by_the_same(struct kunit *test)
{
	const struct headway_backoff_params linear = {
		.base_ns = 2 * MS, .kind = HEADWAY_BACKOFF_LINEAR, .cap_ns = 5 * MS,
	};
	struct headway_backoff backoff;
	u64 start, all = ktime_get_ns();
	int i;

	headway_backoff_init(&backoff, &linear, 1);
	for (i = 1; i <= 4; i++) {
		start = ktime_get_ns();
		KUNIT_EXPECT_EQ(test, headway_backoff_wait(&backoff, NULL), 0);
		KUNIT_EXPECT_GE(test, ktime_get_ns() - start, min(2 * i * MS, 5 * MS));
	}
	KUNIT_EXPECT_GE(test, ktime_get_ns() - all, 16 * MS);
}

/* Each is drawn from between the base and three times the one before, cut at the cap. */
static void decorrelated_waits_are_not_shorter_than_the_base(struct kunit *test)
{
	const struct headway_backoff_params decorrelated = {
		.base_ns = MS, .kind = HEADWAY_BACKOFF_EXPONENTIAL, .cap_ns = 4 * MS,
		.jitter = HEADWAY_JITTER_DECORRELATED,
	};
	struct headway_backoff backoff;
	u64 start;
	int i;

	headway_backoff_init(&backoff, &decorrelated, 7);
	for (i = 0; i < 8; i++) {
		start = ktime_get_ns();
		KUNIT_EXPECT_EQ(test, headway_backoff_wait(&backoff, NULL), 0);
		KUNIT_EXPECT_GE(test, ktime_get_ns() - start, MS);
		KUNIT_EXPECT_LE(test, backoff.prev_ns, 4 * MS);
	}
}

static void attempts_run_out(struct kunit *test)
{
	struct headway_backoff backoff;
	int i;

	headway_backoff_init(&backoff, &three_of_5_ms, 1);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, headway_backoff_wait(&backoff, NULL), 0);
	KUNIT_EXPECT_EQ(test, headway_backoff_wait(&backoff, NULL), -EAGAIN);
	KUNIT_EXPECT_EQ(test, headway_backoff_spin(&backoff), -EAGAIN);
	headway_backoff_reset(&backoff);
	KUNIT_EXPECT_EQ(test, headway_backoff_spin(&backoff), 0);
}

static void deadline_cuts_the_delay(struct kunit *test)
{
	const struct headway_backoff_params hour = {
		.base_ns = 3600ull * NSEC_PER_SEC,
		.kind = HEADWAY_BACKOFF_CONSTANT,
	};
	struct headway_backoff backoff;
	u64 start = ktime_get_ns();

	headway_backoff_init(&backoff, &hour, 1);
	KUNIT_EXPECT_EQ(test, headway_backoff_wait(&backoff, LAB_WITHIN(20 * MS)), -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 20 * MS);
	KUNIT_EXPECT_LT(test, ktime_get_ns() - start, LAB_PATIENCE_NS);
}

static void try_does_not_sleep(struct kunit *test)
{
	const struct headway_backoff_params nothing = { .kind = HEADWAY_BACKOFF_NONE };
	const struct headway_wait try = { .state = TASK_RUNNING, .deadline = KTIME_MAX };
	struct headway_backoff backoff;

	headway_backoff_init(&backoff, &three_of_5_ms, 1);
	KUNIT_EXPECT_EQ(test, headway_backoff_wait(&backoff, &try), -EBUSY);
	headway_backoff_init(&backoff, &nothing, 1);
	KUNIT_EXPECT_EQ(test, headway_backoff_wait(&backoff, &try), 0);
}

static int long_wait_work(struct hand *hand)
{
	const struct headway_backoff_params hour = {
		.base_ns = 3600ull * NSEC_PER_SEC,
		.kind = HEADWAY_BACKOFF_CONSTANT,
	};
	struct headway_backoff backoff;

	headway_backoff_init(&backoff, &hour, 1);
	complete(&hand->reached);
	return headway_backoff_wait(&backoff, hand->arg);
}

static void signals_end_the_wait(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 0);
	const struct headway_wait interruptible = { TASK_INTERRUPTIBLE, KTIME_MAX };
	const struct headway_wait killable = { TASK_KILLABLE, KTIME_MAX };
	struct hand *hand = lab_hand(lab, long_wait_work, (void *)&interruptible);

	lab_await(hand);
	lab_signal(hand, SIGINT);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -EINTR);

	hand = lab_hand(lab, long_wait_work, (void *)&killable);
	lab_await(hand);
	lab_signal(hand, SIGINT);
	msleep(30);
	KUNIT_EXPECT_FALSE(test, completion_done(&hand->done));
	lab_signal(hand, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -EINTR);
}

static void grid_puts_everybody_in_step(struct kunit *test)
{
	const struct headway_backoff_params grid = {
		.base_ns = 10 * MS,
		.kind = HEADWAY_BACKOFF_CONSTANT,
		.jitter = HEADWAY_JITTER_GRID,
	};
	struct headway_backoff a, b;
	u64 now = ktime_get_ns(), rest;
	unsigned int i;

	/* Different seeds and starts of the same slot: they wake at the same time. */
	headway_backoff_init(&a, &grid, 1);
	headway_backoff_init(&b, &grid, 2);
	div64_u64_rem(now, 10 * MS, &rest);
	now -= rest;
	for (i = 0; i < 20; i++) {
		u64 early = now + 1 + i * 1000, late = now + 10 * MS - 1 - i * 1000;
		u64 end = early + headway_backoff_next(&a, early);

		KUNIT_EXPECT_EQ(test, end, late + headway_backoff_next(&b, late));
		div64_u64_rem(end, 10 * MS, &rest);
		KUNIT_EXPECT_EQ(test, rest, 0ull);
		KUNIT_EXPECT_GT(test, end, late);
	}
}

static void jitter_puts_everybody_out_of_step(struct kunit *test)
{
	const struct headway_backoff_params jitter = {
		.base_ns = MS,
		.cap_ns = 100 * MS,
		.kind = HEADWAY_BACKOFF_EXPONENTIAL,
		.jitter = HEADWAY_JITTER_FULL,
	};
	struct headway_backoff a, b, twin;
	unsigned int i, same = 0;

	headway_backoff_init(&a, &jitter, 1);
	headway_backoff_init(&twin, &jitter, 1);
	headway_backoff_init(&b, &jitter, 2);
	for (i = 0; i < 20; i++) {
		u64 delay = headway_backoff_next(&a, 0);

		KUNIT_EXPECT_LE(test, delay, min(MS << i, 100 * MS));
		KUNIT_EXPECT_EQ(test, headway_backoff_next(&twin, 12345), delay);
		same += delay == headway_backoff_next(&b, 0);
	}
	KUNIT_EXPECT_LT(test, same, 3u);
}

static void spin_is_bounded(struct kunit *test)
{
	const struct headway_backoff_params hour = {
		.base_ns = 3600ull * NSEC_PER_SEC,
		.kind = HEADWAY_BACKOFF_CONSTANT,
	};
	struct headway_backoff backoff;
	u64 start;
	int ret;

	headway_backoff_init(&backoff, &hour, 1);
	/* For callers that must not sleep. */
	preempt_disable();
	start = ktime_get_ns();
	ret = headway_backoff_spin(&backoff);
	start = ktime_get_ns() - start;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_GE(test, start, MS);
	KUNIT_EXPECT_LT(test, start, LAB_PATIENCE_NS);
}

static void spin_ends_at_its_end(struct kunit *test)
{
	const struct headway_backoff_params minute = {
		.base_ns = 60ull * NSEC_PER_SEC,
		.kind = HEADWAY_BACKOFF_CONSTANT,
	};
	struct headway_backoff backoff;
	unsigned long flags;
	u64 ahead, end = 0, after = 0;
	int ret = 0, late = 0;

	headway_backoff_init(&backoff, &minute, 1);
	/* Where the machine itself stood still meanwhile, the end was over before we came. */
	for (ahead = 100 * NSEC_PER_USEC; !backoff.attempt && ahead < NSEC_PER_SEC; ahead *= 4) {
		/* For callers that cannot be interrupted either. */
		local_irq_save(flags);
		end = ktime_get_ns() + ahead;
		ret = headway_backoff_spin_until(&backoff, end);
		after = ktime_get_ns();
		late = headway_backoff_spin_until(&backoff, end);
		local_irq_restore(flags);
	}
	KUNIT_EXPECT_EQ(test, ret, -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, after, end);
	KUNIT_EXPECT_EQ(test, late, -ETIMEDOUT);
	/* The one that came too late has used up no attempt. */
	KUNIT_EXPECT_EQ(test, backoff.attempt, 1u);
}

static struct kunit_case backoff_cases[] = {
	KUNIT_CASE(wait_lasts_as_long_as_it_says),
	KUNIT_CASE(linear_waits_grow_by_the_same),
	KUNIT_CASE(decorrelated_waits_are_not_shorter_than_the_base),
	KUNIT_CASE(attempts_run_out),
	KUNIT_CASE(deadline_cuts_the_delay),
	KUNIT_CASE(try_does_not_sleep),
	KUNIT_CASE(signals_end_the_wait),
	KUNIT_CASE(grid_puts_everybody_in_step),
	KUNIT_CASE(jitter_puts_everybody_out_of_step),
	KUNIT_CASE(spin_is_bounded),
	KUNIT_CASE(spin_ends_at_its_end),
	{}
};

struct kunit_suite headway_backoff_suite = {
	.name = "headway-backoff",
	.exit = lab_close,
	.test_cases = backoff_cases,
};
