// SPDX-License-Identifier: GPL-2.0
/*
 * misuse_kunit.c - callers' mistakes: each is refused, or told in the kernel log, and does no harm.
 *
 * The warnings are counted and kept out of the log by KUnit itself, so that they are no splat of
 * the run. Kernels whose KUnit cannot do that skip these cases.
 */
#include <linux/module.h>

#include "arena.h"

#ifdef kunit_warning_suppress
#define NEED_SUPPRESSION(test)
#define EXPECT_A_WARNING(test, call) do { \
	kunit_warning_suppress(test) { \
		call; \
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1); \
	} \
} while (0)
#else
#define NEED_SUPPRESSION(test) \
	kunit_skip(test, "warnings cannot be kept out of this kernel's log")
#define EXPECT_A_WARNING(test, call) call
#endif

static DEFINE_HEADWAY_DOMAIN(kunit_static, HEADWAY_POLICY_ORDERED);

static void releasing_what_is_not_held(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 2);
	struct headway_txn txn;
	struct hand *holder;

	NEED_SUPPRESSION(test);
	holder = lab_hold(lab, &lab->locks[1]);
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	EXPECT_A_WARNING(test, headway_unlock(&txn, &lab->locks[1]));
	/* The other one's is the other one's still, and ours is ours. */
	KUNIT_EXPECT_EQ(test, headway_lock_try(&txn, &lab->locks[1]), -EBUSY);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	headway_txn_end(&txn);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	KUNIT_EXPECT_FALSE(test, lab_free(&lab->locks[1]));
	lab_let_go(holder);
}

static void destroying_a_lock_in_use(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct hand *holder;

	NEED_SUPPRESSION(test);
	holder = lab_hold(lab, &lab->locks[0]);
	EXPECT_A_WARNING(test, headway_lock_destroy(&lab->locks[0]));
	/* Gone from the files, but its holder can still let it go. */
	KUNIT_EXPECT_EQ(test, lab->domain->nr_locks, 0u);
	lab_let_go(holder);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
}

static void unregistering_with_a_lock_left(struct kunit *test)
{
	static struct headway_lock lock;
	struct headway_txn txn;

	NEED_SUPPRESSION(test);
	KUNIT_ASSERT_EQ(test, headway_domain_register(&kunit_static), 0);
	headway_lock_init(&lock, &kunit_static, 0, 0, "left");
	headway_txn_begin(&txn, &kunit_static);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lock), 0);
	headway_txn_end(&txn);
	EXPECT_A_WARNING(test, headway_domain_unregister(&kunit_static));
	/* It can be made good afterwards, as long as the domain's memory is there. */
	headway_lock_destroy(&lock);
	KUNIT_EXPECT_EQ(test, kunit_static.nr_locks, 0u);
	KUNIT_EXPECT_EQ(test, headway_domain_register(&kunit_static), 0);
	headway_domain_unregister(&kunit_static);
}

static void destroying_a_static_domain(struct kunit *test)
{
	struct headway_txn txn;

	NEED_SUPPRESSION(test);
	KUNIT_ASSERT_EQ(test, headway_domain_register(&kunit_static), 0);
	EXPECT_A_WARNING(test, headway_domain_destroy(&kunit_static));
	/* It is as it was. */
	headway_txn_begin(&txn, &kunit_static);
	headway_txn_end(&txn);
	headway_domain_unregister(&kunit_static);
}

/* In the middle of a transaction, which must not notice. */
static void registering_twice(struct kunit *test)
{
	struct headway_txn txn;

	KUNIT_ASSERT_EQ(test, headway_domain_register(&kunit_static), 0);
	headway_txn_begin(&txn, &kunit_static);
	KUNIT_EXPECT_EQ(test, headway_domain_register(&kunit_static), -EEXIST);
	headway_txn_end(&txn);
	headway_domain_unregister(&kunit_static);
	/* Once too often is nothing. */
	headway_domain_unregister(&kunit_static);
}

static void releasing_what_was_not_granted(struct kunit *test)
{
	struct headway_request *held, *waiting;
	struct arena *arena;

	NEED_SUPPRESSION(test);
	arena = arena_open(test, 4, 0, 8);
	held = arena_want(arena, 0, 0, 0, 1);
	waiting = arena_want(arena, 1, 0, 0, 1);
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(held), 0);
	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(waiting, KTIME_MAX), 0);
	EXPECT_A_WARNING(test, headway_arbiter_release(waiting));
	KUNIT_EXPECT_EQ(test, headway_request_result(waiting), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, headway_request_result(held), 0);
	headway_arbiter_release(held);
	KUNIT_EXPECT_EQ(test, headway_request_result(waiting), 0);
	headway_arbiter_release(waiting);
	arena_close(arena);
}

static void destroying_an_arbiter_that_is_held(struct kunit *test)
{
	const struct headway_arbiter_params params = { .nr = 2 };
	struct headway_arbiter *arbiter;
	struct headway_request request;
	struct headway_holder holder;

	NEED_SUPPRESSION(test);
	arbiter = headway_arbiter_create("kunit", &params);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, arbiter);
	headway_holder_init(&holder, arbiter);
	headway_request_init(&request, &holder, 0);
	KUNIT_EXPECT_EQ(test, headway_request_add(&request, 1), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(&request), 0);
	EXPECT_A_WARNING(test, headway_arbiter_destroy(arbiter));
	/* It is there for its holder still, but takes nobody in. */
	headway_arbiter_release(&request);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(&request), -ECANCELED);
	headway_arbiter_destroy(arbiter);
}

static void giving_a_group_back_too_often(struct kunit *test)
{
	struct headway_group *group;
	struct headway_job job;

	NEED_SUPPRESSION(test);
	group = headway_group_create(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, group);
	KUNIT_EXPECT_EQ(test, headway_group_add(group, &job, NULL), 0);
	headway_group_put(group);
	EXPECT_A_WARNING(test, headway_group_put(group));
}

static struct kunit_case misuse_cases[] = {
	KUNIT_CASE(releasing_what_is_not_held),
	KUNIT_CASE(destroying_a_lock_in_use),
	KUNIT_CASE(unregistering_with_a_lock_left),
	KUNIT_CASE(destroying_a_static_domain),
	KUNIT_CASE(registering_twice),
	KUNIT_CASE(releasing_what_was_not_granted),
	KUNIT_CASE(destroying_an_arbiter_that_is_held),
	KUNIT_CASE(giving_a_group_back_too_often),
	{}
};

struct kunit_suite headway_misuse_suite = {
	.name = "headway-misuse",
	.exit = lab_close,
	.test_cases = misuse_cases,
};
