// SPDX-License-Identifier: GPL-2.0
/*
 * lock_kunit.c - one lock at a time: every wait form, every errno.
 *
 * Invariant of every case, checked by lab_close(): in the end the lock word is 0 and nobody waits.
 */
#include "lab.h"

#define WAIT_SHORT (20 * MS)

static const enum headway_policy waiting_policies[] = {
	HEADWAY_POLICY_ORDERED, HEADWAY_POLICY_POLITE, HEADWAY_POLICY_WOUND_WAIT,
	HEADWAY_POLICY_WAIT_DIE, HEADWAY_POLICY_DETECT,
};

/* ---- nobody else there -------------------------------------------------------------------- */

static void lock_then_unlock(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, &lab->locks[0]));
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	KUNIT_EXPECT_FALSE(test, lab_free(&lab->locks[0]));
	headway_unlock(&txn, &lab->locks[0]);
	KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, &lab->locks[0]));
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	headway_txn_end(&txn);
}

static int lock_by_form(struct headway_txn *txn, struct headway_lock *lock, int form)
{
	switch (form) {
	case 0:
		return headway_lock(txn, lock);
	case 1:
		return headway_lock_interruptible(txn, lock);
	case 2:
		return headway_lock_killable(txn, lock);
	case 3:
		return headway_lock_try(txn, lock);
	case 4:
		return headway_lock_timeout(txn, lock, WAIT_SHORT);
	default:
		return headway_lock_wait(txn, lock, LAB_WITHIN(WAIT_SHORT));
	}
}

#define LOCK_FORMS 6

static void every_form_takes_a_free_lock(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	int policy, form;

	for (policy = 0; policy < HEADWAY_NR_POLICIES; policy++) {
		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, policy, NULL), 0);
		for (form = 0; form < LOCK_FORMS; form++) {
			struct headway_txn txn;

			headway_txn_begin(&txn, lab->domain);
			KUNIT_EXPECT_EQ(test, lock_by_form(&txn, &lab->locks[0], form), 0);
			KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
			headway_txn_end(&txn);
			KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
		}
	}
}

static void held_twice_is_ealready(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	int policy, form;

	for (policy = 0; policy < HEADWAY_NR_POLICIES; policy++) {
		struct headway_txn txn;

		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, policy, NULL), 0);
		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
		for (form = 0; form < LOCK_FORMS; form++)
			KUNIT_EXPECT_EQ(test, lock_by_form(&txn, &lab->locks[0], form), -EALREADY);
		/* Still held, and only once. */
		KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
		headway_unlock(&txn, &lab->locks[0]);
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
		headway_txn_end(&txn);
	}
}

static void other_domain_is_einval(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct headway_domain *other = headway_domain_create("kunit-other", HEADWAY_POLICY_ORDERED);
	struct headway_lock *set[2], stranger;
	struct headway_txn txn;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	headway_lock_init(&stranger, other, 0, 0, "stranger");
	set[0] = &lab->locks[0];
	set[1] = &stranger;
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &stranger), -EINVAL);
	KUNIT_EXPECT_EQ(test, headway_lock_try(&txn, &stranger), -EINVAL);
	KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, 2), -EINVAL);
	KUNIT_EXPECT_TRUE(test, lab_free(&stranger));
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	headway_txn_end(&txn);
	headway_lock_destroy(&stranger);
	headway_domain_destroy(other);
}

static void unlock_in_any_order(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 3);
	struct headway_txn txn;
	int i;

	headway_txn_begin(&txn, lab->domain);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[i]), 0);
	headway_unlock(&txn, &lab->locks[1]);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[1]));
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[2]));
	headway_unlock(&txn, &lab->locks[0]);
	headway_unlock(&txn, &lab->locks[2]);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[i]));
	/* And it can go on. */
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), 0);
	headway_txn_end(&txn);
}

static DEFINE_HEADWAY_DOMAIN(kunit_static, HEADWAY_POLICY_WOUND_WAIT);
static DEFINE_HEADWAY_LOCK(kunit_static_low, &kunit_static, 1);
static DEFINE_HEADWAY_LOCK(kunit_static_high, &kunit_static, 2);

static void static_definitions_work(struct kunit *test)
{
	struct headway_lock *set[] = { &kunit_static_high, &kunit_static_low };
	struct headway_txn txn;

	KUNIT_ASSERT_EQ(test, headway_domain_register(&kunit_static), 0);
	headway_txn_begin(&txn, &kunit_static);
	KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, 2), 0);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &kunit_static_low));
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &kunit_static_high));
	headway_txn_end(&txn);
	headway_lock_destroy(&kunit_static_low);
	headway_lock_destroy(&kunit_static_high);
	headway_domain_unregister(&kunit_static);
}

static void lock_fits_in_128_bytes(struct kunit *test)
{
	size_t size = sizeof(struct headway_lock);

	if (IS_ENABLED(CONFIG_DEBUG_LOCK_ALLOC) || IS_ENABLED(CONFIG_DEBUG_SPINLOCK))
		kunit_skip(test, "debug fields make it larger: %zu bytes", size);
	KUNIT_EXPECT_LE(test, size, (size_t)128);
}

/* ---- held by another ---------------------------------------------------------------------- */

static void try_on_held_is_ebusy(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	int policy;

	lab_for_each_concurrent_policy(policy) {
		struct headway_txn txn;
		struct hand *holder;

		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, policy, NULL), 0);
		holder = lab_hold(lab, &lab->locks[0]);
		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock_try(&txn, &lab->locks[0]), -EBUSY);
		KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, &lab->locks[0]));
		headway_txn_end(&txn);
		lab_let_go(holder);
	}
}

static void timeout_takes_its_time(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waiting_policies); i++) {
		struct headway_txn txn;
		struct hand *holder;
		u64 start;

		headway_domain_set_policy(lab->domain, waiting_policies[i], NULL);
		holder = lab_hold(lab, &lab->locks[0]);
		headway_txn_begin(&txn, lab->domain);
		start = ktime_get_ns();
		KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[0], WAIT_SHORT),
				-ETIMEDOUT);
		KUNIT_EXPECT_GE(test, ktime_get_ns() - start, WAIT_SHORT);
		KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, &lab->locks[0]));
		KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 0u);
		/* The holder's release is fast again. */
		KUNIT_EXPECT_EQ(test, atomic_long_read(&lab->locks[0].owner) & HEADWAY_LOCK_FLAGS,
				0ul);
		headway_txn_end(&txn);
		lab_let_go(holder);
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	}
}

static void deadline_in_the_past(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_lock *set[] = { &lab->locks[1] };
	ktime_t past = ktime_sub_ns(ktime_get(), MS);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	/* A free lock costs no time, so it is taken; a held one cannot be. */
	KUNIT_EXPECT_EQ(test, headway_lock_deadline(&txn, &lab->locks[0], past), 0);
	KUNIT_EXPECT_EQ(test, headway_lock_deadline(&txn, &lab->locks[1], past), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, headway_lock_many_deadline(&txn, set, 1, past), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[1], 0), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	headway_txn_end(&txn);
	lab_let_go(holder);
}

static void endless_timeout_does_not_overflow(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[0], KTIME_MAX), 0);
	headway_txn_end(&txn);
}

static void timed_wait_gets_the_lock(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, lab_take_work, &lab->locks[0]);

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
}

static int wait_interruptible_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_interruptible(&txn, hand->arg);
	headway_txn_end(&txn);
	return ret;
}

static int wait_killable_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_killable(&txn, hand->arg);
	headway_txn_end(&txn);
	return ret;
}

static int wait_plain_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock(&txn, hand->arg);
	headway_txn_end(&txn);
	return ret;
}

static void signal_ends_interruptible_wait(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, wait_interruptible_work, &lab->locks[0]);

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	lab_signal(waiter, SIGINT);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), -EINTR);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 0u);
	lab_let_go(holder);
}

static void kill_ends_killable_wait(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, wait_killable_work, &lab->locks[0]);

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	/* Only a fatal signal does. */
	lab_signal(waiter, SIGINT);
	msleep(30);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 1u);
	lab_signal(waiter, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), -EINTR);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 0u);
	lab_let_go(holder);
}

static void kill_ends_timed_wait(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, lab_take_work, &lab->locks[0]);

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	lab_signal(waiter, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), -EINTR);
	lab_let_go(holder);
}

static void kill_does_not_end_plain_wait(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, wait_plain_work, &lab->locks[0]);

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	lab_signal(waiter, SIGKILL);
	msleep(30);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 1u);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
}

/*
 * A waiter that leaves from the middle or the front must not take the wake-up of the next with
 * it.
 */
static void leaving_waiters_do_not_strand_others(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiters[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		waiters[i] = lab_hand(lab, wait_killable_work, &lab->locks[0]);
		KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == i + 1));
	}
	lab_signal(waiters[1], SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(waiters[1]), -EINTR);
	/* The first leaves just when it is woken for the release. */
	lab_signal(waiters[0], SIGKILL);
	lab_let_go(holder);
	lab_join(waiters[0]);
	KUNIT_EXPECT_EQ(test, lab_join(waiters[2]), 0);
	KUNIT_EXPECT_EQ(test, lab_join(waiters[3]), 0);
}

/*
 * Locks that are initialised in different places, taken in both orders: the policy sees to that,
 * and lockdep must not take it for a circle.
 */
static void different_locks_in_any_order(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct headway_lock *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, other);
	headway_lock_init(other, lab->domain, 0, 7, "other");
	for (i = 0; i < 2; i++) {
		struct headway_lock *first = i ? other : &lab->locks[0];
		struct headway_lock *second = i ? &lab->locks[0] : other;
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, first), 0);
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, second), 0);
		headway_txn_end(&txn);
	}
	headway_lock_destroy(other);
}

static struct kunit_case lock_cases[] = {
	KUNIT_CASE(different_locks_in_any_order),
	KUNIT_CASE(lock_then_unlock),
	KUNIT_CASE(every_form_takes_a_free_lock),
	KUNIT_CASE(held_twice_is_ealready),
	KUNIT_CASE(other_domain_is_einval),
	KUNIT_CASE(unlock_in_any_order),
	KUNIT_CASE(static_definitions_work),
	KUNIT_CASE(lock_fits_in_128_bytes),
	KUNIT_CASE(try_on_held_is_ebusy),
	KUNIT_CASE(timeout_takes_its_time),
	KUNIT_CASE(deadline_in_the_past),
	KUNIT_CASE(endless_timeout_does_not_overflow),
	KUNIT_CASE(timed_wait_gets_the_lock),
	KUNIT_CASE(signal_ends_interruptible_wait),
	KUNIT_CASE(kill_ends_killable_wait),
	KUNIT_CASE(kill_ends_timed_wait),
	KUNIT_CASE(kill_does_not_end_plain_wait),
	KUNIT_CASE(leaving_waiters_do_not_strand_others),
	{}
};

struct kunit_suite headway_lock_suite = {
	.name = "headway-lock",
	.exit = lab_close,
	.test_cases = lock_cases,
};
