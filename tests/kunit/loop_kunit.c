// SPDX-License-Identifier: GPL-2.0
/*
 * loop_kunit.c - watched retry loops: registration, counting, contexts, evidence.
 */
#include <linux/irq_work.h>
#include <linux/stacktrace.h>

#include "looplab.h"

/* ---- registration, counting ----------------------------------------------------------------- */

static void nobody_is_idle(struct kunit *test)
{
	looping(test);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(4));
	KUNIT_EXPECT_TRUE(test, verdict_is(HEADWAY_VERDICT_IDLE));
}

static void what_cannot_be_registered(struct kunit *test)
{
	static DEFINE_HEADWAY_LOOP(twin, WINDOW);
	static DEFINE_HEADWAY_LOOP(hasty, WINDOW / 2);
	static DEFINE_HEADWAY_LOOP(patient, 2 * 3600 * (u64)NSEC_PER_SEC);
	static DEFINE_HEADWAY_LOOP(slashed, 0);

	looping(test);
	twin.name = "kunit_loop";
	slashed.name = "a/b";
	KUNIT_EXPECT_EQ(test, headway_loop_register(&twin), -EEXIST);
	KUNIT_EXPECT_EQ(test, headway_loop_register(&hasty), -EINVAL);
	KUNIT_EXPECT_EQ(test, headway_loop_register(&patient), -EINVAL);
	KUNIT_EXPECT_EQ(test, headway_loop_register(&slashed), -EINVAL);
	/* None of them is registered, and so this does nothing. */
	headway_loop_unregister(&twin);
	headway_loop_unregister(&hasty);
	twin.name = "twin";
	KUNIT_EXPECT_EQ(test, headway_loop_register(&twin), 0);
	KUNIT_EXPECT_EQ(test, twin.watch.window_ns, WINDOW);
	headway_loop_unregister(&twin);
	KUNIT_EXPECT_EQ(test, headway_loop_register(&twin), 0);
	headway_loop_unregister(&twin);
}

static void every_call_counts(struct kunit *test)
{
	struct headway_loop_actor actor;
	struct sums s;
	int i;

	looping(test);
	headway_loop_enter(&actor, &kunit_loop);
	KUNIT_EXPECT_EQ(test, in_flight(), 1ull);
	for (i = 0; i < 10; i++)
		headway_loop_retry(&actor);
	KUNIT_EXPECT_EQ(test, in_flight(), 1ull);
	headway_loop_done(&actor);
	headway_loop_retry(&actor);
	headway_loop_done(&actor);
	headway_loop_leave(&actor);
	KUNIT_EXPECT_EQ(test, in_flight(), 0ull);
	headway_loop_enter(&actor, &kunit_loop);
	headway_loop_retry(&actor);
	headway_loop_leave(&actor);
	s = sums();
	KUNIT_EXPECT_EQ(test, s.begun, 2ull);
	KUNIT_EXPECT_EQ(test, s.again, 1ull);
	KUNIT_EXPECT_EQ(test, s.commits, 2ull);
	KUNIT_EXPECT_EQ(test, s.aborts, 1ull);
	KUNIT_EXPECT_EQ(test, s.rollbacks, 12ull);
}

static void only_who_fails_again_and_again_is_listed(struct kunit *test)
{
	struct headway_loop_actor actor;
	int i;

	looping(test);
	headway_loop_enter(&actor, &kunit_loop);
	for (i = 1; i < HEADWAY_LOOP_QUIET; i++) {
		headway_loop_retry(&actor);
		/* The watchdog may have become suspicious of what fails and never succeeds. */
		if (!READ_ONCE(kunit_loop.suspect))
			KUNIT_EXPECT_EQ(test, READ_ONCE(kunit_loop.nr_live), 0u);
	}
	headway_loop_retry(&actor);
	KUNIT_EXPECT_EQ(test, READ_ONCE(kunit_loop.nr_live), 1u);
	headway_loop_leave(&actor);
	KUNIT_EXPECT_EQ(test, READ_ONCE(kunit_loop.nr_live), 0u);
	KUNIT_EXPECT_TRUE(test, list_empty(&kunit_loop.live));
}

static struct headway_loop_actor irq_actor;
static struct completion irq_over;

static void loop_in_irq(struct irq_work *work)
{
	int i;

	headway_loop_enter(&irq_actor, &kunit_loop);
	for (i = 0; i < 5; i++)
		headway_loop_retry(&irq_actor);
	headway_loop_done(&irq_actor);
	headway_loop_leave(&irq_actor);
	complete(&irq_over);
}

static void interrupts_and_spinlocks_are_no_matter(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	struct irq_work work = IRQ_WORK_INIT_HARD(loop_in_irq);
	struct headway_loop_actor actor;
	unsigned long flags;
	int i;

	looping(test);
	spin_lock_irqsave(&lock, flags);
	headway_loop_enter(&actor, &kunit_loop);
	for (i = 0; i < 5; i++)
		headway_loop_retry(&actor);
	headway_loop_done(&actor);
	headway_loop_leave(&actor);
	spin_unlock_irqrestore(&lock, flags);
	init_completion(&irq_over);
	irq_work_queue(&work);
	KUNIT_EXPECT_TRUE(test, lab_eventually(completion_done(&irq_over)));
	irq_work_sync(&work);
	KUNIT_EXPECT_EQ(test, sums().commits, 2ull);
	KUNIT_EXPECT_EQ(test, in_flight(), 0ull);
}

/* Interrupts count on the same counters as the tasks that they interrupt. */
static void nothing_is_lost_under_load(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct sums s;
	u64 done = 0;
	int i;

	play.attempt_us = 20;
	play.due_ns = 1;
	play.every_ns = 1;
	hands(lab, retry_work, 4);
	msleep(300);
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(lab->hands[0].count)));
	stop(lab);
	for (i = 0; i < 4; i++)
		done += lab->hands[i].count;
	s = sums();
	KUNIT_EXPECT_EQ(test, s.commits, done);
	KUNIT_EXPECT_EQ(test, s.begun + s.again, s.commits + s.aborts);
	KUNIT_EXPECT_EQ(test, in_flight(), 0ull);
}

/* ---- evidence ------------------------------------------------------------------------------- */

/* How many of the two hands are listed, with the stack that was asked for last. */
static unsigned int stacks_shown(struct lab *lab, bool can_unwind)
{
	struct headway_loop_actor *actor;
	unsigned long flags;
	unsigned int n = 0;

	raw_spin_lock_irqsave(&kunit_loop.live_lock, flags);
	list_for_each_entry(actor, &kunit_loop.live, node) {
		if (actor->task != lab->hands[0].task && actor->task != lab->hands[1].task)
			continue;
		/* Not every kernel can unwind: User Mode Linux needs frame pointers. */
		n += (actor->nr_frames > 0 || !can_unwind) &&
		     actor->stack_asked == READ_ONCE(kunit_loop.stacks_asked);
	}
	raw_spin_unlock_irqrestore(&kunit_loop.live_lock, flags);
	return n;
}

static void an_alarm_has_names_and_stacks(struct kunit *test)
{
	struct lab *lab = looping(test);
	unsigned long own[4];
	bool can_unwind = stack_trace_save(own, ARRAY_SIZE(own), 0) > 0;

	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	/* They were asked for a window before the alarm. */
	KUNIT_EXPECT_GT(test, READ_ONCE(kunit_loop.stacks_asked), 0u);
	/* Each saves its own at its next retry. */
	KUNIT_EXPECT_TRUE(test, lab_eventually(stacks_shown(lab, can_unwind) == 2));
	stop(lab);
}

static void loop_goes_while_it_is_watched(struct kunit *test)
{
	struct lab *lab = looping(test);
	int i;

	for (i = 0; i < 10; i++) {
		struct headway_loop_actor actor;

		headway_loop_enter(&actor, &kunit_loop);
		headway_loop_retry(&actor);
		usleep_range(1000, 30000);
		headway_loop_leave(&actor);
		headway_loop_unregister(&kunit_loop);
		KUNIT_ASSERT_EQ(test, headway_loop_register(&kunit_loop), 0);
	}
	stop(lab);
}

static struct kunit_case loop_cases[] = {
	KUNIT_CASE(nobody_is_idle),
	KUNIT_CASE(what_cannot_be_registered),
	KUNIT_CASE(every_call_counts),
	KUNIT_CASE(only_who_fails_again_and_again_is_listed),
	KUNIT_CASE(interrupts_and_spinlocks_are_no_matter),
	KUNIT_CASE(nothing_is_lost_under_load),
	KUNIT_CASE(an_alarm_has_names_and_stacks),
	KUNIT_CASE(loop_goes_while_it_is_watched),
	{}
};

struct kunit_suite headway_loop_suite = {
	.name = "headway-loop",
	.exit = loop_exit,
	.test_cases = loop_cases,
};
