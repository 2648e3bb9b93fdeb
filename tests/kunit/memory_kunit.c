// SPDX-License-Identifier: GPL-2.0
/*
 * memory_kunit.c - memory runs out: at every place in turn, and nothing breaks or is left behind.
 *
 * failslab's fail_nth makes one allocation of this task fail, the nth from now. The cases count n
 * up until a call gets through untouched, so no place is missed, and new ones are found by
 * themselves. On kernels without failslab, and where nobody let it fail allocations that may sleep
 * (run.sh does, in the guest), they are skipped.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "lab.h"

/* More allocations than any call here makes. */
#define NTH_MAX 200

#ifdef CONFIG_FAILSLAB
static void fail_nth(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

/* Return: whether the allocation has failed meanwhile. Nothing fails after this. */
static bool failed_one(void)
{
	unsigned int left = READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return !left;
}
#else
static void fail_nth(unsigned int n)
{
}

static bool failed_one(void)
{
	return false;
}
#endif

static void need_faults(struct kunit *test)
{
	void *memory;
	bool can;

	fail_nth(1);
	memory = kmalloc(16, GFP_KERNEL);
	can = failed_one() && !memory;
	kfree(memory);
	if (!can)
		kunit_skip(test, "this kernel does not let allocations fail");
}

static void creating_a_domain(struct kunit *test)
{
	unsigned int n, refused = 0;
	bool failed = true;

	need_faults(test);
	for (n = 1; failed && n < NTH_MAX; n++) {
		struct headway_domain *domain;

		fail_nth(n);
		domain = headway_domain_create("memory", HEADWAY_POLICY_WOUND_WAIT);
		failed = failed_one();
		if (IS_ERR(domain)) {
			KUNIT_EXPECT_TRUE(test, failed);
			KUNIT_EXPECT_EQ(test, PTR_ERR(domain), -ENOMEM);
			refused++;
		}
		/* A half-made one would leave its name behind, and the next would be refused. */
		headway_domain_destroy(domain);
	}
	KUNIT_EXPECT_FALSE(test, failed);
	/* The domain and its name at least; nobody is refused for want of debugfs files. */
	KUNIT_EXPECT_GE(test, refused, 2u);
	KUNIT_EXPECT_LT(test, refused, n);
}

static void creating_an_arbiter(struct kunit *test)
{
	const struct headway_arbiter_params params = { .nr = 3 };
	unsigned int n, refused = 0;
	bool failed = true;

	need_faults(test);
	for (n = 1; failed && n < NTH_MAX; n++) {
		struct headway_arbiter *arbiter;

		fail_nth(n);
		arbiter = headway_arbiter_create("memory", &params);
		failed = failed_one();
		if (IS_ERR(arbiter)) {
			KUNIT_EXPECT_TRUE(test, failed);
			KUNIT_EXPECT_EQ(test, PTR_ERR(arbiter), -ENOMEM);
			refused++;
		}
		headway_arbiter_destroy(arbiter);
	}
	KUNIT_EXPECT_FALSE(test, failed);
	/* The arbiter and its workqueue. */
	KUNIT_EXPECT_GE(test, refused, 2u);
}

static void creating_a_group(struct kunit *test)
{
	struct headway_group *group;

	need_faults(test);
	fail_nth(1);
	group = headway_group_create(GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, failed_one());
	KUNIT_EXPECT_NULL(test, group);
	/* As error paths do. */
	headway_group_put(group);
}

/* Every 512th hold is timed. Its histogram cannot be had: the lock works, without figures. */
static void a_hold_that_cannot_be_recorded(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct headway_lock *lock = &lab->locks[0];
	struct hand *holder, *waiter;
	struct headway_txn txn;
	int i;

	need_faults(test);
	for (i = 0; i < 512; i++) {
		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, lock), 0);
		headway_txn_end(&txn);
	}
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, lock), 0);
	fail_nth(1);
	headway_txn_end(&txn);
	KUNIT_EXPECT_TRUE(test, failed_one());
	KUNIT_EXPECT_NULL(test, lock->stats.times);
	KUNIT_EXPECT_EQ(test, lock->stats.acquired, 513ull);

	/* The next that is measured is recorded again. */
	holder = lab_hold(lab, lock);
	waiter = lab_hand(lab, lab_take_work, lock);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(lock) == 1));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
	KUNIT_ASSERT_NOT_NULL(test, lock->stats.times);
	KUNIT_EXPECT_EQ(test, lock->stats.times->wait.count, 1ull);
	KUNIT_EXPECT_EQ(test, lock->stats.acquired, 515ull);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(creating_a_domain),
	KUNIT_CASE(creating_an_arbiter),
	KUNIT_CASE(creating_a_group),
	KUNIT_CASE(a_hold_that_cannot_be_recorded),
	{}
};

struct kunit_suite headway_memory_suite = {
	.name = "headway-memory",
	.exit = lab_close,
	.test_cases = memory_cases,
};
