// SPDX-License-Identifier: GPL-2.0
/*
 * release_kunit.c - releasing many locks: who is woken runs after the batch, and the batch has an
 * end.
 */
#include <linux/sched/types.h>

#include "lab.h"
#include "lock.h"

#define NR_WAITERS (HEADWAY_RELEASE_WAKES + 4)
static_assert(NR_WAITERS <= LAB_HANDS);

struct waiter_arg {
	struct headway_lock *lock;
	struct headway_txn *releaser;
	unsigned int held;		/* by the releaser, when we ran */
};

/* Preempts the releaser, whose CPU it runs on, as soon as it is woken and that is possible. */
static int waiter_work(struct hand *hand)
{
	struct waiter_arg *arg = hand->arg;
	struct headway_txn txn;
	int ret;

	sched_set_fifo_low(current);
	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_timeout(&txn, arg->lock, LAB_PATIENCE_NS);
	arg->held = READ_ONCE(arg->releaser->nr_held);
	headway_txn_end(&txn);
	return ret;
}

/* Under `ordered`: nobody is wounded, and nobody gives way. */
static void a_batch_ends_after_so_many_wake_ups(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, NR_WAITERS);
	struct waiter_arg args[NR_WAITERS] = {};
	struct hand *hands[NR_WAITERS];
	const struct cpumask *cpu;
	unsigned int i, first = 0;
	struct headway_txn txn;

	if (!preempt_model_preemptible())
		kunit_skip(test, "nobody is preempted in this kernel");
	lab->together = true;
	headway_txn_begin(&txn, lab->domain);
	for (i = 0; i < NR_WAITERS; i++)
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[i]), 0);
	for (i = 0; i < NR_WAITERS; i++) {
		args[i].lock = &lab->locks[i];
		args[i].releaser = &txn;
		hands[i] = lab_hand(lab, waiter_work, &args[i]);
		KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[i]) == 1));
	}
	cpu = cpumask_of(task_cpu(hands[0]->task));
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(current, cpu), 0);
	headway_txn_end(&txn);
	for (i = 0; i < NR_WAITERS; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
		first = max(first, args[i].held);
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	/* Not after the first wake-up, and not after the last. */
	KUNIT_EXPECT_EQ(test, first, NR_WAITERS - HEADWAY_RELEASE_WAKES);
}

static struct kunit_case release_cases[] = {
	KUNIT_CASE(a_batch_ends_after_so_many_wake_ups),
	{}
};

struct kunit_suite headway_release_suite = {
	.name = "headway-release",
	.exit = lab_close,
	.test_cases = release_cases,
};
