// SPDX-License-Identifier: GPL-2.0
/*
 * stats_kunit.c - every event is counted once, where it belongs, and the sums add up.
 */
#include "lab.h"

static u64 hist_sum(const struct headway_time_hist *hist)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < HEADWAY_HIST_BUCKETS; i++)
		sum += hist->bucket[i];
	return sum;
}

/* What must hold of any histogram, whatever was measured. */
static void expect_consistent(struct kunit *test, const struct headway_time_hist *hist)
{
	KUNIT_EXPECT_EQ(test, hist_sum(hist), hist->count);
	if (!hist->count)
		return;
	KUNIT_EXPECT_LE(test, hist->min_ns, hist->max_ns);
	KUNIT_EXPECT_GE(test, hist->total_ns, hist->min_ns * (hist->count - 1) + hist->max_ns);
	KUNIT_EXPECT_LE(test, hist->total_ns, hist->max_ns * (hist->count - 1) + hist->min_ns);
}

static void commits_and_aborts(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 1ull);

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_try(&txn, &lab->locks[1]), -EBUSY);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 1ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ABORTS), 1ull);

	/* Asked for nothing: neither. */
	headway_txn_begin(&txn, lab->domain);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 1ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ABORTS), 1ull);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 2ull);
}

static int killed_waiter_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_killable(&txn, &hand->lab->locks[0]);
	headway_txn_end(&txn);
	return ret;
}

static void failures_are_counted_once(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct headway_txn txn;
	struct hand *killed;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_try(&txn, &lab->locks[0]), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[0], 10 * MS), -ETIMEDOUT);
	headway_txn_end(&txn);
	killed = lab_hand(lab, killed_waiter_work, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	lab_signal(killed, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(killed), -EINTR);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_BUSY), 1ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_TIMEOUTS), 1ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_INTERRUPTS), 1ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_CONFLICTS), 2ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_WAITS), 2ull);
	KUNIT_EXPECT_EQ(test, lab->locks[0].stats.contended, 2ull);
	KUNIT_EXPECT_EQ(test, lab->locks[0].stats.acquired, 1ull);
	lab_let_go(holder);
}

static void acquisitions_are_exact(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 3);
	int i;

	for (i = 0; i < 640; i++) {
		struct headway_lock *set[] = { &lab->locks[0], &lab->locks[1], &lab->locks[1] };
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, 3), 0);
		headway_txn_end(&txn);
	}
	KUNIT_EXPECT_EQ(test, lab->locks[0].stats.acquired, 640ull);
	KUNIT_EXPECT_EQ(test, lab->locks[1].stats.acquired, 640ull);
	KUNIT_EXPECT_EQ(test, lab->locks[2].stats.acquired, 0ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 640ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_CONFLICTS), 0ull);
	/* Only what was used is on the domain's list. */
	KUNIT_EXPECT_EQ(test, lab->domain->nr_locks, 2u);
}

static void holds_are_sampled(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct headway_time_hist *hold;
	int i;

	for (i = 0; i <= 1024; i++) {
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
		/* The first is not timed. The long one is. */
		if (i == 512)
			usleep_range(20000, 21000);
		headway_txn_end(&txn);
	}
	KUNIT_ASSERT_NOT_NULL(test, lab->locks[0].stats.times);
	hold = &lab->locks[0].stats.times->hold;
	expect_consistent(test, hold);
	/* One in 512 unless the module parameter says otherwise; never more than there were. */
	KUNIT_EXPECT_GE(test, hold->count, 1ull);
	KUNIT_EXPECT_LE(test, hold->count, 1025ull);
	KUNIT_EXPECT_GE(test, hold->max_ns, 20 * MS);
	KUNIT_EXPECT_LT(test, hold->min_ns, hold->max_ns);
}

static void waits_are_timed(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, lab_take_work, &lab->locks[0]);
	struct headway_time_hist *wait;
	u64 since;

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	since = ktime_get_ns();
	msleep(30);
	since = ktime_get_ns() - since;
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
	KUNIT_ASSERT_NOT_NULL(test, lab->locks[0].stats.times);
	wait = &lab->locks[0].stats.times->wait;
	expect_consistent(test, wait);
	KUNIT_EXPECT_EQ(test, wait->count, 1ull);
	KUNIT_EXPECT_GE(test, wait->max_ns, since);
	KUNIT_EXPECT_LT(test, wait->max_ns, LAB_PATIENCE_NS);
	/* In the bucket of its power of two. */
	KUNIT_EXPECT_EQ(test, wait->bucket[min(ilog2(wait->max_ns), HEADWAY_HIST_BUCKETS - 1)], 1u);
}

static void conflict_is_charged_to_its_lock(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
	lab_let_go(holder);
	headway_txn_rollback(&txn);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab->locks[0].stats.rollbacks, 0ull);
	KUNIT_EXPECT_EQ(test, lab->locks[1].stats.rollbacks, 1ull);
	KUNIT_EXPECT_EQ(test, lab->locks[1].stats.contended, 1ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ROLLBACKS), 1ull);
	/* It yielded, which is no delay. */
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_BACKOFFS), 0ull);
}

#define BUSY_ROUNDS 400

static int busy_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	u64 random = hand->number + 1;
	int ret = 0;

	lab_pause(hand);
	while (!ret && hand->count < BUSY_ROUNDS) {
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		headway_txn_until_done(&txn) {
			unsigned int i;

			for (i = 0; i < 2; i++) {
				u32 which = lab_random(&random, lab->nr_locks);

				ret = headway_lock_timeout(&txn, &lab->locks[which],
							   LAB_PATIENCE_NS);
				headway_txn_retry_on_conflict(&txn);
				if (ret == -EALREADY)
					ret = 0;
			}
			if (!(hand->count % 8))
				usleep_range(20, 50);
		}
		headway_txn_end(&txn);
		hand->count++;
	}
	return ret;
}

static void sums_add_up_after_contention(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 3);
	struct hand *hands[4];
	u64 acquired = 0, waited = 0, contended = 0, charged = 0;
	int i, policy;

	lab_for_each_concurrent_policy(policy) {
		/* A few suffice: each has its own slow paths. */
		if (policy == HEADWAY_POLICY_NONE || policy == HEADWAY_POLICY_ORDERED)
			continue;
		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, policy, NULL), 0);
		for (i = 0; i < 4; i++)
			hands[i] = lab_hand(lab, busy_work, NULL);
		for (i = 0; i < 4; i++)
			lab_await(hands[i]);
		for (i = 0; i < 4; i++)
			lab_go(hands[i]);
		for (i = 0; i < 4; i++)
			KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
		if (lab->nr_hands + 4 > LAB_HANDS)
			break;
	}
	/* The token of the domain is a lock as well, and under some policies it is waited for. */
	for (i = 0; i < 4; i++) {
		struct headway_lock *lock = i < 3 ? &lab->locks[i] : &lab->domain->token;

		acquired += lock->stats.acquired;
		contended += lock->stats.contended;
		charged += lock->stats.rollbacks;
		if (!lock->stats.times)
			continue;
		expect_consistent(test, &lock->stats.times->wait);
		expect_consistent(test, &lock->stats.times->hold);
		waited += lock->stats.times->wait.count;
	}
	/* Every transaction ended with what it wanted, so each took one or two at least once. */
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS),
			(u64)lab->nr_hands * BUSY_ROUNDS);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ABORTS), 0ull);
	KUNIT_EXPECT_GE(test, acquired, lab_stat(lab, HEADWAY_STAT_COMMITS));
	KUNIT_EXPECT_EQ(test, contended, lab_stat(lab, HEADWAY_STAT_CONFLICTS));
	KUNIT_EXPECT_EQ(test, charged, lab_stat(lab, HEADWAY_STAT_ROLLBACKS));
	KUNIT_EXPECT_LE(test, waited, lab_stat(lab, HEADWAY_STAT_WAITS));
	KUNIT_EXPECT_LE(test, lab_stat(lab, HEADWAY_STAT_WAITS),
			lab_stat(lab, HEADWAY_STAT_CONFLICTS));
	KUNIT_EXPECT_GT(test, waited, 0ull);
	KUNIT_EXPECT_GT(test, charged, 0ull);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(commits_and_aborts),
	KUNIT_CASE(failures_are_counted_once),
	KUNIT_CASE(acquisitions_are_exact),
	KUNIT_CASE(holds_are_sampled),
	KUNIT_CASE(waits_are_timed),
	KUNIT_CASE(conflict_is_charged_to_its_lock),
	KUNIT_CASE(sums_add_up_after_contention),
	{}
};

struct kunit_suite headway_stats_suite = {
	.name = "headway-stats",
	.exit = lab_close,
	.test_cases = stats_cases,
};
