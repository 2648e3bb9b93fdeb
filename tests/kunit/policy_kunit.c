// SPDX-License-Identifier: GPL-2.0
/*
 * policy_kunit.c - who waits, who is wounded, who backs out; and who never is.
 *
 * Tickets are dealt in a known order: whoever runs into a holder gives the holder a ticket first.
 * So "A holds, B runs into A" makes A the older of the two.
 */
#include "lab.h"

/* ---- ordered ------------------------------------------------------------------------------ */

static void ordered_refuses_the_wrong_order(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 2);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), -EDEADLK);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ORDER_VIOLATIONS), 1ull);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[1]));
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	/* After the rollback the lower one is there already. */
	headway_txn_rollback(&txn);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	headway_txn_end(&txn);
}

static void ordered_goes_by_rank_key_address(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_lock *locks = kunit_kzalloc(test, 4 * sizeof(*locks), GFP_KERNEL);
	/*
	 * In their order: (0, 9), (1, 5) at the lower address, (1, 5) at the higher, (1, 1ull <<
	 * 40).
	 */
	static const u64 keys[] = { 9, 5, 5, 1ull << 40 };
	int i, j;

	KUNIT_ASSERT_NOT_NULL(test, locks);
	for (i = 0; i < 4; i++)
		headway_lock_init(&locks[i], lab->domain, i > 0, keys[i], "ordered");
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 4; j++) {
			int want = i < j ? 0 : i == j ? -EALREADY : -EDEADLK;
			struct headway_txn txn;

			headway_txn_begin(&txn, lab->domain);
			KUNIT_EXPECT_EQ(test, headway_lock(&txn, &locks[i]), 0);
			KUNIT_EXPECT_EQ(test, headway_lock(&txn, &locks[j]), want);
			headway_txn_end(&txn);
		}
	}
	for (i = 0; i < 4; i++)
		headway_lock_destroy(&locks[i]);
}

/* Holds lock 0, tells, and when told to, asks for lock 1. */
static int low_then_high_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_timeout(&txn, &hand->lab->locks[0], LAB_PATIENCE_NS);
	lab_pause(hand);
	if (!ret)
		ret = headway_lock_timeout(&txn, &hand->lab->locks[1], LAB_PATIENCE_NS);
	headway_txn_end(&txn);
	return ret;
}

static void ordered_waits_while_holding(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct hand *waiter = lab_hand(lab, low_then_high_work, NULL);

	lab_await(waiter);
	lab_go(waiter);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[1]) == 1));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_ROLLBACKS), 0ull);
}

/* ---- polite, none ------------------------------------------------------------------------- */

static int take_first_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock(&txn, &hand->lab->locks[0]);
	headway_txn_end(&txn);
	return ret;
}

static void polite_waits_with_empty_hands_only(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, take_first_work, NULL);
	struct headway_txn txn;

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), -EDEADLK);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 1u);
	headway_txn_end(&txn);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
}

/* Whoever forbids sleeping is not made to yield either. */
static void polite_rolls_back_without_waiting(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
	preempt_disable();
	KUNIT_EXPECT_EQ(test, headway_txn_rollback_wait(&txn, LAB_TRY), -EBUSY);
	preempt_enable();
	lab_let_go(holder);
	preempt_disable();
	KUNIT_EXPECT_EQ(test, headway_txn_rollback_wait(&txn, LAB_TRY), 0);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[0]));
	headway_txn_end(&txn);
}

static void none_never_waits(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_NONE, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), -EDEADLK);
	headway_txn_rollback(&txn);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[0], LAB_PATIENCE_NS),
			-EDEADLK);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_WAITS), 0ull);
	lab_let_go(holder);
}

static void none_takes_a_set_as_it_is_given(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_NONE, 3);
	struct headway_lock *set[] = { &lab->locks[2], &lab->locks[0], &lab->locks[1] };
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, 3), 0);
	headway_txn_end(&txn);
	KUNIT_EXPECT_PTR_EQ(test, set[0], &lab->locks[2]);
	KUNIT_EXPECT_PTR_EQ(test, set[1], &lab->locks[0]);
}

/*
 * The negative control: if this one commits, the lockstep cases below and in epoch_kunit say
 * nothing.
 */
static void none_livelocks(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_NONE, 2);
	struct hand *a, *b;

	lab->domain->grid.base_ns = MS;
	a = lab_hand(lab, lab_lockstep_work, NULL);
	b = lab_hand(lab, lab_lockstep_work, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_stat(lab, HEADWAY_STAT_ROLLBACKS) >= 100));
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), 0ull);
	WRITE_ONCE(lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(a), 0);
	KUNIT_EXPECT_EQ(test, lab_join(b), 0);
}

/* ---- wound-wait --------------------------------------------------------------------------- */

struct runner {
	unsigned int priority;
	struct headway_lock *has;
	struct headway_lock *wants;
	int order;			/* place in which it got what it wants */
	atomic_t *served;
};

/* Takes one lock, tells, and when told to, asks for the other. */
static int runner_work(struct hand *hand)
{
	struct runner *runner = hand->arg;
	struct headway_txn txn;
	int ret;

	headway_txn_begin_prio(&txn, hand->lab->domain, runner->priority);
	ret = headway_lock_timeout(&txn, runner->has, LAB_PATIENCE_NS);
	lab_pause(hand);
	if (!ret)
		ret = headway_lock_timeout(&txn, runner->wants, LAB_PATIENCE_NS);
	if (!ret && runner->served)
		runner->order = atomic_inc_return(runner->served);
	headway_txn_end(&txn);
	return ret;
}

/* Opens the scene: we hold lock 0 in @txn, and the runner holds lock 1 and waits for 0. */
static struct hand *run_into_us(struct lab *lab, struct headway_txn *txn, struct runner *runner)
{
	struct hand *hand = lab_hand(lab, runner_work, runner);

	lab_await(hand);
	KUNIT_EXPECT_EQ(lab->test, headway_lock(txn, &lab->locks[0]), 0);
	lab_go(hand);
	KUNIT_EXPECT_TRUE(lab->test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	return hand;
}

/*
 * The same with an urgent runner, and with @holder at lock 2. Priority is a head start in tickets,
 * so the runner counts as the older although it came later, and we are wounded.
 */
static struct hand *urgent_runs_into_us(struct lab *lab, struct headway_txn *txn,
					struct runner *runner, struct hand **holder)
{
	struct hand *urgent;

	*runner = (struct runner){ .priority = 15, .has = &lab->locks[1], .wants = &lab->locks[0] };
	*holder = lab_hold(lab, &lab->locks[2]);
	headway_txn_begin(txn, lab->domain);
	urgent = run_into_us(lab, txn, runner);
	KUNIT_EXPECT_EQ(lab->test, (int)txn->wounded, 1);
	return urgent;
}

static void older_wounds_younger(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 2);
	struct runner runner = { .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct headway_txn txn;
	struct hand *younger;

	headway_txn_begin(&txn, lab->domain);
	younger = run_into_us(lab, &txn, &runner);
	/* The cycle is closed: the younger is asleep in its wait and must be got out of it. */
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[1], LAB_PATIENCE_NS), 0);
	KUNIT_EXPECT_EQ(test, lab_join(younger), -EDEADLK);
	KUNIT_EXPECT_EQ(test, (int)txn.wounded, 0);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_WOUNDS), 1ull);
}

static void younger_never_wounds_older(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 3);
	struct runner runner = { .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct hand *younger, *holder = lab_hold(lab, &lab->locks[2]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	younger = run_into_us(lab, &txn, &runner);
	KUNIT_EXPECT_EQ(test, (int)txn.wounded, 0);
	/* We would block, and would notice a wound: there is none. */
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[2], 30 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 1u);
	lab_let_go(holder);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_join(younger), 0);
}

static void priority_wounds_within_its_bonus(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 4);
	struct hand *urgent, *holder;
	struct headway_txn txn;
	struct runner runner;

	urgent = urgent_runs_into_us(lab, &txn, &runner, &holder);
	/* Lazy: a free lock is still ours to take, one that we would wait for is not. */
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[3]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[2], LAB_PATIENCE_NS),
			-EDEADLK);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_join(urgent), 0);
	lab_let_go(holder);
}

static void age_beats_priority_in_the_end(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 2);
	struct runner runner = { .priority = 15, .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct headway_txn txn;
	struct hand *urgent;

	headway_txn_begin(&txn, lab->domain);
	urgent = lab_hand(lab, runner_work, &runner);
	lab_await(urgent);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	/* We have been here for more tickets than any bonus makes up for. */
	atomic64_set(&txn.ticket, 1);
	atomic64_set(&lab->domain->last_ticket, 2000);
	lab_go(urgent);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	KUNIT_EXPECT_EQ(test, (int)txn.wounded, 0);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_join(urgent), 0);
}

/* A wound is for one lock; when that has been given back, nobody older wants anything of us. */
static void wound_ends_with_what_it_was_for(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 4);
	struct hand *urgent, *holder;
	struct headway_txn txn;
	struct runner runner;

	urgent = urgent_runs_into_us(lab, &txn, &runner, &holder);
	headway_unlock(&txn, &lab->locks[0]);
	KUNIT_EXPECT_EQ(test, lab_join(urgent), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[3]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[2], 30 * MS), -ETIMEDOUT);
	headway_txn_end(&txn);
	lab_let_go(holder);
}

static void wound_wait_serves_the_oldest_first(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 4);
	atomic_t served = ATOMIC_INIT(0);
	/*
	 * Of equal age but for the bonus, which is what makes the one that comes last the oldest.
	 */
	struct runner slow = { .has = &lab->locks[1], .wants = &lab->locks[0], .served = &served };
	struct runner middle = { .priority = 5, .has = &lab->locks[2], .wants = &lab->locks[0],
				 .served = &served };
	struct runner quick = { .priority = 10, .has = &lab->locks[3], .wants = &lab->locks[0],
				.served = &served };
	struct runner *runners[] = { &slow, &middle, &quick };
	struct hand *hands[3], *holder = lab_hold(lab, &lab->locks[0]);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		hands[i] = lab_hand(lab, runner_work, runners[i]);
		lab_await(hands[i]);
		lab_go(hands[i]);
		KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == i + 1));
	}
	lab_let_go(holder);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	KUNIT_EXPECT_EQ(test, quick.order, 1);
	KUNIT_EXPECT_EQ(test, middle.order, 2);
	KUNIT_EXPECT_EQ(test, slow.order, 3);
}

/* Who wounds the holder and is then killed must leave no debt behind but the wound itself. */
static void killed_wounder_leaves_the_queue(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 2);
	struct runner runner = { .priority = 15, .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct headway_txn txn;
	struct hand *urgent;

	headway_txn_begin(&txn, lab->domain);
	urgent = run_into_us(lab, &txn, &runner);
	lab_signal(urgent, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(urgent), -EINTR);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 0u);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[1]));
	headway_txn_end(&txn);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(ordered_refuses_the_wrong_order),
	KUNIT_CASE(ordered_goes_by_rank_key_address),
	KUNIT_CASE(ordered_waits_while_holding),
	KUNIT_CASE(polite_waits_with_empty_hands_only),
	KUNIT_CASE(polite_rolls_back_without_waiting),
	KUNIT_CASE(none_never_waits),
	KUNIT_CASE(none_takes_a_set_as_it_is_given),
	KUNIT_CASE(none_livelocks),
	KUNIT_CASE(older_wounds_younger),
	KUNIT_CASE(younger_never_wounds_older),
	KUNIT_CASE(priority_wounds_within_its_bonus),
	KUNIT_CASE(age_beats_priority_in_the_end),
	KUNIT_CASE(wound_ends_with_what_it_was_for),
	KUNIT_CASE(wound_wait_serves_the_oldest_first),
	KUNIT_CASE(killed_wounder_leaves_the_queue),
	{}
};

struct kunit_suite headway_policy_suite = {
	.name = "headway-policy",
	.exit = lab_close,
	.test_cases = policy_cases,
};
