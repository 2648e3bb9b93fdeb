// SPDX-License-Identifier: GPL-2.0
/*
 * sets_kunit.c - raw spinlock sets and plain mutex sets: order, duplicates, failures, contention.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/smp.h>
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

	KUNIT_ASSERT_EQ(test, headway_spin_set_lock(&set, locks, ARRAY_SIZE(locks)), 0);
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
	int tried, timed;
	bool first;
	u64 start;

	raw_spin_lock_irqsave(&spins[1], flags);
	tried = headway_spin_set_trylock(&set, locks, ARRAY_SIZE(locks));
	first = raw_spin_is_locked(&spins[0]);
	start = ktime_get_ns();
	timed = headway_spin_set_lock_timeout(&set, locks, ARRAY_SIZE(locks), 100 * NSEC_PER_USEC);
	start = ktime_get_ns() - start;
	first |= raw_spin_is_locked(&spins[0]);
	raw_spin_unlock_irqrestore(&spins[1], flags);
	KUNIT_EXPECT_EQ(test, tried, -EBUSY);
	KUNIT_EXPECT_EQ(test, timed, -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, start, 100ull * NSEC_PER_USEC);
	KUNIT_EXPECT_FALSE(test, first);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());

	KUNIT_ASSERT_EQ(test, headway_spin_set_trylock(&set, locks, ARRAY_SIZE(locks)), 0);
	headway_spin_set_unlock(&set);
	KUNIT_ASSERT_EQ(test, headway_spin_set_lock_timeout(&set, locks, ARRAY_SIZE(locks), 0), 0);
	headway_spin_set_unlock(&set);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
}

static void spin_set_of_one_and_of_none(struct kunit *test)
{
	raw_spinlock_t *locks[] = { NULL, &spins[3], NULL, &spins[3] };
	struct mutex *sleeping[] = { NULL, &mutexes[3], NULL, NULL };
	struct headway_mutex_set mutex_set;
	struct headway_spin_set set;

	KUNIT_ASSERT_EQ(test, headway_spin_set_lock(&set, locks, 4), 0);
	headway_spin_set_unlock(&set);
	KUNIT_EXPECT_EQ(test, set.n, 1U);
	KUNIT_ASSERT_EQ(test, headway_spin_set_lock(&set, locks, 0), 0);
	headway_spin_set_unlock(&set);
	KUNIT_EXPECT_EQ(test, set.n, 0U);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_ASSERT_EQ(test, headway_mutex_set_lock(&mutex_set, sleeping, 4, NULL), 0);
	KUNIT_EXPECT_EQ(test, mutex_set.n, 1U);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&mutexes[3]));
	headway_mutex_set_unlock(&mutex_set);
	KUNIT_ASSERT_EQ(test, headway_mutex_set_lock(&mutex_set, sleeping, 0, LAB_TRY), 0);
	headway_mutex_set_unlock(&mutex_set);
}

/* More than any of the kernel's own limits of 8, 16 and 48, and one too many. */
static void spin_set_has_a_limit(struct kunit *test)
{
	const unsigned int n = HEADWAY_SPIN_SET_MAX;
	raw_spinlock_t *many = kunit_kzalloc(test, (n + 1) * sizeof(*many), GFP_KERNEL);
	raw_spinlock_t **locks = kunit_kzalloc(test, 2 * n * sizeof(*locks), GFP_KERNEL);
	struct headway_spin_set set;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, many);
	KUNIT_ASSERT_NOT_NULL(test, locks);
	for (i = 0; i <= n; i++)
		raw_spin_lock_init(&many[i]);
	for (i = 0; i < 2 * n; i++)
		locks[i] = &many[(2 * n - i) % n];
	/* Duplicates do not count. */
	KUNIT_ASSERT_EQ(test, headway_spin_set_lock(&set, locks, 2 * n), 0);
	headway_spin_set_unlock(&set);
	KUNIT_EXPECT_EQ(test, set.n, n);
	KUNIT_ASSERT_EQ(test, headway_spin_set_trylock(&set, locks, n), 0);
	headway_spin_set_unlock(&set);
	KUNIT_ASSERT_EQ(test, headway_spin_set_lock_timeout(&set, locks, n, LAB_PATIENCE_NS), 0);
	headway_spin_set_unlock(&set);
	locks[n] = &many[n];
	KUNIT_EXPECT_EQ(test, headway_spin_set_lock(&set, locks, n + 1), -E2BIG);
	KUNIT_EXPECT_EQ(test, headway_spin_set_trylock(&set, locks, n + 1), -E2BIG);
	KUNIT_EXPECT_EQ(test, headway_spin_set_lock_timeout(&set, locks, n + 1, 1), -E2BIG);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	for (i = 0; i <= n; i++)
		KUNIT_EXPECT_FALSE(test, raw_spin_is_locked(&many[i]));
}

#define SETS_CLASSES 48

static struct lock_class_key class_keys[SETS_CLASSES], spin_keys[2], mutex_keys[2];

/* Addresses that mix the classes must not look like a circle, nor many classes overrun lockdep. */
static void sets_of_several_classes(struct kunit *test)
{
	bool limited = IS_ENABLED(CONFIG_LOCKDEP);
	raw_spinlock_t *locks[] = { &spins[0], &spins[1] }, *others[] = { &spins[2], &spins[3] };
	raw_spinlock_t *many = kunit_kzalloc(test, SETS_CLASSES * sizeof(*many), GFP_KERNEL);
	raw_spinlock_t **all = kunit_kzalloc(test, SETS_CLASSES * sizeof(*all), GFP_KERNEL);
	struct mutex *sleeping[] = { &mutexes[0], &mutexes[1] };
	struct mutex *others_too[] = { &mutexes[2], &mutexes[3] };
	struct headway_mutex_set mutex_set;
	struct headway_spin_set set;
	unsigned int i;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, many);
	KUNIT_ASSERT_NOT_NULL(test, all);
	/* A then B by address, and B then A. */
	for (i = 0; i < 4; i++) {
		lockdep_set_class(&spins[i], &spin_keys[i == 1 || i == 2]);
		lockdep_set_class(&mutexes[i], &mutex_keys[i == 1 || i == 2]);
	}
	KUNIT_ASSERT_EQ(test, headway_spin_set_lock(&set, locks, 2), 0);
	headway_spin_set_unlock(&set);
	KUNIT_ASSERT_EQ(test, headway_spin_set_lock(&set, others, 2), 0);
	headway_spin_set_unlock(&set);
	KUNIT_ASSERT_EQ(test, headway_mutex_set_lock(&mutex_set, sleeping, 2, NULL), 0);
	headway_mutex_set_unlock(&mutex_set);
	KUNIT_ASSERT_EQ(test, headway_mutex_set_lock(&mutex_set, others_too, 2,
						     LAB_WITHIN(LAB_PATIENCE_NS)), 0);
	headway_mutex_set_unlock(&mutex_set);
	for (i = 0; i < SETS_CLASSES; i++) {
		raw_spin_lock_init(&many[i]);
		lockdep_set_class(&many[i], &class_keys[i]);
		all[i] = &many[i];
	}
	KUNIT_ASSERT_EQ(test, headway_spin_set_lock(&set, all, 30), 0);
	headway_spin_set_unlock(&set);
	KUNIT_ASSERT_EQ(test, headway_spin_set_trylock(&set, all, 30), 0);
	headway_spin_set_unlock(&set);
	ret = headway_spin_set_lock(&set, all, SETS_CLASSES);
	if (!ret)
		headway_spin_set_unlock(&set);
	KUNIT_EXPECT_EQ(test, ret, limited ? -E2BIG : 0);
}

/* Every hand asks in another order; only sorting keeps that from a deadlock. */
static int spin_hand(struct hand *hand)
{
	unsigned int round, i;

	for (round = 0; round < 2000; round++) {
		raw_spinlock_t *locks[SETS_LOCKS];
		struct headway_spin_set set;
		int ret;

		for (i = 0; i < SETS_LOCKS; i++)
			locks[i] = &spins[(i * (hand->number % 2 ? 5 : 7) + round) % SETS_LOCKS];
		/* Every third waits with a limit: what has none must bear with it. */
		ret = round % 3 ? headway_spin_set_lock(&set, locks, SETS_LOCKS) :
		      headway_spin_set_lock_timeout(&set, locks, SETS_LOCKS, LAB_PATIENCE_NS);
		if (ret)
			return ret;
		hand->lab->counter++;
		headway_spin_set_unlock(&set);
		cond_resched();
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

#define INTERRUPTIONS 200

struct interruption {
	u64 *counter;
	int ret;
};

static void interrupt(void *data)
{
	struct interruption *own = data;
	raw_spinlock_t *locks[] = { &spins[2], &spins[1], &spins[0] };
	struct headway_spin_set set;

	own->ret = headway_spin_set_lock(&set, locks, ARRAY_SIZE(locks));
	if (own->ret)
		return;
	(*own->counter)++;
	headway_spin_set_unlock(&set);
}

static int interrupted_work(struct hand *hand)
{
	complete(&hand->reached);
	while (!READ_ONCE(hand->lab->stop)) {
		raw_spinlock_t *locks[] = { &spins[0], &spins[1], &spins[2] };
		struct headway_spin_set set;
		int ret = headway_spin_set_lock(&set, locks, ARRAY_SIZE(locks));

		if (ret)
			return ret;
		hand->lab->counter++;
		headway_spin_set_unlock(&set);
		/* Mostly with interrupts off, it would hardly ever be preempted. */
		if (!(++hand->count % 32))
			usleep_range(10, 20);
	}
	return 0;
}

/* Interrupts want what the task that they interrupt may hold: they must stay out as long. */
static void spin_set_keeps_interrupts_out(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct interruption interruption = { .counter = &lab->counter };
	struct hand *hands[2];
	u64 counted = 0;
	unsigned int i;

	for (i = 0; i < 2; i++)
		hands[i] = lab_hand(lab, interrupted_work, NULL);
	for (i = 0; i < 2; i++)
		lab_await(hands[i]);
	for (i = 0; i < INTERRUPTIONS; i++) {
		smp_call_function_single(task_cpu(hands[i % 2]->task), interrupt, &interruption, 1);
		KUNIT_EXPECT_EQ(test, interruption.ret, 0);
		if (!(i % 16))
			usleep_range(20, 50);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(hands[i]->count)));
	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
		counted += hands[i]->count;
	}
	KUNIT_EXPECT_EQ(test, lab->counter, counted + INTERRUPTIONS);
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

/* All of one class, by every kind of wait: subclasses would do for 8, held locks for 48. */
static void mutex_set_has_a_limit(struct kunit *test)
{
	const unsigned int n = HEADWAY_MUTEX_SET_MAX;
	const struct headway_wait *waits[] = {
		NULL, LAB_TRY, LAB_WITHIN(LAB_PATIENCE_NS),
		__HEADWAY_WAIT(TASK_KILLABLE, KTIME_MAX),
		__HEADWAY_WAIT(TASK_INTERRUPTIBLE, KTIME_MAX),
	};
	struct mutex *many = kvcalloc(n + 1, sizeof(*many), GFP_KERNEL);
	struct mutex **locks = kvcalloc(n + 1, sizeof(*locks), GFP_KERNEL);
	struct headway_mutex_set set;
	unsigned int i, failed = 0;
	int ret = -ENOMEM;

	if (!many || !locks)
		goto free;
	for (i = 0; i <= n; i++) {
		mutex_init(&many[i]);
		locks[i] = &many[n - i];
	}
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		if (headway_mutex_set_lock(&set, locks, n, waits[i]))
			failed++;
		else
			headway_mutex_set_unlock(&set);
	}
	ret = headway_mutex_set_lock(&set, locks, n + 1, NULL);
free:
	kvfree(many);
	kvfree(locks);
	KUNIT_EXPECT_EQ(test, failed, 0u);
	KUNIT_EXPECT_EQ(test, ret, -E2BIG);
}

static int mutex_holder(struct hand *hand)
{
	struct mutex *held = hand->arg;

	mutex_lock(held);
	lab_pause(hand);
	mutex_unlock(held);
	return 0;
}

static int mutex_set_work(struct hand *hand)
{
	/* Of one class. */
	struct mutex *locks[SETS_LOCKS];
	struct headway_mutex_set set;
	unsigned int i;
	int ret;

	for (i = 0; i < SETS_LOCKS; i++)
		locks[i] = &mutexes[i];
	complete(&hand->reached);
	ret = headway_mutex_set_lock(&set, locks, SETS_LOCKS, hand->arg);
	if (!ret)
		headway_mutex_set_unlock(&set);
	return ret;
}

/* Eleven are held when the signal comes, and none afterwards. */
static void mutex_set_ends_with_a_signal(struct kunit *test)
{
	const struct headway_wait killable = { TASK_KILLABLE, KTIME_MAX };
	const struct headway_wait interruptible = { TASK_INTERRUPTIBLE, KTIME_MAX };
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hand(lab, mutex_holder, &mutexes[SETS_LOCKS - 1]);
	unsigned int i, round;

	lab_await(holder);
	for (round = 0; round < 2; round++) {
		struct hand *hand = lab_hand(lab, mutex_set_work,
					     (void *)(round ? &interruptible : &killable));

		lab_await(hand);
		KUNIT_EXPECT_TRUE(test, lab_eventually(mutex_is_locked(&mutexes[SETS_LOCKS - 2])));
		lab_signal(hand, round ? SIGINT : SIGKILL);
		KUNIT_EXPECT_EQ(test, lab_join(hand), -EINTR);
		for (i = 0; i < SETS_LOCKS - 1; i++)
			KUNIT_EXPECT_FALSE(test, mutex_is_locked(&mutexes[i]));
	}
	lab_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(holder), 0);
}

static void mutex_set_fails_whole(struct kunit *test)
{
	struct headway_wait wait = { .state = TASK_RUNNING, .deadline = KTIME_MAX };
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct mutex *locks[] = { &mutexes[0], &mutexes[1], &mutexes[2] };
	struct hand *hand = lab_hand(lab, mutex_holder, &mutexes[1]);
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
		ret = headway_mutex_set_lock(&set, locks, SETS_LOCKS, round % 3 ? NULL :
					     LAB_WITHIN(LAB_PATIENCE_NS));
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
	KUNIT_CASE(spin_set_has_a_limit),
	KUNIT_CASE(sets_of_several_classes),
	KUNIT_CASE(spin_sets_in_opposite_orders),
	KUNIT_CASE(spin_set_keeps_interrupts_out),
	KUNIT_CASE(mutex_set_sorts_and_drops_duplicates),
	KUNIT_CASE(mutex_set_larger_than_lockdep_subclasses),
	KUNIT_CASE(mutex_set_has_a_limit),
	KUNIT_CASE(mutex_set_fails_whole),
	KUNIT_CASE(mutex_set_ends_with_a_signal),
	KUNIT_CASE(mutex_sets_in_opposite_orders),
	{}
};

struct kunit_suite headway_sets_suite = {
	.name = "headway-sets",
	.init = sets_init,
	.exit = lab_close,
	.test_cases = sets_cases,
};
