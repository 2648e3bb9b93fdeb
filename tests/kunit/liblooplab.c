// SPDX-License-Identifier: GPL-2.0
/*
 * liblooplab.c - see looplab.h.
 */
#include "looplab.h"

DEFINE_HEADWAY_LOOP(kunit_loop, WINDOW);

struct play play;

bool is_alarm(enum headway_verdict verdict)
{
	return verdict == HEADWAY_VERDICT_LIVELOCK || verdict == HEADWAY_VERDICT_STARVATION ||
	       verdict == HEADWAY_VERDICT_STALLED_HOLDER;
}

bool verdict_is(enum headway_verdict verdict)
{
	return headway_loop_verdict(&kunit_loop) == verdict;
}

bool ever_alarmed(unsigned int windows)
{
	u64 until = ktime_get_ns() + windows * WINDOW;
	bool ever = false;

	while (ktime_get_ns() < until) {
		ever |= is_alarm(headway_loop_verdict(&kunit_loop));
		usleep_range(2000, 5000);
	}
	return ever;
}

struct lab *looping(struct kunit *test)
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

void wait_max(u64 ns)
{
	spin_lock(&kunit_loop.watch.lock);
	kunit_loop.watch.wait_max_ns = ns;
	spin_unlock(&kunit_loop.watch.lock);
}

void widen(void)
{
	spin_lock(&kunit_loop.watch.lock);
	kunit_loop.watch.window_ns = 5 * WINDOW;
	spin_unlock(&kunit_loop.watch.lock);
}

void make_due(u64 due_ns, u64 every_ns)
{
	spin_lock(&play.lock);
	play.due_ns = due_ns;
	play.every_ns = every_ns;
	spin_unlock(&play.lock);
}

void loop_exit(struct kunit *test)
{
	lab_close(test);
	/* Settings are the loop's; each case begins with the defaults. */
	headway_loop_unregister(&kunit_loop);
	kunit_loop.watch.window_ns = WINDOW;
	kunit_loop.watch.rollbacks_min = 0;
	kunit_loop.watch.wait_max_ns = 0;
}

void stop(struct lab *lab)
{
	unsigned int i;

	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < lab->nr_hands; i++)
		KUNIT_EXPECT_EQ(lab->test, lab_join(&lab->hands[i]), 0);
}

u64 in_flight(void)
{
	struct headway_counts counts = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		struct headway_loop_pcpu *p = per_cpu_ptr(kunit_loop.pcpu, cpu);

		counts.in_flight += READ_ONCE(p->begun) - READ_ONCE(p->ended);
	}
	return counts.in_flight + READ_ONCE(kunit_loop.nr_live);
}

struct sums sums(void)
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

int retry_work(struct hand *hand)
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

int succeed_work(struct hand *hand)
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

struct hand *busy(struct lab *lab, unsigned long failures)
{
	struct hand *hand = lab_hand(lab, busy_work, (void *)failures);

	lab_await(hand);
	return hand;
}

void hands(struct lab *lab, int (*work)(struct hand *hand), unsigned int n)
{
	while (n--)
		lab_hand(lab, work, NULL);
}
