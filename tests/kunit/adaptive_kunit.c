// SPDX-License-Identifier: GPL-2.0
/*
 * adaptive_kunit.c - policy `adaptive`: one arm at a time, changed under load without losing
 * anybody, ended by whoever sets another policy. What it decides is tested on the host.
 */
#include "lab.h"

/* Where everybody is who holds all its locks; two arms at once must not be seen. */
struct floor {
	atomic_t inside[HEADWAY_NR_POLICIES];
	atomic_t mixed;
	bool seen[HEADWAY_NR_POLICIES];
};

static void floor_enter(struct floor *floor, enum headway_policy policy)
{
	int i;

	atomic_inc(&floor->inside[policy]);
	WRITE_ONCE(floor->seen[policy], true);
	for (i = 0; i < HEADWAY_NR_POLICIES; i++)
		if (i != policy && atomic_read(&floor->inside[i]))
			atomic_inc(&floor->mixed);
}

/* Moves money between two accounts, taken one by one in random order; a third is never used. */
static int mover_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	struct floor *floor = hand->arg;
	u64 random = hand->number + 1;
	int ret = 0;

	while (!ret && !READ_ONCE(lab->stop)) {
		unsigned int from = lab_random(&random, 2);
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		headway_txn_until_done(&txn) {
			ret = headway_lock_timeout(&txn, &lab->locks[from], LAB_PATIENCE_NS);
			headway_txn_retry_on_conflict(&txn);
			if (!ret && !(hand->count % 8))
				usleep_range(10, 30);
			if (!ret)
				ret = headway_lock_timeout(&txn, &lab->locks[!from],
							   LAB_PATIENCE_NS);
			headway_txn_retry_on_conflict(&txn);
		}
		if (!ret) {
			enum headway_policy policy = headway_txn_policy(&txn);

			floor_enter(floor, policy);
			lab->balance[from]--;
			lab->balance[!from]++;
			hand->count++;
			atomic_dec(&floor->inside[policy]);
		}
		headway_txn_end(&txn);
		if (need_resched())
			schedule();
	}
	return ret;
}

static void start_movers(struct lab *lab, struct floor *floor, struct hand **hands, int n)
{
	int i;

	for (i = 0; i < n; i++)
		hands[i] = lab_hand(lab, mover_work, floor);
}

static void join_movers(struct lab *lab, struct floor *floor, struct hand **hands, int n)
{
	struct kunit *test = lab->test;
	int i;

	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	KUNIT_EXPECT_EQ(test, lab->balance[0] + lab->balance[1], 0ll);
	KUNIT_EXPECT_EQ(test, atomic_read(&floor->mixed), 0);
}

static void everybody_gets_on(struct lab *lab, struct hand **hands, int n)
{
	u64 before[LAB_HANDS];
	int i;

	for (i = 0; i < n; i++)
		before[i] = READ_ONCE(hands[i]->count);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_TRUE(lab->test,
				  lab_eventually(READ_ONCE(hands[i]->count) > before[i] + 5));
}

/* Each comparison tries the other arm, so under conflict both are seen, and time and again. */
static void arms_change_under_load_and_lose_nobody(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ADAPTIVE, 2);
	struct floor *floor = kunit_kzalloc(test, sizeof(*floor), GFP_KERNEL);
	struct hand *hands[6];
	u64 flips = 0, last = 0;

	KUNIT_ASSERT_NOT_NULL(test, floor);
	start_movers(lab, floor, hands, 6);
	KUNIT_EXPECT_TRUE(test, lab_eventually(floor->seen[HEADWAY_POLICY_WOUND_WAIT]));
	KUNIT_EXPECT_TRUE(test, lab_eventually(floor->seen[HEADWAY_POLICY_WAIT_DIE]));
	/* The first comparison has at least three trials of each. */
	KUNIT_EXPECT_TRUE(test, lab_eventually(({
		u64 now = READ_ONCE(lab->domain->last_flip_ns);

		flips += now != last;
		last = now;
		flips >= 4;
	})));
	everybody_gets_on(lab, hands, 6);
	join_movers(lab, floor, hands, 6);
	KUNIT_EXPECT_EQ(test, (int)lab->domain->policy, (int)HEADWAY_POLICY_ADAPTIVE);
	/* Nobody set a policy. */
	KUNIT_EXPECT_EQ(test, lab->domain->epoch, 0u);
	kunit_info(test, "last change of the arm %llu us, migrations %llu\n", last / 1000,
		   lab_stat(lab, HEADWAY_STAT_MIGRATIONS));
}

/* Changes from outside meet changes of the arm at every point. */
static void policies_and_arms_change_at_once(struct kunit *test)
{
	static const enum headway_policy policies[] = {
		HEADWAY_POLICY_ADAPTIVE, HEADWAY_POLICY_POLITE, HEADWAY_POLICY_ADAPTIVE,
		HEADWAY_POLICY_SERIAL,
	};
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ADAPTIVE, 2);
	struct floor *floor = kunit_kzalloc(test, sizeof(*floor), GFP_KERNEL);
	struct hand *hands[4];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, floor);
	start_movers(lab, floor, hands, 4);
	for (i = 0; i < 24; i++) {
		enum headway_policy policy = policies[i % 4];

		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, policy,
								LAB_WITHIN(LAB_PATIENCE_NS)), 0);
		KUNIT_EXPECT_EQ(test, (int)lab->domain->policy, (int)policy);
		/* Long enough for a trial or two, at changing distances from its end. */
		usleep_range(40000 + 7000 * i, 41000 + 7000 * i);
	}
	KUNIT_EXPECT_EQ(test, lab->domain->epoch, 24u);
	everybody_gets_on(lab, hands, 4);
	join_movers(lab, floor, hands, 4);
}

static void another_policy_ends_it(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ADAPTIVE, 2);
	struct floor *floor = kunit_kzalloc(test, sizeof(*floor), GFP_KERNEL);
	struct hand *hands[4];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, floor);
	start_movers(lab, floor, hands, 4);
	KUNIT_EXPECT_TRUE(test, lab_eventually(floor->seen[HEADWAY_POLICY_WAIT_DIE]));
	KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, HEADWAY_POLICY_WOUND_WAIT,
							LAB_WITHIN(LAB_PATIENCE_NS)), 0);
	WRITE_ONCE(floor->seen[HEADWAY_POLICY_WAIT_DIE], false);
	for (i = 0; i < 50; i++) {
		usleep_range(10000, 11000);
		KUNIT_EXPECT_EQ(test, (int)READ_ONCE(lab->domain->arm),
				(int)HEADWAY_POLICY_WOUND_WAIT);
	}
	KUNIT_EXPECT_FALSE(test, floor->seen[HEADWAY_POLICY_WAIT_DIE]);
	/* And starts anew: with its first arm, and then the comparison. */
	KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, HEADWAY_POLICY_ADAPTIVE,
							LAB_WITHIN(LAB_PATIENCE_NS)), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(floor->seen[HEADWAY_POLICY_WAIT_DIE]));
	join_movers(lab, floor, hands, 4);
}

/* Somebody who stays must not stop the others: the change is given up, and the gate opens again. */
static void holder_that_stays_is_not_waited_for(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ADAPTIVE, 3);
	struct floor *floor = kunit_kzalloc(test, sizeof(*floor), GFP_KERNEL);
	struct hand *holder = lab_hold(lab, &lab->locks[2]);
	struct hand *hands[4];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, floor);
	start_movers(lab, floor, hands, 4);
	for (i = 0; i < 2; i++) {
		/* A change is tried, */
		KUNIT_EXPECT_TRUE(test, lab_eventually(headway_gate_is_shut(lab->domain)));
		KUNIT_EXPECT_TRUE(test, lab_eventually(!headway_gate_is_shut(lab->domain)));
		everybody_gets_on(lab, hands, 4);
	}
	KUNIT_EXPECT_FALSE(test, floor->seen[HEADWAY_POLICY_WAIT_DIE]);
	KUNIT_EXPECT_EQ(test, lab->domain->last_flip_ns, 0ull);
	lab_let_go(holder);
	KUNIT_EXPECT_TRUE(test, lab_eventually(floor->seen[HEADWAY_POLICY_WAIT_DIE]));
	join_movers(lab, floor, hands, 4);
}

static void idle_domain_stays_as_it_is(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ADAPTIVE, 1);

	msleep(300);
	KUNIT_EXPECT_EQ(test, (int)lab->domain->arm, (int)HEADWAY_POLICY_WOUND_WAIT);
	KUNIT_EXPECT_EQ(test, lab->domain->last_flip_ns, 0ull);
}

static struct kunit_case adaptive_cases[] = {
	KUNIT_CASE(arms_change_under_load_and_lose_nobody),
	KUNIT_CASE(policies_and_arms_change_at_once),
	KUNIT_CASE(another_policy_ends_it),
	KUNIT_CASE(holder_that_stays_is_not_waited_for),
	KUNIT_CASE(idle_domain_stays_as_it_is),
	{}
};

struct kunit_suite headway_adaptive_suite = {
	.name = "headway-adaptive",
	.exit = lab_close,
	.test_cases = adaptive_cases,
};
