// SPDX-License-Identifier: GPL-2.0
/*
 * cycle_kunit.c - wait-die, detect and serial: cycles do not come about, are broken, or cannot be.
 *
 * Tickets as in policy_kunit.c: whoever runs into a holder gives the holder the older one.
 */
#include "lab.h"

#define RING_MAX 8

struct seeker {
	unsigned int priority;
	struct headway_lock *has;	/* NULL = nothing */
	struct headway_lock *wants;
};

/* Takes one lock, tells, and when told to, asks for the other. */
static int seeker_work(struct hand *hand)
{
	struct seeker *seeker = hand->arg;
	struct headway_txn txn;
	int ret = 0;

	headway_txn_begin_prio(&txn, hand->lab->domain, seeker->priority);
	if (seeker->has)
		ret = headway_lock_timeout(&txn, seeker->has, LAB_PATIENCE_NS);
	lab_pause(hand);
	if (!ret)
		ret = headway_lock_timeout(&txn, seeker->wants, LAB_PATIENCE_NS);
	headway_txn_end(&txn);
	return ret;
}

static struct hand *seek(struct lab *lab, struct seeker *seeker)
{
	struct hand *hand = lab_hand(lab, seeker_work, seeker);

	lab_await(hand);
	return hand;
}

/* ---- wait-die ----------------------------------------------------------------------------- */

static void younger_with_something_dies(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WAIT_DIE, 3);
	struct seeker seeker = { .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct hand *younger = seek(lab, &seeker), *holder;
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	lab_go(younger);
	KUNIT_EXPECT_EQ(test, lab_join(younger), -EDEADLK);
	/*
	 * We have the oldest ticket there is now, so we wait for whoever comes to hold something.
	 */
	holder = lab_hold(lab, &lab->locks[2]);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[2], 30 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	headway_txn_end(&txn);
	lab_let_go(holder);
}

static void younger_with_nothing_waits(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WAIT_DIE, 1);
	struct seeker seeker = { .wants = &lab->locks[0] };
	struct hand *younger = seek(lab, &seeker);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	lab_go(younger);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_join(younger), 0);
}

/* Waiting behind somebody older would be waiting for somebody older. */
static void nobody_with_something_waits_behind_an_older(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WAIT_DIE, 4);
	/* In effect: both older than the holder; the one that comes second is the oldest. */
	struct seeker old = { .priority = 5, .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct seeker oldest = { .priority = 15, .has = &lab->locks[2], .wants = &lab->locks[0] };
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *first = seek(lab, &old), *second = seek(lab, &oldest);

	lab_go(first);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	lab_go(second);
	/* It goes to the head of the queue, and the one there, now behind it, must not stay. */
	KUNIT_EXPECT_EQ(test, lab_join(first), -EDEADLK);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 1u);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(second), 0);
}

static int backwards_work(struct hand *hand)
{
	struct headway_lock *set[] = { &hand->lab->locks[1], &hand->lab->locks[0] };
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_many_timeout(&txn, set, 2, LAB_PATIENCE_NS);
	headway_txn_end(&txn);
	return ret;
}

/* Whoever died of a lock that is given back would die of the same attempt twice. */
static void sets_are_taken_in_order_from_the_start(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WAIT_DIE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = lab_hand(lab, backwards_work, NULL);

	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	KUNIT_EXPECT_EQ(test, READ_ONCE(lab->locks[1].stats.acquired), 0ull);
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(waiter), 0);
}

/* ---- detect ------------------------------------------------------------------------------- */

static void sleeping_victim_is_woken(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_DETECT, 2);
	struct seeker seeker = { .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct hand *younger = seek(lab, &seeker);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	lab_go(younger);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[1], LAB_PATIENCE_NS), 0);
	KUNIT_EXPECT_EQ(test, lab_join(younger), -EDEADLK);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_CYCLES), 1ull);
}

/* As if it had begun since the look did: its own look would find what there is. */
static void a_wait_from_after_the_look_is_no_edge(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_DETECT, 2);
	struct seeker seeker = { .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct hand *younger = seek(lab, &seeker);
	struct headway_txn txn, *other;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	lab_go(younger);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	other = list_first_entry(&lab->domain->live, struct headway_txn, live_node);
	WRITE_ONCE(other->wait_look, U64_MAX);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[1], 30 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_CYCLES), 0ull);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_join(younger), 0);
}

static void who_closes_the_cycle_can_be_the_victim(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_DETECT, 2);
	/* With its bonus it counts as older than we do, whatever the tickets. */
	struct seeker seeker = { .priority = 15, .has = &lab->locks[1], .wants = &lab->locks[0] };
	struct hand *older = seek(lab, &seeker);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	lab_go(older);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[0]) == 1));
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[1], LAB_PATIENCE_NS),
			-EDEADLK);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 1u);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_join(older), 0);
}

/*
 * n hands, each holding a lock and wanting the next one's; the last wants the first's if @closed.
 */
static void run_ring(struct kunit *test, struct lab *lab, unsigned int first_lock, unsigned int n,
		     bool closed)
{
	struct seeker *seekers = kunit_kzalloc(test, n * sizeof(*seekers), GFP_KERNEL);
	u64 cycles = lab_stat(lab, HEADWAY_STAT_CYCLES);
	struct hand *hands[RING_MAX];
	unsigned int i, victims = 0, winners = 0;

	KUNIT_ASSERT_NOT_NULL(test, seekers);
	for (i = 0; i < n; i++) {
		seekers[i].has = &lab->locks[first_lock + i];
		seekers[i].wants = &lab->locks[first_lock + (i + 1) % (n + !closed)];
		hands[i] = seek(lab, &seekers[i]);
	}
	for (i = 0; i < n; i++)
		lab_go(hands[i]);
	for (i = 0; i < n; i++) {
		int ret = lab_join(hands[i]);

		victims += ret == -EDEADLK;
		winners += !ret;
	}
	KUNIT_EXPECT_EQ(test, victims, closed ? 1u : 0u);
	KUNIT_EXPECT_EQ(test, winners, closed ? n - 1 : n);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_CYCLES) - cycles, closed ? 1ull : 0ull);
}

static void cycles_of_2_to_5_have_one_victim(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_DETECT, RING_MAX);
	unsigned int n;

	for (n = 2; n <= 5; n++)
		run_ring(test, lab, 0, n, true);
}

static void cycle_of_8_has_one_victim(struct kunit *test)
{
	run_ring(test, lab_open(test, HEADWAY_POLICY_DETECT, RING_MAX), 0, RING_MAX, true);
}

static void chain_of_8_has_no_victim(struct kunit *test)
{
	run_ring(test, lab_open(test, HEADWAY_POLICY_DETECT, RING_MAX + 1), 0, RING_MAX, false);
}

/*
 * The ring's members have found their cycle; who runs into it from outside must not loop for
 * ever.
 */
static void chain_into_a_long_wait_ends(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_DETECT, 4);
	struct seeker seekers[] = {
		{ .has = &lab->locks[0], .wants = &lab->locks[1] },
		{ .has = &lab->locks[1], .wants = &lab->locks[2] },
	};
	struct hand *holder = lab_hold(lab, &lab->locks[2]);
	struct hand *hands[2];
	struct headway_txn txn;
	unsigned int i;

	for (i = 0; i < 2; i++)
		hands[i] = seek(lab, &seekers[i]);
	for (i = 0; i < 2; i++)
		lab_go(hands[i]);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[1]) == 1 &&
					       lab_waiters(&lab->locks[2]) == 1));
	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[3]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[0], 30 * MS), -ETIMEDOUT);
	headway_txn_end(&txn);
	lab_let_go(holder);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_CYCLES), 0ull);
}

/* ---- serial ------------------------------------------------------------------------------- */

static int begin_killable_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	complete(&hand->reached);
	ret = headway_txn_begin_wait(&txn, hand->lab->domain, 0,
				     __HEADWAY_WAIT(TASK_KILLABLE, KTIME_MAX));
	if (!ret)
		headway_txn_end(&txn);
	return ret;
}

static void serial_has_one_at_a_time(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_SERIAL, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *killed, *patient;
	struct headway_txn txn;

	KUNIT_EXPECT_EQ(test, headway_txn_begin_wait(&txn, lab->domain, 0, LAB_TRY), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_txn_begin_wait(&txn, lab->domain, 0, LAB_WITHIN(20 * MS)),
			-ETIMEDOUT);
	killed = lab_hand(lab, begin_killable_work, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->domain->token) == 1));
	patient = lab_hand(lab, begin_killable_work, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->domain->token) == 2));
	lab_signal(killed, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(killed), -EINTR);
	KUNIT_EXPECT_FALSE(test, completion_done(&patient->done));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(patient), 0);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->domain->token));
}

static void serial_takes_locks_in_any_order(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_SERIAL, 3);
	struct headway_txn txn;
	int i;

	headway_txn_begin(&txn, lab->domain);
	for (i = 2; i >= 0; i--)
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[i]), 0);
	headway_txn_end(&txn);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->domain->token));
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_CONFLICTS), 0ull);
}

static void serial_to_something_else_and_back(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_SERIAL, 2);
	int i;

	for (i = 0; i < 6; i++) {
		struct hand *holder = lab_hold(lab, &lab->locks[0]);
		struct headway_txn txn;
		bool serial = !(i % 2);
		int ret;

		ret = headway_txn_begin_wait(&txn, lab->domain, 0,
					     __HEADWAY_WAIT(TASK_RUNNING, KTIME_MAX));
		KUNIT_EXPECT_EQ(test, ret, serial ? -EBUSY : 0);
		if (!ret)
			headway_txn_end(&txn);
		lab_let_go(holder);
		KUNIT_EXPECT_TRUE(test, lab_free(&lab->domain->token));
		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, serial ?
				HEADWAY_POLICY_WOUND_WAIT : HEADWAY_POLICY_SERIAL, NULL), 0);
	}
}

static struct kunit_case cycle_cases[] = {
	KUNIT_CASE(younger_with_something_dies),
	KUNIT_CASE(younger_with_nothing_waits),
	KUNIT_CASE(nobody_with_something_waits_behind_an_older),
	KUNIT_CASE(sets_are_taken_in_order_from_the_start),
	KUNIT_CASE(sleeping_victim_is_woken),
	KUNIT_CASE(a_wait_from_after_the_look_is_no_edge),
	KUNIT_CASE(who_closes_the_cycle_can_be_the_victim),
	KUNIT_CASE(cycles_of_2_to_5_have_one_victim),
	KUNIT_CASE(cycle_of_8_has_one_victim),
	KUNIT_CASE(chain_of_8_has_no_victim),
	KUNIT_CASE(chain_into_a_long_wait_ends),
	KUNIT_CASE(serial_has_one_at_a_time),
	KUNIT_CASE(serial_takes_locks_in_any_order),
	KUNIT_CASE(serial_to_something_else_and_back),
	{}
};

struct kunit_suite headway_cycle_suite = {
	.name = "headway-cycle",
	.exit = lab_close,
	.test_cases = cycle_cases,
};
