// SPDX-License-Identifier: GPL-2.0
/*
 * sets_kunit.c - raw spinlock sets and plain mutex sets: order, duplicates, failures, contention.
 */
#include <linux/irqflags.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "lab.h"

#define SETS_LOCKS 12

/* Of one class each, as callers' locks are. */
static raw_spinlock_t spins[SETS_LOCKS];
static struct mutex mutexes[SETS_LOCKS];

static int sets_init(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < SETS_LOCKS; i++) {
		raw_spin_lock_init(&spins[i]);
		mutex_init(&mutexes[i]);
	}
	return 0;
}

static void spin_set_sorts_and_drops_duplicates(struct kunit *test)
{
	raw_spinlock_t *locks[] = { &spins[2], &spins[0], &spins[2], &spins[1], &spins[0] };
	struct headway_spin_set set;
	bool off, held;

	headway_spin_set_lock(&set, locks, ARRAY_SIZE(locks));
	off = irqs_disabled();
	held = raw_spin_is_locked(&spins[0]) && raw_spin_is_locked(&spins[1]) &&
	       raw_spin_is_locked(&spins[2]);
	headway_spin_set_unlock(&set);
	KUNIT_EXPECT_TRUE(test, off);
	KUNIT_EXPECT_TRUE(test, held);
	KUNIT_EXPECT_EQ(test, set.n, 3U);
	KUNIT_EXPECT_PTR_EQ(test, locks[0], &spins[0]);
	KUNIT_EXPECT_PTR_EQ(test, locks[2], &spins[2]);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_FALSE(test, raw_spin_is_locked(&spins[0]));
}

static void spin_set_trylock_leaves_nothing(struct kunit *test)
{
	raw_spinlock_t *locks[] = { &spins[0], &spins[1], &spins[2] };
	struct headway_spin_set set;
	unsigned long flags;
	bool got, first;

	raw_spin_lock_irqsave(&spins[1], flags);
	got = headway_spin_set_trylock(&set, locks, ARRAY_SIZE(locks));
	first = raw_spin_is_locked(&spins[0]);
	raw_spin_unlock_irqrestore(&spins[1], flags);
	KUNIT_EXPECT_FALSE(test, got);
	KUNIT_EXPECT_FALSE(test, first);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());

	KUNIT_ASSERT_TRUE(test, headway_spin_set_trylock(&set, locks, ARRAY_SIZE(locks)));
	headway_spin_set_unlock(&set);
}

static void spin_set_of_one_and_of_none(struct kunit *test)
{
	raw_spinlock_t *locks[] = { &spins[3] };
	struct headway_spin_set set;

	headway_spin_set_lock(&set, locks, 1);
	headway_spin_set_unlock(&set);
	headway_spin_set_lock(&set, locks, 0);
	KUNIT_EXPECT_EQ(test, set.n, 0U);
	headway_spin_set_unlock(&set);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
}

/* Every hand asks in another order; only sorting keeps that from a deadlock. */
static int spin_hand(struct hand *hand)
{
	unsigned int round, i;

	for (round = 0; round < 2000; round++) {
		raw_spinlock_t *locks[SETS_LOCKS];
		struct headway_spin_set set;

		for (i = 0; i < SETS_LOCKS; i++)
			locks[i] = &spins[(i * (hand->number % 2 ? 5 : 7) + round) % SETS_LOCKS];
		headway_spin_set_lock(&set, locks, SETS_LOCKS);
		hand->lab->counter++;
		headway_spin_set_unlock(&set);
		hand->count++;
	}
	return 0;
}

static void spin_sets_in_opposite_orders(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *hands[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hands); i++)
		hands[i] = lab_hand(lab, spin_hand, NULL);
	for (i = 0; i < ARRAY_SIZE(hands); i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	KUNIT_EXPECT_EQ(test, lab->counter, 4 * 2000ULL);
}

static void mutex_set_sorts_and_drops_duplicates(struct kunit *test)
{
	struct mutex *locks[] = { &mutexes[2], &mutexes[0], &mutexes[2], &mutexes[1] };
	struct headway_mutex_set set;

	KUNIT_ASSERT_EQ(test, headway_mutex_set_lock(&set, locks, ARRAY_SIZE(locks), NULL), 0);
	KUNIT_EXPECT_EQ(test, set.n, 3U);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&mutexes[0]));
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&mutexes[2]));
	headway_mutex_set_unlock(&set);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&mutexes[0]));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&mutexes[2]));
}

static void mutex_set_larger_than_lockdep_subclasses(struct kunit *test)
{
	const struct headway_wait killable = { .state = TASK_KILLABLE, .deadline = KTIME_MAX };
	struct headway_mutex_set set;
	/* Of one class. */
	struct mutex *locks[SETS_LOCKS];
	unsigned int i;

	for (i = 0; i < SETS_LOCKS; i++)
		locks[i] = &mutexes[SETS_LOCKS - 1 - i];
	KUNIT_ASSERT_EQ(test, headway_mutex_set_lock(&set, locks, SETS_LOCKS, &killable), 0);
	headway_mutex_set_unlock(&set);
	KUNIT_ASSERT_EQ(test, headway_mutex_set_lock(&set, locks, SETS_LOCKS, NULL), 0);
	headway_mutex_set_unlock(&set);
}

static int mutex_holder(struct hand *hand)
{
	mutex_lock(&mutexes[1]);
	lab_pause(hand);
	mutex_unlock(&mutexes[1]);
	return 0;
}

static void mutex_set_fails_whole(struct kunit *test)
{
	struct headway_wait wait = { .state = TASK_RUNNING, .deadline = KTIME_MAX };
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct mutex *locks[] = { &mutexes[0], &mutexes[1], &mutexes[2] };
	struct hand *hand = lab_hand(lab, mutex_holder, NULL);
	struct headway_mutex_set set;

	lab_await(hand);
	KUNIT_EXPECT_EQ(test, headway_mutex_set_lock(&set, locks, 3, &wait), -EBUSY);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&mutexes[0]));
	wait.state = TASK_KILLABLE;
	wait.deadline = ktime_add_ms(ktime_get(), 20);
	KUNIT_EXPECT_EQ(test, headway_mutex_set_lock(&set, locks, 3, &wait), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, ktime_compare(ktime_get(), wait.deadline) >= 0);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&mutexes[0]));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&mutexes[2]));
	lab_go(hand);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	wait.deadline = ktime_add_ms(ktime_get(), LAB_PATIENCE_MS);
	KUNIT_ASSERT_EQ(test, headway_mutex_set_lock(&set, locks, 3, &wait), 0);
	headway_mutex_set_unlock(&set);
}

static int mutex_hand(struct hand *hand)
{
	unsigned int round, i;

	for (round = 0; round < 500; round++) {
		struct headway_mutex_set set;
		/* Of one class. */
		struct mutex *locks[SETS_LOCKS];
		int ret;

		for (i = 0; i < SETS_LOCKS; i++)
			locks[i] = &mutexes[(i * (hand->number % 2 ? 5 : 7) + round) % SETS_LOCKS];
		ret = headway_mutex_set_lock(&set, locks, SETS_LOCKS, NULL);
		if (ret)
			return ret;
		hand->lab->counter++;
		headway_mutex_set_unlock(&set);
	}
	return 0;
}

static void mutex_sets_in_opposite_orders(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *hands[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hands); i++)
		hands[i] = lab_hand(lab, mutex_hand, NULL);
	for (i = 0; i < ARRAY_SIZE(hands); i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	KUNIT_EXPECT_EQ(test, lab->counter, 4 * 500ULL);
}

static struct kunit_case sets_cases[] = {
	KUNIT_CASE(spin_set_sorts_and_drops_duplicates),
	KUNIT_CASE(spin_set_trylock_leaves_nothing),
	KUNIT_CASE(spin_set_of_one_and_of_none),
	KUNIT_CASE(spin_sets_in_opposite_orders),
	KUNIT_CASE(mutex_set_sorts_and_drops_duplicates),
	KUNIT_CASE(mutex_set_larger_than_lockdep_subclasses),
	KUNIT_CASE(mutex_set_fails_whole),
	KUNIT_CASE(mutex_sets_in_opposite_orders),
	{}
};

struct kunit_suite headway_sets_suite = {
	.name = "headway-sets",
	.init = sets_init,
	.exit = lab_close,
	.test_cases = sets_cases,
};
