// SPDX-License-Identifier: GPL-2.0
/*
 * txn_kunit.c - transactions: sets, rollback, retry, tickets.
 *
 * Contended cases with more than one lock are in bank_kunit.c, those of who wins in policy_kunit.c.
 */
#include <linux/slab.h>

#include "lab.h"

#define MANY 800

static void set_is_taken_and_released(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 4);
	struct headway_lock *set[4];
	int policy, i;

	for (policy = 0; policy < HEADWAY_NR_POLICIES; policy++) {
		struct headway_txn txn;

		headway_domain_set_policy(lab->domain, policy, NULL);
		for (i = 0; i < 4; i++)
			set[i] = &lab->locks[3 - i];
		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, 4), 0);
		for (i = 0; i < 4; i++)
			KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[i]));
		headway_txn_end(&txn);
		for (i = 0; i < 4; i++)
			KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[i]));
	}
}

static void empty_set_is_fine(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, NULL, 0), 0);
	headway_txn_end(&txn);
	headway_txn_begin(&txn, lab->domain);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_in_flight(lab), 0ull);
}

static void duplicates_are_taken_once(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 2);
	int policy;

	for (policy = 0; policy < HEADWAY_NR_POLICIES; policy++) {
		struct headway_lock *set[] = {
			&lab->locks[1], &lab->locks[0], &lab->locks[1], &lab->locks[0],
			&lab->locks[1],
		};
		struct headway_txn txn;

		headway_domain_set_policy(lab->domain, policy, NULL);
		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, ARRAY_SIZE(set)), 0);
		KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
		KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[1]));
		/* One release each is enough. */
		headway_unlock(&txn, &lab->locks[0]);
		headway_unlock(&txn, &lab->locks[1]);
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[1]));
		headway_txn_end(&txn);
	}
}

static void shuffle(struct headway_lock **set, unsigned int n, u64 *random)
{
	for (; n > 1; n--) {
		u32 other = lab_random(random, n);

		swap(set[n - 1], set[other]);
	}
}

/* Takes n shuffled locks as one set and checks that all n are held, then that none is. */
static void take_shuffled(struct kunit *test, struct lab *lab, unsigned int n, u64 *random)
{
	struct headway_lock **set = kcalloc(n, sizeof(*set), GFP_KERNEL);
	struct headway_txn txn;
	unsigned int i, held = 0, left = 0;

	KUNIT_ASSERT_NOT_NULL(test, set);
	for (i = 0; i < n; i++)
		set[i] = &lab->locks[i];
	shuffle(set, n, random);
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, n), 0);
	for (i = 0; i < n; i++)
		held += headway_lock_held(&txn, &lab->locks[i]);
	headway_txn_end(&txn);
	for (i = 0; i < n; i++)
		left += !lab_free(&lab->locks[i]);
	kfree(set);
	KUNIT_EXPECT_EQ(test, held, n);
	KUNIT_EXPECT_EQ(test, left, 0u);
}

static void unsorted_sets_of_1_to_64(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 64);
	u64 random = 1;
	int policy, n;

	for (policy = 0; policy < HEADWAY_NR_POLICIES; policy++) {
		headway_domain_set_policy(lab->domain, policy, NULL);
		for (n = 1; n <= 64; n++)
			take_shuffled(test, lab, n, &random);
	}
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ORDER_VIOLATIONS), 0ull);
}

/* Takes locks 3, 1, 0: the caller's order. */
static int take_3_1_0(struct hand *hand)
{
	struct lab *lab = hand->lab;
	struct headway_lock *set[] = { &lab->locks[3], &lab->locks[1], &lab->locks[0] };
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, lab->domain);
	ret = headway_lock_many_wait(&txn, set, 3, LAB_WITHIN(LAB_PATIENCE_NS));
	if (!ret && txn.nr_held != 3)
		ret = -ENOLCK;
	headway_txn_end(&txn);
	return ret;
}

/* What is free is taken in any order; but who waits holds only what comes before that. */
static void unsorted_set_waits_in_order(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_DETECT, 4);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_lock *set[] = { &lab->locks[3], &lab->locks[2], &lab->locks[1] };
	struct hand *waiter = lab_hand(lab, take_3_1_0, NULL);
	struct headway_txn txn;

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[1]) == 1));
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[3]));
	KUNIT_EXPECT_FALSE(test, lab_free(&lab->locks[0]));
	/* The same when it is not willing to wait: nothing is left over. */
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_many_try(&txn, set, 3), -EBUSY);
	KUNIT_EXPECT_EQ(test, txn.nr_held, 0u);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[2]));
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[3]));
	headway_txn_end(&txn);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ROLLBACKS), 0ull);
}

/* A lock of another domain, wherever it is in the set, and whatever was taken before it. */
static void set_of_two_domains_is_einval(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 3);
	struct headway_domain *other = headway_domain_create("lab-other", HEADWAY_POLICY_ORDERED);
	struct headway_lock alien;
	struct headway_txn txn;
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	headway_lock_init(&alien, other, 0, 0, "alien");
	for (i = 0; i < 3; i++) {
		struct headway_lock *set[] = { &lab->locks[0], &lab->locks[1], &lab->locks[2] };

		set[i] = &alien;
		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, 3), -EINVAL);
		KUNIT_EXPECT_EQ(test, txn.nr_held, 0u);
		headway_txn_end(&txn);
	}
	headway_lock_destroy(&alien);
	headway_domain_destroy(other);
}

static void unsorted_set_of_800(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, MANY);
	u64 random = 800;
	int i;

	for (i = 0; i < 5; i++)
		take_shuffled(test, lab, MANY, &random);
}

static int count_unsorted(struct headway_lock **set, unsigned int n)
{
	unsigned int i, wrong = 0;

	for (i = 1; i < n; i++) {
		const struct headway_lock *a = set[i - 1], *b = set[i];

		if (a->rank != b->rank)
			wrong += a->rank > b->rank;
		else if (a->key != b->key)
			wrong += a->key > b->key;
		else
			wrong += a > b;
	}
	return wrong;
}

static void sort_is_by_rank_key_address(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_lock *locks = kunit_kzalloc(test, 96 * sizeof(*locks), GFP_KERNEL);
	struct headway_lock *set[96];
	u64 random = 7, sum, sorted_sum;
	unsigned int n, i;

	KUNIT_ASSERT_NOT_NULL(test, locks);
	/* Few ranks and keys, so that each of the three decides now and then. */
	for (i = 0; i < 96; i++)
		headway_lock_init(&locks[i], lab->domain, lab_random(&random, 3),
				  (u64)lab_random(&random, 3) << 40, "sorted");
	for (n = 0; n <= 96; n++) {
		sum = 0;
		for (i = 0; i < n; i++) {
			set[i] = &locks[lab_random(&random, 96)];
			sum += (u64)(set[i] - locks) * (set[i] - locks + 3);
		}
		headway_sort(set, n);
		KUNIT_EXPECT_EQ(test, count_unsorted(set, n), 0);
		sorted_sum = 0;
		for (i = 0; i < n; i++)
			sorted_sum += (u64)(set[i] - locks) * (set[i] - locks + 3);
		KUNIT_EXPECT_EQ(test, sorted_sum, sum);
	}
	for (i = 0; i < 96; i++)
		headway_lock_destroy(&locks[i]);
}

/* ---- failures leave what there was before ------------------------------------------------- */

static void expect_only_first(struct kunit *test, struct lab *lab, struct headway_txn *txn)
{
	KUNIT_EXPECT_TRUE(test, headway_lock_held(txn, &lab->locks[0]));
	KUNIT_EXPECT_FALSE(test, headway_lock_held(txn, &lab->locks[1]));
	KUNIT_EXPECT_FALSE(test, headway_lock_held(txn, &lab->locks[2]));
	KUNIT_EXPECT_FALSE(test, headway_lock_held(txn, &lab->locks[3]));
}

static void failed_set_takes_nothing(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 4);
	struct hand *holder = lab_hold(lab, &lab->locks[3]);
	struct headway_lock *set[] = { &lab->locks[1], &lab->locks[2], &lab->locks[3] };
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock_many_try(&txn, set, 3), -EBUSY);
	expect_only_first(test, lab, &txn);
	KUNIT_EXPECT_EQ(test, headway_lock_many_timeout(&txn, set, 3, 20 * MS), -ETIMEDOUT);
	expect_only_first(test, lab, &txn);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[3]), 0u);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[1]));
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[2]));
	headway_txn_end(&txn);

	/* The same with nothing held before. */
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_many_try(&txn, set, 3), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_lock_many_timeout(&txn, set, 3, 20 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[1]));
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[2]));
	headway_txn_end(&txn);
	lab_let_go(holder);
}

static void timeout_of_a_set_under_every_policy(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 3);
	int policy;

	lab_for_each_concurrent_policy(policy) {
		struct headway_lock *set[] = { &lab->locks[0], &lab->locks[2], &lab->locks[1] };
		struct headway_txn txn;
		struct hand *holder;
		u64 start;

		headway_domain_set_policy(lab->domain, policy, NULL);
		holder = lab_hold(lab, &lab->locks[1]);
		headway_txn_begin(&txn, lab->domain);
		start = ktime_get_ns();
		KUNIT_EXPECT_EQ(test, headway_lock_many_timeout(&txn, set, 3, 30 * MS),
				-ETIMEDOUT);
		KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 30 * MS);
		KUNIT_EXPECT_LT(test, ktime_get_ns() - start, LAB_PATIENCE_NS);
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[2]));
		KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[1]), 0u);
		headway_txn_end(&txn);
		lab_let_go(holder);
	}
}

static int set_killable_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	struct headway_lock *set[] = { &lab->locks[1], &lab->locks[2], &lab->locks[0] };
	struct headway_txn txn;
	unsigned int i;
	int ret;

	headway_txn_begin(&txn, lab->domain);
	ret = headway_lock_many_killable(&txn, set, 3);
	for (i = 0; ret && i < 3; i++)
		hand->errors += headway_lock_held(&txn, &lab->locks[i]);
	headway_txn_end(&txn);
	return ret;
}

static void kill_ends_a_set_under_every_policy(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 3);
	int policy;

	lab_for_each_concurrent_policy(policy) {
		struct hand *holder, *victim;
		u64 conflicts;

		headway_domain_set_policy(lab->domain, policy, NULL);
		holder = lab_hold(lab, &lab->locks[2]);
		conflicts = lab_stat(lab, HEADWAY_STAT_CONFLICTS);
		victim = lab_hand(lab, set_killable_work, NULL);
		/* Asleep on it, or, where nobody waits, at it again and again. */
		KUNIT_EXPECT_TRUE(test,
				  lab_eventually(lab_waiters(&lab->locks[2]) ||
						 lab_stat(lab, HEADWAY_STAT_CONFLICTS) >
						 conflicts + 2));
		lab_signal(victim, SIGKILL);
		KUNIT_EXPECT_EQ(test, lab_join(victim), -EINTR);
		KUNIT_EXPECT_EQ(test, victim->errors, 0ull);
		KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[2]), 0u);
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[1]));
		lab_let_go(holder);
	}
}

/* ---- conflict, rollback, retry ------------------------------------------------------------ */

static void conflict_keeps_what_was_held(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[1], LAB_PATIENCE_NS),
			-EDEADLK);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, &lab->locks[1]));
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[1]), 0u);
	lab_let_go(holder);

	/* The lock that was missed is taken by the rollback, and counts as asked for once. */
	headway_txn_rollback(&txn);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[1]));
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EALREADY);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ROLLBACKS), 1ull);
}

static void rollback_can_time_out(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
	KUNIT_EXPECT_EQ(test, headway_txn_rollback_wait(&txn, LAB_WITHIN(30 * MS)), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, &lab->locks[1]));
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[1]), 0u);
	headway_txn_end(&txn);
	lab_let_go(holder);
}

/* The retry must get out of loops inside of the block, and start it with nothing in its hands. */
static void retry_works_from_nested_loops(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 3);
	struct hand *holder = lab_hold(lab, &lab->locks[2]);
	struct headway_txn txn;
	int rounds = 0, done = 0, i;

	headway_txn_begin(&txn, lab->domain);
	headway_txn_until_done(&txn) {
		int held = 0;

		for (i = 0; i < 3; i++)
			held += headway_lock_held(&txn, &lab->locks[i]);
		/* At most the lock that was missed. */
		KUNIT_EXPECT_LE(test, held, rounds ? 1 : 0);
		rounds++;
		for (i = 0; i < 3; i++) {
			if (i == 2 && rounds == 1) {
				KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[i]), -EDEADLK);
				lab_let_go(holder);
			} else {
				KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[i]), 0);
			}
			headway_txn_retry_on_conflict(&txn);
		}
		done++;
	}
	KUNIT_EXPECT_EQ(test, rounds, 2);
	KUNIT_EXPECT_EQ(test, done, 1);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[i]));
	headway_txn_end(&txn);
}

/* With the timeout forms, a retry loop ends by itself: the error comes out of a lock call. */
static void retry_loop_ends_at_the_deadline(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_NONE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	const struct headway_wait wait = {
		.state = TASK_KILLABLE,
		.deadline = ktime_add_ns(ktime_get(), 100 * MS),
	};
	struct headway_txn txn;
	int ret = 0, rounds = 0;

	headway_txn_begin(&txn, lab->domain);
	headway_txn_until_done(&txn) {
		if (++rounds > 1000)
			break;
		ret = headway_lock_wait(&txn, &lab->locks[0], &wait);
		headway_txn_retry_on_conflict(&txn);
		if (ret)
			break;
		ret = headway_lock_wait(&txn, &lab->locks[1], &wait);
		headway_txn_retry_on_conflict(&txn);
		if (ret)
			break;
	}
	KUNIT_EXPECT_EQ(test, ret, -ETIMEDOUT);
	KUNIT_EXPECT_LT(test, rounds, 1000);
	headway_txn_end(&txn);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	lab_let_go(holder);
}

static void no_conflict_no_ticket(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 3);
	struct headway_lock *set[] = { &lab->locks[0], &lab->locks[1], &lab->locks[2] };
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, 3), 0);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&txn.ticket), 0ull);
	KUNIT_EXPECT_TRUE(test, list_empty(&lab->domain->live));
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&lab->domain->last_ticket), 0ull);
}

static void ticket_survives_retries(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct headway_txn txn;
	struct hand *holder;
	u64 first = 0;
	int i;

	headway_txn_begin(&txn, lab->domain);
	for (i = 0; i < 4; i++) {
		holder = lab_hold(lab, &lab->locks[1]);
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
		if (!i)
			first = atomic64_read(&txn.ticket);
		KUNIT_EXPECT_NE(test, first, 0ull);
		KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&txn.ticket), first);
		KUNIT_EXPECT_FALSE(test, list_empty(&lab->domain->live));
		lab_let_go(holder);
		headway_txn_rollback(&txn);
		KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&txn.ticket), first);
		KUNIT_EXPECT_EQ(test, txn.restarts, (u32)i + 1);
		headway_unlock(&txn, &lab->locks[1]);
	}
	headway_txn_end(&txn);
	KUNIT_EXPECT_TRUE(test, list_empty(&lab->domain->live));
}

static void holder_gets_the_older_ticket(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
	/* The first two tickets of the domain: the holder has the other one. */
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&txn.ticket), 2ull);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&lab->domain->last_ticket), 2ull);
	headway_txn_end(&txn);
	lab_let_go(holder);
}

static struct kunit_case txn_cases[] = {
	KUNIT_CASE(set_is_taken_and_released),
	KUNIT_CASE(empty_set_is_fine),
	KUNIT_CASE(duplicates_are_taken_once),
	KUNIT_CASE(unsorted_sets_of_1_to_64),
	KUNIT_CASE(unsorted_set_waits_in_order),
	KUNIT_CASE(set_of_two_domains_is_einval),
	KUNIT_CASE(unsorted_set_of_800),
	KUNIT_CASE(sort_is_by_rank_key_address),
	KUNIT_CASE(failed_set_takes_nothing),
	KUNIT_CASE(timeout_of_a_set_under_every_policy),
	KUNIT_CASE(kill_ends_a_set_under_every_policy),
	KUNIT_CASE(conflict_keeps_what_was_held),
	KUNIT_CASE(rollback_can_time_out),
	KUNIT_CASE(retry_works_from_nested_loops),
	KUNIT_CASE(retry_loop_ends_at_the_deadline),
	KUNIT_CASE(no_conflict_no_ticket),
	KUNIT_CASE(ticket_survives_retries),
	KUNIT_CASE(holder_gets_the_older_ticket),
	{}
};

struct kunit_suite headway_txn_suite = {
	.name = "headway-txn",
	.exit = lab_close,
	.test_cases = txn_cases,
};
