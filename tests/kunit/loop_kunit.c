// SPDX-License-Identifier: GPL-2.0
/*
 * loop_kunit.c - watched retry loops: what is an alarm, and its twin that looks like it and is
 * none.
 *
 * Windows are 100 ms. That no alarm comes is watched for several windows; that one comes is
 * awaited.
 */
#include <linux/irq_work.h>
#include <linux/stacktrace.h>

#include "lab.h"
#include "loop.h"

#define WINDOW (100 * MS)

static DEFINE_HEADWAY_LOOP(kunit_loop, WINDOW);

/* What the hands of a case do, each as its number says. */
static struct {
	u64 attempt_us;			/* how long an attempt takes */
	u64 slow_us;			/* that of the first hand, if not 0 */
	u64 due_ns;			/* when there is something to be had; others fail */
	u64 every_ns;			/* ... and again so much later; 0: never again */
	unsigned int give_up;		/* leave after so many failures; 0: never */
	spinlock_t lock;		/* due_ns */
} play;

static bool is_alarm(enum headway_verdict verdict)
{
	return verdict == HEADWAY_VERDICT_LIVELOCK || verdict == HEADWAY_VERDICT_STARVATION ||
	       verdict == HEADWAY_VERDICT_STALLED_HOLDER;
}

static bool verdict_is(enum headway_verdict verdict)
{
	return headway_loop_verdict(&kunit_loop) == verdict;
}

static bool ever_alarmed(unsigned int windows)
{
	u64 until = ktime_get_ns() + windows * WINDOW;
	bool ever = false;

	while (ktime_get_ns() < until) {
		ever |= is_alarm(headway_loop_verdict(&kunit_loop));
		usleep_range(2000, 5000);
	}
	return ever;
}

static struct lab *looping(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);

	memset(&play, 0, sizeof(play));
	spin_lock_init(&play.lock);
	play.attempt_us = 1000;
	KUNIT_ASSERT_EQ(test, headway_loop_register(&kunit_loop), 0);
	/* However few failures a slow machine gets into a window. */
	spin_lock(&kunit_loop.watch.lock);
	kunit_loop.watch.rollbacks_min = 4;
	kunit_loop.watch.wait_max_ns = 3600 * (u64)NSEC_PER_SEC;
	spin_unlock(&kunit_loop.watch.lock);
	return lab;
}

static void wait_max(u64 ns)
{
	spin_lock(&kunit_loop.watch.lock);
	kunit_loop.watch.wait_max_ns = ns;
	spin_unlock(&kunit_loop.watch.lock);
}

static void loop_exit(struct kunit *test)
{
	lab_close(test);
	/* Settings are the loop's; each case begins with the defaults. */
	headway_loop_unregister(&kunit_loop);
	kunit_loop.watch.rollbacks_min = 0;
	kunit_loop.watch.wait_max_ns = 0;
}

static void stop(struct lab *lab)
{
	unsigned int i;

	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < lab->nr_hands; i++)
		KUNIT_EXPECT_EQ(lab->test, lab_join(&lab->hands[i]), 0);
}

static u64 in_flight(void)
{
	struct headway_counts counts = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		struct headway_loop_pcpu *p = per_cpu_ptr(kunit_loop.pcpu, cpu);

		counts.in_flight += READ_ONCE(p->begun) - READ_ONCE(p->ended);
	}
	return counts.in_flight + READ_ONCE(kunit_loop.nr_live);
}

struct sums {
	u64 begun, again, commits, aborts, rollbacks;
};

static struct sums sums(void)
{
	struct sums s = { .begun = kunit_loop.begun_live };
	int cpu;

	for_each_possible_cpu(cpu) {
		struct headway_loop_pcpu *p = per_cpu_ptr(kunit_loop.pcpu, cpu);

		s.begun += p->begun;
		s.again += p->again;
		s.commits += p->commits;
		s.aborts += p->aborts;
		s.rollbacks += p->rollbacks;
	}
	return s;
}

/* An attempt: takes its time, and succeeds if something is due. */
static bool attempt(struct hand *hand)
{
	u64 us = !hand->number && play.slow_us ? play.slow_us : play.attempt_us;
	u64 until = ktime_get_ns() + us * NSEC_PER_USEC;
	bool got;

	do {
		usleep_range(min_t(u64, us, 5000), min_t(u64, us, 5000) + 50);
	} while (ktime_get_ns() < until && !READ_ONCE(hand->lab->stop));
	spin_lock(&play.lock);
	got = play.due_ns && ktime_get_ns() >= play.due_ns;
	if (got)
		play.due_ns = play.every_ns ? ktime_get_ns() + play.every_ns : 0;
	spin_unlock(&play.lock);
	return got;
}

static int retry_work(struct hand *hand)
{
	while (!READ_ONCE(hand->lab->stop)) {
		struct headway_loop_actor actor;
		unsigned int failures = 0;

		headway_loop_enter(&actor, &kunit_loop);
		while (!READ_ONCE(hand->lab->stop)) {
			if (attempt(hand)) {
				headway_loop_done(&actor);
				hand->count++;
				break;
			}
			headway_loop_retry(&actor);
			if (play.give_up && ++failures == play.give_up)
				break;
		}
		headway_loop_leave(&actor);
		cond_resched();
	}
	return 0;
}

/* Always succeeds; the first hand slowly, if the case says so. */
static int succeed_work(struct hand *hand)
{
	while (!READ_ONCE(hand->lab->stop)) {
		struct headway_loop_actor actor;

		headway_loop_enter(&actor, &kunit_loop);
		attempt(hand);
		if (!READ_ONCE(hand->lab->stop)) {
			headway_loop_done(&actor);
			hand->count++;
		}
		headway_loop_leave(&actor);
	}
	return 0;
}

/* Fails so often, and is then busy with one attempt until the case lets it go. */
static int busy_work(struct hand *hand)
{
	unsigned long failures = (unsigned long)hand->arg;
	struct headway_loop_actor actor;

	headway_loop_enter(&actor, &kunit_loop);
	while (failures--) {
		usleep_range(1000, 1500);
		headway_loop_retry(&actor);
	}
	lab_pause(hand);
	headway_loop_done(&actor);
	headway_loop_leave(&actor);
	return 0;
}

static struct hand *busy(struct lab *lab, unsigned long failures)
{
	struct hand *hand = lab_hand(lab, busy_work, (void *)failures);

	lab_await(hand);
	return hand;
}

static void hands(struct lab *lab, int (*work)(struct hand *hand), unsigned int n)
{
	while (n--)
		lab_hand(lab, work, NULL);
}

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
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&irq_over, HZ));
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
	stop(lab);
	for (i = 0; i < 4; i++)
		done += lab->hands[i].count;
	s = sums();
	KUNIT_EXPECT_GT(test, done, 0ull);
	KUNIT_EXPECT_EQ(test, s.commits, done);
	KUNIT_EXPECT_EQ(test, s.begun + s.again, s.commits + s.aborts);
	KUNIT_EXPECT_EQ(test, in_flight(), 0ull);
}

/* ---- livelock, and what is none ------------------------------------------------------------- */

static void retries_without_end_are_a_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);
	u64 start_ns = ktime_get_ns();

	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	kunit_info(test, "livelock seen after %llu ms, windows of %llu ms\n",
		   (ktime_get_ns() - start_ns) / MS, WINDOW / MS);
	/* It is over as soon as they get what they want. */
	spin_lock(&play.lock);
	play.due_ns = 1;
	play.every_ns = 1;
	spin_unlock(&play.lock);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_HEALTHY)));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(4));
	stop(lab);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_IDLE)));
}

static void those_who_give_up_and_come_again_livelock_too(struct kunit *test)
{
	struct lab *lab = looping(test);

	play.give_up = 7;
	hands(lab, retry_work, 4);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
	KUNIT_EXPECT_GT(test, sums().aborts, 4ull);
}

static void one_who_retries_is_no_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);

	hands(lab, retry_work, 1);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(8));
	KUNIT_EXPECT_GT(test, sums().rollbacks, 8ull);
	stop(lab);
}

/* Others fail because of it; it may take several windows. Twin: the same, when it is gone. */
static void one_long_attempt_is_no_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct hand *worker = busy(lab, 0);

	hands(lab, retry_work, 3);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(10));
	KUNIT_EXPECT_TRUE(test, verdict_is(HEADWAY_VERDICT_CONTENDED));
	lab_go(worker);
	KUNIT_EXPECT_EQ(test, lab_join(worker), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
}

/* The same, for one that failed before, and beside others that come and go. */
static void a_long_attempt_after_failures_is_no_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct hand *worker = busy(lab, 10);

	play.give_up = 5;
	hands(lab, retry_work, 4);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(10));
	lab_go(worker);
	KUNIT_EXPECT_EQ(test, lab_join(worker), 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
}

/* It comes when the loop is suspicious already. */
static void a_long_attempt_that_begins_late_ends_the_alarm(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct hand *worker;

	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	worker = busy(lab, 0);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_CONTENDED)));
	KUNIT_EXPECT_FALSE(test, ever_alarmed(5));
	lab_go(worker);
	KUNIT_EXPECT_EQ(test, lab_join(worker), 0);
	stop(lab);
}

static void an_attempt_without_end_is_a_stalled_holder(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct hand *worker = busy(lab, 0);

	wait_max(3 * WINDOW);
	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_STALLED_HOLDER)));
	lab_go(worker);
	KUNIT_EXPECT_EQ(test, lab_join(worker), 0);
	stop(lab);
}

/* Something is done in every window, if only once. Twin: never again. */
static void rare_completions_are_no_livelock(struct kunit *test)
{
	struct lab *lab = looping(test);

	play.due_ns = 1;
	play.every_ns = WINDOW / 2;
	hands(lab, retry_work, 3);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(12));
	spin_lock(&play.lock);
	play.due_ns = 0;
	spin_unlock(&play.lock);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
}

/* Rarer than its window, a loop must be given a longer one. */
static void the_window_is_the_patience(struct kunit *test)
{
	struct lab *lab = looping(test);

	headway_loop_unregister(&kunit_loop);
	kunit_loop.watch.window_ns = 10 * WINDOW;
	KUNIT_ASSERT_EQ(test, headway_loop_register(&kunit_loop), 0);
	play.due_ns = 1;
	play.every_ns = 5 * WINDOW;
	hands(lab, retry_work, 3);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(35));
	stop(lab);
	headway_loop_unregister(&kunit_loop);
	kunit_loop.watch.window_ns = WINDOW;
	KUNIT_ASSERT_EQ(test, headway_loop_register(&kunit_loop), 0);
}

/* ---- starvation, and what is none ----------------------------------------------------------- */

static void a_slow_one_among_fast_ones_is_healthy(struct kunit *test)
{
	struct lab *lab = looping(test);

	/* Longer than a window, beyond what a wait may be. */
	wait_max(WINDOW);
	play.slow_us = 3 * WINDOW / NSEC_PER_USEC;
	play.due_ns = 1;
	play.every_ns = 1;
	hands(lab, succeed_work, 4);
	KUNIT_EXPECT_FALSE(test, ever_alarmed(12));
	KUNIT_EXPECT_GT(test, READ_ONCE(lab->hands[0].count), 0ull);
	stop(lab);
}

static void one_who_always_fails_beside_others_starves(struct kunit *test)
{
	struct lab *lab = looping(test);

	wait_max(2 * WINDOW);
	hands(lab, retry_work, 1);
	hands(lab, succeed_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_STARVATION)));
	stop(lab);
}

/* However often: what counts is for how long. */
static void many_quick_failures_are_no_starvation(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct headway_loop_actor actor;
	u64 until = ktime_get_ns() + 6 * WINDOW;
	bool alarm = false;
	int i;

	hands(lab, succeed_work, 1);
	wait_max(WINDOW);
	while (ktime_get_ns() < until) {
		headway_loop_enter(&actor, &kunit_loop);
		for (i = 0; i < 2000; i++)
			headway_loop_retry(&actor);
		headway_loop_done(&actor);
		headway_loop_leave(&actor);
		alarm |= is_alarm(headway_loop_verdict(&kunit_loop));
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_FALSE(test, alarm);
	KUNIT_EXPECT_GT(test, sums().rollbacks, 2000ull);
	stop(lab);
}

/* ---- load that comes and goes --------------------------------------------------------------- */

static void bursts_are_no_alarm(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct headway_loop_actor actors[2];
	bool alarm = false;
	int burst, i;

	for (burst = 0; burst < 4; burst++) {
		/* Two that fail for less than a window, then nobody. */
		for (i = 0; i < 2; i++)
			headway_loop_enter(&actors[i], &kunit_loop);
		for (i = 0; i < 40; i++) {
			headway_loop_retry(&actors[i % 2]);
			usleep_range(1000, 1200);
		}
		for (i = 0; i < 2; i++) {
			headway_loop_done(&actors[i]);
			headway_loop_leave(&actors[i]);
		}
		alarm |= ever_alarmed(3);
	}
	KUNIT_EXPECT_FALSE(test, alarm);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_IDLE)));
	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	stop(lab);
}

/* ---- evidence ------------------------------------------------------------------------------- */

static void an_alarm_has_names_and_stacks(struct kunit *test)
{
	struct lab *lab = looping(test);
	struct headway_loop_actor *actor;
	unsigned int n = 0, with_stack = 0, asked = 0;
	unsigned long flags, own[4];
	bool can_unwind;

	can_unwind = stack_trace_save(own, ARRAY_SIZE(own), 0) > 0;
	hands(lab, retry_work, 2);
	KUNIT_EXPECT_TRUE(test, lab_eventually(verdict_is(HEADWAY_VERDICT_LIVELOCK)));
	raw_spin_lock_irqsave(&kunit_loop.live_lock, flags);
	list_for_each_entry(actor, &kunit_loop.live, node) {
		n += actor->task == lab->hands[0].task || actor->task == lab->hands[1].task;
		/* Not every kernel can unwind: User Mode Linux needs frame pointers. */
		with_stack += actor->nr_frames > 0 || !can_unwind;
		asked += actor->stack_asked == READ_ONCE(kunit_loop.stacks_asked);
	}
	raw_spin_unlock_irqrestore(&kunit_loop.live_lock, flags);
	KUNIT_EXPECT_EQ(test, n, 2u);
	/* They were asked for a window before the alarm. */
	KUNIT_EXPECT_GT(test, READ_ONCE(kunit_loop.stacks_asked), 0u);
	KUNIT_EXPECT_EQ(test, asked, 2u);
	KUNIT_EXPECT_EQ(test, with_stack, 2u);
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
	KUNIT_CASE(retries_without_end_are_a_livelock),
	KUNIT_CASE(those_who_give_up_and_come_again_livelock_too),
	KUNIT_CASE(one_who_retries_is_no_livelock),
	KUNIT_CASE(one_long_attempt_is_no_livelock),
	KUNIT_CASE(a_long_attempt_after_failures_is_no_livelock),
	KUNIT_CASE(a_long_attempt_that_begins_late_ends_the_alarm),
	KUNIT_CASE(an_attempt_without_end_is_a_stalled_holder),
	KUNIT_CASE(rare_completions_are_no_livelock),
	KUNIT_CASE(the_window_is_the_patience),
	KUNIT_CASE(a_slow_one_among_fast_ones_is_healthy),
	KUNIT_CASE(one_who_always_fails_beside_others_starves),
	KUNIT_CASE(many_quick_failures_are_no_starvation),
	KUNIT_CASE(bursts_are_no_alarm),
	KUNIT_CASE(an_alarm_has_names_and_stacks),
	KUNIT_CASE(loop_goes_while_it_is_watched),
	{}
};

struct kunit_suite headway_loop_suite = {
	.name = "headway-loop",
	.exit = loop_exit,
	.test_cases = loop_cases,
};
