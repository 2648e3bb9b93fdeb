// SPDX-License-Identifier: GPL-2.0
/*
 * epoch_kunit.c - domains, and policy changes under load: nobody is lost, and nothing stops for
 * ever.
 */
#include "lab.h"

struct change {
	enum headway_policy policy;
	u64 limit_ns;			/* 0 = the default */
};

static int change_work(struct hand *hand)
{
	struct change *change = hand->arg;
	struct headway_wait wait = { .state = TASK_KILLABLE };

	wait.deadline = ktime_add_ns(ktime_get(), change->limit_ns);
	return headway_domain_set_policy(hand->lab->domain, change->policy,
					 change->limit_ns ? &wait : NULL);
}

static int timed_change(struct lab *lab, enum headway_policy policy, u64 limit_ns)
{
	const struct headway_wait wait = {
		.state = TASK_KILLABLE,
		.deadline = ktime_add_ns(ktime_get(), limit_ns),
	};

	return headway_domain_set_policy(lab->domain, policy, &wait);
}

/* ---- domains ------------------------------------------------------------------------------ */

static void bad_names_are_refused(struct kunit *test)
{
	static const char *const names[] = {
		"", ".hidden", "..", "a/b", "a b", "a=b", "tab\there", "x\n",
		"thirty-three-characters-are-a-lot",
	};
	struct headway_domain *domain;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		domain = headway_domain_create(names[i], HEADWAY_POLICY_ORDERED);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(domain), -EINVAL);
		headway_domain_destroy(domain);
	}
	domain = headway_domain_create(NULL, HEADWAY_POLICY_ORDERED);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(domain), -EINVAL);
	headway_domain_destroy(domain);
	domain = headway_domain_create("kunit-x", HEADWAY_NR_POLICIES);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(domain), -EINVAL);
	headway_domain_destroy(domain);
	headway_domain_destroy(NULL);
}

static void names_are_unique_until_destroyed(struct kunit *test)
{
	struct headway_domain *first = headway_domain_create("kunit-one", HEADWAY_POLICY_ORDERED);
	struct headway_domain *second = headway_domain_create("kunit-one", HEADWAY_POLICY_POLITE);

	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(first), 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(second), -EEXIST);
	headway_domain_destroy(second);
	headway_domain_destroy(first);
	first = headway_domain_create("kunit-one", HEADWAY_POLICY_ORDERED);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(first), 0);
	headway_domain_destroy(first);
}

static void domains_come_and_go(struct kunit *test)
{
	char name[16];
	int i;

	for (i = 0; i < 50; i++) {
		struct headway_domain *domain;
		struct headway_lock lock;
		struct headway_txn txn;
		u32 own;	/* locks that the domain itself may have */

		snprintf(name, sizeof(name), "kunit-%d", i);
		/* The name is copied. */
		domain = headway_domain_create(name, i % HEADWAY_NR_POLICIES);
		memset(name, 'x', sizeof(name) - 1);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, domain);
		headway_lock_init(&lock, domain, 0, 0, "brief");
		headway_txn_begin(&txn, domain);
		own = domain->nr_locks;
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lock), 0);
		headway_txn_end(&txn);
		KUNIT_EXPECT_EQ(test, domain->nr_locks, own + 1);
		headway_lock_destroy(&lock);
		KUNIT_EXPECT_EQ(test, domain->nr_locks, own);
		headway_domain_destroy(domain);
	}
}

/* ---- policy changes, nobody there --------------------------------------------------------- */

static void change_opens_an_epoch(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	int policy;

	for (policy = 0; policy < HEADWAY_NR_POLICIES; policy++) {
		u32 epoch = lab->domain->epoch;
		struct headway_txn txn;

		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, policy, NULL), 0);
		KUNIT_EXPECT_EQ(test, lab->domain->epoch, epoch + 1);
		headway_txn_begin(&txn, lab->domain);
		if (policy == HEADWAY_POLICY_ADAPTIVE)
			KUNIT_EXPECT_EQ(test, (int)headway_txn_policy(&txn),
					(int)HEADWAY_POLICY_WOUND_WAIT);
		else
			KUNIT_EXPECT_EQ(test, (int)headway_txn_policy(&txn), policy);
		headway_txn_end(&txn);
	}
}

static void change_to_what_is_not_a_policy(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 0);
	const struct headway_wait try = { .state = TASK_RUNNING, .deadline = KTIME_MAX };
	u32 epoch = lab->domain->epoch;

	KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, HEADWAY_NR_POLICIES, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, (enum headway_policy)-1, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, HEADWAY_POLICY_ORDERED, &try),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, lab->domain->epoch, epoch);
	KUNIT_EXPECT_EQ(test, (int)lab->domain->policy, (int)HEADWAY_POLICY_POLITE);
}

/* ---- policy changes, somebody there ------------------------------------------------------- */

static void holder_that_stays_makes_it_ebusy(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	u32 epoch = lab->domain->epoch;
	struct headway_txn txn;
	u64 start = ktime_get_ns();

	KUNIT_EXPECT_EQ(test, timed_change(lab, HEADWAY_POLICY_POLITE, 40 * MS), -EBUSY);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 40 * MS);
	KUNIT_EXPECT_EQ(test, (int)lab->domain->policy, (int)HEADWAY_POLICY_ORDERED);
	KUNIT_EXPECT_EQ(test, lab->domain->epoch, epoch);
	/* The gate is open again. */
	KUNIT_EXPECT_EQ(test, headway_txn_begin_wait(&txn, lab->domain, 0, LAB_TRY), 0);
	KUNIT_EXPECT_EQ(test, headway_lock_try(&txn, &lab->locks[0]), -EBUSY);
	headway_txn_end(&txn);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, timed_change(lab, HEADWAY_POLICY_POLITE, LAB_PATIENCE_NS), 0);
}

static int begin_interruptible_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	complete(&hand->reached);
	ret = headway_txn_begin_wait(&txn, hand->lab->domain, 0,
				     __HEADWAY_WAIT(TASK_INTERRUPTIBLE, KTIME_MAX));
	if (!ret)
		headway_txn_end(&txn);
	return ret;
}

static void begin_waits_for_the_change(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct change change = { HEADWAY_POLICY_POLITE, LAB_PATIENCE_NS };
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *changer = lab_hand(lab, change_work, &change);
	struct hand *interrupted, *patient;
	struct headway_txn txn;

	KUNIT_EXPECT_TRUE(test, lab_eventually(headway_gate_is_shut(lab->domain)));
	KUNIT_EXPECT_EQ(test, headway_txn_begin_wait(&txn, lab->domain, 0, LAB_TRY), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_txn_begin_wait(&txn, lab->domain, 0, LAB_WITHIN(20 * MS)),
			-ETIMEDOUT);
	interrupted = lab_hand(lab, begin_interruptible_work, NULL);
	patient = lab_hand(lab, begin_interruptible_work, NULL);
	/* A kernel thread that has not run yet takes no signals. */
	lab_await(interrupted);
	lab_signal(interrupted, SIGINT);
	KUNIT_EXPECT_EQ(test, lab_join(interrupted), -EINTR);
	KUNIT_EXPECT_EQ(test, lab_in_flight(lab), 1ull);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(changer), 0);
	KUNIT_EXPECT_EQ(test, lab_join(patient), 0);
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, (int)headway_txn_policy(&txn), (int)HEADWAY_POLICY_POLITE);
	headway_txn_end(&txn);
}

static void change_can_be_killed(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct change change = { HEADWAY_POLICY_POLITE, 0 };
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *changer = lab_hand(lab, change_work, &change);
	struct headway_txn txn;

	KUNIT_EXPECT_TRUE(test, lab_eventually(headway_gate_is_shut(lab->domain)));
	lab_signal(changer, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(changer), -EINTR);
	KUNIT_EXPECT_EQ(test, (int)lab->domain->policy, (int)HEADWAY_POLICY_ORDERED);
	headway_txn_begin(&txn, lab->domain);
	headway_txn_end(&txn);
	lab_let_go(holder);
}

static void waiter_of_the_old_epoch_is_served(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct change change = { HEADWAY_POLICY_POLITE, LAB_PATIENCE_NS };
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, lab_take_work, &lab->locks[0]);
	struct hand *changer;

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	changer = lab_hand(lab, change_work, &change);
	KUNIT_EXPECT_TRUE(test, lab_eventually(headway_gate_is_shut(lab->domain)));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
	KUNIT_EXPECT_EQ(test, lab_join(changer), 0);
	KUNIT_EXPECT_EQ(test, (int)lab->domain->policy, (int)HEADWAY_POLICY_POLITE);
	KUNIT_EXPECT_GT(test, lab->domain->last_flip_ns, 0ull);
}

/* A rollback that times out at the shut gate leaves a transaction that is in no epoch. */
static void rollback_at_a_shut_gate_can_time_out(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct change change = { HEADWAY_POLICY_WOUND_WAIT, LAB_PATIENCE_NS };
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct hand *changer;
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
	changer = lab_hand(lab, change_work, &change);
	KUNIT_EXPECT_TRUE(test, lab_eventually(headway_gate_is_shut(lab->domain)));
	KUNIT_EXPECT_EQ(test, headway_txn_rollback_wait(&txn, LAB_WITHIN(20 * MS)), -ETIMEDOUT);
	/* In no epoch, it must not take anything. */
	KUNIT_EXPECT_EQ(test, headway_lock_try(&txn, &lab->locks[0]), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	KUNIT_EXPECT_EQ(test, lab_in_flight(lab), 1ull);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(changer), 0);
	/* The next rollback joins the new epoch, and then it works again. */
	KUNIT_EXPECT_EQ(test, headway_txn_rollback_wait(&txn, NULL), 0);
	KUNIT_EXPECT_EQ(test, (int)headway_txn_policy(&txn), (int)HEADWAY_POLICY_WOUND_WAIT);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_in_flight(lab), 0ull);
}

static void out_of_a_livelock(struct kunit *test, enum headway_policy policy)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_NONE, 2);
	struct hand *hands[2];
	int i;

	lab->domain->grid.base_ns = MS;
	for (i = 0; i < 2; i++)
		hands[i] = lab_hand(lab, lab_lockstep_work, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_stat(lab, HEADWAY_STAT_ROLLBACKS) >= 50));
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 0ull);
	KUNIT_EXPECT_EQ(test, timed_change(lab, policy, LAB_PATIENCE_NS), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(hands[0]->count) >= 20 &&
					       READ_ONCE(hands[1]->count) >= 20));
	KUNIT_EXPECT_GE(test, lab_stat(lab, HEADWAY_STAT_MIGRATIONS), 1ull);
	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
}

static void out_of_a_livelock_to_ordered(struct kunit *test)
{
	out_of_a_livelock(test, HEADWAY_POLICY_ORDERED);
}

static void out_of_a_livelock_to_polite(struct kunit *test)
{
	out_of_a_livelock(test, HEADWAY_POLICY_POLITE);
}

static void out_of_a_livelock_to_wound_wait(struct kunit *test)
{
	out_of_a_livelock(test, HEADWAY_POLICY_WOUND_WAIT);
}

static void out_of_a_livelock_to_wait_die(struct kunit *test)
{
	out_of_a_livelock(test, HEADWAY_POLICY_WAIT_DIE);
}

static void out_of_a_livelock_to_detect(struct kunit *test)
{
	out_of_a_livelock(test, HEADWAY_POLICY_DETECT);
}

static void out_of_a_livelock_to_serial(struct kunit *test)
{
	out_of_a_livelock(test, HEADWAY_POLICY_SERIAL);
}

static void out_of_a_livelock_to_adaptive(struct kunit *test)
{
	out_of_a_livelock(test, HEADWAY_POLICY_ADAPTIVE);
}

/*
 * Every hand moves money between the same few accounts, half of them one by one, until told to
 * stop.
 */
static int trader_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	u64 random = hand->number + 1;
	int ret = 0;

	while (!ret && !READ_ONCE(lab->stop)) {
		unsigned int from = lab_random(&random, lab->nr_locks);
		unsigned int to = (from + 1 + lab_random(&random, lab->nr_locks - 1)) %
				  lab->nr_locks;
		struct headway_lock *set[] = { &lab->locks[from], &lab->locks[to] };
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		if (hand->number % 2) {
			ret = headway_lock_many_timeout(&txn, set, 2, LAB_PATIENCE_NS);
		} else {
			headway_txn_until_done(&txn) {
				ret = headway_lock_timeout(&txn, set[0], LAB_PATIENCE_NS);
				headway_txn_retry_on_conflict(&txn);
				if (!ret)
					ret = headway_lock_timeout(&txn, set[1], LAB_PATIENCE_NS);
				headway_txn_retry_on_conflict(&txn);
			}
		}
		if (!ret) {
			lab->balance[from]--;
			if (!(hand->count % 4))
				usleep_range(10, 30);
			lab->balance[to]++;
			hand->count++;
		}
		headway_txn_end(&txn);
	}
	return ret;
}

static void changes_under_load_lose_nobody(struct kunit *test)
{
	static const enum headway_policy policies[] = {
		HEADWAY_POLICY_POLITE, HEADWAY_POLICY_WOUND_WAIT, HEADWAY_POLICY_NONE,
		HEADWAY_POLICY_DETECT, HEADWAY_POLICY_SERIAL, HEADWAY_POLICY_NONE,
		HEADWAY_POLICY_WAIT_DIE, HEADWAY_POLICY_ADAPTIVE, HEADWAY_POLICY_ORDERED,
		HEADWAY_POLICY_ADAPTIVE,
	};
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 4);
	struct hand *hands[6];
	u64 before[6];
	s64 total = 0;
	int i, round;

	lab->domain->grid.base_ns = MS;
	for (i = 0; i < 6; i++)
		hands[i] = lab_hand(lab, trader_work, NULL);
	for (round = 0; round < 40; round++) {
		enum headway_policy policy = policies[round % ARRAY_SIZE(policies)];

		KUNIT_EXPECT_EQ(test, timed_change(lab, policy, LAB_PATIENCE_NS), 0);
		usleep_range(1000, 5000);
	}
	/* The last one was `adaptive`: everybody still gets on. */
	for (i = 0; i < 6; i++)
		before[i] = READ_ONCE(hands[i]->count);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(hands[i]->count) >
						       before[i] + 5));
	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	for (i = 0; i < 4; i++)
		total += lab->balance[i];
	KUNIT_EXPECT_EQ(test, total, 0ll);
	KUNIT_EXPECT_EQ(test, lab->domain->epoch, 40u);
	kunit_info(test, "migrations %llu, rollbacks %llu, last change %llu us\n",
		   lab_stat(lab, HEADWAY_STAT_MIGRATIONS), lab_stat(lab, HEADWAY_STAT_ROLLBACKS),
		   lab->domain->last_flip_ns / 1000);
}

static int change_often_work(struct hand *hand)
{
	int i, ret = 0;

	for (i = 0; i < 10 && !ret; i++)
		ret = timed_change(hand->lab, (hand->number + i) % HEADWAY_NR_POLICIES,
				   LAB_PATIENCE_NS);
	return ret;
}

static void changes_take_turns(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *hands[4];
	int i;

	for (i = 0; i < 4; i++)
		hands[i] = lab_hand(lab, change_often_work, NULL);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	KUNIT_EXPECT_EQ(test, lab->domain->epoch, 40u);
}

static struct kunit_case epoch_cases[] = {
	KUNIT_CASE(bad_names_are_refused),
	KUNIT_CASE(names_are_unique_until_destroyed),
	KUNIT_CASE(domains_come_and_go),
	KUNIT_CASE(change_opens_an_epoch),
	KUNIT_CASE(change_to_what_is_not_a_policy),
	KUNIT_CASE(holder_that_stays_makes_it_ebusy),
	KUNIT_CASE(begin_waits_for_the_change),
	KUNIT_CASE(change_can_be_killed),
	KUNIT_CASE(waiter_of_the_old_epoch_is_served),
	KUNIT_CASE(rollback_at_a_shut_gate_can_time_out),
	KUNIT_CASE(out_of_a_livelock_to_ordered),
	KUNIT_CASE(out_of_a_livelock_to_polite),
	KUNIT_CASE(out_of_a_livelock_to_wound_wait),
	KUNIT_CASE(out_of_a_livelock_to_wait_die),
	KUNIT_CASE(out_of_a_livelock_to_detect),
	KUNIT_CASE(out_of_a_livelock_to_serial),
	KUNIT_CASE(out_of_a_livelock_to_adaptive),
	KUNIT_CASE(changes_under_load_lose_nobody),
	KUNIT_CASE(changes_take_turns),
	{}
};

struct kunit_suite headway_epoch_suite = {
	.name = "headway-epoch",
	.exit = lab_close,
	.test_cases = epoch_cases,
};
