// SPDX-License-Identifier: GPL-2.0
/*
 * progress_kunit.c - the watchdog: what it must say, and what it must never say.
 *
 * Windows are 100 ms, the shortest that there is. How long a verdict takes is not asserted, only
 * that it comes; the rules for one window are tested on the host, kmod_verdict_test.c.
 */
#include "lab.h"

#define WINDOW (100 * MS)

static bool verdict_is(struct lab *lab, enum headway_verdict verdict)
{
	return headway_domain_verdict(lab->domain) == verdict;
}

static bool alarmed(struct lab *lab)
{
	enum headway_verdict verdict = headway_domain_verdict(lab->domain);

	return verdict == HEADWAY_VERDICT_LIVELOCK || verdict == HEADWAY_VERDICT_STARVATION ||
	       verdict == HEADWAY_VERDICT_STALLED_HOLDER;
}

/* Looks often, for as many windows. Return: whether there ever was an alarm. */
static bool ever_alarmed(struct lab *lab, unsigned int windows)
{
	u64 until = ktime_get_ns() + windows * WINDOW;
	bool ever = false;

	while (ktime_get_ns() < until) {
		ever |= alarmed(lab);
		usleep_range(5000, 10000);
	}
	return ever;
}

static struct lab *watched(struct kunit *test, enum headway_policy policy, unsigned int nr_locks)
{
	struct lab *lab = lab_open(test, policy, nr_locks);

	lab->domain->grid.base_ns = MS;
	/* No alarm for waits or restarts unless the case asks for it. */
	lab_watch(lab, WINDOW, 16, 1000000, 3600ull * NSEC_PER_SEC);
	return lab;
}

static void empty_domain_is_idle(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_NONE, 1);

	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 6));
	KUNIT_EXPECT_TRUE(test, verdict_is(lab, HEADWAY_VERDICT_IDLE));
}

static void commits_are_healthy_then_idle(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *hand = lab_hand(lab, lab_commit_work, &lab->locks[0]);

	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_HEALTHY)));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 6));
	WRITE_ONCE(lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_IDLE)));
}

static void livelock_is_seen_and_its_end_too(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_NONE, 2);
	u64 start = ktime_get_ns();
	struct hand *hands[2];
	int i;

	/* Long windows, so that a slow machine gets a rollback into each. */
	lab_watch(lab, 5 * WINDOW, 1, 1000000, 3600ull * NSEC_PER_SEC);
	for (i = 0; i < 2; i++)
		hands[i] = lab_hand(lab, lab_lockstep_work, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_LIVELOCK)));
	kunit_info(test, "livelock seen after %llu ms, windows of %llu ms\n",
		   (ktime_get_ns() - start) / MS, 5 * WINDOW / MS);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 0ull);
	/* It lasts for as long as the livelock does. */
	for (i = 0; i < 30; i++) {
		KUNIT_EXPECT_TRUE(test, verdict_is(lab, HEADWAY_VERDICT_LIVELOCK));
		usleep_range(50000, 60000);
	}
	KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, HEADWAY_POLICY_WOUND_WAIT,
							NULL), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(!alarmed(lab)));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 4));
	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_IDLE)));
}

static void long_work_is_no_alarm(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);

	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 8));
	lab_let_go(holder);
}

/* Within the limit for waits, a queue behind long work is just that. */
static void short_wait_is_no_alarm(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, lab_take_work, &lab->locks[0]);

	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 8));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
}

static void holder_that_stays_is_stalled(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, lab_take_work, &lab->locks[0]);

	lab_watch(lab, WINDOW, 16, 1000000, 50 * MS);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_STALLED_HOLDER)));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_IDLE)));
}

static void long_wait_beside_commits_is_starvation(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_ORDERED, 2);
	struct hand *busy = lab_hand(lab, lab_commit_work, &lab->locks[1]);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, lab_take_work, &lab->locks[0]);

	lab_watch(lab, WINDOW, 16, 1000000, 50 * MS);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_STARVATION)));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_HEALTHY)));
	WRITE_ONCE(lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(busy), 0);
}

/* Wants lock 1 with lock 0 in its hands, for as long as it takes, or until told to stop. */
static int retry_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	struct headway_txn txn;
	int ret = 0;

	headway_txn_begin(&txn, lab->domain);
	headway_txn_until_done(&txn) {
		if (READ_ONCE(lab->stop))
			break;
		ret = headway_lock_timeout(&txn, &lab->locks[0], LAB_PATIENCE_NS);
		headway_txn_retry_on_conflict(&txn);
		if (ret)
			break;
		ret = headway_lock_timeout(&txn, &lab->locks[1], LAB_PATIENCE_NS);
		headway_txn_retry_on_conflict(&txn);
	}
	headway_txn_end(&txn);
	return ret == -EDEADLK ? 0 : ret;
}

static void many_restarts_beside_commits_is_starvation(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_NONE, 3);
	struct hand *busy = lab_hand(lab, lab_commit_work, &lab->locks[2]);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct hand *retrier = lab_hand(lab, retry_work, NULL);

	lab_watch(lab, WINDOW, 16, 20, 3600ull * NSEC_PER_SEC);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_STARVATION)));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(retrier), 0);
	WRITE_ONCE(lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(busy), 0);
}

/* Slower than the retrier rolls back, so that there are many rollbacks for each commit. */
static int commit_slowly_work(struct hand *hand)
{
	int ret = 0;

	while (!ret && !READ_ONCE(hand->lab->stop)) {
		struct headway_txn txn;

		headway_txn_begin(&txn, hand->lab->domain);
		ret = headway_lock_timeout(&txn, &hand->lab->locks[2], LAB_PATIENCE_NS);
		headway_txn_end(&txn);
		usleep_range(30000, 35000);
	}
	return ret;
}

static void many_rollbacks_beside_commits_is_contended(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_NONE, 3);
	struct hand *slow = lab_hand(lab, commit_slowly_work, NULL);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct hand *retrier = lab_hand(lab, retry_work, NULL);

	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_CONTENDED)));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 4));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(retrier), 0);
	WRITE_ONCE(lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(slow), 0);
}

/* Nothing commits and one rolls back, but for a holder who just sits there: that is no livelock. */
static void one_retrier_is_no_livelock(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_NONE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct hand *retrier = lab_hand(lab, retry_work, NULL);

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_stat(lab, HEADWAY_STAT_ROLLBACKS) > 20));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 8));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(retrier), 0);
}

/* Everybody waits for one who works for several windows: slow, and that is all. */
static void long_queue_behind_long_work_is_no_alarm(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiters[6];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		waiters[i] = lab_hand(lab, lab_take_work, &lab->locks[0]);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 6));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 8));
	/* The same queue is an alarm for whoever has said that it may not last so long. */
	lab_watch(lab, WINDOW, 16, 1000000, 50 * MS);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_STALLED_HOLDER)));
	lab_let_go(holder);
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		KUNIT_EXPECT_EQ(test, lab_join(waiters[i]), 0);
}

/* Works with its lock held for longer than a wait may take, beside others that are quick. */
static int slow_work(struct hand *hand)
{
	int ret = 0;

	while (!ret && !READ_ONCE(hand->lab->stop)) {
		struct headway_txn txn;

		headway_txn_begin(&txn, hand->lab->domain);
		ret = headway_lock_timeout(&txn, &hand->lab->locks[0], LAB_PATIENCE_NS);
		msleep(3 * WINDOW / MS);
		headway_txn_end(&txn);
	}
	return ret;
}

static void slow_one_among_quick_ones_is_healthy(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_ORDERED, 2);
	struct hand *slow = lab_hand(lab, slow_work, NULL);
	struct hand *quick = lab_hand(lab, lab_commit_work, &lab->locks[1]);
	struct hand *waiter;

	lab_watch(lab, WINDOW, 16, 1000000, 150 * MS);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 10));
	/* Whoever waits for the slow one is another matter. */
	waiter = lab_hold(lab, &lab->locks[0]);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_STARVATION)));
	lab_let_go(waiter);
	WRITE_ONCE(lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(slow), 0);
	KUNIT_EXPECT_EQ(test, lab_join(quick), 0);
}

/* Commits for less than a window, and then nothing for several. */
static int burst_work(struct hand *hand)
{
	int ret = 0;

	while (!ret && !READ_ONCE(hand->lab->stop)) {
		u64 until = ktime_get_ns() + WINDOW / 2;

		while (!ret && ktime_get_ns() < until) {
			struct headway_txn txn;

			headway_txn_begin(&txn, hand->lab->domain);
			ret = headway_lock_timeout(&txn, &hand->lab->locks[0], LAB_PATIENCE_NS);
			headway_txn_end(&txn);
			usleep_range(500, 1000);
		}
		msleep(3 * WINDOW / MS);
	}
	return ret;
}

static void bursts_are_no_alarm(struct kunit *test)
{
	struct lab *lab = watched(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *a = lab_hand(lab, burst_work, NULL);
	struct hand *b = lab_hand(lab, burst_work, NULL);

	lab_watch(lab, WINDOW, 1, 1000000, 10 * WINDOW);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(lab, 16));
	WRITE_ONCE(lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(a), 0);
	KUNIT_EXPECT_EQ(test, lab_join(b), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(lab, HEADWAY_VERDICT_IDLE)));
}

/* The watchdog may be in the middle of its work when its domain goes. */
static void domain_goes_while_it_is_watched(struct kunit *test)
{
	int i;

	for (i = 0; i < 10; i++) {
		struct lab *lab = watched(test, HEADWAY_POLICY_NONE, 2);
		struct hand *a = lab_hand(lab, lab_lockstep_work, NULL);
		struct hand *b = lab_hand(lab, lab_lockstep_work, NULL);

		usleep_range(5000, 30000);
		WRITE_ONCE(lab->stop, true);
		KUNIT_EXPECT_EQ(test, lab_join(a), 0);
		KUNIT_EXPECT_EQ(test, lab_join(b), 0);
		lab_close(test);
	}
}

static struct kunit_case progress_cases[] = {
	KUNIT_CASE(empty_domain_is_idle),
	KUNIT_CASE(commits_are_healthy_then_idle),
	KUNIT_CASE(livelock_is_seen_and_its_end_too),
	KUNIT_CASE(long_work_is_no_alarm),
	KUNIT_CASE(short_wait_is_no_alarm),
	KUNIT_CASE(holder_that_stays_is_stalled),
	KUNIT_CASE(long_wait_beside_commits_is_starvation),
	KUNIT_CASE(many_restarts_beside_commits_is_starvation),
	KUNIT_CASE(many_rollbacks_beside_commits_is_contended),
	KUNIT_CASE(one_retrier_is_no_livelock),
	KUNIT_CASE(long_queue_behind_long_work_is_no_alarm),
	KUNIT_CASE(slow_one_among_quick_ones_is_healthy),
	KUNIT_CASE(bursts_are_no_alarm),
	KUNIT_CASE(domain_goes_while_it_is_watched),
	{}
};

struct kunit_suite headway_progress_suite = {
	.name = "headway-progress",
	.exit = lab_close,
	.test_cases = progress_cases,
};
