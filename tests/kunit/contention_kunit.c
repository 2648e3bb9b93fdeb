// SPDX-License-Identifier: GPL-2.0
/*
 * contention_kunit.c - what `perf lock contention` sees of our locks: the kernel's own tracepoints.
 *
 * Where the kernel does not export them there is nothing to see, so the cases are skipped.
 */
#include <linux/tracepoint.h>

#include "lab.h"

struct tally {
	struct tracepoint *begin, *end;
	void *lock;			/* the one that counts */
	atomic_t spins;			/* begins before a spin */
	atomic_t sleeps;		/* ... before a sleep */
	atomic_t ends;
	int ret;			/* of the last end */
};

/* Of include/trace/events/lock.h, which cannot be included for their sake alone. */
#define SPIN_FLAG 1u
#define MUTEX_FLAG 32u

static void saw_begin(void *data, void *lock, unsigned int flags)
{
	struct tally *tally = data;

	if (lock != tally->lock || !(flags & MUTEX_FLAG))
		return;
	atomic_inc(flags & SPIN_FLAG ? &tally->spins : &tally->sleeps);
}

static void saw_end(void *data, void *lock, int ret)
{
	struct tally *tally = data;

	if (lock != tally->lock)
		return;
	WRITE_ONCE(tally->ret, ret);
	atomic_inc(&tally->ends);
}

static void find(struct tracepoint *tp, void *data)
{
	struct tally *tally = data;

	if (!strcmp(tp->name, "contention_begin"))
		tally->begin = tp;
	if (!strcmp(tp->name, "contention_end"))
		tally->end = tp;
}

static void start(struct kunit *test, struct tally *tally, struct headway_lock *lock)
{
	if (!HEADWAY_HAVE_CONTENTION_TRACE)
		kunit_skip(test, "this kernel does not export contention_begin");
	tally->lock = lock;
	for_each_kernel_tracepoint(find, tally);
	KUNIT_ASSERT_NOT_NULL(test, tally->begin);
	KUNIT_ASSERT_NOT_NULL(test, tally->end);
	KUNIT_EXPECT_EQ(test, tracepoint_probe_register(tally->begin, saw_begin, tally), 0);
	KUNIT_EXPECT_EQ(test, tracepoint_probe_register(tally->end, saw_end, tally), 0);
}

static void stop(struct tally *tally)
{
	tracepoint_probe_unregister(tally->begin, saw_begin, tally);
	tracepoint_probe_unregister(tally->end, saw_end, tally);
	tracepoint_synchronize_unregister();
}

static void a_wait_is_begun_and_ended(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 1);
	struct tally tally = {};
	struct headway_txn txn;
	struct hand *holder;

	start(test, &tally, &lab->locks[0]);
	holder = lab_hold(lab, &lab->locks[0]);
	/* Free: no contention. */
	KUNIT_EXPECT_EQ(test, atomic_read(&tally.spins), 0);
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[0], 10 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, atomic_read(&tally.spins), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&tally.sleeps), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&tally.ends), 1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(tally.ret), -ETIMEDOUT);
	headway_txn_end(&txn);
	lab_let_go(holder);
	stop(&tally);
}

static void a_refusal_is_ended_without_a_sleep(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct tally tally = {};
	struct headway_txn txn;
	struct hand *holder;

	start(test, &tally, &lab->locks[1]);
	holder = lab_hold(lab, &lab->locks[1]);
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
	KUNIT_EXPECT_EQ(test, atomic_read(&tally.spins), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&tally.sleeps), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tally.ends), 1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(tally.ret), -EDEADLK);
	lab_let_go(holder);
	headway_txn_rollback(&txn);
	headway_txn_end(&txn);
	stop(&tally);
}

static int taker_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	int ret = 0;

	lab_pause(hand);
	while (!ret && hand->count < 200) {
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		ret = headway_lock_timeout(&txn, &lab->locks[0], LAB_PATIENCE_NS);
		usleep_range(20, 50);
		headway_txn_end(&txn);
		hand->count++;
	}
	return ret;
}

static void every_begin_has_its_end(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct tally tally = {};
	struct hand *hands[3];
	int i;

	start(test, &tally, &lab->locks[0]);
	for (i = 0; i < 3; i++)
		hands[i] = lab_hand(lab, taker_work, NULL);
	/* Two of them share a CPU, and each sleeps with the lock: they cannot but meet. */
	lab_start(hands[0], 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	stop(&tally);
	KUNIT_EXPECT_GT(test, atomic_read(&tally.ends), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&tally.spins), atomic_read(&tally.ends));
	KUNIT_EXPECT_EQ(test, (u64)atomic_read(&tally.sleeps), lab_stat(lab, HEADWAY_STAT_WAITS));
}

static struct kunit_case contention_cases[] = {
	KUNIT_CASE(a_wait_is_begun_and_ended),
	KUNIT_CASE(a_refusal_is_ended_without_a_sleep),
	KUNIT_CASE(every_begin_has_its_end),
	{}
};

struct kunit_suite headway_contention_suite = {
	.name = "headway-contention",
	.exit = lab_close,
	.test_cases = contention_cases,
};
