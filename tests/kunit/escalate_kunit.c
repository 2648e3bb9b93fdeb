// SPDX-License-Identifier: GPL-2.0
/*
 * escalate_kunit.c - a domain that livelocks goes to `serial` by itself and comes back: when, how
 * often, and who may say otherwise.
 *
 * The livelock is lab_lockstep_work(): under `none` it never ends, so a domain that is restored to
 * `none` relapses. When steps are due is tested on the host, escalation_test.c.
 */
#include "lab.h"
#include "progress.h"

#define WINDOW (100 * MS)

static struct lab *escalating(struct kunit *test, u32 healthy_windows, unsigned int nr_locks)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_NONE, nr_locks);

	lab->domain->grid.base_ns = MS;
	/* However few rollbacks a slow machine gets into a window. */
	lab_watch(lab, WINDOW, 1, 1000000, 3600ull * NSEC_PER_SEC);
	lab->domain->watch.healthy_windows = healthy_windows;
	headway_domain_escalate(lab->domain, true);
	return lab;
}

static void lockstep(struct lab *lab, struct hand *hands[2])
{
	int i;

	for (i = 0; i < 2; i++)
		hands[i] = lab_hand(lab, lab_lockstep_work, NULL);
}

static void stop(struct lab *lab, struct hand *hands[2])
{
	int i;

	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(lab->test, lab_join(hands[i]), 0);
}

static enum headway_policy policy(struct lab *lab)
{
	return READ_ONCE(lab->domain->policy);
}

static struct headway_escalation_report report(struct lab *lab)
{
	struct headway_escalator *escalator = &headway_progress(lab->domain)->escalator;
	struct headway_escalation_report copy;

	spin_lock(&lab->domain->watch.lock);
	copy = escalator->report;
	copy.raised = escalator->core.raised;
	copy.need = escalator->core.need;
	copy.relapses = escalator->core.relapses;
	spin_unlock(&lab->domain->watch.lock);
	return copy;
}

/* The events so far of a kind. */
static unsigned int events(struct lab *lab, enum headway_event_kind kind)
{
	struct headway_watch_state *state = lab->domain->watch.state;
	unsigned int n = 0;
	u64 i;

	spin_lock(&lab->domain->watch.lock);
	for (i = 0; i < min_t(u64, state->nr_events, HEADWAY_EVENTS); i++)
		n += state->events[i].kind == kind;
	spin_unlock(&lab->domain->watch.lock);
	return n;
}

/* Whether the policy is the same all the time, for so many windows. */
static bool keeps_policy(struct lab *lab, unsigned int windows)
{
	enum headway_policy first = policy(lab);
	u64 until = ktime_get_ns() + windows * WINDOW;

	while (ktime_get_ns() < until) {
		if (policy(lab) != first)
			return false;
		usleep_range(2000, 4000);
	}
	return true;
}

static void livelock_recovers_by_itself_and_goes_back(struct kunit *test)
{
	struct lab *lab = escalating(test, 4, 2);
	struct headway_escalation_report r;
	struct hand *hands[2];

	lockstep(lab, hands);
	KUNIT_EXPECT_TRUE(test, lab_eventually(policy(lab) == HEADWAY_POLICY_SERIAL));
	KUNIT_EXPECT_TRUE(test, lab_eventually(report(lab).last_recovery_ns));
	r = report(lab);
	kunit_info(test, "serial %llu us after the verdict livelock, recovered after %llu ms\n",
		   r.last_escalation_ns / NSEC_PER_USEC, r.last_recovery_ns / MS);
	KUNIT_EXPECT_GT(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 0ull);
	KUNIT_EXPECT_GT(test, r.last_escalation_ns, 0ull);
	KUNIT_EXPECT_GT(test, r.last_recovery_ns, r.last_escalation_ns);
	KUNIT_EXPECT_TRUE(test, lab_eventually(report(lab).restores));
	r = report(lab);
	kunit_info(test, "restored after %llu ms of serial, windows of %llu ms\n",
		   r.last_restore_ns / MS, WINDOW / MS);
	/* Four windows are asked for; that it began in the midst of one is of no use to it. */
	KUNIT_EXPECT_GE(test, r.last_restore_ns, 3 * WINDOW);
	/* It is told of a moment after it is counted. */
	KUNIT_EXPECT_TRUE(test, lab_eventually(events(lab, HEADWAY_EVENT_ESCALATE)));
	KUNIT_EXPECT_TRUE(test, lab_eventually(events(lab, HEADWAY_EVENT_RECOVER)));
	KUNIT_EXPECT_TRUE(test, lab_eventually(events(lab, HEADWAY_EVENT_RESTORE)));
	stop(lab, hands);
}

static void without_the_setting_it_stays_livelocked(struct kunit *test)
{
	struct lab *lab = escalating(test, 2, 2);
	struct hand *hands[2];

	headway_domain_escalate(lab->domain, false);
	/* Long windows: none without a rollback, even if the machine is held up. */
	lab_watch(lab, 5 * WINDOW, 1, 1000000, 3600ull * NSEC_PER_SEC);
	lockstep(lab, hands);
	KUNIT_EXPECT_TRUE(test, lab_eventually(headway_domain_verdict(lab->domain) ==
					       HEADWAY_VERDICT_LIVELOCK));
	KUNIT_EXPECT_TRUE(test, keeps_policy(lab, 12));
	KUNIT_EXPECT_EQ(test, (int)policy(lab), (int)HEADWAY_POLICY_NONE);
	KUNIT_EXPECT_EQ(test, (int)headway_domain_verdict(lab->domain),
			(int)HEADWAY_VERDICT_LIVELOCK);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 0ull);
	KUNIT_EXPECT_EQ(test, report(lab).escalations, 0ull);
	stop(lab, hands);
}

static void stays_serial_until_it_was_healthy_for_long_enough(struct kunit *test)
{
	struct lab *lab = escalating(test, 1000, 2);
	struct hand *hands[2];

	lockstep(lab, hands);
	KUNIT_EXPECT_TRUE(test, lab_eventually(report(lab).last_recovery_ns));
	KUNIT_EXPECT_TRUE(test, keeps_policy(lab, 10));
	KUNIT_EXPECT_TRUE(test, report(lab).raised);
	/* And switched off, it goes back at once. */
	headway_domain_escalate(lab->domain, false);
	KUNIT_EXPECT_TRUE(test, lab_eventually(policy(lab) == HEADWAY_POLICY_NONE));
	stop(lab, hands);
}

static void idle_windows_do_not_count(struct kunit *test)
{
	struct lab *lab = escalating(test, 4, 2);
	struct hand *hands[2];

	lockstep(lab, hands);
	KUNIT_EXPECT_TRUE(test, lab_eventually(policy(lab) == HEADWAY_POLICY_SERIAL));
	stop(lab, hands);
	KUNIT_EXPECT_TRUE(test, lab_eventually(headway_domain_verdict(lab->domain) ==
					       HEADWAY_VERDICT_IDLE));
	KUNIT_EXPECT_TRUE(test, keeps_policy(lab, 8));
	KUNIT_EXPECT_EQ(test, (int)policy(lab), (int)HEADWAY_POLICY_SERIAL);
}

static void set_by_hand_wins(struct kunit *test)
{
	static const enum headway_policy chosen[] = {
		HEADWAY_POLICY_WOUND_WAIT, HEADWAY_POLICY_SERIAL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(chosen); i++) {
		struct lab *lab = escalating(test, 6, 2);
		struct hand *hands[2];

		lockstep(lab, hands);
		KUNIT_EXPECT_TRUE(test, lab_eventually(report(lab).raised));
		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, chosen[i], NULL), 0);
		KUNIT_EXPECT_TRUE(test, lab_eventually(report(lab).overrides));
		KUNIT_EXPECT_TRUE(test, keeps_policy(lab, 12));
		KUNIT_EXPECT_EQ(test, (int)policy(lab), (int)chosen[i]);
		KUNIT_EXPECT_EQ(test, report(lab).restores, 0ull);
		KUNIT_EXPECT_FALSE(test, report(lab).raised);
		KUNIT_EXPECT_TRUE(test, lab_eventually(events(lab, HEADWAY_EVENT_OVERRIDE)));
		KUNIT_EXPECT_EQ(test, events(lab, HEADWAY_EVENT_OVERRIDE), 1u);
		stop(lab, hands);
		lab_close(test);
	}
}

static void relapses_ask_for_more_each_time(struct kunit *test)
{
	struct lab *lab = escalating(test, 2, 2);
	struct headway_escalation_report r;
	struct hand *hands[2];

	lockstep(lab, hands);
	KUNIT_EXPECT_TRUE(test, lab_eventually((r = report(lab), r.relapses >= 3 && r.raised)));
	KUNIT_EXPECT_EQ(test, r.need, 2u << r.relapses);
	KUNIT_EXPECT_GE(test, r.escalations, 4ull);
	stop(lab, hands);
}

/* The change cannot be made, and neither the watchdog nor anybody else hangs for that. */
static void holder_that_stays_makes_it_refuse(struct kunit *test)
{
	struct lab *lab = escalating(test, 1000, 3);
	struct hand *holder = lab_hold(lab, &lab->locks[2]);
	struct hand *hands[2];

	lockstep(lab, hands);
	KUNIT_EXPECT_TRUE(test, lab_eventually(report(lab).refusals));
	KUNIT_EXPECT_EQ(test, (int)policy(lab), (int)HEADWAY_POLICY_NONE);
	/* It is told a moment after it is counted. */
	KUNIT_EXPECT_TRUE(test, lab_eventually(events(lab, HEADWAY_EVENT_REFUSE)));
	lab_let_go(holder);
	KUNIT_EXPECT_TRUE(test, lab_eventually(policy(lab) == HEADWAY_POLICY_SERIAL));
	KUNIT_EXPECT_EQ(test, report(lab).relapses, 0ull);
	stop(lab, hands);
}

static void starvation_is_not_escalated(struct kunit *test)
{
	struct lab *lab = escalating(test, 2, 2);
	struct hand *hands[2], *holder;

	KUNIT_ASSERT_EQ(test, headway_domain_set_policy(lab->domain, HEADWAY_POLICY_ORDERED, NULL),
			0);
	lab_watch(lab, WINDOW, 1, 1000000, 50 * MS);
	holder = lab_hold(lab, &lab->locks[0]);
	hands[0] = lab_hand(lab, lab_commit_work, &lab->locks[1]);
	hands[1] = lab_hand(lab, lab_take_work, &lab->locks[0]);
	KUNIT_EXPECT_TRUE(test, lab_eventually(headway_domain_verdict(lab->domain) ==
					       HEADWAY_VERDICT_STARVATION));
	KUNIT_EXPECT_TRUE(test, keeps_policy(lab, 6));
	KUNIT_EXPECT_EQ(test, report(lab).escalations + report(lab).refusals, 0ull);
	lab_let_go(holder);
	stop(lab, hands);
}

/* At any moment of the change, the one that has to wait among them. */
static void domain_goes_in_the_midst_of_it(struct kunit *test)
{
	u64 worst_ns = 0;
	int i;

	for (i = 0; i < 6; i++) {
		struct lab *lab = escalating(test, 2, 3);
		struct hand *holder = i % 2 ? lab_hold(lab, &lab->locks[2]) : NULL;
		struct hand *hands[2];
		u64 start_ns;

		lockstep(lab, hands);
		if (holder) {
			KUNIT_EXPECT_TRUE(test, lab_eventually(headway_gate_is_shut(lab->domain)));
			usleep_range(1000, 50000);
			lab_let_go(holder);
		} else {
			KUNIT_EXPECT_TRUE(test, lab_eventually(report(lab).raised));
			usleep_range(1000, 300000);
		}
		stop(lab, hands);
		start_ns = ktime_get_ns();
		lab_close(test);
		worst_ns = max(worst_ns, ktime_get_ns() - start_ns);
	}
	kunit_info(test, "unregistering took %llu ms at most\n", worst_ns / MS);
	KUNIT_EXPECT_LT(test, worst_ns, LAB_PATIENCE_NS);
}

DEFINE_HEADWAY_DOMAIN(kunit_static, HEADWAY_POLICY_NONE);

/* A domain that goes while it is `serial` has its own policy when it comes again. */
static void own_policy_comes_back_with_the_domain(struct kunit *test)
{
	struct headway_escalator *escalator;

	KUNIT_ASSERT_EQ(test, headway_domain_register(&kunit_static), 0);
	KUNIT_EXPECT_EQ(test, headway_domain_set_policy(&kunit_static, HEADWAY_POLICY_SERIAL, NULL),
			0);
	/* As after an escalation from wait-die. */
	escalator = &headway_progress(&kunit_static)->escalator;
	spin_lock(&kunit_static.watch.lock);
	escalator->core.raised = true;
	escalator->core.need = 1;
	escalator->own_policy = HEADWAY_POLICY_WAIT_DIE;
	escalator->epoch = kunit_static.epoch;
	spin_unlock(&kunit_static.watch.lock);
	headway_domain_unregister(&kunit_static);
	KUNIT_EXPECT_EQ(test, (int)kunit_static.policy, (int)HEADWAY_POLICY_WAIT_DIE);
	kunit_static.policy = HEADWAY_POLICY_NONE;
}

static struct kunit_case escalate_cases[] = {
	KUNIT_CASE(livelock_recovers_by_itself_and_goes_back),
	KUNIT_CASE(without_the_setting_it_stays_livelocked),
	KUNIT_CASE(stays_serial_until_it_was_healthy_for_long_enough),
	KUNIT_CASE(idle_windows_do_not_count),
	KUNIT_CASE(set_by_hand_wins),
	KUNIT_CASE(relapses_ask_for_more_each_time),
	KUNIT_CASE(holder_that_stays_makes_it_refuse),
	KUNIT_CASE(starvation_is_not_escalated),
	KUNIT_CASE(domain_goes_in_the_midst_of_it),
	KUNIT_CASE(own_policy_comes_back_with_the_domain),
	{}
};

struct kunit_suite headway_escalate_suite = {
	.name = "headway-escalate",
	.exit = lab_close,
	.test_cases = escalate_cases,
};
