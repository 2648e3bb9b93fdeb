// SPDX-License-Identifier: GPL-2.0
/*
 * restart_kunit.c - how often a transaction restarts, where it waits before it does, and what
 * happens to callers that do not notice that they have to.
 */
#include "lab.h"
#include "policy.h"

/* ---- misuse ------------------------------------------------------------------------------- */

static void lock_after_a_conflict_is_refused(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 3);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_lock *set[] = { &lab->locks[2] };
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_MISUSES), 0ull);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[2]), -EDEADLK);
	KUNIT_EXPECT_EQ(test, headway_lock_many(&txn, set, 1), -EDEADLK);
	KUNIT_EXPECT_EQ(test, headway_lock_try(&txn, &lab->locks[2]), -EDEADLK);
	KUNIT_EXPECT_TRUE(test, lab_free(&lab->locks[2]));
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_MISUSES), 3ull);
	lab_let_go(holder);
	headway_txn_rollback(&txn);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[2]), 0);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_MISUSES), 3ull);
	headway_txn_end(&txn);
}

static void unlock_after_a_conflict_is_a_way_out(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 3);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
	headway_unlock(&txn, &lab->locks[0]);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[2]), 0);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_MISUSES), 0ull);
	headway_txn_end(&txn);
	lab_let_go(holder);
}

/* The body runs to its end without the lock: nothing can undo that, but it can be told. */
static void conflict_that_nobody_notices_is_counted(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_txn txn;
	int rounds = 0, ret = 0;

	headway_txn_begin(&txn, lab->domain);
	headway_txn_until_done(&txn) {
		ret = headway_lock(&txn, &lab->locks[0]) ?: headway_lock(&txn, &lab->locks[1]);
		if (!rounds++)
			lab_let_go(holder);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, rounds, 2);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_MISUSES), 1ull);
	headway_txn_end(&txn);
}

/* ---- the bound ---------------------------------------------------------------------------- */

/* Holds lock 2 and, once it has been run into there, asks for lock 0. */
static int older_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, lab->domain);
	ret = headway_lock_timeout(&txn, &lab->locks[2], LAB_PATIENCE_NS);
	lab_pause(hand);
	if (!ret)
		ret = headway_lock_timeout(&txn, &lab->locks[0], LAB_PATIENCE_NS);
	hand->count = !ret;
	lab_pause(hand);
	headway_txn_end(&txn);
	return ret;
}

struct wound_scene {
	struct hand *holder;		/* of lock 1 */
	struct hand *older;
	struct hand *runner;		/* waits for lock 2 */
};

/* @txn has been wounded over lock 0, which it holds, and has noticed it at lock 1. */
static void scene_of_a_wound(struct lab *lab, struct wound_scene *scene, struct headway_txn *txn)
{
	struct kunit *test = lab->test;

	scene->holder = lab_hold(lab, &lab->locks[1]);
	scene->older = lab_hand(lab, older_work, NULL);
	lab_await(scene->older);
	scene->runner = lab_hand(lab, lab_take_work, &lab->locks[2]);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->locks[2]) == 1));

	headway_txn_begin(txn, lab->domain);
	KUNIT_EXPECT_EQ(test, headway_lock(txn, &lab->locks[0]), 0);
	reinit_completion(&scene->older->reached);
	lab_go(scene->older);
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(txn->wounded)));
	KUNIT_EXPECT_EQ(test, headway_lock(txn, &lab->locks[1]), -EDEADLK);
}

static void scene_ends(struct lab *lab, struct wound_scene *scene)
{
	KUNIT_EXPECT_EQ(lab->test, lab_join(scene->older), 0);
	KUNIT_EXPECT_EQ(lab->test, lab_join(scene->runner), 0);
	lab_let_go(scene->holder);
}

/*
 * Wounded over lock 0, noticed at lock 1: it must wait for lock 0, until the older one is done with
 * it. Starting anew at lock 1, it could be wounded by the same attempt once more.
 */
static void wounded_waits_where_the_wounder_is(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 3);
	struct wound_scene scene;
	struct headway_txn txn;

	scene_of_a_wound(lab, &scene, &txn);
	KUNIT_EXPECT_EQ(test, headway_txn_rollback_wait(&txn, LAB_WITHIN(30 * MS)), -ETIMEDOUT);
	lab_await(scene.older);
	KUNIT_EXPECT_EQ(test, scene.older->count, 1ull);
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[1]), 0u);
	lab_go(scene.older);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, txn.restarts, 1u);
	headway_txn_end(&txn);
	scene_ends(lab, &scene);
}

static void rollback_takes_what_it_was_wounded_over(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 3);
	struct wound_scene scene;
	struct headway_txn txn;

	scene_of_a_wound(lab, &scene, &txn);
	/* It may end as soon as it has got lock 0. */
	lab_go(scene.older);
	headway_txn_rollback(&txn);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, &lab->locks[1]));
	headway_txn_end(&txn);
	scene_ends(lab, &scene);
}

/* Gives way 32 times, then takes the token and waits with lock 0 in its hands. */
static void polite_stands_firm_in_the_end(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *holder = lab_hold(lab, &lab->locks[1]);
	struct headway_lock *token = &lab->domain->token;
	struct headway_txn txn;
	u32 i;

	headway_txn_begin(&txn, lab->domain);
	for (i = 0; i < HEADWAY_POLITE_RESTARTS; i++) {
		KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, token));
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
		KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), -EDEADLK);
		/* Not in time for lock 1, which it would wait for. */
		KUNIT_EXPECT_EQ(test, headway_txn_rollback_wait(&txn, LAB_WITHIN(MS)), -ETIMEDOUT);
	}
	/* The first few times it only let others run. */
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_BACKOFFS),
			(u64)HEADWAY_POLITE_RESTARTS - HEADWAY_POLITE_YIELDS);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, token));
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock_timeout(&txn, &lab->locks[1], 30 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, &lab->locks[0]));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), 0);
	KUNIT_EXPECT_EQ(test, txn.restarts, HEADWAY_POLITE_RESTARTS);
	headway_txn_end(&txn);
	KUNIT_EXPECT_TRUE(test, lab_free(token));
}

/* As if it had been wounded once more. */
static void crowded_out(struct headway_txn *txn, u64 ticket)
{
	atomic64_set(&txn->ticket, ticket);
	txn->restarts = HEADWAY_TURN_RESTARTS - 1;
	headway_txn_rollback(txn);
}

static int older_takes_its_turn(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	crowded_out(&txn, 1);
	ret = headway_lock_held(&txn, &hand->lab->domain->token) ? 0 : -ENOLCK;
	headway_txn_end(&txn);
	return ret;
}

/* Wound-wait, but not at the token: what holds that is left alone there. */
static void adaptive_restarts_one_by_one(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ADAPTIVE, 2);
	struct headway_lock *token = &lab->domain->token;
	struct headway_txn txn;
	struct hand *older;

	headway_txn_begin(&txn, lab->domain);
	KUNIT_ASSERT_EQ(test, (int)headway_txn_policy(&txn), (int)HEADWAY_POLICY_WOUND_WAIT);
	headway_txn_rollback(&txn);
	KUNIT_EXPECT_FALSE(test, headway_lock_held(&txn, token));
	crowded_out(&txn, 2);
	KUNIT_EXPECT_TRUE(test, headway_lock_held(&txn, token));
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_TURNS), 1ull);
	older = lab_hand(lab, older_takes_its_turn, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(token) == 1));
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), 0);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_WOUNDS), 0ull);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_join(older), 0);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_TURNS), 2ull);
}

static int older_wounds(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	atomic64_set(&txn.ticket, 2);
	ret = headway_lock_timeout(&txn, &hand->lab->locks[0], LAB_PATIENCE_NS);
	headway_txn_end(&txn);
	return ret;
}

/* Once the lock that it was dealt at is given back: whoever waits for the token has no say. */
static void a_wound_does_not_stand_at_the_token(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ADAPTIVE, 2);
	struct hand *turn, *wounder;
	struct headway_txn txn;

	headway_txn_begin(&txn, lab->domain);
	crowded_out(&txn, 3);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_lock(&txn, &lab->locks[1]), 0);
	turn = lab_hand(lab, older_takes_its_turn, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(lab_waiters(&lab->domain->token) == 1));
	wounder = lab_hand(lab, older_wounds, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(txn.wounded)));
	headway_unlock(&txn, &lab->locks[0]);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(txn.wounded));
	KUNIT_EXPECT_EQ(test, lab_join(wounder), 0);
	headway_txn_end(&txn);
	KUNIT_EXPECT_EQ(test, lab_join(turn), 0);
}

/* Two that stand firm take turns, since they take the same token first. */
static int both_ways_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	unsigned int first = hand->number & 1;
	int ret = 0;

	while (!ret && hand->count < 200) {
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		/* As if it had given way so often already. */
		txn.restarts = HEADWAY_POLITE_RESTARTS - 1;
		headway_txn_until_done(&txn) {
			ret = headway_lock_timeout(&txn, &lab->locks[first], LAB_PATIENCE_NS);
			headway_txn_retry_on_conflict(&txn);
			if (ret)
				break;
			cond_resched();
			ret = headway_lock_timeout(&txn, &lab->locks[!first], LAB_PATIENCE_NS);
			headway_txn_retry_on_conflict(&txn);
		}
		hand->errors += txn.restarts > HEADWAY_POLITE_RESTARTS;
		headway_txn_end(&txn);
		hand->count++;
	}
	return ret;
}

static void polite_never_restarts_more_often(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_POLITE, 2);
	struct hand *hands[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hands); i++)
		hands[i] = lab_hand(lab, both_ways_work, NULL);
	for (i = 0; i < ARRAY_SIZE(hands); i++) {
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
		KUNIT_EXPECT_EQ(test, hands[i]->count, 200ull);
		KUNIT_EXPECT_EQ(test, hands[i]->errors, 0ull);
	}
}

static struct kunit_case restart_cases[] = {
	KUNIT_CASE(lock_after_a_conflict_is_refused),
	KUNIT_CASE(unlock_after_a_conflict_is_a_way_out),
	KUNIT_CASE(conflict_that_nobody_notices_is_counted),
	KUNIT_CASE(wounded_waits_where_the_wounder_is),
	KUNIT_CASE(rollback_takes_what_it_was_wounded_over),
	KUNIT_CASE(polite_stands_firm_in_the_end),
	KUNIT_CASE(adaptive_restarts_one_by_one),
	KUNIT_CASE(a_wound_does_not_stand_at_the_token),
	KUNIT_CASE(polite_never_restarts_more_often),
	{}
};

struct kunit_suite headway_restart_suite = {
	.name = "headway-restart",
	.exit = lab_close,
	.test_cases = restart_cases,
};
