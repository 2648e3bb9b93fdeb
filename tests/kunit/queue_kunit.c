// SPDX-License-Identifier: GPL-2.0
/*
 * queue_kunit.c - one lock and many hands: mutual exclusion, order of service, handoff, timeouts.
 *
 * Exclusion is judged by a plain counter and an owner cookie, which go wrong as soon as two are in.
 * Each case demands that there was contention, or it would say nothing.
 */
#include "lab.h"

struct arrival {
	struct headway_lock *lock;
	atomic_t served;
	int order[4];
};

static int arrival_work(struct hand *hand)
{
	struct arrival *arrival = hand->arg;
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_timeout(&txn, arrival->lock, LAB_PATIENCE_NS);
	if (!ret)
		arrival->order[atomic_inc_return(&arrival->served) - 1] = hand->number;
	headway_txn_end(&txn);
	return ret;
}

static void ordered_serves_in_order_of_arrival(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct arrival *arrival = kunit_kzalloc(test, sizeof(*arrival), GFP_KERNEL);
	struct hand *holder, *waiters[4];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, arrival);
	arrival->lock = &lab->locks[0];
	holder = lab_hold(lab, &lab->locks[0]);
	for (i = 0; i < 4; i++) {
		waiters[i] = lab_hand(lab, arrival_work, arrival);
		KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == i + 1));
	}
	lab_let_go(holder);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, lab_join(waiters[i]), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, arrival->order[i], (int)waiters[i]->number);
}

#define EXCLUSION_ROUNDS 2000

static int exclusion_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	unsigned int i;

	lab_pause(hand);
	for (i = 0; i < EXCLUSION_ROUNDS && !READ_ONCE(lab->stop); i++) {
		struct headway_txn txn;
		int ret;

		headway_txn_begin(&txn, lab->domain);
		ret = headway_lock_timeout(&txn, &lab->locks[0], LAB_PATIENCE_NS);
		if (ret) {
			headway_txn_end(&txn);
			return ret;
		}
		if (READ_ONCE(lab->cookie))
			hand->errors++;
		WRITE_ONCE(lab->cookie, current);
		lab->counter++;
		/* Now and then holds it while asleep, so that the others really queue. */
		if (!(i % 64))
			usleep_range(50, 100);
		if (READ_ONCE(lab->cookie) != current)
			hand->errors++;
		WRITE_ONCE(lab->cookie, NULL);
		headway_txn_end(&txn);
		hand->count++;
	}
	return 0;
}

static void exclusion_under(struct kunit *test, enum headway_policy policy)
{
	struct lab *lab = lab_open(test, policy, 1);
	struct hand *hands[4];
	u64 total = 0;
	unsigned int i;

	for (i = 0; i < 4; i++)
		hands[i] = lab_hand(lab, exclusion_work, NULL);
	for (i = 0; i < 4; i++)
		lab_await(hands[i]);
	for (i = 0; i < 4; i++)
		lab_go(hands[i]);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
		KUNIT_EXPECT_EQ(test, hands[i]->errors, 0ull);
		total += hands[i]->count;
	}
	KUNIT_EXPECT_EQ(test, total, 4ull * EXCLUSION_ROUNDS);
	KUNIT_EXPECT_EQ(test, lab->counter, total);
	KUNIT_EXPECT_EQ(test, lab->locks[0].stats.acquired, total);
	/* Otherwise nothing was contended and the case says nothing. */
	KUNIT_EXPECT_GT(test, lab->locks[0].stats.contended, 0ull);
}

static void exclusion_ordered(struct kunit *test)
{
	exclusion_under(test, HEADWAY_POLICY_ORDERED);
}

static void exclusion_polite(struct kunit *test)
{
	exclusion_under(test, HEADWAY_POLICY_POLITE);
}

static void exclusion_wound_wait(struct kunit *test)
{
	exclusion_under(test, HEADWAY_POLICY_WOUND_WAIT);
}

/* Takes the lock, lets it go, takes it again: never sleeps, so it always gets there first. */
static int barge_work(struct hand *hand)
{
	while (!READ_ONCE(hand->lab->stop)) {
		struct headway_txn txn;

		headway_txn_begin(&txn, hand->lab->domain);
		if (!headway_lock_timeout(&txn, &hand->lab->locks[0], LAB_PATIENCE_NS)) {
			u64 until = ktime_get_ns() + 20 * NSEC_PER_USEC;

			while (ktime_get_ns() < until)
				cpu_relax();
			hand->count++;
		} else {
			hand->errors++;
		}
		headway_txn_end(&txn);
		cond_resched();
	}
	return 0;
}

static int patient_work(struct hand *hand)
{
	int ret = 0;

	while (!ret && !READ_ONCE(hand->lab->stop)) {
		ret = lab_take_work(hand);
		usleep_range(100, 200);
		hand->count++;
	}
	return ret;
}

/* Who was woken and came too late is given the lock by the next release. */
static void handoff_beats_barging(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *bargers[2], *patient;

	bargers[0] = lab_hand(lab, barge_work, NULL);
	bargers[1] = lab_hand(lab, barge_work, NULL);
	patient = lab_hand(lab, patient_work, &lab->locks[0]);
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(patient->count) >= 50));
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_stat(lab, HEADWAY_STAT_HANDOFFS)));
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(bargers[0]->count) +
					       READ_ONCE(bargers[1]->count) > 50));
	WRITE_ONCE(lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(patient), 0);
	KUNIT_EXPECT_EQ(test, lab_join(bargers[0]), 0);
	KUNIT_EXPECT_EQ(test, lab_join(bargers[1]), 0);
	KUNIT_EXPECT_EQ(test, bargers[0]->errors + bargers[1]->errors, 0ull);
}

/* Mostly too short for the lock: leaves the queue in all its states. */
static int hasty_work(struct hand *hand)
{
	u64 random = hand->number + 1;
	unsigned int i;

	lab_pause(hand);
	for (i = 0; i < 400; i++) {
		struct headway_txn txn;
		int ret;

		headway_txn_begin(&txn, hand->lab->domain);
		ret = headway_lock_timeout(&txn, &hand->lab->locks[0],
					   lab_random(&random, 300) * NSEC_PER_USEC);
		if (!ret) {
			hand->lab->counter++;
			hand->count++;
			usleep_range(20, 200);
		} else if (ret == -ETIMEDOUT) {
			hand->errors++;
		}
		headway_txn_end(&txn);
		if (ret && ret != -ETIMEDOUT)
			return ret;
	}
	return 0;
}

static void timeouts_under_contention_leave_nothing(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *hands[6];
	u64 taken = 0, late = 0;
	unsigned int i;

	for (i = 0; i < 6; i++)
		hands[i] = lab_hand(lab, hasty_work, NULL);
	lab_start(hands[0], 6);
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
		taken += hands[i]->count;
		late += hands[i]->errors;
	}
	KUNIT_EXPECT_EQ(test, taken + late, 6ull * 400);
	KUNIT_EXPECT_EQ(test, lab->counter, taken);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_TIMEOUTS), late);
	/* Both must have happened, or the case says nothing. */
	KUNIT_EXPECT_GT(test, taken, 0ull);
	KUNIT_EXPECT_GT(test, late, 0ull);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(ordered_serves_in_order_of_arrival),
	KUNIT_CASE(exclusion_ordered),
	KUNIT_CASE(exclusion_polite),
	KUNIT_CASE(exclusion_wound_wait),
	KUNIT_CASE(handoff_beats_barging),
	KUNIT_CASE(timeouts_under_contention_leave_nothing),
	{}
};

struct kunit_suite headway_queue_suite = {
	.name = "headway-queue",
	.exit = lab_close,
	.test_cases = queue_cases,
};
